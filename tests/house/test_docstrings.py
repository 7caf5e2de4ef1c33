"""Every public name has a docstring of its own: help() answers, and so does the reference of the documentation."""

import ast
import inspect
from functools import cached_property
from importlib import import_module
from pathlib import Path

import pytest

import scalargrad
from scalargrad.table import functions

PACKAGE = Path(scalargrad.__file__).parent
FILES = {path.relative_to(PACKAGE.parent).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


def exported():
    """Everything that scalargrad and its subpackages export and that can have a docstring, by its full name."""
    packages = [
        scalargrad,
        *(import_module(f"scalargrad.{path.parent.name}") for path in PACKAGE.glob("*/__init__.py")),
    ]
    named = {
        f"{package.__name__}.{name}": getattr(package, name)
        for package in packages
        for name in getattr(package, "__all__", ())
    }
    ops = {name: function for name, function in functions().items() if not function.op.is_users}
    named |= {f"scalargrad.{name}": thing for name, thing in {**ops, "compile": scalargrad.compile}.items()}
    return {name: x for name, x in named.items() if inspect.isclass(x) or inspect.isroutine(x) or inspect.ismodule(x)}


def of_the_package(things):
    """The classes among them and those that these inherit from, by their full name."""
    bases = (base for thing in things.values() if inspect.isclass(thing) for base in thing.__mro__)
    return {f"{c.__module__}.{c.__qualname__}": c for c in bases if c.__module__.startswith("scalargrad")}


EXPORTED = exported()
CLASSES = of_the_package(EXPORTED)


def own_docstring(thing):
    """What was written for it: nothing inherited, and not what dataclasses, named tuples and properties make up."""
    text = inspect.cleandoc(thing.__doc__ or "")
    made_up = text.startswith(f"{getattr(thing, '__name__', '')}(") or text == inspect.cleandoc(
        type(thing).__doc__ or ""
    )
    return "" if made_up else text


def without_docstring(cls):
    """The public methods and properties that a class itself defines and does not describe."""
    kinds = (property, classmethod, staticmethod, cached_property)
    for name, member in vars(cls).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, kinds)):
            function = getattr(member, "fget", None) or getattr(member, "func", None) or inspect.unwrap(member)
            if not own_docstring(function) and not own_docstring(member):
                yield name


@pytest.mark.parametrize("file", FILES)
def test_modules(file):
    assert ast.get_docstring(ast.parse(FILES[file].read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", EXPORTED)
def test_what_is_exported(name):
    assert own_docstring(EXPORTED[name])


@pytest.mark.parametrize("name", CLASSES)
def test_methods_and_properties(name):
    assert list(without_docstring(CLASSES[name])) == []


def test_there_is_something_to_check():
    """And a class without docstrings is found out."""

    class Bare(scalargrad.Function):
        def method(self):
            pass

        @property
        def size(self):
            return 1

        @cached_property
        def weight(self):
            return 1

    assert not own_docstring(Bare)
    assert list(without_docstring(Bare)) == ["method", "size", "weight"]
    assert {"scalargrad.Value", "scalargrad.tanh", "scalargrad.abs", "scalargrad.nn.MLP"} <= set(EXPORTED)
    assert len(EXPORTED) > 250
    assert len(CLASSES) > 75
