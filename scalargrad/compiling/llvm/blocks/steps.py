"""The steps of a program: records for kernels, and the lists of numbers that these read."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.llvm.blocks.kernels import addresses_of
from scalargrad.compiling.llvm.blocks.records import GIVEN, WORDS

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.blocks.fusing import Shape


class Steps:
    """Records, one after another.

    Attributes:
        records: their words.
    """

    def __init__(self) -> None:
        self.records = array("q")
        self._kept: list[Any] = []

    def add(self, name: str | Shape, *words: int) -> None:
        """Add a step: a kernel's name or shape, and what it is told."""
        many, one = addresses_of(name)
        self.records.extend((many, one, *words, *[0] * (WORDS - GIVEN - len(words))))

    def extend(self, others: Steps) -> None:
        """Add the steps of others."""
        self.records.extend(others.records)
        self._kept.append(others)

    def kept(self, numbers: array[Any]) -> int:
        """The address of numbers, which stay there as long as this lives."""
        self._kept.append(numbers)
        return numbers.buffer_info()[0]

    def listed(self, numbers: Iterable[int]) -> int:
        """The address of a list of 32-bit numbers."""
        return self.kept(array("i", numbers))

    @property
    def address(self) -> int:
        """Of the first, when all have been added."""
        return self.records.buffer_info()[0]

    def __len__(self) -> int:
        return len(self.records) // WORDS


def stride_of(numbers: Sequence[int]) -> int | None:
    """From each number to the next, if that is always the same; 0 if there is one number."""
    if len(numbers) < 2:
        return 0
    first, step = numbers[0], numbers[1] - numbers[0]
    if not step:
        return 0 if len(set(numbers)) == 1 else None
    return step if list(numbers) == list(range(first, first + step * len(numbers), step)) else None


def evenly_spaced(rows: Sequence[Sequence[int]]) -> tuple[int, int, int] | None:
    """The first of these numbers, and what is between rows and between columns, if that is always the same; else None.

    None, too, if some are constants, which are negative, or two rows are one.
    """
    down, along = stride_of([row[0] for row in rows]), stride_of(rows[0])
    first, n = rows[0][0], len(rows[0])
    if min(map(min, rows)) < 0 or down is None or along is None or not (down or len(rows) == 1):
        return None
    starts = range(first, first + down * len(rows), down) if down else [first]
    pairs = zip(rows, starts, strict=True)
    if n == 1 or (along and all(list(row) == list(range(at, at + along * n, along)) for row, at in pairs)):
        return first, down, along
    return None


def evenly(operands: Iterable[Sequence[int]]) -> list[int]:
    """For each operand of a group where the first lies, and from one to the next."""
    return [word for places in operands for word in (places[0], stride_of(places) or 0)]
