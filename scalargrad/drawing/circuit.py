"""Circuit style, as in the CS231n lecture: gates on wires, values above the wires and gradients below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.drawing.cards import framed, row_text
from scalargrad.drawing.picture import GRADIENT_LEAD
from scalargrad.drawing.scene import Box, Group, Line, Scene
from scalargrad.drawing.sketch import Link, Shape, Sketch
from scalargrad.drawing.theme import text_width
from scalargrad.drawing.wrapping import shortened
from scalargrad.words.equations import op_symbol
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from scalargrad.drawing.engines import Layout, Point
    from scalargrad.drawing.picture import Card, Picture

MAX_GATES = 15
SIZE = 12.0
GATE = 32.0
HEIGHT = 40.0
ARROW = 12.0


def sketch(picture: Picture) -> Sketch:
    """One shape per Value: its gate, or a leaf's name, and the piece of wire that carries its numbers."""
    gates = sum(bool(card.equation) for card in picture.cards)
    if gates > MAX_GATES:
        raise ValueError(
            f"style='circuit' is for at most {MAX_GATES} gates and this graph has {gates}: "
            "leave style='card', or draw a part of it with depth= or focus="
        )
    shapes = []
    for i, card in enumerate(picture.cards):
        width = _gate_width(card) + _wire_width(card)
        if i == picture.root:
            width += ARROW + text_width(shortened(card.name), SIZE) + 4
        fields = [_gate_text(card), *(text.removeprefix(GRADIENT_LEAD) for _, text in card.rows[1:])]
        shapes.append(Shape(f"n{i}", width, HEIGHT, fields, across=True, classes=" ".join(card.kinds)))
    links = [
        Link(f"e{i}", f"n{edge.tail}", f"n{edge.head}", tail_side="e", head_side="w", dotted=edge.stub)
        for i, edge in enumerate(picture.edges)
    ]
    return Sketch(shapes, links, nodesep=0.14, ranksep=0.4)


def paint(picture: Picture, sketch: Sketch, layout: Layout) -> Scene:
    """The wires between the shapes, then each gate with its own piece of wire."""
    groups = []
    ends = {}
    for i, (card, shape) in enumerate(zip(picture.cards, sketch.shapes, strict=True)):
        x, y = layout.centers[shape.key]
        ends[i] = (x - shape.width / 2 + _gate_width(card) + _wire_width(card), y)
    for i, edge in enumerate(picture.edges):
        curve = layout.curves[f"e{i}"]
        item = Line(_from(ends[edge.tail], curve.points), "border", 1.2, curve.tip, edge.stub)
        groups.append(Group(f"e{i}", "edge", edge.title, [item]))
    for i, (card, shape) in enumerate(zip(picture.cards, sketch.shapes, strict=True)):
        x, y = layout.centers[shape.key]
        left = x - shape.width / 2
        gate = _gate_width(card)
        group = Group(shape.key, "node " + shape.classes, card.title)
        start, end = left + gate, left + gate + _wire_width(card)
        root = i == picture.root
        tip = (end + ARROW, y) if root else None
        group.items.append(Line([(start, y), (end + (4 if root else 0), y)], "border", 1.2, tip))
        if card.equation:
            line, border = (2.0, "root-border") if root else (1.2, "border")
            border = "bad" if "bad" in card.kinds else border
            group.items.append(Box(left, y - GATE / 2, gate, GATE, "card", border, GATE / 2, line))
        group.items.append(row_text(left + gate / 2 - (0 if card.equation else 3), y, _gate_text(card), "ink"))
        middle = (start + end) / 2
        for (role, text), dy in zip(card.rows[1:], (-10.0, 10.0), strict=False):
            group.items.append(row_text(middle, y + dy, text.removeprefix(GRADIENT_LEAD), role))
        if root:
            name = shortened(card.name)
            width = text_width(name, SIZE)
            group.items.append(row_text(end + ARROW + 4 + width / 2, y, name, "ink", bold=True))
        groups.append(group)
    return framed(picture, layout, groups)


def _from(start: Point, points: list[Point]) -> list[Point]:
    """The curve from where the wire ends. The engine leaves a small gap, and to the root's it does not lead at all."""
    (x0, y0), (x1, y1) = start, points[0]
    third = ((x1 - x0) / 3, (y1 - y0) / 3)
    return [start, (x0 + third[0], y0 + third[1]), (x1 - third[0], y1 - third[1]), *points]


def _gate_text(card: Card) -> str:
    """The operation with its constant, as `×−1` or `2÷`, and 1/x as that; a leaf's name."""
    if not card.equation or card.value is None:
        return shortened(card.name)
    symbol, operands = op_symbol(card.value), card.value.operands
    if symbol == "reciprocal" or (symbol == "÷" and operands[0] == (None, 1.0)):
        return "1/x"
    if len(operands) == 2:
        (x, a), (y, b) = operands
        if y is None:
            return symbol + number_text(b)
        if x is None:
            return symbol + number_text(a) if symbol in "+×" else number_text(a) + symbol
    return symbol


def _gate_width(card: Card) -> float:
    width = text_width(_gate_text(card), SIZE)
    return max(GATE, width + 14) if card.equation else width + 6


def _wire_width(card: Card) -> float:
    return max([24.0] + [text_width(text.removeprefix(GRADIENT_LEAD), SIZE) + 14 for _, text in card.rows[1:]])
