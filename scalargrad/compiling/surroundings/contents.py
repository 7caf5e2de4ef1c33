"""Copies of what variables hold, to be compared with what they hold later: numbers exactly, containers through."""

from __future__ import annotations

import functools
import math
from collections import UserDict, UserList, defaultdict, deque
from collections.abc import Iterable
from contextvars import ContextVar
from numbers import Real
from types import FunctionType, MappingProxyType
from typing import Any, cast

from scalargrad.engine import Value
from scalargrad.support.arguments import MAX_DEPTH

ITEMS = 10_000
"""A container of more things is told by its identity only: to look through it would take longer than most programs."""
CONTAINERS = (list, tuple, dict, set, frozenset, deque, UserDict, UserList, MappingProxyType)
_PLAIN = frozenset((str, bytes, type(None), FunctionType, Value))
_WRAPPERS = UserList, MappingProxyType
"""What lets what it holds answer whether it equals something."""


def differ(now: Any, before: Any) -> bool:
    """Whether two are not equal, or cannot be compared."""
    try:
        return bool(now != before)
    except Exception:  # objects of the user's that cannot be compared: they are other ones than before
        return True


def frozen(content: Any, *, may_grow: bool = False) -> Any:
    """A copy of containers, as deep as they go, that equals what has the same things in it; anything else itself.

    Args:
        content: what is there.
        may_grow: whether lists that have more at their ends, and dicts that have more keys, count as equal.
    """
    left = ITEMS

    def copied(x: Any, depth: int) -> Any:
        nonlocal left
        if isinstance(x, Real):
            return _Exactly(x) if x in (0, 1) else x
        if not isinstance(x, CONTAINERS):
            return _Told(x) if type(x) not in _PLAIN and _told(x) is not None else x
        if depth > MAX_DEPTH or len(x) > left:  # the cap allows recursion here
            return x
        left -= len(x)
        if type(x) is tuple or (type(x) is list and not may_grow):  # compared in C
            return type(x)([copied(part, depth + 1) for part in x])
        return _Copy(x, len(x), [copied(part, depth + 1) for part in _parts(x)], may_grow)

    return copied(content, 0)


_sign = functools.partial(math.copysign, 1.0)


def has_grown(now: Any, before: Any) -> bool:
    """Whether what was frozen before is all there, in lists with more at their ends and dicts with more keys."""
    if isinstance(before, _Copy):
        return before.is_inside(now)
    if type(before) in (list, tuple) and type(now) is type(before):
        if len(now) < len(before) or (type(now) is tuple and len(now) > len(before)):
            return False
        return all(map(has_grown, now, before))
    return not differ(now, before)


class _Exactly:
    """0 or 1, equal to those of its own type and sign only: 0.0 is neither -0.0 nor 0, and True is not 1."""

    __slots__ = ("_number",)
    __array_ufunc__ = None  # so that numpy's numbers leave the answer to this one

    def __init__(self, number: Any) -> None:
        self._number = number

    def __eq__(self, other: object) -> bool:
        x, y = self._number, cast("Any", other)
        if y is x:
            return True
        return type(y) is type(x) and bool(y == x) and _sign(y) == _sign(x)

    __hash__ = None  # type: ignore[assignment]


def is_written_to(x: Any) -> bool:
    """Whether it is something to which others than an assignment may write."""
    return isinstance(x, CONTAINERS) or _told(x) is not None


def _told(x: Any) -> Any:
    """What the memory of an array says, of Python's, numpy's or C's, or a context variable; None if it is neither."""
    if isinstance(x, ContextVar):
        return (x.get(None),)
    try:
        view = memoryview(x)
    except (TypeError, ValueError, BufferError):
        return None
    return (view.format, view.shape, view.tobytes()) if view.nbytes <= 8 * ITEMS else None


class _Told:
    """What was told of something: it equals what tells the same."""

    __slots__ = ("_told", "_type")
    __array_ufunc__ = None

    def __init__(self, x: Any) -> None:
        self._type, self._told = type(x), _told(x)

    def __eq__(self, other: object) -> bool:
        return type(other) is self._type and bool(_told(other) == self._told)

    __hash__ = None  # type: ignore[assignment]


class _Copy:
    """What a container of any type held: it equals a container of the same type that holds the same, in this order."""

    __slots__ = ("_may_grow", "_parts", "_size", "_type")
    __array_ufunc__ = None

    def __init__(self, container: Any, size: int, parts: list[Any], may_grow: bool) -> None:
        self._type, self._size, self._parts = type(container), size, parts
        self._may_grow = may_grow and isinstance(container, (list, dict))

    def __eq__(self, other: object) -> bool:
        if type(other) in (list, dict) and issubclass(self._type, _WRAPPERS):
            return bool(other == self._parts[0])
        if type(other) is not self._type:
            return False
        container: Any = other
        if len(container) == self._size:
            return bool(_parts(container) == self._parts)
        if not self._may_grow or len(container) < self._size:
            return False
        return _parts(container)[: len(self._parts)] == self._parts

    def is_inside(self, now: Any) -> bool:
        """Whether it has at most grown to this one."""
        if type(now) is not self._type or not isinstance(now, (list, dict)):
            return not differ(now, self)
        return len(now) >= self._size and all(map(has_grown, _parts(now), self._parts))

    __hash__ = None  # type: ignore[assignment]


def _parts(x: Any) -> list[Any]:
    """What a container holds; of dicts key, value, key, value, ... by each one's own methods, not by a subclass's."""
    if isinstance(x, MappingProxyType):
        return [dict(x)]
    if isinstance(x, dict):
        more = [x.default_factory] if isinstance(x, defaultdict) else []
        return more + [part for pair in dict.items(x) for part in pair]
    if isinstance(x, (UserDict, UserList)):
        return [x.data]
    if isinstance(x, deque):
        return [x.maxlen, *x]
    if isinstance(x, (set, frozenset)):  # in an order of their own, which equal sets need not share
        return sorted(x, key=_order)
    return list(list.__iter__(x) if isinstance(x, list) else tuple.__iter__(x))


def _order(x: Any) -> tuple[str, Any]:
    return (type(x).__name__, repr(x) if isinstance(x, (int, float, str, bytes)) else id(x))


def inside(x: Any) -> Iterable[Any]:
    """What a container holds, keys of dicts apart; nothing, if it is none or is too large to be looked through."""
    if not isinstance(x, CONTAINERS) or len(x) > ITEMS:
        return ()
    if isinstance(x, (UserDict, UserList)):
        return inside(x.data)
    if isinstance(x, MappingProxyType):
        return list(x.values())
    return dict.values(x) if isinstance(x, dict) else list(x)
