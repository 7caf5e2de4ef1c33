"""What Dropouts leave out in compiled training: their factors are inputs of the program, drawn before every step."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, cycle, islice
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.groups import Batch, Group
from scalargrad.compiling.samples import Samples
from scalargrad.engine import Value, topological_order
from scalargrad.nn.layers.dropout import given
from scalargrad.node.contexts import no_grad, with_recording
from scalargrad.node.numbers import plain_number
from scalargrad.node.structures import flatten, structure

if TYPE_CHECKING:
    from scalargrad.nn.layers.dropout import Dropout

Calls = list[tuple["Dropout", int]]
"""Which Dropouts are called one after another, and how many numbers each reads."""


class _Nothing:
    """Nothing is left out: every number is divided by 1 − p. What asks is written down.

    Attributes:
        calls: the Dropouts that were called, and how many factors each was given.
    """

    def __init__(self) -> None:
        self.calls: Calls = []

    def begin(self, layer: Dropout, _: Any) -> None:
        self.calls.append((layer, 0))

    def factors(self, n: int) -> list[float]:
        layer, seen = self.calls[-1]
        self.calls[-1] = layer, seen + n
        return [1 / (1 - layer.p)] * n


class _Inputs:
    """The factors are these Values, in the order in which they are asked for."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._rest = iter(values)

    def begin(self, layer: Dropout, _: Any) -> None:
        pass

    def factors(self, n: int) -> list[Any]:
        return [next(self._rest) for _ in range(n)]


