"""The demo's index.html: its pictures and its stepper on one page that opens from the file without any network."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Exhibit:
    """Something to look at.

    Attributes:
        file: its name in the folder; an .html is a stepper, anything else a picture.
        title: its heading.
        text: what one sees.
        write: writes the file.
    """

    file: str
    title: str
    text: str
    write: Callable[[Path], object]


def index_page(title: str, lead: str, exhibits: Sequence[Exhibit], after: str) -> str:
    """The page, as HTML; `after` stands below the exhibits."""
    style = files("scalargrad.cli").joinpath("index_page.css").read_text(encoding="utf-8")
    sections = "\n".join(_section(exhibit) for exhibit in exhibits)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p>
{sections}
<p>{escape(after)}</p>
</main>
</body>
</html>
"""


def _section(exhibit: Exhibit) -> str:
    file, title = escape(exhibit.file, quote=True), escape(exhibit.title)
    if exhibit.file.endswith(".html"):
        shown = (
            f'<iframe src="{file}?embed" title="{title}"></iframe>\n'
            f'<p><a href="{file}">Open it on a page of its own</a></p>'
        )
    else:
        shown = f'<div class="picture"><a href="{file}"><img src="{file}" alt="{title}"></a></div>'
    return f"<section>\n<h2>{title}</h2>\n<p>{escape(exhibit.text)}</p>\n{shown}\n</section>"
