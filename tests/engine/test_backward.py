"""What backward() promises: the right numbers, exactly repeatable, at any depth, and nothing changed on error."""

import copy
import gc
import math
import pickle
import random
import threading
import weakref
from fractions import Fraction

import pytest
from helpers import README_EXAMPLE, random_graph, readme_example, slope
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, no_grad, topological_order
from scalargrad.engine import gradients
from scalargrad.node.node import descendants
from scalargrad.node.numbers import plain_gradient


def test_the_readme_example_of_micrograd():
    g, a, b = readme_example(Value)
    g.backward()
    assert (g.data, a.grad, b.grad) == README_EXAMPLE


def test_backward_again_adds_exactly_the_same_again():
    x = Value(3.0)
    y = x**4
    seen = []
    for _ in range(3):
        y.backward()
        seen.append(x.grad)
    assert seen == [108, 216, 324]
    y.zero_grad()
    assert (x.grad, y.grad) == (0, 0)
    y.backward(seed=0.5)
    assert (x.grad, y.grad) == (54, 0.5)


def test_two_roots_over_a_shared_node_add_up():
    x = Value(2.0)
    shared = x * x
    first, second = shared * 3, shared * x * 2.5
    first.backward()
    second.backward()
    assert x.grad == 12 + 30


def test_every_use_of_a_value_counts():
    a = Value(3.0)
    (a + a).backward()
    assert a.grad == 2
    a.zero_grad()
    (a * a * a).backward()
    assert a.grad == 27
    a.zero_grad()
    sg.dot([a, a], [a, 2.0], a).backward()
    assert a.grad == 2 * 3 + 2 + 1


def test_order_matters():
    """Depth first without sorting gives 46 and 35 here."""
    a, b = Value(2.0), Value(3.0)
    c, d = a + b, a * b
    (c + d + c * d).backward()
    assert (a.grad, b.grad) == (25, 19)


def test_the_sort_puts_parents_first_and_lists_each_node_once():
    root, _ = random_graph(Value, 300, seed=1)
    order = topological_order(root)
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is root
    assert all(place[parent] < place[node] for node in order for parent in node.parents)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_gradients_of_random_graphs_match_exact_fractions(seed, n):
    """Over + - * the gradient is rational: compare with forward differentiation in exact arithmetic."""
    rng = random.Random(seed)
    numbers = [Fraction(rng.randint(-8, 8), 8) for _ in range(4)]

    def program(rng, leaves):
        nodes = list(leaves)
        for _ in range(n):
            x, y, op = rng.choice(nodes[-6:]), rng.choice(nodes), rng.randrange(3)
            nodes.append((x + y) / 2 if op == 0 else x - y if op == 1 else x * y / 2)
        return sum(nodes[-6:])

    class Dual:
        """A number and its derivative along one direction."""

        def __init__(self, x, dx=Fraction(0)):
            self.x, self.dx = x, dx

        def __add__(self, other):
            return (
                Dual(self.x + other.x, self.dx + other.dx) if isinstance(other, Dual) else Dual(self.x + other, self.dx)
            )

        __radd__ = __add__

        def __sub__(self, other):
            return Dual(self.x - other.x, self.dx - other.dx)

        def __mul__(self, other):
            return Dual(self.x * other.x, self.dx * other.x + self.x * other.dx)

        def __truediv__(self, number):
            return Dual(self.x / number, self.dx / number)

    state = rng.getstate()
    leaves = [Value(x) for x in numbers]
    root = program(rng, leaves)
    root.backward()
    for i, leaf in enumerate(leaves):
        rng.setstate(state)
        exact = program(rng, [Dual(x, Fraction(j == i)) for j, x in enumerate(numbers)])
        assert root.data == pytest.approx(float(exact.x), rel=1e-9, abs=1e-9)
        assert leaf.grad == pytest.approx(float(exact.dx), rel=1e-9, abs=1e-9)


