"""What the tests of compiling share: backends, random functions, and the eager engine's answers to compare with."""

import math
import random
import sys
import threading

import pytest
from compiled_cases import same, same_sign  # noqa: F401  (tests take them from here)

import scalargrad as sg
from scalargrad import Value
from scalargrad.compiling.llvm.library import available

needs_llvm = pytest.mark.skipif(not available(), reason="llvmlite is not installed: the extra `fast`")
BACKENDS = ["python", pytest.param("llvm", marks=needs_llvm), *(["wasm"] if sys.platform == "emscripten" else [])]
with_backends = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def library_functions(monkeypatch):
    """The llvm backend's batches with the C library's exp and tanh, in place of vectors of its own: bit for bit."""
    if not available():
        yield
        return
    from scalargrad.compiling.llvm import long_batch, tiles

    for one in (long_batch, tiles):
        monkeypatch.setattr(one, "fuses", lambda: False)
    tiles.batch_code.cache_clear()
    yield
    tiles.batch_code.cache_clear()


def all_same(xs, ys):
    assert len(xs) == len(ys)
    assert all(map(same, xs, ys)), [(i, x, y) for i, (x, y) in enumerate(zip(xs, ys, strict=True)) if not same(x, y)]


# -------------------------------------------------------------------- threads

THREADS = 8
HANG = 120
"""Seconds after which something has hung: far more than it takes."""


def at_once(work, threads=THREADS):
    """Run work(k) in so many threads, which begin together; an error in one of them is raised here."""
    gate, errors = threading.Barrier(threads), []

    def run(k):
        try:
            gate.wait(HANG)
            work(k)
        except BaseException as error:  # it is raised again below
            errors.append(error)

    running = [threading.Thread(target=run, args=(k,)) for k in range(threads)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(HANG)
    finally:
        sys.setswitchinterval(before)
    assert not any(thread.is_alive() for thread in running)
    if errors:
        raise errors[0]


# -------------------------------------------------------------------- random functions

_ONE = [
    sg.tanh, sg.sin, sg.cos, sg.exp, sg.sigmoid, sg.softplus, sg.relu, sg.abs, sg.square, sg.erf, sg.arctan, sg.silu,
    sg.gelu, sg.negative, sg.expm1, sg.sinh, sg.logsigmoid, sg.elu, sg.leaky_relu, sg.floor,
    lambda x: sg.cbrt(x * x + 0.2), lambda x: sg.sqrt(x * x + 0.5), lambda x: sg.log(x * x + 0.5), lambda x: 1.0 / (x * x + 1.0), lambda x: x**3,
    lambda x: (x * x + 0.1) ** 1.5, lambda x: sg.log1p(x * x), lambda x: sg.clip(x, -0.7, 0.8), lambda x: 2.0 - x,
]  # fmt: skip
_TWO = [
    sg.add, sg.subtract, sg.multiply, sg.add, sg.multiply, sg.maximum, sg.minimum,
    lambda x, y: x / (y * y + 1.0), lambda x, y: sg.where(sg.greater(x, y), x * y, y), lambda x, y: (x * x + 0.3) ** y,
    lambda x, y: x % (y * y + 0.5), lambda x, y: x // (y * y + 0.5),
]  # fmt: skip
_MANY = [
    lambda x, y, z: sg.sum([x, y, z]), lambda x, y, z: sg.mean([x, z, y, x]), lambda x, y, z: sg.prod([x, y, z]),
    lambda x, y, z: sg.max([x, y, z]), lambda x, y, z: sg.logsumexp([x, y, z]), lambda x, y, z: sg.min([z, y, x]),
    lambda x, y, z: sg.dot([x, y, 2.0], [z, x, y]), lambda x, y, z: sg.dot([x, z], [y, 0.5], z),
]  # fmt: skip


def random_function(seed, operations=14):
    """A function of any number of Values, made of operations that are defined everywhere: quicker than a strategy.

    Numbers stay small, as results go through tanh now and then. There is no hypot in it, nor in its derivatives: Python
    has its own, which may differ from the C library's in the last digit.
    """
    rng = random.Random(seed)
    plan = []
    for _ in range(operations):
        kind = rng.random()
        ops, n = (_ONE, 1) if kind < 0.45 else (_TWO, 2) if kind < 0.85 else (_MANY, 3)
        plan.append((rng.choice(ops), [rng.random() for _ in range(n)], rng.random() < 0.25))

    def function(*xs):
        nodes = list(xs)
        for op, places, squeeze in plan:
            result = op(*[nodes[-1 - int(place**2 * len(nodes))] for place in places])
            nodes.append(sg.tanh(result) if squeeze else result)
        return sg.sum([x * 0.5 for x in nodes[-3:]])

    return function


def points(seed, n, count=2):
    """Random points of n numbers."""
    rng = random.Random(seed + 1_000_000)
    return [[rng.uniform(-1.5, 1.5) for _ in range(n)] for _ in range(count)]


# -------------------------------------------------------------------- the eager engine's answers


def eager(fn, xs):
    """The value and the gradients, by a fresh graph."""
    leaves = [Value(x) for x in xs]
    root = fn(*leaves)
    root.backward()
    return [root.data, *(leaf.grad for leaf in leaves)]


def eager_batch(fn, batches, parameters, reduction="mean"):
    """The loss of a batch and its gradients, sample by sample, as (number, sum of the terms' sizes)."""
    rows = []
    for sample in zip(*batches, strict=True):
        root = fn(*sample)
        found = sg.grad(root, parameters) if isinstance(root, Value) else [0.0] * len(parameters)
        rows.append([root.data if isinstance(root, Value) else float(root), *found])
    n = len(rows) if reduction == "mean" else 1
    return [(math.fsum(column) / n, math.fsum(map(abs, column)) / n) for column in zip(*rows, strict=True)]


def agrees(result, expected, tolerance=1e-12):
    """Whether (loss, gradients) are what `eager_batch` found, up to rounding in their sums."""
    loss, gradients = result
    assert type(loss) is float
    assert len(expected) == 1 + len(gradients)
    off = [
        (i, x, number)
        for i, (x, (number, size)) in enumerate(zip([loss, *gradients], expected, strict=True))
        if not (same(x, number) or abs(x - number) <= tolerance * size)
    ]
    assert not off, off
