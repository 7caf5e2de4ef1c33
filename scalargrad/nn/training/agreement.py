"""Whether the loss of a batch is the sum or the mean over its samples, and whether compiled it is what it is eagerly.

Compiled training takes one sample at a time, and runs the loss on Values in place of the targets. So both are found out
before training, by evidence: nothing is taken for granted that was not seen.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from typing import Any, NamedTuple

from scalargrad.engine import Value, gradients
from scalargrad.node.contexts import with_recording
from scalargrad.node.numbers import plain_number
from scalargrad.node.structures import Rebuild, flatten

LOOKED_AT = 32
"""On so many samples, spread over all of them, the compiled loss is compared with the eager one before training."""
RARE = 128
"""And on up to so many more, so that every target and every category among the inputs is there."""
CATEGORIES = 8
"""An input with at most so many different numbers tells categories."""
AGREEMENT = 1e-9

Score = tuple[list[float], Rebuild]
"""The numbers of what a model returns for a sample, and what puts others in their places."""
BatchLoss = Callable[[Sequence[Any], Sequence[Any]], Value]


def samples_to_look_at(
    n: int, targets: Sequence[Any], columns: Iterable[Sequence[float]], kinds: Sequence[int]
) -> list[int]:
    """Places of samples, spread over all n: among them one of each target, category of the inputs, and structure."""
    chosen = dict.fromkeys(range(0, n, -(-n // LOOKED_AT)))
    rare = _first_places(map(repr, targets), n) if len(targets) else []
    rare = rare if len(rare) <= RARE else []
    for column in columns:
        places = _first_places(column, n)
        rare += places if len(places) <= CATEGORIES else []
    chosen.update(dict.fromkeys([*list(dict.fromkeys(rare))[:RARE], *_first_places(kinds, n)]))
    return sorted(chosen)


def _first_places(column: Iterable[Any], n: int) -> list[int]:
    """Where each different thing is met first."""
    return list(dict(zip(reversed(list(column)), range(n - 1, -1, -1), strict=True)).values())


# -------------------------------------------------------------------- sum or mean


class Evidence(NamedTuple):
    """What a loss says of some samples together, and of each alone.

    Attributes:
        n: how many samples.
        together: the loss and its derivatives with respect to the scores.
        alone: the sum of their own losses, and the derivatives of these.
        sizes: how large what was added up is, for the rounding.
    """

    n: int
    together: list[float]
    alone: list[float]
    sizes: list[float]

    def is_sum(self) -> bool:
        """Whether the loss may be the sum."""
        return self._fits(1.0)

    def is_mean(self) -> bool:
        """Whether it may be the mean."""
        return self._fits(float(self.n))

    def _fits(self, divisor: float) -> bool:
        rows = zip(self.together, self.alone, self.sizes, strict=True)
        return all(abs(a - b / divisor) <= AGREEMENT * size for a, b, size in rows)


def own_losses(loss: BatchLoss, scores: Sequence[Score], targets: Sequence[Any]) -> list[list[float]]:
    """For each sample its own loss, and the derivatives of that with respect to its scores."""
    return [_with_slopes(loss, [score], [target]) for score, target in zip(scores, targets, strict=True)]


def evidence(
    loss: BatchLoss, scores: Sequence[Score], targets: Sequence[Any], own: Sequence[Sequence[float]]
) -> Evidence:
    """What is to be seen at these scores; samples whose own losses are not finite are left out."""
    finite = [i for i, row in enumerate(own) if all(map(math.isfinite, row))]
    if not finite:
        return Evidence(0, [], [], [])
    together = _with_slopes(loss, [scores[i] for i in finite], [targets[i] for i in finite])
    slopes = [x for i in finite for x in own[i][1:]]
    alone = [math.fsum(own[i][0] for i in finite), *slopes]
    steepest = max(map(abs, slopes), default=0.0)
    sizes = [math.fsum(abs(own[i][0]) for i in finite), *[steepest] * len(slopes)]
    return Evidence(len(finite), together, alone, sizes)


def _with_slopes(loss: BatchLoss, scores: Sequence[Score], targets: Sequence[Any]) -> list[float]:
    leaves = [[Value(x) for x in numbers] for numbers, _ in scores]
    batch = [rebuild(iter(mine)) for mine, (_, rebuild) in zip(leaves, scores, strict=True)]
    root = with_recording(loss, batch, list(targets))
    flat = [leaf for mine in leaves for leaf in mine]
    found = gradients([root], [1.0], wrt=flat)
    return [root.data, *(plain_number(found.get(leaf, 0.0)) for leaf in flat)]


def adds_up(seen: Iterable[Evidence]) -> bool | None:
    """Whether the loss is the sum, not the mean; None if all that was seen fits both.

    Where value and derivatives at the very scores of a step fit both, they are 0, and both make the same step.

    Raises:
        ValueError: if it is neither.
    """
    seen = [one for one in seen if one.n]
    is_sum, is_mean = all(one.is_sum() for one in seen), all(one.is_mean() for one in seen)
    if not is_sum and not is_mean:
        one = next((one for one in seen if not one.is_sum() and not one.is_mean()), seen[0])
        n, total = one.n, one.alone[0]
        raise ValueError(
            f"the loss of {n} samples is {one.together[0]:.6g}, but the mean of their own losses is {total / n:.6g} "
            f"and the sum {total:.6g}, or their derivatives differ so. Compiled training takes one sample at a time, "
            "so the loss of a batch must be one of these: train without compiled=True, or give a loss that is"
        )
    return None if is_sum and is_mean else is_sum


def as_score(score: Any, nudge: random.Random | None = None) -> Score:
    """The numbers of what a model returns, if asked a little off, so that no loss of them is 0 by chance."""
    leaves, rebuild = flatten(score, "what the model returns")
    numbers = [float(plain_number(x)) for x in leaves]
    if nudge is not None:
        numbers = [x + nudge.choice((-1, 1)) * nudge.uniform(0.01, 0.02) * (1 + abs(x)) for x in numbers]
    return numbers, rebuild


def repeated(scores: Sequence[Score], kinds: Sequence[int], wanted: Sequence[int]) -> list[Score]:
    """For each sample one of these scores, of a sample of its structure; in turn, over and over again.

    Args:
        scores: they.
        kinds: the numbers of the structures of their samples.
        wanted: those of all samples.
    """
    turns = {kind: cycle([score for score, k in zip(scores, kinds, strict=True) if k == kind]) for kind in set(kinds)}
    return [next(turns[kind]) for kind in wanted]


def first_difference(found: Sequence[float], wanted: Sequence[float]) -> int | None:
    """The place of the first number that is not what was wanted; what is not finite there is passed over."""
    size = max((abs(x) for x in wanted if math.isfinite(x)), default=0.0)
    for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
        if math.isfinite(b) and not abs(a - b) <= AGREEMENT * abs(b) + 1e-12 * size:
            return i
    return None
