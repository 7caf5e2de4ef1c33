"""The gradient checker: no right gradient FAILs, no wrong one PASSes, kinks are known, culprits are named."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verdicts import PAGE, count_verdicts, page_text, verdict

import scalargrad as sg
from scalargrad import Value
from scalargrad.checking import GradientError, Verdict, assert_gradients, central_difference, check_gradients, ridders
from scalargrad.checking.culprit import find_culprit
from scalargrad.table import TABLE
from scalargrad.table.making import binary, nary, unary


def test_480_points_no_right_gradient_fails_and_no_wrong_one_passes():
    right, wrong = (sum(counts.values(), Counter()) for counts in count_verdicts())
    assert sum(right.values()) == sum(wrong.values()) == 480
    assert right[Verdict.FAIL] == right[Verdict.KINK] == 0
    assert wrong[Verdict.PASS] == wrong[Verdict.KINK] == 0
    assert right[Verdict.PASS] >= 455
    assert wrong[Verdict.FAIL] >= 406


def test_the_page_says_what_was_counted():
    text = page_text()  # which asserts that no right one FAILs and no wrong one PASSes
    assert PAGE.read_text(encoding="utf-8") == text
    passed, unsure, failed = map(int, text.splitlines()[-1].split("|")[2:5])
    assert (failed, passed + unsure > 2000, passed > 0.85 * (passed + unsure)) == (0, True, True)


@given(st.floats(-3, 3), st.sampled_from(["sin", "exp", "tanh", "softplus", "arctan", "sigmoid"]))
def test_ridders_says_how_good_it_is(x, name):
    f = TABLE[name].value
    slope = ridders(f, x, 0.01)
    assert abs(slope.value - sg.grad(TABLE[name].function)(x)) <= 10 * slope.error + 1e-10


def test_differences_take_the_number_of_a_value():
    for difference in (central_difference, lambda f, x, h: ridders(f, x, h).value):
        found = difference(lambda x: Value(x).tanh(), 0.5, 1e-3)
        assert type(found) is float
        assert found == difference(lambda x: TABLE["tanh"].value(x), 0.5, 1e-3)
    with pytest.raises(TypeError, match="the result of f must be a real number, not complex"):
        central_difference(lambda x: x * 1j, 0.5, 1e-3)


# -------------------------------------------------------------------- kinks

KINKS = [
    ("relu at 0", lambda x: x.relu(), 0.0, (0.0, 1.0)),
    ("abs at 0", abs, 0.0, (-1.0, 1.0)),
    ("max at a tie", lambda x: sg.maximum(x, 2.0), 2.0, (0.0, 1.0)),
    ("clip at its bound", lambda x: sg.clip(x, 0.0, 1.0), 1.0, (0.0, 1.0)),
    ("leaky relu at 0", lambda x: sg.leaky_relu(x, 0.25), 0.0, (0.25, 1.0)),
    ("a comparison", lambda x: 3 * x if x > 1 else 2 * x + 1, 1.0, (2.0, 3.0)),
    ("deep inside", lambda x: (x * x - 1).relu() * 3 + x, 1.0, (1.0, 7.0)),
]


@pytest.mark.parametrize(("name", "f", "x", "interval"), KINKS, ids=[k[0] for k in KINKS])
def test_at_a_kink_the_interval_of_one_sided_slopes_decides(name, f, x, interval):
    low, high = interval
    entry = check_gradients(f, [x]).entries[0]
    assert entry.verdict is Verdict.KINK
    assert f"between the slopes of both sides, {low:g} and {high:g}" in entry.note
    for inside in (low, (low + high) / 2, high):
        assert verdict(f, x, gradient=lambda _, d=inside: [d]) is Verdict.KINK
    for outside in (low - 0.01, high + 0.01, -high - 1, math.nan):
        assert verdict(f, x, gradient=lambda _, d=outside: [d]) is Verdict.FAIL


@pytest.mark.parametrize(("f", "d"), [(lambda x: max(x, 0.0), 0.5), (lambda x: abs(math.sin(x)), 0.0)])
def test_kinks_of_functions_of_plain_floats_are_found_by_their_slopes(f, d):
    assert verdict(f, 0.0, gradient=lambda _: [d]) is Verdict.KINK
    assert verdict(f, 0.0, gradient=lambda _: [1.5]) is Verdict.FAIL
    assert verdict(f, 0.5, gradient=lambda x: [math.cos(x) if d == 0.0 else 1.0]) is Verdict.PASS


def test_near_a_kink_the_step_shrinks():
    for x in (1e-3, -1e-4, 1e-5):
        assert verdict(lambda x: x.relu() * 2, x) is Verdict.PASS
        assert verdict(lambda x: x.relu() * 2, x, gradient=lambda x: [2.02 if x > 0 else 0.02]) is Verdict.FAIL


def test_what_cannot_be_told_is_inconclusive():
    entry = check_gradients(lambda x: x.sqrt(), [0.0]).entries[0]
    assert entry.verdict is Verdict.INCONCLUSIVE
    assert "sqrt: domain error" in entry.note
    assert verdict(lambda x: x.sign(), 0.0) is Verdict.INCONCLUSIVE
    assert verdict(lambda x: x.exp(), 800.0) is Verdict.INCONCLUSIVE
    assert verdict(sg.sin, 1e16) is Verdict.INCONCLUSIVE  # two neighbouring floats are a third of a period apart
    assert verdict(sg.tanh, 20.0) is Verdict.INCONCLUSIVE  # its slope is less than half the last place of 1
    assert verdict(lambda x: math.sin(x) + 1e12, 1.0, gradient=lambda x: [math.cos(x)]) is Verdict.INCONCLUSIVE
    report = check_gradients(lambda x: sg.maximum(x, 1.0) + sg.clip(x, 0.0, 1.0), [1.0])
    assert report.entries[0].verdict is Verdict.INCONCLUSIVE
    assert "2 kinks at once" in report.entries[0].note
    assert (report.ok, report.wrong, report.conclusive) == (False, False, False)


# -------------------------------------------------------------------- culprits


SMOOTH = [name for name in sorted(TABLE) if TABLE[name].arity in (1, 2) and TABLE[name].backward.__name__ != "_nothing"]
ERRORS = {
    "sign": lambda d, *_: -d,
    "factor": lambda d, *_: d * 1.01,
    "operand": lambda d, x, y, z: d + x * 0.5,
    "lost": lambda *_: 0.0,
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", SMOOTH)
def test_every_planted_error_is_caught_and_its_op_named(name, error):
    op = TABLE[name]
    xs = {"arccosh": [1.5], "remainder": [3.7, 1.5], "floor_divide": [3.7, 1.5]}.get(name, [0.6, 0.45][: op.arity])
    for argument in range(op.arity):
        rules = list(op.partials)
        plant, right = ERRORS[error], rules[argument]
        rules[argument] = lambda x, y, z, right=right: plant(right(x, y, z), x, y, z)
        make = unary if op.arity == 1 else binary
        wrong = make("planted", op.value, *rules, kinks=op.kinks)
        right_slope = right(*xs, *[None] * (2 - op.arity), op.value(*xs))
        if right_slope == 0.0 and error != "operand":
            continue
        report = check_gradients(lambda *v: wrong(*v).tanh() * v[0] + v[-1], xs)
        assert not report.ok, report
        assert report.culprit.name == "planted"
        assert report.culprit.argument == argument
        assert "The rule of 'planted' is wrong for its argument" in str(report)
        shown = {}
        exec(report.culprit.reproducer.replace("print(", "shown.update(got="), shown | {"shown": shown})  # noqa: S102
        assert shown["got"] == pytest.approx(report.culprit.got)


def test_errors_in_ops_of_many_operands():
    wrong = nary("planted", TABLE["prod"].value, lambda xs, z: [z / xs[0], -z / xs[1], *[z / x for x in xs[2:]]])
    report = check_gradients(lambda a, b, c: wrong(a, b, c) + a, [1.5, 2.0, 3.0])
    assert (report.culprit.name, report.culprit.argument, report.culprit.at) == ("planted", 1, (1.5, 2.0, 3.0))


def test_a_hand_written_closure_is_suspected_when_the_table_is_right():
    def wrong_square(x):
        out = Value(x.data**2, (x,), "my square")

        def _backward():
            x.grad += 3 * x.data * out.grad

        out._backward = _backward
        return out

    report = check_gradients(lambda x: wrong_square(x) + x, [2.0])
    assert not report.ok
    assert "look at the hand-written operation: 'my square' at 2.0" in str(report)
    assert find_culprit(Value(2.0) * 3) is None


# -------------------------------------------------------------------- the rest


@settings(max_examples=20)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=3))
def test_second_order_and_both_modes(xs):
    def f(*v):
        return sg.sin(v[0] * v[1]) + sg.exp(v[-1] * 0.5) * v[0]

    report = check_gradients(f, xs, order=2)
    assert not report.wrong, report
    assert len(report.entries) == len(xs) + len(xs) ** 2


def test_functions_that_misbehave():
    state = []

    def drifting(x):
        state.append(1)
        return x * float(len(state))

    report = check_gradients(drifting, [1.0])
    assert any("f is not a function" in problem for problem in report.problems)

    def meddling(x):
        x.data = 5.0
        return x * 2

    assert any("f changed its input 1.0 to 5.0" in problem for problem in check_gradients(meddling, [1.0]).problems)
    for options, error, message in (
        ({"order": 3}, ValueError, "order must be 1 or 2"),
        ({"modes": ("sideways",)}, ValueError, "modes must be"),
        ({"gradient": lambda x: [1.0, 2.0]}, ValueError, "returned 2 derivatives for 1 inputs"),
    ):
        with pytest.raises(error, match=message):
            check_gradients(lambda x: x * 2, [1.0], **options)


def test_a_gradient_written_by_hand_for_a_function_of_floats():
    def distance(x, y):
        return math.hypot(x, y)

    assert check_gradients(distance, [3.0, 4.0], gradient=lambda x, y: [x / 5, y / 5]).ok
    assert not check_gradients(distance, [3.0, 4.0], gradient=lambda x, y: [x / 5, y / 4]).ok


def test_the_report_reads_well():
    report = check_gradients(lambda x, w: (x * w).tanh(), [0.5, -1.0])
    assert str(report).splitlines()[:2] == [
        "ok: 2 derivatives checked: 2 PASS",
        "       at   analytic      differences   ± error  verdict",
    ]
    assert "<table>" in report._repr_html_()
    assert repr(report) == "<gradient check, ok: 2 derivatives checked: 2 PASS>"
    assert assert_gradients(lambda x: x * x, [2.0])
    with pytest.raises(GradientError, match="WRONG: 1 derivative checked: 1 FAIL") as caught:
        assert_gradients(lambda x: x * x, [2.0], gradient=lambda x: [x])
    assert caught.value.report.entries[0].analytic == 2.0


@pytest.mark.parametrize("wrong", [{"rtol": -1.0}, {"atol": -1e-9}, {"rtol": math.nan}])
def test_a_tolerance_that_nothing_could_meet_is_refused(wrong):
    with pytest.raises(ValueError, match="rtol and atol must not be negative, and they are"):
        check_gradients(lambda x: x * x, [2.0], **wrong)
