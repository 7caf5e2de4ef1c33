"""A step of training: loss forward, zero_grad, backward, clipping, and the optimizer's step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import is_sequence
from scalargrad.nn.descent.clipping import clip_grad_norm
from scalargrad.nn.modules.module import Module
from scalargrad.nn.scores.predicting import evaluating, plain
from scalargrad.node.contexts import no_grad
from scalargrad.node.numbers import plain_number
from scalargrad.support.arguments import real

if TYPE_CHECKING:
    from typing_extensions import Self

    from scalargrad.nn.descent.optimizers import Optimizer
    from scalargrad.nn.descent.schedules import Schedule
    from scalargrad.nn.scores.losses import Loss
    from scalargrad.nn.scores.metrics import Metric

Penalty = Callable[[list[Value]], Any]
Samples = tuple[Any, list[Any]]
"""Rows of Values, or for compiled steps of numbers but for the user's Values, and their targets."""


class NotFiniteError(ArithmeticError):
    """A loss or parameter became nan or infinite; everything has been put back."""


@dataclass(frozen=True)
class Task:
    """What `fit` was asked to do, checked."""

    model: Any
    samples: Samples
    loss_of: Loss
    optimizer: Optimizer
    penalty_of: Penalty | None
    clip_norm: float | None
    measures: Mapping[str, Metric]
    held_out: Samples | None
    schedule: Schedule | None = None

    def scores(self, rows: Sequence[Any]) -> list[Any]:
        """What the model says to these rows, as one batch."""
        return self.model.on_batch(rows) if isinstance(self.model, Module) else [self.model(row) for row in rows]

    def loss(self, scores: Sequence[Any], targets: Sequence[Any]) -> Value:
        """The loss of a batch, without the penalty."""
        return _scalar(self.loss_of(scores, targets))


class Steps(ABC):
    """Makes the steps of a task. A `with` block makes sure that in the end the Values hold what was reached."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    def step(self, batch: Sequence[int]) -> dict[str, float]:
        """Make a step on the samples of these indices; returns the loss before it, as "loss", and the metrics.

        Raises:
            NotFiniteError: if the loss or a parameter became nan or infinite. Parameters and optimizer are put back to
                where the loss was last finite.
        """

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Return the loss, without the penalty, and the metrics of the samples that were held out."""

    def pause(self) -> None:  # noqa: B027  (there may be nothing to do)
        """Bring the Values up to date: others are going to look at them, and may change them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()


class EagerSteps(Steps):
    """Steps on Values, as one would write them by hand."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._last_good = task.optimizer.snapshot()

    def step(self, batch: Sequence[int]) -> dict[str, float]:
        """One step, as `Steps.step` describes it."""
        task, optimizer = self.task, self.task.optimizer
        rows, targets = task.samples
        targets = [targets[i] for i in batch]
        scores = task.scores([rows[i] for i in batch])
        total = task.loss(scores, targets)
        if task.penalty_of is not None:
            total = total + task.penalty_of(optimizer.parameters)
        if not math.isfinite(total.data):
            self._last_good()
            raise NotFiniteError(f"the loss became {total.data}")
        optimizer.zero_grad()
        total.backward()
        if task.clip_norm is not None:
            clip_grad_norm(optimizer.parameters, task.clip_norm)
        self._last_good = optimizer.snapshot()
        optimizer.step()
        if not all(math.isfinite(parameter.data) for parameter in optimizer.parameters):
            self._last_good()
            raise NotFiniteError("a parameter became nan or infinite")
        return {"loss": total.data, **measured(task.measures, scores, targets)}

    def validate(self) -> dict[str, float]:
        """As `Steps.validate` describes it."""
        assert self.task.held_out is not None  # noqa: S101  (for the type checker)
        rows, targets = self.task.held_out
        with evaluating(self.task.model), no_grad():
            outputs = [self.task.model(row) for row in rows]
            total = self.task.loss_of(outputs, targets)  # of Values, as in training
        scores = [plain(output) for output in outputs]
        loss = total.data if isinstance(total, Value) else float(total)
        return {"loss": loss, **measured(self.task.measures, scores, targets)}


def measured(measures: Mapping[str, Metric], scores: Sequence[Any], targets: Sequence[Any]) -> dict[str, float]:
    """The metrics of a batch, as floats: a loss that serves as one gives a Value.

    Raises:
        TypeError: if one gives no number.
    """
    return {
        name: real(plain_number(measure(scores, targets)), f"what the metric {name!r} returns")
        for name, measure in measures.items()
    }


def _scalar(total: Any) -> Value:
    if isinstance(total, Value):
        return total
    kind = "a list" if is_sequence(total) else type(total).__name__
    raise TypeError(f"the loss must return one Value for the batch, not {kind}: reduce it with scalargrad.mean or sum")
