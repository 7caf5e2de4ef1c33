"""One run of a user's function on Values of its own: what it computed, and which comparisons decided on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.behaviour import comparison_log, describe, number, quoted
from scalargrad.compiling.tape import ABSOLUTE, ADD, GREATER, Tape
from scalargrad.engine import Value
from scalargrad.errors import called_by_package, user_line
from scalargrad.functional.trees import flatten
from scalargrad.modes import being_compiled, data_watched, makers, modes_were_used, readers, record, recording

if TYPE_CHECKING:
    from scalargrad.functional.trees import Rebuild


class BranchError(ValueError):
    """A replay would have taken another branch of the Python code than the recorded run."""


class Guard(NamedTuple):
    """A comparison that the function made.

    Attributes:
        left: a Value.
        right: a Value or number.
        symbol: "<", "<=", ">" or ">=".
        outcome: what it gave.
        line: where.
    """

    left: Value
    right: Any
    symbol: str
    outcome: bool
    line: str

    def violation(self, tape: Tape, slot_of: Callable[[Any], int]) -> int:
        """The slot of a number that is 0.0 where the comparison comes out as recorded."""
        left, right = slot_of(self.left), slot_of(self.right)
        # left > right and left <= right ask whether the left is greater; the others, whether the right is.
        is_greater = tape.emit(GREATER, left, right) if self.symbol in (">", "<=") else tape.emit(GREATER, right, left)
        wanted = self.outcome if self.symbol in (">", "<") else not self.outcome
        distance = tape.emit(ADD, is_greater, tape.constant(-float(wanted)))
        return tape.emit(ABSOLUTE, distance)

    def __str__(self) -> str:
        right = describe(self.right) if isinstance(self.right, Value) else repr(self.right)
        return f"{describe(self.left)} {self.symbol} {right} was {self.outcome} when it was recorded{self.line}"


class _Made:
    """The leaves that a function made while it ran."""

    def __init__(self) -> None:
        self._leaves: dict[Value, str | None] = {}

    def add(self, leaf: Value) -> None:
        """A new one; inside no_grad it may be what was computed there, so the line is kept."""
        self._leaves[leaf] = None if recording.get() else user_line()

    def __contains__(self, leaf: object) -> bool:
        line = self._leaves.get(leaf, "")  # type: ignore[call-overload]
        if line:
            raise TypeError(
                f"a number computed inside no_grad() went into the result or a comparison: a replay cannot follow it. "
                f"no_grad() is for looking only{line}"
            )
        return line is None


class Trace:
    """A recorded run.

    Args:
        fn: the function.
        rebuilds: for each argument what makes it of an iterator of Values, as `flatten` returns it.
        numbers: those of all arguments, from left to right.
        name: how messages call the function.

    Attributes:
        inputs: a Value for each number.
        outputs: the Values and numbers that the function returned.
        rebuild_output: puts others in their places.
        guards: its comparisons, in order.
        made: the leaves that it made itself: it would make them again with the same numbers.
    """

    def __init__(
        self, fn: Callable[..., Any], rebuilds: Sequence[Rebuild], numbers: Iterable[float], name: str
    ) -> None:
        self.inputs = [Value(x) for x in numbers]
        fresh = iter(self.inputs)
        args = [rebuild(fresh) for rebuild in rebuilds]
        self.guards: list[Guard] = []
        self.made = _Made()
        modes_were_used[:] = [True]
        context = copy_context()  # in a context of its own there is nothing that Ctrl-C could keep from being put back
        context.run(comparison_log.set, self._compared)
        context.run(readers.set, _refuse)
        context.run(makers.set, self.made.add)
        with data_watched():
            result = context.run(record, fn, *args)
        self.outputs, self.rebuild_output = flatten(result, f"the result of {name}")
        self.name = name

    def _compared(self, value: Any, other: Any, symbol: str, x: float) -> None:
        a = value._data
        outcome = {"<": a < x, "<=": a <= x, ">": a > x, ">=": a >= x}[symbol]
        right = other if isinstance(other, Value) else number(other)
        self.guards.append(Guard(value, right, symbol, outcome, user_line()))


def refuse_to_be_recorded(what: str) -> None:
    """Raise TypeError where a function that gives plain numbers is called while another is recorded."""
    if being_compiled():
        raise TypeError(
            f"{what} gives plain numbers, which a replay of the function that calls it cannot follow: call it outside, "
            f"or compute with Values{user_line()}"
        )


def _refuse(node: Value, how: str) -> None:
    name = f"Value {quoted(node.label)}" if node.label else f"Value({node._data!r})"
    if not how:
        raise TypeError(
            f"the function assigned the data of {name}: a replay would not do it again. Return the number and assign "
            f"it outside{user_line()}"
        )
    if not called_by_package():
        raise TypeError(
            f"the function took the number out of {name} with {how}: a replay cannot follow what Python does with it. "
            "Compute with the Value itself, compare it as it is (v > 0), differentiate with grad(y, x), or look at it "
            f"inside no_grad(){user_line()}"
        )
