"""Rules in words: what the table says is what is printed, and the printed text computes the derivative."""

import math

import pytest
from helpers import arguments, call
from hypothesis import given, settings

import scalargrad as sg
from scalargrad import Value
from scalargrad.table import TABLE
from scalargrad.words.derivation import partial_text
from scalargrad.words.notation import PYTHON


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_printed_rule_evaluated_as_python_is_the_derivative(name):
    op = TABLE[name]

    @settings(max_examples=10)
    @given(arguments(op))
    def holds(xs):
        values = [Value(x) for x in xs]
        z = call(op, values)
        z.backward()
        names = [f"x{i}" for i in range(len(xs))]
        for i, value in enumerate(values):
            text, _ = partial_text(op, i, names, "z")
            if "…" not in text:
                known = {n: op.function for n, op in TABLE.items()} | dict(zip(names, xs, strict=True)) | {"z": z.data}
                assert eval(text, known) == pytest.approx(value.grad, rel=1e-12, abs=1e-12)  # noqa: S307

    holds()


def test_the_local_backward_closure_says_what_it_does():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    assert repr(c._backward) == "<local backward: a.grad += b.data * c.grad; b.grad += a.data * c.grad>"
    assert repr((a**2)._backward) == "<local backward: a.grad += 2 * a.data * out.grad>"
    assert repr((1 - a)._backward) == "<local backward: a.grad += -out.grad>"
    assert repr(c.tanh()._backward) == "<local backward: c.grad += (1 - out.data * out.data) * out.grad>"
    assert repr(a._backward) == "<local backward: passes nothing on>"
    assert repr(sg.sum([Value(1.0)] * 9)._backward).endswith("x3.grad += out.grad; …>")


def test_every_function_of_the_table_has_its_formula_in_its_docstring():
    for op in (op for op in TABLE.values() if not op.is_users):
        assert op.function.__doc__.startswith(f"z = {op.name}(")
        assert "Local derivatives: " in op.function.__doc__
    assert "Local derivatives: 1 - z * z for x." in sg.tanh.__doc__


def test_expressions_print_as_python_with_the_parentheses_they_need():
    x, y = Value(3.0, label="x"), Value(2.0, label="y")
    for build in (lambda: (x - y) - x, lambda: x - (y - x), lambda: (x * y) ** -x, lambda: x / (y * x), lambda: -(x + y) * y, lambda: (-x) ** 2,
                  lambda: (x**y) ** y, lambda: x ** (y**2), lambda: -(x**2), lambda: (x + 1).tanh() % y, lambda: sg.maximum(x, 2) // 1):  # fmt: skip
        value = build()
        known = {"x": x.data, "y": y.data, "tanh": math.tanh, "maximum": max}
        assert eval(PYTHON.write(value, {x: "x", y: "y"}), known) == value.data  # noqa: S307


def test_rules_are_printed_inside_no_grad_too():
    with sg.no_grad():
        assert partial_text(TABLE["tanh"], 0, ["x"], "z")[0] == "1 - z * z"
