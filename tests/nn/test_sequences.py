"""Programs over sequences run compiled as they stand: a recurrent writer, a classifier of names, a transformer

Their least text, with `take` for the table of tokens, beside the eager engine: the loss bit for bit on documents of several
lengths, the gradient of a batch to the order of its additions, and training that follows the eager loop.
"""

import random

import pytest

from scalargrad import compile, nn, relu, take

TOKENIZER = nn.Tokenizer(nn.names())
DOCUMENTS = [TOKENIZER.encode(name) for name in ("eva", "ava", "emma", "bo", "ian", "liv")]


class Writer(nn.Module):
    def __init__(self, rng):
        self.table = nn.Linear(3, len(TOKENIZER), bias=False, rng=rng).W
        self.cell, self.head = nn.RNNCell(3, 4, rng=rng), nn.Linear(4, len(TOKENIZER), rng=rng)

    def __call__(self, tokens):
        h, scores = None, []
        for token in tokens:
            h = self.cell(take(self.table, token), h)
            scores.append(self.head(h))
        return scores

    def loss(self, tokens):
        return nn.cross_entropy(self(tokens[:-1]), tokens[1:])


class Classifier(nn.Module):
    def __init__(self, rng, cell=nn.GRUCell):
        self.table = nn.Linear(3, len(TOKENIZER), bias=False, rng=rng).W
        self.cell, self.head = cell(3, 4, rng=rng), nn.Linear(4, 2, rng=rng)

    def __call__(self, tokens):
        state = None
        for token in tokens:
            state = self.cell(take(self.table, token), state)
        return self.head(state[0] if isinstance(state, tuple) else state)

    def loss(self, tokens):
        return nn.cross_entropy(self(tokens), 1)


class Transformer(nn.Module):
    def __init__(self, rng):
        self.tokens = nn.Linear(4, len(TOKENIZER), bias=False, rng=rng).W
        self.places = nn.Linear(4, 8, bias=False, rng=rng).W
        self.norm1, self.norm2 = nn.RMSNorm(4), nn.LayerNorm(4)
        self.attention = nn.MultiHeadAttention(4, 2, causal=True, rng=rng)
        self.wide, self.narrow = nn.Linear(4, 8, rng=rng), nn.Linear(8, 4, rng=rng)
        self.head = nn.Linear(4, len(TOKENIZER), rng=rng)

    def __call__(self, tokens):
        rows = added([take(self.tokens, token) for token in tokens], self.places)
        rows = added(rows, self.attention(self.norm1(rows)))
        inside = [[relu(x) for x in row] for row in self.wide(self.norm2(rows))]
        return self.head(added(rows, self.narrow(inside)))

    def loss(self, tokens):
        return nn.cross_entropy(self(tokens[:-1]), tokens[1:])


def added(A, B):
    return [[a + b for a, b in zip(row, other, strict=True)] for row, other in zip(A, B, strict=False)]


MODELS = {
    "writer": Writer,
    "GRU classifier": Classifier,
    "LSTM classifier": lambda rng: Classifier(rng, nn.LSTMCell),
    "transformer": Transformer,
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param](random.Random(1))


def eager(model, documents):
    """The mean loss of documents and its gradient, document by document."""
    model.zero_grad()
    losses = [model.loss(document) for document in documents]
    for loss in losses:
        (loss / len(documents)).backward()
    return sum(loss.data for loss in losses) / len(documents), [p.grad for p in model.parameters()]


@pytest.fixture(params=["python", "llvm"])
def backend(request):
    if request.param == "llvm":
        pytest.importorskip("llvmlite")
    return request.param


def test_loss_and_gradient(model, backend, figure):
    loss = compile(model.loss, parameters=model.parameters(), backend=backend)
    assert [loss(document) for document in DOCUMENTS] == [model.loss(document).data for document in DOCUMENTS]
    value, gradient = loss.value_and_grad(DOCUMENTS)
    expected, slopes = eager(model, DOCUMENTS)
    assert value == pytest.approx(expected, rel=1e-14)
    assert gradient == pytest.approx(slopes, rel=1e-12, abs=1e-14)
    figure(
        f"a {type(model).__name__.lower()} of sequences of different lengths, compiled by {backend}",
        "each loss bit for bit the eager one, their mean to 1e-14 and its gradient to 1e-12",
    )


def test_training(model, backend):
    twin = type(model)(random.Random(1)) if isinstance(model, (Writer, Transformer)) else None
    twin = twin or Classifier(random.Random(1), type(model.cell))
    optimizer = nn.SGD(twin.parameters(), lr=0.1)
    loss = compile(model.loss, parameters=model.parameters(), backend=backend)
    with loss.training(nn.SGD(model.parameters(), lr=0.1)) as step:
        for document in DOCUMENTS:
            expected, _ = eager(twin, [document])
            optimizer.step()
            assert step([document]) == pytest.approx(expected, rel=1e-13)
    ours, theirs = ([p.data for p in m.parameters()] for m in (model, twin))
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_fit_takes_texts_of_any_length(cell, backend):
    y = [int(TOKENIZER.decode(document)[-1] in "aeiou") for document in DOCUMENTS]
    options = {
        "optimizer": "adam",
        "lr": 0.05,
        "epochs": 6,
        "batch_size": 4,
        "seed": 1,
        "progress": False,
        "warn": False,
    }
    eager, compiled = Classifier(random.Random(1), cell), Classifier(random.Random(1), cell)
    expected = nn.fit(eager, DOCUMENTS, y, "cross_entropy", **options)
    history = nn.fit(compiled, DOCUMENTS, y, "cross_entropy", compiled=backend, **options)
    assert history.loss == pytest.approx(expected.loss, rel=1e-10)
    assert history.loss[-1] < history.loss[0]


@pytest.mark.parametrize("temperature", [0, 0.5])
def test_a_text_is_written_token_by_token(temperature):
    model, rng = Writer(random.Random(1)), random.Random(2)
    tokens = [TOKENIZER.bos]
    while len(tokens) < 12:
        tokens.append(nn.sample(model(tokens)[-1], temperature, rng=rng))
    assert len(TOKENIZER.decode(tokens)) == sum(token != TOKENIZER.bos for token in tokens)
