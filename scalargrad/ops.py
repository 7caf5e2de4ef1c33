"""The op table: one row per operation, holding its name, its value, its local partial derivatives, domain and kinks.

This is the only place where derivatives are written. A rule is a plain lambda over the arguments `x, y` and the result
`z`; one that is the same everywhere is written as a number. It uses operators and other rows, never `math`, `.data` or
`.grad`, and never branches in Python (use `where`, `step`, `greater`). So the same lambda serves floats in backward(),
Values when a gradient must itself be a graph, and labelled Values when a formula is to be printed. Rows of three and
more operands get the list `xs` in place of `x, y`.

At hard points (ties, kinks, overflow) values and derivatives follow PyTorch where it gives a finite number. Outside
its domain a value raises ValueError or ZeroDivisionError; a derivative never raises.

relu at -1 passes nothing on, not even 0 times inf, which would be nan: it did not choose its operand. So it is with a
row that `chooses`, wherever a derivative is 0. `where` is one, so a rule may guard itself with it. A guard that puts a
number where there is no derivative, as that of hypot at (0, 0), puts it there as sqrt(z) with z = 0: 0, whose own
derivative is inf, so that no order of derivatives is finite and wrong.

To add a row, write it below (table/row.py says what each fact means); write its line `lower(op, form)` in the second
table, unless every processor or C library has the function; and run `python tests/table/test_method_stub.py`, which
writes _methods.pyi. Functions, methods, derivatives, words, pictures and compiled programs need no more; what a
lecturer says of it goes to words/lecture.py.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

from scalargrad.table import floats
from scalargrad.table.domains import (
    ABOVE_MINUS_ONE,
    AT_LEAST_ONE,
    BETWEEN_ONES,
    INSIDE_ONES,
    NONZERO,
    NOT_NEGATIVE,
    POSITIVE,
    REAL,
)
from scalargrad.table.making import alias, binary, indexed, lower, nary, paired, unary
from scalargrad.table.row import PACKAGE_ROWS, AnyFunction
from scalargrad.table.row import TABLE as TABLE  # noqa: PLC0414  (this module is where readers look for it)

LN2, LN10, SQRT2 = math.log(2), math.log(10), math.sqrt(2)
SQRT_PI, SQRT_2PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)

# Rows that rules above them use.
cos: AnyFunction
cosh: AnyFunction
erfc: AnyFunction
exp: AnyFunction
expm1: AnyFunction
greater: AnyFunction
hypot: AnyFunction
log: AnyFunction
power: AnyFunction
sigmoid: AnyFunction
sign: AnyFunction
sin: AnyFunction
sinh: AnyFunction
sqrt: AnyFunction
step: AnyFunction
where: AnyFunction


def _gather_dot(xs: Any = None, ys: Any = None, bias: Any = None, *more: Any) -> Sequence[Any]:
    if ys is None or more:
        raise TypeError("dot takes two vectors and, if there is one, a bias: dot([1.0, 2.0], weights, bias)")
    xs, ys = xs if type(xs) is list else _vector(xs), ys if type(ys) is list else _vector(ys)
    if len(xs) != len(ys):
        raise ValueError(f"dot: the vectors have {len(xs)} and {len(ys)} elements; they must have equally many")
    return [*xs, *ys] if bias is None else [*xs, *ys, bias]


def _vector(x: Any) -> Sequence[Any]:
    if not getattr(x, "ndim", 1):  # an array without dimensions has a length that raises
        return [x]
    return x if hasattr(x, "__len__") else list(x) if hasattr(x, "__iter__") else [x]


def _products_of_others(xs: Sequence[Any]) -> list[Any]:
    """For each x the product of the other xs, without division: a zero among them does no harm."""
    before, after = [1.0], [1.0]
    for x in xs[:-1]:
        before.append(before[-1] * x)
    for x in xs[:0:-1]:
        after.append(after[-1] * x)
    return [b * a for b, a in zip(before, reversed(after), strict=True)]


def _shares(at_top: Sequence[Any]) -> list[Any]:
    """Each one's share of the gradient: those at the top divide it equally."""
    count = reduce(operator.add, at_top)
    return [one / count for one in at_top]


# fmt: off
# ruff: noqa: E501
# -------------------------------------------------------------------- THE TABLE
#
#                    name             value on floats      derivative in x                           derivative in y, and the rest of the row

# Arithmetic. A number on either side is a constant: its derivative is not asked for. A text that is a Python operator
# makes that operator of Value, too.

