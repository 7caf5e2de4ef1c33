"""Matrices as lists of rows: their shapes, checked, and what layers do with them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeVar

from scalargrad.engine import Value
from scalargrad.support.arguments import MAX_DEPTH, brief, too_deep
from scalargrad.support.reals import number

Rows = list[list[float]]
_Kept = TypeVar("_Kept")


def listed(A: Any) -> Any:
    """An array as nested lists; anything else as it is."""
    return A.tolist() if hasattr(A, "tolist") else A


def shape(A: Any) -> tuple[int, ...]:
    """How many rows and columns there are; () for a number, (n,) for a list of numbers or of unequal rows.

    >>> shape([[1.0, 2.0]]), shape([1.0, 2.0]), shape(1.0)
    ((1, 2), (2,), ())
    """
    return _shape(A, 0)


def _shape(A: Any, depth: int) -> tuple[int, ...]:
    A = listed(A)
    if not isinstance(A, Sequence) or isinstance(A, (str, bytes, bytearray)):
        return ()
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep("the matrix")
    inner = {_shape(row, depth + 1) for row in A}
    return (len(A), *inner.pop()) if len(inner) == 1 else (len(A),)


def matrix(A: Any, what: str, rows: int | None = None, columns: int | None = None) -> Rows:
    """The matrix as new lists of floats.

    Args:
        A: a list of rows of numbers, all equally long; an array of two dimensions will do.
        what: how messages name it.
        rows: how many there must be; None for any number but 0.
        columns: how many there must be; None for any number but 0.

    Raises:
        ValueError: if A has another shape; the message says which and what was expected.
        TypeError: if an element is no real number.
    """
    what = what if isinstance(what, str) else brief(what)
    A = _rows(A, what, rows, columns)
    for i, row in enumerate(A):
        for j, x in enumerate(row):
            if isinstance(x, Value):
                raise TypeError(f"{what}[{i}][{j}] must be a real number, not Value: take its number with .data")
    return [[number(x) for x in row] for row in A]


def _rows(A: Any, what: str, rows: int | None = None, columns: int | None = None) -> list[Any]:
    """The rows as they are, once it is certain that they are a matrix of numbers or Values."""
    A = listed(A)
    found = shape(A)
    if len(found) != 2 or 0 in found or found[0] != (rows or found[0]) or found[1] != (columns or found[1]):
        expected = f"({rows or 'N'}, {columns or 'K'})"
        hint = ""
        if len(found) == 1 and found != (0,):
            lengths = sorted({len(row) for row in A if isinstance(row, Sequence)})
            hint = f": rows of {' and '.join(map(str, lengths))} numbers" if lengths else ": one row is a batch [[...]]"
        raise ValueError(f"{what} has shape {found}, expected {expected}{hint}")
    for i, row in enumerate(A):
        for j, x in enumerate(row):
            try:
                number(x.data if isinstance(x, Value) else x)
            except TypeError:
                raise TypeError(f"{what}[{i}][{j}] must be a real number, not {type(x).__name__}") from None
    return list(A)


def transposed(A: Rows) -> Rows:
    """Aᵀ: rows become columns.

    Raises:
        ValueError: if A is no matrix.

    >>> transposed([[1.0, 2.0], [3.0, 4.0]])
    [[1.0, 3.0], [2.0, 4.0]]
    """
    return [list(column) for column in zip(*_rows(A, "A"), strict=True)]


def product(A: Rows, B: Rows) -> Rows:
    """A·B, from (N, K) and (K, M) to (N, M): each entry a row of A times a column of B.

    Raises:
        ValueError: if one of them is no matrix, or A has not as many columns as B has rows.

    >>> product([[1.0, 2.0]], [[3.0], [4.0]])
    [[11.0]]
    """
    A, B = _rows(A, "A"), _rows(B, "B")
    if len(A[0]) != len(B):
        raise ValueError(f"there is no product of shapes {shape(A)} and {shape(B)}: the inner numbers must be equal")
    columns = list(zip(*B, strict=True))
    return [[sum(map(operator.mul, row, column)) for column in columns] for row in A]


def kept(x: _Kept | None, layer: object) -> _Kept:
    """What forward kept for backward, if there was a forward."""
    if x is None:
        raise ValueError(f"{layer!r}.backward came before forward: forward keeps what backward needs")
    return x
