"""The JAX backend: what it computes is what the eager engine computes, under every transformation that JAX has.

Run as a script, this file is the example of training on several devices; a test does so.
"""

import itertools
import json
import math
import os
import random
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import sizes
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad
from scalargrad import Value, grad, nn
from scalargrad.compiling import MissingExtraError
from scalargrad.compiling.gradient import contributions, total
from scalargrad.compiling.groups import batch_of
from scalargrad.compiling.jax import code as jax_code
from scalargrad.compiling.jax import primitives as jax_ops
from scalargrad.compiling.lowering import PRIMITIVE, simplified
from scalargrad.compiling.tape import CONSTANT, INPUT, PARAMETER, Tape, name_of
from scalargrad.compiling.taping import TapedGraph
from scalargrad.strategies import call, expressions
from scalargrad.table import HARD, TABLE

jax = pytest.importorskip("jax", reason="the jax backend needs jax: the extra `jax`")
np = pytest.importorskip("numpy", reason="jax brings numpy")

inf, nan = math.inf, math.nan
PACKAGE = Path(scalargrad.__file__).parent


@pytest.fixture
def float64():
    with jax_ops.double_precision():
        yield


def forward_program(roots, inputs, parameters=()):
    """(code, slots of the roots), in ops as they were recorded."""
    taped = TapedGraph(roots, inputs, parameters)
    tape, slots = simplified(taped.tape.code, [taped.slots[root] for root in roots], lower=False)
    return tape.code, slots


def gradient_program(roots, inputs, parameters=(), wrt=None):
    """(code, slots of the roots, slots of each root's gradients with respect to the inputs, or to wrt), in primitives."""
    taped = TapedGraph(roots, inputs, parameters)
    tape, wrt = taped.tape, [taped.slots[x] for x in (inputs if wrt is None else wrt)]
    slots = [taped.slots[root] for root in roots]
    for root in list(slots):
        shares = contributions(tape, root, wrt)
        slots += [total(tape, shares[x]) for x in wrt]
    short, found = simplified(tape.code, slots)
    n, k = len(roots), len(wrt)
    return short.code, found[:n], [found[n + i * k : n + (i + 1) * k] for i in range(n)]


def moons_network(hidden=16):
    """micrograd's network, or a narrower one, and its hinge loss for one sample: (model, loss, inputs)."""
    model = nn.MLP(2, [hidden, hidden, 1], seed=1)
    x, y = [Value(0.3), Value(-0.2)], Value(1.0)
    return model, (1 - y * model(x)).relu(), [*x, y]


def numbers_of(parameters):
    return np.array([p.data for p in parameters])


# -------------------------------------------------------------------- every op

NAMES = sorted(name for name, op in TABLE.items() if not op.is_users)
HARD_POINTS = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1.5, 2.5, -2.5, inf, -inf, nan, 1e-200, -1e-200, 1e200, 1e16,
    -1e16, 700.0, -700.0, 800.0, -800.0, 30.0, -30.0, 1e-9, math.pi, 4503599627370497.5,
]  # fmt: skip


def points():
    rng = random.Random(0)
    pairs = list(itertools.product(HARD_POINTS, HARD_POINTS))
    pairs += [(rng.gauss(0, 3), rng.gauss(0, 3)) for _ in range(300)]
    pairs += [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(300)]
    pairs += [(math.exp(rng.uniform(-20, 20)), rng.choice((-2.0, 0.5, 2.0, 3.0, 7.0))) for _ in range(300)]
    return [(x, y, rng.choice(HARD_POINTS)) for x, y in pairs]


def operands_of(name):
    return TABLE[name].arity or 3


def program_of_all_ops():
    """Every op over inputs of its own."""
    tape = Tape(simplify=False)
    xs = [[tape.source(INPUT, 3 * k + i) for i in range(3)] for k in range(len(NAMES))]
    return tape.code, [tape.emit(name_of(TABLE[name]), *xs[k][: operands_of(name)]) for k, name in enumerate(NAMES)]


def eager(name, xs):
    """What the engine gives: the value and, if the point is in the domain, the gradient."""
    leaves = [Value(x) for x in xs[: operands_of(name)]]
    op = TABLE[name]
    try:
        z = call(name, leaves)
    except IndexError:
        return nan, None
    except HARD:
        return op.pole(*[x.data for x in leaves]) if op.pole else nan, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no derivative
        z.backward()
    return z.data, [x.grad for x in leaves]


