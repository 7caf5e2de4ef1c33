"""Training on samples of any structure: a step does what an eager step does, one at a time or mixed, and goes on.

Parameters, gradients and averages live in one memory; each structure's program is recorded when it is first met.
"""

import gc
import random
import tracemalloc
import weakref

import pytest
from compiling_helpers import needs_llvm, with_backends
from optional import need
from optional import numpy as np
from ragged_helpers import need_backend, recurrent, samples
from sizes import size

import scalargrad as sg
from scalargrad import Value, nn

OPTIMIZERS = [
    lambda p: nn.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    lambda p: nn.Adam(p, lr=0.02, betas=(0.8, 0.95)),
    lambda p: nn.RMSprop(p, lr=0.02, momentum=0.5),
    lambda p: nn.SGD(p, lr=0.05),
]


class Pair:
    """The same weights twice, for the same loss: one set is trained by eager steps, the other by compiled ones."""

    def __init__(self, rng, backend, *, given=True, **options):
        numbers = [rng.uniform(-1, 1) for _ in range(4)]
        self.weights = [[Value(x) for x in numbers] for _ in range(2)]
        if rng.random() < 0.5:
            for weights in self.weights:
                weights[2].requires_grad = False
        penalty, make = rng.random() < 0.7, rng.choice(OPTIMIZERS)
        self.fns = [recurrent(weights, penalty) for weights in self.weights]
        self.optimizers = [make(weights) for weights in self.weights]
        self.reduction = options.get("reduction", "mean")
        parameters = self.weights[1] if given else None
        self.compiled = sg.compile(self.fns[1], parameters=parameters, backend=backend, **options)

    def eager_step(self, X, Y):
        self.optimizers[0].zero_grad()
        total = sg.sum([self.fns[0](x, y) for x, y in zip(X, Y, strict=True)])
        total = total / len(X) if self.reduction == "mean" else total
        total.backward()
        self.optimizers[0].step()
        return total.data

    def agree(self, tolerance=1e-10):
        def numbers(k):
            states = [s for state in self.optimizers[k]._states for s in state]
            return [*(p.data for p in self.weights[k]), *(p.grad for p in self.weights[k]), *states]

        assert numbers(1) == pytest.approx(numbers(0), rel=tolerance, abs=tolerance)
        assert self.optimizers[0].steps == self.optimizers[1].steps
        assert self.optimizers[0]._counts == self.optimizers[1]._counts


# -------------------------------------------------------------------- the same steps


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("backend", ["python", "llvm", "jax"])
def test_random_structures_one_at_a_time_and_mixed(backend, reduction, given, figure):
    need_backend(backend)
    seeds = range(size({"python": 12, "llvm": 3, "jax": 1}[backend], 20))
    for seed in seeds:
        rng = random.Random(f"{seed} {reduction} {given}")
        pair = Pair(rng, backend, given=given, reduction=reduction)
        X, Y = samples(rng, 10)
        X = X if given else [[x] for x in X]  # a lone number could not be of another structure
        for _ in range(2):
            with pair.compiled.training(pair.optimizers[1]) as step:
                for _ in range(6):
                    rows = rng.sample(range(10), rng.choice((1, 1, 1, 3, 10)))
                    xs, ys = [X[i] for i in rows], [Y[i] for i in rows]
                    assert step(xs, ys) == pytest.approx(pair.eager_step(xs, ys), rel=1e-10, abs=1e-12)
                    if rng.random() < 0.2:
                        step.write_back()
            pair.agree()
    figure(
        f"{len(seeds)} random trainings of 12 steps, samples one at a time or mixed, by {backend}",
        "losses, parameters, gradients and averages to 1e-10 those of eager steps",
    )


@with_backends
def test_documents_one_at_a_time_keep_nothing_of_the_one_before(backend):
    rng = random.Random(3)
    pair = Pair(rng, backend)
    docs = [[rng.uniform(-1, 1) for _ in range(rng.randint(1, 4))] for _ in range(40)]
    with pair.compiled.training(pair.optimizers[1]) as step:
        for k, doc in enumerate(docs):
            shown = np.array([doc]) if k % 5 == 4 and np else [doc]
            assert step(shown, [0.5]) == pytest.approx(pair.eager_step([doc], [0.5]), rel=1e-10)
    pair.agree()


