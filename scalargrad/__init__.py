"""scalargrad: scalar reverse-mode automatic differentiation to learn from, look at and trust.

>>> from scalargrad import Value
>>> x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
>>> f = (x + y) * z
>>> f.backward()
>>> x.grad, y.grad, z.grad
(-4.0, -4.0, 3.0)
"""

import builtins as _builtins
import sys as _sys
from collections.abc import Callable as _Callable
from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from scalargrad import ops as _ops  # noqa: TC001  (fills the table, before anybody reads it)
from scalargrad.engine import Value as Value
from scalargrad.engine import topological_order as topological_order
from scalargrad.in_c import engine_in_c as engine_in_c
from scalargrad.node.contexts import no_grad as no_grad
from scalargrad.node.misnamed import METHODS as _METHODS
from scalargrad.node.variables import Names as _Names
from scalargrad.support.spelling import explained as _explained
from scalargrad.support.spelling import misnomers as _misnomers
from scalargrad.table import ufuncs as _ufuncs
from scalargrad.table.row import functions as _functions
from scalargrad.words import derivation as _derivation
from scalargrad.words import formula as _formulas

if _TYPE_CHECKING:  # "as" says that they are for users
    from scalargrad import circuit as circuit
    from scalargrad import exercises as exercises
    from scalargrad import layers as layers
    from scalargrad import mistakes as mistakes
    from scalargrad import nn as nn
    from scalargrad import strategies as strategies
    from scalargrad.checking import GradientError as GradientError
    from scalargrad.checking import assert_gradients as assert_gradients
    from scalargrad.checking import check_gradients as check_gradients
    from scalargrad.checking import check_op as check_op
    from scalargrad.compiling import BranchError as BranchError
    from scalargrad.compiling import compile as compile
    from scalargrad.compiling import record as record
    from scalargrad.compiling import replay as replay
    from scalargrad.drawing import Drawing as Drawing
    from scalargrad.drawing import decision_boundary as decision_boundary
    from scalargrad.drawing import draw as draw
    from scalargrad.drawing import draw_dot as draw_dot
    from scalargrad.drawing import draw_layers as draw_layers
    from scalargrad.drawing import draw_network as draw_network
    from scalargrad.drawing import loss_curve as loss_curve
    from scalargrad.drawing import summary as summary
    from scalargrad.exact import Exact as Exact
    from scalargrad.exact import complex_step as complex_step
    from scalargrad.function import Function as Function
    from scalargrad.function import primitive as primitive
    from scalargrad.functional import checkpoint as checkpoint
    from scalargrad.functional import count_operations as count_operations
    from scalargrad.functional import depends_on as depends_on
    from scalargrad.functional import derivative as derivative
    from scalargrad.functional import grad as grad
    from scalargrad.functional import hessian as hessian
    from scalargrad.functional import hvp as hvp
    from scalargrad.functional import jacfwd as jacfwd
    from scalargrad.functional import jacobian as jacobian
    from scalargrad.functional import jacrev as jacrev
    from scalargrad.functional import jvp as jvp
    from scalargrad.functional import sparsity as sparsity
    from scalargrad.functional import value_and_grad as value_and_grad
    from scalargrad.functional import vjp as vjp
    from scalargrad.hooks import AnomalyError as AnomalyError
    from scalargrad.hooks import detect_anomaly as detect_anomaly
    from scalargrad.hooks import register_hook as register_hook
    from scalargrad.hooks import sweep_hook as sweep_hook
    from scalargrad.ops import *  # noqa: F403
    from scalargrad.playground import Live as Live
    from scalargrad.playground import live as live
    from scalargrad.playground.network import live_network as live_network
    from scalargrad.tracing import Trace as Trace
    from scalargrad.tracing import Worksheet as Worksheet
    from scalargrad.tracing import Worksheets as Worksheets
    from scalargrad.tracing import diff as diff
    from scalargrad.tracing import explain as explain
    from scalargrad.tracing import name as name
    from scalargrad.tracing import trace as trace
    from scalargrad.tracing import worksheet as worksheet
    from scalargrad.words.staged import to_python as to_python

    abs, max, min, pow = _ops.abs_, _ops.max_, _ops.min_, _ops.pow_  # noqa: A001
    round, sum = _ops.rint, _ops.sum_  # noqa: A001

globals().update(_functions())  # every op of the table, by each of its names

__version__ = "0.2.0"

