"""Batches of samples as flat doubles, row after row: from lists, from arrays without copying where that is possible."""

from __future__ import annotations

import ctypes
import math
import operator
import platform
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any
from weakref import ref

from scalargrad.node.structures import Rebuild, Static, flatten, skeleton, structure
from scalargrad.support.arguments import brief
from scalargrad.support.reals import number

FLOATS, INTS = {float}, {int}
PLAIN = frozenset((float, int))
"""The types of which an array takes numbers without more ado: it would take whatever has a `__float__`."""


class DifferentStructuresError(ValueError):
    """The samples are not all of one structure: they are to be taken group by group."""


class Samples:
    """One argument of a function for every sample of a batch.

    Args:
        batch: a list of samples of one structure, or an array.
        what: how messages name it.
        places: where the samples stand in the batch that messages speak of, if not one after the other.

    Raises:
        DifferentStructuresError: if the samples differ in structure.

    Attributes:
        flat: all numbers, sample after sample, as contiguous doubles.
        n: how many samples.
        width: how many numbers each has.
        structure: of one sample, as `skeleton` writes it.
        kind: the same with the types of containers, as `structure` gives it.
        values: the Values that were given in place of numbers and require grad.
    """

    __slots__ = ("_address", "_held", "_rebuild", "flat", "kind", "n", "structure", "values", "width")

    _held: Any
    _rebuild: Rebuild
    values: Sequence[Any]

    def __init__(self, batch: Any, what: str, places: Sequence[int] | None = None) -> None:
        self._address, self.values = 0, ()
        if hasattr(batch, "__array_interface__"):
            if batch.dtype.kind != "O":
                self._from_array(batch, what)
                return
            _refuse_masks(batch, what)
            batch = batch.tolist()  # arrays or lists of different lengths, as numpy keeps them side by side
        if not isinstance(batch, (list, tuple, array)):
            raise TypeError(f"{what} must be a list of samples or an array, not {type(batch).__name__}")
        self.n = len(batch)
        if not self.n:
            raise ValueError(f"{what} has no sample")
        kinds = set(map(type, batch))
        if kinds in (FLOATS, INTS):
            self.flat: Any = array("d", batch)
            self.width, self.structure, self.kind, self._rebuild = 1, "*", None, next
            return
        # Rows of numbers: the short way. An array would take whatever has a `__float__`; the long way names it.
        if (
            kinds == {list}
            and batch[0]
            and set(map(len, batch)) == {len(batch[0])}
            and PLAIN.issuperset(map(type, chain.from_iterable(batch)))
        ):
            self.flat = array("d", chain.from_iterable(batch))
            self.width = len(batch[0])
            self._row()
            return
        first = batch[0]
        self.kind = structure(first)
        if any(structure(sample) != self.kind for sample in batch):
            raise DifferentStructuresError(f"{what}: the samples differ in structure")
        flat: list[float] = []
        values: list[Any] = []
        for i, sample in enumerate(batch):
            leaves, rebuild = flatten(sample, f"{what}[{places[i] if places else i}]")
            flat += [number(getattr(x, "data", x)) for x in leaves]
            values += [x for x in leaves if type(x) not in PLAIN and getattr(x, "requires_grad", False)]
        self.values = values
        self.width, self._rebuild = len(leaves), rebuild
        if len(flat) != self.n * self.width:  # machine code would read past their end
            raise ValueError(f"{what}: a sample has changed while it was read")
        self.structure = skeleton(first)
        self.flat = array("d", flat)

    @classmethod
    def in_place(cls, x: Any, what: str) -> Samples:
        """An array that is read where it lies, whenever its numbers are asked for.

        Raises:
            TypeError: if it is anything else than contiguous doubles.
            ValueError: if it has no sample.
        """
        _refuse_masks(x, what)
        if hasattr(x, "__array_interface__"):
            if not (x.dtype == "float64" and x.flags.c_contiguous):
                raise TypeError(
                    f"{what} is read where it lies, so it must be contiguous float64, as numpy.ascontiguousarray(x, "
                    f"float) makes it, not {x.dtype}{'' if x.flags.c_contiguous else ' with gaps'}"
                )
            made = cls(x, what)
            made._held = ref(x)  # see `held`
            return made
        doubles(x, what)
        view = memoryview(x)
        made = object.__new__(cls)
        made.values = ()
        made._from_shape(view.shape or (), what, lambda: view.tolist()[0])
        made.flat, made._address = view, ctypes.addressof(ctypes.c_char.from_buffer(view)) if view.nbytes else 1
        return made

    @classmethod
    def static(cls, one: Static, n: int) -> Samples:
        """A static argument, the same for n samples: no numbers."""
        made: Samples = object.__new__(cls)
        made._address, made.flat, made.n, made.width, made.values = 0, array("d"), n, 0, ()
        made.structure, made.kind, made._rebuild = brief(one.value), structure(one), flatten(one)[1]
        return made

    def _from_array(self, batch: Any, what: str) -> None:
        _refuse_masks(batch, what)
        self._from_shape(batch.shape, what, lambda: batch[0].tolist())  # noqa: PLW0108  (it may have no sample)
        if batch.dtype.kind not in "biuf":
            raise TypeError(f"{what} must be an array of real numbers, not of {batch.dtype}")
        as_it_is = batch.dtype == "float64" and batch.flags.c_contiguous
        self.flat = batch if as_it_is else batch.astype("float64", order="C")
        self._address = self.flat.__array_interface__["data"][0]

    def _from_shape(self, shape: tuple[int, ...], what: str, first_of: Callable[[], Any]) -> None:
        """All that follows from the shape of an array, and for more than rows from its first sample."""
        if not shape or not shape[0]:
            raise ValueError(f"{what} has no sample: its shape is {shape}")
        self.n, *rest = shape
        self.width = math.prod(rest)
        if len(shape) == 1:
            self.structure, self.kind, self._rebuild = "*", None, next
        elif len(shape) == 2:
            self._row()
        else:
            first = first_of()
            _, self._rebuild = flatten(first)
            self.structure, self.kind = skeleton(first), structure(first)

    def _row(self) -> None:
        """A sample is a flat list."""
        width = self.width
        self.structure, self.kind = f"[{', '.join('*' * width)}]", (list, width)
        self._rebuild = lambda new: list(islice(new, width))

    @property
    def address(self) -> int:
        """Where the numbers lie."""
        return self._address or int(self.flat.buffer_info()[0])

    def numbers(self) -> Sequence[float]:
        """All numbers as a flat sequence."""
        return memoryview(self.flat).cast("B").cast("d").tolist() if self._address and self.width else self.flat

    def sample(self, i: int) -> list[float]:
        """The numbers of one sample."""
        return array("d", bytes(self.parts([i])[0])).tolist()

    def taken(self, rows: Sequence[int]) -> Samples:
        """The samples at these places, as a batch of their own."""
        part: Samples = object.__new__(Samples)
        part._address, part._rebuild, part.width, part.values = 0, self._rebuild, self.width, self.values
        part.structure, part.kind = self.structure, self.kind
        part.n, part.flat = len(rows), array("d", b"".join(self.parts(rows)))
        return part

    def parts(self, rows: Sequence[int]) -> list[memoryview]:
        """For each of the samples at these places its bytes, where they lie."""
        size = 8 * self.width
        if not size:  # there is no view of no memory
            return [memoryview(b"")] * len(rows)
        whole = memoryview(self.flat).cast("B")
        return [whole[i * size : (i + 1) * size] for i in rows]

    def rebuilt(self, leaves: Iterator[Any]) -> Any:
        """One sample with other things in place of its numbers."""
        return self._rebuild(leaves)


