"""What each neuron of a network answers: for one sample, or for every point of a plane of two inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.functional import grad
from scalargrad.nn.arguments.inputs import as_rows, is_sequence
from scalargrad.nn.modules.module import children
from scalargrad.nn.scores.predicting import evaluating
from scalargrad.node.contexts import no_grad
from scalargrad.node.numbers import plain_number
from scalargrad.support.arguments import items, real
from scalargrad.words.texts import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scalargrad.drawing.columns import Network
    from scalargrad.nn.modules.module import Module

MARGIN = 0.15
"""How far beyond the samples a plane reaches, as a share of their range."""


@dataclass
class Plane:
    """The inputs' plane: what is drawn of it, from left to right and from bottom to top, and the samples on it.

    Attributes:
        across: lowest and highest x0.
        up: lowest and highest x1.
        points: the samples.
        labels: their classes; empty if none were given.
    """

    across: tuple[float, float]
    up: tuple[float, float]
    points: list[tuple[float, float]]
    labels: list[float]

    def grid(self, n: int) -> list[list[float]]:
        """The centres of n × n cells, row by row from the top."""
        (x0, x1), (y0, y1) = self.across, self.up
        steps = [(i + 0.5) / n for i in range(n)]
        return [[x0 + (x1 - x0) * s, y1 - (y1 - y0) * t] for t in steps for s in steps]


def plane_of(network: Network, X: Any, y: Any) -> Plane:
    """The plane that the samples lie in.

    Raises:
        ValueError: if the network has not two inputs, or X and y differ in length.
    """
    nin = len(network.columns[0].nodes)
    if nin != 2:
        raise ValueError(
            f"a picture of what neurons answer needs two inputs, x0 and x1, and {network.head} has {nin}: give one "
            "sample instead, draw(x=X[0])"
        )
    points = [(row[0].data, row[1].data) for row in as_rows(X) if len(row) == nin]
    if not points:
        raise ValueError(f"X must hold rows of two numbers, as {network.head} takes them")
    labels = [] if y is None else [_label(label) for label in items(y, "y", "[-1, 1]")]
    if labels and len(labels) != len(points):
        raise ValueError(f"X has {counted(len(points), 'sample')} and y {counted(len(labels), 'label')}")
    ranges = []
    for axis in (0, 1):
        finite = [p[axis] for p in points if abs(p[axis]) < 1e300]
        low, high = min(finite, default=0.0), max(finite, default=0.0)
        more = MARGIN * (high - low) or 1.0
        ranges.append((low - more, high + more))
    return Plane(ranges[0], ranges[1], points, labels)


def _label(label: Any) -> float:
    label = label[0] if is_sequence(label) and len(label) == 1 else label
    return real(plain_number(label), "each of y")


def answers(network: Network, rows: Sequence[Sequence[float]]) -> list[list[list[float]]]:
    """For each column and each row of inputs, what its neurons answer; in evaluation, without recording a graph.

    Raises:
        ValueError: if the model gives something else than its layers one after another.
    """
    found: list[list[list[float]]] = [[] for _ in network.columns]
    with evaluating(network.model), no_grad():
        for row in rows:
            for column, outputs in zip(found, passed(network, list(row)), strict=True):
                column.append([plain_number(x) for x in outputs])
        if not _same(_listed(network.model(list(rows[0]))), found[-1][0]):
            raise _does_more(network)
    return found


def does_more(network: Network) -> bool:
    """Whether a model of the user's own answers something else than its layers one after another, tried at two samples.

    A model that takes no single row, or answers with no numbers, is not tried. Those of this package do no more.
    """
    if all(_is_of_the_package(part) for part in _modules(network.model)):
        return False
    n = len(network.columns[0].nodes)
    rows = [[sign * (0.5 + i / n) for i in range(n)] for sign in (1.0, -1.0)]
    try:
        answers(network, rows[:1])
        answers(network, rows[1:])
    except _DoesMoreError:
        return True
    except Exception:  # whatever a method of the user's own raises
        return False
    return False


def gradients_of(network: Network, row: Sequence[float]) -> tuple[list[list[float]], dict[Value, float]]:
    """The gradient of the outputs' sum at this sample: for each column's neurons, and for the parameters.

    No `grad` is touched.

    Raises:
        ValueError: if the model gives something else than its layers one after another.
    """
    answers(network, [row])
    with evaluating(network.model):
        inputs = [Value(x) for x in row]
        made = passed(network, inputs)
    parameters = network.model.parameters()
    flat = [x for column in made for x in column]
    known = [x for x in (*flat, *parameters) if isinstance(x, Value)]
    outputs = [x for x in made[-1] if isinstance(x, Value)]
    found = dict(zip(known, grad(outputs, known), strict=True)) if outputs else {}
    columns = [[found.get(x, 0.0) for x in column] for column in made]
    return columns, {value: found.get(value, 0.0) for value in parameters}


def passed(network: Network, row: list[Any]) -> list[list[Any]]:
    """The outputs of every column for one sample."""
    found = [row]
    for column in network.columns[1:]:
        if column.first is None:
            raise _does_more(network)
        outputs: Any = column.first(found[-1])
        for part in column.after:
            outputs = part(outputs)
        outputs = _listed(outputs)
        if len(outputs) != len(column.nodes):
            raise _does_more(network)
        found.append(outputs)
    return found


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if is_sequence(outputs) else [outputs]


def _same(one: Sequence[Any], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(
        a == b or (a != a and b != b) for a, b in zip(map(plain_number, one), other, strict=True)
    )


class _DoesMoreError(ValueError):
    pass


def _modules(model: Module) -> Iterator[Module]:
    stack = [model]
    while stack:
        part = stack.pop()
        yield part
        stack += [child for _, child in children(part)]


def _is_of_the_package(part: Module) -> bool:
    return type(part).__module__.partition(".")[0] == __package__.partition(".")[0]


def _does_more(network: Network) -> ValueError:
    return _DoesMoreError(
        f"{network.head} answers something else than its layers one after another, so what its neurons say cannot be "
        "shown: build it as a Sequential of its layers and activations, or draw it without samples"
    )