@with_backends
def test_rows_of_ints_and_numbers_share_no_memory_by_mistake(backend):
    w = Value(1.0)
    loss = sg.compile(lambda x: w * (sg.sum(x) if isinstance(x, list) else x), parameters=[w], backend=backend)
    with loss.training(nn.SGD([w], lr=0.0)) as step:
        for batch in (
            [1.0, 2.0],
            [[1.0], [2.0]],
            [[1.0, 2.0]],
            [3, 4],
            [[3, 4]],
            [[3], [4.0]],
            [[True, 2]],
            [[]],
            [[], []],
        ):
            rows = [x if isinstance(x, list) else [x] for x in batch]
            assert step(batch) == sum(map(sum, rows)) / len(batch)
        for bad in ([[1.0, "2"]], [[10**400, 1.0]], [[1.0, None], [1.0]]):
            with pytest.raises((TypeError, OverflowError)):
                step(bad)
            assert step([[1.0, 2.0]]) == 3.0


ONE_LONG = ([0.5], [[0.5]], [(0.5, 2.0)], [{"a": 0.5}], [{}], [[]], [[[0.5], 1.5]], (0.5,), {"b": 0.5}, 0.5)


@with_backends
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: [x, x]], ids=["bare", "in a list", "twice"])
def test_after_a_structure_comes_another_of_as_many_entries(wrap, backend):
    """A batch's lists of numbers are put into the memory of one before of the same lengths: of the same structure only."""
    rng = random.Random(5)
    for first in ONE_LONG:
        for second in ONE_LONG:
            pair = Pair(rng, backend)
            with pair.compiled.training(pair.optimizers[1]) as step:
                for k, x in enumerate((first, second, first, second, [0.25] if type(second) is list else second)):
                    xs, ys = [wrap(x)], [0.1 * k]
                    assert step(xs, ys) == pytest.approx(pair.eager_step(xs, ys), rel=1e-10), (first, second, k)
            pair.agree()
            loss = sg.compile(pair.fns[1], parameters=pair.weights[1], backend=backend, reduction="sum")
            for x in (first, second, first):
                xs = [wrap(x)]
                root = pair.fns[1](xs[0], 0.5)
                found, gradients = loss.value_and_grad(xs, [0.5])
                assert [found, *loss.values(xs, [0.5])] == pytest.approx([root.data] * 2, rel=1e-12)
                assert gradients == pytest.approx(sg.grad(root, loss.parameters), rel=1e-10)


@with_backends
def test_parameters_that_only_later_structures_reach(backend):
    weights = [[Value(float(k)) for k in range(1, 5)] for _ in range(2)]
    fns = [lambda xs, w=w: sg.sum([a * a * x for a, x in zip(w, xs, strict=False)]) for w in weights]
    optimizers = [nn.Adam(w, lr=0.1) for w in weights]
    loss = sg.compile(fns[1], backend=backend)  # parameters are as they are reached
    with loss.training(optimizers[1]) as step:
        for batch in ([[1.0]], [[1.0, 2.0, 3.0]], [[2.0]], [[1.0], [1.0, 1.0, 1.0, 1.0]], [[1.0, 2.0]]):
            optimizers[0].zero_grad()
            total = sg.mean([fns[0](xs) for xs in batch])
            total.backward()
            optimizers[0].step()
            assert step(batch) == pytest.approx(total.data, rel=1e-12)
    assert [w.data for w in weights[1]] == pytest.approx([w.data for w in weights[0]], rel=1e-12)
    assert [w.grad for w in weights[1]] == pytest.approx([w.grad for w in weights[0]], rel=1e-12)
    assert loss.parameters == weights[1]
    foreign = Value(1.0)
    with pytest.raises(ValueError, match="the optimizer trains 1 parameters"), loss.training(nn.SGD([foreign])) as step:
        step([[1.0]])


@with_backends
def test_other_leaves_that_only_later_structures_read(backend):
    w = Value(1.0)
    others = [Value(float(k), requires_grad=False) for k in range(2, 40)]
    loss = sg.compile(lambda xs: w * sg.sum([b * x for b, x in zip(others, xs, strict=False)]), parameters=[w], backend=backend)  # fmt: skip
    with loss.training(nn.SGD([w], lr=0.0)) as step:
        for n in (1, 3, 2, 38, 5, 1):
            assert step([[1.0] * n]) == sum(range(2, 2 + n))
        others[0].data = 100.0
        step.write_back()
        assert step([[1.0], [1.0, 1.0]]) == (100.0 + 103.0) / 2


# -------------------------------------------------------------------- branches, masks, changes


