"""Code blocks as readers want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(CodeWithoutEmptyEnd)


class CodeWithoutEmptyEnd(SphinxTransform):
    """Takes away the empty line by which doctest knows the end of an output."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Shorten the code blocks of this document."""
        for block in self.document.findall(nodes.literal_block):
            text = block.astext().rstrip("\n")
            if len(block.children) == 1 and isinstance(block.children[0], nodes.Text):
                block.rawsource = text
                block.children[:] = []
                block.append(nodes.Text(text))
