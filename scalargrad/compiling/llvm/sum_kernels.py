"""The machine's instructions for sums of products, in LLVM's language: by lists of places, and in runs (layout.py).

Each row is added up in its order, product after product, so that it has the bits of the engine's sum.
"""

from __future__ import annotations

from scalargrad.compiling.llvm.layout import MATRIX, ROWS, VECTORS
from scalargrad.compiling.llvm.library import lanes
from scalargrad.compiling.llvm.primitives import Lanes, transposed


def listed(one: Lanes, opcode: int) -> str:
    """Sums of products, each with the places of its first factors, then of its second ones."""
    t, align = one.type, 8 * one.width
    return f"""
op{opcode}:
  %list.d = phi ptr [%first, %dispatch], [%list.dn, %list.end]
  %list.o = phi ptr [%operand, %dispatch], [%list.on, %list.end]
  %list.o2 = getelementptr i32, ptr %list.o, i64 %pairs
{_product("list.f", t, align, "%list.o", "%list.o2", "0")}
  br label %list.pair
list.pair:
  %list.k = phi i64 [1, %op{opcode}], [%list.k1, %list.pair]
  %list.sum = phi {t} [%list.f, %op{opcode}], [%list.more, %list.pair]
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
  br i1 %list.go, label %op{opcode}, label %done"""


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


def run(one: Lanes, name: str, opcode: int) -> str:
    """Sums of products in a run.

    With one number to a place, several rows are computed at once, one in each lane, the last ones twice if they do not
    come out even. With vectors, as of samples, a few rows at once, which share the factor that stays.
    """
    if one.width > 1:
        return _run_of_vectors(one, name, opcode)
    rows, moves = lanes(), name == ROWS
    row = Lanes(rows)
    t, element, align = row.type, one.type, 8

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
        lines += ["  " + line for line in row.splat(f"%{n}.a", f"%{n}.a.x")]
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
                f"  %{n}.v0 = insertelement {t} poison, double %{n}.x0, i64 0",
            ]
            for lane in range(1, rows):
                result = f"%{n}.b" if lane == rows - 1 else f"%{n}.v{lane}"
                lines += [
                    f"  %{n}.p{lane} = getelementptr {element}, ptr %{n}.p{lane - 1}, i64 %{n}.s",
                    f"  %{n}.x{lane} = load {element}, ptr %{n}.p{lane}, align {align}",
                    f"  {result} = insertelement {t} %{n}.v{lane - 1}, double %{n}.x{lane}, i64 {lane}",
                ]
        return "\n".join([*lines, f"  %{n} = fmul {t} %{n}.a, %{n}.b"])

    return _over_rows(
        name,
        opcode,
        rows,
        product(f"{name}.f", "0"),
        f"  %{name}.sum = phi {t} [%{name}.f, %{name}.block], [%{name}.more, %{name}.pair]",
        product(f"{name}.g", f"%{name}.k"),
        f"  %{name}.more = fadd {t} %{name}.sum, %{name}.g",
        f"  %{name}.d = getelementptr {element}, ptr %first, i64 %{name}.r\n"
        f"  store {t} %{name}.more, ptr %{name}.d, align {align}",
    )


def _over_rows(name: str, opcode: int, rows: int, first: str, sums: str, product: str, added: str, stored: str) -> str:
    """The loops of a run: over its rows, so many at once, and over the pairs of these.

    Args:
        name: of the run's numbers.
        opcode: of the instruction.
        rows: how many at once; the last ones begin so many before the end.
        first: the lines of the first product of these rows.
        sums: those that carry their sums from pair to pair.
        product: those of another product.
        added: those that add it.
        stored: those that store the sums.
    """
    return f"""{_rows_begun(name, opcode, rows)}
{name}.block:
  %{name}.w = phi i64 [0, %op{opcode}], [%{name}.w1, %{name}.stored]
  %{name}.fits = icmp slt i64 %{name}.w, %{name}.last
  %{name}.r = select i1 %{name}.fits, i64 %{name}.w, i64 %{name}.last
{first}
  br label %{name}.pair
{name}.pair:
  %{name}.k = phi i64 [1, %{name}.block], [%{name}.k1, %{name}.pair]
{sums}
{product}
{added}
  %{name}.k1 = add i64 %{name}.k, 1
  %{name}.again = icmp slt i64 %{name}.k1, %pairs
  br i1 %{name}.again, label %{name}.pair, label %{name}.stored
{name}.stored:
{stored}
  %{name}.w1 = add i64 %{name}.w, {rows}
  %{name}.go = icmp slt i64 %{name}.w1, %{name}.size
  br i1 %{name}.go, label %{name}.block, label %{name}.end
{name}.end:
  br label %done"""


