"""What `scalargrad.strategies` promises: legal inputs, live programs with shared nodes, shrinking, code that runs."""

import math
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, check_gradients, nn, topological_order
from scalargrad.function import primitive
from scalargrad.strategies import (
    Expression,
    Instruction,
    call,
    expressions,
    inputs_for,
    networks,
    numbers_in,
    off_kinks,
    values,
)
from scalargrad.table import TABLE, Domain

IN_TABLE = sorted(name for name, op in TABLE.items() if not op.is_users)
FEW = settings(max_examples=size(10, 25))
SEARCH = settings(max_examples=20_000, database=None, phases=[Phase.generate, Phase.shrink])


def code_of(text):
    """The names that are there after running the text."""
    names = {}
    exec(text, names)  # noqa: S102
    return names


# -------------------------------------------------------------------- numbers and inputs


@given(values(min=-1.0, max=3.0))
def test_values_are_fresh_leaves_in_their_range(v):
    assert type(v) is Value
    assert v.is_leaf
    assert v.grad == 0.0
    assert -1.0 <= v.data <= 3.0
    v.grad = 5.0  # does not reach the next example


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (math.nan, 1.0), (0.0, math.inf)])
def test_values_need_a_range(low, high):
    with pytest.raises(ValueError, match="min must not be above max"):
        values(low, high)


@has_full_size
@pytest.mark.parametrize("name", IN_TABLE)
def test_inputs_are_legal_and_off_the_kinks(name):
    op = TABLE[name]

    @FEW
    @given(inputs_for(name, margin=0.02))
    def holds(xs):
        for x, domain in zip(xs, op.domains(len(xs)), strict=True):
            assert x in domain
            assert domain.whole or x - 0.02 >= domain.low
            assert domain.whole or x + 0.02 <= domain.high
            assert domain.hole is None or abs(x - domain.hole) > 0.02
        leaves = [Value(x) for x in xs]
        assert math.isfinite(call(op, leaves).data)
        assert off_kinks(op, xs, 0.01)
        for i, x in list(enumerate(xs))[op.has_index :]:  # either side of each that can move, by the row itself
            for moved in (x - 0.01, x + 0.01):
                there = [*xs[:i], moved, *xs[i + 1 :]]
                call(op, there)
                if op.kinks is not None:
                    sides = [op.sides(at) for at in (xs, there)]
                    assert sides[0] == sides[1]

    holds()


def test_an_op_may_be_named_in_many_ways():
    for op in ("log", sg.log, TABLE["log"]):
        assert find(inputs_for(op), lambda xs: True)[0] > 0.0
    assert call("+", [1.0, 2.0]) == call("add", [1.0, 2.0]) == 3.0
    for unknown in ("lgo", math.log, None):
        with pytest.raises(ValueError, match="no op of the table"):
            inputs_for(unknown)


@given(st.data())
def test_numbers_lie_in_any_domain(data):
    low = data.draw(st.floats(-100, 100))
    domain = Domain(low, low + data.draw(st.floats(0.1, 100)), hole=data.draw(st.none() | st.just(low + 0.05)))
    x = data.draw(numbers_in(domain, margin=0.01))
    assert domain.low + 0.01 <= x <= domain.high - 0.01
    assert domain.hole is None or abs(x - domain.hole) > 0.01


def test_a_margin_must_leave_something():
    with pytest.raises(ValueError, match="leaves nothing of the domain"):
        numbers_in(Domain(0.0, 1.0), margin=0.6)


def test_the_tip_of_a_cone_is_a_kink_and_its_side_is_not():
    assert not off_kinks("hypot", [0.001, -0.002], 0.01)
    assert off_kinks("hypot", [0.001, 0.5], 0.01)
    assert not off_kinks("maximum", [1.0, 1.015], 0.01)
    assert not off_kinks("clip", [0.0, 1.0, 1.005], 0.01), "the bounds may not change places"


# -------------------------------------------------------------------- expressions


@has_full_size
@pytest.mark.parametrize("name", IN_TABLE)
def test_an_expression_of_any_op_is_legal_everywhere(name):
    @FEW
    @given(expressions(ops=[name, "multiply"], max_ops=4), st.lists(st.floats(-30, 30), min_size=2, max_size=2))
    def holds(expression, elsewhere):
        root, leaves = expression.graph()
        assert all(math.isfinite(node.data) and abs(node.data) <= 1e4 for node in topological_order(root))
        assert root.data == expression.value() == expression(*expression.inputs)
        root.backward()
        assert not math.isnan(sum(leaf.grad for leaf in leaves))
        expression(*map(Value, elsewhere))  # no domain error

    holds()
    assert name in find(expressions(ops=[name]), lambda e: name in e.ops, settings=SEARCH).ops


