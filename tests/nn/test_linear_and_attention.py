"""Linear layers, normalisation and attention are their textbook formulas

The functions and modules beside the formulas written out with Python's floats, and beside PyTorch: values and all
gradients, at random sizes. Every module is saved and loaded, compiled bit for bit, trained by fit, placed in a Sequential;
what does not fit is refused in words.
"""

import math
import random

import pytest
from beside_pytorch import TOLERANCE, Beside, data, flat, numbers, torch, values
from sizes import has_full_size, size

import scalargrad
from scalargrad import nn

SEEDS = range(size(6, 60))


def softmax(row):
    top = max(row)
    powers = [math.exp(x - top) for x in row]
    return [p / math.fsum(powers) for p in powers]


def close(ours, theirs):
    assert flat(ours) == pytest.approx(flat(theirs), rel=1e-13, abs=1e-13)


# -------------------------------------------------------------------- beside the formulas


@has_full_size
@pytest.mark.parametrize("seed", SEEDS)
def test_functions_of_numbers_are_their_formulas(seed):
    rng = random.Random(seed)
    n, m, d, heads = rng.randint(1, 5), rng.randint(1, 5), rng.randint(1, 3), rng.randint(1, 3)
    x, W, b = numbers(rng, n), numbers(rng, m, n), numbers(rng, m)
    close(nn.linear(x, W), [math.fsum(w * y for w, y in zip(row, x, strict=True)) for row in W])
    close(
        nn.linear(x, W, b),
        [math.fsum([*(w * y for w, y in zip(row, x, strict=True)), c]) for row, c in zip(W, b, strict=True)],
    )
    mean, power = math.fsum(x) / n, math.fsum(y * y for y in x) / n
    variance = math.fsum((y - mean) ** 2 for y in x) / n
    close(nn.rms_norm(x, eps=0.01), [y / math.sqrt(power + 0.01) for y in x])
    close(nn.layer_norm(x, eps=0.01), [(y - mean) / math.sqrt(variance + 0.01) for y in x])
    close(nn.softmax(x), softmax(x))
    close(nn.log_softmax(x), list(map(math.log, softmax(x))))
    queries, keys, vectors = (numbers(rng, rows, d * heads) for rows in (n, m, m))
    rows = []
    for query in queries:
        out = []
        for h in range(heads):
            part = slice(h * d, (h + 1) * d)
            scores = [sum(q * k for q, k in zip(query[part], key[part], strict=True)) / math.sqrt(d) for key in keys]
            weights = softmax(scores)
            out += [sum(w * v[j] for w, v in zip(weights, vectors, strict=True)) for j in range(h * d, (h + 1) * d)]
        rows.append(out)
    close(nn.attention(queries, keys, vectors, heads), rows)
    assert all(
        type(y) is float for y in flat([nn.linear(x, W, b), nn.rms_norm(x), nn.layer_norm(x), nn.log_softmax(x), rows])
    )


def test_log_softmax_of_scores_far_apart_is_finite():
    assert nn.log_softmax([-1e5, 1e5]) == [-2e5, 0.0]
    assert nn.log_softmax([1e16, 1e16]) == [-math.log(2)] * 2
    assert nn.softmax([[-1e5, 1e5], [0.0, 0.0]]) == [[0.0, 1.0], [0.5, 0.5]]


@pytest.mark.parametrize("heads", [1, 2])
def test_a_causal_query_sees_no_later_key(heads):
    rng = random.Random(heads)
    rows = values(numbers(rng, 4, 4))
    weights = nn.attention_weights(rows, rows, heads, causal=True)
    assert [len(weights), len(weights[0]), len(weights[0][0])] == [heads, 4, 4]
    for head in weights:
        for i, row in enumerate(head):
            assert [w.data for w in row[i + 1 :]] == [0.0] * (3 - i)
            assert math.fsum(w.data for w in row) == pytest.approx(1.0, rel=1e-15)
    outputs = nn.attention(rows, rows, rows, heads, causal=True)
    for i, output in enumerate(outputs):
        # The last query alone sees the same: how a text is generated, token by token.
        alone = nn.attention(rows[i : i + 1], rows[: i + 1], rows[: i + 1], heads)[0]
        assert data(alone) == data(output)
        seen = scalargrad.grad(scalargrad.sum(output), flat(rows))
        assert all(g == 0.0 for g in seen[4 * (i + 1) :])
        assert any(g != 0.0 for g in seen[4 * i : 4 * (i + 1)])


