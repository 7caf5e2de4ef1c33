"""The plain case does run in C: where nodes are made, sorted and swept, no Python function of the package is called."""

import sys
from pathlib import Path

import pytest
from both_engines import needs_c

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.in_c import in_c
from scalargrad.ops import BUILT_IN

pytestmark = needs_c
HERE = Path(sg.__file__).parent
ROOMS = tuple(str(HERE / name) for name in ("engine.py", "ops.py", "table", "node"))


@pytest.fixture(autouse=True)
def rows_as_they_were_made():
    """Tests of other files change facts of rows and put them back: from then on these are Python's in this process."""
    for op in BUILT_IN:
        in_c("label", op.function, op)  # whatever is made, the row is plain again


def called(work):
    """The Python functions of engine, table and node that are called meanwhile, by name.

    But for the value of a power, which the rules of rules.h ask Python for.
    """
    found = []

    def profile(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(ROOMS) and frame.f_code.co_name != "power":
            found.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


BUILT_IN_DOT = next(op for op in BUILT_IN if op.name == "dot")
X, Y = Value(0.5), Value(0.25)
OPERATORS = {
    "x + y": lambda: X + Y,
    "x - y": lambda: X - Y,
    "x * y": lambda: X * Y,
    "x / y": lambda: X / Y,
    "x ** 2": lambda: X**2,
    "-x": lambda: -X,
    "x + 1": lambda: X + 1,
    "1.0 - x": lambda: 1.0 - X,
    "2 * x": lambda: 2 * X,
    "1 / x": lambda: 1 / X,
}


@pytest.mark.parametrize("work", OPERATORS.values(), ids=list(OPERATORS))
def test_operators(work):
    assert called(work) == []
    assert called(lambda: work().backward()) == []


IN_PYTHON = {"floor_divide", "remainder", "erf", "erfc", "gelu", "hypot"}
"""Rows whose value on floats is Python's function, as the C library's may have other bits."""


@pytest.mark.parametrize("op", [op for op in BUILT_IN if op.arity and op.name not in IN_PYTHON], ids=lambda op: op.name)
def test_functions(op):
    x = Value(1.5) if op.name == "arccosh" else X
    nodes = []
    others = [2.0] if op.name == "power" else [Y][: op.arity - 1]  # other powers are Python's
    assert called(lambda: nodes.append(op.function(x, *others))) == []
    assert called(nodes[0].backward) == []


def test_an_operand_that_is_left_out():
    nodes = []
    assert called(lambda: nodes.extend([X.leaky_relu(), X.elu(), sg.elu(X)])) == []


def test_a_layer_and_its_gradient():
    layer = nn.Layer(3, 2, activation="tanh", seed=0)
    xs = (Value(1.0), Value(2.0), Value(-1.0))
    layer(xs)  # the first time binds the weights
    neuron = layer.neurons[0]
    bind = BUILT_IN_DOT.bind(neuron.w)
    for given, has_bias in ((xs, False), ((*xs, neuron.b), True)):
        nodes = []
        assert called(lambda: nodes.append(bind(given, has_bias))) == []
        assert called(nodes[0].backward) == []
    out = layer(xs)
    assert called((out[0] * out[1]).backward) == []


def test_a_labelled_node_is_plain_until_its_number_is_assigned():
    node = X * Y
    node.label = "product"
    root = node + 1.0
    assert called(root.backward) == []
    node.data = 7.0
    with pytest.raises(ValueError, match="'product' was assigned"):
        root.backward()


def test_no_data_and_no_grad_of_another_kind_goes_through_c():
    """Nan, infinities, subclasses and modes are Python's: its functions are called."""

    class Sub(Value):
        pass

    infinite = Value(float("inf"))
    assert called(lambda: infinite + 1.0)
    assert called(lambda: Sub(1.0) * X)
    with sg.no_grad():
        assert called(lambda: X * Y)
    assert called(lambda: (X * Y).backward(seed=2.0))
