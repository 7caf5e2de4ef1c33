"""Nothing undecided counts as ok: the report says INCONCLUSIVE, and where nothing was decided a test fails."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Exact, Value, primitive
from scalargrad.checking import Entry, GradientError, Report, Verdict, assert_gradients, check_gradients, check_op
from scalargrad.checking.rational import rational_slope

PASS, INCONCLUSIVE = Verdict.PASS, Verdict.INCONCLUSIVE
NOTHING = "^INCONCLUSIVE: 1 derivative checked: 1 INCONCLUSIVE; no first derivative could be decided"


@pytest.mark.parametrize(("f", "x"), [(lambda x: x * 1e-200, 1.0), (lambda x: x * 1e-10, -3.0), (sg.sqrt, 0.0)])
def test_where_no_derivative_was_decided_a_report_is_not_ok(f, x):
    report = check_gradients(f, [x], gradient=lambda _: [0.0])
    assert (report.ok, bool(report), report.wrong, report.conclusive) == (False, False, False, False)
    with pytest.raises(GradientError, match=NOTHING):
        assert_gradients(f, [x], gradient=lambda _: [0.0])


def test_one_undecided_derivative_beside_others_is_named_at_the_head():
    report = assert_gradients(lambda x, y: x + 1e-200 * y, [1.0, 1.0], gradient=lambda *_: [1.0, 0.0])
    assert report.summary == "INCONCLUSIVE: 2 derivatives checked: 1 PASS, 1 INCONCLUSIVE"
    assert (report.ok, report.conclusive) == (True, False)


def test_second_derivatives_decide_nothing_about_first_ones():
    undecided, passed = Entry("d/dx0", 1.0, 0.0, 0.0, 1.0, INCONCLUSIVE), Entry("d²", 1.0, 0.0, 0.0, 0.0, PASS, "", 2)
    assert not Report([undecided, passed]).ok
    turned = Report([Entry("d/dx0", 1.0, 0.0, 0.0, 0.0, PASS), Entry("d²", 1.0, 0.0, 0.0, 1.0, INCONCLUSIVE, "", 2)])
    assert turned.ok
    assert turned.summary == "ok: 2 derivatives checked: 1 PASS, 1 INCONCLUSIVE"
    assert [e.order for e in check_gradients(lambda x, y: x * y, [1.0, 2.0], order=2).entries] == [1, 1, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("value", "partials"),
    [
        (lambda x: x * 1e-12, lambda x: 0.0),
        (lambda x: math.inf, lambda x: 5.0),
        (lambda x: math.nan, lambda x: 5.0),
        (lambda x: sg.exp(x * x + 1000.0), lambda x, z: 2 * x * z),  # right, but every value is inf
        (lambda x, y: x + 1e-12 * y, [lambda x, y: 1.0, lambda x, y: 0.0]),  # one argument is, one is not
    ],
)
def test_an_operation_with_an_argument_of_which_nothing_was_decided(value, partials):
    with pytest.raises(GradientError, match="^INCONCLUSIVE: .*could be decided") as caught:
        check_op(primitive(value, partials=partials, name="undecided"), examples=20)
    assert "WRONG" not in str(caught.value)
    assert caught.value.report.culprit is None


def test_an_operation_that_is_decided_at_some_points_says_so():
    verdicts = check_op(sg.sqrt, examples=20)
    assert verdicts[PASS] > 0
    assert ("where decided" in repr(verdicts)) == (verdicts[INCONCLUSIVE] > 0)
    assert check_op(primitive(lambda x: x * 1e-12, partials=lambda x: 1e-12, name="right"), examples=20)[PASS] > 0


# -------------------------------------------------------------------- stationary and flat points


def centred(*xs):
    return sg.sum([x - sg.mean(xs) for x in xs])


@pytest.mark.parametrize(
    ("f", "xs"),
    [
        *((lambda x, k=k: x**k, [0.0]) for k in (2, 3, 4, 5, 7, 11)),
        *((lambda x, k=k, c=c: 5.0 * (x - c) ** k, [c]) for k in (3, 5) for c in (1.0, 0.1, -3e5)),
        (lambda x: sg.tanh(x) ** 3, [0.0]),
        (lambda x: sg.sin(x) ** 5, [0.0]),
        (lambda x: x / x, [0.7]),
        (lambda x: (x * x + 1) / (x * x + 1), [0.3]),
        (lambda x: (x + 1) ** 2 - x * x - 2 * x, [0.3]),
        (centred, [1.0, 2.0, 4.0]),
        (centred, [0.3, 1.7, 4.1]),
    ],
)
def test_the_engine_passes_where_the_slope_is_0(f, xs):
    report = check_gradients(f, xs)
    assert {entry.verdict for entry in report.entries} == {PASS}, report
    for wrong in (1.0, 1e-3, -1e-6):
        assert check_gradients(f, xs, gradient=lambda *_, d=wrong: [d] * len(xs)).wrong


@pytest.mark.parametrize("k", [3, 5])
def test_functions_of_floats_where_the_slope_is_0(k):
    assert check_gradients(lambda x: float(x) ** k, [0.0], gradient=lambda _: [0.0]).ok
    assert check_gradients(lambda x: math.tanh(x) ** k, [0.0], gradient=lambda _: [0.0]).ok


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x * 1e-200, 1.0),
        (lambda x: x * 1e-200, 0.0),
        (lambda x: 1e-200 * (x + x**3), 0.0),
        (lambda x: x**3 + 1e-30 * x, 0.0),
        (lambda x: x**3, 1e-110),
        (lambda x: (x - 1) ** 3 + 1e-30 * x, 1.0),
        (lambda x: x / (x - 1e-30), 0.7),
        (lambda x: (x + 1e17) - 1e17, 0.3),
        (lambda x: sg.sin(1e-20 * x), 0.0),
        (lambda x: 1e-90 * sg.tanh(x), 0.3),
        (lambda x: sg.tanh(x) ** 3, 1e-60),
        (sg.cos, 1e-20),
        (lambda x: sg.exp(-(x**2)), 1.7e-251),
        (lambda x: sg.exp(-((x + 1e-251) ** 2)), 0.0),
    ],
)
def test_a_0_does_not_pass_where_the_slope_is_small(f, x):
    assert check_gradients(f, [x], gradient=lambda _: [0.0]).entries[0].verdict is not PASS


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["+", "-", "*", "/", "square", "cube"]), min_size=1, max_size=8),
    st.lists(st.fractions(-3, 3, max_denominator=16).map(float), min_size=9, max_size=9),
)
def test_the_slope_without_rounding_is_that_of_exact_arithmetic(steps, numbers):
    def f(x, constant):
        y = x
        for step, c in zip(steps, numbers[1:], strict=False):
            c = constant(c)
            y = {
                "+": lambda y=y, c=c: y + c * x, "-": lambda y=y, c=c: c - y, "*": lambda y=y, c=c: y * (x + c),
                "/": lambda y=y: y / (x * x + constant(1.0)), "square": lambda y=y: y * y, "cube": lambda y=y: y**3,
            }[step]()  # fmt: skip
        return y

    x = Value(Exact(Fraction(numbers[0])))
    f(x, Exact).backward()
    leaf = Value(numbers[0])
    slope = rational_slope(f(leaf, float), [leaf], 0)
    assert slope is None or slope == pytest.approx(float(x.grad), rel=3e-16, abs=0.0)
    assert slope is not None or len(steps) > 2  # larger ones may take too many digits
