"""Optimizers, clipping and schedules do what the published formulas say, in exact or high-precision arithmetic."""

import gc
import math
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import mpmath

from scalargrad import Value, nn
from scalargrad.nn.descent.optimizers import OPTIMIZERS

mpf = mpmath.mpf
grads_ = st.lists(st.floats(-10, 10), min_size=1, max_size=6)

# Each oracle takes a list of gradients, one for each step, and the start, and returns where the parameter ends. They
# follow the algorithms in PyTorch's documentation, which write bias-corrected averages m_hat and v_hat out.


def sgd(gs, p, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    b = None
    for g in gs:
        g = g + weight_decay * p
        if momentum:
            b = g if b is None else momentum * b + g
            g = g + momentum * b if nesterov else b
        p = p - lr * g
    return p


def adagrad(gs, p, lr, eps=1e-10, weight_decay=0.0):
    s = 0
    for g in gs:
        g = g + weight_decay * p
        s += g**2
        p = p - lr * g / (mpmath.sqrt(s) + eps)
    return p


def rmsprop(gs, p, lr, alpha=0.99, eps=1e-8, momentum=0.0, weight_decay=0.0):
    alpha, v, b = mpf(alpha), 0, 0
    for g in gs:
        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g**2
        b = momentum * b + g / (mpmath.sqrt(v) + eps)
        p = p - lr * b
    return p


def adam(gs, p, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    beta1, beta2 = map(mpf, betas)
    m = v = 0
    for t, g in enumerate(gs, start=1):
        if decoupled:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        p = p - lr * m_hat / (mpmath.sqrt(v_hat) + eps)
    return p


def adamw(gs, p, lr, weight_decay=0.01, **kwargs):
    return adam(gs, p, lr, weight_decay=mpf(weight_decay), decoupled=True, **kwargs)


@pytest.mark.parametrize(
    ("kind", "oracle", "settings"),
    [
        (nn.SGD, sgd, {}),
        (nn.SGD, sgd, {"momentum": 0.9}),
        (nn.SGD, sgd, {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1}),
        (nn.Adagrad, adagrad, {}),
        (nn.Adagrad, adagrad, {"weight_decay": 0.1}),
        (nn.RMSprop, rmsprop, {}),
        (nn.RMSprop, rmsprop, {"alpha": 0.5, "momentum": 0.9, "weight_decay": 0.1}),
        (nn.Adam, adam, {}),
        (nn.Adam, adam, {"betas": (0.5, 0.75), "weight_decay": 0.1}),
        (nn.AdamW, adamw, {}),
        (nn.AdamW, adamw, {"weight_decay": 0.3, "betas": (0.5, 0.9)}),
    ],
)
@given(gs=grads_, start=st.floats(-5, 5), lr=st.floats(1e-3, 0.5))
def test_each_optimizer_follows_its_formula(kind, oracle, settings, gs, start, lr):
    p = Value(start)
    optimizer = kind([p], lr=lr, **settings)
    for g in gs:
        p.grad = g
        optimizer.step()
    with mpmath.workdps(50):
        expected = oracle([mpf(g) for g in gs], mpf(start), mpf(lr), **settings)
    assert p.data == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
    assert optimizer.steps == len(gs)


def test_each_parameter_has_its_own_state_and_moves_once():
    p, q, frozen = Value(1.0), Value(1.0), Value(1.0, requires_grad=False)
    optimizer = nn.SGD([p, q, p, frozen], lr=1.0, momentum=0.5, weight_decay=0.0)
    p.grad, q.grad, frozen.grad = 1.0, 2.0, 3.0
    optimizer.step()
    optimizer.step()
    assert optimizer.parameters == [p, q, frozen]
    assert (p.data, q.data, frozen.data) == (1 - 1 - 1.5, 1 - 2 - 3.0, 1.0)
    optimizer.zero_grad()
    assert p.grad == q.grad == 0.0


def test_lr_can_be_set_between_steps():
    p = Value(0.0)
    optimizer = nn.Adam([p], lr=1.0)
    p.grad = 1.0
    optimizer.step()
    optimizer.lr = 0.0
    optimizer.step()
    assert p.data == pytest.approx(-1.0, rel=1e-6)


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_weight_decay_is_what_was_given_and_can_be_set_between_steps(kind):
    first, second = (kind([Value(2.0)], lr=0.5, weight_decay=decay) for decay in (0.25, 0.0))
    assert first.weight_decay == first.state_dict()["settings"]["weight_decay"] == 0.25
    second.weight_decay = 0.25
    for optimizer in (first, second):
        optimizer.parameters[0].grad = 1.0
        optimizer.step()
    assert first.parameters[0].data == second.parameters[0].data


def test_gradients_of_nan_and_infinity_are_used_as_they_are():
    for kind in (nn.SGD, nn.Adagrad, nn.RMSprop, nn.Adam, nn.AdamW):
        p, q, r = Value(1.0), Value(1.0), Value(1.0)
        p.grad, q.grad, r.grad = math.nan, 1.0, 1e300
        kind([p, q, r], lr=0.1).step()
        assert math.isnan(p.data)
        assert math.isfinite(q.data)
    p.grad = math.inf
    p.data = 1.0
    nn.SGD([p], lr=0.1).step()
    assert p.data == -math.inf


class Failing(nn.SGD):
    def update(self, p, g, state):
        if g == 13.0:
            raise RuntimeError("unlucky")
        return super().update(p, g, state)


def test_a_step_that_fails_changes_nothing():
    p, q = Value(1.0), Value(2.0)
    optimizer = Failing([p, q], lr=0.1, momentum=0.9)
    p.grad, q.grad = 1.0, 13.0
    with pytest.raises(RuntimeError):
        optimizer.step()
    q.grad = 1.0
    assert (p.data, q.data, optimizer.steps) == (1.0, 2.0, 0)
    optimizer.step()
    assert (p.data, q.data) == (0.9, 1.9)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timer")
def test_an_interrupt_falls_before_a_step_or_after_it():
    parameters = [Value(0.0) for _ in range(300)]
    for p in parameters:
        p.grad = -1.0
    optimizer = nn.SGD(parameters, lr=1.0)
    optimizer.warns = False  # of steps that all use the same gradients

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # what is raised while a callback of the collector's runs is dropped
    try:
        for k in range(200):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-4 + 7e-6 * k)
                while True:
                    optimizer.step()
            except KeyboardInterrupt:
                assert {p.data for p in parameters} == {float(optimizer.steps)}
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_snapshot_puts_everything_back():
    p = Value(1.0)
    optimizer = nn.Adam([p], lr=0.1)
    p.grad = 1.0
    optimizer.step()
    restore = optimizer.snapshot()
    optimizer.step()
    after_two = p.data
    restore()
    assert (optimizer.steps, p.data != after_two) == (1, True)
    optimizer.step()
    assert p.data == after_two


def test_repr_names_the_settings():
    assert repr(nn.SGD([Value(1.0)], lr=0.1, momentum=0.9)) == "SGD(1 parameters, lr=0.1, momentum=0.9)"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: nn.SGD([]), ValueError, "SGD has no parameters to train"),
        (lambda: nn.SGD([Value(1.0) * 2]), ValueError, "was computed from others: only leaves"),
        (lambda: nn.SGD([1.0]), TypeError, "parameter 0 must be a Value, not float"),
        (lambda: nn.SGD(Value(1.0)), TypeError, "takes a list of parameters"),
        (lambda: nn.SGD([Value(1.0)], lr=-1), ValueError, "lr must be at least 0 and finite, not -1.0"),
        (lambda: nn.SGD([Value(1.0)], lr=math.nan), ValueError, "lr must be"),
        (lambda: nn.SGD([Value(1.0)], lr="1"), TypeError, "not str"),
        (lambda: nn.SGD([Value(1.0)], momentum=1.0), ValueError, "momentum must be at least 0 and below 1"),
        (lambda: nn.SGD([Value(1.0)], nesterov=True), ValueError, "nesterov .* needs one"),
        (lambda: nn.Adam([Value(1.0)], betas=(0.9, 1.0)), ValueError, "the second of betas"),
        (lambda: nn.Adam([Value(1.0)], eps=0.0), ValueError, "eps .* must be positive"),
        (lambda: nn.clip_grad_norm([Value(1.0)], 0.0), ValueError, "max_norm must be positive"),
        (lambda: nn.clip_grad_value([Value(1.0)], -1.0), ValueError, "max_value must be positive"),
        (lambda: nn.linear_lr(1.0, 0.1, 0), ValueError, "steps must be at least 1"),
        (lambda: nn.cosine_lr(-1.0, 10), ValueError, "start must be finite and not negative"),
        (lambda: nn.step_lr(1.0, 2.5), TypeError, "every must be an integer"),
        (lambda: nn.exponential_lr(1.0, math.inf), ValueError, "factor must be finite"),
    ],
)
def test_errors_say_what_was_given_and_what_to_do(call, error, text):
    with pytest.raises(error, match=text):
        call()


