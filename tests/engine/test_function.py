"""Operations of one's own, in three shapes: right to any order, safe when they are wrong, and checked by differences."""

import math

import pytest
from helpers import arguments, call, slope
from hypothesis import given
from hypothesis import strategies as st
from rows import check_row

import scalargrad as sg
from scalargrad import Function, Value, grad, primitive
from scalargrad.table import TABLE, Domain


class Legendre3(Function):
    """P3(x) = (5x³ - 3x) / 2, as in PyTorch's tutorial."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * (5 * x**3 - 3 * x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * x**2 - 1)


class Product(Function):
    @staticmethod
    def forward(ctx, x, y, scale):
        z = x * y * scale
        ctx.save_for_backward(x, y, z)
        ctx.scale = scale
        return z

    @staticmethod
    def backward(ctx, grad_output):
        x, _, z = ctx.saved_values
        return grad_output * z / x, grad_output * x * ctx.scale, None


@given(st.floats(-3, 3))
def test_a_function_against_differences_and_to_the_third_order(x):
    v = Value(x)
    y = Legendre3.apply(v)
    y.backward()
    numeric, error = slope(lambda t: Legendre3.apply(Value(t)).data, x)
    assert v.grad == pytest.approx(numeric, rel=1e-7, abs=10 * error + 1e-9)
    second = grad(lambda x: grad(Legendre3.apply)(x))(x)
    assert second == pytest.approx(15 * x, rel=1e-12, abs=1e-12)
    assert sg.derivative(Legendre3.apply, 3)(x) == pytest.approx(15.0, rel=1e-12)


def test_saved_inputs_and_outputs_stay_differentiable():
    x, y = Value(2.0), Value(3.0)
    out = Product.apply(x, y, 10.0)
    assert (out.data, out.parents, out._op) == (60.0, (x, y), "Product")
    gx, gy = grad(out, [x, y], create_graph=True)
    assert (gx.data, gy.data) == (30.0, 20.0)
    assert grad(gx, [x, y]) == [0.0, 10.0]
    assert grad(gy, [x, y]) == [10.0, 0.0]
    assert Product.apply(2.0, 3.0, 1.0).is_leaf
    with sg.no_grad():
        assert Product.apply(x, y, 1.0).is_leaf


def test_a_function_sees_which_gradients_are_needed():
    seen = []

    class Look(Function):
        @staticmethod
        def forward(ctx, x, y, z):
            seen.append(ctx.needs_input_grad)
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g, g, None

    Look.apply(Value(1.0), Value(1.0, requires_grad=False), 3)
    assert seen == [(True, False, False)]


def test_applying_and_sweeping_a_function_looks_at_its_own_arguments_only(monkeypatch):
    """Not at the graph below them, nor at all of them for each: else n of them would take n² steps."""
    looked = []
    for name in ("requires_grad", "parents"):
        of_node = getattr(Value, name).fget
        monkeypatch.setattr(Value, name, property(lambda node, f=of_node, name=name: looked.append(name) or f(node)))

    class Total(Function):
        @staticmethod
        def forward(ctx, *xs):
            return sg.sum(list(xs))

        @staticmethod
        def backward(ctx, g):
            return [g] * 100

    x, n = Value(1.0), 100
    y = x
    for _ in range(n):
        y = Total.apply(y, *[1.0] * 98, x)
    y.backward()
    assert x.grad == n + 1.0
    assert len(looked) <= 3 * n


def broken(result):
    class Broken(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return result(g)

    return Broken


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        (lambda g: g, ValueError, "Broken.backward returned 1 gradients, but forward took 2 arguments"),
        (lambda g: (g, g, g), ValueError, "returned 3 gradients"),
        (lambda g: (g, "a"), TypeError, "must return numbers, Values or None, but gradient 2 is of type str"),
        (lambda g: (g, 1j), TypeError, "gradient 2 is of type complex"),
        (lambda g: 1 / 0, ZeroDivisionError, "division"),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_wrong_backward_says_so_and_leaves_every_gradient_as_it_was(result, error, message, create_graph):
    x, y = Value(2.0), Value(3.0)
    root = broken(result).apply(x, y) * x + y
    nodes = sg.topological_order(root)
    for i, node in enumerate(nodes):
        node.grad = float(i)
    with pytest.raises(error, match=message):
        root.backward(create_graph=create_graph)
    assert [node.grad for node in nodes] == [float(i) for i in range(len(nodes))]


def test_a_wrong_forward_says_so():
    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            return [x, x]

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(TypeError, match="Two.forward must return one number, not list"):
        Two.apply(Value(1.0))
    with pytest.raises(TypeError, match="Function needs a static method forward"):
        Function.apply(Value(1.0))


def test_an_exception_in_a_micrograd_closure_leaves_every_gradient_as_it_was():
    x = Value(2.0)
    out = Value(4.0, (x,), "bad")

    def _backward():
        x.grad += 5.0
        raise RuntimeError("broken")

    out._backward = _backward
    x.grad = 7.0
    with pytest.raises(RuntimeError, match="broken"):
        (out * x).backward()
    assert (x.grad, out.grad) == (7.0, 0.0)
    with pytest.raises(TypeError, match="the hand-written _backward of 'bad' computes numbers"):
        grad(out, x, create_graph=True)


# -------------------------------------------------------------------- @primitive


def test_a_primitive_keeps_the_promises_of_every_row():
    @primitive(partials=lambda x, z: 1.5 * (5 * x**2 - 1))
    def legendre(x):
        """Return P3(x)."""
        return 0.5 * (5 * x**3 - 3 * x)

    @primitive(partials=[lambda x, y: 2 * x * y, lambda x, y: x * x], domain=[(-2.0, 2.0), Domain(low=0.0)])
    def weighted(x, y):
        return x * x * y

    @primitive(partials=(lambda a, b, c, z: b * c, lambda a, b, c: a * c, lambda a, b, c, z: a * b))
    def volume(a, b, c):
        return a * b * c

    def check(op):
        @given(arguments(op) if op.arity else st.lists(st.floats(-3, 3), min_size=3, max_size=3))
        def holds(xs):
            check_row(op, xs)
            first = grad(lambda v: call(op, v))
            numeric, error = slope(lambda t: first([t, *xs[1:]])[0], xs[0])
            assert grad(lambda v: first(v)[0])(xs)[0] == pytest.approx(numeric, rel=1e-6, abs=10 * error + 1e-8)

        holds()

    for made in (legendre, weighted, volume):
        check(made.op)

    assert legendre.__doc__ == "Return P3(x)."
    x = Value(2.0, label="x")
    assert x.legendre().data == 17.0
    assert legendre(2.0) == 17.0
    assert [legendre(t) for t in (-1.0, 0.0, 0.5, 1.0)] == [-1.0, 0.0, -0.4375, 1.0]
    assert sg.trace(x.legendre())[-1].why == (
        "legendre scales: the local derivative for x is 1.5 × (5 × x² − 1) = 1.5 × (5 × 2² − 1) = 28.5."
    )
    assert "legendre(x)" in sg.draw(x.legendre(), engine="text").text
    assert x.legendre().formula("latex") == r"\operatorname{legendre}\left(x\right)"
    assert sg.jvp(legendre, (2.0,), (1.0,)) == (17.0, 28.5)


def test_a_primitive_may_be_defined_again_but_takes_no_name_of_the_package():
    for factor in (2.0, 3.0):  # as when a notebook's cell is run twice

        @primitive(partials=factor)
        def scaled(x, factor=factor):
            return x * factor

    assert grad(scaled)(1.0) == 3.0
    for name in ("tanh", "data", "backward", "not a name"):
        with pytest.raises(ValueError, match=f"the name '{name}' is taken or no identifier"):
            primitive(lambda x: x, partials=1.0, name=name)
    with pytest.raises(ValueError, match="takes 2 arguments, so it needs 2 partials, not 1"):
        primitive(lambda x, y: x, partials=lambda x, y: 1.0, name="two")
    with pytest.raises(ValueError, match="a partial of three takes 3 arguments; it must take 1, or 2 with the result"):
        primitive(lambda x: x, partials=lambda x, y, z: 1.0, name="three")


def test_a_primitive_outside_its_domain_and_at_its_pole():
    @primitive(partials=lambda x, z: -z * z, pole=lambda x: math.copysign(math.inf, x), domain=Domain(hole=0.0))
    def inverse(x):
        return 1 / x

    with pytest.raises(ZeroDivisionError, match=r"inverse: division by zero at 0.0 \(label 'x'\)"):
        inverse(Value(0.0, label="x"))


def squares(keep, use):
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            keep(ctx, x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return g * 2 * use(ctx)

    return Square.apply


def test_whatever_way_an_input_is_kept_it_stays_differentiable():
    ways = [
        (lambda ctx, x: ctx.save_for_backward(x), lambda ctx: ctx.saved_values[0]),
        (lambda ctx, x: ctx.save_for_backward([x]), lambda ctx: ctx.saved_values[0][0]),
        (lambda ctx, x: setattr(ctx, "x", x), lambda ctx: ctx.x),
        (lambda ctx, x: setattr(ctx, "kept", {"x": x}), lambda ctx: ctx.kept["x"]),
    ]
    for keep, use in ways:
        assert sg.derivative(squares(keep, use), 2)(3.0) == 2.0
    intermediate = squares(lambda ctx, x: ctx.save_for_backward(x * 1), lambda ctx: ctx.saved_values[0])
    assert grad(intermediate)(3.0) == 6.0
    with pytest.raises(
        TypeError, match="no graph of gradients through Square: its forward kept .* neither an input nor"
    ):
        sg.derivative(intermediate, 2)(3.0)


def test_an_input_changed_since_is_noticed():
    x = Value(3.0)
    y = Legendre3.apply(x)
    x.data = 5.0
    assert grad(y, x) == 1.5 * (5 * 9 - 1)
    with pytest.raises(ValueError, match="was changed after 'Legendre3' used it at 3.0"):
        grad(y, x, create_graph=True)


def test_a_primitive_returns_a_real_number_and_takes_domains_in_every_form():
    root = primitive(lambda x: x**0.5, partials=lambda x, z: 0.5 / z, name="root")
    with pytest.raises(TypeError, match="must be a real number, not complex"):
        root(Value(-1.0))
    huge = primitive(lambda x: 10**400, partials=0.0, name="huge")
    with pytest.raises(ValueError, match="huge: .*must fit a float, and this int is too large.*, at 1.0"):
        huge(Value(1.0))
    for domain in ((0.0, 1.0), [(0.0, 1.0)], Domain(0.0, 1.0), [Domain(0.0, 1.0)]):
        assert primitive(lambda x: x, partials=1.0, name="same", domain=domain).op.domain == (Domain(0.0, 1.0),)
    three = {"partials": [1.0, 1.0, 1.0], "name": "three"}
    assert primitive(lambda a, b, c: a, domain=[(0.0, 1.0)] * 3, **three).op.domain == (Domain(0.0, 1.0),)
    with pytest.raises(ValueError, match="they share one domain"):
        primitive(lambda a, b, c: a, domain=[(0.0, 1.0), (0.0, 2.0), (0.0, 1.0)], **three)
    with pytest.raises(ValueError, match="takes 2 arguments, but 3 domains were given"):
        primitive(lambda a, b: a, partials=[1.0, 0.0], domain=[(0.0, 1.0)] * 3, name="two")
    with pytest.raises(ValueError, match="the name 'if' is taken or no identifier"):
        primitive(lambda x: x, partials=1.0, name="if")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"domain": 5}, TypeError, "domain must be a list, as in"),
        ({"domain": ["ab"]}, TypeError, "a domain must be a list"),
        ({"domain": [(0.0,)]}, ValueError, r"a domain is a Domain or \(low, high\)"),
        ({"domain": [("a", 1.0)]}, TypeError, "end of a domain must be a real number, not str"),
        ({"domain": (1.0, 0.0)}, ValueError, "not from 1.0 to 0.0"),
        ({"domain": (0.0, math.nan)}, ValueError, "not from 0.0 to nan"),
        ({"kinks": 5}, TypeError, "kinks of wrong must be a function of its arguments, not int"),
        ({"partials": "a"}, TypeError, "a partial of wrong that is no function must be a real number, not str"),
        ({"partials": [1.0, 1.0]}, ValueError, "takes 1 arguments, so it needs 1 partials, not 2"),
    ],
)
def test_wrong_facts_of_a_primitive_are_named(options, error, message):
    with pytest.raises(error, match=message):
        primitive(lambda x: x, name="wrong", **{"partials": 1.0, **options})
    assert "wrong" not in TABLE


def test_a_primitive_has_operands():
    with pytest.raises(ValueError, match="wrong has no operands"):
        primitive(lambda *xs: 1.0, name="wrong", partials=1.0)


def test_a_domain_holds_numbers_of_every_kind():
    domain = Domain(0.0, 5.0, hole=1.0)
    assert [x in domain for x in (2, 2.0, True, 6, 1, -1, 10**400, "2", None, 2j)] == [True, True, *[False] * 8]
    assert [x in Domain(whole=True) for x in (2, 2.0, 2.5)] == [True, True, False]


def test_of_numbers_alone_a_constant_comes():
    for argument in (0.5, Value(0.5, requires_grad=False)):
        x, y = Value(1.5), Legendre3.apply(argument)
        assert (y.data, y.requires_grad) == (-0.4375, False)
        (y * x * x).backward(create_graph=True)
        assert x.grad.data == -1.3125
    assert (Legendre3.apply(0.5).is_leaf, Legendre3.apply(0.5).parents) == (True, ())
