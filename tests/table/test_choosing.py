"""What an op did not choose gets nothing, whatever comes from above: in every mode, on every backend, to every order."""

import itertools
import math
import operator
import random

import pytest
from compiling_helpers import needs_llvm
from hard_points import CHOICES, where_positive
from helpers import arguments, call
from hypothesis import given, settings
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling.gradient import has_choices
from scalargrad.engine import gradients
from scalargrad.node.numbers import plain_number
from scalargrad.ops import BUILT_IN
from scalargrad.table import TABLE
from scalargrad.table.making import binary, nary, unary

inf, nan = math.inf, math.nan
needs_jax = pytest.mark.usefixtures("jax")
BACKENDS = ["python", pytest.param("llvm", marks=needs_llvm)]


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


# -------------------------------------------------------------------- the same number from every mode


def reverse(f, xs):
    leaves = list(map(Value, xs))
    f(leaves).backward()
    return [leaf.grad for leaf in leaves]


def as_graph(f, xs):
    leaves = list(map(Value, xs))
    f(leaves).backward(create_graph=True)
    return [leaf.grad.data if isinstance(leaf.grad, Value) else leaf.grad for leaf in leaves]


def forward(f, xs):
    n = len(xs)
    return [sg.jvp(f, (xs,), ([float(i == j) for j in range(n)],))[1] for i in range(n)]


def forward_as_graph(f, xs):
    """Forward mode over Values, as inside another derivative."""
    leaves = list(map(Value, xs))
    return [column.data for column in sg.jacfwd(f)(leaves)]


def large_graph(f, xs):
    leaves = list(map(Value, xs))
    y = f(leaves)
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    return [leaf.grad for leaf in leaves]


EAGER = {
    "backward": reverse,
    "create_graph": as_graph,
    "jvp": forward,
    "forward_as_graph": forward_as_graph,
    "grad": lambda f, xs: sg.grad(f)(xs),
    "jacfwd": lambda f, xs: sg.jacfwd(f)(xs),
    "jacrev": lambda f, xs: sg.jacrev(f)(xs),
    "vjp": lambda f, xs: sg.vjp(f, xs)[1](1.0)[0],
    "hooked": lambda f, xs: hooked(f, xs),
}


def hooked(f, xs):
    leaves = list(map(Value, xs))
    y = f(leaves)
    handle = sg.register_hook(y, lambda gradient: gradient)
    y.backward(create_graph=True)
    handle.remove()
    return [leaf.grad.data if isinstance(leaf.grad, Value) else leaf.grad for leaf in leaves]


def compiled(f, xs, backend, recorded_at):
    """Every way of a compiled function, recorded at other numbers than it then runs at."""
    leaves = [Value(x) for x in recorded_at]
    program = sg.record(f(leaves), inputs=leaves, backend=backend)
    yield "record", program.value_and_grad(xs)[1]

    parameters = [Value(x) for x in recorded_at]
    replayed = sg.replay(lambda: f(parameters), backend=backend)
    replayed()
    for parameter, x in zip(parameters, xs, strict=True):
        parameter.data, parameter.grad = x, 0.0
    replayed().backward()
    yield "replay", [parameter.grad for parameter in parameters]

    gradient = sg.compile(sg.grad(f), backend=backend)
    gradient(list(recorded_at))
    yield "compile(grad)", gradient(list(xs))

    pushed = sg.compile(sg.jacfwd(f), backend=backend)
    pushed(list(recorded_at))
    yield "compile(jacfwd)", pushed(list(xs))

    batch = sg.compile(lambda s: f([p + s * 0.0 for p in parameters]), parameters=parameters, backend=backend)
    yield "batch", batch.value_and_grad([0.0, 1.0, 2.0])[1]

    before = [parameter.data for parameter in parameters]
    with batch.training(nn.SGD(parameters, lr=0.5)) as step:
        step([0.0, 1.0, 2.0])
    yield "training", [(a - p.data) / 0.5 for a, p in zip(before, parameters, strict=True)]


def equal(found, wanted):
    return all(
        (a != a and b != b) or a == b or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-14)
        for a, b in zip(found, wanted, strict=True)
    )


