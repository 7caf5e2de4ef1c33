"""Small pieces of texts about a graph: numbers, counts, names as symbols, lists cut short, tables in columns."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import groupby

MINUS = "\N{MINUS SIGN}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
LOCAL = "local"
"""How equations write a local derivative; the gradient of a Value is its name with `.grad`."""
_IDENTIFIER = re.compile(r"\u2068?[^\W\d¹²³⁰-⁹][^\W¹²³⁰-⁹]*\u2069?")  # with subscripts, but x² is a square
_LOOKS_COMPUTED = re.compile(r"[-+*/^%<>=|,×÷−·]")


def number_text(x: float) -> str:
    """A number for people: at most four decimals, a real minus sign, scientific below 1e-3 and above 1e5.

    >>> [number_text(x) for x in (2.0, -0.5, 645.5772594752186, 1e-7, -123456.0, -0.0)]
    ['2', '−0.5', '645.5773', '1e−7', '−1.2346e5', '0']
    """
    x = float(x)
    if not math.isfinite(x):
        return "nan" if x != x else "inf" if x > 0 else MINUS + "inf"
    if x and not 1e-3 <= abs(x) <= 1e5:
        mantissa, exponent = f"{x:.4e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        text = f"{x:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", MINUS)


def grouped(n: int) -> str:
    """A count with spaces between groups of three digits.

    >>> grouped(69812)
    '69 812'
    """
    return f"{n:,}".replace(",", " ")


def counted(n: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "edge"), counted(1200, "edge")
    ('1 edge', '1 200 edges')
    """
    return f"{grouped(n)} {noun}{'' if n == 1 else 's'}"


def wrapped(name: str) -> str:
    """A number or a symbol in parentheses if it looks like a computation itself, as −3 does.

    >>> wrapped("−3"), wrapped("w1"), wrapped("‹x1*w1›")
    ('(−3)', 'w1', '‹x1*w1›')
    """
    return f"({name})" if _LOOKS_COMPUTED.search(name) and name[0] != "‹" else name


def symbol_of(name: str) -> str:
    """A name as it stands in an equation: quoted if it is no identifier, or the word for a local derivative.

    >>> symbol_of("w1"), symbol_of("x₁"), symbol_of("the learning rate"), symbol_of("local")
    ('w1', 'x₁', '‹the learning rate›', '‹local›')
    """
    return name if _IDENTIFIER.fullmatch(name) and name != LOCAL else f"‹{name}›"


def grad_of(name: str) -> str:
    """The gradient of the Value with this name, as code writes it.

    >>> grad_of("w1"), grad_of("x1*w1")
    ('w1.grad', '‹x1*w1›.grad')
    """
    return f"{symbol_of(name)}.grad"


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, ...

    >>> [ordinal(n) for n in (1, 2, 3, 11, 22, 113)]
    ['1st', '2nd', '3rd', '11th', '22nd', '113th']
    """
    last = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{last}"


def listed(items: Sequence[str], room: int) -> str:
    """The items with commas; runs of equal ones counted, the rest cut to about so many characters.

    >>> listed(["a", "b", "c", "d"], 12), listed(["a"] * 100, 12)
    ('a, … 3 more', 'a ×100')
    """
    pieces: list[tuple[str, int]] = []
    for item, run in groupby(items):
        n = len(list(run))
        pieces += [(f"{item} ×{n}", n)] if n > 3 else [(item, 1)] * n
    shown: list[str] = []
    left = len(items)
    for text, n in pieces:
        rest = f", {ELLIPSIS} {left - n} more" if left > n else ""
        if shown and len(", ".join([*shown, text])) + len(rest) > room:
            return ", ".join([*shown, f"{ELLIPSIS} {left} more"])
        shown.append(text)
        left -= n
    return ", ".join(shown)


def columns(rows: Sequence[Sequence[str]], align: str = "") -> list[str]:
    """The rows of a table as lines, every column as wide as its widest cell.

    Args:
        rows: as many cells in each; the head, if there is one, is the first row.
        align: "<" for each column that is aligned left, ">" for each that is aligned right; by default all are left.

    >>> columns([["name", "value"], ["x", "10"], ["out", "2.5"]], "<>")
    ['name  value', 'x        10', 'out     2.5']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    align = align or "<" * len(widths)
    if align.endswith("<"):  # no spaces at the ends of lines
        widths[-1] = 0
    return ["  ".join(f"{cell:{a}{w}}" for cell, a, w in zip(row, align, widths, strict=True)) for row in rows]
