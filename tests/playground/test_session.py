"""Messages of the playground: what a page may say is checked, errors are in words, and after one nothing has changed."""

import json
import re
import warnings

import pytest
from optional import need_layout

import scalargrad as sg
from scalargrad import live
from scalargrad.playground import Session
from scalargrad.playground.examples import EXAMPLES
from scalargrad.playground.graph import GraphView
from scalargrad.playground.inputs import given
from scalargrad.playground.whole import whole
from scalargrad.words.texts import number_text


def session(expression="x*y + x"):
    need_layout()
    made = Session(GraphView(expression))
    assert "error" not in ask(made, do="open")
    return made


def ask(made, **message):
    reply = made.handle({"id": 7, **message})
    json.dumps(reply, allow_nan=False)
    assert reply["id"] == 7
    return reply


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"do": "sett"}, "do must be one of views, open, set, steps, edge, explain, guess, not 'sett' (did you mean 'set'?)"),
        ({"do": "set"}, "set: inputs is missing"),
        ({"do": "set", "inputs": [1]}, "set: inputs must be an object, as {name: value}, not a list"),
        ({"do": "set", "inputs": {"x": "fast"}}, "set: inputs: 'x' must be a number, as 0.5, 1/3 or 1e-3, not 'fast'"),
        ({"do": "set", "inputs": {"q": 1}}, "there is no input 'q': they are x, y"),
        ({"do": "set", "inputs": {}, "stp": 1}, "set: there is no field 'stp'; it has inputs, step, hidden, seen (did you mean 'step'?)"),
        ({"do": "steps", "step": 1.5}, "steps: step must be a whole number from 0 to 10000, not 1.5"),
        ({"do": "steps", "step": 99}, "there is no step 99: they are 0 to 8"),
        ({"do": "open", "expression": "x +"}, "not an expression: invalid syntax"),
        ({"do": "open", "expression": "__import__('os')"}, "at column 1: there is no function __import__"),
    ],
)  # fmt: skip
def test_an_error_says_what_was_given_and_expected_and_changes_nothing(message, error):
    made = session()
    before = ask(made, do="set", inputs={})["frame"]
    assert ask(made, **message)["error"] == error
    assert ask(made, do="set", inputs={})["frame"] == before


@pytest.mark.parametrize("message", [None, 3, "open", [], {"do": "open"}, {"id": -1, "do": "open"}, {"id": True}])
def test_what_is_no_message_is_answered_too(message):
    reply = Session(GraphView()).handle(message)
    assert reply["id"] is None
    assert reply["error"]


def test_every_number_is_the_engines():
    made = session("tanh(x*y) + x")
    shown = ask(made, do="set", inputs={"x": 0.7, "y": "-1/3"})["frame"]
    x, y = sg.Value(0.7, label="x"), sg.Value(-1 / 3, label="y")
    f = sg.tanh(x * y) + x
    f.backward()
    order = sg.topological_order(f)
    assert shown["values"] == [number_text(node.data) for node in order]
    assert shown["gradients"] == [f"grad {number_text(node.grad)}" for node in order]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,5", 1.5), ("−0,25", -0.25), ("1,5/3", 0.5), ("max(1, 2)", 2.0), ("hypot(3,4)", 5.0), ("exp(0,0)", 1.0)],
)
def test_a_comma_is_a_decimal_one_only_where_it_parts_no_arguments(text, number):
    assert ask(session("x*y"), do="set", inputs={"x": text})["frame"]["values"][0] == number_text(number)


def test_where_there_is_no_value_the_place_is_said_and_moving_back_mends_it():
    made = session("log(x)*y")
    good = ask(made, do="set", inputs={"x": 2})["frame"]
    trouble = ask(made, do="set", inputs={"x": -1})["trouble"]
    assert trouble["card"] == 1
    assert trouble["text"].startswith("log: ")
    assert ask(made, do="set", inputs={"x": 2})["frame"] == good


def test_every_example_opens_with_gradients_that_are_finite():
    made = session()
    offered = ask(made, do="open")["examples"]
    assert len({title for title, _, _ in offered}) == len(offered) == len(EXAMPLES)
    for _, expression, inputs in offered:
        reply = ask(made, do="open", expression=expression, inputs=inputs)
        assert reply["expression"] == expression
        assert {name: one["value"] for name, one in reply["inputs"].items()} == inputs
        assert reply["frame"]["bad"] == []


