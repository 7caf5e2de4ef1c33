"""Card style: one card per node, its equation on top, then its value, then its gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scalargrad.drawing.scene import LEADING, Box, Group, Line, Scene, Text, move, sampled
from scalargrad.drawing.scopes import scope_title
from scalargrad.drawing.sketch import Link, Shape, Sketch
from scalargrad.drawing.theme import SANS, WIDTHS, edge_role, is_plain, text_width
from scalargrad.drawing.wrapping import wrap
from scalargrad.support.labels import clean_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scalargrad.drawing.engines import Curve, Layout, Point
    from scalargrad.drawing.picture import Card, Edge, Picture

SIZE = 12.0
ROW = 18.0
PADDING = 9.0
MARGIN = 8.0
_FILLS = {"parameter": "parameter", "input": "input", "detached": "input", "group": "group", "stub": "cluster"}


def sketch(picture: Picture) -> Sketch:
    """One record per card, one link per edge."""
    shapes = []
    for i, card in enumerate(picture.cards):
        fields = [wrap(text) for _, text in card.rows[:1]] + [text for _, text in card.rows[1:]]
        width = max(text_width(line, SIZE) for text in fields + card.later for line in text.split("\n")) + 2 * PADDING
        shapes.append(
            Shape(
                f"n{i}", max(width, 56.0), sum(map(_height, fields)), fields,
                classes=" ".join(card.kinds), fill=_fill(card), border=_border(card), dashed=_dashed(card),
                scope=card.scope, module=card.module,
            )
        )  # fmt: skip
    links = [edge_link(f"e{i}", edge) for i, edge in enumerate(picture.edges)]
    clusters = {scope: clean_label(scope_title(scope)) for scope in picture.scopes}
    return Sketch(shapes, links, clusters=clusters, columns=True)


def paint(picture: Picture, sketch: Sketch, layout: Layout) -> Scene:
    """Clusters at the back, then the edges, weak ones first, then their labels, then the cards."""
    groups = paint_clusters(sketch, layout)
    order = sorted(range(len(picture.edges)), key=lambda i: abs(picture.edges[i].bin))
    groups += [paint_edge(f"e{i}", picture.edges[i], layout.curves[f"e{i}"]) for i in order]
    for card, shape in zip(picture.cards, sketch.shapes, strict=True):
        x, y = layout.centers[shape.key]
        left, top = x - shape.width / 2, y - shape.height / 2
        group = Group(shape.key, "node " + shape.classes, card.title)
        line = 2.0 if "root" in card.kinds or "bad" in card.kinds else 1.0
        face = Box(left, top, shape.width, shape.height, shape.fill, shape.border, 8.0, line, shape.dashed)
        if "repeated" in card.kinds:  # a stack of cards
            group.items.append(Box(left + 4, top + 4, shape.width, shape.height, shape.fill, shape.border, 8.0))
        group.items.append(face)
        y = top
        for row, (role, text) in enumerate(card.rows):
            if row:
                group.items.append(Line([(left, y), (left + shape.width, y)], "hairline"))
            shown = text if row else wrap(text)
            group.items.append(row_text(x, y + ROW / 2, shown, role, bold=row == 0 and role == "ink"))
            y += _height(shown)
        groups.append(group)
    return framed(picture, layout, groups)


def _height(text: str) -> float:
    return ROW + LEADING * SIZE * text.count("\n")


def row_text(x: float, y: float, text: str, role: str, *, bold: bool = False, size: float = SIZE) -> Text:
    """A text centred at (x, y); characters that monospace fonts lack are made to fit the width they were given."""
    width = None if is_plain(text) else max(text_width(line, size) for line in text.split("\n"))
    return Text(x, y + size * 0.36, text, role, size, bold, width=width)


def edge_link(key: str, edge: Edge) -> Link:
    """The layout's link for an edge."""
    return Link(
        key, f"n{edge.tail}", f"n{edge.head}", edge.label,
        color=edge_role(edge.bin), width=WIDTHS[abs(edge.bin)], dotted=edge.stub,
    )  # fmt: skip


