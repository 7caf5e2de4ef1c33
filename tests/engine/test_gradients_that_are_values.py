"""After backward(create_graph=True) every grad is a Value: optimizers, clipping, pictures and files work as with numbers."""

from __future__ import annotations

import copy

import pytest

import scalargrad
from scalargrad import Value, nn
from scalargrad.node.numbers import plain_gradient, plain_number


def graph(create_graph):
    a, b = Value(3.0, label="a"), Value(-4.0, label="b")
    loss = scalargrad.sum([a * a, b * b, scalargrad.logsumexp([a, b])]) * 0.5
    loss.label = "loss"
    loss.backward(create_graph=create_graph)
    assert isinstance(a.grad, Value) is create_graph
    return [a, b], loss


def same(use):
    """What a use gives with gradients that are numbers, once it gives the same with Values."""
    plain, values = use(*graph(False)), use(*graph(True))
    assert plain == values
    return plain


KINDS = [
    lambda ps: nn.SGD(ps, 0.1), lambda ps: nn.SGD(ps, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    lambda ps: nn.Adagrad(ps, 0.1), lambda ps: nn.RMSprop(ps, momentum=0.5), lambda ps: nn.Adam(ps), lambda ps: nn.AdamW(ps),
]  # fmt: skip


@pytest.mark.parametrize("make", KINDS)
def test_optimizers_keep_numbers(make):
    def use(parameters, loss):
        optimizer = make(parameters)
        optimizer.step()
        optimizer.step()
        kept = [x for state in optimizer._states for x in state]
        assert {type(p.data) for p in parameters} | set(map(type, kept)) == {float}
        assert not any(p.parents for p in parameters)
        optimizer.zero_grad()
        assert [p.grad for p in parameters] == [0.0, 0.0]
        return [p.data for p in parameters], kept, optimizer.state_dict()

    same(use)


@pytest.mark.parametrize("limit", [0.5, 1e6])
def test_clipping(limit):
    def by_norm(parameters, loss):
        norm = nn.clip_grad_norm(parameters, limit)
        assert type(norm) is float
        return norm, [plain_number(p.grad) for p in parameters]

    def by_value(parameters, loss):
        nn.clip_grad_value(parameters, limit)
        assert {type(p.grad) for p in parameters} == {float}
        return [p.grad for p in parameters]

    same(by_norm)
    same(by_value)


def test_a_gradient_that_is_short_enough_can_still_be_differentiated():
    (a, _), _ = graph(True)
    nn.clip_grad_norm([a], 1e6)
    assert isinstance(a.grad, Value)
    assert a.grad.parents


@pytest.mark.parametrize("options", [{}, {"style": "circuit"}, {"style": "micrograd"}, {"expand": True}])
def test_pictures(options):
    def picture(parameters, loss):
        drawing = scalargrad.draw(loss, **options)
        return drawing.text, drawing.dot, drawing.json

    assert "grad" in "".join(same(picture))


def test_traces_and_texts():
    same(lambda parameters, loss: str(scalargrad.trace(loss, expand=True)))
    same(lambda parameters, loss: f"{parameters[0]:.3f}")
    same(lambda parameters, loss: [v.data for v in copy.deepcopy(loss).parents])
    (a, _), _ = graph(True)
    assert repr(a).startswith("Value(data=3.0, grad=Value(data=")


def test_models_are_trained_saved_and_zeroed(tmp_path):
    def use(parameters, loss):
        model = nn.MLP(2, [2, 1], activation="tanh", seed=0)
        model([1.0, 2.0]).backward(create_graph=isinstance(parameters[0].grad, Value))
        nn.SGD(model, lr=0.1).step()
        path = model.save(tmp_path / "model.json")
        kept = path.read_bytes()
        nn.load(path, model)
        repr(model)
        model.zero_grad()
        assert {p.grad for p in model.parameters()} == {0.0}
        nn.fit(model, [[1.0, 2.0]], [1.0], loss="mse", epochs=2, progress=False)
        return kept, list(model.state_dict().values())

    same(use)


def test_a_penalty_on_the_gradient_is_trained_with_the_steps_of_formulas():
    """One step on f + |grad f|**2 for f = p**4 at 1: the slope is 4 + 2 * 4 * 12."""
    p = Value(1.0, parameter=True)
    optimizer = nn.SGD([p], lr=1.0)
    (p**4).backward(create_graph=True)
    gradient = p.grad
    optimizer.zero_grad()
    (p**4 + gradient**2).backward(create_graph=True)
    optimizer.step()
    assert p.data == 1.0 - (4 + 2 * 4 * 12)
    assert type(p.data) is float


def test_a_gradient_as_a_number():
    x = Value(1.0)
    for given, number in ((2.0, 2.0), (None, 0.0), (Value(3.0), 3.0), (4, 4)):
        x.grad = given
        assert plain_gradient(x) == number
