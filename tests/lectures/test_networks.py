"""The lectures on neurons, layers, networks and their training give their numbers: one test for each example.

The numbers are those of the texts, where they give some; the oracle is numpy, as in the texts' own lines of code.
"""

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import mpmath
from optional import numpy as np
from sizes import has_full_size, size

from scalargrad import Value, derivative, dot, elu, grad, leaky_relu, maximum, nn, relu, sigmoid, tanh

numbers = st.floats(-3, 3)


def near(x):
    return pytest.approx(x, rel=1e-12, abs=1e-15)


def set_weights(layer, W, b):
    for neuron, row, bias in zip(layer.neurons, W, b, strict=True):
        for weight, w in zip(neuron.w, row, strict=True):
            weight.data = float(w)
        neuron.b.data = float(bias)


# -------------------------------------------------------------------- 29: f = W2 max(0, W1 x), and once more


def times(W, x):
    return [dot(row, x) for row in W]


def two_layers(W1, W2, x):
    return times(W2, [relu(z) for z in times(W1, x)])


def three_layers(W1, W2, W3, x):
    return times(W3, [relu(z) for z in times(W2, [relu(z) for z in times(W1, x)])])


def test_29_two_and_three_layers_in_whole_numbers():
    W1, W2, W3 = [[1, -1], [2, 1], [-1, 3]], [[1, 0, -1], [-2, 1, 1]], [[3, -1]]
    x = [2, 1]
    # W1 x is (1, 5, 1), and W2 of that (0, 4): max(0, ·) changes neither. At -x every hidden unit is off.
    assert two_layers(W1, W2, x) == [0, 4]
    assert three_layers(W1, W2, W3, x) == [-4]
    assert two_layers(W1, W2, [-2, -1]) == [0, 0]
    assert three_layers(W1, W2, W3, [-2, -1]) == [0]
    # A hidden unit that is off, here the first, cuts its row of W1 off from the gradient.
    dW1 = grad(lambda W1: two_layers(W1, [[1, 1, 1]], [1.0, 2.0])[0])([[1.0, -1.0], [2.0, 1.0], [-1.0, 3.0]])
    assert dW1 == [[0, 0], [1, 2], [1, 2]]


@given(st.integers(0, 10**6))
def test_29_they_are_networks_without_biases(seed):
    rng = random.Random(seed)
    x = [rng.uniform(-2, 2) for _ in range(3)]
    for nouts in ([5, 2], [4, 5, 2]):
        model = nn.MLP(3, nouts, bias=False, seed=seed)
        W = [[[w.data for w in neuron.w] for neuron in layer.neurons] for layer in model.layers]
        formula = two_layers if len(nouts) == 2 else three_layers
        assert formula(*W, x) == [v.data for v in model(x)]
        out = np.array(x)
        for matrix in W[:-1]:
            out = np.maximum(0, np.array(matrix) @ out)
        assert formula(*W, x) == pytest.approx(np.array(W[-1]) @ out, rel=1e-12, abs=1e-14)


# -------------------------------------------------------------------- 31: neuron_tick, a three-layer forward pass


class LectureNeuron:
    """The slide's class, with the `self` that it leaves out."""

    def __init__(self, weights, bias):
        self.weights, self.bias = np.array(weights), bias

    def neuron_tick(self, inputs):
        cell_body_sum = np.sum(inputs * self.weights) + self.bias
        return 1.0 / (1.0 + math.exp(-cell_body_sum))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6), numbers, st.sampled_from(["relu", "tanh", None]))
def test_31_neuron_tick_is_the_slides(pairs, bias, activation):
    weights, inputs = map(list, zip(*pairs, strict=True))
    for fused in (True, False):
        neuron = nn.Neuron(len(weights), activation=activation, fused=fused)
        neuron.w, neuron.b.data = [Value(w) for w in weights], bias
        rate = neuron.neuron_tick(inputs)
        assert rate.data == near(LectureNeuron(weights, bias).neuron_tick(np.array(inputs)))
        assert rate.data == sigmoid(dot(weights, inputs, bias))  # whatever activation a call of the neuron has
        rate.backward()
        slope = rate.data * (1 - rate.data)
        assert [w.grad for w in neuron.w] == near([slope * x for x in inputs])
        assert neuron.b.grad == near(slope)


