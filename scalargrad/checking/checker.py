"""`check_gradients`: the engine's derivatives beside finite differences that know how good they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from scalargrad.arguments import brief, function, items, real
from scalargrad.checking.culprit import find_culprit
from scalargrad.checking.report import Entry, Report, Verdict
from scalargrad.checking.samples import Branches, Sampler, UnusableError, branches
from scalargrad.checking.slopes import Numeric, numeric_slope
from scalargrad.engine import Value
from scalargrad.formula import clean_label
from scalargrad.functional.call import Call
from scalargrad.table import HARD

MODES = ("reverse", "forward")
_RESOLUTION = 49.0
"""A PASS needs differences good enough to see an error of about 50 rtol; less is INCONCLUSIVE."""


class GradientError(AssertionError):
    """A gradient that disagrees with finite differences; `report` is the whole story."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)


def check_gradients(
    f: Callable[..., Any],
    inputs: Sequence[float],
    *,
    gradient: Callable[..., Sequence[float]] | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    order: int = 1,
    modes: Iterable[str] = MODES,
    names: Sequence[str] | None = None,
) -> Report:
    """Compare the derivatives of f at a point with finite differences.

    The differences are Ridders' extrapolations with two first steps, and come with an error E. A derivative a passes if
    it differs from the difference n by at most rtol max(|a|, |n|) + 10 E, and E is small enough to tell. At a kink it
    must lie between the slopes of both sides. If something is wrong, every node's local rule is checked by itself, and
    the report names the op.

    Args:
        f: a function of one Value for each input that returns one; with `gradient`, any function of floats.
        inputs: the point.
        gradient: a function (*floats) -> derivatives to check in place of the engine's.
        rtol: the relative difference that is allowed.
        atol: an absolute difference below which nothing FAILs.
        order: 2 checks the second derivatives too.
        modes: 'reverse', 'forward' or both, which then must agree.
        names: what the report calls the inputs; x0, x1, ... by default.

    Raises:
        ValueError: for an unknown order or mode.
        TypeError: if f does not return a number.

    >>> from scalargrad import tanh
    >>> print(check_gradients(lambda x, w: tanh(x * w), [0.5, -1.0]).summary)
    ok: 2 derivatives checked: 2 PASS
    """
    f, modes = function(f, "f"), tuple(items(modes, "modes", "modes=('reverse',)"))
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, not {brief(order)}")
    if not modes or not all(mode in MODES for mode in modes):
        raise ValueError(f"modes must be 'reverse', 'forward' or both, not {brief(modes)}")
    xs = [real(x, f"input {i}") for i, x in enumerate(items(inputs, "inputs", "check_gradients(f, [1.0, 2.0])"))]
    names = [f"x{i}" for i in range(len(xs))] if names is None else items(names, "names", "names=['a', 'b']")
    names = list(map(clean_label, names))
    if len(names) != len(xs):
        raise ValueError(f"there are {len(xs)} inputs, but {len(names)} names")
    rtol, atol = real(rtol, "rtol"), real(atol, "atol")
    problems: list[str] = []
    call: Call | None = None
    if gradient is not None:
        found = items(function(gradient, "gradient")(*xs), "what gradient returns", "[0.5, 1.0]")
        analytic = [real(d, f"derivative {i} of gradient") for i, d in enumerate(found)]
        if len(analytic) != len(xs):
            raise ValueError(f"gradient returned {len(analytic)} derivatives for {len(xs)} inputs")
    else:
        call, analytic = _engines_gradient(f, xs, names, modes, problems)
    sampler = Sampler(f, xs)
    entries = []
    for i, x in enumerate(xs):
        numeric = numeric_slope(_along(sampler, xs, i), x, sees_branches=sampler.sees_branches)
        entries.append(_judged(f"d/d{names[i]}", x, analytic[i], numeric, rtol, atol))
    if order == 2 and gradient is None:
        entries += _second_order(f, xs, names, rtol, atol)
    report = Report(entries, problems)
    if call is not None and not report.ok:
        return Report(entries, problems, find_culprit(call.output))
    return report


def assert_gradients(f: Callable[..., Any], inputs: Sequence[float], **options: Any) -> Report:
    """As `check_gradients`, raising GradientError with the report if anything is wrong. Returns the report."""
    report = check_gradients(f, inputs, **options)
    if not report.ok:
        raise GradientError(report)
    return report


