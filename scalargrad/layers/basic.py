"""The contract of a layer, the linear layer, and layers that work number by number."""

from __future__ import annotations

import math
import operator
import random
from typing import Any

from scalargrad.circuit import Gate
from scalargrad.layers.matrices import Rows, kept, matrix, product, shape, transposed
from scalargrad.support.arguments import MOST, brief, real, whole


class Layer:
    """The contract of a layer, as `scalargrad.layers` describes it. One without parameters has nothing to update."""

    def forward(self, X: Any) -> Rows:
        """Compute Y from X, and keep what backward needs."""
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(X) that returns Y")

    def backward(self, DY: Any) -> Rows:
        """Return DX, the gradient with respect to the X of the last `forward`, from DY, the gradient of its Y."""
        raise NotImplementedError(f"{type(self).__name__} needs a method backward(DY) that returns DX")

    def update_parameters(self, lr: float) -> None:
        """Subtract lr times its gradient from each parameter."""


class Linear(Layer):
    """Y = X·W + b: every output is a weighted sum of all inputs, plus its bias.

    Shapes, with N samples, K = nin and M = nout: X (N, K), W (K, M), b (M,), Y (N, M). A batch of 5:
    (5, K)·(K, M) + (M,) = (5, M). Gradients have the shape of what they belong to.

    Attributes:
        W: the weights, (K, M).
        b: the biases, (M,); zeros and never changed without a bias.
        X: the input of the last `forward`.
        DW: the gradient of W, from the last `backward`, which replaces the one before.
        DB: the gradient of b.

    >>> layer = Linear(2, 2, W=[[0.5, -1.0], [1.5, 0.0]], b=[0.1, 0.2])
    >>> layer.forward([[1.0, 2.0]])
    [[3.6, -0.8]]
    >>> layer.backward([[1.0, 2.0]])
    [[-1.5, 1.5]]
    >>> layer.DW, layer.DB
    ([[1.0, 2.0], [2.0, 4.0]], [1.0, 2.0])
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        *,
        bias: bool = True,
        W: Any = None,
        b: Any = None,
        seed: float | str | bytes | None = None,
    ) -> None:
        """Make a layer of nout units with nin inputs each.

        Args:
            nin: K, how many numbers a sample has.
            nout: M, how many a sample of the output has.
            bias: whether there is one.
            W: the weights to start from, (K, M); by default drawn from U(-1/√K, 1/√K).
            b: the biases to start from, (M,); by default 0.
            seed: seeds the draw; by default Python's global generator is used.

        Raises:
            ValueError: if nin or nout is below 1, W or b has another shape, or b is given without a bias.
            TypeError: if nin or nout is no integer, or W or b no matrix or list of numbers.
        """
        nin, nout = whole(nin, "Linear: nin", "Linear(2, 3)"), whole(nout, "Linear: nout", "Linear(2, 3)")
        whole(nin * nout, "Linear: the number of weights, nin * nout,", "Linear(2, 3)", most=MOST)
        if b is not None and not bias:
            raise ValueError("Linear: b was given, but bias=False: leave one of them out")
        self.nin, self.nout, self.has_bias = nin, nout, bool(bias)
        if b is not None and shape(b) != (nout,):
            raise ValueError(f"Linear: b has shape {shape(b)}, expected {(nout,)}: a list with a bias for each output")
        self.b = [0.0] * nout if b is None else matrix([b], "Linear: [b]", 1, nout)[0]
        if W is None:
            rng = random if seed is None else random.Random(_seed(seed))
            bound = 1 / math.sqrt(nin)
            W = [[rng.uniform(-bound, bound) for _ in range(nout)] for _ in range(nin)]
        self.W = matrix(W, "Linear: W", nin, nout)
        self.X: Rows | None = None
        self.DW: Rows | None = None
        self.DB: list[float] | None = None

    def forward(self, X: Any) -> Rows:
        """Y = X·W + b, from (N, K) to (N, M)."""
        self.X = matrix(X, f"{self!r}.forward: X", None, self.nin)
        return [[y + b for y, b in zip(row, self.b, strict=True)] for row in product(self.X, self.W)]

    def backward(self, DY: Any) -> Rows:
        """DW = Xᵀ·DY, DB = the column sums of DY, DX = DY·Wᵀ: from (N, M) to (N, K).

        Raises:
            ValueError: if DY has another shape than Y, or there was no forward.
        """
        X = kept(self.X, self)
        DY = matrix(DY, f"{self!r}.backward: DY", len(X), self.nout)
        self.DW = product(transposed(X), DY)
        self.DB = [sum(column) if self.has_bias else 0.0 for column in transposed(DY)]
        return product(DY, transposed(self.W))

    def update_parameters(self, lr: float) -> None:
        """W ← W − lr·DW and b ← b − lr·DB.

        Raises:
            ValueError: if there was no backward.
        """
        if self.DW is None or self.DB is None:
            raise ValueError(f"{self!r}.update_parameters came before backward, which computes DW and DB")
        lr = real(lr, f"{self!r}.update_parameters: lr")
        self.W = [[w - lr * d for w, d in zip(*rows, strict=True)] for rows in zip(self.W, self.DW, strict=True)]
        self.b = [b - lr * d for b, d in zip(self.b, self.DB, strict=True)]

    def __repr__(self) -> str:
        return f"Linear({self.nin}, {self.nout}{'' if self.has_bias else ', bias=False'})"


def _seed(seed: Any) -> Any:
    """The seed, if it is of a kind from which random.Random makes the same numbers in every run."""
    if isinstance(seed, str):
        try:
            seed.encode()
        except UnicodeEncodeError:
            raise ValueError(f"Linear: the seed {brief(seed)} holds half a character: give another text") from None
    if isinstance(seed, (float, str, bytes, bytearray)):
        return seed
    try:
        return int(operator.index(seed))
    except TypeError:
        raise TypeError(f"Linear: seed must be a number, a string or bytes, not {type(seed).__name__}") from None


class Elementwise(Layer):
    """Y = f(X), number by number: no parameters, and DX = DY times the slope of f at each number.

    The layer is a grid of gates, one for each number of the batch.

    Args:
        op: the name of an op of one operand, or whose second has a default.

    Attributes:
        gates: those of the last `forward`, (N, K).

    >>> layer = Elementwise("square")
    >>> layer.forward([[1.0, -3.0]]), layer.backward([[10.0, 10.0]])
    ([[1.0, 9.0]], [[20.0, -60.0]])
    """

    def __init__(self, op: str) -> None:
        self.op = op
        if Gate(op).nin != 1:
            raise ValueError(f"Elementwise takes an op of one operand, as 'tanh', and {op!r} has more")
        self.gates: list[list[Gate]] | None = None

    def forward(self, X: Any) -> Rows:
        """Y = f(X), from (N, K) to (N, K)."""
        X = matrix(X, f"{self!r}.forward: X")
        self.gates = [[Gate(self.op) for _ in row] for row in X]
        return [[gate.forward(x) for gate, x in zip(*rows, strict=True)] for rows in zip(self.gates, X, strict=True)]

    def backward(self, DY: Any) -> Rows:
        """DX = DY ∘ f'(X), from (N, K) to (N, K)."""
        gates = kept(self.gates, self)
        DY = matrix(DY, f"{self!r}.backward: DY", len(gates), len(gates[0]))
        return [[gate.backward(d)[0] for gate, d in zip(*rows, strict=True)] for rows in zip(gates, DY, strict=True)]

    def __repr__(self) -> str:
        return f"Elementwise({self.op!r})" if type(self) is Elementwise else f"{type(self).__name__}()"


class Tanh(Elementwise):
    """Y = tanh(X): DX = DY ∘ (1 − Y²), as the row of tanh has it. No DW, no DB.

    >>> layer = Tanh()
    >>> layer.forward([[0.0]]), layer.backward([[2.0]])
    ([[0.0]], [[2.0]])
    """

    def __init__(self) -> None:
        super().__init__("tanh")


class Sigmoid(Elementwise):
    """Y = σ(X): DX = DY ∘ Y ∘ (1 − Y), as Caffe's layer has it."""

    def __init__(self) -> None:
        super().__init__("sigmoid")


class ReLU(Elementwise):
    """Y = max(0, X): DX is DY where X > 0, else 0."""

    def __init__(self) -> None:
        super().__init__("relu")
