"""What Python decides while a function is recorded is guarded: a replay that would decide otherwise raises, or records that way too."""

import operator
from array import array
from fractions import Fraction
from itertools import permutations

import pytest
from compiling_helpers import agrees, eager_batch, needs_llvm, with_backends
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import numpy as np

import scalargrad as sg
from scalargrad import BranchError, Value

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
RIGHT = {
    "a number": lambda y: y,
    "an int": int,
    "a fraction": Fraction,
    "numpy's float": np.float64,
    "a Value": Value,
    "a constant": lambda y: Value(y, requires_grad=False),
    "a computed Value": lambda y: Value(y) * 1.0,
}

# -------------------------------------------------------------------- every comparison


@pytest.mark.parametrize("kind", RIGHT)
@pytest.mark.parametrize("symbol", OPERATORS)
@with_backends
def test_every_comparison_is_watched(symbol, kind, backend):
    compare, make = OPERATORS[symbol], RIGHT[kind]
    for swapped in (False, True):

        def fn(x, swapped=swapped):
            y = make(2.0)
            return x * 10 if (compare(y, x) if swapped else compare(x, y)) else x * 100

        for first in (1.0, 2.0, 3.0):
            compiled = sg.compile(fn, backend=backend)
            loop = sg.replay(fn, backend=backend)
            recorded = fn(first) > first * 50
            assert compiled(first) == loop(first).data == fn(first)
            for x in (1.0, 2.0, 3.0, 1.9999999999999998, 2.0000000000000004, -0.0, 1e308, np.inf, -np.inf):
                if (compare(2.0, x) if swapped else compare(x, 2.0)) is (not recorded):
                    assert compiled(x) == loop(x).data == fn(x)
                    continue
                for call in (compiled, loop):
                    with pytest.raises(BranchError, match=r"was (True|False) when it was recorded"):
                        call(x)


@with_backends
def test_nan_never_passes_a_guard(backend):
    compiled = sg.compile(lambda x: x * 2 if x < 1 else x * 3, backend=backend)
    assert compiled(2.0) == 6.0
    with pytest.raises(BranchError):
        compiled(float("nan"))
    fresh = sg.compile(lambda x: x * 2 if x < 1 else x * 3, backend=backend, branches="record")
    for _ in range(3):
        with pytest.raises(BranchError):
            fresh(float("nan"))
        with pytest.raises(BranchError):
            fresh.value_and_grad([2.0, float("nan")])


@with_backends
@pytest.mark.parametrize(
    "fn",
    [
        lambda x, y: max(x, y) * 2,
        lambda x, y: min([x, y, 1.0]),
        lambda x, y: sorted([x, y, 2.5])[1] * 1.0,
        lambda x, y: x if 1 < x < 3 else y,
        lambda x, y: x * 2 if not x > y else y,
        lambda x, y: x if x > y and y - x > 1 else y * 3,
        lambda x, y: x if x > y or y > 1 else y * 3,
        lambda x, y: x if np.float64(2.0) < x else y * 3,
        lambda x, y: x if np.less(x, y) else y * 3,
        lambda x, y: x if bool(np.greater_equal(2.0, x)) else y * 3,
        lambda x, y: [x, y][x < y] * 2,
        lambda x, y: sg.relu(x) if sg.relu(x) > y else y,
        lambda x, y: next(v * k for k, v in enumerate([x, y, 9.0, 9.0]) if v >= 2 or k > 2),
    ],
)  # fmt: skip
def test_what_python_makes_of_comparisons(fn, backend):
    grid = [(x, y) for x in (0.5, 2.0, 2.5, 4.0) for y in (0.5, 2.0, 3.0)]
    for point in grid:
        compiled = sg.compile(fn, backend=backend)
        compiled(*point)
        equal = 0
        for other in grid:
            try:
                assert compiled(*other) == fn(*other)
                equal += 1
            except BranchError:
                pass
        assert equal >= 1
        record = sg.compile(fn, backend=backend, branches="record")
        assert [record(*other) for other in grid] == [fn(*other) for other in grid]


