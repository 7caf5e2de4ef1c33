"""fit reads X and y once: what becomes of the user's lists, dicts and arrays later does not count; Values do."""

import copy

import pytest
from compiling_helpers import BACKENDS
from optional import need
from optional import numpy as np

from scalargrad import Value, nn

ROWS = [[1.0, 2.0], [3.0, -4.0], [0.5, 1.0], [-1.0, 0.25]]
TARGETS = [1.0, -2.0, 3.0, 0.5]


class OfAnything(nn.Module):
    """A line through the numbers of a sample of any structure."""

    def __init__(self):
        self.w, self.b = Value(0.3), Value(0.1)

    def __call__(self, x):
        return self.w * total(x) + self.b


class Pair(nn.Module):
    """Says two numbers."""

    def __init__(self):
        self.one, self.other = OfAnything(), OfAnything()

    def __call__(self, x):
        return [self.one(x), self.other(x) * 2]


def total(x):
    if isinstance(x, dict):
        return total(list(x.values()))
    return sum(map(total, x)) if isinstance(x, (list, tuple)) else x


def first_of_two(scores, targets):
    """A loss of targets in dicts."""
    return sum((s[0] - t["a"][0]) ** 2 for s, t in zip(scores, targets, strict=True)) * (1 / len(scores))


class Rows(list):
    """A list of the user's."""


PAIRS = [[t, -t] for t in TARGETS]
DATA = {
    "a table": lambda: (OfAnything, ROWS, TARGETS, "mse"),
    "a list of a class of the user's": lambda: (OfAnything, Rows(map(Rows, ROWS)), Rows(TARGETS), "mse"),
    "tuples": lambda: (OfAnything, [(row, 1.0) for row in ROWS], TARGETS, "mse"),
    "dicts": lambda: (OfAnything, [{"a": row, "b": 2.0} for row in ROWS], TARGETS, "mse"),
    "sequences of different lengths": lambda: (OfAnything, [[1.0], *ROWS[1:]], TARGETS, "mse"),
    "lists of targets": lambda: (Pair, ROWS, PAIRS, "mse"),
    "targets of the user's class": lambda: (Pair, ROWS, Rows(map(Rows, PAIRS)), "mse"),
    "targets in dicts": lambda: (Pair, ROWS, [{"a": [t]} for t in TARGETS], first_of_two),
    "targets in tuples": lambda: (Pair, ROWS, [{"a": ([t][0],), "b": [t]} for t in TARGETS], first_of_two),
    "arrays": lambda: (OfAnything, np.array(ROWS), np.array(TARGETS), "mse"),
    "an array of single precision": lambda: (OfAnything, np.array(ROWS, "float32"), np.array(TARGETS), "mse"),
    "an array of one column": lambda: (OfAnything, np.array(TARGETS), np.array(TARGETS), "mse"),
    "arrays in lists": lambda: (Pair, list(np.array(ROWS)), list(np.array(PAIRS)), "mse"),
    "arrays of targets": lambda: (Pair, np.array(ROWS), np.array(PAIRS), "mse"),
}


def spoil(x):
    """Another number in every place of a structure that can be changed."""
    if isinstance(x, (list, dict)) or hasattr(x, "ndim"):
        for key in x if isinstance(x, dict) else range(len(x)):
            if isinstance(x[key], float) or getattr(x[key], "ndim", None) == 0:
                x[key] = 77.0
            else:
                spoil(x[key])
    elif isinstance(x, tuple):
        for part in x:
            spoil(part)


def trained(name, compiled, change, batch_size=None):
    make, X, y, loss = DATA[name]()
    X, y = copy.deepcopy(X), copy.deepcopy(y)
    held_out = copy.deepcopy(X), copy.deepcopy(y)

    def callback(epoch, _):
        if change and epoch == 2:
            for part in (X, y, *held_out):
                spoil(part)

    model = make()
    history = nn.fit(
        model, X, y, loss, lr=0.01, epochs=4, batch_size=batch_size, seed=0, validation=held_out, progress=False,
        warn=False, compiled=compiled, callback=callback,
    )  # fmt: skip
    if change:
        assert 77.0 in ([X[0]] if isinstance(X[0], float) else list(flat(X[0])))
    return history.loss, history["val_loss"], [p.data for p in model.parameters()]


def flat(x):
    if isinstance(x, dict):
        x = list(x.values())
    return (
        [y for part in x for y in flat(part)]
        if isinstance(x, (list, tuple)) or (hasattr(x, "ndim") and x.ndim)
        else [x]
    )


@pytest.mark.parametrize("compiled", [False, *BACKENDS])
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("name", DATA)
def test_a_callback_that_changes_the_data_changes_nothing(name, batch_size, compiled):
    assert trained(name, compiled, True, batch_size) == trained(name, compiled, False, batch_size)


@pytest.mark.parametrize("compiled", BACKENDS)
@pytest.mark.parametrize("where", ["X", "y", "validation"])
def test_of_numbers_that_are_values_those_of_the_moment_count(where, compiled):
    def run(compiled):
        number = Value(1.5)
        data = {"X": ROWS, "y": PAIRS, "validation": (ROWS, PAIRS)}
        data |= {
            "X": {"X": [[number, 2.0], *ROWS[1:]]},
            "y": {"y": [[number, 2.0], *PAIRS[1:]]},
            "validation": {"validation": ([[number, 2.0], *ROWS[1:]], PAIRS)},
        }[where]
        history = nn.fit(
            Pair(), **data, loss="mse", lr=0.01, epochs=5, progress=False, warn=False, compiled=compiled,
            callback=lambda epoch, _: setattr(number, "data", -2.0 * epoch) if epoch in (2, 3) else None,
        )  # fmt: skip
        return history.loss + history["val_loss"]

    assert run(compiled) == pytest.approx(run(False), rel=1e-12)


def test_targets_nested_too_deeply_are_refused():
    deep = [1.0]
    for _ in range(150):
        deep = [deep]
    with pytest.raises(ValueError, match="nested deeper than 100 levels"):
        nn.fit(Pair(), ROWS, [deep] * 4, lambda scores, targets: scores[0][0], progress=False)


def test_other_targets_are_handed_to_the_loss_as_they_are():
    seen = []
    names = ["cat", None, ..., {1, 2}]

    def loss(scores, targets):
        seen.extend(targets)
        return scores[0] ** 2

    nn.fit(OfAnything(), ROWS, names, loss, epochs=1, progress=False, warn=False)
    assert all(a is b for a, b in zip(seen, names, strict=True))


def test_an_array_among_the_targets_stays_one():
    need(np)
    seen = []

    def loss(scores, targets):
        seen.extend(targets)
        return scores[0] ** 2

    given = [np.array([1.0, 2.0])] * 4
    nn.fit(OfAnything(), ROWS, given, loss, epochs=1, progress=False, warn=False)
    assert all(type(x) is np.ndarray and x is not given[0] and x.tolist() == [1.0, 2.0] for x in seen)
