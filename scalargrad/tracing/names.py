"""`name`: labels from the names of the user's variables, on request."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from scalargrad.engine import Value
from scalargrad.node.variables import elements, is_hidden

_USAGE = "name(locals()) labels every variable, name(x=x, y=y) these two"


def name(variables: Mapping[str, Any] | None = None, /, *, replace: bool = False, **named: Any) -> dict[str, Value]:
    """Give Values that have no label the names of the variables that hold them.

    Lists, tuples and dicts are looked into: of `w = [Value(1.0), Value(2.0)]` the elements become w0 and w1; of a list
    of lists w00, w01, w10, ...; with an underscore between numbers where one has two digits, or where the variable's
    name ends in one: w1_10, w1_0 for `w1 = [...]`. A string key follows an underscore: `p = {"w": Value(1.0)}` gives
    p_w. If that name is taken, it is written as Python does: w[0].

    A Value in several variables is named after the first in the order of the mapping: for `locals()` and `globals()`
    usually the one assigned first. Names that begin with `_` are left out, as are IPython's `In` and `Out` and
    whatever is no Value.

    Args:
        variables: names and what they stand for: `locals()`, `globals()`, or a dict.
        replace: whether to change labels that are there already, such as those that nn gave to parameters.
        **named: names and Values, given one by one.

    Returns:
        The labels that were given, each with its Value.

    Raises:
        TypeError: if there is nothing to name, or `variables` is not a mapping from names.

    >>> a, b = Value(2.0), Value(3.0, label='bias')
    >>> w = [Value(1.0), Value(-1.0)]
    >>> c = a * w[0] + b
    >>> list(name({"a": a, "b": b, "w": w, "c": c}))
    ['a', 'w0', 'w1', 'c']
    >>> c
    Value(data=5.0, grad=0.0, label='c')
    """
    pairs = _pairs(variables, named)
    if not isinstance(replace, bool):
        raise TypeError(f"name: replace must be True or False, not {type(replace).__name__}: name({{'replace': ...}})")
    plain = {variable for variable, content in pairs if isinstance(content, Value)}
    given: dict[str, Value] = {}
    seen: set[Value] = set()
    for variable, content in pairs:
        for text, in_full, value in elements(variable, content, _is_value, _is_container, count()):
            if value in seen:
                continue
            seen.add(value)
            if value.label and not replace:
                continue
            label = text if in_full == variable or (text not in plain and text not in given) else in_full
            value.label = label
            given[label] = value
    return given


def _pairs(variables: Any, named: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The variables to look at, in order."""
    if isinstance(variables, Value):
        raise TypeError(f"name: a Value does not know which variable holds it: {_USAGE}")
    if variables is None and not named:
        raise TypeError(f"name: nothing to name: {_USAGE}")
    if variables is not None and named:
        raise TypeError(f"name takes a mapping or keywords, not both at once: {_USAGE}")
    if variables is not None and not isinstance(variables, Mapping):
        raise TypeError(f"name takes a mapping from names, not {type(variables).__name__}: {_USAGE}")
    pairs = list((variables or {}).items())
    for variable, _ in pairs:
        if not isinstance(variable, str):
            raise TypeError(f"name: the names must be strings, not {type(variable).__name__} ({variable!r}): {_USAGE}")
    for variable, content in named.items():
        if not isinstance(content, (Value, list, tuple, dict)):
            raise TypeError(f"name: {variable} is no Value and no list of them, but {type(content).__name__}: {_USAGE}")
    found = [
        (variable, content)
        for variable, content in pairs
        if not is_hidden(variable, is_value=isinstance(content, Value))
    ]
    return [*found, *named.items()]


def _is_value(x: Any) -> bool:
    return isinstance(x, Value)


def _is_container(x: Any) -> bool:
    return isinstance(x, (list, tuple, dict))
