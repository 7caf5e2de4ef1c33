"""Memory that machine code works on: doubles at an address that suits vectors."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from typing import Any

ALIGNMENT = 64


class Doubles:
    """A fixed number of doubles, 0.0 at first.

    Attributes:
        address: of the first.
        view: a memoryview of them.
    """

    def __init__(self, count: int) -> None:
        self._keep = ctypes.create_string_buffer(8 * count + ALIGNMENT)
        start = ctypes.addressof(self._keep)
        skip = -start % ALIGNMENT
        self.address = start + skip
        self.view: Any = memoryview(self._keep).cast("B")[skip : skip + 8 * count].cast("d")

    def fill(self, numbers: Sequence[float]) -> None:
        """Put numbers at the beginning."""
        self.view[: len(numbers)] = array("d", numbers)

    def __len__(self) -> int:
        return len(self.view)


def table(addresses: Sequence[int]) -> Any:
    """An array of pointers."""
    return (ctypes.c_void_p * max(1, len(addresses)))(*addresses)
