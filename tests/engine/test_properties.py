"""One property for each promise, over random expressions; and a state machine that uses the engine as a session does."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

import scalargrad as sg
from scalargrad import Value, checkpoint, grad, hvp, jvp, topological_order
from scalargrad.checking import Verdict, check_gradients, check_op
from scalargrad.functional.forward import tangents
from scalargrad.strategies import expressions, networks
from scalargrad.table import TABLE

few = settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


@few
@given(expressions(inputs=3))
def test_gradients_agree_with_differences(expression):
    report = check_gradients(expression, expression.inputs)
    assert not report.wrong, report


@few
@given(expressions(inputs=2, max_ops=6))
def test_second_derivatives_agree_with_differences(expression):
    report = check_gradients(expression, expression.inputs, order=2)
    assert not report.wrong, report


def right(f, xs):
    return grad(lambda v: f(*v))(list(xs))


def near(a, b):
    return a == pytest.approx(b, rel=1e-9, abs=1e-9)


@few
@given(expressions(inputs=2))
def test_repeated_backward_adds_exactly_the_same(expression):
    root, leaves = expression.graph()
    root.backward()
    once = [leaf.grad for leaf in leaves]
    root.backward()
    root.backward()
    assert [leaf.grad for leaf in leaves] == [a + a + a for a in once]
    root.zero_grad()
    assert {node.grad for node in topological_order(root)} == {0.0}


@few
@given(expressions(inputs=2), st.floats(-3, 3))
def test_gradients_are_linear_in_the_seed(expression, seed):
    root, leaves = expression.graph()
    root.backward(seed)
    assert near([leaf.grad for leaf in leaves], [seed * d for d in right(expression, expression.inputs)])


@few
@given(expressions(inputs=2), expressions(inputs=2))
def test_the_gradient_of_a_sum_is_the_sum_of_gradients(f, g):
    xs = f.inputs
    try:
        apart = [a + b for a, b in zip(right(f, xs), right(g, xs), strict=True)]
    except (ValueError, ArithmeticError):  # g was drawn for another point
        return
    if all(map(math.isfinite, apart)):
        assert near(right(lambda *v: f(*v) + g(*v), xs), apart)


@few
@given(expressions(inputs=2))
def test_copies_steps_checkpoints_and_forward_mode_agree(expression):
    import copy

    xs, expected = list(expression.inputs), right(expression, expression.inputs)
    root, leaves = expression.graph()
    twin = copy.deepcopy(root)
    twin.backward()
    by_label = {node.label: node.grad for node in topological_order(twin) if node.is_leaf and node.label}
    assert near([by_label.get(leaf.label, 0.0) for leaf in leaves], expected)
    steps = sg.trace(root).graph.gradients
    assert near([steps.get(leaf, 0.0) for leaf in leaves], expected)
    assert near(right(checkpoint(expression), xs), expected)
    columns = [jvp(expression, tuple(xs), tuple(float(i == j) for j in range(len(xs))))[1] for i in range(len(xs))]
    assert near(columns, expected)
    hvp(expression, tuple(xs), (1.0,) * len(xs))


@few
@given(networks(nin=2))
def test_networks(network):
    report = check_gradients(network, network.inputs)
    assert not report.wrong, report


@pytest.mark.parametrize("name", sorted(TABLE))
def test_check_op_passes_every_row_of_the_table(name):
    verdicts = check_op(TABLE[name].function, examples=15)
    assert verdicts[Verdict.FAIL] == 0
    assert verdicts[Verdict.PASS] > 0


class Session(RuleBasedStateMachine):
    """Build, differentiate, clear, change and delete in any order: every `grad` is what forward mode says it must be.

    The model keeps for each leaf the sum of what the calls of backward() should have added, by forward mode.
    """

    values = Bundle("values")

    def __init__(self):
        super().__init__()
        self.leaves, self.expected, self.changed = [], {}, {}

    @initialize(target=values)
    def first(self):
        return self.leaf(1.5)

    def leaf(self, x):
        leaf = Value(x)
        self.leaves.append(leaf)
        self.expected[leaf] = 0.0
        return leaf

    @rule(target=values, x=st.floats(-2, 2))
    def new_leaf(self, x):
        return self.leaf(x)

    @rule(
        target=values,
        op=st.sampled_from(["add", "multiply", "subtract", "maximum", "dot", "where"]),
        x=values,
        y=values,
    )
    def compute(self, op, x, y):
        if op == "dot":
            return sg.dot([x, y, x], [y, 2.0, x], y)
        return sg.where(1.0, x, y) * 1.0 if op == "where" else getattr(sg, op)(x, y)

    @rule(target=values, op=st.sampled_from(["tanh", "sin", "relu", "sigmoid", "square"]), x=values)
    def apply(self, op, x):
        return getattr(sg, op)(x.tanh())

    @rule(root=values, seed=st.floats(-2, 2))
    def backward(self, root, seed):
        order = set(topological_order(root))
        for leaf in self.leaves:
            if leaf in order:
                speed = tangents([root], {leaf: 1.0}).get(root, 0.0)
                self.expected[leaf] += seed * speed
        root.backward(seed)

    @rule(root=values)
    def zero_grad(self, root):
        root.zero_grad()
        for node in topological_order(root):
            if node in self.expected:
                self.expected[node] = 0.0

    @rule(root=values)
    def differentiate_without_a_trace(self, root):
        before = [leaf.grad for leaf in self.leaves]
        grad(root, self.leaves)
        sg.trace(root)
        assert [leaf.grad for leaf in self.leaves] == before

    @rule(x=st.floats(-2, 2), data=st.data())
    def change_a_leaf(self, x, data):
        data.draw(st.sampled_from(self.leaves)).data = x  # what was computed from it keeps the number it saw

    @rule(gone=consumes(values))
    def delete(self, gone):
        del gone

    @rule(root=values)
    def fail(self, root):
        before = [leaf.grad for leaf in self.leaves]
        with pytest.raises(TypeError, match="must be a real number"):
            root.backward("1")
        assert [leaf.grad for leaf in self.leaves] == before

    @invariant()
    def gradients_are_what_they_should_be(self):
        for leaf in self.leaves:
            assert leaf.grad == pytest.approx(self.expected[leaf], rel=1e-9, abs=1e-9)


TestSession = Session.TestCase
TestSession.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
