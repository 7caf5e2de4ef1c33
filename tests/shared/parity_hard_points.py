"""What PyTorch and JAX give at hard points, as observed in the versions below, in float64, on a CPU.

A function here takes an engine's functions by name, `e`, and numbers of that engine.
"""

import math

from hard_points import ERRORS, HARD_POINTS

inf, nan = math.inf, math.nan

VERSIONS = {"torch": "PyTorch 2.13.0", "jax": "JAX 0.10.2"}
"""Others give other numbers: JAX 0.12 has a slope of elu far below 0, and none of hypot at (0, 0)."""

# What the table of hard_points.py writes with scalargrad's own functions.
NEUTRAL = {
    "max of many, two at the top": lambda e, *xs: e["max"](*xs),
    "min of many, two at the bottom": lambda e, *xs: e["min"](*xs),
    "clip at the lower bound": lambda e, x: e["clip"](x, -1, 1),
    "clip at the upper bound": lambda e, x: e["clip"](x, -1, 1),
    "clip outside": lambda e, x: e["clip"](x, -1, 1),
    "clip(nan)": lambda e, x: e["clip"](x, -1, 1),
    "logsumexp(1000, -1000)": lambda e, *xs: e["logsumexp"](*xs),
    "cross-entropy of logits (-1000, 1000), target 0": lambda e, x, y: e["logsumexp"](x, y) - x,
    "prod with a zero": lambda e, *xs: e["prod"](*xs),
    "prod with two zeros": lambda e, *xs: e["prod"](*xs),
    "-7 // 2": lambda e, x, y: e["floor_divide"](x, y),
    "a subnormal": lambda e, x: x * e["exp"](x),  # JAX's compiler leaves x * 1.0 out
    "1 // 0": lambda e, x: e["floor_divide"](x + 1, x),
    "1 % 0": lambda e, x: e["remainder"](x + 1, x),
    "clip, bounds exchanged": lambda e, x: e["clip"](x, 2, 1),
}

NO_COUNTERPART = {"max of nothing", "dot, lengths"}
"""Errors about the number of operands, not about a number."""

# More points: (name, function, operands, value, gradients).
MORE = [
    ("hinge at its margin", lambda e, s: e["relu"](1 - s), (1,), 0, (0,)),
    ("x**0.5 near 0", lambda e, x: x**0.5, (1e-300,), 1e-150, (5e149,)),
    ("(-2)**Value(3)", lambda e, x, y: x**y, (-2, 3), -8, (12, nan)),
]

# What they give: (value, *gradients). An engine that is not named gives what scalargrad gives.
DIFFERENT = {
    "abs(0)": {"jax": (0, 1)},
    "leaky_relu(0)": {"jax": (0, 1, 0)},
    "leaky_relu(inf)": {"jax": (inf, 1, nan)},
    "elu far below 0": {"jax": (-1, 0, -1)},
    "clip at the lower bound": {"jax": (-1, 0.5)},
    "clip at the upper bound": {"jax": (1, 0.5)},
    "cbrt(0)": {"torch": (0, nan)},
    "x/y, tiny": {"jax": (1, 1e200, -inf)},
    "0**0": {"jax": (1, nan, 0)},
    "silu(-inf)": {"torch": (nan, nan), "jax": (nan, nan)},
    "silu(inf)": {"torch": (inf, nan), "jax": (inf, nan)},
    "gelu(-inf)": {"torch": (nan, nan), "jax": (nan, nan)},
    "gelu(inf)": {"torch": (inf, nan), "jax": (inf, nan)},
    "arctan2(0, 0)": {"jax": (0, nan, nan)},
    "hypot(0, 0)": {"torch": (0, nan, nan), "jax": (0, 0.5, 0.5)},
    "hypot, huge": {"jax": (5e200, 0.6, 1.25)},
    "arcsinh, huge": {"torch": (math.asinh(1e200), 0), "jax": (math.asinh(1e200), 0)},
    "relu(nan)": {"torch": (nan, 1), "jax": (nan, 0)},
    "max(1, nan)": {"torch": (nan, 1, 1), "jax": (nan, 0, 0)},
    "max(nan, 1)": {"torch": (nan, 1, 1), "jax": (nan, 0, 0)},
    "step(nan)": {"torch": (0, 0), "jax": (nan, 1)},
    "clip(nan)": {"torch": (nan, 0), "jax": (nan, 0)},
    "a subnormal": {"jax": (0, 1)},
}

# Where scalargrad raises, they give this.
INSTEAD_OF_AN_ERROR = {
    "sqrt(-1)": (nan, nan),
    "log(-1)": (nan, -1),
    "arcsin(2)": (nan, nan),
    "(-2)**0.5": (nan, nan),
    "(-8)**(1/3)": (nan, nan),
    "log(0)": (-inf, inf),
    "log1p(-1)": (-inf, inf),
    "arctanh(1)": (inf, inf),
    "1/0": (inf, -inf),
    "0/0": (nan, inf, nan),
    "0**-1": (inf, -inf),
    "1 // 0": (inf, 0),
    "1 % 0": (nan, -inf),
    "clip, bounds exchanged": (1, 0),
}

# Where PyTorch gives a finite number and scalargrad another one, and why.
NOT_PYTORCHS = {
    "arcsinh, huge": "x * x overflows; the slope is 1e-200",
    "relu(nan)": "NaN in, NaN out",
    "max(1, nan)": "NaN in, NaN out",
    "max(nan, 1)": "NaN in, NaN out",
    "step(nan)": "NaN in, NaN out",
    "clip(nan)": "NaN in, NaN out",
}


def neutral(name, f):
    """The function of a row of hard_points.py as one of any engine's functions and numbers."""
    if name in NEUTRAL:
        return NEUTRAL[name]
    if hasattr(f, "op"):
        return lambda e, *xs: e[f.op.name](*xs)
    return lambda e, *xs: f(*xs)  # operators alone


# (name, function, operands, value, gradients), and (name, function, operands, error).
HARD = [*((name, neutral(name, f), *row) for name, f, *row in HARD_POINTS), *MORE]
RAISING = [(name, neutral(name, f), xs, error) for name, f, xs, error, _ in ERRORS if name not in NO_COUNTERPART]


def same(found, expected):
    """Whether numbers are the same: nan and infinities as such, others within 1e-12 of themselves."""
    return len(found) == len(expected) and all(map(_same, found, expected))


def _same(x, y):
    return x == y or (x != x and y != y) or (math.isfinite(y) and abs(x - y) <= 1e-12 * abs(y))


def overruled(ours, theirs):
    """Whether one of their numbers is finite and ours is another one."""
    return any(math.isfinite(y) and not _same(x, y) for x, y in zip(ours, theirs, strict=True))
