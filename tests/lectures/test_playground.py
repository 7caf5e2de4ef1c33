"""ConvNetJS' demo in two dimensions, to which the slide on regularization links, is the playground's network view.

The demo has two layers of 20 relus and two outputs of softmax; of two classes, one output and a sigmoid say the same.
It takes batches of one point, a learning rate of 0.01 and a decay of the weights of 0.001, and has ten points.
"""

import pytest

from scalargrad import nn
from scalargrad.playground import Session
from scalargrad.playground.network.view import NetworkView

CLASSIFY_2D = {"layers": [[20, "relu"], [20, "relu"]], "init": "he_normal", "batch": 1, "optimizer": "sgd"}
POINTS = [
    [-0.4326, 1.1909, 1], [3.0, 4.0, 1], [0.1253, -0.0376, 1], [0.2877, 0.3273, 1], [-1.1465, 0.1746, 1],
    [1.8133, 2.1139, -1], [2.7258, 3.0668, -1], [1.4117, 2.0593, -1], [4.1832, 1.9044, -1], [1.8636, 1.1677, -1],
]  # fmt: skip


# -------------------------------------------------------------------- 46: ConvNetJS' classify2d


def trained(session, steps, reply=None, **how):
    reply = reply or {"steps": 0}
    end = reply["steps"] + steps
    while reply["steps"] < end:
        reply = session.handle({"id": 2, "do": "train", "budget_ms": 100, "steps": end - reply["steps"], **how})
        assert "error" not in reply
    return reply


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_46_the_network_of_the_demo_learns_its_points(seed):
    view = NetworkView()
    session = Session(view)
    session.handle({"id": 1, "do": "net", **CLASSIFY_2D, "data": "points", "points": POINTS, "seed": seed})
    reply = trained(session, 10_000, lr=0.01, decay=0.001)
    assert reply["train"]["right"] == "10 of 10 right"
    net = view._open.trained
    assert nn.accuracy([net.model(row) for row in net.rows], net.targets) == 1.0
    session.handle({"id": 3, "do": "data", "points": [[-1.0, -1.0, -1]]})  # a click, into the others' land
    reply = session.handle({"id": 4, "do": "train", "steps": 0})
    assert reply["train"]["right"] == "10 of 11 right"
    reply = trained(session, 10_000, reply, lr=0.01, decay=0.001)
    assert reply["train"]["right"] == "11 of 11 right"


def test_46_regularization_smooths_what_the_network_answers():
    """The slide's point: with a stronger λ the weights are smaller, and noise is followed less."""
    X, y = nn.moons(60, 0.3, labels=(-1, 1), seed=4)
    points = [[*x, t] for x, t in zip(X, y, strict=True)]
    sizes = []
    for decay in (0.0, 0.003, 0.03):
        session = Session(NetworkView())
        session.handle({"id": 1, "do": "net", "layers": [[20, "tanh"]], "data": "points", "points": points})
        sizes.append(float(trained(session, 2000, lr=0.1, decay=decay)["largest"]))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 3 * sizes[2]
