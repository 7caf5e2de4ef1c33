"""Samples of any structure in one batch: gradients are the sum of the eager ones, whatever the grouping and the backend.

Programs are recorded per structure; the oracle is the eager engine, sample by sample.
"""

import contextlib
import random

import pytest
from compiling_helpers import agrees, eager_batch, with_backends
from optional import need
from optional import numpy as np
from ragged_helpers import need_backend, recurrent, samples
from sizes import size

import scalargrad as sg
from scalargrad import Value

BACKENDS = ("python", "llvm", "jax")


# -------------------------------------------------------------------- sums and values


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_random_structures_in_random_batches(backend, reduction, figure):
    need_backend(backend)
    seeds = range(size({"python": 25, "llvm": 4, "jax": 1}[backend], 40))
    for seed in seeds:
        rng = random.Random(f"{seed} {reduction}")
        weights = [Value(rng.uniform(-1, 1)) for _ in range(4)]
        weights[2].requires_grad = rng.random() < 0.5
        fn = recurrent(weights, rng.random() < 0.7)
        given = rng.choice((weights, None))
        loss = sg.compile(fn, parameters=given, backend=backend, reduction=reduction)
        X, Y = samples(rng, 12)
        for _ in range(4):
            rows = rng.sample(range(12), rng.randint(1, 12))
            xs, ys = [X[i] for i in rows], [Y[i] for i in rows]
            found = loss.value_and_grad(xs, ys)
            agrees(found, eager_batch(fn, (xs, ys), loss.parameters, reduction), 1e-13)
            for one, x, y in zip(loss.values(xs, ys), xs, ys, strict=True):
                assert one == pytest.approx(getattr(fn(x, y), "data", fn(x, y)), rel=1e-12)
    figure(
        f"{len(seeds)} random functions, 4 batches each of samples of different structures, by {backend}",
        "values and gradients to 1e-12 the sums of the eager ones",
    )


@with_backends
def test_values_come_in_the_order_of_the_batch_each_in_its_structure(backend):
    w = Value(2.0)
    f = sg.compile(lambda xs: {len(xs): [w * x for x in xs]}, backend=backend)
    X = [[1.0, 2.0], [3.0], [], [4.0, 5.0], [6.0]]
    assert f.values(X) == [{2: [2.0, 4.0]}, {1: [6.0]}, {0: []}, {2: [8.0, 10.0]}, {1: [12.0]}]


@with_backends
def test_a_penalty_counts_once_in_a_mean_and_for_every_sample_in_a_sum(backend):
    w = Value(3.0)
    for reduction, wanted in (("mean", (9.0 + 10.0 / 4, 6.0)), ("sum", (46.0, 24.0))):
        loss = sg.compile(lambda xs: sg.sum(xs) + w * w, parameters=[w], backend=backend, reduction=reduction)
        found, (gradient,) = loss.value_and_grad([[1.0], [2.0, 3.0], [4.0], []])
        assert (found, gradient) == (pytest.approx(wanted[0], rel=1e-15), pytest.approx(wanted[1], rel=1e-15))


