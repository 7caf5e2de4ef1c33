"""What a lecturer would say of a run of `fit`: the loss rises or swings, or relu neurons are dead."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from scalargrad.nn.arguments.inputs import as_samples
from scalargrad.nn.descent.step_watch import warn
from scalargrad.nn.modules.module import Module
from scalargrad.nn.training.dead_relus import AnyNeuron, dead_among, label_of_outputs, name_of
from scalargrad.support.labels import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scalargrad.nn.training.history import History

RISES, STAYS, SWINGS = 5, 10, 12
"""So many epochs in a row the loss must rise, stay above where it began, or swing to and fro, to be told."""
ROWS = 128
"""Dead neurons are looked for among so many samples, spread over all."""
EARLY = 10
"""The epoch after which dead neurons are looked for first; the last is the other one."""
FEWEST = 4
"""Of fewer samples none may be on the side where a healthy neuron answers."""
SHARE = 0.4
"""Of this share of a layer's relu neurons dead is told. Some are in many a network, and do no harm."""


class RunWatch:
    """Looks at a run of `fit`, epoch by epoch; says each thing once.

    Args:
        model: what is trained.
        rows: the samples.
        whole: whether each step takes all samples, so that only steps that are too large let the loss rise.
        warns: whether it says anything.
    """

    def __init__(self, model: Any, rows: Sequence[Any], whole: bool, warns: bool) -> None:
        self._model = model
        self._rows = rows
        self._whole = whole
        self._warns = warns
        self._looked = -1

    def epoch(self, history: History) -> None:
        """Look at the losses after an epoch."""
        if self._warns:
            told = rising(history.loss, self._whole)
            if told:
                self._warns = False
                rate = history.lr[-1]
                warn(
                    f"{told}, with lr {rate:.4g}: the steps are too large, they go past the minimum. Try "
                    f"lr={rate / 10:.2g}, a schedule such as nn.linear_lr(...), clip_norm=1.0, or inputs of about unit "
                    "size"
                )

    @property
    def looks_for_the_dead(self) -> bool:
        """Whether dead neurons are of interest at all."""
        return self._warns and isinstance(self._model, Module)

    def neurons(self, epoch: int) -> None:
        """Look for dead neurons, whose parameters must be up to date."""
        if not self.looks_for_the_dead or self._looked == epoch:
            return
        self._looked = epoch
        told = ""
        with suppress(
            ArithmeticError, AttributeError, LookupError, TypeError, ValueError
        ):  # then there is nothing to say
            told = self._of_the_dead()
        if told:
            self._warns = False
            warn(told)

    def _of_the_dead(self) -> str:
        n = len(self._rows)
        if n < FEWEST:
            return ""
        rows = as_samples([self._rows[i] for i in range(0, n, -(-n // ROWS))])
        dead, all_ = dead_among(self._model, rows)
        parts: dict[tuple[str, ...], list[list[AnyNeuron]]] = {}
        for k, neurons in enumerate((all_, dead)):
            for neuron in neurons:
                parts.setdefault(label_of_outputs(neuron).scope[:-1], [[], []])[k].append(neuron)
        for scope, (there, gone) in parts.items():
            if len(gone) >= max(1, SHARE * len(there)):
                names = ", ".join(name_of(neuron) for neuron in gone[:3]) + ", …" * (len(gone) > 3)
                where = f" of {quoted(' · '.join(scope))}" if scope else ""
                many = len(there) != 1
                return (
                    f"{len(gone)} of the {len(there)} relu neurons{where} are dead ({names})"
                    if many
                    else f"the only relu neuron{where} is dead ({names})"
                ) + (
                    f": {'they answer' if many else 'it answers'} 0 to each of {len(rows)} samples, so no gradient "
                    f"reaches {'their' if many else 'its'} weights. Steps that are too large do that, or weights that "
                    "start badly: try a smaller lr, init='he_uniform', another seed, inputs of about unit size, or "
                    "activation='leaky_relu'"
                )
        return ""


def rising(losses: Sequence[float], whole: bool) -> str:
    """Say how the loss rises or swings, if that speaks of a learning rate that is too large; else "".

    Args:
        losses: one for each epoch so far.
        whole: whether each step takes all samples: batches make the loss swing by themselves.

    >>> rising([1.0, 2.0, 5.0, 11.0, 30.0, 64.0], True)
    'the loss rises: 1, 2, 5, 11, 30, 64 in epochs 1 to 6'
    >>> rising([1.0, 0.7, 0.6, 0.55], True)
    ''
    """
    n = len(losses)
    last = losses[-RISES - 1 :]
    if (
        len(last) > RISES
        and all(b > a for a, b in pairwise(last))
        and last[-1] > 4 * abs(last[0])
        and last[-1] > losses[0]
    ):
        return f"the loss rises: {_listed(last)} in epochs {n - RISES} to {n}"
    last = losses[-STAYS:]
    if n > STAYS and min(last) > 1.5 * losses[0] > 0:
        first = f"the {losses[0]:.4g} of the first epoch"
        return f"the loss stays above {first}: {_listed(last)} in epochs {n - STAYS + 1} to {n}"
    last = losses[-SWINGS - 1 :]
    if whole and len(last) > SWINGS:
        changes = [b - a for a, b in pairwise(last)]
        level = sum(map(abs, last)) / len(last)
        to_and_fro = all(a * b < 0 for a, b in pairwise(changes))
        half = SWINGS // 2
        gets_nowhere = sum(last[-half:]) > 0.98 * sum(last[:half]) > 0
        if to_and_fro and gets_nowhere and sum(map(abs, changes)) / SWINGS > 0.2 * level:
            return f"the loss swings to and fro: {_listed(last[-6:])} in epochs {n - 5} to {n}"
    return ""


def _listed(losses: Sequence[float]) -> str:
    shown = [f"{x:.4g}" for x in losses]
    return ", ".join(shown if len(shown) <= 6 else [*shown[:3], "…", *shown[-2:]])
