"""What happened in training: the numbers of every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scalargrad.support.arguments import brief, brief_text, real


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
        """Add the numbers of one epoch; they must be of the same kinds as before.

        Raises:
            TypeError: if numbers is no dict, a name no text, or a number none.
            ValueError: if they are of other kinds than before.
        """
        if not isinstance(numbers, Mapping):
            raise TypeError(f"append takes a dict of numbers, as {{'loss': 0.5}}, not {type(numbers).__name__}")
        given = dict(numbers)
        for name in given:
            if not isinstance(name, str):
                raise TypeError(f"append: each name must be a text, as in {{'loss': 0.5}}, not {brief(name)}")
        if self.epochs and given.keys() != self._columns.keys():
            raise ValueError(f"this history records {self._names()}, not {brief_text(', '.join(given)) or 'nothing'}")
        checked = {name: real(x, f"append: {brief_text(name)}") for name, x in given.items()}
        for name, x in checked.items():
            self._columns.setdefault(name, []).append(x)
        self.epochs += 1

    @property
    def last(self) -> dict[str, float]:
        """The numbers of the last epoch; empty before the first."""
        return {name: column[-1] for name, column in self._columns.items()}

    def __getitem__(self, name: str) -> list[float]:
        if isinstance(name, str) and name in self._columns:
            return self._columns[name]
        raise KeyError(f"this history has no {brief(name)}; it has {self._names()}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __getattr__(self, name: str) -> list[float]:
        columns: dict[str, list[float]] = self.__dict__.get("_columns", {})
        if name in columns:
            return columns[name]
        raise AttributeError(f"this history has no {brief(name)}; it has {self._names()}")

    def _names(self) -> str:
        return ", ".join(map(brief_text, self.__dict__.get("_columns", {}))) or "no epoch yet"

    def __repr__(self) -> str:
        def change(column: list[float]) -> str:
            first, last = f"{column[0]:.4g}", f"{column[-1]:.4g}"
            return first if first == last else f"{first} -> {last}"

        parts = ", ".join(f"{name} {change(column)}" for name, column in self._columns.items())
        return f"History({self.epochs} epoch{'s' * (self.epochs != 1)}{': ' * bool(parts)}{parts})"
