"""How far an op's value and its derivatives are from exact, in units in the last place, and what explains it."""

import functools
import math
import warnings
from dataclasses import dataclass, field

import mpmath
from accuracy_points import is_legal, points
from exact_forms import density, exact, on_kink, settled
from mpmath import mp, mpf

from scalargrad import Value
from scalargrad.strategies import call
from scalargrad.table import TABLE

VALUE_BAR, DERIVATIVE_BAR = 2, 4
VALUE_BARS = {"tanh": 4}
"""Of values for which the C library's function needs more: glibc's tanh has been seen 2.15 units off."""
TOP = mpf(2) ** 1024
UNIT = mpf(2) ** -1074
"""The smallest number above 0."""
SMALLEST_NORMAL = mpf(2) ** -1022
EPSILON = mpf(2) ** -52


@dataclass
class Worst:
    """The largest error of those counted here.

    Attributes:
        ulps: how large it is, of those that are finite.
        at: the operands there.
        absolute: the distance from the exact number there.
        count: how many errors.
        infinite: how many of them are infinite, or NaN in place of a number.
        at_infinite: the operands of the first of these.
    """

    ulps: float = -1.0
    at: tuple = ()
    absolute: float = 0.0
    count: int = 0
    infinite: int = 0
    at_infinite: tuple = ()

    def see(self, ulps, at, absolute):
        """Count this one."""
        self.count += 1
        if not math.isfinite(ulps):
            self.infinite += 1
            self.at_infinite = self.at_infinite or at
        elif self.ulps < ulps:
            self.ulps, self.at, self.absolute = ulps, at, absolute


@dataclass
class Accuracy:
    """The errors of one number that an op gives: its value (index -1), or its derivative by an operand.

    Attributes:
        within: those within the bar.
        cancellation: above it, but not above the bar times the units that half a unit of the operands makes.
        underflow: not explained so, but by results below 2**-1022, which have fewer digits: at most 1024 times the
            smallest number above 0, or 4 units that a value of this kind is known to.
        plain: of a rule that is plain on purpose, within its own limit.
        wrong: all others.
        errors: how many units each of them is, all kinds together.
    """

    name: str
    index: int
    within: Worst = field(default_factory=Worst)
    cancellation: Worst = field(default_factory=Worst)
    underflow: Worst = field(default_factory=Worst)
    plain: Worst = field(default_factory=Worst)
    wrong: Worst = field(default_factory=Worst)
    errors: list = field(default_factory=list)

    @property
    def bar(self):
        """The largest error that needs no explanation."""
        return VALUE_BARS.get(self.name, VALUE_BAR) if self.index < 0 else DERIVATIVE_BAR

    def see(self, xs, operand, got, right):
        """Compare what the engine gives at these operands, by one of them or -1, with the exact number."""
        error = error_of(got, right)
        ulps = float(error / spacing(right))
        self.errors.append(ulps)
        if ulps <= self.bar:
            self.within.see(ulps, xs, error)
            return
        moves = float(movement(self.name, xs, operand, right))
        limit = LIMITS.get((self.name, self.index))
        if ulps <= self.bar * max(1.0, moves) and math.isfinite(ulps):
            self.cancellation.see(ulps, xs, error)
        elif error <= underflow(self.name, xs, right):
            self.underflow.see(ulps, xs, error)
        elif limit is not None and error <= limit(xs, right):
            self.plain.see(ulps, xs, error)
        else:
            self.wrong.see(ulps, xs, error)


def underflow(name, xs, right):
    """What an intermediate result below the normal floats explains, and a value that is one."""
    value = abs(exact(name, list(map(mpf, xs)), -1))
    return max(1024 * UNIT, 4 * UNIT / value * abs(right) if 0 < value < SMALLEST_NORMAL else 0)


def _power_limit(xs, right):
    x, y = map(mpf, xs)
    factor = exact("power", [x, y - 1], -1)
    if factor >= TOP:
        return mpf("inf")
    return abs(y) * UNIT + 4 * EPSILON * abs(right) * max(1, abs(mpmath.log(x)))


LIMITS = {
    ("tanh", 0): lambda xs, right: 2 * EPSILON,
    ("sigmoid", 0): lambda xs, right: EPSILON,
    **dict.fromkeys(
        (("arctan", 0), ("arctan2", 0), ("arctan2", 1)),
        lambda xs, right: SMALLEST_NORMAL if abs(right) < SMALLEST_NORMAL else 0,
    ),
    ("power", 0): _power_limit,
    ("mean", -1): lambda xs, right: EPSILON * mpmath.fsum(map(abs, xs)),
    ("elu", 0): lambda xs, right: abs(xs[1]) * UNIT,
    ("gelu", -1): lambda xs, right: 8 * spacing(right) * max(1, movement("gelu", xs, -1, right)),
    ("gelu", 0): lambda xs, right: 4 * spacing(xs[0] * density(mpf(xs[0]))),
    ("logsumexp", -1): lambda xs, right: 4 * EPSILON * max(1.0, *map(abs, xs)),
    ("logsumexp", 0): lambda xs, right: 4 * EPSILON * right * max(1, abs(exact("logsumexp", list(map(mpf, xs)), -1))),
}
"""What rules that are plain on purpose may be off by, where nothing else explains it."""


def spacing(right):
    """The unit in the last place of the floats around a number."""
    exponent = mpmath.frexp(right)[1] - 1 if right else -1074
    return mpf(2) ** (min(max(exponent, -1022), 1023) - 52)


def error_of(got, right):
    """The distance of a float from the exact number; beyond the largest float all numbers are 2**1024.

    NaN, and inf where it is no rounding of the largest numbers, are infinitely far.
    """
    if math.isnan(got) or (math.isinf(got) and abs(right) < TOP * (1 - 4 * EPSILON)):
        return mpf("inf")
    return abs(min(max(mpf(got), -TOP), TOP) - min(max(right, -TOP), TOP))


def movement(name, xs, index, right):
    """By how many units the exact result moves if each operand moves by half a unit, all effects added."""
    total = mpf(0)
    for i, x in enumerate(xs):
        moved = [mpf(0)]
        for way in (-math.inf, math.inf):
            neighbour = math.nextafter(x, way)
            if is_legal(name, [*xs[:i], neighbour, *xs[i + 1 :]]):
                near = [mpf(v) for v in xs]
                near[i] = (near[i] + mpf(neighbour)) / 2
                number = exact(name, near, index)
                moved += [abs(number - right)] if number is not None else []
        total += max(moved)
    return total / spacing(right)


def computed(name, xs):
    """What the engine gives: the value and the derivative by each operand, None where there is none to compare."""
    values = [Value(x) for x in xs]
    if name == "power" and xs[0] < 0:  # no slope in the exponent
        values[1] = xs[1]
    z = call(TABLE[name], values)
    z.backward()
    # Where the value has overflowed, so may all that is computed from it; on a kink the page of hard points says more.
    silent = math.isinf(z.data) or on_kink(name, xs)
    return [z.data, *(None if silent or not isinstance(x, Value) else x.grad for x in values)]


@functools.cache
def measured(name, count):
    """The accuracy of an op at so many points: its value's, and its derivatives', those by many operands as one."""
    op = TABLE[name]
    found = [Accuracy(name, index) for index in range(-1, op.arity or 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for xs in points(name, count):
            for index, got in enumerate(computed(name, xs), -1):
                right = settled(name, xs, index) if got is not None else None
                if right is not None:
                    of = index if op.arity else min(index, 0)
                    with mp.workdps(60):
                        found[of + 1].see(tuple(xs), index, got, right)
    return found
