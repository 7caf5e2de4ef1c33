"""`check_gradients`: the engine's derivatives beside finite differences that know how good they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from scalargrad.checking.chain import Chain, Total
from scalargrad.checking.culprit import find_culprit
from scalargrad.checking.report import Entry, Report, Verdict
from scalargrad.checking.samples import Sample, Sampler, UnusableError, structure
from scalargrad.checking.slopes import Numeric, numeric_slope
from scalargrad.engine import Value
from scalargrad.functional.call import Call
from scalargrad.node.numbers import plain_number
from scalargrad.support.arguments import brief, function, items, real
from scalargrad.support.labels import clean_label
from scalargrad.support.spelling import explained
from scalargrad.table.row import NO_VALUE

MODES = ("reverse", "forward")
_RESOLUTION = 49.0
"""A PASS needs differences good enough to see an error of about 50 rtol; less is INCONCLUSIVE."""

_NOTHING = 1e-300
"""An error so small that what is within it is 0."""
_CANCELLED = 1e-11
"""A derivative of 0 passes if its parts cancel to this fraction of their size, and none of them was rounded."""
_VANISHING = 1e-100
"""A slope of 0 whose error is this fraction of the function's slopes over ordinary steps is 0, as of x**3 at 0."""
_ROUNDED = 1e-14
"""A derivative that is 0 in truth may be off by this fraction of the parts that cancel."""


