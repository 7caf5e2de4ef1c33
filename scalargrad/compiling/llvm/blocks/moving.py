"""The steps of what differs from sample to sample: level by level, the numbers of a step side by side.

They are ordered as the layer that reads them wants them, so that most layers read their inputs where they were
computed; else a copy puts them side by side. What the end of a chunk reads is kept for each block. The rest lies at
negative places, before its block, where the next block's kept numbers go: the cache holds more blocks so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from scalargrad.compiling.llvm.blocks.fusing import Group, grouped, ops_of, read
from scalargrad.compiling.llvm.blocks.records import tile
from scalargrad.compiling.llvm.blocks.steps import Steps, evenly, evenly_spaced, stride_of
from scalargrad.compiling.llvm.blocks.still import PARAMETERS, UNIFORM, Matrix
from scalargrad.compiling.order import levels
from scalargrad.compiling.tape import INPUT, varying_slots

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.blocks.still import Still
    from scalargrad.compiling.structure.splitting import Layer, Layered

WIDTH = 64
"""Columns of a matrix of which the gradient is computed at a time."""


class Moving:
    """What differs from sample to sample. A product is a layer forwards, or its gradients backwards.

    Attributes:
        each, ends, lasts: the steps for each block, at the end of a chunk, and at the end of all.
        kept, passing: how many slots a block has: that are kept until the end of the chunk, and that are not.
        sums: how many numbers the sums need: those of the program, a gradient for every parameter, and those of
            matrices that are not evenly spaced among the parameters.
        work: vector operations for each block, over the vectors of a slot.
    """

    def __init__(self, program: Layered, still: Still) -> None:
        self._program, self._still, self._code = program, still, program.code
        self._kinds = varying_slots(program.code)
        self.each, self.ends, self.lasts = Steps(), Steps(), Steps()
        self.kept = self.passing = self.work = 0
        self._products: list[tuple[Layer, bool]] = []
        self._product_of: dict[int, int] = {}
        for layer in program.layers:
            for back, numbers in enumerate((layer.outputs, layer.backs)):
                if numbers:
                    self._product_of.update(dict.fromkeys(numbers, len(self._products)))
                    self._products.append((layer, bool(back)))
        self._outers = [layer for layer in program.layers if layer.adjoints and layer.is_trained]
        self._summed = [(v, i) for i, (v, _) in enumerate(program.sums) if v is not None]
        self._lasting = {v for v, _ in self._summed}
        for layer in self._outers:
            self._lasting.update(layer.adjoints, layer.xs)
        wanted = [*self._lasting, *program.columns]
        groups = self._ordered(wanted)
        self._place: dict[int, int] = {}
        self._inputs: dict[int, int] = {}
        self._copies: dict[tuple[int, ...], int] = {}
        self._matrices: dict[int, Matrix] = {}
        self._read_samples()
        self._read_uniform(groups, wanted)
        self._lay_out(groups)
        for group in groups:
            self._compute(group)
        for i, slot in enumerate(program.columns):
            self.each.add("column", self.place(slot), i)
        self.sums = _rounded(len(program.sums) + program.parameters + len(program.computed))
        self._add_up()
        self.sums = _rounded(self.sums)

    # ---------------------------------------------------------------- order

    def _needs(self, item: int) -> Sequence[int]:
        """What must be computed before a slot, or before the product ~item."""
        if item < 0:
            layer, back = self._products[~item]
            return layer.adjoints if back else layer.xs
        if not self._kinds[item]:
            return ()
        instruction = self._code[item]
        if instruction[0] is INPUT:
            product = self._product_of.get(instruction[1])
            return () if product is None else (~product,)
        return instruction[1:]

    def _ordered(self, wanted: Iterable[int]) -> list[Group]:
        """Groups of slots that are computed alike, and products."""
        kept = {*wanted, *(slot for slots in self._vectors() for slot in slots)}
        return grouped(levels(wanted, self._needs), self._code, self._kinds, kept)

    def _vectors(self) -> list[Sequence[int]]:
        """The slots that shall lie side by side."""
        read: list[Sequence[int]] = [layer.adjoints if back else layer.xs for layer, back in self._products]
        return read + [slots for layer in self._outers for slots in (layer.adjoints, layer.xs)]

    # ---------------------------------------------------------------- memory

    def _room(self, slots: Iterable[int]) -> int:
        """Room for slots, side by side."""
        slots = list(slots)
        if self._lasting.isdisjoint(slots):
            self.passing += len(slots)
            return -self.passing
        self.kept += len(slots)
        return self.kept - len(slots)

    def _room_for_inputs(self, numbers: range) -> int:
        """Room for inputs, of samples or of products, side by side."""
        at = self._room(self._slots_of.get(i, -1) for i in numbers)
        self._inputs.update(zip(numbers, range(at, at + len(numbers)), strict=True))
        return at

    def _read_samples(self) -> None:
        self._slots_of = {int(i[1]): slot for slot, i in enumerate(self._code) if i[0] is INPUT}
        start = 0
        for j, width in enumerate(self._program.widths):
            if width:
                self.each.add("pack", self._room_for_inputs(range(start, start + width)), j, width)
            start += width

    def _read_uniform(self, groups: Iterable[Group], wanted: Iterable[int]) -> None:
        """Put what does not differ, but is read as if it did, into all lanes."""
        numbers = [read(slot, shape, self._code) for slots, shape in groups if shape for slot in slots]
        slots = list(dict.fromkeys(x for xs in (*numbers, *self._vectors(), wanted) for x in xs if not self._kinds[x]))
        given = [slot for slot in slots if self._still.is_parameter(slot)]
        moved = [slot for slot in slots if not self._still.is_parameter(slot)]
        self._still.plan(moved)
        for kind, some in ((PARAMETERS, given), (UNIFORM, moved)):
            if some:
                at = self._room(some)
                self._place.update(zip(some, range(at, at + len(some)), strict=True))
                places = [self._still.place(slot) if kind else self._code[slot][1] for slot in some]
                self.each.add("splat", at, len(some), self.each.listed(places), kind)

    def _lay_out(self, groups: list[Group]) -> None:
        rank: dict[int, tuple[int, int]] = {}
        for i, slots in enumerate(self._vectors()):
            for j, slot in enumerate(slots):
                rank.setdefault(slot, (i, j))
        for slots, shape in groups:
            if not shape:
                layer, back = self._products[~slots[0]]
                self._room_for_inputs(layer.backs if back else layer.outputs)
                continue
            slots.sort(key=lambda slot: (rank.get(slot, (len(self._code), 0)), slot))
            at = self._room(slots)
            self._place.update(zip(slots, range(at, at + len(slots)), strict=True))

    def place(self, slot: int) -> int:
        """Where a slot lies in a block."""
        found = self._place.get(slot)
        return self._inputs[self._code[slot][1]] if found is None else found

    def _side_by_side(self, slots: Sequence[int], steps: Steps) -> int:
        """Where these slots lie one after another; they are put there if need be."""
        key = tuple(slots)
        if key not in self._copies:
            places = list(map(self.place, slots))
            if len(places) == 1 or stride_of(places) == 1:
                self._copies[key] = places[0]
            else:
                self._copies[key] = at = self._room(slots)
                steps.add("copy", at, len(places), steps.listed(places))
                self.work += len(places)
        return self._copies[key]

    # ---------------------------------------------------------------- steps

    def _compute(self, group: Group) -> None:
        slots, shape = group
        if not shape:
            self._multiply(*self._products[~slots[0]])
            return
        first, n, ops = self.place(slots[0]), len(slots), ops_of(shape)
        self.work += n * sum(map(tile().work, ops))
        numbers = list(zip(*(read(slot, shape, self._code) for slot in slots), strict=True))
        operands = [list(map(self.place, xs)) for xs in numbers]
        if all(stride_of(places) is not None for places in operands):
            self.each.add(shape, first, n, *evenly(operands))
        elif len(ops) == 1:
            places = self.each.listed(x for xs in zip(*operands, strict=True) for x in xs)
            self.each.add(f"{shape[0]}.slots", first, n, places)
        else:
            starts = [self._side_by_side(xs, self.each) for xs in numbers]
            self.each.add(shape, first, n, *evenly(range(at, at + n) for at in starts))

    def _multiply(self, layer: Layer, back: bool) -> None:
        matrix, rows, columns = self._matrix(layer), len(layer.weights), len(layer.xs)
        source = self._side_by_side(layer.adjoints if back else layer.xs, self.each)
        target = self._inputs[(layer.backs if back else layer.outputs).start]
        self.work += rows * columns
        if back:
            sizes, strides, bias = (rows, columns), (matrix.along, matrix.down), (-1, 0, 0)
        else:
            sizes, strides, bias = (columns, rows), (matrix.down, matrix.along), self._still.biases(layer.biases)
        self.each.add("dense", target, source, *sizes, matrix.kind, matrix.at, *strides, *bias)

    def _matrix(self, layer: Layer) -> Matrix:
        at = layer.outputs.start
        if at not in self._matrices:
            self._matrices[at] = self._still.matrix(layer.weights)
        return self._matrices[at]

    # ---------------------------------------------------------------- sums

    def _add_up(self) -> None:
        adding = Steps()
        read: set[int] = set()
        for layer in self._outers:
            a, x = (self._side_by_side(slots, self.each) for slots in (layer.adjoints, layer.xs))
            read.update(range(a, a + len(layer.adjoints)), range(x, x + len(layer.xs)))
            self._add_products(layer, a, x, adding)
        if self._summed:
            places = [self.place(slot) for slot, _ in self._summed]
            read.update(places)
            adding.add("sums", len(places), adding.listed(places), adding.listed(i for _, i in self._summed))
            self.work += len(places)
        for run in _runs(sorted(read)):
            self.ends.add("blank", run.start, len(run))
        self.ends.extend(adding)

    def _add_products(self, layer: Layer, a: int, x: int, steps: Steps) -> None:
        """The gradient of a matrix: added where those of its parameters lie, if columns or rows lie side by side."""
        rows, columns = len(layer.weights), len(layer.xs)
        skip = len(self._program.sums) - self._program.trained
        self.work += rows * columns
        first, down, along = evenly_spaced(layer.weights) or (0, 0, 0)
        if along == 1:
            _outer(steps, skip + first, down, a, x, rows, columns)
        elif down == 1:
            _outer(steps, skip + first, along, x, a, columns, rows)
        else:
            at = self.sums
            self.sums += rows * columns
            _outer(steps, at, columns, a, x, rows, columns)
            weights = enumerate((w for row in layer.weights for w in row), at)
            moves = [(i, skip + w) for i, w in weights if 0 <= w < self._program.trained or w in self._program.computed]
            sources, targets = zip(*moves, strict=True)
            self.lasts.add("scatter", len(moves), self.lasts.listed(sources), self.lasts.listed(targets))


def _outer(steps: Steps, at: int, stride: int, a: int, x: int, rows: int, columns: int) -> None:
    """Steps for the sums of a[j] * x[k]: so many columns at a time that they stay in the first cache for all rows."""
    for k in range(0, columns, WIDTH):
        steps.add("outer", at + k, stride, a, x + k, rows, min(WIDTH, columns - k))


def _rounded(n: int) -> int:
    return -(-n // 8) * 8


def _runs(numbers: Sequence[int]) -> list[range]:
    """Sorted numbers as ranges."""
    found: list[range] = []
    for i in numbers:
        if found and found[-1].stop == i:
            found[-1] = range(found[-1].start, i + 1)
        else:
            found.append(range(i, i + 1))
    return found
