"""Gradient check-pointing: forget a part of the graph, and compute it again when its gradient is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial, wraps
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, gradients
from scalargrad.in_c import let_cycles_close
from scalargrad.node.by_hand import GivenPartials
from scalargrad.node.contexts import observed, with_recording
from scalargrad.node.extras import hooks_of
from scalargrad.node.mode import being_compiled, in_mode, mode
from scalargrad.node.node import descendants
from scalargrad.node.numbers import describe, number_in
from scalargrad.node.rules import NOTHING, Masked, Rule, rule_has_changed
from scalargrad.node.structures import Rebuild, flatten
from scalargrad.support.arguments import function

if TYPE_CHECKING:
    from scalargrad.node.rules import Adjoints


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function, but each of its results is one node over its inputs: what is computed inside is not kept.

    `backward()` runs f again, once for each result that has a gradient. So a chain of n operations cut into k pieces
    holds about k + n/k nodes at a time instead of n, and takes one more forward pass. Values that f uses without
    taking them as arguments, such as parameters, get their gradients too. An argument that f returns is itself. To a
    hook, and in `grad`, of one result comes nothing from the others, even where f computes them from it.

    What f does beside computing, it does again when it is run again, as in PyTorch: `nn.BatchNorm` inside, in training,
    takes a batch into its running statistics twice. `nn.Dropout` inside draws others the second time, which is refused.

    Args:
        f: a function of numbers, Values, and structures of them, that computes the same every time. It is given the
            arguments themselves.

    Raises:
        RuntimeError: in backward(), if f gave another result than at first, or the same in another way.
        ValueError: if f registers a hook on what several of its results are computed from.

    >>> from scalargrad.engine import topological_order
    >>> def slow(x):
    ...     for _ in range(100):
    ...         x = x.sin()
    ...     return x
    >>> x = Value(1.0)
    >>> len(topological_order(slow(x))), len(topological_order(checkpoint(slow)(x)))
    (101, 2)
    """
    f = function(f, "what is checkpointed")

    @wraps(f)
    def forgetful(*args: Any, **keywords: Any) -> Any:
        given, rebuild = flatten((args, keywords), "the arguments of a checkpointed function", as_given=True)
        if not mode.get().recording or being_compiled():  # there is nothing to forget
            return f(*args, **keywords)
        numbers = {x: number_in(x) for x in given if isinstance(x, Value)}
        inputs = list(numbers)
        run = _Run(f, args, keywords)
        nodes: dict[Value, Value] = {}
        hooked: set[Value] = set()
        for i, output in enumerate(run.outputs):
            if not isinstance(output, Value) or output in nodes:
                continue
            inside = run.below(output)
            with_hooks = [v for v in inside if hooks_of(v) or getattr(v._rule, "has_hooks", False)]
            twice = hooked.intersection(with_hooks)
            if twice:
                raise _split_hook(f, twice.pop())
            hooked.update(with_hooks)
            outside = dict.fromkeys(v for v in _reached(output, inside) if v not in run.made)
            used = [k for k, x in enumerate(inputs) if x in outside]
            captured = [v for v in outside if v not in numbers]
            if not outside or output in outside:  # there is nothing to compute again
                nodes[output] = output
                continue
            node = nodes[output] = Value(output.data, [*(inputs[k] for k in used), *captured], _name(f))
            fingerprint = run.fingerprint(output, [*inputs, *captured])
            node._rule = rule = _Checkpoint(f, given, rebuild, numbers, used, i, fingerprint)
            rule.has_hooks = bool(with_hooks)
        return run.rebuild_output(iter([nodes[x] if isinstance(x, Value) else x for x in run.outputs]))

    return forgetful


def _name(f: Any) -> str:
    return getattr(f, "__name__", "checkpoint")


def _reached(output: Value, inside: Iterable[Value]) -> list[Value]:
    return [output, *(parent for v in inside for parent in v.parents)]


def _split_hook(f: Any, value: Value) -> ValueError:
    return ValueError(
        f"the checkpointed function {_name(f)} has a hook on {describe(value)}, from which several of its results are "
        "computed: each result is swept on its own, so the hook would see parts of the gradient. Checkpoint what comes "
        "before and after it, or register the hook on a result"
    )


class _Run:
    """A run of f.

    Attributes:
        outputs: what f returned; `rebuild_output` puts others in their places.
        made: the Values that f made, leaves included, in the order in which it did.
    """

    def __init__(self, f: Any, args: Any, keywords: Any) -> None:
        self.made: dict[Value, None] = {}
        told = mode.get().on_leaf

        def keep(value: Value) -> None:
            self.made[value] = None
            if told is not None and value.is_leaf:
                told(value)

        with observed(self.made.setdefault), in_mode(on_leaf=keep):
            result = with_recording(partial(f, *args, **keywords))
        self.outputs, self.rebuild_output = flatten(result, "the result of a checkpointed function", as_given=True)

    def below(self, output: Value) -> list[Value]:
        """What f made and the output was computed from, and the output, parents first."""
        needed, found = {output}, []
        for value in reversed(self.made):
            if value in needed:
                found.append(value)
                needed.update(value.parents)
        return found[::-1]

    def fingerprint(self, output: Value, sources: Sequence[Value]) -> bytes:
        """Sixteen bytes that tell this computation from another: its operations, numbers, edges and given partials."""
        digest = blake2b(digest_size=16)
        places: dict[Value | None, str] = {source: f"source {k}" for k, source in enumerate(sources)}
        for i, value in enumerate(self.below(output)):
            rule = value._rule
            operands = [f"{places.get(parent, 'constant')} {a!r}" for parent, a in value.operands]
            name = f"{getattr(rule, 'name', rule.text)} {_beyond_its_name(value)}"
            digest.update(f"{name} {value._data!r} of {operands}\n".encode())
            places[value] = str(i)
        digest.update(places.get(output, "constant").encode())
        return digest.digest()


