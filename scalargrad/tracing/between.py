"""What lies between two Values of a graph: the edges on the ways from one to the other, and how many ways there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scalargrad.engine import Value, topological_order
from scalargrad.node.by_hand import GivenPartials
from scalargrad.node.overwritten import refuse_overwritten
from scalargrad.node.rules import Leaf
from scalargrad.table.row import Op
from scalargrad.words.local_derivatives import local_derivatives

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scalargrad.node.rules import Adjoints


class Edge(NamedTuple):
    """One use of a Value as an operand.

    Attributes:
        parent: the Value that is used.
        operand: which operand of the child it is, from 0; None if a hand-written closure reaches it without listing it.
        local: the local derivative of the child in this use; a hand-written closure answers for all uses at once.
        child: the Value computed from it.
    """

    parent: Value
    operand: int | None
    local: float
    child: Value


class Waypoint(NamedTuple):
    """A Value that every path passes.

    Attributes:
        value: the Value.
        ways: how many ways lead to it from the waypoint before, or from the start.
    """

    value: Value
    ways: int


class Between:
    """The part of a graph that lies on paths from one Value to another.

    Attributes:
        start: where the paths start.
        end: where they end.
        order: the whole graph of the end, in topological order.
        nodes: the start and all that depends on it, parents before children.
        edge_count: how many edges lie on paths.
        waypoints: in the order in which every path passes them; the last is the end. Empty if there is no path.
    """

    def __init__(self, start: Value, end: Value) -> None:
        self.start, self.end = start, end
        self.order = topological_order(end)
        self._locals_of_closures: dict[Value, Adjoints] = {}
        self._edges: dict[Value, list[Edge]] = {}
        self._used: dict[Value, list[tuple[int | None, Value]]] = {start: []}
        used = self._used
        for node in self.order:
            if node is not start and (uses := [use for use in self._uses(node) if use[1] in used]):
                used[node] = uses
        self.nodes = list(used) if end in used else []
        self.edge_count = sum(len(used[node]) for node in self.nodes)
        self.waypoints = self._find_waypoints()

    def count(self) -> int:
        """How many paths there are, exactly, without walking them: a path is a choice of one way from each waypoint."""
        if self.start is self.end:
            return 1
        return math.prod(point.ways for point in self.waypoints) if self.waypoints else 0

    def edges(self, node: Value) -> list[Edge]:
        """The edges to a node that lie on paths, in the order of its operands, with their local derivatives."""
        if node not in self._edges:
            uses = self._used[node]
            by_parent = self._locals_of_closures.get(node)
            if by_parent is None:
                numbers = local_derivatives(node)
                locals_ = [numbers[i] for i, _ in uses if i is not None]
            else:
                locals_ = [by_parent[parent] for _, parent in uses]
            self._edges[node] = [
                Edge(parent, i, math.nan if local is None else local, node)
                for (i, parent), local in zip(uses, locals_, strict=True)
            ]
        return self._edges[node]

    def paths(self) -> Iterator[tuple[Edge, ...]]:
        """The edges of each path, from the end back to the start; operands of an expression from left to right."""
        if self.start is self.end:
            yield ()
        elif self.waypoints:
            trail: list[Edge] = []
            choices = [iter(self.edges(self.end))]
            while choices:
                edge = next(choices[-1], None)
                if edge is None:
                    choices.pop()
                    del trail[-1:]
                elif edge.parent is self.start:
                    yield (*trail, edge)
                else:
                    trail.append(edge)
                    choices.append(iter(self.edges(edge.parent)))

    def split(self, limit: int) -> tuple[Waypoint, int] | None:
        """A waypoint with few paths on either side, as one whose `ways` count all from the start, and those to the end.

        Labelled ones come first, as a caller can name them; then the most even split. None if there is no waypoint
        with at most `limit` paths on each side.
        """
        ways = [point.ways for point in self.waypoints]
        before, after = _products(ways, limit + 1), _products(ways[:0:-1], limit + 1)[::-1]
        splits = [
            (Waypoint(point.value, b), a)
            for point, b, a in zip(self.waypoints[:-1], before, after, strict=False)
            if max(b, a) <= limit
        ]
        return min(splits, key=lambda s: (not s[0].value.label.isidentifier(), max(s[0].ways, s[1])), default=None)

    def _uses(self, node: Value) -> list[tuple[int | None, Value]]:
        """The operands that the node's turn hands gradient to; of a closure, which adds all at once, one per Value."""
        refuse_overwritten(node)
        if isinstance(node._rule, (Op, GivenPartials)):
            return [(i, parent) for i, (parent, _) in enumerate(node.operands) if parent is not None]
        if node._a is None or isinstance(node._rule, Leaf):
            return []
        added: Adjoints = dict.fromkeys(node.parents, 0.0)
        node._rule.backward(node, 1.0, added)
        self._locals_of_closures[node] = added
        places = {parent: i for i, (parent, _) in reversed(list(enumerate(node.operands)))}
        return [(places.get(value), value) for value in added]

    def _find_waypoints(self) -> list[Waypoint]:
        # A node is a waypoint if no edge leads past it. What was counted before it is then not needed again: counting
        # starts anew, and the numbers stay as small as can be. Other counts are dropped with their last use, for in
        # a deep graph they have thousands of digits.
        nodes, used = self.nodes, self._used
        place = {node: i for i, node in enumerate(nodes)}
        farthest = [0] * len(nodes)
        left = [0] * len(nodes)
        for i, node in enumerate(nodes):
            for _, parent in used[node]:
                farthest[place[parent]] = i
                left[place[parent]] += 1
        waypoints = []
        counts, reach = {0: 1}, 0
        for i, node in enumerate(nodes[1:], 1):
            reach = max(reach, farthest[i - 1])
            counts[i] = 0
            for _, parent in used[node]:
                p = place[parent]
                counts[i] += counts[p]
                left[p] -= 1
                if not left[p]:
                    del counts[p]
            if reach <= i:
                waypoints.append(Waypoint(node, counts[i]))
                counts[i] = 1
        return waypoints


def _products(numbers: list[int], most: int) -> list[int]:
    """The product of the first, of the first two, ..., none larger than `most`."""
    products, product = [], 1
    for n in numbers:
        product = min(product * n, most)
        products.append(product)
    return products
