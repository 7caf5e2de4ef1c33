"""Kernels over what does not differ from sample to sample: numbers one by one, or vectors of numbers side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.compiling.llvm.blocks.records import kernel, read
from scalargrad.compiling.tape import op_of

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.primitives import Lanes


def gather() -> str:
    """Numbers moved: n, where they are (0 parameters, 1 uniform, 2 a table), the table, from which, to which."""
    return kernel("gather", f"""{read("n", "kind", "p:table", "p:from", "p:to", context=("parameters", "uniform"))}
  %is.uniform = icmp eq i64 %kind, 1
  %is.table = icmp eq i64 %kind, 2
  %first = select i1 %is.uniform, ptr %uniform, ptr %parameters
  %source = select i1 %is.table, ptr %table, ptr %first
{_each_place("source", "uniform", "  store double %x, ptr %d")}""")  # fmt: skip


def move() -> str:
    """Numbers side by side moved: n, where they are (0 parameters, 1 uniform), from which on, to which on."""
    return kernel("move", f"""{read("n", "kind", "from", "to", context=("parameters", "uniform"))}
  %is.uniform = icmp eq i64 %kind, 1
  %source = select i1 %is.uniform, ptr %uniform, ptr %parameters
  %s = getelementptr double, ptr %source, i64 %from
  %d = getelementptr double, ptr %uniform, i64 %to
  %bytes = mul i64 %n, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %d, ptr %s, i64 %bytes, i1 false)
  ret void""") + "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)\n"  # fmt: skip


def scatter() -> str:
    """Sums added to others: n, which, to which."""
    return kernel("scatter", f"""{read("n", "p:from", "p:to", context=("full",))}
{_each_place("full", "full", ADDED)}""")  # fmt: skip


def fetch() -> str:
    """Sums moved to where they are computed with: n, which, to which."""
    return kernel("fetch", f"""{read("n", "p:from", "p:to", context=("full", "uniform"))}
{_each_place("full", "uniform", "  store double %x, ptr %d")}""")  # fmt: skip


def hand() -> str:
    """What was computed of sums, added to others: n, which, to which."""
    return kernel("hand", f"""{read("n", "p:from", "p:to", context=("full", "uniform"))}
{_each_place("uniform", "full", ADDED)}""")  # fmt: skip


ADDED = "  %y = load double, ptr %d\n  %z = fadd double %x, %y\n  store double %z, ptr %d"


def _each_place(source: str, target: str, done: str) -> str:
    """The loop over n places of two tables; `done` says what becomes of the number %x and of what %d points to."""
    return f"""  br label %each
each:
  %i = phi i64 [0, %entry], [%i.next, %each]
  %from.at = getelementptr i32, ptr %from, i64 %i
  %to.at = getelementptr i32, ptr %to, i64 %i
  %j = load i32, ptr %from.at, align 4
  %k = load i32, ptr %to.at, align 4
  %s = getelementptr double, ptr %{source}, i32 %j
  %d = getelementptr double, ptr %{target}, i32 %k
  %x = load double, ptr %s
{done}
  %i.next = add i64 %i, 1
  %more = icmp slt i64 %i.next, %n
  br i1 %more, label %each, label %end
