"""Fused sums and dot products as the elementary additions and multiplications that they stand for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from scalargrad.engine import Value, record, topological_order
from scalargrad.table import Op

if TYPE_CHECKING:
    from collections.abc import Sequence

Operand = tuple[Value | None, float]


def expanded(order: Sequence[Value]) -> tuple[list[Value], dict[Value, Value]]:
    """The graph with every sum, mean, prod and dot spelled out, in topological order. The original stays as it is.

    Args:
        order: a graph in topological order.

    Returns:
        The new order, and for each Value that was replaced the one in its place. Gradients are carried over: a sum
        hands its own to each of its terms.
    """
    replaced: dict[Value, Value] = {}
    result: list[Value] = []
    for node in order:
        rule = node._rule
        operands: list[Operand] = [(replaced.get(p, p) if p is not None else None, a) for p, a in node.operands]
        if isinstance(rule, Op) and rule.is_spelled_out and len(operands) > 1:
            made = _spell_out(rule, operands)
            made[-1].label, made[-1].grad = node.label, node.grad
            _hand_down(made)
            replaced[node] = made[-1]
            result += made
        elif any(p in replaced for p in node.parents):
            twin = copy.copy(node) if isinstance(rule, Op) else node
            if twin is not node:
                _adopt(twin, operands)
                replaced[node] = twin
            result.append(twin)
        else:
            result.append(node)
    return result, replaced


def _spell_out(op: Op, operands: list[Operand]) -> list[Value]:
    """The new nodes that compute the same, in topological order: the op's own value function, run on Values."""
    stand_ins = {parent: Value(a) for parent, a in operands if parent is not None}
    root = record(op.value, [a if parent is None else stand_ins[parent] for parent, a in operands])
    made = [node for node in topological_order(root) if not node.is_leaf]
    replaced_by: dict[Value | None, Value] = {stand_in: parent for parent, stand_in in stand_ins.items()}
    for node in made:
        _adopt(node, [(replaced_by.get(parent, parent), a) for parent, a in node.operands])
    return made


def _hand_down(made: Sequence[Value]) -> None:
    """The gradients inside: each new node's own, from the one that uses it, by the op's rule."""
    adjoints = dict.fromkeys(made, 0.0)
    adjoints[made[-1]] = made[-1].grad
    for node in reversed(made):
        node.grad = adjoints[node]
        contributions = dict.fromkeys(node.parents, 0.0)
        node._rule.backward(node, node.grad, contributions)
        for parent, contribution in contributions.items():
            if parent in adjoints:
                adjoints[parent] += contribution


def _adopt(node: Value, operands: Sequence[Operand]) -> None:
    rule = node._rule
    if isinstance(rule, Op):
        rule.keep_operands(node, [parent for parent, _ in operands], [a for _, a in operands])
    else:  # written by hand
        node._x = tuple(parent for parent, _ in operands)
