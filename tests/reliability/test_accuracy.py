"""Accuracy.

Every operation and each of its derivatives is compared with mpmath at 50 digits and more, over its whole domain,
densely where formulas are in danger. Errors are counted in units in the last place; 2 are allowed to a value (4 to
that of tanh, which is the C library's) and 4 to a derivative, and what needs more must be explained by the rounding
of the operands, by underflow, or by a formula that is simple on purpose. [Accuracy](accuracy.md) has the figures and
the reasons of every operation.
"""

import math
import sys
from pathlib import Path

import pytest

pytest.importorskip("mpmath", reason="the exact numbers are mpmath's: the extra `test`")

import mpmath
from accuracy_helpers import DERIVATIVE_BAR, LIMITS, TOP, VALUE_BAR, error_of, measured, movement, spacing
from accuracy_page import FORMULAS, KINDS, machine, page_text, title
from accuracy_points import points
from exact_forms import FORMS, exact, on_kink
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from sizes import only_long, size

from scalargrad import ops

LONG_RUN = 10_000
"""Points of each op."""
OPS = sorted(op.name for op in ops.BUILT_IN if not op.has_index)  # what take gives is an operand: it computes nothing
PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"
WRITE = "python tests/reliability/test_accuracy.py --write"


def test_every_op_has_an_exact_form_and_every_limit_a_reason():
    assert sorted(FORMS) == OPS
    assert set(FORMULAS) == set(LIMITS)


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
    compared = sum(len(a.errors) for a in found)
    figure("compared", f"{len(OPS)} operations at {LONG_RUN} points each, {compared} values and derivatives")
    for what, bar, those in (
        ("values", VALUE_BAR, [a for a in found if a.index < 0]),
        ("derivatives", DERIVATIVE_BAR, [a for a in found if a.index >= 0]),
    ):
        good = [a for a in those if max(a.errors) <= bar]
        worst = max(good, key=lambda a: a.within.ulps)
        figure(
            f"{what} within {bar} units at every point",
            f"{len(good)} of {len(those)}, the worst of them {worst.within.ulps:.2f} ({title(worst)})",
        )
        for kind, (_, reason) in KINDS.items():
            some = [a for a in those if getattr(a, kind).count]
            figure(f"{what} with more because {reason}", ", ".join(map(title, some)) or "none")


@only_long
def test_every_limit_of_a_simple_formula_is_needed():
    needed = {(a.name, a.index) for name in OPS for a in measured(name, LONG_RUN) if a.plain.count}
    assert needed == set(LIMITS)


@only_long
def test_the_page_shows_what_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    if machine() not in page:
        pytest.skip(f"docs/accuracy.md is of another machine; of this one: {WRITE}")
    assert page == page_text(OPS, LONG_RUN, WRITE), WRITE


def test_the_page_has_every_op():
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in OPS if f"\n| {name} |" not in page] == [], WRITE


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"usage: {WRITE}")
    PAGE.write_text(page_text(OPS, LONG_RUN, WRITE), encoding="utf-8")
