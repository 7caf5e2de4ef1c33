"""A formula written as on paper is answered with the expression that says the same, and a right one is left as it is."""

import ast
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalargrad.words.expressions import _FUNCTIONS, ExpressionError, expression_function, parse_expression
from scalargrad.words.misread import rewritten

MEANT = [
    ("2x", "2*x"),
    ("2.5e3x", "2.5e3*x"),
    ("2 x y", "2*x*y"),
    ("x y", "x*y"),
    ("xy", "x*y"),
    ("2(x + 1)", "2*(x + 1)"),
    ("x(y + 1)", "x*(y + 1)"),
    ("(x + 1)(x - 1)", "(x + 1)*(x - 1)"),
    ("sin x", "sin(x)"),
    ("sin x + cos y", "sin(x) + cos(y)"),
    ("2sin(x)cos(x)", "2*sin(x)*cos(x)"),
    ("sin^2(x)", "sin(x)**2"),
    ("e^x", "e**x"),
    ("x^2 + 3x", "x**2 + 3*x"),
    ("ln(x)", "log(x)"),
    ("atan(x)", "arctan(x)"),
    ("|x|", "abs(x)"),
    ("x² − 3 × y ÷ 2", "x**2 - 3 * y / 2"),
    ("√(x)", "sqrt(x)"),
    ("2π", "2*pi"),
    ("[x + y] * 2", "(x + y) * 2"),
    ("y = x*2", "x*2"),
    ("f(x) = x*2", "x*2"),
    ("math.sin(x)", "sin(x)"),
    ("np.exp(x)", "exp(x)"),
]


@pytest.mark.parametrize(("text", "meant"), MEANT, ids=[text for text, _ in MEANT])
def test_notations_of_paper_and_of_other_libraries(text, meant):
    assert rewritten(text, _FUNCTIONS, ["x", "y"]) == meant
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text, {"x": 0.3, "y": 0.4})
    assert str(caught.value).endswith(f"write {meant}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["sig(x)", "f(x)", "x +", "(x", "x)", "x!", "x.real", "x > 0", "lambda: x", "'x'", "1j", "@"]
)
def test_where_nothing_is_known_nothing_is_proposed(text):
    with pytest.raises(ExpressionError) as caught:
        expression_function(text, ["x"])(1.0)
    assert "write" not in str(caught.value)


atoms = st.sampled_from(["x", "y", "2.5", "3", "1e3", "pi"])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "-", "*", " / ", "**", "//", " % "]), inner).map("".join),
        inner.map(lambda e: f"({e})"),
        inner.map(lambda e: f"-{e}"),
        st.tuples(st.sampled_from(["sin", "exp", "tanh"]), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"max({p[0]}, {p[1]})"),
    ),
    max_leaves=12,
)


@given(expressions)
def test_what_is_an_expression_stays_as_it_is(text):
    assert ast.dump(ast.parse(rewritten(text, _FUNCTIONS, ["x", "y"]))) == ast.dump(ast.parse(text))


@given(st.text(alphabet="xy2.()^*|= +-sinπ²[]\n,'\"", max_size=40))
def test_any_text_is_an_expression_or_one_line_of_reasons(text):
    with suppress(ValueError, ArithmeticError):
        expression_function(text, ["x", "y"])(1.0, 2.0)


def test_all_that_has_no_number_is_named_at_once():
    with pytest.raises(ExpressionError, match=r"^b and w have no value; add b=NUMBER w=NUMBER$"):
        parse_expression("tanh(w*x + b)", {"x": 1.0})
