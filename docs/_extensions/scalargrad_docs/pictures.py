"""Drawings inside the page: they follow its light or dark mode, scroll in their own box, and have tooltips."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_DARK = re.compile(r"@media \(prefers-color-scheme: dark\)\{(#[\w-]+\{[^}]*\})\}")
_ID = re.compile(r'<svg [^>]*\bid="([\w-]+)"')
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
                shown[drawing] += 1
                if shown[drawing] > 1:  # ids must differ
                    name = _ID.search(drawing)[1]
                    drawing = drawing.replace(name, f"{name}-{shown[drawing]}")
                image.replace_self(nodes.raw("", drawing, format="html"))
            elif "alt" not in image:
                image["alt"] = "The plot that the code above draws"


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
