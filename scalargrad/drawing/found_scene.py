"""The picture of layers that were found: dots for operations, and below them matrices; laid out here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from scalargrad.drawing.scene import Area, Box, Group, Line, Scene, Text
from scalargrad.drawing.theme import SANS, text_width
from scalargrad.words.texts import counted, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scalargrad.compiling.structure.overview import Overview, Part

MOST_ROWS, MOST_COLUMNS = 64, 128
"""Of a layer, and of a level of operations, that are drawn; the text counts them all."""
MOST_LINES = 4000
"""Beyond so many operands of drawn operations their lines are left out: they would only be a grey area."""
_EDGE, _TITLE, _GRAPH, _GAP, _FOOT = 16.0, 22.0, 200.0, 30.0, 44.0
_DOWN, _WIDEST = 21.0, 190.0
_MATRIX = 110.0
_SHADES = 5
_SIZE = 11.0


def words_of(part: Part) -> str:
    """A part in words."""
    if part.weights:
        text = f"Dense {len(part.weights)} x {len(part.weights[0])}"
        return text + " with bias" * part.has_bias + ", weights computed" * part.is_computed
    return ", ".join(f"{grouped(count)} {name}" for name, count in part.counts.items())


# -------------------------------------------------------------------- where everything is


@dataclass
class _Strip:
    """What one part takes of the picture's width.

    Attributes:
        part: it; None for the sample's numbers.
        lines: its words.
        dots: for each instruction that is drawn where its dot lies, from the strip's middle and the graph's.
        size: of a dot.
        width: of the strip.
        x: its middle.
    """

    part: Part | None
    lines: list[str]
    dots: dict[int, tuple[float, float]] = field(default_factory=dict)
    size: float = 4.0
    width: float = 0.0
    x: float = 0.0

    def spread(self, rows: Sequence[Sequence[int]], across: float) -> None:
        """Place the dots of rows, or columns of one dot each, so far apart at most."""
        columns = max(len(row) for row in rows)
        down = min(_DOWN, (_GRAPH - 20.0) / len(rows))
        step = min(across, _WIDEST / columns)
        self.size = max(1.0, min(4.5, 0.7 * min(down, step)))
        for j, row in enumerate(rows):
            for k, slot in enumerate(row):
                self.dots[slot] = (step * (k - (columns - 1) / 2), down * (j - (len(rows) - 1) / 2))
        words = max(text_width(line, _SIZE) for line in self.lines)
        matrix = cell_of(self.part) * len(self.part.weights[0]) if self.part and self.part.weights else 0.0
        self.width = max(step * columns + 10.0, words + 8.0, matrix + 12.0)


def cell_of(part: Part) -> float:
    """The side of a square for one weight."""
    rows, columns = min(MOST_ROWS, len(part.weights)), min(MOST_COLUMNS, len(part.weights[0]))
    return min(12.0, _MATRIX / max(rows, columns))


def _strips(found: Overview) -> list[_Strip]:
    given = _Strip(None, [grouped(len(found.inputs)), "numbers" if len(found.inputs) != 1 else "number"])
    given.spread([[slot] for slot in found.inputs[:MOST_ROWS]] or [[-1]], 8.0)
    strips = [given]
    for part in found.parts:
        if part.weights:
            lines = [f"Dense {len(part.weights)} × {len(part.weights[0])}"]
            lines += ["with bias"] * part.has_bias + ["computed"] * part.is_computed
            strip = _Strip(part, lines)
            strip.spread([row[-MOST_COLUMNS:] for row in part.rows[:MOST_ROWS]], 7.0)
        else:
            names = [f"{grouped(count)} {name}" for name, count in part.counts.items()]
            strip = _Strip(part, names if len(names) <= 3 else [*names[:2], f"+ {len(names) - 2} kinds"])
            levels = [level[:MOST_ROWS] for level in part.rows[:MOST_COLUMNS]]
            strip.spread([[slot] for slot in max(levels, key=len)], 10.0)
            middle, step = (len(levels) - 1) / 2, min(10.0, _WIDEST / len(levels))
            strip.dots = {}
            for k, level in enumerate(levels):
                down = min(_DOWN, (_GRAPH - 20.0) / len(level))
                for j, slot in enumerate(level):
                    strip.dots[slot] = (step * (k - middle), down * (j - (len(level) - 1) / 2))
            strip.width = max(strip.width, step * len(levels) + 10.0)
        strips.append(strip)
    x = _EDGE
    for strip in strips:
        strip.x = x + strip.width / 2
        x += strip.width + 20.0
    return strips


# -------------------------------------------------------------------- the scene


def paint_found(found: Overview, title: str, description: str, hues: tuple[str, str]) -> Scene:
    """The scene: operations above, what is found in them below, and in words what the hues mean."""
    strips = _strips(found)
    width = max(strips[-1].x + strips[-1].width / 2 + _EDGE, 420.0)
    shift = (width - (strips[-1].x + strips[-1].width / 2 + _EDGE)) / 2
    top = _EDGE + _TITLE
    middle = top + _GRAPH / 2
    at = {}
    for strip in strips:
        strip.x += shift
        at.update({slot: (strip.x + x, middle + y) for slot, (x, y) in strip.dots.items()})
    below = top + _GRAPH + _GAP + _TITLE
    groups = [_bands(strips, top), _lines(found, at)]
    groups += [_dots(i, strip, middle) for i, strip in enumerate(strips)]
    groups += [_block(i, strip, below + _MATRIX / 2) for i, strip in enumerate(strips)]
    groups.append(_arrows(strips, below + _MATRIX / 2))
    bottom = below + _MATRIX + _FOOT
    words = f"weights: {hues[0]} is positive, {hues[1]} negative; the stronger, the larger"
    count = sum(len(row) for part in found.parts for row in part.rows)
    groups.append(Group("words", "title", items=[
        Text(_EDGE, _EDGE + 8, f"one sample's graph: {counted(count, 'operation')}", "ink", 12.0, True, "start", SANS),
        Text(_EDGE, below - 8, "what is found in it", "ink", 12.0, True, "start", SANS, halo=True),
    ]))  # fmt: skip
    groups.append(
        Group("legend", "legend", items=[Text(_EDGE, bottom + 4, words, "muted", 10.0, False, "start", SANS)])
    )
    width = max(width, 2 * _EDGE + text_width(words, 10.0))
    return Scene(width, bottom + 16, title, f"{description} {words[0].upper()}{words[1:]}.", groups)


def _bands(strips: Sequence[_Strip], top: float) -> Group:
    """Behind the operations of each layer an area, so that one sees which they are."""
    layers = [strip for strip in strips if strip.part and strip.part.weights]
    boxes = [
        Box(strip.x - strip.width / 2, top, strip.width, _GRAPH, "cluster", "cluster-border", 6.0) for strip in layers
    ]
    links = [
        Line([(strip.x, top + _GRAPH), (strip.x, top + _GRAPH + _GAP + _TITLE - 4)], "cluster-border", 1.0, dotted=True)
        for strip in layers
    ]
    return Group("bands", "band", items=[*boxes, *links])


def _lines(found: Overview, at: dict[int, tuple[float, float]]) -> Group:
    """From each operation to those that it reads."""
    lines = [
        Line([at[x], at[slot]], "edge-0", 0.6, opacity=0.45) for slot in at if slot >= 0 for x in found.reads[slot]
        if x in at
    ]  # fmt: skip
    return Group("lines", "edge", items=list(lines) if len(lines) <= MOST_LINES else [])


def _dots(i: int, strip: _Strip, middle: float) -> Group:
    s = strip.size
    boxes = [(strip.x + x - s / 2, middle + y - s / 2, s, s) for slot, (x, y) in strip.dots.items() if slot >= 0]
    role = "value" if strip.part and strip.part.weights else "muted"
    what = f"the operations of: {words_of(strip.part)}" if strip.part else "the numbers of the sample"
    return Group(f"d{i}", "node", what, [Area(boxes, role)] if boxes else [])


def _block(i: int, strip: _Strip, middle: float) -> Group:
    """A matrix, or a box with how many operations there are of each kind."""
    part, x = strip.part, strip.x
    group = Group(f"b{i}", "node", words_of(part) if part else "the numbers of a sample")
    if part and part.weights:
        cell, rows = cell_of(part), [row[:MOST_COLUMNS] for row in part.weights[:MOST_ROWS]]
        height, wide = cell * len(rows), cell * len(rows[0])
        left, top = x - wide / 2, middle - height / 2
        group.items += [Box(left - 2, top - 2, wide + 4, height + 4, "card", "border"), *_cells(rows, left, top, cell)]
        y = middle + height / 2 + 16
    else:
        height = 14.0 * len(strip.lines) + 8
        widest = max(text_width(line, _SIZE) for line in strip.lines) + 8
        fill = "group" if part else "input"
        group.items.append(Box(x - widest / 2, middle - height / 2, widest, height, fill, "border", 4.0))
        y = middle - height / 2 + 15
    for k, line in enumerate(strip.lines):
        group.items.append(Text(x, y + 14 * k, line, "ink" if k == 0 else "muted", _SIZE))
    return group


def _cells(rows: Sequence[Sequence[float]], left: float, top: float, cell: float) -> Iterator[Area]:
    """The numbers of a matrix in shades of their signs."""
    largest = max((abs(w) for row in rows for w in row if math.isfinite(w)), default=0.0) or 1.0
    shades: dict[tuple[str, int], list[tuple[float, float, float, float]]] = {}
    for j, row in enumerate(rows):
        for k, w in enumerate(row):
            if not math.isfinite(w):
                key = ("bad", _SHADES)
            else:
                key = (f"edge-{'minus' if w < 0 else 'plus'}-2", math.ceil(_SHADES * abs(w) / largest))
            if key[1]:
                shades.setdefault(key, []).append((left + cell * k, top + cell * j, cell, cell))
    for (role, shade), boxes in sorted(shades.items()):
        yield Area(boxes, role, shade / _SHADES)


def _arrows(strips: Sequence[_Strip], y: float) -> Group:
    """From each block to the next."""
    lines = []
    for one, other in pairwise(strips):
        start, end = one.x + _half(one) + 3, other.x - _half(other) - 4
        lines.append(Line([(start, y), (end - 5, y)], "edge-0", 1.4, tip=(end, y)))
    return Group("arrows", "edge", items=list(lines))


def _half(strip: _Strip) -> float:
    """Half the width of its block."""
    if strip.part and strip.part.weights:
        return cell_of(strip.part) * min(MOST_COLUMNS, len(strip.part.weights[0])) / 2 + 2
    return max(text_width(line, _SIZE) for line in strip.lines) / 2 + 4