def test_31_neuron_tick_of_the_sigmoid_neuron():
    neuron = nn.Neuron(2)
    neuron.w, neuron.b.data = [Value(2.0), Value(-3.0)], -3.0
    x = [Value(-1.0), Value(-2.0)]
    rate = neuron.neuron_tick(x)
    assert rate.data == near(0.7310585786300049)
    rate.backward()
    found = [*(w.grad for w in neuron.w), neuron.b.grad, *(v.grad for v in x)]
    # w0, w1, w2 (the bias), x0, x1, as the circuit of the same lecture has them
    assert found == pytest.approx([-0.196611933, -0.393223866, 0.196611933, 0.393223866, -0.589835800], abs=5.1e-10)
    with pytest.raises(ValueError, match="takes 2 inputs, but 3 were given"):
        neuron.neuron_tick([1.0, 2.0, 3.0])


def test_31_a_three_layer_forward_pass():
    rng = np.random.RandomState(0)
    W1, b1 = rng.randn(4, 3), rng.randn(4, 1)
    W2, b2 = rng.randn(4, 4), rng.randn(4, 1)
    W3, b3 = rng.randn(1, 4), rng.randn(1, 1)
    x = rng.randn(3, 1)
    # the lecture's lines
    f = lambda x: 1.0 / (1.0 + np.exp(-x))  # noqa: E731
    h1 = f(np.dot(W1, x) + b1)
    h2 = f(np.dot(W2, h1) + b2)
    out = np.dot(W3, h2) + b3
    assert (h1.shape, h2.shape, out.shape) == ((4, 1), (4, 1), (1, 1))

    model = nn.MLP(3, [4, 4, 1], activation="sigmoid")
    for layer, W, b in zip(model.layers, (W1, W2, W3), (b1, b2, b3), strict=True):
        set_weights(layer, W, b[:, 0])
    assert [layer.neurons[0].activation for layer in model.layers] == ["sigmoid", "sigmoid", "linear"]
    first = [model.layers[0].neurons[i].neuron_tick(x[:, 0]).data for i in range(4)]
    assert first == near(h1[:, 0].tolist())
    assert model(x[:, 0]).data == near(out[0, 0])
    # 4 + 4 + 1 neurons, 12 + 16 + 4 weights and 9 biases
    assert sum(len(layer.neurons) for layer in model.layers) == 9
    assert len(model.parameters()) == 32 + 9


# -------------------------------------------------------------------- 32: activations

POINTS = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]

# Values and slopes at the seven points. At a kink the slopes from the left and from the right differ: ReLU and Leaky
# ReLU take the left one, ELU has only one there (with alpha 1), and the two pieces of Maxout share.
ACTIVATIONS = {
    "sigmoid": (
        sigmoid,
        [0.11920292202212, 0.26894142137, 0.37754066879815, 0.5, 0.62245933120185, 0.73105857863, 0.88079707797788],
        [0.10499358540351, 0.19661193324148, 0.23500371220159, 0.25, 0.23500371220159, 0.19661193324148,
         0.10499358540351],
    ),
    "tanh": (
        tanh,
        [-0.96402758007582, -0.76159415595576, -0.46211715726001, 0, 0.46211715726001, 0.76159415595576,
         0.96402758007582],
        [0.070650824853164, 0.41997434161403, 0.78644773296593, 1, 0.78644773296593, 0.41997434161403,
         0.070650824853164],
    ),
    "relu": (relu, [0, 0, 0, 0, 0.5, 1, 2], [0, 0, 0, 0, 1, 1, 1]),
    "leaky_relu": (leaky_relu, [-0.2, -0.1, -0.05, 0, 0.5, 1, 2], [0.1, 0.1, 0.1, 0.1, 1, 1, 1]),
    "elu": (
        elu,
        [-0.86466471676339, -0.63212055882856, -0.39346934028737, 0, 0.5, 1, 2],
        [0.13533528323661, 0.36787944117144, 0.60653065971263, 1, 1, 1, 1],
    ),
    "maxout": (lambda x: maximum(0.1 * x, x), [-0.2, -0.1, -0.05, 0, 0.5, 1, 2], [0.1, 0.1, 0.1, 0.55, 1, 1, 1]),
}  # fmt: skip

FORMULAS = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "relu": lambda x: max(0, x),
    "leaky_relu": lambda x: max(mpmath.mpf(1) / 10 * x, x),
    "elu": lambda x: x if x > 0 else mpmath.exp(x) - 1,
    "maxout": lambda x: max(mpmath.mpf(1) / 10 * x, x),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_32_activations_and_their_slopes(name):
    function, values, slopes = ACTIVATIONS[name]
    assert [function(x) for x in POINTS] == pytest.approx(values, rel=1e-12, abs=1e-15)
    assert [derivative(function)(x) for x in POINTS] == pytest.approx(slopes, rel=1e-12)
    formula = FORMULAS[name]
    assert values == pytest.approx([float(formula(mpmath.mpf(x))) for x in POINTS], rel=1e-12)
    smooth = [i for i, x in enumerate(POINTS) if x or name in ("sigmoid", "tanh", "elu")]
    oracle = [float(mpmath.diff(formula, POINTS[i], h=mpmath.mpf(10) ** -12)) for i in smooth]
    assert [slopes[i] for i in smooth] == pytest.approx(oracle, rel=1e-9, abs=1e-9)
    if name != "maxout":
        neuron = nn.Neuron(1, activation=name, init=nn.constant(1.0))
        assert [neuron([x]).data for x in POINTS] == [function(x) for x in POINTS]


