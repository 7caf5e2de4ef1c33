"""The edges of a picture: the chain rule's factors in words, and what each contributes as a colour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scalargrad.drawing.picture import Edge, Picture
from scalargrad.words.local_derivatives import local_derivative, local_derivatives
from scalargrad.words.places import placed
from scalargrad.words.texts import LOCAL, counted, number_text, symbol_of, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scalargrad.drawing.snapshot import Snapshot
    from scalargrad.engine import Value


def edges_between(
    graph: Snapshot,
    tail: int,
    head: int,
    uses: Sequence[tuple[int, int]],
    names: Mapping[Value, str],
    final: str | None,
    *,
    single: bool,
) -> list[Edge]:
    """The edges between two cards: one for each operand, or one for all if the cards stand for several Values.

    Args:
        graph: the graph.
        tail: index of the parents' card.
        head: index of the children's card.
        uses: (child's position, operand index) of every operand on the way.
        names: the Values' names.
        final: the output's name; None before backward().
        single: whether both cards stand for one Value.
    """
    edges = []
    total, known = 0.0, False
    nary: Value | None = None
    locals_: list[float | None] = []
    for child, i in uses:
        node, upstream = graph.order[child], graph.gradients[child]
        if type(node._x) is not tuple:
            local = local_derivative(node, i)
        else:  # one list of derivatives serves all operands
            if node is not nary:
                nary, locals_ = node, local_derivatives(node)
            local = locals_[i]
        contribution = None if local is None or final is None else local * upstream
        if contribution is not None:
            total, known = total + contribution, True
        parent = node.operands[i][0] if single or len(uses) == 1 else None
        if parent is not None:
            edge = Edge(tail, head, local if single else None, contribution, operand=i if single else None)
            x = placed(node, i, symbol_of(names[parent]))
            edge.title = _title(local, contribution, x, symbol_of(names[node]), upstream)
            edges.append(edge)
    if edges:
        return edges
    title = counted(len(uses), "operand")
    if known:
        title += f", contributing {number_text(total)} in total"
    return [Edge(tail, head, None, total if known else None, len(uses), title=title)]


def color_edges(picture: Picture) -> None:
    """Give every edge its bin."""
    for edge, found in zip(picture.edges, bins([edge.contribution for edge in picture.edges]), strict=True):
        edge.bin = found


def bins(contributions: Sequence[float | None]) -> list[int]:
    """The bin of each contribution: its sign, and how much of the largest one it is; 0 if there is none, or it is nan.

    >>> bins([4.0, -1.0, 0.01, 0.0, None])
    [3, -2, 1, 0, 0]
    """
    largest = max((abs(c) for c in contributions if c is not None and math.isfinite(c)), default=0.0)
    found = []
    for c in contributions:
        if c is None or c == 0.0 or c != c:
            found.append(0)
            continue
        share = 1.0 if math.isinf(c) or not largest else abs(c) / largest
        found.append(int(math.copysign(3 if share > 0.3 else 2 if share > 0.06 else 1, c)))
    return found


def _title(local: float | None, contribution: float | None, x: str, y: str, upstream: float) -> str:
    if local is None:
        return f"{x} to {y}"
    if contribution is None:
        return f"{x} to {y}, {LOCAL} = {number_text(local)}"
    product = f"{number_text(upstream)} × {wrapped(number_text(local))} = {number_text(contribution)}"
    return f"{x} to {y}, {y}.grad × {LOCAL} = {product}"
