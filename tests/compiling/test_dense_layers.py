"""Dense layers are found in a program, however it was written, and give the numbers of the program without them."""

import math
import random
from importlib import import_module
from operator import mul

import pytest
from compiling_helpers import needs_llvm
from long_programs import LayeredProgram
from sizes import has_full_size, size
from written_programs import Written

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling.structure.finding import find
from scalargrad.compiling.tape import varying_slots
from scalargrad.compiling.taping import TapedGraph

STRUCTURED = import_module("scalargrad.compiling.structure.structured")
BATCH = import_module("scalargrad.compiling.llvm.batch")
FUSING = import_module("scalargrad.compiling.llvm.blocks.fusing")
MOVING = import_module("scalargrad.compiling.llvm.blocks.moving")


@pytest.fixture
def all_have_blocks(monkeypatch):
    """Small programs, too, and such that are hardly layers."""
    monkeypatch.setattr(STRUCTURED, "WORTH", 1)
    monkeypatch.setattr(STRUCTURED, "REST", (math.inf, math.inf))
    monkeypatch.setattr(STRUCTURED, "FEW", (0, 0.0))
    monkeypatch.setattr(STRUCTURED, "FLAT", (0, 0.0))


def found_in(root, inputs):
    tape = TapedGraph([root], inputs).tape.code
    layers = find(tape, varying_slots(tape), [len(tape) - 1]).layers
    return sorted((len(rows), len(rows[0].xs)) for rows in layers)


def runs_by_blocks(f):
    """Whether the program that was recorded last runs so."""
    (programs,) = f.batches.recordings.known.values()
    return isinstance(programs[0].runner, BATCH.BlockRunner)


def with_and_without(f, parameters, batch, monkeypatch):
    """Loss and gradients of two programs, the first by blocks."""
    compiled = sg.compile(f, parameters=parameters)
    loss, gradients = compiled.value_and_grad(*batch)
    is_by_blocks = runs_by_blocks(compiled)
    with monkeypatch.context() as patched:
        patched.setattr(STRUCTURED, "WORTH", math.inf)
        compiled = sg.compile(f, parameters=parameters)
        expected, slopes = compiled.value_and_grad(*batch)
        assert not runs_by_blocks(compiled)
    return is_by_blocks, [loss, *gradients], [expected, *slopes]


def close(found, expected, tolerance=1e-12):
    """To so many parts of each number, or of a thousandth of the largest, where numbers cancel."""
    finite = [abs(x) for x in expected if math.isfinite(x)]
    least = 1e-3 * max(finite, default=1.0)
    for x, y in zip(found, expected, strict=True):
        if math.isfinite(y):
            assert abs(x - y) <= tolerance * max(abs(y), least), (x, y)
        else:
            assert str(x) == str(y)


# -------------------------------------------------------------------- found


@needs_llvm
def test_it_says_what_was_found():
    network = nn.MLP(9, [16, 12, 3], seed=0)
    loss = sg.compile(lambda x: sg.logsumexp(network(x)), parameters=network.parameters())
    assert str(loss) == repr(loss)
    loss.value_and_grad(samples(40)[0])
    head, title, *layers, others = str(loss).splitlines()
    assert (head, title) == (repr(loss), "over samples of 9 numbers: layers")
    assert [line.strip() for line in layers] == [f"Dense {size} with bias" for size in ("16 x 9", "12 x 16", "3 x 12")]
    assert " other operations, gradients included: " in others
    conv = nn.Conv2d(1, 4, 3)

    def of_a_picture(x):
        images = conv([[list(x[8 * i : 8 * i + 8]) for i in range(8)]])
        return sg.logsumexp([sg.relu(a) for rows in images for row in rows for a in row])

    loss = sg.compile(of_a_picture, parameters=conv.parameters())
    loss.value_and_grad([[0.01 * k * j for k in range(64)] for j in range(40)])
    assert "    Dense 4 x 9 with bias, at 36 places" in str(loss).splitlines()
    w = Value(1.0)
    small = sg.compile(lambda x: (w * x) ** 2)
    small.value_and_grad([1.0, 2.0])
    assert str(small).splitlines()[1:] == ["over samples of 1 number: no layers"]


def numbers(n):
    return [Value(0.1 * (k + 1)) for k in range(n)]


