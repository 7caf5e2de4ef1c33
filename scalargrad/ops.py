"""The op table: one row per operation, holding its name, its value, its local partial derivatives, domain and kinks.

This is the only place where derivatives are written. A rule is a plain lambda over the arguments `x, y` and the result
`z`; it uses operators and other rows, never `math`, `.data` or `.grad`, and never branches in Python (use `where`,
`step`, `greater`). So the same lambda serves floats in backward(), Values when a gradient must itself be a graph, and
labelled Values when a formula is to be printed. A derivative that is the same everywhere is written as a number. Rows of three and more operands get a sequence `xs` in place of x, y.

The numbers at hard points (0/0, overflow, ties, kinks) follow PyTorch where it gives a finite number. Values raise
ValueError or ZeroDivisionError outside their domain; partial derivatives never raise.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from scalargrad.engine import Value
from scalargrad.rows import (
    ABOVE_MINUS_ONE, AT_LEAST_ONE, BETWEEN_ONES, INSIDE_ONES, NONZERO, POSITIVE, NOT_NEGATIVE, REAL,
    alias, binary, nary, unary,
)  # fmt: skip

inf, nan = math.inf, math.nan
LN2, LN10, SQRT2, SQRT2PI = math.log(2), math.log(10), math.sqrt(2), math.sqrt(2 * math.pi)


# -------------------------------------------------------------------- values that the math module gives otherwise


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return inf


def _exp2(x: float) -> float:
    try:
        return 2.0**x
    except OverflowError:
        return inf


def _expm1(x: float) -> float:
    try:
        return math.expm1(x)
    except OverflowError:
        return inf


def _sinh(x: float) -> float:
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(inf, x)


def _cosh(x: float) -> float:
    try:
        return math.cosh(x)
    except OverflowError:
        return inf


def _cbrt(x: float) -> float:
    if x == 0.0 or not math.isfinite(x):
        return x
    root = math.copysign(abs(x) ** (1 / 3), x)
    return root - (root - x / (root * root)) / 3  # one Newton step: right to the last digit or two


def _power(x: float, y: float) -> float:
    try:
        z = x**y
    except OverflowError:
        return -inf if x < 0 and y % 2 == 1 else inf
    if isinstance(z, complex):
        raise ValueError("a negative number has no real fractional power")
    return z


def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    z = _exp(x)
    return z / (1 + z)


def _softplus(x: float) -> float:
    return x if x != x else max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _silu(x: float) -> float:
    return -0.0 if x == -inf else x * _sigmoid(x)


def _gelu(x: float) -> float:
    return -0.0 if x == -inf else 0.5 * x * math.erfc(-x / SQRT2)


def _elu(x: float, a: float) -> float:
    return a * math.expm1(x) if x <= 0 else x


def _maximum(x: float, y: float) -> float:
    return x if x >= y or x != x else y


def _minimum(x: float, y: float) -> float:
    return x if x <= y or x != x else y


def _clip(xs: list[float]) -> float:
    x, low, high = xs
    if low > high:
        raise ValueError(f"the lower bound {low!r} is above the upper bound {high!r}")
    return _minimum(_maximum(x, low), high)


def _where(xs: list[float]) -> float:
    condition, x, y = xs
    return condition if condition != condition else x if condition else y


def _sign(x: float) -> float:
    return x if x != x else float((x > 0) - (x < 0))


def _rounded(to_integer: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: math.copysign(to_integer(x), x) if math.isfinite(x) else x


# Sums are plain left-to-right folds: what the same chain of `+` gives, bit for bit, on every Python version.
# (From 3.12 on the built-in sum compensates rounding.)


def _sum(xs: Sequence[float]) -> float:
    return reduce(operator.add, xs) if xs else 0.0


def _mean(xs: Sequence[float]) -> float:
    if not xs:
        raise ValueError("no operands")
    return _sum(xs) / len(xs)


def _prod(xs: Sequence[float]) -> float:
    return reduce(operator.mul, xs) if xs else 1.0


def _max(xs: Sequence[float]) -> float:
    if not xs:
        raise ValueError("no operands")
    return reduce(_maximum, xs)


def _min(xs: Sequence[float]) -> float:
    if not xs:
        raise ValueError("no operands")
    return reduce(_minimum, xs)


def _logsumexp(xs: Sequence[float]) -> float:
    top = _max(xs)
    return top if math.isinf(top) else top + math.log(_sum([math.exp(x - top) for x in xs]))


def _dot(xs: Sequence[float]) -> float:
    n = len(xs) // 2
    products = map(operator.mul, xs[:n], xs[n : 2 * n])
    return reduce(operator.add, products, xs[-1]) if len(xs) % 2 else _sum(list(products))


def _gather_dot(xs: Sequence[Any], ys: Sequence[Any], bias: Any = None) -> Sequence[Any]:
    xs, ys = (x if hasattr(x, "__len__") else [x] if isinstance(x, Value) else list(x) for x in (xs, ys))
    if len(xs) != len(ys):
        raise ValueError(f"dot: the vectors have {len(xs)} and {len(ys)} elements; they must have equally many")
    return [*xs, *ys] if bias is None else [*xs, *ys, bias]


def _gather_three(name: str, *parameters: str) -> Callable[..., Sequence[Any]]:
    def gather(*args: Any) -> Sequence[Any]:
        if len(args) != len(parameters):
            raise TypeError(f"{name} takes {', '.join(parameters)}, but {len(args)} operands were given")
        return args

    return gather


def _products_of_others(xs: Sequence[Any]) -> list[Any]:
    """For each x the product of the other xs, without division: a zero among them does no harm."""
    before, after = [1.0], [1.0]
    for x in xs[:-1]:
        before.append(before[-1] * x)
    for x in xs[:0:-1]:
        after.append(after[-1] * x)
    return [b * a for b, a in zip(before, reversed(after), strict=True)]


def _shares(at_top: Sequence[Any]) -> list[Any]:
    """A tie's gradient is shared equally among those that reach it."""
    count = _add_up(at_top)
    return [one / count for one in at_top]


