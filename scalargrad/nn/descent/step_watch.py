"""What goes wrong in training loops written by hand: zero_grad forgotten, a step without a backward before it.

Nothing here slows down the engine, which knows nothing of it. A step leaves two of the gradients that it used as floats
of a class of their own, whose sum says of itself what it is; zero_grad replaces them by 0.0, as whoever sets gradients
does. So a later step sees what the gradients are made of.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

from scalargrad.engine import Value
from scalargrad.nn.modules.module import ZERO
from scalargrad.node.numbers import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

_NEW = Value(0.0).grad
_PACKAGE = str(Path(__file__).parents[2])


class TrainingWarning(UserWarning):
    """Training goes wrong in a way that a lecturer would notice; it goes on nevertheless.

    Each kind is told once for an optimizer or a run of `fit`. To hear none: `optimizer.warns = False`,
    `fit(..., warn=False)`, or `warnings.simplefilter("ignore", scalargrad.nn.TrainingWarning)`; to stop at the first:
    the same with "error".
    """


def warn(message: str) -> None:
    """Issue a TrainingWarning at the line outside this package that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TrainingWarning, stacklevel=level)


class _Plain(float):
    """A float that is copied and pickled as a plain one."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)


class Used(_Plain):
    """A gradient that a step has used. What backward() adds to it is used together with it, a second time."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        total = float.__add__(self, other)
        if total is NotImplemented:
            return total
        return UsedAgain(total, float(self)) if other else self


class UsedAgain(_Plain):
    """A used gradient with another one added to it; scaled, as clipping does it, it stays one.

    Attributes:
        before: what of it was used already.
    """

    __slots__ = ("before",)
    before: float

    def __new__(cls, total: float, before: float) -> Self:  # noqa: D102
        made = super().__new__(cls, total)
        made.before = before
        return made

    def _kept(self, total: Any, factor: float = 1.0) -> Any:
        return total if total is NotImplemented else UsedAgain(total, self.before * factor)

    def __add__(self, other: Any) -> Any:
        return self._kept(float.__add__(self, other))

    def __mul__(self, other: Any) -> Any:
        total = float.__mul__(self, other)
        return total if total is NotImplemented else self._kept(total, float(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        total = float.__truediv__(self, other)
        return total if total is NotImplemented else self._kept(total, 1.0 / float(other))


class StepWatch:
    """Looks at the gradients of an optimizer before and after each of its steps."""

    def __init__(self) -> None:
        self._marked: list[tuple[Value, Used]] = []
        self._repeated = 0
        self._told: set[str] = set()

    def take_marks(self) -> list[tuple[Value, Any]]:
        """Make the gradients that were marked plain floats, if they are not; return those that are."""
        found: list[tuple[Value, Any]] = []
        for parameter, mark in self._marked:
            gradient = parameter.grad
            if gradient is mark or type(gradient) is UsedAgain:
                parameter.grad = float(gradient)
                found.append((parameter, gradient))
        return found

    def look(self, parameters: list[Value], marks: list[tuple[Value, Any]], who: str) -> None:
        """Warn if the gradients that are about to be used are none, or were used before; nothing has changed yet."""
        if not parameters:
            return
        if _is_blank(parameters[0].grad) and _is_blank(parameters[-1].grad) and "none" not in self._told:
            if _untouched(parameters):
                self._tell("none", _nothing_to_follow(parameters, who))
        elif not marks:
            self._repeated = 0
        elif type(marks[0][1]) is type(marks[-1][1]) is Used:
            self._repeated += 1
            if self._repeated == _PATIENCE:
                self._tell(
                    "same",
                    f"{who}.step() used the very same gradients {_PATIENCE + 1} times, with no backward() in between: "
                    "the parameters follow the slope of where they were long ago. Compute the loss and call backward() "
                    f"before each step. {_ORDER}",
                )
        else:
            self._repeated = 0
            parameter, gradient = next(pair for pair in marks if type(pair[1]) is UsedAgain)
            self._tell(
                "added",
                f"{who}.step() used gradients that hold those of an earlier step: the grad of {describe(parameter)} is "
                f"{float(gradient):.4g}, and {gradient.before:.4g} of that was used before. backward() adds to what is "
                "there, so without zero_grad() each step follows the sum of all gradients so far, not the slope of "
                f"where it is. {_ORDER}",
            )

    def mark(self, parameters: list[Value]) -> None:
        """Mark the first and the last of the gradients just used that is not 0."""
        self._marked = []
        for order in (parameters, reversed(parameters)):
            for parameter in order:
                gradient = parameter.grad
                if type(gradient) is float and gradient:
                    parameter.grad = mark = Used(gradient)
                    self._marked.append((parameter, mark))
                    break

    def _tell(self, kind: str, message: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            warn(message)


_PATIENCE = 4
"""So many steps with the gradients of the one before are let pass: a test of an optimizer makes some on purpose."""
_ORDER = "Write, in this order: optimizer.zero_grad(); loss.backward(); optimizer.step()"


def _is_blank(gradient: Any) -> bool:
    return gradient is None or (isinstance(gradient, (float, int)) and not gradient)


def _untouched(parameters: Sequence[Value]) -> bool:
    """Whether no backward() has written a gradient since they were made, set to 0 or set to None."""
    gradients: list[Any] = [parameter.grad for parameter in parameters]
    if not all(map(_is_blank, gradients)):
        return False
    # What backward() adds, even 0.0, makes an object of its own; `p.grad = 0.0` in a loop assigns one over and over.
    times = Counter(map(id, gradients))
    return all(g is None or g is ZERO or g is _NEW or times[id(g)] > 1 for g in gradients)


def _nothing_to_follow(parameters: list[Value], who: str) -> str:
    n = len(parameters)
    those = "the gradient of its one parameter is" if n == 1 else f"the gradients of all its {n} parameters are"
    first = parameters[0].grad
    why = "no backward() was called yet" if first is _NEW else "no backward() was called after they were set to it"
    return (
        f"{who}.step() has nothing to follow: {those} {first}, as {why}. backward() comes after zero_grad() and before "
        f"step(). {_ORDER}"
    )
