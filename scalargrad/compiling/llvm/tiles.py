"""A program over a batch: every sample in a lane, so many side by side as the processor has lanes.

What depends on parameters alone is computed once per call, not per sample. Sums over the batch, gradients among them,
are kept per lane and added up at the end.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.llvm.library import Machinery, fuses, lanes
from scalargrad.compiling.llvm.memory import Doubles
from scalargrad.compiling.llvm.primitives import HELPERS, Lanes
from scalargrad.compiling.llvm.straight import pieces
from scalargrad.compiling.llvm.tile_loop import SHARED, driver, finish, machinery
from scalargrad.compiling.tape import (
    CONSTANT,
    MULTIPLY,
    PARAMETER,
    SOURCES,
    Instruction,
    computed,
    operands,
    varying_slots,
)

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Sum

QUICK = 3000
"""Up to so many instructions LLVM takes the trouble to keep numbers in registers; more of them it compiles faster."""


class BatchCode:
    """Machine code for a program over a batch.

    Args:
        code: primitives only.
        sums: what is added up over the samples.
        columns: the slots that are wanted for every sample.
        widths: how many numbers a sample has in each argument; inputs are numbered through.

    Attributes:
        begin: (parameters, uniform): what does not depend on samples.
        tiles: (arguments, from, to, n, parameters, uniform, memory, full, tail, columns): samples from..to of n; their
            sums are added to `full`, those of an incomplete last tile to `tail`.
        uniform, memory, accumulators: how many doubles each needs; memory and accumulators for one thread.
        width: the lanes of a tile.
        work: vector instructions per tile.
    """

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
    ) -> None:
        kinds = varying_slots(code)
        tile, one = Lanes(lanes(), quick=fuses()), Lanes(1)
        self.width = tile.width
        in_tile = [*(v for v, _ in sums if v is not None), *columns]
        in_all = [*in_tile, *(u for _, u in sums if u is not None)]
        moving = [slot for slot in computed(code, in_tile) if kinds[slot]]
        still = [slot for slot in computed(code, in_all) if not kinds[slot]]
        # The simplifier may have found out that what is added up for each sample is the same for all.
        read = {x for slot in moving for x in operands(code[slot])} | {v for v, _ in sums if v is not None}
        read |= set(columns)
        kept = {slot: len(sums) + i for i, slot in enumerate(slot for slot in still if slot in read)}
        writer = _Writer(code, sums, columns, widths, kinds, kept, tile, one, moving)
        given = ", ".join(f"ptr noalias %in{j}" for j in range(len(widths)))
        inside = f"{SHARED}, ptr noalias %acc, ptr %columns, i64 %row" + (f", {given}" if given else "")
        tile_functions, crossing = pieces(
            "tile",
            code,
            moving,
            tile,
            writer.load,
            writer.write,
            lambda s: not kinds[s] or code[s][0] in SOURCES,
            inside,
        )
        loose = writer.loose()
        still_functions, crossing_still = pieces(
            "still", code, still, one, writer.load_one, writer.write_one, lambda s: code[s][0] in SOURCES, SHARED
        )
        self.uniform = len(sums) + len(kept)
        self.accumulators = tile.width * len(sums)
        scratch = max(crossing * tile.width, crossing_still)
        self.memory = scratch + tile.width * sum(widths)
        self.work = sum(tile.work(code[slot][0]) for slot in moving) + sum(v is not None for v, _ in sums)
        names = [f"tile.{g}" for g in range(len(tile_functions))]
        if loose:  # a call takes as long as a few instructions
            names.insert(0, "tile.loose")
            tile_functions.append(f"define internal void @tile.loose({inside}) {{\n{loose}\nret void\n}}")
        around = driver(tile, widths, len(sums), scratch, names, len(still_functions), writer.loose_uniform(still))
        text = "\n".join([
            HELPERS, *sorted(tile.called | one.called | {"declare double @llvm.floor.f64(double)"}), *tile_functions,
            *still_functions, around,
        ])  # fmt: skip
        effort = 1 if len(moving) + len(still) <= QUICK else 0
        self._machinery = Machinery(text, ["begin", "tiles"], effort)
        at, p, i = self.own, ctypes.c_void_p, ctypes.c_int64
        self.begin = ctypes.CFUNCTYPE(None, p, p, p)(at["begin"])
        self.tiles = ctypes.CFUNCTYPE(None, p, i, i, i, p, p, p, p, p, p)(at["tiles"])

    @property
    def own(self) -> Mapping[str, int]:
        """The addresses of begin and tiles."""
        return self._machinery.addresses

    @property
    def finish(self) -> Any:
        """What adds up, see tile_loop.py; made when it is asked for: an optimizer's rule has nothing to add up."""
        return finish()

    @property
    def addresses(self) -> dict[str, int]:
        """Those of all three."""
        return {**self.own, "finish": machinery().addresses["finish"]}

    def working_memory(self) -> WorkingMemory:
        """Memory for one thread."""
        return WorkingMemory(self.memory)


