"""The machine's instructions for sums of products, in LLVM's language: by lists of places, and in runs (layout.py).

Each row is added up in its order, product after product, so that it has the bits of the engine's sum.
"""

from __future__ import annotations

from scalargrad.compiling.llvm.layout import MATRIX, ROWS, VECTORS
from scalargrad.compiling.llvm.library import lanes
from scalargrad.compiling.llvm.loops import element
from scalargrad.compiling.llvm.primitives import Lanes


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
        return run_of_vectors(one, name, opcode)
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
    return f"""{rows_begun(name, opcode, rows)}
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


def rows_begun(name: str, opcode: int, rows: int) -> str:
    """What comes before the loop over so many rows at once: where the operands are, and where the last rows begin."""
    if name == MATRIX:
        behind = f"""  %{name}.on = getelementptr i32, ptr %{name}.moving, i64 {len(MATRIX_WORDS)}
{chr(10).join(element(f"%{name}.{word}32", f"%{name}.moving", str(i)) for i, word in enumerate(MATRIX_WORDS))}
{chr(10).join(f"  %{name}.{word} = sext i32 %{name}.{word}32 to i64" for word in MATRIX_WORDS)}
  %{name}.has_bias = icmp ne i64 %{name}.apart, 0"""
    else:
        behind = f"""  %{name}.steps = getelementptr i32, ptr %{name}.moving, i64 %pairs
  %{name}.on = getelementptr i32, ptr %{name}.{"moving" if name == VECTORS else "steps"}, i64 %pairs"""
    return f"""
op{opcode}:
  %{name}.moving = getelementptr i32, ptr %operand, i64 %pairs
{behind}
  %{name}.size32 = sub i32 %to, %from
  %{name}.size = sext i32 %{name}.size32 to i64
  %{name}.last = sub i64 %{name}.size, {rows}
  br label %{name}.block"""


MATRIX_WORDS = "apart", "bias", "bias_step", "at", "step"
"""Behind the first factors: whether a pair comes before the matrix, where its factor of the first row lies and how far
away the next row's; the same of the matrix."""
AT_ONCE = 4
"""Rows of vectors; a run has no fewer."""


def run_of_vectors(one: Lanes, name: str, opcode: int) -> str:
    """A run with vectors, as of samples: a few rows at once, which share the factor that stays."""
    t, align = one.type, 8 * one.width

    def products(n: str, k: str) -> str:
        lines = [
            f"  %{n}.a.q = getelementptr i32, ptr %operand, i64 {k}",
            f"  %{n}.a.i = load i32, ptr %{n}.a.q, align 4",
            f"  %{n}.a.p = getelementptr {t}, ptr %memory, i32 %{n}.a.i",
            f"  %{n}.a = load {t}, ptr %{n}.a.p, align {align}",
        ]
        if name == MATRIX and k == "0":
            lines += [
                f"  %{n}.b.i = select i1 %{name}.has_bias, i64 %{name}.bias, i64 %{name}.at",
                f"  %{n}.s = select i1 %{name}.has_bias, i64 %{name}.bias_step, i64 %{name}.step",
                f"  %{n}.b.o = getelementptr {t}, ptr %memory, i64 %{n}.b.i",
            ]
        elif name == MATRIX:
            lines += [
                f"  %{n}.b.k = sub i64 {k}, %{name}.apart",
                f"  %{n}.b.i = add i64 %{name}.at, %{n}.b.k",
                f"  %{n}.s = add i64 %{name}.step, 0",
                f"  %{n}.b.o = getelementptr {t}, ptr %memory, i64 %{n}.b.i",
            ]
        else:
            lines += [
                f"  %{n}.b.q = getelementptr i32, ptr %{name}.moving, i64 {k}",
                f"  %{n}.b.i = load i32, ptr %{n}.b.q, align 4",
                f"  %{n}.b.o = getelementptr {t}, ptr %memory, i32 %{n}.b.i",
            ]
        if name == VECTORS:
            lines.append(f"  %{n}.s = add i64 0, 1")
        elif name == ROWS:
            lines += [
                f"  %{n}.s.q = getelementptr i32, ptr %{name}.steps, i64 {k}",
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
