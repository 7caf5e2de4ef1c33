"""fit(..., compiled=True) does what fit does: the eager loop, which has its own tests, is the oracle here."""

import copy
import functools
import math
import random
from types import SimpleNamespace

import pytest
from compiling_helpers import BACKENDS
from hypothesis import example, given
from hypothesis import strategies as st

import scalargrad
from scalargrad import Value, nn
from scalargrad.compiling.backends import best
from scalargrad.nn.scores.metrics import misclassified
from scalargrad.nn.training.compiled_stepping import CompiledSteps
from scalargrad.nn.training.gathering import Batches
from scalargrad.node.extras import hooks_of

# Of unlike classes, so that no gradient is 0 but for rounding: Adam and l1_penalty make a step of any size of it.
X, Y = (part[:19] for part in nn.moons(20, noise=0.1, seed=1, labels=(-1, 1)))
CLASSES = [k % 3 for k in range(19)]


@pytest.fixture(params=BACKENDS)
def backend(request):
    return request.param


def network(out=1, activation="tanh"):
    return nn.MLP(2, [4, out], activation=activation, seed=0)


def fitted(make, X, y, compiled, prepare=None, **kwargs):
    """Everything that a fit leaves behind, as (history, numbers, what it raised)."""
    random.seed(0)
    model = make()
    optimizer = kwargs.pop("optimizer", "sgd")
    if callable(optimizer):
        optimizer = optimizer(model)
    elif isinstance(optimizer, str):
        optimizer = nn.training.fitting._resolve_optimizer(optimizer, model, kwargs.pop("lr", None))
    for name, make_argument in (prepare or {}).items():
        kwargs[name] = make_argument(model, optimizer)
    history, raised = None, None
    try:
        history = nn.fit(model, X, y, optimizer=optimizer, compiled=compiled, progress=False, **kwargs)
    except (ArithmeticError, RuntimeError, KeyboardInterrupt) as error:
        raised = error
        history = getattr(error, "history", None)
    numbers = {
        "parameters": [p.data for p in optimizer.parameters],
        "states": [x for state in optimizer._states for x in state],
        "steps": optimizer.steps,
        "lr": optimizer.lr,
    }
    if raised is None:
        numbers["gradients"] = [p.grad for p in optimizer.parameters]
    return history, numbers, raised


def assert_same(make, X, y, backend, prepare=None, rel=1e-12, **kwargs):
    eager_history, eager, eager_error = fitted(make, X, y, False, prepare, **copy.deepcopy(kwargs))
    history, found, error = fitted(make, X, y, backend, prepare, **kwargs)
    assert type(error) is type(eager_error), error
    assert str(error) == str(eager_error)
    assert (history is None) == (eager_history is None)
    if history is not None:
        assert list(history) == list(eager_history)
        for name in history:
            assert history[name] == pytest.approx(eager_history[name], rel=rel, abs=1e-13), name
    for name, numbers in found.items():
        assert numbers == pytest.approx(eager[name], rel=rel, abs=1e-13), name
    return history


# -------------------------------------------------------------------- the same as the eager loop


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("loss", ["mse", "sse", "hinge", "bce_with_logits", "cross_entropy", "multiclass_hinge"])
def test_every_loss_and_optimizer_in_shuffled_batches(loss, optimizer, backend):
    several = loss in ("cross_entropy", "multiclass_hinge")
    y = CLASSES if several else [max(0, label) for label in Y] if loss == "bce_with_logits" else Y
    assert_same(
        lambda: network(3 if several else 1), X, y, backend, loss=loss, optimizer=optimizer, lr=0.02, epochs=4,
        batch_size=6, seed=3, penalty=1e-3, metrics="accuracy",
    )  # fmt: skip


@pytest.mark.parametrize(
    "kwargs",
    [
        {"loss": "hinge"},
        {"loss": "hinge", "batch_size": 1, "shuffle": False},
        {"loss": "hinge", "batch_size": 100, "schedule": nn.linear_lr(1.0, 0.1, 10)},
        {"loss": "hinge", "batch_size": 7, "schedule": nn.cosine_lr(0.5, 10), "rng": random.Random(4)},
        {"loss": "hinge", "clip_norm": 0.05, "batch_size": 8, "seed": 0, "lr": 1.0},
        {"loss": "hinge", "clip_norm": 100.0, "optimizer": "adam"},
        {"loss": "hinge", "penalty": lambda ps: nn.l1_penalty(ps, 0.01)},
        {"loss": "hinge", "penalty": lambda ps: 100.0},
        {"loss": "sse", "penalty": 0.1, "batch_size": 6, "lr": 0.001},
        {"loss": "mse", "validation": (X[:5], Y[:5])},
        {"loss": "sse", "validation": (X[:5], Y[:5]), "batch_size": 6, "lr": 0.001, "metrics": "accuracy"},
        {"loss": "hinge", "validation": (X[:5], Y[:5]), "penalty": 0.1, "batch_size": 6, "metrics": {}},
        {"loss": "hinge", "optimizer": lambda m: nn.SGD(m, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01)},
        {"loss": "hinge", "optimizer": lambda m: nn.RMSprop(m, 0.01, momentum=0.5, weight_decay=0.1)},
        {"loss": "hinge", "optimizer": lambda m: nn.Adam(m.parameters()[::-2], 0.01), "penalty": 0.1},
    ],
)
def test_every_option(kwargs, backend):
    assert_same(network, X, Y, backend, epochs=4, **kwargs)


