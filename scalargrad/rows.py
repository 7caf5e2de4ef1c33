"""How a row of the op table becomes a function, a method, an operator and a local backward closure.

The table itself is ops.py. Adding a row there, or calling `unary`, `binary` or `nary` anywhere, is all it takes.
"""

from __future__ import annotations

import linecache
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

from scalargrad.engine import Adjoints, Rule, Value, no_grad_was_used, operand, unless_no_grad

Function = Callable[..., Any]
Partial = Callable[..., Any] | float
HARD = (ArithmeticError, ValueError)  # what Python's floats raise at poles and outside a domain

VALUES, FLOATS = {Value}, {float}

_MISSING = object()

TABLE: dict[str, Op] = {}
"""Every op by name."""


class Domain(NamedTuple):
    """The real numbers an argument may take: between low and high, `hole` left out."""

    low: float = -math.inf
    high: float = math.inf
    open: bool = False
    hole: float | None = None

    def __contains__(self, x: object) -> bool:
        if not isinstance(x, float) or x == self.hole:
            return False
        return self.low < x < self.high if self.open else self.low <= x <= self.high


REAL = Domain()
NONZERO = Domain(hole=0.0)
POSITIVE = Domain(low=0.0, open=True)
NOT_NEGATIVE = Domain(low=0.0)
AT_LEAST_ONE = Domain(low=1.0)
ABOVE_MINUS_ONE = Domain(low=-1.0, open=True)
BETWEEN_ONES = Domain(-1.0, 1.0)
INSIDE_ONES = Domain(-1.0, 1.0, open=True)


class Op(Rule):
    """One row of the table.

    Attributes:
        name: the function's and method's name, numpy's where numpy has one.
        text: the Python operator ('+') or the name; micrograd's `_op`.
        symbol: what pictures and formulas show; infix if there are two operands and it is not the name.
        value: the function on floats; for nary ops, on one list of floats.
        partials: one rule per argument, `(x, y, z) -> derivative`; for nary ops one rule `(xs, z) -> derivatives`.
        domain: one Domain per argument (nary ops: one for all).
        kinks: arguments -> which side of each kink they are on, to be compared; None if smooth.
        pole: the IEEE result where `value` raises; NaN if None.
        is_paired: whether it sums a binary op over pairs of operands, as the dot product sums products.
        default: the second operand where it is left out; None if it must be given.
        function: the public function.
    """

    def __init__(
        self, name: str, value: Function, partials: Any, domain: Sequence[Domain], kinks: Function | None,
        text: str, symbol: str, pole: Function | None, arity: int | None,
    ) -> None:  # fmt: skip
        self.name = name
        self.value = value
        self.partials = partials
        self.domain = tuple(domain)
        self.kinks = kinks
        self.text = text or name
        self.symbol = symbol or self.text
        self.pole = pole
        self.arity = arity
        self.is_paired = False
        self.default: float | None = None
        self.function: Function = value

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def apply(self, parents: Sequence[Value | None], numbers: Sequence[float]) -> Any:
        """A new node over these operands, or a plain number if none of them is a Value."""
        try:
            data = self.value(numbers) if self.arity is None else self.value(*numbers)
        except HARD as error:
            data = self.at_hard_point(parents, numbers, error)
        if all(parent is None for parent in parents):
            return data
        node: Value = object.__new__(Value)
        node._data, node.grad, node._rule = data, 0.0, self
        self.keep_operands(node, parents, numbers)
        return unless_no_grad(node) if no_grad_was_used else node

    def keep_operands(self, node: Value, parents: Sequence[Value | None], numbers: Sequence[float]) -> None:
        """Put the operands into the node's slots."""
        if self.is_paired:
            n = len(parents) // 2
            bias = slice(2 * n, None)
            node._x, node._y = (*parents[:n], *parents[bias]), tuple(parents[n : 2 * n])
            node._a, node._b = (*numbers[:n], *numbers[bias]), (*numbers[n : 2 * n], *[1.0] * len(numbers[bias]))
        elif self.arity is None:
            node._x, node._a, node._y, node._b = tuple(parents), tuple(numbers), None, None
        else:
            node._x, node._y, *_ = *parents, None
            node._a, node._b, *_ = *numbers, None

    def at_hard_point(self, parents: Sequence[Value | None], numbers: Sequence[float], error: Exception) -> float:
        """Raise the error for the user; in IEEE mode return the pole's value instead."""
        if _ieee.get():
            if self.pole is None:
                return math.nan
            return float(self.pole(numbers) if self.arity is None else self.pole(*numbers))
        raise _domain_error(self, parents, numbers, error) from None

    def partials_on_values(self, xs: Sequence[Any], z: Value, index: int | None = None) -> list[Any]:
        """The partial derivatives (of an op of one or two operands: the one at index) as Values that follow IEEE."""
        token = _ieee.set(True)
        try:
            if index is None:
                return list(self.partials(xs, z))
            return [self.partials[index](xs[0], xs[1] if len(xs) > 1 else None, z)]
        finally:
            _ieee.reset(token)

    def partials_at_hard_point(self, node: Value, index: int | None = None) -> Any:
        """The partials where floats raise (a division by zero, say): the same rule, on Values that follow IEEE."""
        xs = [Value(a, requires_grad=False) for _, a in node.operands]
        results = self.partials_on_values(xs, Value(node._data, requires_grad=False), index)
        numbers = [operand(result)[1] for result in results]
        if any(map(math.isnan, numbers)) and not any(x._data != x._data for x in xs):
            which = (
                "" if index is None or len(xs) == 1 else f" with respect to its {('first', 'second')[index]} operand"
            )
            warnings.warn(
                f"{self.name} has no derivative{which} at {_listed(x._data for x in xs)}"
                f"{_labels(p for p, _ in node.operands)}: the gradient is nan",
                RuntimeWarning,
                stacklevel=_user_depth(),
            )
        return numbers if index is None else numbers[0]


