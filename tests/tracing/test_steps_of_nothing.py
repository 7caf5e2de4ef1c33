"""Where an op chose another operand the steps say that nothing is passed on, and show no product."""

import math
import re

import pytest
from helpers import arguments, call
from hypothesis import given, settings
from traces import check_trace

import scalargrad as sg
from scalargrad import Value, trace
from scalargrad.table import TABLE

NUMBER = r"\(?([−\d.e+]+|inf|−inf|nan)\)?"


def numbers(texts):
    return [math.nan if x == "nan" else float(x.replace("−", "-")) for x in texts]


def check_products(steps):
    """Every product and sum that a text shows is true, at the digits shown."""
    for s in steps:
        if s.phase != "backward":
            continue
        assert bool(s.nothing) == ("nothing" in s.text)
        if s.nothing:
            assert (s.contribution, s.after) == (0.0, s.before)
            assert "×" not in s.text.split("nothing")[0]
        for found in re.findall(rf"= {NUMBER} × {NUMBER} = {NUMBER}", s.text):
            a, b, c = numbers(found)
            assert math.isclose(a * b, c, rel_tol=0.01, abs_tol=1e-3) or (a * b != a * b and c != c)
            assert not (math.isinf(a) or math.isinf(b)) or c != 0.0


def backward_texts(root):
    steps = check_trace(root)
    check_products(steps)
    return [s.text for s in steps if s.phase == "backward"]


def test_what_where_did_not_choose():
    x = Value(0.0, label="x")
    y = sg.where(x > 0, sg.sqrt(x), 0.0) + x
    assert backward_texts(y)[2:] == [
        "v1.grad += nothing: where did not choose v1",
        "x.grad += nothing: nothing came to v1; it stays 1",
    ]
    steps = trace(y, names=False)
    assert "No gradient came to v1" in steps[-1].why
    assert "where routes, and v1 is not chosen, as the condition is 0:" in steps[-2].why
    assert (steps[-1].local, steps[-1].upstream, steps[-1].contribution) == (math.inf, 0.0, 0.0)
    assert "nothing: where did not choose v1" in str(steps)
    assert "nothing: where did not choose v1" in steps._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: sg.sqrt(sg.relu(x)), "v1.grad += nothing: relu is shut here"),
        (lambda x: sg.sqrt(sg.floor(x)), "v1.grad += nothing: floor is flat"),
        (lambda x: sg.sqrt(sg.maximum(x, 0.0) * 0.0 + x.clip(1.0, 2.0)), "nothing: clip did not choose"),
        (lambda x: sg.leaky_relu(Value(2.0), x), "nothing: leaky_relu does not use"),
        (lambda x: sg.max([x, Value(1.0)]), "nothing: max did not choose"),
    ],
    ids=["relu", "floor", "clip", "leaky_relu", "max"],
)
def test_other_ops_that_choose(function, words):
    x = Value(0.0)
    texts = backward_texts(function(x + 0.0) * 1.0)
    assert any(words.split("nothing")[1] in text for text in texts), texts


def test_a_zero_that_was_computed_stays_a_product():
    x = Value(3.0, label="x")
    assert backward_texts(x * 0.0) == ["x.grad += v1.grad × local = 1 × 0 = 0"]


@pytest.mark.parametrize("name", sorted(TABLE))
def test_the_products_shown_are_true(name):
    op = TABLE[name]

    @settings(max_examples=5)
    @given(arguments(op))
    def holds(xs):
        xs = [Value(x) for x in xs]
        z = call(op, xs)
        check_products(trace(sg.where(0.0, sg.sqrt(z * 0.0), 0.0) + sg.sqrt(sg.relu(z * 0.0)) + xs[0]))

    holds()


def test_worksheets_ask_for_the_number_and_hints_stay_right():
    x, w = Value(0.0, label="x"), Value(2.0, label="w")
    y = sg.where(x > 0, sg.sqrt(x) * w, 0.0) + x * w
    sheet = sg.worksheet(y, hide="gradients")
    right = {b.number: b.answer for b in sheet.blanks}
    assert sheet.check(right)
    wrong = {number: answer + 1.0 for number, answer in right.items()}
    assert "nan" not in str(sheet.check(wrong))
