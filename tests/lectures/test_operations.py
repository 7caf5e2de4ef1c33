"""The lectures' examples give the lectures' numbers: one test for each. Where the engine and a text disagree, both are here.

The texts are lecture notes on layers, on SGD and the linear class, on Jacobians and identities, and CS231n lecture 4.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad
from scalargrad import (
    Function,
    Value,
    count_operations,
    derivative,
    dot,
    draw,
    exp,
    grad,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    nn,
    relu,
    sigmoid,
    sparsity,
    sweep_hook,
    tanh,
    vjp,
)
from scalargrad.circuit import (
    AddConstantGate,
    AddGate,
    ComputationalGraph,
    ExpGate,
    MaxGate,
    MulConstantGate,
    MultiplyGate,
    ReciprocalGate,
    SigmoidGate,
)
from scalargrad.layers import Linear, Network, ReLU, Sigmoid, SoftmaxCrossEntropy, Tanh, product, shape, transposed

numbers = st.floats(-3, 3)


def near(x, rel=1e-12):
    return pytest.approx(x, rel=rel, abs=1e-15)


def digits9(x):
    """Numbers that are printed with nine digits after the point."""
    return pytest.approx(x, abs=5.1e-10)


def rows9(A):
    return [digits9(row) for row in A]


def times(W, x):
    """W·x for a matrix and a column vector."""
    return [dot(row, x) for row in W]


def row_times(x, W):
    """x·W for a row vector and a matrix."""
    return [dot(x, column) for column in zip(*W, strict=True)]


# -------------------------------------------------------------------- basics of neural networks


def test_01_the_contract_of_a_layer():
    layers = [Linear(3, 3, seed=0), Tanh(), Sigmoid(), ReLU(), Network(Linear(3, 3, seed=1), Tanh())]
    for layer in layers:
        Y = layer.forward([[0.5, -1.0, 2.0]] * 5)
        DX = layer.backward([[1.0, 1.0, 1.0]] * 5)  # always returned
        assert shape(DX) == shape(Y) == (5, 3)
        assert hasattr(layer, "DW") == hasattr(layer, "DB") == isinstance(layer, Linear)


def test_02_linear_with_five_samples():
    X = [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]  # (5, K)
    DY = [[1, 0, 2], [0, 1, 0], [1, 1, 1], [2, 0, 0], [0, 0, 3]]  # (5, M)
    layer = Linear(2, 3, W=[[1, 0, -1], [2, 1, 0]], b=[1, 0, -1])
    assert layer.forward(X) == [[6, 2, -2], [12, 4, -4], [18, 6, -6], [24, 8, -8], [30, 10, -10]]  # (5, M)
    assert layer.backward(DY) == product(DY, transposed(layer.W)) == [[-1, 2], [0, 1], [0, 3], [2, 4], [-3, 0]]
    assert layer.DW == product(transposed(X), DY) == [[20, 8, 34], [24, 10, 40]]
    assert layer.DB == [4, 2, 6]


def test_03_the_tanh_layer():
    layer = Tanh()
    ((y, _),) = layer.forward([[0.5, 0.0]])
    assert layer.backward([[2.0, 3.0]]) == [[near(2 * (1 - y * y)), 3.0]]
    assert not hasattr(layer, "DW")


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8), numbers, numbers)
def test_04_the_gradient_of_a_sum_over_samples_is_the_sum_of_their_gradients(batch, w, b):
    def error(p, samples):
        return scalargrad.sum([(tanh(p[0] * x + p[1]) - y) ** 2 for x, y in samples])

    whole = grad(error)([w, b], batch)
    parts = [grad(error)([w, b], [sample]) for sample in batch]
    assert whole == pytest.approx([sum(column) for column in zip(*parts, strict=True)], rel=1e-9, abs=1e-12)


# -------------------------------------------------------------------- SGD and the linear class


def test_05_chain_rule_and_sum_rule():
    # o = f3(f2(f1(x))), with z = w·x + θ and a = tanh z in the middle: dL/dθ = dL/da · da/dz · dz/dθ.
    x, w, theta = 0.7, Value(1.5), Value(-0.3)
    z = w * x + theta
    a = tanh(z)
    L = (a - 1) ** 2
    for parameter in (w, theta):
        assert grad(L, parameter) == near(grad(L, a) * grad(a, z) * grad(z, parameter))

    f, g, h = sigmoid, tanh, exp
    slope = derivative(lambda x: f(g(h(x))))(0.2)
    inner, outer = math.exp(0.2), math.tanh(math.exp(0.2))
    assert slope == near(derivative(f)(outer) * derivative(g)(inner) * derivative(h)(0.2))
    assert derivative(lambda x: f(x) + g(x) + h(x))(0.2) == near(sum(derivative(p)(0.2) for p in (f, g, h)))
    # The notes' first line has d/dx where d/dg is meant, d/dx f(g(h(x))) · d/dx g(h(x)) · d/dx h(x); taken at its word
    # it is another number. Their second line, f'(g(h(x)))·g'(h(x))·h'(x), is the rule.
    at_its_word = slope * derivative(lambda x: g(h(x)))(0.2) * derivative(h)(0.2)
    assert at_its_word != pytest.approx(slope, rel=0.1)


def lecture_linear():
    return Linear(2, 2, W=[[0.5, -1.0], [1.5, 0.0]], b=[0.1, 0.2])


def test_06_the_linear_class():
    layer = lecture_linear()
    assert all(callable(getattr(layer, name)) for name in ("forward", "backward", "update_parameters"))
    layer.forward([[1.0, 2.0]])
    layer.backward([[1.0, 2.0]])
    W, b = layer.W, layer.b
    layer.update_parameters(0.01)
    assert [[w - 0.01 * d for w, d in zip(*pair, strict=True)] for pair in zip(W, layer.DW, strict=True)] == layer.W
    assert layer.b == [x - 0.01 * d for x, d in zip(b, layer.DB, strict=True)]


def test_07_forward_and_the_gradient_of_w():
    layer = lecture_linear()
    assert layer.forward([[1.0, 2.0]]) == [near([3.6, -0.8])]
    layer.backward([[1.0, 2.0]])
    assert layer.DW == [[1.0, 2.0], [2.0, 4.0]]


def test_08_the_gradient_of_the_input():
    layer = lecture_linear()
    layer.forward([[1.0, 2.0]])
    (grad_input,) = layer.backward([[1.0, 2.0]])
    assert grad_input == [-1.5, 1.5]
    # The notes print -1.6: 1·0.5 + 2·(-1) is -1.5. The graph agrees with the layer.
    assert grad_input != [-1.6, 1.5]
    assert grad(lambda x: dot(row_times(x, layer.W), [1.0, 2.0]))([1.0, 2.0]) == [-1.5, 1.5]


def test_09_the_gradient_of_the_bias():
    grad_output = [[0.1, -0.2], [0.3, -0.1], [0.2, 0.0]]
    layer = lecture_linear()
    layer.forward([[0.0, 0.0]] * 3)
    DX = layer.backward(grad_output)
    assert near([0.6, -0.3]) == layer.DB
    assert near([0.6, 0.3]) != layer.DB  # as printed: -0.2 + (-0.1) + 0 is negative
    # b is a row, one bias for each unit: the column 2×1 that the notes give it does not fit to y = xW + b.
    assert shape([layer.b]) == (1, 2)
    with pytest.raises(ValueError, match=r"b has shape \(2, 1\), expected \(2,\)"):
        Linear(2, 2, b=[[0.1], [0.2]])
    # In dL/dX = Σ O·W the sum runs over the units, as each sample has a gradient of its own; the notes' index k runs
    # over the samples ("index of the complete input").
    over_units = [[sum(o * w for o, w in zip(O, row, strict=True)) for row in layer.W] for O in grad_output]
    assert [near(row) for row in DX] == over_units
    assert shape(DX) == (3, 2)


def test_10_one_update():
    layer = lecture_linear()
    layer.forward([[1.0, 2.0]])
    layer.backward([[1.0, 2.0]])
    layer.update_parameters(0.1)
    assert [near(row) for row in layer.W] == [[0.4, -1.2], [1.3, -0.4]]
    assert layer.b == near([0.0, 0.0])


# -------------------------------------------------------------------- Jacobians and identities


def test_11_jacobians_multiply():
    def f(x):
        return [x[0] * x[1], tanh(x[0])]

    def g(y):
        return [y[0] + y[1] ** 2, sigmoid(y[0] * y[1])]

    x = [0.5, -1.2]
    y = f(x)
    for jac in (jacobian, jacrev, jacfwd):
        composed = jac(lambda x: g(f(x)))(x)
        assert [near(row) for row in composed] == product(jac(g)(y), jac(f)(x))
    # from a scalar: [f1(x), f2(x)] and then g, as in the text
    column = jacobian(lambda t: g([t * t, exp(t)]))(0.3)
    inner = jacobian(lambda t: [t * t, exp(t)])(0.3)
    assert column == near(
        [sum(a * b for a, b in zip(row, inner, strict=True)) for row in jacobian(g)([0.09, math.exp(0.3)])]
    )
    # J[i][j] = df_i/dx_j. With 3 outputs and 2 inputs the last entry is df_3/dx_2, df_m/dx_n; the text prints df_m/dx_b.
    J = jacobian(lambda x: [x[0], x[1], x[0] * x[1] ** 2])(x)
    assert shape(J) == (3, 2)
    assert J[-1][-1] == near(2 * 0.5 * -1.2)


def test_12_identities():
    W, x = [[1.0, -2.0, 0.5], [3.0, 0.0, -1.0]], [1.0, -1.0, 2.0]
    assert jacobian(lambda x: times(W, x))(x) == W  # (1)
    assert jacobian(lambda x: row_times(x, W))([2.0, -1.0]) == transposed(W)  # (2)
    assert jacobian(lambda x: x)(x) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]  # (3)
    assert jacobian(lambda x: [relu(v) for v in x])(x) == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]  # (4)
    assert jacobian(lambda x: [tanh(v) for v in x])(x) == [
        [near(derivative(tanh)(x[i])) if i == j else 0.0 for j in range(3)] for i in range(3)
    ]

    delta = [0.5, -1.0]  # (5)
    dW = grad(lambda W: dot(delta, times(W, x)))(W)
    assert dW == [[0.5, -0.5, 1.0], [-1.0, 1.0, -2.0]]
    # delta and z have n = 2 entries, W is n×m = 2×3, so the sum over delta_k·dz_k/dW_ij has n terms; the text sums to m.
    assert (len(delta), shape(W)) == (2, (2, 3))

    dW = grad(lambda W: dot([1.0, 0.0, 2.0], row_times([1.0, -1.0], W)))(W)  # (6)
    assert dW == [[1.0, 0.0, 2.0], [-1.0, 0.0, -2.0]]

    theta = [1.0, 2.0, 3.0]  # (7)
    J, gradient = scalargrad.value_and_grad(lambda theta: nn.cross_entropy(theta, 2))(theta)
    assert near(0.40760596444438) == J
    assert gradient == digits9([0.090030573, 0.244728471, -0.334759044])
    loss = SoftmaxCrossEntropy()
    assert loss.forward([theta], [2]) == near(0.40760596444438)
    assert rows9([[0.090030573, 0.244728471, 0.665240956]]) == loss.P
    assert loss.backward() == [near(gradient)]


def test_13_a_gradient_has_the_shape_of_its_parameter():
    parameters = {"W": [[1.0, -1.0], [0.5, 2.0], [-1.0, 0.5]], "b": [0.1, -0.2, 0.3]}
    gradient = grad(lambda p: dot([1, 2, 3], [z + b for z, b in zip(times(p["W"], [1, 2]), p["b"], strict=True)]))(
        parameters
    )
    assert gradient == {"W": [[1, 2], [2, 4], [3, 6]], "b": [1, 2, 3]}
    layer = Linear(4, 3, seed=0)
    layer.forward([[1.0] * 4] * 7)
    layer.backward([[1.0] * 3] * 7)
    assert (shape(layer.DW), shape(layer.DB)) == (shape(layer.W), shape(layer.b))


def test_14_a_network_with_one_hidden_layer():
    W, b1 = [[1.0, -1.0], [0.5, 2.0], [-1.0, 0.5]], [0.1, -0.2, 0.3]
    U, b2 = [[1.0, 0.0, -1.0], [0.5, -0.5, 1.0]], [0.0, 0.1]
    x = [1.0, 2.0]

    def plus(a, b):
        return [p + q for p, q in zip(a, b, strict=True)]

    Wv, b1v, Uv, b2v, xv = ([[Value(v) for v in row] for row in A] for A in (W, [b1], U, [b2], [x]))
    z = plus(times(Wv, xv[0]), b1v[0])
    h = [relu(v) for v in z]
    theta = plus(times(Uv, h), b2v[0])
    J = nn.cross_entropy(theta, 0)  # y = [1, 0]
    assert J.data == near(0.2107229646697597)
    J.backward()
    assert [math.exp(t.data - scalargrad.logsumexp(theta).data) for t in theta] == digits9([0.809998434, 0.190001566])
    delta1, delta2 = [t.grad for t in theta], [v.grad for v in z]
    assert delta1 == digits9([-0.190001566, 0.190001566])
    assert delta2 == digits9([0, -0.095000783, 0.380003132])
    grads = [[[v.grad for v in row] for row in A] for A in (Uv, Wv, b1v, b2v, xv)]
    assert grads[0] == rows9([[0, -0.817006734, -0.057000470], [0, 0.817006734, 0.057000470]])
    assert grads[1] == rows9([[0, 0], [-0.095000783, -0.190001566], [0.380003132, 0.760006264]])
    assert grads[2:4] == [[delta2], [delta1]]
    assert grads[4] == rows9([[-0.427503524, 0]])
    assert grads[4] == [near(row) for row in product([delta2], W)]  # dx = (δ2·W)ᵀ
    # The text prints (δ2ᵀW)ᵀ: δ2 is a row, so δ2ᵀ is 3×1 and has no product with W, which is 3×2.
    with pytest.raises(ValueError, match=r"no product of shapes \(3, 1\) and \(3, 2\)"):
        product(transposed([delta2]), W)
    # And dJ/dW = dJ/dz·dz/dW, where the text has dJ/dθ: that has one entry for each class, not for each hidden unit.
    assert len(delta1) != len(W) == len(delta2)

    first, second, loss = (
        Linear(2, 3, W=transposed(W), b=b1),
        Linear(3, 2, W=transposed(U), b=b2),
        SoftmaxCrossEntropy(),
    )
    net = Network(first, ReLU(), second)  # y = xW + b has the transposed matrices
    assert loss.forward(net.forward([x]), [0]) == near(0.2107229646697597)
    assert net.backward(loss.backward()) == [near(row) for row in grads[4]]
    assert transposed(second.DW) == [near(row) for row in grads[0]]
    assert transposed(first.DW) == [near(row) for row in grads[1]]


@given(numbers)
def test_15_the_slope_of_relu_is_the_sign_of_its_result(x):
    assert derivative(relu)(x) == (1.0 if x > 0 else 0.0) == scalargrad.sign(relu(x))
    assert derivative(relu)(0.0) == derivative(relu)(-0.0) == 0.0


# -------------------------------------------------------------------- linear regression


def regression_points():
    """The notes' points: make_blobs(1000, random_state=170, centers=1), stretched."""
    X, _ = nn.blobs(1000, classes=1, rng=nn.NumpyRandom(170))
    a, b, c, d = 0.60834549, -0.63667341, -0.40887718, 0.85253229
    return [(x * a + y * c, x * b + y * d) for x, y in X]


