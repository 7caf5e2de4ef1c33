"""How long a trace may be to be shown as a page, and what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.support.arguments import whole

if TYPE_CHECKING:
    from scalargrad.tracing.steps import Graph

MAX_STEPS = 300
LARGEST = 1000
"""How many values a picture may have before the layout takes longer than a reader waits."""


class TraceTooLongError(ValueError):
    """The trace has more steps than `max_steps`; the message names calls that show it."""


def check_length(graph: Graph, max_steps: int) -> None:
    """Raise if the trace has more steps.

    Raises:
        TraceTooLongError: with calls that work.
        TypeError: if `max_steps` is no integer.
        ValueError: if it is less than 1.
    """
    max_steps = whole(max_steps, "max_steps", f"max_steps={MAX_STEPS}")
    n = len(graph.steps)
    if n <= max_steps:
        return
    from scalargrad.drawing.build import GraphTooLargeError, draw
    from scalargrad.drawing.graph import counted

    instead = [f"print({graph.call}) writes a table"]
    if len(graph.order) <= LARGEST:
        instead.insert(0, f"{graph.call}.save('walk.html', max_steps={n}) writes the page all the same")
    try:
        cards = len(draw(graph.root, collapse="layer", expand="expand" in graph.call).picture.cards)
        expand = ", expand=True" if "expand" in graph.call else ""
        instead.append(f"draw(value, collapse='layer'{expand}) draws {counted(cards, 'card')}")
    except GraphTooLargeError:
        pass
    instead.append(f"{graph.call}[{n - 10}:] are the last ten steps")
    raise TraceTooLongError(
        f"this trace has {counted(n, 'step')}; the limit is max_steps={max_steps}. Instead: {'; or '.join(instead)}."
    )
