"""A network of AlexNet's kinds of layers, made of scalars, reads handwritten digits: the lecture's graph, trained."""

import random

import pytest
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import nn


def alexnet(seed):
    """Each kind of AlexNet's layers once, for pictures of 8 × 8; the softmax is in the loss."""
    rng = random.Random(seed)
    return nn.Sequential(
        nn.Unflatten(1, 8, 8),
        nn.Conv2d(1, 12, 3, padding=1, rng=rng),
        "relu",
        nn.LocalResponseNorm(3, alpha=0.1),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25, seed=seed),
        nn.Layer(192, 10, activation=None, init="xavier_uniform", rng=rng),
    )


def digits():
    X, y = nn.digits()
    order = random.Random(0).sample(range(1797), 1797)
    return [([X[i] for i in part], [y[i] for i in part]) for part in (order[:1200], order[1200:])]


# -------------------------------------------------------------------- 47: AlexNet


def test_47_the_graph_has_a_node_for_each_number_of_each_kind_of_layer():
    model = alexnet(0).eval()
    X, y = nn.digits()
    loss = nn.cross_entropy([model(X[0])], [y[0]])
    ops = [getattr(v._rule, "name", "") for v in sg.topological_order(loss)]
    scopes = {getattr(v.label, "scope", ())[:1] for v in sg.topological_order(loss)}
    assert {("layer 1",), ("layer 3",), ("layer 4",), ("layer 7",)} <= scopes
    assert ops.count("relu") == 12 * 8 * 8
    assert ops.count("power") == 12 * 8 * 8
    assert ops.count("max") == 12 * 4 * 4
    assert ops.count("dot") == 2 * 12 * 8 * 8 + 10  # the filters, the sums of squares, the scores
    loss.backward()
    assert sum(p.grad != 0.0 for p in model.layers[1].parameters()) > 100


@has_full_size
@pytest.mark.parametrize("seed", range(size(1, 5)))
def test_47_it_reads_digits_that_it_has_not_seen(seed):
    """At full size 30 epochs and at least 97 % right, for each of five seeds; in a usual run two epochs."""
    pytest.importorskip("llvmlite", reason="without machine code it takes minutes")
    (X_train, y_train), (X_test, y_test) = digits()
    model, epochs = alexnet(seed), size(2, 30)
    nn.fit(
        model, X_train, y_train, loss="cross_entropy", optimizer="adam", epochs=epochs, batch_size=16, seed=seed,
        schedule=nn.linear_lr(0.01, 0.0, epochs * 75), compiled=True, progress=False,
    )  # fmt: skip
    model.eval()
    assert nn.accuracy(sg.compile(model).values(X_test), y_test) >= size(0.9, 0.97)
