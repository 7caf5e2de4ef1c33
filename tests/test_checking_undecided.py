"""Nothing undecided counts as ok: the report says INCONCLUSIVE, and where nothing was decided a test fails."""

import math

import pytest

import scalargrad as sg
from scalargrad import primitive
from scalargrad.checking import Entry, GradientError, Report, Verdict, assert_gradients, check_gradients, check_op

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
