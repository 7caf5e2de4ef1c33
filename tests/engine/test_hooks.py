"""Hooks, anomaly detection and check-pointing: what they see, what they change, and that they end."""

import contextlib
import copy
import gc
import math
import threading

import pytest
from helpers import random_graph
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import (
    AnomalyError,
    Value,
    checkpoint,
    detect_anomaly,
    grad,
    register_hook,
    sweep_hook,
    topological_order,
)
from scalargrad.engine import gradients
from scalargrad.node.extras import hooks_of
from scalargrad.table import TABLE


def test_a_hook_sees_the_finished_gradient_and_may_replace_it():
    x, seen = Value(3.0), []
    y = x * 2
    handle = y.register_hook(seen.append)
    (y + y * y).backward()
    assert seen == [13.0]
    assert x.grad == 26.0
    handle.remove()
    handle.remove()
    double = register_hook(x, lambda g: g * 2)
    x.zero_grad()
    y.backward()
    assert (x.grad, seen) == (4.0, [13.0])
    assert grad(y, x) == 4.0
    double.remove()
    assert grad(y, x) == 2.0


def test_hooks_run_in_graphs_of_gradients_and_in_the_stepper():
    x = Value(3.0)
    y = x * x
    register_hook(y, lambda g: g * 10)
    assert grad(grad(y * 1, x, create_graph=True), x) == 20.0
    assert sg.trace(y * 1).graph.gradients[x] == 60.0


def test_wrong_hooks():
    x = Value(1.0)
    with pytest.raises(TypeError, match="a hook is a function of the gradient, not float"):
        register_hook(x, 1.0)
    register_hook(x, lambda g: "a")
    x.grad = 5.0
    with pytest.raises(TypeError, match="must be a real number, not str"):
        (x * 2).backward()
    assert x.grad == 5.0


def test_a_hook_does_not_keep_its_value_alive():
    class Flag:
        pass

    import weakref

    x, flag = Value(1.0), Flag()
    register_hook(x, lambda g, flag=flag: None)
    gone = weakref.ref(flag)
    del x, flag
    gc.collect()
    assert gone() is None


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(0, 10**6))
def test_a_sweep_hook_sees_every_gradient_children_first(n, seed):
    root, _ = random_graph(Value, n, seed)
    seen = {}
    with sweep_hook(lambda node, gradient: seen.setdefault(node, gradient)):
        root.backward()
    assert list(seen) == topological_order(root)[::-1]
    assert all(node.grad == gradient for node, gradient in seen.items())
    root.backward()
    assert len(seen) == len(topological_order(root))


def test_modes_hold_for_their_thread_only():
    seen = []
    with sweep_hook(lambda node, gradient: seen.append(node)), detect_anomaly():
        worker = threading.Thread(target=lambda: (Value(710.0).exp() * 1.0).backward())
        worker.start()
        worker.join()
    assert seen == []


# -------------------------------------------------------------------- nan and inf


def test_the_first_infinite_result_is_named_with_its_operands_and_line():
    x = Value(800.0, label="x")
    with (
        pytest.raises(AnomalyError, match=r"exp gave inf at 800.0 \(label 'x'\)\n  at .*test_hooks.py:\d+: y = x.exp"),
        detect_anomaly(),
    ):
        y = x.exp()  # noqa: F841
    assert x.exp().data == math.inf


def test_a_bad_gradient_is_named_with_the_line_of_its_operation():
    x = Value(0.0, label="x")
    with detect_anomaly():
        y = x.sqrt()
        z = y * 2.0
        with pytest.raises(
            AnomalyError,
            match=r"the backward of sqrt at 0.0 \(label 'x'\) gave Value 'x' the gradient inf, from 2.0 upstream\n  at .*: y = x.sqrt",
        ):
            z.backward()
        with pytest.raises(AnomalyError, match="the gradient of Value"):
            z.backward(math.nan)
        with pytest.raises(AnomalyError):
            grad(z, x, create_graph=True)
    assert x.grad == 0.0
    z.backward()
    assert x.grad == math.inf


def test_hand_made_nodes_are_inspected_too():
    with detect_anomaly(), pytest.raises(AnomalyError, match="mine gave nan"):
        Value(math.nan, (Value(1.0),), "mine")


# -------------------------------------------------------------------- check-pointing


