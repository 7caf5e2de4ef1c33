"""Operations of your own as rows of the op table: `@primitive`."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Sequence
from typing import Any

from scalargrad.engine import Value
from scalargrad.support.reals import number
from scalargrad.table.domains import REAL, domains_given
from scalargrad.table.making import binary, nary, unary
from scalargrad.table.row import TABLE, Op


def primitive(
    function: Callable[..., float] | None = None,
    *,
    partials: Any = None,
    name: str = "",
    domain: Any = REAL,
    kinks: Callable[..., Any] | None = None,
    symbol: str = "",
    pole: Callable[..., float] | None = None,
    chooses: bool = False,
    lowered: Callable[..., Any] | bool = False,
) -> Any:
    """Make a function of floats an op of the table: it works on Values, backward to any order, and is drawn.

    Args:
        function: the value, on floats; one argument or more. Arguments with a default are not operands.
        partials: the derivative with respect to each argument: a function of the arguments and, if it takes one more,
            the result. One function if there is one argument, else a sequence of them. They use operators and
            scalargrad's functions, so that they work on floats and on Values.
        name: the op's name; by default the function's.
        domain: a Domain, or (low, high), for all arguments; or, of at most two arguments, a sequence with one each.
        kinks: of the arguments; what it returns changes where the derivative jumps.
        symbol: what pictures show.
        pole: the result under IEEE rules where `function` raises; nan by default.
        chooses: whether a partial of 0 says that this argument was not chosen, as by a relu below 0: nothing is passed
            to it then, not even 0 times an infinite gradient, which is nan.
        lowered: what compiled programs compute, so that the op runs with the backends llvm, wasm and jax too: the value
            once more, of the same arguments, by operators and scalargrad's functions, without `if` (choose with
            `where`). True if `function` is written so itself. Its derivatives are the partials here as well. `check_op`
            compares its numbers with the function's.

    Returns:
        The new function; `.op` is its row. `Value` gets a method of that name.

    Raises:
        ValueError: if the name is taken by the package, or there are not as many partials as arguments.

    >>> from scalargrad import exp
    >>> @primitive(partials=lambda x, z: z * (1 - z))
    ... def logistic(x):
    ...     return 1 / (1 + exp(-x))
    >>> x = Value(0.0)
    >>> logistic(x).backward()
    >>> x.grad
    0.25
    """
    if function is None:
        return lambda f: primitive(
            f, partials=partials, name=name, domain=domain, kinks=kinks, symbol=symbol, pole=pole, chooses=chooses,
            lowered=lowered,
        )  # fmt: skip
    if not callable(function):
        raise TypeError(f"@primitive makes an op of a function of floats, not of {type(function).__name__}")
    name = name or getattr(function, "__name__", "")
    if not isinstance(name, str):
        raise TypeError(f"@primitive: name must be a string, not {type(name).__name__}")
    arguments = _parameters(function)
    n = len(arguments)
    rules = list(partials) if isinstance(partials, (list, tuple)) else [] if partials is None else [partials]
    if not n:
        raise ValueError(f"@primitive: {name or 'the function'} has no operands: give it arguments without a default")
    if len(rules) != n:
        raise ValueError(f"@primitive: {name} takes {n} arguments, so it needs {n} partials, not {len(rules)}")
    known = TABLE.get(name)
    taken = not known.is_users if known else hasattr(Value, name)
    if taken or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"@primitive: the name {name!r} is taken or no identifier: choose another with name=...")
    rules = [_with_result(rule, n, name) for rule in rules]
    domains = domains_given(domain, n, f"@primitive: {name}")
    if n > 2 and len(set(domains)) > 1:
        raise ValueError(f"@primitive: {name} takes {n} arguments; from three on they share one domain")
    if kinks is not None and not callable(kinks):
        raise TypeError(f"@primitive: kinks of {name} must be a function of its arguments, not {type(kinks).__name__}")

    def value(*xs: Any) -> Any:
        z = function(*xs)
        return z if isinstance(z, Value) else number(z)

    form = _form(lowered, value, n, name)
    options: dict[str, Any] = {"kinks": kinks, "pole": pole, "lowered": form}
    if n == 1:
        (rule,) = rules
        made = unary(
            name, value, lambda x, y, z: rule((x,), z), domain=domains[0], symbol=symbol, chooses=chooses, **options
        )
    elif n == 2:
        first, second = rules
        made = binary(
            name, value, lambda x, y, z: first((x, y), z), lambda x, y, z: second((x, y), z),
            domain=(domains[0], domains[1]), symbol=symbol, chooses=(chooses, chooses), **options,
        )  # fmt: skip
    else:
        made = nary(
            name, lambda xs: value(*xs), lambda xs, z: [rule(xs, z) for rule in rules],
            domain=domains[0], arguments=arguments, kinks=kinks and (lambda xs: kinks(*xs)),
            pole=pole and (lambda xs: pole(*xs)), chooses=chooses, lowered=form and (lambda xs: form(*xs)),
        )  # fmt: skip
    op: Op = made.op  # type: ignore[attr-defined]
    op.is_users = True
    made.__doc__, made.__module__, made.__qualname__ = function.__doc__, function.__module__, function.__qualname__
    return made


def _parameters(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some built-in functions do not tell
        raise TypeError(f"@primitive: {function!r} does not say what arguments it takes: wrap it in a lambda") from None
    return [p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]


def _with_result(rule: Any, n: int, name: str) -> Callable[[Sequence[Any], Any], Any]:
    """A rule of the arguments, or of the arguments and the result, or a number, as a function of (xs, z)."""
    if not callable(rule):
        constant = number(rule, f"@primitive: a partial of {name} that is no function")
        return lambda xs, z: constant
    count = len(_parameters(rule))
    if count not in (n, n + 1):
        raise ValueError(
            f"@primitive: a partial of {name} takes {count} arguments; it must take {n}, or {n + 1} with the result"
        )
    return (lambda xs, z: rule(*xs, z)) if count == n + 1 else (lambda xs, z: rule(*xs))


def _form(lowered: Any, value: Callable[..., Any], n: int, name: str) -> Callable[..., Any] | None:
    """What compiled programs compute, as a function of n arguments; None if only Python can."""
    if isinstance(lowered, bool):
        return value if lowered else None
    if not callable(lowered):
        raise TypeError(
            f"@primitive: lowered of {name} must be a function of its arguments, or True if {name} itself is written "
            f"with operators and scalargrad's functions, not {type(lowered).__name__}"
        )
    if (count := len(_parameters(lowered))) != n:
        raise ValueError(f"@primitive: lowered of {name} takes {count} arguments; it must take {n}, as {name} does")

    def form(*xs: Any) -> Any:
        z = lowered(*xs)
        return z if isinstance(z, Value) else number(z)

    return form
