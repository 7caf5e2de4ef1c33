"""Layer normalisation and RMS normalisation: each vector brought to unit size, by itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_sequence, count, inputs, is_sequence, not_in_a_list
from scalargrad.nn.arguments.vectors import for_each_row
from scalargrad.nn.modules.known_module import NUMBER, SIZE, KnownModule, Settings
from scalargrad.nn.modules.naming import Tag, relabel, untagged
from scalargrad.ops import dot, mean, reciprocal, sqrt
from scalargrad.support.arguments import MOST, real
from scalargrad.support.spelling import Misnomer, explained

if TYPE_CHECKING:
    from typing_extensions import Never


def rms_norm(x: Sequence[Any], eps: float = 1e-5) -> list[Any]:
    """Return x divided by its root mean square: y_i = x_i · (mean of x² + eps)^(-½).

    Args:
        x: n numbers or Values; or a list of such vectors, and then a list of lists comes back.
        eps: keeps the root away from 0. (PyTorch's `rms_norm` has 2.2e-16 unless it is told.)

    Raises:
        ValueError: if x is empty or eps is negative.
        TypeError: if an element is neither a Value nor a real number.
        ZeroDivisionError: if eps is 0 and x is all 0.

    Source: Zhang and Sennrich, Root mean square layer normalization, 2019, eq. 4.

    >>> rms_norm([3.0, -3.0], eps=0.0)
    [1.0, -1.0]
    """
    eps = _small(eps, "rms_norm")
    return for_each_row(lambda row: _scaled(row, eps), x, "rms_norm: x")


def layer_norm(x: Sequence[Any], eps: float = 1e-5) -> list[Any]:
    """Return x with mean 0 and variance 1: y_i = (x_i − mean of x) · (variance of x + eps)^(-½).

    The variance divides by n, as in PyTorch.

    Args:
        x: n numbers or Values; or a list of such vectors, and then a list of lists comes back.
        eps: keeps the root away from 0.

    Raises:
        ValueError: if x is empty or eps is negative.
        TypeError: if an element is neither a Value nor a real number.
        ZeroDivisionError: if eps is 0 and all of x are equal.

    Source: Ba, Kiros and Hinton, Layer normalization, 2016, eq. 4.

    >>> layer_norm([1.0, 3.0, 1.0, 3.0], eps=0.0)
    [-1.0, 1.0, -1.0, 1.0]
    """
    eps = _small(eps, "layer_norm")
    return for_each_row(lambda row: _scaled(_centred(row), eps), x, "layer_norm: x")


def _centred(x: Sequence[Any], tag: Callable[[Any], Any] = untagged) -> list[Any]:
    middle = tag(mean(x))
    return [tag(x_i - middle) for x_i in x]


def _scaled(x: Sequence[Any], eps: float, tag: Callable[[Any], Any] = untagged) -> list[Any]:
    mean_square = tag(tag(dot(x, x)) / len(x))
    scale = tag(reciprocal(tag(sqrt(tag(mean_square + eps)))))
    return [tag(x_i * scale) for x_i in x]


def _small(eps: Any, who: str) -> float:
    found = real(eps, f"{who}: eps")
    if not 0 <= found < math.inf:
        raise ValueError(f"{who}: eps must be a small number from 0 up, as 1e-5, not {eps!r}")
    return found


class _Normalisation(KnownModule, ABC):
    """What LayerNorm and RMSNorm have in common: a learned scale for each element."""

    weight = Misnomer("the scales are gamma, a list")
    bias = Misnomer("the offsets are beta, a list, where there are any")
    normalized_shape = Misnomer("write nin")
    _fields: ClassVar = {"nin": SIZE, "eps": NUMBER}
    _learned: ClassVar[tuple[str, ...]] = ("gamma",)
    _place: ClassVar[str]

    def __init__(self, nin: int, eps: float = 1e-5) -> None:
        name = type(self).__name__
        self.nin, self.eps = count(nin, "nin", f"{name}(16)", MOST), _small(eps, name)
        for learned in self._learned:
            start = float(learned == "gamma")
            setattr(self, learned, [Value(start, parameter=True) for _ in range(self.nin)])
        self.place((self._place,))

    def place(self, scope: tuple[str, ...]) -> None:
        """Label the parameters gamma0, gamma1, ... within the scope, and beta0, ... where there are any."""
        self._tag, self._output = Tag(scope), Tag(scope, outputs=self.nin)
        for name in self._learned:
            for i, value in enumerate(getattr(self, name)):
                relabel(value, f"{name}{i}", scope)

    def __call__(self, x: Any, *_more: Never) -> list[Any]:
        """Return the normalised vector, a list of nin Values.

        Args:
            x: nin numbers or Values; or a list of such rows, each of which is normalised by itself.

        Raises:
            ValueError: if a row has not nin elements.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        x = as_sequence(x)
        if is_sequence(x) and len(x) and is_sequence(x[0]):
            return [self._normalised(inputs(row, self.nin, self.__repr__)) for row in x]
        return self._normalised(inputs(x, self.nin, self.__repr__))

    @abstractmethod
    def _normalised(self, x: Sequence[Any]) -> list[Any]:
        """One vector, scaled."""

    @classmethod
    def _size(cls, settings: Settings) -> int:
        return len(cls._learned) * int(settings["nin"])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.nin})"


