"""How a row of the op table becomes a function, a method, an operator and a local backward closure.

The rows are in ops.py. Adding one there, or calling `unary`, `binary`, `nary` or `paired` anywhere, is all it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, operand
from scalargrad.node.errors import labels_of, user_line
from scalargrad.node.mode import modes_were_used
from scalargrad.node.numbers import number_in
from scalargrad.node.rebinding import under_modes
from scalargrad.table import floats
from scalargrad.table.row import HARD, INFIX, REAL, TABLE, Domain, Function, Op

if TYPE_CHECKING:
    from scalargrad.node.rules import Adjoints

Partial = Callable[..., Any] | float
VALUES, FLOATS = {Value}, {float}
ASSIGNED = (TypeError, OverflowError)
"""What products and sums raise where something else than a float was assigned to a Value's data."""
_MISSING = object()


# -------------------------------------------------------------------- one, two, many operands


def unary(
    name: str, value: Function, partial: Partial, *, domain: Domain = REAL, kinks: Function | None = None,
    text: str = "", symbol: str = "", pole: Function | None = None, chooses: bool = False,
) -> Function:  # fmt: skip
    """Add an op of one operand to the table and to Value; returns its function."""
    op = Op(name, value, (_rule_of(partial),), (domain,), kinks, text, symbol, pole, 1)
    op.chooses = (chooses,)
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

    return _install(op, function)


def binary(
    name: str, value: Function, partial_x: Partial, partial_y: Partial, *,
    domain: tuple[Domain, Domain] = (REAL, REAL), kinks: Function | None = None,
    text: str = "", symbol: str = "", pole: Function | None = None, default: float | None = None,
    chooses: tuple[bool | Function, bool | Function] = (False, False),
) -> Function:  # fmt: skip
    """Add an op of two operands to the table and to Value; returns its function.

    A text that is a Python operator installs that operator too; `default` is the second operand if it is left out.
    """
    op = Op(name, value, (_rule_of(partial_x), _rule_of(partial_y)), domain, kinks, text, symbol, pole, 2)
    op.chooses = chooses
    op.backward = _binary_backward(op, partial_x, partial_y)
    op.default = default
    new = object.__new__

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

    def function(x: Any, y: Any = _MISSING if default is None else default) -> Any:
        if type(x) is float and type(y) is float:
            try:
                return value(x, y)
            except HARD:
                pass
        if y is _MISSING:
            raise TypeError(f"{name} takes two operands, but one was given")
        return op.apply(*_operands(op, (x, y)))

    def with_parameter(x: Any, a: Any = _MISSING if default is None else default) -> Any:
        return function(x, a)

    if text:
        INFIX[text] = op
    if text in OPERATORS:
        setattr(Value, f"__{OPERATORS[text]}__", operate)
        setattr(Value, f"__r{OPERATORS[text]}__", reflected)
    names = getattr(getattr(partial_x, "__code__", None), "co_varnames", ())
    return _install(op, with_parameter if names[:2] == ("x", "a") else function)


def nary(
    name: str, value: Function, partials: Function, *, domain: Domain = REAL, kinks: Function | None = None,
    pole: Function | None = None, arguments: Sequence[str] = (), spelled_out: Function | None = None,
    gather: Callable[..., Sequence[Any]] | None = None, chooses: bool = False,
) -> Function:  # fmt: skip
    """Add an op of three or any number of operands to the table and to Value; returns its function.

    Its rules take one sequence. `arguments` names the operands if their number is fixed. `spelled_out` builds of
    Values the elementary nodes that the op stands for. `gather` lists the operands of a call.
    """
    op = Op(name, value, partials, (domain,), kinks, "", "", pole, None)
    op.arguments = tuple(arguments)
    op.spelled_out = spelled_out
    op.chooses = chooses
    op.backward = _nary_backward(op, partials)
    gather = gather or (_gather_exactly(op) if arguments else _gather)
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

    return _install(op, of_three if len(arguments) == 3 else function)


