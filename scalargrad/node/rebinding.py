"""What becomes of a new node in a mode; and the constant that `a -= ...` makes of a leaf inside `no_grad`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from opcode import opname
from typing import Any
from weakref import ref

from scalargrad.node.errors import user_line
from scalargrad.node.mode import mode
from scalargrad.node.numbers import describe
from scalargrad.node.rules import NOTHING, Adjoints, Rule


def under_modes(node: Any) -> Any:
    """What becomes of a new node: itself while recording, after inspection; else its number as a constant."""
    now = mode.get()
    for inspect in now.inspectors:
        inspect(node)
    if now.recording:
        return node
    constant = type(node)(node._data, requires_grad=False)
    x, y = node._x, node._y
    if node._b is not None and x is not None and type(x) is not tuple and (y is None or node._rule.text == "-"):
        note_rebinding(constant, x, node._rule.text)
    return constant


def note_rebinding(constant: Any, left: Any, text: str) -> None:
    """Mark what `a -= number` made where `a` was a leaf that requires grad, or was marked itself.

    Of the operators with a Value on the right only `-=` marks: `a -= lr * a.grad` has one if lr or the gradient is a
    Value, while `act = b; act += w * x` sums up a neuron. Called by `under_modes`, which the operator's function calls,
    which the user's code calls.
    """
    rule = left._rule
    if (rule.is_leaf and rule.requires_grad) or isinstance(rule, Rebound):
        frame = sys._getframe(3)
        if _is_in_place(frame.f_code.co_code, frame.f_lasti):
            leaf = rule.leaf if isinstance(rule, Rebound) else ref(left)
            constant._rule = Rebound(f"{text}=", user_line(), leaf)
            constant._x, constant._a, constant._b = (), (), None  # so that its turn in a sweep comes


def _is_in_place(code: bytes, at: int) -> bool:
    """Whether this instruction is an operator like `-=`: only Python's own instruction tells it from `-`."""
    name, argument = opname[code[at]], code[at + 1]
    return name.startswith("INPLACE_") or (name == "BINARY_OP" and 13 <= argument <= 25)  # 3.10; NB_INPLACE_ADD to _XOR


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
