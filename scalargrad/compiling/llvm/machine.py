"""A small machine that works off a program from memory: compiled once per process, for programs of any length.

The program is a list of groups of instructions (layout.py): an opcode, where the results go, and the places of the
operands. Straight-line code would take LLVM longer to compile than most such programs run.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from functools import cache

from scalargrad.compiling.llvm.layout import COPY, LIST, ROWS, VECTORS, Layout
from scalargrad.compiling.llvm.library import Machinery, lanes, once
from scalargrad.compiling.llvm.primitives import HELPERS, Lanes
from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.tape import TAKE, Instruction, op_of


@cache
def opcodes() -> dict[str, int]:
    """A number for each primitive op, and for each of the machine's own."""
    return {op: i for i, op in enumerate([*sorted(PRIMITIVE), COPY, TAKE, LIST, VECTORS, ROWS])}


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
        (LIST, _list(one)),
        (VECTORS, _run(one, moves=False)),
        (ROWS, _run(one, moves=True)),
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


def _list(one: Lanes) -> str:
    """Sums of products, each with the places of its first factors, then of its second ones."""
    t, align = one.type, 8 * one.width
    return f"""
op{opcodes()[LIST]}:
  %list.d = phi ptr [%first, %dispatch], [%list.dn, %list.end]
  %list.o = phi ptr [%operand, %dispatch], [%list.on, %list.end]
  %list.o2 = getelementptr i32, ptr %list.o, i64 %pairs
{_product("list.f", t, align, "%list.o", "%list.o2", "0")}
  br label %list.pair
list.pair:
  %list.k = phi i64 [1, %op{opcodes()[LIST]}], [%list.k1, %list.pair]
  %list.sum = phi {t} [%list.f, %op{opcodes()[LIST]}], [%list.more, %list.pair]
{_product("list.g", t, align, "%list.o", "%list.o2", "%list.k")}
  %list.more = fadd {t} %list.sum, %list.g
  %list.k1 = add i64 %list.k, 1
  %list.again = icmp slt i64 %list.k1, %pairs
  br i1 %list.again, label %list.pair, label %list.end
list.end:
  store {t} %list.more, ptr %list.d, align {align}
  %list.dn = getelementptr {t}, ptr %list.d, i64 1
  %list.on = getelementptr i32, ptr %list.o2, i64 %pairs
  %list.go = icmp ne ptr %list.dn, %stop
  br i1 %list.go, label %op{opcodes()[LIST]}, label %done"""


def _product(name: str, t: str, align: int, first: str, second: str, k: str) -> str:
    """The k-th product of two lists of places."""
    lines = []
    for x, places in ((f"%{name}.a", first), (f"%{name}.b", second)):
        lines += [
            f"  {x}.q = getelementptr i32, ptr {places}, i64 {k}",
            f"  {x}.i = load i32, ptr {x}.q, align 4",
            f"  {x}.p = getelementptr {t}, ptr %memory, i32 {x}.i",
            f"  {x} = load {t}, ptr {x}.p, align {align}",
        ]
    return "\n".join([*lines, f"  %{name} = fmul {t} %{name}.a, %{name}.b"])