def test_a_change_of_data_after_the_forward_pass_does_not_falsify_the_gradient():
    a, b = Value(2.0), Value(0.0)
    c = a * b
    a.data = 5.0
    c.backward()
    assert (b.grad, a.grad) == (2.0, 0.0)
    assert (a * 1.0).data == 5.0


def test_backward_through_an_overwritten_result_is_refused_before_anything_changes():
    x = Value(1.0, label="x")
    t = x.tanh()
    t.label = "t"
    y = t * x
    t.data = 0.5
    assert (t * 2).data == 1.0
    with pytest.raises(ValueError, match="the data of Value 't' was assigned after 'tanh' computed it"):
        y.backward()
    assert (x.grad, t.grad, y.grad) == (0, 0, 0)


# -------------------------------------------------------------------- micrograd's way


def tanh_by_hand(x):
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def _backward():
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def test_an_op_written_as_in_micrograd():
    x = Value(0.7, label="x")
    y = tanh_by_hand(x * 2) * x
    for times in (1, 2):
        y.backward()
        assert x.grad == pytest.approx(times * (math.tanh(1.4) + 0.7 * 2 * (1 - math.tanh(1.4) ** 2)), rel=1e-15)
    assert y.parents[0]._op == "tanh"
    assert y._prev == y.parents


def test_hand_written_closures_with_two_parents_and_the_same_parent_twice():
    def multiply(a, b):
        out = Value(a.data * b.data, (a, b), "*")

        def _backward():
            a.grad += b.data * out.grad
            b.grad += a.data * out.grad

        out._backward = _backward
        return out

    a, b = Value(3.0), Value(4.0)
    multiply(multiply(a, b), a).backward()
    assert (a.grad, b.grad) == (24, 9)
    a.grad = 0.0
    multiply(a, a).backward()
    assert a.grad == 6


def test_an_exception_in_a_custom_backward_leaves_every_gradient_as_it_was():
    x, w = Value(2.0), Value(3.0)
    h = x * w
    out = Value(h.data, (h,), "broken")

    def _backward():
        h.grad += 1.0
        raise RuntimeError("broken")

    out._backward = _backward
    y = out * x
    x.grad, h.grad, out.grad = 7.0, 8.0, 9.0
    with pytest.raises(RuntimeError, match="broken"):
        y.backward()
    assert (x.grad, w.grad, h.grad, out.grad, y.grad) == (7, 0, 8, 9, 0)


def test_a_custom_backward_that_makes_nonsense_is_named_before_anything_changes():
    x = Value(2.0)
    out = Value(4.0, (x,), "odd")

    def _backward():
        x.grad = "1.0"

    out._backward = _backward
    with pytest.raises(TypeError, match="real number, not str"):
        out.backward()
    assert x.grad == 0.0


def test_a_grad_that_is_no_number_is_refused_before_anything_changes():
    x, w = Value(2.0), Value(3.0)
    y = x * w
    w.grad = "no"
    with pytest.raises(TypeError):
        y.backward()
    assert (x.grad, y.grad) == (0, 0)


def test_the_local_backward_closure_can_be_called_by_hand():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    e = a * b
    L = e + 10
    L.grad = 1.0
    L._backward()
    e._backward()
    a._backward()
    assert (e.grad, a.grad, b.grad) == (1, -3, 2)
    b._backward()
    assert b.grad == 2


def test_setting_a_closure_on_a_node_of_the_table():
    x, y = Value(2.0), Value(3.0)
    z = x * y

    def straight_through():
        x.grad += z.grad

    z._backward = straight_through
    (z * 5).backward()
    assert (x.grad, y.grad) == (5, 0)
    assert z._backward is straight_through
    assert z._op == "*"
    with pytest.raises(TypeError, match="function without arguments"):
        z._backward = 3


