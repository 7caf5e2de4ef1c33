"""A batch that was given before is read again: whatever changed in its lists or arrays counts, whatever it is now."""

import random
import sys
from array import array
from fractions import Fraction

import pytest
from compiling_helpers import at_once, needs_llvm, with_backends

import scalargrad as sg
from scalargrad import Value, nn


class MyList(list):
    pass


class MyFloat(float):
    pass


class Strange:
    def __float__(self):
        return 1.0


def loss_of(backend):
    w = [Value(0.5), Value(-1.5)]
    return sg.compile(lambda x, y: (sg.sum(x) * w[0] + w[1] - y) ** 2, parameters=w, backend=backend)


def outcome(call):
    try:
        return call()
    except (TypeError, ValueError, OverflowError) as error:
        return type(error), str(error)


CHANGES = {
    "a number": lambda x, y: x[1].__setitem__(0, 9.0),
    "a target": lambda x, y: y.__setitem__(1, 9.0),
    "an integer": lambda x, y: x[0].__setitem__(1, 3),
    "a bool": lambda x, y: x[2].__setitem__(1, True),
    "a fraction": lambda x, y: x[2].__setitem__(0, Fraction(1, 4)),
    "a float of another class": lambda x, y: y.__setitem__(2, MyFloat(2.5)),
    "a Value": lambda x, y: x[1].__setitem__(1, Value(4.0)),
    "not a number": lambda x, y: x[1].__setitem__(1, float("nan")),
    "minus zero": lambda x, y: x[1].__setitem__(1, -0.0),
    "a text": lambda x, y: x[1].__setitem__(1, "1.0"),
    "none": lambda x, y: y.__setitem__(1, None),
    "what has a __float__": lambda x, y: x[1].__setitem__(1, Strange()),
    "a large integer": lambda x, y: x[1].__setitem__(1, 10**400),
    "a longer row": lambda x, y: x[1].append(1.0),
    "a shorter row": lambda x, y: x[2].pop(),
    "a first row that is shorter": lambda x, y: x[0].pop(),
    "all rows": lambda x, y: [row.append(2.0) for row in x],
    "a row that is a tuple": lambda x, y: x.__setitem__(1, (1.0, 2.0)),
    "a row of another class": lambda x, y: x.__setitem__(1, MyList([1.0, 2.0])),
    "a row that is a number": lambda x, y: x.__setitem__(1, 1.0),
    "a row that is an array": lambda x, y: x.__setitem__(1, array("d", [1.0, 2.0])),
    "one row twice": lambda x, y: x.__setitem__(1, x[0]),
    "a sample more": lambda x, y: (x.append([1.0, 2.0]), y.append(3.0)),
    "a sample more of one": lambda x, y: x.append([1.0, 2.0]),
    "a sample less": lambda x, y: (x.pop(), y.pop()),
    "nothing left": lambda x, y: (x.clear(), y.clear()),
    "targets in lists": lambda x, y: y.__setitem__(slice(None), [[t] for t in y]),
    "other targets, then bad rows": lambda x, y: (y.__setitem__(0, 8.0), x[0].__setitem__(0, [1.0])),
}


@with_backends
@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_in_lists(name, backend):
    loss = loss_of(backend)
    x, y = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [1.0, 2.0, 3.0]
    for _ in range(3):
        loss.value_and_grad(x, y)
    CHANGES[name](x, y)
    fresh = outcome(lambda: loss_of(backend).value_and_grad(x, y))
    assert repr(outcome(lambda: loss.value_and_grad(x, y))) == repr(fresh)
    assert repr(outcome(lambda: loss.value_and_grad(x, y))) == repr(fresh)
    again = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [1.0, 2.0, 3.0]
    assert loss.value_and_grad(*again) == loss_of(backend).value_and_grad(*again)


@needs_llvm
@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_between_steps_of_a_training(name):
    losses = []
    for fresh in (False, True):
        loss = loss_of("llvm")
        x, y = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [1.0, 2.0, 3.0]
        with loss.training(nn.SGD(loss.parameters, lr=0.0)) as step:
            if not fresh:
                for _ in range(3):
                    step(x, y)
            CHANGES[name](x, y)
            losses.append(outcome(lambda step=step, x=x, y=y: step(x, y)))
    assert repr(losses[0]) == repr(losses[1])


@with_backends
def test_lists_that_come_and_go_are_never_taken_for_each_other(backend):
    rng = random.Random(1)
    loss, w = loss_of(backend), (0.5, -1.5)
    for _ in range(200):
        n, width = rng.randrange(1, 4), rng.randrange(1, 4)
        x = [[rng.choice((rng.random(), rng.randrange(9))) for _ in range(width)] for _ in range(n)]
        y = [rng.random() for _ in range(n)]
        expected = sum((sum(row) * w[0] + w[1] - t) ** 2 for row, t in zip(x, y, strict=True)) / n
        assert loss.value_and_grad(x, y)[0] == pytest.approx(expected, rel=1e-12)
        del x, y


@needs_llvm
def test_threads_that_give_lists_of_the_same_size_at_once():
    loss = loss_of("llvm")
    loss.value_and_grad([[0.0, 0.0]] * 20, [0.0] * 20)

    def work(k):
        rng = random.Random(k)
        for _ in range(300):
            x, y = [[rng.random(), float(k)] for _ in range(20)], [float(k)] * 20
            expected = sum((sum(row) * 0.5 - 1.5 - k) ** 2 for row in x) / 20
            assert loss.value_and_grad(x, y)[0] == pytest.approx(expected, rel=1e-12)

    at_once(work)


def resized(np, x, y):
    x.resize((4, 2), refcheck=False)
    x.resize((3, 2), refcheck=False)
    x += 1.0


ARRAY_CHANGES = {
    "a number": lambda np, x, y: x.__setitem__((1, 1), 9.0),
    "its shape": lambda np, x, y: setattr(x, "shape", (2, 3)),
    "one dimension more": lambda np, x, y: setattr(x, "shape", (3, 2, 1)),
    "its strides": lambda np, x, y: setattr(x, "strides", (0, 8)),
    "its type": lambda np, x, y: setattr(x, "dtype", np.int64),
    "its memory": resized,
    "its size": lambda np, x, y: (x.resize((2, 2), refcheck=False), y.resize(2, refcheck=False)),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@with_backends
@pytest.mark.parametrize("name", ARRAY_CHANGES)
def test_whatever_changes_in_arrays(name, backend):
    np = pytest.importorskip("numpy")
    loss = loss_of(backend)
    x, y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1.0, 2.0, 3.0])
    for _ in range(3):
        loss.value_and_grad(x, y)
    try:
        ARRAY_CHANGES[name](np, x, y)
    except (AttributeError, ValueError) as error:
        pytest.skip(f"numpy refuses it: {error}")
    fresh = outcome(lambda: loss_of(backend).value_and_grad(x, y))
    assert repr(outcome(lambda: loss.value_and_grad(x, y))) == repr(fresh)
    assert repr(outcome(lambda: loss.value_and_grad(x.copy(), y.copy()))) == repr(fresh)


def test_no_more_references_are_held_than_to_the_last_arrays():
    np = pytest.importorskip("numpy")
    loss = loss_of("auto")
    arrays = [np.ones((3, 2)) for _ in range(5)]
    y = np.ones(3)
    counts = list(map(sys.getrefcount, arrays))
    for x in arrays:
        loss.value_and_grad(x, y)
    del x
    assert list(map(sys.getrefcount, arrays))[:-1] == counts[:-1]
