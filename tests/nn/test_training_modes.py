"""What fit leaves as it was: modes of modules, training without a stderr; and what a callback's answer means."""

from __future__ import annotations

import gc
import io
import itertools
import os
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad
from scalargrad import Value, nn

X, Y = [[0.5, -1.0], [1.5, 2.0], [-0.5, 0.25], [2.0, 1.0]], [1.0, -1.0, 0.5, 0.0]


def network():
    inner = nn.Sequential(nn.Layer(3, 2, nonlin=False, seed=1), nn.BatchNorm(2))
    return nn.Sequential(nn.Layer(2, 3, seed=0), nn.BatchNorm(3), inner, nn.Layer(2, 1, nonlin=False, seed=2))


class Watching(nn.Module):
    """Dropout and its mode at each call."""

    def __init__(self):
        self.inside, self.seen = nn.Dropout(0.5, seed=1), []
        self.layer = nn.Layer(2, 1, nonlin=False, seed=0)

    def __call__(self, x):
        self.seen.append((self.training, self.inside.training))
        return self.layer(self.inside(x))


def train(model, **options):
    options = {"loss": "mse", "lr": 0.01, "epochs": 2, "progress": False, **options}
    return nn.fit(model, X, Y, **options)


def modes(model):
    return [module.training for module in model.modules()]


def test_a_batchnorm_in_eval_mode_keeps_its_statistics_and_its_mode():
    for whole in (False, True):
        model = network()
        norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm)]
        if whole:
            model.eval()
        else:
            norms[1].eval()
        before = [[v.data for v in (*norm.running_mean, *norm.running_var)] for norm in norms]
        kept = modes(model)
        train(model)
        after = [[v.data for v in (*norm.running_mean, *norm.running_var)] for norm in norms]
        assert [x == y for x, y in zip(before, after, strict=True)] == [whole, True]
        assert modes(model) == kept


def test_a_network_whose_batchnorm_is_in_eval_mode_may_be_compiled():
    eager, compiled = (network().eval() for _ in range(2))
    train(eager)
    train(compiled, compiled="python")
    assert list(compiled.state_dict().values()) == pytest.approx(list(eager.state_dict().values()), rel=1e-9, abs=1e-12)
    assert not any(modes(compiled))


@pytest.mark.parametrize(
    ("whole", "part", "seen"),
    [
        (True, True, (True, True)),
        (True, False, (True, False)),
        (False, False, (True, True)),
        (False, True, (True, True)),
    ],
)
def test_what_is_in_eval_mode_inside_a_model_in_training_mode_stays_so(whole, part, seen):
    model = Watching()
    model.training, model.inside.training = whole, part
    train(model, validation=(X, Y))
    assert set(model.seen) == {seen, (False, False)}
    assert (model.training, model.inside.training) == (whole, part)


@given(
    st.lists(st.booleans(), min_size=6, max_size=6), st.sampled_from(["end", "raise", "stop", "interrupt", "compiled"])
)
def test_every_module_is_in_its_own_mode_afterwards(flags, how):
    model = network()
    for module, flag in zip(model.modules(), flags, strict=False):
        module.training = flag
    kept = modes(model)

    def callback(epoch, history):
        model.eval() if epoch % 2 else model.train()
        if how == "raise":
            raise KeyError("mine")
        if how == "interrupt":
            raise KeyboardInterrupt
        return how == "stop"

    with suppress(KeyError, KeyboardInterrupt), suppress(ValueError):  # BatchNorm in training mode is not compiled
        train(model, callback=callback, compiled=how == "compiled")
    assert modes(model) == kept


def test_a_train_method_of_ones_own_is_asked():
    class Mine(nn.Sequential):
        def train(self, mode=True):
            super().train(mode)
            self.layers[1].training = False
            return self

    model = Mine(nn.Layer(2, 3, seed=0), nn.Dropout(0.5, seed=1), nn.Layer(3, 1, nonlin=False, seed=2))
    model.training = False
    train(model)
    assert modes(model)[:1] == [False]
    assert model.layers[1].training


# -------------------------------------------------------------------- callbacks


def answers():
    yield from [(True, True), (1, True), (False, False), (None, False), (0, False), (2, False), (-1, False)]
    yield from [(1.0, False), (0.3, False), ("stop", False), ([1], False), ({}, False), (Value(1.0), False)]
    yield from [(Fraction(1), False), (float("nan"), False), (object(), False)]
    np = pytest.importorskip("numpy")
    yield from [(np.bool_(True), True), (np.bool_(False), False), (np.int64(1), True), (np.uint8(1), True)]
    yield from [(np.int64(2), False), (np.float64(1.0), False), (np.array(True), True), (np.array([True, True]), False)]
    yield from [(np.array([]), False), (np.float32(1), False)]


