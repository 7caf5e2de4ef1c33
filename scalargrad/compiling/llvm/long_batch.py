"""A long program over a batch: the machine works it off sample by sample, or for several samples at once, in lanes.

It stands in for BatchCode (tiles.py), whose functions are compiled for one program. These are compiled once per process
and find the program at the address that their working memory begins with. What depends on parameters alone is computed
once per call here, too.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scalargrad.compiling.llvm import totals
from scalargrad.compiling.llvm.layout import Layout
from scalargrad.compiling.llvm.library import fuses, lanes
from scalargrad.compiling.llvm.long_loop import MEMORY, PROGRAM, ROUND, WORTH_LANES, functions
from scalargrad.compiling.llvm.machine import MachineCode, machinery
from scalargrad.compiling.llvm.memory import Doubles
from scalargrad.compiling.llvm.totals import HEAD
from scalargrad.compiling.tape import SOURCES, Instruction, varying_slots

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Sum


class LongBatchCode:
    """As BatchCode; `width` is that of vectors, and `full` has a number, not a vector, for each sum.

    Args:
        code, sums, columns, widths: as there; code may have sums of products.
    """

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
    ) -> None:
        kinds = varying_slots(code)
        added = [i for i, (slot, _) in enumerate(sums) if slot is not None]
        once_added = [i for i, (_, slot) in enumerate(sums) if slot is not None]
        in_tile = [sums[i][0] or 0 for i in added] + list(columns)
        is_still = bytearray(
            not kind and instruction[0] not in SOURCES for kind, instruction in zip(kinds, code, strict=True)
        )
        kept = _read(code, kinds, in_tile, is_still) if any(is_still) else []
        has_still = bool(once_added) or any(is_still)
        still = Layout(
            code if has_still else (),
            [*(sums[i][1] or 0 for i in once_added), *kept],
            is_still if has_still else (),
            inputs=0,
        )
        moving = Layout(code, columns, kinds, kept, sum(widths))
        room = -(-len(sums) // ROUND) * ROUND  # as the sums are gone through by vectors
        self.width, self.uniform, self.accumulators = lanes(), room + len(kept) + ROUND, HEAD + room
        self.work = moving.work
        runs = _runs(added, [moving.place[sums[i][0] or 0] for i in added])  # before places are let go of
        self._still, self._moving = MachineCode(still), MachineCode(moving)
        self._lists = [
            array("i", [*once_added, *range(room, room + len(kept))]),
            array("i", [x for run in runs for x in run]),
            array("q", widths),
        ]  # fmt: skip
        targets, places, sizes = (one.buffer_info()[0] for one in self._lists)
        p, i = ctypes.c_void_p, ctypes.c_int64
        at = functions().addresses
        self.addresses = {**at, **totals.machinery().addresses}
        self._program = array("q", [0]) * len(PROGRAM)
        for name, number in {
            **dict(zip(("still_groups", "still_count", "still_operands"), self._still.program, strict=True)),
            "still_parameters": still.parameters, "still_out": still.outputs, "still_targets": targets,
            "still_outputs": len(self._lists[0]),
            **dict(zip(("groups", "count", "operands"), self._moving.program, strict=True)),
            "inputs": moving.inputs, "parameters": moving.parameters, "given": moving.given, "out": moving.outputs,
            "runs": places, "count_of_runs": len(self._lists[1]) // 3, "added": len(added), "columns": len(columns),
            "widths": sizes, "arguments": len(widths), "sums": room, "run_one": machinery(1).addresses["run"],
        }.items():  # fmt: skip
            self._program[PROGRAM.index(name)] = number
        self.begin = ctypes.CFUNCTYPE(None, p, p, p)(at["begin"])
        self.tiles = ctypes.CFUNCTYPE(None, p, i, i, i, p, p, p, p, p, p)(at["tiles"])
        self.finish = totals.finish()

    def working_memory(self) -> WorkingMemory:
        """Memory for one thread."""
        return WorkingMemory(self)


class WorkingMemory:
    """Memory for one thread: of numbers, and from the first batch on that is worth it of vectors, too.

    Attributes:
        address: of its head, which says where the rest is.
    """

    def __init__(self, code: LongBatchCode) -> None:
        self._code = code
        self._head = Doubles(len(MEMORY))
        self.address = self._head.address
        self._parts: list[Doubles] = []
        self._say("program", code._program.buffer_info()[0])
        self._add("still", code._still.layout, 1)
        self._add("one", code._moving.layout, 1)

    def prepare(self, n: int) -> None:
        """Make ready for so many samples."""
        code = self._code
        if n >= WORTH_LANES and len(self._parts) == 2:
            code._program[PROGRAM.index("run_lanes")] = machinery(code.width, fuses()).addresses["run"]
            self._parts.append(Doubles(code.width * code.accumulators))
            self._say("accumulators", self._parts[-1].address)
            self._add("lanes", code._moving.layout, code.width)

    def _add(self, name: str, layout: Layout, width: int) -> None:
        memory = Doubles(width * layout.size)
        start = layout.inputs + layout.parameters + layout.given
        constants = array("d", [x for x in layout.constants for _ in range(width)])
        memory.view[width * start : width * start + len(constants)] = constants
        self._parts.append(memory)
        self._say(name, memory.address)

    def _say(self, name: str, address: int) -> None:
        ctypes.c_int64.from_address(self.address + 8 * MEMORY.index(name)).value = address


def _read(
    code: Sequence[Instruction], kinds: Sequence[int], outputs: Sequence[int], is_still: Sequence[int]
) -> list[int]:
    """What is computed once per call and read for each sample."""
    found = set(outputs)
    if any(kinds):
        for slot, instruction in enumerate(code):
            if kinds[slot] and instruction[0] not in SOURCES:
                found.update(instruction[1:])
    return sorted(slot for slot in found if is_still[slot])


def _runs(added: Sequence[int], places: Sequence[int]) -> list[list[int]]:
    """Sums whose numbers lie side by side as they do: which is the first, where its number lies, how many follow."""
    found: list[list[int]] = []
    for i, place in zip(added, places, strict=True):
        if found and i == found[-1][0] + found[-1][2] and place == found[-1][1] + found[-1][2]:
            found[-1][2] += 1
        else:
            found.append([i, place, 1])
    return found
