"""The live view of training in a notebook: curves of the loss, and what the model says on the plane of its inputs.

It is one SVG, drawn here without another package, because matplotlib takes a tenth of a second for each picture.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from math import inf, isfinite, log10
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.drawing.field import Field, class_colors, output_of
from scalargrad.drawing.image import image
from scalargrad.drawing.theme import SANS, THEMES
from scalargrad.nn.training.progress import Progress, live_lines
from scalargrad.node.numbers import plain_number

if TYPE_CHECKING:
    from scalargrad.nn.training.history import History
    from scalargrad.nn.training.stepping import Task
    from scalargrad.support.notebook import Output

GRID = 32
POINTS = 400
HIGH, LEFT, RIGHT = 236.0, 300.0, 252.0
"""The height of a panel, and the widths of the two."""


class TrainingView(Progress):
    """The picture that `nn.fit(..., watch=True)` shows and renews in a notebook.

    Args:
        task: what is trained.
        epochs: how many epochs there will be.
        output: where the picture is shown.
    """

    looks_at_model: ClassVar[bool] = True

    def __init__(self, task: Task, epochs: int, output: Output) -> None:
        super().__init__(epochs)
        self._output = output
        self._plane = _Plane.of(task)

    def _write(self, history: History) -> None:
        head = self._line(history)
        svg = picture(history, self._epochs, self._head(history), self._plane)
        text = "\n".join(live_lines(history, head, 100))
        self._output.show({"text/html": image(svg, text), "text/plain": text})

    def _head(self, history: History) -> str:
        """A line that fits above the panels, which say the other numbers."""
        return f"epoch {history.epochs} of {self._epochs}, lr {history.lr[-1]:.3g}{self._seconds(history)}"


class _Plane:
    """The samples on the plane of their two inputs, and the model's field below them."""

    def __init__(self, model: Any, points: list[tuple[float, float]], labels: list[float], threshold: float) -> None:
        self.points, self.labels, self.threshold = points, labels, threshold
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        (self.left, self.right), (self.low, self.high) = _range(xs), _range(ys)
        across = [self.left + (self.right - self.left) * i / (GRID - 1) for i in range(GRID)]
        up = [self.low + (self.high - self.low) * i / (GRID - 1) for i in range(GRID)]
        self._field = Field(model, across, up)
        self._several = 0

    @classmethod
    def of(cls, task: Task) -> _Plane | None:
        """The plane of a task whose samples are two numbers and a label each; else None."""
        rows, targets = task.samples
        step = -(-len(targets) // POINTS)
        try:
            points = [tuple(float(plain_number(x)) for x in row) for row in rows[::step]]
            labels = [float(output_of(target)) for target in targets[::step]]
        except (TypeError, ValueError):
            return None
        if any(len(point) != 2 for point in points) or not all(abs(x) <= 1e300 for point in points for x in point):
            return None
        known = sorted(set(labels))
        squared = getattr(task.loss_of, "__name__", "") in ("mse", "sse")
        threshold = (known[0] + known[-1]) / 2 if squared and len(known) == 2 else 0.0
        return cls(task.model, [(point[0], point[1]) for point in points], labels, threshold)

    def drawn(self) -> str:
        """The panel as SVG, in a box of RIGHT by HIGH."""
        rows = self._field.rows()
        self._several = several = len(rows[0][0]) if isinstance(rows[0][0], list) else 0
        theme = THEMES["default"].light
        if several:
            over = [[[_lead(o, k) for o in row] for row in rows] for k in range(several)]
        else:
            over = [[[o - self.threshold for o in row] for row in rows]]
        reach = _reach(abs(x) if not several else x for table in over for row in table for x in row)
        known = sorted(set(self.labels))
        hues = class_colors(known, several, self.threshold, theme)
        sides = [hues[float(k)] for k in range(several)] if several else [theme["edge-plus-2"], theme["edge-minus-2"]]
        pixels = [[_shade([table[j][i] for table in over], sides, reach) for i in range(GRID)] for j in range(GRID)]
        wide, high = RIGHT / (GRID - 1), HIGH / (GRID - 1)
        data = base64.b64encode(_png(pixels[::-1])).decode()
        box = f'x="{-wide / 2:.2f}" y="{-high / 2:.2f}" width="{RIGHT + wide:.2f}" height="{HIGH + high:.2f}"'
        parts = [
            f'<image {box} preserveAspectRatio="none" href="data:image/png;base64,{data}"/>',
            *(f'<path class="line" d="{_contour(table, wide, high)}"/>' for table in over),
        ]
        for (x, y), label in zip(self.points, self.labels, strict=True):
            at = (x - self.left) / (self.right - self.left) * RIGHT, (self.high - y) / (self.high - self.low) * HIGH
            place = int(label) if several and label in range(several) else known.index(label)
            parts.append(_point(*at, place, hues.get(label, theme["muted"])))
        return "".join(parts)

    def legend(self) -> str:
        """One line that says what hues and shapes are, from the left end of the panel on."""
        known = sorted(set(self.labels))
        hues = class_colors(known, self._several, self.threshold, THEMES["default"].light)
        parts, x = [], 4.0
        for i, label in enumerate(known[:6]):
            kind = int(label) if self._several and label in hues else i
            parts.append(_point(x, -4, kind, hues.get(label, THEMES["default"].light["muted"])))
            parts.append(f'<text x="{x + 8:.1f}" y="0">{label:g}</text>')
            x += 20 + 7 * len(f"{label:g}")
        end = "shade: lead of the largest" if self._several else "shade: score + green, − purple"
        return "".join(parts) + f'<text x="{x + 4:.1f}" y="0">{end}</text>'


def picture(history: History, epochs: int, head: str, plane: _Plane | None) -> str:
    """The whole view as an SVG document, readable on light and dark pages."""
    light, dark = THEMES["default"].light, THEMES["default"].dark
    width = 64 + LEFT + (40 + RIGHT if plane else 16)
    style = (
        f"text{{font:12px {SANS};fill:{light['ink']}}}.page{{fill:#fff;stroke:{light['hairline']}}}"
        f".box{{fill:none;stroke:{light['border']}}}.line{{fill:none;stroke:{light['ink']};stroke-width:1.6}}"
        f".a{{fill:none;stroke:{light['value']};stroke-width:2}}"
        f".b{{fill:none;stroke:{light['muted']};stroke-width:2;stroke-dasharray:5 3}}.sample{{stroke:#fff}}"
        "@media(prefers-color-scheme:dark){"
        f"text{{fill:{dark['ink']}}}.page{{fill:#14171c;stroke:{dark['hairline']}}}.box{{stroke:{dark['border']}}}"
        f".line{{stroke:{dark['ink']}}}.a{{stroke:{dark['value']}}}.b{{stroke:{dark['muted']}}}}}"
    )
    size = f'viewBox="0 0 {width:g} 306" width="{width:g}" height="306"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(head)}</title><style>{style}</style>",
        f'<rect class="page" x="0.5" y="0.5" width="{width - 1:g}" height="305" rx="6"/>',
        f'<text x="12" y="20">{escape(head)}</text>',
    ]
    rates = [name for name in ("accuracy", "val_accuracy") if name in history]
    losses = [name for name in ("loss", "val_loss") if name in history]
    upper = HIGH - (84 if rates else 0)
    parts.append(f'<g transform="translate(56 36)">{_panel(history, losses, epochs, upper, None)}</g>')
    if rates:
        panel = _panel(history, rates, epochs, 60, (0.0, 1.0))
        parts.append(f'<g transform="translate(56 {36 + upper + 24:g})">{panel}</g>')
    parts.append(
        f'<text x="56" y="290">epoch 1</text><text x="{56 + LEFT:g}" y="290" text-anchor="end">{epochs}</text>'
    )
    if plane is not None:
        x = 56 + LEFT + 32
        parts.append(
            f'<clipPath id="plane"><rect width="{RIGHT:g}" height="{HIGH:g}"/></clipPath>'
            f'<g transform="translate({x:g} 36)"><g clip-path="url(#plane)">{plane.drawn()}</g>'
            f'<rect class="box" width="{RIGHT:g}" height="{HIGH:g}"/></g>'
            f'<g transform="translate({x:g} 290)">{plane.legend()}</g>'
        )
    return "".join(parts) + "</svg>"