def test_the_whole_playground_begins_with_the_first_example_or_what_was_asked_for():
    need_layout()
    assert ask(whole().session(), do="views")["views"] == ["graph", "network"]
    assert ask(whole().session(), do="open")["expression"] == EXAMPLES[0].expression
    assert ask(whole("x*y", x=2.0).session(), do="open")["frame"]["values"][0] == "2"


@pytest.mark.parametrize(
    ("number", "low", "high"),
    [
        (2.0, -5, 5),
        (0.0, -5, 5),
        (7.0, -20, 20),
        (-0.01, -0.02, 0.02),
        (1e6, -2e6, 2e6),
        (5.0, -5, 5),
        (-1e-9, -2e-9, 2e-9),
        (5e-324, -5, 5),
        (-1e-310, -5, 5),
        (9e299, -1e300, 1e300),
    ],
)
def test_a_slider_reaches_its_number_with_round_ends_and_steps(number, low, high):
    one = given("x", number)
    assert (one.low, one.high) == pytest.approx((low, high))
    assert 500 <= (one.high - one.low) / one.step <= 10_000
    far = one.at(min(number * 100 + 1000, 1e300))
    assert far.low <= far.number <= far.high


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: live("x*"), "live: not an expression"),
        (lambda: live("x*y", z=1), "live: there is no input 'z' in 'x*y': x, y"),
        (lambda: live("x", x="fast"), "live: x must be a real number, not str"),
        (lambda: live("x", x=(5, -5)), "live: x must go from a number to a larger one"),
        (lambda: live("x", x=(0, 1e-320)), "live: x must go from a number to a larger one"),
        (lambda: live("x", x=(1, 2, 3, 4)), "live: x must be a number, or (low, high) for its slider"),
        (lambda: live("x", x=float("nan")), "live: x must be finite, not nan"),
        (lambda: live(3), "live: the first argument must be an expression in text, a function or a Value, not int"),
        (lambda: live(lambda x, y: x, x=1), "live: f is not called with x"),
        (lambda: live(by_hand()), "live: v2 was made by a hand-written closure"),
    ],
)
def test_live_says_what_was_given_and_expected(make, error):
    with pytest.raises((TypeError, ValueError), match=re.escape(error)):
        make()


def by_hand():
    x = sg.Value(2.0)
    out = sg.Value(4.0, (x,), "square")
    out._backward = lambda: None
    return out


def test_a_values_graph_is_computed_again_and_itself_left_alone():
    need_layout()
    x, k = sg.Value(2.0, label="x"), sg.Value(7.0, requires_grad=False)
    f = sg.sum([x, x * 3.0, k]) / 2.0
    made = live(f).session()
    assert list(ask(made, do="open")["inputs"]) == ["x"]
    shown = ask(made, do="set", inputs={"x": -1})["frame"]
    assert shown["values"][-1] == number_text((-1 - 3 + 7) / 2)
    assert (x.data, x.grad, f.data) == (2.0, 0.0, 7.5)


def test_a_function_is_called_by_name_and_its_own_parameters_keep_their_gradients():
    need_layout()
    weight = sg.Value(3.0, label="w", parameter=True)
    made = live(lambda b, a: a * weight - b, a=2.0, b=5.0).session()
    assert ask(made, do="open")["frame"]["values"][-1] == "1"
    ask(made, do="set", inputs={"a": 4})
    assert weight.grad == 0.0


def test_a_function_that_fails_or_returns_no_value_is_said_in_words():
    need_layout()

    def f(x):
        return [x] if x.data > 1 else {}["gone"] if x.data > 0 else f(x) if x.data < -1 else x * 2

    made = live(f, x=(-5, 5, 0.0)).session()
    ask(made, do="open")
    assert ask(made, do="set", inputs={"x": 2})["error"] == "f(x) must return a Value, not list"
    assert ask(made, do="set", inputs={"x": 0.5})["trouble"]["text"] == "KeyError: 'gone'"
    assert ask(made, do="set", inputs={"x": -2})["trouble"]["text"] == "f(x) calls itself without end"
    assert "frame" in ask(made, do="set", inputs={"x": 0})


def test_a_graph_too_large_for_a_picture_is_refused():
    need_layout()
    reply = live(lambda x: sg.sum([x.tanh() for _ in range(200)]), x=1.0).session().handle({"id": 1, "do": "open"})
    assert reply["error"] == "this graph has 202 values and 603 steps; a live picture has at most 300 steps"


