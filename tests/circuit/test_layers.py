"""Layers with explicit forward and backward: proved equal to the engine, and to finite differences."""

import random

import pytest
from helpers import slope
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

from scalargrad import Value, dot, layers, nn, relu, sigmoid, tanh
from scalargrad.layers import Elementwise, Linear, Network, ReLU, Sigmoid, SoftmaxCrossEntropy, Tanh, shape
from scalargrad.table import TABLE

numbers = st.floats(-3, 3)
sizes = st.integers(1, 4)
ACTIVATIONS = {Tanh: tanh, Sigmoid: sigmoid, ReLU: relu}
LAYERS = [lambda: Linear(3, 2, seed=0), lambda: Linear(3, 2, seed=0, bias=False), Tanh, Sigmoid, ReLU,
          lambda: Elementwise("softplus"), lambda: Network(Linear(3, 4, seed=1), Tanh(), Linear(4, 2, seed=2))]  # fmt: skip


def rows(n, k):
    return st.lists(st.lists(numbers, min_size=k, max_size=k), min_size=n, max_size=n)


def near(x):
    return pytest.approx(x, rel=1e-12, abs=1e-13)


def near_rows(A):
    return [near(row) for row in A]


def values(A):
    return [[Value(a) for a in row] for row in A]


def grads(A):
    return [[v.grad for v in row] for row in A]


def linear_of_values(X, W, b):
    """Y = X·W + b, unit by unit, as a scalar graph."""
    return [[dot(row, column, bias) for column, bias in zip(zip(*W, strict=True), b, strict=True)] for row in X]


def send_back(Y, DY):
    """Run backward from Σ DY∘Y, so that every entry of Y gets its entry of DY for a gradient."""
    dot([y for row in Y for y in row], [d for row in DY for d in row]).backward()


# -------------------------------------------------------------------- Linear


@given(n=sizes, k=sizes, m=sizes, data=st.data())
def test_linear_is_the_engine(n, k, m, data):
    X, W, DY = data.draw(rows(n, k)), data.draw(rows(k, m)), data.draw(rows(n, m))
    (b,) = data.draw(rows(1, m))
    layer = Linear(k, m, W=W, b=b)
    Y, DX = layer.forward(X), layer.backward(DY)
    Xv, Wv, bv = values(X), values(W), [Value(x) for x in b]
    Yv = linear_of_values(Xv, Wv, bv)
    send_back(Yv, DY)
    assert near_rows(Y) == [[y.data for y in row] for row in Yv]
    assert near_rows(DX) == grads(Xv)
    assert near_rows(layer.DW) == grads(Wv)
    assert near(layer.DB) == [v.grad for v in bv]
    assert (shape(Y), shape(DX), shape(layer.DW), shape(layer.DB)) == ((n, m), (n, k), (k, m), (m,))


@given(n=st.integers(1, 6), data=st.data())
def test_the_gradient_of_a_batch_is_the_sum_over_its_samples(n, data):
    X, DY = data.draw(rows(n, 3)), data.draw(rows(n, 2))
    batch, single = Linear(3, 2, seed=0), Linear(3, 2, seed=0)
    batch.forward(X)
    DX = batch.backward(DY)
    DW, DB = [[0.0] * 2 for _ in range(3)], [0.0] * 2
    for x, dy, dx in zip(X, DY, DX, strict=True):
        single.forward([x])
        assert near_rows(single.backward([dy])) == [dx]
        DW = [[a + b for a, b in zip(*pair, strict=True)] for pair in zip(DW, single.DW, strict=True)]
        DB = [a + b for a, b in zip(DB, single.DB, strict=True)]
    assert near_rows(batch.DW) == DW
    assert near(batch.DB) == DB


@pytest.mark.parametrize("make", LAYERS)
def test_gradients_are_finite_differences(make):
    rng = random.Random(1)
    X = [[rng.uniform(0.2, 1) * rng.choice([-1, 1]) for _ in range(3)] for _ in range(4)]
    layer = make()
    DY = [[rng.uniform(-1, 1) for _ in row] for row in layer.forward(X)]
    DX = layer.backward(DY)

    def error():
        return sum(d * y for dys, ys in zip(DY, layer.forward(X), strict=True) for d, y in zip(dys, ys, strict=True))

    def check(gradient, vector, j):
        at = vector[j]

        def moved(x):
            vector[j] = x
            return error()

        estimate, uncertainty = slope(moved, at)
        vector[j] = at
        assert gradient == pytest.approx(estimate, rel=1e-8, abs=1e-8 + 4 * uncertainty)

    for i, row in enumerate(DX):
        for j, d in enumerate(row):
            check(d, X[i], j)
    for part in getattr(layer, "layers", [layer]):
        if isinstance(part, Linear):
            for i, row in enumerate(part.DW):
                for j, d in enumerate(row):
                    check(d, part.W[i], j)
            for j, d in enumerate(part.DB if part.has_bias else ()):
                check(d, part.b, j)


