"""A long program over a batch: the machine works it off sample by sample, or for several samples at once, in lanes.

It stands in for BatchCode (tiles.py), whose functions are compiled for one program. These are compiled once per process
and find the program at the address that their working memory begins with. What depends on parameters alone is computed
once per call here, too.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scalargrad.compiling.llvm.layout import Layout
from scalargrad.compiling.llvm.library import Machinery, fuses, lanes, once
from scalargrad.compiling.llvm.loops import loop
from scalargrad.compiling.llvm.machine import MachineCode, machinery
from scalargrad.compiling.llvm.memory import Doubles
from scalargrad.compiling.llvm.primitives import Lanes
from scalargrad.compiling.llvm.tile_loop import SHARED
from scalargrad.compiling.tape import SOURCES, Instruction, varying_slots

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Sum

WORTH_LANES = 3
"""So many samples are worth the vectors of all lanes: the machine takes about three times as long with them."""

PROGRAM = [
    "still_groups", "still_count", "still_operands", "still_parameters", "still_out", "still_targets", "still_outputs",
    "groups", "count", "operands", "inputs", "parameters", "given", "out", "targets", "added", "columns",
    "widths", "arguments", "sums", "run_one", "run_lanes",
]  # fmt: skip
"""What the functions know of a program, each in 64 bits: addresses, places and numbers of things."""
MEMORY = ["program", "still", "one", "lanes", "accumulators"]
"""What working memory begins with: the address of the program, and of memory for each way to run it."""


class LongBatchCode:
    """As BatchCode; `width` is that of vectors, and `full` has a number, not a vector, for each sum.

    Args:
        code, sums, columns, widths: as there; code may have sums of products.
    """

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
    ) -> None:
        kinds = varying_slots(code)
        added = [i for i, (slot, _) in enumerate(sums) if slot is not None]
        once_added = [i for i, (_, slot) in enumerate(sums) if slot is not None]
        in_tile = [sums[i][0] or 0 for i in added] + list(columns)
        is_still = bytearray(
            not kind and instruction[0] not in SOURCES for kind, instruction in zip(kinds, code, strict=True)
        )
        kept = _read(code, kinds, in_tile, is_still) if any(is_still) else []
        has_still = bool(once_added) or any(is_still)
        still = Layout(
            code if has_still else (),
            [*(sums[i][1] or 0 for i in once_added), *kept],
            is_still if has_still else (),
            inputs=0,
        )
        moving = Layout(code, in_tile, kinds, kept, sum(widths))
        self.width, self.uniform, self.accumulators = lanes(), len(sums) + len(kept), len(sums)
        self.work = moving.work
        self._still, self._moving = MachineCode(still), MachineCode(moving)
        self._lists = [
            array("i", [*once_added, *range(len(sums), self.uniform)]), array("i", added), array("q", widths)
        ]  # fmt: skip
        targets, places, sizes = (one.buffer_info()[0] for one in self._lists)
        p, i = ctypes.c_void_p, ctypes.c_int64
        at = self.addresses = _machinery().addresses
        self._program = array("q", [0]) * len(PROGRAM)
        for name, number in {
            **dict(zip(("still_groups", "still_count", "still_operands"), self._still.program, strict=True)),
            "still_parameters": still.parameters, "still_out": still.outputs, "still_targets": targets,
            "still_outputs": len(self._lists[0]),
            **dict(zip(("groups", "count", "operands"), self._moving.program, strict=True)),
            "inputs": moving.inputs, "parameters": moving.parameters, "given": moving.given, "out": moving.outputs,
            "targets": places, "added": len(added), "columns": len(columns), "widths": sizes,
            "arguments": len(widths), "sums": len(sums), "run_one": machinery(1).addresses["run"],
        }.items():  # fmt: skip
            self._program[PROGRAM.index(name)] = number
        self.begin = ctypes.CFUNCTYPE(None, p, p, p)(at["begin"])
        self.tiles = ctypes.CFUNCTYPE(None, p, i, i, i, p, p, p, p, p, p)(at["tiles"])
        self.finish = ctypes.CFUNCTYPE(None, p, i, p, i, p, p, i, ctypes.c_double, ctypes.c_double)(at["finish"])

    def working_memory(self) -> WorkingMemory:
        """Memory for one thread."""
        return WorkingMemory(self)


class WorkingMemory:
    """Memory for one thread: of numbers, and from the first batch on that is worth it of vectors, too.

    Attributes:
        address: of its head, which says where the rest is.
    """

    def __init__(self, code: LongBatchCode) -> None:
        self._code = code
        self._head = Doubles(len(MEMORY))
        self.address = self._head.address
        self._parts: list[Doubles] = []
        self._say("program", code._program.buffer_info()[0])
        self._add("still", code._still.layout, 1)
        self._add("one", code._moving.layout, 1)

    def prepare(self, n: int) -> None:
        """Make ready for so many samples."""
        code = self._code
        if n >= WORTH_LANES and len(self._parts) == 2:
            code._program[PROGRAM.index("run_lanes")] = machinery(code.width, fuses()).addresses["run"]
            self._parts.append(Doubles(code.width * code.accumulators))
            self._say("accumulators", self._parts[-1].address)
            self._add("lanes", code._moving.layout, code.width)

    def _add(self, name: str, layout: Layout, width: int) -> None:
        memory = Doubles(width * layout.size)
        start = layout.inputs + layout.parameters + layout.given
        constants = array("d", [x for x in layout.constants for _ in range(width)])
        memory.view[width * start : width * start + len(constants)] = constants
        self._parts.append(memory)
        self._say(name, memory.address)

    def _say(self, name: str, address: int) -> None:
        ctypes.c_int64.from_address(self.address + 8 * MEMORY.index(name)).value = address


def _read(
    code: Sequence[Instruction], kinds: Sequence[int], outputs: Sequence[int], is_still: Sequence[int]
) -> list[int]:
    """What is computed once per call and read for each sample."""
    found = set(outputs)
    if any(kinds):
        for slot, instruction in enumerate(code):
            if kinds[slot] and instruction[0] not in SOURCES:
                found.update(instruction[1:])
    return sorted(slot for slot in found if is_still[slot])


# -------------------------------------------------------------------- the functions


def _fields(names: Sequence[str], base: str, prefix: str) -> str:
    """Load what a block says."""
    return "\n".join(
        f"  %{prefix}{name}.at = getelementptr i64, ptr {base}, i64 {i}\n"
        f"  %{prefix}{name} = load {_kind(name)}, ptr %{prefix}{name}.at"
        for i, name in enumerate(names)
    )


def _kind(name: str) -> str:
    addresses = ("groups", "operands", "targets", "widths", "run_one", "run_lanes", *MEMORY)
    return "ptr" if name.removeprefix("still_") in addresses else "i64"


def _samples(width: int) -> str:
    """The functions parameters_{width}, that puts parameters and what is given into memory, and samples_{width}."""
    one = Lanes(width)
    t, align, w = one.type, 8 * width, width

    def placed(i: str, source: str, first: str) -> str:
        splat = one.splat(f"%{i}.v", f"%{i}.x") if w > 1 else [f"%{i}.v = bitcast double %{i}.x to double"]
        return "\n  ".join([
            f"  %{i}.s = getelementptr double, ptr {source}, i64 %{i}", f"%{i}.x = load double, ptr %{i}.s", *splat,
            f"%{i}.to = add i64 {first}, %{i}", f"%{i}.d = getelementptr {t}, ptr %area, i64 %{i}.to",
            f"store {t} %{i}.v, ptr %{i}.d, align {align}",
        ])  # fmt: skip

    number = ", ".join(f"i64 {lane}" for lane in range(w))
    mask = (
        f"""  %v1 = insertelement <{w} x i64> poison, i64 %valid, i64 0
  %vs = shufflevector <{w} x i64> %v1, <{w} x i64> poison, <{w} x i32> zeroinitializer
  %mask = icmp slt <{w} x i64> <{number}>, %vs"""
        if w > 1
        else "  %mask = icmp slt i64 0, %valid"
    )
    zero = one.number(0.0)
    read_one = f"""
  %k.c = add i64 %j.before, %k
  %k.to0 = mul i64 %k.c, {w}
  %k.to = add i64 %k.to0, %lane
  %k.d = getelementptr double, ptr %area, i64 %k.to
  %k.s = getelementptr double, ptr %lane.p, i64 %k
  %k.x = load double, ptr %k.s
  store double %k.x, ptr %k.d"""
    lane = f"""
  %lane.wish = add i64 %row, %lane
  %lane.in = icmp slt i64 %lane.wish, %to
  %lane.last = sub i64 %to, 1
  %lane.row = select i1 %lane.in, i64 %lane.wish, i64 %lane.last
  %lane.skip = mul i64 %lane.row, %j.width
  %lane.p = getelementptr double, ptr %j.all, i64 %lane.skip
{loop("k", "%j.width", read_one)}"""
    argument = f"""
  %j.before = load i64, ptr %before
  %j.wp = getelementptr i64, ptr %p.widths, i64 %j
  %j.width = load i64, ptr %j.wp
  %j.at = getelementptr ptr, ptr %arguments, i64 %j
  %j.all = load ptr, ptr %j.at
{loop("lane", str(w), lane)}
  %j.after = add i64 %j.before, %j.width
  store i64 %j.after, ptr %before"""
    adding = f"""
  %a.s = getelementptr {t}, ptr %outs, i64 %a
  %a.x = load {t}, ptr %a.s, align {align}
  %a.y = select {one.bool} %mask, {t} %a.x, {t} {zero}
  %a.tp = getelementptr i32, ptr %p.targets, i64 %a
  %a.t = load i32, ptr %a.tp
  %a.d = getelementptr {t}, ptr %sums, i32 %a.t
  %a.z = load {t}, ptr %a.d, align {align}
  %a.r = fadd {t} %a.z, %a.y
  store {t} %a.r, ptr %a.d, align {align}"""
    column = f"""
  %c.from = add i64 %p.added, %c
  %c.s = getelementptr {t}, ptr %outs, i64 %c.from
  %c.x = load {t}, ptr %c.s, align {align}
  %c.tp = getelementptr ptr, ptr %columns, i64 %c
  %c.t = load ptr, ptr %c.tp
  %c.d = getelementptr double, ptr %c.t, i64 %row
  store {t} %c.x, ptr %c.d, align 8"""
    run = "run_one" if w == 1 else "run_lanes"
    return f"""
