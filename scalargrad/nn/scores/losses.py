"""Losses: one number that says how wrong the scores are; and penalties on the size of the parameters.

Scores are what a model returns: for one sample a Value or a list of Values, for a batch a list of those. `reduction`
says what becomes of the samples' losses: their "mean" (the default), their "sum", or "none" for the list of them.

Targets may be Values too, as they are in a loss that `scalargrad.compile` records with the target as an input. What a
Value will hold when the graph is replayed cannot be checked: each loss says what a target out of range gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_sequence, is_sequence
from scalargrad.nn.layers.softmaxes import shifted
from scalargrad.nn.modules.module import Module, parameters_of
from scalargrad.nn.scores.targets import (
    all_outputs,
    class_scores,
    class_sequences,
    picked,
    single_scores,
    target_number,
)
from scalargrad.ops import dot, logsumexp, mean, relu, softplus, square, sum_, where
from scalargrad.support.arguments import brief, real
from scalargrad.support.spelling import did_you_mean

Loss = Callable[[Any, Any], Any]
"""A function of a batch's scores and targets."""


# -------------------------------------------------------------------- regression


def mse(scores: Any, targets: Any, reduction: str = "mean") -> Any:
    """Return the mean squared error, mean (s - t)**2 over all outputs of all samples.

    Args:
        scores: a Value, a list of n Values, or a list of n lists of m Values. Where samples have different numbers of
            outputs, as sequences have, each sample counts alike: the mean over samples of their means.
        targets: numbers (or Values) in the same shape.
        reduction: "mean" divides by the number of outputs, n or n * m.

    Raises:
        ValueError: if the shapes differ, there is no sample, or the reduction is unknown.

    >>> mse([Value(1.0), Value(3.0)], [0.0, 1.0]).data
    2.5
    """
    scores = as_sequence(scores)
    squares = _squares(scores, targets, "mse")
    widths = list(map(len, scores)) if is_sequence(scores) and all(map(is_sequence, scores)) else []
    if reduction == "mean" and len(set(widths)) > 1:
        rest = iter(squares)
        return mean([mean(list(islice(rest, width))) for width in widths])
    return _reduce(squares, reduction)


def sse(scores: Any, targets: Any) -> Any:
    """Return the sum of squared errors, sum (s - t)**2 over all outputs of all samples; arguments as in `mse`.

    >>> sse([Value(1.0), Value(3.0)], [0.0, 1.0]).data
    5.0
    """
    return _reduce(_squares(scores, targets, "sse"), "sum")


def _squares(scores: Any, targets: Any, who: str) -> list[Any]:
    score, target = f"{who}: each score", f"{who}: each target"
    return [square(_number(s, score) - _number(t, target)) for s, t in all_outputs(scores, targets, who)]


# -------------------------------------------------------------------- two classes, one score


def hinge(scores: Any, targets: Any, reduction: str = "mean") -> Any:
    """Return the hinge loss max(0, 1 - t * s) of a binary classifier: the maximum-margin loss of micrograd's demo.

    At its margin, t * s = 1, value and gradient are 0.

    Args:
        scores: a Value, or a list of n Values; positive for the class +1.
        targets: -1 or +1, or a list of n of them. For a Value the formula is computed as it stands, whatever it holds.
        reduction: see above.

    Raises:
        ValueError: if a target is neither -1 nor +1, the lengths differ, or there is no sample.

    >>> hinge([Value(0.25), Value(-3.0)], [1, -1], reduction="none")[0].data
    0.75
    """
    losses = []
    for i, (s, target) in enumerate(single_scores(scores, targets, "hinge")):
        if isinstance(target, Value):
            losses.append(relu(1 - target * s))
            continue
        t = target_number(target, i, "hinge")
        if t == 1:
            losses.append(relu(1 - s))
        elif t == -1:
            losses.append(relu(1 + s))
        else:
            hint = "; labels 0 and 1 become 2 * y - 1, or use bce_with_logits" if t == 0 else ""
            raise ValueError(f"hinge: target {i} is {target!r}, but must be -1 or +1{hint}")
    return _reduce(losses, reduction)


def bce_with_logits(scores: Any, targets: Any, reduction: str = "mean") -> Any:
    """Return the binary cross-entropy -t log p - (1 - t) log(1 - p) with p = sigmoid(s).

    Computed as t softplus(-s) + (1 - t) softplus(s), which is exact and finite for any finite score.

    Args:
        scores: a Value, or a list of n Values: the logits, before any sigmoid.
        targets: probabilities of the class 1, between 0 and 1, usually 0 or 1; as many as scores. For a Value the
            formula is computed as it stands, whatever it holds.
        reduction: see above.

    Raises:
        ValueError: if a target lies outside [0, 1], the lengths differ, or there is no sample.

    >>> bce_with_logits(Value(-1000.0), 1).data
    1000.0
    """
    losses = []
    for i, (s, target) in enumerate(single_scores(scores, targets, "bce_with_logits")):
        t = target if isinstance(target, Value) else target_number(target, i, "bce_with_logits")
        if isinstance(t, Value):
            losses.append(t * softplus(-s) + (1 - t) * softplus(s))
        elif t == 1:
            losses.append(softplus(-s))
        elif t == 0:
            losses.append(softplus(s))
        elif 0 < t < 1:
            losses.append(t * softplus(-s) + (1 - t) * softplus(s))
        else:
            hint = "; labels -1 and +1 become (y + 1) / 2, or use hinge" if t == -1 else ""
            raise ValueError(f"bce_with_logits: target {i} is {target!r}, but must lie between 0 and 1{hint}")
    return _reduce(losses, reduction)