def by_hand(rows, biases, xs, start):
    """As micrograd's Neuron, or the sum begun with 0, or with the factors in the other order, or added from the left."""
    if start == "bias":
        return [sum((w * x for w, x in zip(row, xs, strict=True)), b) for row, b in zip(rows, biases, strict=True)]
    if start == "zero":
        return [sum(x * w for w, x in zip(row, xs, strict=True)) + b for row, b in zip(rows, biases, strict=True)]
    out = []
    for row, b in zip(rows, biases, strict=True):
        total = row[0] * xs[0]
        for w, x in zip(row[1:], xs[1:], strict=True):
            total = w * x + total
        out.append(b + total)
    return out


@pytest.mark.parametrize("start", ["bias", "zero", "backwards"])
def test_layers_written_by_hand_are_those_of_nn(start):
    xs, network = numbers(7), nn.MLP(7, [6, 5])
    layers = [([n.w for n in layer.neurons], [n.b for n in layer.neurons]) for layer in network.layers]
    hidden = [sg.relu(a) for a in by_hand(*layers[0], xs, start)]
    assert found_in(sg.logsumexp(by_hand(*layers[1], hidden, start)), xs) == [(5, 6), (6, 7)]
    assert found_in(sg.logsumexp(network(xs)), xs) == [(5, 6), (6, 7)]


def test_what_is_no_layer_is_not_found():
    xs, ws = numbers(6), numbers(6)
    assert found_in(sg.dot(xs, xs), xs) == []  # nothing is the same for all samples
    assert found_in(sg.dot(ws, ws) * xs[0], xs) == []  # nothing differs
    assert found_in(sg.dot(ws, xs), xs) == []  # too small
    partial = ws[0] * xs[0] + ws[1] * xs[1]
    rows = [partial + sum((w * x for w, x in zip(ws[2:], xs[2:], strict=True)), 0.0) for _ in range(4)]
    assert found_in(sg.logsumexp(rows) + partial, xs) == [(4, 4)]  # what is read elsewhere is no part of a row


# -------------------------------------------------------------------- the same numbers


SAMPLES = (1, 3, 8, 20, 32, 33, 70, 300)


@has_full_size
@needs_llvm
def test_random_programs_of_layers(all_have_blocks, monkeypatch):
    by_blocks = 0
    for seed in range(size(60, 1000)):
        rng, f = random.Random(seed), Written(seed)
        n = rng.choice(SAMPLES)
        batch = [[rng.gauss(0, 1) for _ in range(f.inputs)] for _ in range(n)], [rng.gauss(0, 1) for _ in range(n)]
        is_by_blocks, found, expected = with_and_without(f, f.parameters, batch, monkeypatch)
        close(found, expected)
        by_blocks += is_by_blocks
    assert by_blocks > 0.7 * (seed + 1)


@has_full_size
@needs_llvm
def test_random_programs_with_little_structure(all_have_blocks, monkeypatch):
    for seed in range(size(40, 1000)):
        rng, f = random.Random(seed), LayeredProgram(seed)
        batch = ([[rng.gauss(0, 1) for _ in range(f.inputs)] for _ in range(rng.choice(SAMPLES))],)
        _, found, expected = with_and_without(lambda x, f=f: f(x), f.parameters, batch, monkeypatch)
        close(found, expected)


@has_full_size
@needs_llvm
def test_ops_that_are_computed_together_keep_every_bit(all_have_blocks, monkeypatch):
    shapes = set()

    def noted(*given):
        groups = FUSING.grouped(*given)
        shapes.update(shape for _, shape in groups if shape)
        return groups

    monkeypatch.setattr(MOVING, "grouped", noted)
    for seed in range(size(25, 400)):
        rng, f = random.Random(seed), Written(seed)
        n = rng.choice(SAMPLES)
        batch = [[rng.gauss(0, 1) for _ in range(f.inputs)] for _ in range(n)], [rng.gauss(0, 1) for _ in range(n)]
        found = []
        for worth in (1, 2, math.inf):
            monkeypatch.setattr(FUSING, "WORTH", worth)
            loss, gradients = sg.compile(f, parameters=f.parameters).value_and_grad(*batch)
            found.append([x.hex() for x in (loss, *gradients)])
        assert found[0] == found[1] == found[2]
    sizes = [len(FUSING.ops_of(shape)) for shape in shapes]
    assert max(sizes) == FUSING.OPS
    assert max(map(FUSING.reads_of, shapes)) <= FUSING.READ


