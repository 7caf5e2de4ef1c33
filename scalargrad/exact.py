"""Numbers better than floats, as oracles: exact fractions that flow through a graph, and the complex step.

Neither touches the way of ordinary numbers: this module is imported only by who wants it.
"""

from __future__ import annotations

import cmath
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from scalargrad.engine import Value, topological_order
from scalargrad.node.overwritten import refuse_overwritten
from scalargrad.support.arguments import function, items, real
from scalargrad.support.labels import clean_label
from scalargrad.support.reals import kept_types
from scalargrad.table.row import Op


class Exact(Fraction):
    """A rational number that stays exact: with a float it computes with the fraction that the float is.

    `Value(Exact(1, 3))` makes a graph whose values and gradients are exact, as long as its operations are rational: + -
    * / and whole powers, choices and roundings. Other operations give floats.

    >>> from scalargrad import Value
    >>> x = Value(Exact(1, 3))
    >>> y = x ** 2 / (x + 1)
    >>> y.backward()
    >>> y.data, x.grad
    (Exact(1, 12), Exact(7, 16))
    """

    __slots__ = ()
    __hash__ = Fraction.__hash__

    def __repr__(self) -> str:
        return f"Exact({self.numerator}, {self.denominator})"

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        if not isinstance(other, (int, float, Fraction)):
            return NotImplemented
        exponent = Fraction(other)
        if exponent.denominator != 1:
            return float(self) ** float(exponent)
        return Exact(Fraction.__pow__(Fraction(self), exponent.numerator))

    def __neg__(self) -> Exact:
        return Exact(Fraction.__neg__(self))

    def __abs__(self) -> Exact:
        return Exact(Fraction.__abs__(self))

    def __rpow__(self, other: Any) -> Any:
        return Exact(other) ** self


def _exactly(name: str) -> Callable[[Exact, Any], Any]:
    compute = getattr(Fraction, name)

    def method(self: Exact, other: Any) -> Any:
        if isinstance(other, float) and other - other != 0.0:  # inf and nan have no fraction
            return getattr(float(self), name)(other)
        if not isinstance(other, (int, float, Fraction)):
            return NotImplemented
        return Exact(compute(self, Fraction(other)))

    return method


for _name in ("add", "sub", "mul", "truediv", "mod"):
    setattr(Exact, f"__{_name}__", _exactly(f"__{_name}__"))
    setattr(Exact, f"__r{_name}__", _exactly(f"__r{_name}__"))
kept_types.add(Exact)


# -------------------------------------------------------------------- the complex step


def complex_step(f: Callable[..., Any], xs: Sequence[float], h: float = 1e-30) -> list[float]:
    """The gradient of f at xs by the complex step, Im f(x + ih) / h: no rule of the table, no subtraction, no error.

    Args:
        f: a function of one Value for each number, made of operations that are analytic: no relu, abs or max.
        xs: the point.
        h: the step; it may be tiny, as nothing is subtracted.

    Raises:
        TypeError: if an operation has no complex counterpart.

    Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40, 1998.

    >>> complex_step(lambda x, y: x.exp() * y.sin(), [0.0, 0.5])
    [0.479425538604203, 0.8775825618903726]
    """
    inputs = [Value(real(x, f"input {i}")) for i, x in enumerate(items(xs, "xs", "complex_step(f, [1.0, 2.0])"))]
    output, h = function(f, "f")(*inputs), real(h, "h")
    if not isinstance(output, Value):
        Value(output)  # a number, or a TypeError
        return [0.0] * len(inputs)
    order = topological_order(output)
    return [_replayed(order, {x: complex(x.data, h * (x is wrt)) for x in inputs}).imag / h for wrt in inputs]


def _replayed(order: Sequence[Value], numbers: dict[Value, complex]) -> complex:
    for node in order:
        if node.is_leaf:
            numbers.setdefault(node, complex(node.data))
        else:
            refuse_overwritten(node)
            operands = [complex(a) if parent is None else numbers[parent] for parent, a in node.operands]
            numbers[node] = _complex_value(node._rule, operands)
    return numbers[order[-1]]


def _complex_value(rule: Any, operands: list[complex]) -> complex:
    """The op's value at complex operands: by its operator, by cmath's function of math's name, or spelled out."""
    if isinstance(rule, Op):
        if rule.name == "power":
            return operands[0] ** operands[1]
        if rule.value in _OPERATORS:
            return complex(rule.value(*operands))
        if hasattr(cmath, rule.library_name):
            return complex(getattr(cmath, rule.library_name)(*operands))
        if rule.name in _ANALYTIC:
            return _ANALYTIC[rule.name](*operands)
        if rule.spelled_out is not None:
            return _elementary(rule.spelled_out, operands)
    raise TypeError(f"complex_step: '{clean_label(rule.text)}' has no complex counterpart; it must be analytic")


_OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv, operator.neg)
_ANALYTIC: dict[str, Callable[[complex], complex]] = {
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "sigmoid": lambda x: 1 / (1 + cmath.exp(-x)),
    "softplus": lambda x: cmath.log(1 + cmath.exp(x)),
    "logsigmoid": lambda x: -cmath.log(1 + cmath.exp(-x)),
    "silu": lambda x: x / (1 + cmath.exp(-x)),
    "exp2": lambda x: 2**x,
}


def _elementary(spelled_out: Callable[[list[Value]], Value], operands: list[complex]) -> complex:
    """What the elementary nodes compute of the operands."""
    stand_ins = [Value(x.real) for x in operands]
    root = spelled_out(stand_ins)
    return _replayed(topological_order(root), dict(zip(stand_ins, operands, strict=True)))
