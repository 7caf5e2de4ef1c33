"""Derivatives of functions are those of mpmath, agree with each other, and may be nested."""

import math
from fractions import Fraction

import pytest
from helpers import arguments, call, slope
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from optional import mpmath, numpy

import scalargrad as sg
from scalargrad import (
    Exact,
    Value,
    complex_step,
    count_operations,
    derivative,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    sparsity,
    value_and_grad,
    vjp,
)
from scalargrad.table import TABLE

# A program is a list of (op, index, index): smooth operations on earlier nodes, for Values and mpmath numbers alike.
OPS = {
    "add": lambda m, x, y: x + y,
    "subtract": lambda m, x, y: x - y,
    "multiply": lambda m, x, y: x * y,
    "divide": lambda m, x, y: x / (y * y + 1),
    "power": lambda m, x, y: x**3,
    "exp": lambda m, x, y: m.exp(x * 0.5),
    "sin": lambda m, x, y: m.sin(x),
    "tanh": lambda m, x, y: m.tanh(x),
    "log": lambda m, x, y: m.log(x * x + 1),
    "sqrt": lambda m, x, y: m.sqrt(x * x + y * y + 1),
}
programs = st.lists(
    st.tuples(st.sampled_from(sorted(OPS)), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=9
)
points = st.lists(st.floats(-1.2, 1.2, allow_subnormal=False), min_size=2, max_size=4)


def run(program, xs, m):
    nodes = list(xs)
    for op, i, j in program:
        nodes.append(OPS[op](m, nodes[i % len(nodes)], nodes[j % len(nodes)]))
    return nodes[-1] + nodes[len(nodes) // 2] * 0.5


def close(a, b, tolerance=1e-10):
    return abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))


@settings(max_examples=40)
@given(programs, points)
def test_hessians_and_third_derivatives_agree_with_mpmath(program, xs):
    n = len(xs)
    with mpmath.workdps(60):
        at = [mpmath.mpf(x) for x in xs]

        def oracle(orders):
            return float(mpmath.diff(lambda *args: run(program, args, mpmath), tuple(at), orders))

        def orders(*indices):
            return tuple(sum(i == k for i in indices) for k in range(n))

        H = hessian(lambda v: run(program, v, sg))(xs)
        for i in range(n):
            for j in range(i + 1):
                assert close(H[i][j], oracle(orders(i, j)))
                assert close(H[i][j], H[j][i])
        third = grad(lambda v: grad(lambda w: grad(lambda u: run(program, u, sg))(w)[0])(v)[n - 1])(xs)
        for k in range(n):
            assert close(third[k], oracle(orders(0, n - 1, k)))


@pytest.mark.parametrize("name", sorted(TABLE))
def test_second_derivatives_of_every_op(name):
    """The rules run on Values: their slope is the slope of the first derivative, taken by differences of floats."""
    op = TABLE[name]

    @settings(max_examples=8)
    @given(arguments(op, margin=0.05))
    def holds(xs):
        for i in range(op.has_index, len(xs)):
            for j in range(op.has_index, len(xs)):

                def first(t, i=i, j=j):
                    values = [Value(x) for x in xs]
                    values[j] = Value(t)
                    return grad(call(op, values), values[i])

                numeric, error = slope(first, xs[j], h=1e-3)
                values = [Value(x) for x in xs]
                second = grad(grad(call(op, values), values[i], create_graph=True), values[j])
                assert second == pytest.approx(numeric, rel=1e-5, abs=10 * error + 1e-6)

    holds()


@settings(max_examples=40)
@given(programs, points, st.data())
def test_forward_equals_reverse_by_the_dot_product_identity(program, xs, data):
    """v·(J u) = (v J)·u for an output of two numbers."""
    numbers = st.floats(-2, 2, allow_subnormal=False)
    u, v = [data.draw(numbers) for _ in xs], [data.draw(numbers) for _ in range(2)]

    def f(x):
        return [run(program, x, sg), run(program, x[::-1], sg) * x[0]]

    _, ju = jvp(f, (xs,), (u,))
    _, pull_back = vjp(f, xs)
    (vj,) = pull_back(v)
    left, right = sum(a * b for a, b in zip(v, ju, strict=True)), sum(a * b for a, b in zip(vj, u, strict=True))
    size = sum(abs(a * b) for a, b in zip(vj, u, strict=True)) + sum(abs(a * b) for a, b in zip(v, ju, strict=True))
    assert abs(left - right) <= 1e-12 * max(1.0, size)


