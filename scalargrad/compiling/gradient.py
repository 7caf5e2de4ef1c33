"""The chain rule over a tape: gradients as further instructions, by the op table's own partial derivatives.

It is the engine's sweep over slots in place of Values: in reverse order, each instruction hands every operand its
adjoint times the local derivative, and contributions add up in the same order. (Through Values, with
`create_graph=True`, the same takes several times as long; both give the same instructions.)

There are two forms of it. The plain one multiplies by 0 where an op that chooses has not chosen; if no nan comes of
that it is right. The masked one, as the engine's graphs of gradients (rules.Masked), passes nothing on there, whatever
the upstream gradient; it has up to twice as many instructions, so it is made only when the plain one has given nan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from scalargrad.compiling.applied import FunctionRow
from scalargrad.compiling.tape import ADD, MULTIPLY, SOURCES, WHERE, Instruction, Tape, depending, op_of
from scalargrad.compiling.templates import choice_of, partials_of


def contributions(
    tape: Tape, root: int, wrt: Iterable[int], seed: int | None = None, *, masked: bool = False
) -> dict[int, list[int]]:
    """For each slot of `wrt` what is to be added up to the derivative of root with respect to it, in order.

    Args:
        tape: is extended.
        root: the slot of the output.
        wrt: slots.
        seed: the slot of the factor; 1.0 if left out.
        masked: which form.
    """
    wanted = {slot: [] for slot in wrt}  # type: dict[int, list[int]]
    code, emit, constants = tape.code, tape.emit, tape.constants
    # Only what lies between the wanted slots and the root gets an adjoint.
    between = depending(code, wanted)
    adjoints: dict[int, int] = {}
    reached: dict[int, int] = {}  # slots that are not 0 where a contribution reaches; no entry: one always does
    if between[root]:
        adjoints[root] = tape.constant(1.0) if seed is None else seed
        if root in wanted:
            wanted[root].append(adjoints[root])
    for slot in range(root, -1, -1):
        upstream = adjoints.pop(slot, None)
        if upstream is None:
            continue
        instruction = code[slot]
        op = instruction[0]
        if op in SOURCES:
            continue
        xs = instruction[1:]
        rule = op_of(op)
        if isinstance(rule, FunctionRow):
            turns: list[Any] = list(enumerate(zip(xs, rule.backward_of, strict=True)))
        else:
            turns = list(enumerate(zip(xs, partials_of(op, len(xs)), strict=True)))
        if len(xs) > 2 and len(xs) % 2 and rule.pair is not None:  # the bias has its turn before the ys
            half = len(xs) // 2
            turns.insert(half, turns.pop())
        for i, (x, partial) in turns:
            if not between[x] or partial is None:
                continue
            result = partial.result
            if isinstance(rule, FunctionRow):  # not the local derivative: all that its backward gives
                local = partial.write(tape, (*xs, slot, upstream))
            elif not partial.steps and type(result) is int:
                local = xs[result] if result < len(xs) else slot
            elif result == 1.0 and type(result) is float:
                local = -1
            else:
                local = partial.write(tape, (*xs, slot))
            chosen = None
            if rule.may_leave_out(i):
                choice = choice_of(op, len(xs), i)
                chosen = local if choice is None else choice.write(tape, (*xs, slot))
                if constants.get(chosen) == 0.0:
                    continue
            if isinstance(rule, FunctionRow):
                share = local
            else:
                share = upstream if local < 0 else emit(MULTIPLY, upstream, local)
            mask = reached.get(slot)
            if masked and chosen is not None:
                mask = chosen if mask is None else emit(WHERE, mask, chosen, tape.constant(0.0))
            if mask is not None:
                share = emit(WHERE, mask, share, tape.constant(0.0))
            if x in wanted:
                wanted[x].append(share)
            if code[x][0] not in SOURCES:
                before, known = adjoints.get(x), reached.pop(x, None)
                adjoints[x] = share if before is None else emit(ADD, before, share)
                if mask is not None and (before is None or known is not None):
                    reached[x] = mask if known is None else emit(WHERE, known, tape.constant(1.0), mask)
    return wanted


def has_choices(code: Sequence[Instruction]) -> bool:
    """Whether an op of the tape chooses, so that the two forms may differ."""
    ops = {instruction[0] for instruction in code if instruction[0] not in SOURCES}
    return any(op_of(op).is_choice for op in ops)


def total(tape: Tape, terms: Iterable[int]) -> int:
    """The slot of the sum of contributions; of 0.0 if there is none."""
    result: int | None = None
    for term in terms:
        result = term if result is None else tape.emit(ADD, result, term)
    return tape.constant(0.0) if result is None else result
