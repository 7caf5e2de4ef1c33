"""Two passes side by side: what each remembers, what moved, and what the gradient had promised."""

import html
import math
import re
from html.parser import HTMLParser

import pytest
from drawing_helpers import HOSTILE
from helpers import random_graph
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value, diff, nn, no_grad, topological_order, trace
from scalargrad.engine import gradients
from scalargrad.support.labels import clean_label
from scalargrad.words.texts import number_text


def a_loss(w, x):
    v = w * x - 5.0
    loss = v**2
    loss.label = "L"
    return loss


def parameters():
    return Value(2.0, label="w", parameter=True), Value(3.0, label="x")


def test_one_step_of_descent_in_full():
    w, x = parameters()
    first = a_loss(w, x)
    w.data -= 0.01 * 6.0
    difference = diff(first, a_loss(w, x))
    assert [row.name for row in difference.rows] == ["w", "x", "v1", "v2", "L"]
    assert [row.before for row in difference.rows] == [2.0, 3.0, 6.0, 1.0, 1.0]
    assert [row.after for row in difference.rows] == pytest.approx([1.94, 3.0, 5.82, 0.82, 0.6724])
    assert [row.gradient_before for row in difference.rows] == [6.0, 4.0, 2.0, 2.0, 1.0]
    assert [row.gradient_after for row in difference.rows] == pytest.approx([4.92, 3.1816, 1.64, 1.64, 1.0])
    assert difference.predicted == pytest.approx(-0.36)
    assert difference.actual == pytest.approx(-0.3276)
    assert difference.root.name == "L"
    assert difference.summary.splitlines() == [
        "L: 1 → 0.6724 (−0.3276); 4 of 5 values changed; largest change of a leaf: w (−0.06).",
        "The gradient promised −0.36, it was −0.3276.",
    ]
    assert repr(difference) == "<difference: L: 1 → 0.6724 (−0.3276); 4 of 5 values changed>"
    assert str(difference) == difference.text == f"{difference.table()}\n\n{difference.summary}"


def test_no_grad_is_touched():
    w, x = parameters()
    first = a_loss(w, x)
    first.backward()
    w.data = 1.0
    second = a_loss(w, x)
    for node in topological_order(second):
        node.grad = 5.0
    kept = [node.grad for node in topological_order(first)]
    str(diff(first, second))
    assert [node.grad for node in topological_order(first)] == kept
    assert [node.data for node in topological_order(second)][:2] == [1.0, 3.0]


@given(st.integers(1, 40), st.integers(0, 10_000), st.floats(1e-5, 1e-3))
def test_a_small_change_is_what_the_gradient_promised(n, seed, size):
    root, leaves = random_graph(Value, n, seed)
    used = [node for node in topological_order(root) if node.is_leaf]
    swept = gradients([root], [1.0])
    moved = [leaf.data + size * math.cos(i) for i, leaf in enumerate(leaves)]

    def with_numbers(make):
        made = iter(moved)
        return lambda x, **options: make(next(made, 0.0) if x != 0.0 else x, **options)

    second, _ = random_graph(with_numbers(Value), n, seed)
    difference = diff(root, second)
    assert len(difference.rows) == len(topological_order(root))
    for row, node in zip(difference.rows, topological_order(root), strict=True):
        assert (row.before, row.gradient_before) == (node.data, swept[node])
    assert difference.actual == second.data - root.data
    expected = math.fsum(
        swept[leaf] * (x - leaf.data) for leaf, x in zip(leaves, moved, strict=True) if leaf in set(used)
    )
    assert difference.predicted == pytest.approx(expected, rel=1e-9, abs=1e-12)
    moved[:] = [leaf.data + size / 2 * math.cos(i) for i, leaf in enumerate(leaves)]
    smaller = diff(root, random_graph(with_numbers(Value), n, seed)[0])
    error, error_of_half = abs(difference.predicted - difference.actual), abs(smaller.predicted - smaller.actual)
    assert error_of_half <= error / 2 + 1e-9 * (1 + abs(root.data))  # second order: a quarter is what remains


@pytest.mark.parametrize("optimizer", [nn.SGD, nn.Adam])
def test_a_training_step_of_a_network(optimizer):
    model = nn.MLP(2, [4, 1], seed=3)
    samples = [([0.5, -1.0], 1.0), ([1.0, 0.3], -1.0)]

    def loss():
        out = sum((model(x) - y) ** 2 for x, y in samples)
        out.label = "L"
        return out

    first = loss()
    numbers = [p.data for p in model.parameters()]
    steps = optimizer(model.parameters(), lr=1e-3)
    first.backward()
    frozen = trace(first)
    grads = {p: p.grad for p in model.parameters()}
    steps.step()
    second = loss()
    by_parameter = {row.node: row for row in diff(first, second).rows if row.node.is_parameter}
    assert list(map(len, (by_parameter, numbers))) == [17, 17]
    for p, number in zip(model.parameters(), numbers, strict=True):
        row = by_parameter[p]
        assert (row.before, row.after, row.gradient_before) == (number, p.data, grads[p])
    difference = diff(first, second)
    assert difference.actual < 0
    assert difference.predicted == pytest.approx(difference.actual, rel=0.1)
    same = diff(frozen, trace(second))
    assert same.text == difference.text
    assert diff(frozen, second).text == diff(first, trace(second)).text == difference.text


