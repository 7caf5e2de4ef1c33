"""The directive `shown`: an expression, and what Jupyter would show for it.

It is evaluated after all examples (`>>>`) that stand above it on the page, so that what the reader sees is what that
code gives:

    >>> y = Value(2.0) * 3

    ```{shown}
    trace(y)
    ```
"""

from __future__ import annotations

import contextlib
import doctest
import io
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from scalargrad_docs.pictures import inlined

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("shown", Shown)


class Shown(SphinxDirective):
    """An expression of Python, and below it the picture or stepper that it gives."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The expression as code, its result as HTML."""
        expression = "\n".join(self.content)
        page = self.env.doc2path(self.env.docname).read_text(encoding="utf-8")
        above = "\n".join(page.splitlines()[: self.lineno - 1])
        code = nodes.literal_block(expression, expression, language="python")
        return [code, nodes.raw("", html_of(evaluated(expression, above)), format="html")]


def evaluated(expression: str, page: str) -> Any:
    """The expression's value where the examples of the page have run."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for example in doctest.DocTestParser().get_examples(page):
            if example.exc_msg is None:
                exec(compile(example.source, "<page>", "single"), names)  # noqa: S102  (the site's own pages)
    return eval(expression, names)  # noqa: S307


def html_of(thing: Any) -> str:
    """What Jupyter shows, as HTML."""
    return f'<div class="output">{inlined(thing._repr_mimebundle_()["text/html"])}</div>'
