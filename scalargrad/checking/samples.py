"""A function at points near the one being checked: its value, and which side of every kink it is on there."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from scalargrad.arguments import real
from scalargrad.behaviour import comparison_log
from scalargrad.engine import Value, topological_order
from scalargrad.table import HARD, Op

Branches = tuple[Hashable, ...]


class UnusableError(Exception):
    """The function has no finite value at a sample."""


class Sampler:
    """The function, called on numbers near xs.

    Attributes:
        sees_branches: whether it works on Values, so that its kinks can be seen; else it is called with floats.
    """

    def __init__(self, f: Callable[..., Any], xs: Sequence[float]) -> None:
        self._f = f
        self.sees_branches = True
        try:
            self(xs)
        except (TypeError, AttributeError):  # as math.sin of a Value: a function of floats only
            self.sees_branches = False
        except UnusableError:
            pass

    def __call__(self, xs: Sequence[float]) -> tuple[float, Branches]:
        """The value at xs, and the side of every kink and comparison that decided on it.

        Raises:
            UnusableError: outside the domain, or if the value is inf or nan.
        """
        log: list[int] = []
        token = comparison_log.set(lambda value, _other, _symbol, x: log.append((value.data > x) - (value.data < x)))
        try:
            y = self._f(*map(Value, xs)) if self.sees_branches else self._f(*xs)
        except HARD as error:
            raise UnusableError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
        finally:
            comparison_log.reset(token)
        value = y.data if isinstance(y, Value) else real(y, "the result of f")
        if not math.isfinite(value):
            raise UnusableError(f"the function is {value!r} at {', '.join(map(repr, xs))}")
        return float(value), (*log, *branches(y))


def branches(y: Any) -> Branches:
    """Which side of its kinks every node below y is on, from the kinks in the op table."""
    if not isinstance(y, Value):
        return ()
    found: list[Hashable] = []
    for node in topological_order(y):
        op = node._rule
        if isinstance(op, Op) and op.kinks is not None:
            numbers = [a for _, a in node.operands]
            found.append(op.sides(numbers))
    return tuple(found)
