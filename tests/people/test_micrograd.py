"""Code written for micrograd runs after a change of its import, and computes the same."""

import random

import pytest
from helpers import readme_example
from sizes import has_full_size, size

import scalargrad.engine
import scalargrad.nn
from scalargrad import nn


def moons_demo(engine, networks, steps):
    """The loop of micrograd's demo notebook, word for word but for the data; returns losses and accuracies."""
    X, y = nn.moons(100, noise=0.1, seed=1337, labels=(-1, 1))
    random.seed(1337)
    model = networks.MLP(2, [16, 16, 1])  # 2-layer neural network
    assert len(model.parameters()) == 337

    def loss(batch_size=None):
        Xb, yb = X, y
        inputs = [list(map(engine.Value, xrow)) for xrow in Xb]

        # forward the model to get scores
        scores = list(map(model, inputs))

        # svm "max-margin" loss
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(yb, scores)]  # noqa: B905
        data_loss = sum(losses) * (1.0 / len(losses))
        # L2 regularization
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss

        # also get accuracy
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(yb, scores)]  # noqa: B905
        return total_loss, sum(accuracy) / len(accuracy)

    seen = []
    for k in range(steps):
        # forward
        total_loss, acc = loss()

        # backward
        model.zero_grad()
        total_loss.backward()

        # update (sgd)
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad

        seen.append((total_loss.data, acc))
    return seen


def neuron_of_the_lecture(Value):
    """A neuron built from parts with an operation defined in micrograd's style; its gradients."""
    import math

    def tanh(self):
        x = self.data
        t = (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)
        out = Value(t, (self,), "tanh")

        def _backward():
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    x1, x2, w1, w2, b = Value(2.0), Value(0.0), Value(-3.0), Value(1.0), Value(6.8813735870195432)
    n = x1 * w1 + x2 * w2 + b
    o = tanh(n)
    o.backward()
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

    build_topo(o)
    return o.data, [v.grad for v in (x1, w1, x2, w2)], len(topo), o._op


def test_the_neuron_of_the_lecture():
    data, grads, nodes, op = neuron_of_the_lecture(scalargrad.engine.Value)
    assert data == pytest.approx(0.7071067811865477, rel=1e-15)
    assert grads == pytest.approx([-1.5, 1.0, 0.5, 0.0], rel=1e-12)
    assert (nodes, op) == (10, "tanh")


@has_full_size
def test_the_moons_demo_reaches_every_point():
    losses = moons_demo(scalargrad.engine, scalargrad.nn, size(50, 100))
    assert losses[-1][1] == 1.0
    assert losses[-1][0] < losses[0][0] / 10


@has_full_size
def test_everything_as_micrograd_computes_it():
    engine = pytest.importorskip("micrograd.engine", reason="the extra `bench` is not installed")
    networks = pytest.importorskip("micrograd.nn")

    steps = size(2, 5)
    for (loss, accuracy), (theirs, accuracy_of_theirs) in zip(
        moons_demo(scalargrad.engine, scalargrad.nn, steps), moons_demo(engine, networks, steps), strict=True
    ):
        assert loss == pytest.approx(theirs, rel=1e-12)
        assert accuracy == accuracy_of_theirs
    assert neuron_of_the_lecture(scalargrad.engine.Value) == neuron_of_the_lecture(engine.Value)

    def value(data, label=""):
        return engine.Value(data)

    assert readme_example(value)[0].data == readme_example(scalargrad.engine.Value)[0].data
