"""W6: the gradient of the 100-variable Rosenbrock function and the Hessian of the 10-variable one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import scalargrad

from .harness import OURS, Engine, Running, Section, agree, take_turns

TOLERANCE = 1e-9
Point = list[float]
Calls = tuple[Callable[[Point], None], Callable[[], Any]]
"""How an engine takes a point, and how it computes there."""
TEXT = (
    "The {what} of the sum of 100 (y - x²)² + (1 - x)² over neighbours x, y of {n} variables. Compiled engines are given "
    "the point in the form they read fastest: scalargrad (bound by `f.bind(x, out)`), CasADi and heyoka arrays that they "
    "read and write in place; JAX an array on its device, and its result is awaited. scalargrad is also measured called "
    "with a list of floats, giving lists. JAX, PyTorch and HIPS autograd are measured twice: on scalars, as scalargrad and micrograd work, and on the formula written for arrays."
)
HEYOKA, CASADI = "heyoka", "CasADi, SX virtual machine"
SCALARS, ARRAYS = "JAX jit, scalars", "JAX jit, arrays"


def rosenbrock(xs: Sequence[Any]) -> Any:
    """Of a list of scalars of any engine."""
    total = 0.0
    for x, y in zip(xs, xs[1:]):  # noqa: B905, RUF007
        total = total + 100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2
    return total


def of_array(v: Any) -> Any:
    """Of an array of any engine."""
    x, y = v[:-1], v[1:]
    return (100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2).sum()


def points(n: int) -> list[Point]:
    """Where to compute: the second point checks that what was compiled at the first holds elsewhere."""
    return [[1.2 - 0.9 * i / n for i in range(n)], [0.3 + 0.7 * i / n for i in range(n)]]


def running(n: int, prepare: Callable[[Point], Calls]) -> Running:
    """Set up at the first point, to be checked at both, timed at the first."""
    first, second = points(n)
    put, compute = prepare(first)
    put(first)

    def run(times: int) -> Any:
        for _ in range(times - 1):
            compute()
        return compute()

    def state() -> Any:
        put(second)
        found = [float(x) for x in _flat(compute())]
        put(first)
        return found

    return Running(run, state, holds=(put, compute))


def _flat(found: Any) -> list[Any]:
    rows = found.tolist() if hasattr(found, "tolist") else found
    return [x for row in rows for x in (row if isinstance(row, list) else [row])]


def _held(call: Callable[[Any], Any], convert: Callable[[Point], Any] = list) -> Calls:
    """An engine that is a function of the point."""
    at: list[Any] = []

    def put(point: Point) -> None:
        at[:] = [convert(point)]

    return put, lambda: call(at[0])


# ---------------------------------------------------------------- the engines; `hessian` says which of the two


def derivative(hessian: bool) -> Callable[[Any], Any]:
    return scalargrad.hessian(rosenbrock) if hessian else scalargrad.grad(rosenbrock)


def ours(hessian: bool, at: Point) -> Calls:
    import numpy as np

    n = len(at)
    given, result = np.array(at), np.zeros((n, n) if hessian else n)
    step = scalargrad.compile(derivative(hessian)).bind(given, result)

    def put(point: Point) -> None:
        given[:] = point

    def compute() -> Any:
        step()
        return result

    return put, compute


def ours_on_lists(hessian: bool, at: Point) -> Calls:
    return _held(scalargrad.compile(derivative(hessian)))


def ours_eager(hessian: bool, at: Point) -> Calls:
    return _held(derivative(hessian))


def casadi_vm(hessian: bool, at: Point) -> Calls:
    import casadi
    import numpy as np

    n = len(at)
    x = casadi.SX.sym("x", n)
    value = rosenbrock(casadi.vertsplit(x))
    found = casadi.densify(casadi.hessian(value, x)[0]) if hessian else casadi.gradient(value, x)
    buffer, trigger = casadi.Function("derivative", [x], [found]).buffer()
    given, result = np.zeros(n), np.zeros((n, n) if hessian else n)
    buffer.set_arg(0, memoryview(given))
    buffer.set_res(0, memoryview(result))

    def put(point: Point) -> None:
        given[:] = point

    def compute() -> Any:
        trigger()
        return result

    compute.buffer = buffer  # type: ignore[attr-defined]  # trigger does not keep it alive
    return put, compute


def heyoka(hessian: bool, at: Point) -> Calls:
    import heyoka as hy
    import numpy as np

    n = len(at)
    xs = hy.make_vars(*(f"x{i}" for i in range(n)))
    value = hy.sum([100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2 for x, y in zip(xs, xs[1:])])  # noqa: B905, RUF007
    tensors = hy.diff_tensors([value], xs, diff_order=2 if hessian else 1)
    wanted = [e for row in tensors.hessian(0) for e in row] if hessian else list(tensors.gradient)
    evaluate = hy.cfunc(wanted, vars=xs)
    given, result = np.zeros(n), np.zeros(len(wanted))

    def put(point: Point) -> None:
        given[:] = point

    def compute() -> Any:
        evaluate(given, outputs=result)
        return result

    return put, compute


def jax_jit(function: Callable[[Any], Any], hessian: bool, at: Point) -> Calls:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit((jax.hessian if hessian else jax.grad)(function))
    return _held(lambda x: compiled(x).block_until_ready(), jnp.array)


def torch_eager(function: Callable[[Any], Any], hessian: bool, at: Point) -> Calls:
    import torch

    def gradient(x: Any) -> Any:
        (found,) = torch.autograd.grad(function(x), x)
        return found

    def second(x: Any) -> Any:
        return torch.autograd.functional.hessian(function, x)

    return _held(second if hessian else gradient, partial(torch.tensor, dtype=torch.float64, requires_grad=not hessian))


def hips_autograd(function: Callable[[Any], Any], hessian: bool, at: Point) -> Calls:
    import autograd
    import autograd.numpy as np

    return _held((autograd.hessian if hessian else autograd.grad)(function), np.array)


def micrograd(hessian: bool, at: Point) -> Calls:
    from micrograd.engine import Value

    def gradient(point: Point) -> Point:
        leaves = [Value(x) for x in point]
        rosenbrock(leaves).backward()
        return [x.grad for x in leaves]

    return _held(gradient)


def elements(v: Any) -> Any:
    """The function of an array's elements, each a scalar."""
    return rosenbrock([v[i] for i in range(len(v))])


