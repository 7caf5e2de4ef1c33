"""What a model of two inputs says on a grid, in plain numbers; and the colours of its classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.compiled import Compiled
from scalargrad.compiling.compiled import compile as compile_
from scalargrad.nn.modules.module import Module
from scalargrad.nn.scores.predicting import evaluating
from scalargrad.node.contexts import no_grad
from scalargrad.node.numbers import plain_number
from scalargrad.support.arguments import MAX_DEPTH, real, too_deep

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERAL = ("#1f5fa8", "#b9770e", "#16808a", "#a3365f", "#5d7a1f", "#6d5bb5")
SEVERAL_DARK = ("#6aa9ea", "#e0a544", "#4fc3cc", "#e57ba1", "#a5c764", "#a99bea")
"""Classes of a model with several outputs, none of which is the positive one: hues apart from the pair for sign."""


class Field:
    """The model's outputs over a grid, asked again and again while it is trained."""

    def __init__(self, model: Callable[[list[float]], Any], across: Sequence[float], up: Sequence[float]) -> None:
        self._model = model
        self._points = [[x0, x1] for x1 in up for x0 in across]
        self._width = len(across)
        known = model if isinstance(model, Compiled) else None
        self._compiled = compile_(model) if isinstance(model, Module) else known

    def rows(self) -> list[list[Any]]:
        """A row of the grid for each number of `up`: floats, or lists of floats where the model has several outputs."""
        with evaluating(self._model):
            flat = self._fast()
            if flat is None:
                with no_grad():
                    flat = [output_of(self._model(point)) for point in self._points]
        return [flat[i : i + self._width] for i in range(0, len(flat), self._width)]

    def _fast(self) -> list[Any] | None:
        if self._compiled is None:
            return None
        try:
            return list(map(output_of, self._compiled.values(self._points)))
        except Exception:  # what cannot be compiled is called, which says what is wrong, if anything is
            self._compiled = None
            return None


def field_of(model: Callable[[list[float]], Any], across: Sequence[float], up: Sequence[float]) -> list[list[Any]]:
    """What the model says at each point of the grid, once: see `Field.rows`."""
    return Field(model, across, up).rows()


def output_of(output: Any, what: str = "the model's output") -> Any:
    """A model's answer as a float, or as a list of floats if it has several outputs; errors call it `what`."""
    for _ in range(MAX_DEPTH):
        if hasattr(output, "tolist"):
            output = output.tolist()
        if not isinstance(output, (list, tuple)):
            return real(plain_number(output), what)
        if len(output) != 1:
            return [real(plain_number(o), "each output of the model") for o in output]
        output = output[0]
    raise too_deep(what)


def leads(scores: Any) -> Any:
    """By how much the largest of an array's scores along the first axis is ahead of the next one."""
    import numpy as np

    two = np.partition(scores, len(scores) - 2, axis=0)[-2:]
    return two[1] - two[0]


def class_colors(labels: Iterable[float], several: int, threshold: float, theme: dict[str, str]) -> dict[float, str]:
    """The colour of each label.

    Args:
        labels: all there are.
        several: how many outputs the model has, if one for each class; else 0: then there are two sides, and the pair
            of colours for sign.
        threshold: the score between the sides.
        theme: role to colour.
    """
    hues = SEVERAL if theme["halo"] == "#ffffff" else SEVERAL_DARK
    if several:
        return {float(i): hues[i % len(hues)] for i in range(several)}
    labels = sorted(labels)
    minus, plus = theme["edge-minus-3"], theme["edge-plus-3"]
    if len(labels) == 1:
        return {labels[0]: plus if labels[0] > threshold else minus}
    if len(labels) == 2:
        return {labels[0]: minus, labels[1]: plus}
    return {label: hues[i % len(hues)] for i, label in enumerate(labels)}
