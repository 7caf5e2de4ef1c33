"""The gallery of wrong engines: each is wrong where it says, is what its code does, is caught, and can be looked at."""

import html
import itertools
import math
import xml.etree.ElementTree as ET

import pytest
from drawing_helpers import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import need_layout
from sizes import has_full_size, size
from stepper_helpers import Contents

import scalargrad as sg
from scalargrad import Value, assert_gradients, check_gradients, mistakes
from scalargrad import topological_order as order_of
from scalargrad.drawing import GraphTooLargeError, engines
from scalargrad.drawing.theme import THEMES, contrast
from scalargrad.engine import gradients
from scalargrad.mistakes import GALLERY, TooManyVisitsError
from scalargrad.mistakes import engines as wrong_engines
from scalargrad.mistakes.mistake import differ
from scalargrad.strategies import expressions

GALLERY_BY_NAME = pytest.mark.parametrize("mistake", GALLERY, ids=lambda mistake: mistake.name)


# -------------------------------------------------------------------- an engine to make the mistakes on


class Number:
    """micrograd in a few lines, right until a method is replaced by the code of a mistake."""

    def __init__(self, data, parents=(), op=""):
        self.data, self.grad, self._prev, self._op = data, 0.0, list(parents), op
        self._backward = lambda: None

    def __add__(self, other):
        out = type(self)(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __sub__(self, other):
        out = type(self)(self.data - other.data, (self, other), "-")

        def _backward():
            self.grad += out.grad
            other.grad -= out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        out = type(self)(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def backward(self):
        self.grad = 1.0
        for node in reversed(topological_order(self)):
            node._backward()


def topological_order(root):
    """Parents first."""
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node._prev:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def local_derivative(node, parent):
    """Of the first use of the parent."""
    x, y = node._prev
    return {"+": 1.0, "-": 1.0 if parent is x else -1.0, "*": y.data if parent is x else x.data}[node._op]


def as_written(mistake, f, point):
    """The gradients of all leaves, by running the code that the gallery shows."""
    number = type("Number", (Number,), {})
    names = {"Value": number, "topological_order": topological_order, "local_derivative": local_derivative}
    if mistake.code.startswith("def "):
        exec(mistake.code, names)  # noqa: S102
        for name in ("backward", "__add__", "__sub__", "__mul__"):
            if name in names:
                setattr(number, name, names[name])
    leaves = [number(x) for x in point]
    y = f(*leaves)
    if mistake.code.startswith("def "):
        y.backward()
    else:
        exec(mistake.code, {"y": y, "leaves": leaves})  # noqa: S102
    return [leaf.grad for leaf in leaves]


METHODS = {"add": "__add__", "subtract": "__sub__", "multiply": "__mul__"}
OF_A_RULE = {"overwriting", "forgotten_upstream", "forgotten_local"}
"""The code shows this mistake in one operation, the engine makes it in all."""


def ops_of(mistake):
    shown = [name for name, method in METHODS.items() if method in mistake.code]
    return shown if mistake.name in OF_A_RULE else list(METHODS)


@GALLERY_BY_NAME
def test_the_code_shown_does_what_the_engine_does(mistake):
    @settings(max_examples=60)
    @given(expressions(inputs=2, ops=ops_of(mistake), max_ops=6, max_size=1e3))
    def holds(expression):
        root, leaves = expression.graph()
        claimed = mistake.gradients(root)
        written = as_written(mistake, expression_of_operators(expression), expression.inputs)
        assert [claimed.get(leaf, 0.0) for leaf in leaves] == pytest.approx(written, rel=1e-9)

    holds()
    root, leaves = mistake.graph()
    claimed = mistake.gradients(root)
    assert [claimed[leaf] for leaf in leaves] == as_written(mistake, mistake.function, mistake.point)


def expression_of_operators(expression):
    """The same program for anything that has + - and *; of constants a leaf is made."""

    def f(*xs):
        nodes = list(xs)
        for op, operands in expression.instructions:
            x, y = (nodes[k] if type(k) is int else type(xs[0])(k) for k in operands)
            nodes.append({"add": lambda: x + y, "subtract": lambda: x - y, "multiply": lambda: x * y}[op]())
        return nodes[-1]

    return f


# -------------------------------------------------------------------- where they show


@GALLERY_BY_NAME
def test_it_differs_from_the_right_engine_on_its_own_graph(mistake):
    root, leaves = mistake.graph()
    right, wrong = gradients([root], [1.0]), mistake.gradients(root)
    assert list(wrong) == list(right) == order_of(root)
    assert any(differ(right[leaf], wrong[leaf]) for leaf in leaves)
    assert mistake.wrong_nodes(root) == [v for v in right if differ(right[v], wrong[v])]
    assert all(node.grad == 0.0 for node in right), "no grad is touched"
    assert [leaf.label for leaf in leaves] == ["a", "b"][: len(leaves)]
    assert root.label == "y"
    other, _ = mistake.graph()
    assert other is not root


def programs(operations):
    """All graphs of so many additions, subtractions and products, shared nodes included, over as many leaves as fit."""
    for n in range(1, operations + 2):
        choices = [itertools.product("+-*", range(n + i), range(n + i)) for i in range(operations)]
        yield from ((n, steps) for steps in itertools.product(*map(list, choices)))


def built(n, steps, point):
    nodes = [Value(x) for x in point[:n]]
    for op, i, j in steps:
        x, y = nodes[i], nodes[j]
        nodes.append(x + y if op == "+" else x - y if op == "-" else x * y)
    return nodes[-1]


@GALLERY_BY_NAME
def test_no_smaller_graph_shows_it(mistake):
    root, _ = mistake.graph()
    operations = sum(not node.is_leaf for node in order_of(root))
    tried = 0
    for fewer in range(1, operations):
        for n, steps in programs(fewer):
            for point in ((2.0, 3.0, 5.0), (-0.7, 1.3, 0.4)):
                assert not mistake.wrong_nodes(built(n, steps, point)), steps
                tried += 1
    assert tried == {1: 0, 2: 2 * 15, 3: 2 * (15 + 1656)}[operations]


@GALLERY_BY_NAME
def test_check_gradients_catches_it(mistake):
    report = check_gradients(mistake.function, mistake.point, gradient=mistake.gradient_of(mistake.function))
    assert not report.ok
    with pytest.raises(AssertionError):
        assert_gradients(mistake.function, mistake.point, gradient=mistake.gradient_of(mistake.function))
    assert check_gradients(mistake.function, mistake.point).ok


def test_gradients_left_from_calls_before_have_the_numbers_of_the_lectures():
    x = Value(3.0)
    fourth = (x**2) ** 2
    calls = [wrong_engines.without_zeroing(fourth, wrong_engines.locals_of_table, n)[x] for n in (1, 2, 3)]
    assert calls == [108.0, 324.0, 648.0]
    assert mistakes.no_zeroing.gradients(fourth)[x] == 324.0
    assert mistakes.leaves_zeroed_only.gradients(fourth)[x] == 216.0
    fourth.backward()
    fourth.backward()
    assert x.grad == 216.0  # what two calls should add up to


def test_each_has_a_place_of_its_own():
    assert len({mistake.name for mistake in GALLERY}) == len(GALLERY) >= 11
    for mistake in GALLERY:
        assert getattr(mistakes, mistake.name) is mistake
        assert repr(mistake) == f"<mistake {mistake.name}: {mistake.story}>"
        assert mistake.story.endswith(".")
        assert mistake.story.count(". ") == 0
    assert sg.mistakes is mistakes


@settings(max_examples=40)
@given(expressions(max_ops=6), st.sampled_from(GALLERY))
def test_it_runs_on_any_graph_of_the_table(expression, mistake):
    root, leaves = expression.graph()
    claimed = mistake.gradients(root)
    assert set(claimed) == set(order_of(root))
    gradient = mistake.gradient_of(expression)(*expression.inputs)
    assert gradient == pytest.approx([claimed.get(leaf, 0.0) for leaf in leaves], nan_ok=True)


@settings(max_examples=40)
@given(expressions(max_ops=6))
def test_the_right_sweep_is_the_engines(expression):
    root, _ = expression.graph()
    mine = wrong_engines.right(root, wrong_engines.locals_of_table)
    for node, adjoint in gradients([root], [1.0]).items():
        assert not differ(adjoint, mine[node])


def test_gradient_of_what_does_not_depend_on_its_inputs():
    assert mistakes.overwriting.gradient_of(lambda x, y: 1.0)(1.0, 2.0) == [0.0, 0.0]
    assert mistakes.overwriting.gradient_of(lambda x, y: x + x)(1.0, 2.0) == [1.0, 0.0]


def test_what_it_cannot_do_is_said():
    a = Value(2.0)
    by_hand = Value(4.0, (a,), "twice")
    by_hand._backward = lambda: None
    for mistake in GALLERY:
        with pytest.raises(TypeError, match="'twice'"):
            mistake.gradients(by_hand)
        with pytest.raises(TypeError, match="a Value, not float"):
            mistake.gradients(2.0)
    node = a
    for _ in range(30):
        node = node + node
    with pytest.raises(TooManyVisitsError, match="once for every path"):
        mistakes.no_sorting.gradients(node)
    for mistake in GALLERY:
        if mistake.name != "no_sorting":
            mistake.gradients(node)
    for _ in range(200):
        node = node + 1.0
    with pytest.raises(GraphTooLargeError, match=r"overwriting\.gradients\(root\)"):
        mistakes.overwriting.show(node)


def test_a_leaf_alone():
    for mistake in GALLERY:
        leaf = Value(2.0)
        seed = {"seed_zero": 0.0, "seed_value": 2.0}.get(mistake.name, 1.0)
        assert mistake.gradients(leaf) == {leaf: seed}


def test_constants_are_handed_nothing_and_not_marked():
    a, k = Value(2.0), Value(3.0, requires_grad=False)
    root = (a * k) * 5.0
    assert mistakes.own_factor.wrong_nodes(root) == [a, root.parents[0]]


@has_full_size
def test_graphs_of_any_depth():
    n = size(3_000, 20_000)
    node = start = Value(1.0)
    for _ in range(n):
        node = node + 0.0
    for mistake in GALLERY:
        assert mistake.gradients(node)[start] in (0.0, 1.0, 2.0, n, n + 1.0)


# -------------------------------------------------------------------- how they look


@GALLERY_BY_NAME
def test_two_pictures_side_by_side(mistake):
    comparison = mistake.show()
    bundle = mistake._repr_mimebundle_()
    assert bundle["text/plain"] == comparison.text == str(mistake)
    need_layout()
    page = bundle["text/html"]
    contents = Contents(page)
    shown = [contents.svg(i) for i in range(len(contents.images))]
    assert shown == [comparison.right_drawing.svg, comparison.wrong_drawing.svg]
    assert page.index(">right<") < page.index(">wrong<")
    assert html.escape(mistake.code) in page
    alts = [picture["alt"] for picture in contents.images]
    assert [alt.split()[0] for alt in alts] == ["Right:", "Wrong,"]
    assert alts[1].count(", not ") == len(comparison.wrong_nodes)
    right, wrong = (texts(drawing) for drawing in (comparison.right_drawing, comparison.wrong_drawing))
    assert not any(", not " in text for text in right)
    assert sum(", not " in text for text in wrong) == len(comparison.wrong_nodes) > 0
    assert comparison.wrong_drawing.svg.count(' bad">') == len(comparison.wrong_nodes)
    assert ' bad">' not in comparison.right_drawing.svg


def texts(drawing):
    elements = ET.fromstring(drawing.svg).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314
    return [element.text or "" for element in elements]


def test_the_wrong_numbers_and_the_wrong_local_derivatives_are_told():
    comparison = mistakes.own_factor.show()
    assert "grad 2, not 3" in texts(comparison.wrong_drawing)
    assert "grad 3" in texts(comparison.right_drawing)
    assert "local derivative 2, not 3" in comparison.wrong_drawing.svg
    assert [edge.label for edge in comparison.right_drawing.picture.edges] == ["×3", "×2"]
    assert [edge.label for edge in comparison.wrong_drawing.picture.edges] == ["×2", "×3"]
    assert "nothing is handed on" in mistakes.parents_in_a_set.show().wrong_drawing.svg
    assert comparison.table().splitlines() == [
        "name  computed as  value  right grad  wrong grad",
        "a                      2           3           2  ← wrong",
        "b                      3           2           3  ← wrong",
        "y     a × b            6           1           1",
    ]
    assert repr(comparison) == "<comparison of own_factor with the right engine: 2 of 3 gradients are wrong>"


def test_any_graph_can_be_shown():
    w, x = Value(2.0, label="w"), Value(-1.0, label="x")
    comparison = mistakes.overwriting.show((w * x + w).tanh())
    assert [node.label for node in comparison.wrong_nodes] == ["w"]
    assert sum(", not " in text for text in texts(comparison.wrong_drawing)) == 1
    harmless = mistakes.overwriting.show(w * x)
    assert harmless.wrong_nodes == []
    assert ", not " not in harmless.wrong_drawing.svg


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_are_shown_as_text(label):
    a = Value(2.0, label=label)
    comparison = mistakes.overwriting.show(a + a)
    texts(comparison.right_drawing)
    page = comparison.html
    assert "<script" not in page.lower()
    assert Contents(page).svg(1) == comparison.wrong_drawing.svg


@pytest.mark.parametrize("label", HOSTILE)
def test_without_an_engine_there_is_a_table(label, monkeypatch):
    monkeypatch.setattr("scalargrad.mistakes.comparison.available", lambda engine: "text")
    a = Value(2.0, label=label)
    comparison = mistakes.overwriting.show(a + a)
    page = comparison.html
    assert "<svg" not in page
    assert html.escape(comparison.table()) in page
    assert "<script" not in page.lower()
    assert len(comparison.table().splitlines()) == 3


def test_an_engine_that_fails_leaves_the_table(monkeypatch):
    def fail(*_):
        raise engines.EngineError("no")

    monkeypatch.setattr("scalargrad.drawing.result.lay_out", fail)
    assert "← wrong" in mistakes.overwriting.show().html


def test_the_colour_of_what_is_wrong_can_be_read():
    for theme in THEMES.values():
        for scheme in (theme.light, theme.dark):
            assert min(contrast(scheme["bad"], scheme[face]) for face in ("card", "root", "input", "parameter")) >= 4.5


def test_differ():
    assert differ(1.0, math.nan)
    assert differ(math.inf, -math.inf)
    assert not differ(math.inf, math.inf)
