"""A network as columns of neurons: what of a Module can be drawn so, read once; for the rest an error in words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.nn.layers.activations import Elementwise
from scalargrad.nn.layers.affine import Linear
from scalargrad.nn.layers.attending import MultiHeadAttention
from scalargrad.nn.layers.batchnorm import BatchNorm
from scalargrad.nn.layers.dropout import Dropout
from scalargrad.nn.layers.normalisation import LayerNorm, RMSNorm
from scalargrad.nn.modules.module import Module, children
from scalargrad.support.arguments import MAX_DEPTH, too_deep
from scalargrad.support.labels import clean_label
from scalargrad.words.texts import counted, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CAN = (
    "what can be drawn as a network is a Neuron, a Layer, a Linear, an MLP, a Sequential of these with activations, "
    "Dropout or normalisation between them, and a Module whose parts are such; the graph of any output is drawn by "
    "model(x).draw()"
)
BETWEEN = (Elementwise, Dropout, BatchNorm, LayerNorm, RMSNorm)
"""What has no neurons and goes between layers that have."""
NOT_ONE_AFTER_ANOTHER = (MultiHeadAttention,)
"""What holds layers, but does not apply them in their order."""


@dataclass
class Node:
    """One neuron, or one input.

    Attributes:
        name: unique in its column: `neuron 1`, or `x0`.
        weights: a list for each linear function in it, with a weight for each node of the column before: one list for
            a neuron, several for a maxout neuron, none for an input.
        biases: one for each list of weights, where there is one.
        activation: its name; empty if unknown or none.
        path: how Python reaches it from the model: `.layers[0].neurons[1]`; empty if it is the model. For a row of a
            Linear, how the Linear is reached.
        neuron: the module; None for an input and for a row of a Linear.
    """

    name: str
    weights: list[list[Value]] = field(default_factory=list)
    biases: list[Value] = field(default_factory=list)
    activation: str = ""
    path: str = ""
    neuron: Module | None = None

    @property
    def parameters(self) -> list[Value]:
        """Its weights, then its biases."""
        return [*chain.from_iterable(self.weights), *self.biases]


@dataclass
class Column:
    """The inputs, or one layer.

    Attributes:
        title: `inputs`, or `layer 0`, or what the attribute is called.
        nodes: in the order of their indices.
        after: what is applied to all outputs before the next column reads them: activations, Dropout, normalisation.
        first: what computes the outputs, of the outputs of the column before.
    """

    title: str
    nodes: list[Node]
    after: list[Module] = field(default_factory=list)
    first: Callable[[Sequence[Any]], Any] | None = None

    @property
    def kinds(self) -> str:
        """What its neurons are, in a few words: `16 × tanh`, with what comes after them."""
        names = list(dict.fromkeys(node.activation for node in self.nodes if node.activation))
        if names == ["linear"] and any(isinstance(part, Elementwise) for part in self.after):
            names = []
        names += [_called(part) for part in self.after]
        return f"{grouped(len(self.nodes))} × {', '.join(names)}" if names else grouped(len(self.nodes))

    def shown_in(self, node: Node) -> str:
        """The activation that the node's circle names: its own, or what follows a linear one."""
        own = "" if node.activation == "linear" else node.activation
        names = [own, *(part.activation for part in self.after if isinstance(part, Elementwise))]
        return ", ".join(filter(None, names)) or node.activation


@dataclass
class Network:
    """A model as columns, the inputs first.

    Attributes:
        model: the model.
        head: what it is: `MLP(2, [4, 1])`.
        columns: from left to right.
        others: how many parameters it has beside the weights and biases in the columns, as BatchNorm's.
    """

    model: Module
    head: str
    columns: list[Column]
    others: int = 0


def read_network(model: Module) -> Network:
    """Return the model's columns.

    Raises:
        ValueError: if a part of it is no neuron and no layer, or the sizes do not fit together; the message says what
            can be drawn.
    """
    columns: list[Column] = []
    for path, part in _steps(model):
        if isinstance(part, BETWEEN):
            if not columns:
                raise ValueError(f"{_who(model)} begins with {part!r}, and not with a layer of neurons: {CAN}")
            columns[-1].after.append(part)
            continue
        made = _column(path, part)
        nin = len(made.nodes[0].weights[0])
        if not columns:
            columns.append(Column("inputs", [Node(f"x{i}") for i in range(nin)]))
        elif (before := columns[-1]) and len(before.nodes) != nin:
            raise ValueError(
                f"{_who(model)}: {made.title} reads {counted(nin, 'input')}, but {before.title} before it has "
                f"{counted(len(before.nodes), 'neuron')}; drawn are layers one after another, in the order of the "
                "attributes that hold them"
            )
        columns.append(made)
    if not columns:
        raise ValueError(f"{_who(model)} has no neurons: {CAN}")
    drawn = {value for column in columns for node in column.nodes for value in node.parameters}
    others = sum(value not in drawn for value in model.parameters())
    return Network(model, clean_label(model._head()), columns, others)


