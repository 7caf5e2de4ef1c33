"""Where an operation is defined: the domain of an operand, as a row of the op table has it and as users write it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from scalargrad.support.arguments import brief, items, real
from scalargrad.support.reals import number


class Domain(NamedTuple):
    """The real numbers an argument may take: between low and high, `hole` left out; whole ones only if so asked."""

    low: float = -math.inf
    high: float = math.inf
    open: bool = False
    hole: float | None = None
    whole: bool = False

    def __contains__(self, x: object) -> bool:
        try:
            x = number(x)
        except (TypeError, OverflowError):
            return False
        if x == self.hole or (self.whole and x % 1.0 != 0.0):
            return False
        return self.low < x < self.high if self.open else self.low <= x <= self.high


REAL = Domain()
NONZERO = Domain(hole=0.0)
POSITIVE = Domain(low=0.0, open=True)
NOT_NEGATIVE = Domain(low=0.0)
AT_LEAST_ONE = Domain(low=1.0)
ABOVE_MINUS_ONE = Domain(low=-1.0, open=True)
BETWEEN_ONES = Domain(-1.0, 1.0)
INSIDE_ONES = Domain(-1.0, 1.0, open=True)


def domains_given(domain: Any, n: int, who: str) -> list[Domain]:
    """The domain of each of n arguments.

    Args:
        domain: of all of them, a Domain or (low, high); or a list with one such for each.
        n: how many there are.
        who: how messages begin.

    Raises:
        TypeError: if it is neither.
        ValueError: if a domain is empty, or there are not as many as arguments.
    """
    example = "(0.0, 1.0)"
    given = [domain] if isinstance(domain, Domain) else items(domain, f"{who}: domain", example)
    if isinstance(domain, Domain) or all(isinstance(end, (int, float)) for end in given):
        given = [domain] * n
    if len(given) != n:
        raise ValueError(f"{who} takes {n} arguments, but {len(given)} domains were given")
    return [_domain(one, who, example) for one in given]


def _domain(given: Any, who: str, example: str) -> Domain:
    if isinstance(given, Domain):
        return given
    ends = items(given, f"{who}: a domain", example)
    if len(ends) != 2:
        raise ValueError(f"{who}: a domain is a Domain or (low, high), as in {example}, not {brief(given)}")
    low, high = (
        real(end, f"{who}: the {side} end of a domain") for side, end in zip(("low", "high"), ends, strict=True)
    )
    if not low <= high:
        raise ValueError(f"{who}: a domain goes from its low end to its high end, not from {low!r} to {high!r}")
    return Domain(low, high)
