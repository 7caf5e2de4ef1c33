"""A loss over one batch of arrays, bound to them: each call reads parameters from memory and leaves gradients there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from scalargrad.compiling.llvm.aimed import BROKEN, FINE, Aimed
from scalargrad.compiling.llvm.memory import Doubles, Part
from scalargrad.compiling.llvm.slots import Leaves, put

if TYPE_CHECKING:
    from scalargrad.compiling.batch_program import BatchProgram
    from scalargrad.compiling.batches import BatchFunction
    from scalargrad.compiling.groups import Batch
    from scalargrad.compiling.llvm.batch import BatchRunner
    from scalargrad.engine import Value


class Bound:
    """A call finds the loss and its gradients.

    Args:
        batches: the loss.
        batch: the samples, all of one structure.
        order: the parameters, in the order of the gradients.
        source: their numbers; None to read them from the Values.
        target: the address of the gradients.
    """

    def __init__(
        self,
        batches: BatchFunction,
        batch: Batch,
        order: Sequence[Value],
        source: memoryview[float] | None,
        target: int,
    ) -> None:
        (program,), (self._group,) = batches.programs(batch), batch.groups
        self._batches, self._batch, self._source, self._target = batches, batch, source, target
        known = dict.fromkeys(order)
        others = [leaf for leaf in program.leaves if leaf not in known]
        self._all = [*order, *others]
        self.n = n = len(order)
        # What an Aimed asks of a training's memory, of which this has the parameters only.
        self.now, self.start = Doubles(len(self._all) + cast("BatchRunner", program.runner).padding), 0
        self.parameters = self.now.address
        self.fields: Mapping[str, float] = {"count": n}
        self.code = None
        first = 0 if source is None else n
        self._first = self.now.view[:first]
        self._leaves = Leaves(self._all[first:])
        self._rest = Part(self.now, first, len(self._leaves))
        self._aimed = Aimed(program, self, self._all)

    def __call__(self) -> float:
        """The loss."""
        if self._source is not None:
            self._first[:] = self._source
        if self._leaves:
            put(self._leaves, self._rest, len(self._rest))
        while True:
            says, loss = self._aimed.sweep(self._group, self._batch, self._batches.mean, self._target, is_first=True)
            if says == FINE:
                return loss
            self._look_into(self._aimed.program, says)

    def _look_into(self, program: BatchProgram, says: int) -> None:
        """Raise BranchError if a comparison comes out otherwise; else use masks: see in_memory.py."""
        room, group = self._aimed.room, self._group
        if says == BROKEN:
            self._batches.check(program, group, room.out.view[:2].tolist(), room.columns(len(group.rows)))
        masked = program.masked()
        if masked is None:
            self._aimed.stops_at_nan(False)
        else:
            before, self._aimed = self._aimed, Aimed(masked, self, self._all)
            before.release()