def _steps(model: Module) -> list[tuple[str, Any]]:
    """What is applied one after another, by its path: a layer or list of neurons, or what goes between them."""
    found: list[tuple[str, Any]] = []
    stack: list[tuple[str, Any, int]] = [("", model, 0)]
    while stack:
        path, part, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise too_deep("the model")
        if isinstance(part, (Linear, *BETWEEN)) or _neurons(part):
            found.append((path, part))
            continue
        if not isinstance(part, Module):
            what = getattr(part, "__name__", type(part).__name__)
            raise ValueError(f"{_who(model)}{path} is {what}, a function of your own: {CAN}")
        if isinstance(part, NOT_ONE_AFTER_ANOTHER):
            kind = f", a {type(part).__name__}," if path else ""
            raise ValueError(f"{_who(model)}{path}{kind} does not apply its layers in turn: {CAN}")
        inside, own = parts_of(path, part)
        if own or not inside:
            what = f"has {counted(own, 'parameter')} of its own, in no neuron" if own else "has no neurons"
            kind = f", a {type(part).__name__}," if path else ""
            raise ValueError(f"{_who(model)}{path}{kind} {what}: {CAN}")
        stack += [(name, child, depth + 1) for name, child in reversed(inside)]
    return found


def parts_of(path: str, part: Module) -> tuple[list[tuple[str, Any]], int]:
    """What a module applies one after another, by its path: its `layers`, or else its children.

    Also returns how many parameters it has that are in none of these.
    """
    layers = getattr(part, "layers", None)
    if isinstance(layers, list) and layers:
        inside = [(f"{path}.layers[{i}]", layer) for i, layer in enumerate(layers)]
    else:
        inside = [(path + as_python(name), child) for name, child in children(part)]
    known = {v for _, child in inside if isinstance(child, Module) for v in child.parameters()}
    return inside, len(part.parameters()) - len(known)


def _column(path: str, part: Any) -> Column:
    if isinstance(part, Linear):
        nodes = [
            Node(f"neuron {i}", [list(w)], part.b[i : i + 1] if part.b else [], "linear", path)
            for i, w in enumerate(part.W)
        ]
        return Column(path_title(path) or "layer", nodes, [], part)
    neurons = _neurons(part)
    alone = neurons[0][1] is part
    title = path_title(path) or ("neuron" if alone else "layer")
    nodes = []
    for i, (inside, neuron) in enumerate(neurons):
        pieces = getattr(neuron, "pieces", None) or [neuron]
        biases = [piece.b for piece in pieces if isinstance(getattr(piece, "b", None), Value)]
        activation = getattr(neuron, "activation", "")
        activation = clean_label(activation, 20) if isinstance(activation, str) else ""
        nodes.append(
            Node(f"neuron {i}", [list(piece.w) for piece in pieces], biases, activation, path + inside, neuron)
        )
    sizes = {len(weights) for node in nodes for weights in node.weights}
    if len(sizes) > 1:
        raise ValueError(f"the neurons of {title} read different numbers of inputs, {sorted(sizes)}: {CAN}")
    return Column(title, nodes, [], part)


def _neurons(part: Any) -> list[tuple[str, Any]]:
    """The neurons of a layer, or a neuron by itself, by their paths; none if it is neither."""
    if _is_neuron(part):
        return [("", part)]
    held = getattr(part, "neurons", None)
    if isinstance(part, Module) and isinstance(held, list) and held and all(map(_is_neuron, held)):
        return [(f".neurons[{i}]", neuron) for i, neuron in enumerate(held)]
    return []


def _is_neuron(part: Any) -> bool:
    """Whether it has weights, a list `w`, and perhaps a bias `b`; or pieces that have."""
    if not isinstance(part, Module):
        return False
    pieces = getattr(part, "pieces", None)
    return all(map(_is_linear, pieces)) if isinstance(pieces, list) and pieces else _is_linear(part)


def _is_linear(part: Any) -> bool:
    w, b = getattr(part, "w", None), getattr(part, "b", None)
    return (
        isinstance(w, list) and bool(w) and all(isinstance(x, Value) for x in w) and isinstance(b, (Value, type(None)))
    )


def _called(part: Module) -> str:
    return part.activation if isinstance(part, Elementwise) else type(part).__name__


def _who(model: Module) -> str:
    return type(model).__name__


def as_python(path: str) -> str:
    """The dotted path of a part as Python writes it: `blocks.0` as `.blocks[0]`.

    >>> as_python("blocks.0"), as_python("first")
    ('.blocks[0]', '.first')
    """
    return "".join(
        f"[{key}]" if key.isdecimal() else f".{key}" if key.isidentifier() else f"[{key!r}]" for key in path.split(".")
    )


def path_title(path: str) -> str:
    """The path in words: `.layers[0]` as `layer 0`, `.layers[0].layers[2]` as `layer 0.2`, `.first` as `first`."""
    text = re.sub(r"(\.layers\[\d+\])+", lambda run: ".layer " + ",".join(re.findall(r"\d+", run[0])), path)
    text = text.replace("[", " ").replace("]", "").replace("'", "").replace(".", " · ").replace(",", ".")
    return clean_label(text.removeprefix(" · ").strip(), 24)
