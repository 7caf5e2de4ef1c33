"""A loss without samples, as one that closes over its data: a batch of one, over every backend."""

from array import array

import pytest
from compiling_helpers import BACKENDS

import scalargrad as sg
from scalargrad import Value, nn

TIMES, SEEN = [0.0, 0.5, 1.0, 2.0], [2.0, 1.2, 0.7, 0.3]


def decay():
    """A curve through four points: its parameters, and its loss as a function of nothing."""
    size, rate = parameters = [Value(1.0, label="size"), Value(0.2, label="rate")]
    return parameters, lambda: sg.sum([(size * sg.exp(-rate * t) - y) ** 2 for t, y in zip(TIMES, SEEN, strict=True)])


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_is_what_the_eager_engine_gives(backend):
    parameters, fn = decay()
    loss = sg.compile(fn, parameters=parameters, backend=backend)
    for size in (1.0, 1.5, -2.0):
        parameters[0].data = size
        value, gradients = loss.value_and_grad()
        assert value == pytest.approx(fn().data, rel=1e-14)
        assert gradients == pytest.approx(sg.grad(fn(), parameters), rel=1e-13)
        assert loss.values() == [loss()] == pytest.approx([value], rel=1e-14)
        out = array("d", [0.0, 0.0])
        for given in (parameters, array("d", [p.data for p in parameters])):
            assert loss.bind(parameters=given, out=out)() == value
            assert out.tolist() == gradients
    assert str(loss).count("over samples of no numbers") == 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", [nn.SGD, nn.Adam])
def test_it_trains_as_by_hand(backend, make):
    parameters, fn = decay()
    optimizer, by_hand = make(parameters, lr=0.05), []
    for _ in range(20):
        optimizer.zero_grad()
        by_hand.append(fn())
        by_hand[-1].backward()
        optimizer.step()
    expected = [p.data for p in parameters]
    parameters, fn = decay()
    loss = sg.compile(fn, parameters=parameters, backend=backend)
    with loss.training(make(parameters, lr=0.05)) as step:
        losses = [step() for _ in range(20)]
    assert losses == pytest.approx([x.data for x in by_hand], rel=1e-12)
    assert [p.data for p in parameters] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_static_arguments_are_no_samples(backend):
    (size, rate), _ = decay()

    def loss_of(kind, n=4):
        errors = [size * sg.exp(-rate * t) - y for t, y in zip(TIMES[:n], SEEN[:n], strict=True)]
        return sg.sum([e * e if kind == "squares" else sg.absolute(e) for e in errors])

    loss = sg.compile(loss_of, parameters=[size, rate], static="n", backend=backend)
    for arguments in (("squares", 4), ("squares", 2), ("sizes", 4), ("squares",)):
        expected = loss_of(*arguments)
        value, gradients = loss.value_and_grad(*arguments)
        assert value == pytest.approx(expected.data, rel=1e-14)
        assert gradients == pytest.approx(sg.grad(expected, [size, rate]), rel=1e-13)
    assert loss.value_and_grad("squares", n=2) == loss.value_and_grad("squares", 2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_forgotten_samples_are_refused_and_nothing_changes(backend):
    w = Value(2.0)
    for fn in (lambda x: w * x, lambda x, y=1.0: w * x * y, lambda *xs: w * 2.0, max):
        loss = sg.compile(fn, parameters=[w], backend=backend)
        for call in (
            loss.value_and_grad, loss.values, loss.training(nn.SGD([w], lr=0.1)),
            lambda loss=loss: loss.bind(parameters=[w], out=array("d", [0.0])),
        ):  # fmt: skip
            with pytest.raises(TypeError, match="a batch is needed: a list of samples for each argument"):
                call()
    with pytest.raises(TypeError, match="bind takes x and out, or for a batch"):
        loss.bind()
    assert (w.data, w.grad) == (2.0, 0.0)
