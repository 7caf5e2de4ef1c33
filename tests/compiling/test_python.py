"""Simplifying, lowering and the python backend: bit for bit what the eager engine gives, at points other than the recorded."""

import inspect
import math
import re
from array import array
from importlib import import_module

import pytest
from helpers import arguments, call, random_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn, ops
from scalargrad.compiling import backends
from scalargrad.compiling.gradient import contributions, total
from scalargrad.compiling.lowering import PRIMITIVE, simplified
from scalargrad.compiling.python import code as python_code
from scalargrad.compiling.python import lines as python_lines
from scalargrad.compiling.samples import Samples
from scalargrad.compiling.tape import CONSTANT, INPUT, PARAMETER, SOURCES, Tape, live, name_of, op_of
from scalargrad.compiling.taping import TapedGraph
from scalargrad.function import primitive
from scalargrad.node.mode import mode
from scalargrad.strategies import expressions
from scalargrad.table import HARD, TABLE
from scalargrad.table.floats import no_place

few = settings(max_examples=size(20, 60))
IN_TABLE = sorted(TABLE)
HARD_NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 3.0, 5e-324, -5e-324, 1e-310, 1e-8, 1e300, -1e300, 1.7e308, 709.9]
numbers = st.one_of(st.sampled_from(HARD_NUMBERS), st.floats(-4, 4), st.floats(allow_nan=False, allow_infinity=False))


def same(a, b):
    """Equal to the last bit, the sign of zero too; any nan is like any other."""
    return (a != a and b != b) or (a == b and math.copysign(1.0, a) == math.copysign(1.0, b))


def all_same(xs, ys):
    assert len(xs) == len(ys)
    assert all(map(same, xs, ys)), (xs, ys)


def op_value(op, xs):
    return op.on(list(xs))


def reference(code, parameters, inputs):
    """What every slot of a tape holds: the op table's own values, one after another; poles as IEEE has them."""
    values = []
    for kind, *rest in code:
        if kind in SOURCES:
            values.append(
                float.fromhex(rest[0]) if kind is CONSTANT else (inputs if kind is INPUT else parameters)[rest[0]]
            )
            continue
        op, xs = op_of(kind), [values[x] for x in rest]
        try:
            values.append(op_value(op, xs))
        except HARD:
            values.append(op.at_pole(xs))
    return values


class Gradient:
    """The graph of a function recorded at one point, with its gradients, to be run at others."""

    def __init__(self, fn, point, *, lower):
        inputs = [Value(x) for x in point]
        root = fn(*inputs)
        taped = TapedGraph([root], inputs)
        tape, slot = taped.tape, taped.slots[root]
        shares = contributions(tape, slot, range(len(inputs)))
        outputs = [slot, *(total(tape, shares[i]) for i in range(len(inputs)))]
        short, outputs = simplified(tape.code, outputs, lower=lower)
        self.code, self.outputs = short.code, outputs
        self.run = python_code.single(short.code, outputs)

    def __call__(self, *xs):
        result, *grads = self.run((), list(xs))
        return [result, *(g + 0.0 for g in grads)]  # backward() adds to 0.0, so that it never gives -0.0


def eager(fn, xs):
    values = [Value(x) for x in xs]
    root = fn(*values)
    root.backward()
    return [root.data, *(x.grad for x in values)]


# -------------------------------------------------------------------- the backend against the eager engine


@has_full_size
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("name", IN_TABLE)
@pytest.mark.filterwarnings("ignore:.*the gradient is nan")
def test_every_row_gives_the_numbers_of_the_eager_engine(name, lower):
    op = TABLE[name]
    recorded = {}

    @few
    @given(st.data())
    def holds(data):
        xs = data.draw(arguments(op))

        def fn(*values):
            return call(op, list(values))

        if len(xs) not in recorded:  # at another point than the following ones
            recorded[len(xs)] = Gradient(fn, xs, lower=lower)
        all_same(recorded[len(xs)](*xs), eager(fn, xs))

    holds()


