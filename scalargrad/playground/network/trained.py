"""A network in training: steps in compiled memory, what is measured after them, and the way back if they diverge."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.compiled import compile as compile_
from scalargrad.nn.scores.metrics import misclassified
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scalargrad.compiling.training import Training
    from scalargrad.engine import Value
    from scalargrad.nn.descent.optimizers import Optimizer
    from scalargrad.nn.modules.module import Module


@dataclass(frozen=True)
class Stage:
    """What was done with a network: all stages one after another bring it to where it stands.

    Attributes:
        points: how many points there were to train on.
        steps: how many steps were made; 0 if a parameter was set.
        lr: at which learning rate.
        decay: and weight decay.
        name: the parameter that was set; empty if none was.
        number: what it was set to.
    """

    points: int
    steps: int = 0
    lr: float = 0.0
    decay: float = 0.0
    name: str = ""
    number: float = 0.0


class Trained:
    """A model, its optimizer, and the samples that it is trained on.

    Args:
        model: a Module with one output.
        optimizer: that of its parameters.
        loss: a function (score, target) -> Value of one sample.
        samples: rows and targets that are trained on.
        held_out: and those that are not.
        batch: how many samples a step takes; all if 0.
        seed: of the order in which batches are drawn.

    Attributes:
        steps: how many were made.
        stages: what was done.
    """

    def __init__(
        self, model: Module, optimizer: Optimizer, loss: Callable[[Any, Any], Any],
        samples: tuple[list[list[float]], list[float]], held_out: tuple[list[list[float]], list[float]],
        *, batch: int = 0, seed: int = 0,
    ) -> None:  # fmt: skip
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.rows, self.targets = samples
        self.held_out = held_out
        self.batch = batch
        self.steps = 0
        self.stages: list[Stage] = []
        self._rng = random.Random(seed)
        self._order: list[int] = []
        self._at = 0

        def one(row: Any, target: Any) -> Any:
            return loss(model(row), target)

        def measured(row: Any, target: Any) -> Any:
            score = model(row)
            return loss(score, target), score, misclassified(score, target)

        one.__name__, measured.__name__ = "the loss", "the loss"
        self._compiled = compile_(one, parameters=model.parameters())
        self._measured = compile_(measured)
        self._training: Training | None = None

    # ---------------------------------------------------------------- steps

    def train(self, seconds: float, most: int, lr: float, decay: float) -> str:
        """Make steps until the time is up, at least one and at most so many; what is to be said if they diverged.

        Then, and if a step raises, everything stands as it was before the first of them.
        """
        if not most or not self.rows:
            return ""
        optimizer = self.optimizer
        optimizer.lr, optimizer.weight_decay = lr, decay
        undo, order, at, rng = optimizer.snapshot(), self._order[:], self._at, self._rng.getstate()
        if self._training is None:
            self._training = self._compiled.training(optimizer)
        step, made, end, loss = self._training, 0, perf_counter() + seconds, 0.0

        def go_back() -> None:
            undo()
            self._order, self._at = order, at
            self._rng.setstate(rng)

        try:
            while made < most and math.isfinite(loss):
                loss = step(*self._next())
                made += 1
                if perf_counter() >= end:
                    break
            step.write_back()
            what = ""
            if not math.isfinite(loss):
                what = f"the loss became {number_text(loss)}"
            elif not all(math.isfinite(p.data) for p in optimizer.parameters):
                what = "a weight became nan or infinite"
            elif not math.isfinite(after := self.measure(self.rows, self.targets)[0]):
                what, made = f"the loss became {number_text(after)}", made + 1
        except Exception:  # the loss has branches, and one was not recorded
            step.write_back()
            go_back()
            raise
        if not what:
            self.steps += made
            self._note(Stage(len(self.rows), made, lr, decay))
            return ""
        go_back()
        smaller = number_text(float(f"{lr / 10:.1g}"))
        return (
            f"In step {self.steps + made} {what}. The learning rate {number_text(lr)} is too large here: "
            f"each step goes too far, and the next one farther. The network stands as it did after step {self.steps}. "
            f"Take a smaller learning rate, as {smaller}, and go on, or reset."
        )

    def _next(self) -> tuple[list[list[float]], list[float]]:
        """The next batch; in every epoch they are drawn afresh, as `fit` does it."""
        n, size = len(self.rows), self.batch
        if not 0 < size < n:
            return self.rows, self.targets
        if len(self._order) != n:
            self._order, self._at = list(range(n)), 0
        if self._at == 0:
            self._rng.shuffle(self._order)
        batch = self._order[self._at : self._at + size]
        self._at = 0 if self._at + size >= n else self._at + size
        return [self.rows[i] for i in batch], [self.targets[i] for i in batch]

    def _note(self, stage: Stage) -> None:
        last = self.stages[-1] if self.stages else None
        if last is not None and stage.steps and last.steps and replace(last, steps=stage.steps) == stage:
            stage, self.stages = replace(stage, steps=last.steps + stage.steps), self.stages[:-1]
        self.stages.append(stage)

    def set(self, name: str, parameter: Value, number: float) -> None:
        """Set a parameter, whose name is `name`."""
        parameter.data = number
        self._note(Stage(len(self.rows), name=name, number=number))

    def add(self, rows: Sequence[list[float]], targets: Sequence[float]) -> None:
        """Train on these samples too from now on."""
        self.rows, self.targets = [*self.rows, *rows], [*self.targets, *targets]

    @property
    def epochs(self) -> float:
        """How often all samples were gone through."""
        n = len(self.rows)
        return self.steps if not 0 < self.batch < n else self.steps * self.batch / n

    # ---------------------------------------------------------------- what is measured

    def measure(self, rows: list[list[float]], targets: list[float]) -> tuple[float, int]:
        """The mean loss of these samples, and for how many of them the score has the target's sign."""
        losses, _, wrong = self._measured.batches.columns(rows, targets)
        return sum(losses) / len(losses), wrong.count(0.0)

    def gradients(self) -> tuple[list[Value], list[float]]:
        """The parameters, and the gradient of the mean loss over all samples for each."""
        _, found = self._compiled.value_and_grad(self.rows, self.targets)
        return self._compiled.parameters, found