def step_gradient(b, m, points):
    """The notes' code: b and m after one step."""
    b_gradient = sum(-(y - (m * x + b)) for x, y in points)
    m_gradient = sum(-x * (y - (m * x + b)) for x, y in points)
    return b - 1e-4 * b_gradient, m - 1e-4 * m_gradient


@has_full_size
def test_16_linear_regression_by_gradient_descent():
    """All of it as a scalar graph, over 1000 points, 3 nodes a point: 1000 steps, or the first of them and the notes' code."""
    points = regression_points()
    b, m = Value(0.0, label="b"), Value(0.0, label="m")

    def residuals():
        return [m * x + b - y for x, y in points]

    def mean_error():
        return nn.sse(residuals(), [0.0] * len(points)).data / len(points)

    assert mean_error() == near(2.0597035235188, 1e-10)
    steps = size(20, 1000)
    for _ in range(steps):
        # The notes report the mean of the squares, and descend half of their sum: their gradient has no factor 2/N.
        r = residuals()
        half_sum = dot(r, r) * 0.5
        b.grad = m.grad = 0.0
        half_sum.backward()
        b.data -= 1e-4 * b.grad
        m.data -= 1e-4 * m.grad
    b_of_notes = m_of_notes = 0.0
    for step in range(1001):
        if step == steps:
            assert (b.data, m.data) == (near(b_of_notes, 1e-10), near(m_of_notes, 1e-10))
        if step == 1000:
            break
        b_of_notes, m_of_notes = step_gradient(b_of_notes, m_of_notes, points)
    assert b_of_notes == near(-3.2643663545390, 1e-10)
    assert m_of_notes == near(-1.3386872077958, 1e-10)
    b.data, m.data = b_of_notes, m_of_notes
    assert mean_error() == near(0.1144471595752, 1e-10)


