"""Forward mode: tangents pushed through a graph, parents first, by the same local backward closures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, topological_order

if TYPE_CHECKING:
    from scalargrad.rules import Adjoints


def tangents(roots: Iterable[Value], seeds: Mapping[Value, Any], *, create_graph: bool = False) -> dict[Value, Any]:
    """The derivative of every node along a direction: how fast it changes as the seeds' nodes change at their speeds.

    The chain rule from the other side: z' = Σ ∂z/∂x · x'. What an op's closure hands each parent for an upstream
    gradient of 1 is ∂z/∂x, so no second set of rules is needed.

    Args:
        roots: the outputs.
        seeds: the speed of each input; every other leaf stands still.
        create_graph: whether the tangents are Values, to be differentiated again.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> tangents([y], {x: 1.0})[y]
    6.0
    """
    speeds: dict[Value, Any] = dict(seeds)
    for node in topological_order(*roots):
        if node in speeds or node.is_leaf:
            continue
        moving = dict.fromkeys((p for p in node.parents if p in speeds), 0.0)
        if not moving:
            continue
        for local, speed in local_changes(node, moving, speeds, create_graph):
            speeds[node] = speeds[node] + local * speed if node in speeds else local * speed
    return speeds


def local_changes(
    node: Value, moving: dict[Value, Any], speeds: Mapping[Value, Any], create_graph: bool = False
) -> list[tuple[Any, Any]]:
    """For each moving parent the local derivative, summed over its edges, and its speed; zeros are left out."""
    locals_: Adjoints = moving if create_graph else dict.fromkeys(node.parents, 0.0)
    (node._rule.backward_as_graph if create_graph else node._rule.backward)(node, 1.0, locals_)
    pairs = [(locals_[parent], speeds[parent]) for parent in moving]
    return [(local, speed) for local, speed in pairs if not (_is_zero(local) or _is_zero(speed))]


def _is_zero(x: Any) -> bool:
    return not isinstance(x, Value) and bool(x == 0.0)
