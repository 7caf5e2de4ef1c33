"""Long programs: sums of products stay whole, layers become runs, and the numbers are the eager engine's to the last bit."""

import functools
import itertools
import math
import random
from importlib import import_module
from operator import add, mul

import pytest
from compiling_helpers import (  # noqa: F401  (a fixture among them)
    agrees,
    all_same,
    eager_batch,
    library_functions,
    needs_llvm,
    points,
)
from long_programs import LayeredProgram
from sizes import has_full_size, size
from written_programs import Written

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling.groups import batch_of
from scalargrad.compiling.llvm.layout import LIST, MATRIX, ROWS, VECTORS, Layout
from scalargrad.compiling.llvm.long_batch import LongBatchCode
from scalargrad.compiling.lowering import lowered
from scalargrad.compiling.samples import Samples
from scalargrad.compiling.tape import DOT, INPUT, PARAMETER
from scalargrad.compiling.taping import TapedGraph
from scalargrad.node.numbers import plain_number

pytestmark = needs_llvm
SINGLE = import_module("scalargrad.compiling.llvm.single")
BATCH_PROGRAM = import_module("scalargrad.compiling.batch_program")


@pytest.fixture(autouse=True)
def all_programs_are_long(monkeypatch):
    monkeypatch.setattr(SINGLE, "STRAIGHT", -1)
    monkeypatch.setattr(SINGLE, "TILE", -1)
    monkeypatch.setattr(SINGLE, "LOOSE_TILE", -1)
    monkeypatch.setattr(BATCH_PROGRAM, "structured", lambda *_: None)


def eager(f, xs):
    """The value, and the gradients of inputs and parameters that are trained, by a fresh graph."""
    leaves = list(map(Value, xs))
    root = f(leaves)
    return [root.data, *sg.grad(root, [*leaves, *(p for p in f.parameters if p.requires_grad)])]


def recorded(f, xs):
    """The program of the graph at these numbers, and how its results are put in the order of `eager`."""
    leaves = list(map(Value, xs))
    program = sg.record(f(leaves), inputs=leaves, backend="llvm")
    order = [*leaves, *(p for p in f.parameters if p.requires_grad)]

    def run(numbers):
        value, gradients = program.value_and_grad(numbers)
        found = dict(zip(program.leaves, gradients, strict=True))
        return [value, *(found.get(leaf, 0.0) for leaf in order)]

    return run


def test_three_hundred_programs_at_points_that_were_not_recorded():
    checked = 0
    for seed in range(300):
        f = LayeredProgram(seed)
        start, *others = points(seed, f.inputs, 3)
        run = recorded(f, start)
        for xs in others:
            for p in f.parameters:
                p.data *= 0.9
            expected = eager(f, xs)
            if all(map(math.isfinite, expected)):
                all_same(run(xs), expected)
                checked += 1
    assert checked > 550


@has_full_size
def test_losses_in_every_style_at_points_that_were_not_recorded():
    """Shuffled operands, tied and shared rows, constants in them, weights computed, partial sums read twice, frozen."""
    checked, programs = 0, size(60, 2000)
    for seed in range(programs):
        written = Written(seed)
        f = OfOneList(written)
        start, *others = points(seed, written.inputs + 1, 3)
        run = recorded(f, start)
        for xs in others:
            for p in f.parameters:
                p.data *= 0.9
            expected = eager(f, xs)
            if all(map(math.isfinite, expected)):
                all_same(run(xs), expected)
                checked += 1
    assert checked > 1.9 * programs


class OfOneList:
    """A loss of (x, y) as a function of one list."""

    def __init__(self, loss):
        self.loss, self.parameters = loss, loss.parameters

    def __call__(self, xs):
        return self.loss(xs[:-1], xs[-1])


@has_full_size
def test_wide_layers_become_runs():
    """Forward, backward to the inputs and to the weights; the last lanes of a run that does not come out even."""
    for seed in range(size(20, 60)):
        f = LayeredProgram(seed, smallest=9, largest=40)
        start, xs = points(seed, f.inputs, 2)
        all_same(recorded(f, start)(xs), eager(f, xs))


def test_second_derivatives():
    for seed in range(40):
        f = LayeredProgram(seed, largest=9, stages=3)
        start, *others = points(seed, f.inputs, 3)
        second = sg.grad(lambda v, f=f: sg.sum([g * (k + 1.0) for k, g in enumerate(sg.grad(f)(v))]))
        compiled = sg.compile(second, backend="llvm")
        compiled(start)
        for xs in others:
            all_same(compiled(xs), list(map(float, map(plain_number, second(xs)))))


