"""The exercises of notebook 07, checking gradients."""

import math
from typing import Any

from scalargrad import functional, mistakes
from scalargrad.checking import central_difference
from scalargrad.exercises.exercise import Exercise, Part
from scalargrad.exercises.judging import as_number, choice, close, expect, number, result_of
from scalargrad.ops import exp, log


def _shrinks(both_sides: bool) -> float:
    """How many times smaller the error of the derivative of sin at 1 is with half the step."""

    def error(h: float) -> float:
        one_side = (math.sin(1.0 + h) - math.sin(1.0)) / h
        return abs((central_difference(math.sin, 1.0, h) if both_sides else one_side) - math.cos(1.0))

    return error(1e-3) / error(5e-4)


def _bent(x: Any) -> Any:
    return abs(x) + 2 * x


def _one_sided(h: float) -> float:
    return round(float(_bent(h) - _bent(0.0)) / h, 9)


def _twice_used(a: Any, b: Any) -> Any:
    return a * b + a


def _right(index: int) -> float:
    return float(functional.grad(_twice_used, argnums=(0, 1))(2.0, 3.0)[index])


def _overwritten() -> float:
    return float(mistakes.overwriting.gradient_of(_twice_used)(2.0, 3.0)[0])


def _slopes(answer: Any, function: Any, known: dict[str, Any]) -> None:
    """Compare an answer's slopes with the engine's; known mistakes are functions of the place."""
    points = (-3.0, -0.5, 0.0, 2.0, 5.0)
    found = []
    for x in points:
        given = result_of(answer, x)
        found.append(as_number(given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given))
    right = [functional.derivative(function, 1)(x) for x in points]
    for why, wrong in known.items():
        expect(not all(close(given, wrong(x)) for given, x in zip(found, points, strict=True)), why)
    for x, given, wanted in zip(points, found, right, strict=True):
        expect(close(given, wanted), f"at {x:g} it gives {given:g}, and differences do not agree")


def _graph(answer: Any) -> None:
    """A formula, with or without spaces."""
    formula = choice("graph", "a*b+a", {"a*b+c": "there every value is used once, and = does the same as +="})
    formula.judge("".join(answer.split()) if isinstance(answer, str) else answer)


def _softsign(answer: Any) -> None:
    known = {
        "that is the rule that the report calls wrong": lambda x: 1 / (1 + abs(x)),
        "that is softsign itself": lambda x: x / (1 + abs(x)),
        "for negative x the sign is lost: softsign rises everywhere": lambda x: math.copysign(1, x) / (1 + abs(x)) ** 2,
    }
    _slopes(answer, lambda x: x / (1 + abs(x)), known)


def _softplus(answer: Any) -> None:
    known = {
        "that is the one that fails; at 0 it is right by luck": lambda x: 1 / (1 + math.exp(x)),
        "that is the function itself": lambda x: math.log(1 + math.exp(x)),
        "take both steps: the slope of ln, and the slope of what stands in it": lambda x: (
            1 / (1 + math.exp(x)) if x else 0.25
        ),
    }
    _slopes(answer, lambda x: log(1 + exp(x)), known)


EXERCISES = (
    Exercise(
        id="07.half-step",
        question="Nudge half as far. How many times smaller does the error of the derivative get, by one side and by "
        "both sides, as long as rounding does not matter?",
        parts=(
            number(
                "one_side",
                lambda: _shrinks(False),
                {4: "that is for both sides", 0.5: "how many times *smaller*: the old error divided by the new one"},
                tolerance=0.02,
            ),
            number(
                "both_sides",
                lambda: _shrinks(True),
                {2: "that is for one side", 0.25: "how many times *smaller*: the old error divided by the new one"},
                tolerance=0.02,
            ),
        ),
        hints=(
            "In the table, from 1e-01 to 1e-03 the step gets 100 times smaller. And the errors?",
            "By one side the error goes with h, by both sides with h².",
        ),
        solution="one_side = 2  # the error goes with h\nboth_sides = 4  # with h * h: the first terms cancel",
        reveal="That is worth the second call of the function: each halving gains twice as many digits.",
    ),
    Exercise(
        id="07.kink",
        question="f(x) = |x| + 2x has a kink at 0. What is its slope just below 0, just above 0, and what does the "
        "engine answer at 0?",
        parts=(
            number("below", lambda: _one_sided(-1e-3), {-1: "that is |x| alone"}),
            number("above", lambda: _one_sided(1e-3), {1: "that is |x| alone"}),
            number(
                "engine",
                lambda: functional.grad(_bent)(0.0),
                {0: "that is the answer for |x| alone", 1: "PyTorch and this engine say 0 for the slope of |x| at 0"},
            ),
        ),
        hints=(
            "Left of 0, |x| is −x.",
            "For |x| at 0 the engine takes the middle of −1 and 1. And 2x is smooth.",
        ),
        solution="below, above = -1 + 2, 1 + 2\nengine = 0 + 2  # 0 for |x| at 0",
        reveal="check_gradients(lambda x: abs(x) + 2 * x, [0.0]) says KINK: 2 lies between the two slopes.",
    ),
    Exercise(
        id="07.softsign",
        question="Write the slope of the softsign x / (1 + |x|) as a function of a number.",
        parts=(Part("slope", _softsign),),
        hints=(
            "Write it down for x > 0, as x / (1 + x), by the rule of the quotient. Then for x < 0.",
            "Above 0 the numerator is (1 + x) − x = 1, and the denominator is squared.",
        ),
        solution="""
def slope(x):
    return 1 / (1 + abs(x)) ** 2
""",
        reveal="The square was missing. Put it into @primitive, and check_gradients says PASS three times.",
    ),
    Exercise(
        id="07.notice",
        question="An engine assigns gradients with = where it should add. With a = 2, b = 3 and c = 1: on which graph "
        "does it show, 'a * b + c' or 'a * b + a'? What is a.grad of a * b + a really, and what does that engine give, "
        "if the product's backward is the last to run?",
        parts=(
            Part("graph", _graph),
            number("right", lambda: _right(0), {3: "that is the way through the product only; a is used twice"}),
            number("wrong", _overwritten, {4: "that is the right one", 1: "that was there first and is overwritten"}),
        ),
        hints=("Which value is used twice?", "b = 3 comes through the product, 1 through the sum."),
        solution="graph = 'a * b + a'\nright = 3 + 1\nwrong = 3  # the last one assigned is what remains",
        reveal="A test of an engine needs a value that is used twice; most small examples have none.",
    ),
    Exercise(
        id="07.softplus",
        question="Mend slope_of_softplus: the slope of ln(1 + eˣ) as a function of a number.",
        parts=(Part("slope", _softplus),),
        hints=(
            "Far to the right softplus is nearly x. What is its slope there, and what does the wrong one give?",
            "eˣ / (1 + eˣ); divide above and below by eˣ.",
        ),
        solution="""
import math


def slope(x):
    return 1 / (1 + math.exp(-x))
""",
        reveal="The sign in the exponent was lost: it is the sigmoid. At 0 both give 0.5, so 0 was a lucky point.",
    ),
)
