"""The leaves that recordings have reached: their numbers, and whether what was taken for granted of them holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from scalargrad.behaviour import number_in

if TYPE_CHECKING:
    from scalargrad.engine import Value
    from scalargrad.rules import Rule


def numbers_of(leaves: Iterable[Value]) -> list[float]:
    """The numbers that they hold now."""
    leaves = list(leaves)
    numbers = [leaf._data for leaf in leaves]
    return numbers if set(map(type, numbers)) <= _FLOAT else list(map(number_in, leaves))


_FLOAT = {float}


class Reached:
    """Leaves, in the order in which they were reached.

    Args:
        granted: what a recording takes for granted of the rule of a leaf, as that it requires grad.
    """

    def __init__(self, granted: Callable[[Rule], Any]) -> None:
        self._granted = granted
        # In one tuple: another thread sees the leaves and their rules of the same moment.
        self._state: tuple[dict[Value, None], list[Rule], list[Any]] = ({}, [], [])

    @property
    def leaves(self) -> list[Value]:
        """All of them."""
        return list(self._state[0])

    def add(self, leaves: Iterable[Value]) -> None:
        """A recording has reached these, and takes what they are now for granted."""
        known = {**self._state[0], **dict.fromkeys(leaves)}
        rules = [leaf._rule for leaf in known]
        self._state = known, rules, list(map(self._granted, rules))

    def have_changed(self) -> bool:
        """Whether something does not hold any more."""
        leaves, rules, granted = self._state
        now = [leaf._rule for leaf in leaves]
        return now != rules and list(map(self._granted, now)) != granted
