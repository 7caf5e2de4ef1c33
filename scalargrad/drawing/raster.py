"""PNG and PDF: the same scene painted by the system's `dot`, so that they look as the SVG does on a light page.

The scene becomes one `_background` attribute of drawing operations; no label takes part in a layout. Coordinates are
kept by the layout `neato -n2`, which some distributions have in a package of its own. Where it is missing, `dot` lays
out one invisible node of the page's size, which Graphviz 2.43, for one, cannot do with text in the background.
"""

from __future__ import annotations

import math

from scalargrad.drawing.engines import EngineError, run_dot
from scalargrad.drawing.scene import LEADING, Area, Box, Line, Scene, Text
from scalargrad.drawing.svg import arrowhead
from scalargrad.drawing.theme import MONO, SANS, Theme

_CIRCLE = 0.5523  # control points of a Bezier quarter of a unit circle
_FONTS = {MONO: "Monospace", SANS: "Sans"}
_CLEAR = "#00000000"
_MAX_PIXELS = 30_000


def to_raster(scene: Scene, theme: Theme, format_: str, *, scheme: str = "light") -> bytes:
    """The scene as 'png' (192 dots per inch, white page) or 'pdf'.

    Raises:
        EngineError: without the system's dot, or if that has no layout that keeps coordinates.
    """
    colors = theme.colors(scheme)
    page = "#14171c" if scheme == "dark" else "#ffffff"
    operations = [_operations(item, scene.height, colors) for group in scene.groups for item in group.items]
    background = " + ".join(f'"{_quotable(text)}"' for text in operations)  # DOT limits the length of one string
    width, height = f"{scene.width:.2f}", f"{scene.height:.2f}"
    fitting = math.floor(72 * _MAX_PIXELS / max(scene.width, scene.height))
    dpi = min(192, fitting) if format_ == "png" else 72
    corner = "shape=point, style=invis, width=0.01, height=0.01"
    graph = f'pad=0, dpi={dpi}, bgcolor="{page}", _background={background}'
    device = "png:cairo" if format_ == "png" else format_
    try:
        return run_dot(
            f'digraph g {{ graph [bb="0,0,{width},{height}", {graph}]; a [pos="0,0", {corner}]; '
            f'b [pos="{width},{height}", {corner}]; }}', device, "-Kneato", "-n2",
        )  # fmt: skip
    except EngineError as error:
        if "neato" not in str(error):
            raise
    size = f"width={scene.width / 72:.6f}, height={scene.height / 72:.6f}"
    try:
        return run_dot(
            f"digraph g {{ graph [margin=0, {graph}]; "
            f'a [shape=box, style=invis, label="", fixedsize=true, {size}]; }}', device, "-Kdot",
        )  # fmt: skip
    except EngineError:
        raise EngineError(
            f"{format_.upper()} needs Graphviz's layout neato, and the `dot` on the PATH has none: install the package "
            "with Graphviz's plugin neato_layout (`apt search gvplugin` lists them), or save an .svg"
        ) from None


def _operations(item: Text | Box | Line | Area, height: float, colors: dict[str, str]) -> str:
    if isinstance(item, Text):
        align = {"start": -1, "middle": 0, "end": 1}[item.anchor]
        font = _FONTS.get(item.family, "Serif") + (" Bold" if item.bold else "")
        # A backslash before the closing quote would keep a DOT string open; this one only looks like it.
        text = item.text.replace("\\", "\N{REVERSE SOLIDUS OPERATOR}")
        lines = "".join(
            f"T {item.x:.2f} {height - item.y - i * LEADING * item.size:.2f} {align} 0 {_counted(line)} "
            for i, line in enumerate(text.split("\n"))
        )
        return f"c {_counted(colors[item.color])} F {item.size:g} {_counted(font)} {lines}"
    if isinstance(item, Box):
        stroke = _pen(item.stroke, item.line, "dashed" if item.dashed else "solid", colors)
        stroke += f"C {_counted(colors.get(item.fill, _CLEAR))} "
        if item.ellipse:
            cx, cy = item.x + item.width / 2, height - item.y - item.height / 2
            return f"{stroke}E {cx:.2f} {cy:.2f} {item.width / 2:.2f} {item.height / 2:.2f} "
        return f"{stroke}b {_points(_rounded(item), height)}"
    if isinstance(item, Area):
        corners = [((x, y), (x + w, y), (x + w, y + h), (x, y + h)) for x, y, w, h in item.boxes]
        color = _counted(_faded(colors[item.fill], item.opacity))
        boxes = "".join(f"P {_points(list(four), height)}" for four in corners)
        return f"c {_counted(_CLEAR)} C {color} {boxes}"
    points = item.points
    way = f"L {_points(points, height)}" if len(points) == 2 else f"B {_points(points, height)}"
    out = _pen(item.color, item.line, "dotted" if item.dotted else "solid", colors, item.opacity) + way
    if item.tip is not None:
        out += f"C {_counted(colors[item.color])} S {_counted('solid')} P {_points(arrowhead(item), height)}"
    return out


def _quotable(text: str) -> str:
    return text.replace('"', '\\"')


def _faded(color: str, opacity: float) -> str:
    return color if opacity >= 1.0 else f"{color}{round(255 * opacity):02x}"


def _pen(role: str, line: float, dash: str, colors: dict[str, str], opacity: float = 1.0) -> str:
    color = _faded(colors.get(role, _CLEAR), opacity)
    return f"c {_counted(color)} S {_counted(dash)} S {_counted(f'setlinewidth({line:g})')} "


def _counted(text: str) -> str:
    return f"{len(text.encode())} -{text}"


def _points(points: list[tuple[float, float]], height: float) -> str:
    return f"{len(points)} " + "".join(f"{x:.2f} {height - y:.2f} " for x, y in points)


def _rounded(box: Box) -> list[tuple[float, float]]:
    """The outline of a rectangle with round corners, as Bezier points."""
    r = min(box.radius, box.width / 2, box.height / 2)
    k = r * (1 - _CIRCLE)
    x0, y0, x1, y1 = box.x, box.y, box.x + box.width, box.y + box.height
    corners = [
        ((x1 - r, y0), (x1 - k, y0), (x1, y0 + k), (x1, y0 + r)),
        ((x1, y1 - r), (x1, y1 - k), (x1 - k, y1), (x1 - r, y1)),
        ((x0 + r, y1), (x0 + k, y1), (x0, y1 - k), (x0, y1 - r)),
        ((x0, y0 + r), (x0, y0 + k), (x0 + k, y0), (x0 + r, y0)),
    ]
    points = [(x0 + r, y0)]
    for start, c1, c2, end in corners:
        points += [points[-1], start, start, c1, c2, end]
    return points
