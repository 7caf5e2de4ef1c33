"""What a recorded function reads around it: numbers, texts and containers in closures, globals and defaults.

A recording has them as they were. Before it is used again they are compared with what they are: one comparison of two
lists, in C.
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Callable, Collection, Iterator
from itertools import groupby, repeat
from types import FunctionType
from typing import Any

from scalargrad.compiling.surroundings.contents import CONTAINERS, differ, frozen, has_grown
from scalargrad.compiling.surroundings.functions import functions_of, global_names, name_of_cell, variables_written
from scalargrad.support.learning import last_change

_MISSING = object()
_MISSINGS = repeat(_MISSING)
_State = tuple[Any, Any, Any, Any, Any, Any]
_NOTHING: _State = (), (), (), [], [], []
_MODE = 3


class Surroundings:
    """What a function reads from outside, and helper functions of the user's that it refers to.

    Values are told by identity, as are objects: neither the attributes of an object nor the elements of an array are
    looked at; of a module whether it is in training. What the function
    itself changes while it is recorded, as a count of its calls, is no input of it; of a list or dict to which it only
    adds, as a memo, what was there after the recording is.

    Args:
        fn: the function.
        also: functions, and objects that have some, which it is given as static arguments; there may be more later.
    """

    def __init__(self, fn: Callable[..., Any], also: Collection[Any] = ()) -> None:
        self._fn, self._also = fn, also
        self._before: dict[Any, Any] = {}
        self._written: set[Any] = set()
        self._grown: set[Any] = set()
        # In one tuple: another thread sees what belongs together.
        self._state: _State = _NOTHING
        self._change = last_change[0]

    def before_a_run(self) -> None:
        """The function is about to be recorded: what is another afterwards, it has written itself."""
        self._before = {key: frozen(_content(sort, x)) for key, sort, x in self._places() if sort != _MODE}

    def after_a_run(self) -> None:
        """It was recorded; what is there now is taken for granted."""
        places, by_others = self._places(), False
        for key, sort, x in places:
            if key in self._before:
                now, before = _content(sort, x), self._before[key]
                if differ(now, before):
                    if self._can_only_be_written_by_others(sort, x, now):
                        by_others = True
                    else:
                        (self._grown if has_grown(now, before) else self._written).add(key)
        self._take_for_granted([place for place in places if place[0] not in self._written])
        if by_others:  # another thread, meanwhile: who knows which of both was recorded
            self._state = (*self._state[:3], [_MISSING], *self._state[4:])

    def _can_only_be_written_by_others(self, sort: int, place: Any, now: list[Any] | None) -> bool:
        """Whether it is a variable that the function does not assign to, and no container, which it may change."""
        if sort > 1 or (now and isinstance(now[0], (*CONTAINERS, array, bytearray))):
            return False
        functions = self._fn, *list(self._also)
        return (place[1] if sort else name_of_cell(place, *functions)) not in variables_written(*functions)

    def look(self) -> None:
        """Take what is there now for granted."""
        self._take_for_granted(self._places())

    def _take_for_granted(self, places: list[tuple[Any, int, Any]]) -> None:
        self._change = last_change[0]
        cells, names, functions, modules = ([x for _, k, x in places if k == sort] for sort in range(4))
        before: list[Any] | None = []
        types: list[type] = []  # numbers of two types may be equal
        for wanted in range(3):
            for key, sort, x in places:
                if sort == wanted and before is not None:
                    now = _content(sort, x)
                    may_grow = key in self._grown
                    before = None if now is None else before + [frozen(part, may_grow=may_grow) for part in now]
                    types += map(type, now or ())
        runs = [list(run) for _, run in groupby(names, lambda place: id(place[0]))]
        gets = [(run[0][0].get, [name for _, name in run]) for run in runs]  # of each module its names
        modes = [(module, getattr(module, "training", None)) for module in modules]
        self._state = (cells, gets, functions, before, types, modes) if places else _NOTHING

    def _places(self) -> list[tuple[Any, int, Any]]:
        return [place for place in _places(self._fn, *list(self._also)) if place[0] not in self._written]

    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return self._state is _NOTHING

    def have_changed(self) -> bool:
        """Whether something is not as it was."""
        state = self._state
        if state is _NOTHING:
            return False
        cells, names, functions, before, types, modes = state
        if self._change is not last_change[0]:
            now = last_change[0]
            if any(getattr(module, "training", None) is not mode for module, mode in modes):
                return True
            self._change = now
        try:  # as _contents: this is asked before every replay
            found = [cell.cell_contents for cell in cells] if cells else []
            for get, some in names:
                found += map(get, some, _MISSINGS)
            if functions:
                found += _contents((), (), functions) or ()
            return bool(found != before) or list(map(type, found)) != types
        except Exception:  # a variable without a value, or objects of the user's that cannot be compared
            return True


def _places(*functions: Any) -> Iterator[tuple[Any, int, Any]]:
    """Where functions read: keys, and 0 for a cell, 1 for a global, 2 for defaults and partials, 3 for a mode."""
    seen = set()
    for function in functions_of(*functions):
        if isinstance(function, functools.partial):
            yield id(function), 2, function
            continue
        if not isinstance(function, FunctionType):
            yield id(function), _MODE, function
            continue
        found: list[tuple[Any, int, Any]] = [(id(cell), 0, cell) for cell in function.__closure__ or ()]
        variables = function.__globals__
        found += [((id(variables), name), 1, (variables, name)) for name in global_names(function)]
        if function.__defaults__ or function.__kwdefaults__:
            found.append((id(function), 2, function))
        for place in found:
            if place[0] not in seen:
                seen.add(place[0])
                yield place


def _content(sort: int, place: Any) -> list[Any] | None:
    """What one place holds."""
    return _contents(*([place] if sort == k else [] for k in range(3)))


def _contents(cells: Any, names: Any, functions: Any) -> list[Any] | None:
    """What all of them hold; None while a variable has no value."""
    try:
        found = [cell.cell_contents for cell in cells]
    except ValueError:
        return None
    if names:
        found += [variables.get(name, _MISSING) for variables, name in names]
    for function in functions:
        if isinstance(function, functools.partial):
            found += (function.args, function.keywords)
        else:
            found += (function.__defaults__, function.__kwdefaults__)
    return found
