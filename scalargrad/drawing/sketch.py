"""What the layout engine must know: sizes, fields and links, without colours or coordinates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Shape:
    """A node of the layout.

    Attributes:
        key: its id in DOT, such as n3; never user text.
        width: in points.
        height: in points.
        fields: the texts of a record, or the one text of another shape.
        kind: 'record', 'ellipse' or 'plaintext'.
        across: whether the fields stand side by side instead of on top of each other.
        classes: for stylesheets.
        fill: colour role of the inside.
        border: colour role of the outline.
        dashed: whether the outline is.
        scope: the cluster it lies in; empty if none.
        module: the module that it stands for; empty if none.
    """

    key: str
    width: float
    height: float
    fields: list[str]
    kind: str = "record"
    across: bool = False
    classes: str = ""
    fill: str = "card"
    border: str = "border"
    dashed: bool = False
    scope: tuple[str, ...] = ()
    module: tuple[str, ...] = ()


@dataclass
class Link:
    """An edge of the layout: between two shapes, with a short text of ours, leaving and entering at a side if given."""

    key: str
    tail: str
    head: str
    label: str = ""
    tail_side: str = ""
    head_side: str = ""
    color: str = "edge-0"
    width: float = 1.2
    dotted: bool = False


@dataclass
class Sketch:
    """All shapes and links, and the direction in which they flow.

    Attributes:
        rankdir: 'LR' or 'TB'.
        clusters: scope to title, in order.
        columns: whether the layers of a network may be placed as columns, in order.
    """

    shapes: list[Shape]
    links: list[Link]
    rankdir: str = "LR"
    clusters: dict[tuple[str, ...], str] = field(default_factory=dict)
    nodesep: float = 0.22
    ranksep: float = 0.42
    columns: bool = False


def levels(sketch: Sketch) -> list[list[Shape]]:
    """The shapes by their distance from the inputs along the longest path. Links against the order are ignored."""
    position = {shape.key: i for i, shape in enumerate(sketch.shapes)}
    level = [0] * len(sketch.shapes)
    for link in sorted(sketch.links, key=lambda link: position[link.head]):
        tail, head = position[link.tail], position[link.head]
        if tail < head:
            level[head] = max(level[head], level[tail] + 1)
    # Inputs stand beside what uses them first, as the engines place them.
    fed = {link.head for link in sketch.links}
    first = [len(level)] * len(level)
    for link in sketch.links:
        tail, head = position[link.tail], position[link.head]
        first[tail] = min(first[tail], level[head] - 1)
    for i, shape in enumerate(sketch.shapes):
        if shape.key not in fed and first[i] < len(level):
            level[i] = max(first[i], 0)
    found: list[list[Shape]] = [[] for _ in range(max(level, default=0) + 1)]
    for shape, i in zip(sketch.shapes, level, strict=True):
        found[i].append(shape)
    return found


def make_room(sketch: Sketch) -> None:
    """Move the levels apart where so many links run between two of them that they would merge into one band."""
    at = {shape.key: i for i, column in enumerate(levels(sketch)) for shape in column}
    busiest = max(Counter(at[link.head] for link in sketch.links).values(), default=0)
    sketch.ranksep += min(2.0, 0.008 * max(0, busiest - 24))


def choose_rankdir(sketch: Sketch) -> str:
    """'LR' up to 8 levels or if the picture will be at most four times as wide as high, else 'TB'.

    Estimated before any layout, so that the answer is the same for every engine and for none.
    """
    columns = levels(sketch)
    if len(columns) <= 8:
        return "LR"
    width = sum(max(shape.width for shape in column) + 72 * sketch.ranksep for column in columns)
    height = max(sum(shape.height + 72 * sketch.nodesep for shape in column) for column in columns)
    return "TB" if width > 4 * height else "LR"


def length(sketch: Sketch) -> float:
    """About how long the picture will be in the direction in which it flows, in points."""
    across = sketch.rankdir == "TB"
    sizes = [max(shape.height if across else shape.width for shape in column) for column in levels(sketch) if column]
    return sum(size + 72 * sketch.ranksep for size in sizes)
