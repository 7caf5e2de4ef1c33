"""Images, as nested lists [channel][row][column]: how layers read them, and the windows that slide over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_sequence, is_sequence
from scalargrad.nn.modules.known_module import Field
from scalargrad.support.arguments import MAX_DEPTH, MOST, brief, too_deep, whole
from scalargrad.support.reals import number

Image = list[list[list[Any]]]
"""Channels of rows of numbers or Values, all rows of one length, all channels of one height."""

Pair = tuple[int, int]
"""Of rows, and of columns."""


def _is_pair(least: int) -> Callable[[Any], bool]:
    return lambda x: isinstance(x, list) and len(x) == 2 and all(type(n) is int and n >= least for n in x)


PAIR = Field("a list of two whole numbers from 1 up", _is_pair(1))
PADDING = Field("a list of two whole numbers from 0 up", _is_pair(0))


def pair(x: Any, what: str, example: str, least: int = 1) -> Pair:
    """Return a whole number as (x, x), and two of them, of rows and of columns, as they are.

    Raises:
        TypeError: if it is neither.
        ValueError: if one of them is below `least`, or there are not two.
    """
    x = as_sequence(x)
    if not is_sequence(x):
        x = (x, x)
    if len(x) != 2:
        raise ValueError(
            f"{what} must be a whole number, or two, of rows and of columns, not {len(x)}, as in {example}"
        )
    rows, columns = (whole(n, what, example, least=least, most=MOST) for n in x)
    return rows, columns


def short(x: Pair) -> str:
    """Return a pair as it is written in a call: as one number where both are the same."""
    return str(x[0]) if x[0] == x[1] else str(x)


def size_of(image: Image) -> str:
    """Return an image's channels, rows and columns, as `3×8×8`."""
    return f"{len(image)}×{len(image[0])}×{len(image[0][0])}"


def image_of(x: Any, who: Callable[[], str], nin: int | None = None) -> Image:
    """Return x as lists of lists of lists, of Values and plain numbers; an array becomes lists.

    Args:
        x: what a layer was called with.
        who: gives the layer's name for an error.
        nin: how many channels it must have; any number if left out.

    Raises:
        TypeError: if x is no image, or an element is neither a Value nor a real number.
        ValueError: if channels or rows differ in size, if there is none, or if there are not nin channels.
    """
    wanted = (
        f"an image of {nin} channel{'s' * (nin != 1)}, [channel][row][column]"
        if nin
        else "an image, [channel][row][column]"
    )
    example = f"a list of {nin or 3} channel{'s' * ((nin or 3) != 1)}, each a list of rows"
    x = _without_iterators(x.tolist() if hasattr(x, "tolist") else x, 3)
    depth = _depth(x)
    if depth != 3:
        hint = {
            1: f"; of a flat list make an image first, as by nn.Unflatten({nin or 1}, rows, columns)",
            2: "; of rows of numbers make an image of one channel: [rows]",
            4: "; it looks like several images: call the model once for each",
        }.get(depth, f"; give {example}")
        given = _sizes(x) if depth else type(x).__name__
        raise (TypeError if depth == 0 else ValueError)(f"{who()} takes {wanted}, not {given}{hint}")
    image = [[list(as_sequence(row)) for row in map(_listed, channel)] for channel in map(_listed, x)]
    if nin is not None and len(image) != nin:
        raise ValueError(f"{who()} takes {wanted}, not one of {len(image)}, {_sizes(x)}")
    rows, columns = len(image[0]), len(image[0][0])
    if not columns:
        raise ValueError(f"{who()} takes {wanted}, and this one has no pixel")
    for c, channel in enumerate(image):
        if len(channel) != rows:
            raise ValueError(
                f"{who()}: channel {c} has {len(channel)} rows, but channel 0 has {rows}: all must be alike"
            )
        for i, row in enumerate(channel):
            if len(row) != columns:
                raise ValueError(
                    f"{who()}: row {i} of channel {c} has {len(row)} numbers, but the first row has {columns}: all "
                    "must have equally many"
                )
            if not _USUAL.issuperset(map(type, row)):
                channel[i] = [_real(v, f"{who()}: channel {c}, row {i}, column {j}") for j, v in enumerate(row)]
    return image


_USUAL = {Value, float}


def _real(x: Any, where: str) -> Any:
    if isinstance(x, Value):
        return x
    try:
        return number(x)
    except TypeError:
        raise TypeError(f"{where} must hold a Value or a real number, not {type(x).__name__}") from None


def _without_iterators(x: Any, levels: int) -> Any:
    """The lists and arrays of an image, with a list in place of each iterator: it is gone through more than once."""
    x = as_sequence(x)
    if levels == 1 or not is_sequence(x) or hasattr(x, "ndim"):
        return x
    return [_without_iterators(part, levels - 1) for part in x]


