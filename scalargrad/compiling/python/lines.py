"""Straight-line Python for a tape: an expression or a statement for every instruction, in functions of some hundred."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.tape import CONSTANT, PARAMETER, SOURCES, Instruction, op_of
from scalargrad.table import floats
from scalargrad.table.operators import NEGATION, OPERATORS

if TYPE_CHECKING:
    from scalargrad.table.row import Op

Straight = Callable[[Sequence[float], Sequence[float], Sequence[float]], list[float]]

PIECE = 250
"""Instructions to a function: beyond 256 variables Python's bytecode needs two instructions to name one."""
LONGEST = 100
"""What is read once is written where it is read, if it has not more characters."""
MOST_OPERANDS = 40
"""Sums of more terms are calls: Python's compiler goes one level deeper for each term."""

WRITTEN: dict[Any, str] = {
    **{one.on_numbers: f"{{}} {one.text} {{}}" for one in OPERATORS.values() if one.precedence < NEGATION},
    operator.neg: "-{}",
}
"""How Python writes the functions that are operators: a call would take twice as long."""


def straight(
    code: Sequence[Instruction], slots: Sequence[int], outputs: Sequence[int], given: Sequence[int] = ()
) -> Straight:
    """The function (p, x, u) -> numbers of the outputs.

    Args:
        code: the tape.
        slots: which of it to compute, in order.
        outputs: slots.
        given: slots whose numbers the function is handed in u.
    """
    groups = [slots[i : i + PIECE] for i in range(0, len(slots), PIECE)] or [[]]
    group_of = {slot: g for g, group in enumerate(groups) for slot in group}
    # What one function computes and a later one needs goes through the list m.
    crossing: dict[int, int] = {}
    for slot in slots:
        for x in code[slot][1:]:
            if group_of.get(x, group_of[slot]) != group_of[slot]:
                crossing.setdefault(x, len(crossing))
    for slot in outputs:
        if group_of.get(slot, len(groups) - 1) != len(groups) - 1:
            crossing.setdefault(slot, len(crossing))
    outside = {slot: f"u[{i}]" for i, slot in enumerate(given)}
    outside.update((slot, f"m[{i}]") for slot, i in crossing.items())
    uses = Counter(x for slot in slots for x in code[slot][1:])
    uses.update([*outputs, *outputs])  # what is returned has a variable, though nothing else may read it
    functions: dict[Any, str] = {}
    known: dict[str, Any] = {"__builtins__": {}, "int": int, "inf": math.inf, "nan": math.nan}
    pieces: list[Callable[..., list[float]]] = []
    for g, group in enumerate(groups):
        lines = _lines(code, group, outside, crossing, functions, uses)
        if g == len(groups) - 1:
            inside = set(group)
            ends = (f"v{slot}" if slot in inside else _place(code, slot, outside) for slot in outputs)
            lines.append(f" return [{', '.join(ends)}]")
        known.update((name, value) for value, name in functions.items())
        source = "\n".join(["def piece(p, x, u, m):", *lines])
        exec(compile(source, "<scalargrad program>", "exec", dont_inherit=True), known)  # noqa: S102  (numbered names only)
        pieces.append(known.pop("piece"))
    last, room = pieces.pop(), len(crossing)
    if not pieces:
        return lambda p, x, u: last(p, x, u, ())

    def run(p: Sequence[float], x: Sequence[float], u: Sequence[float]) -> list[float]:
        m = [0.0] * room
        for piece in pieces:
            piece(p, x, u, m)
        return last(p, x, u, m)

    return run


def _lines(
    code: Sequence[Instruction],
    group: Sequence[int],
    outside: dict[int, str],
    crossing: dict[int, int],
    functions: dict[Any, str],
    uses: Mapping[int, int],
) -> list[str]:
    """The statements that compute a group of slots; each number from outside gets a variable at its first use."""
    lines: list[str] = []
    names: dict[int, str] = {}
    for slot in group:
        name, *xs = code[slot]
        op = op_of(name)
        for x in xs:
            if x not in names:
                place = _place(code, x, outside)
                names[x] = place if uses[x] == 1 or code[x][0] is CONSTANT else f"v{x}"
                if names[x] != place:
                    lines.append(f" v{x} = {place}")
        text = _infix(op, [names[x] for x in xs])
        if not text:
            function = functions.setdefault(op.value, f"f{len(functions)}")
            arguments = ", ".join(names[x] for x in xs)
            text = f"{function}([{arguments}])" if op.arity is None else f"{function}({arguments})"
        if uses[slot] == 1 and slot not in crossing and len(text) < LONGEST:
            names[slot] = f"({text})"  # what is read once needs no variable
            continue
        names[slot] = f"v{slot}"
        stored = f" = m[{crossing[slot]}]" if slot in crossing else ""
        lines.append(f" v{slot}{stored} = {text}")
    return lines


def _infix(op: Op, xs: list[str]) -> str:
    """The op by operators alone, in the order of roundings of its value; empty if it takes a call."""
    if op.value in WRITTEN:
        return WRITTEN[op.value].format(*xs)
    if op.has_index:
        return f"({', '.join(xs[1:])},)[int({xs[0]})]"  # the program's guards see to what is the index of nothing
    if len(xs) > MOST_OPERANDS:
        return ""
    if op.pair is not None and op.pair.value in WRITTEN:
        n = len(xs) // 2
        return " + ".join([*xs[2 * n :], *map(WRITTEN[op.pair.value].format, xs[:n], xs[n : 2 * n])])
    if op.value is floats.total:
        return " + ".join(xs)
    if op.value is floats.mean:
        return f"({' + '.join(xs)}) / {len(xs)}"
    return ""


def _place(code: Sequence[Instruction], slot: int, outside: dict[int, str]) -> str:
    """Where a number comes from that is not computed here."""
    kind, *rest = code[slot]
    if kind is CONSTANT:
        return repr(float.fromhex(rest[0]))  # minus binds more strongly than any operator used here
    if kind in SOURCES:
        return f"{'p' if kind is PARAMETER else 'x'}[{rest[0]}]"
    return outside[slot]
