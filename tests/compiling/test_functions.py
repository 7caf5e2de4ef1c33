"""A Function whose forward and backward compute with Values is compiled, and its gradient is what its backward says."""

import pytest
from compiling_helpers import with_backends
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Function, Value, nn


class Legendre(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * (5 * x**3 - 3 * x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 1.5 * (5 * x**2 - 1)


class Reversed(Function):
    """The identity, with the gradient turned round: no derivative of its forward."""

    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        return -g


class Squeezed(Function):
    """Its backward is not linear in the gradient."""

    @staticmethod
    def forward(ctx, x):
        return x * 3

    @staticmethod
    def backward(ctx, g):
        return (g * 3).tanh()


class StraightThrough(Function):
    @staticmethod
    def forward(ctx, x):
        return sg.step(x)

    @staticmethod
    def backward(ctx, g):
        return g


class Hypotenuse(Function):
    """Two arguments, the output and a number of its own kept, a constant made inside."""

    @staticmethod
    def forward(ctx, x, y, scale):
        ctx.scale = scale
        z = sg.hypot(x, y) * Value(scale)
        ctx.save_for_backward(x, y, z)
        return z

    @staticmethod
    def backward(ctx, g):
        x, y, z = ctx.saved_values
        return g * x * ctx.scale**2 / z, g * y * ctx.scale**2 / z, None


class Half(Function):
    """A gradient for one argument alone, and that a number."""

    @staticmethod
    def forward(ctx, x, y):
        return x * 0.5 + y

    @staticmethod
    def backward(ctx, g):
        return None, 1.0


class Nested(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return Legendre.apply(x) + x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_values
        return g * Squeezed.apply(x)


class Branching(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.above = x > 1
        return x * x if ctx.above else x

    @staticmethod
    def backward(ctx, g):
        return g * 10 if ctx.above else g


MODELS = {
    "alone": lambda x, y: Legendre.apply(x),
    "inside": lambda x, y: (Legendre.apply(x * y) * 2 + y) ** 2,
    "reversed": lambda x, y: Reversed.apply(x * y) * x,
    "not linear": lambda x, y: Squeezed.apply(x) * y,
    "straight through": lambda x, y: StraightThrough.apply(x - y) * y + x,
    "two": lambda x, y: Hypotenuse.apply(x, y + 3, 2.0) * y,
    "twice the same": lambda x, y: Hypotenuse.apply(x + 3, x + 3, 2.0) * y,
    "a constant": lambda x, y: Hypotenuse.apply(x, 3.0, 1.5) * y,
    "half": lambda x, y: Half.apply(x, y) * x,
    "nested": lambda x, y: Nested.apply(x) * y,
    "several": lambda x, y: sg.sum([Legendre.apply(x), Legendre.apply(y), Reversed.apply(Legendre.apply(x + y))]),
    "below relu": lambda x, y: Legendre.apply((x - y).relu()) * x,
}


def gradient(f, backend, *point, **options):
    """The gradient that compiled code gives, of parameters: by the chain rule on the tape."""
    leaves = [Value(x) for x in point]
    loss = sg.compile(lambda one: f(*leaves) * one, backend=backend, parameters=leaves, **options)
    return tuple(loss.value_and_grad([1.0])[1])


@with_backends
@pytest.mark.parametrize("model", MODELS)
def test_value_and_gradients_are_those_of_eager_code(model, backend):
    f = MODELS[model]
    compiled = sg.compile(f, backend=backend)
    by_graph = sg.compile(sg.grad(f, argnums=(0, 1)), backend=backend)  # the gradient, recorded through Values
    for point in ((0.7, -1.3), (-0.4, 0.9), (1.5, 0.2)):
        x, y = Value(point[0]), Value(point[1])
        out = f(x, y)
        out.backward()
        expected = pytest.approx((x.grad, y.grad), rel=1e-12, abs=1e-14)
        assert compiled(*point) == pytest.approx(out.data, rel=1e-12)
        assert gradient(f, backend, *point) == expected
        assert by_graph(*point) == expected


@given(st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=50)
def test_at_any_numbers_and_twice(x, y):
    f = MODELS["inside"]
    expected = pytest.approx(sg.grad(f, argnums=(0, 1))(x, y), rel=1e-11, abs=1e-9)
    assert BY_GRAPH(x, y) == expected
    for compiled, eager in zip(TWICE([x, y]), sg.hessian(lambda p: f(*p))([x, y]), strict=True):
        assert compiled == pytest.approx(eager, rel=1e-11, abs=1e-9)


BY_GRAPH = sg.compile(sg.grad(MODELS["inside"], argnums=(0, 1)), backend="python")
TWICE = sg.compile(sg.hessian(lambda p: MODELS["inside"](*p)), backend="python")


@with_backends
def test_a_comparison_in_its_forward_is_guarded(backend):
    compiled = sg.compile(Branching.apply, backend=backend)
    assert (compiled(0.5), gradient(Branching.apply, backend, 0.5)) == (0.5, (1.0,))
    with pytest.raises(sg.BranchError, match="was False when it was recorded"):
        compiled(3.0)
    again = sg.compile(Branching.apply, backend=backend, branches="record")
    assert [again(x) for x in (0.5, 3.0, 0.25)] == [0.5, 9.0, 0.25]
    assert gradient(Branching.apply, backend, 3.0) == (10.0,)


@with_backends
def test_a_replay_and_a_training_follow_it(backend):
    w = Value(0.3)
    replayed = sg.replay(lambda: Legendre.apply(w) * w, backend=backend)
    for number in (0.3, -0.8):
        w.data, w.grad = number, 0.0
        replayed().backward()
        found, w.grad = w.grad, 0.0
        (Legendre.apply(w) * w).backward()
        assert found == pytest.approx(w.grad, rel=1e-12)

    def trained(compiled):
        model = nn.Sequential(nn.Layer(1, 4, activation=None, seed=1), lambda xs: [Legendre.apply(x) for x in xs],
                              nn.Layer(4, 1, activation=None, seed=2))  # fmt: skip
        X, y = [[k / 4] for k in range(-4, 5)], [k / 4 for k in range(-4, 5)]
        nn.fit(model, X, y, loss="mse", optimizer="sgd", lr=0.001, epochs=5, compiled=compiled, progress=False)
        return [p.data for p in model.parameters()]

    assert trained(backend) == pytest.approx(trained(False), rel=1e-12)


def test_constants_that_are_equal_to_places_are_told_apart():
    """1 is the second operand in a template, 1.0 a constant, -0.0 and 0.0 two constants."""

    def made(kept):
        class Made(Function):
            @staticmethod
            def forward(ctx, x, y):
                return x * kept if kept is not None else x * y

            @staticmethod
            def backward(ctx, g):
                return g, g

        return Made

    found = [sg.compile(made(kept).apply, backend="python")(2.0, 5.0) for kept in (None, 1.0, 0.0, -0.0)]
    assert list(map(repr, found)) == ["10.0", "2.0", "0.0", "-0.0"]


def refused(forward=lambda ctx, x: x * 2, backward=lambda ctx, g: g * 2):
    kind = type("Mine", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})
    return lambda x: kind.apply(x) * x


OUTSIDE = Value(2.0, label="w")
BY_HAND = Value(1.0)


def squared_by_hand(ctx, x):
    out = Value(1.0, (x,), "by hand")
    out._backward = lambda: None
    return out


def hidden_in_no_grad(ctx, x):
    with sg.no_grad():
        factor = x * 2
    return x * factor


@with_backends
@pytest.mark.parametrize(
    ("f", "message"),
    [
        (refused(forward=lambda ctx, x: x.data * 2), "took the number out of"),
        (refused(backward=lambda ctx, g: g.data * 2), "took the number out of"),
        (refused(forward=lambda ctx, x: x * OUTSIDE), "'Mine' uses Value 'w', which is not among its arguments"),
        (refused(forward=hidden_in_no_grad), "is not among its arguments|computed inside no_grad"),
        (refused(forward=squared_by_hand), "'Mine' uses 'by hand', which was written by hand"),
        (refused(backward=lambda ctx, g: g if g > 0 else -g), "Mine.backward compares its gradient"),
        (refused(backward=lambda ctx, g: (g, g)), "Mine.backward returned 2 gradients"),
        (refused(forward=lambda ctx, x: [x]), "Mine.forward must return one number, not list"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(f, message, backend):
    with pytest.raises((TypeError, ValueError), match=message):
        gradient(f, backend, 1.0)


def test_a_function_of_jax_is_refused_its_derivative():
    jax = pytest.importorskip("jax", reason="the extra `jax` is not installed")
    with pytest.raises(ValueError, match="is its Function's backward"):
        jax.grad(sg.compile(Legendre.apply).to_jax(1.0, dtype="float32"), argnums=1)([], 0.5)
