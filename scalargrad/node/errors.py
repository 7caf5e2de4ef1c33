"""Messages that say what happened, at which numbers, to which labels, and on which line of the user's code."""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from types import MethodType
from typing import Any

from scalargrad.support.arguments import brief
from scalargrad.support.labels import quoted


def domain_error(
    name: str, parents: Sequence[Any], numbers: Sequence[float], error: Exception
) -> ValueError | ZeroDivisionError:
    """The error to raise for what Python's floats raised in the op of this name."""
    place = f" at {listed(numbers)}" if numbers else ""
    if isinstance(error, ZeroDivisionError):
        kind = "division by zero"
    elif _PYTHONS_WORDS.match(str(error)):
        kind = "domain error"
    else:
        kind = f"{error}," if numbers else str(error)
    text = f"{name}: {kind}{place}{labels_of(parents)}{user_line()}"
    return ZeroDivisionError(text) if isinstance(error, ZeroDivisionError) else ValueError(text)


# What math raises; Python 3.14 says more, but not more than the message here.
_PYTHONS_WORDS = re.compile(
    r"math domain error$|expected a(rgument value)? .*, got \S+$|expected a (positive|nonnegative) input$"
)


def listed(numbers: Iterable[float]) -> str:
    """The numbers, as many as fit a message."""
    texts = list(map(brief, numbers))
    return ", ".join(texts if len(texts) <= 6 else [*texts[:5], f"... ({len(texts)} operands)"])


def labels_of(parents: Iterable[Any]) -> str:
    """The labels of those that have one, in parentheses."""
    labels = [quoted(parent.label) for parent in parents if parent is not None and parent.label]
    if not labels:
        return ""
    return f" (label{'s' if len(labels) > 1 else ''} {', '.join(labels[:6])}{', ...' if len(labels) > 6 else ''})"


def no_graph(who: str, given: Any) -> TypeError:
    """The error of a function that takes the output of a graph and was given something else."""
    hint = ""
    if given is None:
        hint = f"backward() returns None: write y.backward(), then {who}(y)"
    elif isinstance(given, (int, float)):
        hint = "a plain number has no graph: compute it from Values, without .data in between"
    elif isinstance(given, str):
        hint = f"give the Value itself, {who}(y) without quotes"
    elif isinstance(given, (list, tuple)) or getattr(given, "ndim", False):
        hint = f"give one of its elements, or their sum, {who}(scalargrad.sum(ys))"
    elif hasattr(given, "parameters"):
        hint = f"call the model with inputs, {who}(model(x))"
    elif isinstance(given, MethodType):
        hint = f"{given.__name__} is a method and was not called: write {given.__name__}()"
    elif callable(given):
        hint = f"call it with Values, {who}(f(x))"
    takes = f"{who} takes a Value, the output of a graph, not {type(given).__name__}"
    return TypeError(f"{takes}: {hint}" if hint else takes)


PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_ASK_FOR_OTHERS = {
    "scalargrad.node.errors", "scalargrad.node.mode", "scalargrad.node.node", "scalargrad.node.watched_data",
    "scalargrad.engine",
    "scalargrad.compiling.watching",
    "scalargrad.support.spelling",
}  # fmt: skip
"""The modules whose functions stand between a Value's attribute and whoever asked for it."""


def user_depth() -> int:
    """How many frames up the first line of code outside this package is, as warnings count them."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        depth, frame = depth + 1, frame.f_back
    return depth


_COMPARE_FOR_OTHERS = _ASK_FOR_OTHERS | {"scalargrad.node.numbers", "scalargrad.table.ufuncs"}


def compared_by_package() -> bool:
    """Whether the function that asked whether a Value equals something belongs to this package."""
    return called_by_package(_COMPARE_FOR_OTHERS)


def called_by_package(through: AbstractSet[str] = _ASK_FOR_OTHERS) -> bool:
    """Whether the function that asked for a Value's attribute, through these modules, belongs to this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in through:
        frame = frame.f_back
    return frame.f_code.co_filename.startswith(PACKAGE)


def calling_line() -> str:
    """The first line of code outside this package; empty where it cannot be read."""
    frame = sys._getframe(user_depth() - 1)
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()


def user_line() -> str:
    """Where that line is, and the line."""
    frame = sys._getframe(user_depth() - 1)
    path, line = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(path, line).strip()
    source = source if len(source) <= 80 else source[:79] + "…"
    return f"\n  at {path}:{line}" + (f": {source}" if source else "")
