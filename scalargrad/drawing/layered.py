"""Network style: columns of circles, a line for each weight; laid out here, without an engine."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from scalargrad.drawing.heat_map import disc, heat_map
from scalargrad.drawing.scene import Box, Group, Line, Scene, Text
from scalargrad.drawing.theme import SANS, edge_role, text_width
from scalargrad.words.texts import ELLIPSIS, counted, grouped, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scalargrad.drawing.answers import Plane
    from scalargrad.drawing.columns import Network, Node
    from scalargrad.engine import Value

MOST_SHOWN = 64
"""Neurons of one column that are drawn; the others are counted below it."""
TITLED_LINES = 500
"""Up to so many lines, each has a title of its own; beyond, all between two columns share one, or the file is large."""
_EDGE = 20.0
_HEAD = 46.0
_FOOT = 17.0
_PANEL = 150.0
_BETWEEN = 14.0
_LEAST_WIDTH = 440.0


@dataclass
class Shown:
    """What is drawn beside the network itself; by column and node where it is about nodes.

    Attributes:
        lines: the number of each parameter, which its line shows.
        largest: the size of the largest weight's.
        of_lines: what these are: `weight`, or `gradient`.
        numbers: the number in each circle; none if empty.
        plane: the plane that the circles show; None if they do not.
        cells: what each node answers in each cell of its grid, row by row from the top.
        caption: what to call for more.
        hues: what people call the hues of positive and negative numbers.
        legend: whether a line below says what the lines mean.
    """

    lines: dict[Value, float]
    largest: float = 0.0
    of_lines: str = "weight"
    numbers: list[list[float]] = field(default_factory=list)
    plane: Plane | None = None
    cells: list[list[list[float]]] = field(default_factory=list)
    caption: str = ""
    hues: tuple[str, str] = ("", "")
    legend: bool = True


@dataclass
class Places:
    """Where everything is: for each column its x, the y of each node that is shown, and their radius."""

    x: list[float]
    y: list[list[float]]
    radius: list[float]
    width: float
    height: float


def place(network: Network, panel: bool = False) -> Places:
    """The columns from left to right, their nodes from top to bottom in the order of their indices."""
    shown = [min(len(column.nodes), MOST_SHOWN) for column in network.columns]
    pitches = [_pitch(n) for n in shown]
    tall = max(p * n for p, n in zip(pitches, shown, strict=True))
    tall = max(tall, 110.0, _PANEL + 20 if panel else 0.0)
    titles = [max(text_width(t, 11.5) for t in (column.title, column.kinds)) for column in network.columns]
    radius = [min(26.0, 0.42 * p) for p in pitches]
    names = max(text_width(node.name, 11.0) for node in network.columns[0].nodes[:MOST_SHOWN])
    at = _EDGE + max(names + 8 + radius[0], titles[0] / 2)
    xs = [at]
    for i in range(1, len(shown)):
        room = max((titles[i - 1] + titles[i]) / 2 + 14, radius[i - 1] + radius[i] + 40)
        at += max(room, min(300.0, max(128.0, 0.3 * tall)))
        xs.append(at)
    width = at + max(radius[-1] + 34, titles[-1] / 2) + _EDGE + (_PANEL + 36 if panel else 0.0)
    if width < _LEAST_WIDTH:
        xs = [x + (_LEAST_WIDTH - width) / 2 for x in xs]
        width = _LEAST_WIDTH
    top = _EDGE + _HEAD
    ys = [[top + tall / 2 + p * (i - (n - 1) / 2) for i in range(n)] for p, n in zip(pitches, shown, strict=True)]
    hidden = any(len(column.nodes) > MOST_SHOWN for column in network.columns)
    return Places(xs, ys, radius, width, top + tall + (_FOOT if hidden else 0.0))


def paint_network(network: Network, shown: Shown, title: str, description: str) -> Scene:
    """Lines at the back, the strongest on top, then the circles and their names, then the legend."""
    panel = shown.plane is not None and len(network.columns[-1].nodes) == 1
    places = place(network, panel)
    groups = _lines(network, places, shown)
    for c, column in enumerate(network.columns):
        x, ys, r = places.x[c], places.y[c], places.radius[c]
        head = Group(f"t{c}", "title", items=[
            Text(x, _EDGE + 8, column.title, "ink", 11.5, True, family=SANS),
            Text(x, _EDGE + 23, column.kinds, "muted", 11.0, family=SANS),
        ])  # fmt: skip
        groups += [_node(network, shown, c, i, x, y, r) for i, y in enumerate(ys)]
        if len(column.nodes) > len(ys):
            more = f"{ELLIPSIS} {grouped(len(column.nodes) - len(ys))} more"
            head.items.append(Text(x, ys[-1] + r + 14, more, "muted", 11.0, family=SANS))
        groups.append(head)
    if panel and shown.plane is not None:
        groups.append(_panel(places, shown, shown.plane))
    groups.append(_legend(shown, _crowd(places) > 0, places.width, places.height + 18))
    bottom = max(item.y for item in groups[-1].items if isinstance(item, Text))
    return Scene(places.width, bottom + 12, title, description, groups)


# -------------------------------------------------------------------- lines


def wires(network: Network, places: Places) -> Iterator[tuple[int, int, int, int, Value]]:
    """Every weight whose line is drawn: column and index of the neuron, piece, index in the column before, weight."""
    for c, column in enumerate(network.columns):
        for j, node in enumerate(column.nodes[: len(places.y[c])]):
            for p, weights in enumerate(node.weights):
                for k, weight in enumerate(weights[: len(places.y[c - 1])]):
                    yield c, j, p, k, weight


def _lines(network: Network, places: Places, shown: Shown) -> list[Group]:
    found = list(wires(network, places))
    strength = [shown.lines.get(weight, 0.0) for *_, weight in found]
    crowd = _crowd(places)
    order = sorted(range(len(found)), key=lambda i: (_share(strength[i], shown.largest), -i))
    by_gap: dict[int, Group] = {}
    groups = []
    for i in order:
        c, j, p, k, _ = found[i]
        line = _line(network, places, c, j, p, k, straight=crowd > 0.3)
        share = _share(strength[i], shown.largest)
        line.line = 0.5 + (4.5 - 3.2 * crowd) * share
        line.opacity = 1.0 - 0.95 * crowd * (1.0 - share ** (1.0 + 3.0 * crowd))
        s = strength[i]
        line.color = "bad" if not math.isfinite(s) else edge_role(0 if s == 0.0 else int(math.copysign(2, s)))
        line.dotted = s == 0.0 or not math.isfinite(s)
        if len(found) <= TITLED_LINES:
            head, tail = network.columns[c], network.columns[c - 1]
            piece = f", piece {p}" if len(head.nodes[j].weights) > 1 else ""
            about = f"{_full(tail.title, tail.nodes[k])} to {_full(head.title, head.nodes[j])}{piece}: "
            groups.append(Group(f"w{c}-{j}-{p}-{k}", "edge", f"{about}{shown.of_lines} {s!r}", [line]))
            continue
        if c not in by_gap:
            n = sum(c == other[0] for other in found)
            about = f"{counted(n, shown.of_lines)} from {network.columns[c - 1].title} to {network.columns[c].title}"
            by_gap[c] = Group(f"w{c}", "edges", about)
        by_gap[c].items.append(line)
    return groups + [by_gap[c] for c in sorted(by_gap)]


def _crowd(places: Places) -> float:
    """How crowded the lines are: 0 up to 64 lines between two columns, 1 from 2 048."""
    busiest = max((len(a) * len(b) for a, b in pairwise(places.y)), default=1)
    return min(1.0, max(0.0, math.log2(busiest / 64) / 5))


def _share(s: float, largest: float) -> float:
    return min(1.0, abs(s) / largest) if largest and s == s else float(not math.isfinite(s))


def _line(network: Network, places: Places, c: int, j: int, p: int, k: int, *, straight: bool) -> Line:
    pieces = len(network.columns[c].nodes[j].weights)
    r0, r1 = places.radius[c - 1], places.radius[c]
    aside = 0.0 if pieces == 1 else 1.3 * r1 * ((p + 0.5) / pieces - 0.5)
    x0, x1 = places.x[c - 1] + r0 * 0.9, places.x[c] - r1 * 0.9 + abs(aside) * 0.4
    y0, y1 = places.y[c - 1][k], places.y[c][j] + aside
    if straight:
        return Line([(x0, y0), (x1, y1)], "edge-0")
    bend = 0.38 * (x1 - x0)
    return Line([(x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)], "edge-0")


def _full(title: str, node: Node) -> str:
    return f"{title} · {node.name}" if node.weights else node.name


def _pitch(n: int) -> float:
    """How far apart n circles stand: the more, the closer."""
    return 62.0 if n <= 5 else 50.0 if n <= 9 else 36.0 if n <= 16 else max(14.0, 576.0 / n)


# -------------------------------------------------------------------- circles


def _node(network: Network, shown: Shown, c: int, i: int, x: float, y: float, r: float) -> Group:
    column = network.columns[c]
    node = column.nodes[i]
    last = c == len(network.columns) - 1 and c > 0
    number = shown.numbers[c][i] if shown.numbers else None
    group = Group(f"n{c}-{i}", "node input" if not node.weights else "node neuron", _about(network, shown, c, i))
    border = "root-border" if last else "border"
    group.items.append(Box(x - r, y - r, 2 * r, 2 * r, "card" if node.weights else "input", "none", ellipse=True))
    if shown.plane is not None:
        group.items += heat_map([row[i] for row in shown.cells[c]], x, y, r, 1.6)
    elif number is not None and math.isfinite(number) and number != 0.0:
        most = max((abs(v) for v in shown.numbers[c] if math.isfinite(v)), default=0.0)
        group.items.append(disc(x, y, r, "plus" if number > 0 else "minus", 0.15 * abs(number) / most))
    bad = number is not None and not math.isfinite(number)
    line = 2.0 if last or bad else 1.2
    group.items.append(Box(x - r, y - r, 2 * r, 2 * r, "none", "bad" if bad else border, line=line, ellipse=True))
    if number is not None:
        group.items += _fitted(x, y, r, _short(number, r), "gradient" if shown.of_lines == "gradient" else "value")
    elif shown.plane is None and node.weights:
        group.items += _fitted(x, y, r, column.shown_in(node), "ink")
    for b, bias in enumerate(node.biases):
        group.items.append(_bias(shown, bias, x, y, r, b))
    inside = not node.weights and number is None and shown.plane is None and _fitted(x, y, r, node.name, "ink")
    if inside:
        group.items += inside
    elif not node.weights:
        group.items.append(Text(x - r - 6, y + 4, node.name, "ink", min(11.0, r * 1.9), anchor="end"))
    elif last:
        name = "y" if len(column.nodes) == 1 else f"y{i}"
        group.items.append(Text(x + r + 6, y + 4, name, "ink", min(11.0, r * 1.9), True, anchor="start"))
    return group


def _about(network: Network, shown: Shown, c: int, i: int) -> str:
    column = network.columns[c]
    node = column.nodes[i]
    parts = [_full(column.title, node) + (f" ({node.activation})" if node.activation else "")]
    if node.weights:
        parts.append(counted(sum(map(len, node.weights)), "weight"))
        what = "bias" if shown.of_lines == "weight" else "gradient of the bias"
        parts += [f"{what} {shown.lines.get(bias, 0.0)!r}" for bias in node.biases]
    if shown.numbers:
        kind = "gradient" if shown.of_lines == "gradient" else "value"
        parts.append(f"{kind} {shown.numbers[c][i]!r}")
    return "; ".join(parts)


def _bias(shown: Shown, bias: Value, x: float, y: float, r: float, nth: int) -> Box:
    """A small dot at the lower left of its circle, as large as the bias is beside the largest weight."""
    s = shown.lines.get(bias, 0.0)
    size = 0.1 * r + 0.8 + 0.16 * r * _share(s, shown.largest)
    angle = math.radians(128 + 26 * nth)
    cx, cy = x + r * math.cos(angle), y + r * math.sin(angle)
    role = "bad" if not math.isfinite(s) else edge_role(0 if s == 0.0 else int(math.copysign(2, s)))
    return Box(cx - size, cy - size, 2 * size, 2 * size, role, "halo", line=0.8, ellipse=True)


def _fitted(x: float, y: float, r: float, text: str, role: str) -> list[Text]:
    """The text in the circle, as large as it fits; none if it would be too small to read."""
    if not text:
        return []
    for lines in ([text], text.replace(", ", "_").split("_", 1)):
        wide = 2 * math.sqrt(max(0.0, r * r - (4.5 * len(lines)) ** 2)) - 4
        size = min(11.0, wide / max(text_width(line, 1.0) for line in lines))
        if size >= 8.0:
            top = y + size * 0.36 - (len(lines) - 1) * size * 0.55
            return [Text(x, top + i * size * 1.1, line, role, size) for i, line in enumerate(lines)]
    return []


def _short(number: float, r: float) -> str:
    """The number with as many decimals as fit."""
    full = number_text(number)
    if text_width(full, 9.5) <= 2 * r - 8 or not math.isfinite(number):
        return full
    texts = [number_text(float(f"{number:.{digits}g}")) for digits in (3, 2, 1)]
    return next((text for text in texts if text_width(text, 9.5) <= 2 * r - 8), texts[-1])


# -------------------------------------------------------------------- beside and below


def _panel(places: Places, shown: Shown, plane: Plane) -> Group:
    """What the network answers, large, with the samples on it."""
    left = places.width - _EDGE - _PANEL
    middle = places.y[-1][0]
    top, half = middle - _PANEL / 2, _PANEL / 2
    group = Group("panel", "panel", "what the network answers over the plane of x0 and x1, with the samples")
    group.items.append(Box(left, top, _PANEL, _PANEL, "card", "none"))
    group.items += heat_map([row[0] for row in shown.cells[-1]], left + half, middle, half, 2.0, square=True)
    group.items.append(Box(left, top, _PANEL, _PANEL, "none", "border", 2.0))
    (x0, x1), (y0, y1) = plane.across, plane.up
    classes = sorted(set(plane.labels))
    step = max(1, math.ceil(len(plane.points) / 400))
    for i in range(0, len(plane.points), step):
        px, py = plane.points[i]
        if not (x0 <= px <= x1 and y0 <= py <= y1):
            continue
        cx, cy = left + _PANEL * (px - x0) / (x1 - x0), top + _PANEL * (y1 - py) / (y1 - y0)
        role = "card"
        if len(classes) == 2:
            role = "edge-plus-3" if plane.labels[i] == classes[1] else "edge-minus-3"
        group.items.append(Box(cx - 2.4, cy - 2.4, 4.8, 4.8, role, "halo", line=0.9, ellipse=True))
    for text, x, y, anchor in (
        (number_text(round(x0, 2)), left, top + _PANEL + 12, "start"),
        (number_text(round(x1, 2)), left + _PANEL, top + _PANEL + 12, "end"),
        ("x0", left + half, top + _PANEL + 12, "middle"),
    ):
        group.items.append(Text(x, y, text, "muted", 10.0, anchor=anchor))
    group.items.append(Text(left - 5, middle + 4, "x1", "muted", 10.0, anchor="end"))
    group.items.append(Text(left - 5, top + 9, number_text(round(y1, 2)), "muted", 10.0, anchor="end"))
    group.items.append(Text(left - 5, top + _PANEL, number_text(round(y0, 2)), "muted", 10.0, anchor="end"))
    group.items.append(Text(left + half, top - 7, "y", "ink", 11.0, True))
    return group


def _legend(shown: Shown, crowded: bool, width: float, top: float) -> Group:
    """What the lines' hue and width mean; what the circles show; and what to call for more."""
    kind, size = shown.of_lines, 10.5
    up_to = number_text(float(f"{shown.largest:.3g}"))
    samples = [
        ("", f"{kind}:"), ("edge-plus-2", f"+ {shown.hues[0]}"), ("edge-minus-2", f"− {shown.hues[1]}"),
        ("", f"width = size, up to {up_to}"), ("", "dot = bias"),
    ]  # fmt: skip
    if not shown.legend:
        samples = []
    rows: list[list[tuple[str, str, float]]] = [[]]
    for role, text in samples:
        length = _sans_width(text, size) + (24 if role else 0)
        if rows[-1] and sum(n + _BETWEEN for *_, n in rows[-1]) + length > width - 2 * _EDGE:
            rows.append([])
        rows[-1].append((role, text, length))
    about = f"{kind}: {shown.hues[0]} is positive, {shown.hues[1]} negative; the wider, the larger; a dot is a bias"
    group = Group("legend", "legend", about if shown.legend else "")
    for row in rows:
        x = (width - sum(n for *_, n in row) - _BETWEEN * (len(row) - 1)) / 2
        for role, text, length in row:
            if role:
                group.items.append(Line([(x, top - 3.5), (x + 18, top - 3.5)], role, 3.0))
            group.items.append(Text(x + (24 if role else 0), top, text, "muted", size, anchor="start", family=SANS))
            x += length + _BETWEEN
        top += _FOOT
    top -= _FOOT
    notes = ["weak lines are drawn paler too"] if crowded and shown.legend else []
    if shown.plane is not None and shown.legend:
        notes.append("circles: the answer over x0 (to the right) and x1 (up), each on a scale of its own")
    for note in (*notes, shown.caption):
        for line in _wrapped(note, width - 2 * _EDGE, size):
            top += _FOOT
            group.items.append(Text(width / 2, top, line, "muted", size, family=SANS))
    return group


def _wrapped(text: str, width: float, size: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _sans_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [line for line in lines if line]


def _sans_width(text: str, size: float) -> float:
    """How wide a text will be at most in the usual proportional fonts."""
    return 0.9 * text_width(text, size)
