"""A program with dense layers as steps of kernels."""

from __future__ import annotations

import ctypes
from array import array
from typing import TYPE_CHECKING

from scalargrad.compiling.llvm import totals
from scalargrad.compiling.llvm.blocks.loop import HEAD, PROGRAM, functions, machinery
from scalargrad.compiling.llvm.blocks.moving import Moving
from scalargrad.compiling.llvm.blocks.records import MANY, slot_bytes
from scalargrad.compiling.llvm.blocks.still import Still
from scalargrad.compiling.llvm.library import lanes
from scalargrad.compiling.llvm.tiles import WorkingMemory

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.blocks.steps import Steps
    from scalargrad.compiling.structure.splitting import Layered

CHUNK_BYTES = 1 << 20
"""The memory of a chunk, about: it should stay in the second cache."""
CHUNK = 4, 8
"""Blocks of a chunk at least, as the gradients of weights are read and written once for each, and at most."""


class BlockCode:
    """A program over a batch, in steps. It stands in for BatchCode (tiles.py); `width` is the samples of a block."""

    def __init__(self, program: Layered) -> None:
        still = Still(program)
        moving = Moving(program, still)
        begins = still.steps()
        posts = still.late_steps(len(program.sums) - program.trained)
        self.begin, self.tiles = functions()
        self.finish = totals.finish()
        self.addresses = {**machinery().addresses, **totals.machinery().addresses}
        self.width, self.work = lanes() * MANY, moving.work * MANY
        self.uniform, self.accumulators = still.size + 2 * lanes(), totals.HEAD + moving.sums
        block, passing = moving.kept * slot_bytes(), moving.passing * slot_bytes()
        chunk = max(CHUNK[0], min(CHUNK[1], CHUNK_BYTES // max(1, block)))
        self.memory = HEAD + (passing + chunk * block) // 8
        self._steps: list[Steps] = [moving.each, moving.ends, begins, moving.lasts, posts]
        words = {
            "sums": moving.sums, "start": 8 * HEAD + passing + (chunk - 1) * block, "stride": -block, "chunk": chunk
        }  # fmt: skip
        for name, steps in zip(("each", "ends", "begins", "lasts", "posts"), self._steps, strict=True):
            words |= {name: steps.address, f"{name}_count": len(steps)}
        self._program = array("q", [words[name] for name in PROGRAM])

    def working_memory(self) -> BlockMemory:
        """Memory for one thread."""
        return BlockMemory(self.memory, self._program.buffer_info()[0])


class BlockMemory(WorkingMemory):
    """Memory for one thread, which begins with the address of the program."""

    def __init__(self, count: int, program: int) -> None:
        super().__init__(count)
        ctypes.c_int64.from_address(self.address).value = program
