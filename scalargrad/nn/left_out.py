"""What Dropouts leave out in compiled training: their factors are inputs of the program, drawn before every step."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.groups import Batch
from scalargrad.compiling.samples import Samples
from scalargrad.nn.dropout import given
from scalargrad.node.contexts import no_grad

if TYPE_CHECKING:
    from scalargrad.nn.dropout import Dropout

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
        rows: two samples.
    """

    def __init__(self, scores: Callable[[Sequence[Any]], Any], rows: Sequence[Any]) -> None:
        with no_grad(), nothing_left_out() as one:
            scores(rows[:1])
        self._calls = one.calls
        self.width = sum(n for _, n in self._calls)
        """How many factors a sample has."""
        with no_grad(), nothing_left_out() as two:
            scores([rows[0], rows[-1]])
        self._by_layer = two.calls == [call for call in one.calls for _ in range(2)]
        self._rooms: dict[int, tuple[Batch, Batch, memoryview]] = {}

    def none(self, batch: Batch) -> Batch:
        """The batch with one more argument, the factors of which nothing is left out."""
        row = [1 / (1 - layer.p) for layer, k in self._calls for _ in range(k)]
        (group,) = batch.groups
        return Batch.uniform([*group.samples, Samples([row] * batch.n, "factors")])

    def drawn(self, batch: Batch) -> Batch:
        """The batch with one more argument, new factors. They stay until the next are drawn for as many samples."""
        n = batch.n
        if n not in self._rooms or self._rooms[n][0] is not batch:
            made = self.none(batch)
            self._rooms[n] = batch, made, memoryview(made.groups[0].samples[-1].flat)
        _, made, room = self._rooms[n]
        if self._by_layer:
            columns = [[layer.drawn(k) for _ in range(n)] for layer, k in self._calls]
            rows = zip(*columns, strict=True)
            room[:] = array("d", chain.from_iterable(chain.from_iterable(row) for row in rows))
        else:
            drawn = (layer.drawn(k) for _ in range(n) for layer, k in self._calls)
            room[:] = array("d", chain.from_iterable(drawn))
        return made

    @contextmanager
    def taken_from(self, values: Sequence[Any]) -> Iterator[None]:
        """Let the Dropouts take these Values as the factors of one sample."""
        with given(_Inputs(values)):
            yield


@contextmanager
def nothing_left_out() -> Iterator[_Nothing]:
    """Let no Dropout leave anything out, nor draw, though it is in training; hands out what asked for factors."""
    kept = _Nothing()
    with given(kept):
        yield kept