def paint_edge(key: str, edge: Edge, curve: Curve) -> Group:
    """The curve with its arrow, and its label."""
    role = edge_role(edge.bin)
    group = Group(key, f"edge {role}", edge.title)
    group.items.append(Line(curve.points, role, WIDTHS[abs(edge.bin)], curve.tip, edge.stub))
    if edge.label and curve.label:
        x, y = curve.label
        exact = Text(x, y + 3.5, edge.label, "muted", 10.0, halo=True)
        group.items.append(exact if curve.exact else edge_label(edge.label, curve.points, curve.label))
    return group


def edge_label(text: str, points: list[Point], place: Point) -> Text:
    """A text beside a curve, near the place that the engine chose for it."""
    x, y = _beside(points, place, text_width(text, 10.0), 10.0)
    return Text(x, y + 3.5, text, "muted", 10.0, halo=True)


def free_edge_label(text: str, points: list[Point], cards: Sequence[Box]) -> Text:
    """A text beside a curve for which the engine left no room: as near to its middle as no card is in the way."""
    way = sampled(points)
    wide, high = text_width(text, 10.0) / 2 + 3, 6.0
    middle = len(way) // 2
    places = []
    for n in sorted(range(len(way)), key=lambda n: abs(n - middle)):
        (x0, y0), (x1, y1) = way[max(n - 1, 0)], way[min(n + 1, len(way) - 1)]
        long = math.hypot(x1 - x0, y1 - y0) or 1.0
        across, down = (y1 - y0) / long, (x0 - x1) / long  # to the curve's right
        if down > 0 or (down == 0 and across < 0):  # above first, or on the right
            across, down = -across, -down
        off = wide * abs(across) + high * abs(down) + 4
        places += [(way[n][0] + side * off * across, way[n][1] + side * off * down) for side in (1, -1)]
    free = (
        (x, y)
        for x, y in places
        if not any(
            box.x - wide < x < box.x + box.width + wide and box.y - high < y < box.y + box.height + high
            for box in cards
        )
    )
    x, y = next(free, places[0])
    return Text(x, y + 3.5, text, "muted", 10.0, halo=True)


def _beside(points: list[Point], label: Point, width: float, height: float) -> Point:
    """Where a label's centre goes: on the side that the engine chose, close to the curve but clear of it."""
    x, y = label
    way = sampled(points)
    (x0, y0), (x1, y1) = way[0], way[-1]
    if abs(y1 - y0) > abs(x1 - x0):
        beside = [p[0] for p in way if abs(p[1] - y) <= height / 2] or [min(way, key=lambda p: abs(p[1] - y))[0]]
        near = max(beside) if x >= sum(beside) / len(beside) else min(beside)
        new = near + math.copysign(width / 2 + 4, x - near if x != near else 1)
        return (new, y) if abs(new - x) < 30 else (x, y)
    beside = [p[1] for p in way if abs(p[0] - x) <= width / 2] or [min(way, key=lambda p: abs(p[0] - x))[1]]
    below = y > sum(beside) / len(beside)
    new = max(beside) + height / 2 + 3 if below else min(beside) - height / 2 - 2
    return (x, new) if abs(new - y) < 14 else (x, y)


def paint_clusters(sketch: Sketch, layout: Layout) -> list[Group]:
    """A box with its title for each cluster."""
    groups = []
    for i, title in enumerate(sketch.clusters.values()):
        if i not in layout.clusters:
            continue
        left, top, right, bottom = layout.clusters[i]
        group = Group(f"c{i}", "cluster", title)
        group.items.append(Box(left, top, right - left, bottom - top, "cluster", "cluster-border", 10.0))
        text = Text(left + 10, top + 15, title, "muted", 11.5, anchor="start", family=SANS)
        group.items.append(text)
        groups.append(group)
    return groups


def framed(picture: Picture, layout: Layout, groups: list[Group]) -> Scene:
    """The scene with a margin on every side."""
    move(groups, MARGIN, MARGIN)
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    return Scene(width, height, picture.title, picture.description, groups)


def _fill(card: Card) -> str:
    return "root" if "root" in card.kinds else _FILLS.get(card.kinds[0], "card")


def _border(card: Card) -> str:
    return "bad" if "bad" in card.kinds else "root-border" if "root" in card.kinds else "border"


def _dashed(card: Card) -> bool:
    return card.kinds[0] in ("detached", "stub")
