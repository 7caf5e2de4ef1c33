"""What a recorded function reads around it: numbers, texts and containers in closures, globals and defaults.

A recording has them as they were. Before it is used again they are compared with what they are: one comparison of two
lists, in C.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from scalargrad.arguments import MAX_DEPTH
from scalargrad.errors import PACKAGE

ITEMS = 10_000
"""A container of more things is told by its identity only: to look through it would take longer than most programs."""
FUNCTIONS = 200
_MISSING = object()
_PLAIN = (list, tuple, dict, set, frozenset)


class Surroundings:
    """What a function reads from outside, and helper functions of the user's that it refers to.

    Values are told by identity, as are objects: neither the attributes of an object nor the elements of an array are
    looked at. What the function itself changes while it is recorded, as a list of what it was called with, is no
    input of it.

    Args:
        fn: the function.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._fn = fn
        self._before: dict[Any, Any] = {}
        self._written: set[Any] = set()
        # In one tuple: another thread sees what belongs together.
        self._state: tuple[Any, Any, Any, Any] = ((), (), (), [])

    def before_a_run(self) -> None:
        """The function is about to be recorded: what is another afterwards, it has written itself."""
        self._before = {key: frozen(_content(sort, x)) for key, sort, x in self._places()}

    def after_a_run(self) -> None:
        """It was recorded; what is there now is taken for granted."""
        before = self._before
        places = self._places()
        self._written |= {k for k, sort, x in places if k in before and differ(_content(sort, x), before[k])}
        self.look()

    def look(self) -> None:
        """Take what is there now for granted."""
        places = self._places()
        cells, names, functions = ([x for _, k, x in places if k == sort] for sort in range(3))
        now = _contents(cells, names, functions)
        self._state = cells, names, functions, None if now is None else [frozen(x) for x in now]

    def _places(self) -> list[tuple[Any, int, Any]]:
        return [place for place in _places(self._fn) if place[0] not in self._written]

    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not any(self._state[:3])

    def have_changed(self) -> bool:
        """Whether something is not as it was."""
        cells, names, functions, before = self._state
        if not (cells or names or functions):
            return False
        try:  # as _contents; this is asked before every replay
            found = [cell.cell_contents for cell in cells]
            if names:
                found += [variables.get(name, _MISSING) for variables, name in names]
            if functions:
                found += _contents((), (), functions) or ()
            return bool(found != before)
        except Exception:  # a variable without a value, or objects of the user's that cannot be compared
            return True


def differ(now: Any, before: Any) -> bool:
    """Whether two are not equal, or cannot be compared."""
    try:
        return bool(now != before)
    except Exception:  # objects of the user's that cannot be compared: they are other ones than before
        return True


def _places(fn: Callable[..., Any]) -> Iterator[tuple[Any, int, Any]]:
    """Where a function reads: keys, and 0 for a cell, 1 for a global variable, 2 for defaults and partials."""
    seen = set()
    for function in _functions(fn):
        if isinstance(function, functools.partial):
            yield id(function), 2, function
            continue
        found: list[tuple[Any, int, Any]] = [(id(cell), 0, cell) for cell in function.__closure__ or ()]
        variables = function.__globals__
        found += [((id(variables), name), 1, (variables, name)) for name in _global_names(function)]
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


def frozen(content: Any) -> Any:
    """A copy of plain containers, as deep as they go, of the things that they hold; anything else itself."""
    left = ITEMS

    def copied(x: Any, depth: int) -> Any:
        nonlocal left
        if type(x) not in _PLAIN or depth > MAX_DEPTH or len(x) > left:  # the cap is what allows recursion here
            return x
        left -= len(x)
        if type(x) is dict:
            return {key: copied(part, depth + 1) for key, part in x.items()}
        if type(x) in (list, tuple):
            return type(x)([copied(part, depth + 1) for part in x])
        return type(x)(x)

    return copied(content, 0)


def _functions(fn: Any) -> Iterator[FunctionType | functools.partial[Any]]:
    """The Python functions and partials behind a callable, and those of the user's that they refer to."""
    pending, seen = [fn], set[int]()
    count = 0
    while pending and count < FUNCTIONS:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, functools.partial):
            yield one
            pending += [one.func, *one.args, *one.keywords.values()]
        elif isinstance(one, MethodType):
            pending.append(one.__func__)
        elif isinstance(one, FunctionType):
            wrapped = getattr(one, "__wrapped__", None)
            pending += [wrapped] if wrapped is not None else []
            if _is_of_the_package(one):  # as what grad makes of a function: what it holds may be the user's
                pending += [x for x in (*_held(one), *getattr(one, "calls", ())) if callable(x)]
                continue
            if not _is_users(one):
                continue
            count += 1
            yield one
            pending += [x for x in _held(one) if callable(x)]
            pending += [x for name in _global_names(one) if callable(x := one.__globals__.get(name))]
        elif one is not None and not isinstance(one, (type, ModuleType, BuiltinFunctionType)):
            call = getattr(type(one), "__call__", None)  # noqa: B004  (what it is, not whether)
            if isinstance(call, FunctionType):
                pending.append(call)
            inner = getattr(one, "_fn", None)  # a compiled function, or a replay
            if inner is not None and _is_of_the_package(call):
                pending.append(inner)


def _held(function: FunctionType) -> Iterator[Any]:
    """What a function's closure and defaults hold."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a variable without a value yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def _is_of_the_package(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(PACKAGE)


def _is_users(function: FunctionType) -> bool:
    """Whether it is neither of the standard library nor of an installed package."""
    module = (function.__module__ or "").partition(".")[0]
    return module not in sys.stdlib_module_names and "site-packages" not in function.__code__.co_filename


def _global_names(function: FunctionType) -> list[str]:
    """The names in its code, and in that of functions inside it, that are variables of its module, modules apart."""
    found: dict[str, None] = {}
    pending = [function.__code__]
    while pending:
        code = pending.pop()
        found.update(dict.fromkeys(code.co_names))
        pending += [x for x in code.co_consts if isinstance(x, CodeType)]
    variables = function.__globals__
    return [name for name in found if name in variables and not isinstance(variables[name], (ModuleType, type))]
