"""Every op of the table and each of its derivatives as mathematics has them, for mpmath: written by hand, not from the rules.

Each form is written so that it loses no digits: sech(x)**2 where the table has 1 - z * z. Where a form would raise, or
there is no derivative, that is the caller's matter.
"""

import math
from fractions import Fraction

import mpmath
from mpmath import mp, mpf

from scalargrad.table import TABLE

LARGE = 10**8
"""Beyond it exp over- or underflows whatever is done with the result; its argument is held there."""


def exp(x):
    return mpmath.exp(min(max(x, -LARGE), LARGE))


def expm1(x):
    return mpmath.expm1(min(max(x, -LARGE), LARGE))


def sech(x):
    e = exp(-abs(x))
    return 2 * e / (1 + e * e)


def sinh(x):
    return mpmath.sinh(min(max(x, -LARGE), LARGE))


def cosh(x):
    return mpmath.cosh(min(abs(x), LARGE))


def sigmoid(x):
    return 1 / (1 + exp(-x)) if x > 0 else exp(x) / (1 + exp(x))


def softplus(x):
    return max(x, mpf(0)) + mpmath.log1p(exp(-abs(x)))


def erfc(x):
    return mpmath.erfc(min(max(x, -100), 100))


def bell(x):
    """exp(-x**2)."""
    return exp(-x * x)


def normal(x):
    """The normal distribution function."""
    return erfc(-x / mpmath.sqrt(2)) / 2


def density(x):
    return bell(x / mpmath.sqrt(2)) / mpmath.sqrt(2 * mpmath.pi)


def power(x, y):
    if y == int(y):
        sign = -1 if x < 0 and int(y) % 2 else 1
        return mpf(x == 0 and y == 0) if x == 0 and y >= 0 else sign * exp(y * mpmath.log(abs(x)))
    return exp(y * mpmath.log(x)) if x else mpf(0)


def quotient(x, y):
    """floor(x / y), to the last digit."""
    return mpf(Fraction(*_ratio(x)) // Fraction(*_ratio(y)))


def remainder(x, y):
    a, b = Fraction(*_ratio(x)), Fraction(*_ratio(y))
    r = a - a // b * b
    return mpf(r.numerator) / r.denominator


def _ratio(x):
    sign, mantissa, exponent, _ = x._mpf_
    mantissa = -int(mantissa) if sign else int(mantissa)
    return (mantissa << exponent, 1) if exponent >= 0 else (mantissa, 1 << -exponent)


def one_of(index, xs):
    """The slopes of an op that picks one of its operands."""
    return [mpf(i == index) for i in range(len(xs))]


def products(xs):
    return [mpmath.fprod([*xs[:i], *xs[i + 1 :]]) for i in range(len(xs))]


def dot(xs):
    n = len(xs) // 2
    return mpmath.fsum([x * y for x, y in zip(xs[:n], xs[n : 2 * n], strict=True)] + list(xs[2 * n :]))


def dot_slopes(xs):
    n = len(xs) // 2
    return [*xs[n : 2 * n], *xs[:n], *[mpf(1)] * (len(xs) % 2)]


def logsumexp(xs):
    top = max(xs)
    return top + mpmath.log(mpmath.fsum([exp(x - top) for x in xs]))


ONE, ZERO = mpf(1), mpf(0)

# name: (the value, the derivative by each operand); from three operands on one function of the list for all derivatives.
FORMS = {
    "add": (lambda x, y: x + y, lambda x, y: ONE, lambda x, y: ONE),
    "subtract": (lambda x, y: x - y, lambda x, y: ONE, lambda x, y: -ONE),
    "multiply": (lambda x, y: x * y, lambda x, y: y, lambda x, y: x),
    "divide": (lambda x, y: x / y, lambda x, y: 1 / y, lambda x, y: -x / y**2),
    "power": (power, lambda x, y: y * power(x, y - 1), lambda x, y: power(x, y) * mpmath.log(x)),
    "floor_divide": (quotient, lambda x, y: ZERO, lambda x, y: ZERO),
    "remainder": (remainder, lambda x, y: ONE, lambda x, y: -quotient(x, y)),
    "negative": (lambda x: -x, lambda x: -ONE),
    "absolute": (abs, mpmath.sign),
    "square": (lambda x: x**2, lambda x: 2 * x),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2),
    "sqrt": (mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x))),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), lambda x: 1 / (3 * mpmath.cbrt(abs(x)) ** 2)),
    "exp": (exp, exp),
    "exp2": (lambda x: exp(x * mpmath.log(2)), lambda x: exp(x * mpmath.log(2)) * mpmath.log(2)),
    "expm1": (expm1, exp),
    "log": (mpmath.log, lambda x: 1 / x),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), lambda x: 1 / (x * mpmath.log(2))),
    "log10": (lambda x: mpmath.log(x) / mpmath.log(10), lambda x: 1 / (x * mpmath.log(10))),
    "log1p": (mpmath.log1p, lambda x: 1 / (1 + x)),
    "sin": (mpmath.sin, mpmath.cos),
    "cos": (mpmath.cos, lambda x: -mpmath.sin(x)),
    "tan": (mpmath.tan, lambda x: mpmath.sec(x) ** 2),
    "arcsin": (mpmath.asin, lambda x: 1 / mpmath.sqrt(1 - x * x)),
    "arccos": (mpmath.acos, lambda x: -1 / mpmath.sqrt(1 - x * x)),
    "arctan": (mpmath.atan, lambda x: 1 / (1 + x * x)),
    "arctan2": (mpmath.atan2, lambda x, y: y / (x * x + y * y), lambda x, y: -x / (x * x + y * y)),
    "hypot": (mpmath.hypot, lambda x, y: x / mpmath.hypot(x, y), lambda x, y: y / mpmath.hypot(x, y)),
    "sinh": (sinh, cosh),
    "cosh": (cosh, sinh),
    "tanh": (mpmath.tanh, lambda x: sech(x) ** 2),
    "arcsinh": (mpmath.asinh, lambda x: 1 / mpmath.sqrt(x * x + 1)),
    "arccosh": (mpmath.acosh, lambda x: 1 / mpmath.sqrt(x * x - 1)),
    "arctanh": (mpmath.atanh, lambda x: 1 / (1 - x * x)),
    "erf": (lambda x: mpmath.erf(min(max(x, -100), 100)), lambda x: 2 * bell(x) / mpmath.sqrt(mpmath.pi)),
    "erfc": (erfc, lambda x: -2 * bell(x) / mpmath.sqrt(mpmath.pi)),
    "sigmoid": (sigmoid, lambda x: sech(x / 2) ** 2 / 4),
    "logsigmoid": (lambda x: -softplus(-x), lambda x: sigmoid(-x)),
    "softplus": (softplus, sigmoid),
    "relu": (lambda x: max(x, ZERO), lambda x: mpf(x > 0)),
    "leaky_relu": (lambda x, a: x if x > 0 else a * x, lambda x, a: ONE if x > 0 else a, lambda x, a: min(x, ZERO)),
    "elu": (lambda x, a: x if x > 0 else a * expm1(x), lambda x, a: ONE if x > 0 else a * exp(x),
            lambda x, a: expm1(min(x, ZERO))),
    "silu": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * sigmoid(-x))),
    "gelu": (lambda x: x * normal(x), lambda x: normal(x) + x * density(x)),
    "maximum": (max, lambda x, y: mpf(x > y), lambda x, y: mpf(y > x)),
    "minimum": (min, lambda x, y: mpf(x < y), lambda x, y: mpf(y < x)),
    "greater": (lambda x, y: mpf(x > y), lambda x, y: ZERO, lambda x, y: ZERO),
    "sign": (mpmath.sign, lambda x: ZERO),
    "step": (lambda x: mpf(x > 0), lambda x: ZERO),
    "floor": (lambda x: quotient(x, ONE), lambda x: ZERO),
    "ceil": (lambda x: -quotient(-x, ONE), lambda x: ZERO),
    "rint": (mpmath.nint, lambda x: ZERO),
    "where": (lambda xs: xs[1] if xs[0] else xs[2], lambda xs: [ZERO, mpf(xs[0] != 0), mpf(xs[0] == 0)]),
    "clip": (lambda xs: min(max(xs[0], xs[1]), xs[2]),
             lambda xs: one_of(1 if xs[0] < xs[1] else 2 if xs[0] > xs[2] else 0, xs)),
    "sum": (mpmath.fsum, lambda xs: [ONE] * len(xs)),
    "mean": (lambda xs: mpmath.fsum(xs) / len(xs), lambda xs: [ONE / len(xs)] * len(xs)),
    "prod": (mpmath.fprod, products),
    "dot": (dot, dot_slopes),
    "max": (max, lambda xs: one_of(xs.index(max(xs)), xs)),
    "min": (min, lambda xs: one_of(xs.index(min(xs)), xs)),
    "logsumexp": (logsumexp, lambda xs: [exp(x - logsumexp(xs)) for x in xs]),
}  # fmt: skip

