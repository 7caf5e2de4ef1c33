"""Ten thousand messages that no page sends: each is answered in words or as it should be, none is a defect, and none that fails changes anything."""

import json
import random

from optional import need_layout

from scalargrad import Value, live
from scalargrad.playground.graph import GraphView

WORDS = [
    "x", "y", "q", "", "x*y", "log(x)", "x**y", "1/0", "(" * 300, "x+" * 700, "__import__('os').system('x')", "9**9**9",
    "<script>alert(1)</script>", "</svg>", "\u202e", "\ud800", "x" * 100_000, "nan", "inf", "-inf", "1e999", "0x10", "１", "x if y else 1",
    "lambda: x", "[x]*99", "exp(exp(exp(x)))", "sum(x)", "tanh(" * 50 + "x" + ")" * 50, "x;y", "x=1", "𝒙", "f", "v1", "local", "x y",
]  # fmt: skip
NUMBERS = [0, 1, -1, 3, 7, 10**6, 2**53, 2**64, 10**400, -0.0, 0.5, 1e308, -1e308, 1e-320, True, False, None, 2.0]
NAMES = ["id", "do", "expression", "inputs", "step", "hidden", "edge", "card", "answer", "__class__", "x", ""]


def anything(rng, depth=0):
    """A JSON value of any kind."""
    kind = rng.randrange(8 if depth < 3 else 5)
    if kind < 2:
        return rng.choice(NUMBERS)
    if kind < 5:
        return rng.choice(WORDS)
    if kind == 5:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(NAMES + WORDS): anything(rng, depth + 1) for _ in range(rng.randrange(4))}


def message(rng):
    """Half right: often a message of the table with some fields of any kind."""
    if rng.random() < 0.05:
        return anything(rng)
    do = rng.choice([*GraphView.messages, "views"])
    found = {"id": rng.randrange(100), "do": do}
    for name in GraphView.messages.get(do, {}):
        if rng.random() < 0.85:
            found[name] = likely(rng, name) if rng.random() < 0.6 else anything(rng)
    if rng.random() < 0.1:
        found[rng.choice(NAMES)] = anything(rng)
    return found


def likely(rng, name):
    if name == "expression":
        return rng.choice(
            ["x*y", "log(x)*y", "x**y + y", "sqrt(x - y)", "1/(x - y)", "relu(x)*abs(y)", "x", "3", "floor(x)%y"]
        )
    if name == "inputs":
        return {
            one: rng.choice([0, 1, -1, 0.5, "1/3", "−2", 1e200, -1e-200, 710])
            for one in rng.sample("xy", rng.randrange(3))
        }
    if name == "answer":
        return rng.choice(["1", "0,5", "x", "", "1/0", "nan", "1e999"])
    if name == "hidden":
        return rng.random() < 0.5
    return rng.randrange(12)


def branching(x, y):
    return (x / y).tanh() if x.data > y.data else x - y.log()


def state(session):
    """What a page would be shown now: the frame and the inputs, or where there is no value."""
    reply = session.handle({"id": 0, "do": "set", "inputs": {}})
    return json.dumps({key: part for key, part in reply.items() if key != "inputs"}, sort_keys=True)


def test_ten_thousand_messages(figure):
    need_layout()
    rng = random.Random(19)
    a = Value(2.0, label="x")
    sessions = [
        live("x*y", x=2.0, y=3.0).session(),
        live(branching, x=(-5, 5, 1.0), y=(-5, 5, 2.0)).session(),
        live((a * a).log() + Value(0.0, label="y") * a).session(),
    ]
    answered = refused = compared = 0
    for session in sessions:
        assert "error" not in session.handle({"id": 0, "do": "open"})
    for i in range(10_000):
        session = rng.choice(sessions)
        sent = message(rng)
        before = state(session) if i % 4 == 0 else None
        reply = session.handle(sent)
        json.dumps(reply, allow_nan=False)
        assert "defect" not in reply, (sent, reply)
        if "error" in reply:
            refused += 1
            assert isinstance(reply["error"], str)
            assert 0 < len(reply["error"]) <= 800
            assert "\n" not in reply["error"]
            if before is not None:
                compared += 1
                assert state(session) == before, sent
        else:
            answered += 1
    assert answered > 2000
    assert refused > 2000
    figure(
        "10000 messages that no page of a graph sends",
        f"{answered} answered, {refused} refused in words, 0 defects; {compared} of those refused compared with what the "
        "page showed before: nothing changed",
    )
