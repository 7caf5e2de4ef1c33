"""The engine in C is the engine in Python: bits, errors and warnings, in and out of the plain case."""

import random

import pytest
from both_engines import needs_c, outcome, pure
from helpers import call
from hypothesis import given
from hypothesis import strategies as st
from sizes import size

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.engine import gradients, topological_order
from scalargrad.strategies import expressions
from scalargrad.strategies.inputs import operand_counts
from scalargrad.table import TABLE

pytestmark = needs_c


class Sub(Value):
    """A subclass, with attributes."""


def history(seed):
    """A program drawn by this seed, run on the present engine: everything that can be seen of it, step by step."""
    rng = random.Random(seed)
    nodes = [
        Value(rng.choice([rng.uniform(-2, 2), 0.0, -0.0, 1.0, 2, True]), label=rng.choice(["", "x"])) for _ in range(4)
    ]
    seen, names = [], sorted(name for name, op in TABLE.items() if not op.is_users and name != "take")

    def some():
        return rng.choice(
            [rng.choice(nodes), rng.choice(nodes), rng.choice(nodes), rng.uniform(-2, 2), rng.randint(-2, 2)]
        )

    def make():
        op = (
            TABLE[rng.choice(names)]
            if rng.random() < 0.5
            else TABLE[rng.choice(["add", "multiply", "subtract", "dot"])]
        )
        n = op.arity or rng.choice(list(operand_counts(op, 5)))
        return call(op, [some() for _ in range(n)])

    def by_operator():
        x, y = some(), some()
        return rng.choice([lambda: x + y, lambda: x - y, lambda: x * y, lambda: x / y, lambda: x**y, lambda: -x])()

    def leaf():
        return rng.choice([Value, Sub])(rng.uniform(-2, 2), requires_grad=rng.random() < 0.8)

    def written_leaf():
        return Value(rng.uniform(-2, 2), (), "input", label=rng.choice(["", "w"]))

    def constant():
        with sg.no_grad():
            return make()

    def rebound():
        name = rng.choice(nodes)
        with sg.no_grad():
            name -= 0.5
        return name

    def by_hand():
        x = rng.choice(nodes)
        out = Value(2.0 * x.data, (x,), "twice")

        def closure():
            x.grad += 2.0 * out.grad

        out._backward = closure
        return out

    def bound():
        layer = nn.Layer(2, 2, activation=rng.choice(["tanh", "relu", None]), seed=rng.randint(0, 9))
        nodes.extend(layer.parameters())
        return layer([some(), some()])[0]

    def assign():
        rng.choice(nodes).data = rng.choice([rng.uniform(-2, 2), 3, "no number"])

    def assign_grad():
        rng.choice(nodes).grad = rng.choice([0.5, 1, 0, 10**400, None, True])

    def name():
        rng.choice(nodes).label = "named"

    def freeze():
        rng.choice([node for node in nodes if node.is_leaf]).requires_grad = rng.random() < 0.5

    def hook():
        factor = rng.choice([2.0, None])
        rng.choice(nodes).register_hook(lambda g: g if factor is None else g * factor)

    def backward():
        root = rng.choice(nodes)
        rng.choice(
            [
                root.backward,
                lambda: root.backward(2.0),
                lambda: root.backward(seed=3),
                lambda: root.backward(create_graph=True),
            ]
        )()

    def watched():
        with rng.choice([sg.detect_anomaly, sg.no_grad])():
            rng.choice(nodes).backward()

    makers = [make, make, make, by_operator, by_operator, leaf, written_leaf, constant, rebound, by_hand, bound]
    doers = [assign, assign_grad, name, freeze, hook, backward, backward, backward, watched]
    for _ in range(40):
        kind = rng.choice(makers) if rng.random() < 0.65 else rng.choice(doers)

        def step(kind=kind):
            made = kind()
            if isinstance(made, Value):
                nodes.append(made)
            return made

        seen.append((kind.__name__, outcome(step)))
    return seen, [(repr(node.__dict__ if isinstance(node, Sub) else ""), outcome(lambda: node)) for node in nodes]


@pytest.mark.parametrize("seed", range(size(150, 2000)))
def test_a_program_that_leaves_the_plain_case_in_the_middle_has_the_same_history(seed, figure):
    found = history(seed)
    with pure():
        assert found == history(seed)
    figure(
        "a random program of 40 steps that leaves the plain case in the middle", "the same history in C and in Python"
    )


@given(expressions(inputs=3, max_ops=25), st.floats(-4.0, 4.0))
def test_gradients_of_expressions_have_the_same_bits(expression, seed):
    def work():
        xs = [Value(x) for x in expression.inputs]
        y = expression(*xs)
        if not isinstance(y, Value):
            return y
        y.backward(seed)
        return y, [node.grad for node in topological_order(y)]

    found = outcome(work)
    with pure():
        assert found == outcome(work)


def test_adjoints_are_written_as_the_one_sweep_computes_them():
    model = nn.MLP(3, [8, 8, 2], activation="tanh", seed=1)
    loss = nn.cross_entropy(model([0.1, -0.4, 2.0]), 1)
    expected = gradients([loss], [1.0])
    loss.backward()
    constants = [node for node in expected if node.is_leaf and not node.requires_grad]
    assert {node: node.grad for node in expected} == expected | dict.fromkeys(constants, 0.0)


def test_a_layers_inputs_are_what_they_held_when_it_was_called():
    """Also for neurons that are not the plain case, whatever an activation of somebody's does in the middle."""

    def work():
        layer, x = nn.Layer(2, 4, activation=None, seed=0), [Value(1.0), Value(2.0)]

        def assigns(z):
            x[0].data = 9.0
            return z * 1.0

        layer.neurons[0] = nn.Neuron(2, activation=assigns, seed=1)
        layer.neurons[1].w[0] = Sub(0.5)
        layer.neurons[2].w[0].data = 3
        layer.neurons[3].b = None
        ys = layer(x)
        sg.sum(ys).backward()
        return [(y, y.operands) for y in ys], [(p, p.grad) for p in [*x, *layer.parameters()]]

    found = outcome(work)
    with pure():
        assert found == outcome(work)