def test_a_closure_may_wrap_the_one_it_replaces():
    a, b = Value(3.0), Value(4.0)
    for build, slopes in (
        (lambda: a * 2, (2, 0)),
        (lambda: 5.0 - a, (-1, 0)),
        (lambda: sg.dot([a, b], [3.0, 4.0], b), (3, 5)),
    ):
        c = build()
        old = c._backward

        def twice(old=old):
            old()
            a.grad *= 2

        c._backward = twice
        a.grad = b.grad = 0.0
        c.backward()
        assert (a.grad, b.grad) == (2 * slopes[0], slopes[1])
        c._backward = c._backward
    assert "x.grad" not in repr(old)


def test_closures_on_leaves_as_micrograds_own_constructor_sets_them():
    class Mine(Value):
        def __init__(self, data, _children=(), _op=""):
            super().__init__(data, _children, _op)
            self._backward = lambda: None

    x = Mine(3.0)
    (x * 2).backward()
    assert (x.grad, x.is_leaf, x.requires_grad) == (2, True, True)
    x.data = 5
    (x * 2).backward()
    assert x.grad == 4
    assert Value(1.0, (), "inp")._op == "inp"
    with pytest.raises(ValueError, match="are for leaves"):
        Value(1.0, (x,), "q", requires_grad=False)


def test_a_closure_may_reach_leaves_it_did_not_list_but_no_computed_values():
    a, w = Value(2.0), Value(3.0, label="w")

    def linear(weight, fail=False):
        out = Value(a.data * weight.data, (a,), "linear")

        def _backward():
            a.grad += weight.data * out.grad
            weight.grad += a.data * out.grad
            if fail:
                raise RuntimeError

        out._backward = _backward
        return out

    for times in (1, 2):
        linear(w).backward()
        assert (a.grad, w.grad) == (3 * times, 2 * times)
    with pytest.raises(RuntimeError):
        linear(w, fail=True).backward()
    assert (a.grad, w.grad) == (6, 4)
    computed = w * 5
    computed.label = "computed"
    with pytest.raises(ValueError, match="gives a gradient to Value 'computed', which is not among its parents"):
        (linear(computed) * 2 + computed).backward()
    assert (a.grad, w.grad, computed.grad) == (6, 4, 0)


def test_children_must_be_values_and_parents_cannot_be_exchanged():
    with pytest.raises(TypeError, match="_children must be Values, not float"):
        Value(1.0, (2.0,), "+")
    a = Value(1.0)
    b = a + 1
    for name in ("parents", "_prev"):
        with pytest.raises(AttributeError):
            setattr(a, name, (b,))
    with pytest.raises(TypeError, match="label must be a string"):
        a.label = 3


# -------------------------------------------------------------------- size


@has_full_size
def test_a_million_additions_build_run_backward_copy_print_and_go():
    n = size(150_000, 1_000_000)
    x = Value(1.0)
    y = x
    for _ in range(n):
        y = y + 1.0
    y.backward()
    assert (y.data, x.grad) == (n + 1, 1)
    assert repr(y) == f"Value(data={n + 1}.0, grad=1.0)"
    twin = copy.deepcopy(y)
    assert (twin.data, twin is y) == (y.data, False)
    y.zero_grad()
    assert x.grad == 0
    del twin, y


def test_a_sum_over_a_hundred_thousand_nodes_takes_one_pass():
    xs = [Value(1.0) for _ in range(100_000)]
    sg.sum([x * 2.0 for x in xs]).backward()
    assert {x.grad for x in xs} == {2.0}


def test_a_graph_is_freed_with_its_root_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        root, _ = random_graph(Value, 50_000, seed=2)
        root.backward()
        somewhere = [weakref.ref(node) for node in topological_order(root)[::1000]]
        assert len(topological_order(root)) > 20_000
        del root, _
        assert all(ref() is None for ref in somewhere)
    finally:
        gc.enable()


# -------------------------------------------------------------------- constants


def test_what_does_not_require_grad_gets_none():
    x = Value(2.0)
    c = Value(3.0, requires_grad=False)
    (x * c).backward()
    assert (x.grad, c.grad) == (3, 0)
    d = (x * 5).detach()
    assert (d.data, d.requires_grad, d.parents) == (10, False, ())
    y = d * x
    y.backward()
    assert (x.grad, d.grad) == (13, 0)
    assert y.requires_grad
    assert not (d * c).requires_grad
    with pytest.raises(ValueError, match="nothing to differentiate"):
        (d * c).backward()
    x.requires_grad = False
    with pytest.raises(ValueError, match="leaves only"):
        y.requires_grad = False


