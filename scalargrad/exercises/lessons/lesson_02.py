"""The exercises of notebook 02, backpropagation step by step."""

from typing import Any

from scalargrad.engine import Value, topological_order
from scalargrad.exercises.exercise import Exercise
from scalargrad.exercises.judging import gradient, number, numbers
from scalargrad.functional import grad
from scalargrad.ops import maximum

_LOCAL = "those are the local derivatives; the gradient that comes from above is 10, not 1"
_NOT_SPLIT = "an addition does not split a gradient: each operand gets all of it"
_ROUTED = "only one of the two decides what the maximum is; if the other moves a little, nothing changes"
_SWITCHED = "each was multiplied by itself; the local derivative for one factor is the other one"
_RIGHT = "that is the right gradient; = keeps only the last contribution"


def _circuit() -> Value:
    x, y, z = Value(3.0, label="x"), Value(-1.0, label="y"), Value(2.0, label="z")
    q = x + y
    q.label = "q"
    f = q * z
    f.label = "f"
    return f


def _ten(gate: Any) -> list[float]:
    """What a gate hands to 4 and -1 of a gradient of 10."""
    return [10.0 * float(g) for g in grad(gate, argnums=(0, 1))(4.0, -1.0)]


def _paths() -> tuple[int, int]:
    """The number of paths from a to d = c * c, c = b * b, b = a + a, and that of edges."""
    a = Value(1.0)
    b = a + a
    c = b * b
    d = c * c
    order = topological_order(d)
    ways = {a: 1}
    for node in order[1:]:
        ways[node] = sum(ways[parent] for parent in node.parents)
    return ways[d], sum(len(node.parents) for node in order)


def _forgetful() -> tuple[float, float]:
    """c.grad and a.grad of the tangle, if each contribution replaces the one before, in the engine's order."""
    from scalargrad.tracing import Trace

    a, b = Value(2.0), Value(3.0)
    c, d = a + b, a * b
    found: dict[Value, float] = {}
    for step in Trace(c + d + c * d):
        if step.phase == "seed":
            found[step.node] = 1.0
        elif step.source is not None and step.local is not None:
            found[step.node] = found[step.source] * step.local
    return found[c], found[a]


EXERCISES = (
    Exercise(
        id="02.circuit",
        question="f = (x + y) · z at x = 3, y = -1, z = 2. What are x.grad, y.grad and z.grad after backward()?",
        parts=(
            gradient("x_grad", _circuit, "x"),
            gradient("y_grad", _circuit, "y"),
            gradient("z_grad", _circuit, "z"),
        ),
        hints=(
            "Forward first: what is q = x + y? Then backward from f.grad = 1.",
            "z.grad is f.grad times q, and q.grad is f.grad times z. The sum hands q.grad on as it is.",
        ),
        solution="z_grad = 2  # q = 3 - 1\nx_grad = 2  # q.grad = z = 2, handed on by the sum\ny_grad = 2",
        reveal="Three times 2, for two reasons: z.grad is q, and the other two get z by way of q.",
    ),
    Exercise(
        id="02.patterns",
        question="A gradient of 10 reaches a gate with the operands 4 and -1. What does each operand get: of +, of max "
        "and of ×? Two numbers each.",
        parts=(
            numbers("add", lambda: _ten(lambda a, b: a + b), {(1, 1): _LOCAL, (5, 5): _NOT_SPLIT}),
            numbers(
                "maximum",
                lambda: _ten(maximum),
                {(1, 0): _LOCAL, (0, 10): "the larger operand gets it; which one is it?", (10, 10): _ROUTED},
            ),
            numbers("multiply", lambda: _ten(lambda a, b: a * b), {(-1, 4): _LOCAL, (40, -10): _SWITCHED}),
        ),
        hints=("Distributor, router, switcher.", "The switcher: each gets 10 times the other operand."),
        solution="add = [10, 10]\nmaximum = [10, 0]  # 4 is the larger one\nmultiply = [-10, 40]  # 10 times the other",
        reveal="So in a product the small operand gets the large gradient.",
    ),
    Exercise(
        id="02.without-plus",
        question="In y = c + d + c · d (c = a + b, d = a · b, a = 2, b = 3) an engine writes = in place of +=. What "
        "does it leave in c.grad, and what in a.grad? Its steps come in the order of the list above.",
        parts=(
            number(
                "c_grad",
                lambda: _forgetful()[0],
                {7.0: _RIGHT, 6.0: "that came first; what does the next contribution do to it?"},
            ),
            number(
                "a_grad",
                lambda: _forgetful()[1],
                {
                    25.0: _RIGHT,
                    18.0: "d.grad was replaced too, and d's contribution is not the last one to reach a",
                    7.0: "that would be so if c.grad were right; what does this engine leave in c.grad?",
                    6.0: "that was in c.grad for a while; what is there when c hands it on?",
                    3.0: "that is what d hands on; another contribution comes after it",
                    4.0: "that is the sum of two contributions; = does not add",
                },
            ),
        ),
        hints=(
            "Which contribution comes last into c, and which into a?",
            "The last one into c is 1, from the sum. The last one into a comes from c, with local derivative 1.",
        ),
        solution="c_grad = 1  # 6, then replaced by 1\na_grad = 1  # c.grad × 1, in place of what came from d",
        reveal="1 where it should be 25, and no error message.",
    ),
    Exercise(
        id="02.paths",
        question="b = a + a, c = b · b, d = c · c. How many paths lead from a to d, and how many edges has the graph?",
        parts=(
            number(
                "paths",
                lambda: _paths()[0],
                {
                    6.0: "those are the edges: each choice of an edge is a path of its own",
                    2.0: "so many lead from a to b; how does each of them go on?",
                    4.0: "so many lead from a to c; how does each of them go on?",
                },
            ),
            number("edges", lambda: _paths()[1], {3.0: "each operation here has two operands, and an edge for each"}),
        ),
        hints=(
            "Draw it: two edges into each result.",
            "At each of the three results a path has two edges to choose from.",
        ),
        solution="paths = 2 * 2 * 2  # a choice of two at each of three operations\nedges = 2 + 2 + 2",
        reveal="With ten operations it would be 1024 paths and 20 edges. Backpropagation does a step for each edge.",
    ),
)
