"""What becomes of a new node in the mode of the thread: itself, or inside `no_grad` a constant."""

from __future__ import annotations

import sys
from opcode import opname
from typing import Any
from weakref import ref

from scalargrad.node.errors import user_line
from scalargrad.node.mode import mode
from scalargrad.node.rebinding import Rebound


def recorded_or_constant(node: Any) -> Any:
    """What becomes of a new node: itself while recording, after inspection; else its number as a constant."""
    now = mode.get()
    for inspect in now.inspectors:
        inspect(node)
    if now.recording:
        return node
    constant = type(node)(node._data, requires_grad=False)
    x, y = node._x, node._y
    if node._b is not None and x is not None and type(x) is not tuple and (y is None or node._rule.text == "-"):
        _note_rebinding(constant, x, node._rule.text)
    return constant


def _note_rebinding(constant: Any, left: Any, text: str) -> None:
    """Mark what `a -= number` made where `a` was a leaf that requires grad, or was marked itself.

    Of the operators with a Value on the right only `-=` marks: `a -= lr * a.grad` has one if lr or the gradient is a
    Value, while `act = b; act += w * x` sums up a neuron. Called by `recorded_or_constant`, which the operator's
    function calls, which the user's code calls.
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
