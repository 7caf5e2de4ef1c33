"""fit says what a lecturer would: steps too large, dead relus, the loss for these labels; and nothing of a good run."""

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalargrad import Value, nn
from scalargrad.nn.scores.losses import LOSSES
from scalargrad.nn.training.dead_relus import dead_among
from scalargrad.nn.training.run_watch import RISES, STAYS, SWINGS, rising

X, Y = nn.moons(40, noise=0.1, seed=1, labels=(-1, 1))
every_way = pytest.mark.parametrize("compiled", [False, "python"], ids=["eager", "compiled"])


def told(run):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    assert all(one.category is nn.TrainingWarning and one.filename == __file__ for one in caught)
    return [str(one.message) for one in caught]


# -------------------------------------------------------------------- the loss


@given(st.floats(1e-6, 1e6), st.floats(1.5, 100.0), st.integers(RISES + 1, 20), st.booleans())
def test_a_loss_that_grows_by_factors_is_told(start, factor, n, whole):
    assert "the loss rises" in rising([start * factor**i for i in range(n)], whole)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=60), st.booleans())
def test_a_loss_that_falls_is_never_told(losses, whole):
    assert rising(sorted(losses, reverse=True), whole) == ""


@given(st.lists(st.floats(0.0, 1.0), min_size=60, max_size=60))
def test_a_noisy_loss_that_falls_all_the_same_is_never_told(noise):
    losses = [math.exp(-i / 10) * (1 + 0.4 * x) for i, x in enumerate(noise)]
    assert all(rising(losses[:n], True) == "" for n in range(1, 61))


def test_a_spike_at_the_start_is_not_told_but_one_that_stays_is():
    spike = [1.0, 3.0, 9.0, 4.0, 1.2, 0.8]
    assert not any(rising(spike[:n], True) for n in range(7))
    stays = [1.0, *[5.0 - 0.01 * i for i in range(STAYS)]]
    assert "stays above the 1 of the first epoch" in rising(stays, False)


def test_swings_are_told_where_every_step_takes_all_samples():
    swings = [1.0 + (-1) ** i * 0.5 for i in range(SWINGS + 1)]
    assert "swings to and fro: 0.5, 1.5, 0.5" in rising(swings, True)
    assert rising(swings, False) == ""
    assert rising([x * 0.9**i for i, x in enumerate(swings)], True) == ""


@every_way
def test_a_learning_rate_too_large_is_told_once_with_its_losses(compiled):
    xs = [[-2.0], [-1.0], [1.0], [2.0]]
    (message,) = told(
        lambda: nn.fit(
            nn.Neuron(1, activation=None, seed=1), xs, [1.0, 2.0, 3.0, 4.0], "mse", lr=0.6, epochs=20, progress=False,
            compiled=compiled,
        )
    )  # fmt: skip
    assert "the loss rises: " in message
    assert "with lr 0.6" in message
    assert "Try lr=0.06" in message


def test_what_diverges_names_the_losses_before():
    model = nn.Neuron(1, activation=None, seed=1)
    with pytest.raises(
        nn.DivergenceError, match=r"The losses of the epochs before: .*, .* Try a smaller lr, as lr=0\.4"
    ):
        nn.fit(model, [[1.0], [100.0]], [5.0, 6.0], "mse", lr=4.0, epochs=90, progress=False, warn=False)
    with pytest.raises(nn.DivergenceError, match=r"No step was made yet: look for nan and inf in X"):
        nn.fit(model, [[1.0], [math.nan]], [5.0, 6.0], "mse", progress=False)


# -------------------------------------------------------------------- dead relus


def kill(model, neurons):
    for neuron in neurons:
        if neuron in getattr(model, "tags", ()):
            model.layers[0].b[model.tags.index(neuron)].data = -100.0
        else:
            neuron.b.data = -100.0


def of_layers():
    return nn.MLP(2, [8, 4, 1], seed=3, init="he_uniform")


def followed_by_relu():
    return nn.Sequential(nn.Layer(2, 8, activation=None, seed=3), "relu", nn.Layer(8, 1, nonlin=False, seed=1))


