"""A tape: instructions in the order of computation, each result in a numbered slot, simplified if asked.

An instruction is a tuple: the name of an op and the slots of its operands, or a source: an input, a parameter or a
constant. Every simplification gives the same number as the instruction it replaces, bit for bit on finite numbers. It
comes after differentiation: if two equal nodes were one before, their gradients would be added up in another order.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from scalargrad.ops import (
    BUILT_IN,
    absolute,
    add,
    divide,
    dot,
    floor,
    greater,
    hypot,
    multiply,
    negative,
    power,
    subtract,
    take,
    where,
)
from scalargrad.table.floats import no_place
from scalargrad.table.row import NO_VALUE, Op

Instruction = tuple[Any, ...]


INPUT = "input"
"""(INPUT, i): the i-th number that a call brings."""
PARAMETER = "parameter"
"""(PARAMETER, i): the number that the i-th Value holds when the program runs."""
CONSTANT = "constant"
"""(CONSTANT, x.hex()): a number known beforehand; `constants` has it as a float."""
SOURCES = frozenset((INPUT, PARAMETER, CONSTANT))

# Instructions name ops by strings, which are no business of the garbage collector: it leaves tuples of strings and
# numbers alone. With the rows themselves in the tuples it takes a third of the time that recording 60 000 nodes needs.
_ROWS: dict[str, Op] = {}
_NAMES: dict[Op, str] = {}
FEW_OPERANDS: dict[Op, str] = {}
"""The names of ops of one or two operands."""
_numbers = itertools.count()


def name_of(op: Op) -> str:
    """The op's name in instructions; that of an op that users add tells it from others of its name."""
    name = _NAMES.get(op)
    if name is None:
        is_made = op.is_users or op.is_held  # there may be many of a name, and threads that ask at once
        name = op.name if op.name not in _ROWS and not is_made else f"{op.name}.{next(_numbers)}"
        _ROWS[name] = op
        _NAMES[op] = name
        if op.arity is not None:
            FEW_OPERANDS[op] = name
    return name


def op_of(name: str) -> Op:
    """The row of the op table that an instruction names."""
    return _ROWS[name]


for _row in BUILT_IN:  # now, before a user's op takes one of their names
    name_of(_row)

_OFTEN = (add, subtract, multiply, divide, negative, power, where, hypot, greater, absolute, dot, floor, take)
ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATIVE, POWER, WHERE, HYPOT, GREATER, ABSOLUTE, DOT, FLOOR, TAKE = (
    name_of(function.op)  # type: ignore[attr-defined]
    for function in _OFTEN
)
NEVER_MINUS_ZERO = frozenset(name_of(op) for op in BUILT_IN if op.never_minus_zero)