# -------------------------------------------------------------------- examples, with numbers found by hand


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("mode", EAGER)
def test_examples(name, mode):
    f, x, slope = CHOICES[name]
    assert equal(EAGER[mode](f, [x]), [slope])


@pytest.mark.parametrize("name", [*list(CHOICES)[:6], "sqrt(x) ** 2"])
def test_examples_in_a_large_graph(name):
    f, x, slope = CHOICES[name]
    assert equal(large_graph(f, [x]), [slope])


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_examples_compiled_at_another_point(name, backend):
    f, x, slope = CHOICES[name]
    for way, found in compiled(f, [x], backend, [2.5]):
        if way == "training" and not math.isfinite(slope):
            continue  # a parameter that is nan shows no slope
        assert equal(found, [slope]), way


@needs_jax
@pytest.mark.parametrize(
    "name", ["where(greater(x, 0), sqrt(x), 0)", "floor(sqrt(x)) + x", "sqrt(relu(x))", "sqrt(x) ** 2"]
)
def test_examples_in_jax(name):
    f, x, slope = CHOICES[name]
    for way, found in compiled(f, [x], "jax", [2.5]):
        if way != "training" or math.isfinite(slope):
            assert equal(found, [slope]), way


def test_where_the_pole_itself_is_outside_the_domain_eager_code_raises_and_compiled_code_does_not():
    def f(v):
        return where_positive(v[0], sg.sqrt(v[0])) + v[0]

    with pytest.raises(ValueError, match="sqrt"):
        reverse(f, [-1.0])
    w = Value(1.0)
    batch = sg.compile(lambda x: f([w * x]), parameters=[w], backend="python")
    assert batch.value_and_grad([1.0, -1.0]) == ((2.0 + -1.0) / 2, [(1.5 + -1.0) / 2])
    batch = sg.compile(lambda x: f([w * x]), parameters=[w], backend="python")  # recorded at the sample in question
    assert batch.value_and_grad([-1.0, 1.0]) == ((2.0 + -1.0) / 2, [(1.5 + -1.0) / 2])


def test_nan_that_reaches_the_result_stays():
    for f in (
        lambda v: sg.maximum(v[0], 1.0),
        lambda v: sg.where(v[0], v[0], 1.0),
        lambda v: sg.relu(v[0]),
        lambda v: sg.max([v[0], 1.0]),
    ):
        for mode in ("backward", "create_graph", "jvp"):
            assert math.isnan(EAGER[mode](f, [nan])[0])


def test_a_hook_is_called_once_in_a_sweep_that_needs_masks():
    x = Value(0.0)
    root = sg.sqrt(x)
    seen = []
    sg.register_hook(root, seen.append)
    (where_positive(x, root) + root * 1.0).backward(create_graph=True)
    assert len(seen) == 1


def test_the_page_of_hard_points_may_say_that_pytorch_gives_nan():
    torch = pytest.importorskip("torch")
    for f in (lambda x: torch.where(x > 0, torch.sqrt(x), 0.0), lambda x: torch.relu(torch.sqrt(x)) * 0 + x):
        x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
        f(x).backward()
        assert math.isnan(x.grad)


# -------------------------------------------------------------------- higher orders


@pytest.mark.parametrize(
    ("f", "n", "x", "wanted"),
    [
        (lambda x: x**1.5, 2, 0.0, inf),
        (lambda x: x**0.5, 2, 0.0, -inf),
        (lambda x: x**2.5, 2, 0.0, 0.0),
        (lambda x: where_positive(x, x**1.5), 2, 0.0, 0.0),
        (lambda x: where_positive(x, sg.sqrt(x), x**2), 2, 0.0, 2.0),
        (lambda x: sg.relu(x) ** 0.5, 2, -1.0, 0.0),
        (lambda x: sg.relu(x) ** 2.5, 3, 4.0, 2.5 * 1.5 * 0.5 / 2),
    ],
)
def test_second_and_third_order(f, n, x, wanted):
    assert equal([sg.derivative(f, n)(x)], [wanted])
    nested = f
    for _ in range(n):
        nested = sg.grad(nested)
    assert equal([nested(x)], [wanted])
    gradient = sg.compile(sg.derivative(f, n), backend="python")
    gradient(7.0)
    assert equal([gradient(x)], [wanted])