def digits(style):
    """A network with relu and cross-entropy for samples of 9 numbers and 3 classes."""
    network = nn.MLP(9, [16, 12, 3], init="he_normal", seed=0)

    def loss(x, target):
        if style == "nn":
            scores = network(x)
        else:
            scores = x
            for layer in network.layers:
                scores = by_hand([n.w for n in layer.neurons], [n.b for n in layer.neurons], scores, style)
                if layer is not network.layers[-1]:
                    scores = [a.relu() for a in scores]
        return sg.logsumexp(scores) - sg.dot(target, scores) + nn.l2_penalty(network, 1e-3)

    return network, loss


def samples(n, seed=0):
    rng = random.Random(seed)
    x = [[rng.gauss(0, 1) for _ in range(9)] for _ in range(n)]
    return x, [[float(k == rng.randrange(3)) for k in range(3)] for _ in range(n)]


@needs_llvm
@pytest.mark.parametrize("style", ["nn", "bias", "zero"])
def test_a_network_is_taken_by_blocks(style, monkeypatch):
    network, loss = digits(style)
    is_by_blocks, found, expected = with_and_without(loss, network.parameters(), samples(100), monkeypatch)
    assert is_by_blocks
    close(found, expected)


@needs_llvm
@pytest.mark.parametrize("style", ["dot", "sum", "bias", "zero", "backwards"])
def test_sums_are_added_up_as_they_were_written(style, all_have_blocks):
    """Each sample's numbers are eager code's to the last bit."""
    network = nn.MLP(9, [16, 12, 3], seed=0)
    for k, neuron in enumerate(n for layer in network.layers for n in layer.neurons):
        neuron.b.data = 0.1 * k - 1.0

    def scores(x):
        for layer in network.layers:
            rows, biases = [n.w for n in layer.neurons], [n.b for n in layer.neurons]
            if style == "dot":
                x = [sg.dot(row, x, b) for row, b in zip(rows, biases, strict=True)]
            elif style == "sum":
                x = [sg.sum([*map(mul, row, x), b]) for row, b in zip(rows, biases, strict=True)]
            else:
                x = by_hand(rows, biases, x, style)
            x = [a.relu() for a in x]
        return x

    compiled, (x, _) = sg.compile(scores, parameters=network.parameters()), samples(70)
    found = compiled.values(x)
    assert runs_by_blocks(compiled)
    assert found == [[a.data for a in scores(list(map(Value, row)))] for row in x]


@needs_llvm
def test_any_number_of_samples(monkeypatch):
    """Whole blocks, blocks of one vector, lanes without a sample, several chunks."""
    network, loss = digits("nn")
    compiled = sg.compile(loss, parameters=network.parameters())
    x, y = samples(700)
    each = [compiled.value_and_grad([a], [b]) for a, b in zip(x, y, strict=True)]
    for n in (*range(1, 70), 255, 256, 257, 300, 700):
        found, gradients = compiled.value_and_grad(x[:n], y[:n])
        expected = [math.fsum(one) / n for one in zip(*([loss, *g] for loss, g in each[:n]), strict=True)]
        close([found, *gradients], expected)
    assert runs_by_blocks(compiled)


@needs_llvm
def test_several_threads(monkeypatch):
    network, loss = digits("nn")
    compiled = sg.compile(loss, parameters=network.parameters())
    batch = samples(1000)
    alone = compiled.value_and_grad(*batch)
    monkeypatch.setattr(BATCH, "WORTH_A_THREAD", 10)
    for cores in (2, 3, 7):
        monkeypatch.setattr(BATCH, "cores", lambda cores=cores: cores)
        found = compiled.value_and_grad(*batch)
        close([found[0], *found[1]], [alone[0], *alone[1]])


@needs_llvm
def test_a_sample_without_numbers_spoils_what_it_is_in_and_no_lane_beside_it(all_have_blocks, monkeypatch):
    """The last one fills the lanes that have none, where 0 times inf must not become nan in a sum."""
    w = [Value(0.5 + 0.1 * k) for k in range(24)]
    rows = [w[:8], w[8:16], w[16:]]

    def loss(x):
        return sg.sum([sg.exp(sg.dot(row, x)) for row in rows])

    for bad in (800.0, math.inf, math.nan):
        for n in (1, 7, 33):
            batch = ([[0.1 * k for k in range(8)] for _ in range(n - 1)] + [[0.0] * 7 + [bad]],)
            _, found, expected = with_and_without(loss, w, batch, monkeypatch)
            close(found, expected)