class Tape:
    """Writes instructions.

    Args:
        simplify: whether constants are folded, what gives an operand back is left out, and nothing is written twice.

    Attributes:
        code: the instructions; the position of each is its slot.
        constants: the numbers of the slots that hold one.
        known: the slot of each instruction that need not be written again.
    """

    def __init__(self, simplify: bool = True) -> None:
        self.code: list[Instruction] = []
        self.constants: dict[int, float] = {}
        self._simplify = simplify
        self.known: dict[Instruction, int] = {}

    @classmethod
    def of(cls, code: Sequence[Instruction]) -> Tape:
        """A tape that has these instructions and simplifies nothing."""
        tape = cls(simplify=False)
        tape.code = list(code)
        for slot, instruction in enumerate(code):
            if instruction[0] in SOURCES:
                tape.known[instruction] = slot
                if instruction[0] is CONSTANT:
                    tape.constants[slot] = float.fromhex(instruction[1])
        return tape

    def source(self, kind: str, index: int) -> int:
        """The slot of an input or parameter."""
        return self._written((kind, index))

    def parameters(self, count: int) -> range:
        """The slots of so many parameters, of which there is none on the tape yet."""
        start = len(self.code)
        slots = range(start, start + count)
        self.code += [(PARAMETER, i) for i in range(count)]
        self.known.update(zip(self.code[start:], slots, strict=True))
        return slots

    def constant(self, x: float) -> int:
        """The slot of a number."""
        slot = self._written((CONSTANT, x.hex()))
        self.constants[slot] = x
        return slot

    def emit(self, op: str, *xs: int) -> int:
        """The slot of op(*xs): when simplifying, that of an earlier instruction if one gives the same."""
        instruction = (op, *xs)
        if self._simplify:
            slot = self.known.get(instruction)
            if slot is not None:
                return slot
            if not self.constants.keys().isdisjoint(xs):
                slot = self._with_constants(op, xs)
            elif op is NEGATIVE or op is WHERE:
                slot = IDENTITIES[op](self, *xs)
            if slot is not None:
                self.known[instruction] = slot
                return slot
            self.known[instruction] = len(self.code)
        self.code.append(instruction)
        return len(self.code) - 1

    def product(self, x: int, y: int) -> int:
        """The slot of x * y: emit's usual course, spelled out, as gradients consist of products."""
        instruction = (MULTIPLY, x, y)
        slot = self.known.get(instruction)
        if slot is None:
            if x in self.constants or y in self.constants:
                return self.emit(MULTIPLY, x, y)
            slot = self.known[instruction] = len(self.code)
            self.code.append(instruction)
        return slot

    def _written(self, instruction: Instruction) -> int:
        slot = self.known.get(instruction)
        if slot is None:
            slot = self.known[instruction] = len(self.code)
            self.code.append(instruction)
        return slot

    def _with_constants(self, op: str, xs: Sequence[int]) -> int | None:
        """A slot that holds op(*xs) already, or the constant that it is; None if it must be computed."""
        known = [self.constants[x] for x in xs if x in self.constants]
        if len(known) == len(xs):
            try:
                result = op_of(op).on(known)
            except NO_VALUE:  # it raises when the program runs, as it would have raised
                return None
            return self.constant(float(result))
        identity = IDENTITIES.get(op)
        return identity(self, *xs) if identity is not None else None

    def never_minus_zero(self, slot: int) -> bool:
        """Whether this slot surely never holds -0.0."""
        pending, seen = [slot], 0
        while pending and seen < 100:
            seen += 1
            op, *xs = self.code[pending.pop()]
            if op in NEVER_MINUS_ZERO:
                return True
            if op is ADD:  # x + y is -0.0 only if both are
                pending += xs
        return False


# -------------------------------------------------------------------- what needs no instruction


def _add(tape: Tape, x: int, y: int) -> int | None:
    for one, other in ((x, y), (y, x)):
        zero = tape.constants.get(one)
        # x + 0.0 turns -0.0 into 0.0; x + -0.0 is x.
        if zero == 0.0 and (math.copysign(1.0, zero) < 0 or tape.never_minus_zero(other)):
            return other
    return None


def _subtract(tape: Tape, x: int, y: int) -> int | None:
    zero = tape.constants.get(y)
    return x if zero == 0.0 and math.copysign(1.0, zero) > 0 else None


def _multiply(tape: Tape, x: int, y: int) -> int | None:
    for one, other in ((x, y), (y, x)):
        factor = tape.constants.get(one)
        if factor == 1.0:
            return other
        if factor == -1.0:
            return tape.emit(NEGATIVE, other)
    return None


def _divide(tape: Tape, x: int, y: int) -> int | None:
    divisor = tape.constants.get(y)
    return x if divisor == 1.0 else tape.emit(NEGATIVE, x) if divisor == -1.0 else None


def _negative(tape: Tape, x: int) -> int | None:
    instruction = tape.code[x]
    return instruction[1] if instruction[0] is NEGATIVE else None


def _power(tape: Tape, x: int, y: int) -> int | None:
    exponent = tape.constants.get(y)
    if exponent == 0.0:
        return tape.constant(1.0)
    if exponent == 1.0:
        return x
    if exponent in (2.0, 3.0):  # as floats.power computes it
        square = tape.emit(MULTIPLY, x, x)
        return square if exponent == 2.0 else tape.emit(MULTIPLY, square, x)
    return None


