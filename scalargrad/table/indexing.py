"""An entry of a list, or a row of a table, by its place: how a call becomes a node over the index and the entries."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.node.errors import labels_of, user_line
from scalargrad.node.mode import mode
from scalargrad.node.numbers import number_in
from scalargrad.support.arguments import MAX_DEPTH, too_deep
from scalargrad.support.reals import number
from scalargrad.table.floats import no_place

if TYPE_CHECKING:
    from scalargrad.table.row import AnyFunction, Op

NUMBERS = frozenset((Value, float, int))
NO_LISTS = (Value, str, bytes, Mapping, AbstractSet)


def function_of_index(op: Op) -> AnyFunction:
    """The function of an op whose first operand says which of the others is the result."""

    def take(xs: Any, index: Any) -> Any:
        """The entry at this index, counted from 0; of a list of rows the row.

        The gradient of z goes to the entry that was taken, none to the others and none to the index. A
        plain number as index takes the very entry, without a new node; a Value makes a node over it and all entries,
        one for each column of a row, so that a compiled program takes another entry where the index is another number.
        (`xs[index]` itself cannot: Python asks for an int, once, when the function is recorded.)

        Args:
            xs: a list of numbers and Values, or a list of rows, all of one length.
            index: a whole number, as an int, a float, or a Value that holds one.

        Returns:
            An entry; of a list of rows a list, by a Value, and the very row by a number.

        Raises:
            IndexError: if the index is no whole number from 0 to len(xs) - 1. Negative ones do not count from the end.
            TypeError: if xs is no list, or the index no number; a bool is none.
            ValueError: if the rows have not all one length.

        >>> from scalargrad import Value, take
        >>> a, b, token = Value(2.0), Value(3.0), Value(1.0)
        >>> take([a, b], 1) is b, take([[1.0, 2.0], [3.0, 4.0]], 1)
        (True, [3.0, 4.0])
        >>> y = take([a, b], token) * 5.0
        >>> y.backward()
        >>> y.data, a.grad, b.grad, token.grad
        (15.0, 0.0, 5.0, 0.0)
        """
        entries = _entries(op.name, xs)
        has_rows = _have_rows(op.name, entries)
        if not isinstance(index, Value):
            return entries[_whole(op.name, index, len(entries))]
        problem = no_place(number_in(index), len(entries))
        if problem:
            raise IndexError(f"{op.name}: {problem}{labels_of([index])}{user_line()}")
        told = mode.get().on_index
        if told is not None:
            told(index, len(entries))
        return _columns(op, entries, index, 0) if has_rows else op.call((index, *entries))

    return take


def _columns(op: Op, rows: Sequence[Any], index: Value, depth: int) -> list[Any]:
    """For each column of the rows, which may be rows again, what the index takes of it."""
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep(f"{op.name}: an entry")
    taken = []
    for column in zip(*rows, strict=True):
        if _have_rows(op.name, column):
            taken.append(_columns(op, column, index, depth + 1))
        else:
            taken.append(op.call((index, *column)))
    return taken


def _entries(who: str, xs: Any) -> Sequence[Any]:
    if type(xs) is list or type(xs) is tuple:
        return xs
    if isinstance(xs, NO_LISTS) or not getattr(xs, "ndim", 1) or not hasattr(xs, "__iter__"):
        raise TypeError(
            f"{who}: the entries must be a list, and the index comes second, as in {who}([a, b, c], index): not "
            f"{_kind(xs)}{user_line()}"
        )
    return xs if hasattr(xs, "__len__") and hasattr(xs, "__getitem__") else list(xs)


def _have_rows(who: str, entries: Sequence[Any]) -> bool:
    """Whether the entries are rows.

    Raises:
        TypeError: if some are and some are not, or one is neither a row nor a number.
        ValueError: if they have not all one length.
    """
    if NUMBERS.issuperset(map(type, entries)):
        return False
    are_rows = list(map(_is_row, entries))
    if not any(are_rows):
        return False
    if not all(are_rows):
        i = are_rows.index(not are_rows[0])
        raise TypeError(
            f"{who}: entry {i} is {_kind(entries[i])} where entry 0 is {_kind(entries[0])}: give numbers, or rows of "
            f"one length{user_line()}"
        )
    widths = list(map(len, entries))
    i = next((i for i, width in enumerate(widths) if width != widths[0]), 0)
    if i:
        raise ValueError(
            f"{who}: row {i} has {widths[i]} numbers and row 0 has {widths[0]}: all rows must have one length"
            f"{user_line()}"
        )
    return True


def _is_row(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return True
    return not isinstance(x, NO_LISTS) and hasattr(x, "__len__") and getattr(x, "ndim", 1) > 0


def _whole(who: str, index: Any, n: int) -> int:
    """The index as an int."""
    if type(index) is not int:
        kind = type(index)
        if kind is bool or kind.__name__ in ("bool", "bool_"):
            raise TypeError(f"{who}: the index must be a whole number, not the bool {index!r}{user_line()}")
        try:
            index = operator.index(index)
        except TypeError:
            try:
                index = number(index)
            except TypeError:
                raise TypeError(
                    f"{who}: the index must be a whole number, or a Value that holds one, not {_kind(index)}"
                    f"{user_line()}"
                ) from None
    problem = no_place(index, n)
    if problem:
        raise IndexError(f"{who}: {problem}{user_line()}")
    return int(index)


def _kind(x: Any) -> str:
    if x is None:
        return "None"
    name = type(x).__name__
    return f"a{'n' * (name[0] in 'aeiou')} {name}"