def _add_up(xs: Sequence[Any]) -> Any:
    return reduce(operator.add, xs)


# -------------------------------------------------------------------- THE TABLE
# fmt: off

# Arithmetic. Where x and y are both Values each has its rule; a number on either side is a constant and needs none.

add          = binary("add",          operator.add,      1.0,                   1.0,
                      text="+")
subtract     = binary("subtract",     operator.sub,      1.0,                   -1.0,
                      text="-", symbol="−")
multiply     = binary("multiply",     operator.mul,      lambda x, y, z: y,                     lambda x, y, z: x,
                      text="*", symbol="×")
divide       = binary("divide",       operator.truediv,  lambda x, y, z: 1 / y,                 lambda x, y, z: -z / y,
                      text="/", symbol="÷", domain=(REAL, NONZERO),
                      pole=lambda x, y: nan if x == 0 or x != x else math.copysign(inf, x) * math.copysign(1.0, y))
power        = binary("power",        _power,            lambda x, y, z: where(y, y * x ** (y - 1), 0.0),
                                                         lambda x, y, z: where(x, z * log(x), 0.0),
                      text="**", symbol="^", domain=(POSITIVE, REAL),
                      pole=lambda x, y: nan if x else math.copysign(inf, x) if y % 2 == 1 else inf)
