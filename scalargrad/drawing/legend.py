"""The line below a picture that says what the hues and widths of its edges mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.drawing.scene import Group, Line, Scene, Text, move
from scalargrad.drawing.theme import WIDTHS, edge_role, text_width

if TYPE_CHECKING:
    from scalargrad.drawing.theme import Theme

SIZE = 10.0
HEIGHT = 20.0
MARGIN = 8.0
SAMPLE = 12.0
GAP = 5.0
KEY = "legend"


def add_legend(scene: Scene, theme: Theme, what: str = "contribution") -> None:
    """Add the legend to a finished scene, and a sentence of the same to its description.

    A scene without the sign's hues stays as it is. One that is narrower than the legend becomes as wide, its contents
    in the middle.

    Args:
        scene: the picture; it is changed.
        theme: whose hues.
        what: what has the sign: the contribution that goes along an edge, a weight.
    """
    if not is_signed(scene) or any(group.key == KEY for group in scene.groups):
        return
    legend = Group(KEY, "legend")
    x, y = MARGIN, scene.height + HEIGHT / 2 - 4.0
    x = _word(legend, x, y, f"{what}:")
    for sign, mark, hue in ((1, "+", theme.positive), (-1, "−", theme.negative)):
        for size in (1, 2, 3):
            role = edge_role(sign * size)
            legend.items.append(Line([(x, y), (x + SAMPLE, y)], role, WIDTHS[size]))
            x += SAMPLE
        x = _word(legend, x + GAP, y, f"{mark} {hue}") + GAP
    x = _word(legend, x, y, "wider = larger")
    legend.title = f"{what}: {theme.positive} is positive, {theme.negative} negative; the wider, the larger"
    _widen(scene, x - GAP + MARGIN)
    scene.height += HEIGHT
    scene.groups.append(legend)
    scene.description += (
        f" The {what} along an edge is {theme.positive} where it is positive and {theme.negative} where it is negative;"
        " wider is larger."
    )


def is_signed(scene: Scene) -> bool:
    """Whether any line of the scene has one of the sign's hues."""
    signed = ("edge-plus-", "edge-minus-")
    return any(
        isinstance(item, Line) and item.color.startswith(signed) for group in scene.groups for item in group.items
    )


def _word(group: Group, x: float, y: float, text: str) -> float:
    """Write a text that starts at x; return where the next thing may."""
    group.items.append(Text(x, y + SIZE * 0.36, text, "muted", SIZE, anchor="start", halo=True))
    return x + text_width(text, SIZE) + GAP


def _widen(scene: Scene, width: float) -> None:
    shift = (width - scene.width) / 2
    if shift <= 0:
        return
    scene.width = width
    move(scene.groups, shift, 0.0)
