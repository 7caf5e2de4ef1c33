"""The table of hard points, of which docs/hard-points.md is written and each row is a test."""

import math

import scalargrad as sg

inf, nan = math.inf, math.nan

# expression of its arguments; the arguments; the value; the gradients
HARD_POINTS = [
    ("relu(0)", sg.relu, (0,), 0, (0,)),
    ("relu(-0.0)", sg.relu, (-0.0,), 0, (0,)),
    ("abs(0)", abs, (0,), 0, (0,)),
    ("leaky_relu(0)", sg.leaky_relu, (0, 0.25), 0, (0.25, 0)),
    ("leaky_relu above 0, huge slope", sg.leaky_relu, (1, 1e17), 1, (1, 0)),
    ("leaky_relu(inf)", sg.leaky_relu, (inf, 0.1), inf, (1, 0)),
    ("elu far below 0", sg.elu, (-40, 1), -1, (4.248354255291589e-18, -1)),
    ("elu(0, a)", sg.elu, (0, 0.25), 0, (0.25, 0)),
    ("maximum tie", sg.maximum, (3, 3), 3, (0.5, 0.5)),
    ("minimum tie", sg.minimum, (3, 3), 3, (0.5, 0.5)),
    ("maximum tie at inf", sg.maximum, (inf, inf), inf, (0.5, 0.5)),
    ("max of many, two at the top", lambda *xs: sg.max(xs), (3, 1, 3), 3, (0.5, 0, 0.5)),
    ("min of many, two at the bottom", lambda *xs: sg.min(xs), (1, 1, 3), 1, (0.5, 0.5, 0)),
    ("clip at the lower bound", lambda x: sg.clip(x, -1, 1), (-1,), -1, (1,)),
    ("clip at the upper bound", lambda x: sg.clip(x, -1, 1), (1,), 1, (1,)),
    ("clip outside", lambda x: sg.clip(x, -1, 1), (2,), 1, (0,)),
    ("sqrt(0)", sg.sqrt, (0,), 0, (inf,)),
    ("x**0.5 at 0", lambda x: x**0.5, (0,), 0, (inf,)),
    ("cbrt(0)", sg.cbrt, (0,), 0, (inf,)),
    ("arcsin(1)", sg.arcsin, (1,), math.pi / 2, (inf,)),
    ("arccos(1)", sg.arccos, (1,), 0, (-inf,)),
    ("arccosh(1)", sg.arccosh, (1,), 0, (inf,)),
    ("x/y, tiny", lambda x, y: x / y, (1e-200, 1e-200), 1, (1e200, -1e200)),
    ("0**0", lambda x, y: x**y, (0, 0), 1, (0, 0)),
    ("x**0 at 0", lambda x: x**0, (0,), 1, (0,)),
    ("x**0", lambda x: x**0, (3,), 1, (0,)),
    ("0**1", lambda x, y: x**y, (0, 1), 0, (1, 0)),
    ("0**2", lambda x, y: x**y, (0, 2), 0, (0, 0)),
    ("0**0.5", lambda x, y: x**y, (0, 0.5), 0, (inf, 0)),
    ("(-2)**3", lambda x: x**3, (-2,), -8, (12,)),
    ("(-2)**-1", lambda x: x**-1, (-2,), -0.5, (-0.25,)),
    ("exp(710)", sg.exp, (710,), inf, (inf,)),
    ("10.0**400", lambda x: x**400, (10,), inf, (inf,)),
    ("(-10)**401", lambda x: x**401, (-10,), -inf, (inf,)),
    ("cosh(1000)", sg.cosh, (1000,), inf, (inf,)),
    ("sinh(-1000)", sg.sinh, (-1000,), -inf, (inf,)),
    ("exp2(2000)", sg.exp2, (2000,), inf, (inf,)),
    ("expm1(1000)", sg.expm1, (1000,), inf, (inf,)),
    *((f"{f.__name__}({x})", f, (x,), value, (0,)) for f, x, value in [
        (sg.tanh, 1000, 1), (sg.tanh, -1000, -1), (sg.tanh, inf, 1), (sg.tanh, -inf, -1),
        (sg.sigmoid, 1000, 1), (sg.sigmoid, -1000, 0), (sg.sigmoid, inf, 1), (sg.sigmoid, -inf, 0),
    ]),
    ("softplus(1000)", sg.softplus, (1000,), 1000, (1,)),
    ("softplus(-1000)", sg.softplus, (-1000,), 0, (0,)),
    ("logsigmoid(-1000)", sg.logsigmoid, (-1000,), -1000, (1,)),
    ("logsumexp(1000, -1000)", lambda x, y: sg.logsumexp([x, y]), (1000, -1000), 1000, (1, 0)),
    ("cross-entropy of logits (-1000, 1000), target 0", lambda x, y: sg.logsumexp([x, y]) - x, (-1000, 1000), 2000, (-1, 1)),
    ("silu(-inf)", sg.silu, (-inf,), 0, (0,)),
    ("silu(inf)", sg.silu, (inf,), inf, (1,)),
    ("gelu(-inf)", sg.gelu, (-inf,), 0, (0,)),
    ("gelu(inf)", sg.gelu, (inf,), inf, (1,)),
    ("arctan2(0, 0)", sg.arctan2, (0, 0), 0, (0, 0)),
    ("hypot(0, 0)", sg.hypot, (0, 0), 0, (0, 0)),
    ("hypot, huge", sg.hypot, (3e200, 4e200), 5e200, (0.6, 0.8)),
    ("arcsinh, huge", sg.arcsinh, (1e200,), math.asinh(1e200), (1e-200,)),
    ("prod with a zero", lambda *xs: sg.prod(xs), (2, 0, 3), 0, (0, 6, 0)),
    ("prod with two zeros", lambda *xs: sg.prod(xs), (0, 0, 3), 0, (0, 0, 0)),
    ("relu(nan)", sg.relu, (nan,), nan, (nan,)),
    ("max(1, nan)", sg.maximum, (1, nan), nan, (nan, nan)),
    ("max(nan, 1)", sg.maximum, (nan, 1), nan, (nan, nan)),
    ("step(nan)", sg.step, (nan,), nan, (0,)),
    ("clip(nan)", lambda x: sg.clip(x, -1, 1), (nan,), nan, (nan,)),
    ("a subnormal", lambda x: x * 1.0, (5e-324,), 5e-324, (1,)),
    ("sign(0)", sg.sign, (0,), 0, (0,)),
    ("step(0)", sg.step, (0,), 0, (0,)),
    ("floor(-0.5)", sg.floor, (-0.5,), -1, (0,)),
    ("floor(inf)", sg.floor, (inf,), inf, (0,)),
    ("-7 // 2", lambda x, y: x // y, (-7, 2), -4, (0, 0)),
    ("-7 % 2", lambda x, y: x % y, (-7, 2), 1, (1, 4)),
    ("where picks", sg.where, (1, 2, 3), 2, (0, 1, 0)),
    ("where picks the other", sg.where, (0, 2, 3), 3, (0, 0, 1)),
]  # fmt: skip

# What raises: expression, arguments, error, its message.
ERRORS = [
    ("sqrt(-1)", sg.sqrt, (-1,), ValueError, r"sqrt: domain error at -1\.0 \(label 'x'\)"),
    ("log(-1)", sg.log, (-1,), ValueError, r"log: domain error at -1\.0 \(label 'x'\)"),
    ("arcsin(2)", sg.arcsin, (2,), ValueError, r"arcsin: domain error at 2\.0 \(label 'x'\)"),
    ("(-2)**0.5", lambda x: x**0.5, (-2,), ValueError, r"power: a negative number has no real fractional power, at -2\.0, 0\.5 "),
    ("(-8)**(1/3)", lambda x: x ** (1 / 3), (-8,), ValueError, "power: a negative number"),
    ("log(0)", sg.log, (0,), ValueError, r"log: domain error at 0\.0"),
    ("log1p(-1)", sg.log1p, (-1,), ValueError, r"log1p: domain error at -1\.0"),
    ("arctanh(1)", sg.arctanh, (1,), ValueError, r"arctanh: domain error at 1\.0"),
    ("1/0", lambda x: 1 / x, (0,), ZeroDivisionError, r"divide: division by zero at 1\.0, 0\.0 \(label 'x'\)"),
    ("0/0", lambda x, y: x / y, (0, 0), ZeroDivisionError, r"divide: division by zero at 0\.0, 0\.0 \(labels 'x', 'y'\)"),
    ("0**-1", lambda x: x**-1, (0,), ZeroDivisionError, r"power: division by zero at 0\.0, -1\.0"),
    ("1 // 0", lambda x: 1 // x, (0,), ZeroDivisionError, "floor_divide: division by zero"),
    ("1 % 0", lambda x: 1 % x, (0,), ZeroDivisionError, "remainder: division by zero"),
    ("clip, bounds exchanged", lambda x: sg.clip(x, 2, 1), (0,), ValueError, r"clip: the lower bound 2\.0 is above the upper bound 1\.0"),
    ("max of nothing", lambda x: sg.max([]), (0,), ValueError, "max: no operands"),
    ("dot, lengths", lambda x: sg.dot([x], [1, 2]), (0,), ValueError, "dot: the vectors have 1 and 2 elements"),
]  # fmt: skip


def where_positive(x, y, otherwise=0.0):
    return sg.where(sg.greater(x, 0.0), y, otherwise)


# In the last section of the page: (function of a list of Values, point, gradient).
CHOICES = {
    "where(greater(x, 0), sqrt(x), 0)": (lambda v: where_positive(v[0], sg.sqrt(v[0])), 0.0, 0.0),
    "where(greater(x, 0), sqrt(x), 0), beside the pole": (lambda v: where_positive(v[0], sg.sqrt(v[0])), 4.0, 0.25),
    "sqrt(relu(x))": (lambda v: sg.sqrt(sg.relu(v[0])), -1.0, 0.0),
    "sqrt(relu(x)) at its kink": (lambda v: sg.sqrt(sg.relu(v[0])), 0.0, 0.0),
    "relu(x) ** 0.5": (lambda v: sg.relu(v[0]) ** 0.5, -1.0, 0.0),
    "floor(sqrt(x)) + x": (lambda v: sg.floor(sg.sqrt(v[0])) + v[0], 0.0, 1.0),
    "sign(sqrt(x)) + x": (lambda v: sg.sign(sg.sqrt(v[0])) + v[0], 0.0, 1.0),
    "maximum(sqrt(x), 1 + x)": (lambda v: sg.maximum(sg.sqrt(v[0]), 1.0 + v[0]), 0.0, 1.0),
    "minimum(sqrt(x) + 2, x)": (lambda v: sg.minimum(sg.sqrt(v[0]) + 2.0, v[0]), 0.0, 1.0),
    "max([sqrt(x), x + 1, -x])": (lambda v: sg.max([sg.sqrt(v[0]), v[0] + 1.0, -v[0]]), 0.0, 1.0),
    "clip(sqrt(x), 0.5, 1) + x": (lambda v: sg.clip(sg.sqrt(v[0]), 0.5, 1.0) + v[0], 0.0, 1.0),
    "sqrt(clip(x, 0, 1))": (lambda v: sg.sqrt(sg.clip(v[0], 0.0, 1.0)), -3.0, 0.0),
    "leaky_relu(x + 1, sqrt(x))": (lambda v: sg.leaky_relu(v[0] + 1.0, sg.sqrt(v[0])), 0.0, 1.0),
    "elu(x + 1, sqrt(x))": (lambda v: sg.elu(v[0] + 1.0, sg.sqrt(v[0])), 0.0, 1.0),
    "relu(where(greater(x, 0), sqrt(x), 0) - 1) + x": (
        lambda v: sg.relu(where_positive(v[0], sg.sqrt(v[0])) - 1.0) + v[0],
        0.0,
        1.0,
    ),
    "where(greater(x, 0), x ** 0.5, 0) + x ** 2": (lambda v: where_positive(v[0], v[0] ** 0.5) + v[0] ** 2, 0.0, 0.0),
    # Honest nan: the number is 0 by chance, not by choice.
    "sqrt(x) ** 2": (lambda v: sg.sqrt(v[0]) ** 2, 0.0, nan),
    "sqrt(abs(x))": (lambda v: sg.sqrt(abs(v[0])), 0.0, nan),
    "0 * sqrt(x)": (lambda v: 0.0 * sg.sqrt(v[0]), 0.0, nan),
    "where(1, sqrt(x), 0)": (lambda v: sg.where(1.0, sg.sqrt(v[0]), 0.0), 0.0, inf),
    "sqrt(x * 0)": (lambda v: sg.sqrt(v[0] * 0.0), 3.0, nan),
}