def test_16_the_same_with_a_linear_layer():
    points = regression_points()
    X, y = [[x] for x, _ in points], [y for _, y in points]
    layer = Linear(1, 1, W=[[0.0]], b=[0.0])
    for _ in range(50):
        Y = layer.forward(X)
        # the gradient of half the sum of squares, sample by sample, from the engine
        layer.backward([[r] for r in vjp(lambda Y: [(a - b) ** 2 * 0.5 for a, b in zip(Y, y, strict=True)],
                                         [v for (v,) in Y])[1]([1.0] * 1000)[0]])  # fmt: skip
        layer.update_parameters(1e-4)
    b = m = 0.0
    for _ in range(50):
        b, m = step_gradient(b, m, points)
    assert (layer.b, layer.W) == (near([b], 1e-10), [near([m], 1e-10)])


def test_17_rules_of_thumb():
    # Batch normalisation standardizes a batch: mean 0, variance 1. eps=0 leaves nothing between it and the formula.
    def normalised(xs):
        return nn.BatchNorm(1, eps=0.0)(xs)

    xs = [3.0, -1.0, 4.0, 1.0, -5.0]
    ys = normalised(xs)
    assert scalargrad.mean(ys).data == pytest.approx(0, abs=1e-15)
    assert scalargrad.mean([y * y for y in ys]).data == near(1.0)
    # Shifting and scaling the batch changes nothing, so no gradient points there.
    leaves = [Value(x) for x in xs]
    gradient = grad(dot([1, 2, 3, 4, 5], normalised(leaves)), leaves)
    assert sum(gradient) == pytest.approx(0, abs=1e-14)
    assert dot(gradient, xs) == pytest.approx(0, abs=1e-14)

    # "Do not use dropout and batch normalization at the same time": the engine says so too, and builds it nevertheless.
    with pytest.warns(nn.RuleOfThumbWarning, match="BatchNorm and Dropout"):
        nn.Sequential(nn.Layer(2, 4), nn.BatchNorm(4), nn.Dropout(0.5), nn.Layer(4, 1))

    # Hidden neurons: the text says "the number of hidden layers". Nobody builds 167 layers for 3 numbers.
    assert nn.hidden_neurons(1000, 2, 1, alpha=2) == pytest.approx(166.67, abs=0.005)
    assert nn.MLP(2, [round(nn.hidden_neurons(1000, 2, 1, alpha=2)), 1])([0.5, -0.5]) is not None


