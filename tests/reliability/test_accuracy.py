"""Accuracy.

Every operation and each of its derivatives is compared with mpmath at 50 digits and more, over its whole domain, densely
where formulas are in danger. Errors are counted in units in the last place; 2 are allowed to a value and 4 to a
derivative, and what needs more must be explained by the rounding of the operands, by underflow, or by a rule that is
plain on purpose. [Accuracy](accuracy.md) has the figures and the reasons of every operation.
"""

import math
import platform
import sys
from pathlib import Path

import pytest

pytest.importorskip("mpmath", reason="the exact numbers are mpmath's: the extra `test`")

import mpmath
from accuracy_helpers import DERIVATIVE_BAR, LIMITS, TOP, VALUE_BAR, error_of, measured, movement, spacing
from accuracy_points import points
from exact_forms import FORMS, exact, on_kink
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from reliability_helpers import only_long, size

from scalargrad import ops
from scalargrad.table import TABLE

LONG_RUN = 10_000
"""Points of each op."""
OPS = sorted(op.name for op in ops.BUILT_IN)
PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"
WRITE = "python tests/reliability/test_accuracy.py --write"


def test_every_op_has_an_exact_form_and_every_limit_a_reason():
    assert sorted(FORMS) == OPS
    assert set(REASONS) == {name for name, _ in LIMITS}


@pytest.mark.parametrize("name", OPS)
def test_the_exact_derivatives_are_those_that_mpmath_finds(name):
    """By differences of the exact value, 40 digits smaller than any operand, with digits to spare."""
    for xs in points(name, size(8, 200)):
        if on_kink(name, xs) or (name == "power" and xs[0] <= 0):  # of a base below 0, for one exponent after another
            continue
        if name in ("floor_divide", "remainder") and abs(xs[0]) > 1e10 * abs(xs[1]):  # even so a step would jump
            continue
        with mp.workdps(500):
            numbers = list(map(mpf, xs))
            h = mpf(10) ** -40 * min([abs(x) for x in numbers if x] + [mpf(1)])
            for operand, x in enumerate(numbers):
                right = exact(name, numbers, operand)
                if right is None or abs(right) >= TOP:
                    continue

                def along(t, at=operand, xs=tuple(numbers)):
                    return exact(name, [*xs[:at], t, *xs[at + 1 :]], -1)

                found = mpmath.diff(along, x, h=h)
                assert abs(found - right) <= mpf(10) ** -25 * abs(right) + mpf(10) ** -340, (xs, operand)


@pytest.mark.parametrize("name", OPS)
def test_every_error_is_within_the_bar_or_explained(name):
    for accuracy in measured(name, size(100, LONG_RUN)):
        assert not accuracy.wrong.count, f"{name}, by operand {accuracy.index}: {accuracy.wrong}"
        assert accuracy.within.count, "nothing was measured"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_next_float_is_one_unit_away(x):
    above = math.nextafter(x, math.inf)
    assert error_of(above, mpf(x)) == (spacing(mpf(x)) if x >= 0 else spacing(mpf(above)))
    assert error_of(math.nan, mpf(x)) == mpf("inf")
    assert error_of(math.inf, mpf(10) ** 400) == 0 < error_of(math.inf, mpf(x))
    assert error_of(math.inf, mpf(1)) == mpf("inf")


def test_what_half_a_unit_of_the_operands_makes():
    """Of 2x as much as of x; of log x near 1 what log x has lost; nothing of a slope that is the same everywhere."""
    for name, xs, index, moves in (
        ("square", [1.5], 0, 0.5),
        ("log", [1 + 2.0**-30], -1, 2.0**30),
        ("add", [1.5, 2.0], 0, 0),
    ):
        with mp.workdps(60):
            assert movement(name, xs, index, exact(name, list(map(mpf, xs)), index)) == pytest.approx(moves, rel=1e-6)


