"""The layout of graphs of networks: layers from left to right, in each its neurons in the order of their indices.

Graphviz puts boxes where lines cross least, in whatever order. Here each neuron's cards are a block, and so is every
Value outside of all neurons; blocks stand in columns, and a line that cards are in the way of runs between these.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from scalargrad.drawing.engines import Curve, Layout
from scalargrad.drawing.scene import sampled
from scalargrad.drawing.scopes import layer_of
from scalargrad.drawing.sketch import Sketch, levels
from scalargrad.drawing.theme import text_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scalargrad.drawing.engines import Point
    from scalargrad.drawing.scopes import Scope
    from scalargrad.drawing.sketch import Link, Shape

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""

BETWEEN_CARDS = 20.0
BETWEEN_BLOCKS = 20.0
PADDING = 12.0
TITLE = 24.0
ARROW = 8.0
LANE = 5.9
BESIDE = 80.0
"""How much farther a line goes to have a gap between cards to itself."""
MOST_LABELS = 64
"""Beyond so many lines between two columns, their labels would be a hedge; the numbers stand in the lines' titles."""


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
    _route(sketch, blocks, of, rects, layout)
    _label(sketch, blocks, of, layout)
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
    fed = {head for _, head in feeds}
    for i, block in enumerate(blocks):  # inputs stand right before what reads them first
        if i not in fed and not block.scope:
            level[i] = max(0, min((level[head] for tail, head in feeds if tail == i), default=1) - 1)
    columns: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for i in range(len(blocks)):
        columns[level[i]].append(i)
    columns = [column for column in columns if column]
    row: dict[int, float] = {}
    for column in columns:
        parents = {i: [row[t] for t, h in feeds if h == i and t in row] for i in column}
        middle = {i: sum(ts) / len(ts) if ts else 0.0 for i, ts in parents.items()}
        column.sort(key=lambda i: (not blocks[i].scope, _natural(blocks[i].scope), middle[i], i))
        for n, i in enumerate(column):
            blocks[i].column = columns.index(column)
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


# -------------------------------------------------------------------- ways


def _card_rects(sketch: Sketch, layout: Layout) -> dict[str, Rect]:
    found = {}
    for shape in sketch.shapes:
        x, y = layout.centers[shape.key]
        found[shape.key] = (x - shape.width / 2, y - shape.height / 2, x + shape.width / 2, y + shape.height / 2)
    return found


def _title_rects(sketch: Sketch, layout: Layout) -> list[Rect]:
    titles = list(sketch.clusters.values())
    return [
        (left + 8, top + 3, left + 12 + text_width(titles[n], 11.5), top + 20)
        for n, (left, top, _, _) in layout.clusters.items()
    ]


