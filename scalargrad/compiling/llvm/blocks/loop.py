"""Around the steps of a block program: the loop over chunks of blocks.

The memory that begin and tiles are given starts with the address of the program, a table of words:
steps of a block and how many, steps of a chunk, steps before all samples, steps behind them; how many sums, where the
first block lies in the memory, from one to the next how many bytes, and blocks of a chunk; steps when all parts are
added up.

The blocks of a chunk lie one before the other, and what is not needed at the end of the chunk lies before the rest of
its block: there the next block's numbers go.
"""

from __future__ import annotations

import ctypes
from typing import Any

from scalargrad.compiling.llvm.blocks.records import CONTEXT, MANY, WORDS, tile
from scalargrad.compiling.llvm.library import Machinery, once
from scalargrad.compiling.llvm.totals import HEAD as SUMS_AT
from scalargrad.compiling.llvm.totals import sums_cleared

PROGRAM = (
    "each", "each_count", "ends", "ends_count", "begins", "begins_count", "lasts", "lasts_count", "sums", "start",
    "stride", "chunk", "posts", "posts_count",
)  # fmt: skip
HEAD = 8
"""Words of the memory before its blocks."""


def _program(*names: str) -> str:
    lines = []
    for name in names:
        kind = "ptr" if name in ("each", "ends", "begins", "lasts", "posts") else "i64"
        lines += [
            f"%{name}.word = getelementptr i64, ptr %program, i64 {PROGRAM.index(name)}",
            f"%{name} = load {kind}, ptr %{name}.word",
        ]
    return "\n  ".join(lines)


def _put(name: str, value: str, kind: str, at: str) -> str:
    return f"%{at} = getelementptr i64, ptr %context, i64 {CONTEXT.index(name)}\n  store {kind} {value}, ptr %{at}"


_HAS_LATE = """%is.late = icmp sgt i64 %posts_count, 0
  %late.here = select i1 %is.late, ptr @late, ptr null"""
_LATE = f"""define internal void @late(ptr %full, i64 %parts, ptr %uniform) {{
entry:
  %distance = load i64, ptr %full
  %data = getelementptr i64, ptr %full, i64 {SUMS_AT}
  %count = sub i64 %distance, {SUMS_AT}
  %context = alloca [{len(CONTEXT)} x i64]
  %program.at = getelementptr i64, ptr %full, i64 2
  %program = load ptr, ptr %program.at
  {_program("posts", "posts_count")}
  {_put("uniform", "%uniform", "ptr", "c1")}
  {_put("full", "%data", "ptr", "c2")}
  %several = icmp sgt i64 %parts, 1
  br i1 %several, label %part, label %work
part:
  %k = phi i64 [1, %entry], [%k.next, %part.end]
  %skip = mul i64 %k, %distance
  %other = getelementptr double, ptr %data, i64 %skip
  br label %each
each:
  %i = phi i64 [0, %part], [%i.next, %each]
  %a = getelementptr double, ptr %data, i64 %i
  %b = getelementptr double, ptr %other, i64 %i
  %x = load double, ptr %a
  %y = load double, ptr %b
  %z = fadd double %x, %y
  store double %z, ptr %a
  %i.next = add i64 %i, 1
  %i.more = icmp slt i64 %i.next, %count
  br i1 %i.more, label %each, label %part.end
part.end:
  %k.next = add i64 %k, 1
  %k.more = icmp slt i64 %k.next, %parts
  br i1 %k.more, label %part, label %work
work:
  call void @work(ptr %posts, i64 %posts_count, i64 0, ptr %context)
  ret void
}}"""
"""What `finish` calls where there are steps when all parts are added up; the third word of the head is the program."""


@once
def _work() -> Machinery:
    """The loop over steps."""
    return Machinery(f"""
define void @work(ptr %records, i64 %count, i64 %which, ptr %context) {{
entry:
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %each, label %end
each:
  %i = phi i64 [0, %entry], [%i.next, %next]
  %r = phi ptr [%records, %entry], [%r.next, %next]
  %at = getelementptr ptr, ptr %r, i64 %which
  %kernel = load ptr, ptr %at
  %is.none = icmp eq ptr %kernel, null
  br i1 %is.none, label %next, label %call
call:
  call void %kernel(ptr %r, ptr %context)
  br label %next
next:
  %r.next = getelementptr i64, ptr %r, i64 {WORDS}
  %i.next = add i64 %i, 1
  %more = icmp slt i64 %i.next, %count
  br i1 %more, label %each, label %end
end:
  ret void
}}
""", ["work"], 2)  # fmt: skip


