"""Nodes made by hand: micrograd's way, with a closure, and microgpt's, with the local derivatives as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from typing import Any

from scalargrad.in_c import let_cycles_close
from scalargrad.node.copying import copy_node
from scalargrad.node.extras import give_label, hooks_of, keep
from scalargrad.node.mode import mode, modes_were_used
from scalargrad.node.new_nodes import recorded_or_constant
from scalargrad.node.numbers import NumberLike, describe, gradient_of, number_in
from scalargrad.node.overwritten import refuse_overwritten
from scalargrad.node.rules import LEAVES, NOTHING, Adjoints, Masked, Rule, take_rule
from scalargrad.support.at_once import assignments
from scalargrad.support.console import printable
from scalargrad.support.labels import plain, quoted
from scalargrad.support.reals import number


def make_by_hand(node: Any, parents: Any, op: Any, label: str, *, requires_grad: bool, parameter: bool) -> None:
    """Fill the slots of a Value whose constructor was given parents, an operation or local derivatives.

    Raises:
        TypeError: if a parent is not a Value, or op neither a text nor a tuple of local derivatives.
        ValueError: if there are not as many local derivatives as parents, or it is said to be a leaf.
    """
    if not isinstance(parents, Iterable):
        raise TypeError(f"_children must be a tuple of Values, not {type(parents).__name__}")
    parents = tuple(parents)
    for parent in parents:
        if not isinstance(parent, NumberLike):
            raise TypeError(f"_children must be Values, not {type(parent).__name__}: wrap numbers in Value(...)")
    text = plain(op) if isinstance(op, str) else ""
    partials = None if isinstance(op, str) else _partials_given(op, len(parents), node)
    is_leaf = requires_grad and not parameter
    if parents and not is_leaf:
        raise ValueError("requires_grad and parameter are for leaves, and this Value has _children")
    if parents and not mode.get().recording:
        node._rule = LEAVES[False, False]
    elif parents or (text and is_leaf):
        node._rule = GivenPartials(partials) if partials else HandWritten(text, is_leaf=not parents)
        node._x, node._a, node._b = parents, tuple(map(number_in, parents)), None
        if label:
            give_label(node, label)
        if modes_were_used:
            recorded_or_constant(node)
    else:
        node._rule = LEAVES[bool(requires_grad), bool(parameter)]


class HandWritten(Rule):
    """An operation written micrograd's way: a closure that reads `out.grad` and adds to its parents' `grad`."""

    def __init__(self, text: str, closure: Callable[[], None] | None = None, is_leaf: bool = False) -> None:
        self.text = text
        self.closure = closure
        self.is_leaf = is_leaf

    def unlisted(self, node: Any) -> list[Any]:
        """The Values beside the node's parents that the closure refers to, and so may give gradients to."""
        if self.closure is None:
            return []
        listed = {node, *node.parents}
        return [value for value in dict.fromkeys(values_in(self.closure)) if value not in listed]

    def backward(self, node: Any, upstream: Any, adjoints: Adjoints) -> None:
        """Run the closure and take what it added."""
        if self.closure is None:
            if node._rule.is_leaf or not node.requires_grad:  # there is nobody who would miss a gradient
                return
            raise ValueError(
                f"no gradient passes through {describe(node)}, which was made by hand"
                f"{f' as {quoted(self.text)}' if self.text else ''}: set its _backward, or give its local derivatives, "
                "one for each parent, as in Value(data, (a, b), (da, db))"
            )
        # The closure works on `grad`, the sweep on adjoints: lend it clean gradients and take them back, so that
        # repeated backward stays exact and an exception in the closure leaves nothing behind.
        reached = dict.fromkeys((*node.parents, *self.unlisted(node)))
        lent = (*reached, node)
        give_back = assignments(lent, repeat("grad"), [value.grad for value in lent])
        try:
            for value in reached:
                value.grad = NOTHING
            node.grad = upstream
            self.closure()
            contributions = {value: number(value.grad) for value in reached if value.grad is not NOTHING}
        finally:
            give_back()
        parents = set(node.parents)
        for value, contribution in contributions.items():
            if value not in parents and not value._rule.is_leaf and contribution:
                raise ValueError(
                    f"the _backward of '{self.text}' gives a gradient to {describe(value)}, which is not among its "
                    "parents, so that its turn may be over: list it, as in Value(data, (a, b), 'op')"
                )
            adjoints[value] = adjoints.get(value, 0.0) + contribution


