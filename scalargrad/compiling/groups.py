"""Batches whose samples differ in structure, as sentences of any length do: in groups, each of one structure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from itertools import chain, repeat
from operator import is_
from struct import Struct
from struct import error as NoFloatError  # noqa: N812
from typing import Any, NamedTuple

from scalargrad.compiling.backends import best, loaded
from scalargrad.compiling.samples import PLAIN, DifferentStructuresError, Samples, looks_of
from scalargrad.engine import Value, topological_order
from scalargrad.node.numbers import describe
from scalargrad.node.structures import Static, structure


class Group(NamedTuple):
    """Samples of a batch that have one structure.

    Attributes:
        samples: they, one for each argument of the function.
        rows: which ones of the batch they are.
    """

    samples: list[Samples]
    rows: Sequence[int]

    @property
    def kind(self) -> tuple[Hashable, ...]:
        """Their structure."""
        return tuple([one.kind for one in self.samples])

    @property
    def is_of_numbers(self) -> bool:
        """Whether some argument is not static: one without is the one sample of a function without samples."""
        return not all(type(kind) is tuple and kind[0] is Static for kind in self.kind)

    def __str__(self) -> str:
        return ", ".join(
            one.structure if len(one.structure) <= 60 else one.structure[:50] + "…" for one in self.samples
        )

    def taken(self, places: Sequence[int]) -> Group:
        """Those at these places of the group."""
        if len(places) == len(self.rows):
            return self
        return Group([one.taken(places) for one in self.samples], [self.rows[k] for k in places])


class Batch:
    """All samples of a batch.

    Attributes:
        groups: they, by structure, in the order in which the structures are met.
        n: how many.
        lasts: whether it will come again, with other numbers in the same places.
        values: the Values among the numbers that require grad.
    """

    __slots__ = ("groups", "lasts", "n", "values")

    def __init__(self, groups: list[Group], n: int) -> None:
        self.groups, self.n, self.lasts = groups, n, False
        self.values = [x for group in groups for one in group.samples for x in one.values]

    def refuse_trained(self, parameters: Iterable[Value], name: str) -> None:
        """Raise ValueError if one of its Values is among these, or was computed from one: the gradient would lack that.

        Args:
            parameters: what is differentiated for.
            name: how the message calls the function.
        """
        trained = set(parameters)
        held = self.values if not trained.isdisjoint(topological_order(*self.values)) else ()
        for value in held:
            reached = next((node for node in topological_order(value) if node in trained), None)
            if reached is not None:
                how = "is trained" if reached is value else f"was computed from {describe(reached)}, which is trained"
                raise ValueError(
                    f"{name}: a sample holds {describe(value)}, which {how}, but samples are numbers, by which "
                    "nothing is differentiated. Let the function reach the Value from outside, or give v.data"
                )

    @property
    def may_vary(self) -> bool:
        """Whether another sample may be of another structure: whether some argument is more than a number."""
        return any(one.kind is not None for group in self.groups for one in group.samples)

    @classmethod
    def uniform(cls, samples: list[Samples]) -> Batch:
        """One whose samples are all of the same structure."""
        n = samples[0].n if samples else 1
        return cls([Group(samples, range(n))], n)


KEPT, LARGEST = 256, 65_536
"""So many batches are kept in memory of their own, and of so many numbers at most each."""


class Refilled:
    """Batches of lists of numbers, by their sizes, in memory that stays where it is: what is aimed at it need not move.

    A batch that is asked for is the one that was given before for the same sizes, with other numbers in it.

    Args:
        backend: the choice: llvm and wasm read lists of floats by themselves.
    """

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._known: dict[tuple[Hashable, ...], tuple[Batch, list[Callable[[Any], bool]]]] = {}

    def batch(self, batches: Sequence[Any]) -> Batch:
        """As `batch_of`."""
        sizes = tuple(map(_size, batches))
        known = self._known.get(sizes)
        if known is None:
            return self._new(batches, sizes)
        for read, one in zip(known[1], batches, strict=True):
            if not read(one):
                return batch_of(batches)
        return known[0]

    def _new(self, batches: Sequence[Any], sizes: tuple[Hashable, ...]) -> Batch:
        batch = batch_of(batches)
        if None not in sizes and len(batch.groups) == 1 and not batch.values:
            samples = batch.groups[0].samples
            are_as_said = all(map(_has_size, samples, sizes))
            if are_as_said and sum(len(one.flat) for one in samples) <= LARGEST:
                if len(self._known) >= KEPT:
                    self._known = {}
                batch.lasts = True
                self._known[sizes] = batch, list(map(self._reader, sizes, samples))
        return batch

    def _reader(self, size: Any, one: Samples) -> Callable[[Any], bool]:
        """What puts the numbers of a list of this size in place of those of a sample; returns whether it could."""
        if type(size[0]) is not int:
            return _nothing
        pack = partial(_packed, partial(Struct(f"{len(one.flat)}d").pack_into, one.flat, 0), size)
        name = best() if self._backend == "auto" else self._backend
        if name not in ("llvm", "wasm") or not loaded(name).available():
            return pack
        n, width = size
        read = loaded(name).reader(n, None if width < 0 else width, one.address)
        return pack if read is None else partial(_either, read, pack)


class Seen(Refilled):
    """The same, and of arrays that are read where they lie the batch that they were the last time."""

    def __init__(self, backend: str) -> None:
        super().__init__(backend)
        self._arrays: Sequence[Any] = ()
        self._look: Callable[[], list[Any]] = list
        self._looked: list[Any] = []
        self._batch = Batch([], 0)

    def batch(self, batches: Sequence[Any]) -> Batch:
        """As `batch_of`."""
        if not batches or type(batches[0]) is list:
            return super().batch(batches)
        arrays = self._arrays
        if (
            len(arrays) == len(batches)
            and all(map(is_, arrays, batches))
            and self._look() == self._looked  # none was resized, or given another shape
        ):
            return self._batch
        batch = self._batch = batch_of(batches)
        are_in_place = len(batch.groups) == 1 and all(
            one.flat is given for one, given in zip(batch.groups[0].samples, batches, strict=True)
        )
        self._look = looks_of(batches, batch.groups[0].samples) if are_in_place else list
        self._looked = self._look()
        self._arrays = tuple(batches) if are_in_place else ()
        return batch


def _size(batch: Any) -> Hashable:
    """How many numbers a list has, or rows and how many are in the first; None of anything else."""
    if type(batch) is Static:
        return (batch.key,)
    if type(batch) is not list or not batch:
        return None
    first = batch[0]
    if type(first) is list:
        return (len(batch), len(first)) if first else None
    return (len(batch), -1) if type(first) in PLAIN else None


def _has_size(one: Samples, size: Any) -> bool:
    """Whether these are numbers, or lists of them, as the size says that another batch has, which would refill them."""
    if type(size[0]) is not int:  # static
        return True
    n, width = size
    return one.n == n and one.kind == (None if width < 0 else (list, width))


def _nothing(_: Any) -> bool:
    return True


def _either(read: Callable[[Any], bool], pack: Callable[[Any], bool], batch: Any) -> bool:
    return read(batch) or pack(batch)


def _packed(put: Callable[..., None], size: tuple[int, int], batch: Any) -> bool:
    """Put a list of numbers, or of lists of equally many, into memory; returns whether it is one, of this size."""
    n, width = size
    numbers = batch
    if width >= 0:
        if set(map(type, batch)) != _LISTS or set(map(len, batch)) != {width}:
            return False
        numbers = list(chain.from_iterable(batch))
    # A struct would take whatever has a `__float__`.
    if len(batch) != n or not PLAIN.issuperset(map(type, numbers)):
        return False
    try:
        put(*numbers)
    except NoFloatError:  # an integer is too large, which the long way says in words
        return False
    return True


_LISTS = {list}


def batch_of(batches: Sequence[Any], names: Sequence[str] = ()) -> Batch:
    """The arguments of a batch, called by these names in messages.

    Raises:
        ValueError: if they have not equally many samples.
    """
    statics = [(j, one) for j, one in enumerate(batches) if type(one) is Static]
    places = [j for j, one in enumerate(batches) if type(one) is not Static]
    if not places:  # of a function without samples, as one that closes over its data: there is one
        return Batch.uniform([Samples.static(static, 1) for _, static in statics])
    names = names or [f"argument {j}" for j in range(len(batches))]
    batch = _of_numbers([batches[j] for j in places], [names[j] for j in places])
    for j, static in statics:
        for group in batch.groups:
            group.samples.insert(j, Samples.static(static, len(group.rows)))
    return batch


def _of_numbers(batches: Sequence[Any], names: Sequence[str]) -> Batch:
    """The batch of the arguments of these names, none of which is static."""
    found = [_alike(batch, name) for batch, name in zip(batches, names, strict=True)]
    counts = [len(batch) if one is None else one.n for batch, one in zip(batches, found, strict=True)]
    for name, n in zip(names, counts, strict=True):
        if n != counts[0]:
            raise ValueError(
                f"{names[0]} has {counts[0]} samples but {name} has {n}: give one of each for every sample"
            )
    alike = [one for one in found if one is not None]
    if len(alike) == len(found):
        return Batch([Group(alike, range(counts[0]))], counts[0])
    both = list(zip(batches, found, strict=True))
    kinds = [map(kind_of, batch) if one is None else repeat(one.kind) for batch, one in both]

    def group(rows: Sequence[int]) -> Group:
        return Group(
            [
                Samples([batch[i] for i in rows], name, rows) if one is None else one.taken(rows)
                for name, (batch, one) in zip(names, both, strict=True)
            ],
            rows,
        )

    return Batch(list(map(group, places_by(zip(*kinds, strict=False)))), counts[0])


def _alike(batch: Any, what: str) -> Samples | None:
    try:
        return Samples(batch, what)
    except DifferentStructuresError:
        return None


def places_by(keys: Iterable[Hashable]) -> list[list[int]]:
    """For each key, in the order in which they are met, where it stands."""
    places: dict[Hashable, list[int]] = {}
    for i, key in enumerate(keys):
        places.setdefault(key, []).append(i)
    return list(places.values())


def kind_of(sample: Any) -> Hashable:
    """The structure of a sample, as `structure` gives it; that of a list of numbers by a short way."""
    if type(sample) is list and PLAIN.issuperset(map(type, sample)):
        return list, len(sample)
    return structure(sample)