_ieee: ContextVar[bool] = ContextVar("ieee", default=False)


# -------------------------------------------------------------------- one, two, many operands


def unary(
    name: str, value: Function, partial: Partial, *, domain: Domain = REAL, kinks: Function | None = None,
    text: str = "", symbol: str = "", pole: Function | None = None,
) -> Function:  # fmt: skip
    """Add an op of one operand to the table and to Value; returns its function."""
    op = Op(name, value, (_rule_of(partial),), (domain,), kinks, text, symbol, pole, 1)
    op.backward = _unary_backward(op, partial)
    new = object.__new__

    def function(x: Any) -> Any:
        if type(x) is not Value:
            if type(x) is float:  # rules call other rows on floats: the shortest way for them
                try:
                    return value(x)
                except HARD:
                    pass
            return op.apply(*_operands(op, (x,)))
        node = new(Value)
        node._x = x
        node._y = node._b = None
        node._a = a = x._data
        try:
            node._data = value(a)
        except HARD as error:
            node._data = op.at_hard_point((x,), (a,), error)
        node.grad = 0.0
        node._rule = op
        return unless_no_grad(node) if no_grad_was_used else node

    return _install(op, function)


def binary(
    name: str, value: Function, partial_x: Partial, partial_y: Partial, *,
    domain: tuple[Domain, Domain] = (REAL, REAL), kinks: Function | None = None,
    text: str = "", symbol: str = "", pole: Function | None = None, default: float | None = None,
) -> Function:  # fmt: skip
    """Add an op of two operands to the table and to Value; returns its function.

    A text that is a Python operator installs that operator too; `default` is the second operand if it is left out.
    """
    op = Op(name, value, (_rule_of(partial_x), _rule_of(partial_y)), domain, kinks, text, symbol, pole, 2)
    op.backward = _binary_backward(op, partial_x, partial_y)
    op.default = default
    new = object.__new__

    def operate(x: Value, y: Any) -> Any:
        node = new(Value)
        if type(y) is Value:
            node._y = y
            node._b = b = y._data
        elif type(y) is float:
            node._y = None
            node._b = b = y
        else:
            try:
                node._y, b = operand(y)
            except TypeError:
                return NotImplemented
            node._b = b
        node._x = x
        node._a = a = x._data
        try:
            node._data = value(a, b)
        except HARD as error:
            node._data = op.at_hard_point((x, node._y), (a, b), error)
        node.grad = 0.0
        node._rule = op
        return unless_no_grad(node) if no_grad_was_used else node

    def reflected(y: Value, x: Any) -> Any:
        try:
            x, a = operand(x)
        except TypeError:
            return NotImplemented
        return op.apply((x, y), (a, y._data))

    def function(x: Any, y: Any = _MISSING if default is None else default) -> Any:
        if type(x) is float and type(y) is float:
            try:
                return value(x, y)
            except HARD:
                pass
        if y is _MISSING:
            raise TypeError(f"{name} takes two operands, but one was given")
        return op.apply(*_operands(op, (x, y)))

    if text in OPERATORS:
        setattr(Value, f"__{OPERATORS[text]}__", operate)
        setattr(Value, f"__r{OPERATORS[text]}__", reflected)
    return _install(op, function)


