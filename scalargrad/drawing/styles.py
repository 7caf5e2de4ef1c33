"""The styles: each says what is to be laid out (a sketch), and then paints what came back (a scene)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from scalargrad.drawing import cards, circuit, micrograd

if TYPE_CHECKING:
    from collections.abc import Callable

    from scalargrad.drawing.engines import Layout
    from scalargrad.drawing.picture import Picture
    from scalargrad.drawing.scene import Scene
    from scalargrad.drawing.sketch import Sketch


class Style(NamedTuple):
    """A way to draw a picture.

    Attributes:
        sketch: what is to be laid out: a shape for each card, with its size, and the links.
        paint: the shapes and texts of the picture, where the layout has put them.
        turns: whether rankdir='auto' chooses a direction by the graph's shape; otherwise it is from left to right.
    """

    sketch: Callable[[Picture], Sketch]
    paint: Callable[[Picture, Sketch, Layout], Scene]
    turns: bool = False


STYLES = {
    "card": Style(cards.sketch, cards.paint, turns=True),
    "circuit": Style(circuit.sketch, circuit.paint),
    "micrograd": Style(micrograd.sketch, micrograd.paint),
}
"""Each by its name: for `draw(style=...)`, for its check and for the command line, which take them from here.

A new style needs a file with its `sketch` and `paint` (micrograd.py is the shortest), a line here, and for editors and
type checkers its name in StyleName.
"""

StyleName = Literal["card", "circuit", "micrograd"]
"""The names, for type checkers."""
