"""The exercises of notebook 00b, build the network."""

from typing import Any

from scalargrad import nn
from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, Part, UnansweredError
from scalargrad.exercises.judging import as_number, close, expect, gradient, number, result_of


def _neuron() -> Value:
    x1, w1 = Value(1.0, label="x1"), Value(0.5, label="w1")
    x2, w2 = Value(-2.0, label="x2"), Value(0.25, label="w2")
    b = Value(0.0, label="b")
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.label = "o"
    return o


def _relu(answer: Any) -> None:
    made = []
    for data in (2.0, -1.0):
        x = Value(data)
        out = result_of(answer, x)
        expect(
            hasattr(out, "data") and callable(getattr(out, "_backward", None)), "a Value with _backward is asked for"
        )
        expect(close(as_number(out.data), x.relu().data), f"relu({data:g}) is {max(data, 0.0):g}")
        made.append((x, out))
    above, below = (_handed_on(x, out, 0.0) for x, out in made)
    if above == below == 0.0:
        raise UnansweredError
    expect(above != 1.0, "that is the local derivative: multiply it by out.grad, what came from above")
    expect(above != 2.0 * 3.0, "that is x itself: above 0 the result moves as much as x, whatever x is")
    expect(above == 3.0, "above 0: nudge x, and the result moves as much")
    expect(below == 0.0, "below 0: nudge x, and the result stays 0")
    expect(_handed_on(*made[0], 10.0) == 13.0, "what was there already is lost: add with +=")


def _handed_on(x: Value, out: Any, start: float) -> float:
    """What a single call of the rule leaves in x, when 3 has come from above."""
    x.grad, out.grad = start, 3.0
    out._backward()
    return x.grad


def _step(stale: float) -> float:
    """Where a weight is after one step of SGD from 2, with a gradient of 3."""
    w = Value(2.0, parameter=True)
    w.grad = stale
    (3.0 * w).backward()
    nn.SGD([w], lr=0.1).step()
    return w.data


EXERCISES = (
    Exercise(
        id="00b.neuron",
        question="o = tanh(x1 · w1 + x2 · w2 + b) with x1 = 1, w1 = 0.5, x2 = -2, w2 = 0.25 and b = 0. What are the "
        "gradients of w1, w2 and x1?",
        parts=(
            gradient("w1_grad", _neuron, "w1"),
            gradient("w2_grad", _neuron, "w2"),
            gradient("x1_grad", _neuron, "x1"),
        ),
        hints=(
            "First forward: what is the sum? And what is 1 - tanh² there?",
            "The sum is 0, where tanh has slope 1. So the gradient of the sum is 1, and each product gets 1.",
        ),
        solution="""
# The sum is 0.5 - 0.5 = 0. tanh(0) = 0, so the slope 1 - tanh² is 1, and all of it reaches the products.
w1_grad = 1 * 1  # the other number, x1
w2_grad = -2 * 1  # x2
x1_grad = 0.5 * 1  # w1
""",
        reveal="A weight's gradient is its input, times the gradient of the sum. Where tanh is flat that is small, and "
        "then the neuron learns slowly.",
    ),
    Exercise(
        id="00b.count",
        question="How many parameters (weights and biases) has Network(2, 16, 16, 1)?",
        parts=(
            number(
                "parameters",
                lambda: len(nn.MLP(2, [16, 16, 1]).parameters()),
                {304.0: "each neuron has a bias, too", 33.0: "those are the biases: each neuron has weights, too"},
            ),
        ),
        hints=("A neuron has a weight for each input, and a bias.", "16 · (2 + 1) in the first layer."),
        solution="parameters = 16 * (2 + 1) + 16 * (16 + 1) + 1 * (16 + 1)  # neurons times (inputs + bias)",
        reveal="Neurons times (inputs + 1), layer by layer. And one backward() gives all of their gradients.",
    ),
    Exercise(
        id="00b.relu",
        question="Write relu(x): a Value for x if that is above 0, and otherwise 0, with a rule in _backward.",
        parts=(Part("relu", _relu),),
        hints=(
            "How does the result move if x is nudged, above 0 and below?",
            "The local derivative is 1 above 0 and 0 below; times out.grad, and added with +=.",
        ),
        solution="""
from scalargrad import Value


def relu(x):
    out = Value(max(0.0, x.data), (x,), "relu")

    def _backward():
        x.grad += (1.0 if x.data > 0 else 0.0) * out.grad

    out._backward = _backward
    return out
""",
        reveal="Above 0 everything is let through, below 0 nothing. A neuron that is below 0 at every sample learns "
        "nothing any more.",
    ),
    Exercise(
        id="00b.step",
        question="A weight is 2, the loss gives it the gradient 3, and λ = 0.1. What is the weight after the step? And "
        "what if its gradient of the last step, which was 3 as well, has not been set back to 0?",
        parts=(
            number("w", lambda: _step(0.0), {2.3: "that is uphill: a step goes against the gradient"}),
            number(
                "w_not_zeroed",
                lambda: _step(3.0),
                {1.7: "the rules say +=: what is in w.grad by then?", 2.6: "that is uphill"},
            ),
        ),
        hints=("w ← w + λ · (−gradient)", "Not set back, the two gradients add up: 3 + 3."),
        solution="w = 2 - 0.1 * 3\nw_not_zeroed = 2 - 0.1 * (3 + 3)  # += on top of the old one",
        reveal="Twice as far as it should go, and three times at the next step: that is the most common mistake in a "
        "training loop.",
    ),
)
