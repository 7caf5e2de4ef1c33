"""A small machine that works off a program from memory: compiled once per process, for programs of any length.

The program is a list of groups of instructions (layout.py): an opcode, where the results go, and the places of the
operands. Straight-line code would take LLVM longer to compile than most such programs run.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from functools import cache

from scalargrad.compiling.llvm.layout import COPY, LIST, MATRIX, ROWS, VECTORS, Layout
from scalargrad.compiling.llvm.library import Machinery, once
from scalargrad.compiling.llvm.matrix_kernel import matrix
from scalargrad.compiling.llvm.primitives import HELPERS, Lanes
from scalargrad.compiling.llvm.sum_kernels import listed, run
from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.tape import TAKE, Instruction, op_of


@cache
def opcodes() -> dict[str, int]:
    """A number for each primitive op, and for each of the machine's own."""
    return {op: i for i, op in enumerate([*sorted(PRIMITIVE), COPY, TAKE, LIST, VECTORS, ROWS, MATRIX])}


@once
def machinery(width: int, quick: bool = False) -> Machinery:
    """The function run(memory, groups, count, operands), over numbers or vectors of lanes.

    Args:
        width: how many lanes.
        quick: as for `Lanes`.
    """
    one = Lanes(width, quick)
    t = one.type
    blocks = [_each(one, op, opcode, _arity(op)) for op, opcode in opcodes().items() if op in PRIMITIVE or op == COPY]
    ends = [f"[%on{opcode}, %op{opcode}]" for op, opcode in opcodes().items() if op in PRIMITIVE or op == COPY]
    for op, text in (
        (TAKE, _take(one)),
        (LIST, listed(one, opcodes()[LIST])),
        *((name, run(one, name, opcodes()[name])) for name in (VECTORS, ROWS)),
        (MATRIX, matrix(one, opcodes()[MATRIX])),
    ):
        blocks.append(text)
        ends.append(f"[%{op}.on, %{op}.end]")
    targets = [f"i32 {opcode}, label %op{opcode}" for opcode in opcodes().values()]
    text = f"""
define void @run(ptr noalias %memory, ptr noalias %groups, i64 %count, ptr noalias %operands) {{
entry:
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %dispatch, label %end
dispatch:
  %i = phi i64 [0, %entry], [%i1, %done]
  %operand = phi ptr [%operands, %entry], [%operand1, %done]
  %group = getelementptr <4 x i32>, ptr %groups, i64 %i
  %code = load i32, ptr %group, align 4
  %from_at = getelementptr i32, ptr %group, i64 1
  %from = load i32, ptr %from_at, align 4
  %to_at = getelementptr i32, ptr %group, i64 2
  %to = load i32, ptr %to_at, align 4
  %pairs_at = getelementptr i32, ptr %group, i64 3
  %pairs32 = load i32, ptr %pairs_at, align 4
  %pairs = sext i32 %pairs32 to i64
  %first = getelementptr {t}, ptr %memory, i32 %from
  %stop = getelementptr {t}, ptr %memory, i32 %to
  switch i32 %code, label %end [{"  ".join(targets)}]
{chr(10).join(blocks)}
done:
  %operand1 = phi ptr {", ".join(ends)}
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %count
  br i1 %more, label %dispatch, label %end
end:
  ret void
}}
"""
    declared = sorted(one.called | {"declare double @llvm.floor.f64(double)"})
    return Machinery("\n".join([HELPERS, *declared, text]), ["run"], 2)


def _arity(op: str) -> int:
    return 1 if op == COPY else op_of(op).arity or len(op_of(op).arguments)


def _each(one: Lanes, op: str, opcode: int, n: int) -> str:
    """Instructions of one op, each with a list of the places of its operands."""
    t, align = one.type, 8 * one.width
    names = [f"%x{opcode}_{i}" for i in range(n)]
    body = []
    for i, x in enumerate(names):
        body += [
            f"{x}.q = getelementptr i32, ptr %o{opcode}, i64 {i}",
            f"{x}.i = load i32, ptr {x}.q, align 4",
            f"{x}.p = getelementptr {t}, ptr %memory, i32 {x}.i",
            f"{x} = load {t}, ptr {x}.p, align {align}",
        ]
    body += [f"%r{opcode} = bitcast {t} {names[0]} to {t}"] if op == COPY else one.lines(op, f"%r{opcode}", names)
    body += [
        f"store {t} %r{opcode}, ptr %d{opcode}, align {align}",
        f"%dn{opcode} = getelementptr {t}, ptr %d{opcode}, i64 1",
        f"%on{opcode} = getelementptr i32, ptr %o{opcode}, i64 {n}",
        f"%go{opcode} = icmp ne ptr %dn{opcode}, %stop",
        f"br i1 %go{opcode}, label %op{opcode}, label %done",
    ]
    return "\n  ".join([
        f"op{opcode}:",
        f"%d{opcode} = phi ptr [%first, %dispatch], [%dn{opcode}, %op{opcode}]",
        f"%o{opcode} = phi ptr [%operand, %dispatch], [%on{opcode}, %op{opcode}]",
        *body,
    ])  # fmt: skip


