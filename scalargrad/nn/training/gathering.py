"""Batches for `fit`: all samples as they lie there, or some of them gathered into memory that stays where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from scalargrad.compiling.groups import Batch, Group, batch_of
from scalargrad.compiling.reached import numbers_of
from scalargrad.compiling.samples import PLAIN, Samples
from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import constants
from scalargrad.node.structures import flatten

LOOKED_THROUGH = 1_000_000
MOST_ROOMS = 1000
"""For so many sizes of groups there is memory at a time."""


class Batches:
    """The samples that a model is trained on or measured with, as arguments of a compiled loss (x, y) or (x, y, n).

    Args:
        rows: of Values, or a list of lists, or an array, which nobody changes; or samples of any structure.
        targets: one for each.
        trained: the Values that must not be among the numbers.

    Attributes:
        n: how many samples.
        kinds: for each the number of its structure.

    Raises:
        ValueError: if a row or target holds a Value that is trained, or was computed.
        TypeError: if a target is no number and no structure of numbers.
    """

    def __init__(self, rows: Any, targets: list[Any], trained: Sequence[Value]) -> None:
        self.n = len(rows)
        known = set(trained)
        self._given: list[Value] = []
        if not hasattr(rows, "__array_interface__"):
            rows = [self._fixed_all(row, known, "X", f"X[{i}]") for i, row in enumerate(rows)]
        if not set(map(type, targets)) <= {float, int}:
            targets = [self._fixed_all(y, known, "y", f"y[{i}]") for i, y in enumerate(targets)]
        self._numbers = numbers_of(self._given)
        self._groups = batch_of([rows, targets], ["X", "y"]).groups
        self.kinds, self._places = [0] * self.n, list(range(self.n))
        for kind, group in enumerate(self._groups):
            for k, i in enumerate(group.rows):
                self.kinds[i], self._places[i] = kind, k
        self._pieces: list[list[list[memoryview]]] = []
        self._rooms: dict[tuple[int, int, int], tuple[list[Samples], list[memoryview]]] = {}
        self._all: dict[bool, Batch] = {}
        self._last: tuple[tuple[int, bool], Batch | None] = (0, False), None

    def _fixed_all(self, given: Any, trained: set[Value], argument: str, where: str) -> Any:
        """A sample or target, a number or a structure, with numbers in place of its Values."""
        if type(given) is list and PLAIN.issuperset(map(type, given)):
            return given
        leaves, rebuild = flatten(given, where)
        self._given += [x for x in leaves if isinstance(x, Value)]
        return rebuild(iter([_fixed(x, trained, argument) if isinstance(x, Value) else x for x in leaves]))

    def have_changed(self) -> bool:
        """Whether a Value among the samples or targets holds another number than when these were made."""
        return bool(self._given) and numbers_of(self._given) != self._numbers

    @property
    def is_ragged(self) -> bool:
        """Whether samples differ in structure."""
        return len(self._groups) > 1

    @property
    def has_single_targets(self) -> bool:
        """Whether every target is one number."""
        return all(samples[1].kind is None for samples, _ in self._groups)

    def one_of_each(self) -> list[int]:
        """Places of samples of every structure, and the last one."""
        return [*(group.rows[0] for group in self._groups), self.n - 1]

    def row(self, i: int) -> Any:
        """A sample, its numbers as constants."""
        one, k = self._groups[self.kinds[i]].samples[0], self._places[i]
        return one.rebuilt(iter(constants(one.sample(k), "X")))

    def columns(self) -> list[Sequence[float]]:
        """The inputs as columns; none if there are so many numbers that to look at all would take long."""
        one = self._groups[0].samples[0]
        if self.is_ragged or one.n * one.width > LOOKED_THROUGH:
            return []
        flat = one.numbers()
        return [flat[k :: one.width] for k in range(one.width)]

    def all(self, with_count: bool) -> Batch:
        """All samples, in order, as the arguments x, y, and if asked for n."""
        if with_count not in self._all:
            groups = [
                Group([*samples, *([_counts(samples[0].n, self.n)] if with_count else [])], rows)
                for samples, rows in self._groups
            ]
            self._all[with_count] = Batch(groups, self.n)
        return self._all[with_count]

    def taken(self, batch: Sequence[int], with_count: bool) -> Batch:
        """The samples of these indices, as `all` gives them. They stay as they are until the next are taken."""
        n = len(batch)
        if n == self.n and not self.is_ragged:
            return self.all(with_count)
        if not self._pieces:
            self._pieces = [[one.parts(range(one.n)) for one in samples] for samples, _ in self._groups]
        if not self.is_ragged:
            samples = self._gathered(0, batch, n if with_count else 0)
            if self._last[0] != (n, with_count):
                self._last = (n, with_count), Batch.uniform(samples)
            return cast("Batch", self._last[1])
        rows: dict[int, list[int]] = {}
        for k, i in enumerate(batch):
            rows.setdefault(self.kinds[i], []).append(k)
        groups = []
        for kind, mine in rows.items():
            places = [self._places[batch[k]] for k in mine]
            groups.append(Group(self._gathered(kind, places, n if with_count else 0), mine))
        return Batch(groups, n)

    def _gathered(self, kind: int, places: Sequence[int], count: int) -> list[Samples]:
        """Samples of one structure, in memory that stays where it is as long as there are as many."""
        key = kind, len(places), count
        if key not in self._rooms:
            if len(self._rooms) >= MOST_ROOMS:
                self._rooms = {}
            made = [one.taken(range(len(places))) for one in self._groups[kind].samples]
            views = [memoryview(one.flat).cast("B") if one.width else memoryview(bytearray()) for one in made]
            self._rooms[key] = [*made, *([_counts(len(places), count)] if count else [])], views
        samples, views = self._rooms[key]
        for view, pieces in zip(views, self._pieces[kind], strict=True):
            view[:] = b"".join([pieces[i] for i in places])
        return samples


def _counts(n: int, count: int) -> Samples:
    return Samples([float(count)] * n, "n")


def _fixed(x: Any, trained: set[Value], where: str) -> float:
    if not x.is_leaf or x in trained:
        raise ValueError(
            f"{where} holds a Value that is trained, or was computed from others: with compiled=True samples are "
            "numbers. Let the model hold it, or train without compiled=True"
        )
    return float(x.data)
