"""Losses of the user's own in fit(..., compiled=True): as in the eager loop, or refused with the reason."""

import math
import random

import pytest
from compiling_helpers import BACKENDS
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import nn
from scalargrad.node.mode import mode

with_backends = pytest.mark.parametrize("backend", BACKENDS)


def trained(loss, X, y, compiled, model=None, **kwargs):
    """The parameters and the history that a fit leaves behind."""
    model = model() if model else nn.Neuron(len(X[0]), nonlin=False, init="zeros")
    kwargs = {"epochs": 2, "lr": 0.1, **kwargs}
    history = nn.fit(model, X, y, loss=loss, compiled=compiled, progress=False, **kwargs)
    return [p.data for p in model.parameters()], list(history.loss), list(getattr(history, "val_loss", []))


def same_as_eager(loss, X, y, backend, **kwargs):
    eager, compiled = (trained(loss, X, y, how, **kwargs) for how in (False, backend))
    for a, b in zip(eager, compiled, strict=True):
        assert b == pytest.approx(a, rel=1e-9, abs=1e-12)


def added(own, reduction="sum"):
    """A loss of a batch made of that of one sample."""

    def loss(scores, targets):
        terms = [own(s, t) for s, t in zip(scores, targets, strict=True)]
        return (sg.sum if reduction == "sum" else sg.mean)(terms)

    return loss


# All are 0 where the score is 0; some have a derivative there, some none.
ZERO_AT_FIRST = {
    "perceptron": lambda s, t: sg.maximum(0.0, -t * s),
    "perceptron, by relu": lambda s, t: sg.relu(-t * s),
    "linear": lambda s, t: -t * s,
    "square": lambda s, t: s * s * (2.0 + t),
    "cubic": lambda s, t: s**3 * t,
    "far from 0 only": lambda s, t: sg.relu(s * s - 1.0) * (2.0 + t),
}
X = [[1.0, 2.0], [-1.0, 0.5], [0.5, -2.0], [2.0, 1.0], [-0.5, 1.5]]
Y = [1, -1, 1, -1, 1]


@with_backends
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("name", ZERO_AT_FIRST)
def test_a_loss_that_is_0_at_first_is_summed_or_averaged_as_it_says(name, reduction, backend):
    loss = added(ZERO_AT_FIRST[name], reduction)
    for options in ({}, {"batch_size": 1, "seed": 0}, {"batch_size": 2, "seed": 0}, {"validation": (X[:3], Y[:3])}):
        same_as_eager(loss, X, Y, backend, **options)
    same_as_eager(loss, X[:1], Y[:1], backend, validation=(X, Y))


def test_the_step_of_a_perceptron_is_the_sum_of_the_samples():
    """By hand: weights 0, the gradient of -t * s is -t * x, so that a step of 0.1 moves the weights by 0.1 sum t x."""
    numbers, losses, _ = trained(added(ZERO_AT_FIRST["linear"]), X, Y, "python", epochs=1)
    assert losses == [0.0]
    assert numbers == pytest.approx([0.1 * sum(t * x[k] for x, t in zip(X, Y, strict=True)) for k in range(2)] + [0.1])


@with_backends
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_loss_that_is_not_finite_for_some_sample_is_decided_by_the_others(reduction, backend):
    loss = added(lambda s, t: s * t, reduction)
    big = [[1.0, 1.0]] * 4 + [[math.inf, math.inf]]
    one = lambda: nn.Neuron(2, nonlin=False, init=nn.constant(1.0))  # noqa: E731
    for how in (False, backend):
        with pytest.raises(nn.DivergenceError):
            trained(loss, big, [1.0] * 5, how, model=one)
    moved = []
    for how in (False, backend):
        model = one()
        with pytest.raises(nn.DivergenceError):
            nn.fit(model, big, [1.0] * 5, loss=loss, lr=0.25, batch_size=2, shuffle=False, compiled=how, progress=False)
        moved.append([p.data for p in model.parameters()])
    assert moved[0] == moved[1] != [1.0, 1.0, 0.0]


@with_backends
@settings(deadline=None, max_examples=25)
@given(
    name=st.sampled_from(sorted(ZERO_AT_FIRST)), reduction=st.sampled_from(["sum", "mean"]), n=st.integers(1, 40),
    size=st.integers(1, 7), seed=st.integers(0, 999),
)  # fmt: skip
def test_any_size_and_batch(backend, name, reduction, n, size, seed):
    rng = random.Random(seed)
    rows = [[rng.choice([0.0, 1.0, -1.0]), rng.uniform(-1, 1)] for _ in range(n)]
    labels = [rng.choice([-1, 1]) for _ in range(n)]
    same_as_eager(added(ZERO_AT_FIRST[name], reduction), rows, labels, backend, batch_size=size, seed=seed, lr=0.01)


# -------------------------------------------------------------------- what is rare

WEIGHTS = {0: 1.0, 1: 25.0}
N = 1000


def looked_up(scores, targets):
    return sg.mean([WEIGHTS.get(t, 1.0) * (s - t) ** 2 for s, t in zip(scores, targets, strict=True)])


def as_number(scores, targets):
    return sg.mean([(s - t) ** 2 * (25.0 if isinstance(t, int) and t == 1 else 1.0) for s, t in zip(scores, targets)])  # noqa: B905


def by_place(scores, targets):
    return sg.sum([(5.0 if i == 500 else 1.0) * (s - t) ** 2 for i, (s, t) in enumerate(zip(scores, targets))])  # noqa: B905


