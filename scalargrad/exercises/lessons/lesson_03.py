"""The exercises of notebook 03, gates and circuits."""

from typing import Any

from scalargrad.circuit import MultiplyGate
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import close, expect, result_of, same_numbers

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
)
