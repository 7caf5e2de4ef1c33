"""The slope of a graph of sums, products, quotients and whole powers in exact fractions, where floats cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from scalargrad.engine import Value, topological_order
from scalargrad.node.node import descendants
from scalargrad.table.row import Op

RATIONAL = frozenset(
    ("add", "subtract", "multiply", "divide", "negative", "square", "sum", "mean", "prod", "dot", "power")
)
_STEPS = (1400, 1500)
"""Differences are taken with the steps 2**-1400 and 2**-1500: between any two floats there is room for them."""
_LARGEST_POWER = 64
_MOST_OPERATIONS = 100
_MOST_BITS = 60_000


def rational_slope(root: Value, inputs: Sequence[Value], i: int) -> float | None:
    """The derivative of root in inputs[i], as arithmetic without rounding has it.

    Returns:
        The slope, exactly 0.0 only if it is 0 in truth; None if the graph has other operations, is too large, or has a
        slope that is too small for a float.
    """
    order = topological_order(root)
    below = set(descendants(order, inputs))
    if len(below) > _MOST_OPERATIONS:
        return None
    slopes = []
    for k in _STEPS:
        h = Fraction(1, 2**k)
        above, under = (_exactly(order, below, inputs[i], step) for step in (h, -h))
        if above is None or under is None:
            return None
        slopes.append((above - under) / (2 * h))
    coarse, fine = map(abs, slopes)
    if fine * 2**100 <= coarse:  # it goes to 0 with the step
        return 0.0
    if abs(slopes[1] - slopes[0]) * 2**60 > fine:
        return None
    try:
        return float(slopes[1]) or None
    except OverflowError:
        return None


def _exactly(order: Sequence[Value], below: set[Value], moved: Value, step: Fraction) -> Fraction | None:
    """The number of the graph without rounding, with one input moved."""
    numbers: dict[Value, Fraction] = {}
    for node in order:
        op = node._rule
        try:
            if node.is_leaf or node not in below:
                numbers[node] = Fraction(node._data) + (step if node is moved else 0)
                continue
            if not (isinstance(op, Op) and op.name in RATIONAL):
                return None
            exactly: Any = [Fraction(a) if parent is None else numbers[parent] for parent, a in node.operands]
            if op.name == "power" and not (exactly[1].denominator == 1 and abs(exactly[1]) <= _LARGEST_POWER):
                return None
            number = Fraction(op.on(exactly))
        except (ArithmeticError, ValueError, TypeError):
            return None
        if number.numerator.bit_length() + number.denominator.bit_length() > _MOST_BITS:
            return None
        numbers[node] = number
    return numbers[order[-1]]
