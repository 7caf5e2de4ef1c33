"""Nodes whose number was assigned after they were computed or used: what would be wrong is refused."""

from __future__ import annotations

from typing import Any

from scalargrad.node.extras import number_kept
from scalargrad.node.numbers import describe, number_in


def was_overwritten(node: Any) -> bool:
    """Whether a computed node's data was assigned afterwards: its number no longer follows from its parents."""
    kept = number_kept(node)
    # repr tells 0.0 from -0.0, and nan is equal to nan.
    return kept is not node._data and not node._rule.is_leaf and repr(kept) != repr(node._data)


def refuse_overwritten(node: Any) -> None:
    """Raise ValueError if the node's data was assigned after its op computed it."""
    if was_overwritten(node):
        raise ValueError(
            f"the data of {describe(node)} was assigned after '{node._rule.text}' computed it, so its gradient is "
            "undefined: assign to leaves and compute again, or make it a leaf with Value(...)"
        )


def check_unchanged(node: Any) -> None:
    """Raise ValueError if an operand has another number now than when the node was computed."""
    for parent, a in node.operands:
        if parent is not None and number_in(parent) != a and a == a:
            raise ValueError(
                f"{describe(parent)} was changed after '{node._rule.text}' used it at {a!r}: a graph of gradients "
                "would mix both numbers; compute again"
            )
