"""Gates and graphs of gates: the numbers are the engine's, the derivatives the op table's, the API the lecture's."""

import copy
import math

import pytest
from helpers import arguments, call, random_graph, readme_example, slope
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad
from scalargrad import Value, circuit
from scalargrad.circuit import (
    AddConstantGate,
    AddGate,
    ComputationalGraph,
    ExpGate,
    Gate,
    MaxGate,
    MulConstantGate,
    MultiplyGate,
    ReciprocalGate,
    SigmoidGate,
)
from scalargrad.table import TABLE

numbers = st.floats(-5, 5)
NAMED = [getattr(circuit, name) for name in circuit.__all__ if name.endswith("Gate") and name != "Gate"]


# -------------------------------------------------------------------- gates


@has_full_size
@pytest.mark.parametrize("name", sorted(TABLE))
@settings(max_examples=size(25, 100))
@given(data=st.data())
def test_the_gate_of_every_op_is_the_engine(name, data):
    op = TABLE[name]
    xs, dz = data.draw(arguments(op)), data.draw(numbers)
    gate = Gate(name, {})
    values = [Value(x) for x in xs]
    out = call(op, values)
    out.backward(dz)
    assert gate.forward(*xs) == gate.z == out.data
    assert list(gate.operands) == xs
    assert gate.backward(dz) == [value.grad for value in values]


@pytest.mark.parametrize(
    "name", ["add", "multiply", "divide", "maximum", "reciprocal", "exp", "sigmoid", "tanh", "relu"]
)
@given(data=st.data())
def test_gradients_are_finite_differences(name, data):
    xs = data.draw(arguments(TABLE[name], margin=0.3))
    gate = Gate(name)
    gate.forward(*xs)
    for i, gradient in enumerate(gate.backward(2.0)):
        estimate, error = slope(lambda x, i=i: Gate(name).forward(*xs[:i], x, *xs[i + 1 :]), xs[i])
        assert gradient == pytest.approx(2 * estimate, rel=1e-6, abs=1e-6 + 4 * error)


@given(x=numbers, y=numbers, dz=numbers)
def test_the_multiply_gate_of_the_lecture(x, y, dz):
    gate = MultiplyGate()
    z = gate.forward(x, y)
    assert (gate.x, gate.y, gate.z) == (x, y, z)
    assert gate.backward(dz) == [y * dz, x * dz]
    gate.x = 7.0  # what is kept is what backward computes with
    assert gate.backward(1.0) == [y, 7.0]


@given(x=numbers, diff=numbers)
def test_the_sigmoid_layer_of_caffe(x, diff):
    gate = SigmoidGate()
    s = gate.forward(x)
    assert gate.backward(diff) == [pytest.approx(diff * s * (1 - s), rel=1e-12, abs=1e-300)]


def test_named_classes_know_their_row_and_say_what_it_says():
    assert len(NAMED) == 16
    for cls in NAMED:
        gate = cls(2.0) if cls in (AddConstantGate, MulConstantGate) else cls()
        assert gate.name == cls.__name__
        assert gate.op is TABLE[gate.op.name]
        assert cls.__doc__.startswith("z = ")
    assert MultiplyGate.__doc__ == "z = multiply(x, y). Local derivatives: y for x; x for y."
    assert circuit.TanhGate.__doc__.endswith("1 - z * z for x.")
    gate = MaxGate()
    gate.forward(1.0, 3.0)
    assert repr(gate) == "<MaxGate x=1.0 y=3.0 z=3.0>"
    assert gate.backward() == [0.0, 1.0]
    assert repr(Gate("sum")) == "<Gate('sum')>"


