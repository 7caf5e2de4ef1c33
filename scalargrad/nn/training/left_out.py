"""What Dropouts leave out in compiled training: their factors are inputs of the program, drawn before every step."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.groups import Batch, Group
from scalargrad.compiling.samples import Samples
from scalargrad.nn.layers.dropout import given
from scalargrad.node.contexts import no_grad
from scalargrad.node.structures import structure

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

    def begin(self, layer: Dropout) -> None:
        self.calls.append((layer, 0))

    def factors(self, n: int) -> list[float]:
        layer, seen = self.calls[-1]
        self.calls[-1] = layer, seen + n
        return [1 / (1 - layer.p)] * n


class _Inputs:
    """The factors are these Values, in the order in which they are asked for."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._rest = iter(values)

    def begin(self, layer: Dropout) -> None:
        pass

    def factors(self, n: int) -> list[Any]:
        return [next(self._rest) for _ in range(n)]


class LeftOut:
    """The factors of all Dropouts in a model that is trained, for one sample after another.

    They are drawn in the order in which an eager step draws them: if the model takes a batch layer by layer, as
    Sequential does, each layer for all samples in turn; else each sample for all layers.

    Args:
        scores: what the model says to rows, as one batch.
        rows: a sample of each structure.
    """

    def __init__(self, scores: Callable[[Sequence[Any]], Any], rows: Sequence[Any]) -> None:
        self._calls: dict[Hashable, Calls] = {}
        for row in rows:
            with no_grad(), nothing_left_out() as one:
                scores([row])
            self._calls[structure(row)] = one.calls
        self.width = max(sum(n for _, n in calls) for calls in self._calls.values())
        """How many factors a sample has, at most."""
        with no_grad(), nothing_left_out() as two:
            scores([rows[0], rows[-1]])
        first, last = (self._calls[structure(row)] for row in (rows[0], rows[-1]))
        self._by_layer = [layer for layer, _ in first] == [layer for layer, _ in last] and two.calls == [
            call for calls in zip(first, last, strict=True) for call in calls
        ]
        self._rooms: dict[tuple[Hashable, int], tuple[list[Samples], list[Samples], memoryview]] = {}

    def none(self, batch: Batch) -> Batch:
        """The batch with one more argument, the factors of which nothing is left out."""
        return Batch([Group(self._with_none(group), group.rows) for group in batch.groups], batch.n)

    def _with_none(self, group: Group) -> list[Samples]:
        row = [1 / (1 - layer.p) for layer, k in self._calls[group.kind[0]] for _ in range(k)]
        return [*group.samples, Samples([row] * len(group.rows), "factors")]

    def drawn(self, batch: Batch) -> Batch:
        """The batch with one more argument, new factors. They stay until the next are drawn for as many samples."""
        groups, views = [], []
        calls: list[Calls] = [[]] * batch.n
        for group in batch.groups:
            key = group.kind[0], len(group.rows)
            if key not in self._rooms or self._rooms[key][0] is not group.samples:
                made = self._with_none(group)
                self._rooms[key] = group.samples, made, _view(made[-1])
            _, samples, view = self._rooms[key]
            groups.append(Group(samples, group.rows))
            views.append(view)
            for i in group.rows:
                calls[i] = self._calls[group.kind[0]]
        if self._by_layer:
            columns = [[layer._drawn(k) for layer, k in column] for column in zip(*calls, strict=True)]
            rows = [list(chain.from_iterable(row)) for row in zip(*columns, strict=True)]
        else:
            rows = [list(chain.from_iterable(layer._drawn(k) for layer, k in mine)) for mine in calls]
        for group, view in zip(groups, views, strict=True):
            view[:] = array("d", chain.from_iterable(rows[i] for i in group.rows))
        return Batch(groups, batch.n)

    @contextmanager
    def taken_from(self, values: Sequence[Any]) -> Iterator[None]:
        """Let the Dropouts take these Values as the factors of one sample."""
        with given(_Inputs(values)):
            yield


def _view(samples: Samples) -> memoryview:
    return memoryview(samples.flat if samples.width else array("d"))


@contextmanager
def nothing_left_out() -> Iterator[_Nothing]:
    """Let no Dropout leave anything out, nor draw, though it is in training; hands out what asked for factors."""
    kept = _Nothing()
    with given(kept):
        yield kept
