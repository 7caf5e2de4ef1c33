"""The values of the ops on floats, where Python's math module would raise, round or answer otherwise.

Overflow gives inf, NaN stays NaN, and each function is stable over the whole range.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce

from scalargrad.support.reals import kept_types

inf = math.inf
SQRT2 = math.sqrt(2.0)


def exp(x: float) -> float:
    """e**x."""
    try:
        return math.exp(x)
    except OverflowError:
        return inf


def exp2(x: float) -> float:
    """2**x."""
    try:
        return math.pow(2.0, x)
    except OverflowError:
        return inf


def expm1(x: float) -> float:
    """e**x - 1, accurate near 0."""
    try:
        return math.expm1(x)
    except OverflowError:
        return inf


def sinh(x: float) -> float:
    """(e**x - e**-x) / 2."""
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(inf, x)


def cosh(x: float) -> float:
    """(e**x + e**-x) / 2."""
    try:
        return math.cosh(x)
    except OverflowError:
        return inf


def cbrt(x: float) -> float:
    """The real cube root, of negative numbers too."""
    if x == 0.0 or not math.isfinite(x):
        return x
    root = math.copysign(abs(x) ** (1 / 3), x)
    return root - (root - x / (root * root)) / 3  # one Newton step: right to the last digit or two


def power(x: float, y: float) -> float:
    """x**y; ValueError where the result is not real."""
    if y == 2.0:  # products are quicker than C's pow; compiled programs do the same
        return x * x
    if y == 3.0:
        return x * x * x
    try:
        z: float | complex = x**y
    except OverflowError:  # a complex power may overflow too
        z = inf if x >= 0 or y % 2 == 0 else -inf if y % 2 == 1 else 1j
    if isinstance(z, complex):
        raise ValueError("a negative number has no real fractional power")
    return z


def sigmoid(x: float) -> float:
    """1 / (1 + e**-x), from the side that cannot overflow."""
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    z = exp(x)
    return z / (1 + z)


def softplus(x: float) -> float:
    """log(1 + e**x) without overflow."""
    return x if math.isnan(x) else max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def silu(x: float) -> float:
    """X * sigmoid(x)."""
    return -0.0 if x == -inf else x * sigmoid(x)


def gelu(x: float) -> float:
    """X times the normal distribution function."""
    return -0.0 if x == -inf else 0.5 * x * math.erfc(-x / SQRT2)


def elu(x: float, a: float) -> float:
    """X above 0, a * (e**x - 1) below."""
    return a * math.expm1(x) if x <= 0 else x


def maximum(x: float, y: float) -> float:
    """The larger; NaN if either is."""
    return x if x >= y or math.isnan(x) else y


def minimum(x: float, y: float) -> float:
    """The smaller; NaN if either is."""
    return x if x <= y or math.isnan(x) else y


def relu(x: float) -> float:
    """X above 0, else 0."""
    return 0.0 if x <= 0 else x


def leaky_relu(x: float, a: float) -> float:
    """X above 0, a * x below."""
    return a * x if x <= 0 else x


def step(x: float) -> float:
    """1 above 0, else 0."""
    return 1.0 if x > 0 else 0.0 if x <= 0 else x


def greater(x: float, y: float) -> float:
    """1 if x > y, else 0."""
    return 1.0 if x > y else 0.0 if x <= y else math.nan


def clip(xs: list[float]) -> float:
    """X held between low and high."""
    x, low, high = xs
    if low > high:
        raise ValueError(f"the lower bound {low!r} is above the upper bound {high!r}")
    return minimum(maximum(x, low), high)


def where(xs: list[float]) -> float:
    """X if the condition is not 0, else y."""
    condition, x, y = xs
    return condition if condition != condition else x if condition else y


def taken(xs: Sequence[float]) -> float:
    """Of the operands after the first the one that it counts to, from 0."""
    index, n = xs[0], len(xs) - 1
    problem = no_place(index, n)
    if problem:
        raise IndexError(problem)
    return xs[1 + int(index)]


def no_place(index: float, n: int) -> str:
    """Why this is the index of none of n entries; empty if it is the index of one."""
    if 0 <= index < n and index == int(index):
        return ""
    if not n:
        return f"the index is {index!r}, but there are no entries"
    if index != index or index in (inf, -inf) or index != int(index):
        why = "is no whole number"
    elif index < 0:
        why = "is negative, and nothing is counted from the end"
    else:
        why = "is out of range"
    shown = repr(index) if -1e18 < index < 1e18 or isinstance(index, float) else "of many digits"
    return f"the index {shown} {why}: there {'is 1 entry' if n == 1 else f'are {n} entries'}, from 0 to {n - 1}"


def sign(x: float) -> float:
    """-1, 0 or 1."""
    return x if math.isnan(x) else float((x > 0) - (x < 0))


def rounded(to_integer: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding function of floats that keeps inf, NaN and the sign of zero; of an exact number the exact integer."""

    def value(x: float) -> float:
        if type(x) in kept_types:
            return type(x)(to_integer(x))
        return math.copysign(to_integer(x), x) if math.isfinite(x) else x

    return value


# What IEEE arithmetic says where the functions above, or Python's floats, raise.


def quotient_by_zero(x: float, y: float) -> float:
    """X / (+-0): infinite with the product of the signs; 0 / 0 is NaN."""
    return math.nan if x == 0 or math.isnan(x) else math.copysign(inf, x) * math.copysign(1.0, y)


def power_at_pole(x: float, y: float) -> float:
    """0**-y is infinite; a negative base to a fractional power is NaN."""
    return math.nan if x else math.copysign(inf, x) if y % 2 == 1 else inf


def log_at_pole(x: float) -> float:
    """-inf at 0, NaN below."""
    return math.nan if x else -inf


# Sums are plain left-to-right folds: what the same chain of `+` gives, bit for bit, on every Python version. The
# built-in sum, twice as fast, does that up to Python 3.11; from 3.12 on it compensates rounding.


def _fold(xs: Iterable[float], start: float) -> float:
    return reduce(operator.add, xs, start)


fold: Callable[[Iterable[float], float], float] = sum if sum([1e16, 1.0, -1e16]) == 0.0 else _fold
"""fold(xs, start) is start + x0 + x1 + ..., from left to right."""


def total(xs: Sequence[float]) -> float:
    """x0 + x1 + ..."""
    return fold(xs[1:], xs[0]) if xs else 0.0


def mean(xs: Sequence[float]) -> float:
    """The sum over the number of operands."""
    if not xs:
        raise ValueError("no operands")
    return total(xs) / len(xs)


def prod(xs: Sequence[float]) -> float:
    """x0 * x1 * ..."""
    return reduce(operator.mul, xs) if xs else 1.0


def largest(xs: Sequence[float]) -> float:
    """The maximum."""
    if not xs:
        raise ValueError("no operands")
    return reduce(maximum, xs)


def smallest(xs: Sequence[float]) -> float:
    """The minimum."""
    if not xs:
        raise ValueError("no operands")
    return reduce(minimum, xs)


def logsumexp(xs: Sequence[float]) -> float:
    """log(e**x0 + e**x1 + ...), shifted by the largest so that nothing overflows."""
    top = largest(xs)
    return top if math.isinf(top) else top + math.log(total([math.exp(x - top) for x in xs]))
