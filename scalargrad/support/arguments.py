"""Arguments of public functions, checked where they come in: the errors say what was given and what was expected.

`what` names the argument as the message shall, as in "circles: factor".
"""

from __future__ import annotations

import errno
import operator
import os
import random
import reprlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scalargrad.support.reals import number

if TYPE_CHECKING:
    from pathlib import Path

MOST = 10_000_000
"""How many neurons, weights or samples at most: each is a Python object, and this many take gigabytes."""

MAX_DEPTH = 100
"""How deep lists may be nested in lists: a cap that allows functions over them to call themselves."""


def real(x: Any, what: str) -> float:
    """The number itself, as a float.

    Raises:
        TypeError: if it is no real number.
        OverflowError: if it is an integer too large for a float.
    """
    return number(x, what)


def whole(n: Any, what: str, example: str = "", *, least: int | None = 1, most: int | None = None) -> int:
    """The integer itself, as an int.

    Args:
        n: what was given.
        what: how messages name it.
        example: a call that works.
        least: the smallest that will do, if there is one.
        most: the largest, if there is one.

    Raises:
        TypeError: if it is no integer; True is none.
        ValueError: if it is too small or too large.
    """
    such = f", as in {example}" if example else ""
    try:
        if isinstance(n, bool):
            raise TypeError
        found = int(operator.index(n))
    except TypeError:
        raise TypeError(f"{what} must be an integer, not {type(n).__name__}{such}") from None
    if least is not None and found < least:
        raise ValueError(f"{what} must be at least {least}, not {brief(found)}{such}")
    if most is not None and found > most:
        raise ValueError(f"{what} must be at most {most}, not {brief(found)}{such}")
    return found


def generator(seed: Any) -> random.Random:
    """A random generator for an integer, another one for every integer.

    Raises:
        TypeError: if it is no integer.
    """
    n = whole(seed, "seed", least=None)
    return random.Random(n if n >= 0 else str(n))  # Python takes the absolute value of an integer


def items(xs: Any, what: str, example: str) -> list[Any]:
    """The elements as a list.

    Raises:
        TypeError: if it has none, or is a string.
    """
    if type(xs) is list:
        return xs[:]
    try:
        if isinstance(xs, (str, bytes)):
            raise TypeError
        found = iter(xs)
    except TypeError:
        raise TypeError(f"{what} must be a list, as in {example}, not {type(xs).__name__}") from None
    return list(found)


def too_deep(what: str) -> ValueError:
    """The error for what is nested deeper than MAX_DEPTH."""
    return ValueError(f"{what} is nested deeper than {MAX_DEPTH} levels, or holds itself")


def function(f: Any, what: str) -> Any:
    """The function itself.

    Raises:
        TypeError: if it cannot be called.
    """
    if not callable(f):
        raise TypeError(f"{what} must be a function, not {type(f).__name__}")
    return f


def name(text: Any, what: str, choices: Iterable[str]) -> str:
    """The text itself, if it is one of the choices.

    Raises:
        ValueError: if it is not.
    """
    choices = list(choices)
    if isinstance(text, str):
        text = str.__str__(text)  # what a subclass says of itself, as that it equals everything, is not asked
    if not isinstance(text, str) or text not in choices:
        from scalargrad.support.spelling import did_you_mean

        listed = ", ".join(map(repr, choices))
        raise ValueError(f"{what} must be one of {listed}, not {brief(text)}{did_you_mean(text, choices)}")
    return text


def place(path: Any, what: str) -> Path:
    """The path of a file as a Path.

    Raises:
        TypeError: if it is neither a string nor a path.
        NoFileNameError: if no file can have that name.
    """
    from pathlib import Path

    try:
        found = Path(path)
        encoded = os.fsencode(found)
    except TypeError:
        raise TypeError(f"{what} must be a path, as 'folder/file', not {type(path).__name__}") from None
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise NoFileNameError(errno.EINVAL, f"{what}: {str(path)!r} cannot be the name of a file", str(path))
    return found


class NoFileNameError(OSError, ValueError):
    """What was given as a path can be none: an OSError as for any other place, and a ValueError as open()'s own."""


class _Brief(reprlib.Repr):
    """Cuts what is long; a list that holds itself has an end here, and a huge integer is shown by its size."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 100
        self.maxlist = self.maxtuple = self.maxdict = 20

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002
        return f"an integer of {x.bit_length()} bits" if x.bit_length() > 200 else repr(x)


_brief = _Brief()


def brief(x: Any) -> str:
    """What was given, as a message shows it: cut, and a huge integer by its size."""
    return brief_text(_brief.repr(x))


def brief_text(text: str) -> str:
    """A text as a message shows it: cut."""
    return text if len(text) <= 80 else f"{text[:79]}…"
