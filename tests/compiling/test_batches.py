"""Losses over batches: the eager engine's loss and gradients, whatever the samples come in and however many they are."""

import random
import tracemalloc

import pytest
from compiling_helpers import (  # noqa: F401  (a fixture among them)
    agrees,
    all_same,
    eager_batch,
    library_functions,
    needs_llvm,
    random_function,
    with_backends,
)
from optional import need
from optional import numpy as np
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling.samples import Samples

SIZES = [*range(1, 20), 31, 32, 33, 100]
"""Around one and two tiles of up to 8 lanes, and more."""


def numbers(rng, *shape):
    n, *rest = shape
    return [numbers(rng, *rest) if rest else rng.uniform(-1.5, 1.5) for _ in range(n)]


def perceptron(seed=1):
    """A loss with shared weights, a penalty and constants: (fn, parameters)."""
    rng = random.Random(seed)
    w, b, c = Value(rng.uniform(-1, 1)), Value(0.1), Value(1.3, requires_grad=False)

    def fn(x, y):
        score = (c * x[0] * w + x[1] * b).tanh() + w * b
        return (score - y) ** 2 + 0.3 * w * w

    return fn, [w, b]


# -------------------------------------------------------------------- the same numbers


@with_backends
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_every_size(reduction, backend):
    fn, parameters = perceptron()
    loss = sg.compile(fn, parameters=parameters, backend=backend, reduction=reduction)
    rng = random.Random(2)
    for n in [*SIZES, *reversed(SIZES)]:
        X, Y = numbers(rng, n, 2), numbers(rng, n)
        agrees(loss.value_and_grad(X, Y), eager_batch(fn, (X, Y), parameters, reduction))


@has_full_size
@with_backends
def test_random_losses(backend):
    for seed in range(size(20, 60)):
        f = random_function(seed)
        rng = random.Random(seed)
        parameters = [Value(x) for x in numbers(rng, 3)]

        def fn(x, y, f=f, parameters=parameters):
            return f(*parameters, *x, y)

        loss = sg.compile(fn, parameters=parameters, backend=backend, reduction="sum")
        X, Y = numbers(rng, 13, 2), numbers(rng, 13)
        agrees(loss.value_and_grad(X, Y), eager_batch(fn, (X, Y), parameters, "sum"))
        for parameter in parameters:
            parameter.data = rng.uniform(-1, 1)
        agrees(loss.value_and_grad(X, Y), eager_batch(fn, (X, Y), parameters, "sum"))


@has_full_size
@with_backends
@pytest.mark.usefixtures("library_functions")
def test_each_sample_is_computed_to_the_last_bit(backend):
    for seed in range(size(20, 60)):
        f = random_function(seed)
        w = Value(0.3)

        def fn(v, f=f, w=w):
            return {"f": f(w, *v), "g": sg.grad(lambda u: f(w, *u))(v), "one": 1}

        compiled = sg.compile(fn, backend=backend)
        X = numbers(random.Random(seed), 11, 2)
        found = compiled.values(X)
        expected = [(f(w, *map(Value, v)).data, sg.grad(lambda u, f=f, w=w: f(w, *u))(v)) for v in X]
        assert [set(row) for row in found] == [{"f", "g", "one"}] * 11
        for row, (value, gradient) in zip(found, expected, strict=True):
            all_same([row["f"], *row["g"], row["one"]], [value, *(getattr(g, "data", g) for g in gradient), 1.0])


@has_full_size
@needs_llvm
def test_vectors_of_exp_and_tanh_change_a_few_last_digits_at_most():
    for seed in range(size(20, 60)):
        f = random_function(seed)
        compiled = sg.compile(lambda v, f=f: f(*v), backend="llvm")
        X = numbers(random.Random(seed), 11, 2)
        assert compiled.values(X) == pytest.approx([f(*map(Value, v)).data for v in X], rel=1e-11, abs=1e-13)


