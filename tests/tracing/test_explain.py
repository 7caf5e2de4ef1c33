"""The sum over paths is the derivative: against the sweep, against exact dual numbers, against paths walked by hand."""

import io
import math
import re
import sys
from contextlib import redirect_stdout
from fractions import Fraction
from itertools import pairwise

import pytest
from drawing_helpers import HOSTILE, sigmoid_neuron
from helpers import cube_by_function, random_graph, readme_example
from hypothesis import assume, given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Exact, Value, explain, nn, topological_order, trace
from scalargrad.engine import gradients
from scalargrad.tracing import TooManyPathsError
from scalargrad.tracing.between import Between


def order_matters():
    """The lecture's example: c and d are used twice each."""
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    c, d = a + b, a * b
    c.label, d.label = "c", "d"
    y = c + d + c * d
    y.label = "y"
    return a, b, y


@st.composite
def expressions(draw, most=9):
    """A graph of + - * over small whole numbers, so that floats compute it exactly: (root, leaves, dual numbers)."""
    numbers = draw(st.lists(st.integers(-3, 3), min_size=1, max_size=3))
    nodes = [Value(float(x)) for x in numbers]
    duals = [(Fraction(x), [Fraction(i == j) for j in range(len(numbers))]) for i, x in enumerate(numbers)]
    leaves = list(nodes)
    for _ in range(draw(st.integers(0, most))):
        i, j = (draw(st.integers(max(0, len(nodes) - 4), len(nodes) - 1)) for _ in "xy")
        (u, du), (v, dv) = duals[i], duals[j]
        kind = draw(st.sampled_from("+-*"))
        if kind == "*":
            nodes.append(nodes[i] * nodes[j])
            duals.append((u * v, [p * v + u * q for p, q in zip(du, dv, strict=True)]))
        else:
            sign = 1 if kind == "+" else -1
            nodes.append(nodes[i] + nodes[j] if sign == 1 else nodes[i] - nodes[j])
            duals.append((u + sign * v, [p + sign * q for p, q in zip(du, dv, strict=True)]))
    assume(all(abs(x) < 2**40 for x, _ in duals))
    assume(all(abs(d) < 2**40 for _, ds in duals for d in ds))
    return nodes[-1], leaves, duals[-1]


@given(expressions())
def test_the_sum_over_paths_is_the_exact_derivative(case):
    root, leaves, (x, derivatives) = case
    assert root.data == x
    for leaf, derivative in zip(leaves, derivatives, strict=True):
        explanation = explain(root, wrt=leaf, max_paths=1000)
        assert Fraction(explanation.total) == derivative
        assert explanation.total == explanation.gradient
        assert explanation.agrees


@given(st.integers(1, 12), st.integers(0, 10_000))
def test_the_sum_over_paths_is_what_the_sweep_computes(n, seed):
    root, _ = random_graph(Value, n, seed)
    order = topological_order(root)
    swept = gradients([root], [1.0])
    for node in order:
        explanation = explain(root, wrt=node, max_paths=10**6)
        size = sum(abs(path.product) for path in explanation.paths)
        assert explanation.total == pytest.approx(swept[node], rel=1e-12, abs=1e-12 * size)
        assert explanation.gradient == swept[node]
        assert explanation.agrees
        assert len({path.edges for path in explanation.paths}) == len(explanation.paths)
        for path in explanation.paths:
            assert (path.nodes[0], path.nodes[-1]) == (node, root)
            assert len(path.nodes) == len(path.edges) + 1
            assert path.factors == tuple(edge.local for edge in path.edges)
            assert path.product == math.prod(path.factors)
            steps = list(pairwise(path.nodes))
            assert [(edge.parent, edge.child) for edge in reversed(path.edges)] == steps
            assert all(edge.child.operands[edge.operand][0] is edge.parent for edge in path.edges)


def walked(node, start):
    """How many paths there are, by walking all of them: an oracle for small graphs."""
    return 1 if node is start else sum(walked(parent, start) for parent in node.parents)


@given(expressions(most=11))
def test_paths_are_counted_before_they_are_walked(case):
    root, leaves, _ = case
    for start in {*leaves, *topological_order(root)}:
        count = walked(root, start)
        between = Between(start, root)
        assert between.count() == count
        assume(count < 3000)
        assert len(list(between.paths())) == count
        if count:
            on_paths = {path for path in between.paths() if path}
            edges = {edge for path in on_paths for edge in path}
            assert between.edge_count == len(edges)
            shared = set.intersection(*({edge.child for edge in path} for path in on_paths)) if on_paths else set()
            assert {point.value for point in between.waypoints} == shared
        if count > 1:
            with pytest.raises(TooManyPathsError) as caught:
                explain(root, wrt=start, max_paths=count - 1)
            assert (caught.value.count, caught.value.edges) == (count, between.edge_count)