@pytest.mark.parametrize("f", [sg.hypot, sg.arctan2])
def test_where_there_is_no_second_derivative_there_is_no_finite_one(f):
    for g in (lambda v: f(v[0], v[1]), lambda v: f(v[0], v[1]) ** 2, lambda v: f(v[0], v[1]) * v[0]):
        for h in (sg.hessian(g), sg.compile(sg.hessian(g), backend="python")):
            assert not any(math.isfinite(x) for row in h([0.0, 0.0]) for x in row)


def test_a_gradient_graph_made_at_an_ordinary_point_is_never_wrong_elsewhere():
    x = Value(4.0)
    gradient = sg.grad(where_positive(x, sg.sqrt(x), x * x), x, create_graph=True)
    program = sg.record(gradient, inputs=[x], backend="python")
    assert program.forward([9.0]) == 1 / 6
    with pytest.raises(ZeroDivisionError):  # the plain graph: not the truth, 0, but no wrong number either
        program.forward([0.0])
    x = Value(0.0)
    gradient = sg.grad(
        where_positive(x, sg.sqrt(sg.relu(x)), x * x), x, create_graph=True
    )  # made where masks are needed
    program = sg.record(gradient, inputs=[x], backend="python")
    assert (gradient.data, program.forward([9.0])) == (0.0, 1 / 6)


# -------------------------------------------------------------------- generated programs


class Dual:
    """A number and its slopes by plain calculus: the oracle. A slope of None: nothing that moves reaches it."""

    def __init__(self, value, slopes):
        self.value, self.slopes = value, slopes


def chain(value, *pairs):
    slopes = []
    for parts in zip(*[dual.slopes for dual, _ in pairs], strict=True):
        moving = [part * local for part, (_, local) in zip(parts, pairs, strict=True) if part is not None]
        slopes.append(sum(moving[1:], moving[0]) if moving else None)
    return Dual(value, slopes)


def chosen(value, *duals):
    """Those that were chosen, sharing the slope."""
    n = len(duals[0].slopes)
    return chain(value, *[(dual, 1 / len(duals)) for dual in duals]) if duals else Dual(value, [None] * n)


def sqrt_(x):
    z = math.sqrt(x.value)
    return chain(z, (x, 0.5 / z if z else inf))


def fourth_root(x):
    return chain(x.value**0.25, (x, 0.25 * x.value**-0.75 if x.value else inf))


POLES = [(sg.sqrt, sqrt_), (lambda x: x**0.25, fourth_root)]


def nothing(dual, value):
    return Dual(value, [None] * len(dual.slopes))


def random_program(rng):
    """(function of a list of two Values, the same of Duals, the point): poles that are masked at this point."""
    i = rng.randrange(2)
    point = [rng.choice([0.5, 1.0, 2.0, -1.5]), rng.choice([0.25, 3.0, -2.0])]
    at = point[i]
    pole, pole_dual = rng.choice(POLES)
    c = rng.choice([0.0, 1.0, -2.5])
    kind = rng.randrange(8)

    def masked(v):
        u = v[i] - at  # exactly 0
        return [
            lambda: sg.where(sg.greater(u, 0.0), pole(u), c),
            lambda: sg.where(u, pole(u), v[1 - i] * c),
            lambda: pole(sg.relu(u - 1.0)),
            lambda: pole(sg.clip(u, 0.5, 2.0)),
            lambda: sg.floor(pole(u)) + sg.step(pole(u)) * c,
            lambda: sg.maximum(pole(u), u + 2.0),
            lambda: sg.min([pole(u) + 3.0, u * 2.0, v[1 - i] + 50.0]),
            lambda: sg.leaky_relu(u + 1.0, pole(u)),
        ][kind]()

    def masked_dual(v):
        u = chain(v[i].value - at, (v[i], 1.0))
        other = v[1 - i]
        return [
            lambda: nothing(u, c),
            lambda: chain(other.value * c, (other, c)),
            lambda: nothing(u, pole_dual(Dual(0.0, u.slopes)).value),
            lambda: nothing(u, pole_dual(Dual(0.5, u.slopes)).value),
            lambda: nothing(u, 0.0),
            lambda: chain(2.0, (u, 1.0)),
            lambda: chain(0.0, (u, 2.0)),
            lambda: chain(1.0, (u, 1.0)),
        ][kind]()

    outer = rng.randrange(4)
    k = rng.uniform(0.5, 2.0)

    def f(v):
        m = masked(v)
        return [
            lambda: m + sg.sin(v[0] * k) * v[1],
            lambda: m * v[0] + sg.exp(v[1] / k),
            lambda: sg.relu(m - 100.0) + v[0] * v[1],
            lambda: sg.tanh(m / k) + sg.relu(v[0] - v[1]),
        ][outer]()

    def dual(v):
        m, (x, y) = masked_dual(v), v
        s, t = math.sin(x.value * k), math.tanh(m.value / k)
        above = x.value > y.value
        return [
            lambda: chain(m.value + s * y.value, (m, 1.0), (x, math.cos(x.value * k) * k * y.value), (y, s)),
            lambda: chain(
                m.value * x.value + math.exp(y.value / k),
                (m, x.value), (x, m.value), (y, math.exp(y.value / k) / k),
            ),
            lambda: chain(x.value * y.value, (x, y.value), (y, x.value)),
            lambda: chain(
                t + max(x.value - y.value, 0.0), (m, (1 - t * t) / k), (x, float(above)), (y, -float(above))
            ),
        ][outer]()  # fmt: skip

    return f, dual, point


