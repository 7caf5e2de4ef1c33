"""A picture as shapes with coordinates and colour roles, before it is written as SVG or painted into a PNG or PDF."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scalargrad.drawing.theme import MONO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scalargrad.drawing.engines import Point


LEADING = 1.2
"""From one line of a text to the next, by its size."""


@dataclass
class Text:
    """A text, centred at x unless `anchor` says otherwise; y is the baseline of its first line, if it has several.

    A `halo` outlines it in the page's colour, so that it stays readable across lines.
    """

    x: float
    y: float
    text: str
    color: str = "ink"
    size: float = 12.0
    bold: bool = False
    anchor: str = "middle"
    family: str = MONO
    halo: bool = False
    width: float | None = None


@dataclass
class Box:
    """A rectangle with round corners, or an ellipse of that size."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str
    radius: float = 0.0
    line: float = 1.0
    dashed: bool = False
    ellipse: bool = False


@dataclass
class Line:
    """A Bezier curve of 1 + 3n points, or a straight line of two, with an arrowhead at `tip`."""

    points: list[Point]
    color: str
    line: float = 1.0
    tip: Point | None = None
    dotted: bool = False
    opacity: float = 1.0


@dataclass
class Area:
    """Rectangles of one colour without an outline, as (x, y, width, height)."""

    boxes: list[tuple[float, float, float, float]]
    fill: str
    opacity: float = 1.0


@dataclass
class Group:
    """What belongs together: one card, one edge, one cluster; the title is read aloud and shown on hovering."""

    key: str
    classes: str
    title: str = ""
    items: list[Text | Box | Line | Area] = field(default_factory=list)


@dataclass
class Scene:
    """A finished picture: width and height in points, groups from back to front."""

    width: float
    height: float
    title: str
    description: str
    groups: list[Group]


def move(groups: Iterable[Group], dx: float, dy: float) -> None:
    """Move everything in these groups."""
    for group in groups:
        for item in group.items:
            if isinstance(item, Line):
                item.points = [(x + dx, y + dy) for x, y in item.points]
                item.tip = item.tip and (item.tip[0] + dx, item.tip[1] + dy)
            elif isinstance(item, Area):
                item.boxes = [(x + dx, y + dy, w, h) for x, y, w, h in item.boxes]
            else:
                item.x += dx
                item.y += dy


def sampled(points: Sequence[Point], steps: int = 14) -> list[Point]:
    """Points along a Bezier curve of 1 + 3n points."""
    found = []
    for i in range(0, len(points) - 3, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points[i : i + 4]
        for n in range(steps + 1):
            t = n / steps
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return found
