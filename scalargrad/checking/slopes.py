"""The slope of a function in one of its inputs as differences see it: smooth, at a kink, or not to be had.

A function of Values is looked at operation by operation (chain.py), once it is sure that its graph is all there is to
it; one of floats, or with operations written by hand, as a whole (ladder.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from scalargrad.checking.chain import Chain, Total
from scalargrad.checking.differences import EPS, ridders
from scalargrad.checking.ladder import any_slope
from scalargrad.checking.samples import Sample, UnusableError, kinks_between
from scalargrad.engine import topological_order

Samples = Callable[[float], Sample]
_ONE_SIDED_STEP = 1e-3
_SMALLEST_STEP = 1e-8
_TINY_NUMBER = 1e-100


class Numeric(NamedTuple):
    """What differences say about a slope.

    Attributes:
        low: the slope; at a kink the smaller of the two one-sided slopes.
        high: the same, or the larger of the two.
        error: how far off they may be.
        gross: how steep the parts are that add up to it; a slope far below that is 0 to within rounding.
        kinks: on how many kinks the point is.
        note: why there is no slope; empty if there is one.
        exact: whether nothing was rounded on the way, so that slopes that cancel do so in truth.
        truth: gives the slope that arithmetic without rounding has, None if that cannot be computed.
        variation: gives how steep the function is over ordinary steps around the point.
    """

    low: float
    high: float
    error: float
    gross: float
    kinks: int = 0
    note: str = ""
    exact: bool = False
    truth: Callable[[], float | None] = lambda: None
    variation: Callable[[], float] = lambda: 0.0


def numeric_slope(
    samples: Samples, x: float, place: int, total: Callable[[], Total | None], may_vanish: Callable[[], bool]
) -> Numeric:
    """The slope at x.

    Args:
        samples: the function of this one input.
        x: the point.
        place: which of the function's inputs it is.
        total: what the chain of the graph at x says, None if there is no such thing; asked only where it holds.
        may_vanish: whether the function moves when other inputs do.
    """
    try:
        here = samples(x)
        around = _surroundings(samples, x, here)
    except UnusableError as unusable:
        return _unknown(str(unusable))
    whole = None

    def variation() -> float:
        return _variation(samples, x, here)

    if around != "kink":
        chained = total() if around == "same" else None
        if chained is not None:
            return Numeric(
                chained.slope, chained.slope, chained.error, chained.gross, exact=chained.exact, truth=chained.truth,
                variation=variation,
            )  # fmt: skip
        whole = any_slope(_curve(samples, here), x, here.value, may_vanish)
        if math.isfinite(whole.error):
            return Numeric(whole.slope, whole.slope, whole.error, whole.steepness, variation=variation)
    kinked = _from_both_sides(samples, x, here, place)
    if whole is not None and not kinked.note and kinked.high - kinked.low <= 10.0 * kinked.error + 1e-6 * kinked.gross:
        return _unknown(whole.note)  # not a kink, but something that differences cannot see through
    return kinked


def _variation(samples: Samples, x: float, here: Sample) -> float:
    """The smallest of the slopes to numbers on both sides at ordinary distances, in size; 0.0 beside tiny numbers.

    Beside a number that is nearly 0, as at x = 1e-250, a slope may be as small without being 0.
    """
    numbers = [
        x,
        *here.constants,
        *(node._data for node in ([] if here.root is None else topological_order(here.root))),
    ]
    if any(0.0 < abs(a) < _TINY_NUMBER for a in numbers):
        return 0.0
    unit = max(1.0, abs(x))
    slopes = []
    for h in (0.25, 0.0625, -0.25, -0.0625):
        try:
            slopes.append(abs(samples(x + h * unit).value - here.value) / abs(h * unit))
        except UnusableError:
            return 0.0
    return min(slopes)


def _unknown(note: str) -> Numeric:
    return Numeric(0.0, 0.0, math.inf, 0.0, note=note)


def _curve(samples: Samples, here: Sample) -> Callable[[float], float | None]:
    """The function's number where it is computed as it is here."""

    def curve(t: float) -> float | None:
        try:
            there = samples(t)
        except UnusableError:
            return None
        return there.value if there.way == here.way else None

    return curve