@with_backends
def test_values_of_many_structures(backend):
    w = Value(2.0)
    assert sg.compile(lambda x: x * w, backend=backend).values([1.0, 2.0]) == [2.0, 4.0]
    assert sg.compile(lambda x: [x, x * w], backend=backend).values([1.0, 2.0]) == [[1.0, 2.0], [2.0, 4.0]]
    assert sg.compile(lambda x: (x[0], [x[1]]), backend=backend).values([[1.0, 2.0]]) == [(1.0, [2.0])]
    assert sg.compile(lambda x, y: x - y, backend=backend).values([3.0, 4.0], [1.0, 1.0]) == [2.0, 3.0]
    assert sg.compile(lambda x: 3, backend=backend).values([1.0, 2.0]) == [3.0, 3.0]
    assert sg.compile(lambda x: w, backend=backend).values([1.0, 2.0]) == [2.0, 2.0]
    assert sg.compile(lambda x: [], backend=backend).values([1.0, 2.0]) == [[], []]
    model = nn.MLP(2, [3, 2], activation="tanh", seed=1)
    X = [[0.1, 0.2], [0.3, -0.4]]
    for row, expected in zip(sg.compile(model, backend=backend).values(X), nn.predict(model, X), strict=True):
        assert row == pytest.approx(expected, rel=1e-14)


# -------------------------------------------------------------------- what the samples come in

X = [[0.5, -1.0], [0.25, 2.0], [-1.5, 0.125], [1.0, 1.0], [0.75, -0.5]]
Y = [1.0, -1.0, 0.5, 2.0, 0.0]
BATCHES = {
    "tuples": (tuple(map(tuple, X)), tuple(Y)),
    "a list of tuples": ([tuple(x) for x in X], Y),
    "ints among floats": ([[0.5, -1], [0.25, 2], [-1.5, 0.125], [1, 1], [0.75, -0.5]], [1, -1, 0.5, 2, 0]),
    "float64": (np.array(X), np.array(Y)),
    "float32": (np.array(X, dtype=np.float32), np.array(Y, dtype=np.float32)),
    "longdouble": (np.array(X, dtype=np.longdouble), np.array(Y, dtype=np.float16)),
    "other byte order": (np.array(X, dtype=">f8"), np.array(Y, dtype="<f8")),
    "Fortran order": (np.asfortranarray(X), np.array(Y)),
    "every second": (np.repeat(np.array(X), 2, axis=0)[::2], np.repeat(Y, 3)[::3]),
    "columns of more": (np.hstack([np.array(X), np.array(X)])[:, :2], np.array([Y, Y]).T[:, 0]),
    "backwards": (np.array(X[::-1])[::-1], np.array(Y[::-1])[::-1]),
    "read only": (np.frombuffer(np.array(X).tobytes()).reshape(5, 2), np.array(Y)),
    "arrays in a list": ([np.array(x) for x in X], [np.float64(y) for y in Y]),
    "Values": ([[Value(a) for a in x] for x in X], [Value(y) for y in Y]),
    "a list and an array": (X, np.array(Y)),
    "a flat array": (np.arange(10.0), np.array(Y)),
}


@with_backends
@pytest.mark.parametrize("name", [name for name in BATCHES if name != "a flat array"])
def test_samples_come_in_anything(name, backend):
    need(*BATCHES[name])
    fn, parameters = perceptron()
    loss = sg.compile(fn, parameters=parameters, backend=backend)
    expected = eager_batch(fn, (X, Y), parameters)
    agrees(loss.value_and_grad(X[:2], Y[:2]), eager_batch(fn, (X[:2], Y[:2]), parameters))
    agrees(loss.value_and_grad(*BATCHES[name]), expected)
    agrees(loss.value_and_grad(X, Y), expected)
    fresh = sg.compile(fn, parameters=parameters, backend=backend)
    agrees(fresh.value_and_grad(*BATCHES[name]), expected)


@with_backends
def test_ints_bools_and_arrays_of_them(backend):
    w = Value(0.5)

    def fn(x, y):
        return (x * w - y) ** 2

    loss = sg.compile(fn, backend=backend)
    expected = eager_batch(fn, ([0, 1, 1], [3, 5, 7]), [w])
    for xs in ([0, 1, 1], [False, True, True], np.array([0, 1, 1]), np.array([False, True, True]), np.uint8([0, 1, 1])):
        agrees(loss.value_and_grad(xs, [3, 5, 7]), expected)
    assert loss.value_and_grad([2**60 + 1], [0])[0] == (float(2**60 + 1) * 0.5) ** 2


@with_backends
def test_samples_of_any_structure(backend):
    w = Value(0.5)

    def fn(x, y):
        return (x["a"][0] * w - y[1][0]) ** 2 + x["b"] * w

    X = [{"a": (1.0, 2.0), "b": 3.0}, {"a": (4.0, 5.0), "b": 6.0}]
    Y = [(1.0, [2.0]), (3.0, [4.0])]
    agrees(sg.compile(fn, backend=backend).value_and_grad(X, Y), eager_batch(fn, (X, Y), [w]))

    def of_matrix(x, y):
        return (x[0][1] * w + x[1][0] - y) ** 2

    X = np.arange(18.0).reshape(3, 2, 3)
    found = sg.compile(of_matrix, backend=backend).value_and_grad(X, [1.0, 2.0, 3.0])
    agrees(found, eager_batch(of_matrix, (X.tolist(), [1.0, 2.0, 3.0]), [w]))


