"""Kernels over the slots of a block: samples put in lanes, numbers that all samples share, ops, sums, columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scalargrad.compiling.llvm.blocks.fusing import lines_of, reads_of
from scalargrad.compiling.llvm.blocks.records import (
    MANY,
    for_each,
    kernel,
    listed,
    place,
    read,
    slot_bytes,
    stored,
    vector,
)
from scalargrad.compiling.llvm.primitives import transposed
from scalargrad.compiling.tape import op_of

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.blocks.fusing import Shape
    from scalargrad.compiling.llvm.primitives import Lanes


def fused(t: Lanes, shape: Shape, name: str) -> str:
    """A shape over slots a step apart: dst, n, then for each number read the first slot and the step to the next."""
    count = reads_of(shape)
    words = [word for i in range(count) for word in (f"from{i}", f"step{i}")]
    first = [
        line for i in range(count) for line in (place(f"p{i}", "%base", f"%from{i}"), _bytes(f"b{i}", f"%step{i}"))
    ]
    return _op(t, shape, name, words, first, [])


def op_listed(t: Lanes, name: str, opcode: int) -> str:
    """An op over slots anywhere: dst, n, the list, which has the operands of each in turn."""
    arity = op_of(name).arity or len(op_of(name).arguments)
    at = [f"%at = mul i64 %i, {arity}"]
    for i in range(arity):
        at += [f"%at{i} = add i64 %at, {i}", listed(f"i{i}", "%list", f"%at{i}"), place(f"s{i}", "%base", f"%i{i}")]
    return _op(t, (name, *[None] * arity), f"op{opcode}_listed", ["p:list"], [], at)


def _bytes(name: str, slots: str) -> str:
    return f"%{name} = mul i64 {slots}, {slot_bytes()}"


def _op(t: Lanes, shape: Shape, kernel_name: str, words: list[str], first: list[str], each: list[str]) -> str:
    """A loop over slots for whole blocks, and one for blocks of one vector."""
    count = reads_of(shape)

    def loop(p: str, vectors: int) -> str:
        def renamed(line: str) -> str:
            return re.sub(r"%(at\d*|i\d*(?:\.\w+)?|s\d+(?:\.\w+)?)\b", rf"%{p}.\1", line)

        lines = [f"{p}.loop:", f"%{p}.i = phi i64 [0, %entry], [%{p}.i.next, %{p}.loop]"]
        lines += [f"%{p}.d = phi ptr [%d, %entry], [%{p}.d.next, %{p}.loop]"]
        if not each:
            lines += [f"%{p}.s{i} = phi ptr [%p{i}, %entry], [%{p}.s{i}.next, %{p}.loop]" for i in range(count)]
        lines += map(renamed, each)
        for v in range(vectors):
            xs = [f"{p}.x{i}_{v}" for i in range(count)]
            lines += [vector(x, f"%{p}.s{i}", str(v), t) for i, x in enumerate(xs)]
            lines += lines_of(shape, f"%{p}.z{v}", [f"%{x}" for x in xs], t.lines)
            lines.append(stored(f"{p}.z{v}", f"%{p}.d", str(v), t))
        if not each:
            lines += [f"%{p}.s{i}.next = getelementptr i8, ptr %{p}.s{i}, i64 %b{i}" for i in range(count)]
        return "\n  ".join([
            *lines,
            f"%{p}.d.next = getelementptr i8, ptr %{p}.d, i64 {slot_bytes()}",
            f"%{p}.i.next = add i64 %{p}.i, 1",
            f"%{p}.more = icmp slt i64 %{p}.i.next, %n",
            f"br i1 %{p}.more, label %{p}.loop, label %end",
        ])  # fmt: skip

    start = "\n  ".join([read("dst", "n", *words, context=("base", "vectors")), place("d", "%base", "%dst"), *first])
    return kernel(kernel_name, f"""{start}
  %is.whole = icmp eq i64 %vectors, {MANY}
  br i1 %is.whole, label %many.loop, label %one.loop
{loop("many", MANY)}
{loop("one", 1)}
end:
  ret void""")  # fmt: skip


def copy(t: Lanes) -> str:
    """Slots put side by side: dst, n, the list."""
    move = f"{vector('x', '%s', '%v', t)}\n  {stored('x', '%d', '%v', t)}"
    one = f"""{listed("from", "%list", "%i")}
  %to = add i64 %dst, %i
  {place("s", "%base", "%from")}
  {place("d", "%base", "%to")}
  {for_each("v", "%vectors", move, "i.loop", "each")}"""
    body = for_each("i", "%n", one, "entry", "end", "each")
    return kernel("copy", f"{read('dst', 'n', 'p:list', context=('base', 'vectors'))}\n  {body}\n  ret void")


def splat(t: Lanes) -> str:
    """Numbers that all samples share, in every lane: dst, n, the list, 1 if they are uniform and 0 if parameters."""
    one = f"""{listed("k", "%list", "%i")}
  %p = getelementptr double, ptr %source, i64 %k
  %number = load double, ptr %p
  {chr(10).join(t.splat("%x", "%number"))}
  %to = add i64 %dst, %i
  {place("d", "%base", "%to")}
  {for_each("v", "%vectors", stored("x", "%d", "%v", t), "i.loop", "each")}"""
    context = ("base", "vectors", "parameters", "uniform")
    return kernel("splat", f"""{read("dst", "n", "p:list", "kind", context=context)}
  %moved = icmp eq i64 %kind, 1
  %source = select i1 %moved, ptr %uniform, ptr %parameters
  {for_each("i", "%n", one, "entry", "end", "each")}
  ret void""")  # fmt: skip


def pack(t: Lanes) -> str:
    """Samples, number after number, put into lanes: dst, the argument, how many numbers a sample has.

    Lanes that have no sample take the last one's numbers.
    """
    v8, w, size = t.type, t.width, 8 * t.width
    rows = "\n  ".join(
        f"%w{i} = add i64 %first, {i}\n  %o{i} = icmp sgt i64 %w{i}, %final\n"
        f"  %m{i} = select i1 %o{i}, i64 %final, i64 %w{i}\n  %s{i} = mul i64 %m{i}, %numbers\n"
        f"  %p{i} = getelementptr double, ptr %all, i64 %s{i}"
        for i in range(w)
    )
    loads = "\n  ".join(
        f"%a{i} = getelementptr double, ptr %p{i}, i64 %k\n  %r{i} = load {v8}, ptr %a{i}, align 8" for i in range(w)
    )
    turned, names = transposed(t, [f"%r{i}" for i in range(w)])
    stores = "\n  ".join(
        f"%e{i} = getelementptr i8, ptr %d, i64 {i * slot_bytes()}\n  store {v8} {x}, ptr %e{i}, align {size}"
        for i, x in enumerate(names)
    )
    single = "\n  ".join(
        f"%c{i} = getelementptr double, ptr %p{i}, i64 %l\n  %x{i} = load double, ptr %c{i}\n"
        f"  %v{i} = insertelement {v8} {f'%v{i - 1}' if i else 'poison'}, double %x{i}, i64 {i}"
        for i in range(w)
    )
    context = ("base", "row", "valid", "arguments", "vectors")
    return kernel("pack", f"""{read("dst", "argument", "numbers", context=context)}
  %given = getelementptr ptr, ptr %arguments, i64 %argument
  %all = load ptr, ptr %given
  %end.row = add i64 %row, %valid
  %final = sub i64 %end.row, 1
  {place("dst.at0", "%base", "%dst")}
  br label %vector
