"""`expressions`: random programs over the op table that are legal at every input and shrink by losing instructions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from scalargrad.strategies.inputs import MOST_INPUTS, OpLike, call, off_kinks, operand_counts, row_of
from scalargrad.strategies.program import Expression, Instruction
from scalargrad.support.arguments import items, real, whole
from scalargrad.table.domains import POSITIVE, REAL, Domain
from scalargrad.table.row import HARD, TABLE, Op

Operand = int | float
Draft = tuple[Op, Sequence[Operand]]
"""An op and what was drawn for its operands: a constant, or a node's index before it is brought into range."""

_CLEARANCE = 0.5
"""How far a wrapped operand stays from the ends of a domain."""
_MOST_OPERANDS = 4


def expressions(
    inputs: int = 2,
    ops: Iterable[OpLike] | None = None,
    max_ops: int = 10,
    *,
    kinks: bool = False,
    margin: float = 0.01,
    span: float = 4.0,
    max_size: float = 1e4,
) -> st.SearchStrategy[Expression]:
    """Expressions of several inputs, as programs whose nodes are shared, each with a point.

    Where an op is not defined everywhere, its operand is wrapped first, by what the op's row of the table says of its
    domain: a logarithm is taken of x² + 0.5, an arcsine of 0.9 tanh(x). So an expression is defined at any inputs.

    An instruction can be left out of any program without harm, and shrinking does that: a falsifying example has few
    operations more than it takes. One whose result would be too large, or that would be at a kink, is left out
    as well, so nothing is drawn in vain.

    Args:
        inputs: how many inputs.
        ops: the ops to use, as names, functions or rows; by default the whole table without users' own.
        max_ops: how many are drawn at most; those that wrap operands are not counted.
        kinks: whether the point may lie at a kink, as relu's at 0. If not, no input that moves by `margin` reaches one.
        margin: how far the inputs and the operands of an op with kinks may move without crossing one.
        span: the inputs are from -span to span.
        max_size: how large any number in it may be.

    Raises:
        ValueError: if an op is unknown, there are none, or inputs or max_ops is not positive.

    >>> from hypothesis import find
    >>> find(expressions(inputs=1, ops=["log", "tanh"]), lambda e: "log" in e.ops)
    import scalargrad as sg
    <BLANKLINE>
    def f(x0):
        v0 = sg.square(x0)
        v1 = v0 + 0.5
        return sg.log(v1)
    <BLANKLINE>
    y = f(1.0)
    """
    if ops is None:
        rows = [row for row in TABLE.values() if not row.is_users]
    else:
        rows = list(map(row_of, items(ops, "expressions: ops", "['add', 'tanh']")))
    inputs = whole(inputs, "expressions: inputs", "expressions(inputs=2)", most=MOST_INPUTS)
    max_ops = whole(max_ops, "expressions: max_ops", "expressions(max_ops=10)")
    margin, span = real(margin, "expressions: margin"), real(span, "expressions: span")
    max_size = real(max_size, "expressions: max_size")
    if not -math.inf < span < math.inf:
        raise ValueError(f"expressions: span says how large inputs may be; it must be finite, not {span!r}")
    if not rows:
        raise ValueError("expressions: ops must name at least 1 op, and it is empty")
    # All shrink towards x0. The negative ones stand for the latest nodes that nothing uses yet, so that few are wasted.
    operand = st.one_of(st.integers(0, inputs + max_ops), st.integers(-2, -1), st.integers(-3, -1), _numbers(span, 2.0))
    rows.sort(key=lambda row: any(domain != REAL for domain in row.domain))  # the first are the simplest
    drafts = st.one_of([_drafts(row, operand) for row in rows])

    def assemble(point: tuple[float, ...], drafts: Sequence[Draft]) -> Expression:
        return _Assembly(point, kinks=kinks, margin=margin, max_size=max_size).of(drafts)

    programs = st.lists(drafts, min_size=1, max_size=max_ops)
    numbers = [_numbers(span, 1.0 + i % max(1, int(span))) for i in range(inputs)]
    if kinks:  # by chance a float is hardly ever 0, where most kinks are
        numbers = [st.one_of(number, st.just(0.0)) for number in numbers]
    return st.builds(assemble, st.tuples(*numbers), programs).filter(len)


def _numbers(span: float, simplest: float) -> st.SearchStrategy[float]:
    """Floats from -span to span that shrink to a number of our own: 0 is where many ops have a kink or slope 0."""
    start = min(simplest, span)
    return st.floats(-span - start, span - start, allow_subnormal=False).map(lambda x: x + start)


def _drafts(op: Op, operand: st.SearchStrategy[Operand]) -> st.SearchStrategy[Draft]:
    fewest, most = operand_counts(op, _MOST_OPERANDS)
    return st.tuples(st.just(op), st.lists(operand, min_size=max(fewest, min(2, most)), max_size=most))


