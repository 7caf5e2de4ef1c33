"""The gradient of a graph without its rules: differences of each operation at its own operands, and the chain rule.

An operation is a function of its operands only, so its differences can be taken at its own scale: that of a sine does
not depend on how fast its argument moves, and a large number that is added first and subtracted later takes no digits
from what lies between. Each slope comes with an error, and the errors are handed on with the slopes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from scalargrad.checking.differences import EPS
from scalargrad.checking.ladder import NOTHING, TINY, Found, any_slope, is_constant, known_slope
from scalargrad.checking.rational import RATIONAL, rational_slope
from scalargrad.engine import Value, topological_order
from scalargrad.node.node import descendants
from scalargrad.table.row import HARD, NO_VALUE, Op

_SHAKEN = 16.0
"""By how many units of the last place the numbers inside the graph are shaken, to see what rounding does to slopes."""
_SHAKES = 2


class Total(NamedTuple):
    """A derivative of the whole graph.

    Attributes:
        slope: the sum over all paths of the products of the operations' slopes.
        error: how far off it may be.
        gross: the same sum of absolute values; a slope far below it is 0 to within rounding.
        exact: whether nothing in the graph was rounded, so that a sum of slopes that is 0 is not so by rounding.
        truth: gives the derivative that arithmetic without rounding has, None if that cannot be computed.
    """

    slope: float
    error: float
    gross: float
    exact: bool = False
    truth: Callable[[], float | None] = lambda: None


def op_slope(op: Op, numbers: Sequence[float], i: int, z: float, step: float = 0.0) -> Found:
    """The slope of an op of the table in its operand i, by differences of its value.

    Args:
        op: the row of the table.
        numbers: the operands.
        i: which operand.
        z: the value.
        step: the step that was found good for numbers near these.
    """
    if op.has_index and i == 0:  # it cannot move
        return Found(0.0, 0.0, 0.0)
    side = op.sides(numbers)
    hard = (*HARD, TypeError) if op.is_users else HARD  # a user's function may not know its domain
    domain = op.domain[min(i, len(op.domain) - 1)] if op.is_users else None

    def curve(t: float) -> float | None:
        if domain is not None and t not in domain:
            return None
        moved = [*numbers[:i], t, *numbers[i + 1 :]]
        try:
            y = float(op.on(moved))
            return y if math.isfinite(y) and (side is None or op.sides(moved) == side) else None
        except hard:
            return None

    if not (math.isfinite(z) and all(map(math.isfinite, numbers))):
        return NOTHING._replace(note="an operand or the result is not finite")
    x = numbers[i]
    if op.is_users and not step:  # with one, the whole ladder has been looked at already
        found = any_slope(curve, x, z, lambda: _moves_in_others(op, numbers, i, z))
    else:
        found = known_slope(curve, x, z, step or max(1.0, abs(x)) / 2)
        if not found.error <= 1e-9 * abs(found.slope):
            # A large number beside a small operand hides its small steps.
            wide = known_slope(curve, x, z, max(abs(a) for a in (*numbers, z)) / 2)
            found = wide if wide.error < found.error else found
    if found.slope == 0.0 and 0.0 < found.error < math.inf and is_constant(curve, x, z, 10 if op.is_users else 1000):
        return Found(0.0, 0.0, 0.0)
    return found


def _moves_in_others(op: Op, numbers: Sequence[float], i: int, z: float) -> bool:
    """Whether the value is another one when another operand moves, and this one too."""
    for j in range(len(numbers)):
        for step in (1.0, -0.5):
            moved = [a + step * max(1.0, abs(a)) if k in (i, j) else a for k, a in enumerate(numbers)]
            try:
                if j != i and op.on(moved) != z:
                    return True
            except (*HARD, TypeError):
                continue
    return False


class Chain:
    """The part of a graph that depends on some inputs.

    Attributes:
        opaque: the nodes without a row of the table, whose value cannot be computed again; with any of them there is
            no gradient to be had from here.
    """

    def __init__(self, root: Value, inputs: Sequence[Value]) -> None:
        self._root, self._inputs = root, inputs
        self._order = topological_order(root)
        self._below = [node for node in descendants(self._order, inputs) if not node.is_leaf]
        self._exact = {node for node in self._below if _is_exact(node)}
        self._steps: dict[tuple[Value, int], float] = {}
        self.opaque = [node for node in self._below if not isinstance(node._rule, Op)]

    def gradient(self) -> list[Total]:
        """For each input the derivative, with what rounding inside of the graph does to it in its error."""
        numbers = {node: [a for _, a in node.operands] for node in self._below}
        plain = self._swept(numbers, {node: node._data for node in self._below})
        errors = [total.error for total in plain]
        for seed in range(_SHAKES):
            shaken = self._swept(*self._shaken(random.Random(seed)))
            for i, (one, other) in enumerate(zip(plain, shaken, strict=True)):
                moved = abs(one.slope - other.slope)
                errors[i] = max(errors[i], one.error + (moved / 4 if moved == moved else math.inf))
        exact = len(self._exact) == len(self._below)
        return [
            total._replace(error=error, exact=exact, truth=partial(rational_slope, self._root, self._inputs, i))
            for i, (total, error) in enumerate(zip(plain, errors, strict=True))
        ]

    def _swept(self, operands: Mapping[Value, Sequence[float]], results: Mapping[Value, float]) -> list[Total]:
        totals: dict[Value, tuple[float, float, float]] = dict.fromkeys(self._below, (0.0, 0.0, 0.0))
        totals |= dict.fromkeys(self._inputs, (0.0, 0.0, 0.0))
        totals[self._root] = (1.0, 0.0, 1.0)
        for node in reversed(self._below):
            upstream, error, gross = totals[node]
            if gross == error == 0.0:
                continue
            op: Any = node._rule
            for i, (parent, _) in enumerate(node.operands):
                if parent is None or parent not in totals:
                    continue
                local = self._local(node, op, operands[node], i, results[node])
                share = upstream * local.slope if local.slope else 0.0
                before = totals[parent]
                totals[parent] = (
                    before[0] + share,
                    before[1] + _times(abs(upstream), local.error) + _times(error, abs(local.slope) + local.error)
                    + 2 * EPS * abs(share) + (TINY if upstream and local.slope else 0.0),
                    before[2] + _times(gross, max(abs(local.slope), local.steepness if op.is_users else 0.0)),
                )  # fmt: skip
        return [Total(*totals[x]) if all(map(math.isfinite, totals[x])) else _UNKNOWN for x in self._inputs]

    def _local(self, node: Value, op: Op, numbers: Sequence[float], i: int, z: float) -> Found:
        if op.pair is not None:  # a sum of pairs: its slope in an operand is that of the pair
            n = len(numbers) // 2
            if i == 2 * n:
                return Found(1.0, 0.0, 1.0)
            j = i % n
            pair = [numbers[j], numbers[n + j]]
            return op_slope(op.pair, pair, i // n, op.pair.on(pair))
        found = op_slope(op, numbers, i, z, self._steps.get((node, i), 0.0))
        self._steps.setdefault((node, i), found.step)
        return found

    def _shaken(self, rng: random.Random) -> tuple[dict[Value, list[float]], dict[Value, float]]:
        """The graph computed again with every result off by some units of its last place."""
        results: dict[Value, float] = {}
        values: dict[Value, float] = {}
        operands: dict[Value, list[float]] = {}
        for node in self._below:
            numbers = [a if parent is None else results.get(parent, a) for parent, a in node.operands]
            op: Any = node._rule
            try:
                z = float(op.on(numbers))
            except NO_VALUE:
                z = node._data
            operands[node], values[node] = numbers, z
            size = abs(z)
            if op.arity is None:  # a sum of many has been rounded at the size of its parts
                parts = map(_times, map(abs, numbers), map(abs, numbers[len(numbers) // 2 :])) if op.pair else numbers
                size = max(size, *map(abs, parts), 0.0)
            shaken = z + rng.choice((-1.0, 1.0)) * _SHAKEN * EPS * size
            is_whole = op.kinks is not None and z == round(z)  # a floor, a sign: not rounded, and not to be shaken
            results[node] = z if is_whole or node in self._exact else shaken
        return operands, values


_UNKNOWN = Total(0.0, math.inf, math.inf)


def _is_exact(node: Value) -> bool:
    """Whether this arithmetic came out without rounding."""
    op, operands = node._rule, node.operands
    if not (isinstance(op, Op) and op.name in RATIONAL and math.isfinite(node._data)):
        return False
    if not all(math.isfinite(a) for _, a in operands):
        return False
    if op.name == "power" and not (operands[1][0] is None and operands[1][1] in (1.0, 2.0, 3.0)):
        return False
    exactly: Any = [Fraction(a) for _, a in operands]
    return bool(op.on(exactly) == node._data)


def _times(a: float, b: float) -> float:
    """The product, where 0 takes away whatever is unknown."""
    return a * b if a and b else 0.0