@pytest.mark.parametrize("compiled", [False, "python"])
def test_what_a_callback_returns_to_end_training(compiled):
    for answer, stops in answers():
        history = train(
            nn.MLP(2, [1], seed=0), callback=lambda epoch, history, a=answer: a, epochs=3, compiled=compiled
        )
        assert history.epochs == (1 if stops else 3), repr(answer)


# -------------------------------------------------------------------- nobody to watch


class Broken(io.StringIO):
    def write(self, text):
        raise OSError(5, "no console")


class BreaksLater(io.StringIO):
    def write(self, text):
        if self.tell() > 20:
            raise RuntimeError("gone")
        return super().write(text)


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("tqdm", ["with tqdm", "without tqdm"])
@pytest.mark.parametrize(
    "stream",
    [None, closed(), Broken(), BreaksLater(), object()],
    ids=["none", "closed", "broken", "breaks later", "no stream"],
)
def test_fit_trains_without_a_stderr(monkeypatch, stream, tqdm):
    if tqdm == "without tqdm":
        monkeypatch.setitem(sys.modules, "tqdm", None)
    else:
        pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", stream)
    history = train(nn.MLP(2, [1], seed=0), epochs=30, progress=True)
    assert history.epochs == 30


def test_a_bar_whose_stream_broke_does_not_try_again_when_it_is_freed(monkeypatch):
    bars = pytest.importorskip("tqdm.std")
    clock, wrong = itertools.count(), []
    monkeypatch.setattr(bars, "time", lambda: next(clock))  # so that each epoch is time enough for the bar to show it
    monkeypatch.setattr(sys, "unraisablehook", wrong.append)
    monkeypatch.setattr(sys, "stderr", BreaksLater())
    assert train(nn.MLP(2, [1], seed=0), epochs=5, progress=True).epochs == 5
    gc.collect()
    assert not wrong


def test_fit_trains_in_a_process_whose_streams_were_closed_before_it_began():
    code = (
        "import sys; assert sys.stderr is None and sys.stdout is None\n"
        "from scalargrad import nn\n"
        "history = nn.fit(nn.MLP(2, [1], seed=0), [[1.0, 2.0]], [1.0], loss='mse', epochs=5)\n"
        "sys.exit(40 + history.epochs)"
    )
    argv = [sys.executable, "-c", code]
    closing = f"import os; os.close(1); os.close(2); os.execv({sys.executable!r}, {argv!r})"
    env = {**os.environ, "PYTHONPATH": str(Path(scalargrad.__file__).parent.parent)}
    assert subprocess.run([sys.executable, "-c", closing], env=env, check=False, timeout=120).returncode == 45


# -------------------------------------------------------------------- accuracy of one column

scores_ = st.one_of(st.floats(-2, 2), st.sampled_from([0.0, -0.0, float("nan"), float("inf")]))
labels = st.sampled_from([-1, 0, 1, 1.0, -1.0, True])


@given(st.lists(st.tuples(scores_, labels), min_size=1, max_size=6))
def test_accuracy_of_rows_of_one_column_is_the_binary_accuracy(pairs):
    scores, targets = map(list, zip(*pairs, strict=True))
    expected = sum((s > 0) == (t > 0) for s, t in pairs if s == s) / len(pairs)
    columns = {
        "numbers": scores, "rows": [[s] for s in scores], "tuples": [(s,) for s in scores],
        "Values": [[Value(s)] for s in scores],
    }  # fmt: skip
    try:
        import numpy as np
    except ImportError:
        pass
    else:
        columns["array"] = np.array(scores).reshape(-1, 1)
    for name, column in columns.items():
        for labels_ in (targets, [[t] for t in targets]):
            assert nn.accuracy(column, labels_) == expected, name


@pytest.mark.parametrize("compiled", [False, "python"])
def test_accuracy_of_a_model_that_gives_rows_of_one_column(compiled):
    class Column(nn.Module):
        def __init__(self):
            self.layer = nn.Layer(2, 1, nonlin=False, seed=3)

        def __call__(self, x):
            return [self.layer(x)]

    model, labels_ = Column(), [1, -1, -1, 1]
    expected = nn.accuracy([model(x)[0].data for x in X], labels_)
    history = nn.fit(
        model, X, labels_, loss=lambda s, t: nn.hinge([row[0] for row in s], t), metrics="accuracy", epochs=1, lr=0.1,
        progress=False, compiled=compiled, validation=(X, labels_),
    )  # fmt: skip
    assert history.accuracy == [expected]
    assert history.val_accuracy == [nn.accuracy(nn.predict(model, X), labels_)]
