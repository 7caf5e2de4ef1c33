"""The gradient checker: no right gradient FAILs, no wrong one PASSes, kinks are known, culprits are named."""

import math
import random
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hostile_functions import DIGITS, FAMILIES, WRONG, hostile
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value
from scalargrad.checking import GradientError, Verdict, assert_gradients, central_difference, check_gradients, ridders
from scalargrad.checking.culprit import find_culprit
from scalargrad.table import TABLE
from scalargrad.table.making import binary, nary, unary

FUNCTIONS = {
    "sin 100x": (lambda x: sg.sin(100 * x), lambda x: 100 * math.cos(100 * x)),
    "sigmoid 30x": (lambda x: sg.sigmoid(30 * x), lambda x: 30 / (math.exp(15 * x) + math.exp(-15 * x)) ** 2),
    "exp": (sg.exp, math.exp),
    "x^5 - 3x": (lambda x: x**5 - 3 * x, lambda x: 5 * x**4 - 3),
    "tanh^2": (lambda x: sg.tanh(x) ** 2, lambda x: 2 * math.tanh(x) / math.cosh(x) ** 2),
    "log": (lambda x: sg.log(abs(x) + 0.5), lambda x: math.copysign(1 / (abs(x) + 0.5), x)),
    "1 / (1 + 25x^2)": (lambda x: 1 / (1 + 25 * x * x), lambda x: -50 * x / (1 + 25 * x * x) ** 2),
    "10^6 + sin": (lambda x: 1e6 + sg.sin(x), math.cos),
}


def points():
    rng = random.Random(0)
    return [(name, rng.uniform(-2, 2)) for name in FUNCTIONS for _ in range(60)]


def verdict(f, x, **options):
    return check_gradients(f, [x], **options).entries[0].verdict


@cache
def count_verdicts():
    """By function, the verdicts on the right gradient and on one that is wrong by 1 part in 10 000."""
    right, wrong = {name: Counter() for name in FUNCTIONS}, {name: Counter() for name in FUNCTIONS}
    for name, x in points():
        f, slope = FUNCTIONS[name]
        d = slope(x)
        assert sg.grad(f)(x) == pytest.approx(d, rel=1e-9, abs=1e-300) or name == "sigmoid 30x"
        right[name][verdict(f, x)] += 1
        wrong[name][verdict(f, x, gradient=lambda _, d=d: [d * (1 + 1e-4)])] += 1
    return right, wrong


def test_480_points_no_right_gradient_fails_and_no_wrong_one_passes():
    right, wrong = (sum(counts.values(), Counter()) for counts in count_verdicts())
    assert sum(right.values()) == sum(wrong.values()) == 480
    assert right[Verdict.FAIL] == right[Verdict.KINK] == 0
    assert wrong[Verdict.PASS] == wrong[Verdict.KINK] == 0
    assert right[Verdict.PASS] >= 455
    assert wrong[Verdict.FAIL] >= 406


