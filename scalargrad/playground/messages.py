"""What a page may say to a session: the fields of each message as tables, checked here and nowhere else.

A field reads what came as JSON and returns it as what a view works with, or says in words what it must be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from scalargrad.support.arguments import brief
from scalargrad.support.spelling import did_you_mean
from scalargrad.words.texts import grouped, number_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class RefusedError(ValueError):
    """A message that is not done, and why, in one line; the session is what it was before.

    Args:
        text: why.
        instead: an expression that was probably meant, which the page offers.
    """

    def __init__(self, text: str, instead: str = "") -> None:
        super().__init__(text)
        self.instead = instead


class _Required:
    def __repr__(self) -> str:
        return "<no default>"


REQUIRED: Any = _Required()
"""In the place of a default: the field must be there."""


class Field(Protocol):
    """What a field of a message must be.

    Attributes:
        default: what it is where the message leaves it out, or REQUIRED.
    """

    @property
    def default(self) -> Any:
        """What it is where the message leaves it out, or REQUIRED."""

    def read(self, given: Any, what: str) -> Any:
        """The content; `what` is how errors call it.

        Raises:
            RefusedError: if it is anything else.
        """


@dataclass(frozen=True)
class Number:
    """A finite number from low to high; with `whole` an integer."""

    low: float
    high: float
    default: Any = REQUIRED
    whole: bool = False

    def read(self, given: Any, what: str) -> Any:
        """The number: a float, or an int."""
        number = isinstance(given, (int, float)) and not isinstance(given, bool)
        if number and self.low <= given <= self.high and (not self.whole or given == math.floor(given)):
            return int(given) if self.whole else float(given)
        kind = "a whole number" if self.whole else "a number"
        raise RefusedError(f"{what} must be {kind} from {_bound(self.low)} to {_bound(self.high)}, not {_given(given)}")


@dataclass(frozen=True)
class Text:
    """A text of at most so many characters."""

    most: int
    default: Any = REQUIRED

    def read(self, given: Any, what: str) -> str:
        """The text."""
        if not isinstance(given, str):
            raise RefusedError(f"{what} must be a text, not {_given(given)}")
        if len(given) > self.most:
            raise RefusedError(f"{what} has {grouped(len(given))} characters; at most {grouped(self.most)} are allowed")
        return given


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: Sequence[str]
    default: Any = REQUIRED

    def read(self, given: Any, what: str) -> str:
        """The word."""
        if isinstance(given, str) and given in self.words:
            return given
        listed = ", ".join(map(repr, self.words))
        near = did_you_mean(given, self.words) if isinstance(given, str) else ""
        raise RefusedError(f"{what} must be one of {listed}, not {_given(given)}{near}")


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    default: Any = False

    def read(self, given: Any, what: str) -> bool:
        """True or False."""
        if not isinstance(given, bool):
            raise RefusedError(f"{what} must be true or false, not {_given(given)}")
        return given


@dataclass(frozen=True)
class Several:
    """A list of at least `least` and at most `most` things of one kind, read as a list."""

    each: Field
    most: int
    default: Any = REQUIRED
    least: int = 0

    def read(self, given: Any, what: str) -> list[Any]:
        """The contents, each read by its field."""
        if not isinstance(given, list):
            raise RefusedError(f"{what} must be a list, not {_given(given)}")
        if not self.least <= len(given) <= self.most:
            bounds = f"{grouped(self.least)} to {grouped(self.most)}"
            raise RefusedError(f"{what} must have {bounds} entries, not {grouped(len(given))}")
        return [self.each.read(one, f"{what}[{i}]") for i, one in enumerate(given)]


@dataclass(frozen=True)
class Tuple:
    """A list of just these things, read as a tuple."""

    fields: tuple[Field, ...]
    example: str
    default: Any = None

    def read(self, given: Any, what: str) -> tuple[Any, ...]:
        """The things, each read by its field."""
        if not isinstance(given, list) or len(given) != len(self.fields):
            raise RefusedError(f"{what} must be a list of {len(self.fields)}, as {self.example}")
        return tuple(one.read(x, f"{what}[{i}]") for i, (one, x) in enumerate(zip(self.fields, given, strict=True)))


@dataclass(frozen=True)
class Named:
    """Things of one kind by name, at most `most` of them."""

    each: Field
    most: int
    default: Any = REQUIRED

    def read(self, given: Any, what: str) -> dict[str, Any]:
        """The contents by name, each read by its field."""
        if not isinstance(given, dict):
            raise RefusedError(f"{what} must be an object, as {{name: value}}, not {_given(given)}")
        if len(given) > self.most:
            raise RefusedError(f"{what} has {grouped(len(given))} names; at most {grouped(self.most)} are allowed")
        return {name: self.each.read(one, f"{what}: {brief(name)}") for name, one in given.items()}


@dataclass(frozen=True)
class Either:
    """What the first field of some reads that does not refuse it; what the last says is the error."""

    fields: Sequence[Field]
    default: Any = REQUIRED

    def read(self, given: Any, what: str) -> Any:
        """The content as one of the fields reads it."""
        for field in self.fields[:-1]:
            try:
                return field.read(given, what)
            except RefusedError:
                continue
        return self.fields[-1].read(given, what)


class View:
    """A part of a session: the messages that it answers.

    Attributes:
        name: by which the page knows what to show for it: graph, network.
        messages: the fields of each message.

    For each name in `messages` there is a method `do_name(fields)`, which is given a dict with every field of the table
    and returns what the reply holds, as JSON without nan and infinities. It refuses with `RefusedError` and changes
    nothing then: what is new is put in place at its end.
    """

    name: ClassVar[str] = ""
    messages: ClassVar[Mapping[str, Mapping[str, Field]]] = {}

    def still(self) -> str:
        """What it shows at its beginning, as HTML that asks nobody.

        Raises:
            RefusedError: if there is nothing to show, with why.
        """
        return ""


def read_fields(do: str, table: Mapping[str, Field], message: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a message by its table; `id` and `do` are read elsewhere.

    Raises:
        RefusedError: if there is another field, one is missing, or one is not what it must be.
    """
    for name in message:
        if name not in table and name not in ("id", "do"):
            known = f"it has {', '.join(table)}" if table else "it has none"
            raise RefusedError(f"{do}: there is no field {brief(name)}; {known}{did_you_mean(name, list(table))}")
    found = {}
    for name, field in table.items():
        if name in message:
            found[name] = field.read(message[name], f"{do}: {name}")
        elif field.default is REQUIRED:
            raise RefusedError(f"{do}: {name} is missing")
        else:
            found[name] = field.default
    return found


def _bound(x: float) -> str:
    return str(x) if isinstance(x, int) else number_text(x)


def _given(x: Any) -> str:
    """What was given, as JSON people know it."""
    if x is None or isinstance(x, bool):
        return {None: "null", True: "true", False: "false"}[x]
    return "an object" if isinstance(x, dict) else "a list" if isinstance(x, list) else brief(x)
