"""The steps of a trace are what the engine does: nothing more, nothing less, and no `grad` is touched."""

import pytest
from helpers import arguments, call, random_graph, readme_example
from hypothesis import given, settings
from hypothesis import strategies as st
from traces import check_trace

import scalargrad as sg
from scalargrad import Value, trace
from scalargrad.table import TABLE
from scalargrad.words.patterns import Pattern, pattern_of


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_op_of_the_table(name):
    op = TABLE[name]

    @settings(max_examples=5)
    @given(arguments(op))
    def holds(xs):
        check_trace(call(op, [Value(x) for x in xs]) * 1.5)

    holds()


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_random_graphs(n, seed):
    check_trace(random_graph(Value, n, seed)[0])


def test_readme_example_and_shared_operands():
    steps = check_trace(readme_example(Value)[0])
    into_b = [s for s in steps if s.phase == "backward" and s.node.label == "b"]
    assert [s.part for s in into_b] == list(range(1, len(into_b) + 1))
    assert {s.parts for s in into_b} == {len(into_b)}
    a = Value(3.0, label="a")
    check_trace(a * a)
    check_trace(sg.dot([a, a], [a, 2.0], a) + sg.sum([a, a]))


def test_the_lecture_neuron_in_the_learners_words():
    """CS231n lecture 4, the sigmoid neuron: the equations that the notes put under each gate."""
    w0, w1, w2 = (Value(x, label=f"w{i}", parameter=True) for i, x in enumerate((2.0, -3.0, -3.0)))
    x0, x1 = (Value(x, label=f"x{i}") for i, x in enumerate((-1.0, -2.0)))
    s = w0 * x0 + w1 * x1 + w2
    s.label = "s"
    f = 1 / (1 + (-s).exp())
    f.label = "f"
    steps = trace(f)
    texts = [s.text for s in steps]
    assert len(texts) == 26
    assert texts[8] == "s = v3 + w2 = 4 + (−3) = 1"
    assert texts[13] == "f.grad = 1"
    assert texts[16] == "v4.grad += v5.grad × local = −0.5344 × 0.3679 = −0.1966"
    assert texts[22] == "w1.grad += v2.grad × local = 0.1966 × (−2) = −0.3932"
    assert steps[22].edge == ("w1", "v2")
    assert steps[22].why == "× switches: the local derivative for w1 is the other factor, x1 = −2."
    assert steps[18].why.startswith("+ distributes: the local derivative for v3 is 1, so")
    assert steps[16].why == "exp is its own slope: the local derivative for v4 is v5 = 0.3679."
    assert repr(steps[13]) == "<step 14, seed: f.grad = 1>"
    assert repr(steps) == "<trace of f: 13 values, 26 steps>"


def test_accumulation_is_shown_where_a_value_has_several_children():
    a = Value(3.0, label="a")
    y = a * a
    y.label = "y"
    last = trace(y)[-1]
    assert last.text == "a.grad += y.grad × local (right a) = 1 × 3 = 3 → 3 + 3 = 6"
    assert "a is used 2 times, and every use adds its share (+=): this is share 2 of 2." in last.why


def test_a_trace_is_a_sequence():
    x = Value(2.0, label="x")
    steps = trace(x * x + 1)
    assert len(steps) == len(list(steps)) == 7
    assert steps[-1] is steps[6]
    assert [s.index for s in steps[2:4]] == [2, 3]
    assert steps.index(steps[3]) == 3
    with pytest.raises(IndexError):
        steps[7]


def test_a_trace_keeps_its_numbers_and_names():
    x = Value(2.0, label="x")
    steps = trace(x * 3)
    before = [s.text for s in trace(x * 3)]
    x.data, x.label, x.grad = 100.0, "changed", 5.0
    assert [s.text for s in steps] == before


def test_constants_get_no_step_backward():
    x, c = Value(2.0), Value(5.0, requires_grad=False)
    backward = [s for s in trace(x * c) if s.phase == "backward"]
    assert [s.node for s in backward] == [x]


def test_seed_and_errors():
    x = Value(2.0)
    assert trace(x * x, seed=10.0)[-1].after == 40.0
    with pytest.raises(TypeError, match="trace takes a Value, the output of a graph, not float"):
        trace(2.0)
    with pytest.raises(ValueError, match="nothing to differentiate"):
        trace(Value(1.0, requires_grad=False) * 2)


def test_hand_written_closures_are_steps_too():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    out = Value(a.data * b.data, (a, b), "mul")

    def _backward():
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = _backward
    root = out * 2
    steps = trace(root)
    assert [(s.name, s.contribution, s.local) for s in steps[-2:]] == [("a", 6.0, None), ("b", 4.0, None)]
    assert "closure of mul decides" in steps[-1].why
    assert a.grad == b.grad == out.grad == 0.0


@settings(max_examples=30)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=5), st.sampled_from(["sum", "mean", "prod", "logsumexp"]))
def test_expanded_fused_nodes_give_the_same_gradients(xs, name):
    def root(values):
        return getattr(sg, name)(values).tanh() + sg.dot(values, [*values[1:], 2.0], values[0])

    leaves = [Value(x, label=f"x{i}") for i, x in enumerate(xs)]
    fused, spelled = trace(root(leaves)), trace(root(leaves), expand=True)
    assert {s.node._op for s in spelled if s.phase == "forward"} <= {"", "+", "*", "/", "tanh", "exp", "log"}
    for leaf in leaves:
        assert spelled.graph.gradients[leaf] == pytest.approx(fused.graph.gradients[leaf], rel=1e-9, abs=1e-9)


