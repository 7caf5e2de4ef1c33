"""The gradient of the 100-variable Rosenbrock function and a 10-variable Hessian, eager, beside other packages.

    python tests/benchmarks/derivatives.py

compares with micrograd, HIPS autograd and PyTorch, those of them that are installed (extras `bench` and `torch`). All
must agree before anything is timed. What is run is what a user of each would write: a loop over scalars.
"""

import gc
import statistics
import sys
import time

import scalargrad as sg

PAIRS = 25


def rosenbrock(xs):
    """The sum of 100 (y - x²)² + (1 - x)² over neighbours x, y."""
    total = 0.0
    for x, y in zip(xs, xs[1:]):  # noqa: B905, RUF007
        total = total + 100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2
    return total


def point(n):
    return [1.2 - 0.9 * i / n for i in range(n)]


def gradients(n=100):
    """For each package a function that computes the gradient at the point."""
    xs = point(n)

    def ours():
        leaves = [sg.Value(x) for x in xs]
        rosenbrock(leaves).backward()
        return [x.grad for x in leaves]

    found = {"scalargrad": ours, "scalargrad, grad(f)": lambda: sg.grad(rosenbrock)(xs)}
    try:
        from micrograd.engine import Value

        def micrograds():
            leaves = [Value(x) for x in xs]
            rosenbrock(leaves).backward()
            return [x.grad for x in leaves]

        found["micrograd"] = micrograds
    except ImportError:
        pass
    try:
        import autograd

        gradient = autograd.grad(rosenbrock)
        found["HIPS autograd"] = lambda: gradient(xs)
    except ImportError:
        pass
    try:
        import torch

        def torchs():
            leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in xs]
            rosenbrock(leaves).backward()
            return [float(x.grad) for x in leaves]

        found["PyTorch"] = torchs
    except ImportError:
        pass
    return found


def hessians(n=10):
    """For each package a function that computes the Hessian at the point."""
    xs = point(n)
    found = {"scalargrad": lambda: sg.hessian(rosenbrock)(xs)}
    try:
        import autograd
        import autograd.numpy as np

        hessian = autograd.hessian(lambda v: rosenbrock([v[i] for i in range(n)]))
        at = np.array(xs)
        found["HIPS autograd"] = lambda: hessian(at).tolist()
    except ImportError:
        pass
    try:
        import torch

        start = torch.tensor(xs, dtype=torch.float64)
        whole = lambda v: (100.0 * (v[1:] - v[:-1] ** 2) ** 2 + (1.0 - v[:-1]) ** 2).sum()  # noqa: E731
        found["PyTorch, vectorised"] = lambda: torch.autograd.functional.hessian(whole, start).tolist()
        scalar = lambda v: rosenbrock([v[i] for i in range(n)])  # noqa: E731
        found["PyTorch, scalars"] = lambda: torch.autograd.functional.hessian(scalar, start).tolist()
    except ImportError:
        pass
    return found


def flat(x):
    return [y for part in x for y in flat(part)] if isinstance(x, list) else [float(x)]


def compare(title, candidates):
    """Check that all agree to 1e-9, then time them in turn and print medians and ratios."""
    right = flat(candidates["scalargrad"]())
    for name, compute in candidates.items():
        for a, b in zip(right, flat(compute()), strict=True):
            assert abs(a - b) <= 1e-9 * max(1.0, abs(a)), (name, a, b)
    gc.collect()
    gc.freeze()  # what the imported packages left on the heap is no part of the work
    times = {name: [] for name in candidates}
    for _ in range(PAIRS):
        for name, compute in candidates.items():
            start = time.perf_counter()
            compute()
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(ts) for name, ts in times.items()}
    print(title)
    for name, median in medians.items():
        print(f"  {name:22}{median * 1e3:9.3f} ms   {median / medians['scalargrad']:6.1f} times scalargrad's")


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}; median of {PAIRS}, in turn; all agree to 1e-9")
    compare("gradient, Rosenbrock of 100 variables", gradients())
    compare("Hessian, Rosenbrock of 10 variables", hessians())
