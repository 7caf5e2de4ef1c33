"""Formulas of Values: what is printed computes the value, in every notation, and hostile names stay text."""

import ast
import keyword
import math
import operator
import re
import unicodedata

import pytest
from helpers import arguments, call, random_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, topological_order
from scalargrad.table import TABLE
from scalargrad.words.latex import LATEX, latex_name
from scalargrad.words.notation import PYTHON

KNOWN = {name: op.function for name, op in TABLE.items()}


NUMBERS = st.one_of(
    st.integers(-9, 9).map(float), st.floats(-1e3, 1e3), st.sampled_from([-0.0, 0.1, 1e6, -1e6, 1e16, -1e-7, 0.5, 2.0, 3.0])
)  # fmt: skip
OPERATIONS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.neg, sg.tanh,
    sg.relu, sg.sigmoid, sg.maximum, sg.greater, sg.leaky_relu, sg.hypot, sg.sum, sg.mean, sg.prod, sg.logsumexp, sg.dot,
]  # fmt: skip
OF_ONE = {operator.neg, sg.tanh, sg.relu, sg.sigmoid}


@st.composite
def graphs(draw, operations):
    """A graph of a few operations over leaves, with a label or without one, and plain numbers."""
    parts = [Value(draw(NUMBERS), label=draw(st.sampled_from(["", f"x{i}"]))) for i in range(3)]
    for _ in range(draw(st.integers(1, 8))):
        f = draw(st.sampled_from(operations))
        x, y, z, w = (draw(st.sampled_from(parts)) for _ in range(4))
        constant = draw(NUMBERS)
        try:
            if f in OF_ONE:
                parts.append(f(x))
            elif f in (sg.sum, sg.mean, sg.prod, sg.logsumexp):
                parts.append(f(x, constant, y))
            elif f is sg.dot:
                parts.append(f([x, constant], [y, z], w))
            else:
                parts.append(f(*draw(st.sampled_from([(x, y), (x, constant), (constant, x)]))))
        except (ArithmeticError, ValueError):
            continue
    return draw(st.sampled_from(parts[-2:]))


def bits(x):
    """A number's bits; of nan that it is one."""
    assert type(x) is float
    return "nan" if x != x else x.hex()


def is_exact(root, number_of):
    """Whether the text, as Python reads it, gives the graph's number to the last bit."""
    names = {v.label: number_of(v) for v in topological_order(root) if v.label}
    found = eval(root.formula("python", names=False), KNOWN | names)  # noqa: S307
    return bits(found.data if isinstance(found, Value) else found) == bits(root.data)


@has_full_size
@settings(max_examples=size(120, 400))
@given(graphs(OPERATIONS))
def test_a_python_formula_computes_the_very_number_of_the_graph(root):
    assert is_exact(root, lambda leaf: leaf.data)
    assert is_exact(root, lambda leaf: leaf)


@settings(max_examples=100)
@given(st.integers(1, 7), st.integers(0, 10**6), st.sampled_from([2.0, 3.0, -1.0, 0.5]))
def test_powers_too_as_the_engine_computes_them(n, seed, exponent):
    """Of Values: of plain numbers Python computes x ** 3 itself, and not as a product."""
    root, leaves = random_graph(Value, n, seed)
    for i, leaf in enumerate(leaves):
        leaf.label = f"x{i}"
    assert is_exact((root * root + 0.1) ** exponent + (root - 1.0), lambda leaf: leaf)


def test_only_code_keeps_parentheses_that_no_reader_needs():
    x, y, z = (Value(v, label=name) for v, name in ((0.1, "x"), (0.2, "y"), (0.3, "z")))
    for root, code, text in (
        (x + (y + z), "x + (y + z)", "x + y + z"),
        (x + (y - z), "x + (y - z)", "x + y − z"),
        (x * (y * z), "x * (y * z)", "x × y × z"),
        (x * (y / z), "x * (y / z)", "x × y ÷ z"),
        ((x + y) + z, "x + y + z", "x + y + z"),
        (x ** (y**z), "x ** y ** z", "x^y^z"),
        (x - (y - z), "x - (y - z)", "x − (y − z)"),
    ):
        assert (root.formula("python"), root.formula()) == (code, text)
    assert (Value(2.0) * 3 + -0.0).formula("python") == "2.0 * 3 + -0.0"


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_op_has_a_formula_in_every_notation(name):
    op = TABLE[name]

    @settings(max_examples=3)
    @given(arguments(op))
    def holds(xs):
        values = [Value(x, label=f"a{i}") for i, x in enumerate(xs)]
        z = call(op, values)
        assert is_exact(z, lambda leaf: leaf)
        assert name == "power" or is_exact(z, lambda leaf: leaf.data)
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


def test_labels_that_are_no_identifiers_are_quoted():
    a = Value(2.0, label="x+y")
    assert (a * 2).formula() == "‹x+y› × 2"
    assert LATEX.write(a * 2, {a: "x+y"}) == r"\text{x+y} \cdot 2"


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                [
                    "x²",
                    "x2",
                    "x₂",
                    "µ",
                    "μ",
                    "ﬁ",
                    "fi",
                    "ª",
                    "a",
                    "ſ",
                    "s",
                    "K",
                    "K",
                    "x_2",
                    "class",
                    "None",
                    "tanh",
                    "float",
                    "__debug__",
                    "½",
                    "1/2",
                    "ﷺ",
                    "e\u0301",
                    "\u0301e",
                    "é",
                    "x\u200d",
                    "אב",
                    "𝒙",
                    "x",
                    "ｘ",
                    "",
                    " ",
                ]
            ),
        ),
        max_size=8,
    )
)
def test_names_are_what_python_reads(labels):
    """Identifiers, none reserved or an op's, as many as there are Values, and the same in the form that Python gives them."""
    values = [Value(1.0, label=label) for label in labels]
    names = PYTHON.names(values)
    assert list(names) == values
    assert len({unicodedata.normalize("NFKC", name) for name in names.values()}) == len(values)
    for name in names.values():
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name not in {*TABLE, "float", "__debug__"}
        assert unicodedata.normalize("NFKC", name) == name
        compile(f"{name} = 1", "", "exec")


@pytest.mark.parametrize(("one", "other"), [("x²", "x2"), ("µ", "μ"), ("x", "ｘ"), ("ﬁ", "fi")])
def test_labels_that_python_takes_for_one_name_are_two_variables(one, other):
    x, y = Value(2.0, label=one), Value(3.0, label=other)
    text, names = (x - y).formula("python"), PYTHON.names([x, y])
    assert eval(text, {names[x]: 2.0, names[y]: 3.0}) == -1.0  # noqa: S307


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


def test_a_text_that_says_it_equals_everything_is_no_choice():
    class Lying(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            return True

    with pytest.raises(ValueError, match="notation must be one of 'text', 'latex', 'python', not 'sgd'"):
        Value(1.5).formula(Lying("sgd"))
    assert Value(1.5).formula(Lying("latex")) == Value(1.5).formula("latex")