@settings(max_examples=40)
@given(programs, points, st.data())
def test_hvp_is_the_hessian_times_the_vector_and_both_jacobians_agree(program, xs, data):
    v = [data.draw(st.floats(-2, 2, allow_subnormal=False)) for _ in xs]

    def f(x):
        return run(program, x, sg)

    H = hessian(f)(xs)
    product = hvp(f, (xs,), (v,))
    for row, entry in zip(H, product, strict=True):
        assert close(sum(a * b for a, b in zip(row, v, strict=True)), entry)
    forward, reverse = jacfwd(grad(f))(xs), jacrev(grad(f))(xs)
    for a, b, c in zip(forward, reverse, H, strict=True):
        assert a == pytest.approx(c, rel=1e-10, abs=1e-10)
        assert b == pytest.approx(c, rel=1e-10, abs=1e-10)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("+-*/p"), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8),
    st.lists(st.fractions(-3, 3, max_denominator=20), min_size=2, max_size=3),
)
def test_a_rational_graphs_gradient_is_the_exact_fraction(program, xs):
    """Against the same program on dual numbers of Python's own fractions."""

    def build(xs, zero_plus):
        nodes = list(xs)
        for op, i, j in program:
            x, y = nodes[i % len(nodes)], nodes[j % len(nodes)]
            nodes.append(
                x + y
                if op == "+"
                else x - y
                if op == "-"
                else x * y
                if op == "*"
                else x / (y * y + 1)
                if op == "/"
                else x**2
            )
        return nodes[-1] * zero_plus

    leaves = [Value(Exact(x)) for x in xs]
    y = build(leaves, 3)
    y.backward()
    for k, leaf in enumerate(leaves):
        dual = build([Dual(x, Fraction(int(i == k))) for i, x in enumerate(xs)], 3)
        assert isinstance(y.data, Exact)
        assert y.data == dual.value
        assert leaf.grad == dual.slope


class Dual:
    """A fraction with its derivative: forward mode by hand, for the four operations."""

    def __init__(self, value, slope=Fraction(0)):
        self.value, self.slope = value, slope

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(Fraction(other))
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other):
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(Fraction(other))
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other):
        return Dual(self.value / other.value, (self.slope * other.value - self.value * other.slope) / other.value**2)

    def __pow__(self, n):
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope)


@settings(max_examples=40)
@given(programs, points)
def test_the_complex_step_agrees(program, xs):
    def f(*v):
        return run(program, v, sg)

    for a, b in zip(complex_step(f, xs), grad(lambda v: f(*v))(xs), strict=True):
        assert close(a, b, 1e-12)
    with pytest.raises(TypeError, match="'relu' has no complex counterpart"):
        complex_step(lambda x: x.relu(), [1.0])


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "logsigmoid", "silu", "logsumexp", "power"])
@given(st.floats(-900, 900) | st.sampled_from([-709.0, 0.0, 745.5]), st.integers(-300, 300))
def test_the_complex_step_agrees_where_parts_of_it_overflow_or_turn_around(name, x, n):
    def f(x):
        if name == "power":
            return (x / 900) ** n
        return sg.logsumexp([x, 0.5 * x]) if name == "logsumexp" else getattr(sg, name)(x)

    assume(name != "power" or abs(x) > 300)
    (found,) = complex_step(f, [x])
    assert found == pytest.approx(grad(f)(x), rel=1e-11, abs=1e-15)  # sigmoid's is z (1 - z), which cancels near 1


def test_what_the_complex_step_cannot_tell_is_refused():
    with pytest.raises(ValueError, match="exp has no complex value at 800.0 .label 'x'"):
        complex_step(lambda x: named(x).exp(), [800.0])
    with pytest.raises(ValueError, match="only whole powers are real"):
        complex_step(lambda x, y: x**y, [-2.0, 3.0])
    for h in (0.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="h must be a finite number other than 0"):
            complex_step(lambda x: x, [1.0], h=h)


