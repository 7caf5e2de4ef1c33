"""The inputs of a live graph: their numbers, and the ranges of their sliders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalargrad.playground.messages import RefusedError
from scalargrad.support.arguments import brief, real
from scalargrad.words.expressions import ExpressionError, expression_function
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST = 40
"""How many sliders at most."""
USUAL = 5.0
"""How far a slider goes to either side, unless its number is much larger or smaller."""
LARGEST = 1e300
SMALLEST = 1e-300
"""A slider's ends are at least so far apart: its steps are normal floats."""
STEPS = 1000
BEGINNINGS = (0.5, 2.0, -0.3, 1.5, -1.0, 0.8, -2.0, 1.2)
"""The numbers of variables for which none was given, in turn."""


@dataclass(frozen=True)
class Input:
    """One input: its number, and from where to where its slider goes."""

    name: str
    number: float
    low: float
    high: float

    @property
    def step(self) -> float:
        """How far the slider goes at once: a round number, about a thousandth of the way."""
        return 10.0 ** math.floor(math.log10((self.high - self.low) / STEPS) + 1e-9)

    def at(self, number: float) -> Input:
        """The same at another number; a slider that does not reach it grows."""
        if self.low <= number <= self.high:
            return Input(self.name, number, self.low, self.high)
        low, high = around(number)
        return Input(self.name, number, min(self.low, low), max(self.high, high))

    def shown(self) -> dict[str, Any]:
        """What the page needs for its slider and number box."""
        return {
            "name": self.name, "value": self.number, "text": number_text(self.number), "exact": repr(self.number),
            "low": self.low, "high": self.high, "step": self.step,
            "lowText": number_text(self.low), "highText": number_text(self.high),
        }  # fmt: skip


def around(number: float) -> tuple[float, float]:
    """A range for a slider that stands at this number: usually from −5 to 5, 0 in the middle.

    >>> around(2.0), around(7.0), around(-0.01), around(0.0)
    ((-5.0, 5.0), (-20.0, 20.0), (-0.02, 0.02), (-5.0, 5.0))
    """
    size = abs(number)
    if size < SMALLEST or USUAL / 100 <= size <= USUAL:
        return -USUAL, USUAL
    unit = 10.0 ** math.floor(math.log10(2 * size))
    reach = next(m * unit for m in (1, 2, 5, 10) if m * unit >= 2 * size * 0.999999)
    return max(-reach, -LARGEST), min(reach, LARGEST)


def given(name: str, at: Any, what: str = "live") -> Input:
    """An input as a caller gives it: a number, or (low, high), or (low, high, number).

    Raises:
        TypeError: if it is none of these.
        ValueError: if a number is not finite, or low is not less than high.
    """
    example = f"{what}: {name} must be a number, or (low, high) for its slider, as {name}=(-5, 5), not {brief(at)}"
    if isinstance(at, Sequence) and not isinstance(at, (str, bytes)):
        if not 2 <= len(at) <= 3:
            raise TypeError(example)
        low, high, *rest = (real(x, f"{what}: {name}") for x in at)
        number = rest[0] if rest else (low + high) / 2
        if not -LARGEST <= low <= number <= high <= LARGEST or high - low < SMALLEST:
            raise ValueError(f"{what}: {name} must go from a number to a larger one, as (-5, 5), not {brief(at)}")
        return Input(name, number, low, high)
    number = real(at, f"{what}: {name}")
    if not abs(number) <= LARGEST:
        raise ValueError(f"{what}: {name} must be finite, not {number}")
    return Input(name, number, *around(number))


def beginnings(names: Sequence[str], known: Mapping[str, Input]) -> Iterator[dict[str, Input]]:
    """Where the inputs may begin, the likeliest first: as they are known, others at small numbers; then elsewhere."""

    def new(numbers: Sequence[float]) -> dict[str, Input]:
        unknown = [name for name in names if name not in known]
        return {name: given(name, numbers[i % len(numbers)]) for i, name in enumerate(unknown)}

    for numbers in (BEGINNINGS, (1.0,), (0.5,), (2.0,)):
        made = new(numbers)
        yield {name: known[name] if name in known else made[name] for name in names}
    made = new((1.0,))
    for share in (0.75, 0.6, 1.0, 0.25, 0.0):
        moves = {name: one.at(one.low + share * (one.high - one.low)) for name, one in known.items()}
        yield {name: moves[name] if name in moves else made[name] for name in names}


@dataclass(frozen=True)
class Reading:
    """A field of messages: a finite number, or a text that says one: `0.5`, `−2`, `1/3`, `pi/2`."""

    default: Any = None

    def read(self, given: Any, what: str) -> float:
        """The number."""
        number: Any = given
        if isinstance(given, str) and len(given) <= 40:
            text = given.replace("\N{MINUS SIGN}", "-")
            number = _computed(text)
            if number is None and text.count(",") == 1:  # a decimal comma, and none between arguments, as in max(1, 2)
                number = _computed(text.replace(",", "."))
        if isinstance(number, (int, float)) and not isinstance(number, bool) and abs(number) <= LARGEST:
            return float(number)
        plain = isinstance(given, (str, int, float)) and not isinstance(given, bool)
        shown = brief(given) if plain else "something else"
        raise RefusedError(f"{what} must be a number, as 0.5, 1/3 or 1e-3, not {shown}")


def _computed(text: str) -> Any:
    """What an expression without variables gives; None if it is none, or has no value."""
    try:
        return expression_function(text, [])()
    except (ExpressionError, ValueError, ArithmeticError):
        return None


def moved(inputs: Mapping[str, Input], numbers: Mapping[str, float]) -> dict[str, Input]:
    """The inputs with some of them at other numbers.

    Raises:
        RefusedError: if there is no input of that name.
    """
    for name in numbers:
        if name not in inputs:
            raise RefusedError(f"there is no input {brief(name)}: they are {', '.join(inputs) or 'none'}")
    return {name: one.at(numbers[name]) if name in numbers else one for name, one in inputs.items()}