_look = operator.attrgetter("shape", "strides", "dtype")
_value = operator.attrgetter("value")
_IS_CPYTHON = platform.python_implementation() == "CPython"


def looks_of(arrays: Sequence[Any], samples: Sequence[Samples]) -> Callable[[], list[Any]]:
    """What tells how arrays look that are read where they lie, and where: as long as that is equal, so are samples.

    To ask an array where it lies takes longer than many a step, so that is read in the array itself, if it stands
    there, in the first word behind what all objects have.
    """
    places = []
    for x, one in zip(arrays, samples, strict=True):
        if _IS_CPYTHON and type(x).__basicsize__ >= object.__basicsize__ + 8:
            place = ctypes.c_int64.from_address(id(x) + object.__basicsize__)
            if place.value == one.address:
                places.append(place)
    if len(places) < len(arrays):
        return lambda: [x.__array_interface__ for x in arrays]
    return lambda: [*map(_look, arrays), *map(_value, places)]


def _refuse_masks(batch: Any, what: str) -> None:
    if hasattr(batch, "mask"):
        raise TypeError(
            f"{what} is a masked array, and compiled code would compute with the numbers under the mask: leave those "
            "samples out, or put numbers there with array.filled(...)"
        )


def doubles(x: Any, what: str) -> memoryview[float]:
    """The memory of an array as a flat view of doubles.

    Raises:
        TypeError: if it is anything else than writable, contiguous doubles.
    """
    _refuse_masks(x, what)
    try:
        view = memoryview(held(x))
    except (TypeError, ValueError, BufferError):  # numpy has no buffer of some dtypes
        view = None
    if view is None or view.format != "d" or not view.c_contiguous or view.readonly:
        kind = type(x).__name__ if view is None else f"{'read-only ' * view.readonly}memory of format {view.format!r}"
        raise TypeError(
            f"{what} must be writable, contiguous memory of doubles, as numpy.zeros(10) or array('d', [0.0] * 10), "
            f"not {kind}"
        )
    # Memory with no element in several dimensions cannot be cast.
    return view.cast("B").cast("d") if view.nbytes else memoryview(array("d"))


def held(x: Any) -> Any:
    """The array, or a view of it, which it cannot be resized beside, so that its memory stays where it is.

    numpy resizes an array whose memory others read, if it is told to, but none that has a weak reference.
    """
    if not hasattr(x, "__array_interface__") or not hasattr(x, "view"):
        return x  # the memory of an array.array stays as long as there is a view of it
    view = x.view(type("Held", (type(x),), {}))
    view.held = ref(x)
    return view