@needs_llvm
def test_masks_where_a_plain_gradient_is_nan(all_have_blocks, monkeypatch):
    w = [Value(0.3 * (k % 5) - 0.6) for k in range(12)]

    def loss(x):
        out = [sg.dot(w[:6], x), sg.dot(w[6:], x)]
        return sg.sum([sg.where(sg.greater(a, 0.0), sg.sqrt(sg.relu(a)), a) for a in out])

    rng = random.Random(0)
    batch = ([[rng.gauss(0, 1) for _ in range(6)] for _ in range(40)],)
    _, found, expected = with_and_without(loss, w, batch, monkeypatch)
    assert all(map(math.isfinite, expected))
    close(found, expected)


ASKING = {
    "compared": lambda answer, a, b: sg.where(sg.greater(answer, 0.0), a, b),
    "index": lambda answer, a, b: sg.take([a, b], sg.floor(sg.clip(sg.abs(answer), 0.0, 1.5))),
}


@needs_llvm
@pytest.mark.parametrize("ask", ASKING.values(), ids=list(ASKING))
def test_layers_that_only_a_question_reads_hand_nothing_on(ask, all_have_blocks, monkeypatch):
    asked, network = nn.MLP(4, [6, 5, 3, 1], activation="tanh", seed=2), nn.MLP(4, [6, 1], activation="tanh", seed=3)
    parameters = [*network.parameters(), *asked.parameters()]

    def loss(xs):
        z = network(xs)
        hidden = [sg.sqrt(sg.relu(h)) for h in asked.layers[0](xs)]  # an infinite slope where h is below 0
        for layer in asked.layers[1:]:
            hidden = layer(hidden)
            hidden = hidden if isinstance(hidden, list) else [hidden]
        return ask(hidden[0], sg.exp(z), z * z) + sg.where(sg.greater(network(xs[::-1]), 0.1), z, 0.5)

    rng = random.Random(1)
    batch = [[rng.gauss(0, 1) for _ in range(4)] for _ in range(40)]
    by_blocks, found, expected = with_and_without(loss, parameters, (batch,), monkeypatch)
    assert by_blocks
    close(found, expected)
    sg.mean([loss(xs) for xs in batch]).backward()
    close(found[1:], [p.grad for p in parameters])


@needs_llvm
def test_values_and_guards(all_have_blocks):
    network = nn.MLP(9, [8, 1], seed=0)

    def both(x, y):
        score = network(x)
        if x[0] > -100.0:
            return [score, (score - y) ** 2, y * 2.0]
        return [score, score, score]

    x, y = samples(40)
    y = [row[0] for row in y]
    compiled = sg.compile(both, parameters=network.parameters())
    rows = compiled.values(x, y)
    assert runs_by_blocks(compiled)
    for (score, square, double), xs, t in zip(rows, x, y, strict=True):
        assert math.isclose(score, network(list(map(Value, xs))).data, rel_tol=1e-13)
        assert square == (score - t) ** 2
        assert double == 2.0 * t
    loss = sg.compile(lambda x, y: both(x, y)[1], parameters=network.parameters())
    assert math.isclose(loss.value_and_grad(x, y)[0], math.fsum(row[1] for row in rows) / 40, rel_tol=1e-13)
    x[17][0] = -200.0
    with pytest.raises(sg.BranchError):
        loss.value_and_grad(x, y)


@needs_llvm
@pytest.mark.parametrize("size_of_batch", [32, 50])
def test_training_is_that_of_eager_code(size_of_batch):
    (network, loss), (other, eager_loss) = digits("nn"), digits("zero")
    optimizers = nn.Adam(network.parameters(), lr=0.01), nn.Adam(other.parameters(), lr=0.01)
    compiled = sg.compile(loss, parameters=network.parameters())
    batches = [samples(size_of_batch, seed) for seed in range(4)]
    with compiled.training(optimizers[0]) as step:
        found = [step(*batch) for batch in batches]
    assert runs_by_blocks(compiled)
    for (x, y), one in zip(batches, found, strict=True):
        total = sg.mean([eager_loss(list(map(Value, a)), list(map(Value, b))) for a, b in zip(x, y, strict=True)])
        assert math.isclose(one, total.data, rel_tol=1e-11)
        optimizers[1].zero_grad()
        total.backward()
        optimizers[1].step()
    close([p.data for p in network.parameters()], [p.data for p in other.parameters()], 1e-9)


