"""Every number that the network view shows is the engine's.

Loss, maps, lines, gradients and dead neurons are compared with eager code; training with `nn.fit`; the Python code
that the page gives is run.
"""

import base64
import math
import re

import pytest

from scalargrad import nn
from scalargrad.playground.network.view import NetworkView
from scalargrad.playground.session import Session
from scalargrad.words.texts import number_text


class Page:
    """What a page does: messages to a session of its own."""

    def __init__(self, own=None, **settings):
        self.view = NetworkView(own)
        self.session = Session(self.view)
        self.net = self.ask("net", **settings)

    def reply(self, do, **fields):
        return self.session.handle({"id": 1, "do": do, **fields})

    def ask(self, do, **fields):
        reply = self.reply(do, **fields)
        assert "error" not in reply, reply
        return reply

    def error(self, do, **fields):
        reply = self.reply(do, **fields)
        assert set(reply) == {"id", "error"}, reply
        return reply["error"]

    def train(self, steps, lr=0.05, decay=0.0):
        while steps:
            before = self.trained.steps
            reply = self.ask("train", budget_ms=200, steps=min(steps, 1000), lr=lr, decay=decay)
            steps -= self.trained.steps - before
        return reply

    @property
    def open(self):
        return self.view._open

    @property
    def trained(self):
        return self.open.trained

    @property
    def model(self):
        return self.trained.model

    def numbers(self):
        return [p.data for p in self.model.parameters()]


RELU = {"layers": [[6, "relu"], [4, "relu"]], "seed": 3}
LOSSES = {
    "bce_with_logits": lambda scores, y: nn.bce_with_logits(scores, [(t + 1) / 2 for t in y]),
    "hinge": nn.hinge,
    "mse": nn.mse,
}
KINDS = [
    {},
    {"loss": "hinge", "data": "circles", **RELU},
    {"loss": "mse", "data": "spirals", "inputs": ["x0", "x1", "x0*x1", "sin(pi*x0)"], "test": 0.25},
    {"data": "xor", "n": 12, "layers": [], "optimizer": "sgd"},
    {"data": "blobs", "layers": [[3, "sigmoid"], [3, "gelu"], [2, "leaky_relu"]], "optimizer": "adam", "noise": 0.4},
    {"data": "function", "function": "sin(2*x)", "test": 0.2, "init": "he_normal", "batch": 16},
    {"data": "table", "table": "x0\tx1\tkind\n1\t2\tcat\n-1\t0.5\tdog\n0.3\t-2\tdog\n"},
    {"data": "points", "points": [[0.5, 1, 1], [-1, -1, -1], [0, 0.25, 1]], "batch": 2},
]


# ---------------------------------------------------------------- what a frame shows


@pytest.mark.parametrize("settings", KINDS, ids=lambda s: s.get("data", "moons"))
def test_a_frame_shows_what_eager_code_computes(settings):
    page = Page(**settings)
    frame = page.train(3)
    net, trained = page.open, page.trained
    loss = LOSSES[settings.get("loss", "bce_with_logits")]
    for name, (rows, targets) in (("train", (trained.rows, trained.targets)), ("test", trained.held_out)):
        assert (name in frame) == bool(rows)
        if rows:
            scores = [page.model(row) for row in rows]
            expected = loss(scores, targets).data
            assert frame[name]["curve"] == pytest.approx(expected, rel=1e-12)
            assert frame[name]["loss"] == number_text(frame[name]["curve"])
            right = round(nn.accuracy(scores, targets) * len(rows))
            assert frame[name]["right"] == f"{right} of {len(rows)} right"
    assert frame["steps"] == 3
    largest = max(abs(p.data) for p in net.shown.parameters)
    assert frame["largest"] == number_text(float(f"{largest:.3g}"))
    lines = base64.b64decode(frame["lines"])
    assert len(lines) == len(page.net["wires"]) == len(page.model.parameters())
    for byte, p in zip(lines, net.shown.parameters, strict=True):
        assert abs(byte - (128 + 127 * p.data / largest)) <= 1.001
        assert (byte > 128) == (p.data > 0)
        assert (byte < 128) == (p.data < 0)


