"""The picture of a live graph: laid out once, and told anew only when the graph has another shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scalargrad.drawing.engines import available, no_engine
from scalargrad.drawing.svg import to_svg
from scalargrad.drawing.theme import THEMES
from scalargrad.playground.messages import RefusedError
from scalargrad.tracing.page import MAX_STEPS, heading
from scalargrad.tracing.stage import Stage
from scalargrad.words.texts import counted

if TYPE_CHECKING:
    from collections.abc import Hashable

    from scalargrad.playground.running import Run

PREFIX = "sg"
"""Before the ids in the picture, which the page takes away: sg-n3 is card 3, sg-e7 edge 7."""


def shape_of(run: Run) -> Hashable:
    """What two runs with the same picture have in common: everything but the numbers of Values."""
    graph = run.graph
    position = {node: i for i, node in enumerate(graph.order)}
    nodes = []
    for node in graph.order:
        operands = tuple([position[parent] if parent is not None else a for parent, a in node.operands])
        rule = node._rule
        kind = (node.is_parameter, node.requires_grad) if rule.is_leaf else rule
        nodes.append((graph.names[node], kind, operands))
    inputs = tuple((name, position.get(leaf)) for name, leaf in run.leaves.items())
    return tuple(nodes), inputs, len(graph.steps)


class GraphPicture:
    """The picture of one run, for all runs of its shape.

    Attributes:
        shape: what they have in common.
        edges_of: by step, the edges along which it hands gradient on.
        ends: of each edge the cards that it leads from and to, and which operand it is.
        shown: what the page is told.
    """

    def __init__(self, run: Run, shape: Hashable) -> None:
        graph = run.graph
        if len(graph.steps) > MAX_STEPS:
            raise RefusedError(
                f"this graph has {counted(len(graph.order), 'value')} and {counted(len(graph.steps), 'step')}; a live "
                f"picture has at most {MAX_STEPS} steps"
            )
        if available() == "text":
            raise RefusedError(no_engine())
        stage = Stage(graph, roomy=True)
        self.shape = shape
        self.edges_of = stage.edges_of
        self.ends = [(edge.tail, edge.head, edge.operand) for edge in stage.picture.edges]
        cards = stage.picture.cards
        self.shown: dict[str, Any] = {
            "svg": to_svg(stage.bare(), THEMES["default"], scheme="light", id_prefix=PREFIX),
            "title": f"f = {heading(graph)}" if graph.root.is_leaf else heading(graph),
            "cards": [{"name": card.name, "about": card.about, "constant": "detached" in card.kinds} for card in cards],
            "edges": [list(end[:2]) for end in self.ends],
            "inputs": {name: stage.position[leaf] for name, leaf in run.leaves.items() if leaf in stage.position},
            "steps": len(graph.steps),
        }