def test_a_trace_made_before_a_closure_saw_new_numbers_keeps_the_gradients_of_then():
    w = Value(2.0, label="w")

    def loss():
        out = Value(w.data**2, (w,), "square", label="L")

        def backward():
            w.grad += 2 * w.data * out.grad

        out._backward = backward
        return out

    first = loss()
    frozen = trace(first)
    w.data = 1.0
    kept, late = diff(frozen, loss()), diff(first, loss())
    assert (kept.rows[0].gradient_before, kept.predicted, kept.closures_changed) == (4.0, -4.0, False)
    assert (kept.rows[0].before, late.rows[0].before) == (2.0, 2.0)
    assert late.closures_changed
    assert "Hand-written closures read the numbers of now" in late.summary
    assert "Hand-written" not in kept.summary


def test_fused_nodes_and_expanded_traces():
    model = nn.Neuron(3, seed=1)
    xs = [Value(x, label=f"x{i}") for i, x in enumerate((1.0, -2.0, 0.5))]
    first = model(xs)
    frozen = trace(first, expand=True)
    model.parameters()[0].data += 0.1
    second = model(xs)
    assert len(diff(first, second).rows) < len(diff(frozen, trace(second, expand=True)).rows)
    with pytest.raises(ValueError, match="the two passes are not of the same graph"):
        diff(frozen, second)


def test_labels_given_in_one_pass_only_are_used():
    w, x = parameters()
    first = (w * x).tanh()
    w.data = 0.1
    second = (w * x).tanh()
    second.label = "out"
    second.parents[0].label = "s"
    for difference in (diff(first, second), diff(second, first)):
        assert [row.name for row in difference.rows] == ["w", "x", "s", "out"]


def test_changed_constants_are_told():
    def out(w, batch):
        return w * batch[0] + batch[1]

    w = Value(2.0, label="w")
    first = out(w, [1.0, 2.0])
    w.data = 2.5
    same, other = diff(first, out(w, [1.0, 2.0])), diff(first, out(w, [3.0, 4.0]))
    assert (same.constants_changed, other.constants_changed) == (0, 2)
    assert same.predicted == same.actual == 0.5
    assert "2 constants changed too" in other.summary
    assert "constant" not in same.summary


def test_nothing_changed_and_numbers_that_are_not_finite():
    w, x = parameters()
    nothing = diff(a_loss(w, x), a_loss(w, x))
    assert nothing.changed == []
    assert nothing.summary == "L: 1 → 1 (0); 0 of 5 values changed."
    x = Value(math.inf)
    bad = diff(x * 0.0 + w, x * 0.0 + w)
    assert bad.changed == []
    assert bad.predicted == 0.0
    w2 = Value(math.nan, label="w")
    assert "nan" in diff(w * 1.0, w2 * 1.0).text


def test_exact_fractions():
    w, x = Value(sg.Exact(1, 3), label="w"), Value(sg.Exact(2, 7), label="x")
    first = w * x
    w.data = sg.Exact(2, 3)
    difference = diff(first, w * x)
    assert difference.predicted == difference.actual == sg.Exact(2, 21)
    assert "0.0952" in difference.text


# -------------------------------------------------------------------- graphs that differ


def test_where_graphs_begin_to_differ():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    with pytest.raises(ValueError, match=r"first difference is v1 = a \+ b before and v1 = a × b after"):
        diff((a + b).tanh(), (a * b).tanh())
    with pytest.raises(
        ValueError, match=r"v1 = sum\(a, b\), of 2 operands, before and v1 = sum\(a, b, a\), of 3 operands after"
    ):
        diff(sg.sum([a, b]), sg.sum([a, b, a]))
    with pytest.raises(ValueError, match="there are 3 values before and 4 values after"):
        diff(a + b, (a + b).tanh())
    with pytest.raises(ValueError, match=r"first difference is v2 = a × b before and v2 = a × a after"):
        diff((a * b) + (a * b), (a * b) + (a * a))
    by_hand = Value(6.0, (a, b), "*")
    by_hand._backward = lambda: None
    with pytest.raises(
        ValueError, match=r"v1 = a × b, <op multiply> of values 0, 1, before and v1 = a × b, hand-written of"
    ):
        diff(a * b, by_hand)
    with pytest.raises(ValueError, match=r"the first difference is the leaf b before and v1 = tanh\(a\) after"):
        diff(a + b.tanh(), a.tanh() + b)


