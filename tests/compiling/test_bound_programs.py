"""A recorded graph bound to arrays gives what `value_and_grad` gives, at the numbers that Values and arrays hold now."""

import random
from array import array

import pytest
from compiling_helpers import random_function, same, with_backends

import scalargrad as sg
from scalargrad import Value, nn


def doubles(numbers):
    return array("d", numbers)


def all_same(found, expected):
    assert len(found) == len(expected)
    assert all(map(same, found, expected))


@with_backends
@pytest.mark.parametrize("seed", range(20))
def test_random_programs(backend, seed):
    rng = random.Random(seed)
    leaves = [Value(rng.uniform(-1, 1), requires_grad=rng.random() < 0.8) for _ in range(5)]
    leaves[0].requires_grad = True
    inputs = rng.sample(leaves, rng.randrange(4))
    program = sg.record(random_function(seed)(*leaves), inputs=inputs, backend=backend)
    out, given = doubles([7.0] * len(program.leaves)), doubles([0.0] * len(inputs))
    from_array, from_values = program.bind(out, given), program.bind(out)
    for _ in range(4):
        for leaf in leaves:
            leaf.data = rng.uniform(-1, 1)
        for i in range(len(inputs)):
            given[i] = rng.uniform(-1, 1)
        expected = program.value_and_grad(given.tolist())
        all_same([from_array(), *out], [expected[0], *expected[1]])
        for leaf, x in zip(inputs, given, strict=True):
            leaf.data = x
        out[:] = doubles([7.0] * len(out))
        all_same([from_values(), *out], [expected[0], *expected[1]])


@with_backends
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_long_programs(backend, activation):
    rng = random.Random(1)
    net = nn.MLP(4, [40, 20, 1], activation=activation, seed=1)
    x = [Value(0.5) for _ in range(4)]
    program = sg.record((net(x) - 1.0) ** 2, inputs=x, backend=backend)
    given, out = doubles([0.5] * 4), doubles([0.0] * len(program.leaves))
    run = program.bind(out, inputs=given)
    for _ in range(3):
        given[:] = doubles([rng.uniform(-1, 1) for _ in given])
        for p in net.parameters():
            p.data += rng.uniform(-0.1, 0.1)
        assert (run(), out.tolist()) == program.value_and_grad(given.tolist())


@with_backends
@pytest.mark.parametrize("extra", [0, 300])
def test_masks_are_used_where_a_plain_gradient_is_nan(backend, extra):
    x = Value(4.0)
    more = [Value(0.1) for _ in range(extra)]
    root = sg.where(sg.greater(x, 0.0), sg.sqrt(sg.abs(x)), 2.0 * x) + sum(m * x for m in more)
    program = sg.record(root, backend=backend)
    out = doubles([0.0] * (1 + extra))
    run = program.bind(out)
    for number in (4.0, 0.0, 1.0):
        x.data = number
        expected = program.value_and_grad()
        all_same([run(), *out], [expected[0], *expected[1]])
        assert out[0] == out[0]


@with_backends
def test_an_index_that_is_none_leaves_everything_as_it_was(backend):
    x, table = Value(1.0), [Value(2.0), Value(3.0)]
    program = sg.record(sg.take(table, x) ** 2, inputs=[x], backend=backend)
    given, out = doubles([0.0]), doubles([7.0] * len(program.leaves))
    run = program.bind(out, given)
    assert run() == 4.0
    before, given[0] = out.tolist(), 5.0
    with pytest.raises(IndexError):
        run()
    assert out.tolist() == before


def test_runs_are_no_last_run():
    x = Value(3.0, label="x")
    program = sg.record(x**2, inputs=[x], backend="python")
    program.forward([2.0])
    given, out = doubles([5.0]), doubles([0.0])
    assert program.bind(out, given)() == 25.0
    assert program.backward() == {"x": 4.0}


def test_memory_of_another_kind_is_refused_in_words():
    numpy = pytest.importorskip("numpy")
    program = sg.record(Value(3.0) * Value(2.0), backend="python")
    for shape in ((0,), (2, 0), (0, 2, 3)):
        with pytest.raises(ValueError, match="out has 0 elements, but there must be 2"):
            program.bind(numpy.zeros(shape))
    for other in (
        numpy.array(["2020-01-01"], "datetime64[D]"),
        numpy.array(["a"]),
        numpy.array([None]),
        numpy.array([1j]),
    ):
        with pytest.raises(TypeError, match="out must be writable, contiguous memory of doubles"):
            program.bind(other)


def test_what_cannot_be_bound_is_refused_in_words():
    x, w = Value(3.0), Value(2.0)
    program = sg.record(w * x, inputs=[x], backend="python")
    with pytest.raises(TypeError, match="out must be writable"):
        program.bind([0.0, 0.0])
    with pytest.raises(ValueError, match="out has 1 elements, but there must be 2"):
        program.bind(doubles([0.0]))
    with pytest.raises(ValueError, match="inputs has 2 elements, but there must be 1"):
        program.bind(doubles([0.0, 0.0]), doubles([0.0, 0.0]))
    with pytest.raises(TypeError, match="inputs must be writable"):
        program.bind(doubles([0.0, 0.0]), b"12345678")