class WorkingMemory(Doubles):
    """Memory for one thread."""

    def prepare(self, n: int) -> None:
        """Make ready for so many samples."""


class _Writer:
    """The lines around the instructions of a tile: where numbers come from, where they go."""

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int],
        kinds: Sequence[int], kept: dict[int, int], tile: Lanes, one: Lanes, moving: Sequence[int],
    ) -> None:  # fmt: skip
        self.code, self.sums, self.widths, self.kinds = code, sums, widths, kinds
        self.kept, self.tile, self.one = kept, tile, one
        self.argument_of = [(j, k) for j, width in enumerate(widths) for k in range(width)]
        self.sum_of: dict[int, list[int]] = {}
        for i, (v, _) in enumerate(sums):
            if v is not None:
                self.sum_of.setdefault(v, []).append(i)
        self.uniform_of: dict[int, list[int]] = {}
        for i, (_, u) in enumerate(sums):
            if u is not None:
                self.uniform_of.setdefault(u, []).append(i)
        self.column_of: dict[int, list[int]] = {}
        for i, slot in enumerate(columns):
            self.column_of.setdefault(slot, []).append(i)

        # A product that is wanted in one sum only is added to it as it is computed, in one instruction.
        uses = Counter(x for slot in moving for x in operands(code[slot]))
        self.products = {
            slot
            for slot, places in self.sum_of.items()
            if code[slot][0] == MULTIPLY and kinds[slot] and not uses[slot] and len(places) == 1
            and slot not in self.column_of and fuses()
        }  # fmt: skip

    def write(self, slot: int, names: list[str]) -> list[str]:
        """Compute a slot in a tile and put it where it is wanted."""
        name = f"%v{slot}"
        if slot not in self.products:
            return [*self.tile.lines(self.code[slot][0], name, names), *self.finish(slot, name)]
        t, align, i = self.tile.type, 8 * self.tile.width, self.sum_of[slot][0]
        fma = f"@llvm.fma.{self.tile.suffix}"
        self.tile.called.add(f"declare {t} {fma}({t}, {t}, {t})")
        return [
            f"{name}.a = getelementptr {t}, ptr %acc, i64 {i}",
            f"{name}.b = load {t}, ptr {name}.a, align {align}",
            f"{name} = call {t} {fma}({t} {names[0]}, {t} {names[1]}, {t} {name}.b)",
            f"store {t} {name}, ptr {name}.a, align {align}",
        ]

    def write_one(self, slot: int, names: list[str]) -> list[str]:
        """Compute a slot that is the same for all samples."""
        return [*self.one.lines(self.code[slot][0], f"%v{slot}", names), *self.keep(slot, f"%v{slot}")]

    def load_one(self, slot: int, name: str) -> list[str]:
        """A parameter or constant as a scalar."""
        kind, i = self.code[slot]
        if kind is CONSTANT:
            return [f"{name} = bitcast double {self.one.number(float.fromhex(i))} to double"]
        return [f"{name}.p = getelementptr double, ptr %parameters, i64 {i}", f"{name} = load double, ptr {name}.p"]

    def load(self, slot: int, name: str) -> list[str]:
        """What a tile reads: an input of every sample, or one number for all lanes."""
        tile, code = self.tile, self.code
        if slot in self.kept:
            place = f"ptr %uniform, i64 {self.kept[slot]}"
        else:
            kind, i = code[slot]
            if kind is CONSTANT:
                return [f"{name} = bitcast {tile.type} {tile.number(float.fromhex(i))} to {tile.type}"]
            if kind is not PARAMETER:
                return self._load_input(i, name)
            place = f"ptr %parameters, i64 {i}"
        return [
            f"{name}.p = getelementptr double, {place}",
            f"{name}.x = load double, ptr {name}.p",
            *tile.splat(name, f"{name}.x"),
        ]

    def _load_input(self, i: int, name: str) -> list[str]:
        j, k = self.argument_of[i]
        if self.widths[j] == 1:  # they lie side by side
            return [f"{name} = load {self.tile.type}, ptr %in{j}, align 8"]
        lines, before, t = [], "poison", self.tile.type
        for lane in range(self.tile.width):
            now = name if lane == self.tile.width - 1 else f"{name}.{lane}"
            lines += [
                f"{name}.p{lane} = getelementptr double, ptr %in{j}, i64 {lane * self.widths[j] + k}",
                f"{name}.x{lane} = load double, ptr {name}.p{lane}",
                f"{now} = insertelement {t} {before}, double {name}.x{lane}, i64 {lane}",
            ]
            before = now
        return lines

    def finish(self, slot: int, name: str) -> list[str]:
        """Add a number of the tile to its sums and write it to its columns."""
        lines, t, align = [], self.tile.type, 8 * self.tile.width
        for i in self.sum_of.get(slot, ()):
            lines += [
                f"{name}.a{i} = getelementptr {t}, ptr %acc, i64 {i}",
                f"{name}.b{i} = load {t}, ptr {name}.a{i}, align {align}",
                f"{name}.c{i} = fadd {t} {name}.b{i}, {name}",
                f"store {t} {name}.c{i}, ptr {name}.a{i}, align {align}",
            ]
        for i in self.column_of.get(slot, ()):
            lines += [
                f"{name}.d{i} = getelementptr ptr, ptr %columns, i64 {i}",
                f"{name}.e{i} = load ptr, ptr {name}.d{i}",
                f"{name}.f{i} = getelementptr double, ptr {name}.e{i}, i64 %row",
                f"store {t} {name}, ptr {name}.f{i}, align 8",
            ]
        return lines

    def loose(self) -> str:
        """Sums and columns of what no instruction of a tile computes: inputs, numbers that are the same for all."""
        lines = []
        for slot in dict.fromkeys([*self.sum_of, *self.column_of]):
            if not self.kinds[slot] or self.code[slot][0] in SOURCES:
                lines += [*self.load(slot, f"%v{slot}"), *self.finish(slot, f"%v{slot}")]
        return "\n".join(lines)

    def keep(self, slot: int, name: str) -> list[str]:
        """Write a number that is the same for all samples to where tiles and sums read it."""
        places = [*([self.kept[slot]] if slot in self.kept else []), *self.uniform_of.get(slot, ())]
        lines = []
        for i in places:
            lines += [
                f"{name}.k{i} = getelementptr double, ptr %uniform, i64 {i}",
                f"store double {name}, ptr {name}.k{i}",
            ]
        return lines

    def loose_uniform(self, still: Sequence[int]) -> str:
        """Sums whose uniform part is itself a parameter or constant."""
        lines, computed = [], set(still)
        for slot in self.uniform_of:
            if slot not in computed:
                lines += [*self.load_one(slot, f"%v{slot}"), *self.keep(slot, f"%v{slot}")]
        return "\n".join(lines)


@lru_cache(maxsize=32)
def batch_code(
    code: tuple[Instruction, ...], sums: tuple[Sum, ...], columns: tuple[int, ...], widths: tuple[int, ...]
) -> BatchCode:
    """The machine code, made once for programs of the same structure."""
    return BatchCode(code, sums, columns, widths)
