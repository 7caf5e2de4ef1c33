"""BatchNorm: every input with mean 0 and variance 1 over a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_sequence, count, inputs, is_sequence
from scalargrad.nn.modules.known_module import NUMBER, SIZE, KnownModule, Settings
from scalargrad.nn.modules.naming import Name, relabel
from scalargrad.node.extras import give_label
from scalargrad.node.mode import being_compiled
from scalargrad.ops import mean, sqrt, square
from scalargrad.support.arguments import MOST, items, real


class BatchNorm(KnownModule):
    """Batch normalisation: each column of a batch gets mean 0 and variance 1, then a scale and an offset of its own.

    y = gamma · (x − mean) / √(variance + eps) + beta, column by column. In training, mean and variance are those of the
    batch (the variance divides by n), and are part of the graph: gradients flow through them. In evaluation they are
    the running ones, constants, so that a sample's result does not depend on the others.

    Shapes: a batch of n rows of nin numbers or Values, (n, nin) → (n, nin). With nin = 1 a sample may also be a bare
    Value, as a layer of one neuron returns it, and remains one.

    Every call in training moves the running statistics: running ← (1 − momentum) · running + momentum · batch. As in
    PyTorch, they start at mean 0 and variance 1, and the running variance takes the unbiased one, which divides by
    n − 1. A batch with nan or inf leaves them alone.

    Args:
        nin: how many columns there are.
        eps: keeps the root away from 0; with eps=0 no column may be constant.
        momentum: how much a batch moves the running statistics, from 0 to 1.

    Attributes:
        gamma: the scales, a list of nin parameters, 1 at first.
        beta: the offsets, a list of nin parameters, 0 at first.
        running_mean: a list of nin constant Values; no parameters.
        running_var: likewise.

    Raises:
        TypeError: if nin, eps or momentum is no number.
        ValueError: if one of them is out of range.

    Source: Ioffe and Szegedy, Batch normalization, 2015, algorithms 1 and 2.

    >>> layer = BatchNorm(2, eps=0.0)
    >>> [[round(y.data, 6) for y in row] for row in layer([[1.0, 10.0], [3.0, 30.0]])]
    [[-1.0, -1.0], [1.0, 1.0]]
    >>> [round(m.data, 6) for m in layer.running_mean], [round(v.data, 6) for v in layer.running_var]
    ([0.2, 2.0], [1.1, 20.9])
    """

    _fields: ClassVar = {"nin": SIZE, "eps": NUMBER, "momentum": NUMBER}

    def __init__(self, nin: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.nin = count(nin, "nin", "BatchNorm(16)", MOST)
        self.eps, self.momentum = real(eps, "BatchNorm: eps"), real(momentum, "BatchNorm: momentum")
        if not 0 <= self.eps < math.inf:
            raise ValueError(f"BatchNorm: eps must be a small number from 0 up, as 1e-5, not {eps!r}")
        if not 0 <= self.momentum <= 1:
            raise ValueError(f"BatchNorm: momentum must be from 0 to 1, not {momentum!r}")
        self.gamma = [Value(1.0, parameter=True) for _ in range(self.nin)]
        self.beta = [Value(0.0, parameter=True) for _ in range(self.nin)]
        self.running_mean = [Value(0.0, requires_grad=False) for _ in range(self.nin)]
        self.running_var = [Value(1.0, requires_grad=False) for _ in range(self.nin)]
        self.place(("batch norm",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Label parameters and statistics gamma0, beta0, running_mean0, ... within the scope."""
        self._scope = scope
        for name in ("gamma", "beta", "running_mean", "running_var"):
            for j, value in enumerate(getattr(self, name)):
                relabel(value, f"{name}{j}", scope)

    def __call__(self, x: Any) -> Any:
        """Return the normalised batch, in the shape of x.

        Args:
            x: the batch, a list of rows. In evaluation also one row, as a model is called with one sample.

        Raises:
            ValueError: in training, if x is one row or a batch of one, or if this is recorded to be replayed, by
                `compile`, `replay` or fit(compiled=True); if a row has not nin elements.
            TypeError: if an element is neither a Value nor a real number.
        """
        self._refuse_to_be_compiled()
        x = as_sequence(x)
        if is_sequence(x):
            x = list(map(as_sequence, x))
            if self.nin == 1 or any(map(is_sequence, x)):
                return self.on_batch(x)
        if self.training:
            raise ValueError(
                f"{self!r} learns from a batch, a list of rows of {self.nin} numbers, but one row was given: use "
                "model.on_batch(rows) in training, and model.eval() before you call it with one sample"
            )
        return self.on_batch([x])[0]

    def on_batch(self, rows: Sequence[Any]) -> list[Any]:
        """Return the normalised batch; as `__call__`, but rows is a batch in any case."""
        self._refuse_to_be_compiled()
        rows = list(map(as_sequence, items(rows, "rows", "[[1.0], [2.0]], a batch of two samples")))
        checked = [inputs(row, self.nin, self.__repr__) for row in rows]
        n = len(checked)
        if self.training and n < 2:
            raise ValueError(
                f"{self!r} in training needs a batch of 2 samples or more, not {n}, to have a variance: choose a "
                "batch_size that leaves no batch of one, or call model.eval() to use the running statistics"
            )
        columns = list(zip(*checked, strict=True))
        means, variances = self._statistics(columns) if self.training else (self.running_mean, self.running_var)
        label = Name("", self._scope)
        outputs: list[list[Value]] = [[] for _ in checked]
        for j, column in enumerate(columns):
            scale = self.gamma[j] / sqrt(variances[j] + self.eps)
            for output, x in zip(outputs, column, strict=True):
                y = (x - means[j]) * scale + self.beta[j]
                give_label(y, label)
                output.append(y)
        if self.training:
            self._remember(means, variances, n)
        return [output if is_sequence(row) else output[0] for output, row in zip(outputs, rows, strict=True)]

    def _refuse_to_be_compiled(self) -> None:
        if self.training and being_compiled():
            raise ValueError(
                f"{self!r} cannot be compiled in training: it needs a whole batch at a time, and its running "
                "statistics would stay what they are, however often it is replayed. Call model.eval() first to use "
                "the running statistics, leave BatchNorm out, or train without compiling: fit without compiled=True"
            )

    def _statistics(self, columns: list[tuple[Value, ...]]) -> tuple[list[Value], list[Value]]:
        """The mean and the variance of each column."""
        means: list[Value] = [mean(column) for column in columns]
        variances: list[Value] = [
            mean([square(x - middle) for x in column]) for column, middle in zip(columns, means, strict=True)
        ]
        for j, (middle, variance) in enumerate(zip(means, variances, strict=True)):
            give_label(middle, Name(f"mean{j}", self._scope))
            give_label(variance, Name(f"var{j}", self._scope))
        return means, variances

    def _remember(self, means: list[Value], variances: list[Value], n: int) -> None:
        """Move the running statistics towards those of a batch of n."""
        if not all(math.isfinite(v.data) for v in (*means, *variances)):
            return
        keep, move = 1 - self.momentum, self.momentum
        for j in range(self.nin):
            average, spread = self.running_mean[j], self.running_var[j]
            average.data = keep * average.data + move * means[j].data
            spread.data = keep * spread.data + move * variances[j].data * n / (n - 1)

    @classmethod
    def _size(cls, settings: Settings) -> int:
        return int(4 * settings["nin"])

    def __repr__(self) -> str:
        return f"BatchNorm({self.nin})"
