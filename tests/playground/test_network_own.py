"""`model.live(X, y)` trains that very model on the page, and Reset puts it back."""

import pytest

from scalargrad import Live, live, live_network, nn
from scalargrad.playground.network.own import Own
from scalargrad.words.texts import number_text

X, Y = nn.moons(40, 0.1, labels=(-1, 1), seed=2)


def model():
    return nn.MLP(2, [5, 1], activation="tanh", seed=2)


def asked(session, do, **fields):
    reply = session.handle({"id": 1, "do": do, **fields})
    assert "error" not in reply, reply
    return reply


def test_ones_own_model_learns_on_the_page_and_reset_puts_it_back():
    mine = model()
    page = mine.live(X, Y, loss="hinge", optimizer="sgd", lr=0.05)
    assert isinstance(page, Live)
    session, start = page.session(), mine.state_dict()
    opened = asked(session, "net")
    assert opened["settings"]["lr"] == 0.05
    assert opened["own"]
    assert opened["settings"]["model"] == opened["settings"]["data"] == "own"
    reply = asked(session, "train", lr=0.05, steps=20, budget_ms=200)
    other = model()
    nn.fit(other, X, Y, "hinge", optimizer="sgd", lr=0.05, epochs=reply["steps"], progress=False, warn=False)
    assert list(mine.state_dict().values()) == pytest.approx(list(other.state_dict().values()), rel=1e-9)
    assert reply["train"]["loss"] == number_text(nn.hinge([mine(x) for x in X], Y).data)
    found = {}
    exec(asked(session, "export", what="python")["text"], found)  # noqa: S102  (what the page gives is to run as it is)
    assert found["model"].state_dict() == mine.state_dict()
    asked(session, "net")
    assert mine.state_dict() == start
    again = asked(session, "train", lr=0.05, steps=reply["steps"], budget_ms=200)
    while again["steps"] < reply["steps"]:
        again = asked(session, "train", lr=0.05, steps=reply["steps"] - again["steps"], budget_ms=200)
    assert mine.state_dict() == found["model"].state_dict()  # the optimizer began anew, too


def test_reset_puts_the_optimizers_memory_back_too():
    mine = model()
    optimizer = nn.SGD(mine.parameters(), lr=0.05, momentum=0.9)
    session, states = mine.live(X, Y, optimizer=optimizer).session(), []
    for _ in range(2):
        asked(session, "net")
        for _ in range(3):
            asked(session, "train", lr=0.05, steps=1)
        states.append((mine.state_dict(), optimizer.state_dict()))
    assert states[0] == states[1]


def test_own_data_may_be_learned_by_a_new_network_and_the_own_model_stays():
    mine = model()
    session, start = mine.live(X, Y).session(), mine.state_dict()
    opened = asked(session, "net", data="own", model="new", layers=[[3, "relu"]])
    assert [point[:2] for point in opened["points"]] == X
    asked(session, "train", steps=3)
    assert mine.state_dict() == start
    assert asked(session, "net", data="circles")["settings"]["model"] == "new"


@pytest.mark.parametrize(
    ("targets", "loss"), [([1, -1] * 20, "hinge"), ([0, 1] * 20, "bce_with_logits"), ([0.5, 2.0] * 20, "mse")]
)
def test_the_loss_follows_from_the_targets(targets, loss):
    mine = model()
    reply = asked(mine.live(X, targets).session(), "net")
    assert reply["frame"]["train"]["loss"] == number_text(getattr(nn, loss)([mine(x) for x in X], targets).data)


