"""Recurrent cells are PyTorch's, step by step through a sequence

RNNCell, GRUCell and LSTMCell beside PyTorch's: the states of a whole sequence and all gradients, at random sizes. Each is
saved and loaded, compiled bit for bit, trained by fit, drawn as one card; what does not fit is refused in words.
"""

import random

import pytest
from beside_pytorch import TOLERANCE, Beside, data, flat, numbers, torch, values
from sizes import has_full_size, size

import scalargrad
from scalargrad import Value, nn

SEEDS = range(size(6, 60))
KINDS = ["RNNCell", "RNNCell with relu", "GRUCell", "LSTMCell"]


def cell_of(kind, nin, hidden, **options):
    name, _, activation = kind.partition(" with ")
    return getattr(nn, name)(nin, hidden, **options, **({"activation": activation} if activation else {}))


def run(cell, rows, state=None):
    """The states after each step, the last one first."""
    found = []
    for row in rows:
        state = cell(row, state)
        found.append(state)
    return found[::-1]


@has_full_size
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_beside_pytorch(kind, seed, figure):
    beside = Beside(seed)
    rng = beside.rng
    nin, hidden, steps, bias = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 4), rng.random() < 0.7
    cell = cell_of(kind, nin, hidden, bias=bias, rng=rng)
    options = {"nonlinearity": "relu"} if "relu" in kind else {}
    twin = getattr(torch.nn, kind.partition(" ")[0])(nin, hidden, bias=bias, **options).double()
    for ours, theirs in [("W_ih", "weight_ih"), ("W_hh", "weight_hh"), ("b_ih", "bias_ih"), ("b_hh", "bias_hh")]:
        if getattr(cell, ours) is not None:
            beside.parameter(getattr(twin, theirs), getattr(cell, ours))
    x = values(numbers(rng, steps, nin))
    theirs = list(beside.leaf(x))
    state = other = None
    if rng.random() < 0.5:  # a state of the caller's; else zeros
        parts = [values(numbers(rng, hidden)) for _ in range(1 + (kind == "LSTMCell"))]
        tensors = [beside.leaf(part) for part in parts]
        state, other = (parts[0], tensors[0]) if kind != "LSTMCell" else (tuple(parts), tuple(tensors))
    expected = run(twin, theirs, other)
    beside.compare(run(cell, x, state), *(t for s in expected for t in (s if isinstance(s, tuple) else (s,))))
    figure(f"{kind}, of random sizes, beside PyTorch's", f"states and gradients the same to {TOLERANCE:g}")


@pytest.fixture(params=KINDS)
def cell(request):
    return cell_of(request.param, 3, 2, seed=1)


def test_no_state_is_a_state_of_zeros(cell):
    zeros = [0.0, 0.0]
    state = (zeros, zeros) if isinstance(cell, nn.LSTMCell) else zeros
    assert data(cell([1.0, 2.0, -1.0])) == data(cell([1.0, 2.0, -1.0], state))


def test_a_state_may_be_made_of_iterators():
    cell, state = nn.LSTMCell(1, 2, seed=1), ([0.5, -0.5], [1.0, 2.0])
    assert data(cell([1.0], map(iter, state))) == data(cell([1.0], state))


