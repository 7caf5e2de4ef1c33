"""One weight in words: its gradient by the paths of one sample, over all samples, and its check by differences."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from scalargrad.checking.checker import check_gradients
from scalargrad.drawing.answers import passed
from scalargrad.drawing.columns import read_network
from scalargrad.nn.scores.predicting import evaluating
from scalargrad.tracing.explanation import TooManyPathsError, explain
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from scalargrad.engine import Value
    from scalargrad.playground.network.trained import Trained
    from scalargrad.playground.network.walk import Walk

MOST_PATHS = 32
"""More are counted, and not written out."""


def about_weight(walk: Walk, trained: Trained, column: int, neuron: int, index: int) -> dict[str, str]:
    """The texts that say all of a weight: its place in the order of the neuron's weights, then its biases."""
    node = walk.shown.node(column, neuron)
    weight = node.parameters[index]
    known = dict(zip(*trained.gradients(), strict=True)) if trained.rows else {}
    found: dict[str, str] = {
        "value": number_text(weight.data),
        "gradient": number_text(walk.gradients().get(weight, 0.0)),
        "mean": number_text(known[weight]) if weight in known else "–",
    }
    try:
        found["paths"] = explain(walk.root, weight, max_paths=MOST_PATHS, names=False).text
    except TooManyPathsError as error:
        found["paths"] = (
            f"{error.count} paths lead from this weight to the loss, too many to write out; backpropagation takes each "
            f"of their {error.edges} edges once."
        )
    except ValueError as error:
        found["paths"] = str(error)
    found["check"] = checked(walk, trained, column, neuron, index)
    return found


def checked(walk: Walk, trained: Trained, column: int, neuron: int, index: int) -> str:
    """The gradient of the sample's loss for this weight beside finite differences, on a copy of the network."""
    model = deepcopy(walk.shown.network.model)
    network = read_network(model)
    node = network.columns[column].nodes[neuron]
    here = node.parameters[index].data

    def loss_at(weight: Value) -> Any:
        _put(network.columns[column], neuron, index, weight)
        with evaluating(model):
            score = passed(network, list(walk.row))[-1][0]
        return trained.loss(score, walk.target)

    return check_gradients(loss_at, [here], names=["weight"]).text


def _put(column: Any, neuron: int, index: int, weight: Value) -> None:
    """Make a Value the weight, or bias, of this index among a neuron's."""
    node = column.nodes[neuron]
    if node.neuron is None:  # a row of a Linear
        if index < len(node.weights[0]):
            column.first.W[neuron][index] = weight
        else:
            column.first.b[neuron] = weight
        return
    pieces = getattr(node.neuron, "pieces", None) or [node.neuron]
    for piece in pieces:
        if index < len(piece.w):
            piece.w[index] = weight
            return
        index -= len(piece.w)
    pieces[index].b = weight
