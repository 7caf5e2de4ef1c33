"""A loss bound to arrays reads samples and parameters, and writes gradients, where they lie; what cannot be is refused."""

import gc
import random
from array import array

import pytest
from compiling_helpers import needs_llvm, random_function, with_backends

import scalargrad as sg
from scalargrad import BranchError, Value, nn


def doubles(numbers):
    return array("d", numbers)


def rows(matrix):
    """A matrix of doubles without numpy."""
    flat = array("d", [x for row in matrix for x in row])
    return memoryview(flat).cast("B").cast("d", (len(matrix), len(matrix[0])))


X = [[0.5, -1.0], [1.5, 2.0], [-0.3, 0.7], [2.0, 0.1], [-1.0, -0.5]]
Y = [1.0, 0.0, -1.0, 0.5, 2.0]


def network(backend, **options):
    net = nn.MLP(2, [5, 1], activation="tanh", seed=1)
    parameters = net.parameters()
    loss = sg.compile(lambda x, y: (net(x) - y) ** 2, parameters=parameters, backend=backend, **options)
    return parameters, loss


@with_backends
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_it_is_value_and_grad_at_the_numbers_of_the_array(backend, reduction):
    rng = random.Random(1)
    parameters, loss = network(backend, reduction=reduction)
    xs, ys, out = rows(X), doubles(Y), doubles([7.0] * len(parameters))
    numbers = doubles([p.data for p in parameters])
    bound, reading = loss.bind(xs, ys, numbers, out), loss.bind(xs, ys, parameters=parameters, out=out)
    for _ in range(4):
        numbers[:] = doubles([rng.uniform(-1, 1) for _ in numbers])
        ys[rng.randrange(5)] = xs[rng.randrange(5), 1] = rng.uniform(-2, 2)
        before = [p.data for p in parameters]
        found = bound(), out.tolist()
        assert [p.data for p in parameters] == before
        for p, x in zip(parameters, numbers, strict=True):
            p.data = x
        assert found == loss.value_and_grad(xs.tolist(), ys.tolist())
        out[0] = 7.0
        assert (reading(), out.tolist()) == found


@with_backends
@pytest.mark.parametrize("seed", range(12))
def test_random_losses_with_frozen_leaves_and_others_in_between(backend, seed):
    rng = random.Random(seed)
    function = random_function(seed)
    leaves = [Value(rng.uniform(-1, 1)) for _ in range(6)]
    for leaf in leaves:
        leaf.requires_grad = rng.random() < 0.7
    given = rng.sample(leaves, 4)
    given[0].requires_grad = True
    loss = sg.compile(lambda x: function(*leaves, x), parameters=given, backend=backend)
    xs = doubles([rng.uniform(-1, 1) for _ in range(11)])
    loss.value_and_grad(xs.tolist())
    trained = loss.parameters
    numbers, out = doubles([rng.uniform(-1, 1) for _ in trained]), doubles([0.0] * len(trained))
    bound = loss.bind(xs, parameters=numbers, out=out)
    for _ in range(3):
        for leaf in leaves:
            leaf.data = rng.uniform(-1, 1)
        found = bound(), out.tolist()
        for p, x in zip(trained, numbers, strict=True):
            p.data = x
        assert found == loss.value_and_grad(xs.tolist())
        numbers[0] += 0.25


@pytest.mark.parametrize("n", [1, 4000])
@needs_llvm
def test_large_batches_and_networks_found_as_layers(n):
    np = pytest.importorskip("numpy")
    rng = np.random.default_rng(0)
    net = nn.MLP(16, [24, 12, 1], activation="relu", seed=2)
    parameters = net.parameters()
    loss = sg.compile(lambda x, y: (net(x) - y) ** 2, parameters=parameters, backend="llvm")
    x, y = rng.normal(size=(n, 16)), rng.normal(size=n)
    numbers, out = np.array([p.data for p in parameters]), np.zeros(len(parameters))
    bound = loss.bind(x, y, parameters=numbers, out=out)
    for _ in range(2):
        numbers += 0.01
        found = bound()
        for p, number in zip(parameters, numbers.tolist(), strict=True):
            p.data = number
        value, gradients = loss.value_and_grad(x, y)
        assert found == pytest.approx(value, rel=1e-12)
        assert out == pytest.approx(gradients, rel=1e-9, abs=1e-12)


@with_backends
def test_static_arguments_and_samples_of_more_dimensions(backend):
    w = Value(2.0)

    def fn(x, power, y):
        return (w * x[0][1][0] - x[1][0][0]) ** power * y

    loss = sg.compile(fn, parameters=[w], backend=backend, static=["power"])
    cube = memoryview(doubles(range(8))).cast("B").cast("d", (2, 2, 2, 1))
    ys, numbers, out = doubles([1.0, 3.0]), doubles([2.0]), doubles([0.0])
    for power in (2, 3):
        bound = loss.bind(cube, power, ys, parameters=numbers, out=out)
        assert (bound(), out.tolist()) == loss.value_and_grad(cube.tolist(), power, ys.tolist())


