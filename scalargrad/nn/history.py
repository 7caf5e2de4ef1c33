"""What happened in training: the numbers of every epoch, and the display of progress."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self


class History(Mapping[str, list[float]]):
    """The numbers of every epoch of a training run: `history["loss"]` is the list of losses, also `history.loss`.

    Keys are "loss", the metrics such as "accuracy", "lr", and with validation data "val_loss", "val_accuracy"...

    >>> history = History()
    >>> history.append({"loss": 0.5, "lr": 0.1})
    >>> history.append({"loss": 0.25, "lr": 0.1})
    >>> history
    History(2 epochs: loss 0.5 -> 0.25, lr 0.1)
    >>> history.loss, history.last
    ([0.5, 0.25], {'loss': 0.25, 'lr': 0.1})
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {}
        self.epochs = 0
        """How many epochs are recorded."""

    def append(self, numbers: Mapping[str, float]) -> None:
        """Add the numbers of one epoch; they must be of the same kinds as before."""
        if not isinstance(numbers, Mapping):
            raise TypeError(f"append takes a dict of numbers, as {{'loss': 0.5}}, not {type(numbers).__name__}")
        if self.epochs and numbers.keys() != self._columns.keys():
            raise ValueError(f"this history records {', '.join(self._columns)}, not {', '.join(numbers)}")
        for name, x in numbers.items():
            self._columns.setdefault(name, []).append(x)
        self.epochs += 1

    @property
    def last(self) -> dict[str, float]:
        """The numbers of the last epoch; empty before the first."""
        return {name: column[-1] for name, column in self._columns.items()}

    def __getitem__(self, name: str) -> list[float]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __getattr__(self, name: str) -> list[float]:
        columns: dict[str, list[float]] = self.__dict__.get("_columns", {})
        if name in columns:
            return columns[name]
        raise AttributeError(f"this history has no {name!r}; it has {', '.join(columns) or 'no epoch yet'}")

    def __repr__(self) -> str:
        def change(column: list[float]) -> str:
            first, last = f"{column[0]:.4g}", f"{column[-1]:.4g}"
            return first if first == last else f"{first} -> {last}"

        parts = ", ".join(f"{name} {change(column)}" for name, column in self._columns.items())
        return f"History({self.epochs} epoch{'s' * (self.epochs != 1)}{': ' * bool(parts)}{parts})"


class Progress:
    """Shows on stderr how training goes: a tqdm bar if tqdm is installed, else about ten plain lines.

    Without a stderr, as under pythonw, or with one that cannot be written to, it shows nothing: no training ends
    because nobody can watch it.
    """

    def __init__(self, epochs: int, shown: bool) -> None:
        self._epochs = epochs
        self._stream = sys.stderr
        self._shown = shown and self._stream is not None and not getattr(self._stream, "closed", False)
        self._bar: Any = None
        if self._shown:
            try:
                from tqdm import tqdm
            except ImportError:
                return
            with self._or_nothing():
                self._bar = tqdm(total=epochs, unit="epoch", file=self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            with self._or_nothing():
                self._bar.close()

    @contextmanager
    def _or_nothing(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._shown = False

    def show(self, history: History) -> None:
        """Show the last epoch of the history."""
        if not self._shown:
            return
        text = ", ".join(f"{name} {x:.4g}" for name, x in history.last.items())
        with self._or_nothing():
            self._write(text, history.epochs)

    def _write(self, text: str, done: int) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update()
        elif done == 1 or done * 10 // self._epochs > (done - 1) * 10 // self._epochs:
            print(f"epoch {done}/{self._epochs}: {text}", file=self._stream, flush=True)
