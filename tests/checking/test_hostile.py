"""The gradient checker at any scale: what misled it is told right, nothing wrong PASSes, nothing right FAILs."""

import math

import pytest
from hostile_functions import WRONG, hostile, mp
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value, check_op, primitive
from scalargrad.checking import GradientError, Verdict, check_gradients
from scalargrad.checking.culprit import find_culprit
from scalargrad.checking.report import Report

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def verdict(f, x, d=None):
    gradient = None if d is None else lambda _: [d]
    return check_gradients(f, [x], gradient=gradient).entries[0].verdict


@pytest.mark.parametrize("d", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("f", [lambda x: x * x, lambda x: float(x) ** 2], ids=["of Values", "of floats"])
def test_a_gradient_that_is_not_finite_is_wrong_where_the_slope_is_finite(f, d):
    for x in (3.0, 0.0, -1e150, 1e-150):
        assert verdict(f, x, d) is FAIL


def test_an_infinite_gradient_is_no_failure_where_the_slope_diverges():
    assert verdict(sg.sqrt, 0.0, math.inf) is INCONCLUSIVE
    assert verdict(sg.cbrt, 0.0, math.inf) is INCONCLUSIVE
    assert verdict(lambda x: 1e300 * sg.sin(1e10 * x), 0.3, math.inf) is INCONCLUSIVE  # too large for a float


def test_a_primitive_with_an_infinite_partial_is_not_ok():
    square = primitive(lambda x: x * x, partials=lambda x, z: sg.exp(x * x + 1000.0), name="far_too_steep")
    with pytest.raises(GradientError):
        check_op(square, examples=10)


@pytest.mark.parametrize(
    ("f", "x", "d"),
    [
        (sg.sin, 3e5, math.cos(3e5)),
        (sg.sin, 3e10, math.cos(3e10)),
        (lambda x: 1 / x**2, 1e-4, -2e12),
        (lambda x: sg.exp(-((1e6 * (x - 0.3)) ** 2)), 0.3 + 5e-7, -1e6 * math.exp(-0.25)),
        (lambda x: (1e16 + x) - 1e16, 1.0, 1.0),
        (lambda x: sg.sin(1e8 * x), 0.3, 1e8 * math.cos(3e7)),
        (lambda x: 1e-300 * sg.sin(x), 0.7, 1e-300 * math.cos(0.7)),
    ],
)  # fmt: skip
def test_the_right_gradient_passes_and_no_wrong_one_does(f, x, d):
    report = check_gradients(f, [x])
    assert report.entries[0].verdict is PASS
    assert report.entries[0].analytic == pytest.approx(d, rel=1e-6)
    assert find_culprit(f(Value(x))) is None
    for spoil in WRONG.values():
        assert verdict(f, x, spoil(d)) in (FAIL, INCONCLUSIVE)
    assert verdict(f, x, math.inf) is FAIL
    assert abs(d) < 1e-9 or verdict(f, x, 0.0) is FAIL


def test_functions_of_floats_at_any_scale():
    def bell(x):
        return math.exp(-((1e6 * (float(x) - 0.3)) ** 2))

    def slope(x):
        return -2e12 * (x - 0.3) * bell(x)

    for f, x, d in (
        (bell, 0.3 + 5e-7, slope(0.3 + 5e-7)),
        (lambda x: math.sin(1e8 * x), 0.3, 1e8 * math.cos(1e8 * 0.3)),
        (lambda x: math.sin(2 * math.pi * x), 7.1, 2 * math.pi * math.cos(2 * math.pi * 7.1)),
        (lambda x: math.sin(x) + 1e-9 * math.sin(1e7 * x), 0.3, math.cos(0.3) + 1e-2 * math.cos(1e7 * 0.3)),
        (lambda x: math.exp(3.0 * x), 50.0, 3 * math.exp(150.0)),
    ):
        assert verdict(f, x, d) is PASS
        assert {verdict(f, x, spoil(d)) for spoil in WRONG.values()} == {FAIL}
    for f, d in (
        (lambda x: (1e8 + math.sin(x)) - 1e8, math.cos(0.3)),
        (lambda x: (1e17 + math.sin(x)) - 1e17, math.cos(0.3)),
        (lambda x: (1 - math.cos(x * 1e-7)) / (x * 1e-7) ** 2, 0.0),
    ):
        assert {verdict(f, 0.3, right) for right in (d, 0.0, 2 * d)} == {INCONCLUSIVE}


def test_a_0_passes_only_where_the_slope_is_seen_to_be_0():
    for f, x in (
        (lambda x: x * x, 0.0), (sg.cos, 0.0), (sg.relu, -3.0), (lambda x: x**3 - 3 * x, 1.0), (lambda x: x**0, 2.0),
        (lambda x: sg.clip(x, 0.0, 1.0), 5.0), (lambda x: sg.floor(x), 1.5), (lambda x: (x * 2 + 1 - 5) ** 2, 2.0),
    ):  # fmt: skip
        assert verdict(f, x) is PASS, f
    for f, x in (
        (sg.cos, 1e-20), (sg.cos, 1e-12), (sg.tanh, 20.0), (lambda x: 1e-12 * sg.sin(x), 0.5),
        (lambda x: ((22.5 + x) - 22.5) ** 2, 1e-16), (lambda x: 1 / x**3, 3.9e57),
        (lambda x: sg.exp(-(x**2)), 1.7e-251), (lambda x: x / (x - 1.2e-38), -1.0),
    ):  # fmt: skip
        assert verdict(f, x, 0.0) is INCONCLUSIVE, f


def test_a_number_taken_around_the_graph_is_seen():
    assert verdict(lambda x: Value(2 * x.data) * x, 1.5) is FAIL  # the engine says 3, the slope is 6

    def stable(x, y):  # the largest is taken out of the graph, and its two uses cancel
        top = max(x.data, y.data)
        return sg.log(sg.exp(x - top) + sg.exp(y - top)) + top

    assert [entry.verdict for entry in check_gradients(stable, [1.0, 2.5]).entries] == [PASS, PASS]


def test_a_primitive_that_is_wrong_in_a_narrow_place():
    narrow = primitive(
        lambda x: math.sin(x),
        partials=lambda x: sg.where(sg.greater(1e-6, abs(x - 0.3)), 0.0, sg.cos(x)),
        name="narrow",
    )
    assert check_gradients(narrow, [0.30001]).ok
    report = check_gradients(lambda x: narrow(x * 1.0), [0.3])
    assert (report.ok, report.culprit.name) == (False, "narrow")


def test_no_operation_is_accused_on_evidence_from_elsewhere():
    def hidden(x):  # a constant that moves with x: the rules are all right
        return sg.sin(x) * Value(math.cos(x.data))

    report = check_gradients(hidden, [3e5])
    assert not report.ok
    assert report.culprit is None


def test_the_summary_says_what_disagreed():
    report = Report([], ["d/dx0: reverse mode gives 1.0, forward mode 2.0", "f changed its input 1.0 to 2.0"])
    assert report.summary == (
        "WRONG: 0 derivatives checked: none; d/dx0: reverse mode gives 1.0, forward mode 2.0 (and 1 more)"
    )
    assert str(report).count("reverse mode gives") == 1
    assert "f changed its input 1.0 to 2.0" in str(report)


def test_hostile_functions_of_floats():
    passed = 0
    for i, case in enumerate(hostile(200, seed=3)):
        f = case.function_of_floats()
        wrong = [list(WRONG.values())[i // 20 % len(WRONG)](d) for d in case.slopes]
        for gradient, never in ((case.slopes, FAIL), (wrong, PASS)):
            report = check_gradients(f, case.xs, gradient=lambda *_, gradient=gradient: gradient)
            for entry, d in zip(report.entries, case.slopes, strict=True):
                assert entry.verdict is not never or (gradient is wrong and entry.analytic == d), (case.code, entry)
                passed += entry.verdict is PASS
    assert passed > 120


# -------------------------------------------------------------------- the property

exponents = st.floats(-9, 9)
signs = st.sampled_from((-1.0, 1.0))
spoilers = st.sampled_from(list(WRONG.values()))


@st.composite
def waves(draw):
    a, w, x = (draw(signs) * 10.0 ** draw(exponents) for _ in range(3))
    p = draw(st.floats(-3, 3))
    return lambda x: a * sg.sin(w * x + p), x, float(mp.mpf(a) * w * mp.cos(mp.mpf(w) * x + p))


@st.composite
def rationals(draw):
    a, c, x = draw(signs) * 10.0 ** draw(exponents), draw(st.floats(-3, 3)), draw(signs) * 10.0 ** draw(exponents)
    k, x = draw(st.integers(1, 4)), c + x
    if x == c:
        x += 1.0
    return (
        lambda x: a * x / (x - c) ** k,
        x,
        float(mp.mpf(a) * ((x - mp.mpf(c)) - k * mp.mpf(x)) / (x - mp.mpf(c)) ** (k + 1)),
    )


@st.composite
def bells(draw):
    c, w, b = draw(st.floats(-3, 3)), 10.0 ** draw(exponents), draw(st.sampled_from((0.0, 1.0, 1e6)))
    x = c + w * draw(st.floats(-8, 8))
    u = (mp.mpf(x) - c) / w
    return lambda x: b + sg.exp(-(((x - c) / w) ** 2)), x, float(-2 * u / w * mp.exp(-(u**2)))


@settings(max_examples=300, deadline=None)
@given(st.one_of(waves(), rationals(), bells()), spoilers)
def test_right_never_fails_and_wrong_never_passes(case, spoil):
    f, x, d = case
    assert verdict(f, x, d) in (PASS, INCONCLUSIVE)
    if spoil(d) != d and abs(d) > 1e-300:
        assert verdict(f, x, spoil(d)) in (FAIL, INCONCLUSIVE)
