"""Training steps in compiled memory: what the same steps of the optimizer do to Values."""

import random

import pytest
from compiling_helpers import with_backends
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value, nn

OPTIMIZERS = {
    "sgd": lambda p: nn.SGD(p, lr=0.05),
    "sgd with decay": lambda p: nn.SGD(p, lr=0.05, weight_decay=0.1),
    "momentum": lambda p: nn.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: nn.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda p: nn.Adagrad(p, lr=0.1, weight_decay=0.01),
    "rmsprop": lambda p: nn.RMSprop(p, lr=0.02),
    "rmsprop with momentum": lambda p: nn.RMSprop(p, lr=0.02, alpha=0.9, momentum=0.5, weight_decay=0.01),
    "adam": lambda p: nn.Adam(p, lr=0.05),
    "adam with decay": lambda p: nn.Adam(p, lr=0.05, betas=(0.8, 0.95), weight_decay=0.1),
    "adamw": lambda p: nn.AdamW(p, lr=0.05, weight_decay=0.2),
}


class Twin:
    """The same small network twice: one trained by eager steps, the other by compiled ones."""

    def __init__(self, make_optimizer, backend, frozen=(2, 7), size=(2, [3, 1]), **options):
        self.models = [nn.MLP(*size, activation="tanh", seed=4) for _ in range(2)]
        for model in self.models:
            for i in frozen:
                model.parameters()[i].requires_grad = False
        self.optimizers = [make_optimizer(model.parameters()) for model in self.models]
        model = self.models[1]
        self.compiled = sg.compile(
            lambda x, y: (model(x) - y) ** 2, parameters=model.parameters(), backend=backend, **options
        )
        self.rng = random.Random(1)

    def batch(self, n):
        rows = [[self.rng.uniform(-1, 1) for _ in range(2)] for _ in range(n)]
        return rows, [x * y for x, y in rows]

    def eager_step(self, X, Y, which=0):
        model, optimizer = self.models[which], self.optimizers[which]
        optimizer.zero_grad()
        loss = sg.mean([(model(x) - y) ** 2 for x, y in zip(X, Y, strict=True)])
        loss.backward()
        optimizer.step()
        return loss.data

    def set_lr(self, lr):
        for optimizer in self.optimizers:
            optimizer.lr = lr

    def agree(self, gradients=True):
        def numbers(i):
            model, optimizer = self.models[i], self.optimizers[i]
            states = [s for state in optimizer._states for s in state]
            grads = [p.grad for p in model.parameters()] if gradients else []
            return [*(p.data for p in model.parameters()), *states, *grads, optimizer.lr]

        assert numbers(1) == pytest.approx(numbers(0), rel=1e-9, abs=1e-12)
        assert self.optimizers[0].steps == self.optimizers[1].steps


@with_backends
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_compiled_steps_do_what_eager_steps_do(name, backend):
    twin = Twin(OPTIMIZERS[name], backend)
    for _ in range(3):  # the optimizer comes with a state
        X, Y = twin.batch(3)
        assert twin.eager_step(X, Y) == twin.eager_step(X, Y, which=1)
    with twin.compiled.training(twin.optimizers[1]) as step:
        for k, n in enumerate([5, 1, 8, 17, 5, 9]):
            twin.set_lr(0.05 / (1 + k))
            X, Y = twin.batch(n)
            assert step(X, Y) == pytest.approx(twin.eager_step(X, Y), rel=1e-9)
    twin.agree()
    for _ in range(3):  # and goes with one
        X, Y = twin.batch(3)
        assert twin.eager_step(X, Y, which=1) == pytest.approx(twin.eager_step(X, Y), rel=1e-9)
    twin.agree()
    with twin.compiled.training(twin.optimizers[1]) as step:
        X, Y = twin.batch(6)
        step(np.array(X), np.array(Y))
        twin.eager_step(X, Y)
    twin.agree()