def named(x):
    x.label = "x"
    return x


# -------------------------------------------------------------------- structures, aux, nesting


def test_the_gradient_has_the_structure_of_its_argument():
    assert grad(lambda x: x * x)(3.0) == 6.0
    assert grad(lambda w: w["a"] * w["b"][0])({"a": 2.0, "b": (5, 1)}) == {"a": 5.0, "b": (2.0, 0.0)}
    assert grad(lambda m: sum(x * x for row in m for x in row))([[1.0, 2.0], [3.0]]) == [[2.0, 4.0], [6.0]]
    assert grad(lambda x, y: x * y, argnums=1)(2.0, 5.0) == 2.0
    assert grad(lambda x, y: x * y, 1)(2.0, 5.0) == 2.0
    assert grad(lambda x, y: x * y, argnums=(1, 0))(2.0, 5.0) == (2.0, 5.0)
    assert grad(lambda x: 7.0)(2.0) == 0.0
    assert value_and_grad(lambda x: (x * x, "note"), has_aux=True)(3.0) == ((9.0, "note"), 6.0)
    assert grad(lambda x: (x * x, x + 1), has_aux=True)(3.0) == (6.0, 4.0)
    assert jacobian(lambda x: {"a": x[0] * x[1], "b": [x[0]]})([2.0, 3.0]) == {"a": [3.0, 2.0], "b": [[1.0, 0.0]]}
    assert hessian(lambda x: x**3)(2.0) == 12.0
    assert vjp(lambda x, y: [x * y, 1.0], 2.0, 3.0)[1]([10.0, 5.0]) == (30.0, 20.0)
    assert jvp(lambda x: [x, 2.0], (3.0,), (1.0,)) == ([3.0, 2.0], [1.0, 0.0])


def test_the_arguments_are_left_alone():
    x, y = Value(2.0), [1.0, 2.0]
    grad(lambda v: v[0] * x)(y)
    assert (x.grad, y) == (0.0, [1.0, 2.0])
    outer = Value(3.0)
    g = grad(lambda v: v * v)(outer)
    assert isinstance(g, Value)
    assert (g.data, outer.grad) == (6.0, 0.0)
    g.backward()
    assert outer.grad == 2.0


def test_no_perturbation_confusion():
    """d/dx [x · d/dy (x·y)] = d/dx [x · x] = 2x; a confused engine says 2x + y or 1."""
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0
    assert jvp(lambda x: x * jvp(lambda y: x * y, (2.0,), (1.0,))[1], (3.0,), (1.0,)) == (9.0, 6.0)
    assert grad(lambda x: x * jvp(lambda y: x * y, (2.0,), (1.0,))[1])(3.0) == 6.0
    assert jvp(lambda x: x * grad(lambda y: x * y)(2.0), (3.0,), (1.0,)) == (9.0, 6.0)


def test_constants_outside_do_not_cut_the_outer_derivative():
    for c in (Value(3.0, requires_grad=False), (Value(3.0) * 1).detach()):
        assert grad(lambda x: grad(lambda y: x * x * y)(2.0))(c).data == 6.0
        assert grad(lambda x: jvp(lambda y: x * x * y, (2.0,), (1.0,))[1])(c).data == 6.0
        assert jacfwd(lambda x: jacfwd(lambda y: x * x * y)(1.0))(c).data == 6.0


def test_inside_no_grad_results_are_constants_and_numbers_stay_right():
    x = Value(3.0)
    y = x**3
    with sg.no_grad():
        g = grad(y, x, create_graph=True)
        y.backward(create_graph=True)
        outside = grad(lambda v: v**3)(x)
    assert grad(g, x) == grad(x.grad, x) == 18.0  # create_graph asks for a graph, as in PyTorch
    assert outside.is_leaf
    assert not outside.requires_grad

    def f(x):
        with sg.no_grad():
            g = grad(lambda y: y**3)(x)
        return x * g

    assert grad(f)(2.0) == 12.0


