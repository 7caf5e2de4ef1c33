"""Fused sums and dot products as the elementary additions and multiplications that they stand for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from scalargrad.engine import Value
from scalargrad.rows import TABLE, Op

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
        if isinstance(rule, Op) and rule.name in _SPELLED_OUT and len(operands) > 1:
            made = _spell_out(rule.name, operands)
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


_SPELLED_OUT = ("sum", "mean", "prod", "dot")


def _spell_out(name: str, operands: list[Operand]) -> list[Value]:
    made: list[Value] = []

    def apply(op: str, x: Operand, y: Operand) -> Operand:
        if x[0] is None and y[0] is None:
            return None, float(TABLE[op].value(x[1], y[1]))
        node = TABLE[op].apply((x[0], y[0]), (x[1], y[1]))
        made.append(node)
        return node, node.data

    terms, start = operands, None
    if name == "dot":
        n = len(operands) // 2
        start = operands[-1] if len(operands) % 2 else None
        terms = [apply("multiply", w, x) for w, x in zip(operands[:n], operands[n : 2 * n], strict=True)]
    total = terms[0] if start is None else apply("add", start, terms[0])
    for term in terms[1:]:
        total = apply("multiply" if name == "prod" else "add", total, term)
    if name == "mean":
        apply("divide", total, (None, float(len(terms))))
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
