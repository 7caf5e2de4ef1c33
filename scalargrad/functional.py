"""Derivatives of functions, in JAX's words: grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp, derivative.

Each takes a function and gives a function (vjp, jvp and hvp are called with the point at once). Arguments may be
numbers, Values, and lists, tuples and dicts of them; derivatives come back in the same structure. Numbers give numbers.
Where a Value is involved, as an argument or inside the function, results are Values, so transforms may be nested: each
differentiates with respect to its own arguments only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from scalargrad.engine import Value, gradients, topological_order
from scalargrad.forward import tangents as push_tangents
from scalargrad.modes import record
from scalargrad.trees import Rebuild, flatten

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Call:
    """One call of a function on Values of its own, ready to be differentiated.

    Attributes:
        inputs: a Value for each number of the chosen arguments.
        outputs: the Values and plain numbers that the function returned.
        rebuild_output: puts others in their places.
        aux: what the function returned beside its output.
        in_graph: whether Values other than the inputs are involved, so that results must be Values.
    """

    def __init__(self, f: Function, args: Sequence[Any], argnums: Argnums = 0, *, has_aux: bool = False) -> None:
        name = getattr(f, "__name__", type(f).__name__)
        self.single = isinstance(argnums, int)
        chosen = [argnums] if isinstance(argnums, int) else list(argnums)
        if not all(-len(args) <= i < len(args) for i in chosen):
            raise TypeError(f"{name} was called with {len(args)} positional arguments, but argnums is {argnums}")
        chosen = [i % len(args) for i in chosen]
        given = list(args)
        self.inputs: list[Value] = []
        self._rebuilds: list[tuple[int, Rebuild]] = []
        self.in_graph = False
        for i in chosen:
            leaves, rebuild = flatten(args[i], f"argument {i} of {name}")
            # An alias of a Value is a node of its own: differentiating with respect to it does not disturb others.
            fresh = [record(_alias, leaf) if isinstance(leaf, Value) else Value(leaf) for leaf in leaves]
            self.in_graph |= any(isinstance(leaf, Value) for leaf in leaves)
            given[i] = rebuild(iter(fresh))
            self.inputs += fresh
            self._rebuilds.append((len(fresh), rebuild))
        result = record(f, *given)
        self.aux = None
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise TypeError(f"with has_aux=True {name} must return (output, aux), not {type(result).__name__}")
            result, self.aux = result
        self.outputs, self.rebuild_output = flatten(result, f"the result of {name}")
        self.name = name
        mine = set(self.inputs)
        self.roots = [output for output in self.outputs if isinstance(output, Value)]
        order = topological_order(*self.roots)
        self.in_graph |= any(v.is_leaf and v.requires_grad and v not in mine for v in order)
        if not self.in_graph:
            self.aux = _plain(self.aux)

    @property
    def output(self) -> Value:
        """The one Value that the function returned.

        Raises:
            TypeError: if it returned a structure.
        """
        if len(self.outputs) != 1 or self.rebuild_output is not next:
            raise TypeError(f"{self.name} must return one number, not {len(self.outputs)} in a structure: use jacobian")
        output = self.outputs[0]
        return output if isinstance(output, Value) else Value(output, requires_grad=False)

    @property
    def value(self) -> Any:
        """What the function returned: numbers, or Values if others than the inputs are involved."""
        return self.rebuild_output(iter(self.outputs if self.in_graph else map(_number, self.outputs)))

    def shaped(self, flat: Iterable[Any]) -> Any:
        """One entry for each input, in the structure of the chosen arguments."""
        entries = iter(flat)
        results = [rebuild(iter([next(entries) for _ in range(count)])) for count, rebuild in self._rebuilds]
        return results[0] if self.single else tuple(results)

    def pull_back(self, roots: Sequence[Value], seeds: Sequence[Any], *, create_graph: bool | None = None) -> list[Any]:
        """The derivative of sum(seed * root) with respect to each input."""
        create_graph = self.in_graph if create_graph is None else create_graph
        sweep = partial(gradients, roots, seeds, create_graph=create_graph, wrt=self.inputs)
        adjoints = (record(sweep) if create_graph else sweep()) if roots else {}
        return _own_nodes([adjoints.get(x, 0.0) for x in self.inputs], create_graph)

    def push_forward(self, roots: Sequence[Any], speeds: Sequence[Any]) -> list[Any]:
        """How fast each root changes when the inputs change at these speeds."""
        seeds = dict(zip(self.inputs, speeds, strict=True))
        create_graph = self.in_graph or any(isinstance(speed, Value) for speed in speeds)
        values = [root for root in roots if isinstance(root, Value)]
        found = record(partial(push_tangents, values, seeds, create_graph=create_graph))
        return _own_nodes([found.get(root, 0.0) if isinstance(root, Value) else 0.0 for root in roots], create_graph)


def _alias(x: Value) -> Value:
    return x * 1.0


def _number(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _plain(aux: Any) -> Any:
    """The auxiliary output with its Values as numbers, if it is a structure of numbers; else as it is."""
    try:
        leaves, rebuild = flatten(aux)
    except TypeError:
        return aux
    return rebuild(map(_number, leaves))


def _own_nodes(results: list[Any], as_values: bool) -> list[Any]:
    """As Values, each a node of its own, so that a label given to one names no other."""
    if not as_values:
        return results
    return [
        record(_alias, result) if isinstance(result, Value) else Value(float(result), requires_grad=False)
        for result in results
    ]


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

    def gradient(*args: Any) -> Any:
        found = _value_and_grad(f, args, argnums, has_aux)
        return (found[1], found[0][1]) if has_aux else found[1]

    return gradient


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
    create_graph = create_graph or any(isinstance(seed, Value) for seed in seeds)
    adjoints = gradients(roots, seeds, create_graph=create_graph, wrt=wanted)
    return rebuild(iter(_own_nodes([adjoints.get(x, 0.0) for x in wanted], create_graph)))


def value_and_grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """A function that returns (f(x), ∇f(x)); with has_aux ((f(x), aux), ∇f(x)).

    >>> value_and_grad(lambda x: x ** 2)(3.0)
    (9.0, 6.0)
    """

    def both(*args: Any) -> Any:
        return _value_and_grad(f, args, argnums, has_aux)

    return both


def _value_and_grad(f: Function, args: Sequence[Any], argnums: Argnums, has_aux: bool) -> tuple[Any, Any]:
    call = Call(f, args, argnums, has_aux=has_aux)
    gradient = call.shaped(call.pull_back([call.output], [1.0]))
    return ((call.value, call.aux) if has_aux else call.value), gradient


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
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


def derivative(f: Function, n: int = 1) -> Function:
    """The n-th derivative of a function of one number.

    Raises:
        ValueError: if n is negative.

    >>> derivative(lambda x: x ** 5, 3)(2.0)
    240.0
    """
    if n < 0:
        raise ValueError(f"the order of a derivative must not be negative: {n}")

    def nth(x: Any) -> Any:
        call = Call(f, (x,))
        y: Any = call.output
        for order in range(n):
            last = order == n - 1 and not call.in_graph
            (y,) = call.pull_back([y], [1.0], create_graph=not last)
        return y if call.in_graph else _number(y)

    return nth


# -------------------------------------------------------------------- several outputs


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """(f(x), pull_back), where pull_back(v) is v·J, a tuple with an entry for each argument: one sweep, no matrix.

    With has_aux: (f(x), pull_back, aux).

    >>> y, pull_back = vjp(lambda x: [x[0] * x[1], x[0]], [3.0, 5.0])
    >>> y, pull_back([1.0, 10.0])
    ([15.0, 3.0], ([15.0, 3.0],))
    """
    call = Call(f, primals, range(len(primals)), has_aux=has_aux)

    def pull_back(cotangent: Any) -> Any:
        seeds, _ = flatten(cotangent, "the cotangent")
        if len(seeds) != len(call.outputs):
            raise ValueError(f"{call.name} has {len(call.outputs)} outputs, but the cotangent has {len(seeds)} numbers")
        pairs = [(y, seed) for y, seed in zip(call.outputs, seeds, strict=True) if isinstance(y, Value)]
        create_graph = call.in_graph or any(isinstance(seed, Value) for seed in seeds)
        found = call.pull_back([y for y, _ in pairs], [seed for _, seed in pairs], create_graph=create_graph)
        return call.shaped(found)

    return (call.value, pull_back, call.aux) if has_aux else (call.value, pull_back)


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(x), J·v): the value, and how fast it changes when x moves with velocity v. Forward mode.

    >>> jvp(lambda x, y: x * y, (3.0, 5.0), (1.0, 0.0))
    (15.0, 5.0)
    """
    call, speeds = _call_with_tangents(f, primals, tangents)
    changes = call.push_forward(call.outputs, speeds)
    value = call.value
    if not call.in_graph and any(isinstance(change, Value) for change in changes):
        value = call.rebuild_output(iter(call.outputs))
    return value, call.rebuild_output(iter(changes))


