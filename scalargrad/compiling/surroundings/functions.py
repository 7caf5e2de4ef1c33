"""The helper functions behind a function: those of the user's that it calls, as far as they can be found."""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from scalargrad.compiling.surroundings.contents import ITEMS, inside
from scalargrad.engine import Value
from scalargrad.node.errors import PACKAGE

FUNCTIONS = 200
"""So many are followed at most."""
_DATA = frozenset((Value, float, int, str, type(None)))


def functions_of(*callables: Any) -> Iterator[Any]:
    """The Python functions and partials behind callables, those of the user's that they refer to, and modules.

    Methods are among them whose names stand in one of the functions, of the classes and of the objects that were met.
    """
    met = _Met()
    pending, seen = list(callables), set[int]()
    kept: list[Any] = []  # methods are made anew whenever they are asked for: while it lives, an id is one object's
    count = 0
    while pending and count < FUNCTIONS:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        kept.append(one)
        if isinstance(one, functools.partial):
            yield one
            pending += [one.func, *one.args, *one.keywords.values()]
        elif isinstance(one, MethodType):
            pending += [one.__func__, one.__self__]
        elif isinstance(one, (staticmethod, classmethod)):
            pending.append(one.__func__)
        elif isinstance(one, property):
            pending += [one.fget, one.fset]
        elif isinstance(one, functools.cached_property):
            pending.append(one.func)
        elif isinstance(one, FunctionType):
            wrapped = getattr(one, "__wrapped__", None)
            pending += [wrapped] if wrapped is not None else []
            if _is_of_the_package(one):  # as what grad makes of a function: what it holds may be the user's
                pending += [x for x in (*held_by(one), *getattr(one, "calls", ())) if callable(x)]
                continue
            if not is_users(one):
                continue
            count += 1
            yield one
            pending += held_by(one)
            names, texts = _names(one.__code__)
            pending += [one.__globals__[name] for name in names if name in one.__globals__]
            pending += met.names_found((*names, *texts))
        elif isinstance(one, type):
            pending += met.class_found(one)
        elif one is not None and not isinstance(one, (ModuleType, BuiltinFunctionType, Value)):
            if len(seen) < ITEMS:
                pending += [x for x in inside(one) if _may_lead_on(x)]
            wrapped = getattr(one, "__wrapped__", None) if callable(one) else None  # as functools.lru_cache keeps it
            pending += [wrapped] if wrapped is not None else []
            cls = type(one)
            is_called_by_us, is_open = met.kind_of(cls)
            inner = getattr(one, "_fn", None) if is_called_by_us else None  # a compiled function, or a replay
            if inner is not None:
                pending.append(inner)
            elif is_open:
                if hasattr(one, "training"):  # a Module
                    yield one
                pending += met.class_found(cls)
                attributes = getattr(one, "__dict__", {})
                if len(seen) < ITEMS:
                    pending += [x for x in attributes.values() if _may_lead_on(x)]


def _may_lead_on(x: Any) -> bool:
    """Whether there may be functions behind it: not behind data, nor behind a row of data."""
    if type(x) in (list, tuple):
        return not _DATA.issuperset(map(type, x))
    return type(x) not in _DATA


class _Met:
    """Classes of the user's and names: which methods are called cannot be told from outside, but their names can."""

    def __init__(self) -> None:
        self._members: list[dict[str, Any]] = []
        self._names: dict[str, None] = {}
        self._classes = set[type]()
        self._kinds: dict[type, tuple[bool, bool]] = {}

    def kind_of(self, cls: type) -> tuple[bool, bool]:
        """Whether its objects are called by this package's code, and whether their attributes are looked at.

        A network has thousands of objects of few classes.
        """
        if cls not in self._kinds:
            call = getattr(cls, "__call__", None)  # noqa: B004  (what it is, not whether)
            is_open = is_users(cls) or _is_of_the_package(getattr(cls, "__init__", None))
            self._kinds[cls] = _is_of_the_package(call), is_open
        return self._kinds[cls]

    def names_found(self, names: tuple[str, ...]) -> list[Any]:
        """The members with these names, of all classes."""
        new = [name for name in dict.fromkeys(names) if name not in self._names]
        self._names.update(dict.fromkeys(new))
        return [members[name] for members in self._members for name in new if name in members]

    def class_found(self, cls: type) -> list[Any]:
        """Its members, and its bases', whose names were found, and those that Python calls itself."""
        if cls in self._classes:
            return []
        self._classes.add(cls)
        found = []
        for one in cls.__mro__:
            if (one is cls or one not in self._classes) and is_users(one):
                self._classes.add(one)
                members = dict(vars(one))
                self._members.append(members)
                found += [x for name, x in members.items() if name in self._names or _is_special(name)]
        return found


def variables_written(*callables: Any) -> set[str]:
    """The names that the functions behind callables assign to outside of themselves, by `nonlocal` and `global`."""
    found = set[str]()
    for function in functions_of(*callables):
        pending = [function.__code__] if isinstance(function, FunctionType) else []
        while pending:
            code = pending.pop()
            found.update(step.argval for step in dis.get_instructions(code) if step.opname in _STORES)
            pending += [x for x in code.co_consts if isinstance(x, CodeType)]
    return found


_STORES = frozenset(f"{what}_{where}" for what in ("STORE", "DELETE") for where in ("DEREF", "GLOBAL"))


def name_of_cell(cell: Any, *callables: Any) -> str:
    """What the functions behind callables call a variable around them."""
    return next(
        name
        for function in functions_of(*callables)
        if isinstance(function, FunctionType)
        for name, one in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        if one is cell
    )


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in ("__dict__", "__weakref__", "__class__")


def held_by(function: FunctionType) -> Iterator[Any]:
    """What a function's closure and defaults hold."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a variable without a value yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()


def read_by(*callables: Any) -> Iterator[tuple[Any, list[Any]]]:
    """The functions behind callables, each with what its closure, defaults and globals hold that it reads.

    What is no function, as a partial or a module, comes with itself.
    """
    for one in functions_of(*callables):
        if isinstance(one, FunctionType):
            yield one, [*held_by(one), *(one.__globals__[name] for name in global_names(one))]
        else:
            yield one, [one]


def _is_of_the_package(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(PACKAGE)


def is_users(x: Any) -> bool:
    """Whether a function or class is neither of the standard library, nor of an installed package, nor of this one."""
    name = x.__module__ or ""
    module = name.partition(".")[0]
    if name == "__main__":
        return True
    if module in sys.stdlib_module_names:
        return False
    code = getattr(x, "__code__", None)
    path = code.co_filename if code is not None else getattr(sys.modules.get(name), "__file__", None) or ""
    return "site-packages" not in path and not path.startswith(PACKAGE)


def _names(outer: CodeType) -> tuple[list[str], list[str]]:
    """The names in a code and in that of functions inside it, and its texts, which may be given to getattr."""
    names: dict[str, None] = {}
    texts: dict[str, None] = {}
    pending = [outer]
    while pending:
        code = pending.pop()
        names.update(dict.fromkeys(code.co_names))
        texts.update((x, None) for x in code.co_consts if type(x) is str)
        pending += [x for x in code.co_consts if isinstance(x, CodeType)]
    return list(names), list(texts)


def global_names(function: FunctionType) -> list[str]:
    """The names in its code that are variables of its module, modules and classes apart."""
    variables = function.__globals__
    names, _ = _names(function.__code__)
    return [name for name in names if name in variables and not isinstance(variables[name], (ModuleType, type))]