def cases(n):
    rng = random.Random(20)
    for _ in range(n):
        f, dual, point = random_program(rng)
        slopes = dual([Dual(point[0], [1.0, None]), Dual(point[1], [None, 1.0])]).slopes
        yield f, point, [slope or 0.0 for slope in slopes]


def test_200_programs_with_masked_poles_in_every_eager_mode():
    for f, point, wanted in cases(200):
        assert all(map(math.isfinite, wanted))
        for mode, found in EAGER.items():
            assert equal(found(f, point), wanted), mode


@has_full_size
@pytest.mark.parametrize(
    ("backend", "n"), [("python", size(60, 200)), pytest.param("llvm", size(4, 12), marks=needs_llvm)]
)
def test_programs_with_masked_poles_compiled_at_another_point(backend, n):
    for f, point, wanted in cases(n):
        for way, found in compiled(f, point, backend, [x + 1.0 for x in point]):
            assert equal(found, wanted), way


@needs_jax
def test_programs_with_masked_poles_in_jax():
    for f, point, wanted in cases(2):
        for way, found in compiled(f, point, "jax", [x + 1.0 for x in point]):
            assert equal(found, wanted), way


# -------------------------------------------------------------------- the rows


def test_the_rows_that_choose_are_those_that_are_flat_in_what_they_leave_out():
    choosing = {op.name for op in BUILT_IN if op.is_choice}
    assert choosing == {
        "relu", "leaky_relu", "elu", "maximum", "minimum", "greater", "floor_divide", "sign", "step", "floor", "ceil",
        "rint", "where", "clip", "max", "min", "take",
    }  # fmt: skip
    assert all(op.kinks is not None for op in BUILT_IN if op.name in choosing)


def test_an_op_of_ones_own_may_choose():
    @sg.primitive(partials=lambda x: sg.step(x), chooses=True)
    def my_relu(x):
        return max(x, 0.0)

    for backend in (None, "python"):
        f = lambda v: sg.sqrt(my_relu(v[0])) + v[0]  # noqa: E731
        modes = EAGER if backend is None else dict(compiled(f, [-1.0], backend, [2.0]))
        for mode, found in modes.items():
            assert equal(found(f, [-1.0]) if callable(found) else found, [1.0]), mode


# Where a derivative of 0 does not say that the operand was left out: the slope on the left, which may be 0.
BY_CHANCE = {("leaky_relu", 0), ("elu", 0)}


@pytest.mark.parametrize("name", [op.name for op in BUILT_IN if op.is_choice])
@pytest.mark.parametrize("create_graph", [False, True])
def test_what_a_row_leaves_out_gets_nothing_of_an_infinite_gradient(name, create_graph):
    op = TABLE[name]

    @settings(max_examples=30)
    @given(arguments(op))
    def holds(xs):
        leaves = [Value(x) for x in xs]
        z = call(op, leaves)
        once, boundless = (gradients([z], [seed], create_graph=create_graph) for seed in (1.0, inf))
        for i, leaf in enumerate(leaves):
            local = plain_number(once[leaf])
            wanted = local * inf if local or (name, i) in BY_CHANCE else 0.0
            assert equal([plain_number(boundless[leaf])], [wanted]), (xs, i)

    holds()
    if (name, 0) in BY_CHANCE:
        holds.hypothesis.inner_test([-1.0, 0.0])


