"""Where the machine has what, and in which groups it works instructions off.

Sums of products of one length that stand at one level become runs, where their operands go on evenly from one to the
next: the rows of a layer read the same inputs, and weights that lie a row apart. A run is described by its first row
and by how far each operand moves, and lanes take one row each. Other sums have a list of places for each row.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from operator import mul, sub
from typing import NamedTuple

from scalargrad.compiling.llvm.placing import Operands
from scalargrad.compiling.order import grouped
from scalargrad.compiling.tape import CONSTANT, DOT, INPUT, PARAMETER, SOURCES, TAKE, Instruction, count_of

COPY, LIST, VECTORS, ROWS, MATRIX = "copy", "list", "vectors", "rows", "matrix"
"""Opcodes beside the primitives: a number as it is; sums by lists of places; sums in a run, in which one factor of each
pair is the same for all rows, the other lies side by side from row to row (VECTORS) or a step apart (ROWS), or a step
apart and side by side from pair to pair, but for the first pair, perhaps (MATRIX)."""
SHORTEST = 8
"""Rows of a run: as many as there are lanes at most."""


class Group(NamedTuple):
    """Instructions of one kind, none of which needs another; their results lie side by side.

    Attributes:
        op: a primitive, `take`, or one of the opcodes above.
        first: the place of the first result; the others follow.
        size: how many there are.
        pairs: of sums of products, how many each has; of `take` how many entries.
    """

    op: str
    first: int
    size: int
    pairs: int = 0


class Layout:
    """A program as the machine runs it.

    Args:
        code: primitives, sums of products, entries taken.
        outputs: slots whose numbers shall lie side by side at the end, in this order.
        needed: for each slot whether it is to be computed here; all, if left out.
        given: slots that are known from outside; they lie behind the parameters.
        inputs: how many there are, if there may be more than the code reads.

    Attributes:
        place: for each slot of the tape where its number lies: inputs, parameters, given ones, constants, results.
        inputs, parameters, given: how many there are of each.
        constants: their numbers.
        groups: in order. One costs one dispatch however long it is, and its instructions do not wait for each other.
        operands: what each group reads, one after another.
        outputs: the place of the first.
        size: how many numbers there are in all.
        work: primitive operations and pairs.
    """

    def __init__(
        self, code: Sequence[Instruction], outputs: Sequence[int] = (), needed: Sequence[int] | None = None,
        given: Sequence[int] = (), inputs: int | None = None,
    ) -> None:  # fmt: skip
        self.inputs = count_of(code, INPUT) if inputs is None else inputs
        self.parameters, self.given = count_of(code, PARAMETER), len(given)
        place = self.place = array("i", bytes(4 * len(code)))
        self.constants: list[float] = []
        self.groups: list[Group] = []
        self.operands = array("i")
        start = self.inputs + self.parameters + self.given
        kinds: list[str | int | None] = [
            None if i[0] in SOURCES else len(i) if i[0] is DOT else -len(i) if i[0] is TAKE else i[0] for i in code
        ]
        for slot, instruction in enumerate(code):
            if kinds[slot] is None:
                source, what = instruction
                if source is CONSTANT:
                    place[slot] = start + len(self.constants)
                    self.constants.append(float.fromhex(what))
                else:
                    place[slot] = what if source is INPUT else self.inputs + what
        if needed is not None:
            kinds = [kind if is_needed else None for kind, is_needed in zip(kinds, needed, strict=True)]
        self.work = sum(kind // 2 if type(kind) is int and kind > 0 else 1 for kind in kinds if kind is not None)
        for i, slot in enumerate(given, self.inputs + self.parameters):
            place[slot] = i
        self._one = start + len(self.constants)  # 1.0, for the factor of a sum's first term
        self.constants.append(1.0)
        self._at = self._one + 1
        read = Operands([() if kind is None else i[1:] for kind, i in zip(kinds, code, strict=True)])
        for slots in grouped(read.level, kinds):
            op, *xs = code[slots[0]]
            places, steady = read.placed(slots, place)
            if op is DOT:
                self._sums(slots, places, steady, read)
            else:
                self.groups.append(Group(op, self._at, len(slots), len(xs) - 1 if op is TAKE else 0))
                self.operands.extend(places)
                self._placed(slots)
        self.outputs = self._at
        self._copies(outputs)
        self.size = self._at

    def forget(self) -> None:
        """Let go of groups and places, when the machine has its program: they take more memory than that does."""
        self.groups, self.place = [], array("i")

    def _placed(self, slots: Sequence[int]) -> None:
        for at, slot in enumerate(slots, self._at):
            self.place[slot] = at
        self._at += len(slots)

    def _copies(self, slots: Sequence[int]) -> None:
        if slots:
            self.groups.append(Group(COPY, self._at, len(slots)))
            self.operands.extend(map(self.place.__getitem__, slots))
            self._at += len(slots)

    # ---------------------------------------------------------------- sums of products

    def _sums(self, slots: Sequence[int], places: array[int], steady: bytearray, read: Operands) -> None:
        """A group of sums of equally many products."""
        order: list[int] = []
        loose = self._runs_of(slots, places, steady, order)
        if len(loose) >= SHORTEST:
            # The rows of a layer may come in any order, as where heads of attention take them: in that of their weights
            # they are a run.
            width = len(places) // len(slots)
            keys = {slots[i]: (places[i * width + width // 2], places[i * width]) for i in loose}
            slots = sorted(keys, key=keys.__getitem__)
            places, steady = read.placed(slots, self.place)
            loose = self._runs_of(slots, places, steady, order)
        if loose:
            places, width = self._paired(places, len(slots))
            self._listed(array("i", [x for i in loose for x in places[i * width : (i + 1) * width]]), width)
            order += [slots[i] for i in loose]
        self._at -= len(order)
        self._placed(order)

    def _paired(self, places: array[int], count: int) -> tuple[array[int], int]:
        """The operands of rows in pairs, and how many there are: a term to begin with is a product with 1.0."""
        width = len(places) // count
        if width % 2 == 0:
            return places, width
        half, one = width // 2, array("i", [self._one])
        paired = array("i")
        for i in range(0, len(places), width):
            row = places[i : i + width]
            paired.extend(row[-1:] + row[:half] + one + row[half:-1])
        return paired, width + 1

    def _runs_of(self, slots: Sequence[int], places: array[int], steady: bytearray, order: list[int]) -> list[int]:
        """Lay out the runs among these rows, and add their slots to the order; returns which rows are in none."""
        count = len(slots)
        places, width = self._paired(places, count)
        first = kept = 0
        loose: list[int] = []
        while first < count:
            end = steady.find(0, first + 2)
            end = count if end < 0 else end
            at, step = first * width, ()  # type: tuple[int, tuple[int, ...]]
            if end - first >= SHORTEST:
                row, after = places[at : at + width], places[at + width : at + 2 * width]
                step = tuple(map(sub, after, row))
            if not step or not _is_run(step):
                first = max(first + 1, end - 1)  # the last row may be the first of a run
                continue
            loose += range(kept, first)
            if min(step) < 0:  # a gradient's rows come from the last to the first
                self._run(places[(end - 1) * width : end * width], [-x for x in step], end - first)
                order += slots[first:end][::-1]
            else:
                self._run(row, step, end - first)
                order += slots[first:end]
            kept = first = end
        return [*loose, *range(kept, count)]

    def _listed(self, places: array[int], width: int) -> None:
        if places:
            count = len(places) // width
            self.groups.append(Group(LIST, self._at, count, width // 2))
            self.operands.extend(places)
            self._at += count

    def _run(self, row: Sequence[int], step: Sequence[int], size: int) -> None:
        """Sums in a run: the places of the first row, of each pair that which stays first, and how the other moves."""
        n = len(row) // 2
        same, moving, steps = list(row[:n]), list(row[n:]), list(step[n:])
        for k in range(n):
            if step[k]:  # multiplication does not mind
                same[k], moving[k], steps[k] = moving[k], same[k], step[k]
        if steps.count(1) == n:
            self.groups.append(Group(VECTORS, self._at, size, n))
            steps = []
        elif (apart := _before_matrix(moving, steps)) is not None:
            self.groups.append(Group(MATRIX, self._at, size, n))
            moving, steps = [apart, moving[0], steps[0]], [moving[apart], steps[apart]]
        else:
            self.groups.append(Group(ROWS, self._at, size, n))
        self.operands.extend((*same, *moving, *steps))
        self._at += size


def _is_run(step: Sequence[int]) -> bool:
    """Whether of each pair one factor is the same in all rows."""
    n = len(step) // 2
    return not any(map(mul, step[:n], step[n:]))


def _before_matrix(moving: Sequence[int], steps: Sequence[int]) -> int | None:
    """How many pairs come before those that are rows of a matrix: 0, or 1 for the bias of a layer; else None."""
    n = len(moving)
    for apart in (0, 1):
        if n > apart and steps[apart:] == [steps[apart]] * (n - apart):
            start = moving[apart]
            if moving[apart:] == list(range(start, start + n - apart)):
                return apart
    return None