@with_backends
def test_guards_are_checked_and_nothing_is_written_then(backend):
    w = Value(1.0)
    loss = sg.compile(lambda x: w * x if w * x > 0 else w * 0.5, parameters=[w], backend=backend)
    xs, numbers, out = doubles([1.0, 2.0]), doubles([1.0]), doubles([7.0])
    bound = loss.bind(xs, parameters=numbers, out=out)
    numbers[0] = -1.0
    with pytest.raises(BranchError, match="for sample 0"):
        bound()
    assert out[0] == 7.0
    numbers[0], xs[1] = 2.0, 3.0
    assert (bound(), out[0]) == (4.0, 2.0)


@with_backends
def test_ways_that_are_recorded_are_followed_at_the_numbers_of_values(backend):
    w = Value(1.0)
    loss = sg.compile(lambda x: w * x if x > 0 else w * 0.5, parameters=[w], backend=backend, branches="record")
    xs, out = doubles([1.0, 2.0]), doubles([0.0])
    bound = loss.bind(xs, parameters=[w], out=out)
    assert (bound(), out[0]) == (1.5, 1.5)
    xs[0] = -1.0
    assert (bound(), out[0]) == (1.25, 1.25)
    with pytest.raises(ValueError, match="let parameters be the Values"):
        loss.bind(xs, parameters=doubles([1.0]), out=out)


@with_backends
def test_masks_are_used_where_a_plain_gradient_is_nan(backend):
    w = Value(1.0)
    loss = sg.compile(
        lambda x: w * sg.where(sg.greater(w * x, 0.0), sg.sqrt(sg.abs(w * x)), 2.0 * x), parameters=[w], backend=backend
    )
    xs, numbers, out = doubles([1.0, 0.0]), doubles([1.0]), doubles([0.0])
    bound = loss.bind(xs, parameters=numbers, out=out)
    assert (bound(), out.tolist()) == loss.value_and_grad(xs.tolist())
    assert out[0] == out[0]


@with_backends
def test_what_changes_around_it_is_noticed(backend):
    w, v, factor = Value(2.0), Value(3.0), 1.0
    loss = sg.compile(lambda x: factor * w * x + v, parameters=[w, v], backend=backend)
    xs, numbers, out = doubles([1.0, 3.0]), doubles([2.0, 3.0]), doubles([0.0, 0.0])
    bound = loss.bind(xs, parameters=numbers, out=out)
    assert (bound(), out.tolist()) == (7.0, [2.0, 1.0])
    factor = 10.0
    assert (bound(), out.tolist()) == (43.0, [20.0, 1.0])
    factor = 3.0
    loss.value_and_grad(xs.tolist())  # it is recorded anew
    assert (bound(), out.tolist()) == (15.0, [6.0, 1.0])
    factor = 10.0
    assert (bound(), out.tolist()) == (43.0, [20.0, 1.0])
    v.requires_grad = False
    with pytest.raises(ValueError, match="parameters has 2 elements, but 1 parameters of"):
        bound()
    assert out.tolist() == [20.0, 1.0]
    v.requires_grad = True
    assert bound() == 43.0


@with_backends
def test_parameters_that_nobody_gave_are_known_once_it_is_bound(backend):
    w = Value(2.0)
    loss = sg.compile(lambda x: w * x, backend=backend)
    out = doubles([0.0])
    assert loss.bind(doubles([3.0]), parameters=doubles([5.0]), out=out)() == 15.0
    assert loss.parameters == [w]


@with_backends
def test_one_array_may_be_read_and_written(backend):
    w = [Value(2.0), Value(3.0)]
    loss = sg.compile(lambda x: w[0] ** 2 * x + w[1], parameters=w, backend=backend)
    both = doubles([2.0, 3.0])
    assert loss.bind(doubles([1.0]), parameters=both, out=both)() == 7.0
    assert both.tolist() == [4.0, 1.0]


@needs_llvm
def test_memory_lives_as_long_as_what_is_bound_to_it():
    _, loss = network("llvm")
    out = doubles([0.0] * len(loss.parameters))
    bound = loss.bind(rows(X), doubles(Y), parameters=doubles([0.5] * len(out)), out=out)
    first = bound()
    gc.collect()
    junk = [rows(X) for _ in range(100)]
    assert bound() == first
    del junk
    with pytest.raises(BufferError):
        out.append(1.0)


