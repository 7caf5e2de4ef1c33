"""What a model says, and how often it is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from scalargrad.engine import Value
from scalargrad.nn.batchnorm import BatchNorm
from scalargrad.nn.inputs import as_array, constants, is_sequence
from scalargrad.nn.module import Module
from scalargrad.nn.targets import picked
from scalargrad.node.contexts import no_grad
from scalargrad.node.mode import being_compiled
from scalargrad.ops import greater, sum_, where
from scalargrad.support.arguments import MAX_DEPTH, function, items, real, too_deep

Metric = Callable[[Sequence[Any], Sequence[Any]], float]
"""A function of a batch's scores and targets."""


def predict(model: Callable[[Any], Any], X: Any) -> list[Any]:
    """Return the model's outputs for every row of X, as plain numbers; no graph is built.

    Args:
        model: a Module, which is in eval mode meanwhile, or a function.
        X: rows of numbers, a list of lists, an array or a DataFrame.

    Returns:
        For each row a float, or a list of floats if the model has several outputs.

    >>> predict(lambda x: x[0] * 2, [[1.0], [3.0]])
    [2.0, 6.0]
    """
    if being_compiled():
        raise TypeError("predict gives plain numbers, which a replay of the function that calls it cannot follow")
    model, rows = function(model, "model"), as_rows(X)
    with evaluating(model), no_grad():
        return [plain(model(row)) for row in rows]


@contextmanager
def modes_kept(model: Any) -> Iterator[list[Module]]:
    """Hand out a Module's modules; afterwards each is in the mode it was in."""
    modules = model.modules() if isinstance(model, Module) else []
    modes = [module.training for module in modules]
    try:
        yield modules
    finally:
        for module, mode in zip(modules, modes, strict=True):
            if module.training != mode:
                module.training = mode


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Hold a Module in eval mode; afterwards it is in the mode it was in."""
    with modes_kept(model) as modules:
        for module in modules:
            module.training = False
        yield


@contextmanager
def learning(model: Any) -> Iterator[None]:
    """Hold a Module in training mode, if it is not there; afterwards every module is in the mode it was in.

    What is in eval mode inside a model in training mode was put there on purpose, and stays; so does a BatchNorm in
    eval mode in any case: its running statistics are what the model goes by.
    """
    with modes_kept(model) as modules:
        if modules and not model.training:
            fixed = [module for module in modules if isinstance(module, BatchNorm) and not module.training]
            model.train()
            for module in fixed:
                module.training = False
        yield


def accuracy(scores: Any, targets: Any) -> float:
    """Return the share of samples that are classified rightly, from 0 to 1.

    With one score a sample, right is: score and target are on the same side of 0, a target of 0 counting as negative
    (so that labels -1/+1 and 0/1 both work). With one score for each class: the largest score is the target's; of equal
    scores the first counts. A score of nan is never right.

    Args:
        scores: n numbers or Values, or n lists of k of them; a list of one is one score.
        targets: n labels, each of which may be a list of one; with k scores, class indices.

    Raises:
        ValueError: if the lengths differ or there is no sample.

    >>> accuracy([0.3, -2.0, 1.0], [1, -1, -1]), accuracy([[0.1, 0.7], [0.6, 0.2]], [1, 1])
    (0.6666666666666666, 0.5)
    """
    scores, targets = items(scores, "accuracy: scores", "[0.5]"), items(targets, "accuracy: targets", "[1]")
    if len(scores) != len(targets):
        raise ValueError(f"accuracy: {len(scores)} scores but {len(targets)} targets: give one target for each")
    if len(scores) == 0:
        raise ValueError("accuracy: there is no sample to classify")
    if not set(map(type, targets)) <= _NUMBERS:
        targets = [_checked(_of_one(target), "target") for target in targets]
    return sum(map(_is_right, map(plain, scores), targets)) / len(scores)


_NUMBERS = {float, int}  # the usual kinds, told by their type alone: this is asked of every number


def _of_one(x: Any) -> Any:
    """The element of a list of one, as a row of a single column is; anything else as it is."""
    return x[0] if is_sequence(x) and len(x) == 1 else x


def _is_right(score: Any, target: Any) -> bool:
    score = _of_one(score)
    if isinstance(score, list):
        score = [_checked(s, "score") for s in score]
        return not any(s != s for s in score) and score.index(max(score)) == target
    if type(score) not in _NUMBERS:
        score = _checked(score, "score")
    return score == score and bool((score > 0) == (target > 0))


def _checked(x: Any, what: str) -> Any:
    return x if isinstance(x, (float, Value)) else real(x, f"accuracy: each {what}")


def misclassified(score: Any, target: Value) -> Any:
    """Return 0.0 for a sample that `accuracy` calls right and something else, or nan, for others, as a formula.

    A compiled step computes it along with the loss.
    """
    score = _of_one(score)
    if not is_sequence(score):
        return abs(greater(score, 0) - greater(target, 0))
    right = picked(score, target)
    # Those before the right class must be smaller, those after it may be equal.
    return sum_([
        where(greater(target, j), 1 - greater(right, other), greater(other, right)) for j, other in enumerate(score)
    ])  # fmt: skip


def plain(output: Any, depth: int = 0) -> Any:
    """Return a model's output with its Values as floats; as Values while a function is recorded, to be replayed."""
    if type(output) is float:
        return output
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep("the output")
    if is_sequence(output):
        return [plain(value, depth + 1) for value in output]
    return output.data if isinstance(output, Value) and not being_compiled() else output


def is_table(X: Any) -> bool:
    """Return whether X is an array or a list of lists that holds equally many plain numbers in each row."""
    if hasattr(X, "__array_interface__"):
        return X.ndim == 2 and X.size > 0 and X.dtype.kind in "biuf"
    if type(X) is not list or set(map(type, X)) != {list} or len(set(map(len, X))) != 1 or not X[0]:
        return False
    return set(map(type, chain.from_iterable(X))) <= {float, int}


def as_rows(X: Any) -> list[Any]:
    """Return the rows of X, numbers as constant Values.

    Raises:
        TypeError: if X is not a sequence of rows of numbers.
        ValueError: if X is empty or its rows differ in length.
    """
    X = as_array(X)
    if hasattr(X, "tolist"):
        X = X.tolist()
    if not is_sequence(X):
        raise TypeError(f"X must be a list of rows, one for each sample, not {type(X).__name__}")
    if not X:
        raise ValueError("X is empty: there is no sample")
    rows = []
    for i, row in enumerate(X):
        row = row.tolist() if hasattr(row, "tolist") else row  # noqa: PLW2901
        rows.append(constants(row if is_sequence(row) else [row], f"X, row {i}"))
        if len(rows[i]) != len(rows[0]):
            raise ValueError(
                f"X: row {i} has {len(rows[i])} numbers, but row 0 has {len(rows[0])}: all must have equally many"
            )
    return rows