@once
def machinery() -> Machinery:
    """The functions begin and tiles, as BatchCode has them."""
    w = tile().width
    return Machinery(f"""
define void @begin(ptr %parameters, ptr %uniform, ptr %memory) {{
entry:
  %program = load ptr, ptr %memory
  %context = alloca [{len(CONTEXT)} x i64]
  {_program("begins", "begins_count")}
  {_put("parameters", "%parameters", "ptr", "c0")}
  {_put("uniform", "%uniform", "ptr", "c1")}
  call void @work(ptr %begins, i64 %begins_count, i64 0, ptr %context)
  ret void
}}

{_LATE}
define void @tiles(
  ptr %arguments, i64 %from, i64 %to, i64 %n, ptr %parameters, ptr %uniform, ptr %memory, ptr %full, ptr %tail,
  ptr %columns
) {{
entry:
  %program = load ptr, ptr %memory
  %context = alloca [{len(CONTEXT)} x i64]
  {_program(*PROGRAM)}
  %blocks.at0 = getelementptr i8, ptr %memory, i64 %start
  {_HAS_LATE}
  {sums_cleared("%full", "%sums", "%late.here")}
  %head.program = getelementptr i64, ptr %full, i64 2
  store ptr %program, ptr %head.program
  {_put("parameters", "%parameters", "ptr", "c0")}
  {_put("uniform", "%uniform", "ptr", "c1")}
  {_put("full", "%data", "ptr", "c2")}
  {_put("columns", "%columns", "ptr", "c3")}
  {_put("arguments", "%arguments", "ptr", "c4")}
  %some = icmp slt i64 %from, %to
  br i1 %some, label %chunk.of, label %end
chunk.of:
  %row = phi i64 [%from, %entry], [%row.next, %chunk.end]
  %left = sub i64 %to, %row
  %all.whole = sdiv i64 %left, {MANY * w}
  %over = srem i64 %left, {MANY * w}
  %padded = add i64 %over, {w - 1}
  %single = sdiv i64 %padded, {w}
  %all = add i64 %all.whole, %single
  %is.more = icmp sgt i64 %all, %chunk
  %blocks = select i1 %is.more, i64 %chunk, i64 %all
  %are.whole = icmp sgt i64 %all.whole, %blocks
  %whole = select i1 %are.whole, i64 %blocks, i64 %all.whole
  {_put("blocks", "%blocks", "i64", "c5")}
  {_put("whole", "%whole", "i64", "c6")}
  {_put("stride", "%stride", "i64", "c11")}
  br label %block
block:
  %b = phi i64 [0, %chunk.of], [%b.next, %block]
  %first = phi i64 [%row, %chunk.of], [%first.next, %block]
  %skip = mul i64 %b, %stride
  %base = getelementptr i8, ptr %blocks.at0, i64 %skip
  %is.whole = icmp slt i64 %b, %whole
  %which = select i1 %is.whole, i64 0, i64 1
  %vectors = select i1 %is.whole, i64 {MANY}, i64 1
  %width = mul i64 %vectors, {w}
  %first.next = add i64 %first, %width
  %rest = sub i64 %to, %first
  %is.full = icmp sge i64 %rest, %width
  %valid = select i1 %is.full, i64 %width, i64 %rest
  {_put("base", "%base", "ptr", "c7")}
  {_put("row", "%first", "i64", "c8")}
  {_put("valid", "%valid", "i64", "c9")}
  {_put("vectors", "%vectors", "i64", "c12")}
  call void @work(ptr %each, i64 %each_count, i64 %which, ptr %context)
  %b.next = add i64 %b, 1
  %b.more = icmp slt i64 %b.next, %blocks
  br i1 %b.more, label %block, label %chunk.end
chunk.end:
  {_put("base", "%blocks.at0", "ptr", "c10")}
  call void @work(ptr %ends, i64 %ends_count, i64 %which, ptr %context)
  %row.next = add i64 %first, %width
  %more = icmp slt i64 %row.next, %to
  br i1 %more, label %chunk.of, label %end
end:
  call void @work(ptr %lasts, i64 %lasts_count, i64 0, ptr %context)
  ret void
}}
declare void @work(ptr, i64, i64, ptr)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
""", ["begin", "tiles"], 0, _work().addresses)  # fmt: skip


@once
def functions() -> tuple[Any, Any]:
    """The two, to be called from Python."""
    at, p, i = machinery().addresses, ctypes.c_void_p, ctypes.c_int64
    return (
        ctypes.CFUNCTYPE(None, p, p, p)(at["begin"]),
        ctypes.CFUNCTYPE(None, p, i, i, i, p, p, p, p, p, p)(at["tiles"]),
    )
