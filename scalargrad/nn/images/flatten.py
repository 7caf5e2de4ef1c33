"""Flatten and Unflatten: an image as one list of numbers, and back."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.nn.arguments.inputs import as_row, count, is_sequence, not_in_a_list
from scalargrad.nn.images.image import flattened
from scalargrad.nn.modules.known_module import SIZES, KnownModule, Settings
from scalargrad.support.arguments import MOST, brief

if TYPE_CHECKING:
    from typing_extensions import Never, Self


class Flatten(KnownModule):
    """All numbers of an image in one list, channel by channel, row by row, as a Layer of neurons takes them.

    They are the same Values: no node is made. What is nested otherwise is flattened, too.

    >>> Flatten()([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    """

    def __call__(self, x: Any, *_more: Never) -> list[Any]:
        """Return the numbers and Values of x, lists nested in lists or an array, in the order of reading.

        Raises:
            TypeError: if an element is neither a Value nor a real number.
            ValueError: if lists are nested deeper than 100 levels.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        return flattened(x, self.__repr__)

    def __repr__(self) -> str:
        return "Flatten()"


class Unflatten(KnownModule):
    """One list of numbers as an image of these sizes: Flatten's inverse.

    Args:
        sizes: of channels, rows and columns: `Unflatten(1, 8, 8)` makes [channel][row][column] of 64 numbers. There may
            be fewer or more.

    Raises:
        TypeError: if a size is no whole number.
        ValueError: if one is not positive, or there is none.

    >>> Unflatten(1, 2, 3)([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]
    """

    _fields: ClassVar = {"sizes": SIZES}

    def __init__(self, *sizes: int) -> None:
        example = "Unflatten(1, 8, 8)"
        if len(sizes) == 1 and is_sequence(sizes[0]):
            (sizes,) = sizes  # type: ignore[assignment]
        elif any(map(is_sequence, sizes)):
            raise TypeError(f"Unflatten takes the sizes alone, as in {example}: a sample has no dimension to name")
        if not len(sizes):
            raise ValueError(f"Unflatten needs a size, as in {example}")
        self.sizes = [count(n, "each size", example, MOST) for n in sizes]
        count(prod(self.sizes), "the product of the sizes", example, MOST)

    def __call__(self, x: Any, *_more: Never) -> list[Any]:
        """Return the numbers and Values of x, a flat list or array, as lists of lists.

        Raises:
            ValueError: if there are not as many as the sizes say.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        row = as_row(x)
        if any(map(is_sequence, row)):
            raise ValueError(f"{self!r} takes a flat list of numbers, but lists in a list were given, {brief(x)}")
        found = flattened(row, self.__repr__)
        if len(found) != prod(self.sizes):
            product = " · ".join(map(str, self.sizes))
            raise ValueError(f"{self!r} takes {product} = {prod(self.sizes)} numbers, but {len(found)} were given")
        for n in reversed(self.sizes[1:]):
            found = [found[i : i + n] for i in range(0, len(found), n)]
        return found

    @classmethod
    def _built(cls, settings: Settings) -> Self:
        return cls(*settings["sizes"])

    def __repr__(self) -> str:
        return f"Unflatten({', '.join(map(str, self.sizes))})"
