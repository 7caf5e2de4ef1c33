"""Formulas as people write them on paper, `2x`, `sin x`, `x²`, and how an expression in text says the same."""

from __future__ import annotations

import re
from collections.abc import Collection

from scalargrad.node.misnamed import MATHEMATICS

_SIGNS = {
    "\u2212": "-", "\u2013": "-", "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u2217": "*", "\u00f7": "/",
    "\u03c0": "pi", "\u221a": "sqrt", "\u00b2": "**2", "\u00b3": "**3", "^": "**", "[": "(", "]": ")", "{": "(",
    "}": ")",
}  # fmt: skip
_TOKEN = re.compile(r"\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([^\W\d]\w*)|(\*\*|//|.))", re.DOTALL)
_LEFT = re.compile(r"\s*[^\W\d]\w*\s*(?:\([\w\s,]*\))?\s*=(?!=)")
_PREFIX = re.compile(r"\b(?:math|np|numpy|jnp|torch|sg|scalargrad)\.(?=[^\W\d])")
_POWER_OF_FUNCTION = re.compile(r"\b([^\W\d]\w*)\s*\*\*\s*(\d+)\s*(\([^()]*\)|[^\W\d]\w*)")
_BARS = re.compile(r"\|([^|]+)\|")

NUMBER, NAME, FUNCTION, CLOSING, OPENING, OTHER = range(6)


def rewritten(text: str, functions: Collection[str], variables: Collection[str]) -> str:
    """The text with a product where two factors stand side by side, parentheses after functions, and Python's signs.

    >>> rewritten("y = 2x sin x + |x|²", ["sin", "abs"], ["x"])
    '2*x*sin(x) + abs(x)**2'
    """
    for sign, plain in _SIGNS.items():
        text = text.replace(sign, plain)
    text = _PREFIX.sub("", _BARS.sub(r"abs(\1)", _LEFT.sub("", text, count=1)))

    def raised(match: re.Match[str]) -> str:
        name, power, operand = match.groups()
        return f"{name} {operand}**{power}" if name in functions else match[0]

    text = _POWER_OF_FUNCTION.sub(raised, text)
    written, before, last, waiting = "", OTHER, "", 0
    for match in _TOKEN.finditer(text):
        number, name, sign = match.groups()
        token, gap = match[0].lstrip(), match[0][: len(match[0]) - len(match[0].lstrip())]
        if not token:
            continue
        kind = NUMBER if number else CLOSING if sign == ")" else OPENING if sign == "(" else OTHER
        if name:
            token = MATHEMATICS.get(token, token) if MATHEMATICS.get(token) in functions else token
            kind = FUNCTION if token in functions and token not in variables else NAME
            token = token if kind == FUNCTION else _factors(token, variables)
        called = before == NAME and kind == OPENING and last not in variables  # a function that there is not
        if before in (NUMBER, NAME, CLOSING) and kind in (NUMBER, NAME, FUNCTION, OPENING) and not called:
            gap = "*"
        if before == FUNCTION:
            if kind in (NUMBER, NAME, FUNCTION):
                gap, waiting = "(", waiting + 1
            else:
                gap = ""
        written += gap + token
        if waiting and kind in (NUMBER, NAME):
            written += ")" * waiting
            waiting, kind = 0, CLOSING
        before, last = kind, name
    return written.strip()


def _factors(name: str, variables: Collection[str]) -> str:
    """A name that nobody gave a number, as the product of those that somebody did; itself if it is none."""
    if name in variables or len(name) > 20 or not all(len(one) for one in variables):
        return name
    parts: dict[int, list[str]] = {0: []}  # for each place that whole names lead to: these names
    for end in range(1, len(name) + 1):
        for one in variables:
            if name[:end].endswith(one) and end - len(one) in parts:
                parts.setdefault(end, [*parts[end - len(one)], one])
    return "*".join(parts.get(len(name), [name]))
