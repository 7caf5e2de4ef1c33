"""A function compiled at one point gives what it gives eagerly, in its structure and to the last bit, or is refused in words."""

import gc
import math
import random
import threading
import weakref
from fractions import Fraction
from typing import NamedTuple

import pytest
from compiling_helpers import all_same, points, random_function, same, with_backends
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value
from scalargrad.compiling import Compiled
from scalargrad.node.structures import flatten, skeleton
from scalargrad.strategies import expressions

SEEDS = range(60)


def equal_trees(a, b):
    assert skeleton(a) == skeleton(b)
    xs, ys = flatten(a)[0], flatten(b)[0]
    assert all(type(x) is float for x in xs)
    all_same(xs, [y.data if isinstance(y, Value) else float(y) for y in ys])


# -------------------------------------------------------------------- the same numbers

TRANSFORMS = {
    "itself": lambda f: f,
    "grad": sg.grad,
    "value_and_grad": sg.value_and_grad,
    "hessian": sg.hessian,
    "jacobian of the gradient": lambda f: sg.jacobian(sg.grad(f)),
    "value, gradient and a constant": lambda f: lambda v: {"f": f(v), "g": (sg.grad(f)(v), 3), "v": v, "e": []},
}


@with_backends
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_compiled_function_gives_what_the_function_gives(transform, backend):
    for seed in SEEDS:
        f = random_function(seed, operations=8)
        fn = transform(lambda v, f=f: f(*v))
        compiled = sg.compile(fn, backend=backend)
        for xs in points(seed, 3, 4):
            # grad on Values, as they are recorded: on plain numbers `fn` may need no graph.
            expected = fn([Value(x) for x in xs])
            if all(math.isfinite(x.data if isinstance(x, Value) else x) for x in flatten(expected)[0]):
                equal_trees(compiled(xs), expected)
            if transform in (sg.grad, sg.value_and_grad):
                plain = fn(xs)
                if all(map(math.isfinite, flatten(plain)[0])):
                    all_same(flatten(compiled(xs))[0], flatten(plain)[0])


@pytest.mark.filterwarnings("ignore:.*the gradient is nan")
@settings(max_examples=60)
@given(expressions(inputs=2), st.tuples(st.floats(-4, 4), st.floats(-4, 4)))
def test_expressions_over_the_whole_table(expression, point):
    compiled = sg.compile(sg.value_and_grad(lambda v: expression(*v)), backend="python")
    for xs in (expression.inputs, point):
        value, gradient = sg.value_and_grad(lambda v: expression(*v))(list(xs))
        if math.isfinite(value) and all(map(math.isfinite, gradient)):
            equal_trees(compiled(list(xs)), (value, gradient))


class Pair(NamedTuple):
    left: float
    right: float


