"""The three styles: each says what is to be laid out (a sketch), and then paints what came back (a scene)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scalargrad.drawing import cards, circuit, micrograd

if TYPE_CHECKING:
    from collections.abc import Callable

    from scalargrad.drawing.engines import Layout
    from scalargrad.drawing.picture import Picture
    from scalargrad.drawing.scene import Scene
    from scalargrad.drawing.sketch import Sketch


class Style(NamedTuple):
    """A way to draw a picture."""

    sketch: Callable[[Picture], Sketch]
    paint: Callable[[Picture, Sketch, Layout], Scene]


STYLES = {
    "card": Style(cards.sketch, cards.paint),
    "circuit": Style(circuit.sketch, circuit.paint),
    "micrograd": Style(micrograd.sketch, micrograd.paint),
}