class LegendrePolynomial3(Function):
    """The notes' own operation, with Value in place of Tensor."""

    @staticmethod
    def forward(ctx, input):  # noqa: A002
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors  # noqa: A001
        return grad_output * 1.5 * (5 * input**2 - 1)


def test_18_legendre_polynomial_3():
    P3 = LegendrePolynomial3.apply
    found = []
    for x in (-1.0, 0.0, 0.5, 1.0, 2.0):
        v = Value(x)
        out = P3(v)
        out.backward()
        found.append((out.data, v.grad))
    assert found == [(-1.0, 6.0), (0.0, -1.5), (-0.4375, 0.375), (1.0, 6.0), (17.0, 28.5)]
    # In the notes' model, and against the polynomial written out of the engine's own operations.
    a, b, c, d = parameters = [Value(p) for p in (0.0, -1.0, 0.1, 0.3)]

    def model(P):
        return (a + b * P(c + d * 2.0) - math.sin(2.0)) ** 2

    assert grad(model(P3), parameters) == near(grad(model(lambda x: 0.5 * (5 * x**3 - 3 * x)), parameters))
    # The derivative is made of Values, so it has one too: P3'' = 15x.
    assert hessian(P3)(2.0) == near(30.0)


# -------------------------------------------------------------------- CS231n lecture 4


