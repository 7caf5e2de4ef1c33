"""The directive `shown`: an expression, and what Jupyter would show for it.

It is evaluated after all examples (`>>>`) that stand above it on the page, so that what the reader sees is what that
code gives:

    >>> y = Value(2.0) * 3

    ```{shown}
    :live: y
    trace(y)
    ```

`live` names the Value that is shown, and gives a link that opens it in the playground.
"""

from __future__ import annotations

import contextlib
import doctest
import io
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from scalargrad.engine import topological_order
from scalargrad.playground.running import of_expression
from scalargrad.words.formula import formula
from scalargrad_docs.pictures import inlined

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("shown", Shown)


class Shown(SphinxDirective):
    """An expression of Python, and below it the picture or stepper that it gives."""

    has_content = True
    option_spec: ClassVar = {"live": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """The expression as code, its result as HTML."""
        expression = "\n".join(self.content)
        page = self.env.doc2path(self.env.docname).read_text(encoding="utf-8")
        above = "\n".join(page.splitlines()[: self.lineno - 1])
        code = nodes.literal_block(expression, expression, language="python")
        html = html_of(evaluated(expression, above))
        if "live" in self.options:
            address = address_of(evaluated(self.options["live"], above))
            home = "../" * self.env.docname.count("/")
            html += f'<p class="live"><a href="{home}{escape(address)}">Make it live</a></p>'
        return [code, nodes.raw("", html, format="html")]


def evaluated(expression: str, page: str) -> Any:
    """The expression's value where the examples of the page have run."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for example in doctest.DocTestParser().get_examples(page):
            if example.exc_msg is None:
                exec(compile(example.source, "<page>", "single"), names)  # noqa: S102  (the site's own pages)
    return eval(expression, names)  # noqa: S307


def address_of(value: Any) -> str:
    """Where the playground opens this graph, from the top of the site.

    Raises:
        ValueError: if what it would open is another graph.
    """
    text = formula(value, "python")
    numbers = {node.label: node.data for node in topological_order(value) if node.is_leaf and node.label}
    running = of_expression(text)
    again = running.at(numbers).graph if set(running.names) == set(numbers) else None
    if again is None or again.root.data != value.data or len(again.order) != len(topological_order(value)):
        raise ValueError(f"{text} at {numbers} is not the graph that is shown")
    parts = {"f": text, **{name: repr(x) for name, x in numbers.items()}}
    return "playground/index.html#" + "&".join(f"{name}={quote(part, safe='()*+,/= ')}" for name, part in parts.items())


def html_of(thing: Any) -> str:
    """What Jupyter shows, as HTML."""
    return f'<div class="output">{inlined(thing._repr_mimebundle_()["text/html"])}</div>'