def test_a_file_brings_it_back(cell, tmp_path):
    again = nn.load(nn.save(cell, tmp_path / "model.json"))
    assert type(again) is type(cell)
    assert repr(again) == repr(cell)
    assert again.state_dict() == cell.state_dict()
    x = [[0.5, -1.0, 2.0], [1.0, 1.0, 0.0]]
    assert data(run(again, x)) == data(run(cell, x)) == data(run(cell.eval(), x))


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_compiled_it_is_the_same_bit_for_bit(cell, backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    compiled = scalargrad.compile(lambda rows: run(cell, rows)[0], parameters=cell.parameters(), backend=backend)
    rng = random.Random(1)
    for _ in range(3):
        rows = numbers(rng, 4, 3)
        assert flat(compiled(rows)) == flat(data(run(cell, rows)[0]))


class Sign(nn.Module):
    """Whether the numbers of a sequence rise or fall, by the last state."""

    def __init__(self, cell):
        self.cell, self.head = cell, nn.Layer(6, 1, activation=None, seed=2)

    def __call__(self, x):
        state = run(self.cell, [[value, 1.0, 0.0] for value in x])[0]
        return self.head(state[0] if isinstance(state, tuple) else state)


@pytest.mark.parametrize("compiled", [False, "python"])
@pytest.mark.parametrize("kind", KINDS)
def test_fit_trains_it(kind, compiled):
    rng = random.Random(0)
    X = [[rng.uniform(-1, 1) for _ in range(2)] for _ in range(16)]
    y = [1.0 if a < b else -1.0 for a, b in X]
    options = {"optimizer": "adam", "lr": 0.05, "epochs": 60, "progress": False, "warn": False, "compiled": compiled}
    history = nn.fit(Sign(cell_of(kind, 3, 6, seed=3)), X, y, "hinge", **options)
    assert history.loss[-1] < history.loss[0] / 2


def test_collapsed_it_is_one_card(cell):
    x = values([[0.5, -1.0, 2.0], [1.0, 1.0, 0.0]])
    out = scalargrad.sum(flat(run(cell, x)[0]))
    picture = scalargrad.draw(out, collapse="layer", merge_repeats=False, engine="text").picture
    name = type(cell).__name__
    assert sum(card.title.startswith(name) for card in picture.cards) == 1
    states = 2 * (1 + isinstance(cell, nn.LSTMCell))  # constants, what the sequence began with
    assert len(picture.cards) == 1 + 6 + states + 1


def test_in_a_sequential_a_function_takes_what_the_next_layer_reads():
    model = nn.Sequential(nn.LSTMCell(1, 2, seed=1), lambda state: state[0], nn.GRUCell(2, 3, seed=1), nn.Linear(3, 1))
    assert len(model([0.5])) == 1


def test_states_and_gates_have_names():
    h, c = nn.LSTMCell(1, 2, seed=0)([1.0])
    assert [value.label for value in (*h, *c)] == ["h0", "h1", "c0", "c1"]
    labels = {value.label for value in scalargrad.topological_order(h[1])}
    assert labels >= {"i1", "f1", "g1", "o1", "W_ii1_0", "W_hf1_0", "b_ho1", "c1"}


@pytest.mark.parametrize(("kind", "gates"), [("RNNCell", "h"), ("GRUCell", "rzn"), ("LSTMCell", "ifgo")])
def test_the_label_of_a_gate_is_that_of_its_weights(kind, gates):
    cell = cell_of(kind, 1, 2, seed=0)
    units = [f"{gate}{j}" for gate in gates for j in range(2)]
    for source, W, b in (("i", cell.W_ih, cell.b_ih), ("h", cell.W_hh, cell.b_hh)):
        assert [row[0].label for row in W] == [f"W_{source}{unit}_0" for unit in units]
        assert [value.label for value in b] == [f"b_{source}{unit}" for unit in units]
    for node in scalargrad.topological_order(*flat(cell([1.0]))):
        if node.label in units and node.parents:
            sums = [node, *node.parents, *(p for parent in node.parents for p in parent.parents)]
            read = {p.label for part in sums for p in part.parents if p.label.startswith("W_i")}
            assert read == {f"W_i{node.label}_0"}


def test_an_activation_of_the_users_own():
    cell = nn.RNNCell(1, 2, activation=lambda x: x * x, seed=1)
    h0 = cell([2.0])[0]
    assert h0.data == (2.0 * cell.W_ih[0][0].data + cell.b_ih[0].data + cell.b_hh[0].data) ** 2
    assert nn.RNNCell(1, 2, activation=lambda x: 3.0)([2.0]) == [3.0, 3.0]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_drawn_as_pytorch_draws_them(kind):
    cell = cell_of(kind, 3, 16, seed=1)
    for part in (cell.W_ih, cell.W_hh, cell.b_ih, cell.b_hh):
        assert 0.8 / 4 < max(abs(p.data) for p in flat(part)) <= 1 / 4
    again = cell_of(kind, 3, 16, rng=random.Random(1))
    assert again.state_dict() == cell.state_dict()
    other = cell_of(kind, 3, 16, init="xavier_uniform", seed=1)
    assert {p.data for p in (*other.b_ih, *other.b_hh)} == {0.0}


REFUSED = [
    (lambda: nn.RNNCell(3, 2)([1.0]), r"RNNCell\(3, 2\) takes 3 inputs, but 1 was given"),
    (lambda: nn.GRUCell(1, 2)([1.0], [1.0]), r"GRUCell\(1, 2\) has a state h of 2 numbers, but 1 was given"),
    (lambda: nn.RNNCell(1, 2)([1.0], 0.0), r"RNNCell\(1, 2\): the state h must be a list of 2 numbers, not float"),
    (lambda: nn.RNNCell(1, 2)([1.0], ["a", 1.0]), r"the state h: input 0 must be a Value or a real number, not str"),
    (lambda: nn.LSTMCell(1, 2)([1.0], [1.0, 2.0]), r"LSTMCell\(1, 2\): the state must be a pair \(h, c\) of lists of 2 numbers"),
    (lambda: nn.LSTMCell(1, 2)([1.0], ([1.0, 2.0], [1.0])), r"has a state c of 2 numbers, but 1 was given"),
    (lambda: nn.LSTMCell(1, 0), "hidden must be at least 1, not 0, as in LSTMCell"),
    (lambda: nn.RNNCell(1, 2, activation="rellu"), "there is no activation 'rellu'"),
    (lambda: nn.Sequential(nn.LSTMCell(1, 2), nn.Linear(2, 1)), r"LSTMCell\(1, 2\), gives a pair \(h, c\), which step 1, Linear"),
    (lambda: nn.LSTMCell(input_size=1, hidden_size=2), "unexpected keyword argument 'input_size' \\(did you mean 'nin'\\?\\)"),
    (lambda: nn.GRUCell(1, 2).weight_ih, "the weights of the inputs are W_ih"),
    (lambda: nn.GRUCell(1, 2).hidden_size, "write hidden"),
    (lambda: nn.RNNCell(1, 2).draw(), "RNNCell has 10 parameters of its own, in no neuron"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_does_not_fit_is_refused_in_words(call, message):
    with pytest.raises((ValueError, TypeError, AttributeError), match=message):
        call()


def test_values_of_the_caller_stay_in_the_graph():
    x, h = values([0.5]), values([1.0, -1.0])
    scalargrad.sum(nn.GRUCell(1, 2, seed=3)(x, h)).backward()
    assert all(isinstance(v, Value) and v.grad != 0.0 for v in (*x, *h))