def same(a, b, rel=2e-13):
    """Equal, NaN to NaN and zero to zero of its sign; what XLA flushes to zero may have been subnormal."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if a == b:
        return a != 0 or math.copysign(1, a) == math.copysign(1, b)
    return abs(a - b) <= rel * abs(b) + sys.float_info.min


def test_ops_and_their_derivatives_are_the_engines_at_hard_points_too(float64):
    f = jax_code.function(*program_of_all_ops())
    xs = points()

    @jax.jit
    def both(inputs):
        z, backward = jax.vjp(lambda x: f(np.zeros(0), x), inputs)
        return z, backward(jax.numpy.ones_like(z))[0]

    values, slopes = map(np.asarray, both(np.array([x * len(NAMES) for x in xs]).T))
    wrong, compared = [], 0
    for k, name in enumerate(NAMES):
        for j, x in enumerate(xs):
            if name == "power" and -inf < x[0] < 0 and math.isfinite(x[1]) and x[1] % 1:
                assert math.isnan(values[k, j])  # the engine: ValueError, or inf where it is large too
                continue
            value, gradient = eager(name, x)
            if gradient is None and name not in PRIMITIVE:
                continue
            # XLA may compute x * y + z with one rounding.
            fused = 4e-16 * abs(x[0] * x[1]) if name == "dot" else 0.0
            if not same(float(values[k, j]), value) and not abs(values[k, j] - value) < fused:
                wrong.append((name, x, float(values[k, j]), value))
            for i, slope in enumerate(gradient or ()):
                compared += 1
                found = float(slopes[3 * k + i, j])
                # 1 - z * z is as exact as z is, not as itself.
                rounding = 2e-15 if name == "tanh" else 0.0
                if not same(found + 0.0, slope + 0.0, 1e-12) and not abs(found - slope) < rounding:
                    wrong.append((f"{name}, derivative {i}", x, found, slope))
    assert not wrong, (len(wrong), wrong[:10])
    assert compared > 50_000


def test_to_the_power_of_two_is_squared_to_the_last_digit(float64):
    f = jax_code.function([(INPUT, 0), (INPUT, 1), (name_of(TABLE["power"]), 0, 1)], [2])
    x = np.random.default_rng(0).normal(size=20_000)
    assert (f(np.zeros(0), np.array([x, np.full_like(x, 2.0)]))[0] == x * x).all()


REWRITTEN = {
    "(a / b) / c": ["divide(x, y)", "divide(v, z)"],
    "a / (b / c)": ["divide(x, y)", "divide(z, v)"],
    "exp(a) * exp(b)": ["exp(x)", "exp(y)", "multiply(u, v)"],
    "exp(a) / exp(b)": ["exp(x)", "exp(y)", "divide(u, v)"],
    "log(exp(a))": ["exp(x)", "log(v)"],
    "exp(a) ** b": ["exp(x)", "power(v, y)"],
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_xla_rewrites_no_formula(name, float64):
    tape = Tape(simplify=False)
    known = {letter: tape.source(INPUT, i) for i, letter in enumerate("xyz")}
    for line in REWRITTEN[name]:
        op, operands = line.rstrip(")").split("(")
        known["u"] = known.get("v", -1)
        known["v"] = tape.emit(name_of(TABLE[op]), *[known[x] for x in operands.split(", ")])
    xs = [(800.0, -800.0, 2.0), (1.0, 1e200, 1e200), (1e-200, 1e200, 1e-300), (1e-20, 1.0, 1.0), (0.0, inf, 1.0)]
    found = jax.jit(jax_code.function(tape.code, [known["v"]]))(np.zeros(0), np.array(xs).T)[0]
    for x, result in zip(xs, found.tolist(), strict=True):
        values = list(x)
        for op, *operands in tape.code[3:]:
            row = TABLE[op]
            try:
                values.append(row.value(*[values[i] for i in operands]))
            except HARD:
                values.append(row.pole(*[values[i] for i in operands]) if row.pole else nan)
        assert same(result, values[-1]), (name, x)


# -------------------------------------------------------------------- programs

# Failing programs are not shrunk: that would compile for minutes.
few = settings(
    max_examples=size(2, 5),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
EACH = 6
"""Programs that are compiled together: it is the compiling that takes time."""


def eager_gradient(expression, xs):
    leaves = [Value(x) for x in xs]
    root = expression(*leaves)
    root.backward()
    return [root.data, *(leaf.grad for leaf in leaves)]


@has_full_size
@few
@given(st.lists(expressions(inputs=2, max_ops=12), min_size=EACH, max_size=EACH), st.integers(0, 2**32))
def test_random_programs_at_other_points(programs, seed):
    rng = random.Random(seed)
    leaves = [Value(1.0), Value(2.0)]  # where they are recorded
    values = [program(*leaves) for program in programs]
    code, roots, grads = gradient_program(values, leaves)
    xs = [program.inputs for program in programs] + [(rng.uniform(-4, 4), rng.uniform(-4, 4)) for _ in range(6)]
    batch = jax_code.BatchRunner(
        code, [], [slot for root, of in zip(roots, grads, strict=True) for slot in (root, *of)], [2]
    )
    _, columns = batch.run([[x for point in xs for x in point]], len(xs), [], mean=True)
    forward = jax_code.function(*forward_program(values, leaves))
    with jax_ops.double_precision():
        jacobians = np.asarray(jax.jit(jax.vmap(jax.jacrev(forward, argnums=1), (None, 0)))(np.zeros(0), np.array(xs)))
    compared = 0
    for i, program in enumerate(programs):
        for j, x in enumerate(xs):
            try:
                expected = eager_gradient(program, x)
                # How much rounding may change: as much as it changes with a last digit or two of the inputs.
                nearby = [eager_gradient(program, [a * (1 + d) + d for a in x]) for d in (1e-13, -1e-13)]
            except HARD:
                continue
            found = [column[j] for column in columns[3 * i : 3 * i + 3]]
            for k, (a, b) in enumerate(zip(found, expected, strict=True)):
                allowed = 1e-11 * (1 + abs(b)) + 100 * max(abs(other[k] - b) for other in nearby)
                assert same(a, b) or not abs(a - b) > allowed, (program, x, found, expected)
                if k:
                    by_jax = float(jacobians[j, i, k - 1])
                    assert same(by_jax, b) or not abs(by_jax - b) > allowed, (program, x, by_jax, expected)
            compared += 1
    assert compared >= EACH


@has_full_size
def test_every_transformation_gives_the_same(float64):
    model, root, inputs = moons_network(size(5, 16))
    recorded = forward_program([root], inputs, model.parameters())
    code, (loss,), (grads,) = gradient_program([root], inputs, model.parameters(), wrt=model.parameters())
    p = numbers_of(model.parameters())
    xs = np.array([[0.3, -0.2, 1.0], [1.5, 0.4, -1.0], [-1.0, 0.9, 1.0], [0.0, 0.0, -1.0]])
    expected = []
    for x0, x1, y in xs.tolist():
        root = (1 - y * model([x0, x1])).relu()
        expected.append([root.data, *grad(root, model.parameters())])
    near = {"rtol": 1e-12, "atol": 1e-14}
    f = jax_code.function(code, [loss, *grads])
    np.testing.assert_allclose(f(p, xs[0]), expected[0], **near)
    np.testing.assert_allclose([jax.jit(f)(p, x) for x in xs], expected, **near)
    np.testing.assert_allclose(jax.jit(jax.vmap(f, (None, 0)))(p, xs), expected, **near)
    np.testing.assert_allclose(jax.jit(jax.vmap(f, (None, 1), 1))(p, xs.T).T, expected, **near)
    np.testing.assert_allclose(jax.jit(f)(p, xs.T).T, expected, **near)
    np.testing.assert_allclose(jax.jit(jax.vmap(f, (0, None)))(np.array([p, 2 * p]), xs[0])[0], expected[0], **near)

    for program, (output,) in ((code, [loss]), recorded):
        of_sample = jax_code.to_jax(program, output, [2, 1])
        by_jax = jax.jit(jax.vmap(jax.value_and_grad(of_sample), (None, 0, 0)))(p, xs[:, :2], xs[:, 2])
        np.testing.assert_allclose(np.column_stack(by_jax), expected, **near)
    direction = np.cos(np.arange(len(p)))
    slope = jax.jit(lambda p, v: jax.jvp(lambda p: of_sample(p, xs[0, :2], xs[0, 2]), (p,), (v,))[1])(p, direction)
    np.testing.assert_allclose(slope, np.array(expected[0][1:]) @ direction, **near)


def test_second_derivatives_by_jax_are_the_engines(float64):
    def f(v):
        x, y, z = v
        return scalargrad.hypot(x, y) * scalargrad.maximum(x, z) ** 3 + (x % z) * scalargrad.gelu(y) / scalargrad.exp(
            z * x
        )

    leaves = [Value(1.0), Value(2.0), Value(3.0)]
    code, roots = forward_program([f(leaves)], leaves)
    hessian = jax.jit(jax.hessian(jax_code.to_jax(code, roots[0], [3]), argnums=1))
    for x in ([0.7, -0.4, 0.3], [-1.2, 0.5, 2.0], [2.0, 1.0, 2.0]):  # the last is a tie
        np.testing.assert_allclose(hessian([], np.array(x)), scalargrad.hessian(f)(x), rtol=1e-11, atol=1e-12)


def test_where_only_x_moves_nobody_asks_for_the_derivative_in_y(float64):
    base, exponent = Value(2.0), Value(3.0)
    code, roots = forward_program([base**exponent], [base], [exponent])
    f = jax_code.to_jax(code, roots[0], [1])
    speed = jax.jvp(lambda x: f([3.0], x), (-2.0,), (1.0,))[1]
    assert speed == 12.0  # the derivative in the exponent is nan

    # What is a constant in one place is a parameter in the other.
    code, roots = forward_program([base**17.0 + Value(2.0) ** exponent], [], [base, exponent])
    assert sum(op == "power" for op, *_ in code) == 2
    f = jax_code.to_jax(code, roots[0], [])
    assert jax.jvp(f, (np.array([-2.0, 2.5, 2.0]),), (np.array([1.0, 0.0, 0.0]),))[1] == 17 * 2.0**16


def operations(code, outputs):
    return len(jax_code.Vectorized(code, outputs).groups)


def test_a_network_is_few_operations():
    """XLA takes minutes to compile what is traced instruction by instruction."""
    model, root, inputs = moons_network()
    code, (loss,), (grads,) = gradient_program([root], inputs, model.parameters(), wrt=model.parameters())
    assert len(code) > 1800
    assert operations(code, [loss, *grads]) < 80
    assert operations(code, [loss]) < operations(code, [loss, *grads])
    assert operations(*forward_program([root], inputs, model.parameters())) < 10
    leaves = [Value(float(i)) for i in range(3000)]
    assert operations(*forward_program([scalargrad.sum(*[leaf.tanh() for leaf in leaves]).exp()], leaves)) == 3


# -------------------------------------------------------------------- the interface of all backends


def added_by_hand(code, sums, columns, samples, parameters, mean):
    """What BatchRunner promises, by the table's values."""
    rows = []
    for sample in samples:
        values = []
        for op, *xs in code:
            if op in (INPUT, PARAMETER):
                values.append((sample if op is INPUT else parameters)[xs[0]])
            elif op is CONSTANT:
                values.append(float.fromhex(xs[0]))
            else:
                numbers = [values[x] for x in xs]
                values.append(TABLE[op].on(numbers))
        rows.append(values)
    n = len(rows)
    results = []
    for varying, uniform in sums:
        result = sum(row[varying] for row in rows) / (n if mean else 1) if varying is not None else 0.0
        results.append(result + (rows[0][uniform] * (1 if mean else n) if uniform is not None else 0.0))
    return results, [[row[slot] for row in rows] for slot in columns]


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("mean", [True, False])
def test_sums_and_columns_of_a_batch(n, mean):
    tape = Tape(simplify=False)
    a, b, x0, x1, y = (
        tape.source(*source) for source in [(PARAMETER, 1), (PARAMETER, 0), *((INPUT, i) for i in range(3))]
    )
    product, penalty = tape.emit("multiply", a, x1), tape.emit("multiply", b, b)
    score = tape.emit("tanh", tape.emit("add", product, tape.emit("subtract", x0, tape.constant(0.5))))
    loss = tape.emit("multiply", score, y)
    sums = [(loss, penalty), (None, a), (y, None), (loss, None), (None, tape.constant(2.5)), (score, b)]
    columns = [loss, x0, a, penalty]
    rng = random.Random(n)
    samples = [[rng.uniform(-1, 1) for _ in range(3)] for _ in range(n)]
    given = [[sample[:2] for sample in samples], [sample[2] for sample in samples]]
    batch = jax_code.BatchRunner(tape.code, sums, columns, [2, 1])
    expected = added_by_hand(tape.code, sums, columns, samples, [0.3, -0.7], mean)
    flat = [[x for xs in given[0] for x in xs], np.array(given[1])]
    for arguments in (batch_of(given).groups[0].samples, flat):
        found, kept = batch.run(arguments, n, [0.3, -0.7], mean)
        assert found == pytest.approx(expected[0], rel=1e-14)
        for column, wanted in zip(kept, expected[1], strict=True):
            assert column == pytest.approx(wanted, rel=1e-14)
    assert jax_code.BatchRunner(tape.code, [], [], [2, 1]).run(flat, n, [0.3, -0.7], mean) == ([], [])
    assert jax_code.BatchRunner(tape.code, sums[1:2], [a], []).run([], n, [0.3, -0.7], mean)[1] == [[-0.7] * n]