# A derivative in either operand, as a row may write it, and what it is at (2, 3); and whether the row chooses.
PARTIALS = [
    (0.0, 0.0),
    (1.0, 1.0),
    (2.0, 2.0),
    (lambda x, y, z: 0.0, 0.0),
    (lambda x, y, z: x, 2.0),
    (lambda x, y, z: y, 3.0),
]
MAY_CHOOSE = [False, True, lambda x, y, z: (x - 2.0) + (y - 3.0) + (z - 5.0), lambda x, y, z: z - y]


def passed_on(upstream, local, chooses):
    """What an operand gets: nothing where its derivative, or the row's own rule, says that it was not chosen."""
    left_out = local == 0.0 if isinstance(chooses, bool) else chooses(2.0, 3.0, 5.0) == 0.0
    return 0.0 if chooses is not False and left_out else upstream * local


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("upstream", [1.0, -2.5, inf])
@pytest.mark.parametrize("chooses_x", MAY_CHOOSE)
@pytest.mark.parametrize("chooses_y", MAY_CHOOSE)
def test_rows_of_every_shape_pass_on_what_they_say(chooses_x, chooses_y, upstream, create_graph):
    def fitting(chooses):  # what is 0 everywhere is not 0 by chance
        return [(partial, local) for partial, local in PARTIALS if callable(partial) or not callable(chooses)]

    for (partial_x, local_x), (partial_y, local_y) in itertools.product(fitting(chooses_x), fitting(chooses_y)):
        row = binary("row_for_a_test", operator.add, partial_x, partial_y, chooses=(chooses_x, chooses_y))
        of_x, of_y = passed_on(upstream, local_x, chooses_x), passed_on(upstream, local_y, chooses_y)
        x, y = Value(2.0), Value(3.0)
        for operands, wanted in (((x, 3.0), [of_x, 0.0]), ((2.0, y), [0.0, of_y]), ((x, y), [of_x, of_y])):
            adjoints = gradients([row(*operands)], [upstream], create_graph=create_graph)
            assert equal([plain_number(adjoints.get(leaf, 0.0)) for leaf in (x, y)], wanted)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("upstream", [1.0, -2.5, inf])
@pytest.mark.parametrize("chooses", [False, True])
def test_rows_of_one_and_of_many_operands_too(chooses, upstream, create_graph):
    for partial, local in PARTIALS[:5]:
        one = unary("row_for_a_test", lambda x: x, partial, chooses=chooses)
        many = nary(
            "other_for_a_test", sum, lambda xs, z, p=partial: [p(*xs, z) if callable(p) else p, 4.0], chooses=chooses
        )
        x, y = Value(2.0), Value(3.0)
        of_x = passed_on(upstream, local, chooses)
        for z, wanted in ((one(x), [of_x, 0.0]), (many([x, y]), [of_x, upstream * 4.0]), (many([x, 3.0]), [of_x, 0.0])):
            adjoints = gradients([z], [upstream], create_graph=create_graph)
            assert equal([plain_number(adjoints.get(leaf, 0.0)) for leaf in (x, y)], wanted)