def test_no_grad_holds_in_its_block_its_thread_and_no_further():
    x = Value(2.0)
    seen = {}

    def elsewhere():
        seen["parents"] = (x * 3).parents

    with no_grad():
        with no_grad():
            pass
        y = x * 3
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        for z in (y + 1, x.tanh(), 1 - x, sg.sum([x, x]), sg.maximum(x, 1), x // 2):
            assert (z.parents, z.requires_grad) == ((), False)
        assert Value(6.0, (x,), "by hand").parents == ()
    assert y.data == 6
    assert seen["parents"] == (x,)
    assert (x * 3).parents == (x,)

    @no_grad()
    def evaluate():
        return x * x

    assert evaluate().parents == ()
    with pytest.raises(RuntimeError), no_grad():
        raise RuntimeError
    assert (x * 3).parents == (x,)


def test_threads_with_graphs_of_their_own_do_not_meet():
    results = {}

    def work(i):
        root, leaves = random_graph(Value, 2000, seed=i)
        root.backward()
        results[i] = [leaf.grad for leaf in leaves]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, grads in results.items():
        root, leaves = random_graph(Value, 2000, seed=i)
        root.backward()
        assert grads == [leaf.grad for leaf in leaves]


# -------------------------------------------------------------------- copying


def test_deepcopy_keeps_the_shape_of_the_graph_and_shares_nothing():
    root, leaves = random_graph(Value, 100, seed=3)
    leaves[0].label = "x0"
    root.backward()
    twin, twin_leaves = copy.deepcopy((root, leaves))
    originals, twins = topological_order(root), topological_order(twin)
    assert [(n.data, n.grad, n._op, n.label) for n in originals] == [(n.data, n.grad, n._op, n.label) for n in twins]
    assert not set(originals) & set(twins)
    twin.zero_grad()
    twin.backward()
    assert [leaf.grad for leaf in twin_leaves] == [leaf.grad for leaf in leaves]
    shallow = copy.copy(root)
    assert shallow.parents == root.parents


def test_what_cannot_be_copied_says_so():
    with pytest.raises(
        TypeError, match=r"cannot be pickled: model\.save\(path\) stores .* model\.state_dict\(\) gives"
    ):
        pickle.dumps(Value(1.0))
    with pytest.raises(TypeError, match="hand-written _backward closure refers to the original"):
        copy.deepcopy(tanh_by_hand(Value(1.0)))


# -------------------------------------------------------------------- against finite differences


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 80))
def test_gradients_of_random_graphs_match_finite_differences(seed, n):
    root, leaves = random_graph(Value, n, seed)
    root.backward()
    start = [leaf.data for leaf in leaves]

    for i, leaf in enumerate(leaves):

        def f(t, i=i):
            replaced = iter([*start[:i], t, *start[i + 1 :]])
            return random_graph(lambda data: Value(next(replaced, data)), n, seed)[0].data

        numeric, error = slope(f, start[i])
        assert leaf.grad == pytest.approx(numeric, rel=1e-6, abs=10 * error + 1e-8)


@pytest.mark.parametrize("create_graph", [False, True])
def test_graphs_that_count_as_large_have_the_same_gradients(create_graph, monkeypatch):
    def gradients_of(seed):
        root, leaves = random_graph(Value, 40, seed)
        root = root * Value(2.0, requires_grad=False)
        root.backward(create_graph=create_graph)
        nodes = topological_order(root)
        root.backward()
        assert any(isinstance(node.grad, Value) for node in nodes) is create_graph
        assert all(isinstance(leaf.grad, Value) for leaf in leaves if plain_gradient(leaf)) is create_graph
        return [plain_gradient(node) for node in nodes]

    expected = [gradients_of(seed) for seed in range(5)]
    monkeypatch.setattr("scalargrad.engine.LARGE", 1)
    assert [gradients_of(seed) for seed in range(5)] == expected


