"""Messages of the playground: what a page may say is checked, errors are in words, and after one nothing has changed."""

import json

import pytest
from optional import need_layout

import scalargrad as sg
from scalargrad.playground import Session
from scalargrad.playground.graph import GraphView
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
        ({"do": "set", "inputs": {}, "stp": 1}, "set: there is no field 'stp'; it has inputs, step, hidden (did you mean 'step'?)"),
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


def test_where_there_is_no_value_the_place_is_said_and_moving_back_mends_it():
    made = session("log(x)*y")
    good = ask(made, do="set", inputs={"x": 2})["frame"]
    trouble = ask(made, do="set", inputs={"x": -1})["trouble"]
    assert trouble["card"] == 1
    assert trouble["text"].startswith("log: ")
    assert ask(made, do="set", inputs={"x": 2})["frame"] == good