# -------------------------------------------------------------------- beside PyTorch


@has_full_size
@pytest.mark.parametrize("seed", SEEDS)
def test_functions_beside_pytorch(seed):
    F = torch.nn.functional
    rng = random.Random(seed)
    n, m, rows = rng.randint(1, 6), rng.randint(1, 6), rng.randint(1, 4)

    def case(ours, theirs, *shapes):
        beside = Beside(seed)
        leaves = [values(numbers(rng, *shape)) for shape in shapes]
        beside.compare(ours(*leaves), theirs(*map(beside.leaf, leaves)))

    case(nn.linear, F.linear, (n,), (m, n), (m,))
    case(nn.linear, F.linear, (rows, n), (m, n))
    case(lambda x: nn.rms_norm(x, eps=1e-3), lambda x: F.rms_norm(x, (n,), eps=1e-3), (rows, n))
    case(lambda x: nn.layer_norm(x, eps=1e-2), lambda x: F.layer_norm(x, (n,), eps=1e-2), (rows, n))
    case(nn.softmax, lambda x: F.softmax(x, -1), (n,))
    case(nn.log_softmax, lambda x: F.log_softmax(x, -1), (rows, n))


@has_full_size
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("causal", [False, True])
def test_attention_beside_pytorch(seed, causal, figure):
    beside = Beside(seed)
    rng = beside.rng
    heads, d, e, n = rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 5)
    m = n if causal else rng.randint(1, 5)
    queries, keys, vectors = (values(numbers(rng, *s)) for s in ((n, heads * d), (m, heads * d), (m, heads * e)))
    q, k, v = (beside.leaf(x).reshape(len(x), heads, -1).transpose(0, 1) for x in (queries, keys, vectors))
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
    beside.compare(nn.attention(queries, keys, vectors, heads, causal), theirs.transpose(0, 1))
    figure("attention of random sizes beside PyTorch's", f"values and gradients the same to {TOLERANCE:g}")


def twin_of(module, beside):
    """PyTorch's module with the same parameters."""
    if isinstance(module, nn.Linear):
        twin = torch.nn.Linear(module.nin, module.nout, bias=module.b is not None).double()
        beside.parameter(twin.weight, module.W)
        if module.b is not None:
            beside.parameter(twin.bias, module.b)
    elif isinstance(module, nn.LayerNorm):
        twin = torch.nn.LayerNorm(module.nin, eps=module.eps).double()
        beside.parameter(twin.weight, module.gamma)
        beside.parameter(twin.bias, module.beta)
    elif isinstance(module, nn.RMSNorm):
        twin = torch.nn.RMSNorm(module.nin, eps=module.eps).double()
        beside.parameter(twin.weight, module.gamma)
    else:
        twin = torch.nn.MultiheadAttention(module.width, module.heads, bias=module.out.b is not None).double()
        parts = (module.query, module.key, module.value)
        beside.parameter(twin.in_proj_weight, [row for part in parts for row in part.W])
        beside.parameter(twin.out_proj.weight, module.out.W)
        if module.out.b is not None:
            beside.parameter(twin.in_proj_bias, [b for part in parts for b in part.b])
            beside.parameter(twin.out_proj.bias, module.out.b)
    return twin


@has_full_size
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["Linear", "LayerNorm", "RMSNorm"])
def test_modules_beside_pytorch(kind, seed, figure):
    beside = Beside(seed)
    rng = beside.rng
    n, m = rng.randint(1, 5), rng.randint(1, 5)
    if kind == "Linear":
        module = nn.Linear(n, m, bias=rng.random() < 0.7, rng=rng)
    else:
        module = getattr(nn, kind)(n, eps=rng.choice((1e-5, 1e-2)))
        for p in module.parameters():
            p.data = rng.uniform(-2, 2)
    x = values(numbers(rng, *rng.choice(((n,), (3, n)))))
    beside.compare(module(x), twin_of(module, beside)(beside.leaf(x)))
    figure(f"{kind} of random sizes beside PyTorch's", f"values and gradients the same to {TOLERANCE:g}")


