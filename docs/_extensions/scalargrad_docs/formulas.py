"""Formulas as MathML, written into the page when it is built: no script, no font, no request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)
_UNKNOWN = re.compile(r">\s*(\\[A-Za-z]+)")


def setup(app: Sphinx) -> None:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))


def mathml(latex: str, display: str) -> str:
    """LaTeX as a MathML element; display is 'inline' or 'block'.

    Raises:
        ValueError: for a command that latex2mathml does not know, and would write out.
    """
    latex = re.sub(r"\\(display|text)style\b", "", latex).strip()
    latex = latex.replace("{aligned}", "{align*}")  # the same, by the name that latex2mathml knows
    converted = convert(latex, display=display)
    unknown = _UNKNOWN.search(converted)
    if unknown:
        raise ValueError(f"latex2mathml does not know {unknown[1]} in {latex!r}")
    return converted


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_checked(node, "inline"))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="wide formula">{_checked(node, "block")}</div>\n')
    raise nodes.SkipNode


def _checked(node: nodes.Element, display: str) -> str:
    try:
        return mathml(node.astext(), display)
    except ValueError as error:
        logger.warning("%s", error, location=node)
        return f"<code>{node.astext()}</code>"
