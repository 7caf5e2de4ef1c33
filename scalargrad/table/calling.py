"""How a call becomes a node: the functions and operators of the ops, with the short ways that make them quick.

`Op.apply` is the plain version of all of them: it computes the number, and makes a node over the parents. What stands
here does the same where it pays, with the node's slots filled in place: half of all time goes into making nodes. (Ops
of more operands: many.py.)
"""

from __future__ import annotations

from typing import Any

from scalargrad.engine import Value, operand
from scalargrad.node.errors import labels_of
from scalargrad.node.mode import modes_were_used
from scalargrad.node.new_nodes import recorded_or_constant
from scalargrad.node.numbers import number_in
from scalargrad.table.row import HARD, AnyFunction, Op

MISSING: Any = object()
"""Stands for an operand that was left out."""


# -------------------------------------------------------------------- one operand


def function_of_one(op: Op) -> AnyFunction:
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
            return op.call((x,))
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
        return recorded_or_constant(node) if modes_were_used else node

    return function


# -------------------------------------------------------------------- two operands


def operators_of_two(op: Op) -> tuple[AnyFunction, AnyFunction]:
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
                return _told_of_no_number(op, y)
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
        return recorded_or_constant(node) if modes_were_used else node

    def reflected(y: Value, x: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            raise _no_modulus(x, y, modulus)
        if type(x) is float:
            x, a = None, x
        elif type(x) is int and -(2**53) <= x <= 2**53:  # as the 0 with which sum() begins
            x, a = None, float(x)
        else:
            try:
                x, a = operand(x)
            except TypeError:
                if isinstance(x, Value):
                    raise
                return _told_of_no_number(op, x)
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
        return recorded_or_constant(node) if modes_were_used else node

    return operate, reflected


def function_of_two(op: Op, *, parameter: bool = False) -> AnyFunction:
    """The function of an op of two operands.

    Args:
        op: the row.
        parameter: whether the second operand is called a, as the slope of leaky_relu, and not y.
    """
    value, name = op.value, op.name
    default = MISSING if op.default is None else op.default

    def function(x: Any, y: Any = default) -> Any:
        if type(x) is float and type(y) is float:
            try:
                return value(x, y)
            except HARD:
                pass
        if y is MISSING:
            raise TypeError(f"{name} takes two operands, but one was given")
        return op.call((x, y))

    def with_parameter(x: Any, a: Any = default) -> Any:
        return function(x, a)

    return with_parameter if parameter else function


def _told_of_no_number(op: Op, given: Any) -> Any:
    """NotImplemented, for what may have an operator of its own; a text, a list and None have none for a Value."""
    kind = type(given)
    takes = f"{op.text} takes numbers and Values, not"
    if given is None:
        raise TypeError(f"{takes} None, which is what a function without return gives") from None
    if kind is not str:
        if op.text == "*" or kind not in (list, tuple):  # Python goes on to ask for the number of repetitions
            return NotImplemented
        hint = f"write [v {op.text} x for x in xs] for each of its numbers"
        raise TypeError(f"{takes} a {kind.__name__}: {hint}") from None
    shown = given if len(given) <= 20 else f"{given[:19]}…"
    try:
        float(given)
    except ValueError:
        if op.text == "*":
            return NotImplemented
        hint = "write f'{v}' to join a Value to a text"
    else:
        hint = f"write {shown.strip()} without quotes, or float(...) of the text"
    raise TypeError(f"{takes} the text {shown!r}: {hint}") from None


def _no_modulus(x: Any, y: Any, modulus: Any) -> TypeError:
    values = [v for v in (x, y, modulus) if isinstance(v, Value)]
    return TypeError(
        f"pow() with a modulus is for integers{labels_of(values)}: write v ** y % m, whose gradient is that of v ** y"
    )
