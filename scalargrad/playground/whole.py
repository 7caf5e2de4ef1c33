"""The whole playground, as the command line and the page without an installation open it: a graph, and a network."""

from __future__ import annotations

from typing import Any

from scalargrad.playground.examples import EXAMPLES
from scalargrad.playground.live import Live, live
from scalargrad.playground.network.view import NetworkView


def whole(expression: str = "", **inputs: Any) -> Live:
    """A page with a tab for the graph of an expression, and one for a network that learns.

    Args:
        expression: which graph it begins with; the first of the examples if it is empty.
        **inputs: its inputs, as `live` takes them.

    Raises:
        ValueError: as `live`.
        TypeError: as `live`.
    """
    if not expression.strip() and not inputs:
        expression, inputs = EXAMPLES[0].expression, dict(EXAMPLES[0].inputs)
    graph = live(expression, **inputs)
    return Live(graph.title, lambda: [*graph.views(), NetworkView()])