@with_backends
def test_write_back_in_between(backend):
    twin = Twin(OPTIMIZERS["adam"], backend)
    step = twin.compiled.training(twin.optimizers[1])
    for _ in range(3):
        X, Y = twin.batch(4)
        for _ in range(2):
            twin.eager_step(X, Y)
            step(X, Y)
        step.write_back()
        twin.agree()
        twin.models[0].parameters()[0].data = twin.models[1].parameters()[0].data = 0.25  # counts from the next step on
    step.write_back()
    twin.agree(gradients=False)


@with_backends
def test_what_is_done_is_kept_when_the_block_is_left_by_an_exception(backend):
    twin = Twin(OPTIMIZERS["momentum"], backend)
    X, Y = twin.batch(4)
    twin.eager_step(X, Y)

    def interrupted():
        with twin.compiled.training(twin.optimizers[1]) as step:
            step(X, Y)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    twin.agree()


@with_backends
def test_a_batch_that_is_refused_changes_nothing(backend):
    w = Value(1.0)
    loss = sg.compile(lambda x: x * w * w if x > 0 else -x * w, backend=backend)
    optimizer = nn.SGD([w], lr=0.25, momentum=0.5)
    w.grad = 7.0
    with loss.training(optimizer) as step, pytest.raises(sg.BranchError, match="for sample 1 a comparison comes out"):
        step([1.0, -1.0])
    assert (w.data, w.grad, optimizer.steps, optimizer._states) == (1.0, 7.0, 0, [(0.0,)])
    with loss.training(optimizer) as step:
        assert step([1.0, 1.0]) == 1.0
        with pytest.raises(sg.BranchError):
            step([1.0, -1.0])
        with pytest.raises(ValueError, match="argument 0 has no sample"):
            step([])
    assert (w.data, w.grad, optimizer.steps) == (0.5, 2.0, 1)


@with_backends
def test_branches_that_are_recorded(backend):
    def make():
        w = Value(1.0)
        return w, lambda x: x * w * w if x > 0 else -x * w * 3

    (w, fn), (v, eager) = make(), make()
    loss = sg.compile(fn, backend=backend, branches="record")
    optimizers = nn.SGD([w], lr=0.1, momentum=0.5), nn.SGD([v], lr=0.1, momentum=0.5)
    with loss.training(optimizers[0]) as step:
        for xs in ([1.0, 2.0], [1.0, -1.0], [-1.0, -2.0], [3.0, -1.0, 2.0]):
            optimizers[1].zero_grad()
            total = sg.mean(list(map(eager, xs)))
            total.backward()
            optimizers[1].step()
            assert step(xs) == pytest.approx(total.data, rel=1e-12)
    assert (w.data, w.grad) == (pytest.approx(v.data, rel=1e-12), pytest.approx(v.grad, rel=1e-12))


