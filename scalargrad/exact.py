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
from scalargrad.node.errors import labels_of, listed
from scalargrad.node.overwritten import refuse_overwritten
from scalargrad.support.arguments import brief, function, items, real
from scalargrad.support.labels import clean_label
from scalargrad.support.reals import kept_types
from scalargrad.table.row import Op

MOST_BITS = 10**8
"""How many bits a power may have: so large a one takes a second and more."""


class Exact(Fraction):
    """A rational number that stays exact: with a float it computes with the fraction that the float is.

    `Value(Exact(1, 3))` makes a graph whose values and gradients are exact, as long as its operations are rational: + -
    * / and whole powers, choices and roundings. Other operations, as exp, compute with floats, and round.

    Raises:
        ValueError: by an operation on floats, if a number is too large for a float; by a power of far too many digits.

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
        try:
            return f"Exact({self.numerator}, {self.denominator})"
        except ValueError:  # Python writes integers of 4300 digits and no more
            return f"Exact({brief(self.numerator)}, {brief(self.denominator)})"

    def __float__(self) -> float:
        try:
            return self.numerator / self.denominator
        except OverflowError:  # a row of the table would take that for the overflow of its result
            raise ValueError("an exact number that is too large for a float") from None

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        if not isinstance(other, (int, float, Fraction)):
            return NotImplemented
        if isinstance(other, float) and other - other != 0.0:  # inf and nan have no fraction
            size = abs(self)  # all that an infinite exponent asks of the base is whether it is above 1
            return (0.0 if not size else 0.5 if size < 1 else 1.0 if size == 1 else 2.0) ** other
        exponent = Fraction(other)
        if exponent.denominator != 1:
            return float(self) ** float(Exact(exponent))
        bits = max(self.numerator.bit_length(), self.denominator.bit_length())
        if bits > 1 and bits * abs(exponent) > MOST_BITS:
            raise ValueError(f"an exact power of more than {MOST_BITS} bits: take float(x) ** n")
        return Exact(Fraction.__pow__(Fraction(self), exponent.numerator))

    def __pos__(self) -> Exact:
        return self

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


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod"):
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

    Returns:
        A derivative for each number.

    Raises:
        TypeError: if an operation has no complex counterpart.
        ValueError: if h is 0 or not finite, or a complex number on the way is too large.

    Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40, 1998.

    >>> complex_step(lambda x, y: x.exp() * y.sin(), [0.0, 0.5])
    [0.479425538604203, 0.8775825618903726]
    """
    inputs = [Value(real(x, f"input {i}")) for i, x in enumerate(items(xs, "xs", "complex_step(f, [1.0, 2.0])"))]
    h = real(h, "h")
    if h == 0.0 or h - h != 0.0:
        raise ValueError(f"h must be a finite number other than 0, as 1e-30, not {h!r}")
    output = function(f, "f")(*inputs)
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
            try:
                numbers[node] = _complex_value(node._rule, operands)
            except (ArithmeticError, ValueError) as error:
                raise ValueError(
                    f"complex_step: {clean_label(node._rule.text)} has no complex value at "
                    f"{listed(a for _, a in node.operands)}{labels_of(node.parents)}: {error}"
                ) from None
    return numbers[order[-1]]


def _complex_value(rule: Any, operands: list[complex]) -> complex:
    """The op's value at complex operands: by its operator, by cmath's function of math's name, or spelled out."""
    if isinstance(rule, Op):
        if rule.value in _OPERATORS:
            return complex(rule.value(*operands))
        if hasattr(cmath, rule.library_name):
            return complex(getattr(cmath, rule.library_name)(*operands))
        if rule.name in _ANALYTIC:
            return _ANALYTIC[rule.name](*operands)
        if rule.spelled_out is not None:
            return _elementary(rule.spelled_out, operands)
    raise TypeError(f"complex_step: '{clean_label(rule.text)}' has no complex counterpart; it must be analytic")


def _power(x: complex, y: complex) -> complex:
    if x.real >= 0.0:
        return x**y
    if y.imag != 0.0:
        raise ValueError("of a negative number only whole powers are real, and the exponent moves")
    # Python goes by the angle, which is near 180° and is rounded: the result would be off the real line by more than h.
    return (-x) ** y * (1.0 if y.real % 2.0 == 0.0 else -1.0)


# Without overflow where the values on floats have none (table/floats.py).


def _sigmoid(x: complex) -> complex:
    e = cmath.exp(-x if x.real >= 0.0 else x)
    return (1.0 if x.real >= 0.0 else e) / (1.0 + e)


def _softplus(x: complex) -> complex:
    return (x if x.real > 0.0 else 0.0) + cmath.log(1.0 + cmath.exp(-x if x.real > 0.0 else x))


def _logsumexp(*xs: complex) -> complex:
    top = max(x.real for x in xs)
    return top + cmath.log(sum(cmath.exp(x - top) for x in xs))


_OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv, operator.neg)
_ANALYTIC: dict[str, Callable[..., complex]] = {
    "power": _power,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "logsigmoid": lambda x: -_softplus(-x),
    "silu": lambda x: x * _sigmoid(x),
    "exp2": lambda x: 2**x,
    "logsumexp": _logsumexp,
}


def _elementary(spelled_out: Callable[[list[Value]], Value], operands: list[complex]) -> complex:
    """What the elementary nodes compute of the operands."""
    stand_ins = [Value(x.real) for x in operands]
    root = spelled_out(stand_ins)
    return _replayed(topological_order(root), dict(zip(stand_ins, operands, strict=True)))
