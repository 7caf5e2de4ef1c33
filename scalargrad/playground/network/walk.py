"""One sample's graph, the very one that trains, walked through neuron by neuron, forward and back."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.answers import passed
from scalargrad.engine import Value
from scalargrad.nn.layers.activations import Elementwise
from scalargrad.nn.modules.naming import Name
from scalargrad.nn.scores.predicting import evaluating
from scalargrad.ops import dot
from scalargrad.playground.messages import RefusedError
from scalargrad.tracing.trace import Trace
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scalargrad.playground.network.shown import Shown
    from scalargrad.tracing.steps import Step

Place = tuple[int, int]
"""Column and index of a neuron; the loss is one column beyond the last."""
MOST_LINES = 40
"""Equations of one step that are shown; the others are counted."""


class Walk:
    """The graph of one sample's loss, with its steps, and which neuron each belongs to.

    Args:
        shown: the network.
        row: what its inputs are.
        target: what the output should be.
        loss: a function (score, target) -> Value.

    Attributes:
        root: the loss.
        outputs: by column and index, what each neuron answers; the first column are the inputs.
        trace: its steps.
    """

    def __init__(self, shown: Shown, row: Sequence[float], target: float, loss: Callable[[Any, Any], Any]) -> None:
        self.shown, self.row, self.target = shown, list(row), target
        inputs = [Value(x, label=text) for x, text in zip(row, shown.inputs, strict=True)]
        with evaluating(shown.network.model):
            self.outputs: list[list[Any]] = [inputs, *passed(shown.network, inputs)[1:]]
        last = len(self.outputs) - 1
        for c, column in enumerate(self.outputs[1:], 1):
            for i, node in enumerate(column):
                if not node.is_leaf:
                    node.label = Name("y" if c == last else name_of_output(c, i), given=True)
        self.root = loss(self.outputs[-1][0], target)
        if not self.root.label:
            self.root.label = "loss"
        self.trace = Trace(self.root, names=False)
        self._owners = self._find_owners()

    def _find_owners(self) -> dict[Value, Place]:
        """The neuron that each Value was computed in, or is a parameter of."""
        owners: dict[Value, Place] = {}
        for c, column in enumerate([*self.outputs, [self.root]]):
            for i, end in enumerate(column):
                stack = [end]
                while stack:
                    node = stack.pop()
                    if node not in owners:
                        owners[node] = (c, i)
                        stack += node.parents
        return owners

    # ---------------------------------------------------------------- what the page shows

    def numbers(self) -> tuple[list[list[str]], list[list[str]]]:
        """What each neuron answers, and the loss's gradient for it, by columns; the last one is the loss itself."""
        columns = [*self.outputs, [self.root]]
        gradients = self.trace.graph.gradients
        values = [[number_text(node.data) for node in column] for column in columns]
        return values, [[number_text(gradients.get(node, 0.0)) for node in column] for column in columns]

    def gradients(self) -> dict[Value, float]:
        """The gradient of the sample's loss for each Value."""
        return self.trace.graph.gradients

    def steps(self) -> list[dict[str, Any]]:
        """A step for each neuron forward, and for each one back, with the loss between."""
        forward: dict[Place, list[Step]] = {}
        backward: dict[Place, list[Step]] = {}
        for step in self.trace:
            if step.phase == "forward" and not step.node.is_leaf:
                forward.setdefault(self._owners[step.node], []).append(step)
            elif step.phase != "forward":
                source = step.node if step.source is None else step.source
                backward.setdefault(self._owners[source], []).append(step)
        order = sorted(forward)
        return [self._step("forward", place, forward[place]) for place in order] + [
            self._step("backward", place, steps) for place, steps in backward.items() if place[0]
        ]

    def _step(self, phase: str, place: Place, steps: list[Step]) -> dict[str, Any]:
        column, neuron = place
        is_loss = column == len(self.outputs)
        who = "the loss" if is_loss else self.shown.name(column, neuron)
        node = self.root if is_loss else self.outputs[column][neuron]
        if phase == "forward":
            title = f"Forward: {who} gives {number_text(node.data)}"
        elif is_loss:
            title = "Backward begins at the loss: its gradient is 1"
        else:
            title = (
                f"Backward: gradient {number_text(self.gradients().get(node, 0.0))} reached {who}, which hands it on"
            )
        lines = [step.text for step in steps[:MOST_LINES]]
        if len(steps) > MOST_LINES:
            lines.append(f"… {len(steps) - MOST_LINES} more")
        whys = [step.why for step in steps if step.source is not None]
        return {
            "phase": phase,
            "column": column,
            "neuron": neuron,
            "title": title,
            "lines": lines,
            "why": whys[0] if phase == "backward" and whys else "",
        }

    # ---------------------------------------------------------------- one neuron

    def neuron(self, column: int, neuron: int) -> tuple[Value, float]:
        """The graph of one neuron by itself, on what reaches it here; and the loss's gradient for its output.

        Its parameters are copies, so that nothing that is done with it touches the network.
        """
        node = self.shown.node(column, neuron)
        inputs = [
            Value(v.data, label=v.label if column == 1 else name_of_output(column - 1, k))
            for k, v in enumerate(self.outputs[column - 1])
        ]
        if node.neuron is not None:
            end = deepcopy(node.neuron)(inputs)
        else:
            (weights,), biases = ([[copy(v) for v in w] for w in node.weights], [copy(v) for v in node.biases])
            end = dot(weights, inputs, *biases)
        for part in self.shown.columns[column].after:
            if not isinstance(part, Elementwise):
                raise RefusedError(
                    f"{part!r} reads all neurons of the layer at once: the graph of one is not the whole"
                )
            end = part(end)
        if not end.is_leaf:
            end.label = self.outputs[column][neuron].label
        return end, self.gradients().get(self.outputs[column][neuron], 0.0)


def name_of_output(column: int, neuron: int) -> str:
    """What the graph calls a neuron's output: h, with the layer's and the neuron's number."""
    return f"h{column - 1}_{neuron}" if neuron > 9 or column > 10 else f"h{column - 1}{neuron}"
