"""What happened in training: the numbers of every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


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