def _rows_begun(name: str, opcode: int, rows: int) -> str:
    """What comes before the loop over so many rows at once: where the operands are, and where the last rows begin."""
    behind = {VECTORS: "%pairs", ROWS: "%pairs", MATRIX: "1"}[name]
    steps = "moving" if name == VECTORS else "steps"
    return f"""
op{opcode}:
  %{name}.moving = getelementptr i32, ptr %operand, i64 %pairs
  %{name}.steps = getelementptr i32, ptr %{name}.moving, i64 {behind}
  %{name}.on = getelementptr i32, ptr %{name}.{steps}, i64 {behind}
  %{name}.size32 = sub i32 %to, %from
  %{name}.size = sext i32 %{name}.size32 to i64
  %{name}.last = sub i64 %{name}.size, {rows}
  br label %{name}.block"""


AT_ONCE = 4
"""Rows of vectors; a run has no fewer."""


def _run_of_vectors(one: Lanes, name: str, opcode: int) -> str:
    t, align = one.type, 8 * one.width

    def products(n: str, k: str) -> str:
        lines = [
            f"  %{n}.a.q = getelementptr i32, ptr %operand, i64 {k}",
            f"  %{n}.a.i = load i32, ptr %{n}.a.q, align 4",
            f"  %{n}.a.p = getelementptr {t}, ptr %memory, i32 %{n}.a.i",
            f"  %{n}.a = load {t}, ptr %{n}.a.p, align {align}",
            f"  %{n}.b.q = getelementptr i32, ptr %{name}.moving, i64 {'0' if name == MATRIX else k}",
            f"  %{n}.b.i = load i32, ptr %{n}.b.q, align 4",
            f"  %{n}.b.first = getelementptr {t}, ptr %memory, i32 %{n}.b.i",
            f"  %{n}.b.o = getelementptr {t}, ptr %{n}.b.first, i64 {k if name == MATRIX else '0'}",
        ]
        if name == VECTORS:
            lines.append(f"  %{n}.s = add i64 0, 1")
        else:
            lines += [
                f"  %{n}.s.q = getelementptr i32, ptr %{name}.steps, i64 {'0' if name == MATRIX else k}",
                f"  %{n}.s.i = load i32, ptr %{n}.s.q, align 4",
                f"  %{n}.s = sext i32 %{n}.s.i to i64",
            ]
        lines += [
            f"  %{n}.r = mul i64 %{n}.s, %{name}.r",
            f"  %{n}.p0 = getelementptr {t}, ptr %{n}.b.o, i64 %{n}.r",
        ]
        for row in range(AT_ONCE):
            if row:
                lines.append(f"  %{n}.p{row} = getelementptr {t}, ptr %{n}.p{row - 1}, i64 %{n}.s")
            lines += [
                f"  %{n}.x{row} = load {t}, ptr %{n}.p{row}, align {align}",
                f"  %{n}.{row} = fmul {t} %{n}.a, %{n}.x{row}",
            ]
        return "\n".join(lines)

    rows = range(AT_ONCE)
    sums = "\n".join(
        f"  %{name}.sum{row} = phi {t} [%{name}.f.{row}, %{name}.block], [%{name}.more{row}, %{name}.pair]"
        for row in rows
    )
    added = "\n".join(f"  %{name}.more{row} = fadd {t} %{name}.sum{row}, %{name}.g.{row}" for row in rows)
    stored = "\n".join(
        f"  %{name}.d{row}.at = add i64 %{name}.r, {row}\n"
        f"  %{name}.d{row} = getelementptr {t}, ptr %first, i64 %{name}.d{row}.at\n"
        f"  store {t} %{name}.more{row}, ptr %{name}.d{row}, align {align}"
        for row in rows
    )
    return _over_rows(
        name,
        opcode,
        AT_ONCE,
        products(f"{name}.f", "0"),
        sums,
        products(f"{name}.g", f"%{name}.k"),
        added,
        stored,
    )