def test_micrograds_demo(backend):
    """Hinge, L2, lr from 1.0 to 0.1 on relu units."""
    history = assert_same(
        lambda: nn.MLP(2, [8, 8, 1], seed=0), X, Y, backend, loss="hinge", epochs=30, penalty=1e-4,
        schedule=nn.linear_lr(1.0, 0.1, 30), rel=1e-9,
    )  # fmt: skip
    assert history.accuracy[-1] >= 0.9 > history.accuracy[0]


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_metrics_of_the_users_own_get_what_they_get_in_the_eager_loop(loss, backend):
    def distance(scores, targets):
        rows = [score if isinstance(score, list) else [score] for score in scores]
        assert len(rows) == len(targets)
        return sum(math.cos(v.data if isinstance(v, Value) else v) for row in rows for v in row)

    several = loss == "cross_entropy"
    kinds = set()
    history = assert_same(
        lambda: network(3 if several else 1), X, CLASSES if several else Y, backend, loss=loss, epochs=3, batch_size=8,
        seed=1, validation=(X[:4], CLASSES[:4] if several else Y[:4]),
        metrics={"distance": distance, "right": nn.accuracy, "kind": lambda s, y: kinds.add(type(s[0])) or 1.0},
    )  # fmt: skip
    assert list(history) == [
        "loss", "distance", "right", "kind", "lr", "val_loss", "val_distance", "val_right", "val_kind",
    ]  # fmt: skip
    assert kinds == ({list} if several else {Value, float})


def test_a_metric_may_look_at_the_model(backend):
    def size_of(model, optimizer):
        return lambda scores, targets: sum(p.data for p in model.parameters()) + optimizer.steps

    assert_same(network, X, Y, backend, loss="mse", epochs=2, batch_size=8, seed=1, prepare={"metrics": size_of})


def test_samples_in_every_form(backend):
    np = pytest.importorskip("numpy", reason="arrays need numpy")
    whole = [[round(10 * v) for v in row] for row in X]
    kwargs = {"loss": "hinge", "epochs": 2, "batch_size": 8, "seed": 0}
    lists = assert_same(network, whole, Y, backend, **kwargs)
    for form in (
        [tuple(row) for row in whole],
        [[Value(v) for v in row] for row in whole],
        np.array(whole),
        np.array(whole, dtype="float32"),
        np.array(whole, dtype=float).T.copy().T,
        np.array(whole, dtype=float),
    ):
        for y in (Y, np.array(Y), tuple(Y), [float(t) for t in Y]):
            assert nn.fit(network(), form, y, compiled=backend, progress=False, **kwargs).loss == lists.loss
    full = {"loss": "hinge", "epochs": 2}
    assert (
        nn.fit(network(), np.array(X), np.array(Y), compiled=backend, progress=False, **full).loss
        == assert_same(network, X, Y, backend, **full).loss
    )
    line = lambda: nn.Neuron(1, nonlin=False, init="zeros")  # noqa: E731
    assert_same(line, [0.0, 1.0, 2.0], [1.0, 3.0, 5.0], backend, loss="mse", lr=0.2, epochs=50)
    assert_same(line, np.array([0.0, 1.0, 2.0]), [1.0, 3.0, 5.0], backend, loss="mse", lr=0.2, epochs=5)
    pair = lambda: nn.MLP(1, [2], seed=0)  # noqa: E731
    assert_same(pair, [0.0, 1.0], [[0.0, 1.0], [1.0, 0.0]], backend, loss="mse", lr=0.5, epochs=20)
    assert_same(pair, [0.0, 1.0], [(0.0, Value(1.0)), (1.0, Value(0.0))], backend, loss="mse", lr=0.5, epochs=20)
    assert_same(line, [0.0, 1.0], [Value(1.0), Value(3.0)], backend, loss="mse", lr=0.2, epochs=5)


def test_a_model_that_is_no_module_and_one_that_returns_a_structure(backend):
    def make():
        w = [Value(0.5), Value(-1.0)]

        def model(x):
            return {"sum": w[0] * x[0] + w[1] * x[1], "both": (w[0] * x[1], 1.0)}

        model.parameters = lambda: w
        return model

    def loss(scores, targets):
        return scalargrad.mean([(s["sum"] - t) ** 2 + s["both"][0] ** 2 for s, t in zip(scores, targets, strict=True)])

    def metric(scores, targets):
        return sum(nn.scores.metrics.plain(s["both"][0]) + s["both"][1] for s in scores) / len(scores)

    assert_same(make, X, Y, backend, loss=loss, metrics=metric, epochs=3, batch_size=8, seed=0, validation=(X, Y))


