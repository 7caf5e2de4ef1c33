"""The steps of what does not differ from sample to sample, once per run, and where it lies."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from scalargrad.compiling.llvm.blocks.steps import Steps, evenly_spaced, stride_of
from scalargrad.compiling.order import levels
from scalargrad.compiling.tape import CONSTANT, PARAMETER, SOURCES

if TYPE_CHECKING:
    from scalargrad.compiling.structure.splitting import Layered

PARAMETERS, UNIFORM, TABLE = 0, 1, 2
"""Where numbers are read: among the parameters, where what is uniform lies, in a table of the program's."""
LONG = 8
"""So many numbers side by side are moved together."""
ROUND = 8
"""Everything begins at a multiple of this: kernels write whole vectors."""


class Matrix(NamedTuple):
    """Rows of weights in memory.

    Attributes:
        kind: PARAMETERS or UNIFORM.
        at: where the first lies.
        down, along: from one row to the next, and from one column to the next.
    """

    kind: int
    at: int
    down: int
    along: int


class Still:
    """What does not differ from sample to sample.

    Attributes:
        size: how many numbers there are. The first are the uniform parts of the sums.
    """

    def __init__(self, program: Layered) -> None:
        self._program = program
        self.size = 0
        self.room(len(program.sums))
        self._moves: dict[int, tuple[list[int], list[int]]] = {k: ([], []) for k in (TABLE, PARAMETERS, UNIFORM)}
        self._table = array("d")
        self._places: dict[int, int] = {}
        self._groups: list[list[int]] = []
        self._constants = {~i: self.constant(x) for i, x in enumerate(program.constants)}
        self._moves_of_computed: tuple[list[int], list[int]] = [], []

    def room(self, n: int) -> int:
        """Room for so many numbers."""
        at = self.size
        self.size += -(-n // ROUND) * ROUND
        return at

    def constant(self, x: float) -> int:
        """A place that holds this number."""
        at = self.room(1)
        self._move(TABLE, len(self._table), at)
        self._table.append(x)
        return at

    def _move(self, kind: int, source: int, target: int) -> None:
        self._moves[kind][0].append(source)
        self._moves[kind][1].append(target)

    def is_parameter(self, slot: int) -> bool:
        """Whether a slot is a parameter as it was given."""
        kind, number = self._program.code[slot][:2]
        return kind is PARAMETER and number not in self._program.long and number not in self._program.computed

    def matrix(self, rows: Sequence[Sequence[int]]) -> Matrix:
        """Where these weights lie: where they are if they are evenly spaced there; else they are put side by side."""
        computed = self._program.computed
        if any(w in computed for row in rows for w in row):
            if all(w in computed for row in rows for w in row):
                spaced = evenly_spaced([[self._places[computed[w]] for w in row] for row in rows])
                if spaced is not None:
                    return Matrix(UNIFORM, *spaced)
        elif (spaced := evenly_spaced(rows)) is not None:
            return Matrix(PARAMETERS, *spaced)
        return Matrix(UNIFORM, self._side_by_side_weights([w for row in rows for w in row]), len(rows[0]), 1)

    def biases(self, biases: Sequence[int | None]) -> tuple[int, int, int]:
        """Where they lie: kind, first and stride; kind -1 if there is none."""
        if all(b is None for b in biases):
            return -1, 0, 0
        known = [b for b in biases if b is not None]
        stride = stride_of(known)
        if len(known) == len(biases) and min(known) >= 0 and stride is not None:
            return PARAMETERS, known[0], stride
        return UNIFORM, self._side_by_side_weights(biases), 1

    def _side_by_side_weights(self, weights: Sequence[int | None]) -> int:
        at, zero = self.room(len(weights)), None
        for target, w in enumerate(weights, at):
            if w is None:
                zero = self.constant(0.0) if zero is None else zero
                self._move(UNIFORM, zero, target)
            elif w < 0:
                self._move(UNIFORM, self._constants[w], target)
            elif w in self._program.computed:
                self._moves_of_computed[0].append(self._places[self._program.computed[w]])
                self._moves_of_computed[1].append(target)
            else:
                self._move(PARAMETERS, w, target)
        return at

    def plan(self, wanted: Iterable[int]) -> None:
        """Give every number a place that these slots, computed weights and the sums need."""
        program = self._program
        uniform = [u for _, u in program.sums if u is not None]
        self._groups = self._placed([*wanted, *program.computed.values(), *uniform])

    def _placed(self, wanted: Iterable[int]) -> list[list[int]]:
        """Give a place to what these slots need and has none yet; groups of what is to be computed, in order."""
        code = self._program.code
        level = {slot: at for slot, at in levels(wanted, self._operands).items() if slot not in self._places}
        # Parameters side by side in their order, so that what is done to all of them goes by vectors.
        leaves = sorted(filter(self.is_parameter, level), key=lambda slot: int(code[slot][1]))
        for slot, at in zip(leaves, range(self.room(len(leaves)), self.size), strict=False):
            self._places[slot] = at
            self._move(PARAMETERS, code[slot][1], at)
        groups: dict[tuple[int, Hashable], list[int]] = {}
        for slot, at in level.items():
            op = code[slot][0]
            if op is CONSTANT:
                self._places[slot] = self.constant(float.fromhex(code[slot][1]))
            elif op not in SOURCES:
                groups.setdefault((at, op), []).append(slot)
            elif not self.is_parameter(slot):
                groups[at, slot] = [slot]
        in_order = [sorted(slots) for _, slots in sorted(groups.items(), key=lambda item: item[0][0])]
        for slots in in_order:
            self._places.update(zip(slots, range(self.room(len(slots)), self.size), strict=False))
        return in_order

    def _operands(self, slot: int) -> Sequence[int]:
        instruction = self._program.code[slot]
        if instruction[0] not in SOURCES:
            return instruction[1:]
        xs, ys = self._program.long.get(instruction[1], ((), ())) if instruction[0] is PARAMETER else ((), ())
        return [*xs, *ys]

    def place(self, slot: int) -> int:
        """Where the number of a slot lies, after `plan`."""
        return self._places[slot]

    def steps(self) -> Steps:
        """All of them, when everything has its place."""
        computing, steps = Steps(), Steps()
        for slots in self._groups:
            self._compute(computing, slots)
        self._gather(computing, UNIFORM, *self._moves_of_computed)
        self._gather_all(steps)
        steps.extend(computing)
        ends = [(self.place(u), i) for i, (_, u) in enumerate(self._program.sums) if u is not None]
        self._gather(steps, UNIFORM, [at for at, _ in ends], [i for _, i in ends])
        return steps

    def late_steps(self, first: int) -> Steps:
        """What is computed when all is added up: what comes to parameters through computed weights.

        Args:
            first: where the sum of the first parameter's gradient lies among the sums.
        """
        code, program, steps, computing = self._program.code, self._program, Steps(), Steps()
        wanted = [slot for _, slot in program.late]
        needed = levels(wanted, self._operands)
        totals = {int(code[x][1]): x for x in needed if code[x][0] is PARAMETER and code[x][1] in program.computed}
        at = self.room(len(totals))
        self._places.update({totals[number]: at + i for i, number in enumerate(sorted(totals))})
        for slots in self._placed(wanted):
            self._compute(computing, slots)
        if totals:
            numbers = [first + number for number in sorted(totals)]
            steps.add("fetch", len(totals), steps.listed(numbers), steps.listed(range(at, at + len(totals))))
        self._gather_all(steps)
        steps.extend(computing)
        if program.late:
            places, targets = map(self.place, wanted), [i for i, _ in program.late]
            steps.add("hand", len(targets), steps.listed(places), steps.listed(targets))
        return steps

    def _gather_all(self, steps: Steps) -> None:
        """Steps for the moves since the last time."""
        for kind, (sources, targets) in self._moves.items():
            self._gather(steps, kind, list(sources), list(targets))
            sources.clear()
            targets.clear()

    def _gather(self, steps: Steps, kind: int, sources: Sequence[int], targets: Sequence[int]) -> None:
        left: list[int] = []
        for run in _runs(sources, targets):
            if len(run) < LONG or kind == TABLE:
                left += run
            else:
                steps.add("move", len(run), kind, sources[run.start], targets[run.start])
        if left:
            table = steps.kept(self._table[:]) if kind == TABLE else 0
            lists = [steps.listed(map(places.__getitem__, left)) for places in (sources, targets)]
            steps.add("gather", len(left), kind, table, *lists)

    def _compute(self, steps: Steps, slots: Sequence[int]) -> None:
        code, first = self._program.code, self.place(slots[0])
        op = code[slots[0]][0]
        if op is PARAMETER:
            xs, ys = self._program.long[code[slots[0]][1]]
            steps.add("products", first, len(xs), self._side_by_side(steps, xs), self._side_by_side(steps, ys))
            return
        operands = [list(map(self.place, xs)) for xs in zip(*(code[slot][1:] for slot in slots), strict=True)]
        strides = [stride_of(places) for places in operands]
        if len(slots) >= 4 and all(stride in (0, 1) for stride in strides):
            words = [
                word for places, stride in zip(operands, strides, strict=True) for word in (places[0], stride or 0)
            ]
            steps.add(f"{op}.side", first, len(slots), *words)
        else:
            steps.add(
                f"{op}.listed", first, len(slots), steps.listed(x for xs in zip(*operands, strict=True) for x in xs)
            )

    def _side_by_side(self, steps: Steps, slots: Sequence[int]) -> int:
        places = list(map(self.place, slots))
        if stride_of(places) == 1:
            return places[0]
        at = self.room(len(places))
        self._gather(steps, UNIFORM, places, range(at, at + len(places)))
        return at


def _runs(sources: Sequence[int], targets: Sequence[int]) -> list[range]:
    """Where both go on side by side."""
    starts = [
        i for i in range(len(sources)) if not i or sources[i] != sources[i - 1] + 1 or targets[i] != targets[i - 1] + 1
    ]
    return [range(a, b) for a, b in pairwise([*starts, len(sources)])]