def test_a_gradient_that_is_nan_unmasked():
    """Where an op has not chosen an operand with an infinite slope, the masked form runs."""
    ws = [Value(0.1 * k) for k in range(-8, 9)]

    def f(v):
        layer = [sg.where(sg.greater(x, 0.0), sg.sqrt(sg.relu(x)), 2.0 * x) for x in [w * v[0] for w in ws]]
        return sg.dot(layer, layer) + sg.sum(layer)

    f.parameters = ws
    run = recorded(f, [0.7])
    for x in (0.7, -1.3, 0.0):
        all_same(run([x]), eager(f, [x]))


def test_which_sums_become_runs():
    """A layer's rows lie a row apart, its gradient in the inputs reads rows, that in the weights reads inputs."""
    rows = [[Value(0.1 * i + j) for j in range(10)] for i in range(11)]
    x = [Value(1.0 + i) for i in range(10)]
    y = [sg.tanh(sg.dot(row, x, 0.5)) for row in rows]
    taped = TapedGraph(y, [], [w for row in rows for w in row])
    (tape, places), slots = lowered(taped.tape.code, [taped.slots[one] for one in y]), [taped.slots[one] for one in y]
    layout = Layout(tape.code, [places[slot] for slot in slots])
    (run,) = [group for group in layout.groups if group.pairs]
    assert (run.op, run.size, run.pairs) == (MATRIX, 11, 11)
    skipping = [(PARAMETER, i) for i in range(80)]
    skipping += [(DOT, *range(8 * i, 8 * i + 8, 2), *range(64, 68)) for i in range(8)]
    assert [(group.op, group.size) for group in Layout(skipping).groups] == [(ROWS, 8)]
    turned = [(PARAMETER, i) for i in range(40)]
    turned += [(DOT, *range(4), *range(8 + i, 40, 8)) for i in range(8)]
    layout = Layout(turned)
    assert [(group.op, group.size) for group in layout.groups] == [(VECTORS, 8)]
    rng = random.Random(1)
    loose = turned[:40] + [(DOT, *(rng.randrange(40) for _ in range(8))) for _ in range(9)]
    assert [(group.op, group.size) for group in Layout(loose + turned[40:]).groups] == [(VECTORS, 8), (LIST, 9)]


@pytest.mark.parametrize("columns", [2, 3, 7, 8, 9, 16, 21])
def test_rows_of_a_matrix_in_any_order(columns):
    """They are put in order, squares of them are turned in registers, and each is added up from its first product on."""
    from scalargrad.compiling import llvm

    rng = random.Random(columns)
    for rows, has_bias in itertools.product((8, 9, 13, 16, 19), (False, True)):
        apart = columns + has_bias
        ws = [rng.choice([rng.gauss(0, 1), 0.0, -0.0]) for _ in range(rows * apart)]
        code = [*((PARAMETER, i) for i in range(len(ws))), *((INPUT, i) for i in range(columns))]
        starts = rng.sample(range(0, len(ws), apart), rows)
        first = len(code)
        biases = [(i + columns,) if has_bias else () for i in starts]
        code += [
            (DOT, *range(i, i + columns), *range(len(ws), first), *bias) for i, bias in zip(starts, biases, strict=True)
        ]
        slots = range(first, len(code))
        assert [(group.op, group.size) for group in Layout(code).groups] == [(MATRIX, rows)]
        samples = [[rng.choice([rng.gauss(0, 1), -0.0]) for _ in range(columns)] for _ in range(11)]
        expected = [
            [
                functools.reduce(add, [*(ws[j] for j in bias), *map(mul, ws[i : i + columns], xs)]).hex()
                for i, bias in zip(starts, biases, strict=True)
            ]
            for xs in samples
        ]
        run = llvm.single(code, slots)
        assert [[x.hex() for x in run(ws, xs)] for xs in samples] == expected
        _, found = llvm.BatchRunner(code, [], slots, [columns]).run([Samples(samples, "")], len(samples), ws, False)
        assert [[x.hex() for x in xs] for xs in zip(*found, strict=True)] == expected


# -------------------------------------------------------------------- batches


@has_full_size
@pytest.mark.usefixtures("library_functions")
def test_three_hundred_losses_over_batches():
    """One sample, fewer than are worth lanes, whole tiles and a rest; parts that are the same for all samples."""
    for seed in range(size(60, 300)):
        f = LayeredProgram(seed)
        trained = [p for p in f.parameters if p.requires_grad]
        if not trained:
            continue
        loss = sg.compile(with_penalty(f, seed), parameters=trained, backend="llvm")
        for n in (1, 2, 3, 8, 21):
            batch = points(seed + n, f.inputs, n)
            agrees(loss.value_and_grad(batch), eager_batch(with_penalty(f, seed), (batch,), trained), 1e-13)