@has_full_size
@few
@given(expressions(inputs=3), st.tuples(*[st.floats(-4, 4)] * 3), st.booleans())
@pytest.mark.filterwarnings("ignore:.*the gradient is nan")
def test_random_programs_give_the_numbers_of_the_eager_engine(expression, point, lower):
    program = Gradient(expression, expression.inputs, lower=lower)
    for xs in (expression.inputs, point):
        expected = eager(expression, xs)
        if all(map(math.isfinite, expected)):
            all_same(program(*xs), expected)


# -------------------------------------------------------------------- simplifying and lowering change no number


def tape_of(op, xs):
    """A raw tape with one op over inputs; the slot of the result."""
    tape = Tape(simplify=False)
    slots = [tape.source(INPUT, i) for i in range(len(xs))]
    return tape, tape.emit(name_of(op), *slots)


def hard_points(op):
    """What can go wrong: zeros of both signs, ties, the ends of the domain, tiny and huge numbers, inf and nan."""
    special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -3.0,
        5e-324,
        -5e-324,
        1e-160,
        710.0,
        -746.0,
        1e308,
        -1e308,
        math.inf,
        -math.inf,
        math.nan,
    ]
    count = op.arity or len(op.arguments) or 3
    if count == 1:
        return [[x] for x in special]
    if count == 2:
        return [[x, y] for x in special for y in special]
    ordered = [[0.5, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, -1.0, 1.0], [-0.0, 0.0, 0.0], [0.0, -0.0, -0.0]]
    found = (
        ordered + [[x, y, z] for x in special for y in special[::3] for z in special[1::4]] + [[x] * 3 for x in special]
    )
    # An index of no entry is refused by the guards of what records it, before this code has its turn.
    return [xs for xs in found if not (op.has_index and no_place(xs[0], len(xs) - 1))]


@has_full_size
@pytest.mark.parametrize("name", IN_TABLE)
def test_lowered_ops_compute_what_the_rows_do(name):
    op = TABLE[name]

    @settings(max_examples=size(40, 200))
    @given(arguments(op))
    def holds(xs):
        check_lowered(op, xs)

    holds()
    for xs in hard_points(op):
        check_lowered(op, xs)


def check_lowered(op, xs):
    tape, slot = tape_of(op, xs)
    short, (out,) = simplified(tape.code, [slot])
    assert {i[0] for i in short.code} <= PRIMITIVE | SOURCES
    try:
        expected = op_value(op, xs)
    except HARD:
        expected = op.at_pole(xs)
    else:
        # Nothing inside the formula raises where the row does not.
        all_same(python_code.single(short.code, [out])((), xs), [expected])
    all_same([reference(short.code, (), xs)[out]], [expected])


@st.composite
def tapes(draw):
    """Random raw tapes over the whole table: constants and inputs that are hard, operands shared."""
    tape = Tape(simplify=False)
    slots = [tape.source(INPUT, i) for i in range(2)] + [tape.source(PARAMETER, 0)]
    slots += [
        tape.constant(x) for x in draw(st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -3.0]), max_size=3))
    ]
    for _ in range(draw(st.integers(1, 12))):
        op = TABLE[draw(st.sampled_from(WEIGHTED))]
        count = op.arity or len(op.arguments) or draw(st.integers(2, 5))
        xs = [draw(st.sampled_from(slots)) for _ in range(count)]
        if op.has_index:  # what records a program sees to it that there is such an entry
            xs[0] = tape.constant(float(draw(st.integers(0, count - 2))))
        slots.append(tape.emit(name_of(op), *xs))
    return tape.code


# Those that have identities come up more often.
WEIGHTED = [*IN_TABLE, *["add", "subtract", "multiply", "divide", "negative", "power", "where", "hypot"] * 4]


def clean(code, values):
    """For each slot whether it and all that it comes from is finite, and was not at a pole."""
    found = []
    for (kind, *rest), value in zip(code, values, strict=True):
        fine = math.isfinite(value)
        if kind not in SOURCES:
            op = op_of(kind)
            try:
                op_value(op, [values[x] for x in rest])
            except HARD:
                fine = False
            fine = fine and all(found[x] for x in rest)
        found.append(fine)
    return found