add          = binary("add",          operator.add,        1.0,                                      1.0,                                     text="+")
subtract     = binary("subtract",     operator.sub,        1.0,                                      -1.0,                                    text="-", symbol="−")
multiply     = binary("multiply",     operator.mul,        lambda x, y, z: y,                        lambda x, y, z: x,                       text="*", symbol="×")
divide       = binary("divide",       operator.truediv,    lambda x, y, z: 1 / y,                    lambda x, y, z: -z / y,                  text="/", symbol="÷",
                      domain=(REAL, NONZERO), pole=floats.quotient_by_zero)
power        = binary("power",        floats.power,        lambda x, y, z: y * power(where(hypot(x, y), x, 1.0), y - 1),
                                                                                                     lambda x, y, z: z * log(where(x, x, 1.0)), text="**", symbol="^",
                      domain=(POSITIVE, REAL), pole=floats.power_at_pole)
floor_divide = binary("floor_divide", operator.floordiv,   0.0,                                      0.0,                                     text="//",
                      domain=(REAL, NONZERO), kinks=lambda x, y: x // y, chooses=(True, True))
remainder    = binary("remainder",    operator.mod,        1.0,                                      lambda x, y, z: -(x // y),               text="%", symbol="mod",
                      domain=(REAL, NONZERO), kinks=lambda x, y: x // y)
negative     = unary("negative",      operator.neg,        -1.0,                                     text="-", symbol="−")
absolute     = unary("absolute",      abs,                 lambda x, y, z: sign(x),                  kinks=floats.sign, never_minus_zero=True)
square       = unary("square",        lambda x: x * x,     lambda x, y, z: 2 * x,                    never_minus_zero=True)
reciprocal   = unary("reciprocal",    lambda x: 1 / x,     lambda x, y, z: -z * z,                   domain=NONZERO, pole=lambda x: floats.quotient_by_zero(1.0, x))
sqrt         = unary("sqrt",          math.sqrt,           lambda x, y, z: 0.5 / z,                  domain=NOT_NEGATIVE)
cbrt         = unary("cbrt",          floats.cbrt,         lambda x, y, z: 1 / (3 * z * z),          kinks=floats.sign)

# Exponentials and logarithms.

exp          = unary("exp",           floats.exp,          lambda x, y, z: z,                        never_minus_zero=True)
exp2         = unary("exp2",          floats.exp2,         lambda x, y, z: z * LN2)
expm1        = unary("expm1",         floats.expm1,        lambda x, y, z: exp(x))
log          = unary("log",           math.log,            lambda x, y, z: 1 / x,                    domain=POSITIVE, pole=floats.log_at_pole)
log2         = unary("log2",          math.log2,           lambda x, y, z: 1 / LN2 / x,              domain=POSITIVE, pole=floats.log_at_pole)
log10        = unary("log10",         math.log10,          lambda x, y, z: 1 / LN10 / x,             domain=POSITIVE, pole=floats.log_at_pole)
log1p        = unary("log1p",         math.log1p,          lambda x, y, z: 1 / (1 + x),              domain=ABOVE_MINUS_ONE, pole=lambda x: floats.log_at_pole(1 + x))

# Circular and hyperbolic functions.

sin          = unary("sin",           math.sin,            lambda x, y, z: cos(x))
cos          = unary("cos",           math.cos,            lambda x, y, z: -sin(x))
tan          = unary("tan",           math.tan,            lambda x, y, z: 1 + z * z)
arcsin       = unary("arcsin",        math.asin,           lambda x, y, z: 1 / sqrt((1 - x) * (1 + x)),   domain=BETWEEN_ONES)
arccos       = unary("arccos",        math.acos,           lambda x, y, z: -1 / sqrt((1 - x) * (1 + x)),  domain=BETWEEN_ONES)
arctan       = unary("arctan",        math.atan,           lambda x, y, z: 1 / (1 + x * x))
arctan2      = binary("arctan2",      math.atan2,          lambda x, y, z: where(hypot(x, y), y / hypot(x, y) / hypot(x, y), sqrt(hypot(x, y))),
                                                                                                     lambda x, y, z: where(hypot(x, y), -x / hypot(x, y) / hypot(x, y), sqrt(hypot(x, y))),
                      kinks=lambda x, y: (x >= 0) if y < 0 else None)
hypot        = binary("hypot",        math.hypot,          lambda x, y, z: where(z, x / z, sqrt(z)), lambda x, y, z: where(z, y / z, sqrt(z)),
                      kinks=lambda x, y: x == y == 0, never_minus_zero=True)
sinh         = unary("sinh",          floats.sinh,         lambda x, y, z: cosh(x))
cosh         = unary("cosh",          floats.cosh,         lambda x, y, z: sinh(x))
tanh         = unary("tanh",          math.tanh,           lambda x, y, z: 1 - z * z)
arcsinh      = unary("arcsinh",       math.asinh,          lambda x, y, z: 1 / hypot(x, 1.0))
arccosh      = unary("arccosh",       math.acosh,          lambda x, y, z: 1 / (sqrt(x - 1) * sqrt(x + 1)),  domain=AT_LEAST_ONE)
arctanh      = unary("arctanh",       math.atanh,          lambda x, y, z: 1 / ((1 - x) * (1 + x)),  domain=INSIDE_ONES, pole=lambda x: math.copysign(math.inf, x) if abs(x) == 1 else math.nan)
erf          = unary("erf",           math.erf,            lambda x, y, z: exp(-x * x) * (2 / SQRT_PI))
erfc         = unary("erfc",          math.erfc,           lambda x, y, z: exp(-x * x) * (-2 / SQRT_PI))

# Activations.

sigmoid      = unary("sigmoid",       floats.sigmoid,      lambda x, y, z: z * (1 - z),              never_minus_zero=True)
logsigmoid   = unary("logsigmoid",    lambda x: -floats.softplus(-x), lambda x, y, z: sigmoid(-x))
softplus     = unary("softplus",      floats.softplus,     lambda x, y, z: sigmoid(x),               never_minus_zero=True)
relu         = unary("relu",          floats.relu,         lambda x, y, z: step(x),                  kinks=floats.sign, chooses=True, never_minus_zero=True)
leaky_relu   = binary("leaky_relu",   floats.leaky_relu,   lambda x, a, z: where(step(x), 1.0, a),     lambda x, a, z: where(step(x), 0.0, x),
                      kinks=lambda x, a: floats.sign(x), default=0.1, chooses=(False, lambda x, a, z: 1 - step(x)))
elu          = binary("elu",          floats.elu,          lambda x, a, z: where(step(x), 1.0, a * exp(where(step(x), 0.0, x))),
                                                                                                     lambda x, a, z: expm1(where(step(x), 0.0, x)),
                      kinks=lambda x, a: floats.sign(x), default=1.0, chooses=(False, lambda x, a, z: 1 - step(x)))
silu         = unary("silu",          floats.silu,         lambda x, y, z: sigmoid(x) + where(sigmoid(-x), z * sigmoid(-x), 0.0))
gelu         = unary("gelu",          floats.gelu,         lambda x, y, z: 0.5 * erfc(-x / SQRT2) + where(exp(-0.5 * x * x), x * exp(-0.5 * x * x), 0.0) / SQRT_2PI)

# Choosing and rounding: flat or straight, with kinks. A tie shares the gradient equally.

maximum      = binary("maximum",      floats.maximum,      lambda x, y, z: 0.5 * (1 + greater(x, y) - greater(y, x)),
                                                                                                     lambda x, y, z: 0.5 * (1 + greater(y, x) - greater(x, y)),
                      kinks=lambda x, y: floats.sign(x - y), chooses=(True, True))
minimum      = binary("minimum",      floats.minimum,      lambda x, y, z: 0.5 * (1 + greater(y, x) - greater(x, y)),
                                                                                                     lambda x, y, z: 0.5 * (1 + greater(x, y) - greater(y, x)),
                      kinks=lambda x, y: floats.sign(x - y), chooses=(True, True))
greater      = binary("greater",      floats.greater,      0.0,                                      0.0,                                     symbol=">",
                      kinks=lambda x, y: floats.sign(x - y), chooses=(True, True))
sign         = unary("sign",          floats.sign,         0.0,                                      kinks=floats.sign, chooses=True)
step         = unary("step",          floats.step,         0.0,                                      kinks=floats.sign, chooses=True)
floor        = unary("floor",         floats.rounded(math.floor), 0.0,                               kinks=math.floor, chooses=True)
ceil         = unary("ceil",          floats.rounded(math.ceil),  0.0,                               kinks=math.ceil, chooses=True)
rint         = unary("rint",          floats.rounded(round),      0.0,                               kinks=round, chooses=True)

# Many operands, one node.

where        = nary("where",          floats.where,        lambda xs, z: [0.0, where(xs[0], 1.0, 0.0), where(xs[0], 0.0, 1.0)],
                    kinks=lambda xs: floats.sign(xs[0]), arguments=("condition", "x", "y"), chooses=True)
clip         = nary("clip",           floats.clip,         lambda xs, z: [1 - greater(xs[1], xs[0]) - greater(xs[0], xs[2]), greater(xs[1], xs[0]), greater(xs[0], xs[2])],
                    kinks=lambda xs: (floats.sign(xs[0] - xs[1]), floats.sign(xs[0] - xs[2])), arguments=("x", "low", "high"), chooses=True)
take         = indexed("take",        floats.taken,        lambda xs, z: [0.0, *[where(xs[0] - j, 0.0, 1.0) for j in range(len(xs) - 1)]],
                    kinks=lambda xs: xs[0])
sum_         = nary("sum",            floats.total,        lambda xs, z: [1.0] * len(xs),  spelled_out=floats.total)
mean         = nary("mean",           floats.mean,         lambda xs, z: [1.0 / len(xs)] * len(xs),  spelled_out=floats.mean)
prod         = nary("prod",           floats.prod,         lambda xs, z: _products_of_others(xs),  spelled_out=floats.prod)
dot          = paired("dot",          multiply, gather=_gather_dot)
max_         = nary("max",            floats.largest,      lambda xs, z: _shares([1 - greater(z, x) for x in xs]),  kinks=lambda xs: tuple(x == max(xs) for x in xs), chooses=True)
min_         = nary("min",            floats.smallest,     lambda xs, z: _shares([1 - greater(x, z) for x in xs]),  kinks=lambda xs: tuple(x == min(xs) for x in xs), chooses=True)
logsumexp    = nary("logsumexp",      floats.logsumexp,    lambda xs, z: [exp(x - z) for x in xs],  spelled_out=lambda xs: log(floats.total([exp(x) for x in xs])))

# -------------------------------------------------------------------- THE SAME IN OTHER ROWS
#
# What compiled programs compute for the rows that no processor and no C library has a function for: their value by
# other rows, which runs on Values and has no branch. On finite numbers it is the same bit for bit, in the same order of
# roundings (tested for each); where the value raises, it gives what IEEE arithmetic says.
#
# A row without a line here is taken for a primitive. Compiled programs then look for its instruction in primitives.py of
# compiling/llvm, compiling/wasm and compiling/jax; else for the C library's function with the name that `value` has in
# Python's math, and jax.numpy's with the row's. A backend that has none refuses to run anything, and says which line is
# missing. So does `to_python`, where Python has no word for the op.


def _cbrt(x: Any) -> Any:
    size = absolute(x)
    root = power(size, 1 / 3)
    root = root - (root - size / where(size, root * root, 1.0)) / 3  # 0 / 0 would raise in Python
    root = where(greater(math.inf, size), root, size)
    return where(greater(0.0, x), -root, where(size, root, x))


def _sigmoid(x: Any) -> Any:
    e = exp(-absolute(x))
    return where(greater(0.0, x), e / (1 + e), 1 / (1 + e))


def _take(xs: Sequence[Any]) -> Any:
    chosen: Any = math.nan  # of no index; the row itself raises IndexError, and compiled programs see to that first
    for j in range(len(xs) - 1, 0, -1):
        chosen = where(xs[0] - (j - 1), chosen, xs[j])
    return chosen


def _logsumexp(xs: Sequence[Any]) -> Any:
    top = reduce(maximum, xs)
    total = floats.total([exp(x - top) for x in xs])
    return where(greater(math.inf, absolute(top)), top + log(total), top)


lower(square,       lambda x: x * x)
lower(reciprocal,   lambda x: 1 / x)
lower(cbrt,         _cbrt)
lower(exp2,         lambda x: power(2.0, x))
lower(sigmoid,      _sigmoid)
lower(logsigmoid,   lambda x: -softplus(-x))
lower(softplus,     lambda x: maximum(x, 0.0) + log1p(exp(-absolute(x))))
lower(leaky_relu,   lambda x, a: where(greater(x, 0.0), x, a * x))
lower(elu,          lambda x, a: where(greater(x, 0.0), x, a * expm1(x)))
lower(silu,         lambda x: where(greater(x, -math.inf), x * sigmoid(x), -0.0))
lower(gelu,         lambda x: where(greater(x, -math.inf), 0.5 * x * erfc(-x / SQRT2), -0.0))
lower(step,         lambda x: greater(x, 0.0))
# Crossed bounds raise, as in the row: the root of -1 does, or is NaN, and that of 1 is no instruction.
lower(clip,         lambda xs: sqrt(where(greater(xs[1], xs[2]), -1.0, 1.0)) * minimum(maximum(xs[0], xs[1]), xs[2]))
lower(take,         _take)
lower(sum_,         floats.total)
lower(mean,         floats.mean)
lower(prod,         floats.prod)
lower(max_,         lambda xs: reduce(maximum, xs))
lower(min_,         lambda xs: reduce(minimum, xs))
lower(logsumexp,    _logsumexp)

# fmt: on

abs_ = alias(absolute, "abs", "__abs__")
neg = alias(negative, "neg", "__neg__")
pow_ = alias(power, "pow")
alias(rint, "round")
alias(floor, "__floor__")
alias(ceil, "__ceil__")

PACKAGE_ROWS.update(TABLE)
BUILT_IN = tuple(PACKAGE_ROWS.values())
"""The rows of this file; what users add comes later."""
