"""Samples that differ in structure, as sequences differ in length: whether a model takes each, before it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_samples, is_sequence
from scalargrad.nn.scores.predicting import evaluating
from scalargrad.nn.training.left_out import nothing_left_out
from scalargrad.node.contexts import no_grad
from scalargrad.node.structures import skeleton, structure

LOOKED_AT = 32
"""Of so many structures at most a sample is shown to the model."""


def check_structures(model: Any, rows: Sequence[Any], what: str) -> None:
    """Raise ValueError if the model takes the first sample, but not one of another structure.

    Args:
        model: is asked in eval mode, once for each structure; not at all if all samples are of one.
        rows: the samples.
        what: how messages name them.
    """
    if hasattr(rows, "__array_interface__") or _are_alike(rows):
        return
    firsts: dict[Any, int] = {}
    for i, row in enumerate(rows):
        firsts.setdefault(structure(row), i)
    if len(firsts) == 1:
        return
    with evaluating(model), no_grad(), nothing_left_out():
        for i in list(firsts.values())[:LOOKED_AT]:
            (row,) = as_samples([rows[i]])
            try:
                model(row)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                if i == 0:  # the training will say it
                    return
                raise ValueError(
                    f"{what}: row {i} {_has(row)}, but row 0 {_has(rows[0])}: all must be alike, as the model does not "
                    f"take both: {error}"
                ) from error


def _are_alike(rows: Sequence[Any]) -> bool:
    """Whether they are seen at once to be lists of equally many numbers, as in most trainings."""
    if set(map(type, rows)) != {list} or len(set(map(len, rows))) != 1:
        return False
    return set(map(type, chain.from_iterable(rows))) <= {Value, float, int}


def _has(row: Any) -> str:
    if is_sequence(row) and not any(map(is_sequence, row)):
        return f"has {len(row)} numbers"
    text = skeleton(row)
    return f"is {text if len(text) <= 60 else text[:50] + '…'}"
