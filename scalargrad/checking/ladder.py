"""The slope of one curve at one point from differences at many scales: a ladder of steps, each with its own error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from scalargrad.checking.differences import EPS

Curve = Callable[[float], "float | None"]
"""A function of one number; None where it has no finite value, or where a sample would say nothing about x."""

TINY = 5e-324
_BOUND = 6.0
"""How much of the noise of a sample is in an extrapolated difference of step h, times h."""


class Estimate(NamedTuple):
    """What the differences of one scale say.

    Attributes:
        slope: extrapolated from the steps h, h / 2 and h / 4.
        rough: by how much the extrapolations, and the number they predict for f(x), are off: curvature, or noise.
        noise: what rounding of the samples can do to the slope.
        step: h.
        size: the largest number among the samples.
        steepness: the largest one-sided difference, in size.
        flat: whether all samples are the same number.
        exact: whether the differences of all three steps are the same number, and so free of curvature.
        sides: whether the samples (left, right) of x differ from f(x).
    """

    slope: float
    rough: float
    noise: float
    step: float
    size: float
    steepness: float
    flat: bool
    exact: bool
    sides: tuple[bool, bool]

    @property
    def error(self) -> float:
        """How far off the slope may be."""
        return self.rough + self.noise


class Found(NamedTuple):
    """The slope on which two neighbouring scales agree.

    Attributes:
        slope: the slope.
        error: how far off it may be; inf if no two scales agree on anything.
        steepness: how steep the curve is around x; what is far below that is 0 to within rounding.
        note: why there is none.
    """

    slope: float
    error: float
    steepness: float
    note: str = ""


NOTHING = Found(0.0, math.inf, 0.0, "differences of no two scales agree here")


def estimate(curve: Curve, x: float, here: float, h: float, ulps: float, own_ulps: float) -> Estimate | None:
    """Differences with the steps h, h / 2 and h / 4, extrapolated to step 0; None if a sample is unusable.

    Args:
        curve: the function.
        x: where.
        here: its value there.
        h: the largest step, a power of 2, so that the samples mostly lie exactly as far to the left as to the right.
        ulps: how inaccurate a value may be, in units of its last place.
        own_ulps: the same in units of the last place of x: what rounding x * c inside of the function would do.
    """
    slopes, middles, size, offset, steepness = [], [], abs(here), 0.0, 0.0
    flat, left_moves, right_moves = True, False, False
    for d in (h, h / 2, h / 4):
        right, left = x + d, x - d
        if right == x or left == x:
            return None
        above, below = curve(right), curve(left)
        if above is None or below is None:
            return None
        slope = (above - below) / (right - left)
        to_right, to_left = (above - here) / (right - x), (here - below) / (x - left)
        if not (math.isfinite(slope) and math.isfinite(to_right) and math.isfinite(to_left)):
            return None
        slopes.append(slope)
        middles.append(above / 2 + below / 2)
        # Where x + d is rounded the samples are not centred on x: the slope is that of a point beside it.
        offset = max(offset, abs((right - x) - (x - left)) / (right - left) * abs(to_right - to_left))
        size = max(size, abs(above), abs(below))
        steepness = max(steepness, abs(to_right), abs(to_left))
        right_moves, left_moves = right_moves or above != here, left_moves or below != here
    flat = not (left_moves or right_moves)
    coarse, fine = (4 * slopes[1] - slopes[0]) / 3, (4 * slopes[2] - slopes[1]) / 3
    best = fine + (fine - coarse) / 15
    middle_coarse, middle_fine = (4 * middles[1] - middles[0]) / 3, (4 * middles[2] - middles[1]) / 3
    predicted = middle_fine + (middle_fine - middle_coarse) / 15
    exact = slopes[0] == slopes[1] == slopes[2]
    even = exact and slopes[0] == 0.0 and not flat and offset == 0.0
    noise = _BOUND * (EPS * (ulps * size + own_ulps * abs(x) * steepness) / h) + (TINY / h if size else 0.0)
    rough = abs(best - fine) + abs(predicted - here) / h + offset
    if not math.isfinite(best + rough + noise):
        return None
    if even:  # f(x + d) is f(x - d) for each d, while f moves: nothing is left to be rounded
        noise = 0.0
        rough = 0.0 if abs(predicted - here) <= _BOUND * EPS * ulps * size else rough
    return Estimate(best, rough, noise, h, size, steepness, flat, exact, (left_moves, right_moves))


def steps(x: float, largest: float, ratio: int = 3) -> Iterator[float]:
    """Powers of 2 from about `largest` down to what x can still be moved by; around 0 farther and farther apart."""
    k = min(math.frexp(largest)[1], 1020)
    smallest = math.frexp(x)[1] - 46 if x else -1000
    while k >= max(smallest, -1000):
        yield math.ldexp(1.0, k)
        k -= ratio if k > -66 else 10 * ratio


def agreeing(found: Sequence[Estimate]) -> tuple[int, Found] | None:
    """The two neighbouring scales that agree best, as the index of the smaller one and what they say."""
    best: tuple[int, Found] | None = None
    for i, (larger, smaller) in enumerate(zip(found, found[1:], strict=False)):
        one = larger if larger.error <= smaller.error else smaller
        error = max(one.error, abs(larger.slope - smaller.slope))
        if larger.exact and smaller.exact and larger.slope == smaller.slope and not larger.flat and one.slope:
            error = min(error, 2 * EPS * abs(one.slope) + smaller.rough)  # straight: no curvature, and no rounding seen
        if best is None or error < best[1].error:
            best = i + 1, Found(one.slope, error, max(larger.steepness, smaller.steepness))
    return best


def known_slope(curve: Curve, x: float, here: float, largest: float, good: float = 1e-9) -> Found:
    """The slope of a function without hidden features, accurate to the last places: an op of the package.

    It is done as soon as two neighbouring scales agree.
    """
    found: list[Estimate] = []
    best: tuple[int, Found] | None = None
    for h in steps(x, largest):
        one = estimate(curve, x, here, h, 2.0, 0.0)
        if one is None:
            continue
        found.append(one)
        best = agreeing(found)
        if best is not None and best[1].error <= good * abs(best[1].slope):
            break
        if best is not None and best[1].error == 0.0:
            break
        if found[-1].noise > 1e3 * max(e.steepness for e in found) and len(found) > 20:
            break
    return best[1]._replace(steepness=abs(best[1].slope)) if best else NOTHING


def any_slope(curve: Curve, x: float, here: float, ulps: float = 4.0) -> Found:
    """The slope of a function of which nothing is known: every scale is looked at, down to the last places of x.

    What two neighbouring scales agree on holds only if all smaller ones bear it out as far as rounding lets them see.
    """
    found = [
        one
        for h in steps(x, max(1.0, abs(x)) * 8.0)
        if (one := estimate(curve, x, here, h, ulps, 1.0)) is not None
    ]
    best = agreeing(found)
    if best is None:
        return NOTHING
    index, slope = best
    if found[index].flat and found[index - 1].flat:
        return _flat(curve, x, here, found, slope)
    floor = found[index].size
    for smaller in found[index + 1 :]:
        noise = max(smaller.noise, _BOUND * EPS * ulps * floor / smaller.step)
        apart = abs(smaller.slope - slope.slope)
        if apart > 3 * noise + 10 * slope.error or smaller.rough > 4 * noise + 10 * slope.error:
            return NOTHING._replace(note="differences of smaller steps say something else, more than rounding explains")
    return slope


def _flat(curve: Curve, x: float, here: float, found: Sequence[Estimate], slope: Found) -> Found:
    """A curve that does not move around x: constant, or a staircase that rounding makes of a slope."""
    if is_constant(curve, x, here):
        return Found(0.0, 0.0, 0.0)
    moving = [one for one in found if not one.flat]
    if moving and all(min(moving, key=lambda one: one.step).sides):
        return NOTHING._replace(note="the function does not move near here: flat, or too large a number to move")
    return slope


def is_constant(curve: Curve, x: float, here: float) -> bool:
    """Whether the curve has this value wherever it is usable, near and very far."""
    seen = 0
    for k in range(-40, 201, 8):
        for t in (x + 2.0**k, x - 2.0**k, 2.0**k, -(2.0**k)):
            y = curve(t)
            if y is not None:
                seen += 1
                if y != here:
                    return False
    return seen >= 4