class _Checkpoint(Rule):
    """The rule of one result of a checkpointed function.

    A node's parents are those of the inputs that the result is computed from, then what f captured.

    Attributes:
        has_hooks: whether there are hooks on what is computed inside.
    """

    has_hooks = False

    def __init__(
        self,
        f: Any,
        given: list[Any],
        rebuild: Rebuild,
        inputs: dict[Value, float],
        used: list[int],
        index: int,
        fingerprint: bytes,
    ) -> None:
        let_cycles_close()  # f may refer to whatever will be computed from the node
        self.text = _name(f)
        self._f, self._given, self._rebuild, self._index = f, given, rebuild, index
        self._inputs, self._used = inputs, used
        self.fingerprint = fingerprint

    def backward(self, node: Value, upstream: Any, adjoints: Adjoints) -> None:
        """Compute the part again, and sweep it."""
        # What has another number by now has a leaf with the old one in its place.
        inputs = [x if _unchanged(x, a) else _leaf_like(x, a) for x, a in self._inputs_of(node)]
        self._sweep(node, upstream, adjoints, inputs, create_graph=False)

    def backward_as_graph(self, node: Value, upstream: Any, adjoints: Masked) -> None:
        """Compute the part again, from the parents themselves, so that gradients are graphs over these."""
        self._sweep(node, upstream, adjoints, [x for x, _ in self._inputs_of(node)], create_graph=True)

    def _inputs_of(self, node: Value) -> list[tuple[Value, float]]:
        """The inputs and their numbers at the time; of a copied graph its own."""
        inputs = list(self._inputs)
        for k, parent in zip(self._used, node.parents, strict=False):
            inputs[k] = parent
        return list(zip(inputs, self._inputs.values(), strict=True))

    def _sweep(
        self, node: Value, upstream: Any, adjoints: Adjoints, inputs: list[Value], *, create_graph: bool
    ) -> None:
        place = dict(zip(self._inputs, inputs, strict=True))
        captured = node.parents[len(self._used) :]
        with _as_they_were([*inputs, *captured]):
            args, keywords = self._rebuild(iter([place[x] if isinstance(x, Value) else x for x in self._given]))
            run = _Run(self._f, args, keywords)
        output = run.outputs[self._index] if self._index < len(run.outputs) else None
        must = "it must compute the same every time, from unchanged parameters"
        if not isinstance(output, Value) or repr(output.data) != repr(node.data):
            raise RuntimeError(
                f"the checkpointed function {self.text} gave {node.data!r} at first and {_shown(output)} when it was "
                f"run again for backward(): {must}"
            )
        if run.fingerprint(output, [*inputs, *captured]) != self.fingerprint:
            raise RuntimeError(
                f"the checkpointed function {self.text} gave {node.data!r} twice, but by other operations, or from "
                f"other inputs, when it was run again for backward(): {must}"
            )
        # The turns of the sources, with their hooks, and of what lies below them are the outer sweep's.
        sources = dict(zip([*(inputs[k] for k in self._used), *captured], node.parents, strict=True))
        inside = run.below(output)
        table: Adjoints
        if create_graph:
            wanted = [source for source, parent in sources.items() if parent in adjoints]
            inside = descendants(inside, wanted)
            table = Masked([*wanted, *inside])
        else:
            wanted = list(sources)
            table = dict.fromkeys([*_reached(output, inside), *inside], NOTHING)
        gradients([output], [upstream], create_graph=create_graph, wrt=wanted, order=inside, adjoints=table)
        of_inside = set(inside)
        for value, share in table.items():
            if share is NOTHING or value in of_inside:
                continue
            if not isinstance(adjoints, Masked):  # beside the sources, a closure's own leaves
                parent = sources.get(value, value)
                adjoints[parent] = adjoints.get(parent, 0.0) + share
            elif isinstance(table, Masked):
                adjoints.hand_on(node, sources[value], share, table.reached.get(value))


def _unchanged(x: Value, number: float) -> bool:
    return type(x._data) is float and x._data.hex() == number.hex()


def _leaf_like(x: Value, number: float) -> Value:
    return Value(number, label=x.label, requires_grad=x._rule.requires_grad, parameter=x._rule.is_parameter)


@contextmanager
def _as_they_were(values: Iterable[Value]) -> Iterator[None]:
    """A block that leaves neither gradients nor hooks behind: the first run did."""
    before = [(value, value.grad, set(hooks_of(value) or ())) for value in values]
    try:
        yield
    finally:
        for value, gradient, tickets in before:
            value.grad = gradient
            hooks = hooks_of(value) or {}
            for ticket in hooks.keys() - tickets:
                del hooks[ticket]
                rule_has_changed()


def _beyond_its_name(value: Value) -> Any:
    """What tells the rule of a Value from others of this name: the table has one of each, users may write many."""
    rule = value._rule
    if isinstance(rule, _Checkpoint):
        return rule.fingerprint
    if isinstance(rule, GivenPartials) or getattr(rule, "is_users", False):
        with suppress(ArithmeticError, TypeError, ValueError):  # where there are none, backward() says so
            return list(map(float, rule.local_gradients(value)))
    return hash(getattr(rule.closure, "__code__", None))  # equal if it was made of the same text


def _shown(output: Any) -> str:
    return repr(output.data if isinstance(output, Value) else output)
