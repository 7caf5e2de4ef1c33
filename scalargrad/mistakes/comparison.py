"""A mistake beside the right engine: two pictures of one graph, and a table where there are no pictures."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Protocol

from scalargrad.drawing.build import GraphTooLargeError, picture_of_all, sketched
from scalargrad.drawing.engines import EngineError, available
from scalargrad.drawing.image import image
from scalargrad.drawing.picture import GRADIENT_LEAD
from scalargrad.drawing.result import Drawing
from scalargrad.drawing.snapshot import Snapshot
from scalargrad.engine import Value, topological_order
from scalargrad.mistakes.engines import locals_of_table, right
from scalargrad.node.naming import display_names
from scalargrad.node.variables import Names, variable_names
from scalargrad.support.console import Text, printable
from scalargrad.words.equations import equation
from scalargrad.words.texts import columns, number_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scalargrad.drawing.picture import Picture
    from scalargrad.node.rules import Adjoints

MOST_VALUES = 200


class Engine(Protocol):
    """What a comparison needs of a wrong engine: a Mistake has it."""

    name: str
    story: str
    code: str

    def gradients(self, root: Value) -> Adjoints:
        """What it takes for the gradient of every node."""

    def local_derivatives(self, node: Value) -> list[float | None]:
        """What it takes for the local derivatives of a node."""

    def wrong_nodes(self, root: Value) -> list[Value]:
        """Where its gradients are wrong."""


class Comparison:
    """What the right engine and a wrong one say of the same graph. Jupyter shows two pictures, `print` a table.

    Attributes:
        mistake: the wrong engine.
        root: the output of the graph.
        right: the gradient of every node.
        wrong: and what the mistake takes for it.
        wrong_nodes: the nodes where these differ, in topological order.

    >>> from scalargrad import mistakes
    >>> print(mistakes.overwriting.show().table())
    name  computed as  value  right grad  wrong grad
    a                      2           2           1  ← wrong
    y     a + a            4           1           1
    """

    def __init__(self, mistake: Engine, root: Value, names: Names = True) -> None:
        order = topological_order(root)
        if len(order) > MOST_VALUES:
            raise GraphTooLargeError(
                f"this graph has {len(order)} values, too many for two pictures side by side (the limit is "
                f"{MOST_VALUES}): {mistake.name}.gradients(root) has the numbers"
            )
        self.mistake = mistake
        self.root = root
        self.right = right(root, locals_of_table)
        self.wrong = mistake.gradients(root)
        self.wrong_nodes = mistake.wrong_nodes(root)
        self._order = order
        self._names = display_names(order, variable_names(order, names, "show"))

    @property
    def right_drawing(self) -> Drawing:
        """The graph with the right gradients."""
        picture = self._picture(self.right)
        picture.description = f"Right: {picture.description}"
        picture.title = f"Right: {picture.title}"
        return Drawing(picture, sketched(picture))

    @property
    def wrong_drawing(self) -> Drawing:
        """The graph with the wrong gradients; those that differ are red and say what they should be."""
        picture = self._picture(self.wrong)
        picture.title = f"Wrong, {self.mistake.name}: {picture.title}"
        differing = set(self.wrong_nodes)
        corrections = []
        for node, card in zip(self._order, picture.cards, strict=True):
            if node in differing:
                correction = f"{number_text(self.wrong[node])}, not {number_text(self.right[node])}"
                corrections.append(f"{card.name}.grad is {correction}")
                card.rows[-1] = ("bad", f"{GRADIENT_LEAD}{correction}")
                card.title += f"; wrong: it should be {self.right[node]!r}"
                card.kinds = (*card.kinds, *["bad"] * ("bad" not in card.kinds))
        picture.description = f"{picture.title}. {'; '.join(corrections) or 'No gradient is wrong'}."
        for edge in picture.edges:  # what went along them is not local derivative times final gradient here
            edge.contribution, edge.bin = None, 0
            if edge.operand is None:
                continue
            node = self._order[edge.head]
            used, true = (found(node)[edge.operand] for found in (self.mistake.local_derivatives, locals_of_table))
            edge.local = used
            edge.title = "nothing is handed on" if used is None else f"local derivative {number_text(used)}"
            if used != true and true is not None:
                edge.title += f", not {number_text(true)}"
        return Drawing(picture, sketched(picture))

    def _picture(self, gradients: Mapping[Value, float]) -> Picture:
        snapshot = Snapshot(self._order, None, [gradients[node] for node in self._order])
        return picture_of_all(snapshot, len(self._order) - 1, self._names)

    def table(self) -> str:
        """A line for each node: its value, the right gradient and the wrong one, marked where they differ."""
        head = ["name", "computed as", "value", "right grad", "wrong grad"]
        differing = set(self.wrong_nodes)
        rows = [head]
        for node in self._order:
            numbers = (node.data, self.right[node], self.wrong[node])
            rows.append([self._names[node], equation(node, self._names), *map(number_text, numbers)])
        marks = [""] + ["  ← wrong" if node in differing else "" for node in self._order]
        return Text("\n".join(line + mark for line, mark in zip(columns(rows, "<<>>>"), marks, strict=True)))

    @property
    def text(self) -> str:
        """The story, the code and the table."""
        code = "\n".join(f"    {line}".rstrip() for line in self.mistake.code.splitlines())
        return Text(f"{self.mistake.name}: {self.mistake.story}\n\n{code}\n\n{self.table()}")

    @property
    def html(self) -> str:
        """The story, the code and the pictures side by side; without an engine to draw with, the table.

        Everything in it that is not its own is escaped.
        """
        head = (
            f"<p><b>{html.escape(self.mistake.name)}</b>: {html.escape(self.mistake.story)}</p>"
            f"<pre><code>{html.escape(self.mistake.code)}</code></pre>"
        )
        try:
            if available("auto") == "text":
                raise EngineError
            drawings = [("right", self.right_drawing), ("wrong", self.wrong_drawing)]
            pictures = [(caption, image(drawing.svg, drawing.picture.description)) for caption, drawing in drawings]
        except EngineError:
            return f"<div>{head}<pre><code>{html.escape(self.table())}</code></pre></div>"
        figures = "".join(
            f'<figure style="margin:0;overflow-x:auto"><figcaption>{caption}</figcaption>{picture}</figure>'
            for caption, picture in pictures
        )
        return f'<div>{head}<div style="display:flex;flex-wrap:wrap;gap:1.5em">{figures}</div></div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What Jupyter shows: the pictures, and the text."""
        return {"text/html": self.html, "text/plain": self.text}

    def __str__(self) -> str:
        return printable(self.text)

    def __repr__(self) -> str:
        n, of = len(self.wrong_nodes), len(self._order)
        return f"<comparison of {self.mistake.name} with the right engine: {n} of {of} gradients are wrong>"
