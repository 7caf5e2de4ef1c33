"""Gradient clipping: a limit on how far one step can go."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from scalargrad.nn.modules.module import Module, parameters_of
from scalargrad.node.numbers import plain_gradient
from scalargrad.support.arguments import real

if TYPE_CHECKING:
    from scalargrad.engine import Value


def clip_grad_norm(parameters: Module | Iterable[Value], max_norm: float) -> float:
    """Scale all gradients by min(1, max_norm / (norm + 1e-6)), so that together they are no longer than max_norm.

    Those that are Values, after `backward(create_graph=True)`, become numbers if they are scaled.

    Returns:
        The norm before, sqrt(sum of grad**2).

    Raises:
        ValueError: if max_norm is not positive.
    """
    values = list(dict.fromkeys(parameters_of(parameters, "clip_grad_norm")))
    grads = [plain_gradient(value) for value in values]
    norm, clipped = clipped_to_norm(grads, max_norm)
    if clipped is not grads:  # a gradient that is a Value stays one as long as it is short enough
        _set_grads(values, clipped)
    return norm


def clipped_to_norm(grads: list[float], max_norm: float) -> tuple[float, list[float]]:
    """Return the norm of these gradients, and the gradients as `clip_grad_norm` makes them."""
    max_norm = limit(max_norm, "clip_grad_norm: max_norm")
    norm = math.hypot(*grads)
    scale = max_norm / (norm + 1e-6)
    if scale >= 1:
        return norm, grads
    return norm, [grad * scale for grad in grads]  # a norm of nan makes every gradient nan, as in PyTorch


def clip_grad_value(parameters: Module | Iterable[Value], max_value: float) -> None:
    """Bring every gradient between -max_value and max_value; nan stays nan.

    Raises:
        ValueError: if max_value is not positive.
    """
    values = list(dict.fromkeys(parameters_of(parameters, "clip_grad_value")))
    max_value = limit(max_value, "clip_grad_value: max_value")
    # The gradient comes first: max and min keep their first argument where a comparison with nan is false.
    _set_grads(values, [min(max(plain_gradient(value), -max_value), max_value) for value in values])


def limit(given: float, what: str) -> float:
    """Return a positive number, or inf, as a float.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not positive.
    """
    x = real(given, what)
    if not x > 0:
        raise ValueError(f"{what} must be positive, not {x!r}")
    return x


def _set_grads(values: list[Value], grads: list[float]) -> None:
    for value, grad in zip(values, grads, strict=True):
        value.grad = grad
