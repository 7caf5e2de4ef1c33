"""Formulas of Values: what is printed computes the value, in every notation, and hostile names stay text."""

import ast
import math
import re

import pytest
from helpers import arguments, call, random_graph
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value
from scalargrad.notation import LATEX, latex_name
from scalargrad.table import TABLE

KNOWN = {name: op.function for name, op in TABLE.items()}


@settings(max_examples=60)
@given(st.integers(1, 7), st.integers(0, 10**6))
def test_python_formula_computes_the_value(n, seed):
    root, leaves = random_graph(Value, n, seed)
    for i, leaf in enumerate(leaves):
        leaf.label = f"x{i}"
    text = root.formula("python")
    assert eval(text, KNOWN | {leaf.label: leaf.data for leaf in leaves}) == pytest.approx(root.data, rel=1e-9)  # noqa: S307


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_op_has_a_formula_in_every_notation(name):
    op = TABLE[name]

    @settings(max_examples=3)
    @given(arguments(op))
    def holds(xs):
        values = [Value(x, label=f"a{i}") for i, x in enumerate(xs)]
        z = call(op, values)
        known = KNOWN | {v.label: v.data for v in values}
        assert eval(z.formula("python"), known) == pytest.approx(z.data, rel=1e-12)  # noqa: S307
        latex = z.formula("latex")
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\left") == latex.count(r"\right")
        assert "a0" in z.formula()

    holds()


def test_text_and_latex():
    x, y = Value(3.0, label="x1"), Value(2.0, label="loss")
    f = (x - -2) ** 2 / (y * x).exp() + sg.sqrt(x) - (-x)
    assert f.formula() == "(x1 − (−2))^2 ÷ exp(loss × x1) + sqrt(x1) − (−x1)"
    assert f.formula("latex") == (
        r"\frac{\left(x_{1} - \left(-2\right)\right)^{2}}{e^{\mathrm{loss} \cdot x_{1}}} + \sqrt{x_{1}}"
        r" - \left(-x_{1}\right)"
    )
    assert f.formula("latex")._repr_latex_() == f"$\\displaystyle {f.formula('latex')}$"
    assert ((x + 1) ** 2 * 1e-7).formula("latex") == r"\left(x_{1} + 1\right)^{2} \cdot 1 \cdot 10^{-7}"
    assert ((x**y) ** 2).formula("latex") == r"\left(x_{1}^{\mathrm{loss}}\right)^{2}"
    assert sg.sum([x, y, 1.0]).formula() == "x1 + loss + 1"
    assert Value(4.0).formula() == "4"
    assert (x * math.inf).formula("latex") == r"x_{1} \cdot \infty"


def test_an_equation_for_each_operation():
    x = Value(2.0, label="x")
    f = x.tanh() * x
    f.label = "f"
    assert f.formula(lines=True) == "v1 = tanh(x)\nf = v1 × x"
    assert f.formula("latex", lines=True).startswith(r"\begin{aligned}v_{1} &= \tanh\left(x\right) \\")
    assert x.formula(lines=True) == "x = 2"


def test_a_formula_too_long_names_the_call_that_works():
    x = Value(1.0, label="x")
    for _ in range(60):  # 2**60 characters if it were written out
        x = x * x
    with pytest.raises(ValueError, match=r"more than 2000 characters: formula\(lines=True\) writes"):
        x.formula()
    assert x.formula(lines=True).count("\n") == 59
    with pytest.raises(ValueError, match="notation must be one of 'text', 'latex', 'python', not 'html'"):
        x.formula("html")


@given(st.text(max_size=30))
def test_any_name_is_safe_in_latex(name):
    text = latex_name(name)
    commands = set(re.findall(r"\\[A-Za-z]+", text))
    assert commands <= {r"\text", r"\mathrm", r"\backslash", r"\wedge", r"\sim"}
    plain = re.sub(r"\\[{}$&#_%]", "", text)
    assert plain.count("{") == plain.count("}")
    assert "$" not in plain
    assert "%" not in plain


def test_labels_that_look_computed_are_put_in_parentheses():
    a = Value(2.0, label="x+y")
    assert (a * 2).formula() == "(x+y) × 2"
    assert LATEX.write(a * 2, {a: "x+y"}) == r"\text{x+y} \cdot 2"


def test_python_formulas_are_python_whatever_the_labels():
    for labels in (("b", "b"), ("a b", "class"), ("tanh", "exp"), ("", "x"), ("x₁", "x_1"), ("v", "1")):
        x, y = (Value(v, label=label) for v, label in zip((2.0, 3.0), labels, strict=True))
        z = x * y + x * math.inf - math.nan
        text = z.formula("python")
        assert {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)} <= {
            *re.findall(r"\w+", text)
        }
        compile(text, "", "eval")
    x, y = Value(2.0, label="tanh"), Value(3.0, label="tanh")
    assert (x.tanh() * y).formula("python") == "tanh(tanh1) * tanh2"
