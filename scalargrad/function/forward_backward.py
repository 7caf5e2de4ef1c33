"""Operations of your own in PyTorch's shape: `Function`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.in_c import let_cycles_close
from scalargrad.node.contexts import no_grad, with_recording
from scalargrad.node.mode import being_compiled, in_mode, mode
from scalargrad.node.node import ancestors
from scalargrad.node.numbers import number_in
from scalargrad.node.overwritten import check_unchanged
from scalargrad.node.rules import Rule
from scalargrad.support.reals import number

if TYPE_CHECKING:
    from scalargrad.node.rules import Adjoints, Masked


class Context:
    """What `forward` leaves for `backward`: `ctx.save_for_backward(...)`, and any attribute of your own.

    Args:
        wanted: for each argument of `forward`, whether a gradient is wanted; or a function that says so.
    """

    def __init__(self, wanted: tuple[bool, ...] | Callable[[], tuple[bool, ...]]) -> None:
        self._wanted = wanted
        self._saved: tuple[Any, ...] = ()

    @cached_property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each argument of `forward`, whether a gradient is wanted."""
        wanted = self._wanted
        return wanted() if callable(wanted) else wanted  # not before it is asked for: it looks at the graph below

    def save_for_backward(self, *values: Any) -> None:
        """Keep inputs, the output, or other numbers. Inputs and output stay differentiable in `backward`."""
        self._saved = values

    @property
    def saved_values(self) -> tuple[Any, ...]:
        """What was saved, in that order."""
        return self._saved

    def standing_for(self, nodes: dict[Value, Value], who: str) -> Context:
        """The same with the graph's own nodes in place of the Values that forward was given and returned.

        Raises:
            TypeError: if another Value was kept, which no node of the graph stands for.
        """

        def node_of(kept: Any) -> Any:
            if type(kept) in (list, tuple):
                return type(kept)(map(node_of, kept))
            if isinstance(kept, dict):
                return {key: node_of(part) for key, part in kept.items()}
            if isinstance(kept, Value) and kept not in nodes:
                raise TypeError(
                    f"no graph of gradients through {who}: its forward kept {kept!r}, which is neither an input nor "
                    "the output; keep those, and compute the rest from them in backward"
                )
            return nodes[kept] if isinstance(kept, Value) else kept

        twin = Context(self._wanted)
        twin.__dict__.update({name: node_of(kept) for name, kept in self.__dict__.items()})
        return twin

    saved_tensors = saved_values  # PyTorch's name


