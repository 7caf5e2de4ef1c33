"""Functions that are hard on a gradient checker, at points and scales that are, with their slopes from mpmath.

Frequencies, magnitudes from 1e-300 to 1e300, poles, features far narrower than the point is large, cancellation, kinks
next to the point. Each family draws its parameters; the slope is the closed form at the very same floats, with as many
digits as it takes, rounded once.
"""

import math
import random
from dataclasses import dataclass

import pytest

import scalargrad as sg

mpmath = pytest.importorskip("mpmath", reason="the exact numbers are mpmath's: the extra `test`")

DIGITS = 120
mp = mpmath.mp.clone()
mp.dps = DIGITS


class Floats:
    """The names that the functions use, on plain floats."""

    sin, cos, sqrt, log, tanh = math.sin, math.cos, math.sqrt, math.log, math.tanh
    floor = staticmethod(lambda x: float(math.floor(x)))
    relu = staticmethod(lambda x: max(x, 0.0))
    sigmoid = staticmethod(lambda x: 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x)))

    @staticmethod
    def exp(x):
        try:
            return math.exp(x)
        except OverflowError:
            return math.inf


@dataclass
class Hostile:
    """One function at one point.

    Attributes:
        family: what makes it hard.
        code: what it is, with its numbers.
        build: from a namespace (scalargrad, or Floats) to the function.
        xs: the point.
        slopes: the derivatives, right to the last place.
    """

    family: str
    code: str
    build: object
    xs: list
    slopes: list

    def function(self):
        return self.build(sg)

    def function_of_floats(self):
        return self.build(Floats)


def scale(rng, low, high):
    return 10.0 ** rng.uniform(low, high)


def signed(rng, low, high):
    return rng.choice((-1.0, 1.0)) * scale(rng, low, high)


def one(family, code, build, x, slope):
    """A function of one input; slope is a function of an mpmath number."""
    return Hostile(family, f"{code} at {x!r}", build, [x], [float(slope(mp.mpf(x)))])


def wave(rng):
    w, p, a, x = signed(rng, -8, 8), rng.uniform(-3, 3), signed(rng, -290, 290), signed(rng, -12, 6)
    return one(
        "a sin(wx + p)", f"{a!r} * sin({w!r} * x + {p!r})", lambda m: lambda x: a * m.sin(w * x + p), x,
        lambda x: mp.mpf(a) * w * mp.cos(w * x + p),
    )  # fmt: skip


def far_wave(rng):
    x = signed(rng, 3, 15)
    return one("sin far from 0", "sin(x) * x", lambda m: lambda x: m.sin(x) * x, x, lambda x: mp.cos(x) * x + mp.sin(x))


def pole(rng):
    c, k, a = rng.uniform(-3, 3), rng.choice((1, 2, 3)), signed(rng, -20, 20)
    x = c + signed(rng, -13, 0)
    x = x if x != c else c + 0.5
    return one(
        "a pole", f"{a!r} / (x - {c!r}) ** {k}", lambda m: lambda x: a / (x - c) ** k, x,
        lambda x: -k * mp.mpf(a) / (x - mp.mpf(c)) ** (k + 1),
    )  # fmt: skip


def pole_at_zero(rng):
    k, x = rng.choice((1, 2, 3)), signed(rng, -70, 70)
    return one("a pole at 0", f"1 / x ** {k}", lambda m: lambda x: 1 / x**k, x, lambda x: -k / x ** (k + 1))


def resonance(rng):
    c, w = rng.uniform(-3, 3), scale(rng, -9, 3)
    x = c + w * rng.uniform(-4, 4)
    return one(
        "a resonance", f"(x - {c!r}) / ((x - {c!r}) ** 2 + {w!r} ** 2)",
        lambda m: lambda x: (x - c) / ((x - c) ** 2 + w**2), x,
        lambda x: (mp.mpf(w * w) - (x - c) ** 2) / (mp.mpf(w * w) + (x - c) ** 2) ** 2,
    )  # fmt: skip


def bell(rng):
    c, w, b = rng.uniform(-3, 3), scale(rng, -10, 4), rng.choice((0.0, 0.0, 1.0))
    x = c + w * rng.uniform(-6, 6)
    return one(
        "a bell" if b == 0.0 else "1 + a bell", f"{b!r} + exp(-(((x - {c!r}) / {w!r}) ** 2))",
        lambda m: lambda x: b + m.exp(-(((x - c) / w) ** 2)), x,
        lambda x: -2 * (x - c) / mp.mpf(w) ** 2 * mp.exp(-(((x - c) / w) ** 2)),
    )  # fmt: skip


def large_number(rng):
    b, x = scale(rng, 3, 17), signed(rng, -3, 3)
    return one("(b + sin x) - b", f"({b!r} + sin(x)) - {b!r}", lambda m: lambda x: (b + m.sin(x)) - b, x, mp.cos)


def large_number_and_line(rng):
    b, a, x = scale(rng, 3, 18), signed(rng, -3, 3), signed(rng, -6, 6)
    return one(
        "(b + ax) - b", f"({b!r} + {a!r} * x) - {b!r}", lambda m: lambda x: (b + a * x) - b, x, lambda _: mp.mpf(a)
    )


def squared_remains(rng):
    b, x = scale(rng, 0, 17), signed(rng, -16, 3)
    return one(
        "((b + x) - b)^2", f"((({b!r} + x) - {b!r}) ** 2", lambda m: lambda x: ((b + x) - b) ** 2, x, lambda x: 2 * x
    )


