"""Forward mode: tangents pushed through a graph, parents first, by the same local backward closures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

from scalargrad.engine import Value, topological_order
from scalargrad.node.overwritten import refuse_overwritten
from scalargrad.node.rules import NOTHING, Adjoints, Masked


def tangents(roots: Iterable[Value], seeds: Mapping[Value, Any], *, create_graph: bool = False) -> dict[Value, Any]:
    """The derivative of every node along a direction: how fast it changes as the seeds' nodes change at their speeds.

    The chain rule from the other side: z' = Σ local × x'. What an op's closure hands each parent for an upstream
    gradient of 1 is the local derivative, so no second set of rules is needed. A node that no moving one reaches, as
    what an op that chooses has left out, has no entry.

    Args:
        roots: the outputs.
        seeds: the speed of each input; every other leaf, and one whose speed is the number 0, stands still.
        create_graph: whether the tangents are Values, to be differentiated again.

    >>> x = Value(3.0)
    >>> y = x * x
    >>> tangents([y], {x: 1.0})[y]
    6.0
    """
    order = topological_order(*roots)
    seeds = {x: speed for x, speed in seeds.items() if isinstance(speed, Value) or speed != 0.0}
    return _pushed_as_graph(order, seeds) if create_graph else _pushed(order, seeds)


def _pushed(order: Iterable[Value], seeds: Mapping[Value, Any]) -> dict[Value, Any]:
    speeds: dict[Value, Any] = dict(seeds)
    for node in order:
        if node in speeds or node.is_leaf:
            continue
        locals_: Adjoints = dict.fromkeys(node.parents, NOTHING)
        if speeds.keys().isdisjoint(locals_):
            continue
        refuse_overwritten(node)
        node._rule.backward(node, 1.0, locals_)
        shares = [local * speeds[p] for p, local in locals_.items() if p in speeds and local is not NOTHING]
        if shares:
            speeds[node] = reduce(add, shares)
    return speeds


def _pushed_as_graph(order: Iterable[Value], seeds: Mapping[Value, Any]) -> dict[Value, Any]:
    """As `_pushed`, with masks as a graph of gradients has them (rules.Masked)."""
    speeds: dict[Value, Any] = dict(seeds)
    moves: dict[Value, Any] = {}  # not 0 where something that moves reaches the node; no entry: it always does
    for node in order:
        if node in speeds or node.is_leaf:
            continue
        moving = [p for p in dict.fromkeys(node.parents) if p in speeds]
        if not moving:
            continue
        locals_ = Masked(moving)
        refuse_overwritten(node)
        node._rule.backward_as_graph(node, 1.0, locals_)
        masks = []
        for parent in moving:
            local = locals_[parent]
            if local is NOTHING:
                continue
            share = local * speeds[parent]
            mask = moves.get(parent)
            chosen = locals_.reached.get(parent)
            if chosen is not None:
                mask = chosen if mask is None else mask.where(chosen, 0.0)
            if mask is not None:
                share = mask.where(share, 0.0)
            masks.append(mask)
            speeds[node] = speeds[node] + share if node in speeds else share
        if masks and None not in masks:
            moves[node] = masks[0]
            for mask in masks[1:]:
                moves[node] = moves[node].where(1.0, mask)
    return speeds
