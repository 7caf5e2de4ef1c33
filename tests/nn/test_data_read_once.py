"""fit reads X and y once: what becomes of the user's lists, dicts and arrays later does not count; Values do."""

import copy
import gc
from array import array
from collections import UserDict, UserList, defaultdict, deque
from contextlib import suppress
from typing import NamedTuple

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


def rows_with(number):
    return [[number, 2.0], *copy.deepcopy(ROWS[1:])]


def targets_with(number):
    return [[number, 2.0], *copy.deepcopy(PAIRS[1:])]


HELD = {
    "X": lambda v: {"X": rows_with(v)},
    "a structure in X": lambda v: {"X": [(row, {"a": 1.0}) for row in rows_with(v)]},
    "a ragged X": lambda v: {"X": [[v], *copy.deepcopy(ROWS[1:])]},
    "y": lambda v: {"y": targets_with(v)},
    "y beside an array": lambda v: {"X": np.array(ROWS), "y": targets_with(v)},
    "y beside an array of single precision": lambda v: {"X": np.array(ROWS, "float32"), "y": targets_with(v)},
    "validation X": lambda v: {"validation": (rows_with(v), copy.deepcopy(PAIRS))},
    "validation y": lambda v: {"validation": (copy.deepcopy(ROWS), targets_with(v))},
}
OTHERS_ACT = ["callback", "schedule", "metrics", "optimizer"]


@pytest.mark.parametrize("compiled", BACKENDS)
@pytest.mark.parametrize("who", OTHERS_ACT)
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("where", HELD)
def test_of_numbers_that_are_values_those_of_the_moment_count_and_of_no_others(where, batch_size, who, compiled):
    """Whoever changes them, at the very next step; and what else is changed beside them still does not count."""

    def run(compiled, spoils):
        number, model, calls = Value(1.5), Pair(), []
        given = HELD[where](number)
        data = {"X": copy.deepcopy(ROWS), "y": copy.deepcopy(PAIRS), "validation": (ROWS, PAIRS), **given}

        def changing(*_):
            calls.append(1)
            number.data = (-2.0) ** len(calls) / 7
            if spoils:
                for part in (data["X"], data["y"], *(data["validation"] if "validation" in given else ())):
                    spoil(part)
            return {"callback": None, "schedule": 0.01, "metrics": 1.0}.get(who)

        class Changing(nn.SGD):
            def update(self, p, g, state):
                changing()
                return super().update(p, g, state)

        optimizer = (Changing if who == "optimizer" else nn.SGD)(model.parameters(), 0.01)
        options = {} if who == "optimizer" else {who: changing}
        history = nn.fit(
            model, **data, loss="mse", optimizer=optimizer, epochs=4, batch_size=batch_size, seed=0, progress=False,
            warn=False, compiled=compiled, **options,
        )  # fmt: skip
        return history.loss + history["val_loss"]

    eager = run(False, False)
    assert run(compiled, False) == pytest.approx(eager, rel=1e-12)
    assert run(compiled, True) == pytest.approx(eager, rel=1e-12)


@pytest.mark.parametrize("kind", ["lists", "an array"])
def test_a_table_is_copied_once_and_no_value_is_made_of_it(kind):
    """A large one as Values would take twenty times the memory."""
    need(np)
    rows, found = [[0.5, 1.0]] * 5000, []

    def callback(*_):
        gc.collect()
        found.append(sum(type(x) is Value for x in gc.get_objects()))  # isinstance would ask whatever is there

    callback()

    nn.fit(
        OfAnything(), rows if kind == "lists" else np.array(rows), [1.0] * 5000, "mse", epochs=1, lr=1e-6, warn=False,
        progress=False, compiled="python", callback=callback,
    )  # fmt: skip
    assert found[1] - found[0] < 5000


class Point(tuple):
    """A tuple of the user's with an attribute."""

    @property
    def first(self):
        return self[0]


class Named(NamedTuple):
    first: object
    other: object


class Refusing(list):
    """A list of the user's that cannot be changed."""

    def __setitem__(self, *_):
        raise TypeError("immutable")


class NotCopied(list):
    """One that cannot be copied."""

    def __reduce_ex__(self, _):
        raise TypeError("no copy")


CONTAINERS = {
    "list": list,
    "deque": deque,
    "deque of the user's": type("Mine", (deque,), {}),
    "UserList": UserList,
    "array": lambda numbers: array("d", numbers),
    "tuple of the user's": Point,
    "named tuple": lambda numbers: Named(*numbers),
    "list of the user's that refuses to be changed": Refusing,
    "list of the user's that refuses to be copied": NotCopied,
    "dict": lambda numbers: dict(enumerate(numbers)),
    "UserDict": lambda numbers: UserDict(enumerate(numbers)),
    "defaultdict": lambda numbers: defaultdict(list, enumerate(numbers)),
}


@pytest.mark.parametrize("outer", CONTAINERS)
@pytest.mark.parametrize("inner", CONTAINERS)
def test_the_loss_gets_targets_of_the_users_kind_as_they_were(outer, inner):
    """Whatever they hold what is in; and what cannot be changed, but for tricks, is handed on."""
    if outer == "array":
        outer = "list"
    make = lambda: CONTAINERS[outer]([CONTAINERS[inner]([1.0, 2.0]), CONTAINERS[inner]([3.0, 4.0])])  # noqa: E731
    given, seen = [make() for _ in ROWS], []

    def loss(scores, targets):
        seen.extend(copy.copy(t) if outer != "list of the user's that refuses to be copied" else t for t in targets)
        return scores[0] ** 2

    def callback(*_):
        for target in given:
            for part in target.values() if hasattr(target, "values") else target:
                with suppress(TypeError):
                    part[0] = 77.0

    nn.fit(OfAnything(), ROWS, given, loss, epochs=2, callback=callback, progress=False, warn=False)
    assert {type(t) for t in seen} == {type(make())}
    if not any("refuses" in name for name in (outer, inner)):
        assert all(t == make() for t in seen)


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
