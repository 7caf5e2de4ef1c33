"""The slope of one curve at one point from differences at many scales: a ladder of steps, each with its own error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
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
        even: whether f(x - d) is f(x + d) for each step d, to the last bit, while f moves.
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
    even: bool
    sides: tuple[bool, bool]

    @property
    def error(self) -> float:
        """How far off the slope may be."""
        return self.rough + self.noise

    @property
    def resolves(self) -> bool:
        """Whether the curve is smooth at this scale, as far as rounding lets one see.

        Of one that varies within a step the samples are as good as random, and far from what they predict.
        """
        return self.rough <= 1e-3 * self.steepness + 2.0 * self.noise


class Found(NamedTuple):
    """The slope on which two neighbouring scales agree.

    Attributes:
        slope: the slope.
        error: how far off it may be; inf if no two scales agree on anything.
        steepness: how steep the curve is around x; what is far below that is 0 to within rounding.
        note: why there is none.
        step: the larger of the two steps.
    """

    slope: float
    error: float
    steepness: float
    note: str = ""
    step: float = 0.0


NOTHING = Found(0.0, math.inf, 0.0, "differences of no two scales agree here")


def estimate(curve: Curve, x: float, here: float, h: float, ulps: float, own_ulps: float) -> Estimate | None:
    """Differences with the steps h, h / 2 and h / 4, extrapolated to step 0; None if a sample is unusable.

    Args:
        curve: the function.
        x: where.
        here: its value there.
        h: the largest step, of few binary digits, so that the samples mostly lie exactly as far left as right.
        ulps: how inaccurate a value may be, in units of its last place.
        own_ulps: the same in units of the last place of x: what rounding x * c inside of the function would do.
    """
    slopes, middles, size, offset, steepness = [], [], abs(here), 0.0, 0.0
    left_moves = right_moves = False
    is_centred = is_even = True
    for d in (h, h / 2, h / 4):
        right, left = x + d, x - d
        if x in (right, left):
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
        beside = ((right - d) - x) + ((left + d) - x)
        is_centred = is_centred and beside == 0.0
        is_even = is_even and above == below
        offset = max(offset, abs(beside) / d * abs(to_right - to_left))
        size = max(size, abs(above), abs(below))
        steepness = max(steepness, abs(to_right), abs(to_left))
        right_moves, left_moves = right_moves or above != here, left_moves or below != here
    flat = not (left_moves or right_moves)
    coarse, fine = (4 * slopes[1] - slopes[0]) / 3, (4 * slopes[2] - slopes[1]) / 3
    exact = slopes[0] == slopes[1] == slopes[2]
    best = slopes[0] if exact else fine + (fine - coarse) / 15
    middle_coarse, middle_fine = (4 * middles[1] - middles[0]) / 3, (4 * middles[2] - middles[1]) / 3
    predicted = middle_fine + (middle_fine - middle_coarse) / 15
    noise = _BOUND * (EPS * (ulps * size + own_ulps * abs(x) * steepness) / h)
    noise += TINY + TINY / h  # of numbers too small for a float as well: they are 0, and look flat
    rough = abs(best - fine) + abs(predicted - here) / h + offset
    if not math.isfinite(best + rough + noise):
        return None
    return Estimate(
        best, rough, noise, h, size, steepness, flat, exact,
        is_even and is_centred and not flat, (left_moves, right_moves),
    )  # fmt: skip


def steps(x: float, largest: float, ratio: int = 3) -> Iterator[float]:
    """Steps from about `largest` down to what x can still be moved by; between 1e-20 and x farther apart.

    Their mantissas have few digits and no pattern, so that no period of a function is a multiple of many of them.
    """
    k = min(math.frexp(largest)[1], 1019)
    own = math.frexp(x)[1] if x else -2000
    smallest = max(own - 46, -1000)
    while k >= smallest:
        yield math.ldexp(1.0 + (k * k * 7 + k * 13 + 22) % 31 / 64, k)
        k -= ratio if k > -66 or k <= own + ratio else max(ratio, min(10 * ratio, k - own))


def pairs(found: Sequence[Estimate]) -> list[tuple[int, Found]]:
    """The neighbouring scales that both resolve and agree, as the smaller one's index and what they say; best first."""
    agreeing = []
    for i, (larger, smaller) in enumerate(pairwise(found)):
        if not (larger.resolves and smaller.resolves):
            continue
        one = larger if larger.error <= smaller.error else smaller
        apart = abs(larger.slope - smaller.slope)
        steepness = max(larger.steepness, smaller.steepness)
        if apart > 3e-3 * steepness + 3.0 * (larger.error + smaller.error):
            continue
        error = max(one.error, apart)
        if i <= 1 and larger.exact and smaller.exact and larger.slope == smaller.slope != 0.0:
            error = min(error, 2 * EPS * abs(one.slope) + smaller.rough)  # straight over steps as large as x
        agreeing.append((i + 1, Found(one.slope, error, steepness, "", larger.step)))
    return sorted(agreeing, key=lambda pair: pair[1].error)