def _listed(x: Any) -> list[Any]:
    """A channel or row as a list; one that is none, as a list of it alone, whose length then tells."""
    x = as_sequence(x)
    return list(x) if is_sequence(x) else [x]


def _depth(x: Any) -> int:
    """How deep lists are nested at the first element of each."""
    depth = 0
    while is_sequence(x):
        depth += 1
        if depth > MAX_DEPTH:
            raise too_deep("the image")
        x = as_sequence(next(iter(x), None))
    return depth


def _sizes(x: Any) -> str:
    """The sizes of nested lists in words, along the first element of each: `1×8×8 numbers`."""
    sizes = []
    while is_sequence(x):
        sizes.append(str(len(x)))
        x = as_sequence(next(iter(x), None))
    return f"a list of {'×'.join(sizes)} numbers"


def constant_image(image: Image) -> list[list[list[Value]]]:
    """Return the image with each number as a constant Value, labelled x0_2_1 for channel 0, row 2, column 1."""
    return [
        [
            [
                v if isinstance(v, Value) else Value(v, label=f"x{c}_{i}_{j}", requires_grad=False)
                for j, v in enumerate(row)
            ]
            for i, row in enumerate(channel)
        ]
        for c, channel in enumerate(image)
    ]


class Window(NamedTuple):
    """Where a kernel lies along one axis.

    Attributes:
        begin: the first of the image's pixels below it.
        end: one after the last.
        skipped: how many of the kernel's cells lie before the image, over its padding.
    """

    begin: int
    end: int
    skipped: int


def windows(n: int, kernel: int, stride: int, padding: int) -> list[Window]:
    """Return every place of a kernel along n pixels with padding at both ends: ⌊(n + 2·padding − kernel) / stride⌋ + 1.

    Padding is smaller than the kernel, so that below every window there is a pixel.
    """
    starts = range(-padding, n + padding - kernel + 1, stride)
    return [Window(max(start, 0), min(start + kernel, n), max(-start, 0)) for start in starts]


class Sliding:
    """What slides over an image: a kernel's size, its stride and the padding around the image.

    Args:
        kernel: rows and columns, or one number for both.
        stride: likewise.
        padding: likewise; smaller than the kernel.
        example: a call that works.
        half: whether the padding may be half of the kernel at most.

    Raises:
        TypeError: if one is no whole number and no pair.
        ValueError: if one is too small, or the padding too large.
    """

    def __init__(self, kernel: Any, stride: Any, padding: Any, example: str, *, half: bool = False) -> None:
        self.kernel = pair(kernel, "kernel", example)
        self.stride = self.kernel if stride is None else pair(stride, "stride", example)
        self.padding = pair(padding, "padding", example, least=0)
        if any(p > k // 2 if half else p >= k for p, k in zip(self.padding, self.kernel, strict=True)):
            most = "at most half of the kernel" if half else "smaller than the kernel"
            raise ValueError(
                f"padding must be {most}, {short(self.kernel)}, not {short(self.padding)}: beyond that a window would "
                f"see nothing of the image"
            )

    def places(self, image: Image, who: Callable[[], str]) -> list[list[tuple[Window, Window]]]:
        """Return the windows (of rows, of columns) for each pixel of the result, as a list of rows.

        Raises:
            ValueError: if the kernel is larger than the image with its padding.
        """
        sizes = len(image[0]), len(image[0][0])
        rows, columns = (
            windows(n, k, s, p) for n, k, s, p in zip(sizes, self.kernel, self.stride, self.padding, strict=True)
        )
        if not rows or not columns:
            padded = f" with its padding of {short(self.padding)}" if any(self.padding) else ""
            raise ValueError(
                f"{who()}: a kernel of {self.kernel[0]}×{self.kernel[1]} is larger than the image{padded}, "
                f"{size_of(image)}: take a smaller kernel, more padding, or fewer layers that shrink it"
            )
        return [[(row, column) for column in columns] for row in rows]


def pixels(channel: Sequence[Sequence[Any]], rows: Window, columns: Window) -> list[Any]:
    """Return the channel's numbers below a window, row by row."""
    return [x for row in channel[rows.begin : rows.end] for x in row[columns.begin : columns.end]]


def flattened(x: Any, who: Callable[[], str], depth: int = 0) -> list[Any]:
    """Return the numbers of nested lists, in the order of reading.

    Raises:
        TypeError: if an element is neither a Value nor a real number.
        ValueError: if the lists are nested deeper than 100 levels.
    """
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep(f"{who()}: the input")
    x = as_sequence(x.tolist() if hasattr(x, "tolist") else x)
    if not is_sequence(x):
        return [_real(x, f"{who()}: the input {brief(x)}")]
    if _USUAL.issuperset(map(type, x)):
        return list(x)
    return [v for part in x for v in flattened(part, who, depth + 1)]
