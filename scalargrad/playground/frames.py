"""What the picture of a live graph shows for one run: every number as the text that is put in its place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.edges import bins
from scalargrad.drawing.picture import GRADIENT_LEAD
from scalargrad.table.row import Op
from scalargrad.tracing.guesses import asked
from scalargrad.tracing.stage import NOTHING, gradient_text
from scalargrad.words.equations import equation, op_symbol
from scalargrad.words.local_derivatives import local_derivative
from scalargrad.words.texts import number_text, symbol_of

if TYPE_CHECKING:
    from scalargrad.engine import Value
    from scalargrad.playground.picture import GraphPicture
    from scalargrad.tracing.steps import TracedGraph

NEAR = 1e-9
"""How far from a number, by its size, another side of a kink is looked for."""
MOST_NOTES = 4


def frame(graph: TracedGraph, picture: GraphPicture) -> dict[str, Any]:
    """The numbers of the whole picture: values, gradients and local derivatives as texts, and the bin of each edge."""
    locals_: list[float | None] = [None] * len(picture.ends)
    contributions: list[float | None] = [None] * len(picture.ends)
    for step, edges in zip(graph.steps, picture.edges_of, strict=True):
        for i in edges:
            locals_[i], contributions[i] = step.local, step.contribution
    for i, (_, head, operand) in enumerate(picture.ends):
        if contributions[i] is None and operand is not None:  # of a constant, to which nothing is handed
            locals_[i] = local_derivative(graph.order[head], operand)
    gradients = [graph.gradients.get(node, 0.0) for node in graph.order]
    data = [step.data for step in graph.steps[: len(graph.order)]]
    return {
        "values": [number_text(x) for x in data],
        "gradients": [
            "" if node.is_leaf and not node.requires_grad else GRADIENT_LEAD + number_text(g)
            for node, g in zip(graph.order, gradients, strict=True)
        ],
        "locals": ["" if x is None else "×" + number_text(x) for x in locals_],
        "bins": bins(contributions),
        "bad": [i for i, pair in enumerate(zip(data, gradients, strict=True)) if not all(map(math.isfinite, pair))],
        "notes": notes(graph, data, gradients),
    }  # fmt: skip


def notes(graph: TracedGraph, data: list[float], gradients: list[float]) -> list[str]:
    """What is to be said about numbers: where they stop being finite, and where an op stands at a kink."""
    found = []
    for what, numbers, order in (("", data, range(len(data))), (".grad", gradients, range(len(data) - 1, -1, -1))):
        first = next((i for i in order if not math.isfinite(numbers[i])), None)
        if first is not None:
            node = graph.order[first]
            text = equation(node, graph.names) if not what else ""
            name = symbol_of(graph.names[node]) + what
            how = f" = {text}" if text else ""
            found.append(f"{name}{how} is {number_text(numbers[first])}: the first number that is not finite.")
    for node in graph.order:
        kink = _kink(node)
        if kink is not None:
            parent, a = node.operands[kink]
            x = "it" if parent is None else symbol_of(graph.names[parent])
            found.append(
                f"{op_symbol(node)} has a kink at {x} = {number_text(a)}: its slope jumps there, and backpropagation "
                f"uses {number_text(local_derivative(node, kink) or 0.0)}."
            )
    return found[:MOST_NOTES]


def _kink(node: Value) -> int | None:
    """The operand at whose number the node is at a kink of its op; None if it is at none."""
    op = node._rule
    if not isinstance(op, Op) or op.kinks is None:
        return None
    numbers = [a for _, a in node.operands]
    if not all(map(math.isfinite, numbers)):
        return None
    for i, (parent, a) in enumerate(node.operands):
        if parent is None or (op.has_index and i == 0):
            continue
        step = NEAR * max(1.0, abs(a))
        sides = [op.sides([*numbers[:i], a + bump, *numbers[i + 1 :]]) for bump in (-step, 0.0, step)]
        if sides[0] != sides[2]:
            return i
    return None


def stage(graph: TracedGraph, picture: GraphPicture, at: int, *, hidden: bool = False) -> dict[str, Any]:
    """What is known after a step, its equation and its sentence; `hidden` leaves out what a guess is to find."""
    steps, n = graph.steps, len(graph.order)
    step = steps[at]
    shown = steps[:at] if hidden else steps[: at + 1]
    position = {node: i for i, node in enumerate(graph.order)}
    gradients = [NOTHING] * n
    touched: set[int] = set()
    for earlier in shown[n:]:
        gradients[position[earlier.node]] = gradient_text(earlier)
        touched.update(picture.edges_of[earlier.index])
    node = position[step.node]
    used = picture.edges_of[at]
    if step.phase == "forward":
        used = [i for i, (_, head, _) in enumerate(picture.ends) if head == node]
    found: dict[str, Any] = {
        "step": at, "count": len(steps), "phase": step.phase, "node": node, "known": min(at + 1, n),
        "source": None if step.source is None else position[step.source],
        "gradients": gradients, "touched": sorted(touched), "used": used, "hidden": hidden,
    }  # fmt: skip
    if hidden:
        return found | {"question": f"What is {asked(step)} after this step?", "pieces": [], "why": ""}
    return found | {"pieces": [list(piece) for piece in step.pieces], "why": str(step.why)}
