"""A pasted table of points: two numbers and a class in each line, read strictly; errors name the line."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from scalargrad.playground.messages import RefusedError
from scalargrad.support.arguments import brief
from scalargrad.words.texts import counted, grouped

MOST_ROWS = 2000
LARGEST = 1e6
EXAMPLE = "0.5, -1.2, 1"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


@dataclass
class Table:
    """The points of a table.

    Attributes:
        X: two numbers of each line.
        y: -1.0 or +1.0 of each.
        classes: what the table calls them, the class of -1 first.
    """

    X: list[list[float]]
    y: list[float]
    classes: tuple[str, ...]


def read_table(text: str) -> Table:
    """The points of a table in text: lines of two numbers and a class, between commas, semicolons, tabs or blanks.

    A first line without any number is a heading. There are two classes, any two words or numbers; the lesser number,
    or the word that comes first, is -1.

    Raises:
        RefusedError: with the line, if something in it is not so.
    """
    lines = [(i, line.strip()) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise RefusedError(f"the table is empty: write a line for each point, as {EXAMPLE}")
    separator = _separator(lines[0][1])
    cells = [(i, _cells(line, separator)) for i, line in lines]
    if not any(_NUMBER.fullmatch(cell) for cell in cells[0][1]):
        del cells[0]
    if not cells:
        raise RefusedError(f"the table has a heading and no points: write a line for each, as {EXAMPLE}")
    if len(cells) > MOST_ROWS:
        raise RefusedError(f"the table has {grouped(len(cells))} lines; at most {grouped(MOST_ROWS)} are allowed")
    X, names = [], []
    for i, row in cells:
        if len(row) != 3:
            raise RefusedError(
                f"line {i} of the table has {counted(len(row), 'entry').replace('entrys', 'entries')}: each line is "
                f"x0, x1 and the class, as {EXAMPLE}"
            )
        X.append([_number(cell, i) for cell in row[:2]])
        names.append(_class(row[2], i))
    classes = sorted(set(names), key=_rank)
    if len(classes) != 2:
        listed = ", ".join(map(brief, classes[:5])) + (", …" if len(classes) > 5 else "")
        raise RefusedError(
            f"the table has {counted(len(classes), 'class').replace('classs', 'classes')}, {listed}: give points of two"
        )
    return Table(X, [1.0 if name == classes[1] else -1.0 for name in names], tuple(classes))


def _separator(line: str) -> str | None:
    """What stands between the entries: the first of these that occurs; None for blanks."""
    return next((mark for mark in "\t;," if mark in line), None)


def _cells(line: str, separator: str | None) -> list[str]:
    return [cell.strip().strip("\"'") for cell in line.split(separator)]


def _number(cell: str, line: int) -> float:
    text = cell.replace("\N{MINUS SIGN}", "-")
    if _NUMBER.fullmatch(text):
        x = float(text)
        if math.isfinite(x) and abs(x) <= LARGEST:
            return x
        raise RefusedError(f"line {line} of the table: {brief(cell)} is too large; numbers go up to a million")
    hint = ": write decimals with a point, as 1.5" if re.fullmatch(r"[+-]?\d+,\d+", cell) else ""
    raise RefusedError(
        f"line {line} of the table: {brief(cell)} is no number{hint or f': each line is like {EXAMPLE}'}"
    )


def _class(cell: str, line: int) -> str:
    if not cell:
        raise RefusedError(f"line {line} of the table has no class: each line is like {EXAMPLE}")
    if len(cell) > 40 or not cell.isprintable():
        raise RefusedError(f"line {line} of the table: {brief(cell)} is no name of a class: take a short word")
    text = cell.replace("\N{MINUS SIGN}", "-")
    return f"{float(text):g}" if _NUMBER.fullmatch(text) else cell


def _rank(name: str) -> tuple[bool, float, str]:
    """Numbers by size, then words by the alphabet."""
    return (False, float(name), "") if _NUMBER.fullmatch(name) else (True, 0.0, name)
