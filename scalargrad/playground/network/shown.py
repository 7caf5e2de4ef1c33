"""A network as the page shows it: columns, what every neuron answers over the plane, lines, and dead relus."""

from __future__ import annotations

import base64
import math
import re
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.compiled import compile as compile_
from scalargrad.drawing.answers import passed
from scalargrad.drawing.columns import read_network
from scalargrad.ops import tanh
from scalargrad.playground.messages import RefusedError
from scalargrad.support.labels import clean_label
from scalargrad.words.expressions import ExpressionError, expression_function
from scalargrad.words.texts import counted, number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scalargrad.drawing.columns import Node
    from scalargrad.engine import Value
    from scalargrad.nn.modules.module import Module

NOTHING, FULL = 128.0, 127.0
"""A map's byte for 0, and how far the bytes of -inf and inf are from it: a number x is drawn as tanh(x)."""
PLANE = ("x0", "x1")


class Inputs:
    """What a network reads of a point: expressions of x0 and x1.

    Args:
        texts: the expressions.

    Raises:
        RefusedError: if one of them is none.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self._functions = [_function(text, i) for i, text in enumerate(self.texts)]

    def rows(self, points: Sequence[Sequence[float]]) -> list[list[float]]:
        """What is read of each of these points.

        Raises:
            RefusedError: if an expression has no number at one of them.
        """
        if self.texts == [*PLANE]:
            return [list(point) for point in points]
        return [[f(point) for f in self._functions] for point in points]


def _function(text: str, i: int) -> Callable[[Sequence[float]], float]:
    used = [k for k, name in enumerate(PLANE) if re.search(rf"(?<![\w.]){name}(?!\w)", text)]
    if not used:
        raise RefusedError(f"inputs[{i}]: {clean_label(text)} has neither x0 nor x1 in it: write x0, x1 or x0*x1")
    try:
        f = expression_function(text, [PLANE[k] for k in used])
        f(*(0.5 for _ in used))
    except ExpressionError as error:
        raise RefusedError(f"inputs[{i}]: {error}") from None
    except (ValueError, ArithmeticError):  # it may have a number elsewhere
        pass

    def at(point: Sequence[float]) -> float:
        try:
            x = float(f(*(point[k] for k in used)))
        except (ValueError, ArithmeticError) as error:
            raise RefusedError(f"{_place(text, point)}: {str(error).splitlines()[0]}") from None
        if not math.isfinite(x):
            raise RefusedError(f"{_place(text, point)} it is {number_text(x)}")
        return x

    return at


def _place(text: str, point: Sequence[float]) -> str:
    return f"input {clean_label(text)}: at x0 = {number_text(point[0])}, x1 = {number_text(point[1])}"


class Shown:
    """A model's columns of neurons, and what the page needs of them anew after each step.

    Args:
        model: a model that can be drawn as a network, with one output.
        inputs: what its first column is called.

    Raises:
        ValueError: if it cannot be drawn so.
    """

    def __init__(self, model: Module, inputs: Sequence[str]) -> None:
        self.network = network = read_network(model)
        self.columns = network.columns
        self.inputs = list(inputs)
        self.parameters = [v for column in self.columns for node in column.nodes for v in node.parameters]

        def activations(row: Any) -> Any:
            return [x for column in passed(network, row)[1:] for x in column]

        def shades(row: Any) -> Any:
            return [NOTHING + FULL * tanh(x) for x in activations(row)]

        self._shades = compile_(shades)
        self._activations = compile_(activations, backend="python")  # of the few points: no machine code is made for it

    def name(self, column: int, neuron: int) -> str:
        """What a neuron, or an input, is called."""
        if column == 0:
            return self.inputs[neuron]
        return f"{self.columns[column].title} · {self.columns[column].nodes[neuron].name}"

    def node(self, column: int, neuron: int) -> Node:
        """A neuron of a column after the inputs.

        Raises:
            RefusedError: if there is none.
        """
        n = len(self.columns)
        if not 1 <= column < n:
            raise RefusedError(f"column must be from 1 to {n - 1}, not {column}: 0 are the inputs")
        nodes = self.columns[column].nodes
        if neuron >= len(nodes):
            raise RefusedError(f"column {column} has {counted(len(nodes), 'neuron')}, counted from 0: {neuron} is none")
        return nodes[neuron]

    def described(self) -> list[dict[str, Any]]:
        """The columns: their titles, and for each neuron its name and activation."""
        return [
            {
                "title": column.title,
                "kinds": column.kinds,
                "neurons": [
                    {"name": self.name(c, i), "activation": column.shown_in(node)}
                    for i, node in enumerate(column.nodes)
                ],
            }
            for c, column in enumerate(self.columns)
        ]

    def wires(self) -> list[list[int]]:
        """For each parameter its column, neuron, and the index of the neuron that it weighs; -1 for a bias."""
        found = []
        for c, column in enumerate(self.columns):
            for j, node in enumerate(column.nodes):
                found += [[c, j, k] for weights in node.weights for k in range(len(weights))]
                found += [[c, j, -1] for _ in node.biases]
        return found

    def lines(self, numbers: dict[Value, float] | None = None) -> tuple[str, str]:
        """The weights as bytes in the order of `wires`, 128 for 0 and 1 or 255 for the largest; and the largest.

        Args:
            numbers: what is shown in place of each weight, as its gradient.
        """
        shown = [v.data for v in self.parameters] if numbers is None else [numbers.get(v, 0.0) for v in self.parameters]
        largest = max((abs(x) for x in shown if math.isfinite(x)), default=0.0)
        share = FULL / largest if largest else 0.0
        sized = [_byte(NOTHING + _away(x * share)) for x in shown]
        return base64.b64encode(bytes(sized)).decode(), number_text(float(f"{largest:.3g}"))

    def maps(self, rows: list[list[float]]) -> str:
        """What each neuron answers to each of these rows, as bytes, neuron by neuron."""
        return coded(self._shades.batches.columns(rows))

    def answers(self, rows: list[list[float]]) -> list[list[float]]:
        """What each neuron answers to each of these rows: a list for each neuron."""
        return self._activations.batches.columns(rows)

    def dead(self, rows: list[list[float]]) -> list[list[int]]:
        """Column and index of the relu neurons that answer 0 to all these rows, so that no gradient reaches them."""
        relus = [column.shown_in(node) == "relu" for column in self.columns[1:] for node in column.nodes]
        if not rows or not any(relus):
            return []
        places = [[c, i] for c, column in enumerate(self.columns[1:], 1) for i in range(len(column.nodes))]
        return [
            place
            for place, is_relu, column in zip(places, relus, self.answers(rows), strict=True)
            if is_relu and not any(column)
        ]


def coded(columns: Sequence[Sequence[float]]) -> str:
    """Columns of numbers from 0 to 256 as bytes, one after another, in base64; nan as 128."""
    try:
        return base64.b64encode(b"".join(bytes(map(int, column)) for column in columns)).decode()
    except (ValueError, OverflowError):
        return base64.b64encode(bytes(_byte(x) for column in columns for x in column)).decode()


def shades(rows: Sequence[Sequence[float]]) -> str:
    """The maps of the inputs themselves."""
    return coded([[NOTHING + FULL * math.tanh(x) for x in column] for column in zip(*rows, strict=True)])


def _byte(x: float) -> int:
    return int(min(255.0, max(0.0, x))) if x == x else int(NOTHING)


def _away(x: float) -> float:
    """A step from 128 that is seen as one: what is not 0 is at least 1."""
    return math.copysign(max(1.0, min(FULL, abs(x))), x) if x and x == x else 0.0
