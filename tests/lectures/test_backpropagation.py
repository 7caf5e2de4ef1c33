"""The lectures on backpropagation itself and micrograd's own examples give their numbers: one test or more for each row.

The texts are CS231n lecture 4, lecture notes on backpropagation, and micrograd's README and lecture.
"""

import re
from pathlib import Path

import pytest
from helpers import README_EXAMPLE, readme_example
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value, dot, mistakes, nn, topological_order, trace

ROWS = {*range(1, 49)}


def close(x):
    return pytest.approx(x, rel=1e-12)


def forward_difference(f, x, h):
    return (f(x + h) - f(x)) / h


def test_every_row_has_a_test():
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        found |= {int(row) for row in re.findall(r"^def test_(\d\d)_", path.read_text(encoding="utf-8"), re.MULTILINE)}
    assert found == ROWS


# ---------------------------------------------------------------- CS231n, lecture 4


def test_20_the_numerical_gradient_is_approximate_and_the_analytic_one_exact():
    def f(x):
        return x * x * x

    exact = sg.grad(f)(2.0)
    assert exact == 12.0
    errors = [abs(forward_difference(f, 2.0, h) - exact) for h in (1e-2, 1e-4, 1e-8, 1e-13)]
    assert errors[0] > errors[1] > errors[2] > 0.0  # easy, and never quite right
    assert errors[3] > errors[2]  # a smaller step does not help for ever
    assert sg.check_gradients(f, [2.0]).ok  # so one checks the other
    assert not sg.check_gradients(f, [2.0], gradient=lambda x: [3 * x]).ok


def test_21_a_sum_times_z():
    x, y, z = Value(-2.0, label="x"), Value(5.0, label="y"), Value(-4.0, label="z")
    q = x + y
    f = q * z
    f.backward()
    assert (q.data, f.data) == (3.0, -12.0)
    assert (x.grad, y.grad, z.grad, q.grad) == (-4.0, -4.0, 3.0, -4.0)


def sigmoid_neuron():
    w0, x0, w1, x1, w2 = (
        Value(n, label=name) for n, name in ((2.0, "w0"), (-1.0, "x0"), (-3.0, "w1"), (-2.0, "x1"), (-3.0, "w2"))
    )
    products = [w0 * x0, w1 * x1]
    total = products[0] + products[1]
    score = total + w2
    return (w0, x0, w1, x1, w2), [*products, total, score]


def test_22_the_sigmoid_neuron_gate_by_gate():
    leaves, nodes = sigmoid_neuron()
    flipped = nodes[-1] * -1.0
    power = flipped.exp()
    one_more = power + 1.0
    out = 1.0 / one_more
    assert [node.data for node in (*nodes, flipped)] == [-2.0, 6.0, 4.0, 1.0, -1.0]
    assert [node.data for node in (power, one_more, out)] == [
        close(0.36787944117144233), close(1.3678794411714423), close(0.7310585786300049)
    ]  # fmt: skip
    out.backward()
    assert [node.grad for node in (out, one_more, power, flipped, nodes[-1])] == [
        1.0, close(-0.534446645388523), close(-0.534446645388523), close(-0.19661193324148188),
        close(0.19661193324148188),
    ]  # fmt: skip
    assert [leaf.grad for leaf in leaves] == [
        pytest.approx(x, abs=5e-10) for x in (-0.196611933, 0.393223866, -0.393223866, -0.589835800, 0.196611933)
    ]
    # The slide's -0.20 needs the gradient before rounding: with -0.53 it would come out as -0.19.
    assert round(one_more.grad * power.data, 2) == round(flipped.grad, 2) == -0.20
    assert round(round(one_more.grad, 2) * power.data, 2) == -0.19


def test_24_add_distributes_max_routes_mul_switches_and_branches_add_up():
    x, y = Value(3.0, label="x"), Value(-5.0, label="y")
    patterns = {"distributes": x + y, "routes": sg.maximum(x, y), "switches": x * y}
    for word, node in patterns.items():
        assert word in trace(node)[-1].why
    seed = 2.0
    for (dx, dy), node in zip([(2.0, 2.0), (2.0, 0.0), (-10.0, 6.0)], patterns.values(), strict=True):
        x.grad = y.grad = 0.0
        node.backward(seed)
        assert (x.grad, y.grad) == (dx, dy)
    x.grad = 0.0
    (x * 2.0 + x * 3.0).backward()
    assert x.grad == 5.0