PAGE = Path(__file__).parents[1] / "docs" / "checking-gradients.md"
INTRODUCTION = """# Checking gradients

`check_gradients(f, inputs)` compares derivatives with finite differences that say how good they are. A wrong derivative
must never PASS, a right one never FAIL; what floats cannot tell is INCONCLUSIVE.

## How it decides

1. **A function of Values is checked operation by operation.** Each operation of the graph is moved by small steps at
   its own operands, and the slopes found there are multiplied and added by the chain rule. No derivative rule is asked.
   So a sine is looked at on the scale of a sine, however fast its argument moves; and a large number that is added
   first and subtracted later hides nothing. Before that, the function is called at points next to the input: if its
   graph is another one there, or holds other constants, because some number went round the graph with `.data`, then
   the graph is not the whole function.
2. **A function of floats, an operation written by hand, and what goes round the graph, is moved as a whole**, by steps
   of all sizes from larger than x down to the last places of x.
3. **A ladder of steps.** On each rung the differences with the steps h, h/2 and h/4 are extrapolated to step 0. A rung
   counts only if its samples also predict the function's number at x, as those of a function that varies within a step
   do not. Two neighbouring rungs must agree. Where nothing is known of the function, all smaller steps must bear the
   slope out as far as rounding lets them, and the smooth piece around x must not end in a jump, as the stairs do that
   rounding makes of a slope.
4. **An error E comes with each slope**: how far the rungs are apart, what their samples do not explain, the rounding of
   the samples. It is handed on by the chain rule. The graph is also computed with its numbers shaken in their last
   places, except where arithmetic was exact; what that does to the slope is added to E.
5. A derivative a **FAIL**s if |a - n| is above atol + rtol max(|a|, |n|) + 10 E, and 10 E is a tenth of that at most. An
   infinite derivative or nan FAILs where the slope is finite.
6. It **PASS**es if |a - n| is at most rtol max(|a|, |n|) + 10 E, and 10 E at most 49 times rtol of that size. A smaller
   slope PASSes in these cases only: the function is seen to be flat or symmetric there; the graph has sums, products,
   quotients and whole powers only, and the same arithmetic in fractions, without rounding, gives this slope (a slope that
   is 0 may be missed by 1e-14 of the parts that cancel); a and n are 0 and E is below 1e-100 of the function's slopes over
   ordinary steps, as of tanh(x)^3 at 0. The rest is **INCONCLUSIVE**: so is sigmoid at 40, whose slope of 4e-18 floats
   do not show, and a 0 that is left of rounded slopes of other functions, as of x - sin x at 0.
7. On a kink of a relu, abs, max, clip or comparison, which the op table knows, the slopes next to it on both sides
   count, and the derivative must lie between them: **KINK**.
8. If something FAILs, every operation's rule is compared with its own slope at its own operands, and only one that is
   seen to be wrong there is named.

What this cannot see: a function of floats, not of Values, in which rounding takes a slope away without a trace, as of
`(1e20 + sin(x)) - 1e20 + y` in x, is taken for the constant that it is in floats.

## What it says about 480 ordinary points

60 random points between -2 and 2 for each of 8 functions: first the right derivative, then one that is wrong by 1 part
in 10 000. `python tests/test_checking.py` counts these and those below and writes this page; a test compares.

"""
HOSTILE = """
## What it says about hostile functions

{count:,} derivatives of {functions:,} functions that are hard to check, drawn at random (tests/hostile_functions.py):
frequencies up to 1e8, magnitudes from 1e-300 to 1e300, points from 1e-70 to 1e300, poles 1e-13 away, bells 1e-10 wide,
numbers up to 1e18 added and subtracted again. mpmath computes the right derivative with {digits} digits. The wrong ones,
in turn: infinite, nan, wrong by 1 part in 10 000, 0, of the other sign. Nothing with a difference below atol, 1e-9, may
FAIL, so that wrong derivatives of tiny size are INCONCLUSIVE. So are right ones that floats cannot confirm: in
(1 - cos x) / x^2 at 1e-8 the difference is 0 or 1e-16, and no digit of the slope is left.

"""
HEAD = """| function | right: PASS | INCONCLUSIVE | FAIL | wrong: PASS | INCONCLUSIVE | FAIL |
|---|---|---|---|---|---|---|
"""
KINDS = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)
HOSTILE_FUNCTIONS = 2000


def count_hostile(cases, of_floats=False, wrongs=None):
    """By family, the verdicts on the right derivatives and on wrong ones, of each kind named or of each in turn."""
    right, wrong = {case.family: Counter() for case in cases}, {case.family: Counter() for case in cases}
    for i, case in enumerate(cases):
        f = case.function_of_floats() if of_floats else case.function()
        for entry in check_gradients(f, case.xs, gradient=lambda *_, case=case: case.slopes).entries:
            right[case.family][entry.verdict] += 1
            assert entry.verdict in KINDS[:2], (case.code, entry)
        for kind in wrongs or [list(WRONG)[i // len(FAMILIES) % len(WRONG)]]:
            spoilt = list(map(WRONG[kind], case.slopes))
            report = check_gradients(f, case.xs, gradient=lambda *_, spoilt=spoilt: spoilt)
            for entry, d in zip(report.entries, case.slopes, strict=True):
                if entry.analytic != d:  # a subnormal number has no neighbour 1e-4 away
                    wrong[case.family][entry.verdict] += 1
                    assert entry.verdict in KINDS[1:], (kind, case.code, entry)
    return right, wrong


def table(right, wrong):
    rows = [(name, right[name], wrong[name]) for name in right]
    rows.append(("all", sum(right.values(), Counter()), sum(wrong.values(), Counter())))
    return HEAD + "".join(
        f"| {name} | " + " | ".join(str(c[k]) for c in (r, w) for k in KINDS) + " |\n" for name, r, w in rows
    )


def page_text():
    right, wrong = count_hostile(hostile(HOSTILE_FUNCTIONS))
    count = sum(sum(counts.values()) for counts in right.values())
    told = HOSTILE.format(count=count, functions=HOSTILE_FUNCTIONS, digits=DIGITS)
    return INTRODUCTION + table(*count_verdicts()) + told + table(right, wrong)


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


if __name__ == "__main__":
    PAGE.write_text(page_text(), encoding="utf-8")
