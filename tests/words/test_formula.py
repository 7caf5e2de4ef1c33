"""Names, equations, numbers and local derivatives are written as people read them."""

import math

import pytest
from drawing_helpers import HOSTILE, Name
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value, topological_order
from scalargrad.engine import gradients
from scalargrad.node.naming import display_names
from scalargrad.support.labels import clean_label
from scalargrad.words.equations import equation
from scalargrad.words.local_derivatives import local_derivatives
from scalargrad.words.texts import listed, number_text


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (2.0, "2"), (-2.5, "−2.5"), (0.12345, "0.1235"), (0.001, "0.001"), (0.00099, "9.9e−4"),
        (1e5, "100000"), (123456.0, "1.2346e5"), (-1e300, "−1e300"), (5e-324, "4.9407e−324"), (99999.99999, "100000"),
        (math.inf, "inf"), (-math.inf, "−inf"), (math.nan, "nan"), (-1e-9, "−1e−9"), (645.5772594752186, "645.5773"),
    ],
)  # fmt: skip
def test_number_text(x, text):
    assert number_text(x) == text


@given(st.floats(-1e308, 1e308))
def test_number_text_reads_back_to_about_the_number(x):
    text = number_text(x).replace("−", "-")
    assert float(text) == pytest.approx(x, rel=6e-5, abs=6e-5 if abs(x) >= 1e-3 else 0)
    assert text != "-0"


@given(st.text())
def test_clean_labels_are_one_visible_line(text):
    cleaned = clean_label(text)
    assert len(cleaned) <= 80
    assert cleaned.splitlines() in ([cleaned], [])
    assert not any(ord(c) < 32 or 0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) <= 0xDFFF for c in cleaned)
    assert clean_label(cleaned) == cleaned
    assert not text or cleaned.strip()


def test_bidirectional_controls_cannot_reorder_an_equation():
    assert clean_label("\u202eabc") == "�abc"


def test_names_are_unique_whatever_the_labels():
    values = [Value(1.0, label=text) for text in [*HOSTILE, "v1", "v1", "x", "x", "x₁", "", ""]]
    names = display_names(values)
    assert len(set(names.values())) == len(values)
    assert names[values[0]] == HOSTILE[0]


def test_unlabelled_values_are_numbered_and_skip_taken_names():
    a, b, c = Value(1.0), Value(2.0, label="v1"), Value(3.0)
    assert list(display_names([a, b, c]).values()) == ["v2", "v1", "v3"]


def test_names_of_several_neurons_say_layer_neuron_and_input():
    def parameter(text, *scope):
        return Value(0.0, label=Name(text, scope))

    two_layers = [
        parameter(text, f"layer {i}", f"neuron {j} (relu6)") for i in (0, 1) for j in (0, 1) for text in ("w0", "b")
    ]
    expected = ["w000", "b00", "w010", "b01", "w100", "b10", "w110", "b11"]
    assert list(display_names(two_layers).values()) == expected
    one_layer = two_layers[:4]
    assert list(display_names(one_layer).values()) == ["w00", "b0", "w10", "b1"]
    assert list(display_names(two_layers[:2]).values()) == ["w0", "b"]
    many = [parameter("w11", "layer 0", f"neuron {j}") for j in (1, 12)]
    assert list(display_names(many).values()) == ["w1_11", "w12_11"]


def written(value):
    return equation(value, display_names(topological_order(value)))


def test_equations_of_every_shape():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    ab = a * b
    ab.label = "a*b"
    for value, text in [
        (a + b, "a + b"), (a - 1, "a − 1"), (1 - a, "1 − a"), (a * -2, "a × (−2)"), (a + -2.0, "a + (−2)"), (a / b, "a ÷ b"),
        (a**3, "a^3"), (a**-1, "a^−1"), (2**a, "2^a"), (a % b, "a mod b"), (a // b, "a // b"), (-a, "−a"), (abs(a), "absolute(a)"),
        (sg.greater(a, b), "a > b"), (a.leaky_relu(), "leaky_relu(a, 0.1)"), (sg.maximum(a, b), "maximum(a, b)"),
        (a.tanh(), "tanh(a)"), (ab * b, "‹a*b› × b"), (ab + b, "‹a*b› + b"), (sg.dot([a, b], [b, a]), "a×b + b×a"),
        (sg.dot([a], [b], a), "a×b + a"), (sg.sum([a, b, a]), "sum(a, b, a)"), (sg.where(a, b, 1), "where(a, b, 1)"), (a, ""),
    ]:  # fmt: skip
        assert written(value) == text


def test_long_equations_are_cut_and_say_so():
    values = [Value(float(i)) for i in range(100)]
    text = written(sg.sum(values))
    assert text.startswith("sum(v1, v2, ")
    assert text.endswith(" more)")
    assert len(text) <= 60
    text = written(sg.dot(values[:50], values[50:]))
    assert text.count("more]") == 2
    assert len(text) <= 60
    assert len(written(Value(1.0, label="x" * 80) * Value(1.0, label="y" * 80))) == 60
    assert listed(["a"] * 5 + ["b"], 20) == "a ×5, b"
    shown = listed([str(i) for i in range(50)], 20)
    assert len(shown.split(", ")[:-1]) + int(shown.split("… ")[1].split()[0]) == 50


def test_hand_written_and_overwritten_nodes():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    assert written(Value(6.0, (a, b), "*")) == "a × b"
    assert written(Value(8.0, (a,), "**3")) == "a^3"
    assert written(Value(8.0, (a,), "ReLU")) == "ReLU(a)"
    assert written(Value(8.0, (a,))) == "op(a)"
    c = a * b
    c.data = 7.0
    assert written(c) == "assigned, was a × b"
    assert local_derivatives(c) == [None, None]
    assert local_derivatives(Value(6.0, (a, b), "*")) == [None, None]


def test_local_derivatives_add_up_to_the_sweep():
    a, b = Value(1.5), Value(-2.5)
    xs = [a, b, a, 2.0]
    for node in (a * a, a * b, a / b, a**2, sg.sum(xs), sg.prod(xs), sg.mean(xs), sg.max(xs),
                 sg.dot([a, b], [b, 3.0], a), b.leaky_relu(), a.gelu(), 3 - a, sg.clip(a, -1, 1)):  # fmt: skip
        totals = dict.fromkeys(node.parents, 0.0)
        for (parent, _), local in zip(node.operands, local_derivatives(node), strict=True):
            assert (local is None) == (parent is None)
            if parent is not None:
                totals[parent] += local
        swept = gradients([node], [1.0])
        for parent, total in totals.items():
            assert total == pytest.approx(swept[parent])
    assert local_derivatives(a * 4.0, constants=True) == [4.0, 1.5]


def test_local_derivatives_at_poles_are_infinite_and_do_not_raise():
    assert local_derivatives(Value(0.0).sqrt()) == [math.inf]


def test_names_from_right_to_left_are_isolated():
    x, y = Value(1.0, label="דג"), Value(2.0, label="y")
    names = display_names([x, y])
    assert names == {x: "\u2068דג\u2069", y: "y"}
    assert equation(x - y, names) == "\u2068דג\u2069 − y"