def _route(sketch: Sketch, blocks: Sequence[Block], of: dict[str, int], rects: Sequence[Rect], layout: Layout) -> None:
    """A way for every link: straight on if nothing is in between, else along a free lane."""
    cards = _card_rects(sketch, layout)
    titles = _title_rects(sketch, layout)
    walls = sorted(cards.values())
    lefts = [wall[0] for wall in walls]
    widest = max(right - left for left, _, right, _ in walls)
    crowded = _crowded(sketch, blocks, of)
    taken: dict[int, list[float]] = {}  # by column, the heights of its lanes, sorted
    into: dict[str, list[Link]] = {}
    for link in sketch.links:
        into.setdefault(link.head, []).append(link)
    for head, links in into.items():
        target = cards[head]
        column = taken.setdefault(blocks[of[head]].column, [])
        blocked: dict[str, list[Rect]] = {}  # the cards in between; and with titles, which lie over the lines' ends
        passed: dict[str, list[Rect]] = {}
        for link in links:
            source = cards[link.tail]
            start, end = _ends(source, target)
            lo, hi = min(start[0], end[0]), max(start[0], end[0])
            near = walls[bisect_left(lefts, lo - widest) : bisect_left(lefts, hi)]
            # What only sticks out beside the source or the target is no wall: lines leave and arrive level.
            near = [w for w in near if w[0] >= lo and w[2] <= hi + ARROW and w not in (source, target)]
            across = [t for t in titles if t[2] > lo and t[0] < hi]
            ends = [(end[0], target[1] + (target[3] - target[1]) * share) for share in (0.1, 0.5, 0.9)]
            if any(_hits(_bow(start, end), [*near, *across]) for end in ends):
                blocked[link.key] = near
                passed[link.key] = [*near, *across]
            elif near:
                _, y = min(sampled(_bow(start, end)), key=lambda p: abs(p[0] - near[0][0]))
                insort(column, y)
        lanes: dict[str, float] = {}
        for link in sorted((k for k in links if k.key in blocked), key=lambda k: (cards[k.tail][1], k.key)):
            own = rects[of[head]] if blocks[of[head]].framed else None
            lanes[link.key] = _lane(passed[link.key], cards[link.tail], target, own, column)
        _uncross(lanes, passed)
        order = sorted(links, key=lambda k: lanes.get(k.key, (cards[k.tail][1] + cards[k.tail][3]) / 2))
        for n, link in enumerate(order):
            start, end = _ends(cards[link.tail], target)
            end = (end[0], target[1] + (target[3] - target[1]) * (n + 1) / (len(order) + 1))
            tip = (target[0], end[1])
            if link.key in lanes:
                y = lanes[link.key]
                lefts_passed = [w[0] for w in _passed(blocked[link.key], start[1], y)]
                rights_passed = [w[2] for w in _passed(blocked[link.key], y, end[1])]
                x0 = max(start[0] + 8, min(lefts_passed, default=start[0] + 60) - 10)
                x1 = max(x0, min(end[0] - 8, max(rights_passed, default=end[0] - 60) + 4))
                points = [*_bow(start, (x0, y)), (x0, y), (x1, y), (x1, y), *_bow((x1, y), end)[1:]]
            else:
                points = _straight(start, end) if link.key in crowded else _bow(start, end)
            layout.curves[link.key] = Curve(points, tip, None, exact=True)


def _ends(source: Rect, target: Rect) -> tuple[Point, Point]:
    return (source[2], (source[1] + source[3]) / 2), (target[0] - ARROW, (target[1] + target[3]) / 2)


def _bow(start: Point, end: Point) -> list[Point]:
    """A Bezier curve that leaves and arrives level."""
    bend = 0.45 * abs(end[0] - start[0])
    return [start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end]


def _straight(start: Point, end: Point) -> list[Point]:
    (x0, y0), (x1, y1) = start, end
    return [start, ((2 * x0 + x1) / 3, (2 * y0 + y1) / 3), ((x0 + 2 * x1) / 3, (y0 + 2 * y1) / 3), end]


def _crowded(sketch: Sketch, blocks: Sequence[Block], of: dict[str, int]) -> set[str]:
    """The links that so many others run beside that labels have no room, and bows would run together."""
    into: dict[int, list[str]] = {}
    for link in sketch.links:
        column = blocks[of[link.head]].column
        if column != blocks[of[link.tail]].column:
            into.setdefault(column, []).append(link.key)
    return {key for keys in into.values() if len(keys) > MOST_LABELS for key in keys}


