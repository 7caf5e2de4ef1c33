"""Plain characters for the signs of mathematics, where an encoding has none: `f = -12`, never `f = ?12`."""

from __future__ import annotations

import codecs
import re

_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
PLAIN = {
    "∂": "d", "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "→": "->", "←": "<-", "…": "...", "␤": "\\n",
    "␉": "\\t", "␣": "_", "∞": "inf", "√": "sqrt", "∇": "grad", "²": "^2", "±": "+-", "µ": "u", "σ": "sigma",
    "Σ": "sum", "ᵀ": "^T", "ᵢ": "_i", "ⱼ": "_j", "∘": "o", "─": "-", "│": "|", "└": "`", "├": "|",
    "\u2068": "", "\u2069": "",
}  # fmt: skip
_ONE_BY_ONE = str.maketrans(PLAIN | {digit: str(i) for i, digit in enumerate(_SUBSCRIPTS)})
ERRORS = "scalargrad.plain"
"""What to give `str.encode` or `stream.reconfigure` as `errors`, once this module is imported."""


def plain(text: str) -> str:
    """The text in ASCII; what has no plain characters becomes `?`.

    >>> plain("∂f/∂x₁ = −12")
    'df/dx_1 = -12'
    """
    text = re.sub(f"([^{_SUBSCRIPTS}])([{_SUBSCRIPTS}])", r"\1_\2", text)  # x₁ must not become another one's name, x1
    return text.translate(_ONE_BY_ONE).encode("ascii", "replace").decode("ascii")


def _instead(error: UnicodeError) -> tuple[str, int]:
    """As `plain`, for those characters alone that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wanting = error.object[error.start : error.end]
    before = error.object[error.start - 1 : error.start]
    return plain(before + wanting)[len(plain(before)) :], error.end


codecs.register_error(ERRORS, _instead)