@only_long
def test_all_ops_together(figure):
    found = [accuracy for name in OPS for accuracy in measured(name, LONG_RUN)]
    compared = sum(sum(w.count for w in kinds(a)) for a in found)
    figure("compared", f"{len(OPS)} operations at {LONG_RUN} points each, {compared} values and derivatives")
    for what, bar, those in (
        ("values", VALUE_BAR, [a for a in found if a.index < 0]),
        ("derivatives", DERIVATIVE_BAR, [a for a in found if a.index >= 0]),
    ):
        good = [a for a in those if sum(w.count for w in kinds(a)) == a.within.count]
        worst = max(good, key=lambda a: a.within.ulps)
        figure(
            f"{what} within {bar} units at every point",
            f"{len(good)} of {len(those)}, the worst of them {worst.within.ulps:.2f} ({title(worst)})",
        )
        for kind in ("cancellation", "underflow", "plain"):
            some = [a for a in those if getattr(a, kind).count]
            figure(f"{what} with more: {KINDS[kind]}", ", ".join(map(title, some)) or "none")


@only_long
def test_the_page_shows_what_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    if machine() not in page:
        pytest.skip(f"docs/accuracy.md is of another machine; of this one: {WRITE}")
    assert page == page_text(), WRITE


def test_the_page_has_every_op():
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in OPS if f"\n| {name} |" not in page] == [], WRITE


# -------------------------------------------------------------------- the page

KINDS = {"cancellation": "rounding of the operands", "underflow": "underflow", "plain": "plain on purpose"}
REASONS = {
    "tanh": "`1 - z * z` is what every lecture shows. Where z is nearly 1 it knows what z has kept of 1 - |z|: it is off"
    " by 2**-51 at most, and 0 from |x| = 19.1 on. Exact would be `1 / cosh(x) / cosh(x)`. The value is the C library's:"
    " 2.07 units have been seen, 4 are allowed.",
    "sigmoid": "`z * (1 - z)`, likewise: off by 2**-52 at most, and 0 from x = 37 on. Exact would be `z * sigmoid(-x)`.",
    "sum": "added from left to right, bit for bit as a chain of `+`: n operands may be off by n * 2**-52 of the sum of"
    " their sizes.",
    "mean": "likewise.",
    "dot": "likewise, of the products.",
    "elu": "`a * exp(x)`: below x = -745 it is 0, however large a is.",
    "silu": "`s + z * (1 - s)` with s = sigmoid(x): between -2.4 and -0.7 the two nearly cancel, and the error may be 4"
    " units of the second.",
    "arctan": "`1 / (1 + x * x)`: from |x| = 1.3e154 on x * x is infinite and the slope, below 2**-1022, becomes 0.",
    "arctan2": "`y / hypot(x, y) / hypot(x, y)`: where hypot overflows the slope, below 2**-1022, becomes 0.",
    "gelu": "`0.5 * x * erfc(-x / sqrt(2))` rounds the argument of the C library's erfc twice: 8 units for each that half"
    " a unit of x makes. The slope is the normal distribution function plus x times its density: between -2 and -0.5 the"
    " two nearly cancel, and the error may be 4 units of the second.",
    "power": "`y * x**(y - 1)`. For |y| below 1/2 y - 1 is rounded, which x**(y - 1) multiplies by log x: up to some"
    " hundred units for x beyond 1e6 or below 1e-6. For x below 6e-309, where 1 / x is infinite, so is the slope by x,"
    " or NaN for y = 0.",
    "logsumexp": "`max + log(sum of exp(x - max))` and, for the slopes, `exp(x - z)`, as in every lecture. A result near"
    " 0 is off by 2**-50 times the largest operand, or 1, at most; a slope by 4 units times z.",
}


def machine():
    """What the figures depend on: Python's and the C library's functions."""
    library = " ".join(filter(None, platform.libc_ver())) or platform.system()
    return f"CPython {platform.python_version()}, {library}, {platform.machine()}"


def kinds(accuracy):
    """The four kinds of errors that may be."""
    return accuracy.within, accuracy.cancellation, accuracy.underflow, accuracy.plain


def title(accuracy):
    """Its name on the page: power, power by y."""
    op = TABLE[accuracy.name]
    if accuracy.index < 0 or op.arity == 1:
        return accuracy.name
    return f"{accuracy.name} by {'xy'[accuracy.index] if op.arity else 'each'}"


