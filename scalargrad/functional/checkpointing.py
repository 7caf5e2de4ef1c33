"""Gradient check-pointing: forget a part of the graph, and compute it again when its gradient is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial, wraps
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, gradients
from scalargrad.in_c import let_cycles_close
from scalargrad.node.by_hand import GivenPartials
from scalargrad.node.contexts import observed, own_node, with_recording
from scalargrad.node.mode import in_mode, mode
from scalargrad.node.rules import NOTHING, Masked, Rule
from scalargrad.node.structures import Rebuild, flatten
from scalargrad.support.arguments import function

if TYPE_CHECKING:
    from scalargrad.node.rules import Adjoints


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function, but each of its results is one node over its inputs: what is computed inside is not kept.

    `backward()` runs f again, once for each result that has a gradient. So a chain of n operations cut into k pieces
    holds about k + n/k nodes at a time instead of n, and takes one more forward pass. Values that f uses without
    taking them as arguments, such as parameters, get their gradients too.

    Args:
        f: a function of numbers, Values, and structures of them, that computes the same every time.

    Raises:
        RuntimeError: in backward(), if f gave another result than at first, or the same in another way.

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
        given, rebuild = flatten((args, keywords), "the arguments of a checkpointed function")
        inputs = [x for x in given if isinstance(x, Value)]
        stand_ins = [Value(x.data) for x in inputs]
        run = _Run(f, given, rebuild, stand_ins)
        results: list[Any] = []
        for i, output in enumerate(run.outputs):
            if not isinstance(output, Value):
                results.append(output)
                continue
            inside = run.below(output)
            used = [output, *(parent for v in inside for parent in v.parents)]
            outside = dict.fromkeys(v for v in used if v not in run.made)
            captured = [v for v in outside if v not in stand_ins and (not v.is_leaf or v.requires_grad)]
            node = Value(output.data, [*inputs, *captured], getattr(f, "__name__", "checkpoint"))
            if not node.is_leaf:
                fingerprint = run.fingerprint(output, [*stand_ins, *captured])
                node._rule = _Checkpoint(f, given, rebuild, i, fingerprint)
            results.append(node)
        return run.rebuild_output(iter(results))

    return forgetful


class _Run:
    """A run of f with stand-ins in place of the Values among its arguments.

    Attributes:
        outputs: what f returned; `rebuild_output` puts others in their places.
        made: the Values that f made, leaves included, in the order in which it did.
    """

    def __init__(self, f: Any, given: list[Any], rebuild: Rebuild, stand_ins: list[Value]) -> None:
        fresh = iter(stand_ins)
        args, keywords = rebuild(iter([next(fresh) if isinstance(x, Value) else x for x in given]))
        self.made: dict[Value, None] = {}
        told = mode.get().on_leaf

        def keep(value: Value) -> None:
            self.made[value] = None
            if told is not None and value.is_leaf:
                told(value)

        with observed(self.made.setdefault), in_mode(on_leaf=keep):
            result = with_recording(partial(f, *args, **keywords))
        self.outputs, self.rebuild_output = flatten(result, "the result of a checkpointed function")

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
    """The rule of one result of a checkpointed function."""

    def __init__(self, f: Any, given: list[Any], rebuild: Rebuild, index: int, fingerprint: bytes) -> None:
        let_cycles_close()  # f may refer to whatever will be computed from the node
        self.text = getattr(f, "__name__", "checkpoint")
        self._f, self._given, self._rebuild, self._index = f, given, rebuild, index
        self.fingerprint = fingerprint

    def backward(self, node: Value, upstream: Any, adjoints: Adjoints) -> None:
        """Compute the part again, on leaves, and sweep it."""
        self._sweep(node, upstream, adjoints, [Value(a) for _, a in node.operands[: self._count]], create_graph=False)

    def backward_as_graph(self, node: Value, upstream: Any, adjoints: Masked) -> None:
        """Compute the part again, on aliases of the parents, so that gradients are graphs over these."""
        aliases = [with_recording(own_node, parent) for parent in node.parents[: self._count]]
        self._sweep(node, upstream, adjoints, aliases, create_graph=True)

    @property
    def _count(self) -> int:
        return sum(isinstance(x, Value) for x in self._given)

    def _sweep(
        self, node: Value, upstream: Any, adjoints: Adjoints, stand_ins: list[Value], *, create_graph: bool
    ) -> None:
        run = _Run(self._f, self._given, self._rebuild, stand_ins)
        output = run.outputs[self._index] if self._index < len(run.outputs) else None
        must = "it must compute the same every time, from unchanged parameters"
        if not isinstance(output, Value) or repr(output.data) != repr(node.data):
            raise RuntimeError(
                f"the checkpointed function {self.text} gave {node.data!r} at first and {_shown(output)} when it was "
                f"run again for backward(): {must}"
            )
        sources = [*stand_ins, *node.parents[self._count :]]
        if run.fingerprint(output, sources) != self.fingerprint:
            raise RuntimeError(
                f"the checkpointed function {self.text} gave {node.data!r} twice, but by other operations, or from "
                f"other inputs, when it was run again for backward(): {must}"
            )
        stops = set(sources)  # what lies below them is the outer sweep's

        def up_to_the_sources(turns: Iterator[Value], adjoints: Adjoints) -> Iterator[Value]:  # noqa: ARG001
            return (turn for turn in turns if turn not in stops)

        found = gradients([output], [upstream], create_graph=create_graph, wrt=sources, watch=up_to_the_sources)
        for parent, source in zip(node.parents, sources, strict=True):
            if parent not in adjoints or source not in found or found[source] is NOTHING:
                continue
            if isinstance(found, Masked) and isinstance(adjoints, Masked):
                adjoints.hand_on(node, parent, found[source], found.reached.get(source))
            else:
                adjoints[parent] += found[source]


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
