"""The moons task that all engines share: data, starting parameters, and their two layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scalargrad import nn

LR, ALPHA = 0.01, 1e-4
SIZES = ((2, 16), (16, 16), (16, 1))
PARAMETERS = 337


@dataclass
class Task:
    """Mean hinge loss + 1e-4 times the sum of squared parameters of a 2-16-16-1 network, and its samples."""

    x: list[list[float]]
    y: list[int]
    activation: str = "relu"

    def model(self, **options: Any) -> nn.MLP:
        """Return the network as all engines start with it."""
        return nn.MLP(2, [16, 16, 1], activation=self.activation, seed=1337, **options)

    def start(self) -> list[float]:
        """Return the parameters all engines start with, neuron by neuron: weights, then bias."""
        return [p.data for p in self.model().parameters()]


def task(samples: int = 100, activation: str = "relu") -> Task:
    """Return micrograd's demo with so many samples."""
    return Task(*nn.moons(samples, noise=0.1, seed=1337, labels=(-1, 1)), activation)


def layers(numbers: Sequence[float]) -> list[Any]:
    """Return the arrays W1, b1, W2, b2, W3, b3 of parameters given neuron by neuron; W has a row for each neuron."""
    import numpy as np

    arrays, start = [], 0
    for nin, nout in SIZES:
        block = np.array(numbers[start : start + nout * (nin + 1)]).reshape(nout, nin + 1)
        arrays += [block[:, :nin].copy(), block[:, nin].copy()]
        start += block.size
    return arrays


def neuron_by_neuron(arrays: Sequence[Any]) -> list[float]:
    """The inverse of `layers`, also of arrays that lie one after another in a single one."""
    import numpy as np

    if len(arrays) == PARAMETERS:
        cuts = np.cumsum([size for nin, nout in SIZES for size in (nin * nout, nout)])[:-1]
        arrays = np.split(np.asarray(arrays), cuts)
    numbers: list[float] = []
    for (nin, nout), w, b in zip(SIZES, arrays[::2], arrays[1::2], strict=True):
        numbers += np.column_stack([np.reshape(w, (nout, nin)), np.reshape(b, nout)]).ravel().tolist()
    return numbers
