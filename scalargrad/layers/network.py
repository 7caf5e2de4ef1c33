"""Layers one after the other, and the loss at their end."""

from __future__ import annotations

import math
import operator
from typing import Any

from scalargrad.circuit import Gate
from scalargrad.layers.basic import Layer
from scalargrad.layers.matrices import Rows, kept, listed, matrix, shape
from scalargrad.support.arguments import brief


class SoftmaxCrossEntropy:
    """The loss of scores S (N, C) against the right classes: −log of the softmax at the right class, for each sample.

    Its gradient is softmax(S) minus 1 at the right class, here by the rows of logsumexp, subtract and mean.

    Args:
        reduction: what becomes of the samples' losses: their 'mean', or their 'sum'.

    Attributes:
        P: the probabilities, softmax of S, (N, C), after `forward`.
        losses: the loss of each sample.

    >>> loss = SoftmaxCrossEntropy()
    >>> loss.forward([[0.0, 0.0]], [1]), loss.backward()
    (0.6931471805599453, [[0.5, -0.5]])
    """

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction must be 'mean' or 'sum', not {brief(reduction)}")
        self.reduction = reduction
        self.P: Rows = []
        self.losses: list[float] = []
        self._gates: list[tuple[Gate, Gate, int]] | None = None

    def forward(self, S: Any, targets: Any) -> float:
        """The loss of scores (N, C), given the index of the right class of each sample.

        Raises:
            ValueError: if there is not one target for each sample, from 0 to C − 1.
            TypeError: if a target is no integer.
        """
        S, targets = matrix(S, f"{self!r}.forward: S"), listed(targets)
        if shape(targets) != (len(S),):
            raise ValueError(
                f"{self!r}.forward: targets has shape {shape(targets)}, expected {(len(S),)}: the index of the right "
                "class for each sample"
            )
        for i, target in enumerate(targets):
            if isinstance(target, bool) or not hasattr(target, "__index__"):
                raise TypeError(f"{self!r}.forward: target {i} must be a class index, not {brief(target)}")
            if not 0 <= target < len(S[0]):
                raise ValueError(f"{self!r}.forward: target {i} is {target}, but must be from 0 to {len(S[0]) - 1}")
        self.P, self.losses, self._gates = [], [], []
        for row, target in zip(S, targets, strict=True):
            logsumexp, subtract = Gate("logsumexp"), Gate("subtract")
            top = max(row)
            small = [s - top for s in row] if math.isfinite(top) else row  # the probabilities stay what they are
            total = logsumexp.forward(*small)
            self.losses.append(subtract.forward(total, small[target]))
            self.P.append([math.exp(s - total) for s in small])
            self._gates.append((logsumexp, subtract, operator.index(target)))
        self._reduce = Gate(self.reduction)
        return self._reduce.forward(*self.losses)

    def backward(self, DL: float = 1.0) -> Rows:
        """DS, the gradient of the loss with respect to the scores, (N, C), times DL."""
        DS = []
        gates = kept(self._gates, self)
        for (logsumexp, subtract, target), d in zip(gates, self._reduce.backward(DL), strict=True):
            d_total, d_score = subtract.backward(d)
            row = logsumexp.backward(d_total)
            row[target] += d_score
            DS.append(row)
        return DS

    def __repr__(self) -> str:
        return f"SoftmaxCrossEntropy({self.reduction!r})"


class Network(Layer):
    """Layers one after the other: Y = f₃(f₂(f₁(X))). It is a layer too, so networks may be made of networks.

    Args:
        layers: from the input to the output; objects with the contract of `Layer`.

    >>> from scalargrad.layers import Linear, Tanh
    >>> net = Network(Linear(2, 3, seed=0), Tanh(), Linear(3, 1, seed=1))
    >>> Y = net.forward([[1.0, -1.0], [0.5, 2.0]])
    >>> DX = net.backward([[1.0], [1.0]])
    >>> shape(Y), shape(DX), shape(net.layers[0].DW)
    ((2, 1), (2, 2), (2, 3))
    """

    def __init__(self, *layers: Any) -> None:
        for i, layer in enumerate(layers):
            if not all(callable(getattr(layer, m, None)) for m in ("forward", "backward", "update_parameters")):
                raise TypeError(
                    f"Network: layer {i} must have forward, backward and update_parameters, and {layer!r} has not"
                )
        self.layers = list(layers)

    def forward(self, X: Any) -> Any:
        """Y, from the first layer to the last."""
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def backward(self, DY: Any) -> Any:
        """DX, from the last layer to the first; each layer's DX is the DY of the one below.

        Raises:
            ValueError: if a layer returns None.
        """
        for i, layer in reversed(list(enumerate(self.layers))):
            DY = layer.backward(DY)
            if DY is None:
                raise ValueError(f"backward of layer {i}, {layer!r}, returned None: it must always return DX")
        return DY

    def update_parameters(self, lr: float) -> None:
        """Update every layer."""
        for layer in self.layers:
            layer.update_parameters(lr)

    def __repr__(self) -> str:
        return f"Network({', '.join(map(repr, self.layers))})"