@with_backends
def test_an_array_is_read_anew_at_every_step(backend):
    w = Value(0.0)
    loss = sg.compile(lambda x: x * w, backend=backend)
    X, xs = np.array([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]
    with loss.training(nn.SGD([w], lr=1.0)) as step:
        assert [step(X), step(X)] == [0.0, -4.0]
        X *= 2
        assert step(X) == -16.0  # w is -4
        assert step(xs) == -16.0  # and -8
        xs[:] = [1.0]
        assert step(xs) == -10.0
        assert step(X[:1]) == -22.0
    assert w.data == -13.0


@with_backends
def test_another_loss_of_the_same_function_in_between_does_no_harm(backend):
    twin = Twin(OPTIMIZERS["adam"], backend)
    X, Y = twin.batch(6)
    others, targets = twin.batch(9)
    arrays = np.array(X), np.array(Y)  # the same ones in every step
    with twin.compiled.training(twin.optimizers[1]) as step:
        for _ in range(3):
            assert step(*arrays) == pytest.approx(twin.eager_step(X, Y), rel=1e-9)
            twin.compiled.value_and_grad(others, targets)  # by the numbers that the Values still have
            twin.compiled.values(others, targets)
    twin.agree()


@with_backends
def test_the_order_of_parameters_does_not_matter(backend):
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    constant = Value(2.0, requires_grad=False)
    loss = sg.compile(lambda x: (constant * c * x + a) * b, backend=backend)
    optimizer = nn.Adagrad([b, a, constant, c], lr=0.5)
    with loss.training(optimizer) as step:
        assert step([1.0]) == 14.0
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    eager = nn.Adagrad([x, y, z], lr=0.5)
    ((2.0 * z * 1.0 + x) * y).backward()
    eager.step()
    assert (a.data, b.data, c.data, constant.data) == (x.data, y.data, z.data, 2.0)
    assert [s for (s,) in optimizer._states] == [49.0, 4.0, 0.0, 16.0]


@with_backends
def test_only_the_parameters_given_move(backend):
    a, b = Value(1.0), Value(2.0)
    loss = sg.compile(lambda x: (a * x + b) ** 2, parameters=[a], backend=backend)
    with loss.training(nn.SGD([a], lr=0.1)) as step:
        step([1.0])
    assert (a.data, b.data) == (pytest.approx(0.4), 2.0)
    assert (a.grad, b.grad) == (6.0, 0.0)


@with_backends
def test_reduction_and_aux(backend):
    w = Value(0.0)
    loss = sg.compile(lambda x: (x * w + x, {"score": x}), backend=backend, reduction="sum", has_aux=True)
    with loss.training(nn.SGD([w], lr=1.0)) as step:
        assert [step([1.0, 2.0]), step([3.0])] == [3.0, -6.0]
    assert w.data == -6.0


# -------------------------------------------------------------------- optimizers of one's own


class Signs(nn.SGD):
    def update(self, p, g, state):
        return p - self._lr * sg.sign(g), state


class Branching(nn.SGD):
    def update(self, p, g, state):
        return (p - self._lr if g > 0 else p + self._lr), state


class Watched(nn.SGD):
    def step(self):
        self.seen = [p.grad for p in self.parameters]
        super().step()


@with_backends
def test_optimizers_of_ones_own(backend):
    w = Value(1.0)
    loss = sg.compile(lambda x: w * x, backend=backend)
    with loss.training(Signs([w], lr=0.25)) as step:
        step([3.0])
        step([-3.0])
        step([5.0])
    assert w.data == 0.75
    watched = Watched([w], lr=0.25)
    with loss.training(watched) as step:
        step([2.0])
    assert (w.data, watched.seen) == (0.25, [2.0])
    branching = Branching([w], lr=0.25)
    with loss.training(branching) as step:
        if backend == "python":
            step([3.0])
            step([-3.0])
            assert w.data == 0.25
        else:
            with pytest.raises(ValueError, match="the rule of Branching compares numbers.*use backend='python'"):
                step([3.0])


@with_backends
@pytest.mark.parametrize(
    ("optimizer", "error", "message"),
    [
        (lambda w, v: object(), TypeError, r"training takes an optimizer of scalargrad.nn, .* not object"),
        (lambda w, v: None, TypeError, "training takes an optimizer of scalargrad.nn, .* not NoneType"),
        (lambda w, v: nn.SGD([v]), ValueError, "trains 1 parameters, .* gradients of 1, and 0 are the same: give both"),
        (lambda w, v: nn.SGD([w, v]), ValueError, "trains 2 parameters, .* gradients of 1, and 1 are the same"),
    ],
)
def test_foreign_optimizers(optimizer, error, message, backend):
    w, v = Value(1.0), Value(2.0)
    loss = sg.compile(lambda x: w * x, backend=backend)

    def train():
        with loss.training(optimizer(w, v)) as step:
            step([1.0])

    with pytest.raises(error, match=message):
        train()
    assert (w.data, v.data, w.grad) == (1.0, 2.0, 0.0)


@with_backends
def test_batches_of_another_structure(backend):
    w = Value(1.0)
    loss = sg.compile(lambda x: sg.sum(x) * w, backend=backend)
    with loss.training(nn.SGD([w], lr=1.0)) as step:
        assert step([[1.0, 1.0]]) == 2.0
        assert step([[1.0, 1.0, 1.0]]) == -3.0
        with pytest.raises(ValueError, match="argument 0 has 2 samples but argument 1 has 1"):
            step([[1.0, 1.0], [1.0, 1.0]], [1.0])
    assert w.data == -4.0


@with_backends
def test_an_array_that_was_resized_or_reshaped_is_looked_at_again(backend):
    w = Value(1.0)
    rows = np.arange(6.0).reshape(3, 2)
    with sg.compile(lambda x: w * x[0], parameters=[w], backend=backend).training(nn.SGD([w], lr=0.0)) as step:
        assert step(rows) == 2.0
        rows.resize((2, 3), refcheck=False)
        assert step(rows) == 1.5
    many = np.ones(1000)
    with sg.compile(lambda x: w * x, parameters=[w], backend=backend).training(nn.SGD([w], lr=0.0)) as step:
        step(many)
        many.resize(3, refcheck=False)
        many[:] = 5.0
        assert step(many) == 5.0
        many.resize(100_000, refcheck=False)
        many.resize(3, refcheck=False)  # of the same size as before, elsewhere
        many[:] = 7.0
        assert step(many) == 7.0


@with_backends
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "value"), [("strides", (32, 8)), ("dtype", np.int64)])
def test_an_array_that_is_read_otherwise_is_looked_at_again(name, value, backend):
    w, whole = Value(1.0), np.arange(8.0).reshape(4, 2)
    rows = whole[:2]
    with sg.compile(lambda x: w * x[0], parameters=[w], backend=backend).training(nn.SGD([w], lr=0.0)) as step:
        assert step(rows) == 1.0
        setattr(rows, name, value)
        assert step(rows) == float(rows[:, 0].mean()) != 1.0


