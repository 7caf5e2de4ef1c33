"""Where parameters live while they are trained: in a backend's own memory, or in their Values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from scalargrad.compiling.sharing import Sharing
from scalargrad.node.numbers import plain_gradient

if TYPE_CHECKING:
    from scalargrad.compiling.batch_program import BatchProgram
    from scalargrad.compiling.batches import BatchFunction, Part
    from scalargrad.compiling.groups import Batch
    from scalargrad.compiling.optimizer import Optimizer
    from scalargrad.engine import Value


def memory_for(batches: BatchFunction, optimizer: Optimizer, batch: Batch) -> ParameterMemory:
    """Where parameters live while they are trained: the backend's memory, if it has one that will do, or the Values."""
    programs = batches.programs(batch)
    with suppress(UnsuitedError):
        suits(batches, programs)
        if optimizer._steps_by_update:
            memory: Any = programs[0].backend
            return memory.InMemory(batches, optimizer, batch)  # type: ignore[no-any-return]
    return OnValues(optimizer)


class UnsuitedError(Exception):
    """A program cannot be run in compiled memory: the Values must do."""


def suits(batches: BatchFunction, programs: Sequence[BatchProgram]) -> None:
    """Raise UnsuitedError if one of the programs cannot be run in compiled memory."""
    for program in programs:
        branches = program.can_branch and batches.branches == "record"
        if branches or not hasattr(program.backend, "InMemory"):
            raise UnsuitedError


class ParameterMemory(Protocol):
    """Where parameters live while they are trained: what a backend's InMemory is, and OnValues.

    A training takes steps; `fit` takes their parts, with `gradients` to be clipped between `forward` and `update`.
    """

    gradients: list[float]
    """What `forward` found, and `update` uses."""

    def step(self, batches: BatchFunction, batch: Batch) -> float:
        """One step; returns the loss before it."""

    def forward(self, batches: BatchFunction, batch: Batch) -> tuple[float, list[Part]]:
        """The loss and what the function gave beside it; finds the gradients for `update`."""

    def update(self, keep: bool = False) -> bool:
        """Move the parameters; returns whether all are finite then. `keep` makes that `undo` can take it back."""

    def undo(self) -> None:
        """Put everything back to where it was before the last update, which was to keep it."""

    def before(self) -> Callable[[], None]:
        """What puts the Values and the optimizer back to before the last update; until it is called, all stays."""

    def read(self) -> None:
        """Take over the numbers that the Values and the optimizer have now."""

    def write_back(self) -> None:
        """Give all numbers back to the Values."""

    def release(self) -> None:
        """Give back what others may use: no step follows."""


class OnValues(Sharing):
    """A training step that puts the gradients into the Values and leaves the rest to the optimizer."""

    def __init__(self, optimizer: Optimizer) -> None:
        super().__init__()
        self._optimizer = optimizer
        self._undo = optimizer.snapshot()
        self._trained: list[Value] = []
        self._known: object = None  # the leaves of the loss, as far as they are among `_leaves`
        self._moving, self._leaves = optimizer.parameters, dict.fromkeys(optimizer.parameters)
        self._meet()

    def step(self, batches: BatchFunction, batch: Batch) -> float:
        """One step; returns the loss before it."""
        loss, _ = self.forward(batches, batch)
        self.update()
        return loss

    def forward(self, batches: BatchFunction, batch: Batch) -> tuple[float, list[Part]]:
        """The loss and what the function gave beside it; finds the gradients for `update`."""
        while True:
            for other in self._others:
                other.write_back()
            loss, gradients, parts = batches.run(batch)
            if not self._reaches_more(batches):
                break
        check_same(batches, self._optimizer, batch)
        found = dict(zip(batches.parameters, gradients, strict=True))
        self._trained = list(dict.fromkeys([*found, *(p for p in self._optimizer.parameters if p.requires_grad)]))
        self.gradients = [found.get(parameter, 0.0) for parameter in self._trained]
        return loss, parts

    def _reaches_more(self, batches: BatchFunction) -> bool:
        """Whether the loss was recorded anew and reads what a training moves that was not met before."""
        known = batches.recordings.reached.known
        if known is self._known:
            return False
        self._known = known
        self._leaves = {**self._leaves, **known}
        return self._meet()

    @property
    def gradients(self) -> list[float]:
        """What `forward` found."""
        return [plain_gradient(leaf) for leaf in self._trained]

    @gradients.setter
    def gradients(self, numbers: Sequence[float]) -> None:
        for leaf, gradient in zip(self._trained, numbers, strict=True):
            leaf.grad = gradient

    def update(self, keep: bool = False) -> bool:
        """Move the parameters; returns whether all are finite then. `keep` makes that `undo` can take it back."""
        if keep:
            self._undo = self._optimizer.snapshot()
        self._optimizer.step()
        self._tell()
        return all(math.isfinite(parameter.data) for parameter in self._optimizer.parameters)

    def undo(self) -> None:
        """Put everything back to where it was before the last update, which was to keep it."""
        self._undo()
        self._tell()

    def before(self) -> Callable[[], None]:
        """What puts the Values and the optimizer back to before the last update."""
        return self._undo

    def read(self) -> None:
        """The Values are up to date."""

    def write_back(self) -> None:
        """The Values are up to date."""

    def release(self) -> None:
        """There is nothing."""


def check_same(batches: BatchFunction, optimizer: Optimizer, batch: Batch) -> None:
    """Raise ValueError if the optimizer moves other parameters than those that get a gradient.

    Those that were not given, but reached, may be fewer, if samples of another structure may reach the others.
    """
    trained = batches.parameters
    moving = {p for p in optimizer.parameters if p.requires_grad}
    may_lack = not batches.were_given and batch.may_vary
    if not (moving.issuperset(trained) if may_lack else moving == set(trained)):
        raise ValueError(
            f"the optimizer trains {len(moving)} parameters, the compiled function has gradients of {len(trained)}, "
            f"and {len(moving & set(trained))} are the same: give both the same, as in "
            "compile(fn, parameters=model.parameters())"
        )
