"""Which loss fits some targets: what errors recommend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scalargrad.nn.arguments.inputs import as_array, as_sequence, is_sequence
from scalargrad.nn.scores.losses import LOSSES
from scalargrad.node.numbers import plain_number
from scalargrad.support.arguments import brief

if TYPE_CHECKING:
    from scalargrad.nn.scores.losses import Loss

MANY = 20
"""More different whole numbers than these are no classes."""


def no_loss(targets: Any) -> str:
    """What to say where a loss is missing.

    >>> no_loss([0, 1, 1])
    "fit needs a loss. y holds 0 and 1: write fit(model, X, y, loss='bce_with_logits') for a model with one output"
    """
    advice = for_targets(targets)
    return "fit needs a loss. " + (
        advice
        or "Write fit(model, X, y, loss='mse'), or 'hinge' for labels -1 and 1 and one output, 'bce_with_logits' for 0 "
        "and 1, 'cross_entropy' for class numbers and an output for each class"
    )


@contextmanager
def advising(loss: Loss, targets: Sequence[Any]) -> Iterator[None]:
    """Where a loss of the package refuses scores or targets, say also what fits these targets.

    Raises:
        TypeError: if a target is a text or None.
    """
    names = [name for name, known in LOSSES.items() if known is loss]
    for i, target in enumerate(targets if names else ()):
        if target is None or isinstance(target, (str, bytes)):
            raise TypeError(
                f"{names[0]}: target {i} must be a number, not {brief(target)}. {for_targets(targets)}".strip()
            )
    try:
        yield
    except (TypeError, ValueError) as error:
        advice = for_targets(targets)
        if type(error) in (TypeError, ValueError) and names and str(error).startswith(f"{names[0]}: ") and advice:
            raise type(error)(f"{error}. {advice}") from None
        raise


def for_targets(targets: Any) -> str:
    """What the targets hold, and the call that goes with that; empty if they tell nothing.

    >>> for_targets([1, 2, 3])
    "y holds the class numbers 1 to 3: count from 0, as in [t - 1 for t in y], and write fit(model, X, y, \
loss='cross_entropy') for a model with 3 outputs"
    """
    targets = as_sequence(as_array(targets))
    rows = [as_sequence(as_array(target)) for target in targets] if is_sequence(targets) else []
    if rows and all(isinstance(row, (str, bytes)) for row in rows):
        return "y holds words: number them, as in names = sorted(set(y)); y = [names.index(word) for word in y]"
    if rows and all(is_sequence(row) and len(row) > 1 for row in rows):
        try:
            numbers = [[float(plain_number(x)) for x in row] for row in rows]
        except (TypeError, ValueError, OverflowError):
            return ""
        if all(sorted(row)[-2:] == [0, 1] and set(row) == {0, 1} and sum(row) == 1 for row in numbers):
            call = _call("cross_entropy", len(numbers[0]))
            return (
                f"y holds rows with a 1 for the class: give its number, [list(row).index(1) for row in y], and {call}"
            )
        return f"y holds {len(numbers[0])} numbers for each sample: {_call('mse', len(numbers[0]))}"
    rows = [row[0] if is_sequence(row) and len(row) == 1 else row for row in rows]
    try:
        found = {float(plain_number(row)) for row in rows}
    except (TypeError, ValueError, OverflowError):
        return ""
    k = len(found)
    if found == {1.0}:  # of either pair of labels
        return f"y holds 1 alone: {_call('mse')}; labels of two classes are -1 and 1, or 0 and 1"
    if found <= {-1.0, 1.0}:
        return f"y holds -1 and 1: {_call('hinge')}" if found else ""
    if found <= {0.0, 1.0}:
        return f"y holds 0 and 1: {_call('bce_with_logits')}"
    if 2 < k <= MANY and found == set(range(k)):
        return f"y holds the class numbers 0 to {k - 1}: {_call('cross_entropy', k)}"
    if 1 < k <= MANY and found == set(range(1, k + 1)):
        call = _call("cross_entropy", k)
        return f"y holds the class numbers 1 to {k}: count from 0, as in [t - 1 for t in y], and {call}"
    return f"y holds numbers: {_call('mse')}" if all(x - x == 0 for x in found) else "y holds nan or inf"


def _call(loss: str, outputs: int = 1) -> str:
    count = "one output" if outputs == 1 else f"{outputs} outputs"
    return f"write fit(model, X, y, loss={loss!r}) for a model with {count}"
