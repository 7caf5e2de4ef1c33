"""Around the code of one tile: the loop over the tiles of a batch, and adding up what lanes and threads have found."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from scalargrad.compiling.llvm.library import Machinery, lanes, once
from scalargrad.compiling.llvm.primitives import Lanes

SHARED = "ptr noalias %parameters, ptr noalias %uniform, ptr noalias %memory"
"""The parameters that all functions have: where they read parameters and what is uniform, and room to work in."""


def driver(
    tile: Lanes, widths: Sequence[int], sums: int, scratch: int, functions: Sequence[str], still: int, loose: str
) -> str:
    """The functions begin and tiles, in LLVM's language: see BatchCode. `functions` are those of a tile."""
    w, align = tile.width, 8 * tile.width
    shared = SHARED.replace(" noalias", "")
    arguments = range(len(widths))
    rows = "\n".join(
        f"  %at{j} = getelementptr ptr, ptr %arguments, i64 {j}\n  %all{j} = load ptr, ptr %at{j}\n"
        f"  %skip{j} = mul i64 %row, {widths[j]}\n  %row{j} = getelementptr double, ptr %all{j}, i64 %skip{j}"
        for j in arguments
    )
    offsets = [scratch + w * sum(widths[:j]) for j in arguments]
    copies = "\n".join(
        f"  %cs{j} = mul i64 %least, {8 * widths[j]}\n  %cf{j} = getelementptr i8, ptr %all{j}, i64 %cs{j}\n"
        f"  %ct{j} = mul i64 %lane, {8 * widths[j]}\n"
        f"  %cm{j} = getelementptr double, ptr %memory, i64 {offsets[j]}\n"
        f"  %ci{j} = getelementptr i8, ptr %cm{j}, i64 %ct{j}\n"
        f"  call void @llvm.memcpy.p0.p0.i64(ptr %ci{j}, ptr %cf{j}, i64 {8 * widths[j]}, i1 false)"
        for j in arguments
    )
    padded = "\n".join(f"  %pad{j} = getelementptr double, ptr %memory, i64 {offsets[j]}" for j in arguments)

    def calls(acc: str, place: str) -> str:
        given = "".join(f", ptr %{place}{j}" for j in arguments)
        return "\n".join(f"  call void @{g}({shared}, ptr {acc}, ptr %columns, i64 %row{given})" for g in functions)

    still_calls = "\n".join(f"  call void @still.{g}({shared})" for g in range(still))
    return f"""
define void @begin({shared}) {{
{loose}
{still_calls}
  ret void
}}

define void @tiles(ptr %arguments, i64 %from, i64 %to, i64 %n, {shared}, ptr %full, ptr %tail, ptr %columns) {{
entry:
  call void @llvm.memset.p0.i64(ptr align 64 %full, i8 0, i64 {sums * align}, i1 false)
  br label %next
next:
  %row = phi i64 [%from, %entry], [%after, %whole]
  %after = add i64 %row, {w}
{rows}
  %fits = icmp sle i64 %after, %to
  br i1 %fits, label %whole, label %rest
whole:
{calls("%full", "row")}
  br label %next
rest:
  %some = icmp slt i64 %row, %to
  br i1 %some, label %copy, label %end
copy:
  %lane = phi i64 [0, %rest], [%lane1, %copy]
  %wish = add i64 %row, %lane
  %last = sub i64 %to, 1
  %inside = icmp slt i64 %wish, %to
  %least = select i1 %inside, i64 %wish, i64 %last
{copies}
  %lane1 = add i64 %lane, 1
  %again = icmp slt i64 %lane1, {w}
  br i1 %again, label %copy, label %padded
padded:
{padded}
  call void @llvm.memset.p0.i64(ptr align 64 %tail, i8 0, i64 {sums * align}, i1 false)
{calls("%tail", "pad")}
  br label %end
end:
  ret void
}}

declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""


# -------------------------------------------------------------------- adding up


@once
def finish() -> Any:
    """The function (full, parts, tail, valid, uniform, out, sums, divisor, factor).

    It computes out = (full + tail) / divisor + uniform * factor for so many sums. `full` has a vector for each sum from
    each of the parts; of the vectors in `tail` only the first lanes are valid.
    """
    p, i, d = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
    return ctypes.CFUNCTYPE(None, p, i, p, i, p, p, i, d, d)(machinery().addresses["finish"])


@once
def machinery() -> Machinery:
    """The compiled function."""
    tile = Lanes(lanes())
    t, w, align = tile.type, tile.width, 8 * tile.width
    number = ", ".join(f"i64 {lane}" for lane in range(w))
    return Machinery(f"""
define void @finish(
  ptr %full, i64 %parts, ptr %tail, i64 %valid, ptr %uniform, ptr %out, i64 %sums, double %divisor, double %factor
) {{
entry:
  %none = icmp sle i64 %sums, 0
  %v1 = insertelement <{w} x i64> poison, i64 %valid, i64 0
  %vs = shufflevector <{w} x i64> %v1, <{w} x i64> poison, <{w} x i32> zeroinitializer
  %mask = icmp slt <{w} x i64> <{number}>, %vs
  br i1 %none, label %end, label %each
each:
  %i = phi i64 [0, %entry], [%i1, %done]
  %tp = getelementptr {t}, ptr %tail, i64 %i
  %tv = load {t}, ptr %tp, align {align}
  %start = select <{w} x i1> %mask, {t} %tv, {t} zeroinitializer
  br label %part
part:
  %k = phi i64 [0, %each], [%k1, %part]
  %sum = phi {t} [%start, %each], [%more, %part]
  %skip = mul i64 %k, %sums
  %place = add i64 %skip, %i
  %fp = getelementptr {t}, ptr %full, i64 %place
  %fv = load {t}, ptr %fp, align {align}
  %more = fadd {t} %sum, %fv
  %k1 = add i64 %k, 1
  %again = icmp slt i64 %k1, %parts
  br i1 %again, label %part, label %done
done:
  %added = call reassoc double @llvm.vector.reduce.fadd.{tile.suffix}(double 0.0, {t} %more)
  %mean = fdiv double %added, %divisor
  %up = getelementptr double, ptr %uniform, i64 %i
  %u = load double, ptr %up
  %us = fmul double %u, %factor
  %all = fadd double %mean, %us
  %op = getelementptr double, ptr %out, i64 %i
  store double %all, ptr %op
  %i1 = add i64 %i, 1
  %go = icmp slt i64 %i1, %sums
  br i1 %go, label %each, label %end
end:
  ret void
}}
declare double @llvm.vector.reduce.fadd.{tile.suffix}(double, {t})
""", ["finish"], 2)  # fmt: skip