def test_constants_are_operands_but_no_inputs():
    assert (AddConstantGate(1.0).nin, Gate("clip", {1: -1.0, 2: 1.0}).nin, Gate("sum", {0: 5.0}).nin) == (1, 1, None)
    reciprocal = Gate("divide", {0: 1.0})
    assert reciprocal.forward(4.0) == 0.25
    assert reciprocal.backward() == [-0.0625]
    assert (reciprocal.x, reciprocal.y) == (1.0, 4.0)
    assert Gate("leaky_relu").forward(-2.0) == -0.2  # the op's own default
    assert Gate("leaky_relu", {}).forward(-2.0, 0.5) == -1.0
    clip = Gate("clip", {1: -1.0, 2: 1.0})
    assert [clip.forward(x) for x in (-3.0, 0.5, 3.0)] == [-1.0, 0.5, 1.0]
    assert clip.backward() == [0.0]
    product = Gate("dot", {0: 2.0, 2: 5.0})  # 2·5 + 3·7
    assert product.forward(3.0, 7.0) == 31.0
    assert product.backward() == [7.0, 3.0]


def test_a_row_that_is_added_has_a_gate_at_once():
    double = scalargrad.primitive(lambda x: 2 * x, partials=2.0, name="doubled_for_a_gate")
    assert circuit.gate_class("doubled_for_a_gate").__name__ == "DoubledForAGateGate"
    gate = Gate(double.op)
    assert (gate.forward(3.0), gate.backward(1.5)) == (6.0, [3.0])


class InPlaceMulConstant:
    """Torch's in-place variant: z is written over x, in the cell that both share; backward divides to restore x."""

    def __init__(self, constant, cell):
        self.constant, self.cell = constant, cell

    def forward(self):
        self.cell[0] *= self.constant

    def backward(self, dz):
        self.cell[0] = self.cell[0] / self.constant if self.constant else math.nan  # what IEEE has for 0 / 0
        return [self.constant * dz]


@pytest.mark.parametrize("constant", [2.0, 0.0])
def test_in_place_mul_constant_loses_its_input_for_0(constant):
    # w -> exp -> times constant. The exp gate kept its result; in place, that is the cell which is written over.
    before = ExpGate()
    before.forward(0.5)
    result = before.z
    cell = [result]
    in_place = InPlaceMulConstant(constant, cell)
    in_place.forward()
    dx = in_place.backward(1.0)
    before.z = cell[0]

    gate = MulConstantGate(constant)
    gate.forward(result)
    assert dx == gate.backward(1.0) == [constant]  # its own gradient needs no x and is right, even for 0
    assert gate.x == result
    if constant == 0:
        assert math.isnan(cell[0])
        assert math.isnan(before.backward(*dx)[0])  # the right answer is 0
    else:
        assert cell == [result]
        assert before.backward(*dx) == [constant * result]


def test_poles_are_the_engines():
    gate = Gate("sqrt")
    gate.forward(0.0)
    assert gate.backward() == [math.inf]
    with pytest.raises(ZeroDivisionError, match="reciprocal: division by zero"):
        ReciprocalGate().forward(0.0)


# -------------------------------------------------------------------- graphs


def lecture_graph():
    graph = ComputationalGraph()
    q = graph.gate(AddGate(), "x", "y", name="q")
    graph.gate(MultiplyGate(), q, "z", name="f")
    return graph


def test_the_graph_of_the_lecture():
    graph = lecture_graph()
    assert graph.forward({"x": -2, "y": 5, "z": -4}) == -12.0
    assert graph.backward() == {"x": -4.0, "y": -4.0, "z": 3.0}
    assert graph.values == {"x": -2.0, "y": 5.0, "z": -4.0, "q": 3.0, "f": -12.0}
    assert graph.gradients == {"x": -4.0, "y": -4.0, "z": 3.0, "q": -4.0, "f": 1.0}
    assert graph.backward(0.5) == {"x": -2.0, "y": -2.0, "z": 1.5}
    assert [type(node.gate) for node in graph.nodes_topologically_sorted()] == [AddGate, MultiplyGate]
    assert repr(graph) == "<ComputationalGraph of 2 gates: inputs x, y, z; output f>"


def test_gates_may_be_added_in_any_order():
    graph = ComputationalGraph()
    graph.gate(MultiplyGate(), "q", "z", name="f")
    assert graph.inputs == ["q", "z"]
    graph.gate(AddGate(), "x", "y", name="q")
    assert graph.inputs == ["z", "x", "y"]
    assert graph.forward({"x": -2, "y": 5, "z": -4}) == -12.0
    assert [node.output for node in graph.nodes_topologically_sorted()] == ["q", "f"]