def test_the_order_of_addition_does_not_matter_in_the_lecture_example():
    a, b, y = order_matters()
    by_a, by_b = explain(y, wrt=a), explain(y, wrt=b)
    assert (by_a.total, by_a.gradient) == (25.0, 25.0)
    assert (by_b.total, by_b.gradient) == (19.0, 19.0)
    assert [path.product for path in by_a.paths] == [1.0, 3.0, 6.0, 15.0]
    assert by_a.text.splitlines() == [
        "dy/da = 25, the sum over 4 paths: what y.backward() adds to a.grad",
        "1. a → c → v1 → y:  1 × 1 × 1 = 1",
        "2. a → d → v1 → y:  3 × 1 × 1 = 3",
        "3. a → c → v2 → y:  1 × 6 × 1 = 6",
        "4. a → d → v2 → y:  3 × 5 × 1 = 15",
        "sum: 1 + 3 + 6 + 15 = 25",
        "",
        "with a local derivative for each arrow",
        "c = a + b:  local for a = 1",
        "d = a × b:  local for a = b = 3",
        "v1 = c + d:  local for c = 1, local for d = 1",
        "v2 = c × d:  local for c = d = 6, local for d = c = 5",
        "y = v1 + v2:  local for v1 = 1, local for v2 = 1",
    ]
    assert repr(by_a) == "<explanation of dy/da = 25: 4 paths>"
    written = io.StringIO()
    with redirect_stdout(written):
        print(by_a)
    assert written.getvalue() == by_a.text + "\n"


def test_the_sigmoid_neuron_has_one_path_for_each_weight():
    f = sigmoid_neuron()
    named = {value.label: value for value in topological_order(f) if value.label}
    expected = {"w0": -0.1966, "x0": 0.3932, "w1": -0.3932, "x1": -0.5898, "w2": 0.1966}
    for label, number in expected.items():
        explanation = explain(f, wrt=named[label])
        assert len(explanation.paths) == 1
        assert explanation.total == pytest.approx(number, abs=5e-5)
    first = explain(f, wrt=named["w0"]).text.splitlines()
    assert first[0] == "df/dw0 = −0.1966, along the one path: what f.backward() adds to w0.grad"
    assert first[1].endswith(":  −1 × 1 × 1 × (−1) × 0.3679 × 1 × (−0.5344) = −0.1966")
    assert "f = 1 ÷ v6:  local for v6 = −f ÷ v6 = −0.5344" in first


def test_the_readme_example():
    g, a, b = readme_example(Value)
    for leaf, gradient in ((a, 138.83381924198252), (b, 645.5772594752186)):
        assert explain(g, leaf, max_paths=1000).total == pytest.approx(gradient, rel=1e-12)


def test_parallel_edges_are_paths_of_their_own():
    a = Value(3.0, label="a")
    y = a * a
    y.label = "y"
    explanation = explain(y, wrt=a)
    assert [(path.edges[0].operand, path.product) for path in explanation.paths] == [(0, 3.0), (1, 3.0)]
    assert explanation.text.splitlines()[1:4] == [
        "1. left a → y:  3", "2. right a → y:  3", "sum: 3 + 3 = 6",
    ]  # fmt: skip
    assert explain(sg.sum([a] * 5), a).total == 5.0
    assert explain(sg.dot([a, a], [a, 2.0]), a).total == 8.0


def test_no_path_and_the_empty_path():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    y = a * 2.0
    y.label = "y"
    nothing = explain(y, wrt=b)
    assert (nothing.paths, nothing.total, nothing.gradient) == ((), 0.0, 0.0)
    assert nothing.text == "dy/db = 0: y does not depend on b, no path leads from b to y"
    assert nothing.latex == r"\frac{\mathrm{d} y}{\mathrm{d} b} = 0"
    assert explain(a, wrt=y).text.startswith("da/dy = 0: ")
    assert explain(y * y.detach(), wrt=y.detach()).total == 0.0
    itself = explain(y, wrt=y)
    assert (itself.total, itself.gradient, itself.paths[0].product) == (1.0, 1.0, 1.0)
    assert (itself.paths[0].nodes, itself.paths[0].edges) == ((y,), ())
    assert itself.text == "dy/dy = 1: y changes one to one with itself"