def test_validation_is_in_eval_mode_and_training_in_training_mode(backend):
    class Model(nn.Module):
        def __init__(self):
            self.w = Value(1.0)

        def __call__(self, x):
            return self.w * x[0] * (3.0 if self.training else 1.0)

    assert_same(Model, X, Y, backend, loss="mse", lr=0.01, epochs=3, validation=(X, Y))


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
def test_optimizers_of_the_users_own_step_themselves(kind, backend):
    class Sign(kind):
        """Looks at its numbers, counts in an attribute of its own, and takes a root with math."""

        calls = 0

        def update(self, p, g, state):
            self.calls += 1
            p, state = super().update(p, g if g > 0 else g / 2, state)
            return p - math.sqrt(abs(p)) * 1e-3 / self.calls, state

    assert_same(network, X, Y, backend, loss="hinge", optimizer=lambda m: Sign(m, lr=0.1), epochs=3, clip_norm=1.0)


# -------------------------------------------------------------------- callbacks


def test_a_callback_sees_the_numbers_of_its_epoch_and_may_end_training(backend):
    def trained(compiled):
        model, seen = network(), []
        optimizer = nn.Adam(model, lr=0.01)

        def callback(epoch, history):
            seen.append([p.data for p in model.parameters()] + [p.grad for p in model.parameters()])
            seen[-1] += [epoch, optimizer.steps, history.loss[-1], nn.predict(model, X[:1])[0]]
            return epoch == 3

        nn.fit(model, X, Y, loss="hinge", optimizer=optimizer, epochs=9, batch_size=7, seed=0, progress=False,
               callback=callback, compiled=compiled)  # fmt: skip
        return seen

    found, eager = trained(backend), trained(False)
    assert len(found) == 3
    assert found == [pytest.approx(row, rel=1e-12, abs=1e-13) for row in eager]


def changes_parameters(model, optimizer):
    for p in model.parameters():
        p.data = max(-0.5, min(0.5, p.data))


def changes_the_rate(model, optimizer):
    optimizer.lr *= 0.5


def changes_settings(model, optimizer):
    optimizer.momentum = optimizer.weight_decay = 0.5


def freezes(model, optimizer):
    for p in model.layers[0].parameters():
        p.requires_grad = not p.requires_grad


def forgets(model, optimizer):
    optimizer._states = [(0.0,) * optimizer.averages] * len(optimizer.parameters)
    optimizer.steps = 0


@pytest.mark.parametrize("change", [changes_parameters, changes_the_rate, changes_settings, freezes, forgets])
@pytest.mark.parametrize("validation", [None, (X[:5], Y[:5])])
def test_a_callback_may_change_things(change, validation, backend):
    assert_same(
        network, X, Y, backend, loss="hinge", optimizer=lambda m: nn.SGD(m, 0.1, momentum=0.9), epochs=6, batch_size=8,
        seed=0, validation=validation,
        prepare={"callback": lambda m, o: lambda epoch, _: change(m, o) if epoch % 2 else None},
    )  # fmt: skip


class Signed(nn.Module):
    """Has an attribute in the class."""

    factor = 1.0


class OfItsOwn(Signed):
    """Reads attributes of its own, one in a slot, one of its class, and modules and another object in them."""

    __slots__ = ("gain",)
    sign = 1.0

    def __init__(self):
        self.gain, self.settings = 1.0, SimpleNamespace(offset=0.0)
        self.hidden, self.last = nn.Layer(2, 3, activation="tanh", seed=0), nn.Layer(3, 1, nonlin=False, seed=1)
        self.drop, self.more = nn.Dropout(0.4, seed=2), {"last": nn.Layer(3, 1, nonlin=False, seed=3)}
        self.scale, self.how, self.shifts = 1.0, "last", [0.0]

    def __call__(self, x):
        layer = self.last if self.how == "last" else self.more[self.how[5:]]
        shift = self.shifts[0] + self.settings.offset
        return (
            layer(self.drop(self.hidden(x))) * self.scale * self.gain * self.sign * self.factor
            + shift
            + (0.0 if self.training else 1.0)
        )

    def forward(self, x):
        return self(x)

    def size(self, parameters):
        return nn.l2_penalty(parameters, 0.01 * self.scale)

    def distance(self, scores, targets):
        return nn.mse(scores, targets) * self.scale