@given(x=numbers)
def test_gradients_add_at_branches(x):
    graph = ComputationalGraph()
    square = graph.gate(MultiplyGate(), "x", "x")
    graph.gate(AddGate(), square, "x")
    assert graph.forward({"x": x}) == x * x + x
    assert graph.backward()["x"] == pytest.approx(2 * x + 1)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 60))
def test_a_graph_from_a_value_is_that_graph_at_any_inputs(seed, n):
    root, leaves = random_graph(Value, n, seed)
    for i, leaf in enumerate(leaves):
        leaf.label = f"x{i}"
    graph = ComputationalGraph.from_value(root)
    used = [leaf for leaf in leaves if leaf.label in graph.inputs]
    root.backward()
    assert graph.values[graph.output] == root.data
    gradients = graph.backward()
    assert [gradients[leaf.label] for leaf in used] == [pytest.approx(leaf.grad, rel=1e-12, abs=1e-15) for leaf in used]

    back, found = graph.to_value()
    back.zero_grad()
    back.backward()
    assert back.data == root.data
    assert {wire: leaf.grad for wire, leaf in found.items()} == pytest.approx(gradients, rel=1e-12, abs=1e-15)


@given(a=st.floats(-4, -1), b=st.floats(1, 4))
def test_microgrids_example_computed_anew_as_gates(a, b):
    g, _, _ = readme_example(Value)
    graph = ComputationalGraph.from_value(g)

    class At:  # the same lines at another point
        def __new__(cls, data, label=""):
            return Value({"a": a, "b": b}[label], label=label)

    other, va, vb = readme_example(At)
    other.backward()
    inputs = {wire: {"a": a, "b": b}.get(wire, graph.values[wire]) for wire in graph.inputs}
    assert graph.forward(inputs) == other.data
    gradients = graph.backward()
    assert (gradients["a"], gradients["b"]) == (pytest.approx(va.grad, rel=1e-12), pytest.approx(vb.grad, rel=1e-12))


def test_fused_ops_constants_and_leaves_that_need_no_gradient():
    w, x = [Value(2.0, label="w0"), Value(-1.0, label="w1")], [Value(0.5, label="x0", requires_grad=False), 3.0]
    out = 1 / (scalargrad.dot(w, x, 0.25) ** 2)
    graph = ComputationalGraph.from_value(out)
    assert graph.inputs == ["w0", "w1", "x0"]
    assert graph.values[graph.output] == out.data
    out.backward()
    assert graph.backward()["w1"] == w[1].grad


class CubeGate:
    """As a student writes it: no base class."""

    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, dz):
        return [3 * self.x**2 * dz]


def test_gates_written_by_hand_run_and_are_drawn_and_traced():
    graph = ComputationalGraph()
    cubed = graph.gate(CubeGate(), "x")
    graph.gate(AddGate(), cubed, "x", name="out")
    assert graph.forward({"x": 2.0}) == 10.0
    assert graph.backward() == {"x": 13.0}
    root, leaves = graph.to_value()
    graph.forward({"x": 100.0})  # the Values stay as they are
    root.zero_grad()
    root.backward()
    assert (root.data, leaves["x"].grad) == (10.0, 13.0)
    graph.forward({"x": 2.0})
    assert "CubeGate" in graph.draw().text
    assert len(graph.trace()) == 3 + 1 + 3


def test_drawing_and_stepping():
    graph = lecture_graph()
    graph.forward({"x": -2, "y": 5, "z": -4})
    assert "grad –" in graph.draw().text
    graph.backward()
    root, leaves = graph.to_value()
    assert list(leaves) == ["x", "y", "z"]
    assert [leaf.grad for leaf in leaves.values()] == [-4.0, -4.0, 3.0]
    assert root.label == "f"
    assert graph.draw(style="circuit").text == scalargrad.draw(root).text
    assert [step.text for step in graph.trace()] == [step.text for step in scalargrad.trace(root)]
    assert graph.trace(2.0)[5].after == 2.0