@with_backends
def test_a_batch_that_is_refused_changes_nothing(backend):
    w = Value(1.0)
    loss = sg.compile(lambda xs: w * w * sg.sum(xs) if xs[0] > 0 else -w * xs[0], parameters=[w], backend=backend)
    optimizer = nn.SGD([w], lr=0.25, momentum=0.5)
    with loss.training(optimizer) as step:
        assert step([[1.0], [1.0, 1.0]]) == 1.5
        for bad in ([[1.0], [1.0, 2.0], [-1.0, 2.0]], [[-1.0]], [[1.0, 1.0], [2.0, 2.0], [-1.0], [1.0]]):
            with pytest.raises(sg.BranchError, match="for sample . a comparison comes out otherwise") as caught:
                step(bad)
            assert f"for sample {next(i for i, x in enumerate(bad) if x[0] < 0)} " in str(caught.value)
        with pytest.raises(ZeroDivisionError):
            step([[1.0], [1.0, 1.0, 1.0 / len(())]])
    assert (w.data, w.grad, optimizer.steps) == (0.25, 3.0, 1)


@with_backends
def test_what_a_new_structure_compares_it_compares_with_the_numbers_of_now(backend):
    w = Value(1.0)
    loss = sg.compile(lambda xs: -w * sg.sum(xs) if w < 0 else w * sg.sum(xs), parameters=[w], backend=backend)
    with loss.training(nn.SGD([w], lr=1.0)) as step:
        assert step([[2.0]]) == 2.0  # w is -1 now, but the Value still has 1
        assert step([[1.0, 1.0]]) == 2.0


@with_backends
def test_branches_that_are_recorded_in_a_later_structure(backend):
    rng = random.Random(5)
    weights = [[Value(0.5), Value(-0.25)] for _ in range(2)]
    fns = [lambda xs, w=w: w[0] * xs[0] + w[1] if len(xs) == 1 else w[1] * xs[1] ** 2 if xs[0] > 0 else w[0] * w[1] * xs[0] for w in weights]  # fmt: skip
    optimizers = [nn.Adam(w, lr=0.1) for w in weights]
    loss = sg.compile(fns[1], parameters=weights[1], backend=backend, branches="record")
    with loss.training(optimizers[1]) as step:
        for n in (1, 1, 2, 1, 2, 2, 1):
            batch = [[rng.uniform(-1, 1) for _ in range(n)] for _ in range(4)]
            optimizers[0].zero_grad()
            total = sg.mean([fns[0](xs) for xs in batch])
            total.backward()
            optimizers[0].step()
            assert step(batch) == pytest.approx(total.data, rel=1e-12, abs=1e-14)
    assert [w.data for w in weights[1]] == pytest.approx([w.data for w in weights[0]], rel=1e-12)


@with_backends
def test_masks_in_one_structure_of_a_mixed_batch(backend):
    w = Value(0.0)
    fn = lambda xs: sg.where(sg.greater(w, 0), sg.sqrt(w), 2 * w) * sg.sum(xs) if len(xs) > 1 else w * xs[0]  # noqa: E731
    loss = sg.compile(fn, parameters=[w], backend=backend)
    with loss.training(nn.SGD([w], lr=0.0)) as step:
        for batch in ([[1.0]], [[1.0], [1.0, 2.0], [3.0, 1.0]], [[1.0, 2.0]], [[4.0], [1.0, 1.0]]):
            step(batch)
            step.write_back()
            assert w.grad == pytest.approx(sg.grad(sg.mean([fn(x) for x in batch]), w))


@with_backends
def test_freezing_and_settings_in_between(backend):
    rng = random.Random(9)
    pair = Pair(rng, backend)
    X, Y = samples(rng, 8)
    with pair.compiled.training(pair.optimizers[1]) as step:
        for k in range(8):
            for which in range(2):
                pair.weights[which][3].requires_grad = k % 4 < 2
                pair.optimizers[which].weight_decay = 0.1 * (k % 3)
                pair.optimizers[which].lr = 0.01 * (1 + k)
            rows = rng.sample(range(8), 3)
            xs, ys = [X[i] for i in rows], [Y[i] for i in rows]
            if k % 4 == 0:
                for which in range(2):
                    pair.optimizers[which].zero_grad()
            assert step(xs, ys) == pytest.approx(pair.eager_step(xs, ys), rel=1e-10)
    assert [w.data for w in pair.weights[1]] == pytest.approx([w.data for w in pair.weights[0]], rel=1e-10)


