"""Before compiled steps are made: whether the loss can be taken sample by sample, and is the same as the eager one."""

from __future__ import annotations

import math
import random
from abc import ABC
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.compiled import compile as compile_
from scalargrad.engine import Value
from scalargrad.nn.scores.losses import LOSSES
from scalargrad.nn.scores.predicting import evaluating, plain
from scalargrad.nn.training import agreement
from scalargrad.nn.training.agreement import AGREEMENT
from scalargrad.nn.training.left_out import LeftOut, nothing_left_out
from scalargrad.nn.training.stepping import Steps
from scalargrad.node.contexts import as_value
from scalargrad.node.structures import flatten

if TYPE_CHECKING:
    from scalargrad.nn.training.gathering import Batches
    from scalargrad.nn.training.sample_loss import SampleLoss


class CheckedSteps(Steps, ABC):
    """Steps that look at their loss beforehand.

    Attributes:
        _adds_up: whether the loss of a batch is the sum over its samples, not the mean; None while nobody knows.
        _batches: the samples.
        _loss: the loss of one of them, compiled.
        _left_out: what Dropouts leave out in it.
    """

    _adds_up: bool | None
    _batches: Batches
    _loss: SampleLoss
    _left_out: LeftOut | None

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