def _engines_gradient(
    f: Callable[..., Any], xs: list[float], names: list[str], modes: tuple[str, ...], problems: list[str]
) -> tuple[Call, list[float]]:
    """The gradient by each mode, from fresh graphs; what does not agree with itself is noted."""
    call = Call(f, xs, range(len(xs)))
    found: dict[str, list[float]] = {}
    for mode in modes:
        found[mode], again = (_gradient(Call(f, xs, range(len(xs))), mode) for _ in range(2))
        if repr(found[mode]) != repr(again):
            problems.append(f"{mode} mode gave {found[mode]} at first and {again} the second time: f is not a function")
    for value, x in zip(call.inputs, xs, strict=True):
        if value.data != x:
            problems.append(f"f changed its input {x!r} to {value.data!r}")
    if len(found) == 2:
        for name, a, b in zip(names, found["reverse"], found["forward"], strict=True):
            if not (math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) or (a != a and b != b) or math.isinf(a)):
                problems.append(f"d/d{name}: reverse mode gives {a!r}, forward mode {b!r}")
    return call, found[modes[0]]


def _gradient(call: Call, mode: str) -> list[float]:
    if mode == "reverse":
        return [_plain(d) for d in call.pull_back([call.output], [1.0], create_graph=False)]
    n = len(call.inputs)
    return [_plain(call.push_forward([call.output], [float(i == j) for j in range(n)])[0]) for i in range(n)]


def _plain(x: Any) -> float:
    return float(x.data if isinstance(x, Value) else x)


def _along(sampler: Sampler, xs: list[float], i: int) -> Callable[[float], tuple[float, Branches]]:
    return lambda t: sampler([*xs[:i], t, *xs[i + 1 :]])


def _second_order(f: Callable[..., Any], xs: list[float], names: list[str], rtol: float, atol: float) -> list[Entry]:
    """The rows of the Hessian beside differences of the gradient."""
    n = len(xs)
    call = Call(f, xs, range(n))
    gradient = call.pull_back([call.output], [1.0], create_graph=True)
    entries = []
    for i in range(n):
        row = (
            [0.0] * n
            if not isinstance(gradient[i], Value)
            else call.pull_back([gradient[i]], [1.0], create_graph=False)
        )
        for j in range(n):

            def samples(t: float, i: int = i, j: int = j) -> tuple[float, Branches]:
                try:
                    moved = Call(f, [*xs[:j], t, *xs[j + 1 :]], range(n))
                except HARD as error:
                    raise UnusableError(str(error).splitlines()[0]) from None
                d = _plain(moved.pull_back([moved.output], [1.0], create_graph=False)[i])
                if not math.isfinite(d):
                    raise UnusableError(f"the gradient is {d!r} near here")
                return d, branches(moved.output)

            numeric = numeric_slope(samples, xs[j], sees_branches=True)
            entries.append(_judged(f"d²/d{names[i]}d{names[j]}", xs[j], _plain(row[j]), numeric, rtol, atol))
    return entries


def _judged(name: str, x: float, a: float, numeric: Numeric, rtol: float, atol: float) -> Entry:
    if numeric.note:
        return Entry(name, x, a, 0.0, math.inf, Verdict.INCONCLUSIVE, numeric.note)
    n = min(max(a, numeric.low), numeric.high) if numeric.kinks and a == a else numeric.low
    size, noise = max(abs(a), abs(n)), 10.0 * numeric.error
    allowed = rtol * size + noise
    if not abs(a - n) <= atol + allowed:  # nan too
        note = ""
        if numeric.kinks:
            note = f"at a kink, outside of the slopes of both sides, {numeric.low:.6g} and {numeric.high:.6g}"
        if numeric.kinks > 1:  # each rule may choose within its own interval, and the choices need not fit together
            note = f"at {numeric.kinks} kinks at once, where the rules' choices may not add up to a slope"
            return Entry(name, x, a, n, numeric.error, Verdict.INCONCLUSIVE, note)
        if not noise <= 0.1 * abs(a - n) and a == a and math.isfinite(a):
            return Entry(
                name, x, a, n, numeric.error, Verdict.INCONCLUSIVE, "the differences are not good enough to tell"
            )
        return Entry(name, x, a, n, numeric.error, Verdict.FAIL, note)
    if numeric.kinks:
        note = f"at a kink, between the slopes of both sides, {numeric.low:.6g} and {numeric.high:.6g}"
        return Entry(name, x, a, n, numeric.error, Verdict.KINK, note)
    resolved = noise <= _RESOLUTION * rtol * size and abs(a - n) <= allowed
    if resolved or (a == 0.0 and noise <= atol):
        return Entry(name, x, a, n, numeric.error, Verdict.PASS)
    return Entry(
        name, x, a, n, numeric.error, Verdict.INCONCLUSIVE, "the slope is too small for differences to resolve"
    )