SIGMOID_NEURON = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}


def sigmoid_neuron(last_gates):
    graph = ComputationalGraph()
    product0, product1 = graph.gate(MultiplyGate(), "w0", "x0"), graph.gate(MultiplyGate(), "w1", "x1")
    wire = graph.gate(AddGate(), graph.gate(AddGate(), product0, product1), "w2")
    for gate in last_gates:
        wire = graph.gate(gate, wire)
    return graph


def test_23_gates_that_are_single_nodes():
    graph = sigmoid_neuron([MulConstantGate(-1.0), ExpGate(), AddConstantGate(1.0), ReciprocalGate()])
    assert graph.forward(SIGMOID_NEURON) == near(0.7310585786300049)
    wires = [node.output for node in graph.nodes]
    assert [graph.values[wire] for wire in wires] == near(
        [-2, 6, 4, 1, -1, 0.36787944117144233, 1.3678794411714423, 0.7310585786300049]
    )
    gradients = graph.backward()
    assert [graph.gradients[wire] for wire in wires[:2:-1]] == near(
        [1, -0.534446645388523, -0.534446645388523, -0.19661193324148188, 0.19661193324148188]
    )
    expected = {"w0": -0.196611933, "x0": 0.393223866, "w1": -0.393223866, "x1": -0.589835800, "w2": 0.196611933}
    assert gradients == digits9(expected)

    # Drawn, it has the gates of the slide: one node each, constants inside.
    root, _ = graph.to_value()
    nodes = scalargrad.topological_order(root)
    assert len(nodes) == 8 + 5
    equations = [card.equation for card in draw(root).picture.cards if card.equation]
    assert [text.replace("\u2212", "-") for text in equations[-4:]] == [
        "v4 × (-1)", "exp(v5)", "v6 + 1", "reciprocal(v7)",
    ]  # fmt: skip
    assert graph.draw(style="circuit").json

    # σ as one gate gives the same, by (1 − σ)σ.
    fused = sigmoid_neuron([SigmoidGate()])
    assert fused.forward(SIGMOID_NEURON) == near(0.7310585786300049)
    assert fused.backward() == near(gradients)
    assert derivative(sigmoid)(1.0) == near((1 - sigmoid(1.0)) * sigmoid(1.0))
    assert derivative(sigmoid)(1.0) == near(math.exp(-1) / (1 + math.exp(-1)) ** 2)