@given(numbers)
def test_32_leaky_relu_is_max_01x_x(x):
    assert leaky_relu(x) == max(0.1 * x, x)
    assert elu(x, 0.5) == near(x if x > 0 else 0.5 * (math.exp(x) - 1))


@given(numbers, st.floats(-2, 2), numbers, numbers, numbers)
def test_32_maxout_is_the_larger_of_two_lines_and_relu_is_one(x, w1, b1, w2, b2):
    neuron = nn.MaxoutNeuron(1, pieces=2)
    for piece, w, b in zip(neuron.pieces, (w1, w2), (b1, b2), strict=True):
        piece.w[0].data, piece.b.data = w, b
    assert neuron([x]).data == max(w1 * x + b1, w2 * x + b2)
    for w1, function in ((0.0, relu), (0.1, leaky_relu)):  # noqa: PLR1704
        for piece, w in zip(neuron.pieces, (w1, 1.0), strict=True):
            piece.w[0].data, piece.b.data = w, 0.0
        assert neuron([x]).data == function(x)


# -------------------------------------------------------------------- 33: capacity and regularisation


def loss_and_size(hidden, strength, X, y):
    model = nn.MLP(2, [hidden, 1], activation="tanh", init="xavier_normal", seed=1)
    nn.fit(model, X, y, loss="bce_with_logits", optimizer="adam", lr=0.05, epochs=300, penalty=strength, progress=False,
           compiled=True)  # fmt: skip
    data_loss = nn.bce_with_logits([Value(score) for score in nn.predict(model, X)], y).data
    return data_loss, nn.l2_penalty(model).data


def test_33_more_neurons_fit_more_and_a_stronger_penalty_fits_less():
    X, y = nn.moons(60, noise=0.3, seed=3)
    losses = [loss_and_size(hidden, 0.0, X, y)[0] for hidden in (1, 3, 20)]
    assert losses == sorted(losses, reverse=True)
    assert losses[2] < 0.5 * losses[0]
    # Twenty neurons, lambda as on the slide, and one that leaves nothing standing.
    found = [loss_and_size(20, strength, X, y) for strength in (0.0, 0.001, 0.01, 0.1, 10.0)]
    losses, sizes = zip(*found, strict=True)
    assert list(losses) == sorted(losses)
    assert list(sizes) == sorted(sizes, reverse=True)
    assert losses[-1] == pytest.approx(math.log(2), rel=1e-6)  # only guessing is left
    assert sizes[-1] < 1e-6


# -------------------------------------------------------------------- 34: gradient descent, whole and in minibatches


def test_34_vanilla_gradient_descent():
    X, y = nn.moons(20, seed=0)
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    parameters = model.parameters()
    weights, step_size = [p.data for p in parameters], 0.1
    evaluate_gradient = grad(
        lambda weights: nn.bce_with_logits([network(weights, x) for x in X], y)  # the loss of the whole data set
    )
    for _ in range(10):
        weights_grad = evaluate_gradient(weights)
        weights = [w + -step_size * g for w, g in zip(weights, weights_grad, strict=True)]
    history = nn.fit(model, X, y, loss="bce_with_logits", lr=step_size, epochs=10, progress=False)
    assert [p.data for p in parameters] == near(weights)
    assert history.loss == sorted(history.loss, reverse=True)


def network(weights, x):
    """2-3-1 with tanh, its parameters in the order of an MLP's."""
    hidden = [tanh(dot(weights[i : i + 2], x, weights[i + 2])) for i in (0, 3, 6)]
    return dot(weights[9:12], hidden, weights[12])


