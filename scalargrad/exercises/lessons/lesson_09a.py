"""The exercises of notebook 09a, from neurons to networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, Part
from scalargrad.exercises.judging import as_number, as_rows, close, expect, gradient, number
from scalargrad.nn import MLP, Neuron, xor
from scalargrad.ops import dot, sigmoid

if TYPE_CHECKING:
    from collections.abc import Sequence


def _tick() -> Value:
    neuron = Neuron(2, activation="sigmoid")
    for parameter, weight in zip(neuron.parameters(), (1.0, 2.0, -1.0), strict=True):
        parameter.data = weight
    rate: Value = neuron([2.0, -0.5])
    rate.label = "rate"
    return rate


def _through_ten_sigmoids() -> float:
    first = v = Value(0.0)
    for _ in range(10):
        v = sigmoid(v)
        bias = -v.data  # so that the next sum is 0 again, where a sigmoid is steepest
        v = v + bias
    v.backward()
    return first.grad


def _is_xor(answer: Any) -> None:
    expect(isinstance(answer, (list, tuple)) and len(answer) == 3, "three things are asked for: W1, b1, W2")
    W1 = as_rows(answer[0], 2, 2, "W1")
    (b1,), (W2,) = as_rows(answer[1], 1, 2, "b1"), as_rows(answer[2], 1, 2, "W2")
    hidden = [Neuron(2) for _ in W1]
    for neuron, row, bias in zip(hidden, W1, b1, strict=True):
        for parameter, weight in zip(neuron.parameters(), [*row, bias], strict=True):
            parameter.data = weight
    for x, target in zip(*xor(), strict=True):
        said = _says(hidden, W2, x)
        expect(
            close(said, target),
            f"({x[0]:g}, {x[1]:g}) gives {said:g}: let both neurons count the ones, one of them later",
        )


def _says(hidden: Sequence[Neuron], W2: list[float], x: Sequence[float]) -> float:
    return as_number(dot(W2, [neuron(x) for neuron in hidden]))


EXERCISES = (
    Exercise(
        id="09a.tick",
        question="A sigmoid neuron has the weights 1 and 2 and the bias −1, and reads 2 and −0.5. What is its firing "
        "rate, and after rate.backward(), what is w0.grad?",
        parts=(
            number("rate", lambda: _tick().data, {0.0: "that is the sum; the sigmoid of it is asked for"}),
            gradient("w0_grad", _tick, "w0"),
        ),
        hints=(
            "First the sum: 1 · 2 + 2 · (−0.5) − 1.",
            "The local derivative of the sigmoid is rate · (1 − rate); that of w0 is the input it multiplies.",
        ),
        solution="rate = 0.5  # the sigmoid of 0\n"
        "w0_grad = 0.5 * (1 - 0.5) * 2  # what arrives at the sum, times the input",
        reveal="At a sum of 0 a sigmoid is steepest: 0.25 arrives, and each weight gets it times its input.",
    ),
    Exercise(
        id="09a.ten-sigmoids",
        question="Ten sigmoid layers of one neuron each, all weights 1, any biases. 1.0 arrives at the last output. "
        "What is the largest gradient that can reach the sum in the first neuron?",
        parts=(
            number(
                "largest",
                _through_ten_sigmoids,
                {
                    0.0: "small, but not 0",
                    1e-6: "nearly: write it as a power",
                    0.25: "that is one layer",
                    1.0: "each layer multiplies by its slope, and none is 1",
                    2.5: "slopes multiply",
                },
                tolerance=1e-8,
            ),
        ),
        hints=("What is the steepest slope of a sigmoid?", "Ten of these slopes are multiplied."),
        solution="largest = 0.25**10",
        reveal="A millionth: the gradient vanishes. It is one reason why deep networks use ReLU between their layers.",
    ),
    Exercise(
        id="09a.parameters",
        question="How many parameters has nn.MLP(2, [20, 20, 3])?",
        parts=(
            number(
                "parameters",
                lambda: float(len(MLP(2, [20, 20, 3]).parameters())),
                {500.0: "each neuron has a bias too", 43.0: "those are the neurons; each weight counts"},
                tolerance=1e-9,
            ),
        ),
        hints=(
            "One weight for each line in the picture, and one bias for each neuron.",
            "(2 + 1) · 20 in the first layer.",
        ),
        solution="parameters = (2 + 1) * 20 + (20 + 1) * 20 + (20 + 1) * 3",
        reveal="Nearly all of them lie between the two hidden layers: the width counts twice there.",
    ),
    Exercise(
        id="09a.xor",
        question="No line separates XOR, but two ReLU neurons do: W2 max(0, W1 x + b1). Find weights by hand so that "
        "(0, 0) and (1, 1) give 0, and (0, 1) and (1, 0) give 1. Give all three, in this order.",
        parts=(Part("weights", _is_xor),),
        hints=(
            "Let both neurons count the ones: the weights of W1 are all 1.",
            "Let one of them begin to count later, by its bias, and take it away often enough.",
        ),
        solution="# the first counts the ones; the second begins at two of them, and takes twice as much away\n"
        "weights = [[1, 1], [1, 1]], [0, -1], [1, -2]",
        reveal="Each hidden neuron draws one line; the last one sees no longer the plane but what these two say.",
    ),
)
