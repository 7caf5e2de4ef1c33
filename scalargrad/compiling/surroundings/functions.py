"""What stands behind a function: the user's functions that it calls, and the objects that it can reach."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from scalargrad.compiling.surroundings.codes import named_in
from scalargrad.compiling.surroundings.contents import ITEMS, inside
from scalargrad.engine import Value
from scalargrad.node.errors import PACKAGE
from scalargrad.support.slots import slots_of

FUNCTIONS = 200
"""So many are followed at most."""
_DATA = frozenset((Value, float, int, str, type(None)))
_MAKERS = frozenset(("__init__", "__new__", "__post_init__"))
"""What they assign to is new, and they run only where their class is called."""
_SETTERS = frozenset(("setattr", "delattr", "vars", "__dict__"))
_COMPILING = "scalargrad.compiling."
_OPEN = frozenset(("collections", "functools"))
"""Modules of Python whose objects hold functions of the user's, or containers."""
_NAMESPACES = frozenset((("types", "SimpleNamespace"), ("argparse", "Namespace")))


class Behind(NamedTuple):
    """What was found behind some callables.

    Attributes:
        functions: Python functions and partials, those of the user's that they refer to, and modules of a network.
            Methods are among them whose names stand in one of the functions, of the classes and objects that were met.
        holders: what has attributes that they may read: objects, classes and modules of the user's, and functions.
    """

    functions: list[Any]
    holders: list[Any]


def behind(*callables: Any) -> Behind:
    """All that can be found behind callables."""
    found = Behind([], [])
    for is_holder, one in _search(callables):
        found[is_holder].append(one)
    return found


def functions_of(*callables: Any) -> list[Any]:
    """The functions found behind callables."""
    return behind(*callables).functions


def _search(callables: Iterable[Any]) -> Iterator[tuple[bool, Any]]:
    """What was found: whether it is a holder, and it. A function is both."""
    met = _Met()
    pending, seen = list(callables), set[int]()
    kept: list[Any] = []  # methods are made anew whenever they are asked for: while it lives, an id is one object's
    count = 0
    while pending and count < FUNCTIONS and len(kept) < 10 * ITEMS:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        kept.append(one)
        if isinstance(one, functools.partial):
            yield False, one
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
            if is_of_the_package(one):  # as what grad makes of a function: what it holds may be the user's
                pending += [x for x in (*held_by(one), *getattr(one, "calls", ())) if callable(x)]
                continue
            if not is_users(one):
                continue
            count += 1
            yield False, one
            yield True, one
            pending += held_by(one)
            named = named_in(one.__code__)
            pending += [one.__globals__[name] for name in named.names if name in one.__globals__]
            pending += [sys.modules[name] for name in named.imports if name in sys.modules]
            pending += met.names_found((*named.names, *named.texts))
        elif isinstance(one, weakref.ref):
            pending.append(one())
        elif isinstance(one, type):  # it may be called
            new, holders = met.class_found(one)
            yield from ((True, base) for base in holders)
            pending += new
            pending += [
                vars(base)[name] for base in one.__mro__ if is_users(base) for name in _MAKERS if name in vars(base)
            ]
        elif isinstance(one, ModuleType):
            if is_users(one):
                yield True, one
                pending += met.members_found(one)
        elif isinstance(one, Value):
            if is_users(type(one)):
                new, holders = met.class_found(type(one))
                yield True, one
                yield from ((True, base) for base in holders)
                pending += new
        elif one is not None and not isinstance(one, BuiltinFunctionType):
            if len(seen) < ITEMS:
                pending += [x for x in inside(one) if _may_lead_on(x)]
            has = attribute(one, "__dict__")
            if type(has) is dict and "__wrapped__" in has:  # as functools.lru_cache keeps it
                pending.append(has["__wrapped__"])
            cls: Any = type(one)
            if cls.__module__.startswith(_COMPILING):  # a compiled function or a replay; what they keep is no input
                pending += [attribute(one, name) for name in ("fn", "_fn")]
                continue
            yield True, one
            if met.is_open(cls):
                if hasattr(cls, "training"):  # a Module
                    yield False, one
                new, holders = met.class_found(cls)
                yield from ((True, base) for base in holders)
                pending += new
                if len(seen) < ITEMS:
                    pending += [x for x in (has if type(has) is dict else {}).values() if _may_lead_on(x)]
                    pending += [getattr(one, name, None) for name in slots_of(cls)]


