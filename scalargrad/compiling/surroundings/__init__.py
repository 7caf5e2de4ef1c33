"""What a recorded function reads around it: closures, globals, defaults, and attributes of the objects that it reaches.

A recording has all that as it was. Before it is used again it is compared with what it is: one comparison of two lists,
in C.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain, groupby, repeat
from operator import is_, itemgetter
from types import FunctionType
from typing import Any, NamedTuple

from scalargrad.compiling.surroundings.attributes import Attributes
from scalargrad.compiling.surroundings.contents import differ, frozen, has_grown, inside, is_written_to
from scalargrad.compiling.surroundings.functions import (
    Behind,
    behind,
    global_names,
    name_of_cell,
    names_written,
)
from scalargrad.engine import Value
from scalargrad.support.learning import SAYS_WHEN_IT_IS_SET, last_change

_MISSING = object()
_MISSINGS = repeat(_MISSING)
_CELL, _NAME, _SLOT, _GIVEN, _MODE = range(5)


class _Place(NamedTuple):
    """Where something is read.

    Attributes:
        key: what tells it from others.
        sort: of a closure's cell, a name in a mapping (a global, an attribute), a slot; of what a function is given in
            defaults, or a partial in arguments; of a network's module, how it is set.
        holder: cell, mapping, object, function or module.
        name: in the holder.
    """

    key: Any
    sort: int
    holder: Any
    name: str = ""


class _Look(NamedTuple):
    """How to look at many places at once, in an order of its own, and what to expect."""

    cells: list[Any]
    groups: list[tuple[Callable[..., Any], list[Any]]]
    mappings: list[tuple[Callable[..., Any], list[str]]]
    slots: list[tuple[Any, str]]
    functions: list[Any]

    def contents(self) -> list[Any] | None:
        """What is there; None while a variable has no value. In few steps: this is asked before every replay."""
        try:
            found = [cell.cell_contents for cell in self.cells] if self.cells else []
        except ValueError:
            return None
        for several, alike in self.groups:  # a mapping costs half of what it does below, and networks have many neurons
            found += chain.from_iterable(map(several, alike))
        for get, names in self.mappings:
            found += map(get, names, _MISSINGS)
        if self.slots:
            found += [getattr(one, name, _MISSING) for one, name in self.slots]
        for function in self.functions:
            if isinstance(function, functools.partial):
                found += (function.args, function.keywords)
            else:
                found += (function.__defaults__, function.__kwdefaults__)
        return found


class _State(NamedTuple):
    """What is taken for granted; one object, so that another thread sees what belongs together.

    Attributes:
        look: how to look at places.
        before: what was there; None if that is not known.
        types: of what was there.
        modes: modules, and how they were set.
        lists: those that modules of this package keep.
        copies: what they held.
    """

    look: _Look
    before: list[Any] | None
    types: list[type]
    modes: list[tuple[Any, list[Any]]]
    lists: list[list[Any]]
    copies: list[list[Any]]


_NOTHING = _State(_Look([], [], [], [], []), [], [], [], [], [])


class Surroundings:
    """What a function reads from outside, and helper functions of the user's that it refers to.

    Attributes are told by their names: one that stands in the code counts for every object that has it. Values are told
    by identity, as are objects. What the function itself changes while it is recorded, as a count of its calls, is no
    input of it; of a list or dict to which it only adds, as a memo, what was there after the recording is.

    Args:
        fn: the function.
        also: functions, and objects that have some, which it is given as static arguments; there may be more later.
    """

    def __init__(self, fn: Callable[..., Any], also: Collection[Any] = ()) -> None:
        self._fn, self._also = fn, also
        self._before: dict[Any, Any] = {}
        self._written: dict[Any, _Place] = {}  # with what they lie in: while it lives, its id is no other's
        self._grown: dict[Any, _Place] = {}
        self._state = _NOTHING
        self._change = last_change[0]

    def before_a_run(self) -> None:
        """The function is about to be recorded: what is another afterwards, it has written itself."""
        self._before = {place.key: frozen(_content(place)) for place in self._places() if place.sort != _MODE}

    def after_a_run(self) -> None:
        """It was recorded; what is there now is taken for granted."""
        places, by_others = self._places(), False
        for place in places:
            if place.key in self._before:
                now, before = _content(place), self._before[place.key]
                if differ(now, before):
                    if self._can_only_be_written_by_others(place, now):
                        by_others = True
                    else:
                        (self._grown if has_grown(now, before) else self._written)[place.key] = place
        self._take_for_granted([place for place in places if place.key not in self._written])
        if by_others:  # another thread, meanwhile: who knows which of both was recorded
            self._state = self._state._replace(before=None)

    def _can_only_be_written_by_others(self, place: _Place, now: list[Any] | None) -> bool:
        """Whether nothing there assigns to it, and it is no container, which the function may change."""
        if place.sort not in (_CELL, _NAME, _SLOT) or (now and is_written_to(now[0])):
            return False
        functions = self._fn, *list(self._also)
        name = place.name if place.sort != _CELL else name_of_cell(place.holder, *functions)
        return name not in names_written(*functions)

    def look(self) -> None:
        """Take what is there now for granted."""
        self._take_for_granted(self._places())

    def _take_for_granted(self, places: list[_Place]) -> None:
        self._change = last_change[0]
        look, ordered = _look_at(places)
        before: list[Any] | None = []
        types: list[type] = []  # numbers of two types may be equal
        for place in ordered:
            now = _content(place)
            if before is None or now is None:
                before = None
            else:
                before += [frozen(part, may_grow=place.key in self._grown) for part in now]
                types += map(type, now)
        modes = [(place.holder, _settings(place.holder)) for place in places if place.sort == _MODE]
        lists = [part for _, settings in modes for part in settings if type(part) is list]
        self._state = _State(look, before, types, modes, lists, list(map(_copy, lists))) if places else _NOTHING

    def _places(self) -> list[_Place]:
        return [place for place in _places(self._fn, *list(self._also)) if place.key not in self._written]

    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return self._state is _NOTHING

    def have_changed(self) -> bool:
        """Whether something is not as it was."""
        state = self._state
        if state is _NOTHING:
            return False
        look, before, types, modes, lists, copies = state
        if self._change is not last_change[0]:
            now = last_change[0]
            if not all(_are_the_same(_settings(module), settings) for module, settings in modes):
                return True
            self._change = now
        if lists != copies:
            return True
        try:
            found = look.contents()
            return found is None or bool(found != before) or list(map(type, found)) != types
        except Exception:  # objects of the user's that cannot be compared
            return True


def _settings(module: Any) -> list[Any]:
    """Whether a module is in training; of this package's layers also all attributes, as they say when one is set."""
    mode = getattr(module, "training", None)
    return [mode, *vars(module).values()] if hasattr(module, SAYS_WHEN_IT_IS_SET) else [mode]