# -------------------------------------------------------------------- weights that are computed


def normalised(n, rows, seed=0):
    """A layer with weight normalisation (Salimans and Kingma 2016): its parameters, and a function of its input."""
    rng = random.Random(seed)
    directions = [[Value(rng.gauss(0, 1)) for _ in range(n)] for _ in range(rows)]
    sizes, biases = ([Value(rng.uniform(0.5, 1.5)) for _ in range(rows)] for _ in range(2))

    def layer(x):
        out = []
        for v, length, b in zip(directions, sizes, biases, strict=True):
            scale = length / sg.sqrt(sg.dot(v, v))
            out.append(sg.dot([w * scale for w in v], x, b))
        return out

    return [*(w for v in directions for w in v), *sizes, *biases], layer


@needs_llvm
@pytest.mark.parametrize("frozen", [False, True])
def test_weight_normalisation_has_dense_layers(frozen, monkeypatch):
    (first, hidden), (second, scores) = normalised(9, 30), normalised(30, 3, 1)
    for w in first[:150] if frozen else ():
        w.requires_grad = False

    def loss(x, target):
        out = scores([sg.relu(a) for a in hidden(x)])
        return sg.logsumexp(out) - sg.dot(target, out)

    batch = samples(1000)
    by_blocks, found, expected = with_and_without(loss, first + second, batch, monkeypatch)
    assert by_blocks
    close(found, expected)
    compiled = sg.compile(loss, parameters=first + second)
    alone = compiled.value_and_grad(*batch)
    lines = [line.strip() for line in str(compiled).splitlines()]
    assert lines[2:4] == [f"Dense {size} with bias, weights computed" for size in ("30 x 9", "3 x 30")]
    monkeypatch.setattr(BATCH, "WORTH_A_THREAD", 10)
    for cores in (2, 3):
        monkeypatch.setattr(BATCH, "cores", lambda cores=cores: cores)
        found = compiled.value_and_grad(*batch)
        close([found[0], *found[1]], [alone[0], *alone[1]])


@needs_llvm
def test_training_of_weights_that_are_computed():
    """In the memory of a training, minibatches by turns; the same as step by step outside."""
    parameters, layer = normalised(9, 24)
    start = [p.data for p in parameters]
    loss = sg.compile(lambda x, y: (sg.logsumexp(layer(x)) - y) ** 2, parameters=parameters)
    x, y = samples(100)
    y = [row[0] for row in y]
    batches = [(x[:40], y[:40]), (x[40:], y[40:])] * 5
    expected = []
    for batch in batches:
        value, gradients = loss.value_and_grad(*batch)
        expected.append(value)
        for p, g in zip(parameters, gradients, strict=True):
            p.data -= 0.1 * g
    assert runs_by_blocks(loss)
    moved = [p.data for p in parameters]
    for p, number in zip(parameters, start, strict=True):
        p.data = number
    with loss.training(nn.SGD(parameters, lr=0.1)) as step:
        close([step(*batch) for batch in batches], expected)
    close([p.data for p in parameters], moved)


@needs_llvm
def test_masks_of_weights_that_are_computed(all_have_blocks, monkeypatch):
    """A weight that is left out, where its derivative is infinite."""
    ws = [Value(0.3 * (k % 5) - 0.6) for k in range(24)]

    def loss(x):
        weights = [sg.where(sg.greater(w, 0.0), sg.sqrt(sg.relu(w)), w) for w in ws]
        return sg.logsumexp([sg.dot(weights[:8], x), sg.dot(weights[8:16], x), sg.dot(weights[16:], x)])

    rng = random.Random(0)
    batch = ([[rng.gauss(0, 1) for _ in range(8)] for _ in range(40)],)
    _, found, expected = with_and_without(loss, ws, batch, monkeypatch)
    assert all(map(math.isfinite, expected))
    close(found, expected)


@pytest.mark.parametrize("style", ["dot", "terms", "backwards"])
def test_rows_of_computed_weights_are_found(style):
    xs, scale = numbers(6), Value(0.5)
    rows = [[w * scale for w in numbers(6)] for _ in range(5)]
    if style == "dot":
        out = [sg.dot(row, xs) for row in rows]
    else:
        out = [sum((w * x if style == "terms" else x * w for w, x in zip(row, xs, strict=True)), 0.0) for row in rows]
    assert found_in(sg.logsumexp(out), xs) == [(5, 6)]
