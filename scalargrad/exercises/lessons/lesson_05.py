"""The exercises of notebook 05, Jacobians and derivatives of derivatives."""

from collections.abc import Callable
from typing import Any

from scalargrad import functional
from scalargrad.exercises.exercise import Exercise, Part
from scalargrad.exercises.judging import as_number, close, expect, number, numbers, result_of
from scalargrad.ops import exp, sin


def _table() -> list[list[float]]:
    found: list[list[float]] = functional.jacobian(lambda x: [x[0] * x[1] * x[2], x[0] + x[2]])([2.0, 3.0, 4.0])
    return found


def _sweeps(mode: str) -> int:
    """Of a function with 3 inputs and 500 outputs."""

    def function(x: Any) -> Any:
        return [k * (x[0] * x[1] + x[2]) for k in range(500)]

    return functional.count_operations(function, mode)([1.0, 2.0, 3.0]).sweeps


def _pulled() -> float:
    _, pull_back = functional.vjp(lambda x: [x[0], x[0], 2 * x[0]], [5.0])
    return float(pull_back([1.0, 1.0, 1.0])[0][0])


def _hessian() -> list[list[float]]:
    found: list[list[float]] = functional.hessian(lambda x: x[0] * x[0] * x[1])([5.0, 7.0])
    return found


_CURVES: tuple[tuple[Callable[[Any], Any], float], ...] = (
    (lambda x: x**4 - 3 * x, 1.5),
    (lambda x: exp(x) - 2 * x, 0.25),
    (lambda x: x * x + 4 * x + 7, 10.0),
)


def _newton(answer: Any) -> None:
    for function, x in _CURVES:
        slope = functional.derivative(function, 1)(x)
        curvature = functional.derivative(function, 2)(x)
        found = as_number(result_of(answer, function, x))
        known = {
            x - function(x) / slope: "that finds where f is 0; a minimum is where the *slope* is 0",
            x + slope / curvature: "that goes the other way: against the slope",
            x - slope * curvature: "divide by the curvature: where the slope turns fast, the step is short",
            x - slope: "that is a step downhill, of length 1: divide the slope by the curvature",
            slope / curvature: "that is how far to go; return where one is then",
        }
        right = x - slope / curvature
        for wrong, why in known.items():
            expect(not close(found, wrong) or close(wrong, right), why)
        expect(close(found, right), f"from {x:g} on one of the test curves it goes to {found:g}, and should not")


EXERCISES = (
    Exercise(
        id="05.table",
        question="f(x) = [x[0] * x[1] * x[2], x[0] + x[2]] takes three numbers to two. How many rows and columns has "
        "its Jacobian, and what is its entry J[0][1] at x = [2, 3, 4]?",
        parts=(
            number("rows", lambda: len(_table()), {3: "a row for each output, and there are two"}),
            number("columns", lambda: len(_table()[0]), {2: "a column for each input, and there are three"}),
            number(
                "entry",
                lambda: _table()[0][1],
                {
                    12: "that is for x[0], the input number 0",
                    6: "that is for x[2], the input number 2",
                    24: "that is the output itself",
                    0: "that is row 1, the output number 1",
                },
            ),
        ),
        hints=(
            "A row for each output, a column for each input.",
            "J[0][1] says how much the output number 0 moves if the input number 1 is nudged.",
        ),
        solution="rows, columns = 2, 3\nentry = 2 * 4  # the other two factors",
        reveal="The row of an output is its gradient: here [12, 8, 6] and [1, 0, 1].",
    ),
    Exercise(
        id="05.sweeps",
        question="A function has 3 inputs and 500 outputs, and you need its whole Jacobian. How many sweeps does "
        "reverse mode need, and how many forward mode?",
        parts=(
            number("reverse", lambda: _sweeps("reverse"), {3: "reverse mode starts at an output: a sweep gives a row"}),
            number(
                "forward", lambda: _sweeps("forward"), {500: "forward mode starts at an input: a sweep gives a column"}
            ),
        ),
        hints=("One sweep backward gives a row, one sweep forward gives a column.",),
        solution="reverse = 500  # a sweep for each output\nforward = 3  # a sweep for each input",
        reveal="Here forward mode is the cheap one. Of a loss, with one output and millions of inputs, it is the other "
        "way round.",
    ),
    Exercise(
        id="05.fan-out",
        question="_, pull_back = vjp(lambda x: [x[0], x[0], 2 * x[0]], [5.0]). What number does "
        "pull_back([1.0, 1.0, 1.0]) give for x[0]?",
        parts=(
            number(
                "pulled",
                _pulled,
                {
                    1: "that is one of the three ways only; all of them lead back to x[0]",
                    2: "how many ways lead back to x[0], and with which slopes?",
                    3: "one of the three outputs moves twice as fast as x[0]",
                    20: "that is the sum of the outputs; the slopes do not depend on where x[0] is",
                },
            ),
        ),
        hints=("The Jacobian has one column and three rows.", "A row vector of ones, times that column."),
        solution="pulled = 1 + 1 + 2  # the contributions of all uses add up",
        reveal="A value that is used several times gets the sum of what comes back: the += of backpropagation is a row "
        "vector times a Jacobian.",
    ),
    Exercise(
        id="05.sin",
        question="The derivatives of sin at 0, from number 0 (sin itself) to number 4: a list of five numbers.",
        parts=(numbers("derivatives", lambda: [functional.derivative(sin, n)(0.0) for n in range(5)]),),
        hints=("sin, cos, and then? Write down each, and put in 0.",),
        solution="derivatives = [0, 1, 0, -1, 0]  # sin, cos, -sin, -cos, sin",
        reveal="After four of them one is back. derivative(sin, 3)(0.0) and grad(grad(grad(sin)))(0.0) both give −1.",
    ),
    Exercise(
        id="05.hessian",
        question="What is the Hessian of f(x) = x[0] * x[0] * x[1] at [5, 7]? Give H[0][0], H[0][1] and H[1][1].",
        parts=(
            number("h00", lambda: _hessian()[0][0], {70: "that is the first derivative; take it once more"}),
            number("h01", lambda: _hessian()[0][1], {25: "that is the first derivative with respect to x[1]"}),
            number("h11", lambda: _hessian()[1][1], {25: "that is the first derivative; take it once more"}),
        ),
        hints=(
            "First the gradient: [2·x[0]·x[1], x[0]²]. Then the derivatives of each of its two entries.",
            "H[0][1] is how much the first entry of the gradient moves with x[1].",
        ),
        solution="h00, h01, h11 = 2 * 7, 2 * 5, 0",
        reveal="H[1][0] is 10 too: a Hessian is symmetric. And H[1][1] is 0, because f is a straight line in x[1].",
    ),
    Exercise(
        id="05.newton",
        question="Write newton(f, x): one step of Newton's method towards a minimum of a function of one number, with "
        "`derivative`. It returns the x after the step.",
        parts=(Part("newton", _newton),),
        hints=(
            "In one dimension the Hessian is a number, the second derivative. Solve H d = −slope for d.",
            "The step is minus the slope, divided by the second derivative.",
        ),
        solution="""
from scalargrad import derivative


def newton(f, x):
    return x - derivative(f, 1)(x) / derivative(f, 2)(x)
""",
        reveal="On a parabola one step is enough, from wherever one starts: a parabola has the same curvature "
        "everywhere.",
    ),
)
