"""Digits: a 64-32-10 network on scikit-learn's 1797 pictures of 8x8 pixels, full batch and minibatches."""

from __future__ import annotations

import functools
from typing import Any

from .classifier import JAX, NUMPY, Task, fastest_torch, promise_first, section
from .first import first_of
from .harness import MissingError, Section

BATCH = 32
TEXT = (
    "A 64-32-10 network with relu, 2 410 parameters, softmax and cross-entropy on the 1 797 digits of scikit-learn, pixels "
    "divided by 16, gradient descent, {how}: the time of an epoch, each loss read. The order of the samples is the same for "
    "all and never changes; they start with the same float64 parameters."
)


@functools.lru_cache(None)
def data() -> tuple[Any, Any]:
    """Pixels between 0 and 1, and classes; numpy arrays.

    Raises:
        MissingError: without scikit-learn, which has the pictures.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingError("scikit-learn is not installed") from None
    found = load_digits()
    return found.data / 16, found.target


FULL, SMALL = Task(64, 32, 10, 1797, data), Task(64, 32, 10, BATCH, data)


def full_batch(rounds: int) -> Section:
    """One step an epoch."""
    made = section("digits: full batch", TEXT.format(how="all samples in one batch"), FULL, rounds)
    made.faster(NUMPY, 1.5)
    made.faster(JAX, 1.5)
    made.slower(fastest_torch(made), 2)
    promise_first(made, first_of("digits"), 0.25, 0.1)
    return made


def minibatches(rounds: int) -> Section:
    """57 steps an epoch."""
    made = section("digits-32: minibatches of 32", TEXT.format(how=f"minibatches of {BATCH}"), SMALL, rounds)
    made.faster(NUMPY, 2)
    made.faster(JAX, 5)
    made.slower(fastest_torch(made), 2)
    return made
