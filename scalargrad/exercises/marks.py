"""What `check` gives: each part of an answer right, open, or not yet right and why."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

from scalargrad.exercises.exercise import Exercise, NotYetError, UnansweredError
from scalargrad.node.contexts import with_recording
from scalargrad.support.console import printable

if TYPE_CHECKING:
    from scalargrad.exercises.exercise import Part

_SIGNS = {"right": "✓", "open": "…", "not yet": "✗"}


@dataclass(frozen=True)
class Mark:
    """One part's mark.

    Attributes:
        name: the part.
        state: 'right', 'not yet' or 'open'.
        why: for 'not yet', what to look at.
    """

    name: str
    state: Literal["right", "not yet", "open"]
    why: str = ""


class Marks(Sequence[Mark]):
    """The marks of all parts, in order, as `check` makes them; true if all are right. Printed, they say what is not."""

    def __init__(self, exercise: Exercise, answers: Mapping[str, object]) -> None:
        if not isinstance(exercise, Exercise) or not isinstance(answers, Mapping):
            raise TypeError("Marks are made by check, as in check('01.twice', a_grad=5)")
        self._exercise = exercise
        self._marks = tuple(_mark(part, answers.get(part.name, ...)) for part in exercise.parts)

    @overload
    def __getitem__(self, index: int) -> Mark: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Mark]: ...
    def __getitem__(self, index: int | slice) -> Mark | Sequence[Mark]:
        return self._marks[index]

    def __len__(self) -> int:
        return len(self._marks)

    def __bool__(self) -> bool:
        return all(mark.state == "right" for mark in self)

    def __str__(self) -> str:
        return printable(repr(self))

    def __repr__(self) -> str:
        name, ask = self._exercise.id, f'hint("{self._exercise.id}") says what to look at.'
        if all(mark.state == "open" for mark in self):
            return f"{name} is not answered yet: {', '.join(mark.name for mark in self)}\n  {ask}"
        lines = []
        for mark in self:
            text = f"{_SIGNS[mark.state]} {mark.name}: {mark.state}" + f", {mark.why}" * bool(mark.why)
            lines += textwrap.wrap(text, 100, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
        if self:
            lines += textwrap.wrap(self._exercise.reveal, 100, initial_indent="  ", subsequent_indent="  ")
            return "\n".join([f"{name} is right.", *lines])
        right = sum(mark.state == "right" for mark in self)
        return "\n".join([f"{name}: {right} of {len(self)} right", *lines, f"  {ask}"])


def _mark(part: Part, answer: object) -> Mark:
    if answer is ... or answer is None:
        return Mark(part.name, "open")
    try:
        with_recording(part.judge, answer)  # the judge builds graphs, whatever the mode here
    except UnansweredError:
        return Mark(part.name, "open")
    except NotYetError as error:
        return Mark(part.name, "not yet", str(error))
    except RecursionError:
        return Mark(part.name, "not yet", "it calls itself too often: Python allows about a thousand calls at once")
    except Exception as error:  # whatever a learner's code raises
        return Mark(part.name, "not yet", f"it raised {type(error).__name__}: {error}")
    return Mark(part.name, "right")
