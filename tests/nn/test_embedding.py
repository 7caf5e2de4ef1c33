"""Embedding is PyTorch's: a learned row for each token, taken by numbers and by Values, saved, drawn and compiled."""

import random

import pytest
from compiling_helpers import all_same, needs_llvm
from optional import optional

import scalargrad as sg
from scalargrad import Value, nn

SHIFT = random.Random(3)


@pytest.fixture
def wte():
    return nn.Embedding(5, 3, seed=1)


def test_a_number_gives_the_parameters_themselves(wte):
    assert wte(2) == wte(2.0) == wte.W[2]
    assert wte(2) is not wte.W[2]  # a list of its own: the table stays whole
    assert wte([4, 0]) == [wte.W[4], wte.W[0]]
    assert wte([[1], [2]]) == [[wte.W[1]], [wte.W[2]]]
    assert len(wte.parameters()) == 15
    assert wte.W[3][1].label == "w3,1"


def test_values_and_gradients_are_pytorchs(wte):
    torch = optional("torch")
    theirs = torch.nn.Embedding(5, 3, dtype=torch.float64)
    theirs.weight.data = torch.tensor([[v.data for v in row] for row in wte.W], dtype=torch.float64)
    tokens = [3, 0, 3, 1]
    (theirs(torch.tensor(tokens)) ** 2 * torch.arange(12.0, dtype=torch.float64).reshape(4, 3)).sum().backward()
    for given in (tokens, [Value(float(t)) for t in tokens]):
        wte.zero_grad()
        flat = [v for row in wte(given) for v in row]
        sg.sum([v**2 * float(i) for i, v in enumerate(flat)]).backward()
        assert [[v.grad for v in row] for row in wte.W] == pytest.approx(theirs.weight.grad.numpy(), rel=1e-12)


def test_it_starts_as_pytorchs_does_and_as_it_is_told():
    numbers = [p.data for p in nn.Embedding(100, 20, seed=0).parameters()]
    mean = sum(numbers) / 2000
    assert mean == pytest.approx(0.0, abs=0.1)
    assert sum((x - mean) ** 2 for x in numbers) / 2000 == pytest.approx(1.0, abs=0.1)
    assert {p.data for p in nn.Embedding(3, 2, init="zeros").parameters()} == {0.0}
    rng = random.Random(7)
    drawn = [rng.gauss(0.0, 0.08) for _ in range(6)]
    assert [p.data for p in nn.Embedding(3, 2, init=nn.normal(0.0, 0.08), seed=7).parameters()] == drawn


def test_a_file_brings_it_back(wte, tmp_path):
    model = nn.Sequential(wte)
    again = nn.load(nn.save(model, tmp_path / "model.json"))
    assert repr(again) == repr(model)
    assert repr(again[0] if hasattr(again, "__getitem__") else again.layers[0]) == "Embedding(5, 3)"
    assert again.state_dict() == model.state_dict()


def test_what_is_wrong_is_said(wte):
    with pytest.raises(IndexError, match="the index 5 is out of range: there are 5 entries, from 0 to 4"):
        wte(5)
    with pytest.raises(IndexError, match="no whole number"):
        wte([1, Value(0.5)])
    with pytest.raises(TypeError, match="the index must be a whole number"):
        wte("a")
    with pytest.raises(TypeError):
        wte(1, 2)
    with pytest.raises(ValueError, match="num"):
        nn.Embedding(0, 3)
    with pytest.raises(AttributeError, match="the table is W"):
        _ = wte.weight


@pytest.mark.parametrize("backend", ["python", pytest.param("llvm", marks=needs_llvm)])
def test_compiled_it_trains_as_in_the_eager_loop(backend):
    """A bigram model: the scores of the next token are a row of the table."""
    X, Y = [0, 1, 2, 3, 1, 4], [1, 2, 3, 1, 4, 0]
    losses, tables = [], []
    for how in ("eager", "compiled"):
        model = nn.Embedding(5, 5, seed=2)
        optimizer = nn.SGD(model.parameters(), lr=0.5)
        compiled = sg.compile(
            lambda x, y, model=model: nn.cross_entropy(model(x), y), parameters=model.parameters(), backend=backend
        )
        found = []
        if how == "eager":
            for _ in range(5):
                optimizer.zero_grad()
                loss = nn.cross_entropy(model(X), Y)
                loss.backward()
                optimizer.step()
                found.append(loss.data)
        else:
            with compiled.training(optimizer) as step:
                found = [step(X, Y) for _ in range(5)]
                with pytest.raises(IndexError, match="for sample 1: take: the index 5.0 is out of range"):
                    step([1, 1], [0, 5])
        losses.append(found)
        tables.append([p.data for p in model.parameters()])
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)
    assert tables[1] == pytest.approx(tables[0], rel=1e-12)


def test_the_table_is_one_card(wte):
    token = Value(2.0, label="token")
    picture = sg.draw(sg.sum(wte(token)), collapse="layer", engine="text").picture
    assert [card for card in picture.cards if "embedding" in card.title]


def test_one_point_is_the_same_bit_for_bit(wte):
    compiled = sg.compile(lambda t: [v * v for v in wte(t)], backend="python")
    for t in range(5):
        all_same(compiled(float(t)), [v.data * v.data for v in wte.W[t]])
