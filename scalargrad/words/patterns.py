"""How a gate treats the gradient that reaches it, in the words of the lectures, found from its row of the op table.

An add gate distributes, a max gate routes, a multiply gate switches: CS231n, "Patterns in backward flow".
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, gradients
from scalargrad.node.contexts import with_recording
from scalargrad.table.stand_ins import partials_at

if TYPE_CHECKING:
    from scalargrad.table.row import Op


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

    >>> from scalargrad.table.row import TABLE
    >>> [pattern_of(TABLE[name]).name for name in ("add", "max", "multiply", "relu", "tanh", "sign")]
    ['DISTRIBUTOR', 'ROUTER', 'SWITCHER', 'VALVE', 'SCALER', 'WALL']
    """
    found = {with_recording(_pattern_at, op, xs) for start in (0.4, -0.8) if (xs := _arguments(op, start))}
    return found.pop() if len(found) == 1 else Pattern.SCALER


def _arguments(op: Op, start: float) -> list[float]:
    """Operands in ascending order; none if they are outside the op's domain."""
    n = op.arity or len(op.arguments) or 4
    domains = op.domains(n)
    xs = [1.0 if domain.whole else start + 0.1 * i for i, domain in enumerate(domains)]
    if any(1.5 + x in domain and x not in domain for x, domain in zip(xs, domains, strict=True)):
        xs = [1.5 + x for x in xs]
    return xs if all(x in domain for x, domain in zip(xs, domains, strict=True)) else []


def _pattern_at(op: Op, numbers: list[float]) -> Pattern:
    """The pattern as it looks at one point; a rule with kinks may look simpler there than it is."""
    result = op.on(numbers)
    xs, z = [Value(x) for x in numbers], Value(result)
    partials = partials_at(op, xs, z, range(len(xs)))
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