@pytest.mark.parametrize("settings", KINDS[:3], ids=lambda s: s.get("data", "moons"))
def test_a_map_has_the_shade_of_what_each_neuron_answers(settings):
    page = Page(fine=8, **settings)
    frame = page.train(2)
    (left, right, low, high), n = page.net["plane"], len(page.open.inputs.texts)
    maps, inputs = base64.b64decode(frame["maps"]), base64.b64decode(page.net["inputs"])
    neurons = sum(len(column["neurons"]) for column in page.net["columns"][1:])
    assert len(maps) == 64 * neurons
    assert len(inputs) == 64 * n
    for cell in (0, 5, 27, 63):
        x0 = left + (right - left) * (cell % 8 + 0.5) / 8
        x1 = high - (high - low) * (cell // 8 + 0.5) / 8
        row = page.open.inputs.rows([[x0, x1]])[0]
        outputs = []
        layer = row
        for part in page.model.layers:
            layer = part(layer)
            layer = layer if isinstance(layer, list) else [layer]
            outputs += [v.data for v in layer]
        expected = [128 + 127 * math.tanh(x) for x in [*row, *outputs]]
        found = [inputs[64 * i + cell] for i in range(n)] + [maps[64 * i + cell] for i in range(neurons)]
        assert all(abs(a - math.floor(b)) <= 1 for a, b in zip(found, expected, strict=True))
        assert found[-1] == pytest.approx(expected[-1], abs=1.001)
        assert (found[-1] >= 128) == (outputs[-1] >= 0)


def test_the_points_are_those_of_the_data_set():
    page = Page(data="moons", n=30, noise=0.2, seed=7, test=0.2)
    X, y = nn.moons(30, 0.2, labels=(-1, 1), seed=7)
    expected = [[*x, int(t > 0), int(i >= 24)] for i, (x, t) in enumerate(zip(X, y, strict=True))]
    assert page.net["points"] == expected


def test_dead_relus_are_those_that_nn_finds():
    page = Page(**RELU)
    page.model.layers[0].neurons[2].b.data = -50.0
    page.model.layers[1].neurons[0].b.data = -50.0
    frame = page.ask("train", steps=0)
    assert frame["dead"] == [[1, 2], [2, 0]]
    expected = [name.split(" (")[0] for name in nn.dead_relus(page.model, page.trained.rows)]
    assert expected == ["layer 0 · neuron 2", "layer 1 · neuron 0"]
    assert all(name in frame["said"] for name in expected)
    assert "2 relu neurons dead" in frame["said"]
    page.ask("weight", column=1, neuron=2, index=2, set=0.0)  # mended by hand
    frame = page.ask("weight", column=2, neuron=0, index=6, set=0.0)["frame"]
    assert frame["dead"] == []
    assert frame["said"] == ""


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("batch", [0, 16])
@pytest.mark.parametrize(
    ("name", "make"),
    [("momentum", lambda p: nn.SGD(p, lr=0.05, momentum=0.9)), ("adam", lambda p: nn.Adam(p, lr=0.05))],
)
def test_training_is_that_of_fit(batch, name, make):
    page = Page(optimizer=name, batch=batch, seed=5, loss="hinge")
    page.train(28, decay=0.01)
    model = nn.MLP(2, [8, 8, 1], activation=["tanh", "tanh", None], seed=5)
    optimizer = make(model.parameters())
    optimizer.weight_decay = 0.01
    X, y = nn.moons(100, 0.1, labels=(-1, 1), seed=5)
    nn.fit(
        model,
        X,
        y,
        "hinge",
        optimizer=optimizer,
        epochs=4 if batch else 28,
        batch_size=batch or None,
        seed=5,
        progress=False,
        warn=False,
    )
    assert page.numbers() == pytest.approx([p.data for p in model.parameters()], rel=1e-9, abs=1e-12)


def test_steps_end_with_the_budget_but_one_is_made():
    page = Page()
    assert page.ask("train", budget_ms=0)["steps"] == 1
    assert page.ask("train", budget_ms=200, steps=5)["steps"] == 6
    assert page.ask("train", budget_ms=200, steps=0)["steps"] == 6


def test_a_step_that_goes_too_far_is_taken_back_and_said():
    page = Page(loss="mse", layers=[[8, "relu"]], optimizer="sgd", batch=10, seed=2)
    page.train(7)
    numbers, order = page.numbers(), page.trained._order[:]
    reply = page.ask("train", budget_ms=200, steps=1000, lr=1000)
    assert "learning rate 1000 is too large" in reply["diverged"]
    assert "after step 7" in reply["diverged"]
    assert "as 100," in reply["diverged"]
    assert page.numbers() == numbers
    assert page.trained._order == order
    assert reply["steps"] == 7
    page.train(5)
    other = Page(loss="mse", layers=[[8, "relu"]], optimizer="sgd", batch=10, seed=2)
    other.train(12)
    assert page.numbers() == other.numbers()


# ---------------------------------------------------------------- one point's graph


def test_a_walk_visits_every_neuron_forward_and_back_with_the_engines_numbers():
    page = Page(**RELU)
    page.train(5)
    reply = page.ask("sample", index=4)
    X, y = nn.moons(100, 0.1, labels=(-1, 1), seed=3)
    loss = LOSSES["bce_with_logits"]([page.model(X[4])], [y[4]])
    page.model.zero_grad()
    loss.backward()
    places = [(c, i) for c, n in enumerate((6, 4, 1), 1) for i in range(n)] + [(4, 0)]
    forward = [(s["column"], s["neuron"]) for s in reply["steps"] if s["phase"] == "forward"]
    backward = [(s["column"], s["neuron"]) for s in reply["steps"] if s["phase"] == "backward"]
    assert forward == places
    assert sorted(backward) == places
    assert backward[0] == (4, 0)
    assert [c for c, _ in backward] == sorted((c for c, _ in places), reverse=True)
    assert reply["values"][0] == [number_text(x) for x in X[4]]
    assert reply["values"][-1] == [number_text(loss.data)]
    assert reply["values"][-2] == [number_text(page.model(X[4]).data)]
    assert any(f"= {number_text(loss.data)}" in line for s in reply["steps"] for line in s["lines"])
    largest = max(abs(p.grad) for p in page.open.shown.parameters)
    for byte, p in zip(base64.b64decode(reply["lines"]), page.open.shown.parameters, strict=True):
        assert abs(byte - (128 + 127 * p.grad / largest)) <= 1.001


@pytest.mark.parametrize("place", [(1, 2, 0), (2, 1, 3), (3, 0, 4), (1, 0, 2)])
def test_a_weight_is_told_with_its_gradients_paths_and_check(place):
    column, neuron, index = place
    page = Page(layers=[[4, "tanh"], [4, "tanh"]], seed=9)
    page.train(4)
    page.ask("sample", index=11)
    before = page.numbers()
    reply = page.ask("weight", column=column, neuron=neuron, index=index)
    X, y = nn.moons(100, 0.1, labels=(-1, 1), seed=9)
    weight = page.open.shown.columns[column].nodes[neuron].parameters[index]
    found = []
    for rows, targets in (([X[11]], [y[11]]), (X, y)):
        page.model.zero_grad()
        LOSSES["bce_with_logits"]([page.model(x) for x in rows], targets).backward()
        found.append(weight.grad)
    assert reply["value"] == number_text(weight.data)
    assert reply["gradient"] == number_text(found[0])
    assert reply["mean"] == number_text(found[1])
    paths = {1: 4, 2: 1, 3: 1}[column]
    assert f"the sum over {paths} path" in reply["paths"] or (paths == 1 and "1. " in reply["paths"])
    assert "1 PASS" in reply["check"]
    assert page.numbers() == before


def test_too_many_paths_are_counted():
    page = Page(layers=[[8, "tanh"], [8, "tanh"], [8, "tanh"]])
    assert "64 paths" in page.ask("weight", column=1, neuron=0, index=0)["paths"]


def test_a_neurons_graph_leaves_the_network_alone():
    page = Page()
    page.ask("sample", index=0)
    page.model.zero_grad()
    before = page.numbers()
    reply = page.ask("neuron", column=2, neuron=1)
    assert [name for name, _ in reply["weights"]][-1] == "bias"
    assert reply["weights"][0][1] == number_text(page.model.layers[1].neurons[1].w[0].data)
    assert reply["svg"].startswith(("<svg", "<?xml"))
    walk, node = page.open.walk(), page.open.shown.columns[2].nodes[1]
    shown = re.findall(r">(?:grad )?([^<>]*)</text>", reply["svg"])
    gradients = [walk.gradients()[p] for p in node.parameters]
    assert len(set(gradients)) > 5
    assert all(number_text(g) in shown for g in [*gradients, walk.gradients()[walk.outputs[2][1]]])
    assert f"The loss hands it the gradient {number_text(walk.gradients()[walk.outputs[2][1]])}." in reply["of"]
    assert page.numbers() == before
    assert all(p.grad == 0.0 for p in page.model.parameters())


# ---------------------------------------------------------------- taken home


def _run(code):
    found = {}
    exec(compile(code, "network.py", "exec"), found)  # noqa: S102  (what the page gives is to run as it is)
    return found


@pytest.mark.parametrize("settings", KINDS, ids=lambda s: s.get("data", "moons"))
def test_the_python_code_gives_the_same_network_and_loss(settings, capsys):
    page = Page(**settings)
    page.train(6)
    page.ask("data", points=[[0.25, -0.5, 1], [1, 1, -1]])
    page.train(5, lr=0.01, decay=0.001)
    page.ask("weight", column=1, neuron=0, index=0, set=0.5)
    frame = page.train(4, lr=0.02)
    found = _run(page.ask("export", what="python")["text"])
    assert [p.data for p in found["model"].parameters()] == page.numbers()
    assert found["final"] == frame["train"]["curve"]
    assert "after 15 steps" in capsys.readouterr().out
    assert found.get("X_test", []) == page.open.points.X_test


def test_the_model_file_is_that_of_save(tmp_path):
    page = Page(**RELU)
    page.train(3)
    reply = page.ask("export", what="model")
    (tmp_path / reply["name"]).write_text(reply["text"])
    assert nn.load(tmp_path / reply["name"]).state_dict() == page.model.state_dict()


def test_the_picture_is_that_of_draw():
    page = Page(n=20)
    page.train(3)
    assert page.ask("export", what="picture")["text"] == page.model.draw(page.open.points.X, page.open.points.y).svg


# ---------------------------------------------------------------- what is refused


BAD = [
    ("net", {"data": "moon"}, "did you mean 'moons'"),
    ("net", {"layers": [[8, "tanhh"]]}, "layers[0][1] must be one of"),
    ("net", {"layers": [[0, "tanh"]]}, "from 1 to 64"),
    ("net", {"layers": [[64, "tanh"]] * 3}, "at most 5 000 are allowed"),
    ("net", {"inputs": []}, "1 to 12 entries"),
    ("net", {"inputs": ["y"]}, "neither x0 nor x1"),
    ("net", {"inputs": ["x0", "__import__('os')"]}, "neither x0 nor x1"),
    ("net", {"inputs": ["x0.real"]}, "only + - * /"),
    ("net", {"inputs": ["log(x0)"]}, "at x0 = −"),
    ("net", {"inputs": ["1/(x0-x0)"]}, "input 1/(x0-x0)"),
    ("net", {"data": "function", "function": "sqrt(x)"}, "function: at x = −"),
    ("net", {"data": "function", "function": "q + 1"}, "function: at column 1: q has no value"),
    ("net", {"data": "points", "points": [[1, 1, 1]], "test": 0.9}, "hold out fewer"),
    ("net", {"data": "own"}, "no own data here"),
    ("net", {"model": "own"}, "your own model goes with your own data"),
    ("train", {"lr": "fast"}, "lr must be a number from 0 to 1000"),
    ("train", {"budget_ms": 1e9}, "budget_ms must be a number"),
    ("data", {"points": [[1, 2, 0.5]]}, "must be the class -1 or 1, not 0.5"),
    ("data", {"points": [[0, 0, 1]] * 1950}, "at most 2 000 points"),
    ("sample", {"index": 100}, "there are 100 points"),
    ("sample", {}, "give the index of a point, or x0 and x1"),
    ("neuron", {"column": 0, "neuron": 0}, "column must be from 1 to 3"),
    ("neuron", {"column": 3, "neuron": 1}, "column 3 has 1 neuron"),
    ("weight", {"column": 1, "neuron": 0, "index": 3}, "has 3 parameters"),
    ("export", {"what": "keys"}, "what must be one of"),
]


@pytest.mark.parametrize(("do", "fields", "words"), BAD)
def test_what_cannot_be_done_is_refused_in_words_and_changes_nothing(do, fields, words):
    page = Page()
    page.train(2)
    open_, numbers, stages = page.open, page.numbers(), page.trained.stages[:]
    assert words in page.error(do, **fields)
    assert page.open is open_
    assert page.numbers() == numbers
    assert page.trained.stages == stages
    assert len(page.trained.rows) == 100


def test_before_a_network_is_open_all_else_is_refused():
    session = Session(NetworkView())
    for do, fields in [
        ("train", {}),
        ("data", {}),
        ("export", {"what": "model"}),
        ("neuron", {"column": 1, "neuron": 0}),
    ]:
        assert "no network is open yet" in session.handle({"id": 1, "do": do, **fields})["error"]


def test_a_network_without_points_shows_and_waits():
    page = Page(data="points", points=[])
    frame = page.ask("train")
    assert "train" not in frame
    assert frame["steps"] == 0
    page.ask("data", points=[[1, 1, 1]])
    assert page.ask("train", steps=1)["steps"] == 1
