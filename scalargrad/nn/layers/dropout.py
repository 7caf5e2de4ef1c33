"""Dropout: numbers that are left out at random while training."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Protocol

from scalargrad.nn.arguments.inputs import as_sequence, constants, is_sequence
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.modules.known_module import NUMBER, KnownModule
from scalargrad.node.mode import being_compiled
from scalargrad.support.arguments import MAX_DEPTH, real, too_deep


class Given(Protocol):
    """What Dropouts are given in place of what they would draw."""

    def begin(self, layer: Dropout, x: Any) -> None:
        """Hear that this layer is called, and with what."""

    def factors(self, n: int) -> Sequence[Any]:
        """Return its next n factors, numbers or Values."""


_given: ContextVar[Given | None] = ContextVar("given", default=None)


@contextmanager
def given(factors: Given) -> Iterator[None]:
    """Let every Dropout in training take its factors from there; none draws."""
    before = _given.get()
    try:  # around `set` as well: Ctrl-C may come when it returns
        _given.set(factors)
        yield
    finally:
        _given.set(before)


class Dropout(KnownModule):
    """Inverted dropout: in training each number becomes 0 with probability p, and the others are divided by 1 − p.

    The expected value of each number stays what it was, so that in evaluation there is nothing to do: x is returned
    as it is.

    Args:
        p: the probability of being dropped, from 0 up to but not including 1.
        seed: seeds a generator of its own; without it, Python's global `random` draws.
        rng: or a `random.Random` to draw from.

    Raises:
        TypeError: if p is no number.
        ValueError: if p is out of range, or seed and rng are both given.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout, 2014.

    >>> layer = Dropout(0.5, seed=3)
    >>> [y.data for y in layer([1.0, 2.0, 3.0, 4.0])]
    [0.0, 4.0, 0.0, 8.0]
    >>> layer.eval()([1.0, 2.0, 3.0, 4.0])
    [1.0, 2.0, 3.0, 4.0]
    """

    _fields: ClassVar = {"p": NUMBER}

    def __init__(self, p: float = 0.5, *, seed: int | None = None, rng: RandomSource | None = None) -> None:
        self.p = real(p, "Dropout: p")
        if not 0 <= self.p < 1:
            raise ValueError(f"Dropout: p is the probability of being dropped, from 0 to below 1, not {p!r}")
        source = random_source(seed, rng)
        self._rng = None if source is random else source  # a module, as `random` is one, cannot be deep-copied

    def __call__(self, x: Any) -> Any:
        """Return x with numbers left out, in the shape of x.

        Args:
            x: a number or Value, a row of them, a batch of rows, or rows nested deeper. Of an iterator the result is a
                list.

        Raises:
            TypeError: if an element is neither a Value nor a real number.
            ValueError: if it is recorded to be replayed, by `compile` or `replay`, in training; if x is nested deeper
                than 100 levels. (fit(compiled=True) draws for it, before every step.)
        """
        if not self.training:
            return x
        if not self.p:
            return self._thinned(x, lambda n: [1.0] * n, 0)
        given = _given.get()
        if given is None:
            if being_compiled():
                raise ValueError(
                    f"{self!r} cannot be compiled in training: what it leaves out would be drawn once, now, and be the "
                    "same in every replay. Call model.eval() first if it should leave nothing out, or train by "
                    "fit(model, ..., compiled=True), which draws anew before every step"
                )
            return self._thinned(x, self._drawn, 0)
        given.begin(self, x)
        return self._thinned(x, given.factors, 0)

    def _drawn(self, n: int) -> list[float]:
        """Return n factors: 0.0 with probability p, else 1 / (1 − p)."""
        draw, p, scale = (self._rng or random).uniform, self.p, 1 / (1 - self.p)
        return [0.0 if draw(0.0, 1.0) < p else scale for _ in range(n)]

    def _thinned(self, x: Any, factors: Callable[[int], Sequence[Any]], depth: int) -> Any:
        if depth > MAX_DEPTH:  # the cap is what allows recursion here
            raise too_deep(f"{self!r}: the input")
        x = as_sequence(x)
        if not is_sequence(x):
            return self._thinned([x], factors, depth)[0]
        x = list(map(as_sequence, x))
        if any(map(is_sequence, x)):
            return [self._thinned(row, factors, depth + 1) for row in x]
        values = constants(x, repr(self))
        return [value * factor for value, factor in zip(values, factors(len(values)), strict=True)]

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
