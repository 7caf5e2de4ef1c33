"""At poles and outside domains, of every op: a compiled function raises or gives what the function itself does.

llvm and jax raise nothing: where eager code raises, they give what it gives by the rules of IEEE arithmetic.
"""

import contextlib
import itertools
import math
import random
from array import array

import pytest
from compiling_helpers import needs_llvm, same, with_backends
from optional import optional
from sizes import size

import scalargrad as sg
from scalargrad import BranchError, Value
from scalargrad.node.mode import in_mode
from scalargrad.node.structures import flatten
from scalargrad.strategies import call
from scalargrad.table import HARD, TABLE

jax = optional("jax")
OPS = [op for op in TABLE.values() if not op.is_users]
HARD_NUMBERS = [0.0, -0.0, 0.5, 1.0, -1.0, 2.0, 3.0, 800.0, -800.0, math.inf, -math.inf, math.nan]
ORDINARY = (0.3, 1.7)
SHAPES = {
    "several outputs": lambda f: lambda v: [sg.sum(v), f(v), {"twice": f(v) * 2}],
    "value and gradient": sg.value_and_grad,
    "gradient, then value": lambda f: lambda v: (sg.grad(f)(v), f(v)),
}


def outcome(function):
    """The numbers, or the error as (kind, first line)."""
    try:
        return [x.data if isinstance(x, Value) else float(x) for x in flatten(function())[0]]
    except (*HARD, IndexError) as error:
        return type(error), str(error).splitlines()[0]


def by_ieee(function):
    with in_mode(follows_ieee=True):
        return outcome(function)


def agree(found, expected, tolerance):
    if isinstance(found, tuple) or isinstance(expected, tuple):
        return found == expected
    return all(same(x, y) or abs(x - y) <= tolerance * abs(y) for x, y in zip(found, expected, strict=True))


@pytest.mark.filterwarnings("ignore:.*the gradient is nan")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("backend", ["python", pytest.param("llvm", marks=needs_llvm), "jax"])
def test_every_output_is_that_of_the_function_itself(shape, backend):
    if backend == "jax":
        assert jax.numpy  # skips where it is not installed
    rng = random.Random(0)
    raised = 0
    for op in OPS if backend != "jax" else OPS[::4]:
        n = op.arity or (4 if op.pair is not None else 3)
        fn = SHAPES[shape](lambda v, op=op: call(op, v))
        compiled = sg.compile(fn, backend=backend)
        for start in ORDINARY:
            with contextlib.suppress(*HARD, IndexError):
                compiled([start] * n)
        points = list(itertools.product(HARD_NUMBERS, repeat=n))
        for xs in map(list, rng.sample(points, min(30, len(points)))):
            expected = outcome(lambda xs=xs, fn=fn: fn([Value(x) for x in xs]))
            raised += isinstance(expected, tuple)
            if backend != "python" and isinstance(expected, tuple):
                expected = by_ieee(lambda xs=xs, fn=fn: fn([Value(x) for x in xs]))
            found = outcome(lambda xs=xs, compiled=compiled: compiled(xs))
            assert agree(found, expected, 1e-12 if backend == "jax" else 0.0), (op, xs, found, expected)
    assert raised > 5


def test_bind_too():
    x, out = array("d", [4.0]), array("d", [0.0, 0.0])
    step = sg.compile(lambda v: [v[0], sg.log(v[0])], backend="python").bind(x, out)
    step()
    x[0] = 0.0
    with pytest.raises(ValueError, match="log: domain error at 0.0"):
        step()
    assert out.tolist() == [4.0, math.log(4.0)]


def test_a_comparison_of_what_raises_raises_too():
    compiled = sg.compile(lambda x: x if sg.log(x) > 0 else -x, backend="python")
    assert compiled(0.5) == -0.5
    with pytest.raises(ValueError, match="log: domain error at 0.0"):
        compiled(0.0)


@pytest.mark.parametrize("backend", ["python", pytest.param("llvm", marks=needs_llvm)])
def test_gradients_of_replays_and_programs_follow_ieee(backend):
    w = Value(4.0)
    loss = sg.replay(lambda: sg.sqrt(w), backend=backend)
    program = sg.record(sg.sqrt(w), inputs=[w], backend=backend)
    assert loss().data == program.forward() == 2.0
    w.data = 0.0
    root = loss()
    assert (root.data, sg.grad(root, w)) == (0.0, math.inf)
    assert program.value_and_grad([0.0]) == (0.0, [math.inf])


# -------------------------------------------------------------------- the masked form of one way among several


def rising_or_falling(w, v):
    """A loss whose gradient is nan at x = 0 but for its masks, with a way for each sign of w * y."""

    def loss(x, y):
        s = sg.where(sg.greater(x, 0.0), sg.sqrt(sg.maximum(x * w * w, 0.0)), w * x)
        if w * y > 0:
            return s * w + w, [w * 1.0, x]
        return s + 1000.0 * v * w, [s, v, v * x]

    return loss


@with_backends
@pytest.mark.parametrize("branches", ["raise", "record"])
@pytest.mark.parametrize("first", [1.0, -1.0])
def test_masks_are_those_of_the_way_that_was_recorded(first, branches, backend):
    """Whatever way the numbers of the moment would take: a nan is met later than the recording."""
    rng = random.Random(f"{first} {branches}")
    for _ in range(size(6, 40)):
        w, v = Value(1.0), Value(5.0)
        loss = rising_or_falling(w, v)
        f = sg.compile(loss, parameters=[w, v], backend=backend, branches=branches, has_aux=True)
        f.value_and_grad([1.0], [first])
        for _ in range(6):
            w.data = rng.choice([-1.5, -1.0, 1.0, 2.0])
            samples = [(rng.choice([0.0, 1.0, -1.0]), rng.choice([1.0, -1.0])) for _ in range(rng.randint(1, 4))]
            X, Y = map(list, zip(*samples, strict=True))
            w.grad = v.grad = 0.0
            results = [loss(x, y) for x, y in samples]
            total = sum(result for result, _ in results) * (1 / len(samples))
            total.backward()
            wanted = [[x.data if isinstance(x, Value) else x for x in aux] for _, aux in results]
            try:
                (found, aux), gradients = f.value_and_grad(X, Y)
            except BranchError:
                assert branches == "raise"
                assert any((w.data * y > 0) != (first > 0) for y in Y)
                continue
            assert [found, *gradients] == pytest.approx([total.data, w.grad, v.grad], rel=1e-12)
            assert aux == wanted


@with_backends
def test_what_cannot_be_seen_to_change_stays_as_it_was_recorded_where_there_are_masks(backend):
    w, factors = Value(1.0), [1.0] * 10_001  # too many to be looked through
    f = sg.compile(
        lambda x: sg.where(sg.greater(x, 0.0), sg.sqrt(sg.maximum(x * w, 0.0)), w * x) * factors[7],
        parameters=[w], backend=backend,
    )  # fmt: skip
    assert f.value_and_grad([4.0]) == (2.0, [1.0])
    factors[7] = 100.0
    assert f.value_and_grad([4.0, 0.0]) == (1.0, [0.5])
