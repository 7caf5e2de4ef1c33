"""Rules of thumb for networks: how many hidden neurons, and what not to combine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scalargrad.nn.arguments.inputs import count
from scalargrad.nn.layers.batchnorm import BatchNorm
from scalargrad.nn.layers.dropout import Dropout
from scalargrad.support.arguments import real

if TYPE_CHECKING:
    from scalargrad.nn.modules.module import Module


class RuleOfThumbWarning(UserWarning):
    """A network goes against a rule of thumb; it works nevertheless."""


def hidden_neurons(samples: int, nin: int, nout: int, alpha: float = 2.0) -> float:
    """Return a rule of thumb for the number of hidden neurons, N_h = N_s / (alpha · (N_i + N_o)).

    With more, the network may learn the samples by heart. It counts neurons, not layers, and is seldom whole. A network
    with N_h neurons in one hidden layer has N_h · (N_i + N_o) weights, so alpha is the number of samples for each.

    Args:
        samples: N_s, how many samples there are to train with.
        nin: N_i, how many inputs the network has.
        nout: N_o, how many outputs.
        alpha: an arbitrary factor, usually 2 to 10.

    Raises:
        TypeError: if a count is no integer or alpha no number.
        ValueError: if one of them is not positive.

    >>> round(hidden_neurons(1000, 2, 1, alpha=2), 2)
    166.67
    """
    example = "hidden_neurons(1000, 2, 1)"
    samples = count(samples, "samples", example)
    nin, nout = count(nin, "nin", example), count(nout, "nout", example)
    alpha = real(alpha, "alpha")
    if not 0 < alpha < math.inf:
        raise ValueError(f"alpha must be positive and finite, usually 2 to 10, not {alpha!r}")
    return samples / (alpha * (nin + nout))


def combines_batchnorm_and_dropout(model: Module) -> bool:
    """Whether both are somewhere in the model.

    Dropout changes the variance of what follows in training only, and BatchNorm carries the variance of training over
    into evaluation. Source: Li, Chen, Hu and Yang, Understanding the disharmony between dropout and batch
    normalization by variance shift, 2019.
    """
    modules = model.modules()
    return all(any(isinstance(module, kind) for module in modules) for kind in (BatchNorm, Dropout))
