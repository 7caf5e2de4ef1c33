"""Adding up what the lanes and threads of a batch have found; compiled once per process."""

from __future__ import annotations

import ctypes
from typing import Any

from scalargrad.compiling.llvm.library import Machinery, lanes, once
from scalargrad.compiling.llvm.primitives import Lanes


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
