"""The machine's instruction for sums of products with the rows of a matrix, in LLVM's language (sum_kernels.py)."""

from __future__ import annotations

from scalargrad.compiling.llvm.layout import MATRIX
from scalargrad.compiling.llvm.library import lanes
from scalargrad.compiling.llvm.primitives import Lanes, transposed
from scalargrad.compiling.llvm.sum_kernels import rows_begun, run_of_vectors


def matrix(one: Lanes, opcode: int) -> str:
    """Sums of products in a run with a matrix: squares of it are turned in registers, so that lanes take a row each."""
    if one.width > 1:
        return run_of_vectors(one, MATRIX, opcode)
    t = Lanes(lanes())
    w, v = t.width, t.type

    def factor(n: str, k: str) -> list[str]:
        return [
            f"%{n}.q = getelementptr i32, ptr %operand, i64 {k}",
            f"%{n}.i = load i32, ptr %{n}.q, align 4",
            f"%{n}.p = getelementptr double, ptr %memory, i32 %{n}.i",
            f"%{n}.x = load double, ptr %{n}.p",
            *t.splat(f"%{n}", f"%{n}.x"),
        ]

    loads = []
    for row in range(w):
        loads += [
            f"%mx.q{row} = getelementptr double, ptr %mx.p{row}, i64 %mx.c",
            f"%mx.r{row} = load {v}, ptr %mx.q{row}, align 8",
        ]
    turned, columns = transposed(t, [f"%mx.r{row}" for row in range(w)])
    products = []
    for i, column in enumerate(columns):
        products += [
            f"%mx.k{i} = add i64 %mx.k, {i}",
            *factor(f"mx.x{i}", f"%mx.k{i}"),
            f"%mx.m{i} = fmul {v} %mx.x{i}, {column}",
            f"%mx.s{i + 1} = fadd {v} %mx.s{i}, %mx.m{i}",
        ]

    def gathered(n: str, pointer: str) -> list[str]:
        """A number of each row, by pointers to them."""
        found = []
        for row in range(w):
            before = f"%{n}.v{row - 1}" if row else "poison"
            found += [
                f"%{n}.e{row} = load double, ptr {pointer}{row}",
                f"%{n}.v{row} = insertelement {v} {before}, double %{n}.e{row}, i64 {row}",
            ]
        return found

    def pointers(n: str, first: str, step: str) -> list[str]:
        """Pointers to a number of each row."""
        return [
            f"%{n}.skip = mul i64 {step}, %{MATRIX}.r",
            f"%{n}.first = getelementptr double, ptr %memory, i64 {first}",
            f"%{n}0 = getelementptr double, ptr %{n}.first, i64 %{n}.skip",
            *(f"%{n}{row} = getelementptr double, ptr %{n}{row - 1}, i64 {step}" for row in range(1, w)),
        ]

    inside = [f"%mx.d{row} = getelementptr double, ptr %mx.p{row}, i64 %mx.j" for row in range(w)]
    nothing = t.number(-0.0)  # to which anything may be added
    lines = "\n  ".join
    return f"""{rows_begun(MATRIX, opcode, w)}
{MATRIX}.block:
  %{MATRIX}.w = phi i64 [0, %op{opcode}], [%{MATRIX}.w1, %{MATRIX}.stored]
  %{MATRIX}.fits = icmp slt i64 %{MATRIX}.w, %{MATRIX}.last
  %{MATRIX}.r = select i1 %{MATRIX}.fits, i64 %{MATRIX}.w, i64 %{MATRIX}.last
  {lines(pointers("mx.p", f"%{MATRIX}.at", f"%{MATRIX}.step"))}
  br i1 %{MATRIX}.has_bias, label %mx.bias, label %mx.start
mx.bias:
  {lines(pointers("mx.b", f"%{MATRIX}.bias", f"%{MATRIX}.bias_step"))}
  {lines(gathered("mx.g", "%mx.b"))}
  {lines(factor("mx.z", "0"))}
  %mx.first.product = fmul {v} %mx.z, %mx.g.v{w - 1}
  br label %mx.start
mx.start:
  %mx.begin = phi {v} [{nothing}, %{MATRIX}.block], [%mx.first.product, %mx.bias]
  %mx.k.end = add i64 %{MATRIX}.apart, {w}
  %mx.wide = icmp sle i64 %mx.k.end, %pairs
  br i1 %mx.wide, label %mx.square, label %mx.rest
mx.square:
  %mx.k = phi i64 [%{MATRIX}.apart, %mx.start], [%mx.next, %mx.square]
  %mx.s0 = phi {v} [%mx.begin, %mx.start], [%mx.s{w}, %mx.square]
  %mx.c = sub i64 %mx.k, %{MATRIX}.apart
  {lines(loads)}
  {lines(turned)}
  {lines(products)}
  %mx.next = add i64 %mx.k, {w}
  %mx.after = add i64 %mx.next, {w}
  %mx.again = icmp sle i64 %mx.after, %pairs
  br i1 %mx.again, label %mx.square, label %mx.rest
mx.rest:
  %mx.l0 = phi i64 [%{MATRIX}.apart, %mx.start], [%mx.next, %mx.square]
  %mx.t0 = phi {v} [%mx.begin, %mx.start], [%mx.s{w}, %mx.square]
  %mx.some = icmp slt i64 %mx.l0, %pairs
  br i1 %mx.some, label %mx.one, label %{MATRIX}.stored
mx.one:
  %mx.l = phi i64 [%mx.l0, %mx.rest], [%mx.l.next, %mx.one]
  %mx.t = phi {v} [%mx.t0, %mx.rest], [%mx.t.next, %mx.one]
  %mx.j = sub i64 %mx.l, %{MATRIX}.apart
  {lines(inside)}
  {lines(gathered("mx.o", "%mx.d"))}
  {lines(factor("mx.y", "%mx.l"))}
  %mx.m = fmul {v} %mx.y, %mx.o.v{w - 1}
  %mx.t.next = fadd {v} %mx.t, %mx.m
  %mx.l.next = add i64 %mx.l, 1
  %mx.more = icmp slt i64 %mx.l.next, %pairs
  br i1 %mx.more, label %mx.one, label %{MATRIX}.stored
{MATRIX}.stored:
  %mx.sum = phi {v} [%mx.t0, %mx.rest], [%mx.t.next, %mx.one]
  %mx.to = getelementptr double, ptr %first, i64 %{MATRIX}.r
  store {v} %mx.sum, ptr %mx.to, align 8
  %{MATRIX}.w1 = add i64 %{MATRIX}.w, {w}
  %{MATRIX}.go = icmp slt i64 %{MATRIX}.w1, %{MATRIX}.size
  br i1 %{MATRIX}.go, label %{MATRIX}.block, label %{MATRIX}.end
{MATRIX}.end:
  br label %done"""
