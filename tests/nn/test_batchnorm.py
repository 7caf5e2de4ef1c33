"""BatchNorm and Dropout do what their papers say, sit in networks and training, and the rules of thumb hold with them."""

import copy
import math
import random
import statistics
import warnings

import pytest
from helpers import slope
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad
from scalargrad import Value, nn

numbers = st.floats(-5, 5, allow_subnormal=False)


def batches(columns=2, least=2):
    return st.lists(st.lists(numbers, min_size=columns, max_size=columns), min_size=least, max_size=6)


def data(rows):
    return [[y.data for y in row] for row in rows]


def columns_of(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def normalised(column, eps):
    """The oracle for one column, by the standard library."""
    mean, spread = statistics.fmean(column), math.sqrt(statistics.pvariance(column) + eps)
    return [(x - mean) / spread for x in column]


# -------------------------------------------------------------------- BatchNorm in training


@given(batches(columns=3))
def test_each_column_gets_mean_0_and_variance_1(rows):
    assume(all(statistics.pstdev(column) > 0.1 for column in columns_of(rows)))
    for column in columns_of(data(nn.BatchNorm(3, eps=0.0)(rows))):
        assert statistics.fmean(column) == pytest.approx(0, abs=1e-12)
        assert statistics.pvariance(column) == pytest.approx(1, rel=1e-12)


@given(batches(), st.floats(1e-6, 1), st.lists(numbers, min_size=4, max_size=4))
def test_the_formula_with_gamma_beta_and_eps(rows, eps, learned):
    layer = nn.BatchNorm(2, eps=eps)
    for parameter, number in zip(layer.parameters(), learned, strict=True):
        parameter.data = number
    gamma, beta = learned[:2], learned[2:]
    for j, column in enumerate(columns_of(data(layer(rows)))):
        expected = [gamma[j] * y + beta[j] for y in normalised(columns_of(rows)[j], eps)]
        assert column == pytest.approx(expected, rel=1e-9, abs=1e-9)


@has_full_size
@settings(max_examples=size(35, 100))
@given(batches(), st.integers(0, 10_000))
def test_gradients_of_inputs_and_parameters_against_finite_differences(rows, seed):
    assume(all(statistics.pstdev(column) > 0.3 for column in columns_of(rows)))
    draw = random.Random(seed).uniform
    start = [draw(0.5, 2.0), draw(0.5, 2.0), draw(-1.0, 1.0), draw(-1.0, 1.0)]
    weights = [[draw(-1, 1), draw(-1, 1)] for _ in rows]
    points = [*start, *(x for row in rows for x in row)]

    def loss(points):
        layer = nn.BatchNorm(2, eps=0.01)
        layer.gamma, layer.beta = points[:2], points[2:4]
        batch = [points[i : i + 2] for i in range(4, len(points), 2)]
        outputs = layer(batch)
        return scalargrad.sum(
            [w * y * y + y for ws, ys in zip(weights, outputs, strict=True) for w, y in zip(ws, ys, strict=True)]
        )

    leaves = [Value(p) for p in points]
    loss(leaves).backward()
    for i, leaf in enumerate(leaves):
        found, error = slope(
            lambda x: loss([Value(v) for v in [*points[:i], x, *points[i + 1 :]]]).data, points[i], h=0.05
        )
        assert leaf.grad == pytest.approx(found, rel=1e-6, abs=1e-7 + 10 * error)


@given(batches(columns=1), st.floats(0.5, 3), numbers)
def test_shifting_and_scaling_the_batch_changes_nothing_so_no_gradient_points_there(rows, factor, offset):
    xs = [x for (x,) in rows]
    assume(statistics.pstdev(xs) > 0.1)
    layer = nn.BatchNorm(1, eps=0.0)
    moved = data(layer([[factor * x + offset] for x in xs]))
    assert [y for (y,) in moved] == pytest.approx([y for (y,) in data(layer(rows))], rel=1e-8, abs=1e-8)
    leaves = [Value(x) for x in xs]
    scalargrad.dot(layer(leaves), [i + 1.0 for i in range(len(xs))]).backward()
    gradient = [leaf.grad for leaf in leaves]
    size = sum(map(abs, gradient)) + 1.0
    assert sum(gradient) == pytest.approx(0, abs=1e-10 * size)
    assert sum(g * x for g, x in zip(gradient, xs, strict=True)) == pytest.approx(0, abs=1e-9 * size)


def test_the_gradient_of_beta_is_the_column_sum_and_of_gamma_that_with_the_normalised_batch():
    layer, rows = nn.BatchNorm(2), [[1.0, 5.0], [2.0, -1.0], [4.0, 0.0]]
    ys = layer(rows)
    upstream = [[1.0, 2.0], [-1.0, 0.5], [3.0, 1.0]]
    scalargrad.sum(
        [d * y for ds, row in zip(upstream, ys, strict=True) for d, y in zip(ds, row, strict=True)]
    ).backward()
    for j in range(2):
        ds = [row[j] for row in upstream]
        assert layer.beta[j].grad == pytest.approx(sum(ds), rel=1e-12)
        hats = normalised([row[j] for row in rows], 1e-5)
        assert layer.gamma[j].grad == pytest.approx(sum(d * h for d, h in zip(ds, hats, strict=True)), rel=1e-9)


# -------------------------------------------------------------------- running statistics


@given(st.lists(batches(), min_size=1, max_size=4), st.floats(0, 1))
def test_running_statistics_against_plain_python(several, momentum):
    layer = nn.BatchNorm(2, momentum=momentum)
    mean, variance = [0.0, 0.0], [1.0, 1.0]
    for rows in several:
        layer(rows)
        for j, column in enumerate(columns_of(rows)):
            mean[j] = (1 - momentum) * mean[j] + momentum * statistics.fmean(column)
            variance[j] = (1 - momentum) * variance[j] + momentum * statistics.variance(column)  # divides by n - 1
    assert [m.data for m in layer.running_mean] == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert [v.data for v in layer.running_var] == pytest.approx(variance, rel=1e-9, abs=1e-12)


@given(batches(), batches(least=1))
def test_evaluation_uses_the_running_statistics_and_leaves_them_alone(learned, rows):
    layer = nn.BatchNorm(2, momentum=0.5)
    layer(learned)
    layer.eval()
    mean, variance = ([v.data for v in values] for values in (layer.running_mean, layer.running_var))
    expected = [[(x - m) / math.sqrt(v + 1e-5) for x, m, v in zip(row, mean, variance, strict=True)] for row in rows]
    for found, one, row in zip(layer(rows), expected, rows, strict=True):
        assert [y.data for y in found] == pytest.approx(one, rel=1e-9, abs=1e-9)
        assert [y.data for y in layer(row)] == [y.data for y in found]  # one sample, whatever the others are
    assert [v.data for v in layer.running_mean] == mean
    assert [v.data for v in layer.running_var] == variance


def test_in_evaluation_no_gradient_flows_through_statistics():
    layer = nn.BatchNorm(1).eval()
    layer.running_mean[0].data, layer.running_var[0].data = 3.0, 4.0
    x, other = Value(5.0), Value(1.0)
    y, _ = layer([x, other])
    y.backward()
    assert (x.grad, other.grad) == (pytest.approx(1 / math.sqrt(4 + 1e-5), rel=1e-12), 0.0)


def test_a_bad_batch_does_not_spoil_the_running_statistics():
    layer = nn.BatchNorm(1)
    for bad in (math.nan, math.inf, 1e200):
        assert not all(math.isfinite(y.data) and y.data for y in layer([Value(bad), Value(1.0)]))
    assert (layer.running_mean[0].data, layer.running_var[0].data) == (0.0, 1.0)


def test_running_statistics_are_no_parameters_and_are_copied():
    layer = nn.BatchNorm(2)
    assert [name for name, _ in layer.named_parameters()] == ["gamma.0", "gamma.1", "beta.0", "beta.1"]
    layer([[1.0, 2.0], [3.0, 6.0]])
    twin = copy.deepcopy(layer)
    layer([[1.0, 2.0], [3.0, 6.0]])
    assert [v.data for v in twin.running_mean] == pytest.approx([0.2, 0.4])
    assert [v.data for v in layer.running_mean] == pytest.approx([0.38, 0.76])
    assert twin.gamma[0] is not layer.gamma[0]


# -------------------------------------------------------------------- shapes and names


def test_samples_of_one_value_stay_bare_and_rows_stay_rows():
    layer = nn.BatchNorm(1, eps=0.0)
    assert [y.data for y in layer([1.0, 3.0])] == [-1.0, 1.0]
    assert [y.data for y in layer(iter([1.0, 3.0]))] == [-1.0, 1.0]
    assert data(layer([[1.0], (3.0,)])) == [[-1.0], [1.0]]
    layer.eval()
    assert isinstance(layer(Value(1.0)), Value)
    assert len(layer([1.0])) == 1
    np = pytest.importorskip("numpy")
    both = nn.BatchNorm(2, eps=0.0)(np.array([[1.0, 4.0], [3.0, 2.0]]))
    assert data(both) == [[-1.0, 1.0], [1.0, -1.0]]


def test_names_for_pictures():
    model = nn.Sequential(nn.Layer(1, 1), nn.BatchNorm(1))
    layer = model.layers[1]
    assert (layer.gamma[0].label, layer.gamma[0].label.scope) == ("gamma0", ("layer 1",))
    assert layer.running_var[0].label == "running_var0"
    y, _ = model.on_batch([[1.0], [2.0]])
    assert (y.label, y.label.scope) == ("", ("layer 1",))
    labels = {node.label for node in scalargrad.topological_order(y)}
    assert {"gamma0", "beta0", "mean0", "var0", "w0", "x0"} <= labels
    assert repr(model).splitlines()[2] == "  layer 1: BatchNorm(1)"


# -------------------------------------------------------------------- Dropout


@given(st.floats(0, 0.9), st.integers(0, 1000), st.lists(st.floats(0.5, 5), min_size=1, max_size=8))
def test_a_number_is_dropped_or_divided_by_1_minus_p(p, seed, xs):
    ys = nn.Dropout(p, seed=seed)(xs)
    assert len(ys) == len(xs)
    for x, y in zip(xs, ys, strict=True):
        assert y.data in (0.0, pytest.approx(x / (1 - p), rel=1e-12))
    if p == 0:
        assert [y.data for y in ys] == xs


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_share_dropped_is_p_and_the_mean_stays(p):
    n = 20_000
    ys = [y.data for y in nn.Dropout(p, seed=1)([1.0] * n)]
    assert ys.count(0.0) / n == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / n))
    assert statistics.fmean(ys) == pytest.approx(1, abs=5 * math.sqrt(p / (1 - p) / n))


