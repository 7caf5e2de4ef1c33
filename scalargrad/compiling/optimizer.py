"""What a compiled training step asks of an optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from scalargrad.engine import Value


@runtime_checkable
class Optimizer(Protocol):
    """An optimizer by its parts: those of scalargrad.nn have them, and `nn.Optimizer` says what each is."""

    parameters: list[Value]
    steps: int
    _states: list[tuple[float, ...]]
    _counts: list[int]
    _memories: Any

    @property
    def averages(self) -> int:
        """How many numbers `update` remembers of each parameter."""

    @property
    def moving(self) -> tuple[str, ...]:
        """The attributes that `update` reads and that change between steps."""

    @property
    def progress(self) -> tuple[str, ...]:
        """The attributes that are no settings."""

    @property
    def _steps_by_update(self) -> bool: ...

    @property
    def _prepares(self) -> bool: ...

    def _prepare(self, t: int) -> None: ...

    def update(self, p: Any, g: Any, state: Any) -> Any:
        """Return a parameter's new number and state, from its number, its gradient and its state."""

    def decayed_update(self, p: Any, g: Any, state: Any) -> Any:
        """As `update`, weight decay included."""

    def step(self) -> None:
        """Move every parameter once, by its gradient."""

    def snapshot(self) -> Callable[[], None]:
        """Return a function that puts everything back to what it is now."""

    def _commit(
        self,
        parameters: list[Value],
        numbers: list[float],
        states: list[tuple[float, ...]],
        counts: list[int],
        steps: int,
    ) -> None: ...