def place(xs):
    """Operands: to the last digit if they are few."""
    return "(" + ", ".join(map(repr if len(xs) < 3 else "{:.6g}".format, xs)) + ")" if len(xs) > 1 else repr(xs[0])


def cells(worst):
    """An error and where it occurs."""
    return f"{worst.ulps:.2f} | {place(worst.at)}" if worst.ulps > 0 else "0 | "


def table_of(kind, found):
    """A section's rows: the largest errors of a kind."""
    yield from ("| | points | error | at | half a unit of the operands makes |", "|---|---|---|---|---|")
    for accuracy in found:
        worst = getattr(accuracy, kind)
        if worst.count:
            what = f"{accuracy.name}, value" if accuracy.index < 0 else f"{title(accuracy)}, derivative"
            points = f"{worst.count}, {worst.infinite} infinite" if worst.infinite else f"{worst.count}"
            yield f"| {what} | {points} | {worst.ulps:.3g} | {place(worst.at)} | {worst.moves:.3g} |"


def page_text():
    """docs/accuracy.md."""
    by_op = {name: measured(name, LONG_RUN) for name in OPS}
    found = [accuracy for name in OPS for accuracy in by_op[name]]
    rows = []
    for name, (value, *slopes) in by_op.items():
        rows.append(f"| {name} | {' | '.join(map(cells, (value.within, *(a.within for a in slopes))))} |")
    sections = {kind: "\n".join(table_of(kind, found)) for kind in KINDS}
    reasons = "\n".join(f"- **{name}**: {REASONS[name]}" for name in REASONS)
    return PAGE_TEXT.format(
        points=LONG_RUN, machine=machine(), rows="\n".join(rows), reasons=reasons, write=WRITE, **sections
    )


PAGE_TEXT = """# Accuracy

How far each operation's value and derivatives are from the exact numbers, in units in the last place: 1 is the distance
of the float from the next one, and 0.5 is as good as a float can be. exp, sin, erfc and their like are the C library's,
so that other machines may show other digits. This is {machine}.

## How it was measured

- {points} points of each operation, the same in every run: of all magnitudes and both signs, from the smallest subnormal
  numbers to the largest floats; between -8 and 8; between 1e-9 and 4096; a few floats, or any fraction, away from zeros, poles, kinks and
  the places where a formula changes; for sin, cos and tan also next to multiples of pi/2 up to 1e15; for operations of
  two operands equal, opposite and very different ones; sums and products of 2 to 6 terms that do not overflow on their
  way.
- The exact numbers are mpmath's, of formulas written by hand and not read off the op table, with 50, 100, ... digits
  until two results agree to 30. Derivatives so written are compared with mpmath's own differentiation of the value.
- On kinks, and where the value overflows, derivatives are not compared: [Hard points](hard-points.md) has them. What
  should be beyond the largest float may be infinite.
- tests/reliability/test_accuracy.py does so in every run of the tests with 100 points, and in the long run with these.
  `{write}` writes this page.

The bar is **2 units for a value and 4 for a derivative**. An error above it must be one of three:

- **Rounding of the operands.** Move each operand by half a unit, as if it had been rounded to the float it is: the exact
  result moves by so many units, added up. As many times the bar is no fault of the formula; it is large near zeros of the
  result, and where a large operand is exponentiated.
- **Underflow.** A result on the way, or the value itself, is below 2**-1022, where floats have fewer digits. Allowed are
  1024 times the smallest float, 5e-321, or four times the digits that the value has.
- **Plain on purpose.** The rule is the one on paper, and a more accurate one would be harder to read. Each has a limit
  of its own, given with its reason.

## Each operation

The largest errors that need no explanation, and where they occur. Operations of many operands have one column for the
derivatives by all of them.

| operation | value | at | derivative by x | at | derivative by y | at |
|---|---|---|---|---|---|---|
{rows}

## Above the bar: rounding of the operands

How many of the points, the largest error, where it occurs, and how many units half a unit of each operand makes there.
The error of erfc's value is the C library's.

{cancellation}

## Above the bar: underflow

{underflow}

## Above the bar: plain on purpose

{plain}

{reasons}
"""

if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"usage: {WRITE}")
    PAGE.write_text(page_text(), encoding="utf-8")