@with_backends
@pytest.mark.parametrize(
    ("fn", "first", "second"),
    [
        (lambda x: x * x, 2.0, 3.0),
        (lambda x: [x, x * 2], 2.0, 3.0),
        (lambda x: [[x, 1.0], [x * 2, x * 3]], 2.0, 3.0),
        (lambda x: [[x], [x, x]], 2.0, 3.0),
        (lambda x: [[x], 7.0], 2.0, 3.0),
        (lambda x: [[], [x]], 2.0, 3.0),
        (lambda x: [], 2.0, 3.0),
        (lambda x: 5, 2.0, 3.0),
        (lambda x: x, 2.0, 3.0),
        (lambda x, y: (x + y, {"d": (x - y, [y])}), (1.0, 2.0), (3.0, 5.0)),
        (lambda v, w: v["a"] * w[0][1], ({"a": 1.0, "b": 9.0}, ((1.0, 2.0),)), ({"a": 3.0, "b": 8.0}, ((5.0, 7.0),))),
        (lambda p: p.left * 3 + p.right, (Pair(1.0, 2.0),), (Pair(3.0, 4.0),)),
        (lambda p: Pair(p[1], p[0] * 2), (Pair(1.0, 2.0),), (Pair(3.0, 4.0),)),
        (lambda v: [row[::-1] for row in v], [[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]),
        (lambda v: v[0] * 2, [1.0, 9.0, 9.0], [4.0, 5.0, 6.0]),
        (lambda v: v[2] * 2, [1.0, 9.0, 9.0], [4.0, 5.0, 6.0]),
        (lambda v: 1.5, [1.0, 2.0], [3.0, 4.0]),
    ],
)
def test_structures(fn, first, second, backend):
    compiled = sg.compile(fn, backend=backend)
    for args in (first, second, first):
        args = args if isinstance(args, tuple) else (args,)
        equal_trees(compiled(*args), fn(*args))


@with_backends
@pytest.mark.parametrize(
    "vector",
    [[3, 4], (3.0, 4.0), [3, Fraction(4)], [Fraction(3), Fraction(4)], np.array([3.0, 4.0]), np.array([3, 4], dtype=np.int32),
     [np.float64(3.0), np.float32(4.0)], [np.array(3.0), 4.0], [Value(3.0, requires_grad=False), 4.0]],
    ids=lambda v: type(v).__name__,
)  # fmt: skip
def test_any_kind_of_number(vector, backend):
    compiled = sg.compile(lambda v: v[0] * v[1] + v[0], backend=backend)
    assert compiled([1.0, 2.0]) == 3.0
    assert compiled(vector) == 15.0
    assert type(compiled(vector)) is float


@with_backends
def test_other_structures_are_recorded_too(backend):
    calls = []

    def fn(v):
        calls.append(len(v))
        return sg.prod(v)

    compiled = sg.compile(fn, backend=backend)
    assert [compiled([2.0] * n) for n in (1, 2, 3, 1, 2, 3)] == [2.0, 4.0, 8.0, 2.0, 4.0, 8.0]
    assert compiled([3.0, 4.0]) == 12.0
    assert calls == [1, 2, 3]


@with_backends
def test_leaves_outside_are_read_at_every_call_and_leaves_inside_are_constants(backend):
    w = Value(2.0)
    compiled = sg.compile(lambda x: w * x + Value(0.5), backend=backend)
    assert compiled(3.0) == 6.5
    w.data = 10.0
    assert compiled(3.0) == 30.5
    assert sg.compile(lambda: w * 2, backend=backend)() == 20.0


@with_backends
def test_keyword_arguments(backend):
    calls = []

    def fn(x, scale=2, *, shift=0.5):
        calls.append(scale)
        return x * scale + shift

    for compiled, number in (
        (sg.compile(fn, backend=backend), float),
        (sg.replay(fn, backend=backend), lambda v: v.data),
    ):
        del calls[:]
        for _ in range(2):
            assert number(compiled(3.0)) == 6.5
            assert number(compiled(3.0, scale=5.0)) == 15.5
            assert number(compiled(3.0, shift=1.0, scale=5.0)) == number(compiled(3.0, scale=5.0, shift=1.0)) == 16.0
            assert number(compiled(x=4.0)) == 8.5
            assert number(compiled(4.0, 3.0)) == 12.5
        assert len(calls) == 6  # each way to call it once
        w = Value(3.0)
        compiled(2.0, scale=w).backward()
        assert w.grad == 2.0
        with pytest.raises(TypeError, match="unexpected keyword argument 'scalee'"):
            compiled(3.0, scalee=1.0)
        with pytest.raises(TypeError, match="multiple values for argument 'x'"):
            compiled(3.0, x=1.0)


# -------------------------------------------------------------------- together with other functions


@with_backends
def test_a_compiled_function_inside_another_is_part_of_it(backend):
    w = Value(2.0)
    inner = sg.compile(lambda x: w * x * x, backend=backend)
    outer = sg.compile(lambda x: inner(x) + inner(3.0) + x, backend=backend)
    assert outer(1.0) == 2 + 18 + 1
    w.data = 5.0
    assert outer(2.0) == 20 + 45 + 2
    loop = sg.replay(lambda: inner(3.0) * 2.0, backend=backend)
    assert loop().data == 90.0
    w.data = 1.0
    assert loop().data == 18.0


@with_backends
def test_values_that_require_grad_get_a_graph_from_the_function_itself(backend):
    square = sg.compile(lambda x: x * x, backend=backend)
    x = Value(3.0)
    square(x).backward()
    assert x.grad == 6.0
    assert sg.grad(square)(4.0) == 8.0
    assert sg.hessian(lambda v: square(v[0]) * v[1])([2.0, 3.0]) == [[6.0, 4.0], [4.0, 0.0]]
    with sg.no_grad():
        assert square(x) == 9.0


@with_backends
def test_derivatives_inside_the_function_are_followed(backend):
    compiled = sg.compile(lambda x: sg.grad(x**3, x) * x + sg.derivative(lambda t: t**4)(x), backend=backend)
    for x in (1.0, 2.0, -3.0):
        assert compiled(x) == 3 * x**3 + 4 * x**3


# -------------------------------------------------------------------- poles


@with_backends
def test_derivatives_at_hard_points_are_those_of_the_engine(backend):
    cases = [(sg.sqrt, 0.0), (sg.log, 5e-324), (lambda x: abs(x), 0.0), (lambda x: x**2, 0.0), (sg.exp, 800.0)]
    for f, hard in [*cases, (sg.relu, -0.0), (lambda x: x**-2, 1e-200), (lambda x: 1 / x, -1e-300)]:
        compiled = sg.compile(sg.grad(f), backend=backend)
        assert same(compiled(1.5), sg.grad(f)(1.5))
        assert same(compiled(hard), sg.grad(f)(hard))


def test_the_python_backend_raises_what_the_engine_raises():
    compiled = sg.compile(sg.log, backend="python")
    assert compiled(1.0) == 0.0
    with pytest.raises(ValueError, match="log: domain error at -1.0"):
        compiled(-1.0)
    assert compiled(math.e) == 1.0


@with_backends
def test_a_pole_at_the_first_call_raises_and_leaves_nothing_behind(backend):
    compiled = sg.compile(lambda x: 1 / x, backend=backend)
    with pytest.raises(ZeroDivisionError, match="divide: division by zero"):
        compiled(0.0)
    assert compiled(4.0) == 0.25


# -------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: sg.compile(3.0), TypeError, "compile takes a function, not float"),
        (lambda: sg.compile(Value(3.0)), TypeError, r"for a Value use scalargrad.record\(value\)"),
        (
            lambda: sg.compile(abs, backend="cuda"),
            ValueError,
            "no backend 'cuda'; choose one of auto, python, llvm, wasm, jax",
        ),
        (lambda: sg.compile(abs, reduction="none"), ValueError, "reduction must be 'mean' or 'sum', not 'none'"),
        (lambda: sg.compile(abs, branches="no"), ValueError, "branches must be 'raise' or 'record', not 'no'"),
        (lambda: sg.compile(abs, parameters=[2.0]), TypeError, r"parameters must be leaf Values, .*, not 2.0"),
        (lambda: sg.compile(abs, parameters=[Value(1.0) * 2]), TypeError, "parameters must be leaf Values"),
        (
            lambda: sg.compile(abs, parameters=[Value(1.0), *[Value(2.0, label="w")] * 2]),
            ValueError,
            "parameters 1 and 2 are the same: Value 'w'. Each gets one gradient: give it once",
        ),
        (lambda: sg.compile(abs)(b"3"), TypeError, "argument 0 must be a number, a Value, or lists"),
        (lambda: sg.compile(abs)(object()), TypeError, "argument 0 must be .* not object"),
        (lambda: sg.compile(abs)([[1.0, "2"]]), TypeError, r"argument 0\[0\]\[1\] must be .* not str"),
        (lambda: sg.compile(lambda x: "text")(1.0), TypeError, "the result of <lambda> must be a number"),
        (lambda: sg.compile(abs).parameters, ValueError, "not recorded yet.*parameters=model.parameters()"),
    ],
)
def test_messages(make, error, message):
    with pytest.raises(error, match=message):
        make()


