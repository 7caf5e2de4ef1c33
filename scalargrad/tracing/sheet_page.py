"""Worksheets as pages to print: heading, task, picture, and room to work in for each answer; or the answer keys."""

from __future__ import annotations

import base64
import math
import re
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, Protocol

from scalargrad.drawing.engines import available
from scalargrad.tracing.sheet_picture import drawings, size_of
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scalargrad.drawing.picture import Picture
    from scalargrad.tracing.blanks import Blank

# What A4 and Letter both have between margins of 14 mm, in millimetres.
_UPRIGHT, _ACROSS = (182.0, 251.0), (249.0, 182.0)
_PIXEL = 25.4 / 96
_LARGEST, _PLEASANT, _LEGIBLE = 1.3, 0.85, 0.65
"""How much larger than on a screen a picture is at most; how large without looking further; how large at least."""
_ENOUGH = 0.85
"""A picture keeps its own direction if another one makes it larger by no more than this share's inverse."""
_LINE, _HEAD, _MOST_LINES = (7.2, 9.0), 14.5, 8
"""How far ruled lines are apart; what a blank takes beside its lines, with the distance to the next; millimetres."""
_TITLE, _TASK, _BESIDE = (9.2, 0.2), (5.2, 0.5), 20.0
"""How high a line of the title and of the task is, with its characters in a millimetre; name, date and distances."""
_WAYS = ((False, 2, 2), (True, 3, 2), (False, 3, 1), (True, 4, 1))
"""Whether the paper lies across, how many blanks stand side by side, and how many lines each has at least."""
_ALONE_LINES = 4
_KEY_HEAD = 20.0
_ACROSS_TABLE = 8
"""How many answers stand side by side in the table of all variants."""


class Sheet(Protocol):
    """What is printed of a worksheet."""

    title: str
    variant: int | None
    blanks: tuple[Blank, ...]
    _picture: Picture
    _key_picture: Picture

    @property
    def heading(self) -> str:
        """The title, and which variant it is."""

    @property
    def task(self) -> str:
        """What is to be done."""

    def solutions(self) -> Iterable[tuple[Blank, Sequence[str]]]:
        """Each blank with the steps of its answer."""


class _Layout(NamedTuple):
    """How the pages of all variants are laid out: they are printed as one."""

    across: bool
    columns: int
    lines: int
    line: float  # how far lines are apart, in millimetres
    rankdir: str
    room: float  # the height that the picture may take, in millimetres
    page: float  # and on a page of its own


