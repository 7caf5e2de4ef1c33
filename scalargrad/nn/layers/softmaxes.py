"""softmax and its logarithm: scores as probabilities, finite for any finite scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scalargrad.engine import operand
from scalargrad.nn.arguments.vectors import for_each_row
from scalargrad.nn.modules.naming import untagged
from scalargrad.node.mode import being_compiled
from scalargrad.ops import exp, logsumexp, max_, rint
from scalargrad.support.arguments import items


def softmax(scores: Sequence[Any]) -> list[Any]:
    """Return the probabilities exp(s_i) / sum_j exp(s_j) of k classes, as exp(s_i - logsumexp(s)).

    Finite for any finite scores. The loss over them is `cross_entropy`, which takes the scores themselves.

    Args:
        scores: a list of k Values or numbers; or a list of such lists, and then a list of lists comes back.

    Raises:
        ValueError: if there is no score.
        TypeError: if scores is not a list of numbers.

    >>> softmax([-1000.0, 1000.0])
    [0.0, 1.0]
    """
    return _of_each(softmax_of, scores, "softmax")


def log_softmax(scores: Sequence[Any]) -> list[Any]:
    """Return the logarithms of the probabilities, s_i - logsumexp(s), of k classes.

    Finite for any finite scores that are not further apart than floats go, where the logarithm of `softmax` is not.
    The arguments and errors are those of `softmax`; `-log_softmax(s)[t]` is `cross_entropy(s, t)`.

    >>> log_softmax([-1000.0, 1000.0])
    [-2000.0, 0.0]
    """
    return _of_each(_log_softmax_of, scores, "log_softmax")


def _of_each(function: Any, scores: Any, who: str) -> list[Any]:
    given = items(scores, f"{who}: scores", f"{who}([a, b, c])")
    if not given:
        raise ValueError(f"{who}: there is no score: give one for each class")
    return for_each_row(function, given, f"{who}: scores")


def softmax_of(scores: Sequence[Any], tag: Callable[[Any], Any] = untagged) -> list[Any]:
    """Return the softmax of a vector, unchecked; `tag` is called with every node on the way."""
    return [tag(exp(x)) for x in _log_softmax_of(scores, tag)]


def _log_softmax_of(scores: Sequence[Any], tag: Callable[[Any], Any] = untagged) -> list[Any]:
    s = shifted(scores, tag)
    total = tag(logsumexp(s))
    return [tag(score - total) for score in s]


def shifted(scores: Sequence[Any], tag: Callable[[Any], Any] = untagged) -> Sequence[Any]:
    """Return the scores minus a number near the largest of them: softmax stays what it is.

    The number is a multiple of 16: it is subtracted without rounding from scores near the largest, and scores of usual
    size stay as they are. It has no slope: where a function is recorded, to be replayed with other scores, rint sees to
    that.
    """
    if being_compiled():
        top = tag(tag(rint(tag(tag(max_(scores)) / _GRAIN))) * _GRAIN)
    else:
        try:
            top = rint(max_([operand(s)[1] for s in scores]) / _GRAIN) * _GRAIN
        except TypeError:  # what is no number meets the op, which says so
            return scores
    return scores if isinstance(top, float) and top == 0 else [tag(s - top) for s in scores]


_GRAIN = 16.0
