"""What a compiled training step asks of an optimizer."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, overload, runtime_checkable

if TYPE_CHECKING:
    from scalargrad.engine import Value


class States(Sequence[tuple[float, ...]]):
    """What an optimizer remembers of each parameter, as a training leaves it: made tuples of when somebody looks.

    Args:
        columns: for each kind of average the numbers of all parameters; at least one.
    """

    def __init__(self, columns: Sequence[array[float]]) -> None:
        self._columns = columns

    def _rows(self) -> list[tuple[float, ...]]:
        return list(zip(*self._columns, strict=True))

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, i: int) -> tuple[float, ...]: ...
    @overload
    def __getitem__(self, i: slice) -> list[tuple[float, ...]]: ...
    def __getitem__(self, i: int | slice) -> Any:
        if isinstance(i, slice):
            return self._rows()[i]
        return tuple([column[i] for column in self._columns])

    def __iter__(self) -> Iterator[tuple[float, ...]]:
        return zip(*self._columns, strict=True)

    def __eq__(self, other: object) -> bool:
        return self._rows() == (other._rows() if isinstance(other, States) else other)

    def __hash__(self) -> int:
        return id(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (self._rows(),)

    def __repr__(self) -> str:
        return repr(self._rows())


@runtime_checkable
class Optimizer(Protocol):
    """An optimizer by its parts: those of scalargrad.nn have them, and `nn.Optimizer` says what each is."""

    parameters: list[Value]
    steps: int
    _states: Sequence[tuple[float, ...]]
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
        states: Sequence[tuple[float, ...]],
        counts: list[int],
        steps: int,
    ) -> None: ...