OTHERWISE = {
    "a number": lambda m: setattr(m, "scale", 2.5),
    "a text": lambda m: setattr(m, "how", "more last"),
    "a list": lambda m: m.shifts.__setitem__(0, 0.5),
    "an attribute that was not there": lambda m: setattr(m, "note", "later"),
    "a weight": lambda m: m.hidden.neurons[0].w.__setitem__(1, Value(0.25)),
    "a tied weight": lambda m: m.hidden.neurons[0].w.__setitem__(1, m.hidden.neurons[1].w[0]),
    "a bias left out": lambda m: setattr(m.last.neurons[0], "b", None),
    "a layer": lambda m: setattr(m, "last", nn.Layer(3, 1, nonlin=False, seed=5)),
    "no layer": lambda m: setattr(m, "drop", lambda x: x),
    "eval": lambda m: m.eval(),
    "eval of one": lambda m: m.drop.eval(),
    "how much is left out": lambda m: setattr(m.drop, "p", 0.1),
    "nothing is left out": lambda m: setattr(m.drop, "p", 0.0),
    "a slot": lambda m: setattr(m, "gain", 0.5),
    "a mode that is 0": lambda m: setattr(m.drop, "training", 0),
    "a mode that is None": lambda m: setattr(m, "training", None),
    "a mode of which nobody is told": lambda m: object.__setattr__(m, "training", False),
    "an object inside": lambda m: setattr(m.settings, "offset", 0.25),
    "a class": lambda m: setattr(type(m), "sign", -1.0),
    "a class behind it": lambda m: setattr(Signed, "factor", 0.5),
    "all of that, and back": lambda m: [setattr(m.drop, "p", p) for p in (0.0, 0.3)],
}


GIVEN = {
    "a model": lambda m: {},
    "a method as the model": lambda m: {"model": m.forward},
    "a partial as the model": lambda m: {"model": functools.partial(OfItsOwn.forward, m)},
    "a function around it": lambda m: {"model": lambda x: m(x)},
    "a method as the penalty": lambda m: {"penalty": m.size},
    "a method as the loss": lambda m: {"loss": m.distance},
}


def run_with(change, who, how, compiled, **options):
    """Losses of a fit in which a callback, schedule or metric changes the model, at its third call."""
    random.seed(0)
    OfItsOwn.sign = Signed.factor = 1.0
    model, calls = OfItsOwn(), []

    def changing(*_):
        calls.append(1)
        if len(calls) == 3:
            change(model)
        return {"callback": None, "schedule": 0.05, "metrics": 1.0}[who]

    optimizer = nn.SGD(model.parameters(), 0.05, momentum=0.9)
    arguments = {"model": model, "loss": "mse", **GIVEN[how](model), "optimizer": optimizer, who: changing, **options}
    history = nn.fit(
        X=X, y=Y, epochs=5, batch_size=8, seed=0, warn=False, progress=False, compiled=compiled, **arguments
    )  # fmt: skip
    return [*history.loss, *history.get("val_loss", []), *(p.data for p in optimizer.parameters)]


