"""Every row of the op table keeps one property, and its values and slopes are those of an independent oracle."""

import itertools
import math
import random

import pytest
from helpers import arguments, call
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import mpmath
from rows import ORACLES, check_row

import scalargrad
from scalargrad import Value
from scalargrad.engine import gradients
from scalargrad.node.numbers import plain_number
from scalargrad.table import TABLE, Domain
from scalargrad.table.making import alias, unary
from scalargrad.table.row import functions

IN_TABLE = sorted(TABLE)


@pytest.mark.parametrize("name", IN_TABLE)
def test_every_row_keeps_its_promises(name):
    op = TABLE[name]

    @settings(max_examples=60)
    @given(arguments(op))
    def holds(xs):
        check_row(op, xs)

    holds()


def test_a_row_added_in_process_keeps_them_too():
    cube = unary("cube_for_a_test", lambda x: x**3, lambda x, y, z: 3 * x * x, domain=Domain(low=0.0))

    @given(arguments(cube.op))
    def holds(xs):
        check_row(cube.op, xs)

    holds()
    wrong = unary("wrong_for_a_test", lambda x: x**3, lambda x, y, z: 2 * x * x)
    with pytest.raises(AssertionError):
        check_row(wrong.op, [1.5])


@pytest.mark.parametrize("name", IN_TABLE)
def test_at_the_edges_of_its_domain_an_op_raises_or_has_a_slope(name):
    """Outside the domain: an error naming op and number. On a closed edge: a value, and a slope that may be infinite."""
    op = TABLE[name]
    inside = [0.5 if 0.5 in d and d.low > -math.inf else 1.5 for d in op.domain]
    for i, domain in enumerate(op.domain):
        if name == "power":
            continue  # (-2)**3 and 0**2 are legal: the table of hard points in hard_points.py lists them
        for edge, outward in ((domain.low, -1), (domain.high, 1)):
            if math.isinf(edge):
                continue
            outside = edge + outward * 1e-9 if not domain.open else edge
            with pytest.raises((ValueError, ZeroDivisionError), match=f"^{name}: .*{outside!r}"):
                call(op, [Value(x) for x in [*inside[:i], outside, *inside[i + 1 :]]])
            if not domain.open:
                x = Value(edge)
                call(op, [*inside[:i], x, *inside[i + 1 :]]).backward()
                assert not math.isnan(x.grad)
        if domain.hole is not None:
            with pytest.raises(ZeroDivisionError, match=f"^{name}: division by zero"):
                call(op, [Value(x) for x in [*inside[:i], domain.hole, *inside[i + 1 :]]])


@pytest.mark.parametrize("name", IN_TABLE)
@pytest.mark.filterwarnings("ignore:.*the gradient is nan")
def test_nan_in_nan_out_and_backward_never_raises(name):
    op = TABLE[name]
    count = op.arity or 3
    for xs in (
        [math.nan] * count,
        [math.inf] * count,
        [-math.inf] * count,
        [0.0] * count,
        [1e308] * count,
        [5e-324] * count,
    ):
        values = [Value(x) for x in xs]
        try:
            z = call(op, values)
        except IndexError:
            assert op.has_index
            continue
        except (ValueError, ZeroDivisionError):
            assert not math.isnan(xs[0]), "nan is a number of every op"
            continue
        assert type(z.data) is float
        if math.isnan(xs[0]):
            assert math.isnan(z.data)
        z.backward()
        assert all(type(x.grad) is float for x in values)


def test_every_row_has_an_oracle():
    assert sorted(ORACLES) == IN_TABLE


@pytest.mark.parametrize("name", IN_TABLE)
def test_values_and_partials_agree_with_mpmath(name):
    """The value and, by mpmath's own differentiation at 40 digits, each partial derivative."""
    op = TABLE[name]

    @settings(max_examples=25)
    @given(arguments(op))
    def holds(xs):
        values = [Value(x) for x in xs]
        z = call(op, values)
        z.backward()
        with mpmath.workdps(40):
            exact = [mpmath.mpf(x) for x in xs]
            assert z.data == pytest.approx(float(ORACLES[name](*exact)), rel=1e-14, abs=1e-15)
            for i, x in list(enumerate(values))[op.has_index :]:
                derivative = mpmath.diff(lambda t, i=i: ORACLES[name](*exact[:i], t, *exact[i + 1 :]), exact[i])
                assert x.grad == pytest.approx(float(derivative), rel=1e-12, abs=1e-14)

    holds()


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20), st.floats(-5, 5))
def test_many_operand_ops_are_the_chains_they_stand_for_bit_for_bit(xs, bias):
    ys = [x / 3 + 1 for x in xs]
    total, product, chain = xs[0], xs[0], bias
    for x in xs[1:]:
        total, product = total + x, product * x
    for x, y in zip(xs, ys, strict=True):
        chain = chain + x * y
    values = [Value(x) for x in xs]
    assert scalargrad.sum(values).data == total
    assert scalargrad.prod(values).data == product
    assert scalargrad.dot(values, ys, bias).data == chain


