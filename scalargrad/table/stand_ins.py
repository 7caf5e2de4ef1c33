"""The rules and formulas of a row run on Values, so that what they compute can be read as a graph.

Derivations, staged code, compiled programs and the patterns of gates all read rules here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.engine import Value
from scalargrad.node.contexts import with_recording
from scalargrad.node.mode import in_mode

if TYPE_CHECKING:
    from scalargrad.table.row import Op

NUMBER = 0.5
"""What a stand-in holds: any number will do, as rules do not branch."""
MOST_OPERANDS, MOST_KEPT = 32, 100
"""Kept are derivatives of ops of so many operands, and of an op so many."""


class Read(NamedTuple):
    """A derivative as a graph over stand-ins.

    Attributes:
        xs: a Value in the place of each operand; of a constant its number.
        z: the Value in the place of the result.
        partial: what the rule makes of them: a Value over these, or a number.
    """

    xs: Sequence[Any]
    z: Value
    partial: Any


def partials_read(op: Op, operands: Sequence[float | None], indices: Iterable[int]) -> list[Read]:
    """The op's derivatives with respect to these operands, its rules run once and kept.

    Args:
        op: the row.
        operands: None for each that is a Value, the number of each that is a constant.
        indices: which operands.
    """
    if len(operands) > MOST_OPERANDS or any(a is not None and type(a) is not float for a in operands):
        return _read(op, operands, indices)
    key = tuple(a if a is None else a.hex() for a in operands)  # 0.0 and -0.0 are equal, but not the same
    found = []
    for i in indices:
        one = op.read.get((key, i))
        if one is None:
            if len(op.read) > MOST_KEPT:
                op.read.clear()
            several = range(len(operands)) if op.arity is None else (i,)  # rules of many operands are one function
            new = dict(zip(several, _read(op, operands, several), strict=True))
            op.read.update({(key, j): read for j, read in new.items()})
            one = new[i]
        found.append(one)
    return found


def partials_at(op: Op, xs: Sequence[Any], z: Value, indices: Iterable[int]) -> list[Any]:
    """The op's derivatives with respect to these operands: its rules on these Values and numbers."""
    if op.arity is None:
        partials = with_recording(op.partials_on_values, xs, z)
        return [partials[i] for i in indices]
    return [with_recording(op.partials_on_values, xs, z, i)[0] for i in indices]


def form_read(form: Callable[..., Any], n: int) -> tuple[list[Value], Any]:
    """The stand-ins for n operands, and what a formula without branches makes of them, under IEEE rules."""
    xs = [Value(NUMBER) for _ in range(n)]

    def made() -> Any:
        with in_mode(follows_ieee=True):
            return form(*xs)

    return xs, with_recording(made)


def _read(op: Op, operands: Sequence[float | None], indices: Iterable[int]) -> list[Read]:
    xs, z = [Value(NUMBER) if a is None else a for a in operands], Value(NUMBER)
    return [Read(xs, z, partial) for partial in partials_at(op, xs, z, indices)]