@with_backends
def test_parameters_that_some_structures_reach(backend):
    w = [Value(float(k)) for k in range(1, 5)]
    loss = sg.compile(lambda xs: sg.sum([a * x for a, x in zip(w, xs, strict=False)]), backend=backend, reduction="sum")
    assert loss.value_and_grad([[1.0], [2.0]]) == (3.0, [3.0])
    value, gradients = loss.value_and_grad([[1.0], [2.0, 4.0, 8.0], [1.0, 1.0]])
    assert value == 1.0 + 34.0 + 3.0
    assert dict(zip(loss.parameters, gradients, strict=True)) == {w[0]: 4.0, w[1]: 5.0, w[2]: 8.0}
    w[1].requires_grad = False
    value, gradients = loss.value_and_grad([[1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    assert dict(zip(loss.parameters, gradients, strict=True)) == {w[0]: 2.0, w[2]: 1.0, w[3]: 1.0}
    given = sg.compile(loss.fn, parameters=w, backend=backend)
    assert given.value_and_grad([[2.0], [2.0, 1.0, 4.0]])[1] == [2.0, 2.0, 0.0]


@with_backends
def test_a_gradient_that_needs_masks_in_one_structure_gets_them(backend):
    w = Value(0.0)
    fn = lambda xs: sg.where(sg.greater(w, 0), sg.sqrt(w), 2 * w) * sg.sum(xs) if len(xs) > 1 else w * xs[0]  # noqa: E731
    X = [[1.0], [1.0, 2.0], [4.0], [1.0, 1.0]]
    agrees(sg.compile(fn, backend=backend, reduction="sum").value_and_grad(X), eager_batch(fn, (X,), [w], "sum"))


# -------------------------------------------------------------------- branches


@with_backends
def test_branches_within_structures(backend):
    w = Value(1.5)
    fn = lambda xs: w * w * sg.sum(xs) if xs[0] > 0 else -w * xs[0]  # noqa: E731
    X = [[1.0], [1.0, 2.0], [-1.0, 3.0], [-2.0], [3.0, 4.0]]
    both = sg.compile(fn, backend=backend, branches="record")
    for _ in range(2):
        agrees(both.value_and_grad(X), eager_batch(fn, (X,), [w]))
        assert both.values(X) == [fn(x).data for x in X]
    one = sg.compile(fn, backend=backend)
    for call in (one.value_and_grad, one.values):
        for _ in range(2):
            with pytest.raises(sg.BranchError, match="for sample 2 a comparison comes out otherwise"):
                call(X[:3])
    agrees(one.value_and_grad(X[:2]), eager_batch(fn, (X[:2],), [w]))


# -------------------------------------------------------------------- what samples come in


@with_backends
def test_arrays_and_lists_of_them(backend):
    need(np.zeros(1))
    w = Value(0.5)
    loss = sg.compile(lambda xs, y: (w * sg.sum(xs) - y) ** 2, backend=backend)
    X, Y = [[1.0, 2.0], [3.0], [4.0, 5.0]], [1.0, 2.0, 3.0]
    wanted = loss.value_and_grad(X, Y)
    objects = np.empty(3, dtype=object)
    objects[:] = [np.array(x) for x in X]
    lists = np.empty(3, dtype=object)
    lists[:] = X
    for given in (
        [np.array(x) for x in X],
        objects,
        lists,
        [[Value(x) for x in xs] for xs in X],
        [[1, 2], [3], [4, 5]],
    ):
        assert loss.value_and_grad(given, np.array(Y)) == wanted
        assert loss.values(given, Y) == loss.values(X, Y)


def test_one_program_for_each_structure():
    w, calls = Value(1.0), []

    def fn(xs, y):
        with contextlib.suppress(AttributeError):
            calls.append(len(xs))
        return w * sg.sum(xs) * y

    loss = sg.compile(fn, parameters=[w], backend="python")
    rng = random.Random(0)
    for _ in range(50):
        X = [[rng.random()] * rng.randint(1, 6) for _ in range(rng.randint(1, 9))]
        loss.value_and_grad(X, [1.0] * len(X))
    assert sorted(calls) == [1, 2, 3, 4, 5, 6]


# -------------------------------------------------------------------- what is refused


@with_backends
@pytest.mark.parametrize(
    ("batches", "error", "message"),
    [
        (([[1.0], [1.0, "2"]],), TypeError, r"argument 0\[1\]\[1\] must be a number, .* not str"),
        (([[1.0], [1.0, 2.0], None],), TypeError, r"argument 0\[2\] must be a number, .* not NoneType"),
        (([[1.0], "ab", [1.0, 2.0]],), TypeError, r"argument 0\[1\] must be a number, .* not str"),
        (([[1.0], [], [1.0, 2.0]],), ValueError, "an empty sample"),
        (([[1.0], [1.0, 2.0]], [1.0]), ValueError, "argument 0 has 2 samples but argument 1 has 1"),
    ],
)
def test_messages(batches, error, message, backend):
    w = Value(1.0)

    def fn(xs, *_):
        if not isinstance(xs, Value) and not xs:
            raise ValueError("an empty sample")
        return w * (xs if isinstance(xs, Value) else sg.sum(xs))

    loss = sg.compile(fn, parameters=[w], backend=backend)
    for call in (loss.value_and_grad, loss.values):
        with pytest.raises(error, match=message) as caught:
            call(*batches)
        if "empty" in message:
            notes = getattr(caught.value, "__notes__", ["fn was being recorded at sample 1 of the batch: []"])
            assert notes == ["fn was being recorded at sample 1 of the batch: []"]
        assert call([[1.0], [1.0, 2.0]])[0] == pytest.approx(2.0 if call == loss.value_and_grad else 1.0)


@with_backends
def test_of_structures_that_the_function_refuses_nothing_is_kept(backend):
    w = Value(1.0)
    loss = sg.compile(lambda xs: w * xs[0] + xs[1], parameters=[w], backend=backend)
    loss.value_and_grad([[1.0, 2.0]])
    for n in range(5):
        for call in (loss.value_and_grad, loss.values, loss):
            with pytest.raises((IndexError, TypeError)):
                call([[[1.0] * n]])
    assert len(loss.batches.recordings.known) == 1
