"""Sizes and inputs of layers, checked; the errors say what was given, what is expected and what to do."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from scalargrad.engine import Value


def count(n: Any, name: str, example: str) -> int:
    """Return n as an int, if it is a positive integer; the error names the argument and shows a call that works."""
    try:
        if isinstance(n, bool):
            raise TypeError
        n = operator.index(n)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(n).__name__}, as in {example}") from None
    if n < 1:
        raise ValueError(f"{name} must be at least 1, not {n}, as in {example}")
    return int(n)


def inputs(x: Any, nin: int, who: str) -> Sequence[Any]:
    """Return one sample's inputs as Values: numbers become constants, made once for all neurons of the layer."""
    if not hasattr(x, "__len__"):
        x = as_list(x)
    if len(x) != nin:
        raise input_error(who, nin, x)
    if set(map(type, x)) == _ALL_VALUES:
        return x  # type: ignore[no-any-return]
    return constants(x, who)


def constants(x: Sequence[Any], who: str) -> list[Value]:
    """Return x with each number as a constant Value labelled x0, x1, ...; Values stay as they are."""
    values = []
    for i, value in enumerate(x):
        try:
            values.append(value if isinstance(value, Value) else Value(value, label=f"x{i}", requires_grad=False))
        except TypeError:
            hint = ": give one row at a time" if hasattr(value, "__len__") and not isinstance(value, str) else ""
            raise TypeError(
                f"{who}: input {i} must be a Value or a real number, not {type(value).__name__}{hint}"
            ) from None
    return values


_ALL_VALUES = {Value}


def as_list(x: Any) -> list[Any]:
    """Return the inputs as a list, where they have no length: one number or Value, or an iterator."""
    return list(x) if hasattr(x, "__iter__") else [x]


def input_error(who: str, expected: int, x: Any) -> ValueError:
    """Return the error for a sample with the wrong number of inputs."""
    first = next(iter(x), None)
    hint = (
        "; it looks like several rows: call the model once for each"
        if hasattr(first, "__len__") and not isinstance(first, str)
        else "; make the layer's nin equal to the number of inputs"
    )
    given = "1 was" if len(x) == 1 else f"{len(x)} were"
    return ValueError(f"{who} takes {expected} input{'s' * (expected != 1)}, but {given} given{hint}")