def test_25_the_graph_object_and_its_gates():
    graph = ComputationalGraph()
    q = graph.gate(AddGate(), "x", "y", name="q")
    graph.gate(MultiplyGate(), q, "z", name="f")
    assert graph.forward({"x": -2, "y": 5, "z": -4}) == -12.0
    assert graph.backward() == {"x": -4.0, "y": -4.0, "z": 3.0}
    assert graph.gradients["q"] == -4.0
    assert [node.output for node in graph.nodes_topologically_sorted()] == ["q", "f"]

    gate = MultiplyGate()
    assert gate.forward(3.0, -4.0) == -12.0
    assert (gate.x, gate.y) == (3.0, -4.0)  # "must keep these around!"
    assert gate.backward(2.0) == [-8.0, 6.0]

    gate = MulConstantGate(0.0)  # in place it could not restore its input: see circuit/test_circuit.py
    gate.forward(3.0)
    assert (gate.x, gate.backward(1.0)) == (3.0, [0.0])

    caffe = SigmoidGate()
    top_data = caffe.forward(1.0)
    assert caffe.backward(0.5) == [near(0.5 * top_data * (1 - top_data))]
    router = MaxGate()
    router.forward(1.0, 2.0)
    assert router.backward(3.0) == [0.0, 3.0]