vector:
  %v = phi i64 [0, %entry], [%v.next, %done]
  %skip = mul i64 %v, {w}
  %first = add i64 %row, %skip
  %bytes = mul i64 %v, {size}
  %out = getelementptr i8, ptr %dst.at0, i64 %bytes
  {rows}
  %wide = icmp sge i64 %numbers, {w}
  br i1 %wide, label %square, label %rest
square:
  %k = phi i64 [0, %vector], [%k.next, %square]
  {loads}
  {chr(10).join(turned)}
  {place("d", "%out", "%k")}
  {stores}
  %k.next = add i64 %k, {w}
  %k.after = add i64 %k.next, {w}
  %k.more = icmp sle i64 %k.after, %numbers
  br i1 %k.more, label %square, label %rest
rest:
  %l0 = phi i64 [0, %vector], [%k.next, %square]
  %some = icmp slt i64 %l0, %numbers
  br i1 %some, label %one, label %done
one:
  %l = phi i64 [%l0, %rest], [%l.next, %one]
  {single}
  {place("e", "%out", "%l")}
  store {v8} %v{w - 1}, ptr %e, align {size}
  %l.next = add i64 %l, 1
  %l.more = icmp slt i64 %l.next, %numbers
  br i1 %l.more, label %one, label %done
done:
  %v.next = add i64 %v, 1
  %again = icmp slt i64 %v.next, %vectors
  br i1 %again, label %vector, label %end