floor_divide = binary("floor_divide", operator.floordiv, 0.0,                   0.0,
                      text="//", domain=(REAL, NONZERO), kinks=lambda x, y: (x // y, x % y == 0))
remainder    = binary("remainder",    operator.mod,      1.0,                   lambda x, y, z: -(x // y),
                      text="%", symbol="mod", domain=(REAL, NONZERO), kinks=lambda x, y: (x // y, x % y == 0))
negative     = unary("negative",      operator.neg,      -1.0,  text="-", symbol="−")
absolute     = unary("absolute",      abs,               lambda x, y, z: sign(x),               kinks=lambda x: _sign(x))
square       = unary("square",        lambda x: x * x,   lambda x, y, z: 2 * x)
reciprocal   = unary("reciprocal",    lambda x: 1 / x,   lambda x, y, z: -z * z,                domain=NONZERO,
                     pole=lambda x: math.copysign(inf, x))
sqrt         = unary("sqrt",          math.sqrt,         lambda x, y, z: 0.5 / z,               domain=NOT_NEGATIVE)
cbrt         = unary("cbrt",          _cbrt,             lambda x, y, z: 1 / (3 * z * z),      kinks=lambda x: _sign(x))

# Exponentials and logarithms.

exp          = unary("exp",           _exp,              lambda x, y, z: z)
exp2         = unary("exp2",          _exp2,             lambda x, y, z: z * LN2)
expm1        = unary("expm1",         _expm1,            lambda x, y, z: exp(x))
log          = unary("log",           math.log,          lambda x, y, z: 1 / x,                 domain=POSITIVE,
                     pole=lambda x: nan if x else -inf)
log2         = unary("log2",          math.log2,         lambda x, y, z: 1 / (x * LN2),         domain=POSITIVE,
                     pole=lambda x: nan if x else -inf)
log10        = unary("log10",         math.log10,        lambda x, y, z: 1 / (x * LN10),        domain=POSITIVE,
                     pole=lambda x: nan if x else -inf)
log1p        = unary("log1p",         math.log1p,        lambda x, y, z: 1 / (1 + x),           domain=ABOVE_MINUS_ONE,
                     pole=lambda x: -inf if x == -1 else nan)

# Circular and hyperbolic functions.

sin          = unary("sin",           math.sin,          lambda x, y, z: cos(x))
cos          = unary("cos",           math.cos,          lambda x, y, z: -sin(x))
tan          = unary("tan",           math.tan,          lambda x, y, z: 1 + z * z)
arcsin       = unary("arcsin",        math.asin,         lambda x, y, z: 1 / sqrt((1 - x) * (1 + x)),  domain=BETWEEN_ONES)
arccos       = unary("arccos",        math.acos,         lambda x, y, z: -1 / sqrt((1 - x) * (1 + x)), domain=BETWEEN_ONES)
arctan       = unary("arctan",        math.atan,         lambda x, y, z: 1 / (1 + x * x))
arctan2      = binary("arctan2",      math.atan2,        lambda x, y, z: where(hypot(x, y), y / hypot(x, y) / hypot(x, y), 0.0),
                                                         lambda x, y, z: where(hypot(x, y), -x / hypot(x, y) / hypot(x, y), 0.0),
                      kinks=lambda x, y: (x >= 0) if y < 0 else None)
hypot        = binary("hypot",        math.hypot,        lambda x, y, z: where(z, x / z, 0.0),  lambda x, y, z: where(z, y / z, 0.0),
                      kinks=lambda x, y: x == y == 0)
sinh         = unary("sinh",          _sinh,             lambda x, y, z: cosh(x))
cosh         = unary("cosh",          _cosh,             lambda x, y, z: sinh(x))
tanh         = unary("tanh",          math.tanh,         lambda x, y, z: 1 - z * z)
arcsinh      = unary("arcsinh",       math.asinh,        lambda x, y, z: 1 / hypot(x, 1.0))
arccosh      = unary("arccosh",       math.acosh,        lambda x, y, z: 1 / (sqrt(x - 1) * sqrt(x + 1)), domain=AT_LEAST_ONE)
arctanh      = unary("arctanh",       math.atanh,        lambda x, y, z: 1 / ((1 - x) * (1 + x)), domain=INSIDE_ONES,
                     pole=lambda x: math.copysign(inf, x) if abs(x) == 1 else nan)
erf          = unary("erf",           math.erf,          lambda x, y, z: exp(-x * x) * (2 * SQRT2 / SQRT2PI))
erfc         = unary("erfc",          math.erfc,         lambda x, y, z: exp(-x * x) * (-2 * SQRT2 / SQRT2PI))

# Activations.

sigmoid      = unary("sigmoid",       _sigmoid,          lambda x, y, z: z * (1 - z))
logsigmoid   = unary("logsigmoid",    lambda x: -_softplus(-x), lambda x, y, z: sigmoid(-x))
softplus     = unary("softplus",      _softplus,         lambda x, y, z: sigmoid(x))
relu         = unary("relu",          lambda x: 0.0 if x <= 0 else x, lambda x, y, z: step(x),  kinks=lambda x: _sign(x))
leaky_relu   = binary("leaky_relu",   lambda x, a: a * x if x <= 0 else x, lambda x, a, z: a + (1 - a) * step(x),
                                                         lambda x, a, z: x * (1 - step(x)),     kinks=lambda x, a: _sign(x), default=0.1)
elu          = binary("elu",          _elu,              lambda x, a, z: where(step(x), 1.0, z + a),
                                                         lambda x, a, z: where(step(x), 0.0, expm1(x)),
                      kinks=lambda x, a: _sign(x), default=1.0)
gelu         = unary("gelu",          _gelu,             lambda x, y, z: 0.5 * erfc(-x / SQRT2) + where(exp(-0.5 * x * x), x * exp(-0.5 * x * x), 0.0) / SQRT2PI)
silu         = unary("silu",          _silu,             lambda x, y, z: sigmoid(x) + where(sigmoid(-x), z * sigmoid(-x), 0.0))

# Choosing and rounding: flat, or straight with kinks.

maximum      = binary("maximum",      _maximum,          lambda x, y, z: 0.5 * (1 + greater(x, y) - greater(y, x)),
                                                         lambda x, y, z: 0.5 * (1 + greater(y, x) - greater(x, y)),
                      kinks=lambda x, y: (x > y) - (x < y))
minimum      = binary("minimum",      _minimum,          lambda x, y, z: 0.5 * (1 + greater(y, x) - greater(x, y)),
                                                         lambda x, y, z: 0.5 * (1 + greater(x, y) - greater(y, x)),
                      kinks=lambda x, y: (x > y) - (x < y))
greater      = binary("greater",      lambda x, y: nan if x != x or y != y else float(x > y), 0.0, 0.0,
                      symbol=">", kinks=lambda x, y: (x > y) - (x < y))
sign         = unary("sign",          _sign,             0.0,                   kinks=lambda x: _sign(x))
step         = unary("step",          lambda x: 1.0 if x > 0 else 0.0 if x <= 0 else x, 0.0, kinks=lambda x: _sign(x))
floor        = unary("floor",         _rounded(math.floor), 0.0,                kinks=lambda x: (math.floor(x), x == math.floor(x)))
ceil         = unary("ceil",          _rounded(math.ceil),  0.0,                kinks=lambda x: (math.ceil(x), x == math.ceil(x)))
rint         = unary("rint",          _rounded(round),      0.0,                kinks=lambda x: (round(x), x % 1 == 0.5))

# Many operands, one node.

where        = nary("where",          _where,            lambda xs, z: [0.0, where(xs[0], 1.0, 0.0), where(xs[0], 0.0, 1.0)],
                    kinks=lambda xs: _sign(xs[0]), gather=_gather_three("where", "condition", "x", "y"))
clip         = nary("clip",           _clip,             lambda xs, z: [1 - greater(xs[1], xs[0]) - greater(xs[0], xs[2]), greater(xs[1], xs[0]), greater(xs[0], xs[2])],
                    kinks=lambda xs: (_sign(xs[0] - xs[1]), _sign(xs[0] - xs[2])), gather=_gather_three("clip", "x", "low", "high"))
sum_         = nary("sum",            _sum,              lambda xs, z: [1.0] * len(xs))
mean         = nary("mean",           _mean,             lambda xs, z: [1.0 / len(xs)] * len(xs))
prod         = nary("prod",           _prod,             lambda xs, z: _products_of_others(xs))
dot          = nary("dot",            _dot,              lambda xs, z: [*xs[(n := len(xs) // 2) : 2 * n], *xs[:n], *[1.0] * (len(xs) % 2)],
                    gather=_gather_dot)
max_         = nary("max",            _max,              lambda xs, z: _shares([1 - greater(z, x) for x in xs]), kinks=lambda xs: tuple(x == _max(xs) for x in xs))
min_         = nary("min",            _min,              lambda xs, z: _shares([1 - greater(x, z) for x in xs]), kinks=lambda xs: tuple(x == _min(xs) for x in xs))
logsumexp    = nary("logsumexp",      _logsumexp,        lambda xs, z: [exp(x - z) for x in xs])

# fmt: on

abs_ = alias(absolute, "abs", "__abs__")
neg = alias(negative, "neg", "__neg__")
pow_ = alias(power, "pow")
round_ = alias(rint, "round", "__round__")
alias(floor, "__floor__")
alias(ceil, "__ceil__")