@pytest.mark.parametrize("name", OTHERWISE)
@pytest.mark.parametrize("who", ["callback", "schedule", "metrics"])
@pytest.mark.parametrize("validation", [None, (X[:5], Y[:5])])
def test_whoever_is_called_may_change_the_model_itself(name, who, validation, backend):
    eager = run_with(OTHERWISE[name], who, "a model", False, validation=validation)
    found = run_with(OTHERWISE[name], who, "a model", backend, validation=validation)
    assert found == pytest.approx(eager, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("how", GIVEN)
@pytest.mark.parametrize("who", ["callback", "schedule", "metrics"])
@pytest.mark.parametrize("name", ["a number", "a list", "a slot", "an object inside", "how much is left out"])
def test_model_loss_and_penalty_may_read_attributes_by_any_way(name, who, how, backend):
    eager, found = (run_with(OTHERWISE[name], who, how, compiled) for compiled in (False, backend))
    assert found == pytest.approx(eager, rel=1e-12, abs=1e-13)


def test_what_a_model_counts_itself_does_not_have_it_recorded_at_each_step(monkeypatch):
    class Counting(OfItsOwn):
        calls = 0

        def __call__(self, x):
            self.calls += 1
            return super().__call__(x)

    model, recorded = Counting(), []
    monkeypatch.setattr(CompiledSteps, "_record", lambda self, of=CompiledSteps._record: recorded.append(1) or of(self))
    nn.fit(
        model, X, Y, "mse", epochs=5, batch_size=4, schedule=lambda k: 0.01, metrics=lambda *_: 1.0, compiled="python",
        progress=False,
    )  # fmt: skip
    assert len(recorded) < 5


def test_a_schedule_may_set_more_than_the_rate(backend):
    def schedule_for(model, optimizer):
        def schedule(step):
            optimizer.momentum = 0.5 + 0.1 * (step // 3)
            return 0.1 / (1 + step)

        return schedule

    assert_same(
        network, X, Y, backend, loss="hinge", optimizer=lambda m: nn.SGD(m, 0.1, momentum=0.9), epochs=3, batch_size=7,
        seed=0, prepare={"schedule": schedule_for},
    )  # fmt: skip


# -------------------------------------------------------------------- when training ends early


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("where", ["schedule", "metrics", "callback"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_an_interruption_leaves_whole_steps(error, where, optimizer, backend):
    def interrupt(model, optimizer):
        calls = []

        def interrupting(*_):
            calls.append(1)
            if len(calls) == 5:
                raise error("enough")
            return 0.01

        return interrupting

    assert_same(
        network, X, Y, backend, loss="hinge", optimizer=optimizer, epochs=9, batch_size=7, seed=0,
        prepare={where: interrupt},
    )  # fmt: skip


def test_what_a_callback_did_before_it_raised_stays(backend):
    def callback_for(model, optimizer):
        def callback(epoch, _):
            model.parameters()[0].data = 7.0
            raise RuntimeError("enough")

        return callback

    assert_same(network, X, Y, backend, loss="hinge", epochs=9, prepare={"callback": callback_for})


@pytest.mark.parametrize("batch_size", [None, 1])
@pytest.mark.parametrize("validation", [None, ([1.0], [5.0])])
def test_a_loss_that_diverges_puts_the_last_good_parameters_back(validation, batch_size, backend):
    line = lambda: nn.Neuron(1, nonlin=False, init=nn.constant(1.0))  # noqa: E731
    history = assert_same(
        line, [1.0, 2.0], [5.0, 5.0], backend, loss="mse", optimizer=lambda m: nn.SGD(m, lr=1e70, momentum=0.9),
        epochs=50, validation=validation, batch_size=batch_size, shuffle=False,
    )  # fmt: skip
    assert history is not None
    with pytest.raises(nn.DivergenceError, match=r"became (inf|nan|nan or infinite) in epoch \d+ .*lr 1e\+70"):
        nn.fit(line(), [1.0, 2.0], [5.0, 5.0], loss="mse", lr=1e70, progress=False, compiled=backend)


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
def test_what_is_put_back_includes_the_steps_of_an_optimizer_that_was_used_before(kind, backend):
    def used(model):
        optimizer = kind(model, lr=1e200)
        optimizer.steps = 5
        return optimizer

    line = lambda: nn.Neuron(1, nonlin=False, init=nn.constant(1.0))  # noqa: E731
    for callback in (None, lambda epoch, history: None):
        for y in ([5.0, 5.0], [1e300, -1e300]):
            assert_same(line, [1.0, 2.0], y, backend, loss="mse", optimizer=used, epochs=9, callback=callback)


class Slope(nn.Module):
    """A line, and an attribute that the model reads."""

    def __init__(self):
        self.w, self.b, self.scale = Value(1.0), Value(0.5), 1.0

    def __call__(self, x):
        return self.w * x[0] * self.scale + self.b


BETWEEN = {
    "a note in the model": lambda m, o: setattr(m, "note", o.steps),
    "a number in the model": lambda m, o: setattr(m, "scale", m.scale * 1.5),
    "a setting": lambda m, o: setattr(o, "weight_decay", 1e-3 * o.steps),
    "a parameter": lambda m, o: setattr(m.w, "data", m.w.data / 2),
    "a step": lambda m, o: o.step() if o.steps else None,
    "a step of some": lambda m, o: [
        setattr(m.b, "requires_grad", on) or (o.steps and o.step()) for on in (False, True)
    ],
    "a state that was loaded": lambda m, o: o.load_state_dict({**o.state_dict(), "steps": o.steps}),
    "a mode": lambda m, o: setattr(m, "training", not m.training),
    "a gradient": lambda m, o: setattr(m.w, "grad", 5.0),
}


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam, nn.RMSprop])
@pytest.mark.parametrize(
    ("name", "where"),
    [
        (name, where)
        for name in BETWEEN
        for where in ("callback", "schedule", "metrics")
        if where != "schedule" or not name.startswith("a step")  # during an epoch gradients lag behind
    ],
)
def test_what_is_put_back_is_what_was_there_before_the_last_step_though_steps_are_recorded_anew(
    name, where, kind, backend
):
    def changing(model, optimizer):
        answer = {"callback": None, "schedule": 1e160, "metrics": 1.0}[where]
        return lambda *_: (BETWEEN[name](model, optimizer), answer)[1]

    history = assert_same(
        Slope, [[1.0], [2.0]], [5.0, 5.0], backend, loss="mse", optimizer=lambda m: kind(m, lr=1e160), epochs=9,
        prepare={where: changing},
    )  # fmt: skip
    assert history.epochs < 9


def test_a_first_loss_of_nan_changes_nothing(backend):
    assert_same(network, [[math.nan, 0.0]], [1.0], backend, loss="mse")
    assert_same(network, [[math.nan, 0.0]], [1.0], backend, loss=lambda s, y: nn.mse(s, y), optimizer="adam")


def test_an_infinite_gradient_is_caught_in_its_own_step(backend):
    root = lambda: nn.Neuron(1, activation="sqrt", init="zeros")  # noqa: E731
    assert_same(root, [1.0], [1.0], backend, loss="mse", epochs=1)
    assert_same(root, [1.0], [1.0], backend, loss="mse", epochs=1, clip_norm=1.0)
    for n in (1, 15, 16, 40):  # wherever in memory the one root lies

        def mixed(n=n):
            return nn.Sequential(nn.Layer(n, 1, activation="sqrt", init="zeros"), nn.Neuron(1, nonlin=False))

        assert_same(mixed, [[1.0] * n], [1.0], backend, loss="mse", epochs=1)


# -------------------------------------------------------------------- losses of the user's own


def test_a_loss_may_be_the_mean_or_the_sum_of_those_of_its_samples(backend):
    def total(scores, targets):
        return nn.hinge(scores, targets, reduction="sum")

    for loss in (
        total,
        lambda scores, targets: scalargrad.mean([abs(s - t) for s, t in zip(scores, targets, strict=True)]),
    ):
        assert_same(network, X, Y, backend, loss=loss, epochs=3, batch_size=6, seed=0, lr=0.01, penalty=0.1)
        assert_same(
            network, X, Y, backend, loss=loss, epochs=3, batch_size=1, seed=0, lr=0.01, validation=(X[:3], Y[:3])
        )
        assert_same(network, X[:1], Y[:1], backend, loss=loss, epochs=3)


def test_a_loss_gets_values_in_validation_as_in_training(backend):
    def loss(scores, targets):
        return scalargrad.mean([(s.tanh() - t) ** 2 for s, t in zip(scores, targets, strict=True)])

    assert_same(network, X, Y, backend, loss=loss, epochs=3, validation=(X[:5], Y[:5]), metrics=lambda s, _: s[0])


def test_which_of_them_it_is_may_turn_out_late(backend):
    """All losses are 0 at first, so that mean and sum are the same; the callback moves the parameters."""

    def callback_for(model, optimizer):
        def callback(epoch, _):
            for p in model.parameters():
                p.data = 0.1 * epoch

        return callback

    zeros = lambda: nn.Neuron(2, nonlin=False, init="zeros")  # noqa: E731
    history = assert_same(
        zeros, X, [0.0] * 19, backend, loss=lambda s, y: nn.mse(s, y, reduction="sum"), epochs=4, lr=1e-4, batch_size=6,
        seed=0, validation=(X[:3], [0.0] * 3), prepare={"callback": callback_for},
    )  # fmt: skip
    assert history.loss[0] == 0.0 < history.loss[1]


def test_a_loss_that_is_neither_is_refused(backend):
    def root_mean_square(scores, targets):
        return nn.mse(scores, targets).sqrt()

    model = network()
    before = [p.data for p in model.parameters()]
    with pytest.raises(ValueError, match=r"the loss of 19 samples is .* the mean of their own losses is .* the sum"):
        nn.fit(model, X, Y, loss=root_mean_square, compiled=backend, progress=False)
    assert [p.data for p in model.parameters()] == before


def equals_one(scores, targets):
    return scalargrad.mean([(1 - s).relu() if t == 1 else (1 + s).relu() for s, t in zip(scores, targets, strict=True)])


def branches(scores, targets):
    return scalargrad.mean([1 - s if t > 0 else 1 + s for s, t in zip(scores, targets, strict=True)])


def looks(scores, targets):
    return scalargrad.mean([s * s.data for s in scores])


@pytest.mark.parametrize(
    ("loss", "error", "text"),
    [
        (
            equals_one,
            scalargrad.BranchError,
            "a comparison comes out otherwise than when it was recorded: .* == 1.0 was",
        ),
        (branches, scalargrad.BranchError, "a comparison comes out otherwise than when it was recorded"),
        (looks, TypeError, r"took the number out of .* with \.data"),
        (lambda s, y: s, TypeError, "must return one Value for the batch, not a list"),
        (lambda s, y: 1.0, TypeError, "must return one Value for the batch, not float"),
    ],
)
def test_a_loss_that_cannot_be_replayed_is_refused(loss, error, text, backend):
    model = network()
    before = [p.data for p in model.parameters()]
    with pytest.raises(error, match=text):
        nn.fit(model, X, Y, loss=loss, compiled=backend, progress=False)
    assert [p.data for p in model.parameters()] == before


def test_a_model_that_draws_random_numbers_is_refused(backend):
    class Noisy(nn.Neuron):
        rng = random.Random(0)

        def __call__(self, x):
            return super().__call__(x) * self.rng.uniform(0.5, 1.5)

    with pytest.raises(ValueError, match="cannot be replayed, as drawing random numbers"):
        nn.fit(Noisy(2, seed=0), X, Y, loss="mse", compiled=backend, progress=False)


# -------------------------------------------------------------------- Dropout and BatchNorm


def with_layer(layer):
    return nn.Sequential(nn.Layer(2, 3, nonlin=False, seed=0), layer, nn.Layer(3, 1, nonlin=False, seed=1))


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (
            lambda: nn.Dropout(0.5),
            r"Dropout\(0\.5\) cannot be compiled in training: .*same in every replay.*compiled=True",
        ),
        (lambda: nn.BatchNorm(3), r"BatchNorm\(3\) cannot be compiled in training: .*a whole batch.*compiled=True"),
    ],
)
def test_layers_that_a_replay_would_freeze_are_refused_in_training_only(layer, text, backend):
    model = with_layer(layer())
    if isinstance(model.layers[1], nn.BatchNorm):
        with pytest.raises(ValueError, match=text):
            nn.fit(model, X, Y, loss="hinge", compiled=backend, progress=False)
    with pytest.raises(ValueError, match=text):
        scalargrad.compile(lambda x, y: nn.hinge(model(x), y), backend=backend).value_and_grad(X, Y)

    @scalargrad.replay(backend=backend)
    def loss():
        return nn.hinge(model.on_batch(X), Y)

    with pytest.raises(ValueError, match=text):
        loss()
    model.eval()
    eager = nn.hinge(model.on_batch(X), Y).data
    assert loss().data == pytest.approx(eager, rel=1e-12)
    compiled = scalargrad.compile(lambda x, y: nn.hinge(model(x), y), backend=backend)
    assert compiled.value_and_grad(X, Y)[0] == pytest.approx(eager, rel=1e-12)


