"""A compiled take is the eager one at every index, and an index that is none raises IndexError, however it is run."""

import itertools
import math
import random

import pytest
from compiling_helpers import all_same, needs_llvm, with_backends
from optional import optional
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import BranchError, Value, nn, take
from scalargrad.compiling.jax.primitives import double_precision
from scalargrad.node.structures import flatten

BACKENDS = ["python", pytest.param("llvm", marks=needs_llvm), "jax"]


@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param == "jax":
        assert optional("jax")
    return request.param


def random_program(rng):
    """A loss of tables, tokens and a number; numbers for random tables, and how many entries each token may take."""
    sizes = [(rng.randrange(1, 7), rng.randrange(1, 4)) for _ in range(rng.randrange(1, 3))]
    numbers = [[[rng.gauss(0, 1) for _ in range(width)] for _ in range(n)] for n, width in sizes]
    places = [rng.randrange(len(sizes)) for _ in range(rng.randrange(1, 4))]
    seed = rng.random()

    def loss(tables, tokens, x):
        rng = random.Random(seed)
        rows = [take(tables[place], token) for place, token in zip(places, tokens, strict=True)]
        flat = [v for row in rows for v in row] + [x]
        for _ in range(rng.randrange(1, 6)):
            u, v = rng.choice(flat), rng.choice(flat)
            flat.append(
                rng.choice([
                    lambda u, v: u * v, lambda u, v: u + v, lambda u, v: sg.tanh(u - v), lambda u, v: sg.maximum(u, v),
                    lambda u, v: take([u, v, u * v], sg.rint(1 + sg.sin(u))),  # an index that is computed
                    lambda u, v: sg.dot([u, v], [v, u]), lambda u, v: sg.logsumexp([u, v]),
                ])(u, v)
            )  # fmt: skip
        return sg.sum(flat[-4:])

    return loss, numbers, [sizes[place][0] for place in places]


def point(rng, counts):
    return [float(rng.randrange(n)) for n in counts], rng.gauss(0, 1)


def flat_numbers(nested):
    return [x.data if isinstance(x, Value) else float(x) for x in flatten(nested)[0]]


@has_full_size
def test_random_programs_are_the_eager_engines(backend, figure):
    """Values and gradients in tables and numbers, many programs in one; bit for bit, where a backend computes alike."""
    rng = random.Random(f"take {backend}")
    for _ in range(size(1, 40)):
        programs = [random_program(rng) for _ in range(25)]
        gradients = [sg.value_and_grad(loss, (0, 2)) for loss, _, _ in programs]

        def of_all(arguments, gradients=gradients):
            return [gradient(*given) for gradient, given in zip(gradients, arguments, strict=True)]

        compiled = sg.compile(of_all, backend=backend)
        for _ in range(4):
            arguments = [(numbers, *point(rng, counts)) for _, numbers, counts in programs]
            # By a plain number no node is made, and gradients are added up in another order.
            by_values = [(numbers, list(map(Value, tokens)), x) for numbers, tokens, x in arguments]
            wanted, found = flat_numbers(of_all(by_values)), flat_numbers(compiled(arguments))
            if backend == "jax":
                assert found == pytest.approx(wanted, rel=1e-11, abs=1e-11)
            else:
                all_same(found, wanted)
    figure(
        f"{size(1, 40) * 25} random programs with take, compiled by {backend}, at 4 points each",
        f"values and gradients {'to 1e-11' if backend == 'jax' else 'bit for bit'} those of eager code",
    )


@has_full_size
def test_random_losses_in_replays_and_batches(backend, figure):
    rng = random.Random(f"replays {backend}")
    count = size({"python": 25, "llvm": 8, "jax": 2}[backend], {"python": 1000, "llvm": 200, "jax": 40}[backend])
    for _ in range(count):
        program, numbers, counts = random_program(rng)
        tables = [[list(map(Value, row)) for row in table] for table in numbers]
        leaves = [v for table in tables for row in table for v in row]
        loss = lambda tokens, x, program=program, tables=tables: program(tables, tokens, x)  # noqa: E731
        points = [point(rng, counts) for _ in range(4)]
        replayed = sg.replay(loss, backend=backend)
        batched = sg.compile(loss, backend=backend, parameters=leaves, reduction="sum")
        totals = [0.0] * (1 + len(leaves))
        for tokens, x in points:
            wanted, found = (
                after(call(*given), leaves)
                for call, given in ((loss, (list(map(Value, tokens)), Value(x))), (replayed, (tokens, x)))
            )
            if backend == "jax":
                assert found == pytest.approx(wanted, rel=1e-11, abs=1e-11)
            else:
                all_same(found, wanted)
            totals = [a + b for a, b in zip(totals, wanted, strict=True)]
        total, gradients = batched.value_and_grad([tokens for tokens, _ in points], [x for _, x in points])
        assert [total, *gradients] == pytest.approx(totals, rel=1e-11, abs=1e-11)
    figure(
        f"{count} random losses with take, replayed and in batches by {backend}",
        f"replays {'to 1e-11' if backend == 'jax' else 'bit for bit'}, sums over batches to 1e-11 those of eager code",
    )