class RMSNorm(_Normalisation):
    """`rms_norm` with a learned scale: y_i = gamma_i · x_i · (mean of x² + eps)^(-½). PyTorch's `nn.RMSNorm`.

    A vector is normalised by itself, in training as in evaluation: there are no statistics of a batch.

    Args:
        nin: how long a vector is.
        eps: keeps the root away from 0. (PyTorch's has 2.2e-16 unless it is told.)

    Attributes:
        gamma: the scales, a list of nin parameters, 1 at first; PyTorch's `weight`.

    Raises:
        TypeError: if nin or eps is no number.
        ValueError: if one of them is out of range.

    >>> [y.data for y in RMSNorm(2, eps=0.0)([3.0, -3.0])]
    [1.0, -1.0]
    """

    gamma: list[Value]
    _place: ClassVar = "rms norm"

    @explained("RMSNorm(16)")
    def __init__(self, nin: int, eps: float = 1e-5) -> None:
        super().__init__(nin, eps)

    def _normalised(self, x: Sequence[Any]) -> list[Any]:
        normal = _scaled(x, self.eps, self._tag)
        return [self._output(gamma * y) for gamma, y in zip(self.gamma, normal, strict=True)]


class LayerNorm(_Normalisation):
    """`layer_norm` with a learned scale and offset: y_i = gamma_i · (x_i − mean) · (variance + eps)^(-½) + beta_i.

    PyTorch's `nn.LayerNorm`. A vector is normalised by itself, in training as in evaluation: there are no statistics
    of a batch.

    Args:
        nin: how long a vector is.
        eps: keeps the root away from 0.

    Attributes:
        gamma: the scales, a list of nin parameters, 1 at first; PyTorch's `weight`.
        beta: the offsets, a list of nin parameters, 0 at first; PyTorch's `bias`.

    Raises:
        TypeError: if nin or eps is no number.
        ValueError: if one of them is out of range.

    >>> [y.data for y in LayerNorm(4, eps=0.0)([1.0, 3.0, 1.0, 3.0])]
    [-1.0, 1.0, -1.0, 1.0]
    """

    gamma: list[Value]
    beta: list[Value]
    _learned: ClassVar = ("gamma", "beta")
    _place: ClassVar = "layer norm"

    @explained("LayerNorm(16)")
    def __init__(self, nin: int, eps: float = 1e-5) -> None:
        super().__init__(nin, eps)

    def _normalised(self, x: Sequence[Any]) -> list[Any]:
        tag, output = self._tag, self._output
        normal = _scaled(_centred(x, tag), self.eps, tag)
        return [output(tag(gamma * y) + beta) for gamma, beta, y in zip(self.gamma, self.beta, normal, strict=True)]