def test_one_point_computes_in_float64_however_jax_is_set_up():
    x, w = Value(0.1), Value(3.0)
    code, roots = forward_program([x / w], [x], [w])
    run = jax_code.single(code, roots)
    assert not jax.config.jax_enable_x64
    assert run([3.0], [0.1]) == [0.1 / 3.0]
    assert run(np.array([7.0]), (0.1,)) == [0.1 / 7.0]
    assert not jax.config.jax_enable_x64


def test_compile_and_record_run_on_jax():
    w, c = Value(2.0), Value(0.5)

    def loss(x, y):
        return (w * x[0] + c * x[1].tanh() - y) ** 2 + 0.1 * w * w

    X, Y = [[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], [1.0, 2.0, 3.0]
    by_jax = scalargrad.compile(loss, parameters=[w, c], backend="jax")
    root = sum(loss([Value(x) for x in row], y) for row, y in zip(X, Y, strict=True)) / 3
    value, grads = by_jax.value_and_grad(X, np.array(Y))
    assert value == pytest.approx(root.data, rel=1e-14)
    assert grads == pytest.approx(grad(root, [w, c]), rel=1e-14)
    assert scalargrad.record(root, inputs=[w], backend="jax").forward([2.0]) == pytest.approx(root.data, rel=1e-14)


# -------------------------------------------------------------------- what may go wrong


def test_without_jax_the_error_names_the_extra(monkeypatch):
    jax_ops.load.cache_clear()
    monkeypatch.setitem(sys.modules, "jax.numpy", None)
    try:
        with pytest.raises(MissingExtraError, match=r"the extra `jax`"):
            jax_code.single([(INPUT, 0)], [0])
    finally:
        monkeypatch.undo()
        jax_ops.load.cache_clear()


def test_single_precision_is_used_only_where_it_is_asked_for():
    x = Value(0.3)
    code, roots = forward_program([x.exp().maximum(0.5).sign() * (x + 0.1).tanh()], [x])
    assert not jax.config.jax_enable_x64
    with pytest.raises(RuntimeError, match="jax_enable_x64.*dtype='float32'"):
        jax_code.to_jax(code, roots[0], [1])([], 0.3)
    in_32 = jax_code.to_jax(code, roots[0], [1], dtype="float32")
    for bits in (False, True):
        with jax_ops.double_precision() if bits else warnings.catch_warnings():
            value, slope = jax.value_and_grad(in_32, argnums=1)([], np.float32(0.3))
            assert (value.dtype, slope.dtype) == ("float32", "float32")
            assert float(value) == pytest.approx(math.tanh(0.4), rel=1e-6)
            assert float(slope) == pytest.approx(1 - math.tanh(0.4) ** 2, rel=1e-6)


def test_wrong_shapes_and_ops_of_users_are_refused(float64):
    model, root, inputs = moons_network()
    code, (loss,) = forward_program([root], inputs, model.parameters())
    with pytest.raises(ValueError, match=r"\[2, 1\] numbers, but \[6, 3\] were given: for a batch, use jax.vmap"):
        jax_code.to_jax(code, loss, [2, 1])(np.zeros(337), np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(ValueError, match=r"reads 337 parameters, but they have the shape \(336,\)"):
        jax_code.to_jax(code, loss, [2, 1])(np.zeros(336), np.zeros(2), 1.0)
    with pytest.raises(ValueError, match=r"reads 3 inputs, but they have the shape \(\)"):
        jax_code.function(code, [loss])(np.zeros(337), 1.0)
    with pytest.raises(ValueError, match="reads 337 parameters"):
        jax_code.single(code, [loss])([0.0], [0.0] * 3)

    @scalargrad.primitive(partials=[3.0])
    def triple_for_jax(x):
        return 3.0 * x

    x = Value(1.0)
    taped = TapedGraph([triple_for_jax(x)], [x])
    with pytest.raises(ValueError, match="does not know 'triple_for_jax'"):
        jax_code.single(taped.tape.code, [1])


def test_what_compile_and_record_give_to_jax_has_the_tables_derivatives(float64):
    x = Value(0.0)
    program = scalargrad.record(x.sigmoid(), inputs=[x]).to_jax()
    compiled = scalargrad.compile(lambda v: v.sigmoid()).to_jax(0.3)
    none = jax.numpy.zeros(0)
    assert jax.grad(program, argnums=1)(none, jax.numpy.zeros(1)).tolist() == [0.25]
    assert jax.grad(compiled, argnums=1)(none, 0.0) == 0.25


def test_to_jax_refuses_what_it_would_get_wrong():
    w, u = Value(2.0), Value(3.0)
    with pytest.raises(ValueError, match="compares Values"):
        scalargrad.compile(lambda v: w * v if v > 0 else v).to_jax(1.0)
    with pytest.raises(ValueError, match="reaches 2 leaves"):
        scalargrad.compile(lambda v: w * v + u, parameters=[w]).to_jax(1.0)


# -------------------------------------------------------------------- several devices


STEPS, RATE = 12, 0.5


def train_on_devices():
    """Train micrograd's moons network on all devices, each with its share of the samples; returns what happened."""
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    jax.config.update("jax_enable_x64", True)
    devices = jax.devices()
    model, root, inputs = moons_network()
    code, (loss,) = forward_program([root], inputs, model.parameters())
    of_sample = jax_code.to_jax(code, loss, [2, 1])

    points, labels = nn.moons(100, seed=0, labels=(-1, 1))
    # Each device takes equally many samples: those added count nothing.
    n = math.ceil(len(points) / len(devices)) * len(devices)
    X, y, weights = np.zeros((n, 2)), np.zeros(n), np.zeros(n)
    X[: len(points)], y[: len(points)], weights[: len(points)] = points, labels, 1 / len(points)

    mesh = Mesh(np.array(devices), ("batch",))
    divided, everywhere = NamedSharding(mesh, PartitionSpec("batch")), NamedSharding(mesh, PartitionSpec())
    X, y, weights = jax.device_put((X, y, weights), divided)
    p = jax.device_put(numbers_of(model.parameters()), everywhere)

    def loss_of(p, X, y, weights):
        return weights @ jax.vmap(of_sample, (None, 0, 0))(p, X, y)

    @jax.jit
    def step(p, X, y, weights):
        loss, gradient = jax.value_and_grad(loss_of)(p, X, y, weights)
        return p - RATE * gradient, loss

    program = step.lower(p, X, y, weights).compile().as_text()
    losses = []
    for _ in range(STEPS):
        p, loss = step(p, X, y, weights)
        losses.append(float(loss))
    return {
        "devices": len(devices),
        "samples on each": sorted({len(shard.data) for shard in X.addressable_shards}),
        "parameters on each": sorted({len(shard.data) for shard in p.addressable_shards}),
        "gathers": program.count(" all-gather("),
        "sums over devices": program.count(" all-reduce("),
        "losses": losses,
    }


def test_training_over_eight_devices_is_the_engines():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    done = subprocess.run(
        [sys.executable, "-W", "error", __file__], capture_output=True, text=True, timeout=300,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), sizes.__file__.removesuffix("sizes.py")])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    losses, sums = found.pop("losses"), found.pop("sums over devices")
    assert found == {"devices": 8, "samples on each": [13], "parameters on each": [337], "gathers": 0}
    assert sums  # one, where the compiler combines them well

    model = nn.MLP(2, [16, 16, 1], seed=1)
    optimizer = nn.SGD(model.parameters(), lr=RATE)
    X, y = nn.moons(100, seed=0, labels=(-1, 1))
    expected = []
    for _ in range(STEPS):
        loss = nn.hinge([model(x) for x in X], y)
        model.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.data)
    assert losses == pytest.approx(expected, rel=1e-9)
    assert expected[-1] < expected[0] / 2


if __name__ == "__main__":
    print(json.dumps(train_on_devices()))
