"""A program over a batch: memory, threads and calls around its machine code."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from scalargrad.compiling.llvm.blocks.code import BlockCode
from scalargrad.compiling.llvm.long_batch import LongBatchCode
from scalargrad.compiling.llvm.memory import Doubles, table
from scalargrad.compiling.llvm.single import takes_whole
from scalargrad.compiling.llvm.slots import Leaves, put
from scalargrad.compiling.llvm.stepping import calls, has_nan
from scalargrad.compiling.llvm.threads import begun, cores, wait_for
from scalargrad.compiling.llvm.tiles import batch_code
from scalargrad.compiling.tape import PARAMETER, count_of, size_of

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Sum
    from scalargrad.compiling.llvm.memory import Numbers
    from scalargrad.compiling.llvm.stepping import Block, Calls, Memory
    from scalargrad.compiling.samples import Samples
    from scalargrad.compiling.structure.splitting import Layered
    from scalargrad.compiling.tape import Instruction


class Code(Protocol):
    """What BatchCode in tiles.py describes: a program over a batch as code for some memory."""

    width: int
    work: int
    uniform: int
    accumulators: int
    begin: Any

    @property
    def addresses(self) -> Mapping[str, int]:
        """Those of begin, tiles and finish."""

    @property
    def finish(self) -> Any:
        """The function that adds up."""

    @property
    def tiles(self) -> Any:
        """The function that runs over samples."""

    def working_memory(self) -> Any:
        """Memory for one thread."""


WORTH_A_THREAD = 750_000
"""Vector instructions, 300 microseconds or more, for two threads: to hand work over and wait for it costs 20 to 60."""


class BatchRunner:
    """The sums and columns of a program over a batch. Threads that run it at once have memory of their own.

    A run takes a room out of the list and gives it back at its end. One that Ctrl-C ends loses the room, no more, in
    which helping threads may still be at work.
    """

    leaves = Leaves

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
    ) -> None:
        made: Code
        if takes_whole(size_of(code), batch=True):
            made = LongBatchCode(code, sums, columns, widths)
        else:
            made = batch_code(tuple(code), tuple(sums), tuple(columns), tuple(widths))
        self._set_up(made, count_of(code, PARAMETER), len(sums), len(columns))

    def _set_up(self, code: Code, parameters: int, sums: int, columns: int) -> None:
        self._code, self._count, self._sums, self._columns = code, parameters, sums, columns
        self._rooms: list[Room] = []
        self.give_back(self.take())

    @property
    def padding(self) -> int:
        """So many numbers behind the parameters may be read with them."""
        return self._code.width

    def take(self) -> Room:
        """Memory that nobody else has, until it is given back."""
        try:
            return self._rooms.pop()
        except IndexError:  # all are in use
            return Room(self._code, self._count, self._sums, self._columns)

    def give_back(self, room: Room) -> None:
        """To be called when nothing is at work in it any more, and not after an error."""
        self._rooms.append(room)

    def calls(self, memory: Memory) -> Calls:  # noqa: ARG002  (another backend has a step for each program and rule)
        """What a training step on this memory consists of, with this program."""
        return calls()

    def run(
        self, samples: Sequence[Samples], n: int, parameters: Sequence[float], mean: bool
    ) -> tuple[list[float], list[list[float]]]:
        """The sums and the columns."""
        room = self._swept(samples, n, parameters, mean)
        found = room.out.view[: self._sums].tolist(), room.columns(n)
        self.give_back(room)
        return found

    def unless_nan(
        self, samples: Sequence[Samples], n: int, parameters: Sequence[float], mean: bool
    ) -> tuple[list[float], list[list[float]]] | None:
        """The same; None if nan is among them."""
        room = self._swept(samples, n, parameters, mean)
        found = None
        if not (self.has_nan(room.out, self._sums) or any(self.has_nan(one, n) for one in room.column_room)):
            found = room.out.view[: self._sums].tolist(), room.columns(n)
        self.give_back(room)
        return found

    def has_nan(self, numbers: Numbers, count: int) -> bool:
        """Whether nan is among the first so many numbers."""
        return bool(has_nan()(numbers.address, count))

    def _swept(self, samples: Sequence[Samples], n: int, parameters: Sequence[float], mean: bool) -> Room:
        """A room in which the program has run, which is to be given back."""
        room = self.take()
        put(parameters, room.parameters, self._count)
        room.sweep(samples, n, mean)
        return room


class BlockRunner(BatchRunner):
    """The same for a program with dense layers.

    Attributes:
        layers: they, in words.
    """

    layers: list[str]

    def __init__(self, program: Layered) -> None:
        self._set_up(BlockCode(program), program.parameters, len(program.sums), len(program.columns))


class Room:
    """Memory for one run at a time.

    Attributes:
        out: the sums of the last run.
        samples: what it ran over.
        parameters: where a run reads the parameters.
        arguments, column_table: tables of addresses: where the samples lie, and where the columns go.
    """

    def __init__(self, code: Code, parameters: int, sums: int, columns: int) -> None:
        self._code = code
        self.parameters = Doubles(parameters + code.width)
        self.out = Doubles(sums + code.width)
        self._uniform = Doubles(code.uniform)
        self._sums, self._columns = sums, columns
        self._parts = 0
        self._room(1)
        self._read: Doubles | None = None
        self.column_room: list[Doubles] = []
        self._capacity = -1
        self.column_table = table([])
        self.samples: Sequence[Samples] = ()
        self.arguments = table([])

    def _room(self, parts: int) -> None:
        if parts > self._parts:
            made = self._code
            self._parts = parts
            self._memory = [made.working_memory() for _ in range(parts)]
            self._full, self._tail = Doubles(parts * made.accumulators), Doubles(made.accumulators)

    def _column_capacity(self, n: int) -> None:
        if self._columns and n > self._capacity:
            self._capacity = n
            self.column_room = [Doubles(n + self._code.width) for _ in range(self._columns)]
            self.column_table = table([room.address for room in self.column_room])

    def parts(self, n: int) -> int:
        """Over how many threads a batch of n samples is worth to be divided."""
        made, width = self._code, self._code.width
        if n <= width or made.work * n <= WORTH_A_THREAD * width:
            return 1
        return max(1, min(cores(), made.work * n // (WORTH_A_THREAD // 2 * width), n // width))

    def aim(self, samples: Sequence[Samples], n: int) -> None:
        """Make ready for these samples, unless they are the last ones again."""
        if samples is not self.samples:
            self.samples = ()  # until the table is there, should Ctrl-C come in between
            self.arguments = table([one.address for one in samples])
            self.samples = samples
        self._column_capacity(n)
        for memory in self._memory:
            memory.prepare(n)

    def fill(self, block: Block, samples: Sequence[Samples], n: int, mean: bool, parameters: int) -> None:
        """Tell a native training step where everything is."""
        self.aim(samples, n)
        made = self._code
        lasting = parameters, self._full.address, self._uniform.address
        if block.lasting != lasting:
            for name, value in {
                **made.addresses, "parameters": parameters, "uniform": self._uniform.address,
                "memory": self._memory[0].address, "full": self._full.address, "tail": self._tail.address,
                "out": self.out.address, "sums": self._sums,
            }.items():  # fmt: skip
                block[name] = value
            block.lasting = lasting
        arguments, columns = ctypes.addressof(self.arguments), ctypes.addressof(self.column_table)
        block.aim(n, n % made.width, arguments, columns, *((float(n), 1.0) if mean else (1.0, float(n))))

    def sweep(self, samples: Sequence[Samples], n: int, mean: bool, others: Doubles | None = None, at: int = 0) -> None:
        """Run over the samples; fills `out`.

        Args:
            samples: they.
            n: how many.
            mean: whether to divide the loss by n.
            others: memory to read the parameters from, in place of `parameters`.
            at: where in there they begin.
        """
        self._read = others  # it must live as long as helping threads read it, even if Ctrl-C ends this call
        made, width = self._code, self._code.width
        parts = self.parts(n)
        self._room(parts)
        self.aim(samples, n)
        arguments = self.arguments
        parameters = self.parameters.address if others is None else others.address + 8 * at
        uniform = self._uniform.address
        tail, full, columns = self._tail.address, self._full.address, self.column_table
        made.begin(parameters, uniform, self._memory[0].address)
        if parts == 1:
            made.tiles(arguments, 0, n, n, parameters, uniform, self._memory[0].address, full, tail, columns)
        else:
            tiles = n // width
            cuts = [tiles * k // parts * width for k in range(parts)] + [n]

            def part(k: int) -> None:
                made.tiles(
                    arguments, cuts[k], cuts[k + 1], n, parameters, uniform, self._memory[k].address,
                    full + 8 * k * made.accumulators, tail, columns,
                )  # fmt: skip

            helping = begun([partial(part, k) for k in range(1, parts)])
            part(0)
            wait_for(helping)
        divisor, factor = (float(n), 1.0) if mean else (1.0, float(n))
        made.finish(full, parts, tail, n % width, uniform, self.out.address, self._sums, divisor, factor)

    def columns(self, n: int) -> list[list[float]]:
        """What the last run found for each of n samples."""
        return [room.view[:n].tolist() for room in self.column_room]