@pytest.mark.parametrize("name", IN_TABLE)
def test_each_operand_has_a_domain(name):
    op = TABLE[name]
    for n in [op.arity] if op.arity else [len(op.arguments)] if op.arguments else range(2, 6):
        domains = op.domains(n)
        assert len(domains) == n
        if op.has_index:
            assert [j for j in range(-2, 9) if float(j) in domains[0]] == list(range(n - 1))
            assert 0.5 not in domains[0]


@pytest.mark.parametrize("name", IN_TABLE)
def test_operands_may_be_values_or_numbers_in_any_place(name):
    """A node has those for parents that are Values, and their gradients are as if all were."""
    op = TABLE[name]

    @settings(max_examples=5)
    @given(arguments(op))
    def holds(xs):
        values = [Value(x) for x in xs]
        everything = call(op, values)
        everything.backward()
        for mask in itertools.product((False, True), repeat=min(len(xs), 5)):
            mixed = [Value(x) if taken else x for x, taken in itertools.zip_longest(xs, mask, fillvalue=True)]
            z = call(op, mixed)
            given_values = [x for x in mixed if isinstance(x, Value)]
            if not given_values:
                assert type(z) is float
                continue
            if op.has_index and (mixed[0] not in given_values or len(given_values) == 1):
                continue  # by a number it is the entry itself, and by a Value alone a constant
            assert z.data == everything.data
            assert z.parents == tuple(given_values)
            z.backward()
            for x, alone in zip(mixed, values, strict=True):
                assert not isinstance(x, Value) or x.grad == alone.grad

    holds()


@pytest.mark.parametrize("name", IN_TABLE)
def test_gradients_that_are_graphs_have_the_same_bits(name):
    """Also where one Value is several operands, whose shares add up in the same order."""
    op = TABLE[name]

    @settings(max_examples=20)
    @given(arguments(op), st.integers(0, 3))
    def holds(xs, same):
        def slopes(create_graph):
            values = [Value(x) for x in xs]
            if same and op.arity is None and not op.has_index and not op.arguments:
                values = [values[i % same] for i in range(len(xs))]
            call(op, values).backward(create_graph=create_graph)
            return [x.grad.data if isinstance(x.grad, Value) else x.grad for x in values]

        assert slopes(create_graph=True) == slopes(create_graph=False)

    holds()


@pytest.mark.parametrize("function", [scalargrad.dot, scalargrad.prod, scalargrad.logsumexp])
def test_shares_of_one_value_are_added_in_one_order(function):
    """Other orders would have other roundings."""
    rng = random.Random(0)
    for _ in range(200):
        leaves = [Value(rng.uniform(-2.0, 2.0)) for _ in range(2)]

        def draw(count, leaves=leaves):
            return [rng.choice([*leaves, *leaves, rng.uniform(-2.0, 2.0)]) for _ in range(count)]

        n = rng.randint(1, 5)
        z = function(draw(n), draw(n), *draw(rng.randint(0, 1))) if function is scalargrad.dot else function(draw(n))
        if isinstance(z, Value):
            plain, graph = (gradients([z], [1 / 3], create_graph=create_graph) for create_graph in (False, True))
            assert [plain_number(graph.get(x, 0.0)) for x in leaves] == [plain.get(x, 0.0) for x in leaves]


def test_parameters_have_names():
    v = Value(-2.0)
    assert scalargrad.leaky_relu(v, a=0.5).data == v.leaky_relu(a=0.5).data == -1.0
    assert scalargrad.elu(v, a=2.0).data == v.elu(a=2.0).data == 2.0 * math.expm1(-2.0)
    assert scalargrad.maximum(v, y=1.0).data == v.maximum(y=1.0).data == 1.0
    assert scalargrad.where(condition=v, x=1.0, y=v).data == 1.0
    with pytest.raises(TypeError):
        scalargrad.maximum(v, a=1.0)


def test_aliases_add_up():
    cube = unary("cube_for_a_test", lambda x: x**3, lambda x, y, z: 3 * x * x)
    alias(cube, "cubed_for_a_test", "__invert__")
    alias(cube, "third_power_for_a_test")
    assert cube.op.aliases == ["cubed_for_a_test", "third_power_for_a_test"]
    assert (~Value(2.0)).data == Value(2.0).cubed_for_a_test().data == 8.0
    assert functions()["cubed_for_a_test"] is functions()["third_power_for_a_test"] is cube