# -------------------------------------------------------------------- threads and memory


@with_backends
def test_many_threads_call_one_compiled_function(backend):
    f = random_function(5, operations=30)
    compiled = sg.compile(sg.value_and_grad(lambda v: f(*v)), backend=backend)
    work = points(5, 4, 200)
    expected = [sg.value_and_grad(lambda v: f(*v))(xs) for xs in work]
    wrong = []

    def run(seed):
        rng = random.Random(seed)
        for _ in range(150):
            i = rng.randrange(len(work))
            if compiled(work[i]) != expected[i]:
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@with_backends
def test_nothing_of_the_recorded_graph_is_kept(backend):
    seen = []

    def fn(x):
        y = x * 2
        seen.append(weakref.ref(y))
        if y > 0:
            y = y.tanh()
        seen.append(weakref.ref(y))
        return y * x

    compiled = sg.compile(fn, backend=backend)
    compiled(1.0)
    compiled.value_and_grad([1.0, 2.0])
    compiled.values([1.0, 2.0])
    gc.collect()
    assert [ref() for ref in seen] == [None] * len(seen)
    ref = weakref.ref(compiled)
    del compiled
    gc.collect()
    assert ref() is None


@with_backends
def test_calls_leave_nothing_behind(backend):
    w = Value(0.5)
    compiled = sg.compile(lambda v: [(v[0] * w).tanh(), v[1]], backend=backend)
    loss = sg.compile(lambda x: (x * w) ** 2, backend=backend)
    compiled([1.0, 2.0])
    loss.value_and_grad([1.0, 2.0])
    gc.collect()
    before = len(gc.get_objects())
    for k in range(1000):
        compiled([float(k), 2.0])
        loss.value_and_grad([1.0, float(k)])
    gc.collect()
    assert len(gc.get_objects()) - before < 50


def test_a_compiled_function_looks_like_the_function():
    def norm(v):
        """The length of v."""
        return sg.sqrt(v[0] ** 2 + v[1] ** 2)

    compiled = sg.compile(norm)
    assert isinstance(compiled, Compiled)
    assert (repr(compiled), compiled.__name__, compiled.__doc__) == ("<compiled norm>", "norm", "The length of v.")
