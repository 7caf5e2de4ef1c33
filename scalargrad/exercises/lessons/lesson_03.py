"""The exercises of notebook 03, gates and circuits."""

from typing import Any

from scalargrad.circuit import MultiplyGate
from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import close, expect, gradient, number, result_of, same_numbers
from scalargrad.functional import grad
from scalargrad.ops import maximum

_RUNS = (((3.0, -4.0), 2.0), ((-2.0, 5.0), -1.0), ((0.5, 1.5), 3.0))


def _multiply_gate(answer: Any) -> None:
    """Two gates at once, so that one that keeps its numbers outside of itself is found out."""
    kind = answer if isinstance(answer, type) else type(answer)
    expect(hasattr(kind, "forward") and hasattr(kind, "backward"), "a class with forward and backward is asked for")
    gates = [(kind(), MultiplyGate(), *run) for run in _RUNS]
    for gate, right, operands, _ in gates:
        z = result_of(gate.forward, *operands)
        expect(close(z, right.forward(*operands)), "forward returns the product z = x * y")
    for gate, right, operands, dz in gates:
        try:
            found = result_of(gate.backward, dz)
        except AttributeError as error:
            raise NotYetError(f"{error}: forward must keep x and y around, as self.x and self.y") from error
        expect(isinstance(found, (list, tuple)) and len(found) == 2, "backward returns two gradients, [dx, dy]")
        _compare(list(found), right.backward(dz), operands, dz)


def _other(dz: float) -> list[float]:
    """What a gate gives that finds the numbers of the last one."""
    x, y = _RUNS[-1][0]
    return [y * dz, x * dz]


def _compare(found: list[Any], right: list[float], operands: tuple[float, float], dz: float) -> None:
    known = {
        "each input gets the *other* input": [x * dz for x in operands],
        "that is the local derivative only: multiply it by dz, what came from above": [d / dz for d in right],
        "that is right, but each to the other input: first dx, then dy": right[::-1],
        "that belongs to another gate: keep x and y in the gate itself, as self.x and self.y": _other(dz),
        "that is dz handed on as it is, as an add gate does: multiply it by the local derivative": [dz, dz],
    }
    for why, wrong in known.items():
        if wrong != right and all(isinstance(x, float) and close(x, y) for x, y in zip(found, wrong, strict=True)):
            raise NotYetError(why)
    same_numbers(found, right, "[dx, dy]")


_SHARES = (((3.0, 5.0), 1.0), ((1.0, -2.0), -3.0), ((-4.0, 0.5), 2.0))


def _divide_gate(answer: Any) -> None:
    """Two gates at once here too."""
    kind = answer if isinstance(answer, type) else type(answer)
    expect(hasattr(kind, "forward") and hasattr(kind, "backward"), "a class with forward and backward is asked for")
    gates = [(kind(), *run) for run in _SHARES]
    for gate, operands, _ in gates:
        z = result_of(gate.forward, *operands)
        expect(close(z, operands[0] / operands[1]), "forward returns z = x / y")
    for gate, operands, dz in gates:
        try:
            found = result_of(gate.backward, dz)
        except AttributeError as error:
            raise NotYetError(f"{error}: forward must keep what backward needs, as self.x and self.y") from error
        expect(isinstance(found, (list, tuple)) and len(found) == 2, "backward returns two gradients, [dx, dy]")
        local = [float(g) for g in grad(lambda x, y: x / y, argnums=(0, 1))(*operands)]
        right = [g * dz for g in local]
        known = {
            "that is the local derivative only: multiply it by dz, what came from above": local,
            "dy has the wrong sign: raise y, and x / y becomes smaller": [right[0], -right[1]],
            "that is right, but each to the other input: first dx, then dy": right[::-1],
            "dx is right; in dy, 1 / y² is what 1 / y moves by: the x is missing": [right[0], right[1] / operands[0]],
        }
        for why, wrong in known.items():
            if wrong != right and all(isinstance(x, float) and close(x, y) for x, y in zip(found, wrong, strict=True)):
                raise NotYetError(why)
        same_numbers(found, right, "[dx, dy]")


def _routed() -> Value:
    x, y, z = Value(1.0, label="x"), Value(4.0, label="y"), Value(-2.0, label="z")
    f: Value = maximum(x, y) * z
    f.label = "f"
    return f