def test_operands_may_be_values_or_numbers_on_either_side():
    v = Value(3.0, label="v")
    cases = [
        (v + 2, 5.0, 1.0), (2 + v, 5.0, 1.0), (v - 2, 1.0, 1.0), (2 - v, -1.0, -1.0), (v * 2, 6.0, 2.0), (2 * v, 6.0, 2.0),
        (v / 2, 1.5, 0.5), (2 / v, 2 / 3, -2 / 9), (v**2, 9.0, 6.0), (2**v, 8.0, 8.0 * math.log(2)),
        (v // 2, 1.0, 0.0), (7 // v, 2.0, 0.0), (v % 2, 1.0, 1.0), (7 % v, 1.0, -2.0),
        (abs(-v), 3.0, 1.0), (+v, 3.0, 1.0), (-v, -3.0, -1.0), (round(v * 0.9), 3.0, 0.0),
        (math.floor(v * 0.9), 2.0, 0.0), (math.ceil(v * 0.9), 3.0, 0.0), (divmod(v, 2)[0], 1.0, 0.0),
        (divmod(v, 2)[1], 1.0, 1.0), (divmod(7, v)[0], 2.0, 0.0), (divmod(7, v)[1], 1.0, -2.0),
    ]  # fmt: skip
    for out, data, slope_ in cases:
        v.grad = 0.0
        out.backward()
        assert (out.data, v.grad) == (pytest.approx(data, rel=1e-15), pytest.approx(slope_, rel=1e-15))
    v.grad = 0.0
    (v**v).backward()
    assert v.grad == pytest.approx(27 * (math.log(3) + 1), rel=1e-15)
    assert (v * 2).parents == (2 * v).parents == (v,)
    assert (v + v).parents == (v, v)


def test_functions_on_plain_numbers_give_plain_numbers():
    for result in (
        scalargrad.tanh(0.5),
        scalargrad.maximum(1, 2),
        scalargrad.sum([1, 2.5]),
        scalargrad.dot([1], [2], 3),
    ):
        assert type(result) is float
    assert scalargrad.tanh(True) == math.tanh(1)
    with pytest.raises(ValueError, match=r"^log: domain error at -1\.0"):
        scalargrad.log(-1)


def test_symbols():
    shown = {name: op.symbol for name, op in TABLE.items() if op.symbol != name}
    assert shown == {
        "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "power": "^", "floor_divide": "//",
        "remainder": "mod", "negative": "−", "greater": ">",
    }  # fmt: skip
    texts = {name: op.text for name, op in TABLE.items() if op.text != name}
    assert texts == {
        "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "floor_divide": "//",
        "remainder": "%", "negative": "-",
    }  # fmt: skip


def test_a_power_that_overflows_has_the_sign_of_the_product():
    for exponent in range(309, 330):
        assert scalargrad.power(10.0, float(exponent)) == math.inf
        assert scalargrad.power(-10.0, float(exponent)) == (-math.inf if exponent % 2 else math.inf)
        assert scalargrad.power(10.0, exponent + 0.5) == math.inf
        assert scalargrad.power(0.1, -float(exponent)) == scalargrad.power(0.1, -exponent - 0.5) == math.inf
        with pytest.raises(ValueError, match="power: a negative number has no real fractional power"):
            scalargrad.power(-10.0, exponent + 0.5)
    assert scalargrad.power(-10.0, 1e300) == math.inf


def test_sums_of_nothing_and_ties():
    assert (scalargrad.sum([]), scalargrad.prod([]), scalargrad.dot([], [])) == (0.0, 1.0, 0.0)
    for choose in (scalargrad.maximum, scalargrad.minimum):  # the first of two zeros, as in the engine in C
        assert [repr(choose(0.0, -0.0)), repr(choose(-0.0, 0.0))] == ["0.0", "-0.0"]
        assert [repr(choose(Value(0.0), -0.0).data), repr(choose(-0.0, Value(0.0)).data)] == ["0.0", "-0.0"]


EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -3.0, 5e-324, -5e-324, 1e-160, 710.0, -746.0, 1e308, -1e308, math.inf, -math.inf)


@pytest.mark.parametrize("name", sorted(name for name in TABLE if TABLE[name].never_minus_zero))
def test_what_is_said_never_to_be_minus_zero_never_is(name):
    op = TABLE[name]

    def holds(xs):
        value = op.on(list(xs))
        assert value != 0.0 or math.copysign(1.0, value) == 1.0

    given(arguments(op))(holds)()
    for xs in itertools.product(EDGES, repeat=op.arity):
        holds(xs)