# -------------------------------------------------------------------- what the constructor and the setters promise


def test_hand_made_nodes_under_no_grad_are_constants():
    a = Value(2.0)
    with sg.no_grad():
        v = Value(3.0, (a,), "mine")
    assert v.is_leaf
    assert not v.requires_grad
    assert not v.is_parameter
    assert v.parents == ()
    (v * a).backward()
    assert v.grad == 0.0


@pytest.mark.parametrize(("requires_grad", "parameter"), [(True, False), (True, True), (False, False), (False, True)])
@pytest.mark.parametrize("text", ["", "mine"])
def test_leaves_are_what_they_were_made_as(requires_grad, parameter, text):
    v = Value(1.0, (), text, requires_grad=requires_grad, parameter=parameter)
    assert v.is_leaf
    assert (v.requires_grad, v.is_parameter) == (requires_grad, parameter)
    assert v._op == (text if requires_grad and not parameter else "")
    w = Value(1.0, (), text, requires_grad=not requires_grad, parameter=parameter)
    w.requires_grad = requires_grad
    assert (w.is_leaf, w.requires_grad, w.is_parameter) == (True, requires_grad, parameter)


def test_a_closure_may_take_the_place_of_a_rule_with_constant_operands():
    x = Value(3.0)
    y = x * 5.0

    def _backward():
        x.grad += 7.0 * y.grad

    y._backward = _backward
    assert y.parents == (x,)
    assert y.operands == ((x, 3.0),)
    y.backward()
    assert x.grad == 7.0


def test_copies_in_one_call_share_their_nodes():
    a = Value(2.0, label="a")
    b = a * 3
    twin_a, twin_b, again = copy.deepcopy([a, b, b + a])
    assert twin_b.parents == (twin_a,)
    assert again.parents == (twin_b, twin_a)
    assert [v._rule for v in (twin_a, twin_b)] == [v._rule for v in (a, b)]
    assert twin_a is not a


def test_defaults_and_names_of_operands():
    assert sg.elu(-1.0) == math.expm1(-1.0)
    assert sg.leaky_relu(-1.0) == -0.1
    assert sg.where.__doc__.startswith("z = where(condition, x, y)")
    assert sg.clip.__doc__.startswith("z = clip(x, low, high)")


def test_message_where_nothing_requires_grad_names_all_roots():
    constants = [Value(x, label=name, requires_grad=False) for x, name in ((1.0, "p"), (2.0, "q"))]
    with pytest.raises(ValueError, match="nothing to differentiate") as error:
        gradients(constants, [1.0, 1.0])
    assert str(error.value) == (
        "nothing to differentiate: no leaf below Value 'p', Value 'q' requires grad "
        "(made by detach(), under no_grad(), or with requires_grad=False)"
    )


def test_a_root_given_twice_counts_twice():
    x = Value(3.0)
    y = x * x
    assert gradients([y, y], [1.0, 2.0])[x] == 18.0
    for seeds in ([1.0], [1.0, 2.0, 3.0]):
        with pytest.raises(ValueError, match="zip"):
            gradients([y, y], seeds)


def test_descendants_are_what_was_computed_from_the_sources():
    x, a, b = Value(1.0), Value(2.0), Value(3.0)
    apart = [sg.sum([a, b]), sg.dot([a], [b])]
    reached = [sg.sum([a, x]), sg.dot([x], [a]), sg.dot([a], [x]), x * a, a * x]
    order = topological_order(*apart, *reached)
    assert set(descendants(order, [x])) == {x, *reached}


def test_a_renamed_parameter_keeps_its_place_in_the_network():
    parameter = sg.nn.MLP(2, [1]).parameters()[0]
    before = parameter.label
    parameter.label = "mine"
    assert parameter.label == "mine"
    assert type(parameter.label) is type(before) is not str
