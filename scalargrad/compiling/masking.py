"""Plain gradients first; where they are nan, masked ones, in which what an op did not choose gets nothing.

A plain gradient multiplies by 0 there, and 0 times an infinite slope is nan; if no nan comes out, none was on the way.
To mask makes a program up to twice as long, so it is done when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

Run = Callable[[Sequence[float], Sequence[float]], list[float]]


def has_nan(numbers: Iterable[float]) -> bool:
    """Whether nan is among them; possibly True, too, where inf and -inf are."""
    total = sum(numbers)
    return total != total


class Fallback:
    """run(parameters, inputs) -> the outputs, by the plain form, and by the masked form where a gradient is nan.

    Args:
        plain: computes them.
        make_masked: makes what computes them so; None where no op chooses.
        gradients: which of the outputs are gradients.
    """

    def __init__(self, plain: Run, make_masked: Callable[[], Run] | None, gradients: slice) -> None:
        self._plain, self._make_masked, self._gradients = plain, make_masked, gradients
        self._masked: Run | None = None

    def __call__(self, parameters: Sequence[float], inputs: Sequence[float]) -> list[float]:
        """The outputs."""
        found = self._plain(parameters, inputs)
        if self._make_masked is None or not has_nan(found[self._gradients]):
            return found
        if self._masked is None:  # two threads may each make one: they are the same
            self._masked = self._make_masked()
        return self._masked(parameters, inputs)
