"""Where random numbers come from: a seed, the caller's generator, or Python's global one."""

from __future__ import annotations

import random
from collections.abc import MutableSequence
from typing import Any, Protocol

from scalargrad.support.arguments import generator


class RandomSource(Protocol):
    """What is asked of a random generator; `random.Random` and the module `random` itself both have it."""

    def uniform(self, a: float, b: float) -> float:
        """Return a number between a and b, each equally likely."""

    def gauss(self, mu: float, sigma: float) -> float:
        """Return a normally distributed number with mean mu and standard deviation sigma."""

    def shuffle(self, x: MutableSequence[Any]) -> None:
        """Bring x into a random order, in place."""


def random_source(seed: int | None = None, rng: RandomSource | None = None) -> RandomSource:
    """Return a new generator for the seed, or rng itself, or (with neither) Python's global generator.

    The global one is what micrograd uses: `random.seed(1337)` before building a network makes it reproducible.

    Raises:
        ValueError: if both are given.
        TypeError: if rng is not a random generator, or the seed is not an integer.
    """
    if rng is None:
        if seed is None:
            return random
        try:
            return generator(seed)
        except TypeError:
            raise TypeError(f"seed must be an integer, not {type(seed).__name__}; a generator goes into rng=") from None
    if seed is not None:
        raise ValueError("seed= and rng= were both given: a generator is seeded already, so leave one out")
    if not all(hasattr(rng, name) for name in ("uniform", "gauss", "shuffle")):
        raise TypeError(f"rng must be a random.Random, not {type(rng).__name__}; an integer goes into seed=")
    return rng
