"""`check`, `hint`, `solution` and `exercises`: the front door to the exercises of all lessons."""

from __future__ import annotations

import difflib
import pkgutil
from importlib import import_module
from typing import Any

from scalargrad.exercises import lessons
from scalargrad.exercises.exercise import Exercise  # noqa: TC001  (read by those who ask for type hints)
from scalargrad.exercises.marks import Marks
from scalargrad.support.arguments import brief
from scalargrad.support.console import Text

_PREFIX = "lesson_"


def check(exercise: str, /, **answers: Any) -> Marks:
    """Mark the answers to an exercise.

    Args:
        exercise: its id, as '01.twice'.
        **answers: an answer for each part; `...` or None leaves it open.

    Returns:
        Marks: true if all parts are right. Shown or printed, it says of each part whether it is right or what to look
        at, and never the answer.

    Raises:
        ValueError: if there is no such exercise.
        TypeError: if it has no part of that name.

    >>> check("01.twice", a_grad="five")
    01.twice: 0 of 1 right
      ✗ a_grad: not yet, a number is asked for, not a str
      hint("01.twice") says what to look at.
    """
    found = _find(exercise)
    for name in answers:
        if name not in found.names:
            raise TypeError(f"{found.id} asks for {', '.join(found.names)}; it has no part {name!r}")
    return Marks(found, answers)


def hint(exercise: str, number: int = 1, /) -> Text:
    """The first hint to an exercise, or the one of that number; the last says nearly everything.

    Raises:
        ValueError: if there is no such exercise, or no such hint.
    """
    found = _find(exercise)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(found.hints):
        raise ValueError(f"{found.id} has hints 1 to {len(found.hints)}, not {brief(number)}")
    more = f'\nhint("{found.id}", {number + 1}) says more.' if number < len(found.hints) else ""
    return _Shown(found.hints[number - 1] + more)


def solution(exercise: str, /) -> Text:
    """Python code that answers the exercise. Try first: what one has found is what one remembers.

    Raises:
        ValueError: if there is no such exercise.
    """
    return _Shown(_find(exercise).solution.strip())


def exercises(lesson: str = "", /) -> Text:
    """The exercises of a lesson ('01'), or of all, each with its question.

    Raises:
        ValueError: if there is no such lesson.
    """
    known = _lessons()
    if lesson and lesson not in known:
        raise ValueError(f"there is no lesson {lesson!r} with exercises; there are {', '.join(known)}")
    chosen = [lesson] if lesson else known
    return _Shown("\n".join(f"{one.id}: {one.question}" for name in chosen for one in _of_lesson(name)))


class _Shown(Text):
    """A text that Jupyter and the prompt show with its line breaks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def all_exercises() -> list[Exercise]:
    """Every exercise of every lesson, in order."""
    return [one for lesson in _lessons() for one in _of_lesson(lesson)]


def _find(exercise: str) -> Exercise:
    if not isinstance(exercise, str):
        raise ValueError(f"an exercise is asked for by its id, as '01.twice', not {brief(exercise)}")
    exercise = str.__str__(exercise)  # what a subclass says of itself, as that it equals everything, is not asked
    lesson = exercise.partition(".")[0]
    for one in _of_lesson(lesson) if lesson in _lessons() else ():
        if one.id == exercise:
            return one
    near = difflib.get_close_matches(exercise, [one.id for one in all_exercises()], n=3, cutoff=0.5)
    raise ValueError(f"there is no exercise {exercise!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))


def _lessons() -> list[str]:
    """The lessons that have a file."""
    names = sorted(module.name for module in pkgutil.iter_modules(lessons.__path__))
    return [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]


def _of_lesson(lesson: str) -> tuple[Exercise, ...]:
    module = import_module(f"{lessons.__name__}.{_PREFIX}{lesson}")
    found: tuple[Exercise, ...] = module.EXERCISES
    return found