def _panel(history: History, names: Sequence[str], epochs: int, high: float, ends: tuple[float, float] | None) -> str:
    """Curves over the epochs, in a box of LEFT by `high`; of loss on a logarithmic scale if it spans three decades."""
    columns = {name: history[name] for name in names}
    finite = [x for column in columns.values() for x in column if isfinite(x)]
    low, top = ends or (min([0.0, *finite]), max(finite, default=1.0))
    least = min((x for x in finite if x > 0), default=1.0)
    logs = ends is None and low >= 0 and top > 1000 * least
    if logs:
        low = least
    if not top > low:
        top = low + max(1.0, abs(low))
    unit = max(abs(low), abs(top))  # divided by it, the ends are so small that their difference is finite

    def up(x: float) -> float:
        at, start, end = (log10(max(y, low)) if logs else y / unit for y in (x, low, top))
        return high * (1 - (at - start) / (end - start))

    parts = [f'<rect class="box" width="{LEFT:g}" height="{high:g}"/>']
    for kind, (name, column) in zip("ab", columns.items(), strict=False):
        step = max(1, len(column) // 600)
        kept = [i for i in range(len(column)) if i % step == 0 or i == len(column) - 1]
        at = [(LEFT * i / max(1, epochs - 1), up(column[i])) for i in kept if isfinite(column[i])]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at) if at else ""
        parts.append(f'<path class="{kind}" d="{path}{"h0.1" * (len(at) == 1)}"/>')
        shown = f"{name} {column[-1]:.4g}"
        y = 15 + 15 * (kind == "b") if ends is None else high - 6 - 15 * (kind == "b")
        parts.append(f'<text x="{LEFT - 6:g}" y="{y:g}" text-anchor="end">{escape(shown)}</text>')
    parts.append(f'<text x="-5" y="10" text-anchor="end">{top:.2g}</text>')
    parts.append(f'<text x="-5" y="{high:g}" text-anchor="end">{low:.1g}</text>')
    if logs:
        parts.append(f'<text x="-5" y="{high / 2:g}" text-anchor="end">log</text>')
    return "".join(parts)