class GradientError(AssertionError):
    """A gradient that disagrees with finite differences, or of which they say nothing; `report` is the whole story."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)


@explained("check_gradients(f, [2.0, 3.0]), a function and a number for each of its arguments")
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

    A function of Values is moved operation by operation, each at its own operands, and the slopes go by the chain rule;
    one of floats is moved as a whole. Steps of many sizes must agree, and the difference n comes with an error E. A
    derivative a passes if it differs from n by at most rtol max(|a|, |n|) + 10 E, and E is small enough to tell; it
    fails if it differs by more than that and atol. At a kink it must lie between the slopes of both sides. If something
    is wrong, every node's local rule is checked by itself, and the report names the op.

    Args:
        f: a function of one Value for each input that returns one; with `gradient`, any function of floats.
        inputs: the point.
        gradient: a function (*floats) -> derivatives to check in place of the engine's.
        rtol: the relative difference that is allowed.
        atol: an absolute difference below which nothing FAILs.
        order: 2 checks the second derivatives of the engine too.
        modes: 'reverse', 'forward' or both, which then must agree.
        names: what the report calls the inputs; x0, x1, ... by default.

    Raises:
        ValueError: for an unknown order or mode, or a negative tolerance.
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
    if not (rtol >= 0.0 and atol >= 0.0):
        raise ValueError(f"rtol and atol must not be negative, and they are {rtol!r} and {atol!r}")
    problems: list[str] = []
    call: Call | None = None
    by_mode: dict[str, list[float]] = {}
    if gradient is not None:
        found = items(function(gradient, "gradient")(*xs), "what gradient returns", "[0.5, 1.0]")
        analytic = [real(d, f"derivative {i} of gradient") for i, d in enumerate(found)]
        if len(analytic) != len(xs):
            raise ValueError(f"gradient returned {len(analytic)} derivatives for {len(xs)} inputs")
    else:
        call, by_mode = _engines_gradient(f, xs, modes, problems)
        analytic = by_mode[modes[0]]
    sampler = Sampler(f, xs)
    totals = _Totals(lambda: _chain_at(sampler, xs))
    entries = []
    for i, x in enumerate(xs):
        numeric = numeric_slope(_along(sampler, xs, i), x, i, totals.of(i), _others_move(sampler, xs, i))
        entries.append(_judged(f"d/d{names[i]}", x, analytic[i], numeric, rtol, atol))
    if len(by_mode) == 2:
        problems += _disagreements(names, by_mode, totals)
    if order == 2 and gradient is None:
        entries += _second_order(f, xs, names, rtol, atol)
    report = Report(entries, problems)
    if call is not None and report.wrong:
        return Report(entries, problems, find_culprit(call.output, suspect=not report.agrees))
    return report


def assert_gradients(f: Callable[..., Any], inputs: Sequence[float], **options: Any) -> Report:
    """As `check_gradients`, for a test: a report that is not ok is an error. Returns the report.

    Raises:
        GradientError: with the report, if anything is wrong or no first derivative could be decided.
    """
    report = check_gradients(f, inputs, **options)
    if not report.ok:
        raise GradientError(report)
    return report


class _Totals:
    """What the chain of a graph says about each input, computed when it is first asked for."""

    def __init__(self, make: Callable[[], Chain | None]) -> None:
        self._make = make
        self._found: list[Total] | None = None
        self._asked = False

    def of(self, i: int) -> Callable[[], Total | None]:
        """A function that gives the total for input i, None if there is none."""

        def total() -> Total | None:
            if not self._asked:
                self._asked = True
                chain = self._make()
                if chain is not None and not chain.opaque:
                    self._found = chain.gradient()
            return None if self._found is None else self._found[i]

        return total


def _chain_at(sampler: Sampler, xs: list[float]) -> Chain | None:
    try:
        here = sampler(xs)
    except UnusableError:
        return None
    return None if here.root is None or not here.inputs else Chain(here.root, here.inputs)


def _engines_gradient(
    f: Callable[..., Any], xs: list[float], modes: tuple[str, ...], problems: list[str]
) -> tuple[Call, dict[str, list[float]]]:
    """The gradient by each mode, from fresh graphs; what is not the same twice is noted."""
    call = Call(f, xs, range(len(xs)))
    found: dict[str, list[float]] = {}
    for mode in modes:
        found[mode], again = (_gradient(Call(f, xs, range(len(xs))), mode) for _ in range(2))
        if repr(found[mode]) != repr(again):
            problems.append(f"{mode} mode gave {found[mode]} at first and {again} the second time: f is not a function")
    for value, x in zip(call.inputs, xs, strict=True):
        if value.data != x:
            problems.append(f"f changed its input {x!r} to {value.data!r}")
    return call, found


def _disagreements(names: list[str], found: dict[str, list[float]], totals: _Totals) -> list[str]:
    """In which derivatives the modes differ by more than the order of their additions explains."""
    problems = []
    for i, (name, a, b) in enumerate(zip(names, found["reverse"], found["forward"], strict=True)):
        if a == b or not (math.isfinite(a) or math.isfinite(b)):
            continue
        total = None if math.isclose(a, b, rel_tol=1e-9, abs_tol=0.0) else totals.of(i)()
        # Where large contributions cancel, each mode is left with the rounding of its own order.
        slack = 1e-12 if total is None or not math.isfinite(total.gross) else 1e-11 * total.gross
        if not math.isclose(a, b, rel_tol=1e-9, abs_tol=slack):
            problems.append(f"d/d{name}: reverse mode gives {a!r}, forward mode {b!r}")
    return problems


def _gradient(call: Call, mode: str) -> list[float]:
    if mode == "reverse":
        return [_plain(d) for d in call.pull_back([call.output], [1.0], create_graph=False)]
    n = len(call.inputs)
    return [_plain(call.push_forward([call.output], [float(i == j) for j in range(n)])[0]) for i in range(n)]


def _plain(x: Any) -> float:
    return float(plain_number(x))


def _along(sampler: Callable[[list[float]], Sample], xs: list[float], i: int) -> Callable[[float], Sample]:
    return lambda t: sampler([*xs[:i], t, *xs[i + 1 :]])


def _others_move(sampler: Callable[[list[float]], Sample], xs: list[float], i: int) -> Callable[[], bool]:
    """Whether the function is another number when another input moves, and this one too."""

    def moves() -> bool:
        for j in range(len(xs)):
            for step in (1.0, -0.5):
                try:
                    moved = [x + step * max(1.0, abs(x)) if k in (i, j) else x for k, x in enumerate(xs)]
                    if j != i and sampler(moved).value != 0.0:
                        return True
                except UnusableError:
                    continue
        return False

    return moves


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
        sampler = _GradientSampler(f, i)
        totals = _Totals(lambda sampler=sampler: _chain_at(sampler, xs))  # type: ignore[misc]
        for j in range(n):
            numeric = numeric_slope(_along(sampler, xs, j), xs[j], j, totals.of(j), _others_move(sampler, xs, j))
            entry = _judged(f"d²/d{names[i]}d{names[j]}", xs[j], _plain(row[j]), numeric, rtol, atol)
            entries.append(replace(entry, order=2))
    return entries


class _GradientSampler:
    """One entry of the gradient of f as a function of its own, as Sampler is of f."""

    def __init__(self, f: Callable[..., Any], i: int) -> None:
        self._f, self._i = f, i

    def __call__(self, xs: list[float]) -> Sample:
        """The derivative at xs, its graph, and the side of f's kinks."""
        try:
            call = Call(self._f, xs, range(len(xs)))
        except NO_VALUE as error:
            raise UnusableError(str(error).splitlines()[0]) from None
        d = call.pull_back([call.output], [1.0], create_graph=True)[self._i]
        if not math.isfinite(_plain(d)):
            raise UnusableError(f"the gradient is {_plain(d)!r} near here")
        inputs = tuple(call.inputs)
        way, constants = structure(call.output, inputs)
        if not isinstance(d, Value):
            return Sample(_plain(d), way, constants, Value(d, requires_grad=False), inputs)
        own_way, own_constants = structure(d, inputs)
        return Sample(_plain(d), (*way, *own_way), (*constants, *own_constants), d, inputs)


