"""An SVG picture as HTML that every notebook viewer shows, trusted or not.

Of a notebook of unknown origin JupyterLab leaves out what is SVG, and shows SVG inside of HTML as loose words; an image
with the picture as its data stays.
"""

from __future__ import annotations

import base64
from html import escape


def page(title: str, body: str) -> str:
    """A page for the picture, in the reader's light or dark mode; `body` is HTML."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="color-scheme" content="light dark"><style>body { font-family: sans-serif; margin: 1.5rem; } '
        f"img {{ max-width: 100%; height: auto; }}</style></head><body>\n{body}\n</body></html>\n"
    )


def image(svg: str, alt: str) -> str:
    """The `<img>` that carries the picture, with what it shows in words.

    >>> image("<svg/>", 'a "picture"')
    '<img alt="a &quot;picture&quot;" src="data:image/svg+xml;base64,PHN2Zy8+">'
    """
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'