@has_full_size
@pytest.mark.parametrize("seed", SEEDS)
def test_multi_head_attention_beside_pytorch(seed, figure):
    beside = Beside(seed)
    rng = beside.rng
    heads, d, n = rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 4)
    causal, bias = rng.random() < 0.5, rng.random() < 0.7
    module = nn.MultiHeadAttention(heads * d, heads, causal=causal, bias=bias, rng=rng)
    twin = twin_of(module, beside)
    x = values(numbers(rng, n, heads * d))
    theirs = beside.leaf(x)
    mask = torch.ones(n, n, dtype=torch.bool).triu(1) if causal else None
    expected, weights = twin(theirs, theirs, theirs, attn_mask=mask, average_attn_weights=False)
    beside.same([w.data for w in flat(module.weights(x))], flat(weights.tolist()))
    beside.compare(module(x), expected)
    beside = Beside(seed)
    module.causal = False
    module.zero_grad()
    other = values(numbers(rng, rng.randint(1, 4), heads * d))
    twin = twin_of(module, beside)
    one, two = beside.leaf(x), beside.leaf(other)
    for v in flat(x):
        v.grad = 0.0
    beside.compare(module(x, other), twin(one, two, two)[0])
    figure(
        "MultiHeadAttention of random sizes beside PyTorch's",
        f"values, weights and gradients the same to {TOLERANCE:g}",
    )


def test_the_default_weights_are_drawn_as_pytorch_draws_them():
    layer = nn.Linear(64, 50, seed=0)
    for found in (flat(layer.W), layer.b):
        found = data(found)
        assert max(map(abs, found)) <= 1 / 8
        assert max(map(abs, found)) > 0.9 / 8
        assert abs(math.fsum(found) / len(found)) < 0.3 / 8
    assert data(nn.Linear(2, 3, init="he_normal", seed=0).b) == [0.0] * 3
    assert nn.Linear(2, 3, seed=4).state_dict() == nn.Linear(2, 3, rng=random.Random(4)).state_dict()


# -------------------------------------------------------------------- as every module


MODULES = {
    "Linear": (lambda: nn.Linear(3, 2, seed=1), (3,)),
    "Linear without bias": (lambda: nn.Linear(3, 2, bias=False, seed=1), (3,)),
    "Linear of rows": (lambda: nn.Linear(3, 2, seed=1), (2, 3)),
    "LayerNorm": (lambda: nn.LayerNorm(3), (3,)),
    "RMSNorm": (lambda: nn.RMSNorm(3, eps=1e-3), (2, 3)),
    "MultiHeadAttention": (lambda: nn.MultiHeadAttention(4, 2, seed=1), (3, 4)),
    "causal MultiHeadAttention": (lambda: nn.MultiHeadAttention(4, 2, causal=True, bias=False, seed=1), (3, 4)),
}


@pytest.fixture(params=MODULES)
def made(request):
    make, shape = MODULES[request.param]
    module = make()
    rng = random.Random(0)
    for p in module.parameters():
        p.data += rng.uniform(-0.1, 0.1)
    return module, numbers(rng, *shape)


