"""A training step in compiled memory: forward, backward and the optimizer's update without a Value in between."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, ref

from scalargrad.compiling.groups import Batch, Refilled
from scalargrad.compiling.optimizer import Optimizer
from scalargrad.compiling.parameter_memory import OnValues, ParameterMemory, UnsuitedError, memory_for
from scalargrad.compiling.reached import Reached
from scalargrad.compiling.rule import granted, settings_of
from scalargrad.compiling.samples import looks_of
from scalargrad.compiling.surroundings import Surroundings
from scalargrad.compiling.surroundings.functions import read_by
from scalargrad.compiling.watching import refuse_to_be_recorded
from scalargrad.node.mode import being_compiled
from scalargrad.support.turns import Turns

if TYPE_CHECKING:
    from typing_extensions import Self

    from scalargrad.compiling.batches import BatchFunction
    from scalargrad.compiling.statics import Statics


KnownBatch = tuple[tuple[Any, ...], Callable[[], list[Any]], list[Any], Batch]
"""Arrays, what tells how they look and where they lie, what it told, and the batch that they are."""
VIEWS = 256
"""Minibatches cut from arrays that a training knows again: those of an epoch, as a rule."""


_kinds: WeakSet[type] = WeakSet()
"""Types of optimizers that have been seen."""


class Resting:
    """What a training leaves behind for the next one of the same optimizer and loss, which begins sooner with it.

    Args:
        training: one that has ended, with its memory.
    """

    def __init__(self, training: Training) -> None:
        optimizer = training.optimizer
        self.memory: Any = training._memory
        self.reached, self.now, self.settings = training._reached, training._now, training._settings
        self._optimizer = ref(optimizer, partial(_forget, ref(self)))  # without it nobody can use the memory
        self._kept = granted(optimizer)
        self._parameters = list(optimizer.parameters)
        self.programs = training._programs

    def serves(self, training: Training) -> bool:
        """Whether all that its memory takes for granted holds for another training of the same loss."""
        optimizer = training.optimizer
        return (
            self._optimizer() is optimizer
            and not training._batches.have_changed()
            and training._batches.recordings.known is self.programs  # or programs were recorded anew meanwhile
            and not self.reached.have_changed()
            and optimizer.parameters == self._parameters
            and optimizer._steps_by_update
            and settings_of(optimizer) == self._kept
        )


def _forget(resting: Callable[[], Resting | None], _: object) -> None:
    """Let the memory go."""
    one = resting()
    if one is not None:
        one.memory = None


class Training:
    """Steps of an optimizer on a compiled loss; made by `Compiled.training`.

    Inside `with f.training(optimizer) as step:` the parameters and what the optimizer remembers live in compiled
    memory, with the llvm backend; the Values get them back at the end, or when `write_back()` is called. Where a
    parameter is frozen or a setting of the optimizer changed between two steps, the next one begins anew.
    Trainings that share parameters, as those of a generator and its critic, see each other's steps, with llvm too; they
    are for one thread.

    Samples may differ in structure, within a batch and from step to step, as documents differ in length: what a new
    structure needs is recorded when it is met, and the training goes on. A batch may be one document: `step([tokens])`.

    >>> import scalargrad
    >>> from scalargrad import nn
    >>> w = scalargrad.Value(0.0)
    >>> f = scalargrad.compile(lambda x, y: (w * x - y) ** 2)
    >>> with f.training(nn.SGD([w], lr=0.1)) as step:
    ...     losses = [step([1.0, 2.0], [2.0, 4.0]) for _ in range(40)]
    >>> round(w.data, 6)
    2.0
    """

    def __init__(self, batches: BatchFunction, optimizer: Optimizer, statics: Statics) -> None:
        if type(optimizer) not in _kinds and not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"training takes an optimizer of scalargrad.nn, such as nn.SGD(parameters, lr=0.1), not "
                f"{type(optimizer).__name__}"
            )
        _kinds.add(type(optimizer))  # to ask the protocol takes as long as ten steps
        self._batches, self._statics = batches, statics
        self.optimizer = optimizer
        self._memory: ParameterMemory | None = None
        self._reached = Reached(Surroundings(type(optimizer).update))
        self._now: Any = None
        self._settings: Any = None
        self._loss_reached = batches.recordings.reached
        self._arrays: dict[tuple[int, ...], KnownBatch] = {}  # by their identity: they live as long as they stand here
        self._owning: tuple[int, ...] = ()  # those of them that have numbers of their own
        self._resting: Resting | None = None  # what this one goes on with
        self._programs: Any = None  # the programs, which are others if they were recorded anew
        self._refilled = Refilled(batches.backend)
        self._has_ended = False
        self._turns = Turns()

    def __enter__(self) -> Self:
        self._has_ended = False
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._end()
        except KeyboardInterrupt:  # all steps would be lost
            self.write_back()
            raise
        finally:
            self._has_ended = True

    def _end(self) -> None:
        """Write everything back; let the memory rest."""
        with self._turns:
            memory = self._memory
            if memory is None:
                return
            if not hasattr(memory, "rest") or self._has_changed():
                self._leave_memory()
                return
            memory.rest()
            self._batches.resting = [self._resting or Resting(self)]
            self._memory = None

    def __call__(self, *batches: Any, **static: Any) -> float:
        """Make one step on a batch, static arguments as in `Compiled.value_and_grad`; returns the loss before it.

        Raises:
            BranchError: as `Compiled.value_and_grad`; nothing has changed then.
            ValueError: if the loss refers to the optimizer.
        """
        with self._turns:
            if being_compiled():
                refuse_to_be_recorded("a training step")
            if self._has_ended:
                raise ValueError("this training ended with its `with` block: begin another with f.training(optimizer)")
            batch = None if static else self._known(batches)
            if batch is None:
                batch = self._batch(tuple(self._statics.marked_batches(batches, static)))
                if batch.values:
                    batch.refuse_trained(self.optimizer.parameters, "a training step")
            if self._memory is not None and self._has_changed():
                self.write_back()
            if self._memory is None:
                self._wake()
            if self._memory is None:
                self._refuse_numbers_of_optimizer()
                self._reached.add(self.optimizer.parameters)
                # In one call: this is asked before each step.
                kept = {"parameters": list(self.optimizer.parameters), **granted(self.optimizer)}
                self._now = operator.itemgetter(*kept)
                self._settings = self._now(kept)
                self._memory = memory_for(self._batches, self.optimizer, batch)
                self._programs = self._batches.recordings.known
            try:
                return self._memory.step(self._batches, batch)
            except UnsuitedError:
                self._leave_memory()
                self._memory = OnValues(self.optimizer)
                return self._memory.step(self._batches, batch)

    def _refuse_numbers_of_optimizer(self) -> None:
        """They change with every step, and the function was recorded with those of one moment."""
        for function, read in read_by(self._batches.fn):
            if any(x is self.optimizer for x in read):
                raise ValueError(
                    f"{getattr(function, '__name__', 'a function')} refers to the optimizer that trains it, "
                    f"{type(self.optimizer).__name__}, whose lr and steps change from step to step; compiled steps "
                    "have them as they were: give what it needs of them as an argument"
                )

    def write_back(self) -> None:
        """Give parameters, gradients and the optimizer's state back to the Values.

        Those of trainings that share parameters with this one are given back too, and read again before their next
        steps.
        """
        with self._turns:
            memory: Any = self._memory
            if memory is None:
                return
            if hasattr(memory, "settle"):
                memory.settle()
                memory.read_again()
            self._leave_memory()

    def _wake(self) -> None:
        """Take the memory of the last training of this loss, if it serves."""
        resting = self._batches.resting
        self._batches.resting = []
        with suppress(IndexError):  # a training in another thread has it
            last = resting.pop()
            if last.serves(self):
                last.memory.wake(self.optimizer)
                self._reached, self._now, self._settings = last.reached, last.now, last.settings
                self._resting, self._programs = last, last.programs
                self._memory = last.memory  # last of all, should Ctrl-C come in between

    def _leave_memory(self) -> None:
        assert self._memory is not None  # noqa: S101  (for the type checker)
        self._resting = None
        self._memory.write_back()
        self._memory.release()
        self._memory = None

    def _has_changed(self) -> bool:
        """Whether something is not as compiled memory takes for granted."""
        if self._loss_reached.have_changed() or self._reached.have_changed():
            return True
        if self._batches.recordings.known is not self._programs:
            return True
        return bool(self._now(vars(self.optimizer)) != self._settings)

    def _known(self, batches: tuple[Any, ...]) -> Batch | None:
        """The batch of these arrays, if it is known."""
        known = self._arrays.get(tuple(map(id, batches)))
        return known[3] if known is not None and known[1]() == known[2] else None

    def _batch(self, batches: tuple[Any, ...]) -> Batch:
        if batches and type(batches[0]) is list:  # it is copied
            return self._refilled.batch(batches)
        batch = self._batches.batch_of_arrays(batches)
        # An array is read where it lies, so it need not be looked at again, if it was not resized; a list is copied.
        if (
            batches
            and len(batch.groups) == 1
            and all(one.flat is given for one, given in zip(batch.groups[0].samples, batches, strict=True))
        ):
            self._arrays.pop(self._owning, None)
            place = tuple(map(id, batches))
            if all(x.base is not None for x in batches):  # they hold no numbers of their own: many may be kept
                if len(self._arrays) >= VIEWS:
                    self._arrays.clear()
                batch.lasts = True
            else:
                self._owning = place
            look = looks_of(batches, batch.groups[0].samples)
            self._arrays[place] = batches, look, look(), batch
        return batch