def test_a_constant_leaf_has_a_derivative_too():
    x, c = Value(3.0, label="x"), Value(4.0, label="c", requires_grad=False)
    assert explain(x * c, wrt=c).total == 3.0
    with pytest.raises(ValueError, match="nothing to differentiate"):
        explain(c * 2.0, wrt=c)


def closures():
    """Nodes written micrograd's way: a cube, a product of a Value with itself, and one that forgets its closure."""
    x = Value(2.0, label="x")
    cube = Value(x.data**3, (x,), "cube")

    def cube_backward():
        x.grad += 3 * x.data**2 * cube.grad

    cube._backward = cube_backward
    square = Value(cube.data * cube.data, (cube, cube), "*")

    def square_backward():
        cube.grad += cube.data * square.grad
        cube.grad += cube.data * square.grad

    square._backward = square_backward
    return x, cube, square


def test_hand_written_closures_answer_for_all_their_uses_at_once():
    x, cube, square = closures()
    cube.grad = 7.0
    explanation = explain(square + x, wrt=x, names=False)
    assert [path.factors for path in explanation.paths] == [(1.0, 16.0, 12.0), (1.0,)]
    assert explanation.total == explanation.gradient == 6 * 2.0**5 + 1
    assert [value.grad for value in (x, cube, square)] == [0.0, 7.0, 0.0]
    assert "local for x = 12 (its own closure)" in explanation.text
    with pytest.raises(ValueError, match="no gradient passes through Value"):  # no closure, no gradient: as backward()
        explain(Value(5.0, (x,), "silent"), wrt=x)


def test_a_closure_that_reaches_a_leaf_it_does_not_list():
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    out = Value(6.0, (x,), "times w")

    def backward():
        x.grad += w.data * out.grad
        w.grad += x.data * out.grad

    out._backward = backward
    explanation = explain(out * 10.0, wrt=w, names=False)
    assert explanation.total == explanation.gradient == 20.0
    assert explanation.paths[0].edges[-1].operand is None
    assert "w → v1 → v2" in explanation.text


def test_where_backpropagation_differs_the_text_says_so():
    x = Value(2.0, label="x")
    clipped = Value(2.0, (x,), "clip gradient")

    def backward():
        x.grad += max(-1.0, min(1.0, clipped.grad))

    clipped._backward = backward
    y = clipped * 5.0
    explanation = explain(y, wrt=x)
    assert (explanation.total, explanation.gradient, explanation.agrees) == (5.0, 1.0, False)
    assert "backpropagation gives 1 instead: a closure or a hook does not just multiply" in explanation.text


def test_a_product_that_overflows_on_paths_only_is_told():
    x = Value(1.0, label="x")
    shared = x * 1e200
    y = shared * 1e200 - shared * 1e200 + x
    assert math.isnan(y.data)  # inf - inf, while every local derivative is finite
    y.label = "y"
    explanation = explain(y, wrt=x)
    assert math.isnan(explanation.total)
    assert explanation.gradient == 1.0
    assert not explanation.agrees
    assert "backpropagation gives 1 instead: a product along a path is not finite" in explanation.text


def test_no_grad_is_touched_and_an_overwritten_node_is_refused():
    a, _, y = order_matters()
    for value in topological_order(y):
        value.grad = 11.0
    explanation = explain(y, wrt=a)
    str(explanation), explanation.latex
    assert all(value.grad == 11.0 for value in topological_order(y))
    b = a * 3.0
    y = b * 2.0
    b.data = 1.0
    with pytest.raises(ValueError, match="was assigned after"):
        explain(y, wrt=a)


def test_it_reads_the_numbers_and_labels_of_when_it_was_made():
    a, _, y = order_matters()
    a.data = 1000.0  # the graph was computed at 2
    explanation = explain(y, wrt=a)
    a.label = "changed"
    assert explanation.total == 25.0
    assert explanation.text.startswith("dy/da = 25")


def test_inside_no_grad_it_says_the_same():
    f = sigmoid_neuron()
    w = next(value for value in topological_order(f) if value.label == "w0")
    expected = explain(f, wrt=w)
    outside = expected.text, expected.latex
    with sg.no_grad():
        inside = explain(f, wrt=w)
        assert (inside.text, inside.latex) == outside


def test_exact_fractions():
    a, b = Value(Exact(1, 3), label="a"), Value(Exact(2, 7), label="b")
    c, d = a + b, a * b
    explanation = explain(c + d + c * d, wrt=a)
    exact = 1 + b.data + c.data * b.data + d.data
    assert explanation.gradient == exact
    assert explanation.total == pytest.approx(float(exact), rel=1e-15)
    assert explanation.agrees
    well_formed(explanation.latex)
    assert str(explanation)


