"""Which relu neurons are dead: they answer 0 to every sample, so that no gradient reaches their weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, topological_order
from scalargrad.nn.arguments.inputs import as_samples
from scalargrad.nn.layers.affine import Linear
from scalargrad.nn.layers.neurons import Neuron
from scalargrad.nn.modules.module import Module
from scalargrad.nn.modules.naming import Tag
from scalargrad.nn.scores.predicting import evaluating
from scalargrad.node.contexts import with_recording
from scalargrad.node.structures import flatten
from scalargrad.ops import relu

if TYPE_CHECKING:
    from scalargrad.nn.modules.naming import Name

AnyNeuron = Neuron | Tag
"""A Neuron, or a row of a Linear, by the Tag of its outputs."""


def dead_relus(model: Module, X: Any) -> list[str]:
    """Return the names of the model's dead relu neurons: those that answer 0 to every row of X.

    Neurons of the package count, those of a Linear too, their own relu or one that follows them. The model is in eval
    mode meanwhile.

    Args:
        model: a Module.
        X: samples as `fit` takes them: rows of numbers, a list of lists, an array or a DataFrame, or images.

    Raises:
        TypeError: if the model is no Module.
        ValueError: if X is empty.

    >>> from scalargrad.nn import MLP
    >>> model = MLP(1, [2, 1], seed=1)
    >>> model.layers[0].neurons[1].b.data = -100.0
    >>> dead_relus(model, [[-1.0], [1.0]])
    ['layer 0 · neuron 1 (relu)']
    """
    if not isinstance(model, Module):
        raise TypeError(
            f"dead_relus looks at the neurons of a Module, as nn.MLP(2, [4, 1]), not {type(model).__name__}"
        )
    dead, _ = dead_among(model, as_samples(X))
    return [name_of(neuron) for neuron in dead]


def label_of_outputs(neuron: AnyNeuron) -> Name:
    """What all outputs of a neuron are labelled with, and no others."""
    return neuron._output_label if isinstance(neuron, Neuron) else neuron.label


def name_of(neuron: AnyNeuron) -> str:
    """The neuron's name in its network, as pictures show it."""
    return " · ".join(label_of_outputs(neuron).scope)


def dead_among(model: Module, rows: Iterable[Any]) -> tuple[list[AnyNeuron], list[AnyNeuron]]:
    """The dead relu neurons, and all relu neurons, of a model that is asked about these rows.

    Rows are looked at until each neuron has answered one of them, so mostly few.
    """
    neurons = [neuron for part in model.modules() for neuron in _neurons(part)]
    owners = {id(label_of_outputs(neuron)): neuron for neuron in neurons}
    if not owners:
        return [], []
    seen: dict[int, bool] = {}  # whether it has answered anything but 0
    with evaluating(model):
        for row in rows:
            for node in topological_order(*_outputs(model, row)):
                owner = _owner(node, owners)
                if owner is not None:
                    seen[owner] = seen.get(owner, False) or node.data != 0
            if all(seen.values()):
                break
    relus = {key: neuron for key, neuron in owners.items() if key in seen}
    return [neuron for key, neuron in relus.items() if not seen[key]], list(relus.values())


def _neurons(part: Module) -> Sequence[AnyNeuron]:
    return [part] if isinstance(part, Neuron) else part._tags if isinstance(part, Linear) else []


def _outputs(model: Module, row: Any) -> list[Value]:
    leaves, _ = flatten(with_recording(model, row), "what the model returns")
    return [leaf for leaf in leaves if isinstance(leaf, Value)]


def _owner(node: Value, owners: dict[int, AnyNeuron]) -> int | None:
    """Whose relu the node is: its output has the neuron's own label, or it is what follows an output that has it."""
    if node._rule is not _RELU:
        return None
    for one in (node, *node.parents):
        label: Name | str = one.label
        if id(label) in owners:
            return id(label)
    return None


_RELU = with_recording(relu, Value(1.0))._rule
