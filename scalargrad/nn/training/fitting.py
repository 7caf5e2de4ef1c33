"""fit: the training loop, forward, zero_grad, backward, step, over and over."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scalargrad.nn.arguments.inputs import as_array, as_samples, count, is_sequence, own_samples, own_targets
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.descent.clipping import limit
from scalargrad.nn.descent.optimizers import OPTIMIZERS, Optimizer
from scalargrad.nn.scores.loss_advice import advising, no_loss
from scalargrad.nn.scores.losses import Loss, l2_penalty, resolve_loss
from scalargrad.nn.scores.metrics import Metric, accuracy
from scalargrad.nn.scores.predicting import learning
from scalargrad.nn.training.history import History
from scalargrad.nn.training.progress import progress_of
from scalargrad.nn.training.ragged import check_structures
from scalargrad.nn.training.run_watch import EARLY, RunWatch
from scalargrad.nn.training.stepping import EagerSteps, NotFiniteError, Penalty, Samples, Steps, Task
from scalargrad.node.mode import mode_kept
from scalargrad.support.arguments import brief, function
from scalargrad.support.reals import number
from scalargrad.support.spelling import did_you_mean, explained

if TYPE_CHECKING:
    from scalargrad.nn.descent.schedules import Schedule


class DivergenceError(ArithmeticError):
    """Training reached a loss or parameter that is nan or infinite.

    Attributes:
        epoch: the epoch in which it happened, counted from 1.
        history: the History of the epochs before.
    """

    def __init__(self, message: str, epoch: int, history: History) -> None:
        super().__init__(message, epoch, history)  # all of them: pickle and copy call the class with these
        self.epoch = epoch
        self.history = history

    def __str__(self) -> str:
        return str(self.args[0])


@mode_kept
@explained("fit(model, X, y, loss='mse')")
def fit(
    model: Any,
    X: Any,
    y: Any,
    loss: str | Loss | None = None,
    *,
    optimizer: str | Optimizer = "sgd",
    lr: float | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    schedule: Schedule | None = None,
    penalty: float | Penalty | None = None,
    clip_norm: float | None = None,
    metrics: str | Metric | Mapping[str, Metric] | None = None,
    validation: tuple[Any, Any] | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    rng: RandomSource | None = None,
    progress: bool = True,
    watch: bool = False,
    warn: bool = True,
    callback: Callable[[int, History], Any] | None = None,
    compiled: bool | str = False,
) -> History:
    """Train the model on the samples X with targets y and return the History.

    An epoch goes once through the samples. Each step takes one batch: loss (and penalty) forward, zero_grad, backward,
    clipping, optimizer step. Whatever ends training early, Ctrl-C included, the parameters are those after a whole
    step.

    Args:
        model: a Module, or anything that is called with one sample and has `parameters()`. A Module is asked for whole
            batches, by `on_batch`, which calls it with each sample unless there is a BatchNorm. A model in eval mode is
            put into training mode, all but each BatchNorm that is in eval mode; parts that are in eval mode inside a
            model in training mode stay so. However fit ends, each part is in the mode it was in.
        X: n rows of numbers, a list of lists, an array or a DataFrame; a list of n numbers means rows of one. Or n
            samples of any structure that the model takes, as sequences of different lengths. X and y are read once, at
            the beginning: what becomes of them later does not count, but for numbers that are Values.
        y: n targets, as the loss takes them: for sequences one for each, or a sequence for each.
        loss: a name, "mse", "sse", "hinge", "bce_with_logits", "multiclass_hinge", "cross_entropy", or a function
            (scores, targets) -> Value of a batch.
        optimizer: a name, "sgd", "adagrad", "rmsprop", "adam", "adamw", or an Optimizer.
        lr: the learning rate, if the optimizer is given by name; its own default if left out.
        epochs: how many epochs.
        batch_size: how many samples a step takes; all if left out, and then in the given order.
        schedule: the number of steps made so far in this call -> the learning rate; overrides lr.
        penalty: a number, the strength of `l2_penalty`, or a function of the list of parameters; added to the loss.
        clip_norm: the longest gradient allowed, as in `clip_grad_norm`.
        metrics: "accuracy", a function (scores, targets) -> number, or a dict of them by name, of which none is "loss",
            "lr" or begins with "val_". With a loss for classification, accuracy is recorded by itself.
        validation: a pair (X, y) of samples that are measured after every epoch, without the penalty.
        shuffle: whether batches are drawn afresh in every epoch.
        seed: seeds the shuffling; with neither seed nor rng, Python's global generator is used.
        rng: or a `random.Random` to shuffle with.
        progress: shows a line in a notebook; in a terminal a bar (tqdm) or plain lines on stderr.
        watch: shows a live view instead: in a notebook a picture of the loss and, for samples of two numbers, of what
            the model says everywhere; in a terminal curves of blocks. What is last shown stays. It is drawn so seldom
            that training takes little longer.
        warn: issues a `TrainingWarning`, once, if the loss rises or swings to and fro, or if relu neurons are dead
            after the last epoch.
        callback: called as callback(epoch, history) after every epoch, counted from 1. Training ends if it returns True
            or the integer 1, Python's or numpy's; whatever else it returns, as None, a loss of 1.0 or a list, does not
            end it.
        compiled: True, or the name of a backend of `scalargrad.compile`, records model and loss once, for one sample,
            and makes the steps in compiled code: the same numbers but for rounding, many times as fast. What model,
            loss and penalty decide in Python is decided once. What Dropout leaves out is drawn before every step, in
            the order of the eager one, or refused where that cannot be told; BatchNorm cannot be trained so. During an
            epoch the Values lag behind; metrics, validation and callback find them up to date.

    Returns:
        A History with an entry for each epoch: "loss" and the metrics, means over the epoch's samples as they were met,
        just before each step; "lr", that of the epoch's last step; and "val_..." after the epoch.

    Raises:
        DivergenceError: if the loss or a parameter became nan or infinite. Parameters and optimizer are put back to
            where the loss was last finite. With `compiled`, also where the eager loop raises the error of an op outside
            its domain: compiled code gives nan or inf there.
        ValueError: if the numbers of samples and targets differ, or a name or number is wrong; with `compiled`, also if
            something in model or loss cannot be compiled, or if the loss of a batch is neither the mean nor the sum of
            the losses of its samples.
        TypeError: if an argument is of the wrong kind, or there is no loss; what is said then looks at y.

    Warns:
        TrainingWarning: see `warn`.

    >>> from scalargrad.nn import MLP, xor
    >>> history = fit(MLP(2, [4, 1], activation="tanh", seed=1), *xor(labels=(-1, 1)), loss="hinge", lr=0.3, epochs=60,
    ...               progress=False)
    >>> history.accuracy[-1]
    1.0
    """
    if isinstance(model, type):
        raise TypeError(f"fit trains a model, not the class {model.__name__}: make one first, as nn.MLP(2, [16, 1])")
    if not callable(model):
        raise TypeError(
            f"fit trains a model, as nn.MLP(2, [16, 1]), not {type(model).__name__}: fit(model, X, y, loss)"
        )
    if loss is None:
        raise TypeError(no_loss(y))
    loss_of = resolve_loss(loss)
    measures = _resolve_metrics(metrics, loss)
    eager = compiled is False
    rows, targets = _samples(model, X, y, "X", "y", eager)
    held_out = (
        None if validation is None else _samples(model, *_pair(validation), "validation X", "validation y", eager)
    )
    epochs = count(epochs, "epochs", "fit(..., epochs=100)")
    size = (
        len(rows) if batch_size is None else min(count(batch_size, "batch_size", "fit(..., batch_size=16)"), len(rows))
    )
    optimizer = _resolve_optimizer(optimizer, model, lr)
    penalty_of = _resolve_penalty(penalty)
    clip_norm = None if clip_norm is None else limit(clip_norm, "clip_norm")
    for f, what in ((schedule, "schedule"), (callback, "callback")):
        if f is not None:
            function(f, what)
    source = random_source(seed, rng)
    with advising(loss_of, targets), learning(model):
        task = Task(model, (rows, targets), loss_of, optimizer, penalty_of, clip_norm, measures, held_out, schedule)
        steps = EagerSteps(task) if eager else _compiled_steps(task, compiled)
        history = History()
        order = list(range(len(rows)))
        # Twice: a Ctrl-C that falls into the end of one, where the Values are brought up to date, meets the other.
        watcher = RunWatch(model, rows, size == len(rows), warn)
        with progress_of(task, epochs, progress, watch) as display, steps, steps:
            for epoch in range(1, epochs + 1):
                if shuffle and size < len(rows):
                    source.shuffle(order)
                batches = [order[start : start + size] for start in range(0, len(order), size)]
                numbers = _epoch(steps, batches, schedule, epoch, history)
                if held_out is not None:
                    numbers.update((f"val_{name}", x) for name, x in steps.validate().items())
                history.append(numbers)
                if display.looks_at_model and (display.is_due or epoch == epochs):
                    steps.pause()
                display.show(history)
                watcher.epoch(history)
                if epoch == EARLY < epochs and watcher.looks_for_the_dead:
                    steps.pause()
                    watcher.neurons(epoch)
                if callback is not None:
                    steps.pause()
                    if _says_stop(callback(epoch, history)):
                        break
        watcher.neurons(history.epochs)
        return history


def _epoch(
    steps: Steps, batches: Sequence[Sequence[int]], schedule: Schedule | None, epoch: int, history: History
) -> dict[str, float]:
    """Make a step on each batch; the means over all samples, and the learning rate of the last step."""
    optimizer = steps.task.optimizer
    totals = dict.fromkeys(["loss", *steps.task.measures], 0.0)
    for step, batch in enumerate(batches, (epoch - 1) * len(batches)):
        if schedule is not None:
            optimizer.lr = schedule(step)
        try:
            found = steps.step(batch)
        except NotFiniteError as problem:
            raise _diverged(str(problem), epoch, step, optimizer, history) from None
        for name, x in found.items():
            totals[name] += x * len(batch)
    n = sum(map(len, batches))
    return {**{name: total / n for name, total in totals.items()}, "lr": optimizer.lr}


def _says_stop(answer: Any) -> bool:
    """Whether it is True, or 1, as an integer of any kind or an array of one: not 1.0, which a loss may be."""
    with suppress(AttributeError, TypeError, ValueError, RuntimeError):  # no array, or one of several numbers
        answer = answer.item()
    return isinstance(answer, int) and answer == 1


def _compiled_steps(task: Task, compiled: bool | str) -> Steps:
    if not isinstance(compiled, (bool, str)):
        raise TypeError(f"compiled must be True, False or the name of a backend, as 'llvm', not {brief(compiled)}")
    from scalargrad.nn.training.compiled_stepping import CompiledSteps

    return CompiledSteps(task, "auto" if compiled is True else str(compiled))


def _diverged(what: str, epoch: int, step: int, optimizer: Optimizer, history: History) -> DivergenceError:
    if step == 0 and optimizer.steps == 0 and what.startswith("the loss"):
        advice = " No step was made yet: look for nan and inf in X, in y and in the parameters"
    else:
        went = ", ".join(f"{x:.4g}" for x in history.get("loss", [])[-5:])
        advice = f" The losses of the epochs before: {went}." * bool(went)
        advice += f" Try a smaller lr, as lr={optimizer.lr / 10:.2g}, clip_norm=1.0, or inputs of about unit size"
    return DivergenceError(
        f"{what} in epoch {epoch} (step {step}, lr {optimizer.lr:g}); the parameters were put back to where the loss "
        f"was last finite.{advice}",
        epoch,
        history,
    )


def _samples(model: Any, X: Any, y: Any, X_name: str, y_name: str, as_values: bool) -> Samples:
    X, y = as_array(X), as_array(y)
    rows = as_samples(X) if as_values else own_samples(X)
    check_structures(model, rows, X_name)
    targets = y.tolist() if hasattr(y, "tolist") else y
    if not is_sequence(targets):
        raise TypeError(f"{y_name} must be a list of targets, one for each sample, not {type(y).__name__}")
    if len(rows) != len(targets):
        raise ValueError(
            f"{X_name} has {len(rows)} rows but {y_name} has {len(targets)} targets: give one target for each row"
        )
    return rows, own_targets(targets)


def _pair(validation: Any) -> tuple[Any, Any]:
    if not isinstance(validation, Sequence) or len(validation) != 2:
        raise TypeError(f"validation must be a pair (X, y), not {brief(validation)}")
    return validation[0], validation[1]


def _resolve_optimizer(optimizer: str | Optimizer, model: Any, lr: float | None) -> Optimizer:
    if isinstance(optimizer, Optimizer):
        if lr is not None:
            raise ValueError("lr= goes with an optimizer given by name; this one has its own: set optimizer.lr")
        return optimizer
    if not isinstance(optimizer, str):
        raise TypeError(
            f"optimizer must be a name or an Optimizer, as nn.SGD(model.parameters()), not {type(optimizer).__name__}"
        )
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"there is no optimizer {brief(optimizer)}{did_you_mean(optimizer, OPTIMIZERS)}; choose one of "
            f"{', '.join(OPTIMIZERS)}"
        )
    if not hasattr(model, "parameters"):
        raise TypeError(
            "the model has no parameters(): give an Optimizer, as in fit(..., optimizer=nn.SGD(parameters))"
        )
    kind: Any = OPTIMIZERS[optimizer]
    made: Optimizer = kind(model.parameters()) if lr is None else kind(model.parameters(), lr=lr)
    return made


def _resolve_penalty(penalty: float | Penalty | None) -> Penalty | None:
    if penalty is None or callable(penalty):
        return penalty
    strength = math.nan
    with suppress(TypeError, OverflowError):
        strength = number(penalty)
    if isinstance(penalty, bool) or not 0 <= strength < math.inf:
        raise ValueError(
            f"penalty must be a number from 0 up, the strength of l2_penalty, or a function, not {brief(penalty)}"
        )
    return lambda parameters: l2_penalty(parameters, strength)


def _resolve_metrics(metrics: Any, loss: str | Loss) -> dict[str, Metric]:
    if metrics is None:
        name = loss if isinstance(loss, str) else getattr(loss, "__name__", "")
        classifies = name in ("hinge", "bce_with_logits", "multiclass_hinge", "cross_entropy")
        return {"accuracy": accuracy} if classifies else {}
    if metrics == "accuracy":
        return {"accuracy": accuracy}
    if callable(metrics):
        metrics = {getattr(metrics, "__name__", "metric"): metrics}
    if isinstance(metrics, Mapping) and all(isinstance(name, str) and callable(metrics[name]) for name in metrics):
        for name in metrics:
            if name in ("loss", "lr") or name.startswith("val_"):
                raise ValueError(
                    f"a metric cannot be called {brief(name)}, as History keeps numbers of fit under that name: give "
                    "it another, as in metrics={'error': f}"
                )
        return dict(metrics)
    raise TypeError(
        f"metrics must be 'accuracy', a function (scores, targets) -> number, or a dict of them, not {brief(metrics)}"
    )