@with_backends
def test_two_trainings_that_share_parameters(backend):
    rng = random.Random(11)
    pair, X, Y = Pair(rng, backend), *samples(rng, 8)
    critic = [Value(w.data) for w in pair.weights[0][:1]]
    shared = [[pair.weights[k][0], *([Value(0.5)])] for k in range(2)]
    fns = [lambda xs, w=w: (w[0] * sg.sum(xs) - w[1]) ** 2 for w in shared]
    optimizers = [nn.SGD(w, lr=0.01) for w in shared]
    other = sg.compile(fns[1], parameters=shared[1], backend=backend)
    assert critic
    with pair.compiled.training(pair.optimizers[1]) as step, other.training(optimizers[1]) as second:
        for _ in range(6):
            rows = rng.sample(range(8), 2)
            xs, ys = [X[i] for i in rows], [Y[i] for i in rows]
            assert step(xs, ys) == pytest.approx(pair.eager_step(xs, ys), rel=1e-10)
            batch = [[rng.random() for _ in range(rng.randint(1, 3))] for _ in range(3)]
            optimizers[0].zero_grad()
            total = sg.mean([fns[0](x) for x in batch])
            total.backward()
            optimizers[0].step()
            assert second(batch) == pytest.approx(total.data, rel=1e-10)
    assert [w.data for w in shared[1]] == pytest.approx([w.data for w in shared[0]], rel=1e-10)


# -------------------------------------------------------------------- threads, memory


@needs_llvm
def test_structures_with_samples_for_several_threads(monkeypatch):
    from scalargrad.compiling.llvm import batch

    monkeypatch.setattr(batch, "cores", lambda: 3)
    monkeypatch.setattr(batch, "WORTH_A_THREAD", 200)
    rng = random.Random(13)
    for given in (True, False):
        pair = Pair(rng, "llvm", given=given)
        shapes = [[1.0], [1.0, 2.0], [1.0] * 5]
        with pair.compiled.training(pair.optimizers[1]) as step:
            for n in (200, 3, 150, 200):
                xs = [[rng.uniform(-1, 1) for _ in rng.choice(shapes)] for _ in range(n)]
                ys = [rng.uniform(-1, 1) for _ in xs]
                assert step(xs, ys) == pytest.approx(pair.eager_step(xs, ys), rel=1e-10)
        pair.agree()


@needs_llvm
def test_rooms_are_used_again_and_go_with_what_they_belong_to():
    w = Value(1.0)
    loss = sg.compile(lambda xs: w * sg.sum(xs), parameters=[w], backend="llvm")
    for _ in range(5):
        with loss.training(nn.SGD([w], lr=0.0)) as step:
            for n in (1, 2, 3, 1, 2, 3):
                step([[1.0] * n])
                step([[1.0] * n, [2.0] * n, [1.0]])
    programs = [program for known in loss.batches.recordings.known.values() for program in known]
    assert [len(program.runner._rooms) for program in programs] == [1, 1, 1]
    with loss.training(nn.SGD([w], lr=0.0)) as step:
        step([[1.0]])
        gone = weakref.ref(step._memory)
    del step
    assert gone() is None


@needs_llvm
def test_no_more_batches_are_kept_than_a_few():
    need(np.zeros(1))
    from scalargrad.compiling import groups

    w = Value(1.0)
    loss = sg.compile(lambda xs: w * sg.sum(xs), parameters=[w], backend="llvm")
    with loss.training(nn.SGD([w], lr=0.0)) as step:
        for n in range(1, groups.KEPT + 20):
            step([[1.0]] * n)
        assert len(step._refilled._known) <= groups.KEPT
        assert len(step._memory._aims) <= groups.KEPT
        before = len(step._memory._aims)
        for _ in range(5):
            step(np.ones((3, 1)))
            step([[1.0], [1.0, 2.0]])
        assert len(step._memory._aims) == before


@with_backends
def test_memory_grows_with_structures_only(backend, figure):
    rng = random.Random(17)
    pair = Pair(rng, backend)

    def documents(n):
        return [[rng.uniform(-1, 1) for _ in range(rng.randint(1, 4))] for _ in range(n)]

    def work(steps):
        with pair.compiled.training(pair.optimizers[1]) as step:
            for _ in range(steps):
                step(documents(1), [0.5])
            for _ in range(steps):
                step(documents(3), [0.5, 0.25, 0.0])
        for _ in range(steps):
            pair.compiled.value_and_grad(documents(3), [0.5, 0.25, 0.0])

    work(40)
    gc.collect()
    tracemalloc.start()
    work(20)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    work(size(100, 3000))
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 30_000
    figure(
        f"{size(100, 3000) * 3} steps and gradients of samples of different structures, by {backend}",
        f"{after - before:+} bytes of memory",
    )
