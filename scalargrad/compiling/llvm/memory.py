"""Memory that machine code works on: doubles at an address that suits vectors."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any

ALIGNMENT = 64


class Numbers:
    """Doubles side by side.

    Attributes:
        address: of the first.
        view: a memoryview of them.
    """

    address: int
    view: Any

    def fill(self, numbers: Sequence[float]) -> None:
        """Put numbers at the beginning."""
        struct.pack_into(f"={len(numbers)}d", self.view, 0, *numbers)

    def __len__(self) -> int:
        return len(self.view)


class Doubles(Numbers):
    """A fixed number of them, 0.0 at first."""

    def __init__(self, count: int) -> None:
        self._keep = ctypes.create_string_buffer(8 * count + ALIGNMENT)
        start = ctypes.addressof(self._keep)
        skip = -start % ALIGNMENT
        self.address = start + skip
        self.view = memoryview(self._keep).cast("B")[skip : skip + 8 * count].cast("d")


class Part(Numbers):
    """Some of them: `count` from the one at place `start` on."""

    def __init__(self, whole: Doubles, start: int, count: int) -> None:
        self.address, self.view = whole.address + 8 * start, whole.view[start : start + count]


def table(addresses: Sequence[int]) -> Any:
    """An array of pointers."""
    return (ctypes.c_void_p * max(1, len(addresses)))(*addresses)
