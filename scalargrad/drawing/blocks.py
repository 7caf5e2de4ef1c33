"""The layout of graphs of networks: layers from left to right, in each its neurons in the order of their indices.

Graphviz puts boxes where lines cross least, in whatever order. Here each neuron's cards are a block, and so is every
Value outside of all neurons; blocks stand in columns. ways.py leads the lines between them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scalargrad.drawing.engines import Layout
from scalargrad.drawing.scopes import layer_of
from scalargrad.drawing.sketch import Sketch, levels
from scalargrad.drawing.theme import text_width
from scalargrad.drawing.ways import MOST_LABELS, card_rects, place_labels, route

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scalargrad.drawing.engines import Point
    from scalargrad.drawing.scopes import Scope
    from scalargrad.drawing.sketch import Shape
    from scalargrad.drawing.ways import Rect

BETWEEN_CARDS = 20.0
BETWEEN_BLOCKS = 20.0
PADDING = 12.0
TITLE = 24.0


@dataclass
class Block:
    """What is placed as a whole: the cards of one neuron, a card that stands for a module, or one other card.

    Attributes:
        scope: the module; empty for a card outside of all.
        shapes: its cards.
        framed: whether a box with a title is drawn around.
        column: which one it stands in.
    """

    scope: Scope
    shapes: list[Shape] = field(default_factory=list)
    framed: bool = False
    column: int = 0
    width: float = 0.0
    height: float = 0.0
    at: dict[str, Point] = field(default_factory=dict)


def in_blocks(sketch: Sketch) -> Layout | None:
    """Coordinates for the graph of a network; None for other graphs, and for those whose blocks feed each other."""
    if sketch.rankdir != "LR" or not holds_network(sketch):
        return None
    blocks, of = _blocks(sketch)
    columns = _columns(sketch, blocks, of)
    if columns is None:
        return None
    for block in blocks:
        _place_inside(block, sketch)
    layout = Layout(0.0, 0.0, {}, {}, {})
    rects = _place_blocks(sketch, blocks, columns, of, layout)
    column = {key: blocks[i].column for key, i in of.items()}
    route(sketch, layout, column, {key: rects[i] for key, i in of.items() if blocks[i].framed})
    place_labels(sketch, layout, column)
    _fit(sketch, layout)
    return layout


def holds_network(sketch: Sketch) -> bool:
    """Whether there are neurons, or cards that stand for modules, to be placed as columns."""
    return sketch.columns and len({shape.scope or shape.module for shape in sketch.shapes} - {()}) > 0


# -------------------------------------------------------------------- blocks and columns


def _blocks(sketch: Sketch) -> tuple[list[Block], dict[str, int]]:
    """The blocks, and by card the number of its block."""
    blocks: list[Block] = []
    number: dict[Scope, int] = {}
    of: dict[str, int] = {}
    for shape in sketch.shapes:
        scope = shape.scope if shape.scope in sketch.clusters else shape.module
        if not scope or scope not in number:
            if scope:
                number[scope] = len(blocks)
            blocks.append(Block(scope, framed=bool(scope) and scope == shape.scope))
            of[shape.key] = len(blocks) - 1
        else:
            of[shape.key] = number[scope]
        blocks[of[shape.key]].shapes.append(shape)
    return blocks, of


def _columns(sketch: Sketch, blocks: Sequence[Block], of: dict[str, int]) -> list[list[int]] | None:
    """The blocks of each column, from top to bottom; None if some feed each other in a circle."""
    feeds = {(of[link.tail], of[link.head]) for link in sketch.links if of[link.tail] != of[link.head]}
    # Neurons of one layer stand in one column.
    layers: dict[tuple[Scope, int], int] = {}
    together = [
        layers.setdefault((layer_of(block.scope), len(block.scope)), i) if block.scope else i
        for i, block in enumerate(blocks)
    ]
    level = _levels(together, feeds) or _levels(list(range(len(blocks))), feeds)
    if level is None:
        return None
    tails: dict[int, list[int]] = {}
    heads: dict[int, list[int]] = {}
    for tail, head in feeds:
        tails.setdefault(head, []).append(tail)
        heads.setdefault(tail, []).append(head)
    for i, block in enumerate(blocks):  # inputs stand right before what reads them first
        if i not in tails and not block.scope:
            level[i] = max(0, min((level[head] for head in heads.get(i, ())), default=1) - 1)
    columns: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for i in range(len(blocks)):
        columns[level[i]].append(i)
    columns = [column for column in columns if column]
    row: dict[int, float] = {}
    for number, column in enumerate(columns):
        parents = {i: [row[t] for t in tails.get(i, ()) if t in row] for i in column}
        middle = {i: sum(ts) / len(ts) if ts else 0.0 for i, ts in parents.items()}
        column.sort(key=lambda i: (not blocks[i].scope, _natural(blocks[i].scope), middle[i], i))
        for n, i in enumerate(column):
            blocks[i].column = number
            row[i] = (n + 0.5) / len(column)
    return columns


def _levels(together: list[int], feeds: Iterable[tuple[int, int]]) -> list[int] | None:
    """How far each is from the inputs, the longest way, those of one number being one; None if there is a circle."""
    edges = {(together[a], together[b]) for a, b in feeds}
    if any(a == b for a, b in edges):
        return None
    below: dict[int, list[int]] = {}
    waiting = dict.fromkeys(together, 0)
    for a, b in edges:
        below.setdefault(a, []).append(b)
        waiting[b] += 1
    ready = [i for i, n in waiting.items() if not n]
    level = dict.fromkeys(ready, 0)
    for i in ready:
        for b in below.get(i, ()):
            level[b] = max(level.get(b, 0), level[i] + 1)
            waiting[b] -= 1
            if not waiting[b]:
                ready.append(b)
    return [level[i] for i in together] if len(ready) == len(waiting) else None


def _natural(scope: Scope) -> list[tuple[int, str]]:
    """Sorts neuron 2 before neuron 10."""
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in re.split(r"(\d+)", " ".join(scope))]


# -------------------------------------------------------------------- places


def _place_inside(block: Block, sketch: Sketch) -> None:
    """Place a block's cards by their distance from what it reads, each level centred."""
    if not block.framed:
        (shape,) = block.shapes[:1]
        block.width, block.height = shape.width, shape.height
        block.at[shape.key] = (shape.width / 2, shape.height / 2)
        return
    keys = {shape.key for shape in block.shapes}
    links = [link for link in sketch.links if link.tail in keys and link.head in keys]
    ranks = levels(Sketch(block.shapes, links))
    parents: dict[str, list[str]] = {}
    for link in links:
        parents.setdefault(link.head, []).append(link.tail)
    gap = 34.0 + max((text_width(link.label, 10.0) for link in links), default=0.0)
    heights = [sum(s.height for s in rank) + BETWEEN_CARDS * (len(rank) - 1) for rank in ranks]
    tall = max(heights)
    x = PADDING
    for rank, height in zip(ranks, heights, strict=True):
        wide = max((shape.width for shape in rank), default=0.0)
        y = TITLE + (tall - height) / 2
        middles = {s.key: [block.at[p][1] for p in parents.get(s.key, ()) if p in block.at] for s in rank}
        if all(middles.values()):
            rank.sort(key=lambda s: sum(middles[s.key]) / len(middles[s.key]))
        for shape in rank:
            block.at[shape.key] = (x + wide / 2, y + shape.height / 2)
            y += shape.height + BETWEEN_CARDS
        x += wide + gap
    title = text_width(sketch.clusters[block.scope], 11.5) + 24
    block.width = max(x - gap + PADDING, title)
    block.height = TITLE + tall + PADDING