def with_penalty(f, seed):
    """The loss with a term that is the same for all samples, or one that is not computed at all."""

    def loss(v):
        ws = f.parameters[:5]
        return [f(v), f(v) + sg.dot(ws, ws), f(v) * sg.exp(sg.sum(ws)), f(v) + ws[0] * 2.0][seed % 4]

    return loss


def test_training_on_one_sample_at_a_time():
    """The losses are the eager engine's to the last bit, and the sample may be another one each time."""
    for seed in range(12):
        f = LayeredProgram(seed)
        trained = [p for p in f.parameters if p.requires_grad]
        if not trained:
            continue
        start = [p.data for p in trained]
        batch = points(seed, f.inputs, 6)
        expected = []
        optimizer = nn.SGD(trained, lr=0.05)
        for xs in batch:
            optimizer.zero_grad()
            root = f(list(map(Value, xs)))
            root.backward()
            optimizer.step()
            expected.append(root.data)
        for p, x in zip(trained, start, strict=True):
            p.data = x
        loss = sg.compile(f, parameters=trained, backend="llvm")
        with loss.training(nn.SGD(trained, lr=0.05)) as step:
            all_same([step([xs]) for xs in batch], expected)


def test_guards_of_a_long_program():
    rows = [[Value(0.1 * i - 0.2 * j) for j in range(9)] for i in range(9)]
    leaves = [w for row in rows for w in row]

    def loss(v):
        y = [sg.dot(row, v) for row in rows]
        return sg.dot(y, y) if v[0] > 0 else sg.sum(y)

    batch = points(5, 9, 11)
    with pytest.raises(sg.BranchError, match="for sample"):
        sg.compile(loss, parameters=leaves, backend="llvm").value_and_grad(batch)
    both = sg.compile(loss, parameters=leaves, backend="llvm", branches="record")
    agrees(both.value_and_grad(batch), eager_batch(loss, (batch,), leaves), 1e-13)


def test_a_batch_whose_gradient_is_nan_unmasked():
    ws = [Value(0.1 * k) for k in range(-8, 9)]

    def loss(v):
        layer = [sg.where(sg.greater(x, 0.0), sg.sqrt(sg.relu(x)), 2.0 * x) for x in [w * v[0] for w in ws]]
        return sg.dot(layer, layer)

    for batch in ([[0.7]], [[0.7], [-1.3]], [[0.1 * k] for k in range(-7, 12)]):
        compiled = sg.compile(loss, parameters=ws, backend="llvm")
        agrees(compiled.value_and_grad(batch), eager_batch(loss, (batch,), ws), 1e-13)
        with compiled.training(nn.SGD(ws, lr=0.0)) as step:
            assert step(batch) == pytest.approx(eager_batch(loss, (batch,), ws)[0][0], rel=1e-13)


def test_an_index_that_is_none():
    table = [[Value(0.1 * i + j) for j in range(9)] for i in range(9)]
    leaves = [w for row in table for w in row]

    def loss(v):
        row = sg.take(table, v[0])
        return sg.dot(row, row) + sg.take(row, v[1])

    compiled = sg.compile(loss, parameters=leaves, backend="llvm")
    inputs = [Value(1.0), Value(2.0)]
    program = sg.record(loss(inputs), inputs=inputs, backend="llvm")
    batch = [[float(i % 9), float(i % 7)] for i in range(12)]
    agrees(compiled.value_and_grad(batch), eager_batch(loss, (batch,), leaves), 1e-13)
    for wrong in (9.0, -1.0, 0.5, 1e300):
        with pytest.raises(IndexError, match=r"for sample 1: take: the index"):
            compiled.value_and_grad([batch[0], [wrong, 0.0], batch[1]])
        with pytest.raises(IndexError, match="the index of one of 9"):
            program.forward([0.0, wrong])


def test_what_is_read_at_many_positions_is_for_the_machine(monkeypatch):
    """A sequence reads its weights again and again; a layer that reads each once is found by its blocks."""
    monkeypatch.undo()
    rows = [[Value(0.01 * i - 0.02 * j) for j in range(64)] for i in range(64)]
    leaves = [w for row in rows for w in row]

    def loss(v):
        places = [v, v[::-1], v[1:] + v[:1], v[7:] + v[:7]]
        return sg.sum([sg.tanh(sg.dot(row, place)) for place in places for row in rows])

    compiled = sg.compile(loss, parameters=leaves, backend="llvm")
    for batch in (points(1, 64, 1), points(2, 64, 9)):
        agrees(compiled.value_and_grad(batch), eager_batch(loss, (batch,), leaves), 1e-12)
    (program,) = compiled.batches.programs(batch_of([batch]))
    assert type(program.runner._code) is LongBatchCode