def test_another_output_and_wires_that_lead_nowhere():
    graph = ComputationalGraph()
    graph.gate(AddGate(), "x", "y", name="sum")
    graph.gate(Gate("sqrt"), "x", name="root")  # slope infinite at 0, and no part of the output
    with pytest.raises(ValueError, match="no gate reads sum and root: choose the output, as in graph.output = 'sum'"):
        graph.forward({"x": 0.0, "y": 1.0})
    graph.output = "sum"
    assert graph.forward({"x": 0.0, "y": 1.0}) == 1.0
    assert graph.backward() == {"x": 1.0, "y": 1.0}
    assert graph.gradients["root"] == 0.0
    with pytest.raises(ValueError, match="no gate drives 'nothing'; there are sum, root"):
        graph.output = "nothing"


def test_a_forward_that_raises_leaves_nothing_half_done():
    graph = ComputationalGraph()
    graph.gate(ReciprocalGate(), graph.gate(ExpGate(), "x", name="e"), name="unused")
    graph.gate(Gate("log"), "y", name="out")
    graph.output = "out"
    graph.forward({"x": 1.0, "y": 1.0})
    with pytest.raises(ValueError, match="log: domain error at -1.0"):
        graph.forward({"x": 2.0, "y": -1.0})
    with pytest.raises(ValueError, match="backward came before forward"):
        graph.backward()


def test_deep_graphs_need_no_recursion():
    graph = ComputationalGraph()
    wire = "x"
    for _ in range(3000):
        wire = graph.gate(AddConstantGate(1.0), wire)
    assert graph.forward({"x": 0.0}) == 3000.0
    assert graph.backward() == {"x": 1.0}
    assert graph.to_value()[0].data == 3000.0


class Counting(list):
    """A list that counts how often it is gone through."""

    times = 0

    def __iter__(self):
        self.times += 1
        return super().__iter__()


def test_adding_a_gate_looks_at_no_other():
    graph = ComputationalGraph()
    graph.nodes = Counting()
    for _ in range(50):
        graph.gate(AddConstantGate(1.0), "x")
    assert graph.nodes.times == 0


def test_a_copy_knows_its_own_gates():
    graph = lecture_graph()
    again = copy.deepcopy(graph)
    with pytest.raises(ValueError, match="this AddGate is in the graph already"):
        again.gate(again.nodes[0].gate, "a", "b")
    again.gate(graph.nodes[0].gate, "a", "b")
    assert len(again.nodes) == len(graph.nodes) + 1


# -------------------------------------------------------------------- errors


def without_a_result():
    gate = CubeGate()
    gate.forward = lambda x: None
    graph = ComputationalGraph()
    graph.gate(gate, "x")
    graph.forward({"x": 1.0})


def no_gradient():
    gate = CubeGate()
    gate.backward = lambda dz: [None]
    graph = ComputationalGraph()
    graph.gate(gate, "x")
    graph.forward({"x": 1.0})
    graph.backward()


def cycle():
    graph = lecture_graph()
    graph.gate(ExpGate(), "f", name="x")
    graph.forward({"y": 1.0, "z": 1.0})


def twice():
    graph, gate = ComputationalGraph(), AddGate()
    graph.gate(gate, "a", "b")
    graph.gate(gate, "b", "c")


def too_few_gradients():
    gate = CubeGate()
    gate.backward = lambda dz: []
    graph = ComputationalGraph()
    graph.gate(gate, "x")
    graph.forward({"x": 1.0})
    graph.backward()


def no_list():
    gate = CubeGate()
    gate.backward = lambda dz: dz
    graph = ComputationalGraph()
    graph.gate(gate, "x")
    graph.forward({"x": 1.0})
    graph.backward()


def changed_after_forward():
    graph = lecture_graph()
    graph.forward({"x": 1, "y": 1, "z": 1})
    graph.gate(ExpGate(), "f")
    graph.backward()


