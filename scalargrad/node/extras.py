"""What few nodes have, a label and hooks, in slots that all have: a slot of its own would cost each node 8 bytes.

A leaf has its label in `_b`, which it has no other use for: the text, or (label, None, hooks). A computed node has its
own in `_kept`, beside the number that its op computed: the number, (label, number) or (label, number, hooks).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scalargrad.in_c import in_c

Hooks = dict[int, Callable[[Any], Any]]
"""The functions that `register_hook` was given for one node, by ticket."""


def label_of(node: Any) -> str:
    """The name shown in pictures and messages; empty if none was given."""
    kept = node._b if node._a is None else node._kept
    if type(kept) is tuple:
        kept = kept[0]
    return kept if isinstance(kept, str) else ""


def give_label(node: Any, label: str) -> None:
    """Name a node. Its hooks stay, and so does what is known of its number."""
    keep(node, label, number_kept(node), hooks_of(node))


give_label = in_c("label", give_label)


def hooks_of(node: Any) -> Hooks | None:
    """The node's hooks; None if it never had one."""
    kept = node._b if node._a is None else node._kept
    return kept[2] if type(kept) is tuple and len(kept) == 3 else None


def number_kept(node: Any) -> Any:
    """The number that is known to be one: what the node's op computed; of a leaf, what an op used last."""
    kept = node._kept
    return kept[1] if type(kept) is tuple else kept


def only_computed(node: Any) -> bool:
    """Whether nobody gave a computed node more than a label: it has no hooks, and its data is the number of its op."""
    kept = node._kept
    return (kept[1] if type(kept) is tuple and len(kept) == 2 else kept) is node._data


def keep(node: Any, label: str, number: Any, hooks: Hooks | None) -> None:
    """Give a node all of them."""
    if node._a is None:
        node._kept = number
        node._b = label if hooks is None else (label, None, hooks)
    elif hooks is not None:
        node._kept = (label, number, hooks)
    else:  # a label of nn's without a text knows its place in the network
        node._kept = number if type(label) is str and not label else (label, number)
