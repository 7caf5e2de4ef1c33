"""Derivatives by finite differences, with an estimate of their own error: Ridders' extrapolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from scalargrad.engine import Value
from scalargrad.support.arguments import function, real, whole

Curve = Callable[[float], float | Value]
EPS = 2.0**-52
_SHRINK = 1.4
_STEPS = 10


class Slope(NamedTuple):
    """A derivative as differences see it.

    Attributes:
        value: the derivative.
        error: an estimate of its error; not a bound.
        step: the step at which it was found.
    """

    value: float
    error: float
    step: float


def central_difference(f: Curve, x: float, h: float) -> float:
    """(f(x + h) - f(x - h)) / 2h, whose error shrinks with h² until rounding takes over.

    >>> round(central_difference(math.sin, 0.0, 1e-3), 6)
    1.0
    """
    f, x, h = function(f, "f"), real(x, "x"), real(h, "h")
    return (_at(f, x + h) - _at(f, x - h)) / _distance(x + h, x - h)


def one_sided_difference(f: Curve, x: float, h: float) -> float:
    """(f(x + h) - f(x)) / h; a negative h looks to the left."""
    return (_at(f, x + h) - _at(f, x)) / _distance(x + h, x)


def _at(f: Curve, x: float) -> float:
    y: Any = f(x)
    if isinstance(y, Value):
        return y.data
    return y if isinstance(y, float) else real(y, "the result of f")


def _distance(a: float, b: float) -> float:
    if a == b:
        raise ZeroDivisionError(f"the step is too small: near {a!r} it leads to the same number")
    return a - b


def ridders(f: Curve, x: float, h: float, *, side: int = 0) -> Slope:
    """The derivative of f at x, extrapolated from differences with steps h, h / 1.4, h / 1.96, ... to step 0.

    Each difference has an error in even powers of its step (one-sided: in all powers), so combining two cancels the
    lowest. The best entry of the tableau is that which differs least from its neighbours.

    Args:
        f: a function of one number.
        x: where.
        h: the first and largest step.
        side: 1 or -1 for the derivative from the right or from the left; 0 looks to both sides.

    Raises:
        TypeError: if x or h is no number, side no integer, or f no function.
        ValueError: if side is neither 1, -1 nor 0.

    Source: Ridders, Accurate computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4, 1982.

    >>> slope = ridders(math.exp, 0.0, 0.1)
    >>> abs(slope.value - 1.0) < 1e-12, slope.error < 1e-9
    (True, True)
    """
    f, x, h, side = function(f, "f"), real(x, "x"), real(h, "h"), whole(side, "side", "side=1", least=-1, most=1)
    power = 1 if side else 2
    best = Slope(math.nan, math.inf, h)
    previous: list[float] = []
    for _ in range(_STEPS):
        row = [one_sided_difference(f, x, side * h) if side else central_difference(f, x, h)]
        factor = _SHRINK**power
        for older in previous:
            row.append((factor * row[-1] - older) / (factor - 1.0))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - older))
            if error < best.error:
                best = Slope(row[-1], error, h)
            factor *= _SHRINK**power
        if previous and abs(row[-1] - previous[-1]) > 2.0 * best.error and math.isfinite(best.error):
            break  # rounding has taken over
        previous, h = row, h / _SHRINK
    return best
