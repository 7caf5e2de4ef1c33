"""How a gate treats the gradient that reaches it, in the words of the lectures, found from its row of the op table.

An add gate distributes, a max gate routes, a multiply gate switches: CS231n, "Patterns in backward flow".
"""

from __future__ import annotations

import math
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, gradients, record
from scalargrad.table import HARD

if TYPE_CHECKING:
    from scalargrad.table import Op


class Pattern(Enum):
    """What an op's local derivatives depend on."""

    WALL = "nothing: they are 0 everywhere"
    DISTRIBUTOR = "nothing: the same numbers everywhere"
    SWITCHER = "the other factor"
    ROUTER = "which operand counts: that one gets 1, the others 0"
    VALVE = "the side of a kink: open or shut"
    SCALER = "where the operands stand"


@cache
def pattern_of(op: Op) -> Pattern:
    """The op's pattern.

    >>> from scalargrad.table import TABLE
    >>> [pattern_of(TABLE[name]).name for name in ("add", "max", "multiply", "relu", "tanh", "sign")]
    ['DISTRIBUTOR', 'ROUTER', 'SWITCHER', 'VALVE', 'SCALER', 'WALL']
    """
    return _common_pattern(record(_patterns_at, op, 0.4), record(_patterns_at, op, -0.8))


def _common_pattern(here: Pattern, there: Pattern) -> Pattern:
    return here if here is there else Pattern.SCALER


def _patterns_at(op: Op, start: float) -> Pattern:
    """The pattern as it looks at one point; a rule with kinks may look simpler there than it is."""
    numbers = [start + 0.1 * i for i in range(op.arity or len(op.arguments) or 4)]
    try:
        result = op.value(numbers) if op.arity is None else op.value(*numbers)
    except HARD:
        result = math.nan
    xs, z = [Value(x) for x in numbers], Value(result)
    if op.arity is None:
        partials = op.partials_on_values(xs, z)
    else:
        partials = [op.partials_on_values(xs, z, i)[0] for i in range(op.arity)]
    computed = [partial for partial in partials if isinstance(partial, Value)]
    if not computed:
        return Pattern.DISTRIBUTOR if any(partials) else Pattern.WALL
    if len(xs) > 1 and all(partial in xs for partial in computed):
        return Pattern.SWITCHER
    if any(_changes(partial, [*xs, z]) for partial in computed):
        return Pattern.SCALER
    if len(xs) == 1:
        return Pattern.VALVE
    total = sum(partial.data if isinstance(partial, Value) else partial for partial in partials)
    return Pattern.ROUTER if total == 1.0 else Pattern.SCALER


def _changes(partial: Value, leaves: list[Value]) -> bool:
    """Whether a partial changes with operands or result, other than by jumps."""
    adjoints: dict[Value, Any] = gradients([partial], [1.0])
    return any(adjoints.get(leaf, 0.0) != 0.0 for leaf in leaves)
