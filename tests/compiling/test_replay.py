"""replay: a loop in micrograd's style stays as it is, and its graph is built once."""

import gc
import math
import random
import weakref

import pytest
from compiling_helpers import with_backends

import scalargrad as sg
from scalargrad import BranchError, Value, nn


def moons(seed=0, n=12):
    rng = random.Random(seed)
    X = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(n)]
    return X, [1.0 if x * y > 0 else -1.0 for x, y in X]


@with_backends
def test_a_loop_in_micrograds_style_gives_the_same_losses(backend):
    def train(wrap):
        model = nn.MLP(2, [4, 4, 1], activation="tanh", seed=3)
        X, y = moons()

        def loss():
            scores = [model(row) for row in X]
            data = sum((1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)) * (1.0 / len(y))
            return data + 1e-3 * sum(p * p for p in model.parameters())

        loss, losses = wrap(loss), []
        for k in range(15):
            total = loss()
            for p in model.parameters():
                p.grad = 0.0
            total.backward()
            for p in model.parameters():
                p.data -= (1.0 - 0.9 * k / 15) * p.grad
            losses.append(total.data)
        return losses, [p.data for p in model.parameters()]

    assert train(sg.replay(backend=backend)) == train(lambda fn: fn)


@with_backends
def test_arguments_and_structures(backend):
    w = Value(2.0)
    calls = []

    @sg.replay(backend=backend)
    def loss(x, weights=(1.0,)):
        """How wrong w is."""
        calls.append(1)
        return sg.sum([a * w for a in x]) * weights[0]

    assert [loss([1.0, 2.0]).data, loss([3, 4]).data, loss((5.0,)).data, loss([1.0, 1.0]).data] == [
        6.0,
        14.0,
        10.0,
        4.0,
    ]
    assert loss([1.0], [0.5]).data == 1.0
    assert len(calls) == 3
    assert (loss.__name__, loss.__doc__) == ("loss", "How wrong w is.")


@with_backends
def test_gradients_accumulate_and_the_root_goes_on(backend):
    a, b, c = Value(2.0), Value(3.0), Value(4.0, requires_grad=False)
    loss = sg.replay(lambda k: (a * b + c) * k, backend=backend)
    loss(1.0).backward()
    loss(2.0).backward(0.5)
    root = loss(1.0)
    root.backward()
    root.backward()
    assert (a.grad, b.grad, c.grad, root.grad) == (12.0, 8.0, 0.0, 2.0)
    a.grad = b.grad = 0.0
    total = (loss(1.0) + a * a).tanh() * loss(3.0)
    total.backward()
    x, y = Value(2.0), Value(3.0)
    expected = (x * y + 4.0 + x * x).tanh() * ((x * y + 4.0) * 3.0)
    expected.backward()
    assert (total.data, a.grad, b.grad) == pytest.approx((expected.data, x.grad, y.grad), rel=1e-13)
    a.data = 10.0  # a root keeps what it was computed from
    old = loss(1.0)
    a.data = 1.0
    a.grad = 0.0
    old.backward()
    assert (old.data, a.grad) == (34.0, 3.0)
    with pytest.raises(TypeError, match="first derivatives only"):
        loss(1.0).backward(create_graph=True)


@with_backends
def test_values_among_the_arguments_get_their_gradients(backend):
    w, x = Value(2.0), Value(3.0)
    loss = sg.replay(lambda v: w * v * v, backend=backend)
    assert loss(3.0).data == 18.0
    loss(x).backward()
    assert (x.grad, w.grad) == (12.0, 9.0)
    loss(Value(4.0, requires_grad=False)).backward()
    assert w.grad == 25.0


@with_backends
def test_inside_no_grad_a_replay_is_a_constant(backend):
    w = Value(2.0)
    loss = sg.replay(lambda: w * w, backend=backend)
    with sg.no_grad():
        root = loss()
    assert (root.data, root.requires_grad, root.parents) == (4.0, False, ())
    again = loss()
    again.backward()
    assert w.grad == 4.0


@with_backends
def test_a_branch_that_comes_out_otherwise(backend):
    w = Value(1.0, label="w")
    loss = sg.replay(lambda: w * 2 if w > 0 else w * 3, backend=backend)
    assert loss().data == 2.0
    w.data = -1.0
    with pytest.raises(BranchError, match="Value 'w' > 0.0 was True when it was recorded"):
        loss()
    w.data = 3.0
    assert loss().data == 6.0


@with_backends
def test_poles_are_those_of_the_engine(backend):
    w = Value(4.0)
    loss = sg.replay(lambda: sg.sqrt(w), backend=backend)
    assert loss().data == 2.0
    w.data = 0.0
    loss().backward()
    assert w.grad == math.inf
    w.data = -1.0
    if backend == "python":
        with pytest.raises(ValueError, match="sqrt: domain error at -1.0"):
            loss()
    else:
        assert math.isnan(loss().data)


@with_backends
def test_replays_and_programs_are_freed(backend):
    w = Value(1.0)
    seen = []

    def loss():
        y = w * 2
        seen.append(weakref.ref(y))
        return y if y > 0 else w

    loop = sg.replay(loss, backend=backend)
    root = loop()
    gc.collect()
    assert seen[0]() is None
    node = w * 3
    program = sg.record(node, backend=backend)
    program.value_and_grad()
    refs = [weakref.ref(loop), weakref.ref(program), weakref.ref(node), weakref.ref(root)]
    del loop, program, node, root
    gc.collect()
    assert [ref() for ref in refs] == [None] * 4


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: sg.replay(3), TypeError, "replay takes a function that returns a Value, not int"),
        (lambda: sg.replay(abs, backend="gpu"), ValueError, "there is no backend 'gpu'"),
        (lambda: sg.replay(abs, branches="all"), ValueError, "branches must be 'raise' or 'record'"),
        (lambda: sg.replay(lambda: 3.0)(), TypeError, "must return one Value, the root of its graph"),
        (lambda: sg.replay(lambda: [Value(1.0)])(), TypeError, "must return one Value, the root of its graph"),
        (lambda: sg.replay(lambda x: x)(b"a"), TypeError, "argument 0 must be a number"),
    ],
)
def test_messages(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_replayed_root_refuses_a_graph_of_gradients():
    w = Value(2.0)
    loss = sg.replay(lambda: w * w * w, backend="python")
    loss()
    with pytest.raises(TypeError, match="first derivatives only"):
        sg.grad(loss(), w, create_graph=True)
    assert sg.grad(sg.grad(loss.__wrapped__(), w, create_graph=True), w) == 12.0
