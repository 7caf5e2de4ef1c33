"""Trainings that share parameters: each sees the steps of the others, wherever these keep their numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakSet

from scalargrad.support.turns import Turns

if TYPE_CHECKING:
    from scalargrad.engine import Value

_turns = Turns()
_living: WeakSet[Sharing] = WeakSet()
"""All that there are: those that share parameters must know of each other."""


class Sharing(ABC):
    """Where a training keeps its numbers, among others that move what it reads, or read what it moves.

    Attributes:
        _moving: what it moves.
        _leaves: that, and all that it reads.
        _others: those others.
        _has_others: whether there are any: to ask the set itself would take 0.2 µs in each step.
        _is_behind: whether another has moved something since this one read the Values.
        _is_new: whether there is nothing before that which could be put back.
    """

    _moving: Sequence[Value]
    _leaves: dict[Value, None]

    def __init__(self) -> None:
        self._others: WeakSet[Sharing] = WeakSet()
        self._has_others = self._is_behind = self._is_new = False

    @abstractmethod
    def write_back(self) -> None:
        """Give all numbers back to the Values; the others are behind then."""

    def _meet(self) -> bool:
        """Find the others, begun and not ended, and have them write back; returns whether one was not known yet."""
        leaves, count = self._leaves.keys(), len(self._others)
        with _turns:
            for other in _living:
                if other is not self and not (
                    leaves.isdisjoint(other._moving) and other._leaves.keys().isdisjoint(self._moving)
                ):
                    self._others.add(other)
                    other._others.add(self)
                    self._has_others = other._has_others = True
                    other.write_back()
            _living.add(self)
        return len(self._others) > count

    def _part(self) -> None:
        """Leave them."""
        with _turns:
            _living.discard(self)
            for other in self._others:
                other._others.discard(self)
            self._others = WeakSet()
            self._has_others = False

    def _tell(self) -> None:
        """The Values have other numbers now: let the others know."""
        for other in self._others:
            other._is_behind = True

    def settle(self) -> None:
        """Bring the Values up to date, those that others move too."""
        for one in (*self._others, self):
            one.write_back()

    def read_again(self) -> None:
        """Take over what the Values and the optimizer hold, before the next step; the others too."""
        for one in (*self._others, self):
            one._is_behind = one._is_new = True
