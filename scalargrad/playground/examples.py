"""Expressions to begin with, each for something that a class looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Example(NamedTuple):
    """An expression, the numbers it begins with, and what it shows."""

    title: str
    expression: str
    inputs: Mapping[str, float]


EXAMPLES = (
    Example("A neuron", "tanh(w*x + b)", {"w": 0.5, "x": 2.0, "b": -0.3}),
    Example("Two operations", "(x + y)*z", {"x": -2.0, "y": 5.0, "z": -4.0}),
    Example("A value used twice", "x*x + x", {"x": 1.5}),
    Example(
        "A neuron of two inputs", "tanh(w1*x1 + w2*x2 + b)", {"w1": -3.0, "x1": 2.0, "w2": 1.0, "x2": 0.0, "b": 6.7}
    ),
    Example(
        "A sigmoid in pieces", "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))",
        {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0},
    ),
    Example("The loss of a neuron", "(tanh(w*x + b) - target)**2", {"w": 0.5, "x": 2.0, "b": -0.3, "target": 1.0}),
    Example("A relu that is shut", "relu(w*x + b)*v", {"w": -1.0, "x": 2.0, "b": 0.5, "v": 3.0}),
    Example("A gradient that vanishes", "sigmoid(sigmoid(sigmoid(w*x)))", {"w": 4.0, "x": 2.0}),
    Example("Which one is larger", "max(x*y, x + y)", {"x": 1.0, "y": 3.0}),
    Example("Where a logarithm ends", "log(x)*y", {"x": 0.5, "y": 2.0}),
)  # fmt: skip
