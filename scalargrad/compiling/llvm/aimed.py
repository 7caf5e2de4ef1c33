"""A program over batches, aimed at parameters that a training keeps in its memory."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from scalargrad.compiling.llvm.stepping import Block

if TYPE_CHECKING:
    from scalargrad.compiling.batch_program import BatchProgram
    from scalargrad.compiling.groups import Batch, Group
    from scalargrad.compiling.llvm.batch import BatchRunner
    from scalargrad.compiling.llvm.stepping import Memory
    from scalargrad.engine import Value

FINE, BROKEN, NAN = range(3)
"""What a sweep says: all is well, a comparison comes out otherwise, or a gradient that may need masks is nan."""
KEPT = 256
"""Of so many batches that stay where they are it remembers how it was aimed at them."""
_UNKNOWN = None, None, b""


class Aimed:
    """A program whose parameters lie in a training's memory.

    Where they lie there in another order than the program reads them, or with others in between, they are gathered
    before each run, and its gradients are put in the order of the training.

    Args:
        program: it.
        update: the memory.
        leaves: what lies there: the parameters that are moved, then the others.

    Attributes:
        program: as given.
        room: what it runs in.
        address: of the block that a native step reads.
        step: a native step, of that address.
        is_wide: whether the samples are worth more than one thread.
    """

    def __init__(self, program: BatchProgram, update: Memory, leaves: Sequence[Value]) -> None:
        self._update = update
        self.program, self.runner = program, cast("BatchRunner", program.runner)
        self.room = self.runner.take()
        self._batch: Batch | None = None
        self._known: dict[Batch, tuple[Any, Any, bytes]] = {}
        self._calls = self.runner.calls(update)
        self.step = self._calls.step
        self.is_wide = False
        block, n = Block(), update.n
        self._block, self.address = block, block.address
        places = {leaf: i for i, leaf in enumerate(leaves)}
        wanted = [places[leaf] for leaf in program.leaves]
        inverse = [-1] * n
        for k, place in enumerate(wanted[: program.trained]):
            inverse[place] = k
        is_in_order = wanted == list(range(len(wanted))) and program.trained == n
        self._places = None if is_in_order else _whole_numbers(wanted)
        self._inverse = None if is_in_order else _whole_numbers(inverse)
        self._count = min(len(wanted), len(self.room.parameters))  # it reads no more of them
        for name, value in {
            **update.fields, "from": update.parameters, "leaves": self._count, "places": _address(self._places),
            "inverse": _address(self._inverse), "found": self.room.out.address + 16,
            **self._calls.fields(() if is_in_order else ("gather", "collect")),
        }.items():  # fmt: skip
            block[name] = value
        self.stops_at_nan(program.may_have_masks)

    def stops_at_nan(self, flag: bool) -> None:
        """Whether a gradient that is nan is looked for."""
        self._stops = flag
        for name, value in {"stops_at_nan": int(flag), **self._calls.fields(["has_nan"] if flag else ())}.items():
            self._block[name] = value

    def release(self) -> None:
        """Give back what it runs in. Nothing may be at work there any more."""
        self.runner.give_back(self.room)

    def rest(self) -> None:
        """Give it back, until `wake`."""
        self._batch, self._known = None, {}
        self.release()

    def wake(self) -> None:
        """Take a room again, as a rule the same."""
        room = self.runner.take()
        if room is not self.room:
            self.room, self._block.lasting = room, None
            self._block["found"] = room.out.address + 16

    def aim(self, group: Group, batch: Batch, mean: bool) -> None:
        """Make ready for these samples of a batch, unless they are the last ones again."""
        if batch is self._batch:
            return
        room, n = self.room, len(group.rows)
        self._batch = None  # should Ctrl-C end this halfway, the block is aimed at nothing
        columns, _, fields = self._known.get(batch, _UNKNOWN)
        if columns is room.column_table:
            self.is_wide = False
            self._block.aim_again(fields)
            self._batch = batch
            return
        self.is_wide = room.parts(n) > 1
        if self.is_wide:
            return
        parameters = room.parameters.address if self._places is not None else self._update.parameters
        room.fill(self._block, group.samples, n, mean, parameters)
        if mean and n != batch.n:
            self._block["divisor"], self._block["factor"] = float(batch.n), n / batch.n
        if batch.lasts:
            if len(self._known) >= KEPT:
                self._known = {}
            self._known[batch] = room.column_table, room.arguments, self._block.aims()
        self._batch = batch

    def sweep(self, group: Group, batch: Batch, mean: bool, into: int, is_first: bool) -> tuple[int, float]:
        """Run over samples of a batch, and add their gradients to what is collected, if all is well.

        Args:
            group: the samples.
            batch: all of them.
            mean: whether to divide by their number.
            into: the address of what is collected.
            is_first: whether there is nothing yet.

        Returns:
            What it says, as above, and the loss; the rest is in `room`.
        """
        self.aim(group, batch, mean)
        update = self._update
        divisor = 1.0
        if self.is_wide:
            # Another room each time: the helping threads of an interrupted call go on.
            room, n = self.runner.take(), len(group.rows)
            if mean and n != batch.n:
                mean, divisor = False, float(batch.n)
            if self._places is None:
                room.sweep(group.samples, n, mean, update.now, update.start)
            else:
                self._calls.gather(update.parameters, _address(self._places), self._count, room.parameters.address)
                room.sweep(group.samples, n, mean)
            self.room, before = room, self.room
            self._batch, self._known = None, {}  # they are aimed at that one
            self.runner.give_back(before)
            self._block["found"] = room.out.address + 16
            says = BROKEN if room.out.view[1] != 0.0 else FINE
            if says == FINE and self._stops and self._calls.has_nan(room.out.address + 16, self.program.trained):
                says = NAN
        else:
            says = self._calls.sweep(self.address)
        if says == FINE:
            found = self.room.out.address + 16
            if is_first and divisor == 1.0 and self._inverse is None:
                ctypes.memmove(into, found, 8 * update.n)
            else:
                self._calls.collect(found, _address(self._inverse), update.n, divisor, into, int(is_first))
        return says, float(self.room.out.view[0]) / divisor


def _whole_numbers(numbers: Sequence[int]) -> ctypes.Array[ctypes.c_int64]:
    return (ctypes.c_int64 * max(1, len(numbers)))(*numbers)


def _address(numbers: ctypes.Array[ctypes.c_int64] | None) -> int:
    return 0 if numbers is None else ctypes.addressof(numbers)