@has_full_size
@settings(max_examples=size(20, 100))
@given(st.integers(0, 1000))
def test_34_minibatches_average_to_the_gradient_of_all(seed):
    X, y = nn.moons(20, seed=seed)
    model = nn.MLP(2, [3, 1], activation="tanh", seed=seed)
    weights = [p.data for p in model.parameters()]
    assert [network(weights, x) for x in X] == nn.predict(model, X)

    def gradient(samples):
        return grad(lambda w: nn.bce_with_logits([network(w, X[i]) for i in samples], [y[i] for i in samples]))(weights)

    order = random.Random(seed).sample(range(20), 20)
    batches = [gradient(order[start : start + 5]) for start in range(0, 20, 5)]
    whole = gradient(range(20))
    assert [sum(column) / 4 for column in zip(*batches, strict=True)] == pytest.approx(whole, rel=1e-9, abs=1e-12)
    assert any(abs(a - b) > 1e-3 for a, b in zip(batches[0], whole, strict=True))


# -------------------------------------------------------------------- 36, 37: layers of 32 neurons; the sum of squares


def test_36_five_layers_composed():
    model = nn.MLP(3, [32, 32, 32, 32, 1], seed=0, init="he_normal")
    out = [0.5, -1.0, 2.0]
    for layer in model.layers:
        assert len(layer.neurons) in (32, 1)
        sums = [sum(w.data * x for w, x in zip(neuron.w, out, strict=True)) + neuron.b.data for neuron in layer.neurons]
        out = [max(0.0, s) for s in sums] if len(sums) == 32 else sums
    assert model([0.5, -1.0, 2.0]).data == pytest.approx(out[0], rel=1e-9)
    L1, L2, L3, L4, L5 = model.layers
    assert L5(L4(L3(L2(L1([0.5, -1.0, 2.0]))))).data == model([0.5, -1.0, 2.0]).data


def test_37_the_loss_of_a_data_set_is_the_sum_of_squares():
    X, y = [[1.0], [2.0], [4.0]], [3.0, 5.0, 8.0]
    line = nn.Neuron(1, activation=None)
    line.w[0].data, line.b.data = 2.0, 1.0
    loss = nn.sse([line(x) for x in X], y)
    loss.backward()
    # residuals 0, 0, 1
    assert (loss.data, line.w[0].grad, line.b.grad) == (1.0, 8.0, 2.0)
    assert nn.mse([line(x) for x in X], y).data == near(float(Fraction(1, 3)))


# -------------------------------------------------------------------- 40: the learning rate


def test_40_one_update_with_the_learning_rate_of_the_text():
    w, rate = [Value(1.0), Value(-2.0)], 0.001
    (3 * w[0] ** 2 + 4 * w[0] + w[0] * w[1]).backward()
    gradients = [v.grad for v in w]
    assert gradients == [8.0, 1.0]
    nn.SGD(w, lr=rate).step()
    assert [v.data for v in w] == [1.0 + rate * -8.0, -2.0 + rate * -1.0]


SCHEDULES = [
    (nn.linear_lr(1.0, 0.1, 100), [1.0, 0.91, 0.55, 0.1, 0.1]),
    (nn.step_lr(1.0, every=50), [1.0, 1.0, 0.1, 0.01, 0.0001]),
    (nn.exponential_lr(1.0, 0.9), [1.0, 0.3486784401, 0.00515377520732, 2.65613988876e-05, 7.05507910865e-10]),
    (nn.cosine_lr(1.0, 100), [1.0, 0.975528258148, 0.5, 0.0, 0.0]),
    (nn.inverse_time_lr(1.0, 0.1), [1.0, 0.5, 1 / 6, 1 / 11, 1 / 21]),
]


@pytest.mark.parametrize(("schedule", "expected"), SCHEDULES)
def test_40_larger_at_first_and_decreasing(schedule, expected):
    assert [schedule(k) for k in (0, 10, 50, 100, 200)] == pytest.approx(expected, rel=1e-9, abs=1e-15)
    rates = [schedule(k) for k in range(200)]
    assert rates == sorted(rates, reverse=True)
    X, y = nn.xor(labels=(-1, 1))
    model = nn.MLP(2, [2, 1], activation="tanh", seed=0)
    history = nn.fit(model, X, y, loss="hinge", schedule=schedule, epochs=20, progress=False)
    assert history.lr == rates[:20]


def test_40_a_constant_rate_jumps_over_the_minimum_for_ever_and_a_decreasing_one_settles():
    def walk(schedule):
        w = Value(0.35)
        optimizer = nn.SGD([w], lr=1.0)
        for k in range(400):
            optimizer.lr = schedule(k)
            optimizer.zero_grad()
            abs(w).backward()
            optimizer.step()
        return abs(w.data)

    assert walk(nn.constant_lr(0.1)) == pytest.approx(0.05, abs=1e-6)
    assert walk(nn.inverse_time_lr(0.1, 0.05)) < 0.006
