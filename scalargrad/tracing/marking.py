"""Answers to a worksheet: read from what people write, compared at the precision that is shown, and marked."""

from __future__ import annotations

import difflib
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from scalargrad.engine import Value
from scalargrad.support.arguments import items
from scalargrad.support.console import printable
from scalargrad.support.labels import clean_label
from scalargrad.support.reals import number
from scalargrad.words.texts import MINUS, columns, number_text

if TYPE_CHECKING:
    from scalargrad.tracing.blanks import Blank

_LONGEST = 40
_FEW = 10
_WIDTH = 100
"""Lines longer than this are broken between words: a notebook would break them anywhere."""
_FORMS = "write a number as −0.3932, −0,3932, 1/3 or 1e-7"


@dataclass(frozen=True)
class Mark:
    """What became of one blank.

    Attributes:
        blank: the blank.
        answer: the number that was given; None if there was none.
        verdict: 'right', 'wrong' or 'open'.
        hint: for a wrong answer, what to look at; it names the edge and never the right number.
    """

    blank: Blank
    answer: float | None
    verdict: Literal["right", "wrong", "open"]
    hint: str = ""


class Marks(Sequence[Mark]):
    """The marks of all blanks, in order. True if every one is right; shows a line for each."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = tuple(marks)

    def __getitem__(self, index: Any) -> Any:
        return self._marks[index]

    def __len__(self) -> int:
        return len(self._marks)

    def __bool__(self) -> bool:
        return all(mark.verdict == "right" for mark in self._marks)

    @property
    def right(self) -> list[int]:
        """The numbers of the blanks with right answers."""
        return [mark.blank.number for mark in self if mark.verdict == "right"]

    @property
    def wrong(self) -> dict[int, str]:
        """The hint for each wrong answer, by the number of its blank."""
        return {mark.blank.number: mark.hint for mark in self if mark.verdict == "wrong"}

    @property
    def open(self) -> list[int]:
        """The numbers of the blanks that have no answer yet."""
        return [mark.blank.number for mark in self if mark.verdict == "open"]

    def __str__(self) -> str:
        return printable(repr(self))

    def __repr__(self) -> str:
        verdicts = [f"not yet: {mark.hint}" if mark.verdict == "wrong" else mark.verdict for mark in self]
        places = columns([[mark.blank.sign, mark.blank.question, "|"] for mark in self])
        lines = []
        for place, text in zip(places, verdicts, strict=True):
            start = place.removesuffix("|")
            room = max(_WIDTH - len(start), _WIDTH // 2)
            first, *more = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
            lines += [start + first, *(" " * len(start) + line for line in more)]
        unanswered = f", {len(self.open)} open" if self.open else ""
        return "\n".join([*lines, f"{len(self.right)} of {len(self)} right{unanswered}"])


def agrees(answer: float, right: float, tolerance: float = 0.0) -> bool:
    """Whether an answer is the right number, as exactly as `number_text` shows it, or within a relative tolerance.

    Shown are four decimals, below 1e-3 and above 1e5 four decimals of the mantissa; half a unit of the last may differ.

    >>> agrees(0.1966, 0.196611933241), agrees(0.1965, 0.196611933241), agrees(0.0, 1e-7)
    (True, False, False)
    """
    if not (math.isfinite(answer) and math.isfinite(right)):
        return number_text(answer) == number_text(right)
    return abs(answer - right) <= leeway(right, tolerance)


def leeway(right: float, tolerance: float = 0.0) -> float:
    """How far from the right number, which is finite, an answer may be: what `agrees` compares with."""
    unit = 1.0
    if right and not 1e-3 <= abs(right) <= 1e5:
        unit = 10.0 ** math.floor(math.log10(abs(right)))
    # A hair more than half a unit: 0.00005 itself is no exact binary number.
    return max(0.500001e-4 * unit, tolerance * abs(right))


def read_answers(blanks: Sequence[Blank], answers: Any) -> dict[Blank, float]:
    """The number given for each blank; those without are left out."""
    if isinstance(answers, Mapping):
        pairs: list[tuple[Blank, Any]] = []
        for key, answer in answers.items():
            blank = _find(blanks, key)
            if any(blank is other for other, _ in pairs):
                raise ValueError(f"{blank.sign} ({blank.question}) is answered twice")
            pairs.append((blank, answer))
    elif isinstance(answers, Iterable) and not isinstance(answers, (str, bytes, AbstractSet)):
        answers = items(answers, "answers", "[0.5, -1.0]")
        if len(answers) > len(blanks):
            raise ValueError(f"there are {len(blanks)} blanks, but {len(answers)} answers")
        pairs = list(zip(blanks, answers, strict=False))
    else:
        raise TypeError(
            f"answers must be a dict, as {{1: 0.5}}, or a list in the order of the blanks, not {type(answers).__name__}"
        )
    read = {blank: _read(blank, answer) for blank, answer in pairs}
    return {blank: answer for blank, answer in read.items() if answer is not None}


def _find(blanks: Sequence[Blank], key: object) -> Blank:
    """The blank of a number, a name, a question, or a Value."""
    found: list[Blank] = []
    if isinstance(key, Value):
        found = [blank for blank in blanks if blank.node is key]
    elif isinstance(key, str):
        key = key.strip()
        found = [blank for blank in blanks if key in (blank.name, blank.question)]
        found = found or [blank for blank in blanks if key in (blank.sign, str(blank.number))]
    elif isinstance(key, int) and not isinstance(key, bool):
        found = [blank for blank in blanks if blank.number == key]
    if len(found) == 1:
        return found[0]
    shown = clean_label(key) if isinstance(key, str) else repr(key)
    if found:
        choices = " or ".join(f"{blank.number} ({blank.what})" for blank in found)
        raise ValueError(f"{shown} has more than one blank: answer by number, {choices}")
    near = difflib.get_close_matches(shown, [blank.name for blank in blanks], n=3)
    hint = f"; near it are {', '.join(near)}" if near else ""
    if not near and len(blanks) <= _FEW:
        hint = f": {', '.join(dict.fromkeys(blank.name for blank in blanks))}"
    raise ValueError(f"no blank is called {shown}: they are 1 to {len(blanks)}, or go by name{hint}")


def _read(blank: Blank, answer: Any) -> float | None:
    """An answer as a number; None if there is none."""
    if answer is None or (isinstance(answer, str) and not answer.strip()):
        return None
    try:
        if isinstance(answer, bool):
            raise TypeError
        if not isinstance(answer, str):
            return number(answer.data if isinstance(answer, Value) else answer)
        return _number_in(answer)
    except (TypeError, ValueError, ArithmeticError):
        given = repr(clean_label(answer, _LONGEST)) if isinstance(answer, str) else type(answer).__name__
        raise ValueError(f"the answer to {blank.sign} ({blank.question}), {given}, is not a number: {_FORMS}") from None


def _number_in(text: str) -> float:
    """The number that a text says: with decimal point or comma, either minus sign, or as a fraction.

    >>> [_number_in(text) for text in ("−0,5", "1/4", " 2e−3 ")]
    [-0.5, 0.25, 0.002]
    """
    if len(text) > _LONGEST:
        raise ValueError
    text = text.strip().replace(MINUS, "-").replace("\N{EN DASH}", "-").replace("∞", "inf")
    parts = [re.sub(r"^([-+])\s+", r"\1", part.strip()) for part in text.split("/")]
    if len(parts) > 2 or "_" in text or any("," in part and ("." in part or part.count(",") > 1) for part in parts):
        raise ValueError  # 1,234.5 and 1.234,5 say different things to different people
    numerator, denominator = (float(part.replace(",", ".")) for part in [*parts, "1"][:2])
    return numerator / denominator
