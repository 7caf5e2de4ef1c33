"""What an exercise is: a question with named parts, each judged by itself; hints; and a solution that runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class UnansweredError(Exception):
    """Raised by a judge whose part has only been left as it was: an empty function, a `...` inside a list."""


class NotYetError(Exception):
    """Raised by a judge for an answer that is not right yet; its text says what to look at, never the answer."""


@dataclass(frozen=True)
class Part:
    """One thing that an exercise asks for.

    Attributes:
        name: the keyword of `check` that takes the answer.
        judge: called with the answer; returns if it is right, else raises NotYetError or UnansweredError.
    """

    name: str
    judge: Callable[[Any], None]


@dataclass(frozen=True)
class Exercise:
    """A question of a lesson.

    Attributes:
        id: the lesson and a word, as '01.twice'.
        question: what is asked, so that it can be answered without the notebook.
        parts: what the answer consists of.
        hints: the first says what to look at, the last nearly everything.
        solution: Python code that defines a variable for each part; a comment says why it is so.
        reveal: what is said once all of it is right: why, or what to notice.
    """

    id: str
    question: str
    parts: tuple[Part, ...]
    hints: tuple[str, ...]
    solution: str
    reveal: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{2}[a-z]?\.[a-z][a-z0-9-]*", self.id):
            raise ValueError(f"an exercise's id is the lesson and a word, as '01.twice', not {self.id!r}")
        if not self.parts or not self.hints:
            raise ValueError(f"{self.id}: an exercise has parts and hints")

    @property
    def names(self) -> list[str]:
        """The names of its parts, as `check` takes them."""
        return [part.name for part in self.parts]