def after(root, leaves):
    """The number of the root, and after backward() the gradients of the leaves, which then are 0 again.

    A random program may reach none of them: its replay has nothing to differentiate then.
    """
    if any(node.is_leaf and node.requires_grad for node in sg.topological_order(root)):
        root.backward()
    found = [root.data, *[leaf.grad for leaf in leaves]]
    for leaf in leaves:
        leaf.grad = 0.0
    return found


def test_gradients_of_gradients(backend):
    def f(v):
        return take([v[0] * v[0] * v[1], v[0] * v[1]], v[2]) * take([v[1], v[0]], sg.floor(v[3]))

    hessian = sg.compile(sg.hessian(f), backend=backend)
    for point in ([2.0, 3.0, 0.0, 1.5], [2.0, 3.0, 1.0, 0.25]):
        assert hessian(point) == sg.hessian(f)(point)


def test_long_programs_too():
    """Beyond what is compiled straight."""
    rng = random.Random(1)
    table = [[Value(rng.gauss(0, 1)) for _ in range(8)] for _ in range(20)]
    leaves = [v for row in table for v in row]

    def loss(tokens):
        rows = [take(table, token) for token in tokens]
        return sg.sum([sg.tanh(sg.dot(p, q)) for p, q in itertools.pairwise(rows)])

    tokens = [float(rng.randrange(20)) for _ in range(20)]
    for backend in ["python", *(["llvm"] if not needs_llvm.args[0] else [])]:
        replayed = sg.replay(loss, backend=backend)
        replayed(tokens[::-1])
        for leaf in leaves:
            leaf.grad = 0.0
        loss([Value(t) for t in tokens]).backward()
        wanted = [leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.grad = 0.0
        replayed(tokens).backward()
        all_same([leaf.grad for leaf in leaves], wanted)


# -------------------------------------------------------------------- an index of nothing

TABLE = [[Value(0.5 * i + j) for j in range(2)] for i in range(3)]
LEAVES = [v for row in TABLE for v in row]
BAD = [3.0, -1.0, 0.5, math.nan, math.inf, -math.inf, 1e300, 2.0000000000000004]
WORDS = r"take: the index \S+ (is out of range|is negative|is no whole number).*: there are 3 entries, from 0 to 2"


def loss(token, x):
    return sg.dot(take(TABLE, token), [x, 1.0])


@pytest.mark.parametrize("branches", ["raise", "record"])
def test_at_points(backend, branches, figure):
    compiled = sg.compile(loss, backend=backend, branches=branches)
    replayed = sg.replay(loss, backend=backend, branches=branches)
    gradient = sg.compile(sg.grad(loss, 1), backend=backend, branches=branches)
    for bad in BAD:  # before it is recorded, and after
        for call in (compiled, replayed, gradient):
            with pytest.raises(IndexError, match=WORDS):
                call(bad, 2.0)
    assert compiled(2.0, 2.0) == replayed(2.0, 2.0).data == loss(2, 2.0).data
    assert gradient(-0.0, 2.0) == TABLE[0][0].data
    for bad in BAD:
        for call in (compiled, replayed, gradient):
            with pytest.raises(IndexError, match=WORDS + r"\n  at .*test_take.py:\d+: return sg.dot\(take"):
                call(bad, 2.0)
    figure(
        f"{len(BAD)} numbers that are no index, compiled: out of range, negative, fractions, nan, infinities",
        "IndexError in words with the line, never a number",
    )


@pytest.mark.parametrize("branches", ["raise", "record"])
def test_in_batches_with_the_sample(backend, branches):
    for bad in BAD:
        for at in (0, 2):
            tokens = [1.0, 2.0, 0.0, 1.0, 2.0]
            tokens[at] = bad
            compiled = sg.compile(loss, backend=backend, branches=branches, parameters=LEAVES)
            for _ in range(2):
                for call in (compiled.value_and_grad, compiled.values):
                    with pytest.raises(IndexError, match=f"loss: for sample {at}: {WORDS}"):
                        call(tokens, [1.0] * 5)
                compiled.value_and_grad([1.0], [1.0])
                compiled.values([1.0], [1.0])
            if backend == "jax" and at:
                return


@with_backends
@pytest.mark.parametrize("branches", ["raise", "record"])
def test_in_a_training_which_stays_as_it_was(backend, branches):
    table = [[Value(v.data) for v in row] for row in TABLE]
    leaves = [v for row in table for v in row]
    compiled = sg.compile(
        lambda token, x: sg.dot(take(table, token), [x, 1.0]), backend=backend, branches=branches, parameters=leaves
    )
    with compiled.training(nn.SGD(leaves, lr=0.1)) as step:
        step([0.0, 1.0], [1.0, 1.0])
        for bad in BAD:
            with pytest.raises(IndexError, match=f"for sample 1: {WORDS}"):
                step([0.0, bad], [1.0, 1.0])
        step([2.0, 2.0], [1.0, 1.0])
    assert [v.data for v in leaves] == pytest.approx([-0.05, 0.95, 0.45, 1.45, 0.9, 1.9])


def test_in_a_recorded_graph(backend):
    index = Value(1.0, label="token")
    for bad in BAD:
        program = sg.record(sg.sum(take(TABLE, index)), inputs=[index], backend=backend)
        assert program.forward([2.0]) == 3.0
        for call in (program.forward, program.value_and_grad):
            with pytest.raises(IndexError, match="Value 'token' must be the index of one of 3 entries"):
                call([bad])
        assert program.forward([0.0]) == 1.0
        if backend == "jax":
            break


@with_backends
def test_through_memory(backend):
    np = pytest.importorskip("numpy")
    x, out = np.array([1.0, 2.0]), np.zeros(1)
    step = sg.compile(lambda v: [take([v[1], v[1] * 3.0], v[0])], backend=backend).bind(x, out)
    step()
    assert out[0] == 6.0
    x[0] = 2.0
    with pytest.raises(IndexError, match="take: the index 2.0 is out of range"):
        step()
    assert out[0] == 6.0


@with_backends
def test_an_index_behind_a_comparison_counts_on_its_branch_only(backend):
    def f(i, x):
        return take([x, x * 2.0], i) if i >= 0 else x * 10.0

    recorded = sg.compile(f, backend=backend, branches="record")
    assert [recorded(i, 1.0) for i in (1.0, -5.0, 0.0)] == [2.0, 10.0, 1.0]
    assert recorded.values([1.0, -5.0, 0.0], [1.0] * 3) == [2.0, 10.0, 1.0]
    with pytest.raises(IndexError, match="out of range"):
        recorded(2.0, 1.0)
    with pytest.raises(IndexError, match="for sample 2: take: the index 7.0 is out of range"):
        recorded.values([1.0, -5.0, 7.0], [1.0] * 3)
    once = sg.compile(f, backend=backend)
    assert once(1.0, 1.0) == 2.0
    with pytest.raises(BranchError):
        once(-5.0, 1.0)


def test_in_jax_an_index_of_nothing_gives_nan_and_no_number():
    pytest.importorskip("jax", reason="the extra `jax`")
    jax = optional("jax")
    f = sg.compile(loss, parameters=LEAVES).to_jax(1.0, 2.0)
    with double_precision():
        numbers = jax.numpy.array([v.data for v in LEAVES])
        assert f(numbers, 2.0, 3.0) == loss(2, 3.0).data
        assert all(math.isnan(f(numbers, bad, 3.0)) for bad in BAD)
        assert jax.grad(f)(numbers, 1.0, 3.0).tolist() == [0.0, 0.0, 3.0, 1.0, 0.0, 0.0]


@with_backends
def test_the_result_that_nobody_uses_is_checked_as_well(backend):
    def f(i, x):
        take([x, x], i)
        return x * 2.0

    compiled = sg.compile(f, backend=backend)
    assert compiled(1.0, 2.0) == 4.0
    with pytest.raises(IndexError, match="out of range"):
        compiled(2.0, 2.0)
