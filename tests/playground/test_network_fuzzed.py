"""Two thousand messages that no page of a network sends: each is answered, none is a defect, and none that fails changes anything."""

import json
import random

from scalargrad.playground import Session
from scalargrad.playground.network.view import NetworkView

LIKELY = {
    "data": ["moons", "xor", "function", "points", "table", "own", "circles"],
    "model": ["new", "own"],
    "n": [2, 3, 10, 1000],
    "noise": [0, 0.1, 2],
    "test": [0, 0.5, 0.9],
    "function": ["x", "1/x", "log(x)", "x**x", "exp(exp(9*x))", "0", "x0"],
    "table": ["1,2,a\n3,4,b", "1 2 3", "a,b,c", "1,2,a\n3,4,b\n5,6,c"],
    "points": [[], [[0, 0, 1]], [[1, 1, 1], [-1, 0.5, -1]], [[0, 0, 0.5]], [[0, 0]]],
    "inputs": [["x0", "x1"], ["x0"], ["x1*x1"], ["1/x0", "x1"], ["x0", "log(x1)"], []],
    "layers": [[], [[2, "tanh"]], [[1, "relu"], [2, "linear"]], [[3, "sigmoid"]], [[2]]],
    "seed": [0, 1, 2**31, -1],
    "init": ["zeros", "he_normal"],
    "loss": ["hinge", "mse", "bce_with_logits"],
    "optimizer": ["sgd", "adam", "momentum"],
    "batch": [0, 1, 3, 1000],
    "fine": [4, 5, 3],
    "budget_ms": [0, 0, 1, 3],
    "steps": [0, 1, 2, 50],
    "lr": [0, 0.05, 1000, 1e-300],
    "decay": [0, 0.1, 10],
    "index": [0, 1, 2, 99, 2000],
    "x0": [0, 0.5, -1e6],
    "x1": [0, -2.5, 1e6],
    "target": [-1, 0, 1],
    "column": [0, 1, 2, 3, 100],
    "neuron": [0, 1, 2, 1000],
    "set": [0, -1e6, 0.5],
    "what": ["model", "python", "picture"],
}


OF_ANY_KIND = [
    0, -1, 10**400, 2**53, 0.5, 1e308, -0.0, True, None, "", "x", "</svg>", "\ud800", "nan", "x" * 100_000, [], {}, [[]],
    [1, 2, 3], {"x": [None]}, [[1, "tanh"]] * 9, [["x0"]], ["("] * 3, {"__class__": 1},
]  # fmt: skip


def message(rng):
    """Half right: often a message of the table with some fields of any kind."""
    if rng.random() < 0.05:
        return rng.choice(OF_ANY_KIND)
    kinds = [do for do in NetworkView.messages if do != "net"]
    do = "net" if rng.random() < 0.02 else rng.choice(kinds)
    found = {"id": rng.randrange(100), "do": do}
    for name in NetworkView.messages[do]:
        if rng.random() < (0.3 if do == "net" else 0.7):
            found[name] = rng.choice(LIKELY[name]) if rng.random() < 0.9 else rng.choice(OF_ANY_KIND)
    return found


def state(view):
    net = view._open
    if net is None:
        return None
    trained = net.trained
    return (
        id(net), trained.model.state_dict(), trained.steps, trained.stages[:], trained.rows[:], trained.targets[:],
        net.points.X[:], net.sample,
    )  # fmt: skip


def test_two_thousand_messages(figure):
    rng, answered, refused = random.Random(46), {}, 0
    view = NetworkView()
    session = Session(view)
    session.handle({"id": 1, "do": "net", "layers": [[2, "relu"]], "n": 6, "fine": 4})
    for _ in range(2000):
        sent = message(rng)
        before = state(view)
        reply = session.handle(sent)
        json.dumps(reply, allow_nan=False)
        assert "defect" not in reply, (sent, reply)
        if "error" in reply:
            refused += 1
            assert reply["error"].strip()
            assert state(view) == before, sent
        elif isinstance(sent, dict):
            answered[sent["do"]] = answered.get(sent["do"], 0) + 1
            assert view._open is None or all(p.data == p.data for p in view._open.trained.model.parameters())
    assert refused > 500
    assert set(answered) == set(NetworkView.messages)
    assert min(answered.values()) >= 5
    figure(
        "2000 messages that no page of a network sends",
        f"{sum(answered.values())} answered, {refused} refused in words, 0 defects; what was refused changed nothing, "
        "no parameter became nan",
    )