def _take(one: Lanes) -> str:
    """Entries taken by an index, whose place comes before those of the entries; nan where there is none of it."""
    t, align, w = one.type, 8 * one.width, one.width
    lines, before = [], "poison"
    for lane in range(w):
        x, lane_of = f"%take.{lane}", f"extractelement {t} %take.index, i64 {lane}"
        lines += [
            f"{x} = {lane_of if w > 1 else 'bitcast double %take.index to double'}",
            f"{x}.i = call i32 @llvm.fptosi.sat.i32.f64(double {x})",
            f"{x}.back = sitofp i32 {x}.i to double",
            f"{x}.whole = fcmp oeq double {x}.back, {x}",
            f"{x}.low = icmp ult i32 {x}.i, %pairs32",
            f"{x}.there = and i1 {x}.whole, {x}.low",
            f"{x}.k = select i1 {x}.there, i32 {x}.i, i32 0",
            f"{x}.q = getelementptr i32, ptr %take.entries, i32 {x}.k",
            f"{x}.at = load i32, ptr {x}.q, align 4",
            f"{x}.p0 = getelementptr {t}, ptr %memory, i32 {x}.at",
            f"{x}.p = getelementptr double, ptr {x}.p0, i64 {lane}",
            f"{x}.x = load double, ptr {x}.p, align 8",
            f"{x}.y = select i1 {x}.there, double {x}.x, double 0x7FF8000000000000",
        ]
        if w > 1:
            lines.append(f"{x}.v = insertelement {t} {before}, double {x}.y, i64 {lane}")
            before = f"{x}.v"
    one.called.add("declare i32 @llvm.fptosi.sat.i32.f64(double)")
    return "\n  ".join([
        f"\nop{opcodes()[TAKE]}:",
        "%take.d = phi ptr [%first, %dispatch], [%take.dn, %take.end]",
        "%take.o = phi ptr [%operand, %dispatch], [%take.on, %take.end]",
        "%take.ii = load i32, ptr %take.o, align 4",
        f"%take.ip = getelementptr {t}, ptr %memory, i32 %take.ii",
        f"%take.index = load {t}, ptr %take.ip, align {align}",
        "%take.entries = getelementptr i32, ptr %take.o, i64 1",
        *lines,
        "br label %take.end\ntake.end:",
        f"store {t} {before if w > 1 else '%take.0.y'}, ptr %take.d, align {align}",
        f"%take.dn = getelementptr {t}, ptr %take.d, i64 1",
        "%take.on = getelementptr i32, ptr %take.entries, i64 %pairs",
        "%take.go = icmp ne ptr %take.dn, %stop",
        f"br i1 %take.go, label %op{opcodes()[TAKE]}, label %done",
    ])  # fmt: skip


class MachineCode:
    """A program for the machine.

    Args:
        layout: where everything lies; its groups and places are let go of.

    Attributes:
        layout: the rest of it.
        program: the address of the groups, how many there are, and the address of the operands.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        numbers = opcodes()
        self._groups = array("i")
        for op, first, size, pairs in layout.groups:
            self._groups.extend((numbers[op], first, first + size, pairs))
        p, i = ctypes.c_void_p, ctypes.c_int64
        self._run = ctypes.CFUNCTYPE(None, p, p, i, p)(machinery(1).addresses["run"])
        self.program = (self._groups.buffer_info()[0], len(layout.groups), layout.operands.buffer_info()[0])
        layout.forget()

    def run(self, memory: int) -> None:
        """Work off the program on the numbers at this address."""
        self._run(memory, *self.program)


def machine_code(code: Sequence[Instruction], outputs: Sequence[int]) -> MachineCode:
    """A program for one set of numbers."""
    return MachineCode(Layout(code, outputs))