@settings(max_examples=20)
@given(st.integers(1, 20), st.integers(0, 10**6), st.floats(-1, 1))
def test_a_checkpoint_changes_no_gradient(n, seed, start):
    w = Value(0.7, label="w", parameter=True)

    def f(x, ys):
        root, leaves = random_graph(Value, n, seed)
        return root * x * w + (x + ys[0]).tanh() * leaves[0].data, ys[1] * w

    def gradients(f):
        x, ys = Value(start), [Value(0.5), Value(-0.25)]
        a, b = f(x * 2, ys)
        (a * b + a).backward()
        found = (x.grad, ys[0].grad, ys[1].grad, w.grad)
        w.grad = 0.0
        return found

    assert gradients(checkpoint(f)) == pytest.approx(gradients(f), rel=1e-12, abs=1e-12)


def test_a_checkpoint_forgets_what_is_inside():
    def long(x):
        for _ in range(1000):
            x = (x * 1.001).sin()
        return x

    x = Value(1.0)
    assert len(topological_order(long(x))) == 2001
    y = x
    for _ in range(3):
        y = checkpoint(long)(y)
    assert len(topological_order(y)) == 4
    y.backward()
    z = Value(1.0)
    long(long(long(z))).backward()
    assert x.grad == z.grad
    assert checkpoint(long).__name__ == "long"


def test_a_checkpoint_can_be_differentiated_twice():
    w = Value(2.0)
    cube = checkpoint(lambda x: x**3 * w)
    assert sg.derivative(cube, 2)(3.0).data == 36.0
    assert grad(grad(cube(Value(3.0)), w, create_graph=True), w) == 0.0
    with sg.no_grad():
        assert cube(Value(3.0)).is_leaf
    assert checkpoint(lambda x: 5.0)(Value(1.0)) == 5.0


