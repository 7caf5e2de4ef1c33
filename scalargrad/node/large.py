"""The sweep of a large graph, in which the table of adjoints is kept small."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from scalargrad.node.numbers import gradient_plus
from scalargrad.node.rules import NOTHING, Adjoints

LARGE = 100_000
"""From so many nodes on, `backward` keeps the table small: 2.0 GB for ten million nodes in place of 2.55. Graphs that
fit a cache would take 5 % longer so."""


def totals_of_large_graph(
    gradients: Callable[..., Adjoints], order: list[Any], seed: float
) -> tuple[Iterable[Any], Iterable[Any]]:
    """The nodes of a graph, and for each what its `grad` is to become; some nodes come twice, then the second counts.

    Args:
        gradients: the engine's sweep.
        order: the graph in topological order.
        seed: the gradient of the last node, the root.
    """
    totals: list[Any] = []

    def move_out(turns: Iterator[Any], adjoints: Adjoints) -> Iterator[Any]:
        # After its node's turn an adjoint is done. A leaf's is not: a hand-written closure may reach it later.
        for node in turns:
            yield node
            totals.append(node.grad if node._rule.is_leaf else gradient_plus(node, adjoints.pop(node)))

    root = order[-1]
    table: Adjoints = {node: NOTHING for node in order if node._rule.is_leaf and node._rule.requires_grad}
    table[root] = NOTHING
    left = gradients([root], [seed], watch=move_out, order=order, adjoints=defaultdict(lambda: NOTHING, table))
    leaves = [leaf for leaf in left if leaf._rule.is_leaf and leaf._rule.requires_grad]
    return chain(reversed(order), leaves), chain(totals, [gradient_plus(leaf, left[leaf]) for leaf in leaves])