@pytest.mark.parametrize(
    ("attempt", "error", "text"),
    [
        (lambda: Gate("tahn"), ValueError, "there is no op 'tahn' to make a gate of; near it are tan, tanh"),
        (lambda: Gate(), TypeError, "a gate needs an op by its name"),
        (lambda: Gate("add", {2: 1.0}), ValueError, "add has 2 operands, so it takes no constants"),
        (lambda: Gate("sum", {2: 1.0}).forward(1.0), TypeError, "1 inputs leave a gap before constants {2: 1.0}"),
        (lambda: MultiplyGate().forward(1.0), TypeError, "MultiplyGate.forward takes 2 inputs, but 1 were given"),
        (lambda: MultiplyGate().forward(1.0, Value(2.0)), TypeError, "take its number with .data"),
        (lambda: MultiplyGate().backward(1.0), ValueError, "MultiplyGate.backward came before forward"),
        (lambda: ComputationalGraph().forward({}), ValueError, "the graph has no gate: add one"),
        (cycle, ValueError, "the wires form a cycle, .* → .*: no gate of it can be computed first"),
        (twice, ValueError, "this AddGate is in the graph already"),
        (too_few_gradients, ValueError, "CubeGate.backward must return a list of 1 gradients, for x, not 0 of them"),
        (no_list, ValueError, "CubeGate.backward must return a list of 1 gradients, for x, not 1.0"),
        (without_a_result, TypeError, "what CubeGate.forward returns must be a real number, not NoneType"),
        (no_gradient, TypeError, "each gradient that CubeGate.backward returns must be a real number, not NoneType"),
        (changed_after_forward, ValueError, "backward came before forward"),
        (lambda: lecture_graph().backward(), ValueError, "backward came before forward"),
        (lambda: lecture_graph().draw(), ValueError, "the wires have no numbers yet"),
        (lambda: lecture_graph().forward({"x": 1, "y": 2}), ValueError, "forward: z is missing; the inputs are x, y, z"),
        (lambda: lecture_graph().forward({"x": 1, "y": 2, "z": 3, "w": 4}), ValueError, "'w' is no input; the inputs are x"),
        (lambda: lecture_graph().forward({"x": 1, "y": 2, "q": 3}), ValueError, "z is missing and 'q' is no input"),
        (lambda: lecture_graph().forward({"x": 1, "y": 2, "z": "3"}), TypeError, "the input 'z': .* not str"),
        (lambda: lecture_graph().forward([1, 2, 3]), TypeError, "forward takes a dict of inputs"),
        (lambda: lecture_graph().gate(AddGate(), "a", "b", name="f"), ValueError, "'f' is driven by another gate"),
        (lambda: lecture_graph().gate(AddGate(), "a"), TypeError, "AddGate reads 2 wires, not 1: "),
        (lambda: lecture_graph().gate(AddGate(), "a", 2.0), TypeError, "constants belong into gates"),
        (lambda: lecture_graph().gate(AddGate()), ValueError, "AddGate needs names for the wires"),
        (lambda: lecture_graph().gate(AddGate, "a", "b"), TypeError, "not the class AddGate"),
        (lambda: lecture_graph().gate(abs, "a"), TypeError, "takes an object with forward and backward"),
        (lambda: ComputationalGraph.from_value(3.0), TypeError, "from_value takes a Value"),
        (lambda: ComputationalGraph.from_value(Value(3.0)), ValueError, "the graph has no gate"),
        (lambda: ComputationalGraph.from_value(Value(3.0, (Value(1.0),), "mine")), ValueError, "'mine' was written by hand"),
    ],
)  # fmt: skip
def test_errors_say_what_was_given_and_what_to_do(attempt, error, text):
    with pytest.raises(error, match=text):
        attempt()


@pytest.mark.parametrize("wrong", [{"x": "one"}, {"x": None}, {"y": [1.0]}, {"w": 1.0}], ids=str)
def test_inputs_that_are_refused_leave_the_last_run_as_it_was(wrong):
    graph = lecture_graph()
    graph.forward({"x": 1.0, "y": 2.0, "z": 3.0})
    graph.backward()
    before = dict(graph.values), dict(graph.gradients), [node.gate.z for node in graph.nodes]
    with pytest.raises((TypeError, ValueError), match="forward: "):
        graph.forward({"x": 5.0, "y": 6.0, "z": 7.0, **wrong})
    assert (graph.values, graph.gradients, [node.gate.z for node in graph.nodes]) == before
    assert graph.backward() == {wire: before[1][wire] for wire in "xyz"}