# -------------------------------------------------------------------- many classes, one score each


def multiclass_hinge(scores: Any, targets: Any, reduction: str = "mean", margin: float = 1.0) -> Any:
    """Return the multi-class SVM loss, sum over j != t of max(0, s_j - s_t + margin).

    Source: Weston and Watkins, 1999; the course CS231n.

    Args:
        scores: a list of k Values, or a list of n such lists; or n sequences of such lists, as in `cross_entropy`.
        targets: the index of the right class, 0 to k - 1, or a list of n of them; for sequences, a list for each.
            Values may hold them.
        reduction: see above.
        margin: by how much the right class must win.

    Raises:
        ValueError: if an index is out of range, there are fewer than two classes, or lengths differ.
        IndexError: if a Value among the targets holds the index of no class.
        TypeError: if a target is not an integer.

    >>> multiclass_hinge([Value(3.0), Value(5.0), Value(-2.0)], 0).data
    3.0
    """
    margin = _number(margin, "multiclass_hinge: margin")
    scores, targets = as_sequence(scores), as_sequence(targets)
    sequences = class_sequences(scores, targets, "multiclass_hinge")
    if sequences:
        return _reduce([multiclass_hinge(s, t, margin=margin) for s, t in sequences], reduction)
    losses = []
    for s, t in class_scores(scores, targets, "multiclass_hinge"):
        right = picked(s, t)
        terms = [relu(s_j - right + margin) for j, s_j in enumerate(s) if isinstance(t, Value) or j != t]
        if isinstance(t, Value):
            terms = [where(t - j, term, 0.0) for j, term in enumerate(terms)]
        losses.append(sum_(terms))
    return _reduce(losses, reduction)


def cross_entropy(scores: Any, targets: Any, reduction: str = "mean") -> Any:
    """Return the cross-entropy of softmax, -log(exp(s_t) / sum_j exp(s_j)) = logsumexp(s) - s_t.

    Finite for any finite scores that are not further apart than floats go; its gradient is softmax(s) minus 1 at the
    right class. Computed from s minus a number near the largest of them, so that large scores do not swallow the loss.

    Args:
        scores: a list of k Values, or a list of n such lists: the logits, before any softmax. Or n sequences of such
            lists, of any lengths: the loss of a sequence is the mean over it.
        targets: the index of the right class, 0 to k - 1, or a list of n of them; for sequences, a list for each.
            Values may hold them.
        reduction: see above.

    Raises:
        ValueError: if an index is out of range, there are fewer than two classes, or lengths differ.
        IndexError: if a Value among the targets holds the index of no class.
        TypeError: if a target is not an integer.

    >>> cross_entropy([Value(-1000.0), Value(1000.0)], 0).data
    2000.0
    >>> cross_entropy([Value(1e16), Value(1e16)], 0).data
    0.6931471805599453
    """
    scores, targets = as_sequence(scores), as_sequence(targets)
    sequences = class_sequences(scores, targets, "cross_entropy")
    if sequences:
        return _reduce([cross_entropy(s, t) for s, t in sequences], reduction)
    pairs = [(shifted(s), t) for s, t in class_scores(scores, targets, "cross_entropy")]
    return _reduce([logsumexp(s) - picked(s, t) for s, t in pairs], reduction)


# -------------------------------------------------------------------- penalties


def l2_penalty(parameters: Module | Iterable[Value], strength: float = 1.0) -> Any:
    """Return strength * sum of p**2: keeps weights small. Its gradient is 2 * strength * p.

    >>> l2_penalty([Value(3.0), Value(-4.0)], 0.5).data
    12.5
    """
    values = parameters_of(parameters, "l2_penalty")
    return dot(values, values) * _number(strength, "l2_penalty: strength")


def l1_penalty(parameters: Module | Iterable[Value], strength: float = 1.0) -> Any:
    """Return strength * sum of |p|: drives weights to zero. Its gradient is strength * sign(p), 0 at 0.

    >>> l1_penalty([Value(3.0), Value(-4.0)], 0.5).data
    3.5
    """
    return sum_([abs(p) for p in parameters_of(parameters, "l1_penalty")]) * _number(strength, "l1_penalty: strength")


LOSSES: dict[str, Loss] = {
    "mse": mse,
    "sse": sse,
    "hinge": hinge,
    "bce_with_logits": bce_with_logits,
    "multiclass_hinge": multiclass_hinge,
    "cross_entropy": cross_entropy,
}
"""Every loss by name."""


def resolve_loss(loss: str | Loss) -> Loss:
    """Return the loss of this name, or the function itself.

    Raises:
        ValueError: if there is none of this name.
        TypeError: if it is neither a name nor a function.
    """
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(
                f"there is no loss {brief(loss)}{did_you_mean(loss, LOSSES)}; choose one of {', '.join(LOSSES)}, or "
                "give a function (scores, targets)"
            )
        return LOSSES[loss]
    if not callable(loss):
        raise TypeError(f"loss must be a name or a function (scores, targets) -> Value, not {type(loss).__name__}")
    return loss


def _number(x: Any, what: str) -> Any:
    return x if isinstance(x, Value) else real(x, what)


def _reduce(losses: list[Any], reduction: str) -> Any:
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum_(losses)
    if reduction == "none":
        return losses
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {brief(reduction)}")
