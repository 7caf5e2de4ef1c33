"""Adam counts the steps of each parameter by itself, as PyTorch does: a parameter unfrozen late begins at step 1."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import mpmath
from sizes import has_full_size, only_long

import scalargrad
from scalargrad import Value, nn

BACKENDS = ["eager", "python", "llvm"]
KINDS = {
    "SGD": {"lr": 0.03, "momentum": 0.9, "weight_decay": 0.01},
    "Adagrad": {"lr": 0.05, "weight_decay": 0.01},
    "RMSprop": {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.01},
    "Adam": {"lr": 0.02, "weight_decay": 0.01},
    "AdamW": {"lr": 0.02, "weight_decay": 0.05},
}
STARTS, TARGETS = [1.0, -2.0, 0.5, 3.0], [[0.3, 1.1, -0.7, 0.2], [0.9, -0.4, 0.8, -1.5]]


class Run:
    """Parameters p that follow the mean of (p - target)**2 over a batch, eager or compiled; those frozen are still."""

    def __init__(self, kind, how, frozen):
        self.parameters = [Value(x, parameter=True) for x in STARTS]
        for i in frozen:
            self.parameters[i].requires_grad = False
        self.optimizer = getattr(nn, kind)(self.parameters, **KINDS[kind])
        self.how = how

    def loss(self, row):
        return scalargrad.sum([(p - x) ** 2 for p, x in zip(self.parameters, row, strict=True)])

    def steps(self, n):
        if self.how == "eager":
            for _ in range(n):
                self.optimizer.zero_grad()
                scalargrad.mean([self.loss(row) for row in TARGETS]).backward()
                self.optimizer.step()
        elif n:
            f = scalargrad.compile(self.loss, parameters=self.parameters, backend=self.how)
            with f.training(self.optimizer) as step:
                for _ in range(n):
                    step(TARGETS)

    def unfreeze(self, *indices):
        for i in indices:
            self.parameters[i].requires_grad = True

    def numbers(self):
        return [p.data for p in self.parameters]


@cache
def by_torch(kind, schedule):
    """The parameters after each part of a schedule of (who is unfrozen first, how many steps), computed by PyTorch."""
    torch = pytest.importorskip("torch")
    parameters = [torch.tensor(x, dtype=torch.float64, requires_grad=False) for x in STARTS]
    optimizer = getattr(torch.optim, kind)(parameters, **KINDS[kind])
    targets = torch.tensor(TARGETS, dtype=torch.float64)
    found = []
    for free, n in schedule:
        for i in free:
            parameters[i].requires_grad_(True)
        for _ in range(n):
            optimizer.zero_grad()
            total = sum(((p - targets[:, i]) ** 2).mean() for i, p in enumerate(parameters) if p.requires_grad)
            total.backward()
            optimizer.step()
        found.append([p.item() for p in parameters])
    return found


def needs(how):
    if how == "llvm":
        pytest.importorskip("llvmlite")


VERY_LATE = has_full_size, only_long
LATE = [pytest.param(kind, late, id=f"{late}-{kind}") for kind in KINDS for late in (1, 5, 100)] + [
    # Without a bias correction 100 steps are as good.
    pytest.param(kind, 5000, id=f"5000-{kind}", marks=VERY_LATE) for kind in KINDS if kind.startswith("Adam")
]  # fmt: skip


@pytest.mark.parametrize("how", BACKENDS)
@pytest.mark.parametrize(("kind", "late"), LATE)
def test_parameters_unfrozen_late_move_as_in_pytorch(kind, how, late):
    needs(how)
    schedule = (((0, 2), late), ((1,), 3), ((3,), 40))
    run = Run(kind, how, frozen=(1, 3))
    for (free, n), expected in zip(schedule, by_torch(kind, schedule), strict=True):
        run.unfreeze(*free)
        run.steps(n)
        assert run.numbers() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("how", BACKENDS)
@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
@pytest.mark.parametrize("late", [1, 5, 100, 5000])
def test_the_first_steps_of_an_unfrozen_parameter_by_the_formula(kind, how, late):
    """In 50 digits, where no torch is needed; a first step goes just lr, but for eps and decay."""
    needs(how)
    run = Run(kind, how, frozen=(1,))
    run.steps(late)
    run.unfreeze(1)
    with mpmath.workdps(50):
        lr, decay = mpmath.mpf(KINDS[kind]["lr"]), mpmath.mpf(KINDS[kind]["weight_decay"])
        p, m, s = mpmath.mpf(STARTS[1]), mpmath.mpf(0), mpmath.mpf(0)
        for t in range(1, 4):
            g = 2 * (p - (mpmath.mpf(TARGETS[0][1]) + mpmath.mpf(TARGETS[1][1])) / 2)
            if kind == "Adam":
                g += decay * p
            else:
                p *= 1 - lr * decay
            beta1, beta2 = mpmath.mpf(0.9), mpmath.mpf(0.999)
            m, s = beta1 * m + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
            p -= lr * (m / (1 - beta1**t)) / (mpmath.sqrt(s / (1 - beta2**t)) + mpmath.mpf(1e-8))
            run.steps(1)
            assert run.numbers()[1] == pytest.approx(float(p), rel=1e-12)
    assert run.optimizer._counts == [late + 3, 3, late + 3, late + 3]
    assert run.optimizer.steps == late + 3


def test_a_parameter_unfrozen_after_100_steps_moves_by_lr():
    run = Run("Adam", "eager", frozen=(1,))
    run.steps(100)
    run.unfreeze(1)
    run.steps(1)
    assert abs(run.numbers()[1] - STARTS[1]) / 0.02 == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["python", "llvm"])
@settings(max_examples=5)
@given(
    parts=st.lists(st.tuples(st.sets(st.integers(0, 3)), st.integers(0, 6)), min_size=1, max_size=4),
    frozen=st.sets(st.integers(0, 3), max_size=3),
)
def test_any_order_of_freezing_is_the_same_compiled_and_eager(kind, how, parts, frozen):
    """The python backend steps by the very code of the eager loop; machine code may round gradients otherwise."""
    needs(how)
    eager, compiled = Run(kind, "eager", frozen), Run(kind, how, frozen)
    for changed, n in parts:
        for run in (eager, compiled):
            for i in changed:
                p = run.parameters[i]
                p.requires_grad = not p.requires_grad
        if any(p.requires_grad for p in eager.parameters):
            eager.steps(n)
            compiled.steps(n)
            assert compiled.numbers() == pytest.approx(eager.numbers(), rel=1e-12, abs=1e-13)
            assert compiled.optimizer._counts == eager.optimizer._counts
            assert compiled.optimizer.steps == eager.optimizer.steps


@pytest.mark.parametrize("compiled", [False, "python", "llvm"])
def test_unfreezing_in_a_callback_of_fit(compiled):
    needs(compiled)

    def trained(compiled):
        model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
        for p in model.layers[0].parameters():
            p.requires_grad = False

        def callback(epoch, history):
            if epoch == 7:
                for p in model.layers[0].parameters()[:4]:
                    p.requires_grad = True

        optimizer = nn.Adam(model, lr=0.01)
        X, Y = [[0.0, 1.0], [1.0, 0.5], [-1.0, 2.0]], [1.0, -1.0, 0.5]
        nn.fit(
            model,
            X,
            Y,
            loss="mse",
            optimizer=optimizer,
            epochs=12,
            progress=False,
            compiled=compiled,
            callback=callback,
        )
        return list(model.state_dict().values()), optimizer._counts

    numbers, counts = trained(compiled)
    expected, by_hand = trained(False)
    assert counts == by_hand == [5] * 4 + [0] * 5 + [12] * 4
    assert numbers == pytest.approx(expected, rel=1e-12)


def test_an_inf_loss_puts_the_counts_back():
    for compiled in (False, "python", "llvm"):
        needs(compiled)
        w, b = Value(1.0, parameter=True), Value(0.0, parameter=True)
        optimizer = nn.Adam([w, b], lr=0.1)
        b.requires_grad = False
        nn.fit(lambda x, w=w, b=b: w * x[0] + b, [1.0, 2.0], [1.0, 1.5], loss="mse", optimizer=optimizer, epochs=3,
               progress=False, compiled=compiled)  # fmt: skip
        b.requires_grad = True
        before = w.data, b.data
        with pytest.raises(nn.DivergenceError):
            nn.fit(lambda x, w=w, b=b: w * x[0] + b, [1.0, 2.0], [1.0, 1.5], loss="mse", optimizer=optimizer, epochs=3,
                   schedule=lambda k: 1e308 if k == 1 else 0.1, penalty=lambda ps: (ps[0] * 1e5) ** 4, progress=False,
                   compiled=compiled)  # fmt: skip
        assert (optimizer.steps, optimizer._counts) == (4, [4, 1])
        assert (w.data, b.data) != before
        assert math.isfinite(w.data)