def _judged(name: str, x: float, a: float, numeric: Numeric, rtol: float, atol: float) -> Entry:
    if numeric.note or not math.isfinite(numeric.error):
        note = numeric.note or "the differences are not good enough to tell"
        return Entry(name, x, a, 0.0, math.inf, Verdict.INCONCLUSIVE, note)
    n = min(max(a, numeric.low), numeric.high) if numeric.kinks and a == a else numeric.low
    noise = 10.0 * numeric.error
    if not math.isfinite(a):  # the slope is finite, so this is wrong; nothing may be scaled by it
        telling = noise <= max(abs(n), atol, 1e-9 * numeric.gross)
        verdict, note = Verdict.FAIL, "the slope is finite"
        if not telling:
            verdict, note = Verdict.INCONCLUSIVE, "the differences are not good enough to tell"
        return Entry(name, x, a, n, numeric.error, verdict, note)
    size = max(abs(a), abs(n))
    allowed = rtol * size + noise
    apart = abs(a - n)
    if not apart <= atol + allowed:
        note = ""
        if numeric.kinks:
            note = f"at a kink, outside of the slopes of both sides, {numeric.low:.6g} and {numeric.high:.6g}"
        if numeric.kinks > 1:  # each rule may choose within its own interval, and the choices need not fit together
            note = f"at {numeric.kinks} kinks at once, where the rules' choices may not add up to a slope"
            return Entry(name, x, a, n, numeric.error, Verdict.INCONCLUSIVE, note)
        if not noise <= 0.1 * apart:
            return Entry(
                name, x, a, n, numeric.error, Verdict.INCONCLUSIVE, "the differences are not good enough to tell"
            )
        return Entry(name, x, a, n, numeric.error, Verdict.FAIL, note)
    if numeric.kinks:
        note = f"at a kink, between the slopes of both sides, {numeric.low:.6g} and {numeric.high:.6g}"
        return Entry(name, x, a, n, numeric.error, Verdict.KINK, note)
    resolved = noise <= _RESOLUTION * rtol * size
    cancelled = a == n == 0.0 and numeric.exact and noise <= _CANCELLED * numeric.gross
    if apart <= allowed and (resolved or noise <= _NOTHING or cancelled):
        return Entry(name, x, a, n, numeric.error, Verdict.PASS)
    if apart <= allowed and _is_0_or_exact(a, numeric, noise, rtol):
        return Entry(name, x, a, n, numeric.error, Verdict.PASS)
    note = "the slope is too small for differences to resolve"
    if apart > allowed:
        note = "it differs from the differences, but by less than atol"
    return Entry(name, x, a, n, numeric.error, Verdict.INCONCLUSIVE, note)


def _is_0_or_exact(a: float, numeric: Numeric, noise: float, rtol: float) -> bool:
    """Whether a derivative that floats do not resolve is right: seen to vanish, or by arithmetic without rounding."""
    truth = numeric.truth()
    if truth is None:
        return a == numeric.low == 0.0 and noise <= _VANISHING * numeric.variation()
    return abs(a - truth) <= (rtol * max(abs(a), abs(truth)) if truth else _ROUNDED * numeric.gross)
