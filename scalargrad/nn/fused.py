"""The hot path of training: many weighted sums of the same inputs, each one node."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from scalargrad import floats
from scalargrad.engine import Value, no_grad_was_used, unless_no_grad
from scalargrad.ops import dot

_DOT = dot.op  # type: ignore[attr-defined]
_new = object.__new__


def dot_with(xs: Sequence[Value]) -> Callable[[tuple[Value, ...], bool], Value]:
    """Return the function that makes the node dot(ws, xs, bias) of the tuple (*ws, bias), or of ws.

    What depends on xs alone is done once for all neurons of a layer, and its tuples are shared by their nodes: less to
    build, to store and for the collector to visit. A training step takes two thirds of the time.
    """
    inputs = tuple(xs)
    n = len(inputs)
    numbers = tuple([x._data for x in inputs])
    numbers_and_one = (*numbers, 1.0)

    def dot_with_xs(weights: tuple[Value, ...], has_bias: bool) -> Value:
        if len(weights) != n + has_bias:
            raise ValueError(f"a neuron has {len(weights) - has_bias} weights, but its layer has {n} inputs")
        try:
            a = tuple([w._data for w in weights])
        except AttributeError:  # weights that the user replaced by numbers
            return dot(weights[:n], inputs, *weights[n:])  # type: ignore[no-any-return]
        node: Value = _new(Value)
        products = map(operator.mul, a, numbers)
        if has_bias:
            node._data = floats.fold(products, a[-1])
            node._b = numbers_and_one
        else:
            node._data = floats.total(list(products))
            node._b = numbers
        node._x, node._y, node._a = weights, inputs, a
        node.grad = 0.0
        node._rule = _DOT
        return unless_no_grad(node) if no_grad_was_used else node

    return dot_with_xs