def paired(name: str, over: Function, *, gather: Callable[..., Sequence[Any]]) -> Function:
    """Add the sum of a binary op over pairs, as the dot product x0 * y0 + x1 * y1 + ...; returns its function.

    The operands are x0, x1, ..., y0, y1, ... and, if their number is odd, a term to begin with. Value and rules are
    those of the binary op, pair by pair. It must be linear in each operand and its rules must pick an operand: they are
    given whole vectors, and the partials are finite where the value is.
    """
    pair: Op = over.op  # type: ignore[attr-defined]
    value_of_pair, (rule_x, rule_y) = pair.value, pair.partials
    new = object.__new__

    def value(xs: Sequence[Any]) -> Any:
        n = len(xs) // 2
        terms = map(value_of_pair, xs[:n], xs[n : 2 * n])
        return floats.fold(terms, xs[-1]) if len(xs) % 2 else floats.total(list(terms))

    def partials(xs: Sequence[Any], z: Any) -> list[Any]:
        n = len(xs) // 2
        pairs = list(zip(xs[:n], xs[n : 2 * n], strict=True))
        return [*(rule_x(x, y, z) for x, y in pairs), *(rule_y(x, y, z) for x, y in pairs), *[1.0] * (len(xs) % 2)]

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        a, b, z = node._a, node._b, node._data
        for parent, local in zip(node._x, rule_x(a, b, z), strict=True):
            if parent is not None:
                adjoints[parent] += upstream * local
        for parent, local in zip(node._y, rule_y(a, b, z), strict=False):
            if parent is not None:
                adjoints[parent] += upstream * local

    def bind(ys: Sequence[Value]) -> Callable[[tuple[Value, ...], bool], Value]:
        """The function that makes the node of (*xs, bias), or of xs, with these ys.

        What depends on ys alone is done once for all neurons of a layer, and its tuples are shared by their nodes: less
        to build, to store and for the collector to visit. The forward pass of a network takes half the time.
        """
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

    function = nary(name, value, partials, gather=gather, spelled_out=value)
    op: Op = function.op  # type: ignore[attr-defined]
    op.pair = pair
    op.backward = backward
    op.bind = bind
    return function


def alias(function: Function, *names: str) -> Function:
    """Give an op's method further names; those that are no special methods name the function too."""
    function.op.aliases += [name for name in names if not name.startswith("__")]  # type: ignore[attr-defined]
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
    if len(args) == 1:
        (xs,) = args
        if type(xs) is list or (not isinstance(xs, Value) and hasattr(xs, "__iter__") and getattr(xs, "ndim", True)):
            return list(xs)
    return args


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


def _no_modulus(x: Any, y: Any, modulus: Any) -> TypeError:
    values = [v for v in (x, y, modulus) if isinstance(v, Value)]
    return TypeError(
        f"pow() with a modulus is for integers{labels_of(values)}: write v ** y % m, whose gradient is that of v ** y"
    )


def _gather_exactly(op: Op) -> Callable[..., Sequence[Any]]:
    def gather(*args: Any) -> Sequence[Any]:
        if len(args) != len(op.arguments):
            raise TypeError(f"{op.name} takes {', '.join(op.arguments)}, but {len(args)} operands were given")
        return args

    return gather


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


# -------------------------------------------------------------------- local backward closures

# Made once per op over its partials and shared by all its nodes, which are handed in when their turn comes: a closure
# per node would cost 3 to 6 times as much, nearly all of it in the garbage collector.


# An op that chooses adds nothing to what it has not chosen, not even 0 times the upstream gradient: that is nan where
# the upstream is infinite.


def _unary_backward(op: Op, partial: Partial) -> Callable[[Value, Any, Adjoints], None]:
    if partial == 0.0 and op.is_choice:
        return _nothing
    rule = _rule_of(partial)

    def backward_of_choice(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        local = rule(node._a, None, node._data)
        if local != 0.0:
            adjoints[node._x] += upstream * local

    def backward(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        try:
            local = rule(node._a, None, node._data)
        except HARD:
            local = op.partials_at_hard_point(node, 0)
        adjoints[node._x] += upstream * local

    return backward_of_choice if op.is_choice else backward


def _binary_backward(op: Op, partial_x: Partial, partial_y: Partial) -> Callable[[Value, Any, Adjoints], None]:
    if partial_x == partial_y == 0.0 and all(map(op.may_leave_out, (0, 1))):
        return _nothing
    rule_x, rule_y = _rule_of(partial_x), _rule_of(partial_y)
    chosen_x, chosen_y = op.chooses  # type: ignore[misc]  # two operands, two entries

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

    def backward_of_choice(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        operands = node._a, node._b, node._data
        for parent, rule, chosen in ((node._x, rule_x, chosen_x), (node._y, rule_y, chosen_y)):
            if parent is not None:
                local = rule(*operands)
                if chosen is False or (local if chosen is True else chosen(*operands)) != 0.0:
                    adjoints[parent] += upstream * local

    if op.is_choice:
        return backward_of_choice
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

    def backward_of_choice(node: Value, upstream: Any, adjoints: Adjoints) -> None:
        for parent, local in zip(node._x, partials(node._a, node._data), strict=True):
            if parent is not None and local != 0.0:
                adjoints[parent] += upstream * local

    return backward_of_choice if op.is_choice else backward


def _nothing(node: Value, upstream: Any, adjoints: Adjoints) -> None:
    """The backward of a step function: slope 0 everywhere."""


def _rule_of(partial: Partial) -> Function:
    """A partial derivative as a function; the table writes one that is the same everywhere as a number."""
    return partial if callable(partial) else lambda x, y, z: partial