class OneByOne(nn.Module):
    """Takes a batch sample by sample, each through both Dropouts, of which one is called twice, on nested rows too."""

    def __init__(self):
        self.first, self.second = nn.Dropout(0.4), nn.Dropout(0.2)
        self.hidden, self.last = nn.Layer(2, 3, activation="tanh", seed=0), nn.Layer(3, 1, nonlin=False, seed=1)

    def __call__(self, x):
        rows = self.second([self.hidden(self.first(x)), self.hidden(x)])
        return self.last(self.first([a + b for a, b in zip(*rows, strict=True)]))


def layer_by_layer():
    return nn.Sequential(
        nn.Dropout(0.1, seed=4), nn.Layer(2, 4, activation="tanh", seed=0), nn.Dropout(0.5), nn.Dropout(0.3),
        nn.Layer(4, 1, nonlin=False, seed=1),
    )  # fmt: skip


def total_hinge(scores, targets):
    return nn.hinge(scores, targets) * len(scores)


@pytest.mark.parametrize("make", [layer_by_layer, OneByOne])
@pytest.mark.parametrize("options", [{}, {"batch_size": 3}, {"batch_size": 3, "loss": total_hinge}])
def test_dropout_leaves_out_what_it_leaves_out_in_the_eager_step(make, options, backend):
    """Drawn anew for every sample of every step, from the same generators in the same order."""

    def made():
        random.seed(7)  # for the Dropouts without a seed: the compiled fit must not draw anything else from it
        return make()

    assert_same(made, X, Y, backend, **{"loss": "hinge", "epochs": 3, "seed": 1, "validation": (X, Y), **options})