def _place_blocks(
    sketch: Sketch, blocks: Sequence[Block], columns: Sequence[Sequence[int]], of: dict[str, int], layout: Layout
) -> list[Rect]:
    """Place the columns from left to right, all centred; return where each block is."""
    heights = [sum(blocks[i].height + BETWEEN_BLOCKS for i in column) - BETWEEN_BLOCKS for column in columns]
    tall = max(heights)
    into = [0] * len(columns)
    longest = [0.0] * len(columns)
    for link in sketch.links:
        tail, head = blocks[of[link.tail]].column, blocks[of[link.head]].column
        if tail != head:
            into[head] += 1
            longest[head] = max(longest[head], text_width(link.label, 10.0))
    rects: dict[int, Rect] = {}
    x = 0.0
    for c, column in enumerate(columns):
        if c:
            x += 56.0 + (longest[c] if into[c] <= MOST_LABELS else 0.0) + min(160.0, 2.0 * into[c])
        wide = max(blocks[i].width for i in column)
        for i in column:
            if blocks[i].framed:
                blocks[i].width = wide
        y = (tall - heights[c]) / 2
        for i in column:
            block = blocks[i]
            left = x + (wide - block.width) / 2
            rects[i] = (left, y, left + block.width, y + block.height)
            for key, (dx, dy) in block.at.items():
                layout.centers[key] = (left + dx, y + dy)
            y += block.height + BETWEEN_BLOCKS
        x += wide
    for n, scope in enumerate(sketch.clusters):
        found = next((i for i, block in enumerate(blocks) if block.framed and block.scope == scope), None)
        if found is not None:
            layout.clusters[n] = rects[found]
    return [rects[i] for i in range(len(blocks))]


def _fit(sketch: Sketch, layout: Layout) -> None:
    """Move everything so that it begins at the origin, and say how large it is."""
    rects = [*card_rects(sketch, layout).values(), *layout.clusters.values()]
    for link in sketch.links:
        curve = layout.curves[link.key]
        rects += [(x, y - 2, x, y + 2) for x, y in curve.points]
        if curve.label is not None:
            half = text_width(link.label, 10.0) / 2 + 2
            x, y = curve.label
            rects.append((x - half, y - 7, x + half, y + 7))
    dx, dy = -min(r[0] for r in rects), -min(r[1] for r in rects)
    layout.width, layout.height = max(r[2] for r in rects) + dx, max(r[3] for r in rects) + dy
    layout.centers = {key: (x + dx, y + dy) for key, (x, y) in layout.centers.items()}
    layout.clusters = {n: (a + dx, b + dy, c + dx, d + dy) for n, (a, b, c, d) in layout.clusters.items()}
    for curve in layout.curves.values():
        curve.points = [(x + dx, y + dy) for x, y in curve.points]
        curve.tip = (curve.tip[0] + dx, curve.tip[1] + dy)
        curve.label = curve.label and (curve.label[0] + dx, curve.label[1] + dy)