@given(st.integers(1, 30), st.integers(0, 5000), st.integers(0, 5000))
def test_graphs_of_other_code_are_refused_or_have_equal_structure(n, seed, other):
    def shape(root):
        order = topological_order(root)
        at = {node: i for i, node in enumerate(order)}
        return [(node._op, [None if p is None else at[p] for p, _ in node.operands]) for node in order]

    first, second = random_graph(Value, n, seed)[0], random_graph(Value, n, other)[0]
    if shape(first) == shape(second):
        assert len(diff(first, second).rows) == len(shape(first))
    else:
        with pytest.raises(ValueError, match="the two passes are not of the same graph"):
            diff(first, second)


def test_wrong_arguments():
    w, x = parameters()
    loss = a_loss(w, x)
    with pytest.raises(TypeError, match=r"diff: before must be a Value, .* not float: diff\(loss_before, loss_after\)"):
        diff(1.0, loss)
    with pytest.raises(TypeError, match="diff: after must be a Value"):
        diff(loss, [loss])
    for same in ((loss, loss), (trace(loss), loss), (trace(loss), trace(loss))):
        with pytest.raises(ValueError, match="before and after are the same pass: keep the first output"):
            diff(*same)
    with pytest.raises(ValueError, match="after was traced with the seed 2"):
        diff(loss, trace(a_loss(w, x), seed=2.0))
    for rows, error, text in ((0, ValueError, "at least 1"), (-1, ValueError, "at least 1"),
                              (True, TypeError, "an integer"), (2.5, TypeError, "an integer")):  # fmt: skip
        with pytest.raises(error, match=f"rows must be {text}, not .* or rows=None for all"):
            diff(loss, a_loss(w, x), rows=rows)
    with no_grad():
        constant = w * x
    with pytest.raises(ValueError, match="nothing to differentiate"):
        diff(constant, w * x)


# -------------------------------------------------------------------- appearance


def test_the_table_is_aligned():
    w, x = parameters()
    first = a_loss(w, x)
    w.data = -123456.0
    text = diff(first, a_loss(w, x)).table()
    lines = text.splitlines()
    ends = [[match.end() for match in re.finditer(r"\S(?=  |$)", line)] for line in lines]
    assert all(line[-5:] == ends_[-5:] for line, ends_ in zip([ends[0]] * len(ends), ends, strict=True))
    assert lines[0].split() == "name computed as before after change grad before grad after".split()


def test_long_tables_are_cut_and_say_so():
    w = Value(1.0, label="w")

    def deep():
        v = w
        for _ in range(3000):
            v = v * 1.0
        v.label = "out"
        return v

    first = deep()
    w.data = 2.0
    second = deep()
    difference = diff(first, second)
    lines = difference.table().splitlines()
    assert len(lines) == 1 + 40 + 1
    assert lines[-2] == "… 2 961 more"
    assert lines[-1].startswith("out")
    assert len(difference.table(None).splitlines()) == 3002
    assert len(difference.table(5).splitlines()) == 7
    assert len(difference.table(1).splitlines()) == 3
    assert len(diff(first, second, rows=None).text.splitlines()) == 3002 + 3
    assert difference.html.count("<tr>") == 1 + 40 + 1
    assert difference.actual == difference.predicted == 1.0


def test_only_what_changed():
    w, x = parameters()
    first = a_loss(w, x)
    w.data = 1.0
    lines = diff(first, a_loss(w, x)).table(changed=True).splitlines()
    assert [line.split()[0] for line in lines] == ["name", "w", "v1", "v2", "L"]


class Cells(HTMLParser):
    """The texts of the cells, and every tag that was opened."""

    def __init__(self):
        super().__init__()
        self.rows, self.tags, self.open = [], [], False

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        self.open = tag in ("td", "th")
        if self.open:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.open = self.open and tag not in ("td", "th")

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


@given(st.sampled_from(HOSTILE) | st.text(max_size=20))
def test_any_label_is_only_text(label):
    w = Value(2.0, label=label)
    first = w * w
    w.data = 3.0
    second = w * w
    second.label = label
    difference = diff(first, second)
    bundle = difference._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    cells = Cells()
    cells.feed(bundle["text/html"])
    assert set(cells.tags) <= {"div", "table", "thead", "tbody", "tr", "th", "td", "p"}
    assert [row[0] for row in cells.rows[1:]] == [row.name for row in difference.rows]
    assert [row[2:5] for row in cells.rows[1:]] == [
        [number_text(row.before), number_text(row.after), "+" + number_text(row.change)] for row in difference.rows
    ]
    assert clean_label(label)[:20] in html.unescape(bundle["text/html"])
    assert len(bundle["text/plain"].splitlines()) == 3 + 1 + 2


def test_a_network_in_thousands_of_nodes():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    xs = [[i / 10, -i / 7] for i in range(40)]

    def loss():
        return sum((model(x) - 1.0) ** 2 for x in xs)

    first = loss()
    first.backward()
    for p in model.parameters():
        p.data -= 1e-6 * p.grad
    difference = diff(first, loss())
    assert len(difference.rows) > 2000
    assert len(difference.text.splitlines()) < 50
    assert difference.predicted == pytest.approx(difference.actual, rel=0.05)