# -------------------------------------------------------------------- clipping


def with_grads(gs):
    parameters = [Value(0.0) for _ in gs]
    for p, g in zip(parameters, gs, strict=True):
        p.grad = g
    return parameters


@given(grads_, st.floats(0.01, 30))
def test_clip_grad_norm(gs, limit):
    parameters = with_grads(gs)
    norm = nn.clip_grad_norm(parameters, limit)
    exact = math.sqrt(math.fsum(g * g for g in gs))
    assert norm == pytest.approx(exact, rel=1e-12, abs=1e-150)
    scale = min(1.0, limit / (exact + 1e-6))
    assert [p.grad for p in parameters] == pytest.approx([g * scale for g in gs], rel=1e-12)


def test_clip_grad_norm_of_nan_and_of_a_shared_parameter():
    parameters = with_grads([math.nan, 1.0])
    assert math.isnan(nn.clip_grad_norm(parameters, 1.0))
    assert all(math.isnan(p.grad) for p in parameters)
    (p,) = with_grads([10.0])
    nn.clip_grad_norm([p, p], 1.0)
    assert p.grad == pytest.approx(1.0, rel=1e-6)


def test_clip_grad_value():
    parameters = with_grads([-3.0, -0.5, 2.0, math.inf, math.nan])
    nn.clip_grad_value(parameters, 1.0)
    assert [p.grad for p in parameters[:4]] == [-1.0, -0.5, 1.0, 1.0]
    assert math.isnan(parameters[4].grad)


