"""The slope of one curve at one point as differences see it: smooth, at a kink, or not to be had."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scalargrad.checking.differences import EPS, Slope, ridders
from scalargrad.checking.samples import Branches, UnusableError

Samples = Callable[[float], tuple[float, Branches]]
_FIRST_STEPS = (1e-2, 1e-3)
_SMALLEST_STEP = 1e-8
_ONE_SIDED_STEP = 1e-3


class Numeric(NamedTuple):
    """What differences say about a slope.

    Attributes:
        low: the slope; at a kink the smaller of the two one-sided slopes.
        high: the same, or the larger of the two.
        error: how far off they may be.
        kinks: on how many kinks the point is.
        note: why there is no slope; empty if there is one.
    """

    low: float
    high: float
    error: float
    kinks: int = 0
    note: str = ""


def numeric_slope(samples: Samples, x: float, *, sees_branches: bool) -> Numeric:
    """The slope at x by two tableaux of Ridders, with the error that both agree on.

    The steps shrink until every sample lies on the same side of all kinks as x. If none does, x is on a kink, and both
    one-sided slopes are taken.
    """
    scale = max(1.0, abs(x))
    try:
        here, branches_here = samples(x)
    except UnusableError as error:
        return Numeric(0.0, 0.0, float("inf"), note=str(error))
    seen: set[Branches] = set()

    def curve(t: float) -> float:
        y, branches = samples(t)
        seen.add(branches)
        return y

    note = ""
    steps = _FIRST_STEPS
    while steps[-1] >= _SMALLEST_STEP:
        seen.clear()
        try:
            slopes = [ridders(curve, x, h * scale) for h in steps]
        except UnusableError as error:
            note = str(error)
        else:
            if seen <= {branches_here}:
                return _together(slopes, here) if sees_branches else _unless_kinked(slopes, samples, x, here, scale)
            note = ""
        steps = (steps[0] / 10, steps[1] / 10)
    if note:
        return Numeric(0.0, 0.0, float("inf"), note=note)
    return _from_both_sides(samples, x, here, scale, branches_here)


def _together(slopes: list[Slope], here: float) -> Numeric:
    """The better of two estimates; its error is what it says itself, or their disagreement, or rounding."""
    best = min(slopes, key=lambda slope: slope.error)
    rounding = 10.0 * EPS * abs(here) / best.step
    disagreement = max(abs(slope.value - best.value) for slope in slopes)
    return Numeric(best.value, best.value, max(best.error, disagreement, rounding))


def _unless_kinked(slopes: list[Slope], samples: Samples, x: float, here: float, scale: float) -> Numeric:
    """Of a function whose branches cannot be seen: a kink is where the slopes of both sides differ clearly."""
    smooth = _together(slopes, here)
    sides = _from_both_sides(samples, x, here, scale)
    if sides.note or sides.high - sides.low <= 10.0 * (sides.error + smooth.error) + 1e-6 * abs(sides.high):
        return smooth
    return sides


def _from_both_sides(samples: Samples, x: float, here: float, scale: float, branches_here: Branches = ()) -> Numeric:
    """The slopes from the left and from the right, each within one branch."""
    sides = []
    kinks = 1
    for side in (-1, 1):
        h = _ONE_SIDED_STEP * scale
        while True:
            try:
                far, first = samples(x + side * h)
                near, second = samples(x + side * h / 1e3)
                if first == second:
                    if abs(near - here) > 0.1 * abs(far - here) + 100.0 * EPS * abs(here):
                        return Numeric(0.0, 0.0, float("inf"), note="the function jumps here")
                    slope = ridders(lambda t: samples(t)[0], x, h, side=side)
                    kinks = max(kinks, sum(a != b for a, b in zip(first, branches_here, strict=False)))
                    break
            except UnusableError as unusable:
                if h < _SMALLEST_STEP:
                    return Numeric(0.0, 0.0, float("inf"), note=str(unusable))
            if h < _SMALLEST_STEP:
                return Numeric(0.0, 0.0, float("inf"), note="too many kinks near this point")
            h /= 10
        rounding = 10.0 * EPS * abs(here) / slope.step
        sides.append((slope.value, max(slope.error, rounding)))
    (left, left_error), (right, right_error) = sides
    return Numeric(min(left, right), max(left, right), max(left_error, right_error), kinks)
