"""`draw_layers`: the graph of one sample's loss, operation by operation, above the layers that are found in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from scalargrad.compiling.compiled import Compiled
from scalargrad.drawing.exports import numbers_in_json
from scalargrad.drawing.found_scene import paint_found, words_of
from scalargrad.drawing.picture import Card, Edge, Picture
from scalargrad.drawing.result import Drawing, check_look
from scalargrad.drawing.sketch import Link, Shape, Sketch
from scalargrad.drawing.theme import THEMES, text_width
from scalargrad.support.arguments import brief
from scalargrad.support.console import Text as Shown
from scalargrad.support.spelling import explained
from scalargrad.words.texts import counted

if TYPE_CHECKING:
    from scalargrad.compiling.structure.overview import Overview
    from scalargrad.drawing.scene import Scene


@explained("draw_layers(loss, x, y)")
def draw_layers(
    loss: Compiled,
    *sample: Any,
    theme: Literal["default", "cs231n"] = "default",
    scheme: Literal["auto", "light", "dark"] = "auto",
    id_prefix: str = "",
) -> Drawing:
    """Draw a compiled loss twice: the graph of one sample, a dot for each operation, and the layers that hide in it.

    A layer is found where sums of products share one side, whether `nn` has written them or you, term by term. It is
    drawn as its matrix, below the operations that it was. Parameters have no dots. Nothing is compiled for it, so it
    shows the same with every backend. No engine is needed.

    Args:
        loss: what `scalargrad.compile` gave.
        sample: arguments for it, as for one call: the function is recorded at them.
        theme: as in `draw`.
        scheme: as in `draw`.
        id_prefix: as in `draw`.

    Returns:
        A Drawing; as text it lists the parts.

    Raises:
        TypeError: if `loss` was not compiled.
        ValueError: if the function cannot be recorded, as for `compile`.

    >>> import scalargrad
    >>> from scalargrad import nn
    >>> model = nn.MLP(2, [8, 8, 1], seed=0)
    >>> loss = scalargrad.compile(lambda x, y: (model(x) - y) ** 2, parameters=model.parameters())
    >>> print(draw_layers(loss, [0.5, -1.0], 1.0).text, end="")
    Layers of <lambda>: 35 operations over 3 numbers of a sample and 105 parameters.
      Dense 8 x 2 with bias
      8 relu
      Dense 8 x 8 with bias
      8 relu
      Dense 1 x 8 with bias
      1 subtract, 1 power
    """
    if not isinstance(loss, Compiled):
        raise TypeError(
            f"draw_layers takes a compiled loss, as scalargrad.compile gives it, and a sample, not {brief(loss)}"
        )
    check_look(theme, scheme, id_prefix)
    return FoundDrawing(loss._overview(sample), theme=theme, scheme=scheme, id_prefix=id_prefix)


class FoundDrawing(Drawing):
    """A drawn loss. It keeps the numbers of when it was made, and needs no engine."""

    def __init__(self, found: Overview, *, theme: str, scheme: str, id_prefix: str) -> None:
        self._found, self._hues = found, (THEMES[theme].positive, THEMES[theme].negative)
        picture = _picture(found)
        picture.title = f"Layers of {found.name}"
        picture.description = self._description()
        super().__init__(picture, _sketch(picture), theme=theme, scheme=scheme, id_prefix=id_prefix)

    def _description(self) -> str:
        found = self._found
        count = sum(len(row) for part in found.parts for row in part.rows)
        return (
            f"Layers of {found.name}: {counted(count, 'operation')} over {counted(len(found.inputs), 'number')} of a "
            f"sample and {counted(found.parameters, 'parameter')}."
        )

    @property
    def text(self) -> str:
        """The parts, a line for each."""
        return Shown("\n".join([self._description(), *(f"  {words_of(part)}" for part in self._found.parts), ""]))

    @property
    def json(self) -> str:
        """The parts as JSON: matrices with their numbers, others with how many there are of each."""
        parts = [
            {"words": words_of(part), "operations": sum(map(len, part.rows)), "counts": part.counts,
             "weights": numbers_in_json(part.weights)}
            for part in self._found.parts
        ]  # fmt: skip
        document = {"format": "scalargrad-layers", "version": 1, "title": self.picture.title, "parts": parts}
        return json.dumps(document, indent=1, allow_nan=False) + "\n"

    def _drawn_by(self) -> str:
        return "scalargrad"

    def _scene(self) -> Scene:
        return paint_found(self._found, self.picture.title, self.picture.description, self._hues)

    def __repr__(self) -> str:
        layers = sum(bool(part.weights) for part in self._found.parts)
        return (
            f"<Drawing of {self._found.name}: {counted(layers, 'layer')}, {counted(len(self._strip_texts()), 'part')}>"
        )

    def _strip_texts(self) -> list[str]:
        return [words_of(part) for part in self._found.parts]


# -------------------------------------------------------------------- the same for DOT and Mermaid


def _picture(found: Overview) -> Picture:
    names = [counted(len(found.inputs), "number"), *map(words_of, found.parts)]
    cards = [Card(name, "", [("ink", name)], name, ("input",) if i == 0 else ("op",)) for i, name in enumerate(names)]
    return Picture(cards, [Edge(i, i + 1) for i in range(len(cards) - 1)], None, False)


def _sketch(picture: Picture) -> Sketch:
    shapes = [
        Shape(f"n{i}", text_width(card.name, 12.0) + 18, 24.0, [card.name], classes=card.kinds[0],
              fill="input" if card.kinds[0] == "input" else "card")
        for i, card in enumerate(picture.cards)
    ]  # fmt: skip
    return Sketch(shapes, [Link(f"e{i}", f"n{edge.tail}", f"n{edge.head}") for i, edge in enumerate(picture.edges)])
