"""Long titles on cards: wrapped at words and operators, and cut where they would fill the card."""

from __future__ import annotations

import re

from scalargrad.drawing.theme import text_width
from scalargrad.words.texts import ELLIPSIS

COLUMNS, LINES = 28, 3
"""How wide and how high a title may be, in characters and in lines."""

_OPERATOR = re.compile(r"[+−×÷·%^@<>=≤≥≠]+|÷÷|mod|→")


def wrap(text: str) -> str:
    """The text in at most LINES lines of at most COLUMNS characters; an operator begins its line, = ends its own.

    >>> print(wrap("loss = the learning rate × the weight of the second layer"))
    loss = the learning rate
    × the weight of the second
    layer
    >>> wrap("v1 = a + b"), wrap("x" * 40).split() == ["x" * 28, "x" * 12]
    ('v1 = a + b', True)
    """
    if _columns(text) <= COLUMNS:
        return text
    lines = [""]
    for unit in _units(text):
        joined = f"{lines[-1]} {unit}" if lines[-1] else unit
        if _columns(joined) <= COLUMNS:
            lines[-1] = joined
            continue
        first, *more = _parts(unit)
        lines += ([first] if lines[-1] else []) + more
        lines[0] = lines[0] or first
    if len(lines) > LINES:
        lines[LINES - 1 :] = [shortened(" ".join(lines[LINES - 1 :]))]
    return "\n".join(lines)


def shortened(text: str) -> str:
    """The text in COLUMNS characters, with … where some are left out."""
    while _columns(text) > COLUMNS:
        text = text.removesuffix(ELLIPSIS)[:-1] + ELLIPSIS
    return text


def _units(text: str) -> list[str]:
    """The words, each with the operator before it, and = with the word before that."""
    units: list[str] = []
    glued = ""
    for word in text.split(" "):
        if word == "=" and units:
            units[-1] += " ="
        elif _OPERATOR.fullmatch(word) and not glued:
            glued = word + " "
        elif word:
            units.append(glued + word)
            glued = ""
    return [*units, glued.strip()] if glued else units


def _parts(unit: str) -> list[str]:
    """A unit in pieces of at most COLUMNS characters: broken behind an underscore, dot or bracket if there is one."""
    parts = []
    while _columns(unit) > COLUMNS:
        at = len(unit)
        while _columns(unit[:at]) > COLUMNS:
            at -= 1
        fitting = max((unit.rfind(c, at // 2, at) + 1 for c in " _.,)]"), default=0) or at
        parts.append(unit[:fitting].rstrip())
        unit = unit[fitting:].lstrip()
    return [*parts, unit] if unit else parts


def _columns(text: str) -> int:
    return round(text_width(text, 1.0) / text_width("x", 1.0))
