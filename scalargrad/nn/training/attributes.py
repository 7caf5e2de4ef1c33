"""What model, loss and penalty read in attributes of objects, which a recording has as it was."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from types import FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

from scalargrad.compiling.surroundings.contents import ITEMS, differ, frozen, inside
from scalargrad.compiling.surroundings.functions import is_users, read_by
from scalargrad.engine import Value
from scalargrad.nn.descent.optimizers import Optimizer
from scalargrad.nn.modules.module import Module
from scalargrad.support.slots import slots_of

_DATA = frozenset((Value, float, int, bool, str, type(None)))
_MISSING = object()


class Attributes:
    """Those of every Module and object of the user's that can be found behind some callables, in `__dict__` or slots.

    Found are objects in attributes, containers, closures and globals, those whose methods are given or called, what
    partials hold, and the user's classes of all these. As everywhere, of elements of arrays and containers of more
    than 10 000 things none is looked at.

    Args:
        roots: model, loss, penalty.

    Raises:
        ValueError: if one of their functions refers to an optimizer, whose numbers change with every step.
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        found = list(_objects_behind([x for x in roots if x is not None]))
        self._dicts = [x.__dict__ for x in found if hasattr(x, "__dict__")]
        self._slots = [(x, name) for x in found for name in _slots(x)]
        # Plain dicts: they are compared in C, as this is asked before every step that may follow a change.
        self._before = [{key: frozen(x) for key, x in one.items()} for one in self._dicts]
        self._in_slots = list(map(frozen, self._now_in_slots()))

    def have_changed(self) -> bool:
        """Whether one holds something else than it did."""
        return differ(self._dicts, self._before) or (bool(self._slots) and differ(self._now_in_slots(), self._in_slots))

    def _now_in_slots(self) -> list[Any]:
        return [getattr(x, name, _MISSING) for x, name in self._slots]


def _objects_behind(roots: list[Any]) -> Iterator[Any]:
    """The objects whose attributes count; functions among them, which may have some."""
    pending = [*roots]
    for root in roots:
        for function, read in read_by(root):
            _refuse_optimizers(function, read)
            pending += read
    seen = set[int]()
    kept: list[Any] = []  # while it lives, an id is one object's
    while pending and len(kept) < ITEMS:
        one = pending.pop()
        if type(one) in _DATA or id(one) in seen:
            continue
        seen.add(id(one))
        kept.append(one)
        if isinstance(one, MethodType):
            pending.append(one.__self__)
        elif isinstance(one, functools.partial):
            pending += [one.func, *one.args, *one.keywords.values()]
        elif isinstance(one, FunctionType):
            if is_users(one):
                yield one
                pending += vars(one).values()
        elif isinstance(one, type):
            if is_users(one):
                yield one
                pending += [x for x in vars(one).values() if not isinstance(x, FunctionType)]
                pending += one.__mro__
        elif isinstance(one, Module) or _has_attributes(one):
            yield one
            pending.append(type(one))
            pending += getattr(one, "__dict__", {}).values()
            pending += [getattr(one, name, None) for name in _slots(one)]
        pending += [x for x in inside(one) if type(x) not in _DATA]


def _refuse_optimizers(function: Any, read: list[Any]) -> None:
    for x in read:
        if isinstance(x, Optimizer):
            raise ValueError(
                f"{getattr(function, '__name__', 'a function')}, of model, loss or penalty, refers to an optimizer, "
                f"{type(x).__name__}, whose lr and steps change while fit runs; compiled steps have them as they were: "
                "leave compiled=True out"
            )


def _slots(x: Any) -> tuple[str, ...]:
    cls: Any = type(x)
    return slots_of(cls)


def _has_attributes(x: Any) -> bool:
    """Whether it is an object of the user's, or a mere holder of attributes."""
    if isinstance(x, (ModuleType, Optimizer)):  # an optimizer's change with each step
        return False
    return isinstance(x, SimpleNamespace) or is_users(type(x))
