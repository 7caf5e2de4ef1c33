"""Numbers that an op may be given: inside its domain, off its kinks, as its row of the table says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from scalargrad.engine import Value
from scalargrad.support.arguments import brief, items, real, whole
from scalargrad.table.domains import Domain
from scalargrad.table.row import NO_VALUE, TABLE, Op

OpLike = Op | Callable[..., Any] | str
"""An op as a row of the table, by its function, or by its name."""


MOST_INPUTS = 1000
"""How many inputs a strategy draws at most."""


def values(min: float = -4.0, max: float = 4.0) -> st.SearchStrategy[Value]:  # noqa: A002
    """Leaf Values, a fresh one for each example, with a number from min to max.

    Raises:
        ValueError: if min is above max, or one of them is not finite.

    >>> from hypothesis import find
    >>> find(values(min=0.5), lambda v: v.tanh() > 0.9).data
    2.0
    """
    min, max = real(min, "values: min"), real(max, "values: max")  # noqa: A001
    if not (math.isfinite(min) and math.isfinite(max) and min <= max):
        raise ValueError(f"values: min must not be above max and both must be finite, not {min!r} and {max!r}")
    return st.floats(min, max, allow_subnormal=False).map(lambda x: Value(x + 0.0))


def numbers_in(domain: Domain, margin: float = 0.01, span: float = 4.0) -> st.SearchStrategy[float]:
    """Floats inside the domain, at least `margin` from its ends and its hole, about `span` in size; or whole ones.

    Raises:
        ValueError: if the margin leaves nothing of the domain.
    """
    if not isinstance(domain, Domain):
        raise TypeError(f"domain must be a Domain, as Domain(0.0, 1.0), not {type(domain).__name__}")
    margin, span = real(margin, "margin"), real(span, "span")
    if domain.whole:
        return st.integers(math.ceil(max(domain.low, -span)), math.floor(min(domain.high, span))).map(float)
    low, high = domain.low + margin, domain.high - margin
    bottom = max(low, -span) if high > -span else max(low, high - 2 * span)
    top = min(high, span) if low < span else min(high, low + 2 * span)
    if bottom > top:
        raise ValueError(f"a margin of {margin!r} leaves nothing of the domain from {domain.low!r} to {domain.high!r}")
    floats = st.floats(bottom, top, allow_subnormal=False)
    hole = math.nan if domain.hole is None else domain.hole
    return floats.filter(lambda x: not abs(x - hole) <= margin)


def inputs_for(
    op: OpLike, margin: float = 0.01, span: float = 4.0, max_operands: int = 6
) -> st.SearchStrategy[list[float]]:
    """Legal operands of an op, off its kinks, as its row of the table states them.

    Args:
        op: a row of the table, its function or its name; also an op made with `@primitive`.
        margin: how far from the ends of the domain; half of it is how far each operand may move before a kink.
        span: how large the numbers may be.
        max_operands: how many at most, where any number is allowed.

    Returns:
        Lists of floats. `call(op, xs)` calls the op with such a list, a dot product too.

    Raises:
        ValueError: if there is no such op; if the margin leaves nothing of its domain.

    >>> from hypothesis import find
    >>> find(inputs_for("arcsin"), lambda xs: xs[0] > 0.9)
    [0.9375]
    """
    row, most = row_of(op), whole(max_operands, "inputs_for: max_operands", least=None)
    fewest, most = operand_counts(row, most)
    if row.arity is not None or row.has_index:
        counts = st.integers(fewest, most)
        lists = counts.flatmap(lambda n: st.tuples(*(numbers_in(d, margin, span) for d in row.domains(n))).map(list))
    else:
        lists = st.lists(numbers_in(row.domain[0], margin, span), min_size=fewest, max_size=most)
    return lists.filter(lambda xs: off_kinks(row, xs, margin / 2))


def operand_counts(op: Op, most: int) -> tuple[int, int]:
    """How few and how many operands the op takes, `most` if it takes any number."""
    if op.arity is not None or op.arguments:
        n = op.arity or len(op.arguments)
        return n, n
    fewest = 2 if op.has_index else 1
    return fewest, max(fewest, most)


def off_kinks(op: OpLike, xs: Sequence[float], h: float) -> bool:
    """Whether the op is defined, and stays on the same side of its kinks, when its operands move by up to h.

    >>> off_kinks("relu", [0.5], 0.1), off_kinks("relu", [0.05], 0.1), off_kinks("log", [0.05], 0.1)
    (True, False, False)
    """
    row, h = row_of(op), real(h, "h")
    xs = [real(x, "each of xs") for x in items(xs, "xs", "off_kinks('relu', [0.5], 0.1)")]
    if row.arity not in (None, len(xs)):
        raise ValueError(f"{row.name} takes {row.arity} operands, but xs has {len(xs)}")
    sides = set()
    for moved in _moves(row, xs, h):
        try:
            row.on(moved)
            sides.add(row.sides(moved))
        except NO_VALUE:
            return False
        if len(sides) > 1:
            return False
    return True


def _moves(op: Op, xs: Sequence[float], h: float) -> Iterator[list[float]]:
    """The operands, and where they may move to: one or two of them together, more of them one by one."""
    if op.arity is not None:
        # Zero, if it is near, is where a single point is a kink, as the tip of the cone that hypot is.
        yield from map(list, itertools.product(*({x, x - h, x + h, 0.0 if abs(x) <= h else x} for x in xs)))
        return
    yield list(xs)
    for i, x in enumerate(xs):
        if op.has_index and i == 0:  # it has nowhere to move to
            continue
        for moved in (x - h, x + h):
            yield [*xs[:i], moved, *xs[i + 1 :]]


def call(op: OpLike, xs: Sequence[Any]) -> Any:
    """The op's function on operands given as one list: a dot product takes one half of it with the other.

    The first of `take` is the index.

    >>> call("dot", [1.0, 2.0, 3.0, 4.0]), call("subtract", [1.0, 2.0])
    (11.0, -1.0)
    """
    row, xs = row_of(op), items(xs, "xs", "call('subtract', [1.0, 2.0])")
    if row.pair is not None:
        n = len(xs) // 2
        return row.function(xs[:n], xs[n : 2 * n], *xs[2 * n :])
    if row.has_index:
        return row.function(xs[1:], xs[0])
    return row.function(*xs)


def row_of(op: OpLike) -> Op:
    """The row of the table that is meant.

    Raises:
        ValueError: if there is none.
    """
    if isinstance(op, str):
        row = TABLE.get(op) or next((row for row in TABLE.values() if op in (*row.aliases, row.text)), None)
    else:
        row = op if isinstance(op, Op) else getattr(op, "op", None)
    if not isinstance(row, Op):
        raise ValueError(
            f"{brief(op)} is no op of the table: give a name such as 'log', a function such as scalargrad.log, or what "
            "@primitive made"
        )
    return row