end:
  ret void""")  # fmt: skip


def blank(t: Lanes) -> str:
    """0.0 in the lanes of the last block that have no sample: first, n. A whole block has no such lanes."""
    numbers = ", ".join(f"i64 {lane}" for lane in range(t.width))
    each = f"""%number = add i64 %first, %i
  {place("s", "%block", "%number")}
  {vector("x", "%s", "0", t)}
  %y = select {t.bool} %mask, {t.type} %x, {t.type} zeroinitializer
  {stored("y", "%s", "0", t)}"""
    context = ("base", "blocks", "stride", "valid")
    return kernel("blank", f"""{read("first", "n", context=context)}
  %last = sub i64 %blocks, 1
  %skip = mul i64 %last, %stride
  %block = getelementptr i8, ptr %base, i64 %skip
  %mask.1 = insertelement <{t.width} x i64> poison, i64 %valid, i64 0
  %mask.n = shufflevector <{t.width} x i64> %mask.1, <{t.width} x i64> poison, <{t.width} x i32> zeroinitializer
  %mask = icmp slt <{t.width} x i64> <{numbers}>, %mask.n
  %is.full = icmp sge i64 %valid, {t.width}
  br i1 %is.full, label %end, label %some
some:
  {for_each("i", "%n", each, "some", "end")}
  ret void""")  # fmt: skip


def sums(t: Lanes) -> str:
    """Slots added up over all samples of a chunk: n, the list, where in the sums each goes.

    Lanes that have no sample must have been blanked.
    """
    vs = range(MANY)
    many = "\n  ".join(
        f"{vector(f'x{v}', '%p', str(v), t)}\n  %n{v} = fadd {t.type} %m{v}, %x{v}" for v in vs
    )  # fmt: skip
    body = f"""{listed("from", "%list", "%i")}
  {place("p0", "%base", "%from")}
  %some = icmp sgt i64 %whole, 0
  br i1 %some, label %many, label %left
many:
  %b = phi i64 [0, %i.loop], [%b.next, %many]
  %p = phi ptr [%p0, %i.loop], [%p.next, %many]
  {chr(10).join(f"%m{v} = phi {t.type} [zeroinitializer, %i.loop], [%n{v}, %many]" for v in vs)}
  {many}
  %p.next = getelementptr i8, ptr %p, i64 %stride
  %b.next = add i64 %b, 1
  %b.more = icmp slt i64 %b.next, %whole
  br i1 %b.more, label %many, label %joined
joined:
  %j1 = fadd {t.type} %n0, %n1
  %j2 = fadd {t.type} %n2, %n3
  %j3 = fadd {t.type} %j1, %j2
  br label %left
left:
  %l0 = phi i64 [0, %i.loop], [%b.next, %joined]
  %q0 = phi ptr [%p0, %i.loop], [%p.next, %joined]
  %u0 = phi {t.type} [zeroinitializer, %i.loop], [%j3, %joined]
  %is.left = icmp slt i64 %l0, %blocks
  br i1 %is.left, label %one, label %each
one:
  %l = phi i64 [%l0, %left], [%l.next, %one]
  %q = phi ptr [%q0, %left], [%q.next, %one]
  %u = phi {t.type} [%u0, %left], [%w, %one]
  {vector("y", "%q", "0", t)}
  %w = fadd {t.type} %u, %y
  %q.next = getelementptr i8, ptr %q, i64 %stride
  %l.next = add i64 %l, 1
  %l.more = icmp slt i64 %l.next, %blocks
  br i1 %l.more, label %one, label %each
each:
  %all = phi {t.type} [%u0, %left], [%w, %one]
  %total = call reassoc double @llvm.vector.reduce.fadd.{t.suffix}(double 0.0, {t.type} %all)
  {listed("to", "%places", "%i")}
  %g = getelementptr double, ptr %full, i64 %to
  %before = load double, ptr %g
  %after = fadd double %before, %total
  store double %after, ptr %g"""
    context = ("base", "full", "blocks", "whole", "stride")
    return kernel("sums", f"""{read("n", "p:list", "p:places", context=context)}
  {for_each("i", "%n", body, "entry", "end", "each")}
  ret void""")  # fmt: skip


def column(t: Lanes) -> str:
    """A slot written out for every sample: the slot, the column."""
    move = f"{vector('x', '%s', '%v', t)}\n  {stored('x', '%d', '%v', t, 8)}"
    context = ("base", "columns", "row", "vectors")
    return kernel("column", f"""{read("number", "which", context=context)}
  {place("s", "%base", "%number")}
  %at = getelementptr ptr, ptr %columns, i64 %which
  %room = load ptr, ptr %at
  %d = getelementptr double, ptr %room, i64 %row
  {for_each("v", "%vectors", move, "entry", "end")}
  ret void""")  # fmt: skip