def pages(given: Sequence[Sheet], *, sheets: bool, keys: bool) -> str:
    """A complete page to print with the sheets, the keys, or both. It allows itself its style alone."""
    first = given[0]
    layout = _layout(first)
    sections = [_sheet(sheet, layout) for sheet in given] if sheets else []
    if keys:
        sections += [_overview(given)] if len(given) > 1 else []
        sections += [_key(sheet, layout) for sheet in given]
    style, body = _style(layout), "\n".join(sections)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    heading = first.title if len(given) > 1 else first.heading
    title = escape(heading if sheets else f"Answer key: {heading}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _sheet(sheet: Sheet, layout: _Layout) -> str:
    work = "<div></div>" * layout.lines
    items = "\n".join(
        f'<li><div class="ask"><b>{blank.number}</b> <span class="asked">{escape(blank.question)} =</span> '
        f'<span class="box"></span></div><div class="work">{work}</div></li>'
        for blank in sheet.blanks
    )
    picture = _figure(sheet._picture, layout, layout.room)
    return (
        f"<section>\n<header><h1>{escape(sheet.title)}{_variant(sheet)}</h1>"
        '<div class="who"><div>Name <span></span></div><div class="when">Date <span></span></div></div>'
        f'</header>\n<p class="task">{escape(sheet.task)}</p>\n<figure>\n{picture}</figure>\n'
        f"<ol>\n{items}\n</ol>\n</section>"
    )


def _variant(sheet: Sheet) -> str:
    return "" if sheet.variant is None else f' <span class="variant">Variant {sheet.variant}</span>'


def _overview(sheets: Sequence[Sheet]) -> str:
    """All answers as a table, to mark a pile of sheets by."""
    parts = []
    for start in range(0, len(sheets[0].blanks), _ACROSS_TABLE):
        shown = slice(start, start + _ACROSS_TABLE)
        head = "".join(
            f"<th><b>{blank.number}</b> <code>{escape(blank.question)}</code></th>" for blank in sheets[0].blanks[shown]
        )
        rows = "\n".join(
            f"<tr><th>{sheet.variant}</th>"
            + "".join(f"<td>{number_text(blank.answer)}</td>" for blank in sheet.blanks[shown])
            + "</tr>"
            for sheet in sheets
        )
        parts.append(
            f'<table class="all">\n<thead><tr><th>variant</th>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>'
        )
    title = escape(sheets[0].title)
    return f"<section>\n<header><h1>Answer key: {title}</h1></header>\n" + "\n".join(parts) + "\n</section>"


def _key(sheet: Sheet, layout: _Layout) -> str:
    rows = []
    for blank, steps in sheet.solutions():
        how = "".join(f"<div>{escape(step)}</div>" for step in steps)
        rows.append(
            f'<tr><td><b>{blank.number}</b></td><td class="asked">{escape(blank.question)}</td>'
            f'<td class="answer">{number_text(blank.answer)}</td><td class="how">{how}</td></tr>'
        )
    height = 3.0 + sum(3.7 + 4.7 * len(steps) for _, steps in sheet.solutions())
    picture = _figure(sheet._key_picture, layout, (_ACROSS if layout.across else _UPRIGHT)[1] - _KEY_HEAD - height)
    head = "<thead><tr><th></th><th>asked</th><th>answer</th><th>step by step</th></tr></thead>"
    body = "\n".join(rows)
    return (
        f'<section class="key">\n<header><h1>Answer key: {escape(sheet.title)}{_variant(sheet)}</h1></header>\n'
        f"<figure>\n{picture}</figure>\n<table>\n{head}\n<tbody>\n{body}\n</tbody>\n</table>\n</section>"
    )


# -------------------------------------------------------------------- how it fits on paper


def _room(sheet: Sheet, across: bool) -> float:
    """How high a page is below the task."""
    wide, high = _ACROSS if across else _UPRIGHT
    title, task = (
        height * math.ceil(len(text) / (dense * wide))
        for (height, dense), text in ((_TITLE, sheet.heading), (_TASK, sheet.task))
    )
    return high - title - task - _BESIDE


def _scale(size: tuple[float, float], across: bool, height: float) -> float:
    """How large the picture can be on this page if it may be so high."""
    wide, _ = _ACROSS if across else _UPRIGHT
    return min(_LARGEST, wide / (size[0] * _PIXEL), max(height, 25.0) / (size[1] * _PIXEL))


def _figure(picture: Picture, layout: _Layout, height: float) -> str:
    """The picture in the layout's direction, as wide as it can be; if it were not legible, on a page of its own."""
    if available() == "text":
        return f"<pre>{escape(drawings(picture, 'light')[0].text)}</pre>\n"
    svg = drawings(picture, "light", [layout.rankdir])[0].svg
    size = size_of(svg)
    scale = _scale(size, layout.across, height)
    if scale < _LEGIBLE:
        scale = _scale(size, layout.across, layout.page)
    wide, high = (f"{length * scale:.1f}" for length in size)
    return re.sub(r'width="[\d.]+" height="[\d.]+"', f'width="{wide}" height="{high}"', svg, count=1)


def _layout(sheet: Sheet) -> _Layout:
    """The first way of laying it out in which the picture is large enough; else that in which it is largest.

    What the picture leaves of the page is shared out among the blanks as room to work in. A picture that would not be
    legible beside them gets a page of its own.
    """
    if available() == "text":
        return _Layout(
            across=False,
            columns=2,
            lines=_ALONE_LINES,
            line=_LINE[1],
            rankdir="auto",
            room=_UPRIGHT[1],
            page=_UPRIGHT[1],
        )
    sizes = {way: size_of(drawings(sheet._picture, "light", [way])[0].svg) for way in ("auto", "LR", "TB")}
    found: list[tuple[float, _Layout]] = []
    for across, columns, least in _WAYS:
        rows = -(-len(sheet.blanks) // columns)
        height = _room(sheet, across)
        room = height - rows * (_HEAD + least * _LINE[0])
        scale, way = _direction(sizes, across, room)
        free = height - sizes[way][1] * scale * _PIXEL
        work = free / rows - _HEAD
        lines = min(max(int(work / _LINE[0]), least), _MOST_LINES)
        line = min(max(work / lines, _LINE[0]), _LINE[1])
        found.append((scale, _Layout(across, columns, lines, line, way, room, height)))
        if scale >= _PLEASANT:
            return found[-1][1]
    scale, layout = max(found, key=lambda pair: pair[0])
    if scale >= _LEGIBLE:
        return layout
    alone = [(*_direction(sizes, across, _room(sheet, across)), across) for across in (False, True)]
    _, way, across = max(alone)
    height = _room(sheet, across)
    return _Layout(across, 3 if across else 2, _ALONE_LINES, _LINE[1], way, height, height)


def _direction(sizes: dict[str, tuple[float, float]], across: bool, room: float) -> tuple[float, str]:
    """How large the picture can be, and in which direction."""
    best = "auto"
    for way, size in sizes.items():
        if _scale(size, across, room) * _ENOUGH > _scale(sizes[best], across, room):
            best = way
    return _scale(sizes[best], across, room), best


def _style(layout: _Layout) -> str:
    css = files("scalargrad.tracing").joinpath("sheet.css").read_text(encoding="utf-8")
    size = "@page { size: landscape; }\n" if layout.across else "@page { size: portrait; }\n"
    width = 1060 if layout.across else 760
    return (
        f"{css}{size}body {{ max-width: {width}px; }}\n"
        f"ol {{ grid-template-columns: repeat({layout.columns}, minmax(0, 1fr)); }}\n"
        f".work div {{ height: {layout.line:.2f}mm; }}\n"
        "@media screen and (max-width: 900px) { ol { grid-template-columns: repeat(2, minmax(0, 1fr)); } }\n"
        "@media screen and (max-width: 560px) { ol { grid-template-columns: 1fr; } }\n"
    )