@pytest.mark.parametrize(
    "form", [np.array, lambda rows: np.array(rows, dtype="int32"), lambda rows: np.array(rows).T.copy().T, list]
)
def test_some_samples_of_many(form):
    for width in (1, 3, 0):
        rows = [[float(10 * i + k) for k in range(width)] for i in range(7)]
        samples = Samples(form(rows), "X")
        assert [samples.sample(i) for i in range(7)] == rows
        for places in ([3], [6, 0, 3], range(7), []):
            part = samples.taken(places)
            assert (part.n, part.width, part.structure) == (len(places), width, samples.structure)
            assert list(part.numbers()) == [x for i in places for x in rows[i]]


def test_of_an_array_only_the_samples_that_are_wanted_are_touched():
    samples = Samples(np.zeros((2000, 500)), "X")
    tracemalloc.start()
    samples.sample(5)
    samples.taken([1, 2])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 200_000  # the whole array is 8 MB


@with_backends
def test_an_array_is_read_anew_at_every_call(backend):
    w = Value(1.0)
    loss = sg.compile(lambda x: x * w, backend=backend)
    X = np.array([1.0, 2.0, 3.0])
    assert loss.value_and_grad(X) == (2.0, [2.0])
    X += 1.0
    assert loss.value_and_grad(X) == (3.0, [3.0])
    rows = [1.0, 2.0]
    assert loss.value_and_grad(rows) == (1.5, [1.5])
    rows.append(6.0)
    assert loss.value_and_grad(rows) == (3.0, [3.0])
    assert np.array_equal(X, [2.0, 3.0, 4.0])  # and never written to


# -------------------------------------------------------------------- parameters


@with_backends
def test_parameters_are_in_the_order_given_or_reached(backend):
    a, b, c, d = (Value(x) for x in (2.0, 3.0, 5.0, 7.0))
    c.requires_grad = False

    def fn(x):
        return b * x + a * c

    reached = sg.compile(fn, backend=backend)
    loss, gradients = reached.value_and_grad([1.0, 3.0])
    assert loss == 6.0 + 10.0
    assert dict(zip(reached.parameters, gradients, strict=True)) == {b: 2.0, a: 5.0}
    given = sg.compile(fn, parameters=[d, a, c, b], backend=backend)
    assert given.parameters == [d, a, b]  # c is a constant
    assert given.value_and_grad([1.0, 3.0]) == (16.0, [0.0, 5.0, 2.0])
    few = sg.compile(fn, parameters=iter([a]), backend=backend)
    assert few.value_and_grad([1.0, 3.0]) == (16.0, [5.0])
    many = [Value(float(k)) for k in range(50)]
    some = sg.compile(lambda x: many[30] * x, parameters=many, backend=backend)
    assert some.value_and_grad([1.0, 3.0]) == (60.0, [2.0 * (k == 30) for k in range(50)])
    assert all(p.grad == 0.0 for p in (a, b, c, d))


@with_backends
def test_parameters_that_structures_reach_in_other_orders_keep_their_gradients(backend):
    a, b, c = Value(2.0), Value(3.0), Value(5.0)

    def fn(x):
        return a * x[0] + b if len(x) == 1 else b * x[0] + a * x[1] if len(x) == 2 else c * x[0] + x[1] * x[2] * a

    loss = sg.compile(fn, backend=backend)
    for X in ([[2.0]], [[7.0, 11.0]], [[2.0]], [[1.0, 2.0, 3.0]], [[2.0]], [[7.0, 11.0]]):
        value, gradients = loss.value_and_grad(X)
        expected = fn(X[0])
        assert value == expected.data
        assert gradients == sg.grad(expected, loss.parameters)


@with_backends
def test_numbers_of_parameters_are_read_at_every_call(backend):
    fn, parameters = perceptron()
    loss = sg.compile(fn, parameters=parameters, backend=backend)
    for k in range(4):
        for parameter in parameters:
            parameter.data += 0.25 * k
        agrees(loss.value_and_grad(X, Y), eager_batch(fn, (X, Y), parameters))


