"""LocalResponseNorm: a channel's pixel is damped by what the channels beside it say at the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import count, not_in_a_list
from scalargrad.nn.images.image import Image, image_of
from scalargrad.nn.modules.known_module import NUMBER, SIZE, KnownModule
from scalargrad.nn.modules.naming import Name
from scalargrad.node.extras import give_label
from scalargrad.ops import divide, dot, power
from scalargrad.support.arguments import MOST, real
from scalargrad.support.spelling import explained

if TYPE_CHECKING:
    from typing_extensions import Never


class LocalResponseNorm(KnownModule):
    """Local response normalisation: y_c = x_c / (k + alpha/size · Σ x_c'²)^beta, over the channels c' around c.

    The sum goes over `size` channels at the same row and column, from c − ⌊size/2⌋ to c + ⌊(size − 1)/2⌋, fewer at the
    first and last ones. Filters compete: a pixel that is strong in one channel damps its neighbours. No parameters.

    Shapes: (channels, rows, columns) → the same.

    Args:
        size: over how many channels.
        alpha: how strong it is, divided by size as in PyTorch; AlexNet's own 1e-4 is not, so it is alpha=5e-4 here.
        beta: the exponent.
        k: what keeps the sum away from 0.

    Raises:
        TypeError: if an argument is no number.
        ValueError: if size is below 1, alpha or k negative, or one is not finite.

    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012,
    section 3.3 (size 5, alpha 1e-4, beta 0.75, k 2); PyTorch's `torch.nn.LocalResponseNorm` computes the same.

    >>> [channel[0] for channel in LocalResponseNorm(3, alpha=3.0, beta=1.0)([[[1.0]], [[2.0]], [[0.0]]])]
    [[0.16666666666666666], [0.3333333333333333], [0.0]]
    """

    _fields: ClassVar = {"size": SIZE, "alpha": NUMBER, "beta": NUMBER, "k": NUMBER}

    @explained("LocalResponseNorm(5)")
    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size = count(size, "size", "LocalResponseNorm(5)", MOST)
        self.alpha, self.beta, self.k = (
            real(x, f"LocalResponseNorm: {name}") for name, x in (("alpha", alpha), ("beta", beta), ("k", k))
        )
        for name, least in (("alpha", 0.0), ("beta", -float("inf")), ("k", 0.0)):
            x = getattr(self, name)
            if not (least <= x and abs(x) < float("inf")):
                raise ValueError(
                    f"LocalResponseNorm: {name} must be a finite number{' from 0 up' * (least == 0)}, not {x!r}"
                )
        self.place(("response norm",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Label each channel's numbers within the scope, as "channel 1"."""
        self._scope = scope

    def __call__(self, x: Any, *_more: Never) -> Image:
        """Return the image, each number normalised; of numbers alone the result has numbers.

        Args:
            x: an image [channel][row][column] of numbers or Values, or an array.

        Raises:
            ValueError: if x is no image.
            ZeroDivisionError: if k is 0 and all numbers of a neighbourhood are.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        image = image_of(x, self._head)
        labels = [Name("", (*self._scope, f"channel {c}")) for c in range(len(image))]
        share = self.alpha / self.size
        result: Image = [[] for _ in image]
        for lines in zip(*image, strict=True):
            outputs: list[list[Any]] = [[] for _ in image]
            for column in zip(*lines, strict=True):
                for c, value in enumerate(column):
                    near = list(column[max(0, c - self.size // 2) : c + (self.size - 1) // 2 + 1])
                    y = divide(value, power(self.k + share * dot(near, near), self.beta))
                    if isinstance(y, Value):
                        give_label(y, labels[c])
                    outputs[c].append(y)
            for rows, output in zip(result, outputs, strict=True):
                rows.append(output)
        return result

    def _head(self) -> str:
        shown = [("alpha", self.alpha, 1e-4), ("beta", self.beta, 0.75), ("k", self.k, 1.0)]
        return f"LocalResponseNorm({self.size}" + "".join(f", {n}={x:g}" for n, x, usual in shown if x != usual) + ")"

    def __repr__(self) -> str:
        return self._head()