def _call_with_tangents(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Call, list[Any]]:
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError("primals and tangents are tuples with an entry for each argument, as in (x,), (v,)")
    call = Call(f, primals, range(len(primals)))
    speeds, _ = flatten(tangents, "the tangent")
    if len(speeds) != len(call.inputs):
        raise ValueError(f"the arguments have {len(call.inputs)} numbers, but the tangent has {len(speeds)}")
    return call, speeds


def jacrev(f: Function, argnums: Argnums = 0) -> Function:
    """The Jacobian by reverse mode, one sweep for each output: J[i][j] = ∂fᵢ/∂xⱼ.

    The result has the structure of the output, with the structure of the argument in place of each number.

    >>> jacrev(lambda x: [x[0] * x[1], x[0]])([3.0, 5.0])
    [[5.0, 3.0], [1.0, 0.0]]
    """

    def jacobian_of(*args: Any) -> Any:
        return _by_rows(Call(f, args, argnums))

    return jacobian_of


def jacfwd(f: Function, argnums: Argnums = 0) -> Function:
    """The Jacobian by forward mode, one sweep for each input: J[i][j] = ∂fᵢ/∂xⱼ. As `jacrev`, but cheaper if tall.

    >>> jacfwd(lambda x: [x, x * x, x ** 3])(2.0)
    [1.0, 4.0, 12.0]
    """

    def jacobian_of(*args: Any) -> Any:
        return _by_columns(Call(f, args, argnums))

    return jacobian_of


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """The Jacobian J[i][j] = ∂fᵢ/∂xⱼ, by whichever mode needs fewer sweeps.

    >>> jacobian(lambda x: [2 * x[0] - x[1]])([1.0, 1.0])
    [[2.0, -1.0]]
    """

    def jacobian_of(*args: Any) -> Any:
        call = Call(f, args, argnums)
        return _by_rows(call) if len(call.outputs) <= len(call.inputs) else _by_columns(call)

    return jacobian_of


def _by_rows(call: Call) -> Any:
    return call.rebuild_output(call.shaped(_row(call, y)) for y in call.outputs)


def _row(call: Call, output: Any, *, create_graph: bool | None = None) -> list[Any]:
    return call.pull_back([output] if isinstance(output, Value) else [], [1.0] if isinstance(output, Value) else [],
                          create_graph=create_graph)  # fmt: skip


def _by_columns(call: Call) -> Any:
    n = len(call.inputs)
    columns = [call.push_forward(call.outputs, [float(i == j) for i in range(n)]) for j in range(n)]
    return call.rebuild_output(call.shaped(row) for row in zip(*columns, strict=True))


def hessian(f: Function, argnums: int = 0) -> Function:
    """The matrix of second derivatives H[i][j] = ∂²f/∂xᵢ∂xⱼ: the Jacobian of the gradient's graph.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """

    def hessian_of(*args: Any) -> Any:
        call = Call(f, args, argnums)
        gradient = call.pull_back([call.output], [1.0], create_graph=True)
        return call.shaped(call.shaped(_row(call, g)) for g in gradient)

    return hessian_of


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
