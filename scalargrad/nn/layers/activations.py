"""Activation functions by name: any row of the op table that takes one operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from scalargrad.nn.arguments.inputs import as_sequence, is_sequence
from scalargrad.nn.modules.known_module import NAME, KnownModule, OfItsOwnError, Settings
from scalargrad.ops import TABLE
from scalargrad.support.arguments import MAX_DEPTH, brief, too_deep
from scalargrad.support.spelling import did_you_mean

Activation = str | Callable[[Any], Any] | None
"""A row's name, "linear" or None for none, or a function from Value to Value."""


ACTIVATIONS = ("tanh", "sigmoid", "softplus", "silu", "gelu", "relu", "leaky_relu", "elu")
"""The usual ones: the smooth ones first."""


def resolve_activation(activation: Activation) -> tuple[str, Callable[[Any], Any] | None]:
    """Return an activation's name and function; the function is None for "linear".

    Any op of one operand will do, and one whose second operand has a default (leaky_relu: 0.1, elu: 1).

    Raises:
        ValueError: if there is no activation of this name.
        TypeError: if it is neither a name, None nor a function.

    >>> resolve_activation("tanh")[1](0.0), resolve_activation(None)
    (0.0, ('linear', None))
    """
    if activation is None or (isinstance(activation, str) and activation == "linear"):
        return "linear", None
    if isinstance(activation, str):
        op = TABLE.get(activation.lower())
        if activation.lower() == "maxout":
            raise ValueError(
                "maxout is no function of one number but a layer with several weighted sums for each output: write "
                "nn.Maxout(nin, nout), as in nn.Sequential(nn.Maxout(2, 8), nn.Layer(8, 1, activation=None))"
            )
        if activation.lower() == "softmax":
            raise ValueError(
                "softmax is no function of one number but of all outputs together: leave the last layer linear, train "
                "with nn.cross_entropy, and take nn.softmax(model(x)) for probabilities"
            )
        if op is None or not (op.arity == 1 or op.default is not None):
            usable = ["linear", "maxout"] + [
                row.name for row in TABLE.values() if row.arity == 1 or row.default is not None
            ]
            raise ValueError(
                f"there is no activation {brief(activation)}{did_you_mean(activation, usable)}; "
                f"use {', '.join(ACTIVATIONS)}, linear, any other function of one operand, or your own"
            )
        return op.name, op.function
    if not callable(activation):
        raise TypeError(f"activation must be a name, None or a function of a Value, not {type(activation).__name__}")
    op = getattr(activation, "op", None)
    name = op.name if op is not None else getattr(activation, "__name__", type(activation).__name__)
    return "custom" if name == "<lambda>" else str(name), activation


def known_activation(name: str, function: Any) -> str:
    """Return the name, if it brings this very function back.

    Raises:
        OfItsOwnError: if it does not.
    """
    try:
        if resolve_activation(name) == (name, function):
            return name
    except ValueError:
        pass
    raise OfItsOwnError


class Elementwise(KnownModule):
    """An activation as a layer of its own: applied to a Value, or to each number of a list or of lists nested in lists.

    >>> Elementwise("relu")([-1.0, 2.0])
    [0.0, 2.0]
    """

    _fields: ClassVar = {"activation": NAME}

    def __init__(self, activation: Activation) -> None:
        self.activation, self.function = resolve_activation(activation)

    def __call__(self, x: Any) -> Any:
        """Return activation(x), or the list of activation(x_i) if x is a sequence, as an image is one of channels.

        Raises:
            ValueError: if lists are nested deeper than 100 levels.
        """
        return x if self.function is None else self._applied(self.function, x, 0)

    def _applied(self, f: Callable[[Any], Any], x: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:  # the cap is what allows recursion here
            raise too_deep(f"{self!r}: the input")
        x = as_sequence(x)
        return [self._applied(f, value, depth + 1) for value in x] if is_sequence(x) else f(x)

    def _settings(self) -> Settings:
        return {"activation": known_activation(self.activation, self.function)}

    def _head(self) -> str:
        return f"Elementwise({self.activation!r})"

    def __repr__(self) -> str:
        return self._head()