def test_dropout_out_of_training_leaves_out_nothing_in_compiled_steps(backend):
    def made():
        model = layer_by_layer()
        for layer in model.layers:
            if isinstance(layer, nn.Dropout):
                layer.eval()
        return model

    assert_same(made, X, Y, backend, loss="hinge", epochs=3)


def test_dropout_that_drops_nothing_can_be_compiled(backend):
    assert_same(lambda: with_layer(nn.Dropout(0.0)), X, Y, backend, loss="hinge", epochs=2)


# -------------------------------------------------------------------- what is refused


def call(**changes):
    arguments = {"X": X, "y": Y, "loss": "hinge", "progress": False, "compiled": "python", **changes}
    return lambda: nn.fit(arguments.pop("model", network()), arguments.pop("X"), arguments.pop("y"), **arguments)


trained = Value(1.0)
hooked = nn.Neuron(2)
hooked.b.register_hook(lambda g: 2 * g)
frozen = nn.Neuron(2)
for parameter in frozen.parameters():
    parameter.requires_grad = False


@pytest.mark.parametrize(
    ("broken", "error", "text"),
    [
        (call(compiled=3), TypeError, "compiled must be True, False or the name of a backend, as 'llvm', not 3"),
        (call(compiled="lvm"), ValueError, "there is no backend 'lvm' .*; choose one of auto, python"),
        (call(y=[*Y[:7], 0, *Y[8:]]), ValueError, "hinge: target 7 is 0, but must be -1"),
        (call(validation=(X[:3], [1, -1, 0])), ValueError, "hinge: target 2 is 0, but must be -1"),
        (call(y=[2.0] * 19, loss="bce_with_logits"), ValueError, "target 0 is 2.0, but must lie between 0 and 1"),
        (
            call(y=[3, *CLASSES[1:]], loss="cross_entropy", model=network(3)),
            ValueError,
            "cross_entropy: target 0 is 3, but there are 3 classes",
        ),
        (call(y=["a"] * 19), TypeError, "hinge: target 0 must be a number, not 'a'. y holds words"),
        (call(loss="cross_entropy"), ValueError, "each sample has a single score"),
        (
            call(X=[[trained, 2.0]], y=[1], model=lambda x: x[0], optimizer=nn.SGD([trained])),
            ValueError,
            "X holds a Value that is trained, or was computed",
        ),
        (call(X=[[trained * 2, 2.0]], y=[1]), ValueError, "X holds a Value that is trained, or was computed"),
        *(
            (
                call(y=[*Y[:7], y, *Y[8:]], model=lambda x: x[0] * trained, optimizer=nn.SGD([trained])),
                ValueError,
                "y holds a Value that is trained, or was computed",
            )
            for y in (trained, trained * 2, [1.0, trained], {"a": (1.0, trained * 2)})
        ),
        (call(model=hooked), ValueError, "hooks on parameters do not run in compiled code"),
        (call(model=frozen), ValueError, "nothing to train: none of the optimizer's parameters requires grad"),
        (call(clip_norm=0.0), ValueError, "clip_norm must be positive, not 0.0"),
        # and what the eager loop refuses
        (call(y=Y[:3]), ValueError, "X has 19 rows but y has 3 targets"),
        (call(X=[]), ValueError, "X is empty"),
        (call(X=[[1.0, 2.0], [1.0]]), ValueError, "row 1 has 1 numbers, but row 0 has 2"),
        (call(X=[["a", 2.0]], y=[1]), TypeError, "X, row 0: input 0 must be a Value or a real number, not str"),
        (call(X=[[1.0]], y=[1]), ValueError, "takes 2 inputs, but 1 was given"),
        (call(X=[[]], y=[1]), ValueError, "takes 2 inputs, but 0 were given"),
        (call(schedule=lambda k: -1.0), ValueError, "lr must be at least 0"),
        (call(validation=(X, Y[:2])), ValueError, "validation X has 19 rows but validation y has 2"),
    ],
)
def test_errors_say_what_was_given_and_what_to_do(broken, error, text):
    with pytest.raises(error, match=text):
        broken()


