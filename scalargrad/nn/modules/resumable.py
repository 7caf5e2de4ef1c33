"""What an optimizer shows of itself to those who store it: modules know no optimizer, but save one beside the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from scalargrad.engine import Value

State = tuple[float, ...]
"""What an optimizer remembers of one parameter: running averages, all starting at 0."""


class Resumable(Protocol):
    """An optimizer, as far as its progress goes; `scalargrad.nn.Optimizer` says what each of these is."""

    parameters: list[Value]
    steps: int
    _states: Sequence[State]
    _counts: list[int]

    @property
    def averages(self) -> int:
        """How many numbers are remembered of each parameter."""

    @property
    def squares(self) -> tuple[int, ...]:
        """Which of the averages are of squares, and so never negative."""

    @property
    def settings(self) -> Mapping[str, Callable[[Any, str], Any]]:
        """What a user chooses, each with the function (given, name) that checks and returns it."""

    def _fit_together(self) -> None: ...
