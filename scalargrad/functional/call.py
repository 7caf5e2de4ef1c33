"""One call of a user's function on Values of its own, and the two ways through the graph it leaves."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

from scalargrad.engine import Value, gradients, topological_order
from scalargrad.functional.forward import tangents as push_tangents
from scalargrad.node.contexts import own_node, with_recording
from scalargrad.node.mode import being_compiled, mode
from scalargrad.node.numbers import plain_number
from scalargrad.node.rules import Leaf
from scalargrad.node.structures import Rebuild, flatten
from scalargrad.support.arguments import brief, function, items, whole

AnyFunction = Callable[..., Any]
Argnums = int | Sequence[int]


def to_differentiate(f: Any, caller: str) -> AnyFunction:
    """The function that a transformation was given, checked when it is given: what is made of it may be called late."""
    if isinstance(f, Value):
        raise TypeError(
            f"{caller} takes a function, not a Value: of Values there is grad(y, [a, b]), and of what that gives with "
            f"create_graph=True grad again. Or write {caller}(f)(numbers), with a function f of numbers that gives y"
        )
    checked: AnyFunction = function(f, f"what {caller} differentiates")
    return checked


class Call:
    """One call of a function on Values of its own, ready to be differentiated.

    Attributes:
        inputs: a Value for each number of the chosen arguments.
        outputs: the Values and plain numbers that the function returned.
        rebuild_output: puts others in their places.
        aux: what the function returned beside its output.
        in_graph: whether Values other than the inputs are involved, so that results must be Values.
    """

    def __init__(
        self,
        f: AnyFunction,
        args: Sequence[Any],
        argnums: Argnums = 0,
        *,
        has_aux: bool = False,
        keywords: Mapping[str, Any] | None = None,
    ) -> None:
        name = getattr(function(f, "what is differentiated"), "__name__", type(f).__name__)
        self._recording = mode.get().recording  # inside no_grad, results that are Values are constants
        args = list(args)
        self.single, given_numbers = _listed(argnums)
        chosen = [whole(i, "argnums", "argnums=(0, 1)", least=-len(args)) for i in given_numbers]
        if not all(-len(args) <= i < len(args) for i in chosen):
            none = "" if args else ". What is differentiated for are its arguments; for other Values: grad(f(), [a, b])"
            raise TypeError(
                f"{name} was called with {len(args)} positional arguments, but argnums is {brief(argnums)}{none}"
            )
        chosen = [i % len(args) for i in chosen]
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"argnums names an argument twice: {brief(argnums)}")
        given = list(args)
        self.inputs: list[Value] = []
        self._rebuilds: list[tuple[int, Rebuild]] = []
        self.in_graph = False
        depth = _depth.get()
        for i in chosen:
            leaves, rebuild = flatten(args[i], f"argument {i} of {name}")
            # An alias of a Value is a node of its own: differentiating with respect to it does not disturb others.
            fresh = [
                with_recording(own_node, leaf)
                if isinstance(leaf, Value) and leaf.requires_grad
                else _input(leaf, depth)
                for leaf in leaves
            ]
            self.in_graph |= any(isinstance(leaf, Value) for leaf in leaves)
            given[i] = rebuild(iter(fresh))
            self.inputs += fresh
            self._rebuilds.append((len(fresh), rebuild))
        result = _among_values(self.inputs, partial(_deeper, depth + 1, partial(f, *given, **(keywords or {}))))
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
        # An input of a call inside this one, which is over, is nobody's; one of a call around it is that one's.
        self.in_graph |= any(
            v.is_leaf and v.requires_grad and v not in mine and getattr(v._rule, "depth", 0) <= depth for v in order
        )
        if not self.in_graph:
            self.aux = _without_values(self.aux)

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
        return self.rebuild_output(map(self.finished if self.in_graph else plain_number, self.outputs))

    def finished(self, x: Any) -> Any:
        """A result as the caller gets it."""
        return x if self._recording or not isinstance(x, Value) else x.detach()

    def shaped(self, flat: Iterable[Any]) -> Any:
        """One entry for each input, in the structure of the chosen arguments."""
        entries = map(self.finished, flat)
        results = [rebuild(iter([next(entries) for _ in range(count)])) for count, rebuild in self._rebuilds]
        return results[0] if self.single else tuple(results)

    def pull_back(self, roots: Sequence[Value], seeds: Sequence[Any], *, create_graph: bool | None = None) -> list[Any]:
        """The derivative of sum(seed * root) with respect to each input."""
        create_graph = self.in_graph if create_graph is None else create_graph
        sweep = partial(gradients, roots, seeds, create_graph=create_graph, wrt=self.inputs)
        adjoints = (with_recording(sweep) if create_graph else sweep()) if roots else {}
        return own_nodes([adjoints.get(x, 0.0) for x in self.inputs], create_graph)

    def push_forward(self, roots: Sequence[Any], speeds: Sequence[Any]) -> list[Any]:
        """How fast each root changes when the inputs change at these speeds."""
        seeds = dict(zip(self.inputs, speeds, strict=True))
        create_graph = self.in_graph or any(isinstance(speed, Value) for speed in speeds)
        values = [root for root in roots if isinstance(root, Value)]
        found = with_recording(partial(push_tangents, values, seeds, create_graph=create_graph))
        return own_nodes([found.get(root, 0.0) if isinstance(root, Value) else 0.0 for root in roots], create_graph)


class _Input(Leaf):
    """The rule of an input that a call made of a plain number; `depth` says inside how many calls."""

    def __init__(self, depth: int) -> None:
        super().__init__(requires_grad=True, is_parameter=False)
        self.depth = depth


_depth: ContextVar[int] = ContextVar("depth", default=0)


def _input(x: Any, depth: int) -> Value:
    if isinstance(x, Value) and being_compiled():  # its number is read in each replay
        return with_recording(operator.mul, x, _input(1.0, depth))  # type: ignore[no-any-return]
    made = Value(plain_number(x))
    made._rule = _Input(depth)
    return made


def _deeper(depth: int, function: Callable[[], Any]) -> Any:
    _depth.set(depth)  # in the context that `record` has made for this one call
    return function()


def _listed(argnums: Any) -> tuple[bool, list[Any]]:
    """Whether it is a single number, and the numbers. True counts as 1; an array may be several, or one."""
    try:
        return True, [int(operator.index(argnums))]
    except TypeError:
        numbers = items(argnums, "argnums", "argnums=(0, 1)")
    return False, [int(i) if isinstance(i, bool) else i for i in numbers]


def _among_values(inputs: Sequence[Value], function: Callable[[], Any]) -> Any:
    """What a function gives to whom these are Values, also while another one is recorded that has numbers for them."""
    known = mode.get().as_values
    if known is None:
        return with_recording(function)
    known.update(inputs)
    try:
        return with_recording(function)
    finally:
        known.difference_update(inputs)


def _without_values(aux: Any) -> Any:
    """The auxiliary output with numbers in place of its Values; all else as it is."""
    if isinstance(aux, dict):
        return {key: _without_values(part) for key, part in aux.items()}
    if type(aux) in (list, tuple):
        return type(aux)(map(_without_values, aux))
    return plain_number(aux)


def own_nodes(results: list[Any], as_values: bool) -> list[Any]:
    """As Values, each a node of its own, so that a label given to one names no other."""
    if not as_values:
        return results
    return [
        with_recording(own_node, result) if isinstance(result, Value) else Value(result, requires_grad=False)
        for result in results
    ]
