"""checkpoint refuses in words what does not compute the same twice, also where both runs give the same number."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value
from scalargrad.functional.checkpointing import checkpoint
from scalargrad.table import TABLE


def alternating(*functions):
    """A function that is each of these in turn."""
    turns = itertools.cycle(functions)
    return lambda *args: next(turns)(*args)


w, u = Value(2.0, label="w"), Value(2.0, label="u")
PAIRS = {
    "the other input": (lambda a, b: -a, lambda a, b: -b),
    "the other input inside": (lambda a, b: a * 3 + 1, lambda a, b: b * 3 + 1),
    "the order of inputs": (lambda a, b: a - b + 2, lambda a, b: b - a + 2),
    "another op": (lambda a, b: a + b, lambda a, b: a * b),
    "a constant": (lambda a, b: a + 2.0, lambda a, b: a * 2.0),
    "a constant instead": (lambda a, b: a + b, lambda a, b: a + 2.0),
    "a leaf of its own": (lambda a, b: a + b, lambda a, b: a + Value(2.0)),
    "the other parameter": (lambda a, b: a * w, lambda a, b: a * u),
    "a parameter for an input": (lambda a, b: a * b, lambda a, b: a * w),
    "another edge": (lambda a, b: (a + b) * a, lambda a, b: (a + b) * b),
    "many operands": (lambda a, b: sg.sum([a, a, b]), lambda a, b: sg.sum([a, b, b])),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("create_graph", [False, True])
def test_another_computation_of_the_same_number_is_refused(name, create_graph):
    for pair in (PAIRS[name], PAIRS[name][::-1]):
        a, b = Value(2.0), Value(2.0)
        y = checkpoint(alternating(*pair))(a, b)
        assert y.data == pair[1](a, b).data
        with pytest.raises(RuntimeError, match=r"twice, but by other operations, or from other inputs"):
            y.backward(create_graph=create_graph)
        assert (a.grad, b.grad, w.grad, u.grad) == (0.0, 0.0, 0.0, 0.0)


def test_derivatives_that_were_given_are_part_of_the_computation():
    a = Value(2.0)
    y = checkpoint(alternating(*(lambda x, slope=slope: Value(4.0, (x,), (slope,)) * 2 for slope in (3.0, 5.0))))(a)
    with pytest.raises(RuntimeError, match=r"twice, but by other operations, or from other inputs"):
        y.backward()
    assert a.grad == 0.0


def constant_four(slope):
    """An op of its name with this derivative; forget it afterwards."""
    return sg.primitive(lambda x: 4.0, partials=lambda x: slope, name="constant_four")


@pytest.fixture
def forgotten():
    yield
    TABLE.pop("constant_four", None)
    del Value.constant_four


def by_hand(add):
    def four(x):
        out = Value(4.0, (x,), "four")
        out._backward = add(x, out)
        return out

    return four


def three_times(x, out):
    def backward():
        x.grad += 3 * out.grad

    return backward


def five_times(x, out):
    def backward():
        x.grad += 5 * out.grad

    return backward


def test_ops_of_one_name_are_told_apart(forgotten):
    told_apart((constant_four(3.0), constant_four(5.0)))


def test_closures_of_one_name_are_told_apart():
    told_apart((by_hand(three_times), by_hand(five_times)))


def told_apart(pair):
    for f, slope in zip(pair, (3.0, 5.0), strict=True):
        a = Value(2.0)
        checkpoint(lambda x, f=f: f(x) * 2)(a).backward()
        assert a.grad == slope * 2
    a = Value(2.0)
    with pytest.raises(RuntimeError, match=r"twice, but by other operations, or from other inputs"):
        checkpoint(alternating(*pair))(a).backward()
    assert a.grad == 0.0


def test_an_op_that_is_made_in_each_run_is_the_same(forgotten):
    a = Value(2.0)
    checkpoint(lambda x: constant_four(3.0)(x) * 2)(a).backward()
    assert a.grad == 6.0


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_computed_in_a_checkpoint_within_is_part_of_the_computation(name):
    nested = [lambda a, b, f=f: checkpoint(f)(a, b) * 2 for f in PAIRS[name]]
    a, b = Value(2.0), Value(2.0)
    with pytest.raises(RuntimeError, match=r"twice, but by other operations, or from other inputs"):
        checkpoint(alternating(*nested))(a, b).backward()
    assert (a.grad, b.grad) == (0.0, 0.0)
    for f in nested:
        leaves = Value(2.0), Value(2.0)
        checkpoint(f)(a, b).backward()
        f(*leaves).backward()
        assert (a.grad, b.grad) == tuple(leaf.grad for leaf in leaves)
        a.grad = b.grad = 0.0


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("create_graph", [False, True])
def test_the_same_computation_gives_the_gradients_of_the_function(name, create_graph):
    for f in PAIRS[name]:
        (a, b), (c, d) = [Value(2.0), Value(2.0)], [Value(2.0), Value(2.0)]
        checkpoint(f)(a, b).backward(create_graph=create_graph)
        f(c, d).backward(create_graph=create_graph)
        assert [sg.functional.call.plain_number(v.grad) for v in (a, b)] == [
            sg.functional.call.plain_number(v.grad) for v in (c, d)
        ]
    w.grad = u.grad = 0.0


def test_what_does_not_matter_to_a_result_may_differ():
    """Other outputs, and what is computed in vain."""
    vain = itertools.count()

    def f(a, b):
        [a * next(vain) for _ in range(next(vain) % 5)]
        return a * b, Value(float(next(vain))) * b

    a, b = Value(2.0), Value(3.0)
    checkpoint(f)(a, b)[0].backward()
    assert (a.grad, b.grad) == (3.0, 2.0)


def test_a_leaf_made_inside_is_no_parent():
    a = Value(2.0)
    y = checkpoint(lambda a: a * Value(5.0))(a)
    assert y.parents == (a,)
    y.backward()
    assert a.grad == 5.0


@given(
    st.lists(st.tuples(st.sampled_from("+*-"), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8), st.data()
)
def test_any_exchange_of_inputs_of_equal_numbers_is_seen(program, data):
    """Programs over four inputs, all 1.0; the second run may take others of them for some."""
    swap = data.draw(st.permutations(range(4)))

    def run(xs):
        stack = list(xs)
        for op, i, j in program:
            x, y = stack[-1 - i], stack[-1 - j]
            stack.append(x + y if op == "+" else x * y if op == "*" else x - y)
        return stack[-1]

    def gradient(f):
        xs = [Value(1.0) for _ in range(4)]
        f(xs).backward()
        return [x.grad for x in xs]

    straight, swapped = (lambda xs: run(xs)), (lambda xs: run([xs[k] for k in swap]))
    try:
        found = gradient(checkpoint(alternating(straight, swapped)))
    except RuntimeError:
        assert list(swap) != [0, 1, 2, 3]
    else:
        assert found == gradient(straight)
