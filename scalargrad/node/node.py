"""What a Value shows of itself: its label, its kind, and what micrograd and microgpt call the same things.

The engine (engine.py) has what a node is: its slots, the sort and the sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from scalargrad.node.by_hand import LocalBackward, give_closure
from scalargrad.node.copying import copy_node
from scalargrad.node.extras import give_label, label_of
from scalargrad.node.mode import inspected, looked_at, modes_were_used
from scalargrad.node.numbers import NumberLike
from scalargrad.support.labels import label_text

if TYPE_CHECKING:
    from typing_extensions import Self

    from scalargrad.node.rules import Rule


class Node(NumberLike):
    """What Value inherits, beside the behaviour of a number."""

    __slots__ = ()

    if TYPE_CHECKING:
        _rule: Rule

        @property
        def parents(self) -> tuple[Any, ...]:
            """What it was computed from, as Value has it."""

    def item(self) -> float:
        """The number, as `item()` of an array or tensor gives it."""
        return self.data

    @property
    def label(self) -> str:
        """The name shown in pictures and messages; empty if none was given."""
        return label_of(self)

    @label.setter
    def label(self, text: str) -> None:
        renamed = getattr(self.label, "renamed", label_text)  # a label that nn gave keeps its place in the network
        give_label(self, renamed(label_text(text)))

    @property
    def is_leaf(self) -> bool:
        """True if no operation made this Value."""
        return self._rule.is_leaf

    @property
    def is_parameter(self) -> bool:
        """True for a leaf made with `parameter=True`, as nn makes its weights."""
        return self._rule.is_parameter

    # micrograd's names for the same things

    @property
    def _prev(self) -> tuple[Any, ...]:
        return self.parents

    @property
    def _op(self) -> str:
        return self._rule.text

    # microgpt's names

    @property
    def _children(self) -> tuple[Any, ...]:
        return self.parents

    @property
    def _local_grads(self) -> tuple[Any, ...]:
        """The local derivative with respect to each of `_children`, at the numbers that the node was computed from."""
        return self._rule.local_gradients(self) if self._a is not None else ()

    @property
    def _backward(self) -> Callable[[], None]:
        """This node's local backward closure: calling it adds this node's contributions to its parents' `grad`."""
        return self._rule.closure or LocalBackward(self)

    @_backward.setter
    def _backward(self, closure: Callable[[], None]) -> None:
        give_closure(self, closure)

    def __copy__(self) -> Self:
        if modes_were_used and self._a is None:
            looked_at(self, "copy")
        twin: Self = copy_node(self, {})
        if modes_were_used:
            inspected(twin)
        return twin


# -------------------------------------------------------------------- along the edges


def descendants(order: Iterable[Any], sources: Iterable[Any]) -> list[Any]:
    """Those of a topological order that are among the sources or were computed from them."""
    found: set[Any] = set(sources)
    below = []
    for node in order:
        x, y = node._x, node._y
        if type(x) is tuple:
            reached = not found.isdisjoint(x) or (y is not None and not found.isdisjoint(y))
        else:
            reached = x in found or y in found
        if reached or node in found:
            found.add(node)
            below.append(node)
    return below


def ancestors(root: Any) -> Iterator[Any]:
    """The root and everything it was computed from, each once, in no particular order."""
    seen = {root}
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        for parent in node.parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
