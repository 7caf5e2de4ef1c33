"""What a model says, and how often it is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scalargrad.engine import Value
from scalargrad.modes import no_grad
from scalargrad.nn.inputs import constants
from scalargrad.nn.module import Module
from scalargrad.nn.targets import is_sequence

Metric = Callable[[Sequence[Any], Sequence[Any]], float]
"""A function of a batch's scores and targets."""


def predict(model: Callable[[Any], Any], X: Any) -> list[Any]:
    """Return the model's outputs for every row of X, as plain numbers; no graph is built.

    Args:
        model: a Module, which is in eval mode meanwhile, or a function.
        X: rows of numbers, a list of lists or an array.

    Returns:
        For each row a float, or a list of floats if the model has several outputs.

    >>> predict(lambda x: x[0] * 2, [[1.0], [3.0]])
    [2.0, 6.0]
    """
    rows = as_rows(X)
    modules = model.modules() if isinstance(model, Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        with no_grad():
            return [plain(model(row)) for row in rows]
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


def accuracy(scores: Any, targets: Any) -> float:
    """Return the share of samples that are classified rightly, from 0 to 1.

    With one score a sample, right is: score and target are on the same side of 0, a target of 0 counting as negative
    (so that labels -1/+1 and 0/1 both work). With one score for each class: the largest score is the target's; of equal
    scores the first counts. A score of nan is never right.

    Args:
        scores: n numbers or Values, or n lists of k of them.
        targets: n labels; with k scores, class indices.

    Raises:
        ValueError: if the lengths differ or there is no sample.

    >>> accuracy([0.3, -2.0, 1.0], [1, -1, -1]), accuracy([[0.1, 0.7], [0.6, 0.2]], [1, 1])
    (0.6666666666666666, 0.5)
    """
    if len(scores) != len(targets):
        raise ValueError(f"accuracy: {len(scores)} scores but {len(targets)} targets: give one target for each")
    if len(scores) == 0:
        raise ValueError("accuracy: there is no sample to classify")
    return sum(map(_is_right, map(plain, scores), targets)) / len(scores)


def _is_right(score: Any, target: Any) -> bool:
    if isinstance(score, list):
        return not any(s != s for s in score) and score.index(max(score)) == target
    return score == score and bool((score > 0) == (target > 0))


def plain(output: Any) -> Any:
    """Return a model's output with its Values as floats."""
    if is_sequence(output):
        return [plain(value) for value in output]
    return output.data if isinstance(output, Value) else output


def as_rows(X: Any) -> list[Any]:
    """Return the rows of X, numbers as constant Values.

    Raises:
        TypeError: if X is not a sequence of rows of numbers.
        ValueError: if X is empty or its rows differ in length.
    """
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