def test_the_gradient_of_a_dropped_number_is_0():
    xs = [Value(float(i + 1)) for i in range(10)]
    ys = nn.Dropout(0.5, seed=0)(xs)
    scalargrad.sum(ys).backward()
    assert {x.grad for x in xs} == {0.0, 2.0}
    assert [x.data * x.grad for x in xs] == [y.data for y in ys]


def test_dropout_keeps_the_shape_however_deep_it_is():
    flat = [y.data for y in nn.Dropout(0.5, seed=1)([1.0] * 9)]
    nested = nn.Dropout(0.5, seed=1)([[[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], (1.0, 1.0)], 1.0])
    assert [len(rows) for rows in nested[:2]] == [2, 2]
    assert [y.data for rows in nested[:2] for row in rows for y in row] + [nested[2].data] == flat
    endless = [1.0]
    endless.append(endless)
    with pytest.raises(
        ValueError, match=r"Dropout\(0.5\): the input is nested deeper than 100 levels, or holds itself"
    ):
        nn.Dropout(0.5)(endless)


def test_where_nothing_is_dropped_nothing_is_drawn():
    before = random.getstate()
    assert [y.data for y in nn.Dropout(0.0)([Value(1.0), 2.0])] == [1.0, 2.0]
    assert random.getstate() == before


