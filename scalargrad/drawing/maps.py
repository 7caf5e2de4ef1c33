"""A network of images as pictures: a column for each layer, with its filters and the channels that it makes."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.exports import numbers_in_json
from scalargrad.drawing.heat_map import reach, shaded
from scalargrad.drawing.picture import Card, Edge, Picture
from scalargrad.drawing.result import Drawing
from scalargrad.drawing.scene import Box, Group, Line, Scene, Text
from scalargrad.drawing.sketch import Link, Shape, Sketch
from scalargrad.drawing.theme import SANS, THEMES, edge_role, text_width
from scalargrad.support.console import Text as ConsoleText
from scalargrad.support.labels import clean_label
from scalargrad.words.texts import ELLIPSIS, counted, grouped, number_text
from scalargrad.words.texts import columns as table

if TYPE_CHECKING:
    from scalargrad.drawing.stages import Stage
    from scalargrad.nn.modules.module import Module

MOST_MAPS = 16
"""Channels of one layer that are drawn; the others are counted below them."""
MOST_NUMBERS = 32
"""Numbers of a layer without rows and columns that are drawn."""
_EDGE, _HEAD, _TILE, _FILTER, _GAP = 20.0, 64.0, 52.0, 30.0, 8.0
_BETWEEN = 44.0
_ROW = 18.0
_BAR = 60.0


class MapsDrawing(Drawing):
    """A drawn network of images. It keeps the numbers of when it was made, and needs no engine."""

    def __init__(
        self, model: Module, stages: list[Stage], what: str, *, theme: str, scheme: str, id_prefix: str, legend: bool
    ) -> None:
        self._head, self._stages, self._what = clean_label(model._head()), stages, what
        self._hues = THEMES[theme].positive, THEMES[theme].negative
        cards = [
            Card(stage.title, "", _rows(stage), stage.title, ("op",) if i else ("input",))
            for i, stage in enumerate(stages)
        ]
        edges = [Edge(i, i + 1, 0.0, 0.0) for i in range(len(stages) - 1)]
        picture = Picture(cards, edges, None, False, scopes=[])
        picture.title = f"Network {self._head}"
        picture.description = self._description()
        super().__init__(picture, _sketch(picture), theme=theme, scheme=scheme, id_prefix=id_prefix, legend=legend)

    def _description(self) -> str:
        parameters = sum(stage.parameters for stage in self._stages)
        sizes = " → ".join(stage.size for stage in self._stages)
        return f"Network {self._head}: {counted(parameters, 'parameter')}; {sizes}."

    @property
    def text(self) -> str:
        """The network as a table of its layers."""
        rows = [
            [stage.title, ", ".join(stage.kind), stage.size, grouped(stage.parameters) if stage.layer else ""]
            for stage in self._stages
        ]
        rows.insert(0, ["layer", "what it is", "makes", "parameters"])
        lines = [line.rstrip() for line in table(rows, "<<<>")]
        return ConsoleText("\n".join([self.picture.description, *lines, ""]))

    @property
    def json(self) -> str:
        """The network as JSON: its layers, what they make of the sample, and the filters."""
        layers = [
            {
                "name": stage.title, "kind": stage.kind, "shape": stage.shape, "parameters": stage.parameters,
                self._what: numbers_in_json(stage.maps), "filters": numbers_in_json(stage.filters),
            }
            for stage in self._stages
        ]  # fmt: skip
        document = {"format": "scalargrad-maps", "version": 1, "title": self.picture.title, "layers": layers}
        return json.dumps(document, indent=1, allow_nan=False) + "\n"

    def _drawn_by(self) -> str:
        return "scalargrad"

    def _scene(self) -> Scene:
        return paint_maps(self._stages, self._what, self.picture.title, self.picture.description,
                          self._hues if self._legend else None)  # fmt: skip

    def __repr__(self) -> str:
        return f"<Drawing of {self._head}: {counted(len(self._stages) - 1, 'layer')} of images>"


def _rows(stage: Stage) -> list[tuple[str, str]]:
    return [("ink", stage.title), *(("muted", kind) for kind in stage.kind), ("muted", stage.size)]


def _sketch(picture: Picture) -> Sketch:
    shapes = [
        Shape(
            f"n{i}", max(text_width(t, 12.0) for _, t in card.rows) + 18, 18.0 * len(card.rows),
            [t for _, t in card.rows], classes=card.kinds[0], fill="input" if card.kinds[0] == "input" else "card",
        )
        for i, card in enumerate(picture.cards)
    ]  # fmt: skip
    links = [Link(f"e{i}", f"n{e.tail}", f"n{e.head}", color=edge_role(0)) for i, e in enumerate(picture.edges)]
    return Sketch(shapes, links, clusters={})


# -------------------------------------------------------------------- places and shapes


def paint_maps(stages: list[Stage], what: str, title: str, description: str, hues: tuple[str, str] | None) -> Scene:
    """Columns from left to right, an arrow between each two, and a line below that says what the hues mean."""
    bodies = [_size(stage) for stage in stages]
    widths = [
        max(wide, *(0.52 * len(t) * 11.5 for t in _titles(stage)))
        for (wide, _), stage in zip(bodies, stages, strict=True)
    ]
    tall = max(110.0, *(high for _, high in bodies))
    middle = _EDGE + _HEAD + tall / 2
    groups, x, spans = [], _EDGE, []
    for n, (stage, wide, body) in enumerate(zip(stages, widths, bodies, strict=True)):
        head = Group(f"t{n}", "title")
        for i, text in enumerate(_titles(stage)):
            color, size = ("muted", 11.0) if i else ("ink", 11.5)
            head.items.append(Text(x + wide / 2, _EDGE + 8 + 15 * i, text, color, size, not i, family=SANS))
        left = x + (wide - body[0]) / 2
        groups += [head, *_body(stage, n, left, middle - body[1] / 2, what, last=n == len(stages) - 1)]
        spans.append((left, left + body[0]))
        x += wide + _BETWEEN
    for n, ((_, a), (b, _)) in enumerate(pairwise(spans)):
        line = Line([(a + 6, middle), (b - 14, middle)], "muted", 1.4, tip=(b - 6, middle))
        groups.append(Group(f"a{n}", "edge", f"{stages[n].title} to {stages[n + 1].title}", [line]))
    bottom = middle + tall / 2 + 18
    if hues is not None:
        text = f"{what}: {hues[0]} is positive, {hues[1]} negative; the stronger, the larger"
        if not any(stage.maps for stage in stages):
            text = f"filters: {hues[0]} is positive, {hues[1]} negative; draw(x) shows what is made of a sample x"
        groups.append(
            Group("legend", "legend", text, [Text(_EDGE, bottom + 4, text, "muted", 10.5, anchor="start", family=SANS)])
        )
        x = max(x, 0.5 * len(text) * 10.5 + 2 * _EDGE + _BETWEEN)
    return Scene(x - _BETWEEN + _EDGE, bottom + 16, title, description, groups)


def _titles(stage: Stage) -> list[str]:
    return [stage.title, *stage.kind[:1], *([", ".join(stage.kind[1:])] if stage.kind[1:] else []), stage.size]


def _grid(stage: Stage) -> tuple[int, int]:
    """How many channels are drawn, and in how many columns."""
    n = min(_channels(stage), MOST_MAPS)
    return n, 1 if n <= 6 else 2


def _channels(stage: Stage) -> int:
    return stage.shape[0] if stage.is_image else len(stage.filters)


def _tile(stage: Stage) -> tuple[float, float]:
    """Width and height of a channel, the longer side as long as there is room for."""
    rows, columns = stage.shape[1:] if stage.is_image else (1, 1)
    side = _TILE * 1.5 if _grid(stage)[0] == 1 else _TILE
    return side * min(1.0, columns / rows), side * min(1.0, rows / columns)


def _filter_width(stage: Stage) -> float:
    """Room for a filter beside its channel; its channels stand side by side."""
    if not stage.filters:
        return 0.0
    kernel = stage.filters[0]
    if len(kernel) > 4:
        return 0.0
    return len(kernel) * _FILTER * min(1.0, len(kernel[0][0]) / len(kernel[0])) + 3.0 * (len(kernel) - 1) + _GAP


def _size(stage: Stage) -> tuple[float, float]:
    if not stage.shape and not _filter_width(stage):
        return _TILE, _TILE
    if stage.shape and not stage.is_image:
        n = min(stage.shape[0], MOST_NUMBERS)
        return _BAR + 34.0, n * _pitch(n) + 16.0 * (stage.shape[0] > n)
    n, columns = _grid(stage)
    wide, high = _tile(stage) if stage.is_image else (0.0, _FILTER)
    rows = -(-n // columns)
    more = _channels(stage) > n
    return columns * (wide + _filter_width(stage)) + (columns - 1) * 2 * _GAP, rows * (high + _GAP) - _GAP + 16.0 * more


def _pitch(n: int) -> float:
    return _ROW if n <= 16 else 288.0 / n


def _body(stage: Stage, n: int, left: float, top: float, what: str, *, last: bool) -> list[Group]:
    if not stage.shape and not _filter_width(stage):
        return [
            Group(f"m{n}", "map", f"{stage.title}, of unknown size", [Box(left, top, _TILE, _TILE, "card", "border")])
        ]
    if stage.shape and not stage.is_image:
        return _numbers(stage, n, left, top, what, last=last)
    shown, columns = _grid(stage)
    wide, high = _tile(stage) if stage.is_image else (0.0, _FILTER)
    beside = _filter_width(stage)
    groups = []
    most_map = reach([v for channel in stage.maps for row in channel for v in row], 1.0)
    most_filter = reach([v for kernel in stage.filters for channel in kernel for row in channel for v in row], 1.0)
    for i in range(shown):
        x = left + (i % columns) * (wide + beside + 2 * _GAP)
        y = top + (i // columns) * (high + _GAP)
        if beside:
            at = x
            group = Group(f"f{n}-{i}", "filter", f"{stage.title} · filter {i}")
            for channel in stage.filters[i]:
                width = _FILTER * min(1.0, len(channel[0]) / len(channel))
                height = _FILTER * min(1.0, len(channel) / len(channel[0]))
                group.items += _framed(channel, at, y + (high - height) / 2, width, height, most_filter)
                at += width + 3.0
            groups.append(group)
        if stage.is_image:
            about = f"{stage.title} · channel {i}, {stage.shape[1]}×{stage.shape[2]}"
            group = Group(f"m{n}-{i}", "map", about)
            numbers = stage.maps[i] if stage.maps else None
            ink = not n and what == "values"
            group.items += _framed(numbers, x + beside, y, wide, high, most_map, stage.shape[1:], ink=ink)
            groups.append(group)
    if _channels(stage) > shown:
        middle = left + (columns * (wide + beside) + (columns - 1) * 2 * _GAP) / 2
        bottom = top + -(-shown // columns) * (high + _GAP)
        more = f"{ELLIPSIS} {grouped(_channels(stage) - shown)} more"
        groups.append(Group(f"r{n}", "more", items=[Text(middle, bottom + 6, more, "muted", 11.0, family=SANS)]))
    return groups


def _framed(
    numbers: list[list[float]] | None, x: float, y: float, width: float, height: float, most: float,
    shape: list[int] | None = None, *, ink: bool = False,
) -> list[Any]:  # fmt: skip
    """A channel as cells, with a frame; without numbers the cells are lines."""
    items: list[Any] = [Box(x, y, width, height, "card", "none")]
    if numbers is not None:
        items += shaded(numbers, x, y, width, height, most, ink=ink)
    elif shape is not None:
        rows, columns = shape
        if max(rows, columns) <= 16:
            items += [
                Line([(x, y + height * i / rows), (x + width, y + height * i / rows)], "hairline", 0.6)
                for i in range(1, rows)
            ]
            items += [
                Line([(x + width * j / columns, y), (x + width * j / columns, y + height)], "hairline", 0.6)
                for j in range(1, columns)
            ]
    items.append(Box(x, y, width, height, "none", "border", line=1.0))
    return items


def _numbers(stage: Stage, n: int, left: float, top: float, what: str, *, last: bool) -> list[Group]:
    """A list of numbers, each a bar from the middle, with its name."""
    count = stage.shape[0]
    shown = min(count, MOST_NUMBERS)
    numbers = [row[0] for channel in stage.maps for row in channel] if stage.maps else []
    most = reach(numbers, 1.0)
    groups, pitch = [], _pitch(shown)
    largest = max(range(len(numbers)), key=numbers.__getitem__, default=-1) if last and what == "values" else -1
    axis = left + 34.0 + _BAR / 2
    for i in range(shown):
        y = top + i * pitch
        name = f"{'y' if last else ''}{i}" if count > 1 else "y"
        group = Group(f"v{n}-{i}", "number", f"{stage.title} · {name}" + (f": {numbers[i]!r}" if numbers else ""))
        size = min(11.0, pitch * 0.8)
        if size >= 7.0:
            group.items.append(
                Text(left + 28.0, y + pitch / 2 + size * 0.36, name, "ink", size, i == largest, anchor="end")
            )
        if numbers and not math.isfinite(numbers[i]):
            group.items.append(Text(axis, y + pitch / 2 + size * 0.36, number_text(numbers[i]), "bad", size))
        elif numbers and most:
            long = _BAR / 2 * min(1.0, abs(numbers[i]) / most)
            at = axis if numbers[i] >= 0 else axis - long
            role = f"edge-{'plus' if numbers[i] >= 0 else 'minus'}-{3 if i == largest else 2}"
            group.items.append(Box(at, y + pitch * 0.18, long, pitch * 0.64, role, "none"))
        else:
            r = min(5.0, pitch * 0.32)
            group.items.append(Box(axis - r, y + pitch / 2 - r, 2 * r, 2 * r, "card", "border", ellipse=True))
        groups.append(group)
    if numbers:
        line = Line([(axis, top), (axis, top + shown * pitch)], "border", 1.0)
        groups.append(Group(f"x{n}", "axis", items=[line]))
    if count > shown:
        more = f"{ELLIPSIS} {grouped(count - shown)} more"
        groups.append(
            Group(f"r{n}", "more", items=[Text(axis, top + shown * pitch + 12, more, "muted", 11.0, family=SANS)])
        )
    return groups
