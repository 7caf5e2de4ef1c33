"""What the parts of a batch add up to, for programs whose parts have a number for each sum."""

from __future__ import annotations

import ctypes
from typing import Any

from scalargrad.compiling.llvm.library import Machinery, fuses, lanes, once
from scalargrad.compiling.llvm.primitives import Lanes

HEAD = 8
"""Words before the sums of a part; the first says how far the next part's lie away, the second what `finish` calls
before it reads them, late(full, parts, uniform), which puts the sums of all parts into the first; 0 for nothing."""


def sums_cleared(words: str, sums: str, late: str = "null") -> str:
    """Lines for %data, the sums of a part behind its head, all of them 0.0; `words` is where the head is."""
    return f"""
  %data = getelementptr i64, ptr {words}, i64 {HEAD}
  %distance = add i64 {sums}, {HEAD}
  store i64 %distance, ptr {words}
  %late.to = getelementptr i64, ptr {words}, i64 1
  store ptr {late}, ptr %late.to
  %sum.bytes = mul i64 {sums}, 8
  call void @llvm.memset.p0.i64(ptr align 64 %data, i8 0, i64 %sum.bytes, i1 false)"""


@once
def machinery() -> Machinery:
    """finish, as BatchCode has it."""
    t = Lanes(lanes(), quick=fuses())
    w, v8 = t.width, t.type
    return Machinery(f"""
define void @finish(
  ptr %full, i64 %given, ptr %tail, i64 %valid, ptr %uniform, ptr %out, i64 %sums, double %divisor, double %factor
) {{
entry:
  %distance = load i64, ptr %full
  %data = getelementptr i64, ptr %full, i64 {HEAD}
  %late.at = getelementptr i64, ptr %full, i64 1
  %late = load ptr, ptr %late.at
  %is.late = icmp ne ptr %late, null
  br i1 %is.late, label %call, label %begin
call:
  call void %late(ptr %full, i64 %given, ptr %uniform)
  br label %begin
begin:
  %parts = phi i64 [%given, %entry], [1, %call]
  {chr(10).join(t.splat("%by", "%divisor"))}
  {chr(10).join(t.splat("%times", "%factor"))}
  ; by a power of two it is exact to multiply
  %inverse = fdiv double 1.0, %divisor
  {chr(10).join(t.splat("%inverses", "%inverse"))}
  %bits = bitcast double %divisor to i64
  %mantissa = and i64 %bits, {(1 << 52) - 1}
  %is.power = icmp eq i64 %mantissa, 0
  %some = icmp sgt i64 %sums, 0
  br i1 %some, label %each, label %end
each:
  %i = phi i64 [0, %begin], [%i.next, %store]
  %p0 = getelementptr double, ptr %data, i64 %i
  br label %part
part:
  %k = phi i64 [0, %each], [%k.next, %part]
  %p = phi ptr [%p0, %each], [%p.next, %part]
  %sum = phi {v8} [zeroinitializer, %each], [%new, %part]
  %x = load {v8}, ptr %p, align 8
  %new = fadd {v8} %sum, %x
  %p.next = getelementptr double, ptr %p, i64 %distance
  %k.next = add i64 %k, 1
  %k.more = icmp slt i64 %k.next, %parts
  br i1 %k.more, label %part, label %done
done:
  br i1 %is.power, label %multiply, label %divide
multiply:
  %product = fmul {v8} %new, %inverses
  br label %store
divide:
  %quotient = fdiv {v8} %new, %by
  br label %store
store:
  %mean = phi {v8} [%product, %multiply], [%quotient, %divide]
  %u.at = getelementptr double, ptr %uniform, i64 %i
  %u = load {v8}, ptr %u.at, align 8
  %us = fmul {v8} %u, %times
  %result = fadd {v8} %mean, %us
  %o = getelementptr double, ptr %out, i64 %i
  store {v8} %result, ptr %o, align 8
  %i.next = add i64 %i, {w}
  %more = icmp slt i64 %i.next, %sums
  br i1 %more, label %each, label %end
end:
  ret void
}}
""", ["finish"], 2)  # fmt: skip


@once
def finish() -> Any:
    """The function, to be called from Python. Vectors are read and written whole: there is room behind the sums."""
    p, i, d = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
    return ctypes.CFUNCTYPE(None, p, i, p, i, p, p, i, d, d)(machinery().addresses["finish"])
