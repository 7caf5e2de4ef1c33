"""A scene as SVG text: right without its stylesheet, which only adds the dark colours."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from html import escape as html_escape
from typing import TYPE_CHECKING

from scalargrad.drawing.scene import LEADING, Area, Box, Group, Line, Scene, Text
from scalargrad.drawing.theme import is_plain, text_width

if TYPE_CHECKING:
    from scalargrad.drawing.theme import Theme

escape = partial(html_escape, quote=False)
"""For text between tags. The module of the standard library that is made for XML imports all of urllib and ssl."""


def to_svg(scene: Scene, theme: Theme, *, scheme: str = "auto", id_prefix: str = "") -> str:
    """The scene as one SVG document, the same bytes for the same scene.

    Light colours are presentation attributes. With scheme 'auto' a stylesheet overrides them by CSS variables, which
    are the dark colours where the reader prefers a dark page. Every selector starts with the drawing's own id. Opened
    by itself the picture has the browser's page of that scheme behind it, inside of a page nothing.

    Args:
        scene: what to write.
        theme: the colours.
        scheme: 'auto', or 'light' or 'dark' for one of them.
        id_prefix: start of every id; from the content if empty, so that different drawings share no id.
    """
    colors = theme.colors(scheme)
    body = "\n".join(_group(group, colors) for group in scene.groups)
    title, description = escape(scene.title), escape(scene.description)
    # XML names start with a letter; a digest might not.
    prefix = id_prefix or "sg" + sha256(f"{scheme}{title}{description}{body}".encode()).hexdigest()[:10]
    width, height = _n(scene.width), _n(scene.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{prefix}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="{prefix}-title {prefix}-desc">\n'
        f'<title id="{prefix}-title">{title}</title>\n<desc id="{prefix}-desc">{description}</desc>\n'
    )
    style = _style(prefix, theme, _roles(scene)) if scheme == "auto" else _dark_page(prefix) if scheme == "dark" else ""
    return head + style + body.replace('<g id="', f'<g id="{prefix}-') + "\n</svg>\n"


def _style(prefix: str, theme: Theme, roles: list[str]) -> str:
    light = "".join(f"--{role}:{theme.light[role]};" for role in roles)
    dark = "".join(f"--{role}:{theme.dark[role]};" for role in roles)
    rules = "\n".join(
        f"#{prefix} .f-{role}{{fill:var(--{role})}}#{prefix} .s-{role}{{stroke:var(--{role})}}" for role in roles
    )
    dark_page = f"@media (prefers-color-scheme: dark){{#{prefix}{{{dark}}}}}"
    return f"<style>\n#{prefix}{{{light}color-scheme:light dark}}\n{dark_page}\n{rules}\n</style>\n"


def _dark_page(prefix: str) -> str:
    return f"<style>#{prefix}{{color-scheme:dark}}</style>\n"


def _roles(scene: Scene) -> list[str]:
    found: set[str] = set()
    for group in scene.groups:
        for item in group.items:
            if isinstance(item, Box):
                found |= {item.fill, item.stroke}
            elif isinstance(item, Area):
                found.add(item.fill)
            else:
                found.add(item.color)
                if isinstance(item, Text) and item.halo:
                    found.add("halo")
    return sorted(found - {"none"})


def _group(group: Group, colors: dict[str, str]) -> str:
    title = f"<title>{escape(group.title)}</title>" if group.title else ""
    items = "\n".join(_item(item, colors) for item in group.items)
    return f'<g id="{group.key}" class="{group.classes}">{title}\n{items}\n</g>'


def _item(item: Text | Box | Line | Area, colors: dict[str, str]) -> str:
    if isinstance(item, Text):
        return _text(item, colors)
    if isinstance(item, Area):
        return _area(item, colors)
    return _box(item, colors) if isinstance(item, Box) else _line(item, colors)


def _text(item: Text, colors: dict[str, str]) -> str:
    halo = 'stroke="none"'
    classes = f"f-{item.color}"
    if item.halo:
        halo = f'stroke="{colors["halo"]}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
        classes += " s-halo"
    lines = item.text.split("\n")
    fit = f' textLength="{_n(item.width)}" lengthAdjust="spacingAndGlyphs"' if item.width and len(lines) == 1 else ""
    if "  " in item.text or item.text != item.text.strip():
        fit += ' xml:space="preserve"'
    return (
        f'<text class="{classes}" x="{_n(item.x)}" y="{_n(item.y)}" text-anchor="{item.anchor}" '
        f'fill="{colors[item.color]}" {halo} font-family="{escape(item.family)}" font-size="{_n(item.size)}" '
        f'font-weight="{"bold" if item.bold else "normal"}" font-style="normal"{fit}>{_lines(item, lines)}</text>'
    )


def _lines(item: Text, lines: list[str]) -> str:
    """One line as it is; of several each in an element of its own, with its own width where that is enforced."""
    if len(lines) == 1:
        return escape(item.text)
    spans = []
    for i, line in enumerate(lines):
        fits = item.width is None or is_plain(line)
        fit = "" if fits else f' textLength="{_n(text_width(line, item.size))}" lengthAdjust="spacingAndGlyphs"'
        spans.append(f'<tspan x="{_n(item.x)}" y="{_n(item.y + i * LEADING * item.size)}"{fit}>{escape(line)}</tspan>')
    return "".join(spans)


def _box(item: Box, colors: dict[str, str]) -> str:
    dash = ' stroke-dasharray="5 3"' if item.dashed else ""
    paint = (
        f'class="f-{item.fill} s-{item.stroke}" fill="{colors.get(item.fill, "none")}" '
        f'stroke="{colors.get(item.stroke, "none")}" stroke-width="{_n(item.line)}"{dash}'
    )
    if item.ellipse:
        cx, cy = item.x + item.width / 2, item.y + item.height / 2
        return f'<ellipse {paint} cx="{_n(cx)}" cy="{_n(cy)}" rx="{_n(item.width / 2)}" ry="{_n(item.height / 2)}"/>'
    return (
        f'<rect {paint} x="{_n(item.x)}" y="{_n(item.y)}" width="{_n(item.width)}" height="{_n(item.height)}" '
        f'rx="{_n(item.radius)}"/>'
    )


def _area(item: Area, colors: dict[str, str]) -> str:
    way = ""
    for x, y, width, height in item.boxes:
        # From rounded edge to rounded edge: a hundredth between two boxes is a stripe where it meets a pixel's centre.
        left, top = round(x, 2), round(y, 2)
        across, down = round(x + width, 2) - left, round(y + height, 2) - top
        way += f"M{_n(left)} {_n(top)}h{_n(across)}v{_n(down)}h{_n(-across)}z"
    fill = f'class="f-{item.fill}" fill="{colors[item.fill]}" fill-opacity="{_n(item.opacity)}" stroke="none"'
    return f'<path {fill} shape-rendering="crispEdges" d="{way}"/>'


def _line(item: Line, colors: dict[str, str]) -> str:
    color = colors[item.color]
    (x, y), *rest = item.points
    way = f"M{_n(x)} {_n(y)}" + ("L" if len(rest) == 1 else "C") + " ".join(f"{_n(x)} {_n(y)}" for x, y in rest)
    dash = ' stroke-dasharray="2 3"' if item.dotted else ""
    if item.opacity < 1.0:
        dash += f' stroke-opacity="{_n(item.opacity)}"'
    path = f'<path class="s-{item.color}" d="{way}" fill="none" stroke="{color}" stroke-width="{_n(item.line)}"{dash}/>'
    if item.tip is None:
        return path
    corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in arrowhead(item))
    return path + f'\n<polygon class="f-{item.color}" points="{corners}" fill="{color}" stroke="none"/>'


def arrowhead(item: Line) -> list[tuple[float, float]]:
    """The triangle from the end of the line to its tip."""
    (x0, y0), (x1, y1) = item.points[-1], item.tip or item.points[-1]
    half = 0.36 + item.line * 0.06
    dx, dy = (x1 - x0) * half, (y1 - y0) * half
    return [(x1, y1), (x0 - dy, y0 + dx), (x0 + dy, y0 - dx)]


def _n(x: float) -> str:
    return f"{x:.2f}".rstrip("0").rstrip(".")
