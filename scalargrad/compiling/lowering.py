"""From the ops of the table to the few that backends know: sums of many terms become additions, sigmoid its formula.

The formulas are the rows' own (`lowered`), users' rows included; a formula may use ops that have one themselves. In a
long program `dot` stays whole, for a backend that has an instruction for it, and sums of several terms become one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.compiling.applied import FunctionRow
from scalargrad.compiling.sums import sums_in, with_sums
from scalargrad.compiling.tape import CONSTANT, DOT, PARAMETER, SOURCES, TAKE, Instruction, Tape, live, name_of, op_of
from scalargrad.compiling.templates import Step, Template, templates
from scalargrad.ops import BUILT_IN
from scalargrad.table.row import HARD

if TYPE_CHECKING:
    from scalargrad.table.row import Op

PRIMITIVE = frozenset(name_of(op) for op in BUILT_IN if op.lowered is None)
"""The ops that every backend must know: those without a formula. (backends.py asks each, when it is loaded.)"""


@lru_cache(maxsize=512)
def _formula(op: str, n: int, inside: tuple[str, ...] = ()) -> Template | None:
    """How to compute op, which is no primitive, over n operands by primitives; None if only Python can.

    Args:
        op: its name in instructions.
        n: how many operands.
        inside: the ops in whose formulas this one stands.

    Raises:
        ValueError: if the formula leads back to the op itself.
    """
    known = op_of(op)
    form = known.value if known.is_held or isinstance(known, FunctionRow) else known.lowered
    if form is None:
        return None
    if op in inside:
        raise ValueError(f"{known.name}: what lowered= says uses {known.name} itself, so it comes to no end")
    if isinstance(known, FunctionRow):
        outer = known.forward
    else:
        (outer,) = templates((lambda *xs: form(xs)) if known.arity is None else form, n)
    if all(name in PRIMITIVE for name, _ in outer.steps):
        return outer
    steps: list[Step] = []
    places: list[int | float] = list(range(n))  # where the results of the outer steps are found
    for name, refs in outer.steps:
        xs = [_at(places, ref) for ref in refs]
        inner = None if name in PRIMITIVE else _formula(name, len(xs), (*inside, op))
        if inner is None:
            places.append(n + len(steps))
            steps.append((name, tuple(xs)))
            continue
        inner_places = xs
        for inner_name, inner_refs in inner.steps:
            inner_places.append(n + len(steps))
            steps.append((inner_name, tuple(_at(inner_places, ref) for ref in inner_refs)))
        places.append(_at(inner_places, inner.result))
    return Template(tuple(steps), _at(places, outer.result))


@lru_cache(maxsize=512)
def _formula_in_sums(op: str, n: int) -> Template | None:
    """The same with its sums of several terms as one instruction each."""
    formula = _formula(op, n)
    return None if formula is None else with_sums(formula, n)


def value_lowered(op: Op, xs: Sequence[float]) -> float | None:
    """The op's value as compiled programs compute it, under IEEE rules; None if there is no formula for it."""
    formula = _formula(name_of(op), len(xs))
    if formula is None:
        return None
    known: list[Any] = list(xs)
    for name, refs in formula.steps:
        numbers = [known[r] if type(r) is int else r for r in refs]
        try:
            known.append(op_of(name).on(numbers))
        except HARD:
            known.append(op_of(name).at_pole(numbers))
    return float(known[formula.result] if type(formula.result) is int else formula.result)


def _at(places: Sequence[int | float], ref: float) -> int | float:
    """What a number or a float, as templates refer to things, stands for."""
    return places[ref] if type(ref) is int else ref


def simplified(
    code: Sequence[Instruction], outputs: Sequence[int], *, lower: bool = True, keeps: Container[str] = ()
) -> tuple[Tape, list[int]]:
    """The same outputs by fewer instructions, and if asked by primitives only, and by ops that are to be kept.

    Returns:
        A new tape, and the slots of the outputs on it.
    """
    tape = Tape()

    def formula_of(op: str, n: int) -> Template | None:
        return None if op in keeps else _formula(op, n)

    new = _written(tape, code, outputs, formula_of if lower else None)
    return tape, [new[slot] for slot in outputs]


class Lowered(NamedTuple):
    """A long program by primitives, sums of products, and entries taken by their index.

    Attributes:
        tape: lowers what else is written there, too.
        places: for each slot of the program where that stands on the tape; -1 where no output needs it.
    """

    tape: Tape
    places: list[int]


def lowered(code: Sequence[Instruction], outputs: Sequence[int]) -> Lowered:
    """The outputs, simplified, by primitives and whole sums."""
    tape = _LoweringTape()
    return Lowered(tape, _written(tape, code, outputs, None, *sums_in(code, outputs)))


WHOLE = (DOT, TAKE)
"""What a long program keeps whole: ops of many operands that such a backend has an instruction for."""


class _LoweringTape(Tape):
    """Writes primitives, and ops that are kept whole."""

    def emit(self, op: str, *xs: int) -> int:
        """The slot of op(*xs)."""
        if op in PRIMITIVE or (op in WHOLE and len(xs) > 2):
            return super().emit(op, *xs)
        formula = _formula_in_sums(op, len(xs))
        return super().emit(op, *xs) if formula is None else formula.write(self, xs)


def _written(
    tape: Tape,
    code: Sequence[Instruction],
    outputs: Sequence[int],
    formula_of: Callable[[str, int], Template | None] | None,
    sums: Mapping[int, Sequence[tuple[int | float, int | float]]] = MappingProxyType({}),
    inside: Iterable[int] = (),
) -> list[int]:
    """Write what the outputs need; for each slot of the code where that stands then.

    Args:
        tape: where to write.
        code: the program.
        outputs: slots.
        formula_of: the form of an op of so many operands, which is written in its place if there is one.
        sums: slots that are sums of products, and the factors of these.
        inside: slots that nothing but such a sum reads.
    """
    needed = live(code, outputs)
    emit, written, constants, known = tape.emit, tape.code, tape.constants, tape.known
    new: list[int] = [-1] * len(code)
    place = new.__getitem__
    for slot in inside:
        needed[slot] = False
    for slot, instruction in enumerate(code):
        if not needed[slot]:
            continue
        op = instruction[0]
        if op is PARAMETER:  # there may be very many, and each stands in a program once
            if instruction in known:
                new[slot] = known[instruction]
            else:
                new[slot] = known[instruction] = len(written)
                written.append(instruction)
        elif slot in sums:
            factors = (xs for pair in zip(*sums[slot], strict=True) for xs in pair)
            new[slot] = emit(DOT, *(place(x) if type(x) is int else tape.constant(x) for x in factors))
        elif op in PRIMITIVE:
            if len(instruction) == 3:
                # emit's usual course, spelled out: nine in ten instructions come here, half the time of all this.
                x, y = new[instruction[1]], new[instruction[2]]
                pair = (op, x, y)
                if pair in known:
                    new[slot] = known[pair]
                elif x in constants or y in constants:
                    new[slot] = emit(op, x, y)
                else:
                    new[slot] = known[pair] = len(written)
                    written.append(pair)
            else:
                new[slot] = emit(op, *map(place, instruction[1:]))
        elif op is CONSTANT:
            new[slot] = tape.constant(float.fromhex(instruction[1]))
        elif op in SOURCES:
            new[slot] = tape.source(*instruction)
        else:
            formula = formula_of(op, len(instruction) - 1) if formula_of is not None else None
            xs = list(map(place, instruction[1:]))
            new[slot] = formula.write(tape, xs) if formula is not None else emit(op, *xs)
    return new
