"""MaxPool2d and AvgPool2d: of every window of each channel the largest number, or the mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import not_in_a_list
from scalargrad.nn.images.image import PADDING, PAIR, Image, Sliding, image_of, pixels, short
from scalargrad.nn.modules.known_module import KnownModule, Settings
from scalargrad.nn.modules.naming import Name
from scalargrad.node.extras import give_label
from scalargrad.ops import max_, sum_
from scalargrad.support.spelling import explained

if TYPE_CHECKING:
    from typing_extensions import Never


class _Pool2d(KnownModule, ABC):
    """A window that slides over each channel by itself; no parameters."""

    _fields: ClassVar = {"kernel": PAIR, "stride": PAIR, "padding": PADDING}

    def __init__(
        self,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        self._sliding = sliding = Sliding(kernel, stride, padding, f"{type(self).__name__}(2)", half=True)
        self.kernel, self.stride, self.padding = sliding.kernel, sliding.stride, sliding.padding
        self.place(("pooling",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Label each channel's numbers within the scope, as "channel 1"."""
        self._scope = scope

    @abstractmethod
    def _of(self, window: list[Any]) -> Any:
        """What becomes of a window's numbers."""

    def __call__(self, x: Any, *_more: Never) -> Image:
        """Return the image, of as many channels and of fewer rows and columns.

        Args:
            x: an image [channel][row][column] of numbers or Values, or an array. Of numbers alone the result has
                numbers.

        Raises:
            ValueError: if x is no image, or is smaller than the kernel.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        image = image_of(x, self.__repr__)
        places = self._sliding.places(image, self.__repr__)
        result: Image = []
        for c, channel in enumerate(image):
            label = Name("", (*self._scope, f"channel {c}"))
            result.append([[_labelled(self._of(pixels(channel, *place)), label) for place in line] for line in places])
        return result

    def _settings(self) -> Settings:
        return {"kernel": list(self.kernel), "stride": list(self.stride), "padding": list(self.padding)}

    def __repr__(self) -> str:
        text = f"{type(self).__name__}({short(self.kernel)}"
        text += f", stride={short(self.stride)}" * (self.stride != self.kernel)
        return text + f", padding={short(self.padding)}" * any(self.padding) + ")"


def _labelled(y: Any, label: Name) -> Any:
    if isinstance(y, Value) and not y.is_leaf:
        give_label(y, label)
    return y


class MaxPool2d(_Pool2d):
    """Max pooling: the largest number of every window, channel by channel.

    A router: the gradient goes to the largest alone. A tie shares it equally, where PyTorch gives all to the first.
    (After a relu there are ties of zeros, whose gradient the relu stops: then both give the same.)

    Shapes: (channels, rows, columns) → (channels, rows', columns') with
    rows' = ⌊(rows + 2·padding − kernel) / stride⌋ + 1, and columns' likewise. The padding is never the largest.

    Args:
        kernel: rows and columns of a window; one number for a square.
        stride: how far the window moves; by its own size if left out, so that windows lie side by side.
        padding: rows and columns around the image that are not looked at, at most half of the kernel.

    Raises:
        TypeError: if one is no whole number and no pair of them.
        ValueError: if one is out of range.

    >>> MaxPool2d(2)([[[1.0, 2.0, 0.0, 1.0], [3.0, 0.0, 5.0, 2.0]]])
    [[[3.0, 5.0]]]
    >>> MaxPool2d(3, stride=2)
    MaxPool2d(3, stride=2)
    """

    @explained("MaxPool2d(2)")
    def __init__(
        self,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__(kernel, stride, padding)

    def _of(self, window: list[Any]) -> Any:
        return max_(window)


class AvgPool2d(_Pool2d):
    """Average pooling: the mean of every window, channel by channel; its pixels share the gradient equally.

    Shapes and arguments are those of MaxPool2d. The padding is zeros that count: the sum is divided by the size of the
    whole window, as PyTorch does it.

    >>> AvgPool2d(2)([[[1.0, 2.0, 0.0, 1.0], [3.0, 0.0, 5.0, 2.0]]])
    [[[1.5, 2.0]]]
    """

    @explained("AvgPool2d(2)")
    def __init__(
        self,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__(kernel, stride, padding)

    def _of(self, window: list[Any]) -> Any:
        return sum_(window) / (self.kernel[0] * self.kernel[1])
