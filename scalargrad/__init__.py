"""scalargrad: scalar reverse-mode automatic differentiation to learn from, look at and trust.

>>> from scalargrad import Value
>>> x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
>>> f = (x + y) * z
>>> f.backward()
>>> x.grad, y.grad, z.grad
(-4.0, -4.0, 3.0)
"""

import builtins as _builtins
from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from scalargrad import derivation as _derivation
from scalargrad import notation as _notation
from scalargrad import ufuncs as _ufuncs
from scalargrad.engine import Value as Value
from scalargrad.engine import no_grad as no_grad
from scalargrad.engine import topological_order as topological_order
from scalargrad.table import functions as _functions

if _TYPE_CHECKING:  # "as" says that they are for users
    from scalargrad import nn as nn
    from scalargrad import ops as _ops
    from scalargrad.drawing import Drawing as Drawing
    from scalargrad.drawing import decision_boundary as decision_boundary
    from scalargrad.drawing import draw as draw
    from scalargrad.drawing import draw_dot as draw_dot
    from scalargrad.drawing import loss_curve as loss_curve
    from scalargrad.drawing import summary as summary
    from scalargrad.ops import *  # noqa: F403
    from scalargrad.tracing import Trace as Trace
    from scalargrad.tracing import trace as trace

    abs, max, min, pow = _ops.abs_, _ops.max_, _ops.min_, _ops.pow_  # noqa: A001
    round, sum = _ops.rint, _ops.sum_  # noqa: A001

globals().update(_functions())  # every op of the table, by each of its names

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
    "Trace": "scalargrad.tracing",
    "trace": "scalargrad.tracing",
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


def _formula(value: Value, notation: str = "text", *, lines: bool = False) -> str:
    """The expression that computes this Value, in 'text', 'latex' or 'python'; `lines` gives an equation per line."""
    return _notation.formula(value, notation, lines=lines)


Value.draw = _draw  # type: ignore[method-assign,assignment]
Value.formula = _formula  # type: ignore[method-assign,assignment]

# abs, max, min, pow, round and sum are left out: `from scalargrad import *` must not replace Python's own.
__all__ = ["Value", "no_grad", "topological_order"]
__all__ += list(_LATER)
__all__ += [name for name in _functions() if not hasattr(_builtins, name)]
