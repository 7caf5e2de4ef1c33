"""Samples of any structure, and a loss that takes them all: what the tests of ragged batches share."""

import pytest

import scalargrad as sg
from scalargrad.node.structures import flatten


def need_backend(backend):
    """Skip a test whose backend is not there."""
    if backend == "jax":
        pytest.importorskip("jax")
    if backend == "llvm":
        pytest.importorskip("llvmlite")


def tree(rng, depth=2):
    """A number, or lists, tuples and dicts of such."""
    kind = rng.choice(("number", "list", "list", "tuple", "dict")) if depth else "number"
    if kind == "number":
        return rng.uniform(-1.5, 1.5)
    if kind == "dict":
        return {key: tree(rng, depth - 1) for key in rng.sample("abc", rng.randint(0, 2))}
    parts = [tree(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    return parts if kind == "list" else tuple(parts)


def recurrent(weights, penalty=True):
    """A loss of samples of any structure: some structures reach more of the weights than others do."""

    def fn(x, y):
        h = weights[0] * 0.5
        for k, leaf in enumerate(flatten(x)[0]):
            h = sg.tanh(weights[k % len(weights)] * leaf + h * weights[1])
        total = sg.sum([(h - t) ** 2 for t in flatten(y)[0]] or [h * h])
        return total + weights[0] * weights[0] + weights[-1] * weights[-1] * 0.1 if penalty else total

    return fn


def samples(rng, n, structures=4):
    """Samples of a few structures, mixed."""
    shapes = [(tree(rng), tree(rng, 1)) for _ in range(structures)]

    def like(shape):
        leaves, rebuild = flatten(shape)
        return rebuild(iter([rng.uniform(-1.5, 1.5) for _ in leaves]))

    chosen = [rng.choice(shapes) for _ in range(n)]
    return [like(x) for x, _ in chosen], [like(y) for _, y in chosen]