# -------------------------------------------------------------------- random functions that branch

statements = st.lists(
    st.tuples(
        st.sampled_from(["if", "while", "compute"]),
        st.sampled_from(sorted(OPERATORS)),
        st.integers(0, 9),
        st.one_of(st.integers(0, 9), st.sampled_from([-0.5, 0.0, 0.5, 1.0])),
    ),
    min_size=1,
    max_size=6,
)
numbers = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0])


def run(program, xs, path):
    """A function with branches and loops; every decision goes into the path."""

    def decide(symbol, x, y):
        path.append(bool(OPERATORS[symbol](x, y)))
        return path[-1]

    nodes = list(xs)
    for kind, symbol, i, j in program:
        x = nodes[i % len(nodes)]
        y = j if isinstance(j, float) else nodes[j % len(nodes)]
        if kind == "if":
            nodes.append(x * y + 1 if decide(symbol, x, y) else x - y * 0.5)
        elif kind == "while":
            for _ in range(4):
                if not decide(symbol, x, y):
                    break
                x = x * 0.5 + y * 0.25 - 0.125
            nodes.append(x)
        else:
            nodes.append(x * y - x)
    return sum(nodes[1:], nodes[0] * 2.0)


def path_of(program, xs):
    path = []
    run(program, xs, path)
    return path


@settings(max_examples=60)
@given(statements, st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8))
def test_a_replay_gives_the_number_or_raises_and_raises_only_where_it_must(program, points):
    fn = lambda v: run(program, v, [])  # noqa: E731
    compiled = sg.compile(sg.value_and_grad(fn), backend="python")
    loop = sg.replay(fn, backend="python")
    everything = sg.compile(sg.value_and_grad(fn), backend="python", branches="record")
    for xs in points:
        xs = list(xs)
        expected = sg.value_and_grad(fn)(xs)
        assert everything(xs) == expected
        if path_of(program, xs) == path_of(program, points[0]):
            assert compiled(xs) == expected
            assert loop(xs).data == expected[0]
        else:
            for call in (compiled, loop):
                with pytest.raises(BranchError):
                    call(xs)


def check_batches(program, points, backend):
    w = Value(0.75)

    def fn(v):
        return run(program, [*v, w], [])

    rows = list(map(list, points))
    once = sg.compile(fn, backend=backend, reduction="sum")
    alike = [xs for xs in rows if path_of(program, [*xs, 0.75]) == path_of(program, [*rows[0], 0.75])]
    agrees(once.value_and_grad(alike), eager_batch(fn, (alike,), once.parameters, "sum"))
    every = sg.compile(fn, parameters=[w], backend=backend, branches="record")
    for batch in (rows, rows[::-1], rows[:1], rows):
        agrees(every.value_and_grad(batch), eager_batch(fn, (batch,), [w]))
        assert every.values(batch) == [float(run(program, [*xs, 0.75], [])) for xs in batch]
    if len(alike) < len(rows):
        wrong = next(i for i, xs in enumerate(rows) if xs not in alike)
        for call in (once.value_and_grad, once.values):
            with pytest.raises(BranchError, match=f"for sample {wrong} a comparison comes out otherwise"):
                call(rows)


batches = given(statements, st.lists(st.tuples(numbers, numbers), min_size=1, max_size=12))


@settings(max_examples=60)
@batches
def test_batches_give_the_numbers_or_raise(program, points):
    check_batches(program, points, "python")


@needs_llvm
@settings(max_examples=25)
@batches
def test_batches_of_machine_code_give_the_numbers_or_raise(program, points):
    check_batches(program, points, "llvm")