@has_full_size
@settings(max_examples=size(150, 600))
@given(tapes(), st.tuples(numbers, numbers), numbers, st.booleans())
def test_simplifying_changes_no_number(code, inputs, parameter, lower):
    values = reference(code, [parameter], inputs)
    wanted = [slot for slot, fine in enumerate(clean(code, values)) if fine]
    short, outputs = simplified(code, wanted, lower=lower)
    expected = [values[slot] for slot in wanted]
    after = reference(short.code, [parameter], inputs)
    all_same([after[slot] for slot in outputs], expected)
    all_same(python_code.single(short.code, outputs, primal=())([parameter], inputs), expected)


@has_full_size
@settings(max_examples=size(150, 600))
@given(tapes(), st.tuples(numbers, numbers), numbers)
def test_the_backend_runs_a_tape_as_it_stands(code, inputs, parameter):
    """In IEEE mode: poles, infinities and nans too."""
    expected = reference(code, [parameter], inputs)
    all_same(python_code.single(code, range(len(code)), primal=())([parameter], inputs), expected)


def short_code(build):
    """What a simplifying tape makes of an expression of x, y and numbers: its computed instructions, and the result."""
    tape = Tape()
    x, y = tape.source(INPUT, 0), tape.source(INPUT, 1)

    def emit(name, *operands):
        return tape.emit(name_of(TABLE[name]), *(tape.constant(a) if type(a) is float else a for a in operands))

    result = build(emit, x, y)
    needed = live(tape.code, [result])
    computed = [op_of(i[0]).name for slot, i in enumerate(tape.code) if needed[slot] and i[0] not in SOURCES]
    return computed, tape.constants.get(result, result)


