"""`check_op`: one line that checks an operation of one's own over its whole domain."""

from __future__ import annotations

import functools
import inspect
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from scalargrad.checking.checker import GradientError, check_gradients
from scalargrad.checking.report import Entry, Report, Verdict
from scalargrad.compiling.lowering import value_lowered
from scalargrad.engine import Value
from scalargrad.functional.transforms import grad
from scalargrad.support.arguments import brief, whole
from scalargrad.table.domains import REAL, Domain, domains_given
from scalargrad.table.row import HARD, Op


class OpReport(Counter[Verdict]):
    """How many derivatives had which verdict, over all examples of `check_op`."""

    def __repr__(self) -> str:
        parts = ", ".join(f"{self[verdict]} {verdict.value}" for verdict in Verdict if self[verdict])
        return f"<op check, ok{' where decided' if self[Verdict.INCONCLUSIVE] else ''}: {parts}>"


def check_op(
    op: Callable[..., Any],
    *,
    order: int = 2,
    examples: int = 100,
    domain: Domain | tuple[float, float] | Sequence[Any] | None = None,
) -> OpReport:
    """Check the derivatives of an operation at random points of its domain; hypothesis finds the simplest failure.

    Args:
        op: a function of Values: of the op table, made with `@primitive`, a Function's `apply`, or any other.
        order: 2 checks second derivatives too, where the operation has them: a micrograd closure has none.
        examples: how many points.
        domain: of every argument, or a sequence with one for each: a Domain or (low, high). By default what the row of
            the table says, else all numbers between -4 and 4.

    Returns:
        How many derivatives had which verdict.

    Raises:
        GradientError: at the simplest point where a derivative is wrong, naming the rule; or if the first derivative in
            one of the arguments, or in all of a list, could be decided at none of the points.
        AssertionError: at the simplest point where what compiled programs compute, `lowered`, is another number.
        ImportError: if hypothesis is not installed.

    >>> from scalargrad import Value, tanh
    >>> check_op(tanh, examples=10)[Verdict.FAIL]
    0
    """
    try:
        from hypothesis import HealthCheck, Phase, given, settings
    except ImportError as error:
        raise ImportError("check_op needs hypothesis (the extra `test`): pip install hypothesis") from error

    examples = whole(examples, "examples", "check_op(op, examples=100)")
    strategy, function = _strategy_and_function(op, domain)
    row = getattr(op, "op", None)
    fixed = isinstance(row, Op) and row.has_index
    verdicts = OpReport()
    counts: set[int] = set()
    first: dict[str, list[Entry]] = {}

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.filter_too_much],
        phases=[Phase.generate, Phase.shrink],  # its explanation would trace and name lines of this package
    )  # fmt: skip
    @given(strategy)
    def every_point(operands: Sequence[float]) -> None:
        xs, f = operands, function
        if fixed:  # an index cannot move
            xs, f = operands[1:], functools.partial(function, operands[0])
        report = check_gradients(f, list(xs), order=order if _can_be_differentiated_twice(f, xs) else 1)
        if report.wrong:
            raise GradientError(report)
        _check_lowered(row, operands)
        verdicts.update(entry.verdict for entry in report.entries)
        counts.add(len(xs))
        for entry in report.entries:
            if entry.order == 1:
                first.setdefault(entry.name, []).append(entry)

    every_point()
    # The places in a list are all alike; each argument has a rule of its own.
    groups = list(first.values()) if len(counts) == 1 else [[entry for entries in first.values() for entry in entries]]
    for entries in groups:
        if entries and all(entry.verdict is Verdict.INCONCLUSIVE for entry in entries):
            which = f"derivatives {entries[0].name}" if len(counts) == 1 else "first derivatives"
            remark = f"none of the {len(entries)} {which} at all points could be decided, and this is the first of them"
            raise GradientError(Report(entries[:1], remark=remark))
    return verdicts


def _check_lowered(row: Any, xs: Sequence[float]) -> None:
    """Raise if a row's `lowered` gives another number than its value, by more than roundings."""
    if not isinstance(row, Op) or row.lowered is None:
        return
    try:
        expected = float(row.on(xs))
    except HARD:
        return
    found = value_lowered(row, xs)
    if found is None or expected != expected or math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9):
        return
    raise AssertionError(
        f"{row.name}({', '.join(map(repr, xs))}) is {expected!r}, but {found!r} by its lowered form, which compiled "
        "programs compute: it must use operators and scalargrad's functions only, and choose with where, not with if"
    )


def _strategy_and_function(op: Callable[..., Any], domain: Any) -> tuple[Any, Callable[..., Any]]:
    """Lists of arguments, and the operation as a function of that many."""
    from hypothesis import strategies as st

    from scalargrad.strategies import call, inputs_for, numbers_in

    if not callable(op):  # of which inspect would show a repr that may be endless
        raise TypeError(f"check_op needs a function with a fixed number of arguments, not {brief(op)}")
    row = getattr(op, "op", None)
    if isinstance(row, Op) and domain is None:
        return inputs_for(row), lambda *xs: call(row, xs)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method = getattr(op, "__self__", None)
    forward = getattr(method, "forward", None) if getattr(op, "__name__", "") == "apply" else None
    try:
        parameters = list(inspect.signature(forward or op).parameters.values())[1 if forward else 0 :]
    except (TypeError, ValueError):  # a function that does not tell
        raise TypeError(f"check_op needs a function with a fixed number of arguments, not {brief(op)}") from None
    count = sum(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)
    if isinstance(row, Op):
        count = row.arity or len(row.arguments)
    if not count:
        raise TypeError(f"check_op needs a function with a fixed number of arguments, not {brief(op)}")
    domains = domains_given(REAL if domain is None else domain, count, "check_op: the operation")
    return st.tuples(*map(numbers_in, domains)).map(list), op


def _can_be_differentiated_twice(function: Callable[..., Any], xs: Sequence[float]) -> bool:
    leaves = [Value(x) for x in xs]
    y = function(*leaves)
    try:
        grad(y, leaves, create_graph=True)
    except TypeError:
        return False
    return True