def _run(one: Lanes, *, moves: bool) -> str:
    """Sums of products in a run.

    With one number to a place, several rows are computed at once, one in each lane, the last ones twice if they do not
    come out even. With vectors, as of samples, row by row.
    """
    name = ROWS if moves else VECTORS
    rows = lanes() if one.width == 1 else 1
    row = Lanes(rows if one.width == 1 else one.width)
    t, element, align = row.type, one.type, 8 * one.width
    opcode = opcodes()[name]

    def product(n: str, k: str) -> str:
        lines = [
            f"  %{n}.a.q = getelementptr i32, ptr %operand, i64 {k}",
            f"  %{n}.a.i = load i32, ptr %{n}.a.q, align 4",
            f"  %{n}.a.p = getelementptr {element}, ptr %memory, i32 %{n}.a.i",
            f"  %{n}.a.x = load {element}, ptr %{n}.a.p, align {align}",
            f"  %{n}.b.q = getelementptr i32, ptr %{name}.moving, i64 {k}",
            f"  %{n}.b.i = load i32, ptr %{n}.b.q, align 4",
            f"  %{n}.b.o = getelementptr {element}, ptr %memory, i32 %{n}.b.i",
        ]
        if rows > 1:
            lines += ["  " + line for line in row.splat(f"%{n}.a", f"%{n}.a.x")]
        else:
            lines.append(f"  %{n}.a = bitcast {t} %{n}.a.x to {t}")
        if not moves:
            lines += [
                f"  %{n}.b.p = getelementptr {element}, ptr %{n}.b.o, i64 %{name}.r",
                f"  %{n}.b = load {t}, ptr %{n}.b.p, align {align}",
            ]
        else:
            lines += [
                f"  %{n}.s.q = getelementptr i32, ptr %{name}.steps, i64 {k}",
                f"  %{n}.s.i = load i32, ptr %{n}.s.q, align 4",
                f"  %{n}.s = sext i32 %{n}.s.i to i64",
                f"  %{n}.s.r = mul i64 %{n}.s, %{name}.r",
                f"  %{n}.p0 = getelementptr {element}, ptr %{n}.b.o, i64 %{n}.s.r",
                f"  %{n}.x0 = load {element}, ptr %{n}.p0, align {align}",
            ]
            if rows == 1:
                lines.append(f"  %{n}.b = bitcast {t} %{n}.x0 to {t}")
            else:
                lines.append(f"  %{n}.v0 = insertelement {t} poison, double %{n}.x0, i64 0")
            for lane in range(1, rows):
                result = f"%{n}.b" if lane == rows - 1 else f"%{n}.v{lane}"
                lines += [
                    f"  %{n}.p{lane} = getelementptr {element}, ptr %{n}.p{lane - 1}, i64 %{n}.s",
                    f"  %{n}.x{lane} = load {element}, ptr %{n}.p{lane}, align {align}",
                    f"  {result} = insertelement {t} %{n}.v{lane - 1}, double %{n}.x{lane}, i64 {lane}",
                ]
        return "\n".join([*lines, f"  %{n} = fmul {t} %{n}.a, %{n}.b"])

    return f"""
op{opcode}:
  %{name}.moving = getelementptr i32, ptr %operand, i64 %pairs
  %{name}.steps = getelementptr i32, ptr %{name}.moving, i64 %pairs
  %{name}.on = getelementptr i32, ptr %{name}.{"steps" if moves else "moving"}, i64 %pairs
  %{name}.size32 = sub i32 %to, %from
  %{name}.size = sext i32 %{name}.size32 to i64
  %{name}.last = sub i64 %{name}.size, {rows}
  br label %{name}.block
{name}.block:
  %{name}.w = phi i64 [0, %op{opcode}], [%{name}.w1, %{name}.stored]
  %{name}.fits = icmp slt i64 %{name}.w, %{name}.last
  %{name}.r = select i1 %{name}.fits, i64 %{name}.w, i64 %{name}.last
{product(f"{name}.f", "0")}
  br label %{name}.pair
{name}.pair:
  %{name}.k = phi i64 [1, %{name}.block], [%{name}.k1, %{name}.pair]
  %{name}.sum = phi {t} [%{name}.f, %{name}.block], [%{name}.more, %{name}.pair]
{product(f"{name}.g", f"%{name}.k")}
  %{name}.more = fadd {t} %{name}.sum, %{name}.g
  %{name}.k1 = add i64 %{name}.k, 1
  %{name}.again = icmp slt i64 %{name}.k1, %pairs
  br i1 %{name}.again, label %{name}.pair, label %{name}.stored
{name}.stored:
  %{name}.d = getelementptr {element}, ptr %first, i64 %{name}.r
  store {t} %{name}.more, ptr %{name}.d, align {align}
  %{name}.w1 = add i64 %{name}.w, {rows}
  %{name}.go = icmp slt i64 %{name}.w1, %{name}.size
  br i1 %{name}.go, label %{name}.block, label %{name}.end
{name}.end:
  br label %done"""


class MachineCode:
    """A program for the machine.

    Attributes:
        layout: where everything lies.
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

    def run(self, memory: int) -> None:
        """Work off the program on the numbers at this address."""
        self._run(memory, *self.program)


def machine_code(code: Sequence[Instruction], outputs: Sequence[int]) -> MachineCode:
    """A program for one set of numbers."""
    return MachineCode(Layout(code, outputs))
