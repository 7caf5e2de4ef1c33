"""Vectors and matrices as functions of this package take them: lists of Values or numbers, and lists of such rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scalargrad.nn.arguments.inputs import as_array, is_sequence
from scalargrad.support.arguments import items


def vector(x: Any, what: str) -> list[Any]:
    """Return a vector as a new list; `what` names it, as in "linear: x".

    Raises:
        TypeError: if it is no list.
        ValueError: if it is empty, or holds rows.
    """
    row = items(x, what, "[1.0, 2.0]")
    if not row:
        raise ValueError(f"{what} is empty: give a list of one number or more")
    if is_sequence(row[0]):
        raise ValueError(f"{what} must be a list of numbers, as [1.0, 2.0], but its first element is a list")
    return row


def matrix(rows: Any, what: str, width: int | None = None) -> list[list[Any]]:
    """Return a matrix as a list of rows, all of one length, or of the `width` asked for.

    Raises:
        TypeError: if it is no list of lists.
        ValueError: if it has no row, an empty row, or rows of different lengths.
    """
    given = items(as_array(rows), what, "[[1.0, 2.0], [3.0, 4.0]]")
    if not given:
        raise ValueError(f"{what} is empty: give a list of one row or more")
    for i, row in enumerate(given):
        if not is_sequence(row):
            raise TypeError(
                f"{what} must be a list of rows, as [[1.0, 2.0], [3.0, 4.0]], but element {i} is a single "
                f"{type(row).__name__}"
            )
    found = [vector(row, f"{what}, row {i}") for i, row in enumerate(given)]
    expected = len(found[0]) if width is None else width
    for i, row in enumerate(found):
        if len(row) != expected:
            reason = "row 0" if width is None else "each row"
            has = "has" if width is None else "must have"
            raise ValueError(f"{what}: row {i} has {numbers(len(row))}, but {reason} {has} {expected}")
    return found


def for_each_row(function: Callable[[list[Any]], list[Any]], x: Any, what: str) -> list[Any]:
    """Return function(x) of a vector, and of a matrix the list of function(row)."""
    given = items(as_array(x), what, "[1.0, 2.0]")
    if given and is_sequence(given[0]):
        return [function(vector(row, f"{what}, row {i}")) for i, row in enumerate(given)]
    return function(vector(given, what))


def numbers(n: int) -> str:
    """Return "1 number", "2 numbers"."""
    return f"{n} number{'s' * (n != 1)}"