end:
  ret void"""


def op(t: Lanes, name: str, opcode: int) -> str:
    """An op over numbers side by side: dst, n, then for each operand where it begins and 1, or 0 if all take that one.

    Vectors are written whole: there is room behind the last number.
    """
    arity = op_of(name).arity or len(op_of(name).arguments)
    v8, words = t.type, [word for i in range(arity) for word in (f"from{i}", f"step{i}")]
    before, inside = [], []
    for i in range(arity):
        before += [
            f"%p{i} = getelementptr double, ptr %uniform, i64 %from{i}",
            f"%n{i} = load double, ptr %p{i}",
            *t.splat(f"%s{i}", f"%n{i}"),
            f"%goes{i} = icmp ne i64 %step{i}, 0",
        ]
        inside += [
            f"%q{i} = getelementptr double, ptr %p{i}, i64 %i",
            f"%a{i} = select i1 %goes{i}, ptr %q{i}, ptr %p{i}",
            f"%v{i} = load {v8}, ptr %a{i}, align 8",
            f"%x{i} = select i1 %goes{i}, {v8} %v{i}, {v8} %s{i}",
        ]
    inside += t.lines(name, "%z", [f"%x{i}" for i in range(arity)])
    body = "\n  ".join([
        read("dst", "n", *words, context=("uniform",)),
        "%d = getelementptr double, ptr %uniform, i64 %dst",
        *before,
        "br label %each",
        "each:",
        "%i = phi i64 [0, %entry], [%i.next, %each]",
        *inside,
        "%to = getelementptr double, ptr %d, i64 %i",
        f"store {v8} %z, ptr %to, align 8",
        f"%i.next = add i64 %i, {t.width}",
        "%more = icmp slt i64 %i.next, %n",
        "br i1 %more, label %each, label %end",
        "end:",
        "ret void",
    ])  # fmt: skip
    return kernel(f"op{opcode}_side", body)


def op_listed(name: str, opcode: int, one: Lanes) -> str:
    """An op over numbers anywhere: dst, n, the list, which has the operands of each in turn."""
    arity = op_of(name).arity or len(op_of(name).arguments)
    lines = []
    for i in range(arity):
        lines += [
            f"%i{i}.q = getelementptr i32, ptr %list.now, i64 {i}",
            f"%i{i}.n = load i32, ptr %i{i}.q, align 4",
            f"%i{i}.p = getelementptr double, ptr %uniform, i32 %i{i}.n",
            f"%x{i} = load double, ptr %i{i}.p",
        ]
    body = "\n  ".join([
        read("dst", "n", "p:list", context=("uniform",)),
        "%d = getelementptr double, ptr %uniform, i64 %dst",
        "br label %each",
        "each:",
        "%i = phi i64 [0, %entry], [%i.next, %each]",
        "%list.now = phi ptr [%list, %entry], [%list.next, %each]",
        *lines,
        *one.lines(name, "%z", [f"%x{i}" for i in range(arity)]),
        "%to = getelementptr double, ptr %d, i64 %i",
        "store double %z, ptr %to",
        f"%list.next = getelementptr i32, ptr %list.now, i64 {arity}",
        "%i.next = add i64 %i, 1",
        "%more = icmp slt i64 %i.next, %n",
        "br i1 %more, label %each, label %end",
        "end:",
        "ret void",
    ])  # fmt: skip
    return kernel(f"op{opcode}_listed", body)


def products(t: Lanes) -> str:
    """The sum of x[i] * y[i], numbers side by side: dst, n, x, y. Their order is free."""
    v8, w = t.type, t.width
    body = f"""{read("dst", "n", "x", "y", context=("uniform",))}
  %px = getelementptr double, ptr %uniform, i64 %x
  %py = getelementptr double, ptr %uniform, i64 %y
  %to = getelementptr double, ptr %uniform, i64 %dst
  %fits = icmp sge i64 %n, {4 * w}
  br i1 %fits, label %four, label %add
four:
  %i = phi i64 [0, %entry], [%i.next, %four]
  {chr(10).join(f"%s{v} = phi {v8} [zeroinitializer, %entry], [%t{v}, %four]" for v in range(4))}
  {
        chr(10).join(
            f"%j{v} = add i64 %i, {v * w}"
            + chr(10)
            + f"%xa{v} = getelementptr double, ptr %px, i64 %j{v}"
            + chr(10)
            + f"%xv{v} = load {v8}, ptr %xa{v}, align 8"
            + chr(10)
            + f"%ya{v} = getelementptr double, ptr %py, i64 %j{v}"
            + chr(10)
            + f"%yv{v} = load {v8}, ptr %ya{v}, align 8"
            + chr(10)
            + f"%m{v} = fmul {v8} %xv{v}, %yv{v}"
            + chr(10)
            + f"%t{v} = fadd {v8} %s{v}, %m{v}"
            for v in range(4)
        )
    }
  %i.next = add i64 %i, {4 * w}
  %i.after = add i64 %i.next, {4 * w}
  %more = icmp sle i64 %i.after, %n
  br i1 %more, label %four, label %add
add:
  %k0 = phi i64 [0, %entry], [%i.next, %four]
  {chr(10).join(f"%u{v} = phi {v8} [zeroinitializer, %entry], [%t{v}, %four]" for v in range(4))}
  %a = fadd {v8} %u0, %u1
  %b = fadd {v8} %u2, %u3
  %ab = fadd {v8} %a, %b
  %red = call reassoc double @llvm.vector.reduce.fadd.{t.suffix}(double 0.0, {v8} %ab)
  %left = icmp slt i64 %k0, %n
  br i1 %left, label %one, label %end
one:
  %k = phi i64 [%k0, %add], [%k.next, %one]
  %sum = phi double [%red, %add], [%new, %one]
  %xk = getelementptr double, ptr %px, i64 %k
  %yk = getelementptr double, ptr %py, i64 %k
  %xn = load double, ptr %xk
  %yn = load double, ptr %yk
  %m = fmul double %xn, %yn
  %new = fadd double %sum, %m
  %k.next = add i64 %k, 1
  %again = icmp slt i64 %k.next, %n
  br i1 %again, label %one, label %end
end:
  %all = phi double [%red, %add], [%new, %one]
  store double %all, ptr %to
  ret void"""
    return kernel("products", body)