# ---------------------------------------------------------------- the two workloads


def _section(title: str, what: str, n: int, hessian: bool, rounds: int) -> Section:
    of = lambda prepare, *first: partial(running, n, partial(prepare, *first, hessian))  # noqa: E731
    engines = [
        Engine("scalargrad, not compiled", of(ours_eager)),
        Engine(OURS, of(ours)),
        Engine("scalargrad, lists", of(ours_on_lists)),
        Engine(CASADI, of(casadi_vm), ["casadi"]),
        Engine(HEYOKA, of(heyoka), ["heyoka"]),
        Engine(SCALARS, of(jax_jit, elements), ["jax"]),
        Engine(ARRAYS, of(jax_jit, of_array), ["jax"]),
        Engine("PyTorch eager, scalars", of(torch_eager, elements), ["torch"]),
        Engine("PyTorch eager, arrays", of(torch_eager, of_array), ["torch"]),
        Engine("HIPS autograd, scalars", of(hips_autograd, elements), ["autograd"]),
        Engine("HIPS autograd, arrays", of(hips_autograd, of_array), ["autograd"]),
        *([] if hessian else [Engine("micrograd", of(micrograd), ["micrograd"])]),
    ]
    section = Section(title, TEXT.format(what=what, n=n), "µs")
    take_turns(section, agree(section, engines, 1, TOLERANCE), rounds)
    section.faster(SCALARS, 10)
    section.faster(ARRAYS, 10)
    return section


def gradient_section(rounds: int) -> Section:
    """W6: the gradient."""
    return _section("W6: gradient of the 100-variable Rosenbrock function", "gradient", 100, False, rounds)


def hessian_section(rounds: int) -> Section:
    """W6: the Hessian."""
    return _section("W6: Hessian of a 10-variable function", "Hessian, a full matrix,", 10, True, rounds)