def test_a_file_brings_it_back(made, tmp_path):
    module, x = made
    again = nn.load(nn.save(module, tmp_path / "model.json"))
    assert type(again) is type(module)
    assert repr(again) == repr(module)
    assert again.state_dict() == module.state_dict()
    assert data(again(x)) == data(module(x))
    assert data(module.eval()(x)) == data(module.train()(x))


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_compiled_it_is_the_same_bit_for_bit(made, backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    module, x = made
    compiled = scalargrad.compile(lambda x: module(x), parameters=module.parameters(), backend=backend)
    rng = random.Random(1)
    for _ in range(3):
        x = numbers(rng, *([len(x), len(x[0])] if isinstance(x[0], list) else [len(x)]))
        assert flat(compiled(x)) == flat(data(module(x)))


def test_collapsed_it_is_one_card(made):
    module, x = made
    module = nn.Sequential(module)
    inputs = values(x)
    out = scalargrad.sum(flat(module(inputs)))
    picture = scalargrad.draw(out, collapse="layer", merge_repeats=False, engine="text").picture
    inside = [card for card in picture.cards if card.title.startswith("layer 0")]
    assert len(inside) == 1
    assert len(picture.cards) == 1 + len(flat(inputs)) + 1


def test_a_card_counts_calls_and_says_nothing_of_what_is_inside():
    norm, cell = nn.RMSNorm(3), nn.LSTMCell(3, 2, seed=1)
    rows = norm(values(numbers(random.Random(0), 4, 3)))
    state = None
    for row in rows:
        state = cell(row, state)
    text = scalargrad.draw(state[0][0], collapse="layer", engine="text").text
    assert "rms norm  ×4" in text
    assert "LSTMCell  ×4" in text


@pytest.mark.parametrize("compiled", [False, "python"])
@pytest.mark.parametrize("loss", ["mse", "sse", "hinge", "bce_with_logits"])
def test_a_list_of_one_score_is_that_score(loss, compiled):
    """A Linear with one output gives a list, a Layer with one neuron the Value: they train alike."""
    X, y = nn.moons(12, labels=(0, 1) if loss == "bce_with_logits" else (-1, 1), seed=1)
    matrix = nn.Sequential(nn.Linear(2, 4, seed=1), nn.LayerNorm(4), "tanh", nn.Linear(4, 1, seed=2))
    neurons = nn.Sequential(nn.Layer(2, 4, activation=None), nn.LayerNorm(4), "tanh", nn.Layer(4, 1, activation=None))
    for p, q in zip(
        neurons.parameters()[:12],
        (x for i in range(4) for x in (*matrix.layers[0].W[i], matrix.layers[0].b[i])),
        strict=True,
    ):
        p.data = q.data
    for p, q in zip(neurons.layers[3].parameters(), (*matrix.layers[3].W[0], *matrix.layers[3].b), strict=True):
        p.data = q.data
    options = {
        "lr": 0.02,
        "epochs": 5,
        "validation": (X, y),
        "metrics": "accuracy",
        "progress": False,
        "compiled": compiled,
    }
    assert dict(nn.fit(matrix, X, y, loss, **options)) == dict(nn.fit(neurons, X, y, loss, **options))
    function = getattr(nn, loss)
    assert function(matrix(X[0]), y[0]).data == function(neurons(X[0]), y[0]).data
    assert [x for (x,) in nn.predict(matrix, X)] == nn.predict(neurons, X)


def test_a_matrix_is_drawn_as_a_column_of_neurons():
    model = nn.Sequential(
        nn.Linear(2, 3, seed=1), nn.LayerNorm(3), "relu", nn.RMSNorm(3), nn.Linear(3, 1, bias=False, seed=2)
    )
    drawing = model.draw(x=[1.0, -1.0])
    assert repr(drawing) == "<Drawing of Sequential: 2 inputs, 4 neurons, 9 weights>"
    assert "LayerNorm, relu, RMSNorm" in drawing.text
    assert "draw(model.layers[0](x)[0])" in drawing.text
    assert "neuron 0" in nn.Linear(2, 3).draw().svg
    with pytest.raises(ValueError, match="MultiHeadAttention does not apply its layers in turn: what can be drawn"):
        nn.MultiHeadAttention(4, 2).draw()


# -------------------------------------------------------------------- what does not fit


REFUSED = [
    (lambda: nn.linear([1.0], [[1.0, 2.0]]), "linear: x has 1 number, but each row of weights has 2"),
    (lambda: nn.linear([1.0], [[1.0], [1.0, 2.0]]), "linear: rows: row 1 has 2 numbers, but row 0 has 1"),
    (lambda: nn.linear([1.0], [[1.0]], [1.0, 2.0]), "bias has 2 numbers, but there are 1 rows"),
    (lambda: nn.linear([], [[1.0]]), "linear: x is empty"),
    (lambda: nn.linear([1.0], []), "linear: rows is empty"),
    (lambda: nn.linear([1.0], [1.0]), "linear: rows must be a list of rows"),
    (lambda: nn.linear([[1.0], []], [[1.0]]), "linear: x, row 1 is empty"),
    (lambda: nn.Linear(3, 2)([1.0, 2.0]), r"Linear\(3, 2\) takes 3 inputs, but 2 were given"),
    (lambda: nn.Linear(3, 2)([[1.0, 2.0, 3.0], [1.0]]), r"Linear\(3, 2\) takes 3 inputs, but 1 was given"),
    (lambda: nn.Linear(3, 2)(["a", 1.0, 2.0]), "input 0 must be a Value or a real number, not str"),
    (lambda: nn.Linear(3, 2)(1.0, 2.0, 3.0), "Linear takes one list of inputs, but 3 arguments"),
    (lambda: nn.Linear(0, 2), "nin must be at least 1"),
    (lambda: nn.Linear(2, 3).weight, "the weights are W, a list of rows"),
    (lambda: nn.Linear(2, 3).bias, "the biases are b, a list"),
    (lambda: nn.RMSNorm(3).weight, "the scales are gamma"),
    (lambda: nn.MultiHeadAttention(2, 1).out_proj, "write out"),
    (lambda: nn.MultiHeadAttention(embed_dim=2, num_heads=1), "did you mean 'width'"),
    (lambda: nn.LayerNorm(), "LayerNorm\\(\\) missing 1 required positional argument: 'nin': write LayerNorm\\(16\\)"),
    (lambda: nn.LayerNorm(2)(1.0, 2.0), "LayerNorm takes one list of inputs"),
    (lambda: nn.LayerNorm(3)([1.0]), r"LayerNorm\(3\) takes 3 inputs, but 1 was given"),
    (lambda: nn.RMSNorm(3, eps=-1.0), "RMSNorm: eps must be a small number from 0 up"),
    (lambda: nn.rms_norm([]), "rms_norm: x is empty"),
    (lambda: nn.layer_norm([1.0], eps=math.nan), "layer_norm: eps must be a small number"),
    (lambda: nn.rms_norm([0.0, 0.0], eps=0.0), "division by zero|reciprocal"),
    (lambda: nn.log_softmax([]), "log_softmax: there is no score"),
    (lambda: nn.attention([[1.0]], [[1.0]], [[1.0], [2.0]]), "attention: there are 1 keys but 2 values"),
    (lambda: nn.attention([[1.0]], [], []), "attention: keys is empty"),
    (lambda: nn.attention([], [[1.0]], [[1.0]]), "attention: queries is empty"),
    (lambda: nn.attention([[1.0]], [[1.0, 2.0]], [[1.0]]), "a query has 1 number, but a key has 2"),
    (lambda: nn.attention([[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]], [[1.0]], heads=2), "queries and keys have 3 numbers a row, which 2 heads cannot share"),
    (lambda: nn.attention([[1.0, 2.0]], [[1.0, 2.0]], [[1.0]], heads=2), "values have 1 number a row, which 2 heads"),
    (lambda: nn.attention([[1.0]], [[1.0]], [[1.0]], heads=0), "attention: heads must be at least 1"),
    (lambda: nn.attention([[1.0]], [[1.0], [2.0]], [[1.0], [2.0]], causal=True), "query i sees keys 0 to i, but there are 1 queries and 2 keys"),
    (lambda: nn.attention([1.0], [[1.0]], [[1.0]]), "attention: queries must be a list of rows"),
    (lambda: nn.MultiHeadAttention(6, 4), "a width of 6 cannot be shared equally by 4 heads"),
    (lambda: nn.MultiHeadAttention(4, 2)([[1.0, 2.0]]), "x: row 0 has 2 numbers, but each row must have 4"),
    (lambda: nn.MultiHeadAttention(4, 2)([]), "x is empty"),
    (lambda: nn.MultiHeadAttention(2, 2, causal=True)([[1.0, 2.0]], [[1.0, 2.0]] * 2), "x has 1 rows and the context 2"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_does_not_fit_is_refused_in_words(call, message):
    with pytest.raises((ValueError, TypeError, ArithmeticError, AttributeError), match=message):
        call()