def test_what_linear_starts_from():
    assert Linear(3, 2, seed=5).W == Linear(3, 2, seed=5).W != Linear(3, 2, seed=6).W
    for seed in (1.5, "abc", b"abc", True, -3):  # whatever random.Random takes for a seed, and as it takes it
        rng = random.Random(seed)
        assert [[rng.uniform(-1, 1) for _ in range(2)]] == Linear(1, 2, seed=seed).W
    with pytest.raises(ValueError, match=r"Linear: the seed '.ud800' holds half a character"):
        Linear(2, 1, seed="\ud800")
    with pytest.raises(TypeError, match="Linear: seed must be a number, a string or bytes, not list"):
        Linear(3, 2, seed=[1])
    random.seed(5)
    assert Linear(3, 2).W == Linear(3, 2, seed=5).W
    assert all(abs(w) <= 0.1 for row in Linear(100, 5, seed=0).W for w in row)
    assert Linear(3, 2).b == [0.0, 0.0]
    W = [[1.0, 2.0]]
    layer = Linear(1, 2, W=W, b=(3, 4))
    layer.forward([[1.0]])
    layer.backward([[1.0, 1.0]])
    layer.update_parameters(1.0)
    assert (layer.W, layer.b, W) == ([[0.0, 1.0]], [2.0, 3.0], [[1.0, 2.0]])
    layer = Linear(1, 1, bias=False, W=[[2.0]])
    assert layer.forward([[3.0]]) == [[6.0]]
    layer.backward([[1.0]])
    layer.update_parameters(0.1)
    assert (layer.b, repr(layer)) == ([0.0], "Linear(1, 1, bias=False)")


def test_backward_replaces_what_the_one_before_kept():
    layer = Linear(1, 1, W=[[2.0]])
    layer.forward([[3.0]])
    layer.backward([[1.0]])
    layer.backward([[1.0]])
    assert (layer.DW, layer.DB) == ([[3.0]], [1.0])


def test_arrays_will_do():
    np = pytest.importorskip("numpy")
    layer = Linear(2, 1, W=np.array([[1.0], [2.0]]), b=np.array([0.5]))
    assert layer.forward(np.array([[1, 2]])) == [[5.5]]
    assert layer.backward(np.ones((1, 1))) == [[1.0, 2.0]]
    assert SoftmaxCrossEntropy().forward(np.zeros((1, 2)), np.array([1])) > 0


# -------------------------------------------------------------------- other layers


@pytest.mark.parametrize("layer", ACTIVATIONS)
@given(data=st.data(), n=sizes, k=sizes)
def test_activations_are_the_engine(layer, data, n, k):
    X, DY = data.draw(rows(n, k)), data.draw(rows(n, k))
    made, Xv = layer(), values(X)
    Yv = [[ACTIVATIONS[layer](x) for x in row] for row in Xv]
    send_back(Yv, DY)
    assert made.forward(X) == [[y.data for y in row] for row in Yv]
    assert made.backward(DY) == grads(Xv)
    made.update_parameters(0.1)


@pytest.mark.parametrize("op", [name for name, op in TABLE.items() if op.arity == 1 or op.default is not None])
def test_any_op_of_one_operand_is_a_layer(op):
    x = Value(0.3 if op not in ("arccosh",) else 1.3)
    out = TABLE[op].function(x)
    out.backward(2.0)
    layer = Elementwise(op)
    assert (layer.forward([[x.data]]), layer.backward([[2.0]])) == ([[out.data]], [[x.grad]])


@given(n=sizes, classes=st.integers(1, 4), reduction=st.sampled_from(["mean", "sum"]), data=st.data())
def test_softmax_cross_entropy_is_the_engine(n, classes, reduction, data):
    S = data.draw(rows(n, classes + 1))
    targets = data.draw(st.lists(st.integers(0, classes), min_size=n, max_size=n))
    loss, Sv = SoftmaxCrossEntropy(reduction), values(S)
    out = nn.cross_entropy(Sv, targets, reduction)
    out.backward(2.0)
    assert loss.forward(S, targets) == near(out.data)
    DS = loss.backward(2.0)
    assert near_rows(DS) == grads(Sv)
    share = 2 / n if reduction == "mean" else 2  # ŷ − y, as the lectures have it
    assert [
        near([share * (p - (j == t)) for j, p in enumerate(row)]) for row, t in zip(loss.P, targets, strict=True)
    ] == DS
    assert [sum(row) for row in loss.P] == near([1.0] * n)


@has_full_size
@settings(max_examples=size(30, 100))
@given(data=st.data(), n=sizes)
def test_a_network_trains_as_its_graph_does(data, n):
    X, targets = data.draw(rows(n, 2)), data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    first, second = Linear(2, 4, seed=1), Linear(4, 3, seed=2)
    net, loss = Network(first, Tanh(), second), SoftmaxCrossEntropy()
    W1, W2, b1, b2 = values(first.W), values(second.W), *values([first.b, second.b])
    parameters = [v for row in (*W1, *W2, b1, b2) for v in row]
    for _ in range(3):
        error = loss.forward(net.forward(X), targets)
        DX = net.backward(loss.backward())
        net.update_parameters(0.5)
        Xv = values(X)
        H = [[tanh(z) for z in row] for row in linear_of_values(Xv, W1, b1)]
        out = nn.cross_entropy(linear_of_values(H, W2, b2), targets)
        out.zero_grad()
        out.backward()
        for p in parameters:
            p.data -= 0.5 * p.grad
        assert error == near(out.data)
        assert near_rows(DX) == grads(Xv)
    assert near_rows(first.W) == [[v.data for v in row] for row in W1]
    assert near(second.b) == [v.data for v in b2]


