"""What every row of the op table promises, and mpmath's functions for the rows."""

import pytest
from helpers import call, slope
from optional import mpmath

from scalargrad import Value

ORACLES = {
    "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y, "power": lambda x, y: x**y, "floor_divide": lambda x, y: mpmath.floor(x / y),
    "remainder": lambda x, y: x - y * mpmath.floor(x / y), "negative": lambda x: -x, "absolute": abs,
    "square": lambda x: x * x, "reciprocal": lambda x: 1 / x, "sqrt": mpmath.sqrt,
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "exp": mpmath.exp, "exp2": lambda x: mpmath.mpf(2) ** x, "expm1": mpmath.expm1,
    "log": mpmath.log, "log2": lambda x: mpmath.log(x, 2), "log10": mpmath.log10, "log1p": mpmath.log1p,
    "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "arcsin": mpmath.asin, "arccos": mpmath.acos,
    "arctan": mpmath.atan, "arctan2": mpmath.atan2, "hypot": mpmath.hypot,
    "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh,
    "arcsinh": mpmath.asinh, "arccosh": mpmath.acosh, "arctanh": mpmath.atanh,
    "erf": mpmath.erf, "erfc": mpmath.erfc,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "logsigmoid": lambda x: -mpmath.log(1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)), "relu": lambda x: max(x, mpmath.mpf(0)),
    "leaky_relu": lambda x, a: x if x > 0 else a * x, "elu": lambda x, a: x if x > 0 else a * mpmath.expm1(x),
    "gelu": lambda x: x * mpmath.ncdf(x), "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "maximum": max, "minimum": min, "greater": lambda x, y: mpmath.mpf(x > y),
    "sign": mpmath.sign, "step": lambda x: mpmath.mpf(x > 0), "floor": mpmath.floor, "ceil": mpmath.ceil,
    "rint": mpmath.nint,
    "where": lambda c, x, y: x if c else y, "clip": lambda x, low, high: min(max(x, low), high),
    "take": lambda index, *xs: xs[int(index)],
    "sum": lambda *xs: mpmath.fsum(xs), "mean": lambda *xs: mpmath.fsum(xs) / len(xs), "prod": lambda *xs: mpmath.fprod(xs),
    "dot": lambda *xs: mpmath.fdot(xs[: (n := len(xs) // 2)], xs[n : 2 * n]) + (xs[-1] if len(xs) % 2 else 0),
    "max": lambda *xs: max(xs), "min": lambda *xs: min(xs),
    "logsumexp": lambda *xs: mpmath.log(mpmath.fsum(map(mpmath.exp, xs))),
}  # fmt: skip


def check_row(op, xs):
    """What every row promises at one point: function, method and plain numbers agree; partials match finite differences."""
    values = [Value(x, label=f"x{i}") for i, x in enumerate(xs)]
    z = call(op, values)
    plain = op.on(list(xs))
    assert z.data == plain == call(op, xs)
    assert z.parents == tuple(values)
    assert z._rule is op
    assert z._op == op.text
    if not op.takes_lists:
        assert getattr(values[0], op.name)(*values[1:]).data == plain

    z.backward()
    assert not op.has_index or values[0].grad == 0.0  # it cannot move
    for i, x in list(enumerate(values))[op.has_index :]:
        numeric, error = slope(lambda t, i=i: call(op, [*xs[:i], t, *xs[i + 1 :]]), xs[i])
        assert x.grad == pytest.approx(numeric, rel=1e-7, abs=10 * error + 1e-9)
