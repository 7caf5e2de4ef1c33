"""micrograd's style: a record `data | grad` per Value, an ellipse per operation, constants as Values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.drawing.cards import framed
from scalargrad.drawing.scene import Box, Group, Line, Scene, Text
from scalargrad.drawing.sketch import Link, Shape, Sketch
from scalargrad.drawing.theme import SERIF, is_plain, text_width
from scalargrad.drawing.wrapping import shortened
from scalargrad.support.labels import clean_label
from scalargrad.table.floats import fold
from scalargrad.words.local_derivatives import local_derivatives
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from scalargrad.drawing.engines import Layout
    from scalargrad.drawing.picture import Card, Picture
    from scalargrad.engine import Value

SIZE = 13.0
HEIGHT = 30.0
ELLIPSE = 36.0


def sketch(picture: Picture) -> Sketch:
    """A record for each Value and constant, an ellipse for each operation, links as micrograd draws them."""
    shapes: list[Shape] = []
    links: list[Link] = []

    def link(tail: str, head: str) -> None:
        links.append(Link(f"e{len(links)}", tail, head, color="ink", width=1.0))

    for i, card in enumerate(picture.cards):
        record = _record(f"n{i}", _fields(card), " ".join(card.kinds))
        if card.equation and card.value is not None:
            text = _op_text(card.value)
            for j, constant in enumerate(_constants(card)):
                shapes.append(_record(f"k{i}x{j}", constant, "constant"))
                link(f"k{i}x{j}", f"o{i}")
            width = max(54.0, _width(text) * 1.3 + 14)
            shapes.append(Shape(f"o{i}", width, ELLIPSE, [text], "ellipse", classes="operation", border="ink"))
            link(f"o{i}", f"n{i}")
        shapes.append(record)
    for edge in picture.edges:
        head = f"o{edge.head}" if picture.cards[edge.head].equation else f"n{edge.head}"
        link(f"n{edge.tail}", head)
    return Sketch(shapes, links, nodesep=0.25, ranksep=0.35)


def paint(picture: Picture, sketch: Sketch, layout: Layout) -> Scene:
    """Black on white, the fields of a record side by side."""
    titles = {f"n{i}": card.title for i, card in enumerate(picture.cards)}
    titles |= {f"o{i}": card.equation for i, card in enumerate(picture.cards)}
    groups = []
    for link in sketch.links:
        curve = layout.curves[link.key]
        groups.append(Group(link.key, "edge", "", [Line(curve.points, "border", 1.0, curve.tip)]))
    for shape in sketch.shapes:
        x, y = layout.centers[shape.key]
        left, top = x - shape.width / 2, y - shape.height / 2
        group = Group(shape.key, "node " + shape.classes, titles.get(shape.key, "constant"))
        ellipse = shape.kind == "ellipse"
        line = 2.0 if "bad" in shape.classes.split() else 1.0
        group.items.append(Box(left, top, shape.width, shape.height, "card", shape.border, 0.0, line, ellipse=ellipse))
        for i, text in enumerate(shape.fields):
            width = shape.width if ellipse else _cell(text)
            if i:
                group.items.append(Line([(left, top), (left, top + shape.height)], shape.border))
            fit = None if is_plain(text) else _width(text)
            group.items.append(Text(left + width / 2, y + SIZE * 0.34, text, "ink", SIZE, family=SERIF, width=fit))
            left += width
        groups.append(group)
    return framed(picture, layout, groups)


def _fields(card: Card) -> list[str]:
    if card.value is None or card.data is None or card.grad is None:
        return [card.rows[0][1]]
    if card.values > 1:
        return [card.rows[0][1], "data " + _row(card, "value"), _row(card, "gradient")]
    label = clean_label(card.value.label) if card.value.label else card.variable
    return [*([shortened(label)] if label else []), f"data {_four(card.data)}", f"grad {_four(card.grad)}"]


def _four(x: float) -> str:
    """Four decimals, as in micrograd; of a number whose digits would fill the page its power of ten."""
    return f"{x:.4f}" if abs(x) < 1e12 else f"{x:.4e}"


def _row(card: Card, role: str) -> str:
    return next((text for kind, text in card.rows if kind == role), "")


def _op_text(value: Value) -> str:
    """The text of micrograd's `_op`; a constant exponent is part of it."""
    operands = value.operands
    if value._op == "**" and len(operands) == 2 and operands[1][0] is None:
        return "**" + number_text(operands[1][1])
    return clean_label(value._op) or "op"


def _constants(card: Card) -> list[list[str]]:
    value = card.value
    if value is None or (value._op == "**" and value.operands[-1][0] is None):
        return []
    locals_ = local_derivatives(value, constants=True)
    pairs = zip(value.operands, locals_, strict=True)
    numbers = [(a, (d or 0.0) * (card.grad or 0.0)) for (parent, a), d in pairs if parent is None]
    return [[f"data {_four(a)}", f"grad {_four(grad)}"] for a, grad in numbers]


def _record(key: str, fields: list[str], classes: str) -> Shape:
    width = fold(map(_cell, fields), 0.0)
    border = "bad" if "bad" in classes.split() else "ink"
    return Shape(key, width, HEIGHT, fields, across=True, classes=classes, border=border)


def _cell(text: str) -> float:
    return _width(text) + 16


def _width(text: str) -> float:
    """Serif digits are narrower than monospace ones; capitals and wide characters are not."""
    narrow = sum(c in " .-|ilt:;,1rf" for c in text)
    capitals = sum(c.isupper() or c in "mw%@" for c in text)
    return text_width(text, SIZE) * 0.92 - narrow * SIZE * 0.15 + capitals * SIZE * 0.35
