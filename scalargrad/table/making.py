"""How a row of the op table becomes an op: its record, its function, its method, its operator and its local backward.

The rows are in ops.py, whose head says how to add one. A call of `unary`, `binary`, `nary` or `paired` anywhere else
makes an op, too; with `lowered` it runs on every backend, and `to_python` writes it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scalargrad.engine import Value
from scalargrad.in_c import in_c
from scalargrad.table import floats
from scalargrad.table.calling import function_of_one, function_of_two, operators_of_two
from scalargrad.table.domains import REAL, Domain
from scalargrad.table.indexing import function_of_index
from scalargrad.table.many import binder, function_of_many, nary_backward, paired_backward
from scalargrad.table.operators import OPERATORS
from scalargrad.table.passing_back import Partial, binary_backward, rule_of, unary_backward
from scalargrad.table.row import INFIX, PACKAGE_ROWS, TABLE, AnyFunction, Op

# Every row may say, beside what is asked of its kind (see Op for what each means):
#     domain, kinks, pole     where the value is defined, where its derivative jumps, what it is where it raises
#     chooses                 whether a derivative of 0 says that an operand was not chosen
#     lowered                 the value by other rows, for compiled programs
#     never_minus_zero        whether it never gives -0.0


def unary(
    name: str, value: AnyFunction, partial: Partial, *, domain: Domain = REAL, kinks: AnyFunction | None = None,
    text: str = "", symbol: str = "", pole: AnyFunction | None = None, chooses: bool = False,
    lowered: AnyFunction | None = None, never_minus_zero: bool = False,
) -> AnyFunction:  # fmt: skip
    """Add an op of one operand to the table and to Value; returns its function."""
    op = Op(name, value, (rule_of(partial),), (domain,), kinks, text, symbol, pole, 1)
    op.chooses = (chooses,)
    op.lowered, op.never_minus_zero = lowered, never_minus_zero
    op.backward = unary_backward(op, partial)
    return _install(op, _quick("op", function_of_one(op), op))


def binary(
    name: str, value: AnyFunction, partial_x: Partial, partial_y: Partial, *,
    domain: tuple[Domain, Domain] = (REAL, REAL), kinks: AnyFunction | None = None,
    text: str = "", symbol: str = "", pole: AnyFunction | None = None, default: float | None = None,
    chooses: tuple[bool | AnyFunction, bool | AnyFunction] = (False, False),
    lowered: AnyFunction | None = None, never_minus_zero: bool = False,
) -> AnyFunction:  # fmt: skip
    """Add an op of two operands to the table and to Value; returns its function.

    A text that is a Python operator installs that operator too; `default` is the second operand if it is left out.
    """
    op = Op(name, value, (rule_of(partial_x), rule_of(partial_y)), domain, kinks, text, symbol, pole, 2)
    op.chooses = chooses
    op.lowered, op.never_minus_zero = lowered, never_minus_zero
    op.backward = binary_backward(op, partial_x, partial_y)
    op.default = default
    if text:
        INFIX[text] = op
    if text in OPERATORS:
        dunder = OPERATORS[text].dunder
        operate, reflected = operators_of_two(op)
        setattr(Value, f"__{dunder}__", _quick("op", operate, op))
        setattr(Value, f"__r{dunder}__", _quick("reflected", reflected, op))
    names = getattr(getattr(partial_x, "__code__", None), "co_varnames", ())
    return _install(op, _quick("op", function_of_two(op, parameter=names[:2] == ("x", "a")), op, default))


def nary(
    name: str, value: AnyFunction, partials: AnyFunction, *, domain: Domain = REAL, kinks: AnyFunction | None = None,
    pole: AnyFunction | None = None, arguments: Sequence[str] = (), spelled_out: AnyFunction | None = None,
    gather: Callable[..., Sequence[Any]] | None = None, chooses: bool = False,
    lowered: AnyFunction | None = None, never_minus_zero: bool = False,
) -> AnyFunction:  # fmt: skip
    """Add an op of three or any number of operands to the table and to Value; returns its function.

    Its rules take one sequence. `arguments` names the operands if their number is fixed. `spelled_out` builds of
    Values the elementary nodes that the op stands for. `gather` lists the operands of a call.
    """
    op = Op(name, value, partials, (domain,), kinks, "", "", pole, None)
    op.arguments = tuple(arguments)
    op.spelled_out = spelled_out
    op.chooses = chooses
    op.lowered, op.never_minus_zero = lowered, never_minus_zero
    op.backward = nary_backward(op, partials)
    return _install(op, _quick("op", function_of_many(op, gather), op))


def paired(name: str, over: AnyFunction, *, gather: Callable[..., Sequence[Any]]) -> AnyFunction:
    """Add the sum of a binary op over pairs, as the dot product x0 * y0 + x1 * y1 + ...; returns its function.

    The operands are x0, x1, ..., y0, y1, ... and, if their number is odd, a term to begin with. Value and rules are
    those of the binary op, pair by pair. It must be linear in each operand and its rules must pick an operand: they are
    given whole vectors, and the partials are finite where the value is.
    """
    pair: Op = over.op  # type: ignore[attr-defined]
    value_of_pair, (rule_x, rule_y) = pair.value, pair.partials

    def value(xs: Sequence[Any]) -> Any:
        n = len(xs) // 2
        terms = map(value_of_pair, xs[:n], xs[n : 2 * n])
        return floats.fold(terms, xs[-1]) if len(xs) % 2 else floats.total(list(terms))

    def partials(xs: Sequence[Any], z: Any) -> list[Any]:
        n = len(xs) // 2
        pairs = list(zip(xs[:n], xs[n : 2 * n], strict=True))
        return [*(rule_x(x, y, z) for x, y in pairs), *(rule_y(x, y, z) for x, y in pairs), *[1.0] * (len(xs) % 2)]

    function = nary(name, value, partials, gather=gather, spelled_out=value, lowered=value)
    op: Op = function.op  # type: ignore[attr-defined]
    op.pair = pair
    op.backward = paired_backward(pair)
    op.bind = _quick("bind", binder(op, pair, function), op)
    return function


def indexed(name: str, value: AnyFunction, partials: AnyFunction, *, kinks: AnyFunction) -> AnyFunction:
    """Add an op whose first operand says which of the others is the result, counted from 0; returns its function.

    The function is `f(xs, index)`, with a list of numbers or of rows. It is no method: a number has no entries.
    """
    op = Op(name, value, partials, (REAL,), kinks, "", "", None, None)
    op.has_index = op.chooses = True
    op.backward = nary_backward(op, partials)
    return _install(op, function_of_index(op), is_method=False)


def alias(function: AnyFunction, *names: str) -> AnyFunction:
    """Give an op's method further names; those that are no special methods name the function too."""
    function.op.aliases += [name for name in names if not name.startswith("__")]  # type: ignore[attr-defined]
    for name in names:
        setattr(Value, name, function)
    return function


def lower(function: AnyFunction, form: AnyFunction) -> None:
    """Say how an op's value is computed by other rows: `lowered`, where it would make the row itself hard to read."""
    function.op.lowered = form  # type: ignore[attr-defined]


def _quick(kind: str, python: AnyFunction, op: Op, extra: Any = None) -> AnyFunction:
    """The function with its plain case in C; of a row that a user added, as it is."""
    return python if PACKAGE_ROWS else in_c(kind, python, op, extra)


def _install(op: Op, function: AnyFunction, *, is_method: bool = True) -> AnyFunction:
    op.function = function
    for one in {function, getattr(function, "__wrapped__", function)}:
        one.__name__ = one.__qualname__ = op.name
    function.op = op  # type: ignore[attr-defined]
    if is_method:
        setattr(Value, op.name, function)
    TABLE[op.name] = op
    return function
