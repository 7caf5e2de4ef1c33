"""Batches for `fit`: all samples as they lie there, or some of them gathered into memory that stays where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scalargrad.compiling.groups import Batch
from scalargrad.compiling.samples import Samples
from scalargrad.engine import Value
from scalargrad.nn.inputs import constants
from scalargrad.node.structures import flatten

LOOKED_THROUGH = 1_000_000


class Batches:
    """The samples that a model is trained on or measured with, as arguments of a compiled loss (x, y) or (x, y, n).

    Args:
        rows: of Values, or a list of lists, or an array.
        targets: one for each.
        trained: the Values that must not be among the numbers.

    Attributes:
        n: how many samples.

    Raises:
        ValueError: if a row or target holds a Value that is trained, or was computed.
        TypeError: if a target is no number and no structure of numbers.
    """

    def __init__(self, rows: Any, targets: list[Any], trained: Sequence[Value]) -> None:
        self.n = len(rows)
        known = set(trained)
        if not hasattr(rows, "__array_interface__") and any(isinstance(x, Value) for x in rows[0]):
            rows = [[_fixed(x, known, "X") for x in row] for row in rows]
        if not set(map(type, targets)) <= {float, int}:
            targets = [_fixed_all(y, known, f"y[{i}]") for i, y in enumerate(targets)]
        self._arguments = [Samples(rows, "X"), Samples(targets, "y")]
        self._pieces: list[list[memoryview]] = []
        self._rooms: dict[tuple[int, bool], tuple[Batch, list[memoryview]]] = {}
        self._all: dict[bool, Batch] = {}

    def row(self, i: int) -> list[Value]:
        """The numbers of a row as constants."""
        return constants(self._arguments[0].sample(i), "X")

    def columns(self) -> list[Sequence[float]]:
        """The inputs as columns; none if there are so many numbers that to look at all would take long."""
        one = self._arguments[0]
        if one.n * one.width > LOOKED_THROUGH:
            return []
        flat = one.numbers()
        return [flat[k :: one.width] for k in range(one.width)]

    def all(self, with_count: bool) -> Batch:
        """All samples, in order, as the arguments x, y, and if asked for n."""
        if with_count not in self._all:
            self._all[with_count] = Batch.uniform([*self._arguments, *([_counts(self.n)] if with_count else [])])
        return self._all[with_count]

    def taken(self, batch: Sequence[int], with_count: bool) -> Batch:
        """The samples of these indices, as `all` gives them. They stay as they are until the next are taken."""
        n = len(batch)
        if n == self.n:
            return self.all(with_count)
        if not self._pieces:
            self._pieces = [one.parts(range(one.n)) for one in self._arguments]
        if (n, with_count) not in self._rooms:
            made = [one.taken(range(n)) for one in self._arguments]
            views = [memoryview(one.flat).cast("B") if one.width else memoryview(bytearray()) for one in made]
            self._rooms[n, with_count] = Batch.uniform([*made, *([_counts(n)] if with_count else [])]), views
        gathered, views = self._rooms[n, with_count]
        for view, pieces in zip(views, self._pieces, strict=True):
            view[:] = b"".join([pieces[i] for i in batch])
        return gathered


def _counts(n: int) -> Samples:
    return Samples([float(n)] * n, "n")


def _fixed_all(target: Any, trained: set[Value], where: str) -> Any:
    """A target, a number or a structure, with numbers in place of its Values."""
    leaves, rebuild = flatten(target, where)
    return rebuild(iter([_fixed(x, trained, "y") if isinstance(x, Value) else x for x in leaves]))


def _fixed(x: Any, trained: set[Value], where: str) -> float:
    if not x.is_leaf or x in trained:
        raise ValueError(
            f"{where} holds a Value that is trained, or was computed from others: with compiled=True samples are "
            "numbers. Let the model hold it, or train without compiled=True"
        )
    return float(x.data)