def test_a_function_of_the_users():
    cube = cube_by_function(3)
    x = Value(2.0, label="x")
    explanation = explain(cube(x) * 5.0 + x, wrt=x)
    assert [path.factors for path in explanation.paths] == [(1.0, 5.0, 12.0), (1.0,)]
    assert explanation.total == explanation.gradient == 61.0


# -------------------------------------------------------------------- too many paths


def test_the_error_names_count_limit_edges_and_trace():
    x = Value(1.01, label="x")
    v = x
    for _ in range(30):
        v = v + v.tanh() * 0.5 + v.sin() * v
    v.label = "loss"
    with pytest.raises(TooManyPathsError) as caught:
        explain(v, wrt=x)
    error = caught.value
    text = str(error)
    assert isinstance(error, ValueError)
    assert error.count == 4**30
    assert text.startswith("1 152 921 504 606 846 976 paths lead from x to loss; the limit is max_paths=100.")
    assert error.edges == sum(step.phase == "backward" for step in trace(v))
    assert f"Backpropagation needs {error.edges} edges for the same number: see scalargrad.trace(loss)" in text
    assert error.split is None


def diamonds(x, n):
    for _ in range(n):
        x = x.tanh() + x * 0.5
    return x


def test_the_error_splits_the_paths_where_they_meet():
    x = Value(0.5, label="x")
    middle = diamonds(x, 5)
    middle.label = "h"
    y = diamonds(middle, 5)
    y.label = "y"
    with pytest.raises(TooManyPathsError) as caught:
        explain(y, wrt=x)
    assert str(caught.value).endswith(
        "Or in two parts, as every path passes h: explain(y, wrt=h) has 32 paths, explain(h, wrt=x) has 32 paths; "
        "the derivative is the product of the two."
    )
    assert caught.value.split is middle
    parts = explain(y, wrt=middle), explain(middle, wrt=x)
    assert [len(part.paths) for part in parts] == [32, 32]
    assert parts[0].total * parts[1].total == pytest.approx(gradients([y], [1.0])[x])


def test_a_split_without_a_name_is_handed_over_with_the_error():
    x = Value(0.5, label="x")
    y = diamonds(x, 8)
    y.label = "y"
    with pytest.raises(TooManyPathsError, match=r"explain\(y, wrt=error.split\) has 16 paths") as caught:
        explain(y, wrt=x)
    error = caught.value
    assert len(explain(y, wrt=error.split).paths) * len(explain(error.split, wrt=x).paths) == error.count == 256


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 200))
def test_a_split_that_is_offered_works(before, after, limit):
    x = Value(0.5)
    y = diamonds(sg.sin(diamonds(x, before)), after)
    assume(2 ** (before + after) > limit)
    with pytest.raises(TooManyPathsError) as caught:
        explain(y, wrt=x, max_paths=limit)
    error = caught.value
    assert error.count == 2 ** (before + after)
    best = min(max(2**i, 2 ** (before + after - i)) for i in range(before + after + 1))
    assert (error.split is not None) == (best <= limit)
    if error.split is not None:
        halves = (y, error.split), (error.split, x)
        counts = [len(explain(end, wrt=start, max_paths=limit).paths) for end, start in halves]
        assert math.prod(counts) == error.count
        assert list(map(int, re.findall(r"has (\d+) paths?", str(error)))) == counts


@pytest.mark.parametrize("meets", [True, False])
def test_counts_of_thousands_of_digits(meets):
    x = Value(1.0, label="x")
    older, v = x, x * 1.0
    for _ in range(20_000):
        older, v = v, (v + v if meets else v * 0.5 + older * 0.5)
    with pytest.raises(TooManyPathsError, match=r"about 10\^\d+ paths lead from x") as caught:
        explain(v, wrt=x)
    digits = int(re.search(r"10\^(\d+)", str(caught.value)).group(1))
    if meets:
        assert caught.value.count == 2**20_000
        assert digits == 6020
    else:
        before, now = 1, 1
        for _ in range(20_000):
            before, now = now, now + before
        assert caught.value.count == now


def test_one_path_through_a_deep_graph_is_walked_without_recursion():
    x = Value(1.0, label="x")
    v = x
    for _ in range(5 * sys.getrecursionlimit()):
        v = v + 0.0
    explanation = explain(v, wrt=x)
    assert explanation.total == 1.0
    assert max(map(len, explanation.text.splitlines())) < 500
    assert len(explanation.text.splitlines()) < 50
    assert r"\cdots" in explanation.latex
    assert len(explanation.latex) < 5000


