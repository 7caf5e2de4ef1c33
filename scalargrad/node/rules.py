"""What a node knows about its operation: its rule. Those of leaves are here; the op table's rows are rules too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from scalargrad.node.extras import hooks_of, keep, label_of, number_kept
from scalargrad.node.numbers import describe
from scalargrad.support.labels import quoted

Adjoints = dict[Any, Any]
"""From each node to the derivative of the output with respect to it, as far as it has been added up."""

NOTHING = float("0")
"""What stands in a table of adjoints until a contribution comes: a node that no contribution reached passes nothing on.

It is told from a 0.0 that was computed by being this very object: adding to it makes another.
"""


class Masked(dict[Any, Any]):
    """The table of adjoints for a graph of gradients.

    Such a graph may be recorded and run at other numbers, or differentiated, where an op chooses otherwise or nothing
    reaches a node. So what is passed on below an op that chooses is `where(mask, share, 0)`, and `reached` has for each
    node that is not always reached a Value that is not 0 where it is.
    """

    def __init__(self, order: Iterable[Any]) -> None:
        super().__init__(dict.fromkeys(order, NOTHING))
        self.reached: dict[Any, Any] = {}

    def hand_on(self, node: Any, parent: Any, share: Any, chosen: Any = None) -> None:
        """Add a node's contribution to a parent's adjoint; it is 0 where it would not reach the parent.

        Args:
            node: whose turn it is.
            parent: one of its parents.
            share: the contribution.
            chosen: a Value that is not 0 where the node's op chose this parent; None if it always does.
        """
        before, reached = self[parent], self.reached
        mask = reached.get(node)
        if chosen is not None:
            mask = chosen if mask is None else mask.where(chosen, 0.0)
        if mask is not None:
            share = mask.where(share, 0.0)
        if before is NOTHING:
            self[parent] = share
            if mask is not None:
                reached[parent] = mask
        else:
            self[parent] = before + share
            known = reached.pop(parent, None)
            if known is not None and mask is not None:
                reached[parent] = known.where(1.0, mask)


class Rule:
    """What a node knows about its operation. Nodes share one: the op's row of the table (ops.py) or a leaf's kind."""

    text = ""
    """The operation as micrograd writes it in `_op`: '+', 'tanh'; empty for a leaf."""
    is_leaf = False
    is_parameter = False
    requires_grad = True
    closure: Callable[[], None] | None = None
    """The `_backward` that somebody wrote for the one node that has this rule."""
    backward: Callable[[Any, Any, Adjoints], None]
    """backward(node, upstream, adjoints) adds upstream times each local derivative to the adjoints of the parents."""

    def backward_as_graph(self, node: Any, upstream: Any, adjoints: Masked) -> None:  # noqa: ARG002
        """As `backward`, with Values in place of numbers; only parents that have an entry get anything."""
        raise TypeError(
            f"no graph of gradients through {describe(node)}: the hand-written _backward of {quoted(self.text)} "
            "computes numbers. Write the operation with @primitive or as a Function, or leave create_graph out"
        )

    def local_gradients(self, node: Any) -> tuple[Any, ...]:
        """The derivative with respect to each parent; if one is there twice, the first has it for both."""
        found: Adjoints = dict.fromkeys(node.parents, 0.0)
        self.backward(node, 1.0, found)
        if len(found) > len(set(node.parents)):
            raise ValueError(
                f"the local derivatives of {describe(node)} are more than its parents: its _backward reaches Values "
                "that are not among them; call it, v._backward()"
            )
        return tuple(found.pop(parent, 0.0) for parent in node.parents)


class Leaf(Rule):
    """The rule of a Value that no operation made: there is nobody to pass a gradient to."""

    is_leaf = True

    def __init__(self, requires_grad: bool, is_parameter: bool) -> None:
        self.requires_grad = requires_grad
        self.is_parameter = is_parameter

    def backward(self, node: Any, upstream: Any, adjoints: Adjoints) -> None:
        """Pass nothing on."""

    backward_as_graph = backward


LEAVES = {(grad, parameter): Leaf(grad, parameter) for grad in (True, False) for parameter in (True, False)}


last_change: list[object] = [object()]
"""Another object whenever a Value has taken another rule or another hook, as when it is frozen: whoever takes them for
granted looks at them again only then."""


def rule_has_changed() -> None:
    """To be called after the change."""
    last_change[:] = [object()]


def take_rule(node: Any, rule: Rule) -> None:
    """Give the node another rule. One that becomes a leaf like others keeps its label and hooks where these do."""
    if isinstance(rule, Leaf) and node._a is not None:  # it was made by hand, or by `a -= ...` inside no_grad
        label, kept, hooks = label_of(node), number_kept(node), hooks_of(node)
        node._x = node._y = node._a = None
        keep(node, label, kept, hooks)
    node._rule = rule
    rule_has_changed()