def _surroundings(samples: Samples, x: float, here: Sample) -> str:
    """Of what kind x's surroundings are.

    Returns:
        'same' if the function is one and the same graph there, 'other' if it is not wholly in the graph, 'kink' if it
        is computed in another way on one side of x, however near.

    Raises:
        UnusableError: if there is a side on which it has no value, however near.
    """
    if here.root is None or not here.inputs:
        return "other"
    kind, problem = "kink", None
    for h in _nearer(x):
        try:
            there = [samples(x + h), samples(x - h)]
        except UnusableError as error:
            problem = error
            continue
        problem = None
        if all(one.way == here.way for one in there):
            kind = "same" if all(one.constants == here.constants for one in there) else "other"
            break
    if problem is not None:
        raise problem
    if kind == "same":
        for h in (0.125, 3.0):  # a number taken out of the graph may move in large steps only
            try:
                far = samples(x + h * max(1.0, abs(x)))
            except UnusableError:
                continue
            if far.way == here.way and far.constants != here.constants:
                return "other"
    return kind


def _nearer(x: float) -> Iterator[float]:
    """Steps from about a thousandth of x to what can still be added to it."""
    for k in (-10, -20, -30, -40, -49) if x else (-10, -20, -30, -60, -120, -240, -500, -1000):
        yield math.ldexp(abs(x) or 1.0, k) or 5e-324


# -------------------------------------------------------------------- at a kink


def _from_both_sides(samples: Samples, x: float, here: Sample, place: int) -> Numeric:
    """The slopes from the left and from the right, each where the function is computed in one way."""
    sides = []
    kinks = 1
    for side in (-1, 1):
        h = _ONE_SIDED_STEP * max(1.0, abs(x))
        note = "too many kinks near this point"
        found = None
        while h >= max(_SMALLEST_STEP * min(1.0, abs(x) or 1.0), 4096.0 * math.ulp(x)) and found is None:
            try:
                far, near = samples(x + side * h), samples(x + side * h / 512)
                if far.way == near.way:
                    kinks = max(kinks, kinks_between(here, near))
                    found = _one_sided(samples, x, here, side, h, place)
                    note = "the differences from one side do not settle"
            except UnusableError as unusable:
                note = str(unusable)
            h /= 16
        if found is None:
            return _unknown(note)
        slope, error, bend = found
        near_x = x + side * h / 8
        moved = slope * (near_x - x)
        rounding = 100.0 * EPS * max(abs(here.value), abs(moved))
        jump = abs(samples(near_x).value - here.value - moved)
        if jump > 0.01 * abs(moved) + (10.0 * error + bend) * abs(near_x - x) + rounding:
            return _unknown("the function jumps here")
        sides.append((slope, max(error, rounding / abs(near_x - x) / 100.0)))
    (left, left_error), (right, right_error) = sides
    size = max(abs(left), abs(right))
    return Numeric(min(left, right), max(left, right), max(left_error, right_error), size, kinks)


def _one_sided(
    samples: Samples, x: float, here: Sample, side: int, h: float, place: int
) -> tuple[float, float, float] | None:
    """The slope from one side, its error and by how much it changes over a step, if steps of this size show it."""
    points = [samples(x + side * h / n) for n in (8, 64, 512)]
    slopes = []
    for point in points:
        chain = Chain(point.root, point.inputs) if point.root is not None and point.inputs else None
        if chain is None or chain.opaque or any(one.constants != point.constants for one in points):
            break
        slopes.append(chain.gradient()[place])
    if len(slopes) == len(points):
        first, second = (b.slope + (b.slope - a.slope) / 7 for a, b in pairwise(slopes))
        error = abs(second - first) + max(total.error for total in slopes)
        bend = 2.0 * abs(slopes[0].slope - second)
        good = error <= 1e-3 * max(abs(second), *(total.gross for total in slopes))
        return (second, error, bend) if good else None

    def curve(t: float) -> float:
        there = samples(t)
        if t != x and there.way != points[0].way:
            raise UnusableError("too many kinks near this point")
        return there.value

    try:
        two = [ridders(curve, x, step, side=side) for step in (h, h / 16)]
    except ZeroDivisionError:  # the steps are as small as the last places of x
        return None
    best = min(two, key=lambda slope: slope.error)
    rounding = 10.0 * EPS * abs(here.value) / best.step
    error = max(best.error, abs(two[0].value - two[1].value), rounding)
    scale = max(abs(best.value), abs(points[0].value - here.value) / h)
    if error > max(1e-5 * scale, 1e-9):
        return None
    bend = abs((points[0].value - here.value) / (x + side * h / 8 - x) - best.value)
    for n in (16**2, 16**3, 16**4):  # a stair that rounding makes has other slopes at smaller steps
        t = x + side * h / n
        if abs(t - x) < 64.0 * math.ulp(x):
            break
        noise = 8.0 * EPS * max(abs(here.value), abs(points[0].value)) / abs(t - x)
        if abs((curve(t) - here.value) / (t - x) - best.value) > noise + 10.0 * error + bend:
            return None
    return best.value, error, min(2.0 * bend, 0.1 * abs(best.value) + error)
