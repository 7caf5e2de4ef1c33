"""scalargrad: scalar reverse-mode automatic differentiation to learn from, look at and trust.

>>> from scalargrad import Value
>>> x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
>>> f = (x + y) * z
>>> f.backward()
>>> x.grad, y.grad, z.grad
(-4.0, -4.0, 3.0)
"""

__version__ = "0.1.0"

from scalargrad import ufuncs as _ufuncs  # noqa: F401  (installs numpy's protocol)
from scalargrad.engine import Value, no_grad, topological_order
from scalargrad.ops import (
    abs_ as abs, absolute, add, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cbrt, ceil, clip, cos, cosh,
    divide, dot, elu, erf, erfc, exp, exp2, expm1, floor, floor_divide, gelu, greater, hypot, leaky_relu, log, log1p,
    log2, log10, logsigmoid, logsumexp, max_ as max, maximum, mean, min_ as min, minimum, multiply, neg, negative,
    pow_ as pow, power, prod, reciprocal, relu, remainder, rint, sigmoid, sign, silu, sin, sinh, softplus, sqrt, square,
    step, subtract, sum_ as sum, tan, tanh, where,
)  # fmt: skip
