"""Parts of a loss that turn out to be the same for all samples: a batch adds them up as the eager engine does."""

import random

import pytest
from compiling_helpers import agrees, eager_batch, with_backends
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn

XS = [1.0, 2.0, 3.0]


@with_backends
def test_a_polynomial_whose_first_term_does_not_depend_on_the_sample(backend):
    a, b = Value(0.7), Value(1.3)
    loss = sg.compile(lambda x: sum(c**2 * x**k for k, c in enumerate([a, b])), parameters=[a, b], backend=backend)
    value, gradients = loss.value_and_grad(XS)
    assert value == pytest.approx(3.87, rel=1e-15)  # .49 + 1.69 * 2
    assert gradients == pytest.approx([1.4, 5.2], rel=1e-15)
    assert loss.values(XS) == pytest.approx([2.18, 3.87, 5.56], rel=1e-15)


def random_polynomial(seed):
    """A function of (x, y) and two parameters, of powers from 0 to 3 and factors that may vanish, and its parameters."""
    rng = random.Random(seed)
    parameters = [Value(rng.uniform(0.5, 1.5)) for _ in range(2)]
    plan = [
        (rng.randrange(6), [rng.randrange(4) for _ in range(4)], rng.choice([0.0, 1.0, -1.0, 2.0, 0.5]))
        for _ in range(rng.randrange(1, 5))
    ]

    def term(x, y, kind, powers, factor):
        k, m, p, q = powers
        w, v = parameters
        if kind == 0:
            return w**p * x**k
        if kind == 1:
            return factor * x**k * y**m
        if kind == 2:
            return (x / x if k == 0 else x) ** m * v**q
        if kind == 3:
            return (x - x) * w if m else sg.relu(x**0 - w)
        if kind == 4:
            return sg.maximum(x**k, factor) * v + w**p
        return sg.sqrt(x * 0.0 + v * v) * y ** (0 if m else 1)

    def fn(x, y):
        total = sum(term(x, y, *one) for one in plan)
        if rng_guard and total > -1e9:
            return total * factor_at_end
        return total

    rng_guard, factor_at_end = rng.random() < 0.5, rng.choice([1.0, 1.0, 0.0, 2.0])
    return fn, parameters


@has_full_size
@with_backends
@settings(deadline=None, max_examples=size(20, 60))
@given(seed=st.integers(0, 10**6), n=st.integers(1, 19), reduction=st.sampled_from(["mean", "sum"]))
def test_random_polynomials_over_batches(backend, seed, n, reduction):
    fn, parameters = random_polynomial(seed)
    rng = random.Random(seed)
    batch = [[rng.uniform(0.5, 2.0) for _ in range(n)] for _ in range(2)]
    loss = sg.compile(fn, parameters=parameters, backend=backend, reduction=reduction)

    def on_values(x, y):
        root = fn(Value(x, requires_grad=False), Value(y, requires_grad=False))
        return root + 0.0 * parameters[0]

    agrees(loss.value_and_grad(*batch), eager_batch(on_values, batch, parameters, reduction), 1e-12)
    wanted = [float(on_values(x, y).data) for x, y in zip(*batch, strict=True)]
    assert loss.values(*batch) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


class Fixed(nn.Optimizer):
    """Moves every parameter to the same number, whatever its gradient."""

    def __init__(self, parameters):
        super().__init__(parameters, 0.25)

    def update(self, p, g, state):
        return self._lr * 1.0 + p**0, state


@with_backends
def test_an_optimizer_whose_rule_does_not_depend_on_the_parameter(backend):
    a, b = Value(0.7), Value(1.3)
    loss = sg.compile(lambda x: a * x + b, parameters=[a, b], backend=backend)
    with loss.training(Fixed([a, b])) as step:
        step(XS)
        assert step(XS) == pytest.approx(1.25 * 2 + 1.25)
    assert (a.data, b.data) == (1.25, 1.25)
