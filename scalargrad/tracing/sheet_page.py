"""A worksheet as pages to print: heading, task, picture, boxes for the answers; or the answer key."""

from __future__ import annotations

import base64
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, Protocol

from scalargrad.drawing.engines import available
from scalargrad.drawing.image import image
from scalargrad.tracing.sheet_picture import drawings, size_of
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scalargrad.drawing.picture import Picture
    from scalargrad.drawing.result import Drawing
    from scalargrad.tracing.blanks import Blank

# What A4 and Letter both have between margins of 14 mm, in millimetres; header, task and their distances are off.
_UPRIGHT, _ACROSS = (182.0, 206.0), (249.0, 142.0)
_ROW = 12.0
_PIXEL = 25.4 / 96
_LARGEST, _LEGIBLE = 1.3, 0.65
_ENOUGH = 0.85
"""A page stays upright, and a picture in its own direction, if turning gives no more than this share's inverse."""


class Sheet(Protocol):
    """What is printed of a worksheet."""

    title: str
    blanks: tuple[Blank, ...]
    _picture: Picture
    _key_picture: Picture

    @property
    def task(self) -> str:
        """What is to be done."""

    @property
    def drawing(self) -> Drawing:
        """The picture with boxes for the answers."""

    def solutions(self) -> Iterable[tuple[Blank, Sequence[str]]]:
        """Each blank with the steps of its answer."""


class _Fit(NamedTuple):
    scale: float
    landscape: bool
    svg: str
    width: float


def page(sheet: Sheet, keys: Sequence[bool]) -> str:
    """A complete page with a section for each: False is the sheet, True the key. It allows itself its style alone."""
    boxes = [_ROW * -(-len(sheet.blanks) // _columns(landscape)) for landscape in (False, True)]
    fit = _fit(sheet._picture, [False, True], boxes)
    sections = "\n".join(_key(sheet, fit) if key else _sheet(sheet, fit) for key in keys)
    style = _style(fit)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(f"Answer key: {sheet.title}" if keys == [True] else sheet.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n{sections}\n</body>\n</html>\n"
    )


def fragment(sheet: Sheet) -> str:
    """What Jupyter shows: heading, task, picture, and what is asked. No style or script, which it might not trust."""
    asked = " &nbsp; ".join(
        f"<strong>{blank.letter}</strong>&nbsp;<code>{escape(blank.question)}</code>" for blank in sheet.blanks
    )
    return (
        f"<div>\n<h3>{escape(sheet.title)}</h3>\n<p>{escape(sheet.task)}</p>\n"
        f"{image(sheet.drawing.svg, sheet._picture.description)}\n"
        f"<p>{asked}</p>\n</div>\n"
    )


def _sheet(sheet: Sheet, fit: _Fit) -> str:
    items = "\n".join(
        f'<li><b>{blank.letter}</b> <span class="asked">{escape(blank.question)} =</span> '
        '<span class="box"></span></li>'
        for blank in sheet.blanks
    )
    return (
        f"<section>\n<header><h1>{escape(sheet.title)}</h1>"
        '<div class="who"><div>Name <span class="name"></span></div><div>Date <span class="date"></span></div></div>'
        f'</header>\n<p class="task">{escape(sheet.task)}</p>\n<figure>\n{fit.svg}</figure>\n'
        f"<ol>\n{items}\n</ol>\n</section>"
    )


def _key(sheet: Sheet, fit: _Fit) -> str:
    rows = []
    for blank, steps in sheet.solutions():
        how = "".join(f"<div>{escape(step)}</div>" for step in steps)
        rows.append(
            f'<tr><td><b>{blank.letter}</b></td><td class="asked">{escape(blank.question)}</td>'
            f'<td class="answer">{number_text(blank.answer)}</td><td class="how">{how}</td></tr>'
        )
    height = 3.0 + sum(3.7 + 4.7 * len(steps) for _, steps in sheet.solutions())
    picture = _fit(sheet._key_picture, [fit.landscape], [height])
    head = "<thead><tr><th></th><th>asked</th><th>answer</th><th>step by step</th></tr></thead>"
    body = "\n".join(rows)
    return (
        f"<section>\n<header><h1>Answer key: {escape(sheet.title)}</h1></header>\n"
        f"<figure>\n{picture.svg}</figure>\n<table>\n{head}\n<tbody>\n{body}\n</tbody>\n</table>\n</section>"
    )


def _fit(picture: Picture, ways: Sequence[bool], below: Sequence[float]) -> _Fit:
    """The picture on one page with what comes below it, if it stays legible; else on a page of its own.

    Args:
        picture: the picture.
        ways: the ways to turn the paper: False is upright, True across.
        below: how much height to leave, in millimetres, for each of these.
    """
    fit = _best(picture, ways, below)
    return fit if fit.scale >= _LEGIBLE else _best(picture, ways, [0.0 for _ in ways])


def _best(picture: Picture, ways: Sequence[bool], below: Sequence[float]) -> _Fit:
    """The direction of the picture, and of the paper, in which the picture becomes largest."""
    if available() == "text":
        text = drawings(picture, "light")[0].text
        return _Fit(1.0, landscape=False, svg=f"<pre>{escape(text)}</pre>\n", width=600.0)
    fits = []
    for landscape, taken in zip(ways, below, strict=True):
        room_x, room_y = _ACROSS if landscape else _UPRIGHT
        room_y = max(room_y - taken, 25.0)
        for drawing in drawings(picture, "light", ("auto", "LR", "TB")):
            width, height = size_of(drawing.svg)
            scale = min(_LARGEST, room_x / (width * _PIXEL), room_y / (height * _PIXEL))
            fits.append(_Fit(scale, landscape, drawing.svg, width * scale))
    best = fits[0]
    for fit in fits[1:]:
        if fit.scale * _ENOUGH > best.scale:
            best = fit
    return best


def _columns(landscape: bool) -> int:
    return 4 if landscape else 3


def _style(fit: _Fit) -> str:
    css = files("scalargrad.tracing").joinpath("sheet.css").read_text(encoding="utf-8")
    size = "@page { size: landscape; }\n" if fit.landscape else "@page { size: portrait; }\n"
    width = 1060 if fit.landscape else 760
    return (
        f"{css}{size}body {{ max-width: {width}px; }}\n"
        f"ol {{ grid-template-columns: repeat({_columns(fit.landscape)}, minmax(0, 1fr)); }}\n"
        f"figure svg {{ width: {fit.width:.0f}px; max-width: 100%; }}\n"
        "@media (max-width: 560px) { ol { grid-template-columns: 1fr; } }\n"
    )