def test_inputs_at_which_there_is_no_value_begin_elsewhere_and_that_is_said():
    need_layout()
    reply = ask(live(lambda x: x.log() * 2.0, x=(-5, 5)).session(), do="open")
    assert reply["changed"] == "log: domain error at 0.0 (label 'x'): the inputs begin elsewhere."
    assert reply["inputs"]["x"]["value"] == 2.5
    made = session("x*y")
    ask(made, do="set", inputs={"x": -3})
    assert ask(made, do="open", expression="sqrt(x) + q")["inputs"]["x"]["value"] > 0
    assert "give other numbers" in ask(made, do="open", expression="log(x)", inputs={"x": -1})["error"]
    assert "give other numbers" in ask(made, do="open", expression="log(x - x)")["error"]


def test_a_leaf_of_the_functions_own_with_an_inputs_name_is_not_taken_for_it():
    need_layout()
    own = sg.Value(3.0, label="x", parameter=True)
    made = live(lambda x: own * x, x=2.0).session()
    reply = ask(made, do="open")
    i = reply["picture"]["inputs"]["x"]
    assert (reply["frame"]["values"][i], reply["frame"]["gradients"][i]) == ("2", "grad 3")
    ask(made, do="set", inputs={"x": 5})
    assert (own.data, own.grad, own.label) == (3.0, 0.0, "x")


def test_the_output_that_a_function_keeps_is_left_as_it_is():
    need_layout()
    kept = sg.Value(2.0, label="k") * 3.0
    reply = ask(live(lambda x: kept, x=1.0).session(), do="open")
    assert reply["picture"]["cards"][-1]["name"] == "f"
    assert kept.label == ""


def test_a_gradient_that_raises_is_said_in_words():
    need_layout()

    class Bad(sg.Function):
        @staticmethod
        def forward(ctx, x):
            return 2.0 * x

        @staticmethod
        def backward(ctx, g):
            raise ZeroDivisionError("no gradient here")

    made = live(lambda x: Bad.apply(x) if x.data > 1 else x * 2.0, x=(-5, 5, 0.0)).session()
    ask(made, do="open")
    assert "no gradient here" in ask(made, do="set", inputs={"x": 2})["trouble"]["text"]
    assert "frame" in ask(made, do="set", inputs={"x": 0})


@pytest.mark.parametrize("expression", ["3", "pi", "2**3 + 1"])
def test_an_expression_without_variables_has_a_graph_too(expression):
    made = session()
    reply = ask(made, do="open", expression=expression)
    assert reply["inputs"] == {}
    assert len(reply["frame"]["values"]) == 1
    for do in ({"do": "steps", "step": 0}, {"do": "explain", "card": 0}):
        assert "defect" not in ask(made, **do)


def test_a_frame_says_of_which_picture_it_is_and_a_page_that_has_another_gets_it_whole():
    need_layout()
    made = live(lambda x: x * x if x.data > 0 else x.exp() - 1, x=(-2, 2, 1.0)).session()
    first = ask(made, do="open")["picture"]["serial"]
    same = ask(made, do="set", inputs={"x": 0.5}, seen=first)
    assert same["of"] == first
    assert "picture" not in same
    other = ask(made, do="set", inputs={"x": -1}, seen=first)
    second = other["picture"]["serial"]
    assert second != first
    lost = ask(made, do="set", inputs={"x": -0.5}, seen=first)  # asked before the answer with the picture had come
    assert lost["picture"]["serial"] == lost["of"] == second
    assert "changed" not in lost
    assert ask(made, do="set", inputs={"x": -0.25}, seen=second).keys() == same.keys()
    assert (
        ask(made, do="steps", step=0)["of"]
        == ask(made, do="edge", edge=0)["of"]
        == ask(made, do="explain", card=0)["of"]
        == second
    )
    assert ask(made, do="open")["picture"]["serial"] not in (first, second)


def test_a_gradient_that_is_nan_is_said_without_a_warning_whose_filters_all_threads_share(monkeypatch):
    made = session("x**y")
    monkeypatch.setattr(warnings, "catch_warnings", None)
    frame = ask(made, do="set", inputs={"x": -2, "y": 2})["frame"]
    assert frame["gradients"][1] == "grad nan"
    assert frame["bad"] == [1]
    assert frame["notes"] == ["y.grad is nan: the first number that is not finite."]