@given(expressions(inputs=3))
def test_every_node_is_needed_and_stands_after_its_operands(expression):
    n = len(expression.inputs)
    assert len(expression) >= 1
    used = set()
    for i, (_, operands) in enumerate(expression.instructions):
        assert all(type(x) is float or 0 <= x < n + i for x in operands)
        assert any(type(x) is int for x in operands), "a constant is no node"
        used |= {x for x in operands if type(x) is int}
    assert {n + i for i in range(len(expression) - 1)} <= used


STEEP_WITH_KINKS = ["multiply", "exp", "relu", "floor", "maximum", "remainder", "absolute", "clip"]


@given(expressions(margin=0.02) | expressions(ops=STEEP_WITH_KINKS, margin=0.02))
def test_inputs_that_move_by_the_margin_reach_no_kink(expression):
    def sides(xs):
        nodes = [node for node in topological_order(expression(*map(Value, xs))) if not node.is_leaf]
        kinks = [(node._rule, [a for _, a in node.operands]) for node in nodes if node._rule.kinks]
        return [op.sides(xs) for op, xs in kinks]

    here = sides(expression.inputs)
    for i, x in enumerate(expression.inputs):
        for moved in (x - 0.02, x + 0.02):
            assert sides([*expression.inputs[:i], moved, *expression.inputs[i + 1 :]]) == here


def test_kinks_are_drawn_if_they_are_asked_for():
    def at_the_kink(expression):
        return expression.ops == ("relu",) and expression.inputs == (0.0,)

    drawn = []

    @settings(max_examples=200, database=None)
    @given(expressions(1, ["relu"], 1, kinks=True))
    def draw(expression):
        drawn.append(at_the_kink(expression))

    draw()
    assert sum(drawn) / len(drawn) > 0.1
    few = settings(max_examples=500, database=None)
    with pytest.raises(NoSuchExample):
        find(expressions(1, ["relu"], 1), at_the_kink, settings=few)


def shared(expression):
    """The computed nodes that several instructions use."""
    n = len(expression.inputs)
    uses = Counter(x for i in expression.instructions for x in set(i.operands) if type(x) is int and x >= n)
    return [x for x, count in uses.items() if count > 1]


def test_nodes_are_shared_and_most_programs_have_several():
    sizes, sharing = [], []

    @settings(max_examples=300, database=None)
    @given(expressions())
    def draw(expression):
        sizes.append(len(expression))
        sharing.append(bool(shared(expression)))

    draw()
    assert sum(sizes) / len(sizes) > 3.5
    assert sum(sharing) / len(sharing) > 0.1
    assert max(sizes) > 12


SOME = ["add", "multiply", "tanh", "exp", "sin", "log", "relu", "dot", "arcsin", "divide"]


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        (lambda e: "sin" in e.ops, 1),
        (lambda e: "tanh" in e.ops, 3),  # inside an arcsine it is there too
        (lambda e: {"exp", "sin"} <= set(e.ops), 3),
        (lambda e: "log" in e.ops, 3),  # of a square plus a half
        (lambda e: "arcsin" in e.ops, 3),
        (lambda e: len(e) >= 5, 6),
        (lambda e: {"relu", "dot"} <= set(e.ops), 3),
        (lambda e: abs(e.value()) > 50.0, 4),
    ],
)
def test_shrinking_drops_instructions(wanted, size):
    """Near the least that can be: hypothesis gives up after a while, so that one instruction may be left over."""
    found = find(expressions(ops=SOME), wanted, settings=SEARCH)
    assert wanted(found)
    assert len(found) <= size


def test_shrinking_keeps_what_is_shared():
    found = find(expressions(ops=["add", "multiply", "sin", "subtract"]), shared, settings=SEARCH)
    assert len(found) <= 3  # a node, and two instructions that use it, one of them perhaps the result
    assert found.inputs == (1.0, 2.0)


def test_a_wrong_rule_shrinks_to_the_op_it_is_of(monkeypatch):
    """A sign planted in one rule of the table, found by the reverse sweep against the complex step."""
    sinh, right = TABLE["sinh"], TABLE["sinh"].backward

    def wrong(node, upstream, adjoints):
        right(node, -upstream, adjoints)

    def differs(expression):
        root, leaves = expression.graph()
        root.backward()
        truth = sg.complex_step(expression, expression.inputs)
        return any(not math.isclose(x.grad, t, rel_tol=1e-6, abs_tol=1e-9) for x, t in zip(leaves, truth, strict=True))

    analytic = expressions(ops=["add", "multiply", "subtract", "sin", "sinh", "divide", "exp"])
    with pytest.raises(NoSuchExample):
        find(analytic, differs, settings=settings(max_examples=200, database=None))
    monkeypatch.setattr(sinh, "backward", wrong)
    assert find(analytic, differs, settings=SEARCH).ops == ("sinh",)


