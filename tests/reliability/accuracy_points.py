"""Where an op's accuracy is measured: over all magnitudes of its domain, and densely where formulas are in danger."""

import math
import random
import sys

from scalargrad.table import TABLE

HALF_PI = math.pi / 2
CURVED = 12
"""Up to 2**12 exponentials and their like have something to tell."""

# The numbers near which a value or a derivative has a zero, a pole, a kink, or a formula that changes there.
SPECIAL = {
    "cbrt": [0.0], "exp": [0.0, 709.78, -708.4, -745.13], "exp2": [0.0, 1024.0, -1022.0, -1074.0],
    "expm1": [0.0, -1.0, 709.78, -37.0], "log": [1.0], "log2": [1.0], "log10": [1.0], "log1p": [0.0, -1.0],
    "sin": [0.0], "cos": [0.0], "tan": [0.0], "arcsin": [0.0, 1.0, -1.0, 0.5], "arccos": [0.0, 1.0, -1.0, 0.5],
    "arctan": [0.0, 1.0, 1e154, 1e160], "sinh": [0.0, 710.47, 22.0], "cosh": [0.0, 710.47, 22.0],
    "tanh": [0.0, 19.0, 0.55, -19.0, 0.22740573704321304],
    "arcsinh": [0.0, 1.0], "arccosh": [1.0, 2.0], "arctanh": [0.0, 1.0, -1.0],
    "erf": [0.0, 0.84375, 6.0, 26.6], "erfc": [0.0, 0.84375, 1.25, -6.0, 26.5],
    "sigmoid": [0.0, 36.7, -36.7, -709.0, -745.0], "logsigmoid": [0.0, -36.7, 36.7, 745.0],
    "softplus": [0.0, 36.7, -36.7, -745.0], "relu": [0.0], "leaky_relu": [0.0], "elu": [0.0, -37.0],
    "silu": [0.0, -1.2784645427610738, -745.0, 2.4], "gelu": [0.0, -0.7517915, -38.0, -8.3, 1.4],
    "square": [0.0, 1e154, 1e-154], "reciprocal": [0.0, 1e308], "absolute": [0.0], "sign": [0.0], "step": [0.0],
    "floor": [0.0, 1.0, 2.0**52], "ceil": [0.0, -1.0, 2.0**52], "rint": [0.5, 1.5, 2.0**52],
    "power": [1.0, 0.0], "floor_divide": [1.0], "remainder": [1.0],
}  # fmt: skip


def points(name, count):
    """So many points of an op, always the same."""
    rng = random.Random(f"accuracy of {name}")
    found = [xs for xs in _ends(name) if is_legal(name, xs)]
    while len(found) < count:
        xs = _point(name, TABLE[name], rng)
        if is_legal(name, xs):
            found.append(xs)
    return found[:count]


def _ends(name):
    """Of an op of one operand: the largest and smallest numbers, its special ones and their neighbours."""
    if TABLE[name].arity != 1:
        return []
    sizes = (sys.float_info.max, sys.float_info.min, 5e-324)
    special = [y for x in SPECIAL.get(name, []) for y in (math.nextafter(x, -math.inf), x, math.nextafter(x, math.inf))]
    return [[x] for x in [*sizes, *(-x for x in sizes), *special]]


def is_legal(name, xs):
    """Whether these are finite numbers of the op's domain; to a whole power a number below 0 may be taken as well."""
    if name == "power" and xs[0] < 0 and xs[1] == math.floor(xs[1]):
        return math.isfinite(xs[0])
    domain = TABLE[name].domain
    return all(math.isfinite(x) and x in domain[i % len(domain)] for i, x in enumerate(xs))


def _point(name, op, rng):
    if op.arity == 1:
        return [_number(name, rng)]
    if op.arity == 2:
        return _pair(name, rng)
    return _list(name, rng)


def _number(name, rng):
    kind = rng.random()
    if kind < 0.25:
        return anything(rng)
    if kind < 0.4:
        return rng.uniform(-8, 8)
    if kind < 0.65:
        x = rng.choice((-1, 1)) * 2.0 ** rng.uniform(-30, CURVED)
        return (
            x
            if 1.0 in TABLE[name].domain[0] and -1e4 in TABLE[name].domain[0]
            else x % 1.0
            if rng.random() < 0.5
            else abs(x)
        )
    if name in ("sin", "cos", "tan") and kind < 0.9:
        return near(
            HALF_PI * rng.choice((rng.randrange(-8, 9), rng.randrange(-(2**20), 2**20), rng.randrange(2**50))), rng
        )
    return near(rng.choice(SPECIAL.get(name, [1.0])), rng)


