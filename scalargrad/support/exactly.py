"""What tells one thing from another: its type and its value, as keys of what is kept and used again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from numbers import Number
from typing import Any

DEEPEST = 8
"""Lists in lists and dicts, beyond so many levels, are told by their identity."""


def exactly(x: Any, check: Callable[[Any], object] = hash) -> Hashable:
    """A key that is equal for the same things only: 1, 1.0 and True are three, as are 0.0 and -0.0; nan is itself.

    Args:
        x: something that has a hash.
        check: is called with x, or with each of its parts if it is a tuple, frozenset or dataclass, and may raise.

    >>> exactly(1) == exactly(1), exactly(1) == exactly(1.0), exactly((0.0,)) == exactly((-0.0,))
    (True, False, False)
    """
    kind = type(x)
    if kind is str or kind is int:
        return kind, x
    if isinstance(x, float):
        return kind, float(x).hex()
    if kind is complex:
        return kind, x.real.hex(), x.imag.hex()
    if isinstance(x, tuple):
        return kind, tuple([exactly(part, check) for part in x])
    if isinstance(x, frozenset):
        return kind, frozenset([exactly(part, check) for part in x])
    check(x)
    if isinstance(x, Number):  # those of numpy and decimal have a -0.0, too
        return kind, x, repr(x)
    if kind is range or kind is slice:  # ranges are equal if they hold the same
        return kind, *[exactly(part, check) for part in (x.start, x.stop, x.step)]
    times = sys.modules.get("datetime")
    if times is not None and isinstance(x, (times.datetime, times.time, times.tzinfo)):
        # Those of one instant are equal in all time zones, and time zones of one offset by all names.
        return kind, x, repr(x), exactly(getattr(x, "tzinfo", None))
    if is_dataclass(kind):
        return kind, x, tuple([exactly(getattr(x, part.name), check) for part in fields(x) if part.compare])
    return kind, x


class Itself:
    """Something that has no hash, told by its identity. It is kept alive, so that no other has that."""

    __slots__ = ("_one",)

    def __init__(self, one: Any) -> None:
        self._one = one

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and other._one is self._one

    def __hash__(self) -> int:
        return id(self._one)


def exactly_or_itself(x: Any, depth: int = 0) -> Hashable:
    """The same of anything: of lists, dicts and sets by what they hold now, of what has no hash by its identity."""
    kind = type(x)
    if depth < DEEPEST:  # the cap allows recursion here
        if kind in (list, tuple):
            return kind, tuple([exactly_or_itself(part, depth + 1) for part in x])
        if kind is dict:
            return kind, tuple([(exactly(key), exactly_or_itself(part, depth + 1)) for key, part in x.items()])
        if kind is set:
            return kind, frozenset(map(exactly, x))
    try:
        return exactly(x)
    except TypeError:
        return Itself(x)
