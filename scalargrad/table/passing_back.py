"""How a row's partials become the local backward closure of its nodes: upstream times derivative, to each parent.

A closure is made once per op over its partials and shared by all its nodes, which are handed in when their turn comes:
a closure per node would cost 3 to 6 times as much, nearly all of it in the garbage collector.

An op that chooses adds nothing to what it has not chosen, not even 0 times the upstream gradient: that is nan where the
upstream is infinite. (Ops of more operands: many.py.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scalargrad.table.row import HARD, AnyFunction, Op

if TYPE_CHECKING:
    from scalargrad.engine import Value
    from scalargrad.node.rules import Adjoints

Partial = Callable[..., Any] | float
"""A derivative as the table writes it: a rule, or a number if it is the same everywhere."""


def rule_of(partial: Partial) -> AnyFunction:
    """A partial derivative as a function; the table writes one that is the same everywhere as a number."""
    return partial if callable(partial) else lambda x, y, z: partial


# Every backward below is, but for the points where floats raise and for ops that choose:
#
#     def backward(node, upstream, adjoints):
#         for parent, local in zip(node's operands, the partials at node's operands and result):
#             if parent is not None:                  # None is a plain number, which gets no gradient
#                 adjoints[parent] += upstream * local


def unary_backward(op: Op, partial: Partial) -> Callable[[Value, Any, Adjoints], None]:
    """The backward of an op of one operand."""
    if partial == 0.0 and op.is_choice:
        return _nothing
    rule = rule_of(partial)

    def backward_of_choice(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        local = rule(node._a, None, node._data)
        if local != 0.0:
            adjoints[node._x] += upstream * local

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        try:
            local = rule(node._a, None, node._data)
        except HARD:
            local = op.partials_at_hard_point(node, 0)
        adjoints[node._x] += upstream * local

    return backward_of_choice if op.is_choice else backward


def binary_backward(op: Op, partial_x: Partial, partial_y: Partial) -> Callable[[Value, Any, Adjoints], None]:
    """The backward of an op of two operands."""
    if partial_x == partial_y == 0.0 and all(map(op.may_leave_out, (0, 1))):
        return _nothing
    if partial_x == partial_y == 1.0 and not op.is_choice:
        return _backward_of_sum
    rule_x, rule_y = rule_of(partial_x), rule_of(partial_y)
    chosen_x, chosen_y = op.chooses  # type: ignore[misc]  # two operands, two entries
    if not op.is_choice and _is_other_operand(rule_x, 1) and _is_other_operand(rule_y, 0):
        return _backward_of_product

    def backward_of_constants(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        if (x := node._x) is not None:
            adjoints[x] += upstream * partial_x
        if (y := node._y) is not None:
            adjoints[y] += upstream * partial_y

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        x, y, a, b, z = node._x, node._y, node._a, node._b, node._data
        if x is not None:
            try:
                local = rule_x(a, b, z)
            except HARD:
                local = op.partials_at_hard_point(node, 0)
            adjoints[x] += upstream * local
        if y is not None:
            try:
                local = rule_y(a, b, z)
            except HARD:
                local = op.partials_at_hard_point(node, 1)
            adjoints[y] += upstream * local

    def backward_of_choice(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        operands = node._a, node._b, node._data
        for parent, rule, chosen in ((node._x, rule_x, chosen_x), (node._y, rule_y, chosen_y)):
            if parent is not None:
                local = rule(*operands)
                if chosen is False or (local if chosen is True else chosen(*operands)) != 0.0:
                    adjoints[parent] += upstream * local

    if op.is_choice:
        return backward_of_choice
    return backward if callable(partial_x) or callable(partial_y) else backward_of_constants


def _is_other_operand(rule: AnyFunction, place: int) -> bool:
    """Whether a derivative is an operand as it stands, as for a product, so that nobody need be asked at each node."""
    operands = object(), object()
    try:
        return rule(*operands, object()) is operands[place]
    except Exception:
        return False


def _backward_of_sum(node: Value, upstream: Any, adjoints: Adjoints) -> None:
    """The backward of an op whose derivatives are 1."""
    if (x := node._x) is not None:
        adjoints[x] += upstream
    if (y := node._y) is not None:
        adjoints[y] += upstream


def _backward_of_product(node: Value, upstream: Any, adjoints: Adjoints) -> None:
    """The backward of an op whose derivative in either operand is the other: half of all nodes are products."""
    if (x := node._x) is not None:
        adjoints[x] += upstream * node._b
    if (y := node._y) is not None:
        adjoints[y] += upstream * node._a


def _nothing(node: Value, upstream: Any, adjoints: Adjoints) -> None:
    """The backward of a step function: slope 0 everywhere."""
