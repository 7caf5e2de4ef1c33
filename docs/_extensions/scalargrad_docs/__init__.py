"""What Sphinx needs to know to show notebooks, pictures, steppers, formulas and the op table of scalargrad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Register all parts."""
    # Here, so that imports.py and house.py can be used where Sphinx is not installed.
    from scalargrad_docs import blocks, formulas, lessons, links, notebooks, pictures, playground, reference, shown

    for part in (blocks, formulas, lessons, links, notebooks, pictures, playground, reference, shown):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
