"""Two kernels that serve dense layers of every shape: DENSE, a matrix times slots, and OUTER, the matrix's gradient.

DENSE: dst[j] = bias[j] + sum over k of w[j, k] * src[k], for every sample of a block, added from the first k to the
last, products and sums rounded apart. The strides of w are told, so that the gradient of the input is the same kernel.
OUTER: g[j, k] += sum over samples of a[j] * x[k], over all blocks of a chunk.

Both keep a tile of sums in registers. Where the rows do not divide by the tile's, the last tile of DENSE starts at
M - rows: a few rows are computed twice, which costs less than a second code path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.compiling.llvm.blocks.records import MANY, kernel, place, read, slot_bytes, vector
from scalargrad.compiling.llvm.library import fuses

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.primitives import Lanes


def dense_rows(vectors: int) -> int:
    """Rows of a tile of DENSE."""
    return 4 if vectors == MANY else 8


OUTER_ROWS = 4


def _dense_tile(t: Lanes, vectors: int, rows: int) -> str:
    """`rows` rows: bias or zero, then a loop over k with all sums in registers."""
    v8, js, vs, size = t.type, range(rows), range(vectors), 8 * t.width
    pointers, numbers = "ptr %dst, ptr %src, ptr %w, ptr %bias", "i64 %K, i64 %ws, i64 %wk, i64 %bs"
    lines = [
        f"define internal void @dense.{vectors}.{rows}({pointers}, {numbers}) {{",
        "entry:",
        "%has_bias = icmp ne ptr %bias, null",
        "br i1 %has_bias, label %with_bias, label %start",
        "with_bias:",
    ]
    for j in js:
        lines += [
            f"%bo{j} = mul i64 %bs, {j}",
            f"%bp{j} = getelementptr double, ptr %bias, i64 %bo{j}",
            f"%bx{j} = load double, ptr %bp{j}",
            *t.splat(f"%bv{j}", f"%bx{j}"),
        ]
    lines += ["br label %start", "start:"]
    lines += [f"%s{j} = phi {v8} [zeroinitializer, %entry], [%bv{j}, %with_bias]" for j in js]
    for j in js:
        lines += [f"%wo{j} = mul i64 %ws, {j}", f"%wp{j} = getelementptr double, ptr %w, i64 %wo{j}"]
    lines += [
        "br label %loop",
        "loop:",
        "%k = phi i64 [0, %start], [%k.next, %loop]",
        "%x = phi ptr [%src, %start], [%x.next, %loop]",
        "%ko = phi i64 [0, %start], [%ko.next, %loop]",
    ]
    lines += [f"%a{j}_{v} = phi {v8} [%s{j}, %start], [%n{j}_{v}, %loop]" for j in js for v in vs]
    for v in vs:
        lines += [f"%xp{v} = getelementptr {v8}, ptr %x, i64 {v}", f"%x{v} = load {v8}, ptr %xp{v}, align {size}"]
    for j in js:
        lines += [
            f"%q{j} = getelementptr double, ptr %wp{j}, i64 %ko",
            f"%wx{j} = load double, ptr %q{j}",
            *t.splat(f"%wv{j}", f"%wx{j}"),
        ]
        for v in vs:
            lines += [f"%m{j}_{v} = fmul {v8} %wv{j}, %x{v}", f"%n{j}_{v} = fadd {v8} %a{j}_{v}, %m{j}_{v}"]
    lines += [
        f"%x.next = getelementptr {v8}, ptr %x, i64 {MANY}",
        "%ko.next = add i64 %ko, %wk",
        "%k.next = add i64 %k, 1",
        "%more = icmp slt i64 %k.next, %K",
        "br i1 %more, label %loop, label %end",
        "end:",
    ]
    for j in js:
        for v in vs:
            lines += [
                f"%dp{j}_{v} = getelementptr {v8}, ptr %dst, i64 {j * MANY + v}",
                f"store {v8} %n{j}_{v}, ptr %dp{j}_{v}, align {size}",
            ]
    return "\n".join([*lines, "ret void", "}"])


def _row_tiles(vectors: int, rows: int, p: str) -> str:
    """The loop over tiles of rows; names start with p."""
    return f"""
{p}.row:
  %{p}.i = phi i64 [0, %entry], [%{p}.i.next, %{p}.row]
  %{p}.last = sub i64 %M, {rows}
  %{p}.over = icmp sgt i64 %{p}.i, %{p}.last
  %{p}.j = select i1 %{p}.over, i64 %{p}.last, i64 %{p}.i
  {place(f"{p}.dp", "%d", f"%{p}.j")}
  %{p}.wo = mul i64 %{p}.j, %ws
  %{p}.wp = getelementptr double, ptr %w, i64 %{p}.wo
  %{p}.bo = mul i64 %{p}.j, %bs
  %{p}.bp.some = getelementptr double, ptr %b, i64 %{p}.bo
  %{p}.bp = select i1 %no.bias, ptr null, ptr %{p}.bp.some
  call void @dense.{vectors}.{rows}(ptr %{p}.dp, ptr %s, ptr %{p}.wp, ptr %{p}.bp, i64 %K, i64 %ws, i64 %wk, i64 %bs)
  %{p}.i.next = add i64 %{p}.i, {rows}
  %{p}.more = icmp slt i64 %{p}.i.next, %M
  br i1 %{p}.more, label %{p}.row, label %end"""


def dense(t: Lanes, vectors: int) -> str:
    """The kernel: dst, src, K, M, where w lies, ws, wk, where the bias lies or nowhere, bs.

    A weight lies at an index of the parameters, or of what is uniform if the word before is 1; a bias likewise.
    """
    rows = dense_rows(vectors)
    words = ("dst", "src", "K", "M", "w_kind", "w_at", "ws", "wk", "b_kind", "b_at", "bs")
    body = f"""{read(*words, context=("base", "parameters", "uniform"))}
  {place("d", "%base", "%dst")}
  {place("s", "%base", "%src")}
  %w.moved = icmp eq i64 %w_kind, 1
  %w.base = select i1 %w.moved, ptr %uniform, ptr %parameters
  %w = getelementptr double, ptr %w.base, i64 %w_at
  %b.moved = icmp eq i64 %b_kind, 1
  %no.bias = icmp slt i64 %b_kind, 0
  %b.base = select i1 %b.moved, ptr %uniform, ptr %parameters
  %b = getelementptr double, ptr %b.base, i64 %b_at
  %enough = icmp sge i64 %M, {rows}
  br i1 %enough, label %many.row, label %one.row
{_row_tiles(vectors, rows, "many")}
{_row_tiles(vectors, 1, "one")}
end:
  ret void"""
    tiles = [_dense_tile(t, vectors, rows), _dense_tile(t, vectors, 1)]
    return "\n".join([*tiles, kernel(f"dense_{vectors}", body)])


def _added(t: Lanes, result: str, names: list[str]) -> list[str]:
    """Lines that add up the lanes of each vector; the result has one lane for each of them."""
    width, count, step, lines = t.width, len(names), 1, []
    if count == 1:
        total = f"@llvm.vector.reduce.fadd.{t.suffix}(double 0.0, {t.type} {names[0]})"
        return [f"{result} = call reassoc double {total}"]
    while len(names) > 1:
        low = ", ".join(f"i32 {i if not i & step else width + i - step}" for i in range(width))
        high = ", ".join(f"i32 {i + step if not i & step else width + i}" for i in range(width))
        new = []
        for a, b in zip(names[::2], names[1::2], strict=True):
            new.append(f"{a}.s{step}")
            lines += [
                f"{a}.l{step} = shufflevector {t.type} {a}, {t.type} {b}, <{width} x i32> <{low}>",
                f"{a}.h{step} = shufflevector {t.type} {a}, {t.type} {b}, <{width} x i32> <{high}>",
                f"{a}.s{step} = fadd {t.type} {a}.l{step}, {a}.h{step}",
            ]
        names, step = new, 2 * step
    (name,) = names
    while width > count:
        half = width // 2
        parts = [", ".join(f"i32 {i + start}" for i in range(half)) for start in (0, half)]
        lines += [
            f"{result}.{part}{half} = shufflevector <{width} x double> {name}, <{width} x double> poison,"
            f" <{half} x i32> <{lanes}>"
            for part, lanes in zip("lh", parts, strict=True)
        ]
        new_name = result if half == count else f"{result}.s{half}"
        lines.append(f"{new_name} = fadd <{half} x double> {result}.l{half}, {result}.h{half}")
        name, width = new_name, half
    return lines if name == result else [*lines, f"{result} = bitcast {t.type} {name} to {t.type}"]


def _outer_tile(t: Lanes, rows: int, columns: int) -> str:
    """Rows x columns sums over all blocks, per lane; the lanes are added up at the end. Fused if the processor can."""
    v8, js, ks = t.type, range(rows), range(columns)
    both = [(j, k) for j in js for k in ks]
    given = "ptr %g, i64 %gs, ptr %a, ptr %x, i64 %blocks, i64 %whole, i64 %stride"
    lines = [
        f"define internal void @outer.{rows}.{columns}({given}) {{",
        "entry:",
        "br label %block",
        "block:",
        "%b = phi i64 [0, %entry], [%b.next, %block.end]",
    ]
    lines += [f"%s{j}_{k} = phi {v8} [zeroinitializer, %entry], [%t{j}_{k}, %block.end]" for j, k in both]
    lines += [
        "%is.whole = icmp slt i64 %b, %whole",
        f"%vectors = select i1 %is.whole, i64 {MANY}, i64 1",
        "%bo = mul i64 %b, %stride",
        "%a0 = getelementptr i8, ptr %a, i64 %bo",
        "%x0 = getelementptr i8, ptr %x, i64 %bo",
    ]
    for name, count in (("a", rows), ("x", columns)):
        lines += [f"%{name}{i} = getelementptr i8, ptr %{name}{i - 1}, i64 {slot_bytes()}" for i in range(1, count)]
    lines += ["br label %loop", "loop:", "%v = phi i64 [0, %block], [%v.next, %loop]"]
    lines += [f"%u{j}_{k} = phi {v8} [%s{j}_{k}, %block], [%t{j}_{k}, %loop]" for j, k in both]
    lines += [vector(f"xv{k}", f"%x{k}", "%v", t) for k in ks]
    for j in js:
        lines.append(vector(f"av{j}", f"%a{j}", "%v", t))
        for k in ks:
            if fuses():
                lines.append(f"%t{j}_{k} = call {v8} @llvm.fma.{t.suffix}({v8} %av{j}, {v8} %xv{k}, {v8} %u{j}_{k})")
            else:
                lines += [f"%p{j}_{k} = fmul {v8} %av{j}, %xv{k}", f"%t{j}_{k} = fadd {v8} %u{j}_{k}, %p{j}_{k}"]
    lines += [
        "%v.next = add i64 %v, 1",
        "%more = icmp slt i64 %v.next, %vectors",
        "br i1 %more, label %loop, label %block.end",
        "block.end:",
        "%b.next = add i64 %b, 1",
        "%b.more = icmp slt i64 %b.next, %blocks",
        "br i1 %b.more, label %block, label %end",
        "end:",
    ]
    for j in js:
        lines += [f"%go{j} = mul i64 %gs, {j}", f"%gp{j} = getelementptr double, ptr %g, i64 %go{j}"]
        lines += _added(t, f"%z{j}", [f"%t{j}_{k}" for k in ks])
        kind = f"<{columns} x double>" if columns > 1 else "double"
        lines += [
            f"%y{j} = load {kind}, ptr %gp{j}, align 8",
            f"%w{j} = fadd {kind} %y{j}, %z{j}",
            f"store {kind} %w{j}, ptr %gp{j}, align 8",
        ]
    return "\n".join([*lines, "ret void", "}"])


def _outer_rows(rows: int, columns: int, p: str, after: str) -> str:
    """The loops over tiles of rows and columns; columns that are left over go one by one."""
    start = "0, %entry" if rows > 1 else "%left.start, %left"
    call, last = f"call void @outer.{rows}", "i64 %blocks, i64 %whole, i64 %stride"
    return f"""
{p}.row:
  %{p}.j = phi i64 [{start}], [%{p}.j.next, %{p}.done]
  {place(f"{p}.ap", "%a.at0", f"%{p}.j")}
  %{p}.go = mul i64 %{p}.j, %gs
  %{p}.gp = getelementptr double, ptr %g, i64 %{p}.go
  br i1 %wide, label %{p}.tile, label %{p}.rest
{p}.tile:
  %{p}.k = phi i64 [0, %{p}.row], [%{p}.k.next, %{p}.tile]
  {place(f"{p}.xp", "%x.at0", f"%{p}.k")}
  %{p}.gk = getelementptr double, ptr %{p}.gp, i64 %{p}.k
  {call}.{columns}(ptr %{p}.gk, i64 %gs, ptr %{p}.ap, ptr %{p}.xp, {last})
  %{p}.k.next = add i64 %{p}.k, {columns}
  %{p}.k.after = add i64 %{p}.k.next, {columns}
  %{p}.k.more = icmp sle i64 %{p}.k.after, %K
  br i1 %{p}.k.more, label %{p}.tile, label %{p}.rest
{p}.rest:
  %{p}.l0 = phi i64 [0, %{p}.row], [%{p}.k.next, %{p}.tile]
  %{p}.some = icmp slt i64 %{p}.l0, %K
  br i1 %{p}.some, label %{p}.one, label %{p}.done
{p}.one:
  %{p}.l = phi i64 [%{p}.l0, %{p}.rest], [%{p}.l.next, %{p}.one]
  {place(f"{p}.lp", "%x.at0", f"%{p}.l")}
  %{p}.gl = getelementptr double, ptr %{p}.gp, i64 %{p}.l
  {call}.1(ptr %{p}.gl, i64 %gs, ptr %{p}.ap, ptr %{p}.lp, {last})
  %{p}.l.next = add i64 %{p}.l, 1
  %{p}.l.more = icmp slt i64 %{p}.l.next, %K
  br i1 %{p}.l.more, label %{p}.one, label %{p}.done
{p}.done:
  %{p}.j.next = add i64 %{p}.j, {rows}
  %{p}.j.after = add i64 %{p}.j.next, {rows}
  %{p}.j.more = icmp sle i64 %{p}.j.after, %M
  br i1 %{p}.j.more, label %{p}.row, label %{after}"""


def outer(t: Lanes) -> str:
    """The kernel: where in the sums g lies, gs, a, x, M, K; the columns of g lie side by side."""
    columns = min(4, t.width)
    body = f"""{read("g_at", "gs", "a", "x", "M", "K", context=("base", "full", "blocks", "whole", "stride"))}
  %g = getelementptr double, ptr %full, i64 %g_at
  {place("a.at0", "%base", "%a")}
  {place("x.at0", "%base", "%x")}
  %wide = icmp sge i64 %K, {columns}
  %enough = icmp sge i64 %M, {OUTER_ROWS}
  br i1 %enough, label %many.row, label %left
{_outer_rows(OUTER_ROWS, columns, "many", "left")}
left:
  %left.start = phi i64 [0, %entry], [%many.j.next, %many.done]
  %left.some = icmp slt i64 %left.start, %M
  br i1 %left.some, label %one.row, label %end
{_outer_rows(1, columns, "one", "end")}
end:
  ret void"""
    tiles = [_outer_tile(t, j, k) for j in (OUTER_ROWS, 1) for k in (columns, 1)]
    return "\n".join([*tiles, kernel("outer", body)])


def declarations(t: Lanes) -> list[str]:
    """The intrinsics that the kernels call."""
    v8 = t.type
    return [
        f"declare {v8} @llvm.fma.{t.suffix}({v8}, {v8}, {v8})",
        f"declare double @llvm.vector.reduce.fadd.{t.suffix}(double, {v8})",
    ]
