"""The exercises of notebook 08, from graph to machine code."""

import json
from typing import Any

from scalargrad.compiling import BranchError, compile, replay
from scalargrad.drawing.found import draw_layers
from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import as_number, choice, close, expect, number, result_of
from scalargrad.nn import MLP, SGD
from scalargrad.ops import dot, exp, sum_


def _products() -> int:
    """Weights of 3 inputs, 8 hidden neurons, 1 output, each used once for each of 50 samples."""
    layers = MLP(3, [8, 1], seed=0).layers
    return 50 * sum(len(neuron.w) for layer in layers for neuron in layer.neurons)


def _calls() -> int:
    calls, w = [], Value(2.0)

    @replay
    def loss() -> Value:
        calls.append(1)
        return (w - 1) ** 2

    for _ in range(100):
        loss()
    return len(calls)


def _second_matrix() -> list[list[float]]:
    """Of a network with 3 inputs, 5 hidden neurons and 2 outputs, whose weights are exp of leaves."""
    first, second = ([[Value(0.1 * j - 0.2 * k) for k in range(n)] for j in range(m)] for n, m in ((3, 5), (5, 2)))

    def loss(x: Any) -> Any:
        h = [dot([exp(v) for v in row], x) for row in first]
        return sum_([dot([exp(v) for v in row], h) for row in second])

    parts = json.loads(draw_layers(compile(loss), [1.0, 2.0, 3.0]).json)["parts"]
    layers: list[list[list[float]]] = [part["weights"] for part in parts if part["weights"]]
    return layers[1]


def _huber_if(x: float) -> float:
    return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5


def _huber(answer: Any) -> None:
    result_of(answer, Value(0.25))
    compiled = compile(answer)
    for x in (0.25, -0.75, 3.0, -4.0, 1.0):
        try:
            found = as_number(compiled(x))
        except BranchError as error:
            raise NotYetError("it still decides with a comparison, so the record holds one of its two ways") from error
        expect(close(found, _huber_if(x), 1e-9), f"at {x:g} it gives {found:g}, and huber_if gives something else")


_X, _Y = [0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 5.0, 7.0, 9.0]


def _line(answer: Any) -> None:
    slope, offset = Value(0.5), Value(-1.0)
    expect(close(as_number(result_of(answer, slope, offset, 2.0, 0.0)), 0.0), "where the line meets the point it is 0")
    for y in (1.0, -1.0):
        off = as_number(result_of(answer, slope, offset, 2.0, y))
        expect(off > 0, f"a point off the line has a loss above 0, and here it is {off:g}: square the difference")
    slope.data = offset.data = 0.0
    fit = compile(lambda x, y: answer(slope, offset, x, y), parameters=[slope, offset])
    with fit.training(SGD([slope, offset], lr=0.05)) as step:
        for _ in range(1000):
            step(_X, _Y)
    found = all(abs(v.data - w) < 1e-6 for v, w in ((slope, 2), (offset, 1)))
    expect(found, "1000 steps with it do not find the line through the five points: is the difference squared?")


EXERCISES = (
    Exercise(
        id="08.cost",
        question="A network with 3 inputs, 8 hidden neurons and 1 output, on a batch of 50 samples: how many products "
        "are there forward, and about how many backward?",
        parts=(
            number(
                "forward",
                _products,
                {32: "that is for one sample", 1200: "the output neuron has 8 weights too", 2050: "biases are added"},
            ),
            number(
                "backward",
                lambda: 2 * _products(),
                {1600: "each product forward has two operands, and each of them gets a product backward"},
            ),
        ),
        hints=(
            "A product for each weight and each sample.",
            "3·8 + 8 weights. Backward, each product has two operands that want a gradient.",
        ),
        solution="forward = 50 * (3 * 8 + 8 * 1)\nbackward = 2 * forward  # two operands for each product",
        reveal="Backward costs about twice as much as forward, of whatever size the network is.",
    ),
    Exercise(
        id="08.replay",
        question="A function with @sg.replay computes (w - 1) ** 2 and appends 1 to a list. It is called 100 times. "
        "How long is the list, and does a call notice ('yes' or 'no') that w.data has been changed since the last one?",
        parts=(
            number("calls", _calls, {100: "when does Python run the function's body?", 0: "and the first call?"}),
            choice("notices", "yes", {"no": "then nothing could be trained with it: w is a parameter, not a constant"}),
        ),
        hints=("The first call builds the graph and records it. What do the others do?",),
        solution="calls = 1  # only the first call runs the body\nnotices = 'yes'  # parameters are read in each call",
        reveal="The body runs once, so what it does besides (printing, counting) happens once. The numbers of the "
        "parameters are read anew in each call.",
    ),
    Exercise(
        id="08.line",
        question="Fit the line y = slope * x + offset: write the loss of one sample, line_loss(slope, offset, x, y), "
        "for sg.compile. It is trained on five points, 1000 steps.",
        parts=(Part("line_loss", _line),),
        hints=("The squared difference of slope * x + offset and y.",),
        solution="""
def line_loss(slope, offset, x, y):
    return (slope * x + offset - y) ** 2
""",
        reveal="The line y = 2x + 1 was found. You wrote one sample's loss; the batch, backward and the optimizer are "
        "in the machine code.",
    ),
    Exercise(
        id="08.layers",
        question="A network with 3 inputs, 5 hidden neurons and 2 outputs is written with + and * alone, and its "
        "outputs are added up. How many rows and columns has the second matrix that compile finds in it? And if each "
        "weight is exp(v) of a leaf v: is it still a layer ('yes' or 'no')?",
        parts=(
            number(
                "rows", lambda: len(_second_matrix()), {5: "those of the first: a row for each neuron of the layer"}
            ),
            number(
                "columns",
                lambda: len(_second_matrix()[0]),
                {2: "that is how many rows it has", 3: "what does the second layer read?", 6: "the bias is no column"},
            ),
            choice("computed", "yes", {"no": "exp(v) does not change from sample to sample: what is a row made of?"}),
        ),
        hints=(
            "A row for each neuron, a column for each number that the neuron reads.",
            "A row is a sum of products: what is the same for all samples, times numbers of the sample.",
        ),
        solution="rows, columns = 2, 5  # two neurons, each of which reads five numbers\ncomputed = 'yes'",
        reveal="Weights may be computed, as long as it is from parameters alone: once for all samples of a batch.",
    ),
    Exercise(
        id="08.huber",
        question="Write the Huber loss for sg.compile without `if`: what huber_if computes, a parabola in the middle "
        "and straight outside, recorded once for all x.",
        parts=(Part("huber", _huber),),
        hints=(
            "Compute both sides and choose with sg.where.",
            "The comparison is an operation too: sg.greater(1, abs(x)).",
        ),
        solution="""
import scalargrad as sg


def huber(x):
    return sg.where(sg.greater(1, abs(x)), 0.5 * x * x, abs(x) - 0.5)
""",
        reveal="Both sides are computed each time, and the record has no guard that could fail.",
    ),
)