def _copy(x: list[Any]) -> list[Any]:
    """A copy of lists of lists, as layers keep them."""
    return [_copy(part) if type(part) is list else part for part in x]


def _are_the_same(xs: list[Any], ys: list[Any]) -> bool:
    return len(xs) == len(ys) and all(map(is_, xs, ys))


def _places(*callables: Any) -> list[_Place]:
    """Where the functions behind callables read, each place once."""
    found = behind(*callables)
    attributes = Attributes(found)
    places = {place.key: place for place in _all_places(found, attributes)}
    if attributes.reads_grad:
        for value in _values_in(list(places.values())):
            places[id(value), "grad"] = _Place((id(value), "grad"), _SLOT, value, "grad")
    return list(places.values())


def _all_places(found: Behind, attributes: Attributes) -> Iterator[_Place]:
    for function in found.functions:
        if isinstance(function, functools.partial):
            yield _Place(id(function), _GIVEN, function)
        elif not isinstance(function, FunctionType):
            yield _Place(id(function), _MODE, function)
        else:
            yield from (_Place(id(cell), _CELL, cell) for cell in function.__closure__ or ())
            variables = function.__globals__
            for name in global_names(function):
                yield _Place((id(variables), name), _NAME, variables, name)
            if function.__defaults__ or function.__kwdefaults__:
                yield _Place(id(function), _GIVEN, function)
    for key, mapping, name in attributes.in_mappings():
        yield _Place((key, name), _NAME, mapping, name)
    for one, name in attributes.in_slots():
        yield _Place((id(one), name), _SLOT, one, name)


def _values_in(places: Iterable[_Place]) -> Iterator[Value]:
    """The Values that places hold, in containers too."""
    pending: list[Any] = [x for place in places if place.sort != _MODE for x in _content(place) or ()]
    seen = set[int]()
    while pending:
        one = pending.pop()
        if isinstance(one, Value):
            yield one
        elif id(one) not in seen:
            seen.add(id(one))
            pending += inside(one)


def _look_at(places: list[_Place]) -> tuple[_Look, list[_Place]]:
    """How to look at places, and these in the order in which their contents come."""
    cells, in_mappings, slots, functions = ([one for one in places if one.sort == sort] for sort in range(_MODE))
    alike: dict[tuple[str, ...], list[list[_Place]]] = {}
    others = []
    for _, run in groupby(in_mappings, lambda one: id(one.holder)):
        of_one = list(run)
        if len(of_one) > 1 and all(one.name in one.holder for one in of_one):
            alike.setdefault(tuple(one.name for one in of_one), []).append(of_one)
        else:
            others.append(of_one)
    look = _Look(
        [one.holder for one in cells],
        [(itemgetter(*names), [run[0].holder for run in runs]) for names, runs in alike.items()],
        [(run[0].holder.get, [one.name for one in run]) for run in others],
        [(one.holder, one.name) for one in slots],
        [one.holder for one in functions],
    )
    ordered = [one for runs in (*alike.values(), others) for run in runs for one in run]
    return look, [*cells, *ordered, *slots, *functions]


def _content(place: _Place) -> list[Any] | None:
    """What one place holds."""
    return _look_at([place])[0].contents()
