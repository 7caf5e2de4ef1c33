"""The kernels of block programs, each compiled when it is first asked for, once per process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from scalargrad.compiling.llvm.blocks import dense, lane_kernels, uniform_kernels
from scalargrad.compiling.llvm.blocks.fusing import ops_of
from scalargrad.compiling.llvm.blocks.records import MANY, tile
from scalargrad.compiling.llvm.library import Machinery, once
from scalargrad.compiling.llvm.machine import opcodes
from scalargrad.compiling.llvm.primitives import HELPERS, Lanes

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.blocks.fusing import Shape

MAKERS: dict[str, Callable[[Lanes], str]] = {
    "dense_4": lambda t: dense.dense(t, MANY), "dense_1": lambda t: dense.dense(t, 1), "outer": dense.outer,
    "gather": lambda t: uniform_kernels.gather(), "move": lambda t: uniform_kernels.move(),
    "scatter": lambda t: uniform_kernels.scatter(),
    "fetch": lambda t: uniform_kernels.fetch(), "hand": lambda t: uniform_kernels.hand(),
    "products": uniform_kernels.products, "copy": lane_kernels.copy, "splat": lane_kernels.splat,
    "pack": lane_kernels.pack, "blank": lane_kernels.blank, "sums": lane_kernels.sums, "column": lane_kernels.column,
}  # fmt: skip
"""The kernels that are no ops."""
EFFORT = {"dense_4": 2, "dense_1": 2, "outer": 2, "sums": 1, "products": 1, "gather": 1, "scatter": 1}
"""How much trouble LLVM shall take; none over loops that wait for memory, which it compiles in a tenth of the time."""


@once
def _fixed(name: str) -> Machinery:
    t = tile()
    text = "\n".join([MAKERS[name](t), *dense.declarations(t)])
    return Machinery(text, [name], EFFORT.get(name, 0))


@once
def _op(name: str, form: str) -> Machinery:
    t, one, opcode = tile(), Lanes(1), opcodes()[name]
    text, function = {
        "side": lambda: (uniform_kernels.op(t, name, opcode), f"op{opcode}_side"),
        "listed": lambda: (uniform_kernels.op_listed(name, opcode, one), f"op{opcode}_listed"),
        "slots": lambda: (lane_kernels.op_listed(t, name, opcode), f"op{opcode}_listed"),
    }[form]()
    return _linked(text, function, t.called | one.called, 1 if form == "side" or t.called else 0)


@once
def _fused(shape: Shape) -> Machinery:
    t = tile()
    text = lane_kernels.fused(t, shape, "fused")
    # Without effort LLVM writes to memory what is read in the next line.
    return _linked(text, "fused", t.called, 1 if t.called or len(ops_of(shape)) > 1 else 0)


def _linked(text: str, function: str, called: Collection[str], effort: int) -> Machinery:
    parts = [*sorted(called), text]
    if any("@sg_" in part for part in parts):
        parts = [HELPERS, "declare double @llvm.floor.f64(double)", *parts]
    return Machinery("\n".join(dict.fromkeys(parts)), [function], effort)


def addresses_of(name: str | Shape) -> tuple[int, int]:
    """Where a kernel is, for whole blocks and for blocks of one vector; 0 if it need not be called.

    Args:
        name: `dense`, one of MAKERS, the shape of ops over slots a step apart, `op.slots` over slots anywhere,
            `op.side` over uniform numbers side by side, `op.listed` over such anywhere.
    """
    if isinstance(name, tuple):
        at = int(_fused(name).addresses["fused"])
        return at, at
    if name == "dense":
        return int(_fixed("dense_4").addresses["dense_4"]), int(_fixed("dense_1").addresses["dense_1"])
    if name in MAKERS:
        at = int(_fixed(name).addresses[name])
        return 0 if name == "blank" else at, at
    op, _, form = name.rpartition(".")
    at = int(next(iter(_op(op, form).addresses.values())))
    return at, at