def a_matrix():
    model = nn.Sequential(nn.Linear(2, 8, seed=3), "relu", nn.Linear(8, 1, seed=1))
    model.tags = model.layers[0]._tags
    return model


def by_hand():
    class Model(nn.Module):
        def __init__(self):
            self.hidden = [nn.Neuron(2, activation=None, fused=False, seed=i) for i in range(8)]
            self.out = nn.Neuron(8, nonlin=False, seed=9)
            self.place(())

        def __call__(self, x):
            return self.out([neuron(x).relu() for neuron in self.hidden])

    return Model()


MODELS = {
    "layers": (of_layers, lambda model: model.layers[0].neurons),
    "a relu of its own": (followed_by_relu, lambda model: model.layers[0].neurons),
    "a matrix": (a_matrix, lambda model: model.tags),
    "by hand": (by_hand, lambda model: model.hidden),
}


@pytest.mark.parametrize(("make", "hidden"), MODELS.values(), ids=MODELS)
@given(which=st.sets(st.integers(0, 7)))
def test_dead_neurons_are_those_that_answer_0_to_every_sample(make, hidden, which):
    model = make()
    alive = [n for n in hidden(model) if n not in dead_among(model, X)[0]]
    kill(model, [hidden(model)[i] for i in which])
    dead, relus = dead_among(model, X)
    assert {id(hidden(model)[i]) for i in which} <= set(map(id, dead))
    assert not {id(n) for i, n in enumerate(hidden(model)) if i not in which and n in alive} & set(map(id, dead))
    assert len(relus) == (12 if make is of_layers else 8)
    assert all(p.grad == 0.0 for p in model.parameters())


def test_the_names_of_the_dead_rows_of_a_matrix():
    model = a_matrix()
    kill(model, model.tags[1:2])
    assert "layer 0 · neuron 1 (linear)" in nn.dead_relus(model, X)


def test_the_names_of_the_dead():
    model = of_layers()
    kill(model, model.layers[1].neurons[1:2])
    assert nn.dead_relus(model, X) == ["layer 1 · neuron 1 (relu)"]
    with pytest.raises(TypeError, match="looks at the neurons of a Module"):
        nn.dead_relus(lambda x: x, X)
    assert nn.dead_relus(nn.MLP(2, [4, 1], activation="tanh", seed=1), X) == []


@every_way
def test_fit_tells_of_dead_neurons_once(compiled):
    model = of_layers()
    kill(model, model.layers[0].neurons[:5])
    (message,) = told(lambda: nn.fit(model, X, Y, "hinge", lr=0.01, epochs=12, progress=False, compiled=compiled))
    assert "5 of the 8 relu neurons of 'layer 0' are dead (layer 0 · neuron 0 (relu)," in message
    assert "to each of 40 samples" in message
    assert "try a smaller lr" in message


@every_way
def test_fit_tells_of_dead_filters_of_images(compiled):
    model = nn.Sequential(
        nn.Conv2d(1, 2, 2, activation="relu", seed=0), nn.Flatten(), nn.Layer(8, 1, activation=None, seed=1)
    )
    kill(model, model.layers[0].filters)
    pictures = [[[[0.1 * (i + j + k) for i in range(3)] for j in range(3)]] for k in range(8)]
    (message,) = told(
        lambda: nn.fit(model, pictures, [1.0] * 8, "mse", lr=1e-4, epochs=2, progress=False, compiled=compiled)
    )
    assert "2 of the 2 relu neurons of 'layer 0' are dead (layer 0 · filter 0 (relu)," in message


def test_a_few_that_are_dead_are_no_alarm():
    model = of_layers()
    kill(model, model.layers[0].neurons[:2])
    assert told(lambda: nn.fit(model, X, Y, "hinge", lr=0.01, epochs=12, progress=False)) == []


@every_way
def test_it_can_be_switched_off(compiled):
    model = of_layers()
    kill(model, model.layers[0].neurons)
    options = {"epochs": 12, "progress": False, "compiled": compiled, "warn": False}
    assert told(lambda: nn.fit(model, X, Y, "hinge", lr=1e-3, **options)) == []


