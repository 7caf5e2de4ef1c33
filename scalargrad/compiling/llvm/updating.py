"""An optimizer's rule as machine code, and the memory that it works on: parameters, gradients and running averages."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.llvm.memory import Doubles, Part, table
from scalargrad.compiling.llvm.slots import Leaves, put
from scalargrad.compiling.optimizer import States
from scalargrad.compiling.rule import granted, settings_of, update_program
from scalargrad.compiling.tape import SUBTRACT

if TYPE_CHECKING:
    from scalargrad.compiling.optimizer import Optimizer
    from scalargrad.engine import Value


CodeOfRule = Callable[..., Any]
"""Of a program over a batch its code: see `batch_code` in tiles.py."""


class Update:
    """The rule as the optimizer is set now.

    Args:
        optimizer: it.
        moving: the parameters that it moves.
        room: for how many more numbers there is to be room behind the parameters.
        code_of: makes the code of the rule, as of a program over a batch of parameters.

    Attributes:
        now: the number of the step, the averages, the parameters and the other numbers.
        start: where in there the parameters begin.
        gradients: those that the rule uses.
        fields: what a native step is told of the update.
        code: that of the rule.
    """

    def __init__(self, optimizer: Optimizer, moving: Sequence[Value], room: int, code_of: CodeOfRule) -> None:
        self._optimizer: Any = optimizer
        self._moving, self._leaves = moving, Leaves(moving)
        self._counts: Any = None  # those of the optimizer that are all the same
        self._states: Any = None  # those of the optimizer that the averages are the same as
        self._made_for = self._taken_for_granted()[0], granted(optimizer)
        self._mixed = mixed = bool(self._made_for[0])
        code, outputs = update_program(optimizer, mixed)
        k, varying = len(outputs) - 1, len(optimizer.moving) if mixed else 0
        # A number minus itself is 0.0, unless it is inf or nan.
        made = self.code = code_of(
            (*code, (SUBTRACT, outputs[0], outputs[0])), ((len(code), None),), tuple(outputs), (1,) * (2 + k + varying)
        )
        n = self.n = len(moving)
        stride = -(-n // made.width) * made.width
        # The number of steps, the averages, then the parameters and the other leaves; results go to a second block
        # and are moved over when all are there, in one call, so that Ctrl-C falls before it or after it.
        start = made.width
        self._places = [start + j * stride for j in range(k + 1)]
        last = self.start = self._places[-1]
        self.room = max(stride, n + room + made.width)
        self.now = Doubles(last + self.room)
        self._next, self._before = Doubles(last + stride), Doubles(last + stride)
        self._moved = 8 * (last + n)
        self.parameters = self.now.address + 8 * last
        columns = [8 * self._places[j] for j in (k, *range(k))]
        self.gradients = Doubles(n + made.width)
        self._odd = Doubles(made.accumulators), Doubles(made.accumulators)
        # Where the moving settings differ from parameter to parameter, each has a column too.
        self._stride, self._varying = stride, Doubles(max(1, varying * stride))
        self._read = table([
            self.parameters, self.gradients.address, *(self.now.address + at for at in columns[1:]),
            *(self._varying.address + 8 * stride * i for i in range(varying)),
        ])  # fmt: skip
        self._write = table([self._next.address + at for at in columns])
        self._settings = Doubles(len(optimizer.moving))
        self._uniform, self._memory = Doubles(made.uniform), Doubles(made.memory)
        self.fields: Mapping[str, float] = {
            "update_begin": made.own["begin"], "update_tiles": made.own["tiles"], "count": n,
            "settings": self._settings.address, "update_uniform": self._uniform.address,
            "update_memory": self._memory.address, "read": ctypes.addressof(self._read),
            "write": ctypes.addressof(self._write), "update_full": self._odd[0].address,
            "update_tail": self._odd[1].address, "gradients": self.gradients.address, "gradient_bytes": 8 * n,
            "now": self.now.address, "next": self._next.address, "bytes": self._moved,
        }  # fmt: skip
        self._is_new, self._prepares = True, optimizer._prepares

    def _taken_for_granted(self) -> tuple[Any, ...]:
        """What the update was compiled for: whether parameters differ in their steps, and the settings."""
        optimizer = self._optimizer
        parameters, counts, moving = optimizer.parameters, optimizer._counts, self._moving
        self._moves_all = parameters == moving  # in the same order; Values are equal if they are the same
        if not self._moves_all:
            known = dict(zip(parameters, counts, strict=True))
            counts = [known[p] for p in moving]
        # How many steps fewer than the optimizer each has made: that stays the same from step to step.
        steps, first = optimizer.steps, counts[0] if counts else 0
        differ = self._differ = counts is not self._counts and counts.count(first) < len(counts)
        self._late = [steps - count for count in counts] if differ else [steps - first] * len(counts)
        return bool(optimizer._prepares and differ), settings_of(optimizer)

    def holds(self) -> bool:
        """Whether the rule is still this one."""
        return self._made_for == self._taken_for_granted()

    def read(self, leaves: Leaves, *, anew: bool = False) -> None:
        """Take over the numbers of parameters and other leaves, and the averages that the optimizer has now.

        With `anew` there is nothing before this that could be put back.
        """
        optimizer, view = self._optimizer, self.now.view
        put(leaves, Part(self.now, self.start, len(leaves)), len(leaves))
        states = optimizer._states
        if states is not self._states:
            self._states = None
            if not self._moves_all:
                known = dict(zip(optimizer.parameters, states, strict=True))
                states = [known[p] for p in self._moving]
            for at, column in zip(self._places, zip(*states, strict=True), strict=False):
                view[at : at + len(column)] = memoryview(_doubles(column))
        view[0] = optimizer.steps
        if self._is_new or anew:
            ctypes.memmove(self._before.address, self.now.address, self._moved)
        self._is_new = False

    def prepare(self) -> int:
        """Set what the optimizer's rule reads and changes from step to step; returns the number of the step."""
        optimizer, settings = self._optimizer, self._settings.view
        self._states = None
        count: int = optimizer.steps + 1
        self._next.view[0] = count
        if self._mixed:
            self._prepare_each(count)
            return count
        if self._prepares:
            optimizer._prepare(count - self._late[0])
        for i, name in enumerate(optimizer.moving):
            settings[i] = getattr(optimizer, name)
        return count

    def _prepare_each(self, count: int) -> None:
        """Fill the columns of settings, for each run of parameters that have made as many steps."""
        optimizer, view, start = self._optimizer, self._varying.view, 0
        for late, run in groupby(self._late):
            length = len(list(run))
            optimizer._prepare(count - late)
            for i, name in enumerate(optimizer.moving):
                at = i * self._stride + start
                view[at : at + length] = memoryview(_doubles([getattr(optimizer, name)]) * length)
            start += length

    def run(self, keep: bool) -> bool:
        """Move the parameters; returns whether all are finite then. `keep` makes that `undo` can take it back."""
        made, (full, tail) = self.code, self._odd
        uniform, memory = self._uniform.address, self._memory.address
        count = self.prepare()
        made.begin(self._settings.address, uniform, memory)
        made.tiles(
            self._read, 0, self.n, self.n, self._settings.address, uniform, memory, full.address, tail.address,
            self._write,
        )  # fmt: skip
        if keep:
            ctypes.memmove(self._before.address, self.now.address, self._moved)
        ctypes.memmove(self.now.address, self._next.address, self._moved)
        self._optimizer.steps = count
        return not (any(full.view) or any(tail.view))

    def undo(self) -> None:
        """Put everything back to where it was before the last update, which was to keep it."""
        self._states = None
        ctypes.memmove(self.now.address, self._before.address, self._moved)
        self._optimizer.steps = int(self.now.view[0])

    def write_back(self) -> None:
        """All numbers, back to the Values and the optimizer at once."""
        optimizer = self._optimizer
        states, counts, steps = self._of_optimizer(self.now)
        more = (optimizer, "_states", states), (optimizer, "_counts", counts), (optimizer, "steps", steps)
        self._leaves.assign(Part(self.now, self.start, self.n), self.gradients, more)
        self._states, self._counts = states, counts if self._moves_all and not self._differ else None

    def before(self) -> Callable[[], None]:
        """What puts the Values and the optimizer back to before the last update, which was to keep it.

        Nothing is changed until it is called.
        """
        optimizer, numbers = self._optimizer, self._before.view[self.start : self.start + self.n].tolist()
        states, counts, steps = self._of_optimizer(self._before)
        made = {p: p._data for p in optimizer.parameters} | dict(zip(self._moving, numbers, strict=True))
        return partial(optimizer._commit, list(made), list(made.values()), states, counts, steps)

    def _of_optimizer(self, block: Doubles) -> tuple[Sequence[tuple[float, ...]], list[int], int]:
        """The averages, the counts and the number of steps that these numbers say the optimizer has."""
        optimizer, moving, n, view = self._optimizer, self._moving, self.n, block.view
        columns = [view[at : at + n] for at in self._places[:-1]]
        steps, late = int(view[0]), self._late
        states: Sequence[tuple[float, ...]] = States(list(map(_doubles, columns))) if columns else [()] * n
        counts = [steps - x for x in late] if self._differ else [steps - late[0]] * n
        if not self._moves_all:
            rows, made = dict(zip(moving, states, strict=True)), dict(zip(moving, counts, strict=True))
            states = [rows.get(p, s) for s, p in zip(optimizer._states, optimizer.parameters, strict=True)]
            counts = [made.get(p, c) for c, p in zip(optimizer._counts, optimizer.parameters, strict=True)]
        return states, counts, steps

    def rest(self) -> None:
        """Let go of the optimizer, until `wake`."""
        self._optimizer = None

    def wake(self, optimizer: Optimizer) -> None:
        """Go on with it: the same optimizer as before."""
        self._optimizer = optimizer


def _doubles(numbers: Sequence[float]) -> Any:
    return array("d", numbers.tobytes() if isinstance(numbers, memoryview) else numbers)
