"""A small machine that works off a program from memory: compiled once per process, for programs of any length.

The program is a list of groups of instructions: an opcode, where the results go, and the places of the operands.
Straight-line code would take LLVM longer to compile than most such programs run.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from scalargrad.compiling.llvm.library import Machinery, once
from scalargrad.compiling.llvm.primitives import HELPERS, Lanes
from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.order import groups_by_level
from scalargrad.compiling.tape import CONSTANT, INPUT, PARAMETER, SOURCES, Instruction, count_of, op_of


@cache
def opcodes() -> dict[str, int]:
    """A number for each primitive op."""
    return {op: i for i, op in enumerate(sorted(PRIMITIVE))}


@once
def _machine(width: int) -> Machinery:
    """The function run(memory, groups, count, operands), over numbers or vectors of lanes."""
    lanes = Lanes(width)
    t, align = lanes.type, 8 * width
    blocks, targets = [], []
    for op, opcode in opcodes().items():
        n = op_of(op).arity or len(op_of(op).arguments)
        names = [f"%x{opcode}_{i}" for i in range(n)]
        body = []
        for i, x in enumerate(names):
            body += [
                f"{x}.q = getelementptr i32, ptr %o{opcode}, i64 {i}",
                f"{x}.i = load i32, ptr {x}.q, align 4",
                f"{x}.p = getelementptr {t}, ptr %memory, i32 {x}.i",
                f"{x} = load {t}, ptr {x}.p, align {align}",
            ]
        body += lanes.lines(op, f"%r{opcode}", names)
        body += [
            f"store {t} %r{opcode}, ptr %d{opcode}, align {align}",
            f"%dn{opcode} = getelementptr {t}, ptr %d{opcode}, i64 1",
            f"%on{opcode} = getelementptr i32, ptr %o{opcode}, i64 {n}",
            f"%go{opcode} = icmp ne ptr %dn{opcode}, %stop",
            f"br i1 %go{opcode}, label %op{opcode}, label %done",
        ]
        blocks.append(
            "\n  ".join([
                f"op{opcode}:",
                f"%d{opcode} = phi ptr [%first, %dispatch], [%dn{opcode}, %op{opcode}]",
                f"%o{opcode} = phi ptr [%operand, %dispatch], [%on{opcode}, %op{opcode}]",
                *body,
            ])
        )  # fmt: skip
        targets.append(f"i32 {opcode}, label %op{opcode}")
    ends = ", ".join(f"[%on{opcode}, %op{opcode}]" for opcode in opcodes().values())
    text = f"""
define void @run(ptr noalias %memory, ptr noalias %groups, i64 %count, ptr noalias %operands) {{
entry:
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %dispatch, label %end
dispatch:
  %i = phi i64 [0, %entry], [%i1, %done]
  %operand = phi ptr [%operands, %entry], [%operand1, %done]
  %k = mul i64 %i, 3
  %code_at = getelementptr i32, ptr %groups, i64 %k
  %code = load i32, ptr %code_at, align 4
  %k1 = add i64 %k, 1
  %from_at = getelementptr i32, ptr %groups, i64 %k1
  %from = load i32, ptr %from_at, align 4
  %k2 = add i64 %k, 2
  %to_at = getelementptr i32, ptr %groups, i64 %k2
  %to = load i32, ptr %to_at, align 4
  %first = getelementptr {t}, ptr %memory, i32 %from
  %stop = getelementptr {t}, ptr %memory, i32 %to
  switch i32 %code, label %end [{"  ".join(targets)}]
{chr(10).join(blocks)}
done:
  %operand1 = phi ptr {ends}
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %count
  br i1 %more, label %dispatch, label %end
end:
  ret void
}}
"""
    declared = sorted(lanes.called | {"declare double @llvm.floor.f64(double)"})
    return Machinery("\n".join([HELPERS, *declared, text]), ["run"], 2)


class Group(NamedTuple):
    """Instructions of one op, none of which needs another; their results lie side by side.

    Attributes:
        op: the operation.
        first: the place of the first result; the others follow.
        size: how many there are.
    """

    op: str
    first: int
    size: int


class Layout:
    """Where in its memory the machine has what.

    Attributes:
        place: for each slot of the tape where its number lies: inputs, parameters, constants, then results.
        inputs, parameters: how many there are of each.
        constants: their numbers.
        groups: in order. One costs one dispatch however long it is, and its instructions do not wait for each other.
        operands: the places that each instruction reads, in the order of results.
        size: how many numbers there are in all.
    """

    def __init__(self, code: Sequence[Instruction]) -> None:
        self.inputs, self.parameters = count_of(code, INPUT), count_of(code, PARAMETER)
        place = self.place = [0] * len(code)
        self.constants: list[float] = []
        kinds = [None if instruction[0] in SOURCES else instruction[0] for instruction in code]
        for slot, kind in enumerate(kinds):
            if kind is None:
                source, what = code[slot]
                if source is CONSTANT:
                    place[slot] = self.inputs + self.parameters + len(self.constants)
                    self.constants.append(float.fromhex(what))
                else:
                    place[slot] = what if source is INPUT else self.inputs + what
        self.groups: list[Group] = []
        operands: list[int] = []
        read = operands.append
        at = self.inputs + self.parameters + len(self.constants)
        for slots in groups_by_level(code, kinds):
            self.groups.append(Group(code[slots[0]][0], at, len(slots)))
            for at, slot in enumerate(slots, at):  # noqa: B020  (goes on where the last group ended)
                place[slot] = at
                for x in code[slot][1:]:
                    read(place[x])
            at += 1
        self.operands = array("i", operands)
        self.size = at


class MachineCode:
    """A program for the machine.

    Attributes:
        layout: where everything lies.
        run: (memory): work it off.
    """

    def __init__(self, code: Sequence[Instruction], width: int = 1) -> None:
        self.layout = layout = Layout(code)
        numbers = opcodes()
        self._groups = array("i")
        for op, first, size in layout.groups:
            self._groups.extend((numbers[op], first, first + size))
        p, i = ctypes.c_void_p, ctypes.c_int64
        self._run = ctypes.CFUNCTYPE(None, p, p, i, p)(_machine(width).addresses["run"])
        self._program = (self._groups.buffer_info()[0], len(layout.groups), layout.operands.buffer_info()[0])

    def run(self, memory: int) -> None:
        """Work off the program on the numbers at this address."""
        self._run(memory, *self._program)


@lru_cache(maxsize=32)
def machine_code(code: tuple[Instruction, ...], width: int = 1) -> MachineCode:
    """The program, laid out once for tapes of the same structure."""
    return MachineCode(code, width)
