"""Which operation's local rule is wrong: every node's partial derivatives, checked at the numbers it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scalargrad.checking.samples import UnusableError
from scalargrad.checking.slopes import numeric_slope
from scalargrad.engine import Value, topological_order
from scalargrad.errors import labels_of
from scalargrad.formula import clean_label
from scalargrad.rules import Leaf, was_overwritten
from scalargrad.table import HARD, Op


@dataclass(frozen=True)
class Culprit:
    """An operation with a wrong derivative.

    Attributes:
        name: the op's name; of a hand-written operation its text.
        argument: which operand, from 0; None if only the operation is known.
        at: the numbers of its operands.
        got: the local derivative by its rule.
        expected: what differences say.
        labels: the operands' labels, in words.
    """

    name: str
    argument: int | None
    at: tuple[float, ...]
    got: float
    expected: float
    labels: str = ""

    def __str__(self) -> str:
        if self.argument is None:
            return (
                f"Every rule of the op table that was used is right here, so look at the hand-written operation: "
                f"'{self.name}' at {', '.join(map(repr, self.at))}{self.labels}."
            )
        return (
            f"The rule of '{self.name}' is wrong for its argument {self.argument + 1} of {len(self.at)}, at "
            f"{', '.join(map(repr, self.at))}{self.labels}: it gives {self.got:.10g}, differences give "
            f"{self.expected:.10g}.\n\n{self.reproducer}"
        )

    @property
    def reproducer(self) -> str:
        """Python code that shows it."""
        names = [f"x{i}" for i in range(len(self.at))]
        lines = ["from scalargrad import Value", "from scalargrad.table import TABLE", ""]
        lines += [f"{name} = Value({x!r})" for name, x in zip(names, self.at, strict=True)]
        call = ", ".join(names)
        n = len(names) // 2
        if self.is_paired:
            call = ", ".join([f"[{', '.join(names[:n])}]", f"[{', '.join(names[n : 2 * n])}]", *names[2 * n :]])
        lines.append(f"TABLE[{self.name!r}].function({call}).backward()")
        argument = names[self.argument or 0]
        lines.append(f"print({argument}.grad)  # {self.got:.10g}; differences give {self.expected:.10g}")
        return "\n".join(lines)

    is_paired: bool = False


def find_culprit(y: Value, rtol: float = 1e-6) -> Culprit | None:
    """The first operation below y, in topological order, whose local derivative disagrees with differences.

    If all of the op table are right and there are hand-written ones, the last of these is suspected.
    """
    suspect: Value | None = None
    for node in topological_order(y):
        op = node._rule
        if isinstance(op, Op) and not was_overwritten(node):
            found = _wrong_argument(node, op, rtol)
            if found is not None:
                return found
        elif not isinstance(op, Leaf):
            suspect = node
    if suspect is None:
        return None
    labels = labels_of(suspect.parents)
    return Culprit(clean_label(suspect._rule.text), None, tuple(a for _, a in suspect.operands), 0.0, 0.0, labels)


def _wrong_argument(node: Value, op: Op, rtol: float) -> Culprit | None:
    numbers = [a for _, a in node.operands]
    got = local_by_rule(node)
    for i, (parent, _) in enumerate(node.operands):
        if parent is None or got[i] is None:
            continue

        def samples(t: float, i: int = i) -> tuple[float, tuple[Any, ...]]:
            xs = [*numbers[:i], t, *numbers[i + 1 :]]
            try:
                z = op.on(xs)
            except HARD as error:
                raise UnusableError(str(error)) from None
            if not abs(z) < float("inf"):
                raise UnusableError("not finite")
            kinks = () if op.kinks is None else (op.sides(xs),)
            return float(z), kinks

        numeric = numeric_slope(samples, numbers[i], sees_branches=True)
        if numeric.note:
            continue
        local = float(got[i] or 0.0)
        allowed = 1e-9 + rtol * max(abs(local), abs(numeric.low), abs(numeric.high)) + 10.0 * numeric.error
        if not numeric.low - allowed <= local <= numeric.high + allowed:
            labels = labels_of(p for p, _ in node.operands)
            return Culprit(op.name, i, tuple(numbers), local, numeric.low, labels, op.pair is not None)
    return None


def local_by_rule(node: Value) -> list[float | None]:
    """What the node's own backward hands each operand for an upstream gradient of 1.

    Each operand gets a stand-in, so that a value used twice is told apart.
    """
    op = node._rule
    stand_ins = [None if parent is None else Value(a) for parent, a in node.operands]
    twin: Value = object.__new__(Value)
    twin._data = twin._kept = node._data
    twin.grad, twin._rule = 0.0, op
    if isinstance(op, Op):
        op.keep_operands(twin, stand_ins, [a for _, a in node.operands])
    handed: dict[Value, Any] = {stand_in: 0.0 for stand_in in stand_ins if stand_in is not None}
    op.backward(twin, 1.0, handed)
    return [None if stand_in is None else float(handed[stand_in]) for stand_in in stand_ins]