def known_slope(curve: Curve, x: float, here: float, largest: float, good: float = 1e-9) -> Found:
    """The slope of a function without hidden features, accurate to the last places: an op of the package.

    It is done as soon as two neighbouring scales agree.
    """
    found: list[Estimate] = []
    best = NOTHING
    for h in steps(x, largest):
        one = estimate(curve, x, here, h, 1.0, 0.0)
        if one is None:
            continue
        if not found and one.exact and one.slope and one.rough <= one.noise <= good * abs(one.slope):
            return Found(
                one.slope, 2 * EPS * abs(one.slope) + one.rough + TINY, abs(one.slope), "", h
            )  # a straight line
        found.append(one)
        if len(found) > 1 and (latest := pairs(found[-2:])) and latest[0][1].error < best.error:
            best = latest[0][1]
        if best.error <= good * abs(best.slope):
            return best._replace(steepness=abs(best.slope))
        if len(found) > 12 and one.noise > 1e3 * max(e.steepness for e in found):
            break
    # Symmetric about 0, as a square or a cosine: where an odd part could not hide in the rounding of every step.
    if _is_symmetric(x, found):
        return Found(0.0, 0.0, 0.0)
    borne_out = (slope for index, slope in pairs(found) if _borne_out(found[index:], slope, 4.0))
    best = next(borne_out, NOTHING)
    return best._replace(steepness=abs(best.slope))


def _is_symmetric(x: float, found: Sequence[Estimate]) -> bool:
    """Whether x is 0 and f(-d) is f(d) at every scale, and f is smooth: the absolute value is not."""
    even = [one for one in found if one.even]
    return x == 0.0 and len(even) > 4 and all(e.even or e.flat for e in found) and all(e.resolves for e in even[-4:])


def any_slope(curve: Curve, x: float, here: float, may_vanish: Callable[[], bool], ulps: float = 4.0) -> Found:
    """The slope of a function of which nothing is known: every scale is looked at, down to the last places of x.

    What two neighbouring scales agree on holds only if all smaller ones bear it out as far as rounding lets them see.
    `may_vanish` tells of a curve that is 0 everywhere whether that can be meant, as of x * y in y if x is 0.
    """
    found = [
        one for h in steps(x, max(1.0, abs(x)) * 4.0) if (one := estimate(curve, x, here, h, ulps, 1.0)) is not None
    ]
    if here == 0.0 and _is_symmetric(x, found):  # beside 0 an odd part would be seen, however small
        return Found(0.0, 0.0, 0.0)
    agreeing = pairs(found)
    for index, slope in agreeing:
        if not _borne_out(found[index:], slope, ulps):
            continue
        if found[index].flat and found[index - 1].flat:
            moving = sorted((t for t in far_and_near(x, 10) if curve(t) not in (None, here)), key=lambda t: abs(t - x))
            if not moving and here == 0.0 and not may_vanish():
                return NOTHING._replace(note="the function is 0 everywhere, as if rounding had taken all of it")
            if not moving:
                return Found(0.0, 0.0, 0.0)
            ends = [t for t in (next((t for t in moving if (t > x) == right), None) for right in (True, False)) if t]
        else:
            ends = _where_it_ends(curve, x, here, found[: index - 1], slope)
        if any(_jumps(curve, x, here, slope, end) for end in ends):
            return NOTHING._replace(note="the function jumps near here, as rounding inside of it would make it")
        return slope
    if agreeing:
        return NOTHING._replace(note="differences of smaller steps say something else, more than rounding explains")
    return NOTHING