def nary(
    name: str, value: Function, partials: Function, *, domain: Domain = REAL, kinks: Function | None = None,
    pole: Function | None = None, gather: Callable[..., Sequence[Any]] | None = None,
) -> Function:  # fmt: skip
    """Add an op of any number of operands to the table and to Value; returns its function. Its rules take one sequence.

    `gather` lists the operands of a call.
    """
    op = Op(name, value, partials, (domain,), kinks, "", "", pole, None)
    op.backward = _nary_backward(op, partials)
    gather = gather or _gather
    data_of = Value._data.__get__  # type: ignore[attr-defined]  # raises TypeError for anything but a Value

    def function(*args: Any, **numpy_options: Any) -> Any:
        if any(option is not None for option in numpy_options.values()):  # np.clip and np.sum pass out=None and such
            raise TypeError(f"{name} takes no option {', '.join(numpy_options)}")
        operands = gather(*args)
        kinds = set(map(type, operands))
        if kinds == VALUES:
            return op.apply(tuple(operands), tuple(map(data_of, operands)))
        if kinds == FLOATS:
            try:
                return value(operands)
            except HARD:
                pass
        return op.apply(*_operands(op, operands))

    return _install(op, function)


def paired(name: str, value: Function, over: Function, *, gather: Callable[..., Sequence[Any]]) -> Function:
    """Add the sum of a binary op over pairs, x0 * y0 + x1 * y1 + ..., whose rules are that op's, pair by pair.

    The operands are x0, x1, ..., y0, y1, ... and, if their number is odd, a term to add. Such an op must be linear in
    each operand: then its partials are numbers it was given, finite where its value is.
    """
    rule_x, rule_y = over.op.partials  # type: ignore[attr-defined]

    def partials(xs: Sequence[Any], z: Any) -> list[Any]:
        n = len(xs) // 2
        pairs = list(zip(xs[:n], xs[n : 2 * n], strict=True))
        return [*(rule_x(x, y, z) for x, y in pairs), *(rule_y(x, y, z) for x, y in pairs), *[1.0] * (len(xs) % 2)]

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        if upstream == 0.0 and math.isfinite(node._data):  # behind a dead relu: half the work of a relu network
            return
        a, b, z = node._a, node._b, node._data
        for parent, local in zip(
            node._x, rule_x(a, b, z), strict=True
        ):  # the rules pick a vector as they pick a number
            if parent is not None:
                adjoints[parent] += upstream * local
        for parent, local in zip(node._y, rule_y(a, b, z), strict=False):
            if parent is not None:
                adjoints[parent] += upstream * local

    function = nary(name, value, partials, gather=gather)
    function.op.is_paired = True  # type: ignore[attr-defined]
    function.op.backward = backward  # type: ignore[attr-defined]
    return function


def alias(function: Function, *names: str) -> Function:
    """Give an op's method further names."""
    for name in names:
        setattr(Value, name, function)
    return function


def _install(op: Op, function: Function) -> Function:
    op.function = function
    function.__name__ = function.__qualname__ = op.name
    function.op = op  # type: ignore[attr-defined]
    setattr(Value, op.name, function)
    TABLE[op.name] = op
    return function


OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow"}


def _gather(*args: Any) -> Sequence[Any]:
    """The operands of sum(a, b, c) or sum([a, b, c])."""
    if len(args) == 1 and not isinstance(args[0], Value) and hasattr(args[0], "__iter__"):
        return list(args[0])
    return args


def _operands(op: Op, xs: Sequence[Any]) -> tuple[tuple[Value | None, ...], list[float]]:
    """Operands of any kind as parents and numbers; a TypeError names the op and the place."""
    try:
        pairs = [operand(x) for x in xs]
    except TypeError:
        for i, x in enumerate(xs):
            try:
                operand(x)
            except TypeError:
                raise TypeError(
                    f"{op.name}: operand {i + 1} must be a Value or a real number, not {type(x).__name__}"
                    f"{_labels(x for x in xs if isinstance(x, Value))}{_user_line()}"
                ) from None
        raise
    return tuple(parent for parent, _ in pairs), [a for _, a in pairs]