class Function:
    """An operation with a gradient of your own, in the shape of PyTorch's autograd.Function. Call it with `apply`.

    Define two static methods. `forward(ctx, *arguments)` gets Values that record nothing, and returns one number.
    `backward(ctx, grad)` returns a gradient for each argument of forward, None where there is none; a single argument
    needs no tuple. If `backward` computes with Values only, gradients of gradients work too. If both do, a function
    that applies it can be compiled.

    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_values
    ...         return grad * 3 * x ** 2
    >>> x = Value(2.0)
    >>> y = Cube.apply(x)
    >>> y.backward()
    >>> y.data, x.grad
    (8.0, 12.0)
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]

    @classmethod
    def apply(cls, *arguments: Any) -> Value:
        """The result as a node whose parents are those arguments that are Values; a constant if there are none.

        Raises:
            TypeError: if forward returns anything but one number.
        """
        for method in ("forward", "backward"):
            if not callable(getattr(cls, method, None)):
                raise TypeError(f"{cls.__name__} needs a static method {method}(ctx, ...)")
        parents = [x for x in arguments if isinstance(x, Value)]
        if parents and being_compiled():
            return _traced(cls, arguments, parents)
        ctx = Context(lambda: tuple(isinstance(x, Value) and x.requires_grad for x in arguments))
        inside = [x.detach() if isinstance(x, Value) else x for x in arguments]
        with no_grad():
            result = cls.forward(ctx, *inside)
        number_found = _one_number(cls, result)
        if not parents:
            return Value(number_found, requires_grad=False)
        node = Value(number_found, parents, cls.__name__)
        if not node.is_leaf:
            positions = [i for i, x in enumerate(arguments) if isinstance(x, Value)]
            node._rule = Applied(cls, ctx, positions, [inside[i] for i in positions], result, len(arguments))
        return node


def _one_number(cls: type[Function], result: Any) -> float:
    try:
        return number_in(result) if isinstance(result, Value) else number(result)
    except TypeError:
        raise TypeError(f"{cls.__name__}.forward must return one number, not {type(result).__name__}") from None


class Applied(Rule):
    """The rule of a node that a Function made."""

    def __init__(
        self, function: type[Function], ctx: Context, positions: list[int], inside: list[Value], result: Any, count: int
    ) -> None:
        let_cycles_close()  # what is kept in ctx may refer to whatever will be computed from the node
        self.text = function.__name__
        self._function, self._ctx, self._positions = function, ctx, positions
        self._inside, self._result, self._count = inside, result, count

    def backward(self, node: Value, upstream: Any, adjoints: Adjoints) -> None:
        """Run the user's backward on numbers."""
        with no_grad():
            grads = self._grads(Value(upstream, requires_grad=False))
        parents = node.parents
        for i, grad in grads.items():
            adjoints[parents[i]] += grad.data if isinstance(grad, Value) else number(grad)

    def backward_as_graph(self, node: Value, upstream: Any, adjoints: Masked) -> None:
        """Run the user's backward on the nodes of the graph themselves."""
        parents = node.parents
        stands_for = dict(zip(self._inside, parents, strict=True))
        if isinstance(self._result, Value):
            stands_for.setdefault(self._result, node)
        check_unchanged(node)
        ctx = self._ctx.standing_for(stands_for, self.text)
        with in_mode(follows_ieee=True):  # as the rules of the table: a pole where nothing is passed on must not raise
            grads = with_recording(
                self._grads, upstream if isinstance(upstream, Value) else Value(upstream, requires_grad=False), ctx
            )
        for i, grad in grads.items():
            if parents[i] in adjoints:
                adjoints.hand_on(node, parents[i], grad)

    def _grads(self, upstream: Value, ctx: Context | None = None) -> dict[int, Any]:
        """The gradient of each parent by its position among the node's parents."""
        who = f"{self.text}.backward"
        grads = self._function.backward(ctx or self._ctx, upstream)
        grads = tuple(grads) if isinstance(grads, (tuple, list)) else (grads,)
        if len(grads) != self._count:
            raise ValueError(
                f"{who} returned {len(grads)} gradients, but forward took {self._count} arguments: return one for "
                "each, None for an argument that has none"
            )
        found = {}
        for i, position in enumerate(self._positions):
            grad = grads[position]
            if grad is None:
                continue
            if not isinstance(grad, Value):
                try:
                    number(grad)
                except TypeError:
                    raise TypeError(
                        f"{who} must return numbers, Values or None, but gradient {position + 1} is of type "
                        f"{type(grad).__name__}"
                    ) from None
            found[i] = grad
        return found


# -------------------------------------------------------------------- in a function that is compiled


class Traced(Applied):
    """The rule of a node that a Function made while a function was recorded: forward and backward left their graphs.

    Attributes:
        result: what forward returned, over the node's parents.
        upstream: the leaf that stands for the node's gradient.
        gradients: what backward returned for each parent, by place, over the parents, `result` and `upstream`.
        made: the leaves that both made: constants.
    """

    def __init__(
        self,
        function: type[Function],
        ctx: Context,
        positions: list[int],
        parents: list[Value],
        result: Any,
        count: int,
    ) -> None:
        super().__init__(function, ctx, positions, parents, result, count)
        self.result = result
        self.made: set[Value] = set()
        self.upstream = Value(1.0)
        self.gradients: dict[int, Any] = {}


def _traced(cls: type[Function], arguments: Sequence[Any], parents: list[Value]) -> Value:
    """As `apply`, on the nodes of the graph themselves, so that what forward and backward compute can be replayed."""
    ctx = Context(lambda: tuple(isinstance(x, Value) for x in arguments))
    positions = [i for i, x in enumerate(arguments) if isinstance(x, Value)]
    here, made = mode.get(), set[Value]()

    def on_leaf(leaf: Value) -> None:
        if here.on_leaf is not None:
            here.on_leaf(leaf)
        if mode.get().recording:  # what no_grad made of the arguments is no constant
            made.add(leaf)

    with in_mode(on_leaf=on_leaf):
        result = cls.forward(ctx, *arguments)
        node = Value(_one_number(cls, result), parents, cls.__name__)
    rule = Traced(cls, ctx, positions, parents, result, len(arguments))
    rule.made = made

    def on_comparison(value: Value, other: Any, symbol: str, x: float) -> None:
        if any(isinstance(one, Value) and rule.upstream in ancestors(one) for one in (value, other)):
            raise TypeError(
                f"{cls.__name__}.backward compares its gradient, and which way it goes is not known when a function is "
                "compiled: choose with scalargrad.where"
            )
        if here.on_comparison is not None:
            here.on_comparison(value, other, symbol, x)

    with in_mode(on_leaf=on_leaf, on_comparison=on_comparison, follows_ieee=True):
        rule.gradients = rule._grads(rule.upstream)
    made.discard(rule.upstream)
    node._rule = rule
    return node