def test_a_sequential_and_a_loss_of_ones_own_will_do():
    mine = nn.Sequential(nn.Layer(2, 4, activation=None, seed=1), "tanh", nn.Linear(4, 1, seed=2))
    session = mine.live(
        X, Y, loss=lambda scores, y: nn.mse(scores, y) * 3, optimizer=nn.SGD(mine.parameters(), lr=0.1)
    ).session()
    before = asked(session, "net")["frame"]["train"]["curve"]
    assert before == pytest.approx(3 * nn.mse([mine(x) for x in X], Y).data, rel=1e-12)
    assert asked(session, "train", lr=0.05, steps=30, budget_ms=200)["train"]["curve"] < before
    assert asked(session, "neuron", column=1, neuron=2)["svg"]
    lines = "\n".join(line for step in asked(session, "sample", index=0)["steps"] for line in step["lines"])
    assert all(f"h0{i} = tanh(" in lines for i in range(4))
    assert "1 PASS" in asked(session, "weight", column=2, neuron=0, index=1)["check"]
    assert "PASS" in asked(session, "weight", column=1, neuron=0, index=2)["check"]
    reply = session.handle({"id": 1, "do": "export", "what": "python"})
    assert "yours is in your notebook already" in reply["error"]


def test_a_step_that_is_refused_leaves_everything_as_it_was():
    mine = nn.MLP(2, [1], init="zeros")

    def branching(scores, targets):
        return nn.mse(scores, targets) * (1.0 if scores[0] < 0.5 else 2.0)

    session = mine.live([[1.0, 1.0]], [5.0], loss=branching, optimizer="sgd", lr=0.001).session()
    asked(session, "net")
    asked(session, "train", lr=0.001, steps=1)
    before = mine.state_dict()
    reply = session.handle({"id": 1, "do": "train", "lr": 0.01, "steps": 10_000, "budget_ms": 200})
    assert "a comparison comes out otherwise" in reply["error"]
    assert "defect" not in reply
    assert mine.state_dict() == before
    assert asked(session, "train", lr=0.001, steps=1)["steps"] == 2
    split = mine.live([[1.0, 1.0], [90.0, 90.0]], [5.0, 5.0], loss=branching).session()
    reply = split.handle({"id": 1, "do": "net"})
    assert "a comparison comes out otherwise" in reply["error"]
    assert "defect" not in reply


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: live_network("model", X, Y), TypeError, "takes a Module"),
        (lambda: nn.MLP(3, [1]).live(X, Y), ValueError, "this one has 3 inputs and 1 output"),
        (lambda: nn.MLP(2, [2]).live(X, Y), ValueError, "this one has 2 inputs and 2 outputs"),
        (lambda: model().live(X, Y[:-1]), ValueError, "X has 40 rows and y 39 targets"),
        (lambda: model().live([], []), ValueError, ""),
        (lambda: model().live(X, Y, loss="hing"), ValueError, "did you mean 'hinge'"),
        (lambda: model().live(X, Y, optimizer="adamm"), ValueError, "optimizer must be one of"),
        (lambda: model().live(X, Y, optimizer=3), TypeError, "a name or an Optimizer"),
        (
            lambda: model().live(X, Y, optimizer=nn.SGD(model().parameters(), lr=1), lr=0.1),
            ValueError,
            "set optimizer.lr",
        ),
        (lambda: live(model(), x=1.0), TypeError, "model.live(X, y)"),
        (lambda: Own(model(), X, ["a"] * 40), TypeError, "each of y"),
        (lambda: Own(model(), X, [[1, -1]] * 40), TypeError, "each of y"),
        (lambda: Own(model(), X, [[]] * 40), TypeError, "each of y"),
        (lambda: Own(model(), [[float("nan"), 1]], [1]), ValueError, "x0 holds nan, inf or more than 1e+300"),
        (lambda: Own(model(), [[0, 1e308]], [1]), ValueError, "x1 holds nan, inf or more than 1e+300"),
        (lambda: Own(model(), X, [float("inf")] * 40), ValueError, "y holds nan, inf or more than 1e+300"),
    ],
)
def test_what_does_not_fit_is_said(call, error, words):
    with pytest.raises(error) as refused:
        call()
    assert words in str(refused.value)