def test_a_checkpointed_function_is_called_as_the_function_is():
    def f(x, scale=1.0, *, ys=()):
        return sg.sum([x * scale, *ys])

    def gradients(f):
        x, scale, y = Value(3.0), Value(2.0), Value(5.0)
        f(x, scale=scale, ys=[y, x]).backward()
        return x.grad, scale.grad, y.grad

    assert gradients(checkpoint(f)) == gradients(f) == (3.0, 3.0, 1.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'zs'"):
        checkpoint(f)(Value(3.0), zs=1.0)


def test_a_checkpoint_that_computes_something_else_is_refused():
    w = Value(2.0)
    x = Value(3.0)
    y = checkpoint(lambda x: x * w)(x)
    w.data = 5.0
    with pytest.raises(RuntimeError, match=r"gave 6.0 at first and 15.0 when it was run again"):
        y.backward()
    assert x.grad == 0.0


def test_a_checkpoint_whose_captured_values_feed_its_inputs():
    """What lies below the inputs is swept once, by the outer sweep."""
    x = Value(3.0)
    assert grad(checkpoint(lambda y: y * x)(x), x, create_graph=True).data == 6.0
    assert grad(checkpoint(lambda y: y * x)(x * 2), x, create_graph=True).data == 12.0
    assert grad(checkpoint(lambda y: y * x)(x * 2), x) == 12.0
    assert sg.hessian(lambda z: checkpoint(lambda y: y * z)(z))(3.0) == 2.0
    assert sg.hvp(lambda z: checkpoint(lambda y: y * z * y)(z), (3.0,), (1.0,)) == 18.0

    def f(wrap):
        return sg.hessian(lambda p: wrap(lambda q: sg.tanh(p * q))(sg.tanh(p * 0.5)))(1.3)

    assert f(checkpoint) == pytest.approx(f(lambda g: g), rel=1e-12)


def test_a_checkpoint_gives_gradients_to_computed_values_it_captures():
    x = Value(3.0)
    h = x * 2
    y = checkpoint(lambda y: y * h)(2.0)
    assert y.parents == (h,)
    assert grad(y, h) == 2.0
    assert grad(y, x) == 4.0
    assert grad(lambda z: checkpoint(lambda y: y * z)(2.0))(x).data == 2.0


def test_a_hook_that_refers_to_its_own_value_is_freed_with_it():
    import weakref

    def step():
        x = Value(1.0)
        y = x * 2
        y.register_hook(lambda g: g * (y.data > 0))
        return weakref.ref(x), weakref.ref(y)

    refs = [step() for _ in range(3)]
    gc.collect()
    assert all(ref() is None for pair in refs for ref in pair)


def test_hooks_survive_copies_and_changed_settings():
    x = Value(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g * 100)
    x.requires_grad = True
    twin = copy.deepcopy(y * 1)
    twin.backward()
    leaf = next(v for v in topological_order(twin) if v.is_leaf)
    assert leaf.grad == 3000.0
    assert y._op == "*"
    assert "×" in sg.draw(y, engine="text").text
    z = Value(1.0)
    z.register_hook(lambda g: Value(5.0))
    (z * 2).backward()
    assert z.grad == 5.0
    assert isinstance(z.grad, float)


def assign_data(node):
    node.data = node.data


def assign_backward(node):
    node._backward = node._backward


def assign_requires_grad(node):
    node.requires_grad = not node.requires_grad


def rebound(x):
    with sg.no_grad():
        x -= 0.5
    return x


@pytest.mark.parametrize(
    ("make", "assign"),
    [
        (lambda x: x, assign_data), (lambda x: x, assign_backward), (lambda x: x, assign_requires_grad),
        (lambda x: x * 3, assign_data), (lambda x: x * 3, assign_backward), (rebound, assign_requires_grad),
        (lambda x: Value(2.0, (), "input"), assign_requires_grad),
    ],
)  # fmt: skip
def test_whatever_is_assigned_to_a_node_its_hooks_stay(make, assign):
    node, seen = make(Value(2.0)), []
    handle = node.register_hook(seen.append)
    assign(node)
    node.register_hook(seen.append)

    def swept():
        seen.clear()
        with contextlib.suppress(ValueError):  # the gradient of data that was assigned; hooks see theirs before
            (node * 5 + Value(0.0)).backward()
        return seen

    assert swept() == [5.0, 5.0]
    handle.remove()
    assert swept() == [5.0]


@pytest.mark.parametrize("make", [lambda: Value(2.0, (), "input", label="x"), lambda: rebound(Value(2.0))])
@pytest.mark.parametrize("flag", [True, False])
def test_a_leaf_of_another_kind_becomes_one_like_others(make, flag):
    x, y = make(), Value(3.0)
    label = x.label
    x.requires_grad = flag
    (x * y).backward()
    assert (x.requires_grad, x.grad, x.label, x.operands) == (flag, 3.0 * flag, label, ())


def test_a_rule_that_nodes_share_never_gets_hooks():
    x = Value(2.0)
    y = x * 3
    for node in (x, y):
        node.register_hook(lambda g: 0.0)
        node.data = 1.0
    x.requires_grad = False
    others = [Value(2.0), Value(2.0, requires_grad=False), x * 3]
    assert [hooks_of(other) for other in others] == [None] * 3
    assert y._rule is others[2]._rule is TABLE["multiply"]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_has_the_same_gradients_and_hooks_of_its_own(copied):
    x = Value(2.0)
    times_ten = x.register_hook(lambda g: g * 10)
    twin = copied(x)

    def gradients():
        return grad(x * 3, x), grad(twin * 3, twin)

    assert gradients() == (30.0, 30.0)
    times_ten.remove()
    assert gradients() == (3.0, 30.0)
    plus_one = x.register_hook(lambda g: g + 1)
    assert gradients() == (4.0, 30.0)
    twin.register_hook(lambda g: g + 2)
    assert gradients() == (4.0, 32.0)
    plus_one.remove()
    assert grad(copied(x) * 3, x) == 0.0


def test_anomalies_are_found_after_a_sweep_that_raised():
    """Whoever raises in the middle of it: a closure, a hook, or another that looks on."""

    def stop(*_):
        raise RuntimeError("stop")

    x = Value(800.0, label="x")
    by_hand = Value(1.0, (x,), "mine")
    by_hand._backward = stop
    hooked = x * 2
    hooked.register_hook(stop)
    with detect_anomaly():
        for node, watched in ((by_hand, detect_anomaly()), (hooked, detect_anomaly()), (x * 2, sweep_hook(stop))):
            with pytest.raises(RuntimeError, match="stop"), watched:
                (node * 2).backward()
            with pytest.raises(AnomalyError, match="exp gave inf"):
                x.exp()


def test_a_watch_ends_with_its_sweep():
    """Its `finally` runs at once, also where something still refers to the error."""
    ended = []

    def watch(turns, adjoints):
        try:
            yield from turns
        finally:
            ended.append(True)

    node = Value(1.0, (Value(1.0),), "mine")
    node._backward = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError) as caught:
        gradients([node], [1.0], watch=watch)
    assert ended == [True]
    assert caught.value is not None


def test_anomalies_in_a_graph_of_gradients_name_the_operation():
    x = Value(0.0, label="x")
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"the backward of sqrt at 0.0 \(label 'x'\)"):
        grad(x.sqrt(), x, create_graph=True)