def of_many(scores, targets):
    """Other than it is recorded for one of a thousand different targets: of a Value, Python finds no float."""
    weights = [3.0 if isinstance(t, float) and t == 0.777 else 1.0 for t in targets]
    return sg.mean([w * (s - t) ** 2 for w, s, t in zip(weights, scores, targets, strict=True)])


@with_backends
@pytest.mark.parametrize("rare", [[501, 702, 993], [1], [999]])
@pytest.mark.parametrize("loss", [looked_up, as_number])
def test_weights_of_a_rare_class_are_seen_or_refused(loss, rare, backend):
    rows = [[random.Random(i).uniform(-1, 1)] for i in range(N)]
    targets = [int(i in rare) for i in range(N)]
    words = "is not the eager one|comes out otherwise|cannot be replayed|looked Value.* up"
    with pytest.raises((ValueError, TypeError), match=words):  # a dict is refused before anything is compared
        trained(loss, rows, targets, backend)
    assert trained(loss, rows, targets, False)
    balanced = lambda s, y: sg.mean([(1.0 + 24.0 * t) * (a - t) ** 2 for a, t in zip(s, y)])  # noqa: E731, B905
    same_as_eager(balanced, rows, targets, backend)


@with_backends
def test_weights_by_place_and_of_one_target_among_many_are_refused(backend):
    rows = [[random.Random(i).uniform(-1, 1)] for i in range(N)]
    with pytest.raises(ValueError, match="must be one of these"):
        trained(by_place, rows, [0.5] * N, backend)
    targets = [i / N for i in range(N)]
    with pytest.raises(ValueError, match="the compiled loss of target 0.777 .sample 777. is not the eager one"):
        trained(of_many, rows, targets, backend)


@with_backends
@pytest.mark.parametrize("divided", [lambda total, n: total / (n - 1), lambda total, n: total * (1 / (n - 1))])
def test_a_loss_that_one_sample_alone_does_not_have_is_refused_in_words(divided, backend):
    """An unbiased mean: divided by the number of samples less 1."""

    def unbiased(scores, targets):
        return divided(sg.sum([(s - t) ** 2 for s, t in zip(scores, targets, strict=True)]), len(scores))

    rows = [[0.0], [1.0], [2.0]]
    with pytest.raises(ValueError, match="of one alone it raises Zero.*divide by len.scores., or train without"):
        trained(unbiased, rows, [1.0, 2.0, 3.0], backend)
    with pytest.raises(ZeroDivisionError):  # as the eager loop: all samples are one
        trained(unbiased, rows[:1], [1.0], backend)


@with_backends
def test_so_is_one_that_says_itself_that_it_needs_several(backend):
    def of_pairs(scores, targets):
        if len(scores) < 2:
            raise ValueError("two samples at least")
        return sg.mean([(s - t) ** 2 for s, t in zip(scores, targets, strict=True)])

    model = nn.Sequential(nn.Layer(1, 2, seed=0), nn.BatchNorm(2), nn.Neuron(2, seed=0))
    before = model.state_dict()
    with pytest.raises(ValueError, match="of one alone it raises ValueError.*Compiled training takes one sample"):
        nn.fit(model, [[0.0], [1.0]], [1.0, 2.0], loss=of_pairs, epochs=1, compiled=backend, progress=False)
    assert model.state_dict() == before


@with_backends
def test_a_class_that_only_the_validation_has_is_looked_at_too(backend):
    rows = [[0.5], [1.0], [2.0]]
    with pytest.raises(ValueError, match="is not the eager one"):
        trained(as_number, rows, [0, 0, 0], backend, validation=(rows, [0, 0, 1]))


@with_backends
def test_a_rare_category_of_the_inputs_is_looked_at(backend):
    class Gated(nn.Neuron):
        """Has its own offset for one category, found in a dict: a Value is in none."""

        def __call__(self, x):
            number = x[1].data if mode.get().on_data is None else x[1]
            return super().__call__(x) + {1.0: 10.0}.get(number, 0.0)

    rows = [[random.Random(i).uniform(-1, 1), float(i == 501)] for i in range(N)]
    with pytest.raises(ValueError, match="cannot be replayed"):
        trained("mse", rows, [0.0] * N, backend, model=lambda: Gated(2, nonlin=False, seed=0))


@with_backends
def test_rows_are_values_and_equal_no_number_as_in_the_eager_loop(backend):
    class Odd(nn.Neuron):
        def __call__(self, x):
            return super().__call__(x) * (3.0 if x[0] == 1.0 else 1.0)

    same_as_eager("mse", X, Y, backend, model=lambda: Odd(2, nonlin=False, seed=0))


def test_the_targets_may_be_structures():
    def loss(scores, targets):
        return sg.mean([t["weight"] * (s - t["y"]) ** 2 for s, t in zip(scores, targets, strict=True)])

    targets = [{"y": float(t), "weight": 2.0} for t in Y]
    same_as_eager(loss, X, targets, "python")


@with_backends
def test_one_that_reads_a_number_of_an_optimizer_is_refused_as_it_changes_with_every_step(backend):
    model = nn.Neuron(1, nonlin=False, seed=1)
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    def loss(scores, targets):
        return nn.mse(scores, targets) * optimizer.lr

    def penalty(parameters):
        return optimizer.steps * sg.sum([p * p for p in parameters])

    X, y = [[1.0], [2.0]], [1.0, 3.0]
    for what in ({"loss": loss}, {"loss": "mse", "penalty": penalty}):
        options = {"optimizer": optimizer, "epochs": 1, "progress": False, **what}
        with pytest.raises(ValueError, match="refers to an optimizer, SGD, whose lr and steps change while fit runs"):
            nn.fit(model, X, y, compiled=backend, **options)
        nn.fit(model, X, y, **options)