@with_backends
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_losses_without_samples_parameters_or_operations(reduction, backend):
    a, b = Value(2.0), Value(3.0)
    losses = {
        "a parameter": (lambda x: a, [a]),
        "an input": (lambda x: x, [a]),
        "a constant": (lambda x: Value(4.0), [a]),
        "a number": (lambda x: 4.5, [a]),
        "parameters only": (lambda x: a * b + a, [a, b]),
        "inputs only": (lambda x: x * x, [a]),
        "a penalty first": (lambda x: a * a + (b * x + b * 2), [a, b]),
        "a penalty inside": (lambda x: (a * x + b * b) * 2 + a.tanh(), [a, b]),
        "a penalty twice": (lambda x: a * a + (x * b + a * a), [a, b]),
        "a parameter twice": (lambda x: a * x + a + a, [a]),
        "subtracted": (lambda x: x * a - b * b, [a, b]),
    }
    for fn, parameters in losses.values():
        loss = sg.compile(fn, parameters=parameters, backend=backend, reduction=reduction)
        for n in (1, 3, 9, 16):
            xs = [0.5 * k - 1 for k in range(n)]
            agrees(loss.value_and_grad(xs), eager_batch(fn, (xs,), parameters, reduction))


@with_backends
def test_nan_and_infinity_go_through(backend):
    w = Value(0.5)
    loss = sg.compile(lambda x: sg.log(x) * w, backend=backend)
    value, (grad,) = loss.value_and_grad([1.0, 2.0, 0.0])
    assert value == grad == -np.inf
    assert all(x != x for x in (loss.value_and_grad([1.0, 2.0, -1.0])[0], loss.value_and_grad([float("nan")] * 3)[0]))
    assert loss.values([1.0, 0.0, -1.0])[:2] == [0.0, -np.inf]


# -------------------------------------------------------------------- what is refused


@with_backends
@pytest.mark.parametrize(
    ("batches", "error", "message"),
    [
        (([1.0, 2.0], [1.0]), ValueError, "argument 0 has 2 samples but argument 1 has 1: give one"),
        (([], []), ValueError, "argument 0 has no sample"),
        ((np.zeros((0, 2)), np.zeros(0)), ValueError, "argument 0 has no sample: its shape is"),
        ((np.array(1.0), [1.0]), ValueError, r"argument 0 has no sample: its shape is \(\)"),
        ((b"ab", [1.0, 2.0]), TypeError, "argument 0 must be a list of samples or an array, not bytes"),
        (([1.0, 2.0], ["a", "b"]), TypeError, r"argument 1\[0\] must be a number, .* not str"),
        (([1.0, "2"], [1.0, 2.0]), TypeError, r"argument 0\[1\] must be .* not str"),
        (([[1.0, "2"], [1.0, 2.0]], [1.0, 2.0]), TypeError, r"argument 0\[0\]\[1\] must be .* not str"),
        (([[1.0, None]], [1.0]), TypeError, r"argument 0\[0\]\[1\] must be .* not NoneType"),
        ((3.0, [1.0]), TypeError, "argument 0 must be a list of samples or an array, not float"),
        ((iter([1.0]), [1.0]), TypeError, "argument 0 must be a list of samples or an array, not list_iterator"),
        (([1j], [1.0]), TypeError, r"argument 0\[0\] must be .* not complex"),
        ((np.array([1j]), [1.0]), TypeError, "argument 0 must be an array of real numbers, not of complex128"),
        ((np.array(["a"]), [1.0]), TypeError, "argument 0 must be an array of real numbers, not of <U1"),
        (([1.0], np.ma.masked_greater([5.0], 1.0)), TypeError, "argument 1 is a masked array, .*array.filled"),
        ((np.ma.array([[1.0]]), [1.0]), TypeError, "argument 0 is a masked array"),
        (([np.ma.masked_greater([5.0], 1.0)[0]], [1.0]), TypeError, r"argument 0\[0\] must be .* not MaskedConstant"),
        ((), TypeError, "a batch is needed: a list of samples for each argument"),
    ],
)
def test_messages(batches, error, message, backend):
    w = Value(1.0)
    for call in ("value_and_grad", "values"):
        compiled = sg.compile(lambda *xs: w * 2.0, backend=backend)
        with pytest.raises(error, match=message):
            getattr(compiled, call)(*batches)


