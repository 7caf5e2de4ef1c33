"""Which operand of a node a Value is, in words, where it is several of them: the left x, the 2nd x."""

from __future__ import annotations

from scalargrad.engine import Value  # noqa: TC001  (the examples need it)
from scalargrad.node.by_hand import GivenPartials
from scalargrad.table.row import Op
from scalargrad.words.texts import ordinal


def place_of(node: Value, index: int | None) -> str:
    """What tells apart the operand at this index from others of the same Value; empty if there are none.

    The two of an op of two operands, and of a dot product, are left and right; else they are counted, and what is
    counted is this Value alone, as one reads: the 2nd x of sum(x, y, x) is the last of its operands. A hand-written
    closure adds all its shares at once, so there is nothing to tell apart.

    >>> from scalargrad import dot, maximum, sum
    >>> x, y = Value(2.0), Value(3.0)
    >>> [place_of(x * x, 1), place_of(x * y, 0), place_of(sum([x, y, x]), 2), place_of(dot([x, x], [y, x]), 1)]
    ['right', '', '2nd', '2nd left']
    """
    op = node._rule
    if index is None or not isinstance(op, (Op, GivenPartials)):
        return ""
    operands = [parent for parent, _ in node.operands]
    same = [i for i, parent in enumerate(operands) if parent is operands[index]]
    if len(same) < 2:
        return ""
    if isinstance(op, Op) and op.pair is not None:
        n = len(operands) // 2
        side = min(index // n, 2) if n else 2
        alike = [i for i in same if min(i // n if n else 2, 2) == side]
        return f"{ordinal(alike.index(index) + 1)} " * (len(alike) > 1) + ("left", "right", "last")[side]
    if isinstance(op, Op) and op.arity == 2:
        return ("left", "right")[index]
    return ordinal(same.index(index) + 1)


def placed(node: Value, index: int | None, name: str) -> str:
    """The name with the place before it, where that is needed: `left x`, or `x`."""
    return " ".join(part for part in (place_of(node, index), name) if part)
