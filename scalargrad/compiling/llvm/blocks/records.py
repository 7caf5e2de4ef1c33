"""How kernels are called: a record of 64-bit words for each step of a program, and the context of the run.

A kernel is a function (record, context). It knows nothing of one program: sizes and places stand in the record, the
addresses of memory in the context, so each is compiled once per process. Memory of samples is [block][slot][vector]:
a slot is one number of the tape for all samples of a block, which are four vectors of lanes side by side. The samples
left over at the end of a batch are blocks of one vector; in memory they look the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from scalargrad.compiling.llvm.library import fuses, lanes
from scalargrad.compiling.llvm.primitives import Lanes

WORDS = 16
"""Of a record: the kernel for whole blocks, the one for blocks of one vector, then what it is told."""
GIVEN = 2
"""Where in a record that begins."""
CONTEXT = (
    "base", "parameters", "uniform", "full", "columns", "row", "blocks", "whole", "stride", "valid", "arguments",
    "vectors",
)  # fmt: skip
"""Words of the context: the memory of the first or only block; what does not differ from sample to sample; the sums of
this part; the columns; the first sample; how many blocks, how many of them whole, from one to the next how many bytes;
how many lanes of the last one are samples; the samples' arguments; vectors of the only block."""
POINTERS = frozenset(("base", "parameters", "uniform", "full", "columns", "arguments"))
MANY = 4
"""Vectors of a whole block."""


def tile() -> Lanes:
    """The processor's lanes."""
    return Lanes(lanes(), quick=fuses())


def slot_bytes() -> int:
    """Of a slot of a block."""
    return 8 * lanes() * MANY


def read(*names: str, context: Sequence[str] = ()) -> str:
    """Lines that load the words of a record in their order, `p:name` for a pointer and `_` for none, and context."""
    lines = []
    for i, name in enumerate(names, GIVEN):
        if name != "_":
            kind = "ptr" if name.startswith("p:") else "i64"
            word = name.removeprefix("p:")
            lines += [f"%{word}.word = getelementptr i64, ptr %r, i64 {i}", f"%{word} = load {kind}, ptr %{word}.word"]
    for name in context:
        kind = "ptr" if name in POINTERS else "i64"
        lines += [
            f"%{name}.word = getelementptr i64, ptr %c, i64 {CONTEXT.index(name)}",
            f"%{name} = load {kind}, ptr %{name}.word",
        ]
    return "\n  ".join(lines)


def kernel(name: str, body: str) -> str:
    """A function (record, context)."""
    return f"define void @{name}(ptr %r, ptr %c) {{\nentry:\n  {body}\n}}\n"


def place(name: str, base: str, number: str) -> str:
    """Lines for the address of the slot of this number."""
    return f"%{name}.o = mul i64 {number}, {slot_bytes()}\n  %{name} = getelementptr i8, ptr {base}, i64 %{name}.o"


def for_each(name: str, count: str, body: str, before: str, after: str, last: str = "") -> str:
    """A loop over %name from 0 to count, at least once, from the label `before` to the label `after`.

    Args:
        name: of the counter.
        count: an i64.
        body: lines; %name is theirs to read.
        before: the label of the block that jumps here.
        after: the label of the block to go on with.
        last: the label in which the body ends, if it has any.
    """
    return f"""br label %{name}.loop
{name}.loop:
  %{name} = phi i64 [0, %{before}], [%{name}.next, %{last or f"{name}.loop"}]
  {body}
  %{name}.next = add i64 %{name}, 1
  %{name}.more = icmp slt i64 %{name}.next, {count}
  br i1 %{name}.more, label %{name}.loop, label %{after}
{after}:"""


def listed(name: str, table: str, i: str) -> str:
    """Lines for the number of a list of 32-bit numbers at a position."""
    return (
        f"%{name}.l = getelementptr i32, ptr {table}, i64 {i}\n  %{name}.n = load i32, ptr %{name}.l, align 4\n"
        f"  %{name} = sext i32 %{name}.n to i64"
    )


def vector(name: str, base: str, v: str, t: Lanes) -> str:
    """Lines for %name.from, the address of a vector of a slot, and %name, the vector."""
    return (
        f"%{name}.from = getelementptr {t.type}, ptr {base}, i64 {v}\n"
        f"  %{name} = load {t.type}, ptr %{name}.from, align {8 * t.width}"
    )


def stored(name: str, base: str, v: str, t: Lanes, align: int = 0) -> str:
    """Lines that store %name in a vector of a slot."""
    return (
        f"%{name}.to = getelementptr {t.type}, ptr {base}, i64 {v}\n  store {t.type} %{name}, ptr %{name}.to, align"
        f" {align or 8 * t.width}"
    )
