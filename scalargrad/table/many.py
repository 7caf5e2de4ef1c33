"""Ops of many operands, as sum and dot: how a call becomes one node over all, and what it passes back to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.node.mode import modes_were_used
from scalargrad.node.new_nodes import recorded_or_constant
from scalargrad.table import floats
from scalargrad.table.calling import MISSING
from scalargrad.table.row import HARD, AnyFunction, Op

if TYPE_CHECKING:
    from scalargrad.node.rules import Adjoints

VALUES, FLOATS = {Value}, {float}
ASSIGNED = (TypeError, OverflowError)
"""What products and sums raise where something else than a float was assigned to a Value's data."""


# -------------------------------------------------------------------- calls


def function_of_many(op: Op, gather: Callable[..., Sequence[Any]] | None = None) -> AnyFunction:
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
        return op.call(operands)

    def of_three(x: Any = MISSING, y: Any = MISSING, z: Any = MISSING, /, *more: Any, **named: Any) -> Any:
        if type(x) is float and type(y) is float and type(z) is float:  # rules call where on floats: their shortest way
            try:
                return value((x, y, z))
            except HARD:
                pass
        return function(*(arg for arg in (x, y, z) if arg is not MISSING), *more, **named)

    return of_three if len(op.arguments) == 3 else function


def binder(op: Op, pair: Op, function: AnyFunction) -> Callable[..., Callable[..., Value]]:
    """The `bind` of the sum of a binary op over pairs.

    Args:
        op: the row of the sum.
        pair: that of the binary op.
        function: that of the sum, `function(xs, ys)` or `function(xs, ys, bias)`.
    """
    value_of_pair, new = pair.value, object.__new__

    def bind(ys: Sequence[Value], held: tuple[float, ...] | None = None) -> Callable[..., Value]:
        """The function that makes the node of (*xs, bias), or of xs, with these ys.

        `held` is what these held, where they were bound in C before.

        Its third operand may be the numbers of xs as an earlier node holds them: in C the new node shares them as long
        as they are what xs hold. (In Python to compare them would take longer than to write them down again.)

        What depends on ys alone is done once for all neurons of a layer, and its tuples are shared by their nodes: less
        to build, to store and for the collector to visit. The forward pass of a network takes half the time.
        """
        # In plain words:
        #
        #     def with_second(first, has_bias):
        #         return function(first[:n], ys, *first[n:])
        second = tuple(ys)
        n = len(second)
        numbers = tuple([y._data for y in second]) if held is None else held
        numbers_and_one = (*numbers, 1.0)

        def with_second(first: tuple[Value, ...], has_bias: bool, _before: Any = None) -> Value:
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
            return recorded_or_constant(node) if modes_were_used else node

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


# -------------------------------------------------------------------- local backward closures


def nary_backward(op: Op, partials: AnyFunction) -> Callable[[Value, Any, Adjoints], None]:
    """The backward of an op of many operands."""

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        try:
            locals_ = partials(node._a, node._data)
        except HARD:
            locals_ = op.partials_at_hard_point(node)
        for parent, local in zip(node._x, locals_, strict=True):
            if parent is not None:
                adjoints[parent] += upstream * local

    def backward_of_choice(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        for parent, local in zip(node._x, partials(node._a, node._data), strict=True):
            if parent is not None and local != 0.0:
                adjoints[parent] += upstream * local

    return backward_of_choice if op.is_choice else backward


def paired_backward(pair: Op) -> Callable[[Value, Any, Adjoints], None]:
    """The backward of the sum of a binary op over pairs.

    The rules of that op pick an operand, so they are run once, on whole vectors: the derivative of a dot product in xs
    is the vector ys. A bias stands behind the xs, and 1 behind the numbers of the ys.
    """
    rule_x, rule_y = pair.partials

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        a, b, z = node._a, node._b, node._data
        for parent, local in zip(node._x, rule_x(a, b, z), strict=True):
            if parent is not None:
                adjoints[parent] += upstream * local
        for parent, local in zip(node._y, rule_y(a, b, z), strict=False):
            if parent is not None:
                adjoints[parent] += upstream * local

    return backward
