"""Metrics: how often a model is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import is_sequence
from scalargrad.nn.scores.predicting import plain
from scalargrad.ops import greater, sum_, take, where
from scalargrad.support.arguments import items, real

Metric = Callable[[Sequence[Any], Sequence[Any]], float]
"""A function of a batch's scores and targets."""


def accuracy(scores: Any, targets: Any) -> float:
    """Return the share of samples that are classified rightly, from 0 to 1.

    With one score a sample, right is: score and target are on the same side of 0, a target of 0 counting as negative
    (so that labels -1/+1 and 0/1 both work). With one score for each class: the largest score is the target's; of equal
    scores the first counts. A score of nan is never right. Of a sequence the share that is right counts.

    Args:
        scores: n numbers or Values, or n lists of k of them; a list of one is one score. Or n sequences of these.
        targets: n labels, each of which may be a list of one; with k scores, class indices. For sequences, a list each.

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
        targets = list(map(_label, targets))
    return sum(map(_share, map(plain, scores), targets)) / len(scores)


_NUMBERS = {float, int}  # the usual kinds, told by their type alone: this is asked of every number


def _of_one(x: Any) -> Any:
    """The element of a list of one, as a row of a single column is; anything else as it is."""
    return x[0] if is_sequence(x) and len(x) == 1 else x


def _label(target: Any) -> Any:
    target = _of_one(target)
    return list(map(_label, target)) if is_sequence(target) and len(target) else _checked(target, "target")


def _share(score: Any, target: Any) -> float:
    """1 or 0 for one target, for a list of them the share that is right."""
    if not isinstance(target, list):
        return _is_right(score, target)
    if not isinstance(score, list) or len(score) != len(target):
        raise ValueError(
            f"accuracy: a sequence of {len(target)} targets has other scores: give one, or a list, for each"
        )
    return sum(map(_share, score, target)) / len(target)


def _is_right(score: Any, target: Any) -> bool:
    score = _of_one(score)
    if isinstance(score, list):
        score = [_checked(s, "score") for s in score]
        if any(s != s for s in score):
            return False
        index = score.index(max(score))
        return bool(index <= target <= index)  # not ==, which asks of a Value whether it is the same object
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
    right = take.op.lowered([target, *score])  # type: ignore[attr-defined]  # nan where the target is no class
    # Those before the right class must be smaller, those after it may be equal.
    return sum_([
        where(greater(target, j), 1 - greater(right, other), greater(other, right)) for j, other in enumerate(score)
    ])  # fmt: skip
