"""The exercises of notebook 01, a Value."""

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise
from scalargrad.exercises.judging import choice, gradient, number


def _line() -> Value:
    a, b = Value(5.0, label="a"), Value(4.0, label="b")
    d = a * b + 10
    d.label = "d"
    return d


def _relu() -> Value:
    x = Value(-1.0, label="x")
    y = x.relu()
    y.label = "y"
    return y


def _twice() -> Value:
    a, b = Value(3.0, label="a"), Value(4.0, label="b")
    y = a * b + a
    y.label = "y"
    return y


def _cube() -> Value:
    x = Value(2.0, label="x")
    y = x * x * x
    y.label = "y"
    return y


def _after_two() -> float:
    a = Value(3.0)
    b = a + a
    b.backward()
    b.backward()
    b.backward()
    return a.grad


EXERCISES = (
    Exercise(
        id="01.other-place",
        question="d = a * b + 10, with a = 5 and b = 4. How many times as much does d change, if you nudge a? And b?",
        parts=(gradient("nudge_a", _line, "a"), gradient("nudge_b", _line, "b")),
        hints=("If you are not sure, nudge: compute(5 + h, 4).", "a is multiplied by b."),
        solution="nudge_a = 4  # a is multiplied by 4\nnudge_b = 5",
        reveal="In a product, each number counts as much as the other one is large. The 10 does not matter.",
    ),
    Exercise(
        id="01.relu",
        question="y = x.relu() is x if that is above 0, and otherwise 0. What is x.grad at x = -1?",
        parts=(gradient("x_grad", _relu, "x"),),
        hints=("What is relu(-1), and what is relu(-1.001)?", "The result is 0 in both cases: it does not move."),
        solution="x_grad = 0  # nudged a little, the result stays 0",
        reveal="Below zero relu is flat, so nothing that happens there reaches x.",
    ),
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
    Exercise(
        id="01.cube",
        question="y = x * x * x at x = 2. What is x.grad after y.backward()?",
        parts=(gradient("x_grad", _cube, "x"),),
        hints=("x is used three times, and each use adds its share.", "Each share is the product of the other two."),
        solution="x_grad = 4 + 4 + 4  # three uses, and the other two multiplied give 4 each time",
        reveal="Calculus says 3x², which is 12: three uses, each with x · x.",
    ),
    Exercise(
        id="01.stays",
        question="b = a + a, and b.backward() is called three times without zero_grad(). What is a.grad then?",
        parts=(number("a_grad", _after_two, {2.0: "gradients stay, and the next backward() adds to them"}),),
        hints=("Each backward() adds what the first one gave.", "The first gave 2."),
        solution="a_grad = 2 + 2 + 2  # nothing has cleared it",
        reveal="Which is why a training loop clears the gradients at each step.",
    ),
    Exercise(
        id="01.downhill",
        question="loss.backward() has left w.grad = -1.5. To make the loss smaller: should w go 'up' or 'down'?",
        parts=(
            choice(
                "w_goes",
                "up",
                {"down": "the gradient says: raise w by a little, and the loss changes by -1.5 times that"},
            ),
        ),
        hints=("What does the loss do if w is raised a little?",),
        solution="w_goes = 'up'  # raising w lowers the loss",
        reveal="Against the gradient: w.data -= 0.1 * w.grad takes away a negative number, and so w grows.",
    ),
)