def test_seeds_modes_copies_and_shapes_of_dropout():
    def masks(layer, n=3):
        return [[y.data for y in layer([1.0] * 8)] for _ in range(n)]

    assert (
        masks(nn.Dropout(0.5, seed=1)) == masks(nn.Dropout(0.5, rng=random.Random(1))) != masks(nn.Dropout(0.5, seed=2))
    )
    layer = nn.Dropout(0.5, seed=1)
    first, second, _ = masks(layer)
    assert first != second  # a new mask each time
    assert masks(copy.deepcopy(layer)) == masks(layer)
    state = random.getstate()
    masks(layer)
    assert random.getstate() == state
    random.seed(4)
    globally = masks(copy.deepcopy(nn.Dropout(0.5)))  # Python's global generator is copied by nobody
    random.seed(4)
    assert masks(nn.Dropout(0.5)) == globally

    xs = [1.0, Value(2.0)]
    assert layer.eval()(xs) is xs
    layer.train()
    assert isinstance(layer(Value(1.0)), Value)
    batch = layer([[1.0] * 20, [1.0] * 20])
    assert data(batch)[0] != data(batch)[1]
    assert [len(row) for row in batch] == [20, 20]


# -------------------------------------------------------------------- networks and training


def normalising_network(seed=0):
    rng = random.Random(seed)
    return nn.Sequential(nn.Layer(2, 4, nonlin=False, rng=rng), nn.BatchNorm(4), "tanh", nn.Layer(4, 1, False, rng=rng))


