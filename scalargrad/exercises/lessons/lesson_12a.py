"""The exercises of notebook 12a, mistakes in an engine."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from scalargrad import mistakes
from scalargrad.checking import check_gradients
from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part, UnansweredError
from scalargrad.exercises.judging import as_number, close, expect, number, result_of
from scalargrad.functional import grad

if TYPE_CHECKING:
    from collections.abc import Callable

_POINT = (1.7, -0.6)


def _overwritten() -> float:
    return mistakes.overwriting.gradient_of(lambda a, b: a + a * b)(2.0, 5.0)[0]


def _seeded() -> float:
    return mistakes.seed_value.gradient_of(lambda a, b: a * b)(2.0, 3.0)[0]


def _engine(engine: Any) -> None:
    functions: list[Callable[[Any, Any], Any]] = [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: (a + a) - (b - a),
        lambda a, b: (a * a) * (b * b),
        lambda a, b: (a * b) * (a * a),
        lambda a, b: (b / a) / b,
        lambda a, b: a**3 - b**2,
    ]
    expect(isinstance(engine, type) and hasattr(engine, "backward"), "hand in the class Homemade, mended")
    bad = sum(not _agrees(engine, f) for f in functions)
    expect(not bad, f"{bad} of {len(functions)} functions have a wrong gradient")


def _agrees(engine: Any, f: Callable[[Any, Any], Any]) -> bool:
    leaves = [engine(x) for x in _POINT]
    f(*leaves).backward()
    right = grad(f, argnums=(0, 1))(*_POINT)
    return all(close(as_number(leaf.grad), r, 1e-9) for leaf, r in zip(leaves, right, strict=True))


def _which(answer: Any) -> None:
    expect(isinstance(answer, (list, tuple)) and len(answer) == 3, "three names are asked for")
    if ... in answer:
        raise UnansweredError
    hidden = [mistake.name for mistake in random.Random(21).sample(mistakes.GALLERY, 3)]
    right = sum(given == name for given, name in zip(answer, hidden, strict=True))
    expect(right == 3, f"{right} of 3 are right")


def _notices_all(function: Any) -> None:
    result = result_of(function, *(Value(x) for x in _POINT))
    expect(isinstance(result, Value), "the function gives no Value: compute with a and b")
    missed = [
        mistake.name
        for mistake in mistakes.GALLERY
        if check_gradients(function, list(_POINT), gradient=mistake.gradient_of(function))
    ]
    if missed:
        raise NotYetError(f"these are not noticed: {', '.join(missed)}")


EXERCISES = (
    Exercise(
        id="12a.overwriting",
        question="The engine that writes = where it must add computes y = a + a * b at a = 2, b = 5. What does it "
        "say that a.grad is?",
        parts=(
            number(
                "a_grad",
                _overwritten,
                {
                    6.0: "that is the right gradient; this engine loses a part",
                    1.0: "both uses arrive; which comes last?",
                },
            ),
        ),
        hints=(
            "a is used in the sum and in the product. Backward begins at y.",
            "The sum has its turn first and writes 1; then the product writes over it.",
        ),
        solution="a_grad = 5  # the product has its turn after the sum, and writes b over the 1",
        reveal="Only the use whose turn is last counts. The right gradient is 1 + 5.",
    ),
    Exercise(
        id="12a.seed",
        question="Another engine starts the backward pass from y's value instead of 1. y = a * b at a = 2, b = 3: what "
        "does it say that a.grad is?",
        parts=(
            number("a_grad", _seeded, {3.0: "that is the right gradient", 6.0: "that is y's value; it is handed on"}),
        ),
        hints=("y.grad is 6 here.", "a.grad = y.grad × local, and the local derivative of a is b."),
        solution="a_grad = 6 * 3",
        reveal="All gradients are 6 times too large: off by one and the same factor, which changes from step to step.",
    ),
    Exercise(
        id="12a.homemade",
        question="The rules of three operations of the class Homemade are wrong. Find them with check_gradients, mend "
        "them, and hand in the class.",
        parts=(Part("engine", _engine),),
        hints=(
            "Try each operation by itself at numbers that are unlike each other, then with one Value in both places.",
            "The product fails at a * a: when is self.grad read, and when is it written?",
            "A quotient's lower part has a square below it, and a power's local derivative an exponent that is 1 less.",
        ),
        solution="""
class Homemade:
    def __init__(self, data, parents=(), rule=None):
        self.data, self.grad, self.parents, self.rule = data, 0.0, parents, rule

    def __add__(self, other):
        def rule(grad):
            self.grad += grad
            other.grad += grad

        return Homemade(self.data + other.data, (self, other), rule)

    def __sub__(self, other):
        def rule(grad):
            self.grad += grad
            other.grad -= grad

        return Homemade(self.data - other.data, (self, other), rule)

    def __mul__(self, other):
        def rule(grad):
            self.grad += other.data * grad  # one after the other: in a * a the second adds to the first
            other.grad += self.data * grad

        return Homemade(self.data * other.data, (self, other), rule)

    def __truediv__(self, other):
        def rule(grad):
            self.grad += grad / other.data
            other.grad -= self.data / other.data**2 * grad

        return Homemade(self.data / other.data, (self, other), rule)

    def __pow__(self, n):
        def rule(grad):
            self.grad += n * self.data ** (n - 1) * grad

        return Homemade(self.data**n, (self,), rule)

    def backward(self):
        order, seen = [], set()

        def place(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    place(parent)
                order.append(node)

        place(self)
        self.grad = 1.0
        for node in reversed(order):
            if node.rule:
                node.rule(node.grad)


engine = Homemade
""",
        reveal="Each of the three was right somewhere: at a * b, below a divisor of 1, with a base of 1.",
    ),
    Exercise(
        id="12a.which",
        question="Three engines of the gallery are hidden in hidden(0), hidden(1) and hidden(2) of the notebook. Try "
        "functions on them. Which are they? Answer with three names.",
        parts=(Part("names", _which),),
        hints=(
            "tangle has everything in it; smaller functions tell more. Begin with a * b.",
            "Ask of each: is a * b right? is a used twice right? is it right if it is used again through a longer way?",
        ),
        solution="# a * b tells one; x⁴ by squares and a shortcut tell the others\n"
        'names = ("at_first_visit", "leaves_zeroed_only", "own_factor")',
        reveal="A mistake has a shape: from which functions come out wrong one can tell what was written.",
    ),
    Exercise(
        id="12a.function",
        question="Write a function of a and b, of + − · only, with which check_gradients notices all fourteen mistakes "
        "at a = 1.7 and b = −0.6.",
        parts=(Part("function", _notices_all),),
        hints=(
            "It needs a minus, a product, a Value that is used twice in one operation, and a shortcut.",
            "Let c be used by d and again beside d, as in c + (a + c); and c itself a product with a minus in it.",
        ),
        solution="""
def function(a, b):
    c = a * b - a  # a product, and a minus
    d = c * c  # used twice in one operation
    return c + (d + (c - b))  # and again by a short and by a long way
""",
        reveal="Four operations in a row are enough, if each asks something else.",
    ),
)