@with_backends
def test_every_way_is_recorded_once(backend):
    calls = []

    def fn(x):
        calls.append(1)
        return x * 2 if x > 0 else x * 3 if x > -1 else x * 4

    compiled = sg.compile(fn, backend=backend, branches="record")
    xs = [1.0, -0.5, -2.0, 2.0, -0.25, -3.0]
    assert [compiled(x) for x in xs * 3] == [2.0, -1.5, -8.0, 4.0, -0.75, -12.0] * 3
    assert len(calls) == 3
    del calls[:]
    loop = sg.replay(fn, backend=backend, branches="record")
    assert [loop(x).data for x in xs * 3] == [2.0, -1.5, -8.0, 4.0, -0.75, -12.0] * 3
    assert len(calls) == 3
    del calls[:]
    for _ in range(3):
        assert compiled.values(xs) == [2.0, -1.5, -8.0, 4.0, -0.75, -12.0]
        assert compiled.value_and_grad(xs)[0] == pytest.approx(-16.25 / 6)
    assert len(calls) == 6


@with_backends
@pytest.mark.parametrize("branches", ["raise", "record"])
def test_the_message_says_where_it_is_for_nan(branches, backend):
    def fn(x):
        return x * 2 if x > 0 else x * 3

    nan = float("nan")
    compiled = sg.compile(fn, backend=backend, branches=branches)
    loop = sg.replay(fn, backend=backend, branches=branches)
    calls = [compiled, loop, lambda x: compiled.value_and_grad([1.0, x]), lambda x: compiled.values([1.0, x])]
    for first in (nan, 1.0, nan):
        for call in calls:
            if first == first:
                call(first)
            for _ in range(2):
                with pytest.raises(BranchError) as error:
                    call(nan)
                text = str(error.value)
                assert "a comparison has NaN on one side, for which no branch is recorded" in text
                assert "> 0.0 was" in text
                assert "detect_anomaly()" in text
                assert "branches=" not in text
    assert compiled(1.0) == loop(1.0).data == 2.0
    counts = [
        [len(programs) for programs in one.known.values()]
        for one in (compiled._points._recordings, loop._recordings, compiled.batches.recordings)
    ]
    assert counts == [[1], [1], [1, 1]]  # none was recorded for NaN; over batches one for the loss, one for values


@with_backends
def test_gradients_of_ways_that_reach_more_parameters_are_all_there_at_once(backend):
    """The first batch along a way that was not met before has the gradients that the next ones have."""
    w = [Value(0.5), Value(-1.5), Value(2.0), Value(0.75)]

    def fn(x):
        if x > 1:
            return w[0] * x if x > 2 else w[1] * w[0] * x
        return w[2] * x if x > 0 else w[3] * w[2] * x * x

    for parameters in (w, None):
        for order in permutations([3.0, 1.5, 0.5, -1.0]):
            loss = sg.compile(fn, parameters=parameters, backend=backend, branches="record", reduction="sum")
            for batch in (order[:2], order[1:], order):
                for _ in range(2):
                    found, gradients = loss.value_and_grad(list(batch))
                    of = dict(zip(loss.parameters, gradients, strict=True))
                    root = sg.sum([fn(x) for x in batch])
                    expected = [root.data, *(float(sg.grad(root, p)) for p in w)]
                    assert [found, *(of.get(p, 0.0) for p in w)] == pytest.approx(expected)


@with_backends
def test_bind_follows_every_way_that_is_recorded(backend):
    x, out = array("d", [1.0]), array("d", [0.0])
    step = sg.compile(lambda v: v[0] * 2 if v[0] > 0 else v[0], backend=backend, branches="record").bind(x, out)
    for number, expected in ((1.0, 2.0), (-1.0, -1.0), (3.0, 6.0)):
        x[0] = number
        step()
        assert out[0] == expected


@with_backends
def test_comparisons_of_parameters_are_watched_too(backend):
    w = Value(1.0, label="w")
    compiled = sg.compile(lambda x: x * w if w > 0 else x, backend=backend)
    assert compiled(3.0) == 3.0
    assert compiled.value_and_grad([3.0]) == (3.0, [3.0])
    assert compiled.values([3.0]) == [3.0]
    w.data = -1.0
    for call in (lambda: compiled(3.0), lambda: compiled.value_and_grad([3.0]), lambda: compiled.values([3.0])):
        with pytest.raises(BranchError, match=r"Value 'w' > 0.0 was True when it was recorded\n  at .*test_guards"):
            call()
    w.data = 2.0
    assert compiled(3.0) == 6.0