def test_sequential_gives_a_batch_to_each_step_in_turn():
    model, rows = normalising_network(), [[0.5, 1.0], [-1.0, 2.0], [3.0, 0.0]]
    linear, norm, _, last = model.layers
    hidden = [linear(row) for row in rows]
    expected = [last([y.tanh() for y in row]).data for row in norm(hidden)]
    assert [y.data for y in model.on_batch(rows)] == expected
    assert [y.data for y in nn.Sequential(model).on_batch(rows)] == expected  # networks in networks
    model.eval()
    assert [y.data for y in model.on_batch(rows)] == [model(row).data for row in rows] == nn.predict(model, rows)


@given(st.integers(0, 100), batches(least=1))
def test_without_batchnorm_a_batch_is_one_call_for_each_sample(seed, rows):
    mlp = nn.MLP(2, [3, 1], seed=seed)
    for model in (
        mlp,
        nn.Sequential(mlp, scalargrad.tanh, lambda y: y * 2),
        nn.Sequential(lambda x: x[0], nn.Neuron(1)),
    ):
        assert [plain.data for plain in model.on_batch(rows)] == [model(row).data for row in rows]


def test_a_subclass_that_defines_call_is_obeyed():
    class Residual(nn.Sequential):
        def __call__(self, x):
            return [a + b for a, b in zip(x, super().__call__(x), strict=True)]

    model = Residual(nn.Layer(2, 2, seed=0))
    assert data(model.on_batch([[1.0, 2.0]])) == data([model([1.0, 2.0])])
    assert data(model.on_batch([[1.0, 2.0]])) != data(nn.Sequential(model.layers).on_batch([[1.0, 2.0]]))


def test_fit_trains_through_batchnorm_and_predict_uses_what_it_learned():
    X, y = nn.moons(60, noise=0.1, seed=1, labels=(-1, 1))
    X = [[100 * a + 1000, b] for a, b in X]  # far from mean 0 and variance 1
    model = nn.Sequential(nn.BatchNorm(2), nn.MLP(2, [8, 1], activation="tanh", seed=1))
    history = nn.fit(
        model, X, y, loss="hinge", optimizer="adam", lr=0.05, epochs=60, batch_size=20, seed=0, progress=False
    )
    assert history.accuracy[-1] > 0.9
    # The last batches are remembered to 90 %, so the running mean is that of the data, up to what batches differ by.
    column = [a for a, _ in X]
    norm = model.layers[0]
    assert norm.running_mean[0].data == pytest.approx(statistics.fmean(column), abs=statistics.pstdev(column) / 2)
    assert nn.accuracy(nn.predict(model, X), y) > 0.9
    assert norm.training

    plain = nn.MLP(2, [8, 1], activation="tanh", seed=1)
    nn.fit(plain, X, y, loss="hinge", optimizer="adam", lr=0.05, epochs=60, batch_size=20, seed=0, progress=False)
    assert nn.accuracy(nn.predict(plain, X), y) < 0.9  # the same network without


def test_fit_with_dropout_drops_in_training_only():
    X, y = nn.moons(30, noise=0.1, seed=1, labels=(-1, 1))
    model = nn.Sequential(nn.Layer(2, 12, seed=0), nn.Dropout(0.3, seed=0), nn.Layer(12, 1, nonlin=False, seed=1))
    nn.fit(model, X, y, loss="hinge", lr=0.1, epochs=40, progress=False)
    assert nn.predict(model, X) == nn.predict(model, X)
    assert nn.accuracy(nn.predict(model, X), y) > 0.8
    assert model(X[0]).data != model(X[0]).data