# -------------------------------------------------------------------- schedules


@given(st.integers(0, 300))
def test_schedules_follow_their_formulas(k):
    assert nn.constant_lr(0.1)(k) == 0.1
    assert nn.linear_lr(1.0, 0.1, 100)(k) == (1.0 - 0.9 * k / 100 if k < 100 else 0.1)
    assert nn.step_lr(2.0, 10, 0.5)(k) == 2.0 / 2 ** (k // 10)
    assert nn.exponential_lr(2.0, 0.5)(k) == 2.0 / 2**k
    assert nn.inverse_time_lr(2.0, 0.5)(k) == 2.0 / (1 + k / 2)
    cosine = 0.25 + 0.75 * math.cos(math.pi / 2 * min(k, 200) / 200) ** 2
    assert nn.cosine_lr(1.0, 200, end=0.25)(k) == pytest.approx(cosine, rel=1e-12)


@pytest.mark.parametrize("schedule", [nn.exponential_lr(1.0, 1e200), nn.step_lr(1.0, 1, 10)])
def test_a_learning_rate_that_grows_beyond_floats_is_refused_as_one(schedule):
    with pytest.raises(ValueError, match="lr must be at least 0 and finite, not inf"):
        nn.SGD([Value(1.0)], lr=schedule(400))
