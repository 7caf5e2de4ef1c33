"""The exercises of notebook 00a, build the engine."""

from collections.abc import Callable
from typing import Any

from scalargrad.engine import Value, topological_order
from scalargrad.exercises.exercise import Exercise, NotYetError, Part, UnansweredError
from scalargrad.exercises.judging import as_number, close, expect, gradient, result_of
from scalargrad.functional import grad

# -------------------------------------------------------------------- nudging

_PLACES: tuple[tuple[Callable[[Any], Any], float], ...] = (
    (lambda x: x * x, 3.0),
    (lambda x: 5 * x - 2, -1.0),
    (lambda x: x**3 - x, 0.5),
    (lambda x: 4 / x, 2.0),
)


def _nudge(answer: Any) -> None:
    for f, x in _PLACES:
        found = as_number(result_of(answer, f, x))
        right = float(grad(f)(x))
        known = {
            "that is how far the result moved: divide it by how far the number was nudged": right * 1e-6,
            "that is the result and not how it moves: take f(x) away from f(x + h)": float(f(x)),
            "the other way round: the nudged result comes first, f(x + h) - f(x)": -right,
        }
        for why, wrong in known.items():
            expect(close(found, right) or not close(found, wrong, 1e-6), why)
        expect(abs(found - right) < 1e-3, f"at x = {x:g} it gives {found:g}; f moves by another factor there")


# -------------------------------------------------------------------- by hand


def _circuit() -> Value:
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(4.0, label="c")
    p = a * b
    p.label = "p"
    g = p * c
    g.label = "g"
    return g


def _twice() -> Value:
    a = Value(3.0, label="a")
    y = a * a + a
    y.label = "y"
    return y


# -------------------------------------------------------------------- a rule of one's own


def _subtract(answer: Any) -> None:
    a, b = Value(7.0), Value(2.0)
    out = result_of(answer, a, b)
    expect(hasattr(out, "data") and callable(getattr(out, "_backward", None)), "a Value with _backward is asked for")
    expect(close(as_number(out.data), 5.0), "its data is a.data - b.data")
    expect(set(out.parents) == {a, b}, "its parents are a and b")
    found = _handed_on(out, a, b)
    if found == [0.0, 0.0]:
        raise UnansweredError
    right = _handed_on(a - b, a, b)
    known = {
        "that is the rule of a sum: nudge b, and a - b moves the other way": [3.0, 3.0],
        "those are the local derivatives: multiply them by out.grad, what came from above": [1.0, -1.0],
        "that is the other way round: a raises the result, b lowers it": [-3.0, 3.0],
    }
    for why, wrong in known.items():
        expect(found != wrong, why)
    expect(found == right, "nudge a, and the result moves as much; nudge b, and it moves the other way")
    expect(_handed_on(out, a, b, start=10.0) == [13.0, 7.0], "what was there already is lost: add with +=")


def _handed_on(out: Any, *parents: Value, start: float = 0.0) -> list[float]:
    """What a single call of the rule leaves in the parents, when 3 has come from above."""
    for parent in parents:
        parent.grad = start
    out.grad = 3.0
    out._backward()
    return [parent.grad for parent in parents]


# -------------------------------------------------------------------- the order


def _order(answer: Any) -> None:
    _in_order(answer, _tangle())
    a = Value(1.0)
    y = a * a
    for _ in range(5000):
        y = y + a
    _in_order(answer, y)


def _tangle() -> Value:
    a, b = Value(2.0), Value(3.0)
    c, d = a + b, a * b
    return c + d + c * d


def _in_order(answer: Any, root: Value) -> None:
    order = result_of(answer, root)
    expect(isinstance(order, (list, tuple)), "a list of Values is asked for")
    place = {value: i for i, value in enumerate(order)}
    expect(len(place) == len(order), "some Value stands in it more than once")
    expect(
        place.keys() == set(topological_order(root)), f"{len(place)} of {len(topological_order(root))} Values are in it"
    )
    late = any(place[parent] > i for value, i in place.items() for parent in value.parents)
    if late:
        raise NotYetError("some Value stands before one of its parents")


EXERCISES = (
    Exercise(
        id="00a.nudge",
        question="Write slope(f, x): nudge x by h = 1e-6, and return by how much f grows, compared with the nudge.",
        parts=(Part("slope", _nudge),),
        hints=("What is f at the nudged place, and what was it before?", "(f(x + h) - f(x)) / h"),
        solution="""
def slope(f, x):
    h = 1e-6
    return (f(x + h) - f(x)) / h  # how far the result moved, compared with the nudge
""",
        reveal="That works for every function that you can compute, and it needs no calculus.",
    ),
    Exercise(
        id="00a.by-hand",
        question="p = a · b and g = p · c, with a = 2, b = -3 and c = 4. How does g move with p, with c, a and b?",
        parts=(
            gradient("dg_dp", _circuit, "p"),
            gradient("dg_dc", _circuit, "c"),
            gradient("dg_da", _circuit, "a"),
            gradient("dg_db", _circuit, "b"),
        ),
        hints=(
            "Begin at the end: g = p · c is a product. What is the local derivative of each of the two?",
            "dg_da is b, the local derivative of p = a · b, times dg_dp.",
        ),
        solution="""
dg_dp = 4  # a product: the other number, c
dg_dc = -6  # and p
dg_da = -3 * dg_dp  # b, times what p has
dg_db = 2 * dg_dp
""",
        reveal="Each time the local derivative, times what came from above.",
    ),
    Exercise(
        id="00a.subtract",
        question="Write subtract(a, b), which returns a Value for a - b with a rule of its own in _backward.",
        parts=(Part("subtract", _subtract),),
        hints=(
            "Nudge a in a - b: how does the result move? And with b?",
            "The local derivatives are 1 and -1; each is multiplied by out.grad, and added to what is there.",
        ),
        solution="""
from scalargrad import Value


def subtract(a, b):
    out = Value(a.data - b.data, (a, b), "-")

    def _backward():
        a.grad += 1.0 * out.grad
        b.grad += -1.0 * out.grad  # raise b, and the result falls as much

    out._backward = _backward
    return out
""",
        reveal="Anything can be made an operation this way: its number, its parents, and its local derivatives.",
    ),
    Exercise(
        id="00a.twice",
        question="y = a · a + a with a = 3. What is a.grad after backward(y)?",
        parts=(gradient("a_grad", _twice, "a"),),
        hints=("How many times is a used?", "Three times: twice in the product, once in the sum. All three add up."),
        solution="a_grad = 3 + 3 + 1  # each place of the product gets the other number, the sum hands on 1",
        reveal="a is used three times, and each use sends its share.",
    ),
    Exercise(
        id="00a.order",
        question="Write order_of(root): a topological order, by a function that does not call itself.",
        parts=(Part("order_of", _order),),
        hints=(
            "Keep a list of what is still to be done, and take from its end.",
            "Put pairs into the list: a value, and whether its parents have been dealt with.",
            "Taken first: put (value, True) back, then (parent, False) for each parent. Taken with True: append it.",
        ),
        solution="""
def order_of(root):
    order, seen = [], set()
    waiting = [(root, False)]
    while waiting:
        value, parents_done = waiting.pop()
        if parents_done:
            order.append(value)
        elif value not in seen:
            seen.add(value)
            waiting.append((value, True))  # its turn comes when all that is put above it has had its turn
            waiting += [(parent, False) for parent in value.parents]
    return order
""",
        reveal="This is how scalargrad sorts, and so a graph may be as deep as it likes.",
    ),
)