_SHAPES = ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "M-3.6-3.6h7.2v7.2h-7.2z", "M0-5L5 0 0 5-5 0z", "M0-5L5 4H-5z")


def _point(x: float, y: float, kind: int, color: str) -> str:
    shape = _SHAPES[kind % len(_SHAPES)]
    return f'<path class="sample" fill="{color}" d="{shape}" transform="translate({x:.1f} {y:.1f})"/>'


def _range(numbers: Sequence[float]) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    margin = 0.15 * (high - low) or max(1.0, 0.15 * abs(low))
    return low - margin, high + margin


def _lead(outputs: Sequence[float], k: int) -> float:
    return outputs[k] - max(x for i, x in enumerate(outputs) if i != k)


def _reach(distances: Iterable[float]) -> float:
    finite = sorted(x for x in distances if 0 <= x < inf)
    return (finite[int(0.9 * (len(finite) - 1))] if finite else 0.0) or 1.0


def _shade(over: Sequence[float], sides: Sequence[str], reach: float) -> bytes:
    """The pixel where these are the leads of the classes, or the one score: hue by the winner, opaque by the lead."""
    if len(over) == 1:
        which, lead = (0, over[0]) if over[0] >= 0 else (1, -over[0])
    else:
        which = max(range(len(over)), key=over.__getitem__)
        lead = over[which]
    strength = min(max(lead / reach, 0.0), 1.0) if isfinite(lead) else 0.0
    color = sides[which]
    return bytes([*(int(color[i : i + 2], 16) for i in (1, 3, 5)), round(255 * 0.62 * strength)])


def _png(rows: Sequence[Sequence[bytes]]) -> bytes:
    """An RGBA image as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 6, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + b"".join(row) for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _contour(table: Sequence[Sequence[float]], wide: float, high: float) -> str:
    """The line where the grid's numbers are 0, as the data of a path: marching squares, linear in between."""
    parts = []
    n = len(table)

    def crossing(a: tuple[int, int], b: tuple[int, int]) -> tuple[float, float] | None:
        u, v = table[a[1]][a[0]], table[b[1]][b[0]]
        if (u > 0) == (v > 0) or not isfinite(u - v):
            return None
        t = u / (u - v)
        return (a[0] + t * (b[0] - a[0])) * wide, (n - 1 - a[1] - t * (b[1] - a[1])) * high

    for j in range(n - 1):
        for i in range(n - 1):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
            found = [at for a, b in pairwise(corners) if (at := crossing(a, b)) is not None]
            for (x0, y0), (x1, y1) in zip(found[::2], found[1::2], strict=False):
                parts.append(f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}")
    return "".join(parts)