@pytest.mark.parametrize("n", range(5))
def test_powers_are_polynomials_at_zero_to_any_order(n):
    for order in range(7):
        expected = float(math.factorial(n)) if order == n else 0.0
        assert derivative(lambda x: x**n, order)(0.0) == expected


def test_what_a_choice_leaves_out_does_no_harm_in_higher_orders():
    assert [derivative(sg.elu, n)(1000.0) for n in range(1, 4)] == [1.0, 0.0, 0.0]
    assert hessian(lambda x: sg.elu(x[0]) * x[1])([1000.0, 2.0]) == [[0.0, 1.0], [1.0, 0.0]]
    for name in ("relu", "leaky_relu", "elu", "silu", "gelu", "softplus", "tanh", "sigmoid"):
        for x in (-1000.0, -800.0, 800.0, 1000.0):
            assert all(math.isfinite(derivative(getattr(sg, name), n)(x)) for n in range(4))


def test_keyword_arguments_aux_and_empty_inputs():
    assert grad(lambda x, k=1.0: x * k)(3.0, k=5.0) == 5.0
    aux = grad(lambda x: (x, {"n": 7, "flag": True, "x": x, "text": "a"}), has_aux=True)(2.0)[1]
    assert repr(aux) == "{'n': 7, 'flag': True, 'x': 2.0, 'text': 'a'}"
    for transform in (jacobian, jacfwd, jacrev):
        assert transform(lambda x: [1.0, 2.0])([]) == [[], []]


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (1, 2.0), (True, 2.0), (numpy.int64(1), 2.0), (numpy.array(1), 2.0), (-1, 2.0),
        ([0, 1], (3.0, 2.0)), (numpy.array([0, 1]), (3.0, 2.0)), (numpy.array([1]), (2.0,)), (range(2), (3.0, 2.0)),
        ((False, True), (3.0, 2.0)),
    ],
)  # fmt: skip
def test_whatever_is_an_integer_or_several_chooses_arguments(argnums, expected):
    assert grad(lambda a, b: a * b, argnums=argnums)(2.0, 3.0) == expected


def test_nth_derivatives():
    assert derivative(lambda x: x**5, 0)(2.0) == 32.0
    assert [derivative(sg.exp, n)(1.0) for n in range(5)] == pytest.approx([math.e] * 5, rel=1e-14)
    assert derivative(sg.sin, 7)(0.3) == pytest.approx(-math.cos(0.3), rel=1e-13)
    assert derivative(lambda x: 1 / x, 6)(2.0) == pytest.approx(math.factorial(6) / 2**7, rel=1e-12)
    for n in (-1, 1001):
        with pytest.raises(ValueError, match=rf"order of a derivative must be at (least 0|most 1000), not {n}"):
            derivative(sg.sin, n)


def test_create_graph_in_backward():
    x = Value(2.0)
    (x**3).backward(create_graph=True)
    assert isinstance(x.grad, Value)
    g = x.grad
    x.zero_grad()
    g.backward()
    assert x.grad == 12.0


