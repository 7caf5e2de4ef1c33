"""Answers to the exercises of lesson 06."""

from scalargrad import Function, Value, primitive, sigmoid


def closure(slope=lambda x: 2 * x, above=True, add=True, number=lambda x: x * x, parents=True):
    """A square by hand, with one thing changed."""

    def square_closure(x):
        out = Value(number(x.data), (x,) if parents else (), "square")

        def _backward():
            x.grad = x.grad * add + slope(x.data) * (out.grad if above else 1.0)

        out._backward = _backward
        return out

    return lambda: {"square_closure": square_closure}


def cone(for_r=lambda r, h: 2 * r * h, for_h=lambda r, h: r * r, above=True, forward=lambda r, h: r * r * h):
    """A cone with one thing changed."""
    compute = forward

    class Cone(Function):
        @staticmethod
        def forward(ctx, r, h):
            ctx.save_for_backward(r, h)
            return compute(r, h)

        @staticmethod
        def backward(ctx, grad_output):
            r, h = ctx.saved_tensors
            upstream = grad_output if above else 1.0
            return upstream * for_r(r, h), upstream * for_h(r, h)

    return lambda: {"cone": Cone}


def swish(for_x, for_k):
    """A swish with these partials, made when it is asked for, as a table has each name once."""

    def answers():
        def swish(x, k):
            return x * sigmoid(k * x)

        return {"swish": primitive(partials=[for_x, for_k])(swish)}

    return answers


def right_for_x(x, k, z):
    return sigmoid(k * x) + k * z * (1 - sigmoid(k * x))


def right_for_k(x, k, z):
    return x * z * (1 - sigmoid(k * x))


def by_operations(x, k):
    return x * sigmoid(k * x)


HALF_RIGHT = {
    "06.closure": [
        closure(above=False),
        closure(add=False),
        closure(slope=lambda x: x),
        closure(parents=False),
        lambda: {"square_closure": lambda x: x * x},
    ],
    "06.function": [
        cone(above=False),
        cone(for_r=lambda r, h: r * r, for_h=lambda r, h: 2 * r * h),
        cone(for_r=lambda r, h: 2 * r),
        cone(for_h=lambda r, h: r * r * h),
    ],
    "06.chain": [lambda: {"slope": 6}, lambda: {"slope": 12}],
    "06.swish": [
        swish(lambda x, k, z: sigmoid(k * x), right_for_k),
        swish(right_for_x, lambda x, k, z: z * (1 - sigmoid(k * x))),
        swish(right_for_k, right_for_x),
        lambda: {"swish": by_operations},
    ],
}
WRONG = {
    "06.closure": [closure(number=lambda x: x + x), lambda: {"square_closure": lambda x: 9.0}],
    "06.function": [cone(forward=lambda r, h: r * h), lambda: {"cone": by_operations}],
    "06.chain": [lambda: {"slope": 1}, lambda: {"slope": "6 * 6"}],
    "06.swish": [lambda: {"swish": lambda x, k: x}, lambda: {"swish": 0.5}],
}