@pytest.mark.parametrize("make", LAYERS)
def test_backward_always_returns_dx(make):
    layer = make()
    X = [[0.1, 0.2, 0.3]] * 5
    Y = layer.forward(X)
    assert shape(layer.backward(Y)) == shape(X)


# -------------------------------------------------------------------- errors


class Forgetful(Tanh):
    def backward(self, DY):
        super().backward(DY)


def after_forward(layer, X=((1.0, 2.0),)):
    layer.forward(X)
    return layer


@pytest.mark.parametrize(
    ("attempt", "error", "text"),
    [
        (lambda: Linear(2, 3).forward([[1, 2, 3]] * 5), ValueError,
         r"Linear\(2, 3\).forward: X has shape \(5, 3\), expected \(N, 2\)"),
        (lambda: Linear(2, 3).forward([1, 2]), ValueError, r"has shape \(2,\), expected \(N, 2\): one row is a batch \[\["),
        (lambda: Linear(2, 3).forward([[1, 2], [1]]), ValueError, r"shape \(2,\), expected \(N, 2\): rows of 1 and 2 numbers"),
        (lambda: Linear(2, 3).forward([]), ValueError, r"X has shape \(0,\), expected \(N, 2\)$"),
        (lambda: Linear(2, 3).forward(1.0), ValueError, r"X has shape \(\), expected \(N, 2\)$"),
        (lambda: Linear(2, 3).forward([["1", 2]]), TypeError, r"X\[0\]\[0\] must be a real number, not str"),
        (lambda: Linear(2, 3).forward([[1.0, Value(2.0)]]), TypeError, r"X\[0\]\[1\] must be .* not Value: .* \.data"),
        (lambda: after_forward(Linear(2, 3)).backward([[1, 2]]), ValueError,
         r"backward: DY has shape \(1, 2\), expected \(1, 3\)"),
        (lambda: after_forward(Tanh()).backward([[1, 2]] * 2), ValueError,
         r"Tanh\(\).backward: DY has shape \(2, 2\), expected \(1, 2\)"),
        (lambda: Linear(2, 3).backward([[1, 2, 3]]), ValueError, r"Linear\(2, 3\).backward came before forward"),
        (lambda: Tanh().backward([[1]]), ValueError, r"Tanh\(\).backward came before forward"),
        (lambda: after_forward(Linear(2, 3)).update_parameters(0.1), ValueError, "update_parameters came before backward"),
        (lambda: Linear(2, 3, W=[[1, 2], [3, 4], [5, 6]]), ValueError, r"W has shape \(3, 2\), expected \(2, 3\)"),
        (lambda: Linear(2, 2, b=[[0.1], [0.2]]), ValueError, r"b has shape \(2, 1\), expected \(2,\)"),
        (lambda: Linear(2, 2, bias=False, b=[1, 2]), ValueError, "b was given, but bias=False"),
        (lambda: Linear(0, 2), ValueError, "nin must be at least 1, not 0"),
        (lambda: Linear(2, True), TypeError, "nout must be an integer, not bool"),
        (lambda: Linear(1, 2).forward([b"a"]), ValueError, r"X has shape \(1,\), expected \(N, 1\)"),
        (lambda: Elementwise("tahn"), ValueError, "there is no op 'tahn'"),
        (lambda: Elementwise("add"), ValueError, "takes an op of one operand"),
        (lambda: SoftmaxCrossEntropy("none"), ValueError, "must be 'mean' or 'sum', not 'none'"),
        (lambda: SoftmaxCrossEntropy().forward([[1, 2]], 0), ValueError, r"targets has shape \(\), expected \(1,\)"),
        (lambda: SoftmaxCrossEntropy().forward([[1, 2]], [2]), ValueError, "target 0 is 2, but must be from 0 to 1"),
        (lambda: SoftmaxCrossEntropy().forward([[1, 2]], [0.5]), TypeError, "target 0 must be a class index, not 0.5"),
        (lambda: SoftmaxCrossEntropy().backward(), ValueError, "backward came before forward"),
        (lambda: Network(Tanh(), abs), TypeError, "layer 1 must have forward, backward and update_parameters"),
        (lambda: after_forward(Network(Forgetful())).backward([[1, 2]]), ValueError,
         r"backward of layer 0, Forgetful\(\), returned None: it must always return DX"),
        (lambda: layers.Layer().forward([[1]]), NotImplementedError, r"Layer needs a method forward\(X\)"),
        (lambda: layers.product([[1.0]], [[1.0], [2.0]]), ValueError, r"no product of shapes \(1, 1\) and \(2, 1\)"),
    ],
)  # fmt: skip
def test_errors_say_what_was_given_and_what_was_expected(attempt, error, text):
    with pytest.raises(error, match=text):
        attempt()