@pytest.mark.parametrize("compiled", BACKENDS)
@pytest.mark.parametrize("where", ["callback", "schedule", "metrics", "a leaf that is not trained"])
def test_hooks_that_are_registered_while_it_trains_are_refused(where, compiled):
    model, offset = network(), Value(0.5)

    def hook():
        leaf = offset if where == "a leaf that is not trained" else model.parameters()[3]
        if not hooks_of(leaf):
            leaf.register_hook(lambda g: 2 * g)

    options = {
        "callback": {"callback": lambda epoch, history: hook()},
        "schedule": {"schedule": lambda step: hook() or 0.1 if step == 3 else 0.1, "batch_size": 5},
        "metrics": {"metrics": lambda scores, targets: hook() or 1.0, "batch_size": 5},
        "a leaf that is not trained": {"callback": lambda epoch, history: hook()},
    }[where]

    class Model(nn.Module):
        def __init__(self):
            self.network = model

        def __call__(self, x):
            return self.network(x) + offset

    optimizer = nn.SGD(model, lr=0.1)
    with pytest.raises(ValueError, match="hooks on parameters do not run in compiled code: remove them, or leave"):
        nn.fit(Model(), X, Y, loss="mse", optimizer=optimizer, epochs=3, compiled=compiled, progress=False, **options)
    assert optimizer.steps == {"schedule": 3, "metrics": 1}.get(where, 1)
    assert model.parameters()[0].data != network().parameters()[0].data  # the steps before are kept


def test_true_is_the_best_backend_there_is():
    history = nn.fit(network(), X, Y, loss="hinge", epochs=2, progress=False, compiled=True)
    found = nn.fit(network(), X, Y, loss="hinge", epochs=2, progress=False, compiled=best())
    assert history.loss == found.loss


def test_progress_is_shown(capsys, backend):
    pytest.importorskip("tqdm", reason="the bar is tqdm's")
    nn.fit(network(), X, Y, loss="hinge", epochs=3, compiled=backend)
    assert "3/3" in capsys.readouterr().err


# -------------------------------------------------------------------- parts


@given(st.data())
def test_batches_are_the_samples_of_their_indices(data):
    n, width = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 3))
    rows = [[float(10 * i + k) for k in range(width)] for i in range(n)]
    batches = Batches(rows, list(range(n)), [])
    for _ in range(3):
        batch = data.draw(st.permutations(range(n)))[: data.draw(st.integers(1, n))]
        if len(batch) == n:
            batch = list(range(n))
        (((x, y, count), _),) = batches.taken(batch, True).groups
        assert list(x.numbers()) == [v for i in batch for v in rows[i]]
        assert list(y.numbers()) == batch
        assert list(count.numbers()) == [float(len(batch))] * len(batch)
        assert [one.n for one in (x, y, count)] == [len(batch)] * 3


numbers = st.one_of(st.floats(-3, 3), st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf]))


@example(scores=[[1.0, 1.0, 0.0]], picks=[0, 0])
@example(scores=[[math.nan, 1.0]], picks=[1, 0])
@given(st.integers(1, 4).flatmap(lambda k: st.lists(st.lists(numbers, min_size=k, max_size=k), min_size=1, max_size=5)),
       st.lists(st.integers(-1, 4), min_size=5, max_size=5))  # fmt: skip
def test_the_compiled_accuracy_is_accuracy(scores, picks):
    targets = picks[: len(scores)]
    single = [row[0] for row in scores]
    for given_scores in (scores, single):
        wrong = [misclassified(score, Value(float(t))) for score, t in zip(given_scores, targets, strict=False)]
        n = len(wrong)
        assert [w.data for w in wrong].count(0.0) / n == nn.accuracy(given_scores[:n], targets[:n])
