"""The exercises of notebook 01, a Value."""

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise
from scalargrad.exercises.judging import gradient


def _twice() -> Value:
    a, b = Value(3.0, label="a"), Value(4.0, label="b")
    y = a * b + a
    y.label = "y"
    return y


EXERCISES = (
    Exercise(
        id="01.twice",
        question="y = a * b + a with a = 3 and b = 4. What is a.grad after y.backward()?",
        parts=(gradient("a_grad", _twice, "a"),),
        hints=(
            "Count the ways from a to y.",
            "One way leads through the product, with local derivative b; the other is the sum itself. They add up.",
        ),
        solution="a_grad = 4 + 1  # b through the product, 1 through the sum",
        reveal="a is used twice, and what comes back on both ways is added: that is the += of backpropagation.",
    ),
)
