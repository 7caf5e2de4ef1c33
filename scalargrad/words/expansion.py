"""Fused nodes, as sums, dot products and logsumexp, as the elementary nodes that they stand for."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

from scalargrad.engine import Value, topological_order
from scalargrad.node.contexts import with_recording
from scalargrad.node.extras import hooks_of
from scalargrad.node.numbers import plain_gradient
from scalargrad.node.overwritten import was_overwritten
from scalargrad.node.rules import Leaf
from scalargrad.table.row import HARD, Op

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Operand = tuple[Value | None, float]


def expanded(order: Sequence[Value], *, exactly: bool = False) -> tuple[list[Value], dict[Value, Value]]:
    """The graph with every op that has a `spelled_out` as elementary nodes. The original stays as it is.

    What a hand-written closure or a node with hooks was computed from is left as it is: they refer to those very nodes.
    So is a node whose elementary form does not give its number, as where exp overflows and logsumexp does not. The
    bias of a dot product is added last, as equations show it, unless the order of roundings matters (`exactly`).

    Args:
        order: a graph in topological order.
        exactly: whether a node's elementary form must give its number to the last digit.

    Returns:
        The new order, and for each Value that was replaced the one in its place. Gradients are carried over: a sum
        hands its own to each of its terms.
    """
    special = [
        node for node in order if not isinstance(node._rule, (Op, Leaf)) or hooks_of(node) or was_overwritten(node)
    ]
    kept = set(topological_order(*special))
    replaced: dict[Value, Value] = {}
    result: list[Value] = []
    for node in order:
        made = _elementary(node, replaced, 0.0 if exactly else 1e-9) if node not in kept else []
        if made:
            made[-1].label, made[-1].grad = node.label, plain_gradient(node)
            _hand_down(made)
            replaced[node] = made[-1]
            result += made
        elif any(p in replaced for p in node.parents):
            twin = replaced[node] = copy.copy(node)
            _adopt(twin, _operands(node, replaced))
            result.append(twin)
        else:
            result.append(node)
    return result, replaced


def _operands(node: Value, replaced: Mapping[Value, Value]) -> list[Operand]:
    return [(replaced.get(p, p) if p is not None else None, a) for p, a in node.operands]


def _elementary(node: Value, replaced: Mapping[Value, Value], tolerance: float) -> list[Value]:
    """The new nodes that compute the same, in topological order; none if there is no such form."""
    op, operands = node._rule, _operands(node, replaced)
    spelled_out = op.spelled_out if isinstance(op, Op) else None
    if not isinstance(op, Op) or spelled_out is None or len(operands) < 2:
        return []
    stand_ins = {parent: Value(a) for parent, a in operands if parent is not None}
    xs = [a if parent is None else stand_ins[parent] for parent, a in operands]
    forms = [spelled_out]
    if tolerance and op.pair is not None and len(xs) % 2:
        forms.insert(0, lambda xs: spelled_out(xs[:-1]) + xs[-1])  # as it is written: w x + b
    for form in forms:
        try:
            root = with_recording(form, xs)
        except HARD:
            continue
        if math.isclose(root.data, node.data, rel_tol=tolerance, abs_tol=tolerance / 1000):
            break
    else:
        return []
    made = [node for node in topological_order(root) if not node.is_leaf]
    replaced_by: dict[Value | None, Value] = {stand_in: parent for parent, stand_in in stand_ins.items()}
    for part in made:
        _adopt(part, [(replaced_by.get(parent, parent), a) for parent, a in part.operands])
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
    if isinstance(node._rule, Op):
        node._rule.keep_operands(node, [parent for parent, _ in operands], [a for _, a in operands])
