"""Scores and targets paired, sample by sample, their shapes and labels checked."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_sequence, is_sequence
from scalargrad.ops import take
from scalargrad.support.arguments import brief, real
from scalargrad.support.reals import number

_USUAL = {Value, float}


def single_scores(scores: Any, targets: Any, who: str) -> list[tuple[Any, Any]]:
    """Return pairs of one score and one target for each sample; a lone score is a batch of one.

    A list of one score, as a Linear with one output gives it, is that score.
    """
    scores, targets = as_sequence(scores), as_sequence(targets)
    if not is_sequence(scores):
        scores = [scores]
    if len(scores) == 1 and not is_sequence(targets):
        targets = [targets]
    if not is_sequence(targets):
        raise ValueError(f"{who}: {_n(len(scores), 'score')} but a single target: give a list with one for each score")
    if len(scores) != len(targets):
        raise ValueError(
            f"{who}: {_n(len(scores), 'score')} but {_n(len(targets), 'target')}: give one target for each"
        )
    if len(scores) == 0:
        raise ValueError(f"{who}: there is no sample to take the loss of")
    scores = list(map(_of_one, scores))
    for i, score in enumerate(scores):
        if is_sequence(score):
            hint = (
                "; for several classes use cross_entropy or multiclass_hinge"
                if who in ("hinge", "bce_with_logits")
                else ""
            )
            raise ValueError(f"{who}: sample {i} has {_n(len(score), 'score')}, but must have a single one{hint}")
        if not isinstance(score, Value):
            real(score, f"{who}: score {i}")
    pairs = list(zip(scores, map(_of_one, targets), strict=True))
    for i, (_, target) in enumerate(pairs):
        if is_sequence(target):
            raise ValueError(f"{who}: sample {i} has a single score but {_n(len(target), 'target')}: they must match")
    return pairs


def _of_one(target: Any) -> Any:
    """The number of a row of one, as a column of scores or targets is made of; anything else as it is."""
    return target[0] if _is_of_one(target) else target


def _of_one_each(scores: Any, targets: Any) -> bool:
    """Whether there is a list of one score for each sample, and a plain target."""
    return is_sequence(targets) and not any(map(is_sequence, targets)) and all(_is_of_one(row) for row in scores)


def _is_of_one(x: Any) -> bool:
    return is_sequence(x) and len(x) == 1


def all_outputs(scores: Any, targets: Any, who: str) -> list[tuple[Any, Any]]:
    """Return pairs of score and target, over all samples and outputs."""
    scores, targets = as_sequence(scores), as_sequence(targets)
    if not (is_sequence(scores) and len(scores) and is_sequence(scores[0])) or _of_one_each(scores, targets):
        return single_scores(scores, targets, who)
    if not is_sequence(targets) or len(targets) != len(scores):
        given = _n(len(targets), "row") if is_sequence(targets) else "a single number"
        raise ValueError(
            f"{who}: {_n(len(scores), 'row')} of scores but {given} of targets: give one row for each sample"
        )
    pairs: list[tuple[Any, Any]] = []
    for i, (row, target_row) in enumerate(zip(scores, targets, strict=True)):
        if not (is_sequence(row) and is_sequence(target_row)) or len(row) != len(target_row):
            widths = [_n(len(r), "number") if is_sequence(r) else "a single number" for r in (row, target_row)]
            raise ValueError(f"{who}: sample {i} has {widths[0]} of scores but {widths[1]} of targets: they must match")
        pairs += zip(row, target_row, strict=True)
    if not pairs:
        raise ValueError(f"{who}: there is no output to take the loss of")
    return pairs


def class_scores(scores: Any, targets: Any, who: str) -> list[tuple[Sequence[Any], int | Value]]:
    """Return pairs of class scores and class index for each sample; one list of scores is a batch of one.

    An index that is a Value stays one: nobody knows yet what it will be when the graph is replayed.
    """
    scores, targets = as_sequence(scores), as_sequence(targets)
    if not is_sequence(scores):
        raise ValueError(
            f"{who}: one score for each class is needed, as a list; for a single score use hinge or bce_with_logits"
        )
    if len(scores) == 0:
        raise ValueError(f"{who}: there is no sample to take the loss of")
    if not is_sequence(scores[0]):
        if is_sequence(targets):
            if len(scores) == len(targets):
                raise ValueError(
                    f"{who}: each sample has a single score, but must have one for each class; "
                    "for a single score use hinge or bce_with_logits"
                )
            raise ValueError(
                f"{who}: the scores of one sample go with one class index, not with {_n(len(targets), 'target')}"
            )
        scores, targets = [scores], [targets]
    elif not is_sequence(targets):
        raise ValueError(f"{who}: {_n(len(scores), 'sample')} but a single target: give a list with one for each")
    if len(scores) != len(targets):
        raise ValueError(
            f"{who}: {_n(len(scores), 'sample')} but {_n(len(targets), 'target')}: give one target for each"
        )
    pairs: list[tuple[Sequence[Any], int | Value]] = []
    for i, (row, t) in enumerate(zip(scores, map(_of_one, targets), strict=True)):
        s = list(row) if is_sequence(row) else []
        if len(s) < 2:
            raise ValueError(f"{who}: sample {i} must have a list of two or more scores, one for each class")
        if not _USUAL.issuperset(map(type, s)):
            s = [x if isinstance(x, Value) else real(x, f"{who}: sample {i}, score {j}") for j, x in enumerate(s)]
        pairs.append((s, t if isinstance(t, Value) else _class_index(t, len(s), i, who)))
    return pairs


def class_sequences(scores: Any, targets: Any, who: str) -> list[tuple[Any, Any]]:
    """Return pairs of class scores and class indices for each sequence; none if samples have one row of scores each."""
    depth, one = 0, scores
    while is_sequence(one) and len(one) and depth < 3:
        depth, one = depth + 1, one[0]
    if depth < 3:
        return []
    if not is_sequence(targets) or len(targets) != len(scores):
        given = _n(len(targets), "list") + " of targets" if is_sequence(targets) else "a single target"
        raise ValueError(f"{who}: {_n(len(scores), 'sequence')} but {given}: give a list of targets for each")
    pairs = list(zip(scores, targets, strict=True))
    for i, (rows, wanted) in enumerate(pairs):
        if not is_sequence(wanted) or len(wanted) != len(rows):
            given = _n(len(wanted), "target") if is_sequence(wanted) else "a single target"
            raise ValueError(f"{who}: sample {i} is a sequence of {_n(len(rows), 'row')} of scores but has {given}")
    return pairs


def picked(scores: Sequence[Any], index: int | Value) -> Any:
    """Return the score at the index, by a node if that is a Value."""
    return take(scores, index) if isinstance(index, Value) else scores[index]


def _class_index(target: Any, classes: int, i: int, who: str) -> int:
    index: int | None
    try:
        index = operator.index(target)
    except TypeError:
        index = _whole(target)  # labels read from a file often are floats
    if index is None:
        raise TypeError(f"{who}: target {i} must be a class index from 0 to {classes - 1}, not {brief(target)}")
    if not 0 <= index < classes:
        raise ValueError(
            f"{who}: target {i} is {index}, but there are {classes} classes: it must be from 0 to {classes - 1}"
        )
    return index


def _whole(x: Any) -> int | None:
    """The integer that a number of another kind is, if it is one."""
    try:
        found = number(x)
    except TypeError:
        return None
    return int(found) if found == found // 1 else None


def target_number(target: Any, i: int, who: str) -> float:
    """Return the target of sample i as a float."""
    try:
        return number(target)
    except TypeError as error:
        raise TypeError(f"{who}: target {i} must be a number, not {type(target).__name__}") from error


def _n(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