KINKS = {
    **dict.fromkeys(("absolute", "cbrt", "relu", "sign", "step"), lambda x: x == 0),
    **dict.fromkeys(("leaky_relu", "elu"), lambda x, a: x == 0),
    **dict.fromkeys(("maximum", "minimum", "greater"), lambda x, y: x == y),
    **dict.fromkeys(("floor_divide", "remainder"), lambda x, y: math.fmod(x, y) == 0),
    **dict.fromkeys(("floor", "ceil"), lambda x: x == math.floor(x)),
    "rint": lambda x: abs(math.fmod(x, 1.0)) == 0.5, "hypot": lambda x, y: x == y == 0,
    "where": lambda xs: xs[0] == 0, "clip": lambda xs: xs[0] in xs[1:],
    "max": lambda xs: xs.count(max(xs)) > 1, "min": lambda xs: xs.count(min(xs)) > 1,
}  # fmt: skip
"""Whether operands are on a kink or jump, where there is no derivative."""


def value(name, xs):
    """The op's value at a list of mpmath's numbers."""
    form = FORMS[name][0]
    return form(xs) if TABLE[name].arity is None else form(*xs)


def slopes(name, xs):
    """Its derivative by each operand."""
    rules = FORMS[name][1:]
    return rules[0](xs) if TABLE[name].arity is None else [rule(*xs) for rule in rules]


def exact(name, xs, index):
    """The value (index -1) or the derivative by an operand; None where there is none."""
    if index < 0:
        return value(name, xs)
    try:
        return slopes(name, xs)[index]
    except ZeroDivisionError:
        return None


def on_kink(name, xs):
    """Whether the op has no derivative here."""
    known = KINKS.get(name)
    return known is not None and (known(xs) if TABLE[name].arity is None else known(*xs))


def settled(name, xs, index):
    """`exact` at these floats, right to 30 digits at least: with 50, 100, ... digits, until two agree."""
    before = None
    for digits in (50, 100, 400, 1600):
        with mp.workdps(digits):
            now = exact(name, [mpf(x) for x in xs], index)
        if now is None or (before is not None and abs(now - before) <= abs(now) * mpf(10) ** -30):
            return now
        before = now
    raise ArithmeticError(f"{name} at {xs}: 1600 digits do not settle it")
