"""The loss of one sample, compiled, and the metrics of a batch out of what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.compiled import compile as compile_
from scalargrad.engine import Value
from scalargrad.nn.scores.metrics import accuracy, misclassified
from scalargrad.nn.training.stepping import measured
from scalargrad.node.contexts import as_value
from scalargrad.node.structures import flatten

if TYPE_CHECKING:
    from scalargrad.compiling.batches import Part
    from scalargrad.nn.training.left_out import LeftOut
    from scalargrad.nn.training.stepping import Task


class SampleLoss:
    """The loss of one sample, compiled, with what the metrics need.

    Args:
        task: model, loss and metrics.
        parameters: what is trained, for the gradients and the penalty; None to measure only.
        backend: its name.
        adds_up: whether the loss of a batch is the sum over its samples; otherwise it is the mean.
        of_numbers: whether every target is one number.
        left_out: what Dropouts leave out, if there are any in training; then the loss has their factors as one more
            argument.
    """

    def __init__(
        self, task: Task, parameters: list[Value] | None, backend: str, adds_up: bool, *, of_numbers: bool,
        left_out: LeftOut | None = None,
    ) -> None:  # fmt: skip
        self.adds_up = adds_up
        self._measures = task.measures
        counts = {name for name, measure in task.measures.items() if measure is accuracy}
        self._counted = counts if of_numbers else set()
        self.asks_users = len(task.measures) > len(counts)

        def loss_of_a_sample(x: Any, y: Any, *more: Any) -> tuple[Any, Any]:
            with nullcontext() if left_out is None else left_out.taken_from(more[-1]):
                leaves, rebuild = flatten(x)
                (score,) = task.scores([rebuild(map(as_value, leaves))])  # Values in eager code too, not numbers
            total: Any = task.loss([score], [y])
            if adds_up:  # all is divided by the number of samples, the argument n, in the end
                total = total * more[0]
            if parameters is not None and task.penalty_of is not None:
                total = total + task.penalty_of(parameters)
            wrong = [misclassified(score, y)] if self._counted else []
            if len(task.measures) == len(self._counted):
                return total, (wrong, ())
            flatten(score, "what the model returns")  # refuses what is no structure of numbers
            return total, (wrong, score)

        loss_of_a_sample.__name__ = "the loss"
        vars(loss_of_a_sample)["calls"] = [task.loss_of, task.model, task.penalty_of]  # what they read is watched
        self.batches = compile_(loss_of_a_sample, parameters=parameters or [], backend=backend, has_aux=True).batches

    def measured(
        self, parts: list[Part], targets: Sequence[Any], batch: Sequence[int],
        shown: Callable[[Any], Any] | None = None,
    ) -> dict[str, float]:  # fmt: skip
        """The metrics of a batch. They see the scores, Values as constants, or what `shown` makes of them."""
        if not self._measures:
            return {}
        scores: list[Any] = [None] * len(batch)
        right = 0
        for program, rows, columns in parts:
            if self._counted:
                right += columns[0].count(0.0)
            if len(self._measures) > len(self._counted):
                kinds = [_constant if is_value else float for is_value in program.are_values]
                for i, row in zip(rows, zip(*columns, strict=True), strict=True):
                    numbers = (kind(x) for kind, x in zip(kinds, (0.0, *row), strict=True))
                    _, (_, score) = program.rebuild(numbers)
                    scores[i] = shown(score) if shown else score
        wanted = [targets[i] for i in batch]
        found = dict.fromkeys(self._counted, right / len(batch))
        others = {name: measure for name, measure in self._measures.items() if name not in found}
        found.update(measured(others, scores, wanted))
        return {name: found[name] for name in self._measures}


def _constant(x: float) -> Value:
    return Value(x, requires_grad=False)
