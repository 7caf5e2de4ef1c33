"""Activation functions by name: any row of the op table that takes one operand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scalargrad import ops  # noqa: F401  (fills the table)
from scalargrad.nn.module import Module
from scalargrad.table import TABLE

Activation = str | Callable[[Any], Any] | None
"""A row's name, "linear" or None for none, or a function from Value to Value."""


def resolve_activation(activation: Activation) -> tuple[str, Callable[[Any], Any] | None]:
    """Return an activation's name and function; the function is None for "linear".

    Any op of one operand will do, and one whose second operand has a default (leaky_relu: 0.1, elu: 1).

    Raises:
        ValueError: if there is no activation of this name.
        TypeError: if it is neither a name, None nor a function.

    >>> resolve_activation("tanh")[1](0.0), resolve_activation(None)
    (0.0, ('linear', None))
    """
    if activation is None or activation == "linear":
        return "linear", None
    if isinstance(activation, str):
        op = TABLE.get(activation.lower())
        if op is None or not (op.arity == 1 or op.default is not None):
            known = "relu, leaky_relu, elu, gelu, silu, tanh, sigmoid, softplus, linear"
            raise ValueError(
                f"there is no activation {activation!r}; use {known}, any other function of one operand, or your own"
            )
        return op.name, op.function
    if not callable(activation):
        raise TypeError(f"activation must be a name, None or a function of a Value, not {type(activation).__name__}")
    op = getattr(activation, "op", None)
    name = op.name if op is not None else getattr(activation, "__name__", type(activation).__name__)
    return "custom" if name == "<lambda>" else str(name), activation


class Elementwise(Module):
    """An activation as a layer of its own: applied to a Value, or to each of a list.

    >>> Elementwise("relu")([-1.0, 2.0])
    [0.0, 2.0]
    """

    def __init__(self, activation: Activation) -> None:
        self.activation, self.function = resolve_activation(activation)

    def __call__(self, x: Any) -> Any:
        """Return activation(x), or the list of activation(x_i) if x is a sequence."""
        if self.function is None:
            return x
        if isinstance(x, Sequence) or hasattr(x, "__len__"):
            return [self.function(value) for value in x]
        return self.function(x)

    def _head(self) -> str:
        return f"Elementwise({self.activation!r})"

    def __repr__(self) -> str:
        return self._head()
