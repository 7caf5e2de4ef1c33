"""Copies of nodes and of graphs, with what objects of a subclass have beside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from types import MemberDescriptorType
from typing import Any

from scalargrad.node.extras import hooks_of, keep, label_of, number_kept
from scalargrad.node.numbers import describe


def copy_node(node: Any, copies: dict[Any, Any]) -> Any:
    """A new node like this one whose parents are the copies, where there are any. Its hooks are its own.

    What a subclass's object has beside is shared, as by `copy.copy`.
    """
    if node._rule.closure is not None:
        raise TypeError(f"cannot copy {describe(node)}: its hand-written _backward closure refers to the original")
    twin: Any = object.__new__(type(node))
    twin._data, twin.grad, twin._kept, twin._rule = node._data, node.grad, node._kept, node._rule
    twin._a, twin._b = node._a, node._b
    if (hooks := hooks_of(node)) is not None:
        keep(twin, label_of(node), number_kept(node), dict(hooks))
    x, y = node._x, node._y
    twin._x = tuple(copies.get(p, p) for p in x) if type(x) is tuple else copies.get(x, x)
    twin._y = tuple(copies.get(p, p) for p in y) if type(y) is tuple else copies.get(y, y)
    if not _has_the_slots(type(node)):
        give_attributes(twin, *attributes_of(node))
    return twin


def _has_the_slots(cls: type) -> bool:
    """Whether this is Value itself, whose slots every node has."""
    return "_rule" in vars(cls)


def attributes_of(node: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an object of a subclass has beside a Value's slots: in its `__dict__`, and in slots of its own."""
    slots: dict[str, Any] = {}
    for cls in type(node).__mro__:
        if _has_the_slots(cls):
            break
        for name, slot in vars(cls).items():
            if isinstance(slot, MemberDescriptorType):
                with suppress(AttributeError):  # empty
                    slots.setdefault(name, slot.__get__(node))
    return getattr(node, "__dict__", {}), slots


def give_attributes(node: Any, attributes: dict[str, Any], slots: dict[str, Any]) -> None:
    """Give a node what `attributes_of` found."""
    if attributes:
        vars(node).update(attributes)
    for name, content in slots.items():
        object.__setattr__(node, name, content)


def deepcopied(order: Sequence[Any], memo: dict[int, Any]) -> Any:
    """A copy of the last node of a topological order, with all that it was computed from.

    Args:
        order: the graph.
        memo: what is copied already, as `__deepcopy__` is given it; the copies are put there too.
    """
    copies: dict[Any, Any] = {}
    extended: list[Any] = []
    for node in order:
        known = memo.get(id(node))
        copies[node] = memo[id(node)] = copy_node(node, copies) if known is None else known
        if known is None and not _has_the_slots(type(node)):
            extended.append(node)
    for node in extended:  # now that the whole graph is in the memo: attributes may refer to its nodes
        give_attributes(copies[node], *deepcopy(attributes_of(node), memo))
    return copies[order[-1]]