def test_numpy_arrays():
    np = pytest.importorskip("numpy")
    parameters, loss = network("auto")
    x, y, out = np.array(X), np.array(Y), np.zeros(len(parameters))
    x.flags.writeable = False
    numbers = np.array([p.data for p in parameters])
    assert loss.bind(x, y, parameters=numbers, out=out)() == loss.value_and_grad(X, Y)[0]
    assert out.tolist() == loss.value_and_grad(X, Y)[1]
    for bad, text in [
        (x.astype("float32"), "not float32"), (x[:, ::-1], "with gaps"), (np.ma.array(X), "masked array"),
        (np.array(X, dtype=object), "not object"),
    ]:  # fmt: skip
        with pytest.raises(TypeError, match=text):
            loss.bind(bad, y, parameters=numbers, out=out)
    with pytest.raises(TypeError, match="read-only"):
        loss.bind(x, y, parameters=numbers, out=np.broadcast_to(0.0, len(numbers)))


def test_what_cannot_be_bound_is_refused_in_words():
    parameters, loss = network("python")
    n = len(parameters)
    xs, ys, numbers, out = rows(X), doubles(Y), doubles([0.0] * n), doubles([0.0] * n)
    for arguments, options, error, text in [
        ((X, ys, numbers, out), {}, TypeError, "argument 0 must be writable, contiguous memory of doubles"),
        ((xs, Y, numbers, out), {}, TypeError, "argument 1 must be"),
        ((xs, doubles(Y[:3]), numbers, out), {}, ValueError, "has 5 samples but argument 1 has 3"),
        ((xs, ys, numbers[:3], out), {}, ValueError, f"parameters has 3 elements, but {n} parameters"),
        ((xs, ys, numbers, out[:3]), {}, ValueError, f"out has 3 elements, but {n}"),
        ((xs, ys, numbers.tolist(), out), {}, TypeError, "would not be read anew"),
        ((xs, ys, parameters[::-1], out), {}, ValueError, "others than those of <lambda>, or in another order"),
        ((xs, ys), {"out": out}, TypeError, "or for a batch all of its arguments, parameters= and out="),
        ((xs, ys), {"parameters": numbers}, TypeError, "takes x and out, or"),
        ((doubles([]), ys, numbers, out), {}, ValueError, "argument 0 has no sample"),
        ((xs, ys, numbers, bytes(8 * n)), {}, TypeError, "out must be writable"),
        (("text",), {"parameters": numbers, "out": out}, TypeError, "a batch is needed"),
    ]:
        with pytest.raises(error, match=text):
            loss.bind(*arguments, **options)


@with_backends
@pytest.mark.parametrize("as_values", [True, False])
def test_other_parameters_than_those_it_was_bound_to_are_refused_as_long_as_they_are_others(as_values, backend):
    w, u, v, factor = Value(2.0), Value(3.0), Value(5.0, requires_grad=False), 1.0
    loss = sg.compile(lambda x: factor * (w * x + u * x * x + v * x**3), parameters=[w, u, v], backend=backend)
    out = doubles([0.0, 0.0])
    step = loss.bind(doubles([2.0]), parameters=[w, u] if as_values else doubles([2.0, 3.0]), out=out)
    step()
    assert list(out) == [2.0, 4.0]
    u.requires_grad, v.requires_grad = False, True  # as many as before
    for _ in range(3):
        with pytest.raises(ValueError, match="other parameters of <lambda> require grad than when it was bound"):
            step()
    v.requires_grad, factor = False, 100.0
    for _ in range(3):
        with pytest.raises(ValueError, match="has 2 elements, but 1 parameters"):
            step()
    assert list(out) == [2.0, 4.0]
    u.requires_grad = True
    assert step() == 100.0 * (4.0 + 12.0 + 40.0)
    assert list(out) == [200.0, 400.0]


@with_backends
def test_no_array_can_be_resized_as_long_as_something_is_bound_to_it(backend):
    """Its memory would be another's."""
    np = pytest.importorskip("numpy")
    w = Value(2.0)
    loss = sg.compile(lambda x, y: (w * x[0] - y) ** 2, parameters=[w], backend=backend)
    point = sg.compile(lambda x: [x[0] * 2.0], backend=backend)
    X, y, numbers, out, x, found = np.ones((2, 1)), np.ones(2), np.ones(1), np.zeros(1), np.ones(1), np.zeros(1)
    bound = [loss.bind(X, y, parameters=numbers, out=out), point.bind(x, out=found)]
    for array_ in (X, y, numbers, out, x, found):
        with pytest.raises(ValueError, match="cannot resize"):
            array_.resize(20_000, refcheck=False)
    numbers[0], x[0] = 3.0, 4.0
    assert (bound[0](), bound[1](), out.tolist(), found.tolist()) == (4.0, None, [4.0], [8.0])
    bound.clear()
    gc.collect()
    for array_ in (X, y, numbers, out, x, found):
        array_.resize(20_000, refcheck=False)


@with_backends
def test_nothing_in_or_nothing_out_can_be_bound(backend):
    w = Value(2.0)
    for fn, given, wanted in ((lambda x: w * 3.0, [], [6.0]), (lambda x: [], [1.0], []), (lambda x: [], [], [])):
        x, out = array("d", given), array("d", [0.0] * len(wanted))
        sg.compile(fn, backend=backend).bind(x, out=out)()
        assert out.tolist() == wanted
