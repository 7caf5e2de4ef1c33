"""Where an optimizer's numbers lie while a compiled training moves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from weakref import ref


class Memory(Protocol):
    """Where a compiled training keeps what it moves."""

    def settle(self) -> None:
        """Bring Values and optimizer up to date."""

    def read_again(self) -> None:
        """Before the next step, take over what they hold then."""


class Memories:
    """The compiled trainings of an optimizer, as long as they live."""

    def __init__(self) -> None:
        self._refs: list[Callable[[], Memory | None]] = []

    def add(self, memory: Memory) -> None:
        """Ask this one too from now on."""
        self._refs = [*(r for r in self._refs if r() is not None), ref(memory)]

    def settle(self) -> None:
        """Bring Values and optimizer up to date."""
        for memory in self._living():
            memory.settle()

    def read_again(self) -> None:
        """Let each take over, before its next step, what Values and optimizer hold then."""
        for memory in self._living():
            memory.read_again()

    def _living(self) -> list[Memory]:
        return [memory for memory in (r() for r in self._refs) if memory is not None]

    def __copy__(self) -> Memories:
        return Memories()

    def __deepcopy__(self, memo: dict[int, Any]) -> Memories:
        return Memories()
