"""The steps of `nn.fit(..., compiled=True)`: model and loss recorded for one sample, parameters in compiled memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.parameter_memory import OnValues, memory_for
from scalargrad.compiling.reached import Reached
from scalargrad.compiling.rule import granted, settings_of
from scalargrad.compiling.surroundings import Surroundings
from scalargrad.nn.descent.clipping import clipped_to_norm
from scalargrad.nn.descent.optimizers import OPTIMIZERS
from scalargrad.nn.descent.schedules import constant_lr
from scalargrad.nn.layers.dropout import Dropout
from scalargrad.nn.modules.module import Module
from scalargrad.nn.scores.losses import LOSSES, sse
from scalargrad.nn.scores.predicting import evaluating, plain
from scalargrad.nn.training.attributes import Attributes
from scalargrad.nn.training.checked_stepping import CheckedSteps
from scalargrad.nn.training.gathering import Batches
from scalargrad.nn.training.left_out import LeftOut, OrderError
from scalargrad.nn.training.sample_loss import SampleLoss
from scalargrad.nn.training.stepping import NotFiniteError, Task
from scalargrad.node.extras import hooks_of

if TYPE_CHECKING:
    from scalargrad.engine import Value


class CompiledSteps(CheckedSteps):
    """Steps in compiled code.

    Args:
        task: what is to be done.
        backend: the name of a backend, or "auto".

    Raises:
        ValueError: if something in model or loss cannot be compiled, or compiled and eager loss are not the same.
    """

    def __init__(self, task: Task, backend: str) -> None:
        super().__init__(task)
        self._backend = backend
        self._reached = Reached(Surroundings(type(task.optimizer).update))
        self._adds_up: bool | None = None if task.loss_of not in LOSSES.values() else task.loss_of is sse
        self._batches = Batches(*task.samples, task.optimizer.parameters)
        self._held_out: Batches | None = None
        self._put_back: Callable[[], None] | None = task.optimizer.snapshot()
        self._counts = task.optimizer._counts
        self._loss_held_out: SampleLoss | None = None
        try:
            self._record()  # first of all: it refuses what cannot be recorded
            self._check_loss(self._batches, task.samples[1])
        except IndexError:
            self._check_loss(self._batches, task.samples[1])  # a loss of the package says which target is no class
            raise
        except (ValueError, ArithmeticError) as error:
            self._refuse_loss_of_several(error)
            raise
        if task.held_out is not None:
            self._held_out = Batches(*task.held_out, task.optimizer.parameters)
            with evaluating(task.model):
                self._check_loss(self._held_out, task.held_out[1])
        if self._loss.adds_up != bool(self._adds_up):
            self._record()
        self._compare()
        self._paused = True
        # Only they could change the samples' Values and attributes between two steps.
        schedules = task.schedule is not None and getattr(task.schedule, "__module__", "") != constant_lr.__module__
        self._others_act = schedules or self._loss.asks_users or not self._is_ours

    def _record(self) -> None:
        """Compile the loss, and the update of the parameters."""
        task, optimizer = self.task, self.task.optimizer
        self._keep_what_was()
        self._trains = [(p, p.requires_grad) for p in optimizer.parameters]
        if not any(trains for _, trains in self._trains):
            raise ValueError("nothing to train: none of the optimizer's parameters requires grad")
        self._refuse_hooks([*self._reached.leaves, *optimizer.parameters])
        self._settings = granted(optimizer) if self._is_ours else {}
        self._loss_held_out = None
        self._left_out = self._find_left_out()
        self._loss = SampleLoss(
            task, optimizer.parameters, self._backend, bool(self._adds_up),
            of_numbers=self._batches.has_single_targets, left_out=self._left_out,
        )  # fmt: skip
        samples = self._batches.all(self._loss.adds_up)
        if self._left_out is not None:
            samples = self._left_out.none(samples)
        self._reached.add(
            [*(x for program in self._loss.batches.programs(samples) for x in program.leaves), *optimizer.parameters]
        )
        loss = self._loss.batches
        self._memory = memory_for(loss, optimizer, samples) if self._is_ours else OnValues(optimizer)
        # Last of all: what the model itself changes while it is recorded, as a count of its calls, is no input of it.
        self._attributes = Attributes([task.model, task.loss_of, task.penalty_of])

    def _find_left_out(self) -> LeftOut | None:
        """The factors of the model's Dropouts; None if there are none in training, or if to record it will tell why."""
        model = self.task.model
        parts = model.modules() if isinstance(model, Module) else []
        if parts and not any(isinstance(part, Dropout) and part.training and part.p for part in parts):
            return None
        own_batches = not all(
            getattr(type(part).on_batch, "__module__", "").startswith("scalargrad.") for part in parts
        )
        rows = list(map(self._batches.row, self._batches.one_of_each()))
        try:
            found = LeftOut(self.task.scores, rows, own_batches)
        except OrderError:
            raise
        except (ValueError, ArithmeticError, TypeError):
            return None
        return found if found.width else None

    def _refuse_hooks(self, leaves: Iterable[Value]) -> None:
        if any(hooks_of(leaf) for leaf in leaves):
            raise ValueError("hooks on parameters do not run in compiled code: remove them, or leave compiled=True out")

    @property
    def _is_ours(self) -> bool:
        """Whether the optimizer is one of the package: that of a user may be more than a formula, and steps itself."""
        return type(self.task.optimizer) in OPTIMIZERS.values()

    def _all_settings(self) -> dict[str, Any]:
        """What the compiled update takes for granted of the optimizer."""
        return settings_of(self.task.optimizer) if self._is_ours else {}

    # ---------------------------------------------------------------- steps

    def step(self, batch: Sequence[int]) -> dict[str, float]:
        """One step, as `Steps.step` describes it."""
        # A schedule may set more than lr, and whatever is called between two steps freeze a leaf or register a hook.
        if (
            self._settings != self._all_settings()
            or self._has_changed()
            or (self._others_act and self._has_changed_for_others())
        ):
            self.pause()
        if self._adds_up is None:
            self.pause()
            self._decide(self._batches, self.task.samples[1], batch)
        if self._paused:
            self._resume()
        task, memory = self.task, self._memory
        samples = self._batches.taken(batch, self._loss.adds_up)
        if self._left_out is not None:
            samples = self._left_out.drawn(samples)
        loss, columns = memory.forward(self._loss.batches, samples)
        if not math.isfinite(loss):
            self._undo()
            raise NotFiniteError(f"the loss became {loss}")
        if task.clip_norm is not None:
            _, memory.gradients = clipped_to_norm(memory.gradients, task.clip_norm)
        if not memory.update(keep=True):
            memory.undo()
            raise NotFiniteError("a parameter became nan or infinite")
        self._put_back = None
        if self._loss.asks_users:
            memory.write_back()  # their metrics may look at more than scores
        return {"loss": loss, **self._loss.measured(columns, task.samples[1], batch)}

    def pause(self) -> None:
        """Bring the Values up to date; the next step starts from what they hold then."""
        if not self._paused:
            self._memory.write_back()
            self._counts = self.task.optimizer._counts
            self._paused = True

    def _keep_what_was(self) -> None:
        """Keep what the memory would put back, before another takes its place or it forgets that.

        The Values stay as they are: Ctrl-C may come at any moment.
        """
        optimizer = self.task.optimizer
        if self._put_back is None:
            has_others = optimizer.parameters != [p for p, _ in self._trains]  # of those there was nothing before
            self._put_back = optimizer.snapshot() if has_others else self._memory.before()

    def _forgets(self) -> bool:
        """Whether the memory will take all over anew, as somebody has loaded a state: then it cannot go back."""
        memory: Any = self._memory
        return bool(memory._is_new)

    def _undo(self) -> None:
        """Put everything back to where it was before the last update."""
        memory: Any = self._memory
        if self._put_back is None:
            memory.undo()
        else:
            self.pause()
            self._put_back()
            memory._tell()

    def _has_changed_for_others(self) -> bool:
        """Whether what others may change between two steps is not as it was."""
        return self._batches.have_changed() or self._attributes.have_changed() or self._forgets()

    def _has_changed(self) -> bool:
        return self._loss.batches.have_changed() or self._reached.have_changed()

    def _resume(self) -> None:
        trains = [(p, p.requires_grad) for p in self.task.optimizer.parameters]
        others = self._batches.have_changed()
        if others:
            self._batches = Batches(*self.task.samples, self.task.optimizer.parameters)
        if (
            others
            or self._has_changed()
            or trains != self._trains
            or self._loss.adds_up != bool(self._adds_up)
            or self._settings != self._all_settings()
            or self._attributes.have_changed()  # somebody else had the model meanwhile
        ):
            self._record()
        elif self._forgets() or self.task.optimizer._counts is not self._counts:  # or somebody made a step
            self._keep_what_was()
        self.task.optimizer.zero_grad()  # those that are not trained too
        self._memory.read()
        self._paused = False

    def validate(self) -> dict[str, float]:
        """As `Steps.validate` describes it."""
        task, batches = self.task, self._held_out
        assert task.held_out is not None  # noqa: S101  (for the type checker)
        assert batches is not None  # noqa: S101
        self._memory.write_back()
        if batches.have_changed():
            batches = self._held_out = Batches(*task.held_out, task.optimizer.parameters)
        if self._adds_up is None:
            with evaluating(task.model):
                self._decide(batches, task.held_out[1], range(batches.n))
        adds_up = bool(self._adds_up)
        samples = batches.all(adds_up)
        if self._loss_held_out is None or self._loss_held_out.adds_up != adds_up:
            self._loss_held_out = SampleLoss(task, None, self._backend, adds_up, of_numbers=batches.has_single_targets)
            with evaluating(task.model):
                self._loss_held_out.batches.programs(samples)
        loss = self._loss_held_out
        with evaluating(task.model):
            total, _, columns = loss.batches.run(samples)
        return {"loss": total, **loss.measured(columns, task.held_out[1], range(batches.n), plain)}