class GivenPartials(Rule):
    """An operation written microgpt's way: the local derivatives are numbers, given with the node.

    They hold at the numbers that the node was made at and nowhere else.
    """

    text = "given"

    def __init__(self, partials: tuple[Any, ...]) -> None:
        self.partials = partials

    def backward(self, node: Any, upstream: Any, adjoints: Adjoints) -> None:
        """Hand every parent its local derivative times what comes from above."""
        for parent, local in zip(node._x, self.partials, strict=True):
            adjoints[parent] += upstream * local

    def backward_as_graph(self, node: Any, upstream: Any, adjoints: Masked) -> None:  # noqa: ARG002
        """Refuse, if a gradient comes this way: nobody knows how the numbers would change with the parents."""
        if type(upstream) is float and upstream == 0.0:
            return
        raise TypeError(
            f"no graph of gradients through {describe(node)}: its local derivatives were given as numbers, and how "
            "they change with its parents is not known. Write the operation with @primitive or as a Function, or leave "
            "create_graph out"
        )

    def local_gradients(self, node: Any) -> tuple[Any, ...]:  # noqa: ARG002
        """Those that were given."""
        return self.partials


def _partials_given(given: Any, count: int, node: Any) -> tuple[Any, ...]:
    """Local derivatives as numbers, one for each of so many parents of the node that is being made."""
    if not isinstance(given, (tuple, list)):
        raise TypeError(
            "_op must be the text of the operation, as '+', or a tuple of local derivatives, one for each of _children,"
            f" not {type(given).__name__}"
        )
    partials: Sequence[Any] = [_partial(x, i, node) for i, x in enumerate(given)]
    if len(partials) != count:
        raise ValueError(
            f"{len(partials)} local derivatives were given for {count} _children: give one for each, as in "
            "Value(data, (a, b), (da, db))"
        )
    return tuple(partials)


def _partial(x: Any, index: int, node: Any) -> Any:
    try:
        return number(x)
    except TypeError:
        hint = ": take its number with .data" if isinstance(x, NumberLike) else ""
        raise TypeError(f"local derivative {index} must be a real number, not {type(x).__name__}{hint}") from None
    except OverflowError:
        raise OverflowError(
            f"local derivative {index} of {describe(node)} is an integer too large for a float"
        ) from None


def values_in(closure: Callable[..., Any]) -> Iterator[Any]:
    """The Values that a function refers to from outside: what its body may give gradients to."""
    for content in _outside(closure):
        yield from (
            x for x in (content if isinstance(content, (list, tuple)) else (content,)) if isinstance(x, NumberLike)
        )


def _outside(closure: Callable[..., Any]) -> Iterator[Any]:
    """What the names in a function's body mean that are not its own: variables around it, and of its module."""
    for cell in getattr(closure, "__closure__", None) or ():
        with suppress(ValueError):  # a variable without a value yet
            yield cell.cell_contents
    module = getattr(closure, "__globals__", {})
    for name in getattr(getattr(closure, "__code__", None), "co_names", ()):
        if name in module:
            yield module[name]


def give_closure(node: Any, closure: Callable[[], None]) -> None:
    """Let a node pass its gradient on by a closure that somebody wrote."""
    if not callable(closure):
        raise TypeError(f"_backward must be a function without arguments, not {type(closure).__name__}")
    let_cycles_close([node, *values_in(closure)])  # they may have been computed from it
    text, is_leaf, label, hooks = node._rule.text, node._rule.is_leaf, node.label, hooks_of(node)
    pairs = [pair for pair in node.operands if pair[0] is not None]
    node._x, node._a = tuple(parent for parent, _ in pairs), tuple(a for _, a in pairs)
    node._y = node._b = None
    keep(node, label, node._data, hooks)  # the number that is there is what the closure belongs to
    take_rule(node, HandWritten(text, closure, is_leaf))


class LocalBackward:
    """One node's local backward closure, as micrograd's `_backward`: call it to run the chain rule for this node."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.as_computed = copy_node(node, {})  # a closure of the user's may take the node's place and call this one

    def __str__(self) -> str:
        return printable(repr(self))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, LocalBackward)
            and self.node is other.node
            and self.as_computed._rule is other.as_computed._rule
        )

    def __hash__(self) -> int:
        return object.__hash__(self.node)

    def __call__(self) -> None:
        """Add this node's `grad` times each local derivative to its parents' `grad`."""
        contributions: Adjoints = dict.fromkeys(self.as_computed.parents, 0.0)
        if not self.as_computed.is_leaf:
            refuse_overwritten(self.as_computed)
            self.as_computed._rule.backward(self.as_computed, gradient_of(self.node), contributions)
        for parent, contribution in contributions.items():
            parent.grad = gradient_of(parent) + contribution
