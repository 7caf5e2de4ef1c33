"""Which operation's local rule is wrong: every node's partial derivatives, checked at the numbers it saw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scalargrad.checking.chain import op_slope
from scalargrad.engine import Value, topological_order
from scalargrad.node.errors import labels_of
from scalargrad.node.overwritten import was_overwritten
from scalargrad.node.rules import Leaf
from scalargrad.support.labels import clean_label
from scalargrad.table.row import Op


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
        is_paired: whether it takes two lists, as a dot product.
    """

    name: str
    argument: int | None
    at: tuple[float, ...]
    got: float
    expected: float
    labels: str = ""
    is_paired: bool = False

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


def find_culprit(y: Value, rtol: float = 1e-6, *, suspect: bool = True) -> Culprit | None:
    """The first operation below y, in topological order, whose local derivative disagrees with differences.

    The differences are taken at that operation's own operands, and accuse nobody where they cannot tell. If all of the
    op table are seen to be right and there are hand-written ones, the last of these is suspected.
    """
    last: Value | None = None
    all_right = True
    for node in topological_order(y):
        op = node._rule
        if isinstance(op, Op) and not was_overwritten(node):
            right, found = _examined(node, op, rtol)
            if found is not None:
                return found
            all_right = all_right and right
        elif not isinstance(op, Leaf):
            last = node
    if last is None or not all_right or not suspect:
        return None
    labels = labels_of(last.parents)
    return Culprit(clean_label(last._rule.text), None, tuple(a for _, a in last.operands), 0.0, 0.0, labels)


def _examined(node: Value, op: Op, rtol: float) -> tuple[bool, Culprit | None]:
    """Whether all local derivatives are seen to be right; and if one is seen to be wrong, that one."""
    numbers = [a for _, a in node.operands]
    got = local_by_rule(node)
    right = True
    for i, (parent, _) in enumerate(node.operands):
        if parent is None or got[i] is None:
            continue
        local, found = float(got[i] or 0.0), op_slope(op, numbers, i, node._data)
        noise = 10.0 * found.error
        size = max(abs(found.slope), abs(local) if math.isfinite(local) else 0.0)
        apart = abs(local - found.slope) if math.isfinite(local) else math.inf
        enough = min(0.1 * apart, max(size, 1e-9))
        if math.isfinite(found.error) and apart > rtol * size + noise and noise <= enough:
            labels = labels_of(p for p, _ in node.operands)
            return False, Culprit(op.name, i, tuple(numbers), local, found.slope, labels, op.pair is not None)
        right = right and apart <= rtol * size + noise and noise <= max(49.0 * rtol * size, 1e-9)
    return right, None


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