@with_backends
def test_a_training_that_has_ended_refuses_further_steps(backend):
    w = Value(1.0)
    with sg.compile(lambda x: w * x, parameters=[w], backend=backend).training(nn.SGD([w], lr=0.1)) as step:
        step([1.0])
    before = w.data
    with pytest.raises(ValueError, match="this training ended"):
        step([1.0])
    assert w.data == before


def test_minibatches_cut_from_arrays_are_read_anew_each_time():
    """Cut once or for each step, in the same memory with other numbers, and more of them than are known again."""
    x = np.arange(1200.0).reshape(600, 2) % 7.0 - 3.0
    y = x[:, 0] * 0.5 - x[:, 1]
    cut = [(x[i : i + 2], y[i : i + 2]) for i in range(0, 600, 2)]

    def trained(batches):
        ws = [Value(0.3), Value(-0.2)]
        loss = sg.compile(lambda v, t: (sg.dot(ws, v) - t) ** 2, parameters=ws)
        with loss.training(nn.SGD(ws, lr=0.01)) as step:
            for epoch in range(3):
                x[:, 1] += epoch
                losses = [step(*batch) for batch in batches()]
                x[:, 1] -= epoch
        return losses, [w.data for w in ws]

    again = trained(lambda: [(np.array(a), np.array(b)) for a, b in cut])
    assert trained(lambda: cut) == again
    assert trained(lambda: [(x[i : i + 2], y[i : i + 2]) for i in range(0, 600, 2)]) == again


@with_backends
def test_a_loss_that_refers_to_its_optimizer_is_refused_as_its_numbers_change_with_every_step(backend):
    w = Value(2.0)
    optimizer = nn.SGD([w], lr=0.1)

    def decayed(x):
        return (w * x) ** 2 * optimizer.lr

    for fn in (decayed, lambda x: decayed(x) + 1.0):
        with (
            sg.compile(fn, parameters=[w], backend=backend).training(optimizer) as step,
            pytest.raises(ValueError, match="decayed refers to the optimizer that trains it, SGD"),
        ):
            step([1.0])
    assert (w.data, optimizer.steps) == (2.0, 0)