# Loaded at first use: `import scalargrad` stays quick.
_LATER = {
    name: f"scalargrad.{module}"
    for module, names in {
        "checking": ["GradientError", "assert_gradients", "check_gradients", "check_op"],
        "circuit": ["circuit"],
        "compiling": ["BranchError", "compile", "record", "replay"],
        "words.staged": ["to_python"],
        "drawing": [
            "Drawing", "decision_boundary", "draw", "draw_dot", "draw_layers", "draw_network", "loss_curve", "summary",
        ],
        "exact": ["Exact", "complex_step"],
        "exercises": ["exercises"],
        "function": ["Function", "primitive"],
        "functional": [
            "checkpoint", "count_operations", "depends_on", "derivative", "grad", "hessian", "hvp", "jacfwd",
            "jacobian", "jacrev", "jvp", "sparsity", "value_and_grad", "vjp",
        ],
        "hooks": ["AnomalyError", "detect_anomaly", "register_hook", "sweep_hook"],
        "layers": ["layers"],
        "mistakes": ["mistakes"],
        "nn": ["nn"],
        "playground": ["Live", "live"],
        "playground.network": ["live_network"],
        "strategies": ["strategies"],
        "tracing": ["Trace", "Worksheet", "Worksheets", "diff", "explain", "name", "trace", "worksheet"],
    }.items()
    for name in names
}  # fmt: skip


def __getattr__(name: str) -> _Any:
    if name not in _LATER:
        from scalargrad.support.spelling import no_attribute

        raise no_attribute(__name__, name, _meant)
    module = _import_module(_LATER[name])
    return module if _LATER[name].endswith("." + name) else getattr(module, name)


def _meant(name: str) -> str:
    """What to write in place of a name that there is not."""
    from scalargrad.node.misnamed import MATHEMATICS, PACKAGE
    from scalargrad.support.spelling import is_misnomer, nearest

    folded = name.casefold()
    if folded in PACKAGE:
        return PACKAGE[folded]
    if folded in MATHEMATICS:
        return f"write scalargrad.{MATHEMATICS[folded]}"
    nn = _import_module("scalargrad.nn")
    own = [other for other in __dir__() if not other.startswith("_")]
    methods = [other for other in dir(Value) if not other.startswith("_") and not is_misnomer(Value, other)]
    for near in nearest(name, [*own, *nn.__all__, *methods]):
        if near in own:
            return f"did you mean {near!r}?"
        if near in nn.__all__:
            return f"{near} is in scalargrad.nn: write `from scalargrad.nn import {near}`, or nn.{near}"
        return f"{near} belongs to a Value: write y.{near}()"
    return ""


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER} - {"strategies"})


def _draw(value: Value, *given: _Any, **options: _Any) -> _Any:
    """The picture of this Value's graph: `scalargrad.draw(value, **options)`, which refuses what else is given."""
    return __getattr__("draw")(value, *given, **options)


def _show(value: Value, **options: _Any) -> _Any:
    """Open the picture of this Value's graph in a browser: `draw(value, **options).show()`; returns the page's path."""
    return __getattr__("draw")(value, **options).show()


def _training_view(*given: _Any) -> _Any:
    """The live view of `nn.fit(..., watch=True)`, drawn in a room above nn."""
    return _import_module("scalargrad.drawing.training_view").TrainingView(*given)


def _formula(value: Value, notation: str = "text", *, lines: bool = False, names: _Names = True) -> str:
    """The expression that computes this Value, in 'text', 'latex' or 'python'; `lines` gives an equation per line.

    `names=False` leaves out the names of the caller's variables, as in `draw`.
    """
    return _formulas.formula(value, notation, lines=lines, names=names)


def _register_hook(value: Value, hook: _Callable[[_Any], _Any]) -> _Any:
    """Call `hook(gradient)` in every sweep when this Value's gradient is complete: `scalargrad.register_hook`."""
    return __getattr__("register_hook")(value, hook)


def _to_python(value: Value, name: str = "f", *, names: _Names = True) -> str:
    """Staged Python code of this Value's forward and backward pass: `scalargrad.to_python(value, name)`."""
    text: str = __getattr__("to_python")(value, name, names=names)
    return text


Value.draw = _draw  # type: ignore[method-assign,assignment]
Value.show = _show  # type: ignore[method-assign,assignment]
Value.formula = _formula  # type: ignore[method-assign,assignment]
Value.register_hook = _register_hook  # type: ignore[method-assign,assignment]
Value.to_python = _to_python  # type: ignore[method-assign,assignment]
Value.backward = _explained("y.backward()")(Value.backward)  # type: ignore[method-assign]
_misnomers(Value, _METHODS)
if _sys.platform == "emscripten":
    _import_module("scalargrad.node.webassembly").install(Value)

# abs, compile, max, min, pow, round and sum are left out: `from scalargrad import *` must not replace Python's own. So
# is strategies: `import *`, help() and whatever else walks over the names must work without hypothesis.
__all__ = ["Value", "no_grad", "topological_order"]
__all__ += [name for name in _LATER if name not in ("compile", "strategies")]
__all__ += [name for name in _functions() if not hasattr(_builtins, name)]