@given(expressions())
def test_code_runs_and_gives_the_same_number(expression):
    names = code_of(expression.code)
    assert names["y"] == expression.value()
    root = names["f"](*map(Value, expression.inputs))
    assert root.data == expression.value()
    assert repr(expression) == expression.code
    again = [node._op for node in topological_order(root) if not node.is_leaf]
    assert Counter(again) == Counter(TABLE[name].text for name in expression.ops)


def test_a_falsifying_example_can_be_copied():
    @settings(database=None, print_blob=False)
    @given(expressions(inputs=1, ops=["multiply", "tanh"]))
    def fails(expression):
        assert "tanh" not in expression.ops

    with pytest.raises(AssertionError) as caught:
        fails()
    notes = "\n".join(getattr(caught.value, "__notes__", []))
    start = notes.index("import scalargrad")
    text = notes[start : notes.index("y = f(1.0)") + len("y = f(1.0)")]
    assert text == "import scalargrad as sg\n\ndef f(x0):\n    return sg.tanh(x0)\n\ny = f(1.0)"
    assert code_of(text)["y"] == math.tanh(1.0)


def test_expressions_are_deterministic_and_comparable():
    program = (Instruction("multiply", (0, 0)), Instruction("add", (1, 2.5)))
    first, second = Expression((3.0,), program), Expression((3.0,), program)
    assert first == second
    assert hash(first) == hash(second)
    assert first.value() == second.value() == 11.5
    assert first.ops == ("multiply", "add")
    with pytest.raises(TypeError, match="1 inputs, but 2 were given"):
        first(1.0, 2.0)
    root, (x,) = first.graph()
    other, _ = first.graph()
    assert root is not other
    assert x.label == "x0"


@settings(max_examples=60)
@given(expressions(max_ops=6, span=2.0, max_size=50.0))
def test_gradients_of_expressions_agree_with_differences(expression):
    report = check_gradients(expression, expression.inputs)
    assert not report.wrong, f"{expression}\n{report}"


@pytest.mark.parametrize(
    "options", [{"inputs": 0}, {"max_ops": 0}, {"ops": []}, {"ops": ["nothing"]}], ids=lambda o: next(iter(o))
)
def test_wrong_options_of_expressions(options):
    with pytest.raises(ValueError, match=r"at least 1|no op of the table"):
        expressions(**options)


def test_ops_of_users():
    @primitive(partials=[lambda x, y: 2 * x * y, lambda x, y: x * x], domain=[(1.0, 3.0), Domain()])
    def cone_for_a_test(x, y):
        return x * x * y

    assert all(1.0 <= xs[0] <= 3.0 for xs in [find(inputs_for(cone_for_a_test), lambda xs: True)])
    found = find(expressions(ops=[cone_for_a_test]), lambda e: True, settings=SEARCH)
    assert found.ops[-1] == "cone_for_a_test"
    assert "    return cone_for_a_test(" in found.code
    assert "cone_for_a_test" in TABLE
    with pytest.raises(NoSuchExample):
        find(expressions(), lambda e: "cone_for_a_test" in e.ops, settings=settings(max_examples=300, database=None))


# -------------------------------------------------------------------- networks


@settings(max_examples=60)
@given(networks(nin=3, max_layers=3, max_width=4))
def test_networks_are_small_and_off_their_kinks(network):
    assert isinstance(network.model, nn.MLP)
    assert len(network.inputs) == 3
    assert 1 <= len(network.nouts) <= 3
    assert network.nouts[-1] == 1
    assert max(network.nouts) <= 4
    root, leaves = network.graph()
    assert len(leaves) == 3 + len(network.model.parameters())
    assert root.data == network(*network.inputs).data == code_of(network.code)["y"].data
    assert repr(network) == network.code
    for node in topological_order(root):
        if not node.is_leaf and node._rule.kinks:
            assert off_kinks(node._rule, [a for _, a in node.operands], 0.01)
    root.backward()
    assert all(math.isfinite(leaf.grad) for leaf in leaves)


def test_networks_shrink_and_check():
    found = find(networks(nin=1), lambda network: len(network.nouts) == 3, settings=SEARCH)
    assert found.nouts == (1, 1, 1)
    assert found.seed == 0
    assert check_gradients(found, found.inputs).ok
    with pytest.raises(ValueError, match="at least 1, not 0"):
        networks(nin=0)


# -------------------------------------------------------------------- without hypothesis

WITHOUT = """
import sys
sys.modules["hypothesis"] = None
import scalargrad, pydoc
from scalargrad import *
pydoc.render_doc(scalargrad)
try:
    scalargrad.strategies
except ImportError as error:
    print(error)
"""


def test_only_strategies_need_hypothesis():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "scalargrad.strategies needs hypothesis (the extra `test`): pip install hypothesis"