def rectified(xs):
    return [relu(x) for x in xs]


def test_26_the_jacobian_of_max_0_x_is_diagonal_and_never_built():
    xs = [1.5, -2.0, 0.0, 3.0, -0.5, 2.5, 1.0, -1.0]
    diagonal = [[float(i == j and xs[i] > 0) for j in range(8)] for i in range(8)]
    assert jacrev(rectified)(xs) == jacfwd(rectified)(xs) == jacobian(rectified)(xs) == diagonal
    assert sparsity(rectified)(xs) == [[i == j for j in range(8)] for i in range(8)]

    batch = [xs, xs[::-1], [-x for x in xs]]  # 3 samples: 24×24, in blocks of 8×8, zero between samples
    J = jacobian(lambda X: [rectified(row) for row in X])(batch)
    flat = [[entry for block in J[n][i] for entry in block] for n in range(3) for i in range(8)]
    assert shape(flat) == (24, 24)
    numbers = [x for row in batch for x in row]
    assert flat == [[float(i == j and numbers[i] > 0) for j in range(24)] for i in range(24)]

    # v·J for the 4096 numbers of the lecture: one sweep, two Values for each number. J would have 16 777 216 entries.
    visited = []
    xs = [(-1.0) ** i * (i + 1) for i in range(4096)]
    _, pull_back = vjp(rectified, xs)
    with sweep_hook(lambda node, gradient: visited.append(gradient)):
        (pulled,) = pull_back([2.0] * 4096)
    assert pulled == [2.0 if x > 0 else 0.0 for x in xs]
    assert len(visited) == 2 * 4096


def test_35_reverse_mode_for_many_inputs_and_forward_mode_for_many_outputs():
    n = 50

    def many_to_one(xs):
        return scalargrad.sum([tanh(x) for x in xs])

    def one_to_many(x):
        return [tanh(x * (k + 1.0)) for k in range(n)]

    xs = [0.01 * k for k in range(n)]
    reverse, forward = (count_operations(many_to_one, mode)(xs) for mode in ("reverse", "forward"))
    assert (reverse.evaluation, reverse.sweeps, forward.sweeps) == (n + 1, 1, n)
    assert (reverse.derivative, forward.derivative) == (2 * n, 2 * n)  # no path is shared: a draw, but for the sweeps

    def shared(xs):  # a chain that all inputs share: reverse mode walks it once, forward mode once for each input
        return tanh(tanh(tanh(scalargrad.sum(xs))))

    reverse, forward = (count_operations(shared, mode)(xs) for mode in ("reverse", "forward"))
    assert (reverse.sweeps, reverse.derivative) == (1, n + 3)
    assert (forward.sweeps, forward.derivative) == (n, n * (1 + 3))
    assert jacrev(shared)(xs) == near(jacfwd(shared)(xs))

    def fan(x):  # the other way round: one input, a chain, many outputs
        y = tanh(tanh(tanh(x)))
        return [y * (k + 1.0) for k in range(n)]

    reverse, forward = (count_operations(fan, mode)(0.5) for mode in ("reverse", "forward"))
    assert (forward.sweeps, forward.derivative) == (1, 3 + n)
    assert (reverse.sweeps, reverse.derivative) == (n, n * (3 + 1))
    assert jacrev(fan)(0.5) == near(jacfwd(fan)(0.5))
    assert jvp(fan, (0.5,), (1.0,))[1] == jacfwd(fan)(0.5)
    assert jacfwd(one_to_many)(0.1) == near([(k + 1) * (1 - math.tanh(0.1 * (k + 1)) ** 2) for k in range(n)])
