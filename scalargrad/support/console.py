"""Texts on consoles that lack characters such as × and −: plain ones take their place, and `print` never raises.

What the package computes with, compares and writes to files is the text as it is.
"""

from __future__ import annotations

import codecs
import re
import sys
from typing import TextIO

_SYMBOLS = {
    "∂": "d", "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "→": "->", "←": "<-", "…": "...", "‹": "<", "›": ">",
    "␤": "\\n", "␉": "\\t", "␣": "_", "∞": "inf", "√": "sqrt", "∇": "grad", "²": "^2", "±": "+-", "µ": "u",
    "σ": "sigma", "Σ": "sum", "ᵀ": "^T", "ᵢ": "_i", "ⱼ": "_j", "∘": "o", "─": "-", "│": "|", "└": "`", "├": "|",
    "\u2068": "", "\u2069": "", "\u2060": "",
}  # fmt: skip
_PLAIN = _SYMBOLS | {digit: str(i) for i, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_PLAIN |= {chr(ord("①") + i): f"({i + 1})" for i in range(10)}
ERRORS = "scalargrad.plain"
"""What to give `str.encode` or `stream.reconfigure` as `errors`, once this module is imported."""


class Text(str):
    """A text that `print` can always show: as it is, or in characters that standard output has.

    >>> Text("−3") == "−3"
    True
    """

    __slots__ = ()

    def __str__(self) -> str:
        return printable(self)


def printable(text: str, stream: TextIO | None = None) -> str:
    """The text in characters that the stream has; by default that is standard output. A plain string in any case."""
    stream = sys.stdout if stream is None else stream
    encoding = getattr(stream, "encoding", None)
    return in_encoding(text, encoding) if isinstance(encoding, str) else str.__str__(text)


def in_encoding(text: str, encoding: str) -> str:
    """The text with plain characters where the encoding lacks one; ? where there is none that would do.

    >>> in_encoding("x₁.grad = −3 × 2", "ascii"), in_encoding("x.grad = −3 × 2", "latin-1")
    ('x_1.grad = -3 * 2', 'x.grad = -3 × 2')
    """
    text = str.__str__(text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        pass
    except LookupError:  # an encoding that Python does not know; it cannot be written to either
        return text
    else:
        return text
    text = re.sub("([^₀-₉])([₀-₉])", r"\1_\2", text)  # x₁ must not become another one's name, x1
    lacking = {ord(c): _PLAIN[c] for c in set(text) & _PLAIN.keys() if not _has(encoding, c)}
    return text.translate(lacking).encode(encoding, "replace").decode(encoding)


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _instead(error: UnicodeError) -> tuple[str, int]:
    """As `in_encoding`, for those characters alone that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wanting = error.object[error.start : error.end]
    before = in_encoding(error.object[error.start - 1 : error.start], "ascii")
    return in_encoding(before + wanting, "ascii")[len(before) :], error.end


codecs.register_error(ERRORS, _instead)