def matrix(one: Lanes, opcode: int) -> str:
    """Sums of products in a run with a matrix: squares of it are turned in registers, so that lanes take a row each."""
    if one.width > 1:
        return _run_of_vectors(one, MATRIX, opcode)
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
            f"%mx.c{row} = getelementptr double, ptr %mx.p{row}, i64 %mx.k",
            f"%mx.r{row} = load {v}, ptr %mx.c{row}, align 8",
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
    single = []
    for row in range(w):
        single += [
            f"%mx.d{row} = getelementptr double, ptr %mx.p{row}, i64 %mx.l",
            f"%mx.e{row} = load double, ptr %mx.d{row}",
            f"%mx.v{row} = insertelement {v} {f'%mx.v{row - 1}' if row else 'poison'}, double %mx.e{row}, i64 {row}",
        ]
    rows = [f"%mx.p{row} = getelementptr double, ptr %mx.p{row - 1}, i64 %mx.step" for row in range(1, w)]
    nothing = t.number(-0.0)  # to which anything may be added
    lines = "\n  ".join
    return f"""{_rows_begun(MATRIX, opcode, w)}
{MATRIX}.block:
  %{MATRIX}.w = phi i64 [0, %op{opcode}], [%{MATRIX}.w1, %{MATRIX}.stored]
  %{MATRIX}.fits = icmp slt i64 %{MATRIX}.w, %{MATRIX}.last
  %{MATRIX}.r = select i1 %{MATRIX}.fits, i64 %{MATRIX}.w, i64 %{MATRIX}.last
  %mx.at = load i32, ptr %{MATRIX}.moving, align 4
  %mx.step32 = load i32, ptr %{MATRIX}.steps, align 4
  %mx.step = sext i32 %mx.step32 to i64
  %mx.skip = mul i64 %mx.step, %{MATRIX}.r
  %mx.first = getelementptr double, ptr %memory, i32 %mx.at
  %mx.p0 = getelementptr double, ptr %mx.first, i64 %mx.skip
  {lines(rows)}
  %mx.wide = icmp sge i64 %pairs, {w}
  br i1 %mx.wide, label %mx.square, label %mx.rest
mx.square:
  %mx.k = phi i64 [0, %{MATRIX}.block], [%mx.next, %mx.square]
  %mx.s0 = phi {v} [{nothing}, %{MATRIX}.block], [%mx.s{w}, %mx.square]
  {lines(loads)}
  {lines(turned)}
  {lines(products)}
  %mx.next = add i64 %mx.k, {w}
  %mx.after = add i64 %mx.next, {w}
  %mx.again = icmp sle i64 %mx.after, %pairs
  br i1 %mx.again, label %mx.square, label %mx.rest
mx.rest:
  %mx.l0 = phi i64 [0, %{MATRIX}.block], [%mx.next, %mx.square]
  %mx.t0 = phi {v} [{nothing}, %{MATRIX}.block], [%mx.s{w}, %mx.square]
  %mx.some = icmp slt i64 %mx.l0, %pairs
  br i1 %mx.some, label %mx.one, label %{MATRIX}.stored
mx.one:
  %mx.l = phi i64 [%mx.l0, %mx.rest], [%mx.l.next, %mx.one]
  %mx.t = phi {v} [%mx.t0, %mx.rest], [%mx.t.next, %mx.one]
  {lines(single)}
  {lines(factor("mx.y", "%mx.l"))}
  %mx.m = fmul {v} %mx.y, %mx.v{w - 1}
  %mx.t.next = fadd {v} %mx.t, %mx.m
  %mx.l.next = add i64 %mx.l, 1
  %mx.more = icmp slt i64 %mx.l.next, %pairs
  br i1 %mx.more, label %mx.one, label %{MATRIX}.stored
{MATRIX}.stored:
  %mx.sum = phi {v} [%mx.t0, %mx.rest], [%mx.t.next, %mx.one]
  %mx.d = getelementptr double, ptr %first, i64 %{MATRIX}.r
  store {v} %mx.sum, ptr %mx.d, align 8
  %{MATRIX}.w1 = add i64 %{MATRIX}.w, {w}
  %{MATRIX}.go = icmp slt i64 %{MATRIX}.w1, %{MATRIX}.size
  br i1 %{MATRIX}.go, label %{MATRIX}.block, label %{MATRIX}.end
{MATRIX}.end:
  br label %done"""