def _lane(near: Sequence[Rect], source: Rect, target: Rect, own: Rect | None, taken: list[float]) -> float:
    """The height at which a level line passes all these walls, near the target, and that no other line has taken."""
    spans: list[tuple[float, float]] = []
    for top, bottom in sorted((w[1] - 4, w[3] + 4) for w in near):
        if spans and top <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], bottom))
        else:
            spans.append((top, bottom))
    free = [(spans[0][0] - 40, spans[0][0])] + [(a[1], b[0]) for a, b in pairwise(spans)]
    free.append((spans[-1][1], spans[-1][1] + 40))
    wish = (source[1] + source[3] + 3 * (target[1] + target[3])) / 8
    slots: list[tuple[float, float]] = []  # cost and height
    for top, bottom in free:
        n = max(1, int((bottom - top) / LANE))
        others = bisect_left(taken, bottom) - bisect_left(taken, top)
        for i in range(n):
            y = top + (bottom - top) * (i + 0.5) / n
            away = own is not None and not own[1] < y < own[3]
            slots.append((abs(y - wish) + (400.0 if away else 0.0) + BESIDE * others, y))
    slots.sort()
    best = next((y for _, y in slots if not _between(taken, y - LANE / 2, y + LANE / 2)), slots[0][1])
    insort(taken, best)
    return best


def _between(heights: Sequence[float], low: float, high: float) -> bool:
    n = bisect_left(heights, low)
    return n < len(heights) and heights[n] < high


def _uncross(lanes: dict[str, float], passed: dict[str, list[Rect]]) -> None:
    """Give lanes past the same walls to lines in the order in which these begin, the order of `lanes`."""
    same: dict[tuple[Rect, ...], list[str]] = {}
    for key in lanes:
        same.setdefault(tuple(passed[key]), []).append(key)
    for keys in same.values():
        lanes.update(zip(keys, sorted(lanes[key] for key in keys), strict=True))


def _passed(near: Sequence[Rect], y0: float, y1: float) -> Sequence[Rect]:
    """Those of the walls that are in the way between two heights, or all if none is."""
    low, high = min(y0, y1) - 4, max(y0, y1) + 4
    return [w for w in near if w[1] < high and w[3] > low] or near


def _hits(points: Sequence[Point], walls: Sequence[Rect]) -> bool:
    if not walls:
        return False
    way = sampled(points)
    return any(w[0] - 1 < x < w[2] + 1 and w[1] - 2 < y < w[3] + 2 for w in walls for x, y in way)


# -------------------------------------------------------------------- labels


def _label(sketch: Sketch, blocks: Sequence[Block], of: dict[str, int], layout: Layout) -> None:
    """A place for every label on its line, where there is no card, no title, no other label, and few other lines."""
    crowded = _crowded(sketch, blocks, of)
    taken = [*_card_rects(sketch, layout).values(), *_title_rects(sketch, layout)]
    frames = list(layout.clusters.values())
    ways = {key: sampled(curve.points) for key, curve in layout.curves.items()}
    for link in sketch.links:
        if not link.label or link.key in crowded:
            continue
        half = text_width(link.label, 10.0) / 2 + 2
        way = ways[link.key]
        near = [(x, y) for key, points in ways.items() if key != link.key for x, y in points
                if way[0][0] - half < x < way[-1][0] + half]  # fmt: skip
        best: tuple[float, Point, Rect] | None = None
        middle = len(way) // 2
        for n in sorted(range(2, len(way) - 2), key=lambda n: abs(n - middle)):
            for aside in (-8.0, 8.0):
                x, y = way[n][0], way[n][1] + aside
                rect = (x - half, y - 6, x + half, y + 6)
                if any(_overlap(rect, other) for other in taken):
                    continue
                crossings = sum(rect[0] < px < rect[2] and rect[1] < py < rect[3] for px, py in near)
                on_frames = sum(_overlap(rect, frame) and not _inside(rect, frame) for frame in frames)
                cost = crossings + on_frames + 0.05 * abs(n - middle)
                if best is None or cost < best[0]:
                    best = (cost, (x, y), rect)
            if best is not None and best[0] < 1:
                break
        if best is not None:
            layout.curves[link.key].label = best[1]
            taken.append(best[2])


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _inside(a: Rect, b: Rect) -> bool:
    return b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3]


def _fit(sketch: Sketch, layout: Layout) -> None:
    """Move everything so that it begins at the origin, and say how large it is."""
    rects = [*_card_rects(sketch, layout).values(), *layout.clusters.values()]
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