SCORES = [[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]
CLASSES = [0, 1, 2]


def test_27_the_svm_of_the_course():
    rows = [[Value(s) for s in row] for row in SCORES]
    losses = nn.multiclass_hinge(rows, CLASSES, reduction="none")
    assert [loss.data for loss in losses] == [pytest.approx(2.9), 0.0, pytest.approx(12.9)]
    mean = nn.multiclass_hinge(rows, CLASSES)
    assert mean.data == pytest.approx(5.266666666666667)
    sg.sum(losses).backward()
    assert [[s.grad for s in row] for row in rows] == [[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, -2.0]]


def test_27_the_softmax_of_its_first_row():
    row = [Value(s) for s in SCORES[0]]
    loss = nn.cross_entropy(row, 0)
    assert loss.data == close(2.04035515280017)
    loss.backward()
    softmax = [s.grad + (i == 0) for i, s in enumerate(row)]
    assert softmax == [pytest.approx(x, abs=5e-10) for x in (0.129982539, 0.869049535, 0.000967926)]


@given(st.floats(0.0, 2.0))
def test_27_the_penalty_is_lambda_times_the_sum_of_squares(strength):
    w = [Value(x) for x in (0.5, -1.0, 2.0)]
    penalty = nn.l2_penalty(w, strength)
    assert penalty.data == pytest.approx(strength * 5.25)
    penalty.backward()
    assert [x.grad for x in w] == [pytest.approx(2 * strength * x.data) for x in w]


# ---------------------------------------------------------------- lecture notes on backpropagation


def test_38_slopes_of_small_functions():
    assert [sg.grad(lambda x: 2 * x + 7)(x) for x in (-3.0, 0.0, 10.0)] == [2.0, 2.0, 2.0]
    assert sg.grad(lambda x: 3 * x**2 + 4 * x)(2.0) == 16.0
    a, b = Value(2.0), Value(4.0)
    (a + b).backward()
    assert (a.grad, b.grad) == (1.0, 1.0)
    a.grad = b.grad = 0.0
    (a * b).backward()
    assert (a.grad, b.grad) == (b.data, a.data)
    assert (a * b).data == 8.0


def test_39_two_products_and_their_sum():
    w1, x1, w2, x2 = (Value(x) for x in (0.5, 3.0, -2.0, 7.0))
    a, b = w1 * x1, w2 * x2
    (a + b).backward()
    assert a.grad == b.grad == 1.0
    assert w1.grad == x1.data * a.grad
    assert w2.grad == x2.data * b.grad


def test_41_parents_before_children_and_back_from_one():
    _, nodes = sigmoid_neuron()
    out = nodes[-1].sigmoid()
    order = topological_order(out)
    place = {node: i for i, node in enumerate(order)}
    assert all(place[parent] < place[node] for node in order for parent in node.parents)
    steps = trace(out)
    forward = [step for step in steps if step.phase == "forward"]
    backward = [step for step in steps if step.phase != "forward"]
    assert list(steps) == forward + backward
    assert backward[0].after == 1.0  # the output's gradient with respect to itself
    # What the text leaves out: gradients that come from several children are added.
    x = Value(2.0)
    (x * x + x).backward()
    assert x.grad == 5.0


# ---------------------------------------------------------------- micrograd


def test_42_the_readme_example():
    g, a, b = readme_example(Value)
    g.backward()
    assert (g.data, a.grad, b.grad) == tuple(map(close, README_EXAMPLE))


def test_43_the_neuron_of_the_lecture():
    x, w, b = [Value(2.0), Value(0.0)], [Value(-3.0), Value(1.0)], Value(6.8813735870195432)
    out = dot(w, x, b).tanh()
    out.backward()
    assert out.data == close(0.7071067811865477)
    assert [v.grad for v in (x[0], w[0], x[1], w[1])] == [close(-1.5), close(1.0), close(0.5), 0.0]


def test_44_order_matters():
    a, b = Value(2.0), Value(3.0)
    c, d = a + b, a * b
    y = c + d + c * d
    y.backward()
    assert (a.grad, b.grad) == (25.0, 19.0)
    wrong = mistakes.no_sorting.gradients(y)
    assert (wrong[a], wrong[b]) == (46.0, 35.0)
