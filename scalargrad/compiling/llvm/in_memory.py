"""A training in compiled memory: the programs of all structures of samples share parameters, gradients and averages."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.batches import BatchFunction, Part
from scalargrad.compiling.llvm.aimed import BROKEN, FINE, KEPT, Aimed
from scalargrad.compiling.llvm.memory import Doubles
from scalargrad.compiling.llvm.slots import Leaves
from scalargrad.compiling.llvm.tiles import batch_code
from scalargrad.compiling.llvm.updating import CodeOfRule, Update
from scalargrad.compiling.parameter_memory import check_same, suits
from scalargrad.compiling.sharing import Sharing

if TYPE_CHECKING:
    from scalargrad.compiling.groups import Batch
    from scalargrad.compiling.optimizer import Optimizer
    from scalargrad.engine import Value


class InMemory(Sharing):
    """A training step on compiled memory. It is for one thread at a time, along with those that share its parameters.

    Args:
        batches: the loss.
        optimizer: what moves the parameters.
        batch: the first one.

    Raises:
        ValueError: if the optimizer does not train what the loss was differentiated for.
    """

    _code_of_rule: CodeOfRule = staticmethod(batch_code)

    def __init__(self, batches: BatchFunction, optimizer: Optimizer, batch: Batch) -> None:
        super().__init__()
        programs = batches.programs(batch)
        check_same(batches, optimizer, batch)
        first = programs[0].leaves[: programs[0].trained]
        moved = dict.fromkeys([*first, *(p for p in optimizer.parameters if p.requires_grad)])
        self._moving: list[Value] = list(moved)
        self._leaves = dict(moved)  # and the others that programs read, as they are met
        self._held = Leaves(())
        self._optimizer: Any = optimizer
        self._has_stepped = False
        self._programs: dict[Any, Aimed] = {}
        self._resting: dict[Any, Aimed] = {}
        self._aims: dict[Batch, list[Aimed]] = {}
        self._last: tuple[Batch | None, list[Aimed]] = (None, [])
        for program in programs:
            self._leaves.update(dict.fromkeys(program.leaves))
        self._meet()
        optimizer._memories.add(self)
        self._compile()
        self.read()

    def _compile(self) -> None:
        """Make the code of the update, as the optimizer is set now, and the memory that it works on."""
        self.release()
        room = 2 * (len(self._leaves) - len(self._moving))
        self._update = Update(self._optimizer, self._moving, room, self._code_of_rule)
        self._collected = Doubles(len(self._moving))

    def release(self) -> None:
        """Give back the rooms of the programs."""
        self._aims, self._last = {}, (None, [])
        while self._programs:  # should Ctrl-C come in between, none is given back twice
            _, aimed = self._programs.popitem()
            aimed.release()

    def rest(self) -> None:
        """Write everything back, and hold neither the optimizer nor anything that others use, until `wake`."""
        self.write_back()
        self._aims, self._last = {}, (None, [])
        while self._programs:  # as in release
            kind, aimed = self._programs.popitem()
            aimed.rest()
            self._resting[kind] = aimed
        self._part()
        self._update.rest()
        self._optimizer = None

    def wake(self, optimizer: Optimizer) -> None:
        """Go on, with the same optimizer and parameters as before."""
        self._optimizer = optimizer
        self._update.wake(optimizer)
        while self._resting:
            kind, aimed = self._resting.popitem()
            aimed.wake()
            self._programs[kind] = aimed
        self._meet()
        self.read()

    def _catch_up(self) -> None:
        """Take over what those trainings have done meanwhile."""
        for other in self._others:
            other.write_back()
        if self._is_behind:
            self.read()

    def read(self) -> None:
        """Take over the numbers that the Values and the optimizer have now."""
        if not self._update.holds():
            self._compile()
        if len(self._held) < len(self._leaves):
            self._held = Leaves(self._leaves)
        self._update.read(self._held, anew=self._is_new)
        self._has_stepped = self._is_behind = self._is_new = False

    # ---------------------------------------------------------------- programs

    def _aimed(self, batches: BatchFunction, batch: Batch) -> list[Aimed]:
        """For each structure of the samples its program, aimed at this memory; recorded first, if it is a new one."""
        aims = self._aims.get(batch)
        if aims is None:
            kinds = [group.kind for group in batch.groups]
            if any(kind not in self._programs for kind in kinds):
                self._record(batches, batch)
            aims = [self._programs[kind] for kind in kinds]
            if batch.lasts:
                if len(self._aims) >= KEPT:
                    self._aims = {}
                self._aims[batch] = aims
        self._last = batch, aims
        return aims

    def _record(self, batches: BatchFunction, batch: Batch) -> None:
        if self._is_behind or self._has_others:
            self._catch_up()
        if not batches.knows(batch):
            self.write_back()  # what the function compares while it is recorded, it compares with the numbers of now
        programs = batches.programs(batch)
        if not batches.were_given:
            check_same(batches, self._optimizer, batch)
        suits(batches, programs)
        leaves = dict.fromkeys(leaf for program in programs for leaf in program.leaves)
        if not leaves.keys() <= self._leaves.keys():
            self.write_back()  # as all is read again
            self._leaves.update(leaves)
            self._meet()
            if len(self._leaves) > self._update.room:
                self._compile()
            self.read()
        for group, program in zip(batch.groups, programs, strict=True):
            if group.kind not in self._programs:
                self._programs[group.kind] = Aimed(program, self._update, list(self._leaves))

    def _mask(self, aimed: Aimed) -> None:
        """From now on compute gradients in the masked form, if that differs: the plain one has given nan."""
        self.write_back()  # it is recorded too
        masked = aimed.program.masked()
        if masked is None:
            aimed.stops_at_nan(False)
            return
        kind = next(kind for kind, one in self._programs.items() if one is aimed)
        self._programs[kind] = Aimed(masked, self._update, list(self._leaves))
        self._aims, self._last = {}, (None, [])
        aimed.release()

    # ---------------------------------------------------------------- steps

    def step(self, batches: BatchFunction, batch: Batch) -> float:
        """One step; returns the loss before it."""
        last, aims = self._last
        if last is not batch:
            aims = self._aimed(batches, batch)
        if self._is_behind or self._has_others:
            self._catch_up()
        if len(aims) == 1:
            aimed = aims[0]
            aimed.aim(batch.groups[0], batch, batches.mean)
            if not aimed.is_wide:
                count = self._update.prepare()
                says = aimed.step(aimed.address)
                if says == FINE:
                    self._optimizer.steps = count
                    self._has_stepped = True
                    return float(aimed.room.out.view[0])
                self._look_into(batches, batch, 0, aimed, says)
                return self.step(batches, batch)
        found, _ = self.forward(batches, batch)
        self.update()
        return found

    def _look_into(self, batches: BatchFunction, batch: Batch, k: int, aimed: Aimed, says: int) -> None:
        """Raise BranchError if a comparison comes out otherwise; else use masks."""
        if says == BROKEN:
            group, room = batch.groups[k], aimed.room
            batches.check(aimed.program, group, room.out.view[:2].tolist(), room.columns(len(group.rows)))
        self._mask(aimed)

    def forward(self, batches: BatchFunction, batch: Batch) -> tuple[float, list[Part]]:
        """The loss and what the function gave beside it; finds the gradients for `update`."""
        aims = self._aimed(batches, batch)
        if self._is_behind or self._has_others:
            self._catch_up()
        loss, parts, collected = 0.0, [], self._collected.address
        for k, (aimed, group) in enumerate(zip(aims, batch.groups, strict=True)):
            says, part = aimed.sweep(group, batch, batches.mean, collected, k == 0)
            if says != FINE:
                self._look_into(batches, batch, k, aimed, says)
                return self.forward(batches, batch)
            loss += part
            columns = aimed.room.columns(len(group.rows))[: aimed.program.columns]
            parts.append(Part(aimed.program, group.rows, columns))
        ctypes.memmove(self._update.gradients.address, collected, 8 * len(self._moving))
        return loss, parts

    @property
    def gradients(self) -> list[float]:
        """What `forward` found."""
        return self._update.gradients.view[: len(self._moving)].tolist()  # type: ignore[no-any-return]

    @gradients.setter
    def gradients(self, numbers: Sequence[float]) -> None:
        self._update.gradients.fill(numbers)

    def update(self, keep: bool = False) -> bool:
        """Move the parameters; returns whether all are finite then. `keep` makes that `undo` can take it back."""
        self._has_stepped = True  # before Ctrl-C can come between
        return self._update.run(keep)

    def undo(self) -> None:
        """Put everything back to where it was before the last update, which was to keep it."""
        self._update.undo()
        self._has_stepped = True

    def before(self) -> Callable[[], None]:
        """What puts the Values and the optimizer back to before the last update; until it is called, all stays."""
        return self._update.before()

    def write_back(self) -> None:
        """All numbers, back to their Values at once."""
        if not self._has_stepped:
            return
        self._update.write_back()
        self._has_stepped = False
        self._tell()
