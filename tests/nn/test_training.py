"""fit trains as a loop by hand does, its history and progress say what happened; predict and accuracy agree with it."""

import builtins
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import numpy

import scalargrad
from scalargrad import Value, nn

X, Y = nn.moons(40, noise=0.1, seed=1, labels=(-1, 1))


def network(seed=0):
    return nn.MLP(2, [8, 1], seed=seed)


def numbers(model):
    return [p.data for p in model.parameters()]


def test_fit_is_the_loop_of_micrograds_demo():
    """Forward, zero_grad, backward, update with lr 1.0 - 0.9 k / 100, hinge and L2, written out here with floats."""
    by_hand, by_fit = network(), network()
    losses, rates = [], []
    for k in range(6):
        scores = [by_hand([Value(v) for v in row]) for row in X]
        total = sum((1 + -y * s).relu() for y, s in zip(Y, scores, strict=True)) * (1.0 / len(Y))
        total = total + 1e-4 * sum(p * p for p in by_hand.parameters())
        by_hand.zero_grad()
        total.backward()
        rates.append(1.0 - 0.9 * k / 100)
        for p in by_hand.parameters():
            p.data -= rates[-1] * p.grad
        losses.append(total.data)
    history = nn.fit(
        by_fit, X, Y, loss="hinge", epochs=6, schedule=nn.linear_lr(1.0, 0.1, 100), penalty=1e-4, progress=False
    )
    assert history.loss == pytest.approx(losses, rel=1e-9)
    assert history["lr"] == rates
    assert numbers(by_fit) == pytest.approx(numbers(by_hand), rel=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("loss", ["hinge", "mse", "bce_with_logits", "cross_entropy", "multiclass_hinge"])
def test_every_loss_and_optimizer_learns(loss, optimizer):
    several = loss in ("cross_entropy", "multiclass_hinge")
    model = nn.MLP(2, [6, 2 if several else 1], activation="tanh", seed=3)
    y = Y if loss in ("hinge", "mse") else [max(0, label) for label in Y]
    metrics = "accuracy" if loss == "mse" else None
    history = nn.fit(
        model,
        X,
        y,
        loss=loss,
        optimizer=optimizer,
        lr=0.3 if optimizer in ("sgd", "adagrad") else 0.05,
        epochs=30,
        batch_size=10,
        seed=0,
        metrics=metrics,
        progress=False,
    )
    assert history.loss[-1] < 0.8 * history.loss[0]
    assert history.accuracy[-1] > 0.75
    assert history.accuracy[-1] <= 1.0 == nn.accuracy([1.0], [1])


def test_minibatches_go_through_every_sample_once_an_epoch():
    seen = []

    class Spy(nn.Module):
        def __init__(self):
            self.w = Value(0.0)

        def __call__(self, x):
            seen.append(x[0].data)
            return self.w * x[0]

    data = [float(i) for i in range(10)]
    optimizer = nn.SGD(model := Spy(), lr=0.0)
    history = nn.fit(model, data, data, loss="mse", optimizer=optimizer, epochs=2, batch_size=4, seed=0, progress=False)
    assert sorted(seen[:10]) == sorted(seen[10:]) == data
    assert seen[:10] != seen[10:] != data
    assert optimizer.steps == 6
    # the epoch's loss weighs batches of 4, 4 and 2 by their size
    assert history.loss == pytest.approx([sum(x * x for x in data) / 10] * 2, rel=1e-12)

    seen.clear()
    nn.fit(model, data, data, loss="mse", optimizer=optimizer, epochs=1, batch_size=4, shuffle=False, progress=False)
    assert seen == data


def test_a_seed_makes_training_reproducible():
    def trained(**source):
        model = network()
        nn.fit(model, X, Y, loss="hinge", epochs=2, batch_size=7, progress=False, **source)
        return numbers(model)

    assert trained(seed=1) == trained(seed=1) == trained(rng=random.Random(1)) != trained(seed=2)


def test_validation_metrics_callback_and_early_end():
    model = network()
    calls = []

    def stop_at_three(epoch, history):
        calls.append((epoch, history.epochs))
        return epoch == 3

    history = nn.fit(
        model, X, Y, loss="hinge", lr=0.1, epochs=9, penalty=lambda ps: nn.l1_penalty(ps, 0.01), clip_norm=1.0,
        validation=(X[:5], Y[:5]), metrics={"right": nn.accuracy, "n": lambda scores, y: len(y)}, callback=stop_at_three,
        progress=False,
    )  # fmt: skip
    assert calls == [(1, 1), (2, 2), (3, 3)]
    assert list(history) == ["loss", "right", "n", "lr", "val_loss", "val_right", "val_n"]
    assert history.n == [40.0] * 3
    assert history.val_n == [5.0] * 3
    scores = nn.predict(model, X[:5])
    assert history.val_loss[-1] == pytest.approx(sum(max(0, 1 - y * s) for y, s in zip(Y[:5], scores, strict=True)) / 5)
    assert history.val_right[-1] == nn.accuracy(scores, Y[:5])


@pytest.mark.parametrize("compiled", [False, "python"])
def test_a_loss_that_serves_as_a_metric_is_recorded_as_numbers(compiled):
    history = nn.fit(
        network(),
        X,
        Y,
        "mse",
        metrics={"error": nn.mse},
        epochs=3,
        validation=(X, Y),
        compiled=compiled,
        progress=False,
    )
    assert {type(x) for column in history.values() for x in column} == {float}
    assert history.error == pytest.approx(history.loss, rel=1e-12)


@pytest.mark.parametrize(
    "wrong", [{"clip_norm": 0.0}, {"clip_norm": "1"}, {"schedule": 0.1}, {"callback": 3}, {"penalty": "much"}]
)
def test_wrong_settings_are_refused_before_anything_changes(wrong):
    model = network()
    gradients = [id(p.grad) for p in model.parameters()]
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        nn.fit(model, X, Y, "hinge", progress=False, **wrong)
    assert [id(p.grad) for p in model.parameters()] == gradients
    assert model.state_dict() == network().state_dict()


def test_validation_is_without_the_penalty_and_in_eval_mode():
    class Model(nn.Neuron):
        modes = ()

        def __call__(self, x):
            self.modes = (*self.modes, self.training)
            return super().__call__(x)

    model = Model(1, nonlin=False, init="zeros").eval()
    history = nn.fit(
        model,
        [1.0],
        [2.0],
        loss="mse",
        lr=0.0,
        epochs=1,
        penalty=lambda ps: 100.0,
        validation=([1.0], [2.0]),
        progress=False,
        warn=False,  # looking for dead neurons asks the model too
    )
    assert (history.loss, history.val_loss) == ([104.0], [4.0])
    assert model.modes == (True, False)
    assert not model.training


def test_clip_norm_limits_a_step():
    model = network()
    before = numbers(model)
    nn.fit(model, X, [1000.0] * len(X), loss="mse", lr=1.0, epochs=1, clip_norm=0.5, progress=False)
    assert math.dist(before, numbers(model)) == pytest.approx(0.5, rel=1e-5)


def test_arrays_rows_of_one_and_several_outputs():
    np = pytest.importorskip("numpy")
    lists, arrays = network(), network()
    nn.fit(lists, X, Y, loss="hinge", epochs=2, progress=False)
    nn.fit(arrays, np.array(X), np.array(Y), loss="hinge", epochs=2, progress=False)
    assert numbers(lists) == numbers(arrays)
    assert nn.predict(lists, np.array(X)) == nn.predict(lists, X)
    line = nn.Neuron(1, nonlin=False, init="zeros")
    nn.fit(line, [0.0, 1.0, 2.0], [1.0, 3.0, 5.0], loss="mse", lr=0.2, epochs=300, progress=False)
    assert [line.w[0].data, line.b.data] == pytest.approx([2.0, 1.0], rel=1e-6)
    pair = nn.MLP(1, [2], seed=0)
    nn.fit(pair, [0.0, 1.0], [[0.0, 1.0], [1.0, 0.0]], loss="mse", lr=0.5, epochs=300, progress=False)
    assert nn.predict(pair, [0.0])[0] == pytest.approx([0.0, 1.0], abs=1e-3)


class Table:
    """A DataFrame or Series, as far as training looks at it; looping over the first gives the columns' names."""

    def __init__(self, rows):
        self._array = numpy.array(rows)
        self.ndim, self.shape, self.iloc = self._array.ndim, self._array.shape, self

    def to_numpy(self):
        return self._array

    def __len__(self):
        return len(self._array)

    def __iter__(self):
        return iter(["a", "b"])

    def __getitem__(self, key):
        raise KeyError(key)

    def __bool__(self):
        raise ValueError("The truth value of a DataFrame is ambiguous")


@pytest.mark.parametrize("compiled", [False, "python"])
def test_tables_of_columns_are_read_by_rows(compiled):
    lists, tables = network(), network()
    options = {"loss": "hinge", "epochs": 2, "progress": False, "compiled": compiled}
    nn.fit(lists, X, Y, **options)
    history = nn.fit(tables, Table(X), Table(Y), validation=(Table(X), Table(Y)), **options)
    assert numbers(lists) == numbers(tables)
    assert history["val_loss"]
    assert nn.predict(lists, Table(X)) == nn.predict(lists, X)
    assert lists(Table(X[0])).data == lists(X[0]).data
    assert nn.mse(Table(X), Table(X)) == 0.0


# -------------------------------------------------------------------- when training goes wrong


def test_a_loss_that_diverges_puts_the_last_good_parameters_back():
    model = nn.Neuron(1, nonlin=False, init=nn.constant(1.0))
    optimizer = nn.SGD(model, lr=1e100, momentum=0.9)
    steps = []

    def loss(scores, targets):
        out = nn.mse(scores, targets)
        if math.isfinite(out.data):
            steps.append(numbers(model))
        return out

    with pytest.raises(
        nn.DivergenceError, match=r"became (inf|nan|nan or infinite) in epoch \d+ .*lr 1e\+100"
    ) as caught:
        nn.fit(model, [1.0, 2.0], [5.0, 5.0], loss=loss, optimizer=optimizer, epochs=50, progress=False)
    assert caught.value.epoch == caught.value.history.epochs + 1 == len(steps) + (len(steps) != caught.value.epoch)
    assert numbers(model) == steps[-1]
    assert math.isfinite(nn.mse([model([1.0])], [5.0]).data)
    assert optimizer.steps == len(steps) - 1


def test_a_first_loss_of_nan_changes_nothing():
    model = network()
    before = numbers(model)
    with pytest.raises(nn.DivergenceError, match="the loss became nan in epoch 1"):
        nn.fit(model, [[math.nan, 0.0]], [1.0], loss="mse", progress=False)
    assert numbers(model) == before


def test_an_infinite_gradient_is_caught_in_its_own_step():
    model = nn.Neuron(1, activation="sqrt", init="zeros")
    with pytest.raises(nn.DivergenceError, match="a parameter became nan or infinite in epoch 1"):
        nn.fit(model, [1.0], [1.0], loss="mse", epochs=1, progress=False)
    assert numbers(model) == [0.0, 0.0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_whole_steps(error):
    model, twin = network(), network()

    def interrupt(epoch, history):
        if epoch == 3:
            raise error

    with pytest.raises(error):
        nn.fit(model, X, Y, loss="hinge", epochs=9, progress=False, callback=interrupt)
    nn.fit(twin, X, Y, loss="hinge", epochs=3, progress=False)
    assert numbers(model) == numbers(twin)


def call(**changes):
    arguments = {"X": X, "y": Y, "loss": "hinge", "progress": False, **changes}
    return lambda: nn.fit(arguments.pop("model", network()), arguments.pop("X"), arguments.pop("y"), **arguments)


@pytest.mark.parametrize(
    ("broken", "error", "text"),
    [
        (call(y=Y[:3]), ValueError, "X has 40 rows but y has 3 targets"),
        (call(X=[]), ValueError, "X is empty"),
        (call(X=[[1.0, 2.0], [1.0]]), ValueError, "row 1 has 1 numbers, but row 0 has 2"),
        (call(X=[["a", 2.0]], y=[1]), TypeError, "X, row 0: input 0 must be a Value or a real number, not str"),
        (call(X=3), TypeError, "X must be a list of rows"),
        (call(y=3), TypeError, "y must be a list of targets"),
        (call(X=[[1.0]], y=[1]), ValueError, "takes 2 inputs, but 1 was given"),
        (call(loss="hing"), ValueError, "there is no loss 'hing' .*; choose one of mse"),
        (call(loss=3), TypeError, "loss must be a name or a function"),
        (call(loss=lambda s, y: 1.0), TypeError, "must return one Value for the batch, not float"),
        (call(loss=lambda s, y: s), TypeError, "not a list"),
        (call(optimizer="adamm"), ValueError, "there is no optimizer 'adamm' .*; choose one of sgd"),
        (call(optimizer=3), TypeError, "optimizer must be a name or an Optimizer"),
        (call(optimizer=nn.SGD([Value(1.0)]), lr=0.1), ValueError, "lr= goes with an optimizer given by name"),
        (call(epochs=0), ValueError, "epochs must be at least 1"),
        (call(batch_size=0), ValueError, "batch_size must be at least 1"),
        (call(penalty=-1.0), ValueError, "penalty must be a number from 0 up"),
        (call(metrics=3), TypeError, "metrics must be 'accuracy'"),
        (call(metrics=lambda s, y: None), TypeError, "what the metric '<lambda>' returns must be a real number"),
        (call(metrics={"lr": nn.accuracy}), ValueError, "a metric cannot be called 'lr'"),
        (call(metrics={"val_loss": nn.accuracy}), ValueError, "a metric cannot be called 'val_loss'"),
        (call(validation=X), TypeError, r"validation must be a pair \(X, y\)"),
        (call(validation=(X, Y[:2])), ValueError, "validation X has 40 rows but validation y has 2"),
        (call(model=lambda x: x), TypeError, "the model has no parameters"),
        (call(schedule=lambda k: -1.0), ValueError, "lr must be at least 0"),
    ],
)
def test_errors_say_what_was_given_and_what_to_do(broken, error, text):
    with pytest.raises(error, match=text):
        broken()


# -------------------------------------------------------------------- what is shown


def test_progress_is_a_bar_and_silent_if_not_wanted(capsys):
    pytest.importorskip("tqdm")
    nn.fit(network(), X, Y, loss="hinge", epochs=3, progress=False)
    assert capsys.readouterr() == ("", "")
    nn.fit(network(), X, Y, loss="hinge", epochs=3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3" in err
    assert "accuracy" in err


def test_progress_without_tqdm_is_plain_lines(capsys, monkeypatch):
    real_import = builtins.__import__

    def without_tqdm(name, *args, **kwargs):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_tqdm)
    nn.fit(nn.Neuron(1, nonlin=False), [1.0], [1.0], loss="mse", epochs=200)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert [line.split(":")[0] for line in (lines[0], lines[-1])] == ["epoch 1/200", "epoch 200/200"]
    assert len(lines) == 11


def test_history_is_a_mapping_that_reads_well():
    history = nn.fit(network(), X, Y, loss="hinge", lr=0.1, epochs=2, progress=False)
    assert dict(history) == {"loss": history.loss, "accuracy": history.accuracy, "lr": [0.1, 0.1]}
    assert history.last == {name: column[-1] for name, column in history.items()}
    assert repr(history).startswith(f"History(2 epochs: loss {history.loss[0]:.4g} -> {history.loss[1]:.4g}, accuracy")
    assert repr(nn.History()) == "History(0 epochs)"
    with pytest.raises(AttributeError, match="has no 'val_loss'; it has loss, accuracy, lr"):
        _ = history.val_loss
    with pytest.raises(ValueError, match="this history records loss, accuracy, lr, not loss"):
        history.append({"loss": 1.0})
    with pytest.raises(KeyError, match="this history has no 'val_loss'; it has loss, accuracy, lr"):
        history["val_loss"]
    for no_name in ("a" * 10**5, ["loss"], None):
        assert history.get(no_name) is None
        with pytest.raises(KeyError) as caught:
            history[no_name]
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("numbers", "error", "message"),
    [
        ({1: None}, TypeError, "append: each name must be a text"),
        ({"loss": "x"}, TypeError, "append: loss must be a real number"),
        ({"loss": None}, TypeError, "append: loss must be a real number"),
        ({"loss": 10**400}, OverflowError, "append: loss must fit a float"),
        ([("loss", 1.0)], TypeError, "append takes a dict of numbers"),
    ],
)
def test_a_history_takes_all_numbers_of_an_epoch_or_none(numbers, error, message):
    for history in (nn.History(), nn.fit(network(), X, Y, loss="mse", epochs=1, progress=False)):
        before = repr(history), dict(history)
        more = (
            {**dict.fromkeys(history, 1.0), **numbers} if isinstance(numbers, dict) and "loss" in numbers else numbers
        )
        with pytest.raises(error, match=message):
            history.append(more)
        assert (repr(history), dict(history)) == before


# -------------------------------------------------------------------- predict and accuracy


def test_predict_gives_numbers_without_a_graph_and_restores_modes():
    model = nn.MLP(2, [3, 2], seed=0)
    model.layers[0].training = False
    inside = []

    def spy(x):
        out = model(x)
        inside.append((out[0].parents, out[0].requires_grad))
        return out

    assert nn.predict(model, X[:2]) == [[v.data for v in model(row)] for row in X[:2]]
    assert nn.predict(spy, X[:1]) == nn.predict(model, X[:1])
    assert inside == [((), False)]
    assert [layer.training for layer in model.layers] == [False, True]
    assert scalargrad.square(Value(2.0)).parents


@pytest.mark.parametrize(
    ("scores", "targets", "expected"),
    [
        ([0.5, -0.5, 2.0, -2.0], [1, -1, -1, 1], 0.5),
        ([0.5, -0.5, 0.0], [1, 0, 0], 1.0),
        ([Value(0.5), Value(math.nan)], [1, -1], 0.5),
        ([[1.0, 2.0], [Value(3.0), Value(0.0)], [0.0, 0.0], [math.nan, 1.0]], [1, 1, 0, 0], 0.5),
    ],
)
def test_accuracy(scores, targets, expected):
    assert nn.accuracy(scores, targets) == expected


@given(st.data())
def test_accuracy_is_the_same_whatever_numbers_the_labels_are(data):
    k = data.draw(st.integers(2, 4))
    scores = data.draw(
        st.lists(st.lists(st.integers(-2, 2).map(float), min_size=k, max_size=k), min_size=1, max_size=6)
    )
    labels = [data.draw(st.integers(0, k - 1)) for _ in scores]
    right = sum(row.index(max(row)) == label for row, label in zip(scores, labels, strict=True)) / len(labels)
    for kind in (int, float, Fraction, Value):
        assert nn.accuracy(scores, list(map(kind, labels))) == right
        assert nn.accuracy([[Value(x) for x in row] for row in scores], list(map(kind, labels))) == right


def test_the_accuracy_of_a_compiled_function_follows_its_targets():
    compiled = scalargrad.compile(lambda a, b, t: nn.accuracy([[a, b]], [t]) * a + b, branches="record")
    for a, b, target in [(1.0, 2.0, 1.0), (1.0, 2.0, 0.0), (3.0, 2.0, 0.0), (3.0, 2.0, 1.0), (1.0, 2.0, 1.0)]:
        assert compiled(a, b, target) == (float(b > a) == target) * a + b


def test_accuracy_checks_lengths():
    with pytest.raises(ValueError, match="2 scores but 1 targets"):
        nn.accuracy([1.0, 2.0], [1])
    with pytest.raises(ValueError, match="no sample"):
        nn.accuracy([], [])
