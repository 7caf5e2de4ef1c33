"""Derivatives of functions, in JAX's words: grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp, derivative.

Each takes a function and gives a function (vjp, jvp and hvp are called with the point at once). Arguments may be
numbers, Values, and lists, tuples and dicts of them; derivatives come back in the same structure. Numbers give numbers.
Where a Value is involved, as an argument or inside the function, results are Values, so transforms may be nested: each
differentiates with respect to its own arguments only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from scalargrad.engine import Value, gradients, topological_order
from scalargrad.functional.call import AnyFunction, Argnums, Call, own_nodes, to_differentiate
from scalargrad.node.contexts import with_recording
from scalargrad.node.mode import being_compiled
from scalargrad.node.numbers import plain_number
from scalargrad.node.structures import flatten, skeleton
from scalargrad.support.arguments import brief_text, whole

MOST_ORDERS = 1000

# -------------------------------------------------------------------- one output


def grad(f: Any, inputs: Any = None, *, argnums: Argnums = 0, has_aux: bool = False,
         grad_outputs: Any = None, create_graph: bool = False) -> Any:  # fmt: skip
    """The gradient: of a function, as a new function; or of outputs with respect to inputs, as numbers.

    `grad(f)(x)` is ∇f(x), in the structure of x. `grad(outputs, inputs)` is the gradient of a Value, or of the sum of
    several, with respect to each input, without touching any `grad`.

    Args:
        f: a function that returns one number; or the outputs, a Value or a list of them.
        inputs: a Value or a structure of them, if outputs were given.
        argnums: which argument, or arguments, to differentiate with respect to.
        has_aux: whether f returns (output, something else); the new function returns (gradient, something else).
        grad_outputs: the seed of each output; 1.0 each by default.
        create_graph: whether the gradients are Values, to be differentiated again.

    Raises:
        TypeError: if f returns no single number, or an argument is not made of numbers.

    >>> grad(lambda x: x ** 3)(2.0), grad(lambda w: w[0] * w[1])([3.0, 5.0])
    (12.0, [5.0, 3.0])
    >>> x = Value(2.0)
    >>> grad(x ** 3, x), x.grad
    (12.0, 0.0)
    >>> first = grad(x ** 3, x, create_graph=True)
    >>> grad(first, x)
    12.0
    """
    if isinstance(f, Value) or (isinstance(f, (list, tuple)) and all(isinstance(y, Value) for y in f)):
        return _grad_of_values(f, inputs, grad_outputs, create_graph)
    if not callable(f):
        raise TypeError(f"grad takes a function, or Values and inputs, not {type(f).__name__}")
    if inputs is not None:
        argnums = inputs  # grad(f, 1), as in JAX

    def gradient(*args: Any, **keywords: Any) -> Any:
        found = _value_and_grad(f, args, argnums, has_aux, keywords)
        return (found[1], found[0][1]) if has_aux else found[1]

    return _called_as(f, gradient)


def _grad_of_values(outputs: Any, inputs: Any, grad_outputs: Any, create_graph: bool) -> Any:
    roots = [outputs] if isinstance(outputs, Value) else list(outputs)
    if inputs is None:
        raise TypeError("grad(outputs, inputs) needs the inputs: a Value, or a list of them")
    wanted, rebuild = flatten(inputs, "inputs")
    if not all(isinstance(x, Value) for x in wanted):
        raise TypeError("the inputs of grad(outputs, inputs) must be Values that the outputs were computed from")
    if grad_outputs is None:
        seeds = [1.0] * len(roots)
    else:
        seeds, _ = flatten(grad_outputs, "grad_outputs")
        if len(seeds) != len(roots):
            raise ValueError(f"there are {len(roots)} outputs, but {len(seeds)} grad_outputs")
    create_graph = create_graph or being_compiled() or any(isinstance(seed, Value) for seed in seeds)
    sweep = partial(gradients, roots, seeds, create_graph=create_graph, wrt=wanted)
    adjoints = with_recording(sweep) if create_graph else sweep()
    return rebuild(iter(own_nodes([adjoints.get(x, 0.0) for x in wanted], create_graph)))


def _called_as(f: AnyFunction, made: AnyFunction) -> AnyFunction:
    """What was made of f, with its signature: an argument keeps its name."""
    vars(made)["__wrapped__"] = f
    return made


def value_and_grad(f: AnyFunction, argnums: Argnums = 0, has_aux: bool = False) -> AnyFunction:
    """A function that returns (f(x), ∇f(x)); with has_aux ((f(x), aux), ∇f(x)).

    >>> value_and_grad(lambda x: x ** 2)(3.0)
    (9.0, 6.0)
    """
    f = to_differentiate(f, "value_and_grad")

    def both(*args: Any, **keywords: Any) -> Any:
        return _value_and_grad(f, args, argnums, has_aux, keywords)

    return _called_as(f, both)


def _value_and_grad(
    f: AnyFunction, args: Sequence[Any], argnums: Argnums, has_aux: bool, keywords: Mapping[str, Any]
) -> tuple[Any, Any]:
    call = Call(f, args, argnums, has_aux=has_aux, keywords=keywords)
    gradient = call.shaped(call.pull_back([call.output], [1.0]))
    return ((call.value, call.aux) if has_aux else call.value), gradient


def hvp(f: AnyFunction, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of f times a vector, H(x)·v, by forward mode over the graph of the gradient; H is never built.

    Args:
        f: a function that returns one number.
        primals: the arguments, as a tuple.
        tangents: v, in the same structure.

    Returns:
        The product in the structure of the arguments; of one argument, not in a tuple.

    >>> hvp(lambda x: x[0] ** 2 * x[1], ([3.0, 5.0],), ([1.0, 0.0],))
    [10.0, 6.0]
    """
    call, speeds = _call_with_tangents(f, primals, tangents)
    gradient = call.pull_back([call.output], [1.0], create_graph=True)
    product = call.shaped(call.push_forward(gradient, speeds))
    return product[0] if len(primals) == 1 else product


