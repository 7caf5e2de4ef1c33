"""The steps of `nn.fit(..., compiled=True)`: model and loss recorded for one sample, parameters in compiled memory."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from scalargrad.compiling.compiled import compile as compile_
from scalargrad.compiling.reached import Reached
from scalargrad.compiling.rule import granted, settings_of
from scalargrad.compiling.surroundings import Surroundings
from scalargrad.compiling.training import OnValues, memory_for
from scalargrad.engine import Value
from scalargrad.nn.descent.clipping import clipped_to_norm
from scalargrad.nn.descent.optimizers import OPTIMIZERS
from scalargrad.nn.descent.schedules import constant_lr
from scalargrad.nn.layers.dropout import Dropout
from scalargrad.nn.modules.module import Module
from scalargrad.nn.scores.losses import LOSSES, sse
from scalargrad.nn.scores.predicting import evaluating, plain
from scalargrad.nn.training import agreement
from scalargrad.nn.training.agreement import AGREEMENT
from scalargrad.nn.training.attributes import Attributes
from scalargrad.nn.training.gathering import Batches
from scalargrad.nn.training.left_out import LeftOut, OrderError, nothing_left_out
from scalargrad.nn.training.sample_loss import SampleLoss
from scalargrad.nn.training.stepping import NotFiniteError, Steps, Task
from scalargrad.node.contexts import as_value
from scalargrad.node.extras import hooks_of
from scalargrad.node.structures import flatten


class CompiledSteps(Steps):
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
        """Keep what the memory would put back, before another takes its place or it forgets that."""
        optimizer = self.task.optimizer
        if self._put_back is None:
            now = self._put_back = optimizer.snapshot()
            if optimizer.parameters == [p for p, _ in self._trains]:  # of others there was nothing before
                self._memory.undo()
                self._memory.write_back()
                self._put_back = optimizer.snapshot()
                now()

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

    # ---------------------------------------------------------------- is this the same as the eager loss?

    @nothing_left_out()
    def _check_loss(self, batches: Batches, targets: Sequence[Any]) -> None:
        """Look at what the loss makes of all targets, at the scores of some samples, over and over again.

        A loss of the package only checks the targets: it cannot check the Values that it is recorded with.

        Raises:
            ValueError: if a user's loss is neither mean nor sum over samples, or not the same when it is compiled.
        """
        task, n = self.task, batches.n
        if task.loss_of in LOSSES.values() and not batches.is_ragged:
            score = plain(task.scores([batches.row(0)])[0])
            task.loss_of([score] * n, targets)
            return
        places = agreement.samples_to_look_at(n, (), (), batches.kinds)
        found = [agreement.as_score(score) for score in task.scores([batches.row(i) for i in places])]
        scores = agreement.repeated(found, [batches.kinds[i] for i in places], batches.kinds)
        own = []
        for i, target in enumerate(targets):
            try:
                own += agreement.own_losses(task.loss, [scores[i]], [target])
            except (ValueError, ArithmeticError):  # perhaps with its own score there is none
                scores[i] = agreement.as_score(task.scores([batches.row(i)])[0])
                own += agreement.own_losses(task.loss, [scores[i]], [target])
        seen = [agreement.evidence(task.loss, scores, targets, own)]
        self._adds_up = self._adds_up if self._adds_up is not None else agreement.adds_up(seen)
        with suppress(ValueError, ArithmeticError):  # it may be defined at the scores that there are, and nowhere else
            chance = random.Random(0)
            nudged = [agreement.as_score(rebuild(iter(numbers)), chance) for numbers, rebuild in scores]
            elsewhere = agreement.own_losses(task.loss, nudged, targets)
            seen.append(agreement.evidence(task.loss, nudged, targets, elsewhere))
        decided = agreement.adds_up(seen)
        self._adds_up = self._adds_up if decided is None else decided
        compiled = compile_(lambda s, t: task.loss([_computed(s)], [t]), backend="python")
        numbers = [rebuild(iter(numbers)) for numbers, rebuild in scores]
        wrong = agreement.first_difference(compiled.values(numbers, targets), [row[0] for row in own])
        if wrong is not None:
            raise ValueError(
                f"the compiled loss of target {targets[wrong]!r} (sample {wrong}) is not the eager one, "
                f"{own[wrong][0]!r}: {_WHY}"
            )

    @nothing_left_out()
    def _refuse_loss_of_several(self, error: Exception) -> None:
        """Raise ValueError, in words, if the loss is there for all samples together, but not for one alone.

        Args:
            error: what was raised, of which this may be the reason.
        """
        task, (_, targets) = self.task, self.task.samples

        def exists(places: Iterable[int]) -> bool:
            with suppress(ValueError, ArithmeticError):
                task.loss(task.scores([self._batches.row(i) for i in places]), [targets[i] for i in places])
                return True
            return False

        with evaluating(task.model):
            is_of_several = not exists([0]) and exists(range(len(targets)))
        if is_of_several:
            raise ValueError(
                f"there is a loss of all samples together, but of one alone it raises {type(error).__name__}, as if it "
                "divided by their number less 1. Compiled training takes one sample at a time, so the loss of a batch "
                "must be the mean or the sum over its samples: divide by len(scores), or train without compiled=True"
            ) from error

    @nothing_left_out()
    def _decide(self, batches: Batches, targets: Sequence[Any], batch: Sequence[int]) -> None:
        """Find out by these very samples whether the loss is the mean or the sum over them, if they tell."""
        task = self.task
        scores = [agreement.as_score(score) for score in task.scores([batches.row(i) for i in batch])]
        mine = [targets[i] for i in batch]
        own = agreement.own_losses(task.loss, scores, mine)
        self._adds_up = agreement.adds_up([agreement.evidence(task.loss, scores, mine, own)])

    @nothing_left_out()
    def _compare(self) -> None:
        """Find out whether the eager loss is the same.

        Raises:
            ValueError: if it is not.
        """
        task, batches = self.task, self._batches
        some = agreement.samples_to_look_at(batches.n, task.samples[1], batches.columns(), batches.kinds)
        targets = [task.samples[1][i] for i in some]
        scores = task.scores([batches.row(i) for i in some])
        each = [task.loss([score], [target]).data for score, target in zip(scores, targets, strict=True)]
        penalty = 0.0 if task.penalty_of is None else task.penalty_of(task.optimizer.parameters)
        penalty = penalty.data if isinstance(penalty, Value) else float(penalty)
        finite = [k for k, x in enumerate(each) if math.isfinite(x + penalty)]
        if not finite:
            return  # the first step says so
        eager = task.loss([scores[k] for k in finite], [targets[k] for k in finite]).data
        samples = batches.taken([some[k] for k in finite], self._loss.adds_up)
        if self._left_out is not None:
            samples = self._left_out.none(samples)
        found = self._loss.batches.run(samples)[0]
        size = math.fsum(abs(each[k]) for k in finite)
        if not abs(found - (eager + penalty)) <= AGREEMENT * (size + abs(penalty)):
            raise ValueError(
                f"the compiled loss of {len(finite)} samples is {found!r}, the eager one {eager + penalty!r}: {_WHY}"
            )


_WHY = (
    "model, loss or penalty do something that cannot be replayed, as drawing random numbers, or looking a target up in "
    "a dict, which is a Value here. Compute it, choose with where, or train without compiled=True"
)


def _computed(score: Any) -> Any:
    """A score as a model computes it, whose numbers are Values in eager code too."""
    leaves, rebuild = flatten(score)
    return rebuild(map(as_value, leaves))