def test_cross_entropy_expands_but_not_where_exp_would_overflow():
    scores = [Value(1.0), Value(2.0)]
    loss = sg.nn.cross_entropy(scores, 0)
    assert "logsumexp" not in {s.node._op for s in trace(loss, expand=True)}
    big = sg.logsumexp([Value(1000.0), Value(0.0)]) * 1.0
    assert "logsumexp" in {s.node._op for s in trace(big, expand=True)}


def test_expanding_works_inside_no_grad():
    y = sg.dot([Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)])
    with sg.no_grad():
        assert len(trace(y, expand=True)) == 4 + 3 + 1 + 6


def test_a_node_below_a_hand_written_closure_stays_fused():
    a = Value(2.0)
    total = sg.sum([a, a])
    out = Value(total.data, (total,), "same")

    def _backward():
        total.grad += out.grad

    out._backward = _backward
    steps = trace(out + sg.sum([a, a, a]), expand=True)
    assert steps.graph.gradients[a] == 5.0


def test_patterns():
    expected = {
        "add": Pattern.DISTRIBUTOR, "subtract": Pattern.DISTRIBUTOR, "sum": Pattern.DISTRIBUTOR,
        "mean": Pattern.DISTRIBUTOR, "multiply": Pattern.SWITCHER, "dot": Pattern.SWITCHER, "max": Pattern.ROUTER,
        "maximum": Pattern.ROUTER, "where": Pattern.ROUTER, "clip": Pattern.ROUTER, "relu": Pattern.VALVE,
        "absolute": Pattern.VALVE, "sign": Pattern.WALL, "floor": Pattern.WALL, "leaky_relu": Pattern.SCALER,
        "remainder": Pattern.SCALER, "divide": Pattern.SCALER, "exp": Pattern.SCALER, "sigmoid": Pattern.SCALER,
    }  # fmt: skip
    assert {name: pattern_of(TABLE[name]) for name in expected} == expected


def test_where_gradient_goes_is_said():
    x, y = Value(3.0, label="x"), Value(1.0, label="y")
    why = {s.name: s.why for s in trace(sg.max([x, y])) if s.phase == "backward"}
    assert "max routes, and x is the larger: the local derivative for x is 1," in why["x"]
    assert "max routes, and y is not the larger: the local derivative for y is 0," in why["y"]
    assert "tie" in trace(sg.maximum(x, x))[-1].why
    assert "shut" in trace((-x).relu())[4].why
    assert "flat" in trace(sg.sign(x))[-1].why


def test_a_hook_is_a_step():
    x = Value(2.0, label="x")
    a = x * 3
    handle = a.register_hook(lambda g: g * 10)
    steps = trace((a + 1) * a, names=False)
    hook = next(s for s in steps if s.phase == "hook")
    assert (hook.name, hook.before, hook.after, hook.text) == ("v1", 13.0, 130.0, "v1.grad: 13 → 130")
    assert hook.why == "A hook on v1 replaced its gradient, now that it is complete, by 130."
    assert steps[-1].before == 0.0
    assert steps[-1].after == steps.graph.gradients[x] == 390.0
    handle.remove()
    x.register_hook(lambda g: g * 100)
    assert trace(a)[-1].after == 300.0


@pytest.mark.parametrize("where", ["on the sum", "above it", "below it"])
def test_expanding_keeps_hooks(where):
    x = Value(2.0)
    inner = x * 1
    total = sg.sum([inner, x, x])
    above = total * x
    register = {"on the sum": total, "above it": above, "below it": inner}[where]
    register.register_hook(lambda g: g * 10)
    root = above + 1
    root.backward()
    assert trace(root, expand=True).graph.gradients[x] == trace(root).graph.gradients[x] == x.grad


def test_a_leaf_changed_since_is_shown_as_it_was_used():
    x = Value(2.0, label="x")
    y = x * x
    x.data = 5.0
    assert [s.text for s in trace(y, names=False)][:2] == ["x = 2", "v1 = x × x = 2 × 2 = 4"]


def test_texts_do_not_change_when_data_is_assigned_later():
    x = Value(2.0, label="x")
    v = x * x
    steps = trace(v + 1, names=False)
    v.data = 100.0
    assert steps[1].text == "v1 = x × x = 2 × 2 = 4"
    assert steps[-1].why.startswith("× switches: the local derivative for the right x is the other factor, x = 2.")


HIDDEN = Value(4.0, label="hidden")


def test_a_closure_that_reaches_a_value_it_does_not_list():
    """Found among the variables of its module; no `grad` is touched, and the contribution is a step."""
    x = Value(3.0, label="x")
    out = Value(10.0, (x,), "g")

    def _backward():
        x.grad += out.grad
        HIDDEN.grad += x.data * out.grad

    out._backward = _backward
    root = out + HIDDEN
    steps = trace(root)
    assert (HIDDEN.grad, x.grad) == (0.0, 0.0)
    assert steps.graph.gradients[HIDDEN] == 4.0
    assert [s.contribution for s in steps if s.name == "hidden" and s.phase == "backward"] == [1.0, 3.0]
    assert steps.save
    root.backward()
    assert HIDDEN.grad == 4.0
    assert sg.explain(root, wrt=HIDDEN).total == 4.0
    HIDDEN.grad = 0.0