def derivative(f: AnyFunction, n: int = 1) -> AnyFunction:
    """The n-th derivative of a function of one number.

    Raises:
        TypeError: if n is no integer.
        ValueError: if it is negative, or more than 1000.

    >>> derivative(lambda x: x ** 5, 3)(2.0)
    240.0
    """
    f = to_differentiate(f, "derivative")
    n = whole(n, "the order of a derivative", "derivative(f, 2)", least=0, most=MOST_ORDERS)

    def nth(x: Any) -> Any:
        call = Call(f, (x,))
        if skeleton(x) != "*":
            raise TypeError("derivative is for functions of one number: for others there are grad and hessian")
        y: Any = call.output
        for order in range(n):
            last = order == n - 1 and not call.in_graph
            (y,) = call.pull_back([y], [1.0], create_graph=not last)
        return call.finished(y) if call.in_graph else plain_number(y)

    return nth


# -------------------------------------------------------------------- several outputs


def vjp(f: AnyFunction, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(f(x), pull_back), where pull_back(v) is v·J, a tuple with an entry for each argument: one sweep, no matrix.

    With has_aux: (f(x), pull_back, aux).

    >>> y, pull_back = vjp(lambda x: [x[0] * x[1], x[0]], [3.0, 5.0])
    >>> y, pull_back([1.0, 10.0])
    ([15.0, 3.0], ([15.0, 3.0],))
    """
    call = Call(f, primals, range(len(primals)), has_aux=has_aux)
    shape = skeleton(call.rebuild_output(iter(call.outputs)))

    def pull_back(cotangent: Any) -> Any:
        seeds, _ = flatten(cotangent, "the cotangent")
        if skeleton(cotangent) != shape:
            raise ValueError(f"{call.name} returns {shape}, but the cotangent is {skeleton(cotangent)}")
        pairs = [(y, seed) for y, seed in zip(call.outputs, seeds, strict=True) if isinstance(y, Value)]
        create_graph = call.in_graph or any(isinstance(seed, Value) for seed in seeds)
        found = call.pull_back([y for y, _ in pairs], [seed for _, seed in pairs], create_graph=create_graph)
        return call.shaped(found)

    return (call.value, pull_back, call.aux) if has_aux else (call.value, pull_back)


def jvp(f: AnyFunction, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(x), J·v): the value, and how fast it changes when x moves with velocity v. Forward mode.

    >>> jvp(lambda x, y: x * y, (3.0, 5.0), (1.0, 0.0))
    (15.0, 5.0)
    """
    call, speeds = _call_with_tangents(f, primals, tangents)
    changes = call.push_forward(call.outputs, speeds)
    value = call.value
    if not call.in_graph and any(isinstance(change, Value) for change in changes):
        value = call.rebuild_output(iter(call.outputs))
    return value, call.rebuild_output(map(call.finished, changes))


def _call_with_tangents(f: AnyFunction, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Call, list[Any]]:
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError("primals and tangents are tuples with an entry for each argument, as in (x,), (v,)")
    call = Call(f, primals, range(len(primals)))
    speeds, _ = flatten(tangents, "the tangent")
    if skeleton(tuple(tangents)) != skeleton(tuple(primals)):
        given, expected = brief_text(skeleton(tangents)), brief_text(skeleton(primals))
        raise ValueError(f"the arguments are {expected}, but the tangents are {given}")
    return call, speeds


def jacrev(f: AnyFunction, argnums: Argnums = 0) -> AnyFunction:
    """The Jacobian by reverse mode, one sweep for each output: J[i][j] = ∂fᵢ/∂xⱼ.

    The result has the structure of the output, with the structure of the argument in place of each number.

    >>> jacrev(lambda x: [x[0] * x[1], x[0]])([3.0, 5.0])
    [[5.0, 3.0], [1.0, 0.0]]
    """
    f = to_differentiate(f, "jacrev")

    def jacobian_of(*args: Any, **keywords: Any) -> Any:
        return _by_rows(Call(f, args, argnums, keywords=keywords))

    return _called_as(f, jacobian_of)


def jacfwd(f: AnyFunction, argnums: Argnums = 0) -> AnyFunction:
    """The Jacobian by forward mode, one sweep for each input: J[i][j] = ∂fᵢ/∂xⱼ. As `jacrev`, but cheaper if tall.

    >>> jacfwd(lambda x: [x, x * x, x ** 3])(2.0)
    [1.0, 4.0, 12.0]
    """
    f = to_differentiate(f, "jacfwd")

    def jacobian_of(*args: Any, **keywords: Any) -> Any:
        return _by_columns(Call(f, args, argnums, keywords=keywords))

    return _called_as(f, jacobian_of)


def jacobian(f: AnyFunction, argnums: Argnums = 0) -> AnyFunction:
    """The Jacobian J[i][j] = ∂fᵢ/∂xⱼ, by whichever mode needs fewer sweeps.

    Where the argument is a matrix, so is each row of J: dz/dW of z = W x, with n rows and m columns in W, is the
    n × n × m tensor J[i][j][k] = dz_i/dW_jk, which is x_k where i = j.

    >>> jacobian(lambda x: [2 * x[0] - x[1]])([1.0, 1.0])
    [[2.0, -1.0]]
    >>> from scalargrad import dot
    >>> jacobian(lambda W: [dot(row, [5.0, 6.0]) for row in W])([[1.0, 2.0], [3.0, 4.0]])
    [[[5.0, 6.0], [0.0, 0.0]], [[0.0, 0.0], [5.0, 6.0]]]
    """
    f = to_differentiate(f, "jacobian")

    def jacobian_of(*args: Any, **keywords: Any) -> Any:
        call = Call(f, args, argnums, keywords=keywords)
        return _by_rows(call) if len(call.outputs) <= len(call.inputs) else _by_columns(call)

    return _called_as(f, jacobian_of)


def _by_rows(call: Call) -> Any:
    return call.rebuild_output(call.shaped(_row(call, y)) for y in call.outputs)


def _row(call: Call, output: Any, *, create_graph: bool | None = None) -> list[Any]:
    return call.pull_back([output] if isinstance(output, Value) else [], [1.0] if isinstance(output, Value) else [],
                          create_graph=create_graph)  # fmt: skip


def _by_columns(call: Call) -> Any:
    n = len(call.inputs)
    if n == 0:
        return call.rebuild_output(call.shaped([]) for _ in call.outputs)
    columns = [call.push_forward(call.outputs, [float(i == j) for i in range(n)]) for j in range(n)]
    return call.rebuild_output(call.shaped(row) for row in zip(*columns, strict=True))


def hessian(f: AnyFunction, argnums: int = 0) -> AnyFunction:
    """The matrix of second derivatives H[i][j] = ∂²f/∂xᵢ∂xⱼ: the Jacobian of the gradient's graph.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    f = to_differentiate(f, "hessian")

    def hessian_of(*args: Any, **keywords: Any) -> Any:
        call = Call(f, args, argnums, keywords=keywords)
        gradient = call.pull_back([call.output], [1.0], create_graph=True)
        return call.shaped(call.shaped(_row(call, g)) for g in gradient)

    return _called_as(f, hessian_of)


def depends_on(y: Value, x: Value) -> bool:
    """Whether y was computed from x, directly or not; a Value depends on itself.

    >>> a, b = Value(1.0), Value(2.0)
    >>> depends_on(a * 3, a), depends_on(a * 3, b)
    (True, False)
    """
    for value in (y, x):
        if not isinstance(value, Value):
            raise TypeError(f"depends_on(y, x) takes two Values, not {type(value).__name__}")
    return x in topological_order(y)
