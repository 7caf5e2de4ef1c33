"""A network of MNIST's shape, 784-128-10, on random pixels: one batch of 1 024."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .classifier import JAX, NUMPY, Task, fastest_torch, promise_first, section
from .first import first_of

if TYPE_CHECKING:
    from .harness import Section

SAMPLES = 1024
TEXT = (
    "A 784-128-10 network with relu, 101 770 parameters, softmax and cross-entropy, the shape of a network for MNIST, on a "
    "batch of 1 024 samples of random pixels and classes, gradient descent: the time of a step, each loss read. All start "
    "with the same float64 parameters."
)


@functools.lru_cache(None)
def data() -> tuple[Any, Any]:
    """Pixels between 0 and 1, a fifth of them not 0, and classes."""
    import numpy as np

    rng = np.random.default_rng(0)
    pixels = rng.random((SAMPLES, 784)) * (rng.random((SAMPLES, 784)) < 0.2)
    return pixels, rng.integers(0, 10, SAMPLES)


TASK = Task(784, 128, 10, SAMPLES, data)


def step(rounds: int) -> Section:
    """One step."""
    made = section("784-128-10: the shape of MNIST", TEXT, TASK, rounds)
    made.faster(NUMPY, 1)
    made.faster(JAX, 1)
    made.slower(fastest_torch(made), 2)
    promise_first(made, first_of("784-128-10"), 0.5)
    return made
