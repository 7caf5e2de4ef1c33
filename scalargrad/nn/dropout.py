"""Dropout: numbers that are left out at random while training."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from scalargrad.nn.inputs import as_sequence, constants, is_sequence
from scalargrad.nn.known_module import NUMBER, KnownModule
from scalargrad.nn.randomness import RandomSource, random_source
from scalargrad.node.mode import being_compiled
from scalargrad.support.arguments import MAX_DEPTH, too_deep
from scalargrad.support.reals import number


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
        self.p = number(p)
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
            ValueError: if it is recorded to be replayed, by `compile`, `replay` or fit(compiled=True), in training; if
                x is nested deeper than 100 levels.
        """
        if not self.training:
            return x
        if being_compiled() and self.p:
            raise ValueError(
                f"{self!r} cannot be compiled in training: what it leaves out would be drawn once, now, and be the "
                "same in every replay. Call model.eval() first if it should leave nothing out, train without Dropout "
                "(a penalty or weight_decay, too, keeps weights small), or train without compiling: fit without "
                "compiled=True"
            )
        return self._thinned(x, 0)

    def _thinned(self, x: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:  # the cap is what allows recursion here
            raise too_deep(f"{self!r}: the input")
        x = as_sequence(x)
        if not is_sequence(x):
            return self._thinned([x], depth)[0]
        x = list(map(as_sequence, x))
        if any(map(is_sequence, x)):
            return [self._thinned(row, depth + 1) for row in x]
        draw, scale = (self._rng or random).uniform, 1 / (1 - self.p)
        return [value * (0.0 if draw(0.0, 1.0) < self.p else scale) for value in constants(x, repr(self))]

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