def anything(rng, low=-1074, high=1024):
    """A number of any magnitude and either sign; often one of the smallest or the largest."""
    ends = (low, min(low + 60, high)), (high - 3, high)
    exponent = rng.randrange(*rng.choice(ends) if rng.random() < 0.2 else (low, high))
    return rng.choice((-1, 1)) * math.ldexp(1 + rng.random(), exponent)


def near(x, rng):
    """A number near another one: up to 4 floats away, or by any fraction of it."""
    if rng.random() < 0.2:
        for _ in range(rng.randrange(5)):
            x = math.nextafter(x, rng.choice((-math.inf, math.inf)))
        return x
    return x + rng.choice((-1, 1)) * 2.0 ** rng.uniform(-54, 2) * (abs(x) or 1.0)


def _pair(name, rng):
    kind = rng.random()
    x = _number(name, rng)
    if name == "power":
        return _power(kind, x, rng)
    if name in ("leaky_relu", "elu"):
        return [x, anything(rng) if kind < 0.3 else rng.uniform(-2, 2)]
    if kind < 0.4:
        return [x, anything(rng)]
    if kind < 0.7:  # of like size, nearly equal or opposite
        return [x, rng.choice((-1, 1)) * near(x, rng)]
    if kind < 0.9:  # within 100 digits of each other
        return [x, x * 2.0 ** rng.uniform(-300, 300) * rng.choice((-1, 1))]
    return [rng.uniform(-4, 4), rng.uniform(-4, 4)]


def _power(kind, x, rng):
    if kind < 0.15:  # a whole power of a number of either sign
        return [x, float(rng.randrange(-20, 21))]
    x = abs(x) or 1.0
    if kind < 0.3:
        return [x, anything(rng)]
    if kind < 0.4:
        return [near(1.0, rng), rng.choice((0.5, -0.5, 1 / 3, 1.5, 2.5, 2.0, 3.0))]
    if x == 1.0:
        x = math.nextafter(1.0, 2.0)
    return [x, rng.uniform(-745, 710) / math.log(x) * rng.choice((1.0, rng.random(), 1e-9))]


def _list(name, rng):
    if name == "where":
        return [rng.choice((0.0, anything(rng))), anything(rng), anything(rng)]
    if name == "clip":
        low, high = (
            sorted((anything(rng), anything(rng))) if rng.random() < 0.3 else sorted((rng.gauss(0, 1), rng.gauss(0, 1)))
        )
        return [near(rng.choice((low, high)), rng) if rng.random() < 0.5 else rng.gauss(0, 2), low, high]
    n = rng.randrange(2, 7)
    if name == "dot":
        n = 2 * n + rng.randrange(2)
    if name in ("max", "min"):
        return [anything(rng) for _ in range(n)] if rng.random() < 0.5 else [near(1.0, rng) for _ in range(n)]
    if name == "logsumexp":
        if rng.random() < 0.2:  # a result near 0
            return [near(0.0, rng) * 2.0 ** rng.uniform(-60, 0), *(rng.uniform(-60, 0) for _ in range(n - 1))]
        size = 2.0 ** rng.uniform(-10, 10)
        shift = rng.choice((0.0, -math.log(n), rng.uniform(-700, 700)))
        return (
            [rng.gauss(shift, size) for _ in range(n)]
            if rng.random() < 0.7
            else [anything(rng, -60, 1000) for _ in range(n)]
        )
    # No partial sum or product leaves the normal floats.
    reach = {"prod": 1000 // n, "dot": 500}.get(name, 1000)
    spread = rng.choice((2, 40, reach))
    xs = [anything(rng, -spread, spread) for _ in range(n)]
    if name != "prod" and rng.random() < 0.4:  # what is nearly nothing
        xs[-1] = near(-math.fsum(xs[:-1]) if name != "dot" else xs[-1], rng)
    return xs