X, Y = 0, 1
IDENTITIES = {
    "x * 1": (lambda emit, x, y: emit("multiply", x, 1.0), [], X),
    "1 * x": (lambda emit, x, y: emit("multiply", 1.0, x), [], X),
    "x * -1": (lambda emit, x, y: emit("multiply", x, -1.0), ["negative"], None),
    "x * 0 may be -0 or nan": (lambda emit, x, y: emit("multiply", x, 0.0), ["multiply"], None),
    "x / 1": (lambda emit, x, y: emit("divide", x, 1.0), [], X),
    "x / -1": (lambda emit, x, y: emit("divide", x, -1.0), ["negative"], None),
    "1 / x": (lambda emit, x, y: emit("divide", 1.0, x), ["divide"], None),
    "x + 0 makes 0 of -0": (lambda emit, x, y: emit("add", x, 0.0), ["add"], None),
    "x + -0": (lambda emit, x, y: emit("add", x, -0.0), [], X),
    "-0 + x": (lambda emit, x, y: emit("add", -0.0, x), [], X),
    "relu(x) + 0": (lambda emit, x, y: emit("add", emit("relu", x), 0.0), ["relu"], None),
    "relu(x) + y + 0": (lambda emit, x, y: emit("add", emit("add", emit("relu", x), y), 0.0), ["relu", "add"], None),
    "x + y + 0": (lambda emit, x, y: emit("add", emit("add", x, y), 0.0), ["add", "add"], None),
    "x - 0": (lambda emit, x, y: emit("subtract", x, 0.0), [], X),
    "x - -0 makes 0 of -0": (lambda emit, x, y: emit("subtract", x, -0.0), ["subtract"], None),
    "0 - x": (lambda emit, x, y: emit("subtract", 0.0, x), ["subtract"], None),
    "x - x may be nan": (lambda emit, x, y: emit("subtract", x, x), ["subtract"], None),
    "--x": (lambda emit, x, y: emit("negative", emit("negative", x)), [], X),
    "x ** 0": (lambda emit, x, y: emit("power", x, 0.0), [], 1.0),
    "x ** 1": (lambda emit, x, y: emit("power", x, 1.0), [], X),
    "x ** 2": (lambda emit, x, y: emit("power", x, 2.0), ["multiply"], None),
    "x ** 3": (lambda emit, x, y: emit("power", x, 3.0), ["multiply", "multiply"], None),
    "x ** 4": (lambda emit, x, y: emit("power", x, 4.0), ["power"], None),
    "x if 1 else y": (lambda emit, x, y: emit("where", 1.0, x, y), [], X),
    "x if -0 else y": (lambda emit, x, y: emit("where", -0.0, x, y), [], Y),
    "x if hypot(x, 2) else 1": (lambda emit, x, y: emit("where", emit("hypot", x, 2.0), x, 1.0), [], X),
    "x if hypot(x, 0) else 1": (
        lambda emit, x, y: emit("where", emit("hypot", x, 0.0), x, 1.0), ["hypot", "where"], None,
    ),
    "y if hypot(x, 2) else 1": (
        lambda emit, x, y: emit("where", emit("hypot", x, 2.0), y, 1.0), ["hypot", "where"], None,
    ),
    "sin(2)": (lambda emit, x, y: emit("sin", 2.0), [], math.sin(2.0)),
    "max(1, 2, 3)": (lambda emit, x, y: emit("max", 1.0, 2.0, 3.0), [], 3.0),
    "1 / 0 is left to raise": (lambda emit, x, y: emit("divide", 1.0, 0.0), ["divide"], None),
    "sin(x) + sin(x)": (lambda emit, x, y: emit("add", emit("sin", x), emit("sin", x)), ["sin", "add"], None),
    "(x * 1) ** 1 - 0": (
        lambda emit, x, y: emit("subtract", emit("power", emit("multiply", x, 1.0), 1.0), 0.0), [], X,
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", IDENTITIES)
def test_what_needs_no_instruction(text):
    build, expected, result = IDENTITIES[text]
    computed, found = short_code(build)
    assert computed == expected
    if result is not None:
        assert found == result
        assert type(found) is type(result)


def test_what_no_output_needs_is_left_out():
    x = Value(0.5)
    taped = TapedGraph([x.sin(), x.cos()])
    short, _ = simplified(taped.tape.code, [1])
    assert [i[0] for i in short.code] == [PARAMETER, "sin"]


# -------------------------------------------------------------------- poles and domains


def raised(function):
    try:
        function()
    except HARD as error:
        return type(error), re.sub(r" \(labels? .*", "", str(error)).splitlines()[0]
    return None


@pytest.mark.parametrize("name", IN_TABLE)
def test_where_the_engine_raises_the_backend_raises_the_same(name):
    op = TABLE[name]
    seen = 0
    for xs in hard_points(op):
        tape, slot = tape_of(op, xs)
        run = python_code.single(tape.code, [slot])
        expected = raised(lambda: call(op, [Value(x) for x in xs]))
        assert raised(lambda: run((), xs)) == expected
        if expected is None:
            all_same(run((), xs), [op_value(op, xs)])
        seen += expected is not None
    outside = [math.inf if d.open else math.nextafter(d.low, -math.inf) for d in op.domain if d.low > -math.inf]
    assert seen or not (outside or any(d.hole is not None for d in op.domain))


def test_the_error_names_op_and_number_and_the_line_that_asked():
    x = Value(2.0, label="x")
    taped = TapedGraph([x.log()])
    run = python_code.single(taped.tape.code, [len(taped.tape.code) - 1])
    assert run([2.0], ()) == [math.log(2.0)]
    with pytest.raises(ValueError, match=r"log: domain error at -1.0\n  at .*test_python.py:\d+: run\("):
        run([-1.0], ())
    with pytest.raises(ValueError, match=r"^log: "):
        run([0.0], ())


def test_derivatives_never_raise():
    """sqrt has the value 0 at 0 and an infinite slope; 1 / x has neither."""
    root = Gradient(lambda x: x.sqrt(), [4.0], lower=True)
    assert root(0.0) == [0.0, math.inf]
    with pytest.raises(ValueError, match="sqrt: domain error at -1.0"):
        root(-1.0)
    inverse = Gradient(lambda x: 1 / x, [4.0], lower=True)
    with pytest.raises(ZeroDivisionError, match="divide: division by zero at 1.0, 0.0"):
        inverse(0.0)
    ieee = python_code.single(inverse.code, inverse.outputs, primal=())
    assert ieee((), [0.0]) == [math.inf, -math.inf]
    assert ieee((), [-0.0]) == [-math.inf, -math.inf]
    assert not mode.get().follows_ieee


# -------------------------------------------------------------------- batches


def mlp_program(lower=True):
    """Per sample: the loss of a small network, its gradients, and its score; weight decay, which no sample changes."""
    net = nn.MLP(2, [3, 1], activation="tanh", seed=3)
    parameters = net.parameters()
    inputs = [Value(0.1), Value(0.2), Value(1.0)]
    score = net(inputs[:2])
    root, penalty = (1 - inputs[2] * score).relu(), sum(p * p for p in parameters) * 0.01
    taped = TapedGraph([root, penalty, score], inputs, parameters)
    tape, slots = taped.tape, taped.slots
    wanted = [slots[p] for p in parameters]
    sums = [(slots[root], slots[penalty])]
    moving, still = (contributions(tape, slots[one], wanted) for one in (root, penalty))
    sums += [(total(tape, moving[slot]), total(tape, still[slot])) for slot in wanted]
    flat = [slot for pair in sums for slot in pair]
    short, found = simplified(tape.code, [*flat, slots[score]], lower=lower)
    pairs = list(zip(found[:-1:2], found[1:-1:2], strict=True))
    numbers = [p.data for p in parameters]

    def eager_sums(samples, mean):
        losses = [(1 - t * net([x0, x1])).relu() for x0, x1, t in samples]
        decay = sum(p * p for p in parameters) * 0.01
        whole = sum(losses) / len(losses) + decay if mean else sum(losses) + decay * len(losses)
        for p in parameters:
            p.grad = 0.0
        whole.backward()
        return [whole.data, *(p.grad for p in parameters)], [net([x0, x1]).data for x0, x1, _ in samples]

    return python_code.BatchRunner(short.code, pairs, [found[-1]], [2, 1]), numbers, eager_sums


samples_of = st.lists(
    st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.sampled_from([-1.0, 1.0])), min_size=1, max_size=6
)


@has_full_size
@few
@given(samples_of, st.booleans())
def test_a_batch_is_the_sum_or_mean_of_its_samples(samples, mean):
    batch, parameters, expected = mlp_program()
    arguments_ = [x for *row_, _ in samples for x in row_], [t for *_, t in samples]
    sums, columns = batch.run(arguments_, len(samples), parameters, mean)
    expected_sums, expected_column = expected(samples, mean)
    assert sums == pytest.approx(expected_sums, rel=1e-12, abs=1e-15)
    all_same(columns[0], expected_column)  # per sample: to the last bit


def test_a_batch_from_lists_arrays_and_samples():
    numpy = pytest.importorskip("numpy")
    batch, parameters, _ = mlp_program()
    X, y = [[0.5, -1.0], [2.0, 0.25], [0.0, 1.5]], [1.0, -1.0, 1.0]
    flat = [x for row_ in X for x in row_]
    expected = batch.run([flat, y], 3, parameters, True)
    for given_ in (
        [array("d", flat), array("d", y)],
        [numpy.array(flat), numpy.array(y)],
        [Samples(X, "X"), Samples(y, "y")],
        [Samples(numpy.array(X), "X"), Samples(numpy.array(y), "y")],
    ):
        assert batch.run(given_, 3, numpy.array(parameters), True) == expected
    assert all(type(x) is float for x in expected[0])
    sums, columns = batch.run([[], []], 0, parameters, False)
    assert set(sums) == {0.0}
    assert columns == [[]]


def test_a_batch_adds_from_the_first_sample_to_the_last():
    tape = Tape()
    x, p = tape.source(INPUT, 0), tape.source(PARAMETER, 0)
    batch = python_code.BatchRunner(tape.code, [(x, None), (None, p), (x, p), (p, None), (None, None)], [x, p], [1])
    xs = [1e16, 1.0, -1e16]
    assert batch.run([xs], 3, [0.5], False) == ([0.0, 1.5, 1.5, 1.5, 0.0], [xs, [0.5] * 3])
    assert batch.run([xs], 3, [0.5], True) == ([0.0, 0.5, 0.5, 0.5, 0.0], [xs, [0.5] * 3])
    assert python_code.BatchRunner(tape.code, [(p, None)], [], []).run([], 4, [0.5], False) == ([2.0], [])


def test_a_sample_at_a_pole_has_the_number_of_ieee_arithmetic():
    x, w = Value(2.0), Value(3.0)
    roots = [(w / x).log(), w.log()]
    taped = TapedGraph(roots, [x])
    code, slots = taped.tape.code, [taped.slots[root] for root in roots]
    batch = python_code.BatchRunner(code, [(None, slots[1])], [slots[0]], [1])
    sums, (column,) = batch.run([[1.0, 0.0, -1.0]], 3, [3.0], True)
    all_same(column, [math.log(3.0), math.inf, math.nan])
    all_same(sums, [math.log(3.0)])
    sums, (column,) = batch.run([[1.0, -2.0]], 2, [0.0], True)
    all_same([*sums, *column], [-math.inf, -math.inf, -math.inf])


# -------------------------------------------------------------------- long programs, and what the code is made of


def long_program(n):
    root, leaves = random_graph(Value, n, 5)
    root = sg.mean([root, *leaves]) + sg.sum([leaf * root for leaf in leaves * 30]) + sg.dot(leaves * 20, leaves * 20)
    taped = TapedGraph([root], (), leaves)
    tape, slots = taped.tape, taped.slots
    wanted = [slots[leaf] for leaf in leaves]
    shares = contributions(tape, slots[root], wanted)
    outputs = [slots[root], *(total(tape, shares[slot]) for slot in wanted), slots[leaves[0]]]
    root.backward()
    return (
        *simplified(tape.code, outputs, lower=False),
        taped.parameters,
        [root.data, *(x.grad for x in leaves), leaves[0].data],
    )


def test_long_programs_are_cut_into_pieces_and_very_long_ones_run_in_the_loop(monkeypatch):
    tape, outputs, leaves, expected = long_program(3000)
    assert sum(i[0] not in SOURCES for i in tape.code) > 10 * python_lines.PIECE
    numbers_ = [leaf.data for leaf in leaves]
    per_sample = [(INPUT, i[1]) if i[0] is PARAMETER else i for i in tape.code]

    def check():
        all_same(python_code.single(tape.code, outputs)(numbers_, ()), expected)
        batch = python_code.BatchRunner(tape.code, [(None, slot) for slot in outputs], outputs[:2], [])
        assert batch.run([], 2, numbers_, True) == (expected, [[x] * 2 for x in expected[:2]])
        batch = python_code.BatchRunner(per_sample, [(slot, None) for slot in outputs], outputs[:2], [len(numbers_)])
        assert batch.run([numbers_ * 2], 2, [], True) == (expected, [[x] * 2 for x in expected[:2]])

    def short_only(code, slots, *rest):
        assert len(slots) <= 100
        return python_lines.straight(code, slots, *rest)

    check()
    monkeypatch.setattr(python_code, "LIMIT", 100)
    monkeypatch.setattr(python_code, "straight", short_only)
    check()


def test_deep_chains_and_long_sums_compile():
    x = Value(0.5)
    deep = x
    for _ in range(2000):
        deep = -(deep * 1.0001)
    root = deep + sg.sum([x] * 5000) + sg.prod([x] * 5000) + sg.logsumexp([x] * 500)
    for lower in (False, True):
        taped = TapedGraph([root])
        short, outputs = simplified(taped.tape.code, [taped.slots[root]], lower=lower)
        all_same(python_code.single(short.code, outputs)([0.5], ()), [root.data])


@pytest.mark.parametrize("count", [3, 20, 60])
@pytest.mark.parametrize("lower", [False, True])
def test_sums_are_added_in_the_engine_s_order(count, lower):
    """A bias comes before the products, and 1.0 is lost next to 1e16 or not, as the order has it."""
    xs = [1.0, 1e16, *[1.0] * count, -1e16, 3.0]
    for fn in (
        lambda *v: sg.dot(v, v[::-1], 1.0),
        lambda *v: sg.dot(v, [1.0] * len(v), v[1]),
        lambda *v: sg.sum(v),
        lambda *v: sg.mean(v),
        lambda *v: sg.prod(v[2:-2]) * sg.logsumexp(v[2:-2]),
    ):
        all_same(Gradient(fn, [0.5 + x / 1e16 for x in xs], lower=lower)(*xs), eager(fn, xs))


def test_outputs_may_be_inputs_parameters_and_constants():
    tape = Tape()
    slots = [
        tape.source(INPUT, 1),
        tape.source(PARAMETER, 0),
        *map(tape.constant, (-0.0, math.inf, -math.inf, math.nan, -1e-7)),
    ]
    run = python_code.single(tape.code, [*slots, slots[0]])
    all_same(run([0.25], [0.0, 3.0]), [3.0, 0.25, -0.0, math.inf, -math.inf, math.nan, -1e-7, 3.0])


def test_the_code_is_made_of_numbered_names_only(monkeypatch):
    """Labels and the names of users' ops do not reach Python's compiler."""
    seen = []

    def spy(source, *args, **options):
        seen.append(source)
        return compile(source, *args, **options)

    monkeypatch.setattr(python_lines, "compile", spy, raising=False)
    odd = primitive(lambda x: x + 1.0, partials=lambda x: 1.0, name="import_os")
    x = Value(2.0, label="__import__('os')")
    y = odd(x) * x
    y.label = "'''"
    taped = TapedGraph([y.tanh()], [x])
    run = python_code.single(taped.tape.code, [len(taped.tape.code) - 1])
    assert run((), [0.5]) == [math.tanh(0.75)]
    (source,) = seen
    assert re.fullmatch(r"(def piece|return|[vpxufm]\d*|\d+(\.\d*)?|[-+*/%=()\[\],: \n])+", source)
    assert "tanh" not in source


def test_ops_of_users_run_and_their_errors_are_told():
    @primitive(partials=[lambda x, y: 2 * x * y, lambda x, y: x * x], name="squared_times_for_a_test")
    def squared_times(x, y):
        if x < 0:
            raise ValueError("x is negative")
        return x * x * y

    program = Gradient(lambda x, y: squared_times(x, y) + 1.0, [1.0, 2.0], lower=True)
    assert program(3.0, 0.5) == [5.5, 3.0, 9.0]
    with pytest.raises(ValueError, match="squared_times_for_a_test: x is negative, at -1.0, 0.5"):
        program(-1.0, 0.5)


# -------------------------------------------------------------------- where only the last digit would tell


def test_small_powers_are_products_in_every_rule():
    """One square in 1 200 comes out otherwise by C's pow; where it is glibc's, this is one."""
    x = 3.938261915666279
    for exponent in (2, 3, 4, -1, 0.5):
        all_same(Gradient(lambda v, k=exponent: v**k, [0.3], lower=True)(x), eager(lambda v, k=exponent: v**k, [x]))


def test_a_dot_product_whose_bias_is_among_its_ys():
    def fn(x, y, z):
        return ops.dot([x, y, x], [y, z, x], y)

    point = (1.949530121015966, 2.8822345860938183, 1.3796229761690963)
    all_same(Gradient(fn, [0.3, 0.2, 0.4], lower=True)(*point), eager(fn, point))


@pytest.mark.parametrize("name", backends.BACKENDS)
def test_every_backend_has_what_the_others_have(name):
    package = import_module(f"scalargrad.compiling.{name}")
    for described, made in (
        (backends.Backend.single, package.single),
        (backends.BatchRunner.run, package.BatchRunner.run),
    ):
        expected = [one for one in inspect.signature(described).parameters if one != "self"]
        assert [one for one in inspect.signature(made).parameters if one != "self"] == expected
    assert callable(package.unknown_primitives)
