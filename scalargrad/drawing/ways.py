"""The ways of lines and their labels between the cards of a network's graph, which blocks.py has placed.

A line that cards are in the way of runs between these, on a lane of its own where there is one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import pairwise
from typing import TYPE_CHECKING

from scalargrad.drawing.engines import Curve
from scalargrad.drawing.scene import sampled
from scalargrad.drawing.theme import text_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scalargrad.drawing.engines import Layout, Point
    from scalargrad.drawing.sketch import Link, Sketch

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""

ARROW = 8.0
LANE = 5.9
BESIDE = 80.0
"""How much farther a line goes to have a gap between cards to itself."""
MOST_LABELS = 64
"""Beyond so many lines between two columns, their labels would be a hedge; the numbers stand in the lines' titles."""


def card_rects(sketch: Sketch, layout: Layout) -> dict[str, Rect]:
    """The box of each card."""
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


def route(sketch: Sketch, layout: Layout, columns: Mapping[str, int], frames: Mapping[str, Rect]) -> None:
    """Give every link a way: straight on if nothing is in between, else along a free lane.

    Args:
        sketch: the cards and links.
        layout: where the cards are; the ways are put there.
        columns: the column of each card's block.
        frames: the box around each card's block, where it has one.
    """
    cards = card_rects(sketch, layout)
    titles = _title_rects(sketch, layout)
    walls = sorted(cards.values())
    lefts = [wall[0] for wall in walls]
    widest = max(right - left for left, _, right, _ in walls)
    crowded = _crowded(sketch, columns)
    taken: dict[int, list[float]] = {}  # by column, the heights of its lanes, sorted
    into: dict[str, list[Link]] = {}
    for link in sketch.links:
        into.setdefault(link.head, []).append(link)
    for head, links in into.items():
        target = cards[head]
        column = taken.setdefault(columns[head], [])
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
            lanes[link.key] = _lane(passed[link.key], cards[link.tail], target, frames.get(head), column)
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


def _crowded(sketch: Sketch, columns: Mapping[str, int]) -> set[str]:
    """The links that so many others run beside that labels have no room, and bows would run together."""
    into: dict[int, list[str]] = {}
    for link in sketch.links:
        column = columns[link.head]
        if column != columns[link.tail]:
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


def place_labels(sketch: Sketch, layout: Layout, columns: Mapping[str, int]) -> None:
    """Find a place for every label on its line: no card, title or other label there, and few other lines."""
    crowded = _crowded(sketch, columns)
    taken = [*card_rects(sketch, layout).values(), *_title_rects(sketch, layout)]
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
