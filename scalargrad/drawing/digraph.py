"""micrograd's picture as a `graphviz.Digraph`. The package graphviz is imported here, and so only when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphviz

from scalargrad.support.console import printable

if TYPE_CHECKING:
    from scalargrad.drawing.result import Drawing


class MicrogradDot(graphviz.Digraph):  # type: ignore[misc]  # it has no type hints that are known here
    """What `draw_dot` returns. Jupyter shows it without the system's Graphviz too.

    Attributes:
        drawing: the same picture as a Drawing; None of a copy.
    """

    drawing: Drawing | None = None
    _drawn = ""

    def __str__(self) -> str:
        return printable(self.source)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **options: Any) -> Any:
        """What Jupyter shows: the Drawing, unless nodes or attributes were added since."""
        if self.drawing is None or self.source != self._drawn:
            return super()._repr_mimebundle_(include, exclude, **options)
        return self.drawing.shown_as("png" if self.format == "png" else "svg")._repr_mimebundle_(include, exclude)


def micrograd_dot(drawing: Drawing, file_format: str) -> MicrogradDot:
    """The drawing's DOT, statement by statement: its texts are escaped already, and graphviz leaves a body as it is."""
    head, attributes, *body, end = drawing.dot.rstrip("\n").split("\n")
    assert head.startswith("digraph ") and attributes.startswith("  graph [") and end == "}"  # noqa: S101, PT018
    dot = MicrogradDot(head.split()[1], format=file_format, graph_attr={"rankdir": drawing.rankdir})
    dot.body += [attributes.replace(f"rankdir={drawing.rankdir}, ", "") + "\n", *(line + "\n" for line in body)]
    dot.drawing, dot._drawn = drawing, dot.source
    return dot
