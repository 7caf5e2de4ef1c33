"""The constant that `a -= ...` makes of a leaf inside `no_grad`: no gradient may come to it without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from scalargrad.node.numbers import describe
from scalargrad.node.rules import NOTHING, Adjoints, Rule


class Rebound(Rule):
    """The constant that `a -= 0.1 * a.grad` makes inside no_grad(), and that has the name `a` from then on.

    PyTorch would change the leaf in place. Here `act = b; act += 1.0` must not change b, so the leaf stays as it was;
    but a program that goes on with the constant would train nothing, so no gradient may come to it: unless the leaf
    takes part in the same graph, beside the constant. Then its name was not lost, and the constant is one like others.
    """

    is_leaf = True
    requires_grad = False

    def __init__(self, operator: str, line: str, leaf: Callable[[], Any]) -> None:
        self.operator, self.line, self.leaf = operator, line, leaf

    def __str__(self) -> str:
        return (
            f"inside no_grad(), `a {self.operator} ...` made a new constant of this name, and the leaf that required "
            f"grad stayed as it was: write `a.data {self.operator} ...`, as in `a.data -= lr * a.grad`{self.line}"
        )

    def backward(self, node: Any, upstream: Any, adjoints: Adjoints) -> None:  # noqa: ARG002
        """Refuse, unless the leaf is in the table too."""
        leaf = self.leaf()
        if leaf is None or leaf not in adjoints:
            raise ValueError(f"no gradient comes to {describe(node)}: {self}")
        adjoints[node] = NOTHING  # a constant keeps none

    backward_as_graph = backward


def rebound_among(order: Iterable[Any]) -> str:
    """For a message: how the first of these that was rebound came about."""
    return next((f"; {node._rule}" for node in order if isinstance(node._rule, Rebound)), "")