POLES = {
    "divide": [((1.0, 0.0), math.inf), ((1.0, -0.0), -math.inf), ((0.0, 0.0), math.nan)],
    "power": [((0.0, -1.0), math.inf), ((-0.0, -1.0), -math.inf), ((-0.0, -2.0), math.inf), ((-2.0, 0.5), math.nan)],
    "reciprocal": [((0.0,), math.inf), ((-0.0,), -math.inf)],
    "log": [((0.0,), -math.inf), ((-1.0,), math.nan)],
    "log2": [((0.0,), -math.inf), ((-1.0,), math.nan)],
    "log10": [((0.0,), -math.inf), ((-1.0,), math.nan)],
    "log1p": [((-1.0,), -math.inf), ((-2.0,), math.nan)],
    "arctanh": [((1.0,), math.inf), ((-1.0,), -math.inf), ((2.0,), math.nan)],
}


@pytest.mark.parametrize("name", sorted(name for name in TABLE if TABLE[name].pole is not None))
def test_at_a_pole_ieee_arithmetic_says(name):
    for xs, expected in POLES[name]:
        with pytest.raises((ValueError, ZeroDivisionError)):
            TABLE[name].value(*xs)
        assert repr(TABLE[name].pole(*xs)) == repr(expected)


def test_dot_takes_any_two_vectors_of_equal_length():
    np = pytest.importorskip("numpy")
    x, y = Value(2.0), Value(3.0)
    for pair in (([x, y], [y, x]), (iter([x, y]), (v for v in (y, x))), ((x, y), np.array([3.0, 2.0]))):
        assert scalargrad.dot(*pair).data == 12.0
    assert scalargrad.dot(x, y).data == 6.0
    assert scalargrad.dot([x], [y], 1).data == 7.0
    assert scalargrad.dot(np.array(2.0), np.array(3.0)) == 6.0  # arrays without dimensions are numbers
    assert scalargrad.sum(np.array(2.0)) == scalargrad.sum(np.array([0.5, 1.5])) == 2.0
    with pytest.raises(ValueError, match="^dot: the vectors have 2 and 1 elements; they must have equally many$"):
        scalargrad.dot([x, y], [x])


# A point of each kinked op where it has a kink in its first operand, and points where it has none.
KINKED = {
    "absolute": (0.0,), "cbrt": (0.0,), "relu": (0.0,), "sign": (0.0,), "step": (0.0,), "floor": (2.0,),
    "ceil": (2.0,), "rint": (2.5,), "leaky_relu": (0.0, 0.1), "elu": (0.0, 1.0), "maximum": (1.0, 1.0),
    "minimum": (1.0, 1.0), "greater": (1.0, 1.0), "floor_divide": (3.0, 1.5), "remainder": (3.0, 1.5),
    "hypot": (0.0, 0.0), "arctan2": (0.0, -1.0), "where": (0.0, 1.0, 2.0), "clip": (1.0, 0.0, 1.0),
    "max": (1.0, 1.0, 0.0), "min": (1.0, 1.0, 2.0), "take": (1.0, 2.0, 3.0),
}  # fmt: skip
SMOOTH = {
    "hypot": [(0.25, 0.0), (0.0, 0.25), (-0.25, 0.0)], "arctan2": [(0.0, 0.5), (0.5, -1.0), (-0.5, 0.5)],
    "clip": [(0.5, 0.0, 1.0), (2.0, 0.0, 1.0), (-1.0, 0.0, 1.0)], "max": [(1.0, 0.5, 0.5), (0.0, 1.0, 0.5)],
    "min": [(1.0, 1.5, 1.5), (2.0, 1.0, 1.5)], "where": [(1.0, 2.0, 2.0), (-1.0, 2.0, 2.0)],
    "floor_divide": [(3.5, 1.5), (-0.5, 1.5)], "remainder": [(3.5, 1.5), (-0.5, 1.5)], "rint": [(2.0,), (2.4,)],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(name for name in TABLE if TABLE[name].kinks))
def test_kinks_tell_sides(name):
    op, h = TABLE[name], 1e-3

    def side(xs):
        return op.sides(xs)

    first, *rest = KINKED[name]
    assert len({side([first + move, *rest]) for move in (-h, 0.0, h)}) > 1
    moved = [(first + 0.3, *rest)] if name not in ("where", "clip", "max", "min", "take") else []
    for xs in (*moved, *SMOOTH.get(name, [])):
        for i in range(len(xs)):
            assert len({side([*xs[:i], xs[i] + move, *xs[i + 1 :]]) for move in (-h, 0.0, h)}) == 1, (xs, i)
