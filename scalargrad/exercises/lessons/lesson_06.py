"""The exercises of notebook 06, your own function."""

from typing import TYPE_CHECKING, Any

from scalargrad import functional
from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import close, expect, number, result_of
from scalargrad.function import Context, Function
from scalargrad.ops import sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable


def _square(x: Any) -> Any:
    return x * x


def _value(answer: Any, *args: Value) -> Value:
    out = result_of(answer, *args)
    if not isinstance(out, Value):
        raise NotYetError(f"it returns a Value, made by hand: Value(number, (x,), 'square'), not {out!r}")
    return out


def _closure(answer: Any) -> None:
    x = Value(3.0)
    out = _value(answer, x)
    expect(close(out.data, _square(3.0)), f"the Value's number is x², and not {out.data:g} at 3")
    expect(x in out.parents, "x is not among the parents of what is returned: Value(number, (x,), 'square')")
    expect(out._op != _square(x)._op, "that is the engine's own product: make the node by hand, as above")
    trials: tuple[tuple[str, Callable[[Any], Any], str], ...] = (
        ("x²", lambda y: y, "_backward adds the slope of x² to x.grad; has it been put into out._backward?"),
        ("5·x²", lambda y: 5 * y, "it has five times the slope of x²: multiply by out.grad, what came from above"),
    )
    for what, outer, why in trials:
        x = Value(3.0)
        outer(_value(answer, x)).backward()
        right = functional.grad(lambda v, outer=outer: outer(_square(v)))(3.0)
        expect(close(x.grad, right), f"{what}: {why}")
    x = Value(3.0)
    out = _value(answer, x)
    x.grad, out.grad = 10.0, 1.0  # as if something had come back on another way already
    out._backward()
    expect(close(x.grad, 10.0 + functional.grad(_square)(3.0)), "x may be used twice: add to x.grad with +=")


def _cone(r: Any, h: Any) -> Any:
    return r * r * h


def _function(answer: Any) -> None:
    kind: Any = answer if isinstance(answer, type) else type(answer)
    expect(issubclass(kind, Function), "a class that inherits from Function is asked for, as LegendrePolynomial3 does")
    ctx = Context((True, True))
    result_of(kind.forward, ctx, Value(3.0), Value(2.0))
    result_of(kind.backward, ctx, Value(1.0))
    for r, h in ((3.0, 2.0), (-1.5, 0.5)):
        leaves = Value(r), Value(h)
        out = result_of(kind.apply, *leaves)
        expect(close(out.data, _cone(r, h)), f"forward gives r² · h, and not {out.data:g} at r = {r:g}, h = {h:g}")
        (2 * out).backward()
        found = [leaf.grad for leaf in leaves]
        right = functional.grad(lambda r, h: 2 * _cone(r, h), argnums=(0, 1))(r, h)
        expect(
            not all(close(2 * x, y) for x, y in zip(found, right, strict=True)),
            "multiply both by grad_output, what came from above",
        )
        expect(
            not all(close(x, y) for x, y in zip(found, right[::-1], strict=True)),
            "the two are right, but the other way round: first for r, then for h",
        )
        for name, x, y in zip("rh", found, right, strict=True):
            expect(close(x, y), f"backward gives {x / 2:g} for {name} at r = {r:g}, h = {h:g}; nudge {name}")


def _chain() -> float:
    """P3(P3(x)) has this slope at 1."""

    def legendre(x: Any) -> Any:
        return 0.5 * (5 * x**3 - 3 * x)

    return float(functional.grad(lambda x: legendre(legendre(x)))(1.0))


def _by_sigmoid(x: Any, k: Any) -> Any:
    return x * sigmoid(k * x)