define internal void @parameters_{w}(ptr %area, ptr %program, ptr %parameters, ptr %uniform) {{
{_fields(PROGRAM, "%program", "p.")}
{loop("i", "%p.parameters", placed("i", "%parameters", "%p.inputs"))}
  %kept = getelementptr double, ptr %uniform, i64 %p.sums
  %behind = add i64 %p.inputs, %p.parameters
{loop("g", "%p.given", placed("g", "%kept", "%behind"))}
  ret void
}}

define internal void @samples_{w}(
  ptr %area, ptr %program, ptr %arguments, i64 %row, i64 %to, i64 %valid, ptr %sums, ptr %columns
) {{
  %before = alloca i64
  store i64 0, ptr %before
{mask}
{_fields(PROGRAM, "%program", "p.")}
  %outs = getelementptr {t}, ptr %area, i64 %p.out
{loop("j", "%p.arguments", argument)}
  call void %p.{run}(ptr %area, ptr %p.groups, i64 %p.count, ptr %p.operands)
{loop("a", "%p.added", adding)}
{loop("c", "%p.columns", column)}
  ret void
}}"""


@once
def _machinery() -> Machinery:
    """begin, tiles and finish."""
    w = lanes()
    vector = Lanes(w)
    shared = SHARED.replace(" noalias", "")
    still = """
  %o.s = getelementptr double, ptr %outs, i64 %o
  %o.x = load double, ptr %o.s
  %o.tp = getelementptr i32, ptr %p.still_targets, i64 %o
  %o.t = load i32, ptr %o.tp
  %o.d = getelementptr double, ptr %uniform, i32 %o.t
  store double %o.x, ptr %o.d"""
    gathered = f"""
  %s.p = getelementptr {vector.type}, ptr %m.accumulators, i64 %s
  %s.v = load {vector.type}, ptr %s.p, align {8 * w}
  %s.x = call reassoc double @llvm.vector.reduce.fadd.{vector.suffix}(double 0.0, {vector.type} %s.v)
  %s.d = getelementptr double, ptr %full, i64 %s
  %s.y = load double, ptr %s.d
  %s.z = fadd double %s.y, %s.x
  store double %s.z, ptr %s.d"""
    part = """
  %k.skip = mul i64 %k, %sums
  %k.place = add i64 %k.skip, %s
  %k.p = getelementptr double, ptr %full, i64 %k.place
  %k.x = load double, ptr %k.p
  %k.y = load double, ptr %total
  %k.z = fadd double %k.y, %k.x
  store double %k.z, ptr %total"""
    result = f"""
  store double 0.0, ptr %total
{loop("k", "%parts", part)}
  %s.x = load double, ptr %total
  %s.mean = fdiv double %s.x, %divisor
  %s.up = getelementptr double, ptr %uniform, i64 %s
  %s.u = load double, ptr %s.up
  %s.us = fmul double %s.u, %factor
  %s.all = fadd double %s.mean, %s.us
  %s.d = getelementptr double, ptr %out, i64 %s
  store double %s.all, ptr %s.d"""
    return Machinery(f"""
{_samples(1)}
{_samples(w)}

