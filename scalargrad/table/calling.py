"""How a call becomes a node: the functions and operators of the ops, with the short ways that make them quick.

`Op.apply` is the plain version of all of them: it computes the number, and makes a node over the parents. What stands
here does the same where it pays, with the node's slots filled in place: half of all time goes into making nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scalargrad.engine import Value, operand
from scalargrad.node.errors import labels_of, user_line
from scalargrad.node.mode import modes_were_used
from scalargrad.node.numbers import number_in
from scalargrad.node.rebinding import under_modes
from scalargrad.table import floats
from scalargrad.table.row import HARD, Function, Op

VALUES, FLOATS = {Value}, {float}
ASSIGNED = (TypeError, OverflowError)
"""What products and sums raise where something else than a float was assigned to a Value's data."""
_MISSING = object()


# -------------------------------------------------------------------- one operand


def function_of_one(op: Op) -> Function:
    """The function of an op of one operand."""
    # In plain words:
    #
    #     def function(x):
    #         parent, a = operand(x)                  # (x, its number) of a Value, (None, x) of a number
    #         return op.apply((parent,), (a,))
    value, new = op.value, object.__new__

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
        a = x._data
        if x._kept is not a:
            a = number_in(x)
        node._a = a
        try:
            node._data = node._kept = value(a)
        except HARD as error:
            node._data = node._kept = op.at_hard_point((x,), (a,), error)
        node.grad = 0.0
        node._rule = op
        return under_modes(node) if modes_were_used else node

    return function


# -------------------------------------------------------------------- two operands