# -------------------------------------------------------------------- local backward closures

# Made once per op over its partials and shared by all its nodes, which are handed in when their turn comes: a closure
# per node would cost 3 to 6 times as much, nearly all of it in the garbage collector.


def _unary_backward(op: Op, partial: Partial) -> Callable[[Value, Any, Adjoints], None]:
    if partial == 0.0:
        return _nothing
    rule = _rule_of(partial)

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        try:
            local = rule(node._a, None, node._data)
        except HARD:
            local = op.partials_at_hard_point(node, 0)
        adjoints[node._x] += upstream * local

    return backward


def _binary_backward(op: Op, partial_x: Partial, partial_y: Partial) -> Callable[[Value, Any, Adjoints], None]:
    if partial_x == partial_y == 0.0:
        return _nothing
    rule_x, rule_y = _rule_of(partial_x), _rule_of(partial_y)

    def backward_of_constants(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        if (x := node._x) is not None:
            adjoints[x] += upstream * partial_x
        if (y := node._y) is not None:
            adjoints[y] += upstream * partial_y

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        x, y, a, b, z = node._x, node._y, node._a, node._b, node._data
        if x is not None:
            try:
                local = rule_x(a, b, z)
            except HARD:
                local = op.partials_at_hard_point(node, 0)
            adjoints[x] += upstream * local
        if y is not None:
            try:
                local = rule_y(a, b, z)
            except HARD:
                local = op.partials_at_hard_point(node, 1)
            adjoints[y] += upstream * local

    return backward if callable(partial_x) or callable(partial_y) else backward_of_constants


def _nary_backward(op: Op, partials: Function) -> Callable[[Value, Any, Adjoints], None]:
    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        try:
            locals_ = partials(node._a, node._data)
        except HARD:
            locals_ = op.partials_at_hard_point(node)
        for parent, local in zip(node._x, locals_, strict=True):
            if parent is not None:
                adjoints[parent] += upstream * local

    return backward


def _nothing(node: Value, upstream: Any, adjoints: Adjoints) -> None:
    """The backward of a step function: slope 0 everywhere."""


def _rule_of(partial: Partial) -> Function:
    """A partial derivative as a function; the table writes one that is the same everywhere as a number."""
    return partial if callable(partial) else lambda x, y, z: partial


# -------------------------------------------------------------------- errors that say what, at which numbers, and where


def _domain_error(op: Op, parents: Sequence[Value | None], numbers: Sequence[float], error: Exception) -> Exception:
    place = f" at {_listed(numbers)}" if numbers else ""
    if isinstance(error, ZeroDivisionError):
        kind = "division by zero"
    elif str(error) in _PYTHONS_WORDS:
        kind = "domain error"
    else:
        kind = f"{error}," if numbers else str(error)
    text = f"{op.name}: {kind}{place}{_labels(parents)}{_user_line()}"
    return ZeroDivisionError(text) if isinstance(error, ZeroDivisionError) else ValueError(text)


# What math raises; Python 3.14 says more, but not more than the message here.
_PYTHONS_WORDS = ("math domain error", "expected a positive input", "expected a nonnegative input")


def _listed(numbers: Any) -> str:
    listed = [repr(x) for x in numbers]
    return ", ".join(listed if len(listed) <= 6 else [*listed[:5], f"... ({len(listed)} operands)"])


def _labels(parents: Any) -> str:
    labels = [repr(parent.label) for parent in parents if parent is not None and parent.label]
    if not labels:
        return ""
    return f" (label{'s' if len(labels) > 1 else ''} {', '.join(labels[:6])}{', ...' if len(labels) > 6 else ''})"


_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _user_depth() -> int:
    """How many frames up the first line of code outside this package is, as warnings count them."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        depth, frame = depth + 1, frame.f_back
    return depth


def _user_line() -> str:
    frame = sys._getframe(_user_depth() - 1)
    path, line = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(path, line).strip()
    source = source if len(source) <= 80 else source[:79] + "…"
    return f"\n  at {path}:{line}" + (f": {source}" if source else "")
