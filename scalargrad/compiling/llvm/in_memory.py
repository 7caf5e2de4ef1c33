"""Parameters, gradients and an optimizer's running averages side by side in the memory of the machine code."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

from scalargrad.compiling.batches import BatchFunction, Part
from scalargrad.compiling.llvm.memory import Doubles, table
from scalargrad.compiling.llvm.stepping import Block, has_nan, step
from scalargrad.compiling.llvm.tiles import batch_code
from scalargrad.compiling.tape import SUBTRACT
from scalargrad.compiling.training import check_same, settings_of, update_program
from scalargrad.support.turns import Turns

if TYPE_CHECKING:
    from scalargrad.compiling.batch_program import BatchProgram
    from scalargrad.compiling.groups import Batch
    from scalargrad.compiling.llvm.batch import BatchRunner
    from scalargrad.compiling.optimizer import Optimizer

_turns = Turns()
_living: WeakSet[InMemory] = WeakSet()
"""All that there are: those that share parameters must know of each other."""


class InMemory:
    """A training step on compiled memory. It is for one thread at a time, along with those that share its parameters.

    Raises:
        ValueError: if the optimizer does not train what the program was differentiated for.
    """

    def __init__(self, program: BatchProgram, optimizer: Optimizer, batch: Batch) -> None:
        (samples, _), *_ = batch.groups
        self._structure = [one.kind for one in samples]
        self._as_text = ", ".join(one.structure for one in samples)
        self._moving = program.leaves[: program.trained]
        check_same(self._moving, optimizer)
        self._optimizer, self._program = optimizer, program
        self._runner = cast("BatchRunner", program.runner)  # this backend's
        self._loss = self._runner.take()
        self._step = step()
        self._others: WeakSet[InMemory] = WeakSet()  # to ask it whether it is empty would take 0.2 µs in each step
        self._has_stepped = self._is_behind = self._has_others = False
        self._meet()
        optimizer._memories.add(self)
        self._compile()
        self.read()

    def _compile(self) -> None:
        """Make the code of the update, as the optimizer is set now, and the memory that it works on."""
        program, optimizer, moving = self._program, self._optimizer, self._moving
        self._made_for, self._is_new = self._taken_for_granted(), True
        mixed = self._made_for[0]
        code, outputs = update_program(optimizer, mixed)
        k, varying = len(outputs) - 1, len(optimizer.moving) if mixed else 0
        # A number minus itself is 0.0, unless it is inf or nan.
        made = self._update = batch_code(
            (*code, (SUBTRACT, outputs[0], outputs[0])), ((len(code), None),), tuple(outputs), (1,) * (2 + k + varying)
        )
        n = self._n = len(moving)
        stride = -(-n // made.width) * made.width
        # The number of steps, the averages, then the trained parameters and the other leaves; results go to a second
        # block and are moved over when all are there, in one call, so that Ctrl-C falls before it or after it.
        start = made.width
        self._places = [start + j * stride for j in range(k + 1)]
        last = self._places[-1]
        self._now = Doubles(last + max(stride, len(program.leaves) + made.width))
        self._next, self._before = Doubles(last + stride), Doubles(last + stride)
        self._moved = 8 * (last + n)
        self._parameters = self._now.address + 8 * last
        columns = [8 * self._places[j] for j in (k, *range(k))]
        self._gradients = Doubles(n + made.width)
        self._odd = Doubles(made.accumulators), Doubles(made.accumulators)
        # Where the moving settings differ from parameter to parameter, each has a column too.
        self._stride, self._varying = stride, Doubles(max(1, varying * stride))
        self._read = table([
            self._parameters, self._gradients.address, *(self._now.address + at for at in columns[1:]),
            *(self._varying.address + 8 * stride * i for i in range(varying)),
        ])  # fmt: skip
        self._write = table([self._next.address + at for at in columns])
        self._settings, self._uniform, self._memory = (
            Doubles(len(optimizer.moving)),
            Doubles(made.uniform),
            Doubles(made.memory),
        )
        self._block = Block()
        self._aimed: tuple[Any, ...]
        self._use(program)
        for name, value in {
            "update_begin": made.addresses["begin"], "update_tiles": made.addresses["tiles"], "count": n,
            "settings": self._settings.address, "update_uniform": self._uniform.address,
            "update_memory": self._memory.address, "read": ctypes.addressof(self._read),
            "write": ctypes.addressof(self._write), "update_full": self._odd[0].address,
            "update_tail": self._odd[1].address, "gradients": self._gradients.address, "gradient_bytes": 8 * n,
            "now": self._now.address, "next": self._next.address, "bytes": self._moved,
        }.items():  # fmt: skip
            self._block[name] = value

    def _taken_for_granted(self) -> tuple[Any, ...]:
        """What the update was compiled for: whether parameters differ in their steps, and the settings."""
        optimizer = self._optimizer
        known = dict(zip(optimizer.parameters, optimizer._counts, strict=True))
        # How many steps fewer than the optimizer each has made: that stays the same from step to step.
        self._late = [optimizer.steps - known[p] for p in self._moving]
        mixed = optimizer._prepares and len(set(self._late)) > 1
        return mixed, settings_of(optimizer)

    def _meet(self) -> None:
        """Find the trainings, begun and not ended, that move what this one reads, or read what it moves."""
        moving, leaves = set(self._moving), set(self._program.leaves)
        with _turns:
            for other in _living:
                if not (leaves.isdisjoint(other._moving) and moving.isdisjoint(other._program.leaves)):
                    self._others.add(other)
                    other._others.add(self)
                    self._has_others = other._has_others = True
                    other.write_back()
            _living.add(self)

    def _catch_up(self) -> None:
        """Take over what those trainings have done meanwhile."""
        for other in self._others:
            other.write_back()
        if self._is_behind:
            self.read()

    def read(self) -> None:
        """Take over the numbers that the Values and the optimizer have now."""
        if self._made_for != self._taken_for_granted():
            self._compile()
        optimizer, view = self._optimizer, self._now.view
        known = dict(zip(optimizer.parameters, optimizer._states, strict=True))
        columns: list[Any] = list(zip(*(known[p] for p in self._moving), strict=True))
        for at, column in zip(self._places, [*columns, self._program.numbers()], strict=True):
            view[at : at + len(column)] = memoryview(_doubles(column))
        view[0] = optimizer.steps
        if self._is_new:  # there is nothing before this that could be put back
            ctypes.memmove(self._before.address, self._now.address, self._moved)
        self._has_stepped = self._is_behind = self._is_new = False

    def step(self, batches: BatchFunction, batch: Batch) -> float:
        """One step; returns the loss before it."""
        samples = batch.groups[0].samples
        loss, aim = self._loss, (samples, batches.mean)
        if self._aimed != aim:
            if loss.parts(batch.n) > 1:
                found, _ = self.forward(batches, batch)
                self.update()
                return found
            self._check(batch)
        if self._is_behind or self._has_others:
            self._catch_up()
        if self._aimed != aim or loss.samples is not samples:
            loss.fill(self._block, samples, batch.n, batches.mean, self._parameters)
            self._aimed = aim
        count = self._prepare()
        if not self._step(self._block.address):
            out = loss.out.view
            if out[1] != 0.0:
                batches.check(self._program, batch.groups[0], out[:2].tolist(), loss.columns(batch.n))
            self._optimizer.steps = count
            self._has_stepped = True
            return float(out[0])
        self._mask()
        return self.step(batches, batch)

    def _mask(self) -> None:
        """From now on compute gradients in the masked form, if that differs: the plain one has given nan."""
        masked = self._program.masked()
        if masked is not None:
            self._use(masked)
        self._block["stops_at_nan"] = 0

    def _use(self, program: BatchProgram) -> None:
        """Compute loss and gradients by this program."""
        if program is not self._program:
            self._program, self._runner = program, cast("BatchRunner", program.runner)
            self._loss = self._runner.take()
        self._aimed = ()
        self._block["found"] = self._loss.out.address + 16
        self._block["stops_at_nan"] = int(program.may_have_masks)

    def _prepare(self) -> int:
        """Set what the optimizer's rule reads and changes from step to step; returns the number of the step."""
        optimizer, settings = self._optimizer, self._settings.view
        count = optimizer.steps + 1
        self._next.view[0] = count
        if self._made_for[0]:
            self._prepare_each(count)
            return count
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

    def _check(self, batch: Batch) -> None:
        samples = batch.groups[-1].samples
        if len(batch.groups) > 1 or self._structure != [one.kind for one in samples]:
            raise ValueError(
                f"this batch has samples of {', '.join(one.structure for one in samples)}, the first one of this "
                f"training had {self._as_text}: begin another with f.training(optimizer)"
            )

    def forward(self, batches: BatchFunction, batch: Batch) -> tuple[float, list[Part]]:
        """The loss and what the function gave beside it; finds the gradients for `update`."""
        n, samples = batch.n, batch.groups[0].samples
        self._check(batch)
        if self._is_behind or self._has_others:
            self._catch_up()
        room = self._runner.take()  # another one each time: the helping threads of an interrupted call go on
        room.sweep(samples, n, batches.mean, self._now, self._places[-1])
        if self._program.may_have_masks and has_nan()(room.out.address + 16, self._n):
            self._runner.give_back(room)
            self._mask()
            return self.forward(batches, batch)
        (found, broken), columns = room.out.view[:2].tolist(), room.columns(n)
        if self._program.guards and broken != 0.0:
            batches.check(self._program, batch.groups[0], (found, broken), columns)
        ctypes.memmove(self._gradients.address, room.out.address + 16, 8 * self._n)
        self._runner.give_back(room)
        return found, [Part(self._program, range(n), columns[: self._program.columns])]

    @property
    def gradients(self) -> list[float]:
        """What `forward` found."""
        return self._gradients.view[: self._n].tolist()  # type: ignore[no-any-return]

    @gradients.setter
    def gradients(self, numbers: Sequence[float]) -> None:
        self._gradients.fill(numbers)

    def update(self, keep: bool = False) -> bool:
        """Move the parameters; returns whether all are finite then. `keep` makes that `undo` can take it back."""
        update, (full, tail) = self._update, self._odd
        uniform, memory = self._uniform.address, self._memory.address
        count = self._prepare()
        update.begin(self._settings.address, uniform, memory)
        update.tiles(
            self._read, 0, self._n, self._n, self._settings.address, uniform, memory,
            full.address, tail.address, self._write,
        )  # fmt: skip
        self._has_stepped = True
        if keep:
            ctypes.memmove(self._before.address, self._now.address, self._moved)
        ctypes.memmove(self._now.address, self._next.address, self._moved)
        self._optimizer.steps = count
        return not (any(full.view) or any(tail.view))

    def undo(self) -> None:
        """Put everything back to where it was before the last update, which was to keep it."""
        ctypes.memmove(self._now.address, self._before.address, self._moved)
        self._optimizer.steps = int(self._now.view[0])
        self._has_stepped = True

    def settle(self) -> None:
        """Bring the Values up to date, those that others move too."""
        for memory in (*self._others, self):
            memory.write_back()

    def read_again(self) -> None:
        """Take over what the Values and the optimizer hold, before the next step; the others too."""
        for memory in (*self._others, self):
            memory._is_behind = memory._is_new = True

    def write_back(self) -> None:
        """All numbers, back to their Values at once."""
        if not self._has_stepped:
            return
        optimizer, n, view = self._optimizer, self._n, self._now.view
        *columns, numbers = [view[at : at + n].tolist() for at in self._places]
        rows = dict(zip(self._moving, zip(*columns, strict=True) if columns else [()] * n, strict=True))
        states = [rows.get(p, s) for s, p in zip(optimizer._states, optimizer.parameters, strict=True)]
        steps = int(view[0])
        made = dict(zip(self._moving, self._late, strict=True))
        counts = [
            steps - made[p] if p in made else c for c, p in zip(optimizer._counts, optimizer.parameters, strict=True)
        ]
        optimizer._commit(self._moving, numbers, states, counts, steps)
        for leaf, gradient in zip(self._moving, self.gradients, strict=True):
            leaf.grad = gradient
        self._has_stepped = False
        for other in self._others:
            other._is_behind = True


def _doubles(numbers: Sequence[float]) -> Any:
    from array import array

    return array("d", numbers)