def attribute(one: Any, name: str) -> Any:
    """An attribute of any object, whose `__getattr__` may raise what it likes; None if there is none."""
    try:
        return getattr(one, name, None)
    except Exception:
        return None


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
        self._kinds: dict[type, bool] = {}

    def is_open(self, cls: type) -> bool:
        """Whether the attributes of its objects are searched. A network has thousands of objects of few classes."""
        if cls not in self._kinds:
            self._kinds[cls] = (
                is_users(cls)
                or is_namespace(cls)
                or cls.__module__ in _OPEN
                or is_of_the_package(getattr(cls, "__init__", None))
            )
        return self._kinds[cls]

    def names_found(self, names: tuple[str, ...]) -> list[Any]:
        """The members with these names, of all classes."""
        new = [name for name in dict.fromkeys(names) if name not in self._names]
        self._names.update(dict.fromkeys(new))
        return [members[name] for members in self._members for name in new if name in members]

    def class_found(self, cls: type) -> tuple[list[Any], list[type]]:
        """Of a class and its bases, where new: members that Python calls or whose names were found; users' classes.

        Its metaclass is among the members.
        """
        if cls in self._classes:
            return [], []
        self._classes.add(cls)
        found: list[Any] = [type(cls)] if type(cls) is not type else []
        users = [one for one in cls.__mro__ if (one is cls or one not in self._classes) and is_users(one)]
        for one in users:
            self._classes.add(one)
            found += [x for name, x in vars(one).items() if _is_special(name) and name not in _MAKERS]
            found += self.members_found(one)
        return found, users

    def members_found(self, one: type | ModuleType) -> list[Any]:
        """The members of a class or module whose names were found."""
        members = dict(vars(one))
        self._members.append(members)
        return [members[name] for name in self._names if name in members]


def names_written(*callables: Any) -> set[str]:
    """The names of variables, globals and attributes that the functions behind callables assign to."""
    found = set[str]()
    for function in functions_of(*callables):
        if isinstance(function, FunctionType) and function.__name__ not in _MAKERS:
            named = named_in(function.__code__)
            found |= named.written
            if not _SETTERS.isdisjoint(named.names):
                found.update(named.texts)
    return found


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


def is_namespace(cls: type) -> bool:
    """Whether its objects are mere holders of attributes."""
    return (cls.__module__, cls.__name__) in _NAMESPACES


def is_class_of_the_package(cls: type) -> bool:
    """Whether this package made it."""
    return cls.__module__.startswith("scalargrad.")


def is_of_the_package(function: Any) -> bool:
    """Whether it is a Python function of this package."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(PACKAGE)


def is_users(x: Any) -> bool:
    """Whether a function, class or module is not of the standard library, of an installed package, or of this one."""
    name = (x.__name__ if isinstance(x, ModuleType) else x.__module__) or ""
    module = name.partition(".")[0]
    if name == "__main__":
        return True
    if module in sys.stdlib_module_names:
        return False
    code = getattr(x, "__code__", None)
    path = code.co_filename if code is not None else getattr(sys.modules.get(name), "__file__", None) or ""
    return "site-packages" not in path and not path.startswith(PACKAGE)


def global_names(function: FunctionType) -> list[str]:
    """The names in its code that are variables of its module, those of modules apart."""
    variables = function.__globals__
    names = named_in(function.__code__).names
    return [name for name in names if name in variables and not isinstance(variables[name], ModuleType)]