def test_gradients_of_values_have_no_side_effects():
    x, y, unused = Value(2.0, label="x"), Value(3.0), Value(1.0)
    f = x * y + y
    assert grad(f, [x, {"y": y}, unused]) == [3.0, {"y": 3.0}, 0.0]
    assert grad([f, x], x, grad_outputs=[10.0, 1.0]) == 31.0
    assert (x.grad, y.grad, f.grad) == (0.0, 0.0, 0.0)
    first = grad(x * 1 + y * 1, [x, y], create_graph=True)
    assert first[0] is not first[1]
    assert grad(x, x) == 1.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: grad(lambda x: [x, x])(1.0), TypeError, "must return one number, not 2 in a structure: use jacobian"),
        (lambda: grad(lambda x: x)("a"), TypeError, "argument 0 of <lambda> must be a number, a Value, or lists"),
        (lambda: grad(lambda x: "a")(1.0), TypeError, "the result of <lambda> must be"),
        (lambda: grad(lambda x: x, argnums=2)(1.0), TypeError, "1 positional arguments, but argnums is 2$"),
        (lambda: hessian(lambda: 2.0)(), TypeError, r"What is differentiated for are its .*: grad\(f\(\), \[a, b\]\)"),
        (
            lambda: grad(lambda x: x, argnums=0.0)(1.0),
            TypeError,
            r"argnums must be a list, as in argnums=\(0, 1\), not",
        ),
        (lambda: grad(lambda x: x, argnums=[0.0])(1.0), TypeError, "argnums must be an integer, not float"),
        (lambda: grad(3.0), TypeError, "grad takes a function, or Values and inputs, not float"),
        (lambda: grad(Value(1.0)), TypeError, "needs the inputs"),
        (lambda: grad(Value(1.0) * 2, 3.0), TypeError, "must be Values"),
        (lambda: grad([Value(1.0)], Value(1.0), grad_outputs=[1.0, 2.0]), ValueError, "1 outputs, but 2 grad_outputs"),
        (lambda: grad(lambda x: x, has_aux=True)(1.0), TypeError, "must return \\(output, aux\\), not Value"),
        (lambda: vjp(lambda x: [x, x], 1.0)[1]([1.0]), ValueError, r"returns \[\*, \*\], but the cotangent is \[\*\]"),
        (
            lambda: jvp(lambda x: x, (1.0,), ([1.0, 2.0],)),
            ValueError,
            r"the arguments are \(\*\), but the tangents are \(\[\*, \*\]\)",
        ),
        (lambda: jvp(lambda x, y: y, ([1.0, 2.0], 3.0), (1.0, [2.0, 3.0])), ValueError, "the tangents are"),
        (lambda: grad(lambda x, y: x, argnums=(0, -2))(1.0, 2.0), ValueError, "names an argument twice"),
        (lambda: derivative(lambda x: x[0])([1.0, 2.0]), TypeError, "functions of one number"),
        (lambda: derivative(sg.sin, 1.5), TypeError, "must be an integer, not float"),
        (lambda: jvp(lambda x: x, 1.0, 1.0), TypeError, "tuples with an entry for each argument"),
        (lambda: count_operations(sg.sin, "sideways"), ValueError, "mode must be"),
        (lambda: sg.depends_on(1.0, Value(1.0)), TypeError, "takes two Values"),
    ],
)
def test_errors_say_what_to_do(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_transforms_work_inside_no_grad():
    with sg.no_grad():
        assert grad(lambda x: x * x)(3.0) == 6.0
        assert hessian(lambda x: x * x)(3.0) == 2.0
        assert jvp(lambda x: x * x, (3.0,), (1.0,)) == (9.0, 6.0)


def test_what_reverse_and_forward_mode_cost():
    def many_to_one(xs):
        return sum(x * x for x in xs)

    def one_to_many(x):
        return [x * float(k) for k in range(50)]

    xs = [1.0] * 50
    assert count_operations(many_to_one, "reverse")(xs).sweeps == 1
    assert count_operations(many_to_one, "forward")(xs).sweeps == 50
    assert count_operations(many_to_one, "forward")(xs).total > 4 * count_operations(many_to_one, "reverse")(xs).total
    assert count_operations(one_to_many, "reverse")(1.0).sweeps == 50
    assert count_operations(one_to_many, "forward")(1.0).sweeps == 1


def test_sparsity_of_an_elementwise_function_is_its_diagonal():
    pattern = sparsity(lambda xs: [x.relu() for x in xs])([1.0, -2.0, 3.0])
    assert pattern == [[i == j for j in range(3)] for i in range(3)]
    assert sparsity(lambda x, y: x, argnums=(0, 1))(1.0, 2.0) == (True, False)
    a, b = Value(1.0), Value(2.0)
    assert sg.depends_on(a * b, b)
    assert not sg.depends_on(a, b)
    assert sg.depends_on(a, a)


def test_a_changed_number_is_noticed_when_a_graph_is_asked_for():
    x = Value(2.0, label="x")
    y = x**3
    x.data = 5.0
    with pytest.raises(ValueError, match="Value 'x' was changed after '\\*\\*' used it at 2.0"):
        grad(y, x, create_graph=True)
    assert grad(y, x) == 12.0


@pytest.mark.parametrize("name", ["sqrt", "power", "divide", "hypot", "logsumexp"])
@pytest.mark.filterwarnings("ignore:.*the gradient is nan")
def test_second_derivatives_at_hard_points_never_raise(name):
    points = {
        "sqrt": (0.0,),
        "power": (0.0, 2.0),
        "divide": (0.0, 1.0),
        "hypot": (0.0, 0.0),
        "logsumexp": (0.0, 1000.0),
    }
    values = [Value(x) for x in points[name]]
    first = grad(getattr(sg, name)(*values), values[0], create_graph=True)
    assert isinstance(grad(first, values[0]), float)


def test_exact_numbers_with_floats_and_other_operations():
    x = Exact(1, 3)
    assert (x + 0.5, 1 - x, 2.0 * x, x / 2, -x, abs(-x), x**-2, x % 0.25) == (
        Fraction(5, 6), Fraction(2, 3), Fraction(2, 3), Fraction(1, 6), Fraction(-1, 3), x, Fraction(9), Fraction(1, 12),
    )  # fmt: skip
    assert isinstance(0.0 + x, Exact)
    assert math.isinf(x * math.inf)
    y = Value(x).relu() + sg.maximum(Value(x), 0.25) + sg.where(1.0, Value(x), 2.0)
    assert y.data == 1
    assert isinstance(Value(x).exp().data, float)
    assert isinstance(Value(Fraction(1, 3)).data, float)


@given(st.fractions(), st.sampled_from([math.inf, -math.inf, math.nan]))
def test_exact_numbers_to_infinite_powers_are_those_of_floats(x, n):
    assume(float(x) == x)
    try:
        expected = float(x) ** n
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            Value(Exact(x)) ** n
    else:
        assert repr((Value(Exact(x)) ** n).data) == repr(expected)


@pytest.mark.parametrize("op", [sg.floor, sg.ceil, sg.rint, lambda x: x // 1], ids=["floor", "ceil", "rint", "//"])
@given(st.fractions() | st.integers().map(Fraction))
def test_exact_numbers_are_rounded_exactly(op, x):
    python = {sg.floor: math.floor, sg.ceil: math.ceil, sg.rint: round}.get(op, math.floor)
    found = op(Value(Exact(x))).data
    assert isinstance(found, Exact)
    assert found == python(x)


@pytest.mark.parametrize("x", [Exact(10**400), Exact(-(10**400)), Exact(10**5000, 3)])
def test_an_exact_number_too_large_for_a_float_is_refused_by_whatever_computes_with_floats(x):
    v = Value(x)
    assert (v * 2 + 1).data == 2 * Fraction(x) + 1
    assert "Exact(" in repr(v)
    for op in (sg.exp, sg.expm1, sg.exp2, sg.sinh, sg.cosh, sg.tanh, sg.sigmoid, lambda v: v**0.5, lambda v: 2.5**v):
        with pytest.raises(ValueError, match="too large for a float|of more than 100000000 bits") as caught:
            op(v)
        assert len(str(caught.value).splitlines()[0]) < 200
    with pytest.raises(ValueError, match="of more than 100000000 bits"):
        v**1e300
    assert (Value(Exact(-1)) ** 1e300).data == 1


@pytest.mark.parametrize(
    "make", [value_and_grad, jacrev, jacfwd, jacobian, hessian, sg.derivative, sg.sparsity, sg.count_operations]
)
def test_a_value_in_place_of_a_function_is_refused_at_once_with_what_to_write(make):
    a, b = Value(2.0), Value(3.0)
    y = a * a * b
    with pytest.raises(TypeError, match=rf"{make.__name__} takes a function, not a Value: .* grad\(y, \[a, b\]\)"):
        make(y)
    with pytest.raises(TypeError, match=f"what {make.__name__} differentiates must be a function, not list"):
        make([y])
    second = [sg.grad(g, [a, b]) for g in sg.grad(y, [a, b], create_graph=True)]  # what is to be written
    assert second == hessian(lambda v: v[0] * v[0] * v[1])([2.0, 3.0]) == [[6.0, 4.0], [4.0, 0.0]]