def _borne_out(found: Sequence[Estimate], slope: Found, ulps: float) -> bool:
    """Whether all smaller scales agree with the slope, as far as rounding lets them."""
    size = found[0].size
    for smaller in found[1:]:
        noise = max(smaller.noise, _BOUND * EPS * ulps * size / smaller.step)
        slack = 10.0 * slope.error
        if abs(smaller.slope - slope.slope) > 3.0 * noise + slack or smaller.rough > 4.0 * noise + slack:
            return False
    return True


def _where_it_ends(curve: Curve, x: float, here: float, larger: Sequence[Estimate], slope: Found) -> list[float]:
    """Samples to the left and right that lie beyond the smooth piece around x: off the line that it is."""

    def off(t: float) -> float:
        y = curve(t)
        return -1.0 if y is None else abs(y - here - slope.slope * (t - x))

    beyond = [
        one for one in larger if not one.resolves or abs(one.slope - slope.slope) > 10.0 * slope.error + 3.0 * one.error
    ]
    tries = [[x + side * one.step / n for n in (1, 2, 4)] for one in beyond[-2:] for side in (1.0, -1.0)]
    return [max(three, key=off) for three in tries]


def _jumps(curve: Curve, x: float, here: float, slope: Found, far: float) -> bool:
    """Whether the smooth piece around x ends in a jump on the way to `far`: as a stair does that rounding makes.

    A smooth function, however narrow its features, does not jump; where it grows out of all proportion there is a pole.
    """
    near, low, high = x, here, curve(far)
    if high is None:
        return False
    size = max(abs(low), abs(high))
    steepest = max(slope.steepness, abs(high - low) / abs(far - near))
    while abs(high - low) > 8.0 * EPS * size:
        middle = near / 2 + far / 2
        y = curve(middle) if middle not in (near, far) else None
        if y is None or abs(y) > 100.0 * size:  # adjacent numbers; the end of the domain; a pole
            break
        line = slope.slope * (middle - near)
        if abs(y - low - line) > abs(high - y - slope.slope * (far - middle)):
            far, high = middle, y
        else:
            near, low = middle, y
    ulp = max(math.ulp(far), math.ulp(near))
    jump = abs(high - low)
    if abs(far - near) > 2.0 * ulp or jump <= 32.0 * (EPS * size + steepest * abs(far - near)):
        return False
    margin = math.copysign(32.0 * ulp, far - near)  # where a curve is steep, wider steps are so much higher
    before, after = curve(near - margin), curve(far + margin)
    return before is None or after is None or abs(after - before) < 4.0 * jump


def far_and_near(x: float, farthest: int) -> Iterator[float]:
    """Numbers all over: x moved by powers of 2, up to 2**farthest times as much as x, and these powers themselves."""
    unit = max(1.0, abs(x))
    for k in (*range(-40, 41, 5), *range(50, 1001, 25)):
        if k > farthest:
            break
        yield from filter(math.isfinite, (x + 2.0**k * unit, x - 2.0**k * unit, 2.0**k, -(2.0**k)))


def is_constant(curve: Curve, x: float, here: float, farthest: int) -> bool:
    """Whether the curve has this value wherever it is usable, near and far: up to 2**farthest times x."""
    seen = 0
    for t in far_and_near(x, farthest):
        y = curve(t)
        if y is not None:
            seen += 1
            if y != here:
                return False
    return seen >= 4
