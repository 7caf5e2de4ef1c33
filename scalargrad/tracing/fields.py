"""A worksheet to fill in on a screen: fields that say what is right and what to look at, without a server.

The page has the answers in it, as it works alone, but nobody reads them there by accident: what is said of an answer
stands under a digest of its number and is scrambled by that number. That keeps no secret from who tries all numbers.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from scalargrad.drawing.engines import available, no_engine
from scalargrad.drawing.image import image
from scalargrad.tracing.guesses import USUAL
from scalargrad.tracing.hints import CLOSE, NEAR, Diagnosis
from scalargrad.tracing.marking import leeway
from scalargrad.tracing.page import as_script_data, asset, colors, page_around, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scalargrad.drawing.picture import Picture
    from scalargrad.drawing.result import Drawing
    from scalargrad.tracing.blanks import Blank
    from scalargrad.tracing.trace import Trace

_MOST_MISTAKES = 40
"""How many mistakes are recognised in an answer."""
_RIGHT, _LAST = -1, 10**6
_STARTS = 0x811C9DC5, 0x2F0B4C47
_SCRAMBLER = 0x5BD1E995
_PRIME = 0x01000193
_HUGEST = sys.float_info.max

Said = list[Any]
"""[its place in the order, the hint or "" for right, the number, how far off an answer may be]."""


class Sheet(Protocol):
    """What is shown of a worksheet."""

    blanks: tuple[Blank, ...]
    trace: Trace
    _picture: Picture

    @property
    def heading(self) -> str:
        """The title, and which variant it is."""

    @property
    def task(self) -> str:
        """What is to be done."""

    @property
    def drawing(self) -> Drawing:
        """The picture with blanks."""


def fragment(sheet: Sheet) -> str:
    """The sheet as HTML for any page: heading, task, picture, questions, and the script that makes fields of these.

    Without the script, as in a notebook that is not trusted, all but the fields is there.
    """
    asked = " &nbsp; ".join(
        f"<strong>{blank.sign}</strong>&nbsp;<code>{escape(blank.question)}</code>" for blank in sheet.blanks
    )
    if available() == "text":
        picture = f"<p>({escape(no_engine())})</p>\n<pre>{escape(sheet.drawing.text)}</pre>"
    else:
        picture = image(sheet.drawing.svg, sheet._picture.description)
    body = f'<h3>{escape(sheet.heading)}</h3>\n<p>{escape(sheet.task)}</p>\n{picture}\n<p class="sg-asked">{asked}</p>'
    key = sha256(body.encode()).hexdigest()[:16]
    return f'<div class="sg-sheet" data-scalargrad="{key}">\n{body}\n<script>{_script(sheet, key)}</script>\n</div>\n'


def page(sheet: Sheet) -> str:
    """A complete page around the fragment that works from a file, and allows itself its own script and nothing else."""
    return page_around(escape(sheet.heading), fragment(sheet), heading=False)


def _script(sheet: Sheet, key: str) -> str:
    css = colors(".sg-sheet") + asset("fields.css")
    data = {
        "key": key, "look": sha256(css.encode()).hexdigest()[:16], "css": css, "leeway": USUAL, "salt": key,
        "sealed": _sealed(sheet, key),
    }  # fmt: skip
    return f"{program('fields.js')}({as_script_data(data)});"


def _sealed(sheet: Sheet, salt: str) -> dict[str, str]:
    """What is said of answers, by the digest of blank and number."""
    diagnosis = Diagnosis(sheet.trace.graph, {})
    places: dict[str, list[Said]] = {}
    for blank in sheet.blanks:
        said = [_said(_RIGHT, "", blank.answer)]
        said += [_said(i, text, x) for i, (x, text) in enumerate(diagnosis.likeliest(blank, _MOST_MISTAKES))]
        said.append(_said(_LAST, CLOSE, blank.answer, NEAR))
        for one in said:
            for cell in _cells(*one[2:]):
                places.setdefault(f"{salt}{blank.number}{cell}", []).append(one)
        places[f"{salt}{blank.number}otherwise"] = [[_LAST, diagnosis.general(blank), None]]
    return dict(sorted((_tag(place), _scrambled(place, said)) for place, said in places.items()))


def _said(order: int, text: str, number: float, tolerance: float = 0.0) -> Said:
    return [order, text, number, leeway(number, tolerance) if math.isfinite(number) else 0.0]


def _written(said: Said) -> Said:
    """For JSON, which has no nan and no inf; what is said of these lies in cells of their own."""
    return [None if isinstance(x, float) and not math.isfinite(x) else x for x in said]


def _cells(number: float, around: float) -> Iterator[str]:
    """Every cell that an answer may lie in which is no further off: see fields.js, which looks into these."""
    if math.isnan(number):
        yield "nnull"
    elif math.isinf(number):
        yield "nInfinity" if number > 0 else "n-Infinity"
    elif around <= USUAL and around > 1e-5:
        yield from (f"a{cell}" for cell in _steps(number - around, number + around, 1e4))
    else:
        # A share of the number: its logarithm is as far off, whatever the number is.
        grid, steps = ("c", 50.0) if around > 1e-3 * abs(number) else ("b", 1e4)
        low, high = sorted(math.log(min(abs(number + move), _HUGEST)) for move in (-around, around))
        yield from (f"{grid}{'-' if number < 0 else '+'}{cell}" for cell in _steps(low, high, steps))


def _steps(low: float, high: float, steps: float) -> range:
    """The cells from one number to another, with a hair to spare for what rounding does elsewhere."""
    return range(math.floor(low * steps + 0.5 - 1e-6), math.floor(high * steps + 0.5 + 1e-6) + 1)


def _tag(place: str) -> str:
    return "".join(f"{_digest(place, start):08x}" for start in _STARTS)


def _digest(text: str, start: int) -> int:
    """FNV-1a, which is a line in any language."""
    for byte in text.encode():
        start = (start ^ byte) * _PRIME & 0xFFFFFFFF
    return start


def _scrambled(place: str, said: Sequence[Said]) -> str:
    state = _digest(place, _SCRAMBLER) or 1
    content = bytearray(json.dumps([_written(one) for one in said], ensure_ascii=False, separators=(",", ":")).encode())
    for i in range(len(content)):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        content[i] ^= state & 255
    return base64.b64encode(bytes(content)).decode()