# -------------------------------------------------------------------- rules of thumb


def test_a_network_with_both_is_warned_about_once():
    with pytest.warns(nn.RuleOfThumbWarning, match="combines BatchNorm and Dropout") as caught:
        model = nn.Sequential(nn.Layer(2, 4), nn.BatchNorm(4), nn.Dropout(0.5), nn.Layer(4, 1))
    assert [warning.filename for warning in caught] == [__file__]  # the line that built the network
    with pytest.warns(nn.RuleOfThumbWarning):
        nn.Sequential(nn.Sequential(nn.Layer(2, 4), nn.Dropout(0.5)), nn.BatchNorm(4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.Sequential(model, "tanh")  # not again
        nn.Sequential(nn.Layer(2, 4), nn.BatchNorm(4))
        nn.Sequential(nn.Layer(2, 4), nn.Dropout(0.5))


@given(st.integers(1, 10**6), st.integers(1, 100), st.integers(1, 100), st.floats(0.5, 10))
def test_hidden_neurons(samples, nin, nout, alpha):
    n = nn.hidden_neurons(samples, nin, nout, alpha)
    assert alpha * n * (nin + nout) == pytest.approx(samples, rel=1e-12)
    assert nn.hidden_neurons(1000, 2, 1) == nn.hidden_neurons(1000, 2, 1, alpha=2) == pytest.approx(166.67, abs=0.005)


# -------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: nn.BatchNorm(2)([1.0, 2.0]), ValueError, r"BatchNorm\(2\) learns from a batch.*one row.*on_batch"),
        (lambda: nn.BatchNorm(1)(Value(2.0)), ValueError, "one row was given"),
        (lambda: normalising_network()([1.0, 2.0]), ValueError, "rows of 4 numbers, but one row"),
        (lambda: nn.BatchNorm(2)([[1.0, 2.0]]), ValueError, "2 samples or more, not 1, .* batch_size"),
        (lambda: nn.BatchNorm(1)([]), ValueError, "2 samples or more, not 0"),
        (lambda: nn.BatchNorm(2)([[1.0, 2.0], [1.0]]), ValueError, r"BatchNorm\(2\) takes 2 inputs, but 1 was given"),
        (lambda: nn.BatchNorm(2)([[1.0, "a"], [1.0, 2.0]]), TypeError, "input 1 must be a Value or a real number, not str"),
        (lambda: nn.BatchNorm(0), ValueError, "nin must be at least 1"),
        (lambda: nn.BatchNorm(2, eps=-1.0), ValueError, "eps must be"),
        (lambda: nn.BatchNorm(2, eps=math.nan), ValueError, "eps must be"),
        (lambda: nn.BatchNorm(2, momentum=1.1), ValueError, "momentum must be from 0 to 1, not 1.1"),
        (lambda: nn.BatchNorm(2, eps="small"), TypeError, "str"),
        (lambda: nn.Dropout(1.0), ValueError, "from 0 to below 1, not 1.0"),
        (lambda: nn.Dropout(-0.1), ValueError, "from 0 to below 1"),
        (lambda: nn.Dropout(math.nan), ValueError, "from 0 to below 1"),
        (lambda: nn.Dropout("half"), TypeError, "str"),
        (lambda: nn.Dropout(0.5, seed=1, rng=random.Random()), ValueError, "both given"),
        (lambda: nn.Dropout(0.5)(["a"]), TypeError, "must be a Value or a real number, not str"),
        (lambda: nn.hidden_neurons(0, 2, 1), ValueError, "samples must be at least 1"),
        (lambda: nn.hidden_neurons(10, 2.5, 1), TypeError, "nin must be an integer"),
        (lambda: nn.hidden_neurons(10, 2, 1, alpha=0), ValueError, "alpha must be positive"),
    ],
)  # fmt: skip
def test_errors_say_what_was_given_and_what_to_do(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_an_error_leaves_the_running_statistics_alone():
    layer = nn.BatchNorm(1, eps=0.0)
    with pytest.raises(ZeroDivisionError):
        layer([2.0, 2.0])  # a constant column, and nothing to keep the root from 0
    assert (layer.running_mean[0].data, layer.running_var[0].data) == (0.0, 1.0)
    assert [y.data for y in nn.BatchNorm(1)([2.0, 2.0])] == [0.0, 0.0]