def test_what_is_bound_must_not_be_masked():
    with pytest.raises(TypeError, match="x is a masked array"):
        sg.compile(lambda v: v[0]).bind(np.ma.array([1.0]), np.zeros(1))


@with_backends
def test_a_loss_must_be_one_number(backend):
    w = Value(1.0)

    def pair(x):
        return [w, x]

    with pytest.raises(TypeError, match="pair must return one Value, the loss of one sample, not 2"):
        sg.compile(pair, backend=backend).value_and_grad([1.0])
    with pytest.raises(TypeError, match=r"with has_aux=True <lambda> must return \(loss, aux\)"):
        sg.compile(lambda x: w * x, backend=backend, has_aux=True).value_and_grad([1.0])


@with_backends
def test_what_a_loss_gives_beside_it_comes_for_each_sample_in_its_structure(backend):
    w = Value(2.0)

    def fn(xs):
        total = sg.sum([w * x for x in xs])
        return total, {"scores": [w * x for x in xs], "first": (xs[0],), "constant": 3.0}

    def expected(xs):
        return {"scores": [2.0 * x for x in xs], "first": (xs[0],), "constant": 3.0}

    loss = sg.compile(fn, parameters=[w], backend=backend, has_aux=True, reduction="sum")
    for batch in ([[1.0, 2.0]], [[1.0], [2.0, 3.0], [4.0], [5.0, 6.0, 7.0]], [[1.0, 2.0], [3.0, 4.0]]):
        (value, aux), gradients = loss.value_and_grad(batch)
        assert (value, gradients) == (2.0 * sum(map(sum, batch)), [float(sum(map(sum, batch)))])
        assert aux == [expected(xs) for xs in batch]
    for other, given in ((lambda x: (w * x, []), []), (lambda x: (w * x, x), 3.0)):
        compiled = sg.compile(other, backend=backend, has_aux=True)
        assert compiled.value_and_grad([3.0, 3.0]) == ((6.0, [given, given]), [3.0])


@with_backends
def test_what_is_given_beside_a_loss_is_that_of_the_way_each_sample_takes(backend):
    w = Value(2.0)

    def fn(x):
        return (w * x, (1.0, x)) if x > 0.0 else (w, (2.0, w * x))

    loss = sg.compile(fn, parameters=[w], backend=backend, has_aux=True, branches="record", reduction="sum")
    found = loss.value_and_grad([1.0, -1.0, 3.0])
    assert found == ((10.0, [(1.0, 1.0), (2.0, -2.0), (1.0, 3.0)]), [5.0])


# -------------------------------------------------------------------- larger batches


@needs_llvm
def test_functions_are_worth_a_thread_sooner_than_sums(monkeypatch):
    from scalargrad.compiling.llvm import batch

    monkeypatch.setattr(batch, "cores", lambda: 2)
    first = {}
    for name, fn in {"tanh": sg.tanh, "square": sg.square}.items():
        w = [Value(0.1 * i) for i in range(20)]
        loss = sg.compile(lambda x, fn=fn, w=w: sg.sum([fn(p * x) for p in w]), parameters=w, backend="llvm")
        loss.value_and_grad([1.0])
        ((program,),) = loss.batches.recordings.known.values()
        room = program.runner.take()
        first[name] = next(n for n in range(0, 10**6, 64) if room.parts(n) > 1)
    assert 2 * first["tanh"] < first["square"]


@needs_llvm
def test_a_batch_split_over_threads_gives_the_sums_of_one_thread(monkeypatch):
    from scalargrad.compiling.llvm import batch

    fn, parameters = perceptron()
    rng = np.random.default_rng(1)
    X, Y = rng.uniform(-1, 1, (20_011, 2)), rng.uniform(-1, 1, 20_011)
    loss = sg.compile(lambda x, y: (fn(x, y), x[0] * x[1]), parameters=parameters, backend="llvm", has_aux=True)
    results = {}
    for cores in (1, 2, 3, 7):
        monkeypatch.setattr(batch, "cores", lambda cores=cores: cores)
        monkeypatch.setattr(batch, "WORTH_A_THREAD", 1000)
        results[cores] = loss.value_and_grad(X, Y), loss.values(X, Y)
    ((value, _), gradients), rows = results[1]
    for ((other, aux), others), other_rows in results.values():
        assert aux == [x for _, x in rows]
        assert [other, *others] == pytest.approx([value, *gradients], rel=1e-13)
        assert other_rows == rows
    agrees((value, gradients), eager_batch(fn, (X[:].tolist(), Y.tolist()), parameters))