def _branch() -> Value:
    a, b = Value(4.0, label="a"), Value(-1.0, label="b")
    f = (a + b) * a
    f.label = "f"
    return f


def _shares() -> list[float]:
    """What x gets in x / (x + y) at 3 and 5: from the quotient itself, and by way of the sum."""
    from scalargrad.tracing import Trace

    x, y = Value(3.0), Value(5.0)
    steps = [step for step in Trace(x / (x + y)) if step.phase == "backward" and step.node is x]
    return [step.contribution for step in steps if step.contribution is not None]


EXERCISES = (
    Exercise(
        id="03.multiply-gate",
        question="The slide's task: finish the class of a multiply gate, in which forward(x, y) returns z and "
        "backward(dz) has to return [dx, dy] (dx = ... #todo, dy = ... #todo).",
        parts=(Part("gate", _multiply_gate),),
        hints=(
            "What must forward keep around, so that backward has it?",
            "z = x * y: nudge x, and z moves y times as much. And dz says how the end result moves with z.",
            "self.x = x and self.y = y in forward; in backward the other input, times dz.",
        ),
        solution="""
class gate:
    def forward(self, x, y):
        self.x = x  # must keep these around!
        self.y = y
        return x * y

    def backward(self, dz):
        dx = self.y * dz  # the local derivative, times what came from above
        dy = self.x * dz
        return [dx, dy]
""",
        reveal="The multiply gate is the switcher: each input gets the gradient times the other input. A gate knows "
        "nothing about the circuit around it.",
    ),
    Exercise(
        id="03.route",
        question="f = max(x, y) · z at x = 1, y = 4, z = -2. What are dx, dy and dz?",
        parts=(gradient("dx", _routed, "x"), gradient("dy", _routed, "y"), gradient("dz", _routed, "z")),
        hints=(
            "Forward first: what leaves the max gate? Then backward: what does the multiply gate hand to it?",
            "The max gate gets z, and routes all of it to the larger input.",
        ),
        solution="dx = 0  # not the larger one\ndy = -2  # z, routed to y\ndz = 4  # the other input of the product",
        reveal="Two characters in a row: the switcher hands z to the router, and the router hands it to y.",
    ),
    Exercise(
        id="03.branch",
        question="(a + b) · a, now with a = 4 and b = -1. What are the gradients of a and b?",
        parts=(gradient("da", _branch, "a"), gradient("db", _branch, "b")),
        hints=("On which two ways does a reach the output?", "As a factor it gets a + b, by way of the sum it gets a."),
        solution="da = 3 + 4  # a + b as a factor, and a by way of the sum\ndb = 4  # a, by way of the sum",
        reveal="The wire of a branches, and what comes back on both branches is added.",
    ),
    Exercise(
        id="03.divide",
        question="Write a gate for z = x / y: a class with forward(x, y) and backward(dz), which returns [dx, dy].",
        parts=(Part("gate", _divide_gate),),
        hints=(
            "Nudge x: x / y moves 1 / y times as much. Nudge y: in which direction does it go?",
            "x / y is x times 1 / y, and the local derivative of 1 / y is in the table of gates above.",
        ),
        solution="""
class gate:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x / y

    def backward(self, dz):
        dx = dz / self.y
        dy = -dz * self.x / self.y**2  # x times the derivative of 1 / y
        return [dx, dy]
""",
        reveal="It fits into any circuit: a gate knows nothing about what is around it.",
    ),
    Exercise(
        id="03.share",
        question="In x / (x + y) at x = 3, y = 5 the wire x leads to two gates. What does it get from the division, "
        "and what by way of the sum?",
        parts=(
            number("by_division", lambda: _shares()[0], {0.078125: "that is both together"}),
            number("by_sum", lambda: _shares()[1], {0.078125: "that is both together"}),
        ),
        hints=(
            "The division has the inputs 3 and 8.",
            "Its dx is 1/8. Its dy goes to the sum, which hands it on to x as it is.",
        ),
        solution="by_division = 1 / 8\nby_sum = -3 / 8**2  # dy of the division, handed on by the sum",
        reveal="A larger x raises the share, and raises what it is a share of. The two add up to 0.078125.",
    ),
)