@every_way
def test_looking_changes_nothing(compiled):
    runs = []
    for warn in (False, True):
        model = of_layers()
        history = nn.fit(model, X, Y, "hinge", lr=0.1, epochs=15, progress=False, compiled=compiled, warn=warn)
        runs.append((dict(history), model.state_dict()))
    assert runs[0] == runs[1]


# -------------------------------------------------------------------- which loss


LABELS = {
    "-1 and 1": ([-1, 1, 1, -1], "hinge", 1), "0 and 1": ([0, 1, 1, 0], "bce_with_logits", 1),
    "the class numbers 0 to 2": ([0, 1, 2, 1], "cross_entropy", 3), "numbers": ([0.5, 1.5, 7.0, -2.0], "mse", 1),
    "the class numbers 1 to 3": ([1, 2, 3, 1], "cross_entropy", 3), "2 numbers": ([[1, 2.5]] * 4, "mse", 2),
    "1 alone": ([1, 1, 1, 1], "mse", 1), "rows with a 1": ([[0, 0, 1], [1, 0, 0]] * 2, "cross_entropy", 3), "words": (["a", "b"] * 2, "", 0),
}  # fmt: skip


@pytest.mark.parametrize("what", LABELS)
@pytest.mark.parametrize("as_column", [False, True])
def test_without_a_loss_it_says_which_goes_with_the_targets(what, as_column):
    y, loss, outputs = LABELS[what]
    if as_column and not isinstance(y[0], (list, str)):
        y = [[t] for t in y]
    with pytest.raises(TypeError, match=f"fit needs a loss. y holds {what}") as caught:
        nn.fit(nn.MLP(2, [3, 1], seed=1), X[:4], y)
    if loss:
        assert f"loss='{loss}') for a model with {'one output' if outputs == 1 else f'{outputs} outputs'}" in str(
            caught.value
        )


NO_LABELS = [
    [[[1.0, 2.0], Value(1.0, requires_grad=False)]] * 4, [[1j, 0.0]] * 4, [[10**400, 0.0]] * 4, [10**400, 1, 0, 1], [[None, 1.0]] * 4,
    [1j] * 4, [[[1.0], 2.0], [1.0, "a"]] * 2,
]  # fmt: skip


@pytest.mark.parametrize("y", NO_LABELS, ids=range(len(NO_LABELS)))
def test_targets_that_tell_nothing_bring_no_error_of_their_own(y):
    with pytest.raises(TypeError, match="fit needs a loss. Write fit"):
        nn.fit(nn.MLP(2, [3, 1], seed=1), X[:4], y)


@every_way
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("what", LABELS)
@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_a_loss_that_does_not_fit_is_refused_with_one_that_does_or_trains(loss, what, outputs, compiled):
    y = LABELS[what][0]
    try:
        nn.fit(nn.MLP(2, [outputs], seed=1), X[:4], y, loss, epochs=1, lr=1e-9, progress=False, compiled=compiled)
    except (TypeError, ValueError) as error:
        text = str(error)
        assert text.startswith(f"{loss}: ")
        assert f"y holds {what}" in text


@every_way
@pytest.mark.parametrize("loss", LOSSES)
def test_a_column_of_targets_is_a_list_of_them(loss, compiled):
    labels = {"hinge": [-1, 1], "bce_with_logits": [0, 1]}.get(loss, [0, 1])
    y = [labels[i % 2] for i in range(8)]
    outputs = 2 if loss in ("cross_entropy", "multiclass_hinge") else 1
    histories = [
        nn.fit(nn.MLP(2, [outputs], seed=1), X[:8], t, loss, epochs=3, lr=0.01, progress=False, compiled=compiled)
        for t in (y, [[label] for label in y])
    ]
    assert histories[0].loss == pytest.approx(histories[1].loss, rel=1e-12)


def test_what_is_no_model_is_refused_in_words():
    with pytest.raises(TypeError, match="not the class MLP: make one first"):
        nn.fit(nn.MLP, X, Y, "hinge")
    with pytest.raises(TypeError, match=r"not list: fit\(model, X, y, loss\)"):
        nn.fit(X, Y, nn.MLP(2, [1], seed=1), "hinge")