class _Tagged:
    """The factors are leaves by which it is seen afterwards what was computed from them, and from what.

    Attributes:
        calls: of each call the layer, its input, and the factors that it was given.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Dropout, Any, list[Value]]] = []

    def begin(self, layer: Dropout, x: Any) -> None:
        self.calls.append((layer, x, []))

    def factors(self, n: int) -> list[Value]:
        layer, _, mine = self.calls[-1]
        new = [Value(1 / (1 - layer.p)) for _ in range(n)]
        mine += new
        return new


class OrderError(ValueError):
    """It cannot be told in which order an eager step draws."""


class LeftOut:
    """The factors of all Dropouts in a model that is trained, for one sample after another.

    They are drawn in the order in which an eager step draws them. A model may take a batch part by part, as Sequential
    does, each part for all samples in turn: so the calls of a sample fall into parts, of which each is drawn for all
    samples before the next. Where the parts begin is seen in a batch that holds two samples of each structure.

    Args:
        scores: what the model says to rows, as one batch.
        rows: a sample of each structure.
        own_batches: whether an `on_batch` of the user's is among what takes a batch: it may do otherwise with more
            samples, so every size of a batch is looked at when it is met.

    Raises:
        OrderError: if the model takes a batch in another way.
    """

    def __init__(self, scores: Callable[[Sequence[Any]], Any], rows: Sequence[Any], own_batches: bool = False) -> None:
        self._scores, self._own_batches, self._sizes = scores, own_batches, set[int]()
        calls: dict[Hashable, Calls] = {}
        firsts: dict[Hashable, Any] = {}
        for row in rows:
            kind = structure(row)
            if kind not in firsts:
                with no_grad(), nothing_left_out() as one:
                    scores([row])
                firsts[kind], calls[kind] = row, one.calls
        self._firsts = firsts
        self.width = max(sum(n for _, n in mine) for mine in calls.values())
        """How many factors a sample has, at most."""
        self._parts: dict[Hashable, list[Calls]] = {}
        """The calls for a sample of each structure, part by part: of all equally many parts."""
        if self.width:
            kinds = [*firsts, *reversed(firsts)]  # so that the last sample with calls in a part comes after the first
            seen = _calls_of_batch(scores, [firsts[kind] for kind in kinds])
            for kind, mine in zip(kinds, _in_parts(seen, len(kinds)), strict=True):
                if self._parts.setdefault(kind, mine) != mine or [x for part in mine for x in part] != calls[kind]:
                    raise OrderError(_WHY)
        self._rooms: dict[tuple[Hashable, int], tuple[list[Samples], list[Samples], memoryview]] = {}

    def none(self, batch: Batch) -> Batch:
        """The batch with one more argument, the factors of which nothing is left out."""
        return Batch([Group(self._with_none(group), group.rows) for group in batch.groups], batch.n)

    def _with_none(self, group: Group) -> list[Samples]:
        row = [1 / (1 - layer.p) for part in self._parts[group.kind[0]] for layer, k in part for _ in range(k)]
        return [*group.samples, Samples([row] * len(group.rows), "factors")]

    def drawn(self, batch: Batch) -> Batch:
        """The batch with one more argument, new factors. They stay until the next are drawn for as many samples."""
        groups, views = [], []
        parts: list[list[Calls]] = [[]] * batch.n
        for group in batch.groups:
            key = group.kind[0], len(group.rows)
            if key not in self._rooms or self._rooms[key][0] is not group.samples:
                made = self._with_none(group)
                self._rooms[key] = group.samples, made, _view(made[-1])
            _, samples, view = self._rooms[key]
            groups.append(Group(samples, group.rows))
            views.append(view)
            for i in group.rows:
                parts[i] = self._parts[group.kind[0]]
        if self._own_batches and batch.n not in self._sizes:
            self._check(batch.n)
        rows: list[list[float]] = [[] for _ in parts]
        for part in zip(*parts, strict=True):
            for row, calls in zip(rows, part, strict=True):
                for layer, k in calls:
                    row.extend(layer._drawn(k))
        for group, view in zip(groups, views, strict=True):
            view[:] = array("d", chain.from_iterable(rows[i] for i in group.rows))
        return Batch(groups, batch.n)

    def _check(self, n: int) -> None:
        """Raise OrderError if a batch of so many samples is not taken as those of a few."""
        kinds = list(islice(cycle(self._firsts), n))
        seen = _calls_of_batch(self._scores, [self._firsts[kind] for kind in kinds])
        parts = zip(*(self._parts[kind] for kind in kinds), strict=True)
        if seen != [(i, *call) for part in parts for i, mine in enumerate(part) for call in mine]:
            raise OrderError(_WHY)
        self._sizes.add(n)

    @contextmanager
    def taken_from(self, values: Sequence[Any]) -> Iterator[None]:
        """Let the Dropouts take these Values as the factors of one sample."""
        with given(_Inputs(values)):
            yield


def _calls_of_batch(scores: Callable[[Sequence[Any]], Any], rows: Sequence[Any]) -> list[tuple[int, Dropout, int]]:
    """The calls for some samples as one batch, one after another: for which sample, the layer, and how many factors."""
    origin: dict[Value, int] = {}
    own = []
    for i, row in enumerate(rows):
        leaves, rebuild = flatten(row)
        numbers = [Value(plain_number(x), requires_grad=False) for x in leaves]
        origin.update(dict.fromkeys(numbers, i))
        own.append(rebuild(iter(numbers)))
    tagged = _Tagged()
    with given(tagged):
        found = with_recording(scores, own)
    serves: dict[Value, set[int]] = {}
    for i, score in enumerate(found):
        for x in _behind(score):
            serves.setdefault(x, set()).add(i)
    calls: list[tuple[int, Dropout, int]] = []
    for layer, x, factors in tagged.calls:
        for_ = set[int]().union(*(serves.get(factor, ()) for factor in factors))
        if not for_:  # what it gave was not used
            for_ = {origin[leaf] for leaf in _behind(x) if leaf in origin}
        if len(for_) != 1:
            raise OrderError(_WHY)
        (i,) = for_
        origin.update(dict.fromkeys(factors, i))
        calls.append((i, layer, len(factors)))
    return calls


def _behind(x: Any) -> list[Value]:
    """All that the Values in a structure were computed from."""
    leaves, _ = flatten(x, "what the model returns")
    return topological_order(*(leaf for leaf in leaves if isinstance(leaf, Value)))


def _in_parts(calls: Sequence[tuple[int, Dropout, int]], n: int) -> list[list[Calls]]:
    """For each of n samples its calls, part by part: where an earlier sample has its turn, another part begins."""
    parts: list[list[Calls]] = [[] for _ in range(n)]
    last = n
    for i, layer, k in calls:
        if i < last:
            for mine in parts:
                mine.append([])
        parts[i][-1].append((layer, k))
        last = i
    return parts


_WHY = (
    "it cannot be told in which order the eager loop draws what Dropouts leave out: of a batch each sample must be "
    "computed by itself, in the order of the batch, and what a Dropout gives be used. Train without compiled=True"
)


def _view(samples: Samples) -> memoryview:
    return memoryview(samples.flat if samples.width else array("d"))


@contextmanager
def nothing_left_out() -> Iterator[_Nothing]:
    """Let no Dropout leave anything out, nor draw, though it is in training; hands out what asked for factors."""
    kept = _Nothing()
    with given(kept):
        yield kept
