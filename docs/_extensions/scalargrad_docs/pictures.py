"""Drawings inside the page: they follow its light or dark mode, scroll in their own box, and have tooltips."""

from __future__ import annotations

import re
from base64 import b64decode
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_DARK = re.compile(r"@media \(prefers-color-scheme: dark\)\{(#[\w-]+\{[^}]*\})\}")
_ID = re.compile(r'<svg [^>]*\bid="([\w-]+)"')
_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_IMAGE = re.compile(r'<img [^>]*src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)"[^>]*>')
_HEAD = re.compile(_ID.pattern + r'[^>]*\bwidth="([\d.]+)"')


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(DrawingsInline)


class DrawingsInline(SphinxTransform):
    """Puts the SVG of every drawing in place of the image."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Replace the images of this document."""
        shown: Counter[str] = Counter()
        for image in list(self.document.findall(nodes.image)):
            path = Path(self.env.relfn2path(image["uri"], self.env.docname)[1])
            drawing = inline(path.read_text(encoding="utf-8")) if path.suffix == ".svg" and path.exists() else ""
            if drawing:
                image.replace_self(nodes.raw("", drawing, format="html"))
            elif "alt" not in image:
                image["alt"] = "The plot that the code above draws"
        for raw in self.document.findall(nodes.raw):
            if raw.get("format") == "html":
                replaced = nodes.raw("", _with_own_ids(inlined(raw.astext()), shown), format="html")
                raw.replace_self(replaced)


def _with_own_ids(html: str, shown: Counter[str]) -> str:
    """A picture that stands on the page a second time has other ids."""

    def own(found: re.Match[str]) -> str:
        name = _ID.search(found[0])[1]
        shown[name] += 1
        return found[0] if shown[name] == 1 else found[0].replace(name, f"{name}-{shown[name]}")

    return _SVG.sub(own, html)


def inlined(html: str) -> str:
    """HTML with the drawings in it, which notebooks need as images, as parts of the page; steppers as they are."""
    if 'class="sg-trace"' in html:  # its script replaces the image
        return html
    return _IMAGE.sub(lambda found: inline(b64decode(found[1]).decode()) or found[0], html)


def inline(svg: str) -> str:
    """A drawing of scalargrad as part of a page: as wide as it is, scrolling; empty for any other SVG.

    The stylesheet of a drawing speaks of its own id only, so that it may stand in a page.
    """
    head = _HEAD.search(svg)
    if head is None:
        return ""
    return f'<div class="wide picture" style="--width: {float(head[2]):.0f}px">{_by_page(svg[head.start() :])}</div>'


def _by_page(svg: str) -> str:
    """The dark colours where the page is dark, whatever the system prefers, and never on paper."""

    def rules(found: re.Match[str]) -> str:
        return (
            f'@media screen{{body[data-theme="dark"] {found[1]}}}\n'
            f'@media screen and (prefers-color-scheme: dark){{body:not([data-theme="light"]) {found[1]}}}'
        )

    return _DARK.sub(rules, svg)