def operators_of_two(op: Op) -> tuple[Function, Function]:
    """The two special methods of an operator: of `a * b`, and of `2.0 * b`, which Python asks b for."""
    # In plain words, for either:
    #
    #     def operate(x, y):
    #         (parent_x, a), (parent_y, b) = operand(x), operand(y)
    #         return op.apply((parent_x, parent_y), (a, b))
    value, new = op.value, object.__new__

    def operate(x: Value, y: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            raise _no_modulus(x, y, modulus)
        node = new(Value)
        if type(y) is Value:
            node._y = y
            b = y._data
            if y._kept is not b:  # something was assigned
                b = number_in(y)
            node._b = b
        elif type(y) is float:
            node._y = None
            node._b = b = y
        elif type(y) is int and -(2**53) <= y <= 2**53:
            node._y = None
            node._b = b = float(y)
        else:
            try:
                node._y, b = operand(y)
            except TypeError:
                if isinstance(y, Value):
                    raise
                return NotImplemented
            node._b = b
        node._x = x
        a = x._data
        if x._kept is not a:
            a = number_in(x)
        node._a = a
        try:
            node._data = node._kept = value(a, b)
        except HARD as error:
            node._data = node._kept = op.at_hard_point((x, node._y), (a, b), error)
        node.grad = 0.0
        node._rule = op
        return under_modes(node) if modes_were_used else node

    def reflected(y: Value, x: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            raise _no_modulus(x, y, modulus)
        try:
            x, a = (None, x) if type(x) is float else operand(x)
        except TypeError:
            if isinstance(x, Value):
                raise
            return NotImplemented
        node = new(Value)
        node._x, node._a = x, a
        node._y = y
        b = y._data
        if y._kept is not b:
            b = number_in(y)
        node._b = b
        try:
            node._data = node._kept = value(a, b)
        except HARD as error:
            node._data = node._kept = op.at_hard_point((x, y), (a, b), error)
        node.grad = 0.0
        node._rule = op
        return under_modes(node) if modes_were_used else node

    return operate, reflected


def function_of_two(op: Op, *, parameter: bool = False) -> Function:
    """The function of an op of two operands.

    Args:
        op: the row.
        parameter: whether the second operand is called a, as the slope of leaky_relu, and not y.
    """
    value, name = op.value, op.name
    default = _MISSING if op.default is None else op.default

    def function(x: Any, y: Any = default) -> Any:
        if type(x) is float and type(y) is float:
            try:
                return value(x, y)
            except HARD:
                pass
        if y is _MISSING:
            raise TypeError(f"{name} takes two operands, but one was given")
        return op.apply(*_operands(op, (x, y)))

    def with_parameter(x: Any, a: Any = default) -> Any:
        return function(x, a)

    return with_parameter if parameter else function


def _no_modulus(x: Any, y: Any, modulus: Any) -> TypeError:
    values = [v for v in (x, y, modulus) if isinstance(v, Value)]
    return TypeError(
        f"pow() with a modulus is for integers{labels_of(values)}: write v ** y % m, whose gradient is that of v ** y"
    )


# -------------------------------------------------------------------- many operands


def function_of_many(op: Op, gather: Callable[..., Sequence[Any]] | None = None) -> Function:
    """The function of an op of many operands.

    Args:
        op: the row.
        gather: lists the operands of a call; by default they are the arguments, or the elements of the only one.
    """
    # In plain words:
    #
    #     def function(*args):
    #         parents, numbers = zip(*map(operand, gather(*args)))
    #         return op.apply(parents, numbers)
    value = op.value
    gather = gather or (_gather_exactly(op) if op.arguments else _gather)
    data_of = Value._data.__get__  # type: ignore[attr-defined]  # raises TypeError for anything but a Value

    def function(*args: Any, **named: Any) -> Any:
        operands = gather(*_in_order(op, args, named) if named else args)
        kinds = set(map(type, operands))
        if kinds == VALUES:
            numbers = tuple(map(data_of, operands))
            if set(map(type, numbers)) == FLOATS:
                return op.apply(tuple(operands), numbers)
        if kinds == FLOATS:
            try:
                return value(operands)
            except HARD:
                pass
        return op.apply(*_operands(op, operands))

    def of_three(x: Any = _MISSING, y: Any = _MISSING, z: Any = _MISSING, /, *more: Any, **named: Any) -> Any:
        if type(x) is float and type(y) is float and type(z) is float:  # rules call where on floats: their shortest way
            try:
                return value((x, y, z))
            except HARD:
                pass
        return function(*(arg for arg in (x, y, z) if arg is not _MISSING), *more, **named)

    return of_three if len(op.arguments) == 3 else function


def binder(op: Op, pair: Op, function: Function) -> Callable[[Sequence[Value]], Callable[..., Value]]:
    """The `bind` of the sum of a binary op over pairs.

    Args:
        op: the row of the sum.
        pair: that of the binary op.
        function: that of the sum, `function(xs, ys)` or `function(xs, ys, bias)`.
    """
    value_of_pair, new = pair.value, object.__new__

    def bind(ys: Sequence[Value]) -> Callable[[tuple[Value, ...], bool], Value]:
        """The function that makes the node of (*xs, bias), or of xs, with these ys.

        What depends on ys alone is done once for all neurons of a layer, and its tuples are shared by their nodes: less
        to build, to store and for the collector to visit. The forward pass of a network takes half the time.
        """
        # In plain words:
        #
        #     def with_second(first, has_bias):
        #         return function(first[:n], ys, *first[n:])
        second = tuple(ys)
        n = len(second)
        numbers = tuple([y._data for y in second])
        numbers_and_one = (*numbers, 1.0)

        def with_second(first: tuple[Value, ...], has_bias: bool) -> Value:
            try:
                a = tuple([x._data for x in first])
            except AttributeError:  # plain numbers among them
                return function(first[:n], second, *first[n:])  # type: ignore[no-any-return]
            try:
                terms = map(value_of_pair, a, numbers)
                data = floats.fold(terms, a[-1]) if has_bias else floats.total(list(terms))
            except ASSIGNED:
                data = None
            if type(data) is not float:  # something else was assigned to one of them: to ask each takes a third longer
                return function(first[:n], second, *first[n:])  # type: ignore[no-any-return]
            node: Value = new(Value)
            node._x, node._y, node._a = first, second, a
            node._b = numbers_and_one if has_bias else numbers
            node._data = node._kept = data
            node.grad = 0.0
            node._rule = op
            return under_modes(node) if modes_were_used else node

        return with_second

    return bind


# -------------------------------------------------------------------- the operands of a call


def _gather(*args: Any) -> Sequence[Any]:
    """The operands of sum(a, b, c) or sum([a, b, c])."""
    if len(args) == 1:
        (xs,) = args
        if type(xs) is list or (not isinstance(xs, Value) and hasattr(xs, "__iter__") and getattr(xs, "ndim", True)):
            return list(xs)
    return args


def _gather_exactly(op: Op) -> Callable[..., Sequence[Any]]:
    def gather(*args: Any) -> Sequence[Any]:
        if len(args) != len(op.arguments):
            raise TypeError(f"{op.name} takes {', '.join(op.arguments)}, but {len(args)} operands were given")
        return args

    return gather


def _in_order(op: Op, args: Sequence[Any], named: dict[str, Any]) -> list[Any]:
    """The operands of a call that names some of them; options that numpy passes along, as out=None, are no operands."""
    operands, some_named = list(args), not named.keys().isdisjoint(op.arguments)
    for name in op.arguments[len(args) :]:
        if name in named:
            operands.append(named.pop(name))
        elif some_named:
            raise TypeError(f"{op.name} takes {', '.join(op.arguments)}, and {name} is missing")
    for name, option in named.items():
        if name in op.arguments:
            raise TypeError(f"{op.name}: {name} was given twice, by its place and by its name")
        if option is not None:
            takes = f"; it takes {', '.join(op.arguments)}" if op.arguments else ""
            raise TypeError(f"{op.name} takes no option {name}{takes}")
    return operands


def _operands(op: Op, xs: Sequence[Any]) -> tuple[tuple[Value | None, ...], list[float]]:
    """Operands of any kind as parents and numbers; a TypeError names the op and the place."""
    try:
        pairs = [operand(x) for x in xs]
    except TypeError:
        for i, x in enumerate(xs):
            try:
                operand(x)
            except TypeError:
                if isinstance(x, Value):
                    raise
                raise TypeError(
                    f"{op.name}: operand {i + 1} must be a Value or a real number, not {type(x).__name__}"
                    f"{labels_of(x for x in xs if isinstance(x, Value))}{user_line()}"
                ) from None
        raise
    return tuple(parent for parent, _ in pairs), [a for _, a in pairs]