@pytest.mark.parametrize("chooses", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_a_rule_that_gives_as_many_derivatives_as_it_likes_is_an_error(count, chooses):
    row = nary("row_for_a_test", sum, lambda xs, z: [1.0] * count, chooses=chooses)
    x, y = Value(2.0), Value(3.0)
    with pytest.raises(ValueError, match="zip"):
        row([x, y]).backward()
    assert (x.grad, y.grad) == (0.0, 0.0)


def test_a_program_without_choices_is_never_masked():
    x = Value(3.0)
    assert not has_choices(sg.record(sg.sqrt(x) * x + abs(x)).code)
    assert has_choices(sg.record(sg.relu(x)).code)


# -------------------------------------------------------------------- what is 0 by chance, and higher orders behind it


def test_a_gradient_of_0_is_passed_on_through_a_dot_product():
    x = Value(0.0)
    (sg.dot([sg.sqrt(x)], [2.0]) ** 2).backward()
    assert math.isnan(x.grad)  # 4, by calculus; 0 * inf is an honest nan


@pytest.mark.parametrize("f", [sg.leaky_relu, sg.elu])
def test_a_hook_somewhere_else_changes_no_second_derivative(f):
    before = sg.hessian(lambda v: f(v[0], v[1]))([0.0, 2.0])
    sg.register_hook(Value(1.0), lambda gradient: gradient)
    assert sg.hessian(lambda v: f(v[0], v[1]))([0.0, 2.0]) == before
    assert before[0][1] == before[1][0] != 0.0
    nan_beside = sg.hessian(lambda v: f(v[0], v[1]) + sg.where(-1.0, sg.sqrt(v[2]), v[2] ** 2))([0.0, 2.0, 0.0])
    assert nan_beside[1][0] == before[1][0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("f", "x", "wanted"),
    [
        (lambda x: sg.relu(x**1.5 - 1) + x * x, 0.0, 2.0),
        (lambda x: where_positive(x, x**1.5) + x * x, 0.0, 2.0),
        (lambda x: sg.maximum(x**1.5, 1.0 - x) + x * x, 0.0, 2.0),
        (lambda x: sg.clip(x**1.5, 1.0, 2.0) + x * x, 0.0, 2.0),
        (lambda x: sg.relu(sg.hypot(x, 0.0) - 1) + x * x, 0.0, 2.0),
    ],
)
def test_second_derivatives_behind_a_choice_agree_in_every_mode(f, x, wanted, backend):
    second = sg.derivative(f, 2)
    w = Value(1.0)
    batch = sg.compile(lambda s: second(w * s), parameters=[w], backend=backend)
    replayed = sg.replay(lambda: sg.grad(sg.grad(f))(w) * 1.0, backend="python")
    compiled_second = sg.compile(second, backend=backend)
    compiled_second(7.0)
    found = {
        "derivative": second(x),
        "hessian": sg.hessian(lambda v: f(v[0]))([x])[0][0],
        "hvp": sg.hvp(lambda v: f(v[0]), ([x],), ([1.0],))[0],
        "jvp of jvp": sg.jvp(lambda t: sg.jvp(f, (t,), (1.0,))[1], (x,), (1.0,))[1],
        "jvp of grad": sg.jvp(sg.grad(f), (x,), (1.0,))[1],
        "compile": compiled_second(x),
        "values": batch.values([x])[0],
    }
    w.data = x
    found["replay"] = replayed().data
    assert {mode: y for mode, y in found.items() if y != wanted} == {}


def test_functions_and_checkpoints_behind_a_choice():
    class Root(sg.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return math.sqrt(x.data)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_values
            return grad * 0.5 / sg.sqrt(x)

    f = lambda x: sg.relu(Root.apply(sg.relu(x)) - 1) + x * x  # noqa: E731
    assert (sg.grad(f)(-1.0), sg.derivative(f, 2)(-1.0)) == (-2.0, 2.0)
    g = lambda x: where_positive(x, sg.checkpoint(lambda t: sg.sqrt(t))(x)) + x * x  # noqa: E731
    assert (sg.grad(g)(0.0), sg.derivative(g, 2)(0.0)) == (0.0, 2.0)


def test_a_hook_that_scales_passes_nothing_on_where_nothing_came():
    for create_graph in (False, True):
        x = Value(0.0)
        root = sg.sqrt(x)
        sg.register_hook(root, lambda gradient: gradient * 2)
        (where_positive(x, root) + x).backward(create_graph=create_graph)
        assert (x.grad if type(x.grad) is float else x.grad.data) == 1.0


def test_a_recorded_graph_of_gradients_holds_at_other_numbers():
    f = lambda x: sg.relu(sg.sqrt(x) - 1) + x * x  # noqa: E731
    w = Value(4.0)
    replayed = sg.replay(lambda: sg.grad(f(w), w, create_graph=True), backend="python")
    assert replayed().data == 8.25
    w.data = 0.25
    assert replayed().data == 0.5