def test_a_layer_of_nn():
    model = nn.MLP(2, [3, 1], seed=1)
    x = Value(0.5, label="x0")
    y = model([x, 1.0])
    explanation = explain(y, wrt=x)
    assert len(explanation.paths) == 3
    assert explanation.total == pytest.approx(gradients([y], [1.0])[x])


# -------------------------------------------------------------------- arguments and appearance


def test_wrong_arguments():
    a, _, y = order_matters()
    with pytest.raises(TypeError, match=r"explain: wrt must be a Value, not float: explain\(y, wrt=x\)"):
        explain(y, wrt=2.0)
    with pytest.raises(TypeError, match="explain: y must be a Value, not list"):
        explain([y], wrt=a)
    for wrong, error, text in ((0, ValueError, "at least 1"), (-1, ValueError, "at least 1"),
                               (2.5, TypeError, "an integer"), (True, TypeError, "an integer"),
                               (None, TypeError, "an integer")):  # fmt: skip
        with pytest.raises(error, match=f"max_paths must be {text}, not"):
            explain(y, wrt=a, max_paths=wrong)
    assert len(explain(y, wrt=a, max_paths=4).paths) == 4


def well_formed(latex):
    """Braces, environments and \\left \\right in pairs; every row with the same columns."""
    bare = re.sub(r"\\[{}&]", "", latex.replace(r"\\", "\n"))
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    assert latex.count(r"\left(") == latex.count(r"\right)")
    assert latex.count(r"\begin{aligned}") == latex.count(r"\end{aligned}") <= 1


def test_latex_and_what_jupyter_gets():
    a, _, y = order_matters()
    explanation = explain(y, wrt=a)
    latex = explanation.latex
    well_formed(latex)
    rows = latex.removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}").split(" \\\\\n")
    assert rows[0] == (
        r"\frac{\mathrm{d} y}{\mathrm{d} a} &= \mathrm{local}_{v_{1} \to y} \cdot "
        r"\mathrm{local}_{c \to v_{1}} \cdot \mathrm{local}_{a \to c} &&= 1 \cdot 1 \cdot 1 &&= "
        r"1 \cdot 1 \cdot 1 = 1"
    )
    assert rows[3].endswith(r"&&= 1 \cdot c \cdot b &&= 1 \cdot 5 \cdot 3 = 15")
    assert rows[4] == "&= 1 + 3 + 6 + 15 = 25"
    bundle = explanation._repr_mimebundle_()
    assert bundle == {"text/plain": explanation.text, "text/latex": f"$\\displaystyle {latex}$"}
    assert explanation._repr_latex_() == bundle["text/latex"]
    x = Value(2.0, label="x")
    assert explain(x * 3.0, wrt=x).latex.split(" \\\\\n") == [
        r"\begin{aligned}\frac{\mathrm{d} v_{1}}{\mathrm{d} x} &= \mathrm{local}_{x \to v_{1}}",
        r"&= 3\end{aligned}",
    ]


def test_negative_factors_and_sums_stand_in_parentheses():
    x, y = Value(2.0, label="x"), Value(-3.0, label="y")
    explanation = explain((x - 1.0) * (y + x) * y - x, wrt=x)
    assert "(−1) × (−3)" in explanation.text
    assert re.search(r"sum: .* \+ \(−", explanation.text)
    assert r"\left(-3\right)" in explanation.latex
    squashed = explain(x.tanh().tanh(), wrt=x).latex
    assert r"\left(1 - v_{2}^{2}\right) \cdot \left(1 - v_{1}^{2}\right)" in squashed


@given(st.sampled_from(HOSTILE) | st.text(max_size=20))
def test_any_label_makes_a_line_and_well_formed_latex(label):
    x = Value(2.0, label=label)
    y = x.tanh() * x
    y.label = label
    explanation = explain(y, wrt=x)
    lines = explanation.text.splitlines()
    assert len(lines) == 4 + 2 + 2
    assert all(line.isprintable() or not line.isascii() for line in lines)
    well_formed(explanation.latex)


def test_infinite_and_missing_slopes():
    x = Value(0.0, label="x")
    assert explain(x.sqrt(), wrt=x).total == math.inf
    assert explain(x.sqrt(), wrt=x).agrees
    assert "∞" in explain(x.sqrt(), wrt=x).latex or r"\infty" in explain(x.sqrt(), wrt=x).latex
