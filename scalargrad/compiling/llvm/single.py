"""A program for one set of inputs: straight-line code while that compiles quickly, the machine beyond."""

from __future__ import annotations

import ctypes
import functools
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from scalargrad.compiling.llvm.machine import machine_code
from scalargrad.compiling.llvm.memory import Doubles, Numbers, Part
from scalargrad.compiling.llvm.slots import Leaves, put
from scalargrad.compiling.llvm.stepping import has_nan
from scalargrad.compiling.llvm.straight import straight
from scalargrad.compiling.tape import INPUT, PARAMETER, Instruction, Size, count_of, size_of

if TYPE_CHECKING:
    from scalargrad.engine import Value

STRAIGHT = 2000
"""Up to so many instructions straight-line code is compiled, in 0.2 s; it is three times as fast as the machine."""
TILE = 12_000
"""The same for a tile of a batch, where most of it are sums of products: LLVM takes 2 seconds for such a tile."""
LOOSE_TILE = 60_000
"""The same for other tiles, for which the machine takes up to three times as long as straight-line code."""


def takes_whole(size: Size, *, batch: bool) -> bool:
    """Whether the machine runs a program of this size: sums of products are instructions of it."""
    if not batch:
        return size.operations > STRAIGHT
    return size.operations > (TILE if 2 * size.in_sums > size.operations else LOOSE_TILE)


class Compiled(Protocol):
    """Straight-line code: `run(inputs, parameters, memory, out)`, on so many doubles of memory."""

    run: Any
    memory: int


class Room(NamedTuple):
    """Memory for one run at a time: where inputs and parameters go, how to call, where the outputs come."""

    inputs: memoryview[float]
    parameters: Part
    function: Any
    arguments: tuple[int, ...]
    out: Part


class Single:
    """run(parameters, inputs) -> the outputs, as a list of floats. Threads that call it at once have their own memory.

    A run takes a room out of the list and puts it back at its end. One that Ctrl-C ends loses the room, no more.
    """

    leaves = Leaves

    def __init__(
        self,
        code: Sequence[Instruction],
        outputs: Sequence[int],
        primal: Iterable[int] | None = None,  # noqa: ARG002  (nothing raises here)
    ) -> None:
        made = self._made = self._compiled(code, outputs)
        self.is_straight = made is not None
        if made is not None:
            self._sizes = count_of(code, INPUT), count_of(code, PARAMETER), made.memory, len(outputs)
        else:
            self._program = machine_code(code, outputs)
            layout = self._program.layout
            self._sizes = layout.inputs, layout.parameters, len(layout.constants), len(outputs)
        self._rooms = [self._room()]

    def _compiled(self, code: Sequence[Instruction], outputs: Sequence[int]) -> Compiled | None:
        """Straight-line code, if the program is short enough."""
        if takes_whole(size_of(code), batch=False):
            return None
        return straight(tuple(code), tuple(outputs))

    def _room(self) -> Room:
        inputs, parameters, third, _ = self._sizes
        starts = list(accumulate(self._sizes, initial=0))
        if self._made is not None:
            memory = Doubles(starts[-1])
            function: Any = self._made.run
            arguments = tuple(memory.address + 8 * start for start in starts[:-1])
            first = starts[3]
        else:
            layout = self._program.layout
            memory = Doubles(layout.size)
            memory.view[starts[2] : starts[2] + third] = array("d", layout.constants)
            function, arguments, first = self._program.run, (memory.address,), layout.outputs
        out = Part(memory, first, self._sizes[3])
        return Room(memory.view[:inputs], Part(memory, inputs, parameters), function, arguments, out)

    def bound(
        self, source: memoryview[float], target: memoryview[float], leaves: Sequence[Value]
    ) -> Callable[[], None]:
        """A function that runs the program from memory to memory; the leaves' numbers are read anew each time."""
        if self._made is not None:
            return self._straight(self._made, source, target, leaves)
        run, found = self.resident(source, leaves)

        def run_and_copy() -> None:
            run()
            target[:] = found

        return run_and_copy

    def resident(
        self, source: memoryview[float], leaves: Sequence[Value], watched: slice | None = None
    ) -> tuple[Callable[[], object], memoryview[float]]:
        """The same, and the memory in which it leaves the outputs; it returns whether nan is among those watched."""
        made, out = self._made, Numbers()
        if made is not None:
            out = Doubles(self._sizes[3])
            finish = self._straight(made, source, out.view, leaves)
        else:
            room, held = self._room(), Leaves(leaves)  # the machine has its inputs in the middle of its memory
            out, inputs, parameters, given = room.out, room.inputs, room.parameters, source[: len(room.inputs)]
            put_all = held.putting(parameters, len(parameters))
            work = functools.partial(room.function, *room.arguments)

            def finish() -> None:
                inputs[:] = given
                if put_all():
                    parameters.fill(held[: len(parameters)])
                work()

        if watched is None:
            return finish, out.view
        is_nan = self.looking_for_nan(out, watched.start, watched.stop)

        def finish_and_look() -> object:
            finish()
            return is_nan()

        return finish_and_look, out.view

    @staticmethod
    def _straight(
        made: Compiled, source: memoryview[float], target: memoryview[float], leaves: Sequence[Value]
    ) -> Callable[[], None]:
        held, parameters, memory = Leaves(leaves), Doubles(len(leaves)), Doubles(made.memory)
        source_at, target_at = (
            ctypes.addressof(ctypes.c_char.from_buffer(view)) if len(view) else None for view in (source, target)
        )
        run: Any = functools.partial(made.run, source_at, parameters.address, memory.address, target_at)
        run.keep = made, source, target, parameters, memory  # as long as the function lives
        if not leaves:
            return run  # type: ignore[no-any-return]

        def with_leaves() -> None:
            put(held, parameters, len(leaves))
            run()

        return with_leaves

    def __call__(self, parameters: Sequence[float], inputs: Sequence[float]) -> list[float]:
        """The outputs."""
        room = self._finished(parameters, inputs)
        found: list[float] = room.out.view.tolist()
        self._rooms.append(room)
        return found

    def unless_nan(
        self, parameters: Sequence[float], inputs: Sequence[float], first: int, end: int
    ) -> list[float] | None:
        """The outputs; None if nan is among those from `first` to before `end`."""
        room = self._finished(parameters, inputs)
        is_nan = self.looking_for_nan(room.out, first, end)()
        found: list[float] | None = None if is_nan else room.out.view.tolist()
        self._rooms.append(room)
        return found

    def looking_for_nan(self, numbers: Numbers, first: int, end: int) -> Callable[[], object]:
        """What tells whether nan is among those from `first` to before `end`."""
        return functools.partial(has_nan(), numbers.address + 8 * first, end - first)

    def _finished(self, parameters: Sequence[float], inputs: Sequence[float]) -> Room:
        """A room in which the program has run, which is to be put back."""
        try:
            room = self._rooms.pop()
        except IndexError:  # all are in use
            room = self._room()
        inputs_at = room.inputs
        # What the program does not read may be missing in its code: the last ones then are too many here.
        n = len(inputs_at)
        if n:
            inputs_at[:] = inputs if type(inputs) is array and len(inputs) == n else array("d", inputs[:n])
        put(parameters, room.parameters, len(room.parameters))
        room.function(*room.arguments)
        return room