define void @begin({shared}) {{
{_fields(MEMORY, "%memory", "m.")}
{_fields(PROGRAM, "%m.program", "p.")}
  %none = icmp eq i64 %p.still_outputs, 0
  br i1 %none, label %done, label %some
some:
  %bytes = mul i64 %p.still_parameters, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %m.still, ptr %parameters, i64 %bytes, i1 false)
  call void %p.run_one(ptr %m.still, ptr %p.still_groups, i64 %p.still_count, ptr %p.still_operands)
  %outs = getelementptr double, ptr %m.still, i64 %p.still_out
{loop("o", "%p.still_outputs", still)}
  br label %done
done:
  ret void
}}

define void @tiles(ptr %arguments, i64 %from, i64 %to, i64 %n, {shared}, ptr %full, ptr %tail, ptr %columns) {{
{_fields(MEMORY, "%memory", "m.")}
{_fields(PROGRAM, "%m.program", "p.")}
  %bytes = mul i64 %p.sums, 8
  call void @llvm.memset.p0.i64(ptr %full, i8 0, i64 %bytes, i1 false)
  %outputs = add i64 %p.added, %p.columns
  %any = icmp sgt i64 %outputs, 0
  br i1 %any, label %some, label %end
some:
  %size = sub i64 %to, %from
  %wide = icmp sge i64 %size, {WORTH_LANES}
  br i1 %wide, label %vectors, label %scalars
vectors:
  %wide_bytes = mul i64 %p.sums, {8 * w}
  call void @llvm.memset.p0.i64(ptr %m.accumulators, i8 0, i64 %wide_bytes, i1 false)
  call void @parameters_{w}(ptr %m.lanes, ptr %m.program, ptr %parameters, ptr %uniform)
  br label %tile
tile:
  %row = phi i64 [%from, %vectors], [%after, %tile]
  %valid = sub i64 %to, %row
  call void @samples_{w}(
    ptr %m.lanes, ptr %m.program, ptr %arguments, i64 %row, i64 %to, i64 %valid, ptr %m.accumulators, ptr %columns)
  %after = add i64 %row, {w}
  %left = sub i64 %to, %after
  %again = icmp sge i64 %left, {WORTH_LANES}
  br i1 %again, label %tile, label %gather
gather:
{loop("s", "%p.sums", gathered)}
  br label %scalars
scalars:
  %first = phi i64 [%from, %some], [%after, %s.end]
  %rest = icmp slt i64 %first, %to
  br i1 %rest, label %ready, label %end
ready:
  call void @parameters_1(ptr %m.one, ptr %m.program, ptr %parameters, ptr %uniform)
  br label %sample
sample:
  %r = phi i64 [%first, %ready], [%r1, %sample]
  call void @samples_1(
    ptr %m.one, ptr %m.program, ptr %arguments, i64 %r, i64 %to, i64 1, ptr %full, ptr %columns)
  %r1 = add i64 %r, 1
  %go = icmp slt i64 %r1, %to
  br i1 %go, label %sample, label %end
end:
  ret void
}}

define void @finish(
  ptr %full, i64 %parts, ptr %tail, i64 %valid, ptr %uniform, ptr %out, i64 %sums, double %divisor, double %factor
) {{
  %total = alloca double
{loop("s", "%sums", result)}
  ret void
}}
declare double @llvm.vector.reduce.fadd.{vector.suffix}(double, {vector.type})
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
""", ["begin", "tiles", "finish"], 2)  # fmt: skip
