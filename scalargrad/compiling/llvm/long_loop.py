"""The loop over the samples of a batch around the machine: one by one, or in lanes; long_batch.py fills its tables."""

from __future__ import annotations

from collections.abc import Sequence

from scalargrad.compiling.llvm.library import Machinery, lanes, once
from scalargrad.compiling.llvm.loops import element, loop
from scalargrad.compiling.llvm.primitives import Lanes
from scalargrad.compiling.llvm.tile_loop import SHARED
from scalargrad.compiling.llvm.totals import sums_cleared

WORTH_LANES = 3
"""So many samples are worth the vectors of all lanes: the machine takes about three times as long with them."""

ROUND = 8
"""The sums' room is a multiple of this."""

PROGRAM = [
    "still_groups", "still_count", "still_operands", "still_parameters", "still_out", "still_targets", "still_outputs",
    "groups", "count", "operands", "inputs", "parameters", "given", "out", "runs", "count_of_runs", "added", "columns",
    "widths", "arguments", "sums", "run_one", "run_lanes",
]  # fmt: skip
"""What the functions know of a program, each in 64 bits: addresses, places and numbers of things."""
MEMORY = ["program", "still", "one", "lanes", "accumulators"]
"""What working memory begins with: the address of the program, and of memory for each way to run it."""


def _fields(names: Sequence[str], base: str, prefix: str) -> str:
    """Load what a block says."""
    return "\n".join(
        f"  %{prefix}{name}.at = getelementptr i64, ptr {base}, i64 {i}\n"
        f"  %{prefix}{name} = load {_kind(name)}, ptr %{prefix}{name}.at"
        for i, name in enumerate(names)
    )


def _kind(name: str) -> str:
    addresses = ("groups", "operands", "targets", "runs", "widths", "run_one", "run_lanes", *MEMORY)
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
    mask = f"""  %v1 = insertelement <{w} x i64> poison, i64 %valid, i64 0
  %vs = shufflevector <{w} x i64> %v1, <{w} x i64> poison, <{w} x i32> zeroinitializer
  %mask = icmp slt <{w} x i64> <{number}>, %vs"""
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
    column = f"""
  %c.s = getelementptr {t}, ptr %outs, i64 %c
  %c.x = load {t}, ptr %c.s, align {align}
  %c.tp = getelementptr ptr, ptr %columns, i64 %c
  %c.t = load ptr, ptr %c.tp
  %c.d = getelementptr double, ptr %c.t, i64 %row
  store {t} %c.x, ptr %c.d, align 8"""
    run = "run_one" if w == 1 else "run_lanes"
    all_parameters = loop("i", "%p.parameters", placed("i", "%parameters", "%p.inputs"))
    if w == 1:
        all_parameters = """
  %bytes = mul i64 %p.parameters, 8
  %first = getelementptr double, ptr %area, i64 %p.inputs
  call void @llvm.memcpy.p0.p0.i64(ptr %first, ptr %parameters, i64 %bytes, i1 false)"""
    return f"""
define internal void @parameters_{w}(ptr %area, ptr %program, ptr %parameters, ptr %uniform) {{
{_fields(PROGRAM, "%program", "p.")}
{all_parameters}
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
{mask if w > 1 else ""}
{_fields(PROGRAM, "%program", "p.")}
  %outs = getelementptr {t}, ptr %area, i64 %p.out
{loop("j", "%p.arguments", argument)}
  call void %p.{run}(ptr %area, ptr %p.groups, i64 %p.count, ptr %p.operands)
{loop("a", "%p.count_of_runs", _added(one))}
{loop("c", "%p.columns", column)}
  ret void
}}"""


def _added(one: Lanes) -> str:
    """The lines that add a run of numbers to the sums, which lie side by side as they do."""
    w = one.width
    if w == 1:
        many = Lanes(lanes())
        body = f"""
  %a.whole = sdiv i64 %a.count, {many.width}
{loop("b", "%a.whole", _added_at("b", many, f"mul i64 %b, {many.width}"))}
  %a.first = mul i64 %a.whole, {many.width}
  %a.rest = sub i64 %a.count, %a.first
{loop("e", "%a.rest", _added_at("e", one, "add i64 %a.first, %e"))}"""
    else:
        body = loop("e", "%a.count", _added_at("e", one, "add i64 %e, 0"))
    return f"""
  %a.word = mul i64 %a, 3
  %a.r = getelementptr i32, ptr %p.runs, i64 %a.word
{element("%a.target", "%a.r", "0")}
{element("%a.from", "%a.r", "1")}
{element("%a.count32", "%a.r", "2")}
  %a.count = sext i32 %a.count32 to i64
  %a.outs = getelementptr {one.type}, ptr %area, i32 %a.from
  %a.sums = getelementptr {one.type}, ptr %sums, i32 %a.target
{body}"""


def _added_at(name: str, t: Lanes, at: str) -> str:
    """One vector of them; of those of lanes, what belongs to samples."""
    of_lanes = name == "e" and t.width > 1
    unit, align = (t.type, 8 * t.width) if of_lanes else ("double", 8)
    chosen = f"select {t.bool} %mask, {t.type} %{name}.x, {t.type} zeroinitializer"
    return f"""
  %{name}.at = {at}
  %{name}.s = getelementptr {unit}, ptr %a.outs, i64 %{name}.at
  %{name}.x = load {t.type}, ptr %{name}.s, align {align}
  %{name}.d = getelementptr {unit}, ptr %a.sums, i64 %{name}.at
  %{name}.z = load {t.type}, ptr %{name}.d, align {align}
  %{name}.y = {chosen if of_lanes else f"bitcast {t.type} %{name}.x to {t.type}"}
  %{name}.r = fadd {t.type} %{name}.z, %{name}.y
  store {t.type} %{name}.r, ptr %{name}.d, align {align}"""


@once
def functions() -> Machinery:
    """The functions begin and tiles, as BatchCode has them."""
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
  %s.d = getelementptr double, ptr %data, i64 %s
  %s.y = load double, ptr %s.d
  %s.z = fadd double %s.y, %s.x
  store double %s.z, ptr %s.d"""
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
{sums_cleared("%full", "%p.sums")}
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
    ptr %m.one, ptr %m.program, ptr %arguments, i64 %r, i64 %to, i64 1, ptr %data, ptr %columns)
  %r1 = add i64 %r, 1
  %go = icmp slt i64 %r1, %to
  br i1 %go, label %sample, label %end
end:
  ret void
}}
declare double @llvm.vector.reduce.fadd.{vector.suffix}(double, {vector.type})
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
""", ["begin", "tiles"], 2)  # fmt: skip
