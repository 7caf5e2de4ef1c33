"""A training loop by hand that forgets zero_grad or backward is told so, once; one that is right hears nothing."""

import copy
import pickle
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalargrad import Value, nn
from scalargrad.nn.descent.optimizers import OPTIMIZERS
from scalargrad.nn.descent.step_watch import _PATIENCE, Used, UsedAgain

X, Y = nn.moons(12, noise=0.1, seed=1, labels=(-1, 1))
every_optimizer = pytest.mark.parametrize("kind", OPTIMIZERS.values(), ids=OPTIMIZERS)


def loss_of(model):
    return nn.mse([model(x) for x in X], Y)


def network():
    return nn.MLP(2, [3, 1], activation="tanh", seed=1)


def told(loop, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop(**options)
    assert all(one.category is nn.TrainingWarning for one in caught)
    assert all(one.filename == __file__ for one in caught), "it points at the loop, not into the package"
    return [str(one.message) for one in caught]


def loop(kind, order, zero=lambda model, optimizer: optimizer.zero_grad(), steps=8, model=None):
    """`order` is of z, b, s and c: zero_grad, backward, step, clip."""
    model = model or network()
    optimizer = kind(model.parameters(), lr=1e-3)
    calls = {
        "z": lambda: zero(model, optimizer), "b": lambda: loss_of(model).backward(), "s": optimizer.step,
        "c": lambda: nn.clip_grad_norm(model, 1e-3),
    }  # fmt: skip
    for _ in range(steps):
        for call in order:
            calls[call]()
    return optimizer


def none_by_hand(model, optimizer):
    for p in model.parameters():
        p.grad = None


def zero_by_hand(model, optimizer):
    for p in model.parameters():
        p.grad = 0.0


WAYS = {
    "optimizer": lambda model, optimizer: optimizer.zero_grad(),
    "model": lambda model, optimizer: model.zero_grad(),
    "None": none_by_hand,
    "0.0": zero_by_hand,
    "graph": lambda model, optimizer: loss_of(model).zero_grad(),
}


@every_optimizer
@pytest.mark.parametrize("zero", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("order", ["zbs", "bsz", "zbbs", "bbbsz", "zbcs", "zbsb", "zzbs"])
def test_loops_that_are_right_hear_nothing(kind, zero, order):
    assert told(lambda: loop(kind, order, zero)) == []


@every_optimizer
@pytest.mark.parametrize("order", ["bs", "bbs", "bcs", "sb"])
def test_zero_grad_forgotten_is_told_once_with_numbers(kind, order):
    messages = told(lambda: loop(kind, order))
    (message,) = [m for m in messages if "hold those of an earlier step" in m]
    assert "optimizer.zero_grad(); loss.backward(); optimizer.step()" in message
    assert kind.__name__ in message


def test_the_numbers_told_are_those_of_the_gradient():
    w = Value(1.0, label="w")
    optimizer = nn.SGD([w], lr=0.0)
    (3.0 * w).backward()
    optimizer.step()
    (2.0 * w).backward()
    with pytest.warns(nn.TrainingWarning, match=r"the grad of Value 'w' is 5, and 3 of that was used before"):
        optimizer.step()
    assert w.grad == 5.0


@every_optimizer
@pytest.mark.parametrize("zero", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("order", ["zsb", "bzs", "s"])
def test_a_step_with_nothing_to_follow_is_told_once(kind, zero, order):
    messages = told(lambda: loop(kind, order, zero))
    assert len(messages) == 1
    assert "has nothing to follow: the gradients of all its 13 parameters are" in messages[0]
    assert "optimizer.zero_grad(); loss.backward(); optimizer.step()" in messages[0]


def test_a_single_parameter_is_enough():
    w = Value(1.0, label="w")
    optimizer = nn.SGD([w], lr=0.1)
    with pytest.warns(nn.TrainingWarning, match=r"its one parameter is 0.0, as no backward\(\) was called yet"):
        optimizer.step()


def test_steps_without_a_new_backward_are_told():
    model = network()
    optimizer = nn.SGD(model.parameters(), lr=1e-3)
    loss_of(model).backward()
    for _ in range(_PATIENCE):
        optimizer.step()
    with pytest.warns(nn.TrainingWarning, match=r"used the very same gradients 5 times"):
        optimizer.step()


def test_gradients_that_are_0_because_the_loss_is_flat_are_no_mistake():
    def flat():
        model = nn.Neuron(2, activation="relu", init="zeros")
        optimizer = nn.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            nn.hinge([model(x) + 5.0 for x in X], [1] * len(X)).backward()
            optimizer.step()

    assert told(flat) == []


def test_gradients_of_another_loss_that_nobody_uses_are_no_mistake():
    """As of a critic, whose gradients the generator's backward() adds to before the critic's own zero_grad."""

    def alternate():
        critic, maker = nn.MLP(2, [3, 1], seed=1), nn.MLP(1, [2], seed=2)
        of_critic, of_maker = nn.Adam(critic.parameters()), nn.Adam(maker.parameters())
        for _ in range(4):
            of_critic.zero_grad()
            (critic(maker([1.0])) - critic(X[0])).backward()
            of_critic.step()
            of_maker.zero_grad()
            (-critic(maker([1.0]))).backward()
            of_maker.step()

    assert told(alternate) == []


def test_it_can_be_switched_off():
    def quiet():
        model = network()
        optimizer = nn.SGD(model.parameters(), lr=0.1)
        optimizer.warns = False
        for _ in range(3):
            optimizer.step()
            loss_of(model).backward()

    assert told(quiet) == []


def test_as_an_error_it_comes_before_anything_has_moved():
    model = network()
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    loss_of(model).backward()
    optimizer.step()
    loss_of(model).backward()
    before, grads = model.state_dict(), [p.grad for p in model.parameters()]
    with warnings.catch_warnings():
        warnings.simplefilter("error", nn.TrainingWarning)
        with pytest.raises(nn.TrainingWarning):
            optimizer.step()
    assert model.state_dict() == before
    assert [p.grad for p in model.parameters()] == grads
    assert optimizer.steps == 1


@every_optimizer
def test_steps_are_those_of_an_optimizer_that_looks_at_nothing(kind):
    ways = []
    for zero in (zero_by_hand, lambda model, optimizer: None):
        model = network()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loop(kind, "zbs", zero, model=model)
        ways.append(model)
    plain = network()
    optimizer = kind(plain.parameters(), lr=1e-3)
    optimizer._watch.mark = lambda *_: None
    for _ in range(8):
        optimizer.zero_grad()
        loss_of(plain).backward()
        optimizer.step()
    assert ways[0].state_dict() == plain.state_dict()
    assert all(type(p.data) is float for p in ways[1].parameters())


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(0.1, 10.0))
def test_marked_gradients_are_the_numbers_that_they_are(x, y, factor):
    used = Used(x)
    assert used == x
    assert repr(used) == repr(x)
    assert f"{used:.3g}" == f"{x:.3g}"
    both = used + y
    for found, wanted in ((both, x + y), (both * factor, (x + y) * factor), (factor * both, (x + y) * factor)):
        assert repr(float(found)) == repr(wanted)
    assert (type(both) is UsedAgain) == bool(y)
    for copied in (copy.deepcopy(both), pickle.loads(pickle.dumps(both)), copy.copy(used)):  # noqa: S301
        assert type(copied) is float
    total = used + Value(y)
    assert isinstance(total, Value)


def test_marks_are_gone_where_gradients_become_values():
    w = Value(2.0)
    optimizer = nn.SGD([w], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (w * w).backward(create_graph=True)
        optimizer.step()
    assert type(w.data) is float
