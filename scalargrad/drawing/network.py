"""`draw_network`: from a Module to a Drawing of its columns of neurons, and what that says as a text."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Literal

from scalargrad.drawing.answers import answers, does_more, gradients_of, plane_of
from scalargrad.drawing.columns import Network, read_network
from scalargrad.drawing.exports import numbers_in_json
from scalargrad.drawing.layered import Shown, paint_network, place, wires
from scalargrad.drawing.maps import MapsDrawing
from scalargrad.drawing.picture import Card, Edge, Picture
from scalargrad.drawing.result import Drawing, check_look
from scalargrad.drawing.sketch import Link, Shape, Sketch
from scalargrad.drawing.stages import has_image_layers, read_stages
from scalargrad.drawing.theme import THEMES, edge_role, text_width
from scalargrad.nn.arguments.inputs import as_row, as_sequence, is_sequence
from scalargrad.nn.layers.neurons import Neuron
from scalargrad.nn.modules.module import Module
from scalargrad.node.numbers import number_in, plain_gradient, plain_number
from scalargrad.support.arguments import brief, real
from scalargrad.support.arguments import name as one_of
from scalargrad.support.console import Text
from scalargrad.support.spelling import explained
from scalargrad.words.texts import columns as table
from scalargrad.words.texts import counted, grouped, number_text

if TYPE_CHECKING:
    from scalargrad.drawing.scene import Scene
    from scalargrad.engine import Value

SHOWS = ("weights", "values", "gradients")
_FEW = 150
_FINE, _COARSE = 28, 20
"""Along each side of the plane, how many points networks of few weights are asked at, and how many larger ones."""


@explained("draw_network(model)")
def draw_network(
    model: Module,
    X: Any = None,
    y: Any = None,
    *,
    x: Any = None,
    show: Literal["weights", "values", "gradients"] | None = None,
    theme: Literal["default", "cs231n"] = "default",
    scheme: Literal["auto", "light", "dark"] = "auto",
    id_prefix: str = "",
    legend: bool = True,
) -> Drawing:
    """Draw a model as a network: a column for each layer, neurons in the order of their indices from top to bottom.

    A line is a weight: its width is the weight's size beside the largest, its hue the sign. The dot at a circle is the
    bias. A circle names the neuron's activation, or shows what it answers. Of a column, 64 neurons are drawn, and the
    others counted. A network with layers of images is a column of pictures for each layer: its filters, and, with a
    sample, each channel that it makes of it. No engine is needed.

    Args:
        model: a Neuron, Layer, Linear, MLP, a Sequential of these, or a Module whose parts are such, one after another.
        X: samples of two inputs: each circle shows what its neuron answers over the plane that they lie in, in shades
            of the sign. One sample by itself is taken for `x`.
        y: their labels; the samples are drawn on the picture of a single output.
        x: one sample: each circle shows its value.
        show: 'weights', the default; 'values', for which x is needed, and by default with it; 'gradients': lines and
            dots show each parameter's `grad` as the last backward() left it, or, with x, the gradient of the sum of the
            outputs for that sample, and circles that of the neuron; no `grad` is touched.
        theme: as in `draw`.
        scheme: as in `draw`.
        id_prefix: as in `draw`.
        legend: whether a line below says what the lines' hues and widths mean.

    Returns:
        A Drawing; as text it is a table of the layers.

    Raises:
        TypeError: if `model` is no Module.
        ValueError: if it cannot be drawn so, if it has not two inputs and X was given, if X and y differ in length, for
            an option that does not exist, or if there are no gradients to show.

    >>> from scalargrad import nn
    >>> print(draw_network(nn.MLP(2, [4, 1], activation="tanh", init="zeros")).text, end="")
    Network MLP(2, [4, 1]): 2 inputs, 5 neurons, 12 weights, 5 biases.
    layer    neurons  activation  weights  biases  largest weight
    inputs         2
    layer 0        4  tanh              8       4               0
    layer 1        1  linear            4       1               0
    One neuron as a graph: model.layers[0].neurons[0].draw(x)
    """
    if not isinstance(model, Module):
        raise TypeError(f"draw_network takes a Module, as nn.MLP(2, [4, 1]), not {type(model).__name__}")
    check_look(theme, scheme, id_prefix)
    if X is not None and x is None and y is None and (has_image_layers(model) or not _is_rows(X)):
        X, x = None, X
    if show is not None:
        one_of(show, "show", SHOWS)
    if X is not None and x is not None:
        raise ValueError("give X (samples, for what the neurons answer everywhere) or x (one sample), not both")
    if y is not None and X is None:
        raise ValueError("y are the labels of the samples X: give both, draw(X, y)")
    if has_image_layers(model):
        return _draw_maps(model, X, x, show, theme=theme, scheme=scheme, id_prefix=id_prefix, legend=legend)
    if show == "values" and x is None:
        raise ValueError("show='values' needs the sample whose values are shown: draw(x=[0.5, 0.0], show='values')")
    network = read_network(model)
    shown = _shown(network, X, y, x, show)
    shown.hues, shown.legend = (THEMES[theme].positive, THEMES[theme].negative), legend
    return NetworkDrawing(network, shown, theme=theme, scheme=scheme, id_prefix=id_prefix)


def _draw_maps(model: Module, X: Any, x: Any, show: str | None, *, legend: bool, **look: str) -> Drawing:
    if X is not None:
        raise ValueError("a network of images is drawn for one sample: draw(x=image)")
    if show == "values" and x is None:
        raise ValueError("show='values' needs the sample whose values are shown: draw(x=image, show='values')")
    stages = read_stages(model, x, gradients=show == "gradients")
    return MapsDrawing(model, stages, "gradients" if show == "gradients" else "values", legend=legend, **look)


def is_module(thing: Any) -> bool:
    """Return whether it is a Module, and so may be drawn as a network."""
    return isinstance(thing, Module)


def _is_rows(X: Any) -> bool:
    X = as_sequence(X)
    return is_sequence(X) and len(X) > 0 and is_sequence(as_sequence(X[0]))


def _shown(network: Network, X: Any, y: Any, x: Any, show: str | None) -> Shown:
    values = [value for column in network.columns for node in column.nodes for value in node.parameters]
    shown = Shown({value: number_in(value) for value in values}, caption=_caption(network))
    if show == "gradients":
        shown.of_lines = "gradient"
        if x is None:
            shown.lines = {value: plain_gradient(value) for value in values}
            if not any(shown.lines.values()):
                raise ValueError(
                    "there are no gradients to show: all are 0. Call loss.backward() before, or give a sample, "
                    "draw(x=[0.5, 0.0], show='gradients')"
                )
        else:
            shown.numbers, shown.lines = gradients_of(network, _row(network, x))
    elif x is not None:
        shown.numbers = [column[0] for column in answers(network, [_row(network, x)])]
    weights = (v for c in network.columns for node in c.nodes for w in node.weights for v in w)
    shown.largest = max((abs(s) for s in map(shown.lines.__getitem__, weights) if math.isfinite(s)), default=0.0)
    if X is not None:
        shown.plane = plane = plane_of(network, X, y)
        many = sum(map(len, (node.weights[0] for column in network.columns[1:] for node in column.nodes)))
        shown.cells = answers(network, plane.grid(_FINE if many <= _FEW else _COARSE))
    return shown


def _row(network: Network, x: Any) -> list[float]:
    row = [real(plain_number(v), "each number of x") for v in as_row(x)]
    n = len(network.columns[0].nodes)
    if len(row) != n:
        raise ValueError(f"x must be one sample of {network.head}, {counted(n, 'number')}, not {brief(x)}")
    return row


def _caption(network: Network) -> str:
    first = network.columns[1].nodes[0]
    name = "neuron" if first.neuron is network.model else f"model{first.path}"
    call = f"{name}.draw(x)" if isinstance(first.neuron, Neuron) else f"draw({name}(x){'[0]' * (first.neuron is None)})"
    more = f"{type(network.model).__name__} computes more than is drawn: its graph is model(x).draw(). "
    return more * does_more(network) + f"One neuron as a graph: {call}"


class NetworkDrawing(Drawing):
    """A drawn network. It keeps the numbers of when it was made, and needs no engine."""

    def __init__(self, network: Network, shown: Shown, *, theme: str, scheme: str, id_prefix: str) -> None:
        self._network, self._shown = network, shown
        places = place(network)
        self._hidden = [len(column.nodes) - len(ys) for column, ys in zip(network.columns, places.y, strict=True)]
        picture = _picture(network, shown, list(wires(network, places)), places.y)
        picture.title, picture.description = self._title(), self._description()
        super().__init__(picture, _sketch(picture), theme=theme, scheme=scheme, id_prefix=id_prefix)

    def _title(self) -> str:
        return f"Network {self._network.head}"

    def _counts(self) -> tuple[int, int, int, int]:
        nodes = [node for column in self._network.columns[1:] for node in column.nodes]
        weights = sum(len(w) for node in nodes for w in node.weights)
        return len(self._network.columns[0].nodes), len(nodes), weights, sum(len(node.biases) for node in nodes)

    def _description(self) -> str:
        nouns = ("input", "neuron", "weight", "bias")
        counts = zip(self._counts(), nouns, strict=True)
        parts = [counted(n, noun) if noun != "bias" or n == 1 else f"{grouped(n)} biases" for n, noun in counts]
        if self._network.others:
            parts.append(f"{counted(self._network.others, 'other parameter')}, not drawn")
        text = f"{self._title()}: {', '.join(parts)}"
        if any(self._hidden):
            text += f"; not drawn: {counted(sum(self._hidden), 'neuron')} and the weights from and to them"
        return text + "."

    @property
    def text(self) -> str:
        """The network as a table of its layers."""
        rows = [["layer", "neurons", "activation", "weights", "biases", f"largest {self._shown.of_lines}"]]
        for column in self._network.columns:
            weights = [value for node in column.nodes for w in node.weights for value in w]
            biases = sum(len(node.biases) for node in column.nodes)
            sizes = [abs(self._shown.lines.get(value, 0.0)) for value in weights]
            largest = number_text(math.nan if any(s != s for s in sizes) else max(sizes)) if sizes else ""
            counts = (grouped(len(weights)), grouped(biases)) if weights else ("", "")
            kinds = column.kinds.partition(" × ")[2]
            rows.append([column.title, grouped(len(column.nodes)), kinds, *counts, largest])
        lines = [line.rstrip() for line in table(rows, "<><>>>")]
        if self._shown.numbers and self._shown.of_lines == "weight":
            names = [
                f"{c.title}: {_listed(ns)}" for c, ns in zip(self._network.columns, self._shown.numbers, strict=True)
            ]
            lines += ["values", *(f"  {name}" for name in names)]
        return Text("\n".join([self.picture.description, *lines, self._shown.caption, ""]))

    @property
    def json(self) -> str:
        """The network as JSON: its layers, and for each neuron the numbers that its lines show."""
        shown = self._shown

        def number_of(parameter: Value) -> Any:
            return numbers_in_json(shown.lines.get(parameter, 0.0))

        layers = [
            {
                "name": column.title,
                "neurons": [
                    {
                        "name": node.name,
                        "activation": node.activation,
                        f"{shown.of_lines}s": [[number_of(v) for v in w] for w in node.weights],
                        "bias": [number_of(b) for b in node.biases],
                        "value": numbers_in_json(shown.numbers[c][i]) if shown.numbers else None,
                    }
                    for i, node in enumerate(column.nodes)
                ],
            }
            for c, column in enumerate(self._network.columns)
        ]
        document = {"format": "scalargrad-network", "version": 1, "title": self.picture.title, "layers": layers}
        return json.dumps(document, indent=1, allow_nan=False) + "\n"

    def _drawn_by(self) -> str:
        return "scalargrad"

    def _scene(self) -> Scene:
        return paint_network(self._network, self._shown, self.picture.title, self.picture.description)

    def __repr__(self) -> str:
        inputs, neurons, weights, _ = self._counts()
        counts = ", ".join((counted(inputs, "input"), counted(neurons, "neuron"), counted(weights, "weight")))
        return f"<Drawing of {self._network.head}: {counts}>"


def _listed(numbers: list[float]) -> str:
    shown = [number_text(x) for x in numbers[:8]]
    return ", ".join(shown) + (f", … {grouped(len(numbers) - 8)} more" if len(numbers) > 8 else "")


def _picture(network: Network, shown: Shown, lines: list[Any], drawn: list[list[float]]) -> Picture:
    """The same as cards and edges, for DOT and Mermaid."""
    cards: list[Card] = []
    at: dict[tuple[int, int], int] = {}
    for c, column in enumerate(network.columns):
        for i, node in enumerate(column.nodes[: len(drawn[c])]):
            at[c, i] = len(cards)
            rows = [("ink", node.name)] + ([("muted", column.shown_in(node))] if node.activation else [])
            if shown.numbers:
                rows.append(("value", number_text(shown.numbers[c][i])))
            kinds = ("op",) if node.weights else ("input",)
            cards.append(Card(node.name, "", rows, node.name, kinds, (column.title,) if node.weights else ()))
    edges = []
    for c, j, _, k, weight in lines:
        s = shown.lines.get(weight, 0.0)
        edge = Edge(at[c - 1, k], at[c, j], s, s, title=f"{shown.of_lines} {s!r}")
        edge.bin = 0 if s == 0.0 or s != s else 2 if s > 0 else -2
        edges.append(edge)
    titles = [(column.title,) for column in network.columns[1:]]
    return Picture(cards, edges, None, shown.of_lines == "gradient", scopes=list(dict.fromkeys(titles)))


def _sketch(picture: Picture) -> Sketch:
    shapes = [
        Shape(
            f"n{i}", max(text_width(t, 12.0) for _, t in card.rows) + 18, 18.0 * len(card.rows),
            [t for _, t in card.rows], classes=card.kinds[0], scope=card.scope,
            fill="input" if card.kinds[0] == "input" else "card",
        )
        for i, card in enumerate(picture.cards)
    ]  # fmt: skip
    largest = max((abs(edge.local or 0.0) for edge in picture.edges if math.isfinite(edge.local or 0.0)), default=0.0)
    links = [
        Link(
            f"e{i}", f"n{edge.tail}", f"n{edge.head}", color=edge_role(edge.bin),
            width=round(0.5 + 3.5 * (min(abs(edge.local or 0.0), largest) / largest if largest else 0.0), 3),
        )
        for i, edge in enumerate(picture.edges)
    ]  # fmt: skip
    return Sketch(shapes, links, clusters={scope: scope[0] for scope in picture.scopes})