class _Assembly:
    """A program in the making, run as it grows: at the point, and with each input a margin to either side."""

    def __init__(self, point: tuple[float, ...], *, kinks: bool, margin: float, max_size: float) -> None:
        self._point, self._kinks, self._margin, self._max_size = point, kinks, margin, max_size
        places = [list(point)]
        for i, x in enumerate(point):
            places += [[*point[:i], moved, *point[i + 1 :]] for moved in (x - margin, x + margin)]
        self._numbers = [list(column) for column in zip(*places, strict=True)]  # of each node, at all the places
        self._program: list[Instruction] = []

    def of(self, drafts: Sequence[Draft]) -> Expression:
        """The expression of those drafts that are legal, without what its result does not need."""
        for op, operands in drafts:
            length = len(self._program)
            try:
                self._add(op, operands)
            except (*HARD, _NotHereError):
                del self._program[length:]
                del self._numbers[len(self._point) + length :]
        return Expression(self._point, _needed(self._program, len(self._point)))

    def _add(self, op: Op, operands: Sequence[Operand]) -> None:
        unused, found = self._unused(), list(operands)
        for i, x in enumerate(found):
            if isinstance(x, int):
                found[i] = unused.pop(max(x, -len(unused))) if x < 0 and unused else x % len(self._numbers)
        if op.has_index and isinstance(found[0], float):  # a constant would leave entries without a use
            found[0] = 0
        if not any(isinstance(x, int) for x in found):
            found[0] = unused[-1] if unused else 0
        inside = [self._inside(domain, x) for domain, x in zip(op.domains(len(found)), found, strict=True)]
        if op.arguments[-2:] == ("low", "high"):
            inside[-1] = self._node("add", self._inside(POSITIVE, inside[-1]), inside[-2])
        self._node(op.name, *inside)

    def _unused(self) -> list[int]:
        """The computed nodes that are nobody's operand, the latest last."""
        used = {x for instruction in self._program for x in instruction.operands}
        return [i for i in range(len(self._point), len(self._numbers)) if i not in used]

    def _inside(self, domain: Domain, x: Operand) -> Operand:
        """The operand, or what wraps it so that it is in the domain wherever the inputs are."""
        if domain.whole:
            whole = self._node("floor", self._inside(Domain(domain.low, domain.high + 1.0), x))
            return abs(whole) if isinstance(whole, float) else whole
        low = domain.low if domain.hole is None else max(domain.low, domain.hole)
        high = domain.high
        if low == -math.inf and high == math.inf:
            return x
        if isinstance(x, float) and low + _CLEARANCE <= x <= high - _CLEARANCE:
            return x
        if low > -math.inf and high < math.inf:
            middle = self._node("multiply", self._node("tanh", x), 0.45 * (high - low))
            return self._node("add", middle, (low + high) / 2) if low != -high else middle
        square = self._node("square", x)
        if low > -math.inf:
            return self._node("add", square, low + _CLEARANCE)
        return self._node("subtract", high - _CLEARANCE, square)

    def _node(self, name: str, *operands: Operand) -> Operand:
        """The index of a new node; of constants alone a constant."""
        if not any(isinstance(x, int) for x in operands):
            return float(call(name, operands))
        op = TABLE[name]
        columns = [self._numbers[x] if isinstance(x, int) else [x] * len(self._numbers[0]) for x in operands]
        places = [list(numbers) for numbers in zip(*columns, strict=True)]
        if not self._kinks and op.kinks is not None:
            sides = {op.sides(xs) for xs in places}
            if len(sides) > 1 or not off_kinks(op, places[0], self._margin):
                raise _NotHereError
        results = [float(call(op, xs)) for xs in places]
        if not all(abs(z) <= self._max_size for z in results):
            raise _NotHereError
        self._numbers.append(results)
        self._program.append(Instruction(name, operands))
        return len(self._numbers) - 1


class _NotHereError(Exception):
    """The instruction would be at a kink, or too large."""


def _needed(program: Sequence[Instruction], inputs: int) -> tuple[Instruction, ...]:
    """The instructions that the last one needs, with their operands numbered anew."""
    needed = {inputs + len(program) - 1}
    for i in range(len(program) - 1, -1, -1):
        if inputs + i in needed:
            needed.update(x for x in program[i].operands if isinstance(x, int))
    place = {i: i for i in range(inputs)}
    kept: list[Instruction] = []
    for i, (op, operands) in enumerate(program):
        if inputs + i in needed:
            place[inputs + i] = inputs + len(kept)
            kept.append(Instruction(op, tuple(place[x] if isinstance(x, int) else x for x in operands)))
    return tuple(kept)