def difference_of_roots(rng):
    x = scale(rng, -6, 17)
    return one(
        "a difference of roots", "sqrt(x + 1) - sqrt(x)", lambda m: lambda x: m.sqrt(x + 1) - m.sqrt(x), x,
        lambda x: 1 / (2 * mp.sqrt(x + 1)) - 1 / (2 * mp.sqrt(x)),
    )  # fmt: skip


def one_minus_cosine(rng):
    x = signed(rng, -9, 0)
    return one(
        "(1 - cos x) / x^2", "(1 - cos(x)) / x ** 2", lambda m: lambda x: (1 - m.cos(x)) / x**2, x,
        lambda x: (x * mp.sin(x) - 2 * (1 - mp.cos(x))) / x**3,
    )  # fmt: skip


def exponential(rng):
    s, x = signed(rng, -3, 3), rng.uniform(-1, 1)
    x *= 600.0 / abs(s)
    return one("exp", f"exp({s!r} * x)", lambda m: lambda x: m.exp(s * x), x, lambda x: mp.mpf(s) * mp.exp(s * x))


def logarithm(rng):
    x = scale(rng, -300, 300)
    return one("log", "log(x)", lambda m: lambda x: m.log(x), x, lambda x: 1 / x)


def high_power(rng):
    k, x = rng.choice((2, 3, 7, 0.5, -1.5)), scale(rng, -40, 40)
    return one("a power", f"x ** {k}", lambda m: lambda x: x**k, x, lambda x: mp.mpf(k) * x ** (mp.mpf(k) - 1))


def steep_step(rng):
    c, w = rng.uniform(-3, 3), scale(rng, 0, 10)
    x = c + rng.uniform(-8, 8) / w
    return one(
        "a steep step", f"tanh({w!r} * (x - {c!r}))", lambda m: lambda x: m.tanh(w * (x - c)), x,
        lambda x: mp.mpf(w) / mp.cosh(w * (x - c)) ** 2,
    )  # fmt: skip


def sigmoid_tail(rng):
    w, x = signed(rng, -2, 2), 0.0
    x = rng.uniform(-40, 40) / w
    return one(
        "a sigmoid's tail", f"sigmoid({w!r} * x)", lambda m: lambda x: m.sigmoid(w * x), x,
        lambda x: w / (mp.exp(w * x / 2) + mp.exp(-w * x / 2)) ** 2,
    )  # fmt: skip


def ripple(rng):
    a, w, x = scale(rng, -12, -2), scale(rng, 3, 10), rng.uniform(-2, 2)
    return one(
        "a small ripple", f"sin(x) + {a!r} * sin({w!r} * x)", lambda m: lambda x: m.sin(x) + a * m.sin(w * x), x,
        lambda x: mp.cos(x) + mp.mpf(a) * w * mp.cos(w * x),
    )  # fmt: skip


def corner(rng):
    c, d, k = rng.uniform(-3, 3), signed(rng, -14, 0), signed(rng, -3, 3)
    x = c + d
    x = x if x != c else c + 0.5
    return one(
        "next to a kink", f"{k!r} * relu(x - {c!r}) + x", lambda m: lambda x: k * m.relu(x - c) + x, x,
        lambda x: mp.mpf(k) * (x > c) + 1,
    )  # fmt: skip


def stairs(rng):
    k, x = scale(rng, -2, 8), rng.uniform(-3, 3)
    return one("stairs", f"floor({k!r} * x) + x", lambda m: lambda x: m.floor(k * x) + x, x, lambda _: mp.mpf(1))


def two_scales(rng):
    a, b, x, y = signed(rng, -8, 8), signed(rng, -8, 8), signed(rng, -6, 6), signed(rng, -6, 6)
    x, y = x / abs(a), y / abs(b)
    inner = mp.mpf(a) * x + mp.mpf(b) * y
    return Hostile(
        "two inputs", f"sin({a!r} * x + {b!r} * y) * x at {x!r}, {y!r}",
        lambda m: lambda x, y: m.sin(a * x + b * y) * x, [x, y],
        [float(mp.sin(inner) + mp.mpf(x) * a * mp.cos(inner)), float(mp.mpf(x) * b * mp.cos(inner))],
    )  # fmt: skip


FAMILIES = (
    wave, far_wave, pole, pole_at_zero, resonance, bell, large_number, large_number_and_line, squared_remains,
    difference_of_roots, one_minus_cosine, exponential, logarithm, high_power, steep_step, sigmoid_tail, ripple, corner,
    stairs, two_scales,
)  # fmt: skip


def hostile(count, seed=0):
    """That many functions, the families in turn; those without a finite value or slope are drawn again."""
    rng = random.Random(seed)
    found = []
    while len(found) < count:
        case = FAMILIES[len(found) % len(FAMILIES)](rng)
        try:
            value = case.function_of_floats()(*case.xs)
        except (ArithmeticError, ValueError):
            continue
        if math.isfinite(value) and all(map(math.isfinite, case.slopes)):
            found.append(case)
    return found


WRONG = {
    "infinite": lambda d: math.copysign(math.inf, d),
    "nan": lambda d: math.nan,
    "1e-4 off": lambda d: d * (1 + 1e-4),
    "0": lambda d: 0.0 if d else 1.0,
    "the other sign": lambda d: -d if d else 1.0,
}
