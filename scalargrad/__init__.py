"""scalargrad: scalar reverse-mode automatic differentiation to learn from, look at and trust.

>>> from scalargrad import Value
>>> x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
>>> f = (x + y) * z
>>> f.backward()
>>> x.grad, y.grad, z.grad
(-4.0, -4.0, 3.0)
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from scalargrad import derivation as _derivation
from scalargrad import ufuncs as _ufuncs
from scalargrad.engine import Value, no_grad, topological_order
from scalargrad.ops import abs_ as abs
from scalargrad.ops import (
    absolute,
    add,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cbrt,
    ceil,
    clip,
    cos,
    cosh,
    divide,
    dot,
    elu,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    gelu,
    greater,
    hypot,
    leaky_relu,
    log,
    log1p,
    log2,
    log10,
    logsigmoid,
    logsumexp,
    maximum,
    mean,
    minimum,
    multiply,
    neg,
    negative,
    power,
    prod,
    reciprocal,
    relu,
    remainder,
    rint,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softplus,
    sqrt,
    square,
    step,
    subtract,
    tan,
    tanh,
    where,
)
from scalargrad.ops import max_ as max
from scalargrad.ops import min_ as min
from scalargrad.ops import pow_ as pow
from scalargrad.ops import sum_ as sum

if _TYPE_CHECKING:
    from scalargrad import nn
    from scalargrad.drawing import Drawing, decision_boundary, draw, draw_dot, loss_curve, summary

__version__ = "0.1.0"

# Loaded at first use: `import scalargrad` stays quick.
_LATER = {
    "nn": "scalargrad.nn",
    "Drawing": "scalargrad.drawing",
    "decision_boundary": "scalargrad.drawing",
    "draw": "scalargrad.drawing",
    "draw_dot": "scalargrad.drawing",
    "loss_curve": "scalargrad.drawing",
    "summary": "scalargrad.drawing",
}


def __getattr__(name: str) -> _Any:
    if name not in _LATER:
        raise AttributeError(f"module 'scalargrad' has no attribute {name!r}")
    module = _import_module(_LATER[name])
    return module if _LATER[name].endswith("." + name) else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


def _draw(value: Value, **options: _Any) -> _Any:
    """The picture of this Value's graph: `scalargrad.draw(value, **options)`."""
    return __getattr__("draw")(value, **options)


Value.draw = _draw  # type: ignore[method-assign,assignment]

# abs, max, min, pow and sum are left out: `from scalargrad import *` must not replace Python's own.
__all__ = [
    "Drawing",
    "Value",
    "absolute",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "decision_boundary",
    "divide",
    "dot",
    "draw",
    "draw_dot",
    "elu",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "floor_divide",
    "gelu",
    "greater",
    "hypot",
    "leaky_relu",
    "log",
    "log1p",
    "log2",
    "log10",
    "logsigmoid",
    "logsumexp",
    "loss_curve",
    "maximum",
    "mean",
    "minimum",
    "multiply",
    "neg",
    "negative",
    "nn",
    "no_grad",
    "power",
    "prod",
    "reciprocal",
    "relu",
    "remainder",
    "rint",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "step",
    "subtract",
    "summary",
    "tan",
    "tanh",
    "topological_order",
    "where",
]