def _where(tape: Tape, condition: int, x: int, y: int) -> int | None:
    chosen = tape.constants.get(condition)
    if chosen is not None and chosen == chosen:
        return x if chosen else y
    op, *operands = tape.code[condition]
    # A length over a leg that is not 0 is not 0. NaN comes out too: `where` hands on a NaN condition, which x caused.
    if op is HYPOT and any(tape.constants.get(leg) for leg in operands) and x in operands:
        return x
    return None


def _take(tape: Tape, index: int, *entries: int) -> int | None:
    place = tape.constants.get(index)
    return None if place is None or no_place(place, len(entries)) else entries[int(place)]


IDENTITIES: dict[str, Callable[..., int | None]] = {
    ADD: _add,
    SUBTRACT: _subtract,
    MULTIPLY: _multiply,
    DIVIDE: _divide,
    NEGATIVE: _negative,
    POWER: _power,
    WHERE: _where,
    TAKE: _take,
}


# -------------------------------------------------------------------- what is needed, what depends


def depending(code: Sequence[Instruction], slots: Iterable[int]) -> bytearray:
    """For each slot whether it is one of these, or is computed from one."""
    found = bytearray(len(code))
    for slot in slots:
        found[slot] = 1
    is_found = found.__getitem__
    for slot, instruction in enumerate(code):
        if instruction[0] not in SOURCES and not found[slot]:
            found[slot] = found[instruction[-1]] or any(map(is_found, instruction[1:]))
    return found


def as_text(code: Sequence[Instruction]) -> str:
    """The instructions, for keeping: a tenth of the memory."""
    return json.dumps(code, separators=(",", ":"))


def from_text(text: str) -> list[Instruction]:
    """The instructions that were kept."""
    names = {name: name for name in (*SOURCES, *_ROWS)}  # these very strings: they are compared by identity
    return [(names[op], *xs) for op, *xs in json.loads(text)]


def operands(instruction: Instruction) -> Sequence[int]:
    """The slots that an instruction reads."""
    return () if instruction[0] in SOURCES else instruction[1:]


def count_of(code: Iterable[Instruction], kind: str) -> int:
    """How many inputs, or parameters, a program reads numbers of: up to the last that stands in its code."""
    return 1 + max([instruction[1] for instruction in code if instruction[0] is kind], default=-1)


class Size(NamedTuple):
    """How large a program is.

    Attributes:
        operations: how many additions, multiplications and the like it takes.
        in_sums: how many of them are in sums of products that were left whole.
    """

    operations: int
    in_sums: int


def size_of(code: Sequence[Instruction], gradient: int = 1) -> Size:
    """The size of a program; roughly, where ops are not primitives.

    Args:
        code: the tape.
        gradient: how many times as many operations it will have with its gradient.
    """
    sums = [len(instruction) - 2 for instruction in code if instruction[0] is DOT]
    others = [len(instruction) - 2 or 1 for instruction in code if instruction[0] not in SOURCES]
    return Size(gradient * sum(others), gradient * sum(sums))


def varying_slots(code: Sequence[Instruction]) -> bytearray:
    """For each slot whether it depends on an input, and so may differ from sample to sample of a batch."""
    inputs = [slot for slot, instruction in enumerate(code) if instruction[0] is INPUT]
    return depending(code, inputs) if inputs else bytearray(len(code))


def live(code: Sequence[Instruction], outputs: Iterable[int]) -> list[bool]:
    """For each slot whether an output needs it."""
    needed = [False] * len(code)
    for slot in outputs:
        needed[slot] = True
    for slot in range(len(code) - 1, -1, -1):
        if needed[slot]:
            instruction = code[slot]
            if instruction[0] not in SOURCES:
                for x in instruction[1:]:
                    needed[x] = True
    return needed


def computed(code: Sequence[Instruction], outputs: Iterable[int]) -> list[int]:
    """The slots that the outputs need, sources apart, in order."""
    return [slot for slot, needed in enumerate(live(code, outputs)) if needed and code[slot][0] not in SOURCES]
