"""A program over a batch: two samples side by side in the lanes of WebAssembly's vectors.

What depends on parameters alone is computed once per call, not per sample. Sums over the batch, gradients among them,
are kept per lane and added up at the end.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from scalargrad.compiling.llvm.batch import BatchRunner as InRooms
from scalargrad.compiling.llvm.in_memory import InMemory as OfAnyCode
from scalargrad.compiling.llvm.tiles import WorkingMemory
from scalargrad.compiling.pipeline import has_nan
from scalargrad.compiling.tape import (
    CONSTANT,
    PARAMETER,
    SOURCES,
    Instruction,
    computed,
    count_of,
    operands,
    varying_slots,
)
from scalargrad.compiling.wasm.assembling import assembled
from scalargrad.compiling.wasm.binary import F64_LOAD, F64_STORE, Function, get, module, number, unsigned
from scalargrad.compiling.wasm.helpers import HELPERS
from scalargrad.compiling.wasm.library import loaded
from scalargrad.compiling.wasm.primitives import Code, Lanes, library_functions
from scalargrad.compiling.wasm.stepping import calls
from scalargrad.compiling.wasm.straight import pieces

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Sum
    from scalargrad.compiling.llvm.memory import Numbers
    from scalargrad.compiling.llvm.stepping import Calls, Memory

WIDTH = 2
PARAMETERS, UNIFORM, MEMORY, TOTALS, COLUMNS, ROW, FIRST = range(7)
"""The parameters of the functions of a tile: addresses, the number of its first sample, and an address for each
argument of a sample. Those of what is computed once per call are the first three."""
I32_LOAD, I32_ADD, EIGHT_TIMES = b"\x28\x02", b"\x6a", b"\x41\x08\x6c"


class BatchCode:
    """A module for a program over a batch.

    Args:
        code: primitives only.
        sums: what is added up over the samples.
        columns: the slots that are wanted for every sample.
        widths: how many numbers a sample has in each argument; inputs are numbered through.

    Attributes:
        exports: its functions: begin, tiles and finish as llvm/tiles.py and llvm/tile_loop.py describe them, with
            addresses in place of tables.
        uniform, memory, accumulators: how many doubles each needs.
        width: the lanes of a tile.
        work: 0, as there are no threads that it could be divided between.
        addresses, own: none, as modules call each other by name.
    """

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
    ) -> None:
        binary, self.uniform, self.memory = written(code, sums, columns, widths)
        self.width, self.accumulators, self.work = WIDTH, WIDTH * len(sums), 0
        self.addresses = self.own = dict.fromkeys(("begin", "tiles", "finish"), 0)
        self.exports = loaded(binary)
        self.begin, self.finish = self.exports["begin"], self.exports["finish"]
        self._tiles = self.exports["tiles"]

    def tiles(self, arguments: ctypes.Array[ctypes.c_void_p], *numbers: int | ctypes.Array[ctypes.c_void_p]) -> None:
        """Run over samples; the first argument and the last are tables."""
        *others, columns = numbers
        self._tiles(ctypes.addressof(arguments), *others, ctypes.addressof(columns))  # type: ignore[arg-type]

    def working_memory(self) -> WorkingMemory:
        """Memory to run in."""
        return WorkingMemory(self.memory)


def written(
    code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
) -> tuple[bytes, int, int]:
    """The module, how many doubles are uniform, and how many of memory it needs."""
    kinds = varying_slots(code)
    in_tile = [*(v for v, _ in sums if v is not None), *columns]
    in_all = [*in_tile, *(u for _, u in sums if u is not None)]
    moving = [slot for slot in computed(code, in_tile) if kinds[slot]]
    still = [slot for slot in computed(code, in_all) if not kinds[slot]]
    read = {x for slot in moving for x in operands(code[slot])} | set(in_tile)
    kept = {slot: len(sums) + i for i, slot in enumerate(slot for slot in still if slot in read)}
    writer = _Writer(code, sums, columns, widths, kept)
    shared, inside = "iii", "i" * (FIRST + len(widths))
    tile_functions, crossing = pieces(
        "tile", code, moving, writer.lanes, writer.load, writer.finish,
        lambda slot: not kinds[slot] or code[slot][0] in SOURCES, inside, MEMORY,
    )  # fmt: skip
    still_functions, crossing_still = pieces(
        "still",
        code,
        still,
        Lanes(1),
        writer.load_one,
        writer.keep,
        lambda slot: code[slot][0] in SOURCES,
        shared,
        MEMORY,
    )
    # What no instruction computes: inputs, parameters, constants, and in a tile what is the same for all samples.
    loose: Code = []
    for slot in dict.fromkeys(in_tile):
        if not kinds[slot] or code[slot][0] in SOURCES:
            local = FIRST + len(widths)
            loose += [*writer.load(slot), b"\x21", unsigned(local), *writer.finish(slot, get(local))]
    tile_functions.append(Function("tile.loose", f"{inside}>", writer.lanes.kind, loose))
    begin: Code = []
    for slot in writer.uniform_of:
        if code[slot][0] in SOURCES:
            begin += writer.kept_at(slot, writer.load_one(slot))
    for one in still_functions:
        begin += [*map(get, range(3)), one.name]
    scratch = max(crossing * WIDTH, crossing_still)
    names = [one.name for one in tile_functions if one.code]
    functions = [
        *HELPERS, *still_functions, Function("begin", f"{shared}>", "", begin), *tile_functions,
        _tiles(widths, len(sums), scratch, names), _FINISH,
    ]  # fmt: skip
    binary = module(functions, library_functions(), ["begin", "tiles", "finish"])
    return binary, len(sums) + len(kept), scratch + WIDTH * sum(widths)


class _Writer:
    """Where the numbers of a tile come from, and where they go."""

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int],
        kept: dict[int, int],
    ) -> None:  # fmt: skip
        self._code, self._kept, self.lanes = code, kept, Lanes(WIDTH)
        self._argument_of = [(j, width, k) for j, width in enumerate(widths) for k in range(width)]
        self._sum_of, self.uniform_of, self._column_of = (
            _places(slots) for slots in ([v for v, _ in sums], [u for _, u in sums], columns)
        )

    def load(self, slot: int) -> Code:
        """What a tile reads: an input of every sample, or one number for all lanes."""
        if slot in self._kept:
            return [get(UNIFORM), self.lanes.spread, unsigned(8 * self._kept[slot])]
        kind, i = self._code[slot]
        if kind is CONSTANT:
            return [self.lanes.number(float.fromhex(i))]
        if kind is PARAMETER:
            return [get(PARAMETERS), self.lanes.spread, unsigned(8 * i)]
        j, width, k = self._argument_of[i]
        return self.lanes.input(FIRST + j, width, k)

    def load_one(self, slot: int) -> Code:
        """A parameter or constant."""
        kind, i = self._code[slot]
        return [number(float.fromhex(i))] if kind is CONSTANT else [get(PARAMETERS), F64_LOAD, unsigned(8 * i)]

    def finish(self, slot: int, value: bytes) -> Code:
        """Add a number of the tile to its sums and write it to its columns."""
        lines: Code = []
        lanes, total = self.lanes, get(TOTALS)
        for i in self._sum_of.get(slot, ()):
            place = unsigned(8 * WIDTH * i)
            lines += [total, total, lanes.load, place, value, lanes.add, lanes.store, place]
        for i in self._column_of.get(slot, ()):
            lines += [
                get(COLUMNS), I32_LOAD, unsigned(4 * i), get(ROW), EIGHT_TIMES, I32_ADD, value, lanes.store, b"\0",
            ]  # fmt: skip
        return lines

    def keep(self, slot: int, value: bytes) -> Code:
        """Write a number that is the same for all samples to where tiles and sums read it."""
        return self.kept_at(slot, [value])

    def kept_at(self, slot: int, value: Code) -> Code:
        """The same, with the instructions that put it on the stack."""
        places = [*([self._kept[slot]] if slot in self._kept else []), *self.uniform_of.get(slot, ())]
        return [part for i in places for part in (get(UNIFORM), *value, F64_STORE, unsigned(8 * i))]


def _places(slots: Sequence[int | None]) -> dict[int, list[int]]:
    """For each slot where it stands."""
    places: dict[int, list[int]] = {}
    for i, slot in enumerate(slots):
        if slot is not None:
            places.setdefault(slot, []).append(i)
    return places


def _tiles(widths: Sequence[int], sums: int, scratch: int, names: Sequence[str]) -> Function:
    """The loop over the tiles of a batch. Where the last one is incomplete, its last sample is there twice."""
    arguments = range(len(widths))
    starts = [8 * (scratch + WIDTH * sum(widths[:j])) for j in arguments]
    rows = " ".join(
        f"$arguments i32.load {4 * j} $row {8 * width} i32.mul i32.add =at{j}" for j, width in enumerate(widths)
    )
    pads = " ".join(f"$memory {start} i32.add =at{j}" for j, start in enumerate(starts))
    copies = " ".join(
        f"$memory {start} i32.add $lane {8 * width} i32.mul i32.add"
        f" $arguments i32.load {4 * j} $least {8 * width} i32.mul i32.add {8 * width} memory.copy"
        for j, (start, width) in enumerate(zip(starts, widths, strict=True))
    )
    given = " ".join(f"$at{j}" for j in arguments)

    def each(totals: str) -> str:
        return " ".join(f"$parameters $uniform $memory {totals} $columns $row {given} call {name}" for name in names)

    return assembled(
        "tiles",
        "arguments:i from:i to:i n:i parameters:i uniform:i memory:i full:i tail:i columns:i",
        "",
        "row:i after:i lane:i least:i " + " ".join(f"at{j}:i" for j in arguments),
        f"""
        $full 0 {8 * WIDTH * sums} memory.fill
        $from =row
        block loop
          $row {WIDTH} i32.add =after
          $after $to i32.gt_s br_if 1
          {rows} {each("$full")}
          $after =row
          br 0
        end end
        $row $to i32.ge_s if return end
        loop
          $row $lane i32.add =least
          $least $to 1 i32.sub $least $to i32.lt_s select =least
          {copies}
          $lane 1 i32.add =lane
          $lane {WIDTH} i32.lt_s br_if 0
        end
        $tail 0 {8 * WIDTH * sums} memory.fill
        {pads} {each("$tail")}
        """,
    )


_FINISH = assembled(
    "finish",
    "full:i parts:i tail:i valid:i uniform:i out:i sums:i divisor:d factor:d",
    "",
    "i:i place:i sum:d",
    f"""
    block loop
      $i $sums i32.ge_s br_if 1
      $i {8 * WIDTH} i32.mul =place
      $full $place i32.add f64.load 0 =sum
      $valid if $sum $tail $place i32.add f64.load 0 f64.add =sum end
      $out $i 8 i32.mul i32.add
      $sum $full $place i32.add f64.load 8 f64.add $divisor f64.div
      $uniform $i 8 i32.mul i32.add f64.load 0 $factor f64.mul f64.add
      f64.store 0
      $i 1 i32.add =i
      br 0
    end end
    """,
)
"""out = (full + tail) / divisor + uniform * factor for so many sums; of the tail at most the first lane is valid."""


@lru_cache(maxsize=32)
def batch_code(
    code: tuple[Instruction, ...], sums: tuple[Sum, ...], columns: tuple[int, ...], widths: tuple[int, ...]
) -> BatchCode:
    """The module, made once for programs of the same structure."""
    return BatchCode(code, sums, columns, widths)


class BatchRunner(InRooms):
    """The sums and columns of a program over a batch."""

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
    ) -> None:
        made = self._made = batch_code(tuple(code), tuple(sums), tuple(columns), tuple(widths))
        self._set_up(made, count_of(code, PARAMETER), len(sums), len(columns))

    def calls(self, memory: Memory) -> Calls:
        """What a training step on this memory consists of, with this program."""
        return calls(self._made.exports, None if memory.code is None else memory.code.exports)

    def has_nan(self, numbers: Numbers, count: int) -> bool:
        """Whether nan is among the first so many numbers."""
        return has_nan(numbers.view[:count])


class InMemory(OfAnyCode):
    """A training step on memory that modules share."""

    _code_of_rule = staticmethod(batch_code)