def _swish(answer: Any) -> None:
    for x, k in ((0.7, 1.5), (-2.0, 0.5), (3.0, -1.0)):
        leaves = Value(x), Value(k)
        out = result_of(answer, *leaves)
        expect(isinstance(out, Value) and close(out.data, _by_sigmoid(x, k)), "the value is x · σ(k·x)")
        expect(
            set(out.parents) == set(leaves) and out._op != _square(leaves[0])._op,
            "it is made of the engine's operations, which have their derivatives: write @primitive(...) above it, so "
            "that it becomes one operation with your derivatives",
        )
        out.backward()
        right = functional.grad(_by_sigmoid, argnums=(0, 1))(x, k)
        found = [leaf.grad for leaf in leaves]
        expect(
            not all(close(x, y) for x, y in zip(found, right[::-1], strict=True)),
            "the two partials are right, but the other way round: first for x, then for k",
        )
        for name, given, wanted in zip("xk", found, right, strict=True):
            expect(close(given, wanted), f"the partial for {name} is not right at x = {x:g}, k = {k:g}: nudge {name}")


EXERCISES = (
    Exercise(
        id="06.closure",
        question="Write square_closure(x) for x², in way 1: a Value made by hand, whose _backward adds to x.grad.",
        parts=(Part("square_closure", _closure),),
        hints=(
            "Take legendre_closure, and change the number and the slope.",
            "x.grad += slope of x² * out.grad, and out._backward = _backward.",
        ),
        solution="""
from scalargrad import Value


def square_closure(x):
    out = Value(x.data**2, (x,), "square")

    def _backward():
        x.grad += 2 * x.data * out.grad  # the local derivative, times what came from above

    out._backward = _backward
    return out
""",
        reveal="It was tried alone, below another operation and with two uses of x: that is what `* out.grad` and `+=` "
        "are for.",
    ),
    Exercise(
        id="06.function",
        question="Write a Function `Cone` with forward(ctx, r, h) = r² · h. Its backward returns two gradients.",
        parts=(Part("cone", _function),),
        hints=(
            "ctx.save_for_backward(r, h) in forward; r, h = ctx.saved_tensors in backward.",
            "Return a tuple: grad_output times the slope in r, grad_output times the slope in h.",
        ),
        solution="""
from scalargrad import Function


class cone(Function):
    @staticmethod
    def forward(ctx, r, h):
        ctx.save_for_backward(r, h)
        return r * r * h

    @staticmethod
    def backward(ctx, grad_output):
        r, h = ctx.saved_tensors
        return grad_output * 2 * r * h, grad_output * r * r  # one for each argument, in their order
""",
        reveal="One gradient for each argument of forward, in the same order, each times grad_output.",
    ),
    Exercise(
        id="06.chain",
        question="P3(1) = 1 and P3'(1) = 6. What is the slope of P3(P3(x)) at 1?",
        parts=(
            number(
                "slope",
                _chain,
                {
                    6: "that is the slope of one P3; there are two, one after the other",
                    12: "slopes that follow each other are multiplied, not added",
                    1: "that is the value",
                },
            ),
        ),
        hints=("The inner P3 gives 1, and there the outer one has slope 6 too.",),
        solution="slope = 6 * 6  # the chain rule",
        reveal="Your function knows nothing of what comes before or behind it: grad_output brings one 6, backward "
        "multiplies by the other.",
    ),
    Exercise(
        id="06.swish",
        question="Write swish(x, k) = x · σ(k·x) as a @primitive with both partials.",
        parts=(Part("swish", _swish),),
        hints=(
            "σ has the slope σ·(1 − σ). For k, x · σ(k·x) moves by x · x · σ·(1 − σ).",
            "With the result z = x·σ: for k it is x · z · (1 − σ), for x it is σ + k · z · (1 − σ).",
        ),
        solution="""
from scalargrad import primitive, sigmoid


@primitive(
    partials=[
        lambda x, k, z: sigmoid(k * x) + k * z * (1 - sigmoid(k * x)),
        lambda x, k, z: x * z * (1 - sigmoid(k * x)),
    ]
)
def swish(x, k):
    return x * sigmoid(k * x)
""",
        reveal="Both partials agree with those of the same thing made of the engine's operations.",
    ),
)
