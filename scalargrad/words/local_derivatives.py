"""The local derivatives of a node as numbers, at what its operands held: what stands at edges, and what steps use."""

from __future__ import annotations

import math

from scalargrad.engine import Value  # noqa: TC001  (the examples need it)
from scalargrad.node.by_hand import GivenPartials
from scalargrad.node.overwritten import was_overwritten
from scalargrad.table.row import HARD, Op


def local_derivatives(node: Value, *, constants: bool = False) -> list[float | None]:
    """The derivative of the node with respect to each operand, at the numbers it saw; aligned with `node.operands`.

    They come from the op table. None stands for a constant operand (unless `constants` asks for these too) and where
    only a hand-written closure knows the derivative. Other than in a sweep, `a * a` has two entries.

    >>> a = Value(3.0)
    >>> local_derivatives(a * 5.0), local_derivatives(a * a), local_derivatives(a)
    ([5.0, None], [3.0, 3.0], [])
    """
    rule, operands = node._rule, node.operands
    if isinstance(rule, GivenPartials):
        return [float(d) for d in rule.partials]
    if not isinstance(rule, Op) or was_overwritten(node):
        return [None] * len(operands)
    wanted = [constants or parent is not None for parent, _ in operands]
    if rule.arity is None:
        return [d if want else None for d, want in zip(_partials(rule, node), wanted, strict=True)]
    return [local_derivative(node, i) if want else None for i, want in enumerate(wanted)]


def local_derivative(node: Value, index: int) -> float | None:
    """The derivative of the node with respect to one operand; None if only a hand-written closure knows it.

    >>> local_derivative(Value(3.0) * 5.0, 0)
    5.0
    """
    op = node._rule
    if isinstance(op, GivenPartials):
        return float(op.partials[index])
    if not isinstance(op, Op) or was_overwritten(node):
        return None
    if op.arity is None:
        return _partials(op, node)[index]
    try:
        return float(op.partials[index](node._a, node._b, node._data))
    except HARD:
        pass
    try:
        return float(op.partials_at_hard_point(node, index))
    except RuntimeWarning:  # where warnings are errors; the derivative is nan, and nan is what is shown
        return math.nan


def _partials(op: Op, node: Value) -> list[float]:
    numbers = [a for _, a in node.operands]
    try:
        return [float(d) for d in op.partials(numbers, node._data)]
    except HARD:
        pass
    try:
        return [float(d) for d in op.partials_at_hard_point(node)]
    except RuntimeWarning:
        return [math.nan] * len(numbers)
