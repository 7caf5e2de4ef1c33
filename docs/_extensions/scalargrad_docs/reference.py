"""The reference where docstrings alone do not make it: functions of the op table, and the gallery of mistakes."""

from __future__ import annotations

import re
from inspect import cleandoc
from textwrap import indent
from typing import TYPE_CHECKING, Any

from sphinx.domains.python import PyObject
from sphinx.ext.napoleon import GoogleDocstring
from sphinx.util.docutils import SphinxDirective

from scalargrad import mistakes
from scalargrad.support.spelling import Misnomer
from scalargrad.table import TABLE, Op

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

_CODE_OR_MARK = re.compile(r"`[^`]*`|(?<!^)[*|]|(?<=\w)_(?!\w)")
_CALL = re.compile(r"z = (\w+\((.*?)\))(?: of |: )")
_DERIVATIVES = re.compile(r"Local derivatives: (.*?)( \(of two operands\))?\.(?=\s|\Z)", re.DOTALL)


def setup(app: Sphinx) -> None:
    """Register directives and filters."""
    app.add_directive("operations", Operations)
    app.add_directive("mistakes", Mistakes)
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"  # Sphinx says "Variables"
    app.connect("autodoc-skip-member", _skip_operations)
    app.connect("html-page-context", _right_anchors)
    app.connect("autodoc-process-docstring", _plain, priority=100)  # before napoleon


class Operations(SphinxDirective):
    """Functions of the op table, each with its other names and its generated docstring."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """One entry for each name."""
        text = "\n\n".join(_operation(TABLE[name]) for line in self.content for name in line.split())
        return self.parse_text_to_nodes(text)


def _operation(op: Op) -> str:
    docstring = cleandoc(op.function.__doc__ or "")
    call = _CALL.match(docstring)
    if call is None:
        raise ValueError(f"the docstring of {op.name} has no call: {docstring!r}")
    arguments = "xs, ys, bias=None" if op.pair else "xs, index" if call[2].startswith("[") else call[2]
    text = docstring.replace(call[1], f"``{call[1]}``", 1).replace("z = ``", "``z = ", 1)
    text = re.sub(r"The operator (\S+)\.$", r"The operator ``\1``.", text, flags=re.MULTILINE)

    text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", _DERIVATIVES.sub(_as_code, text))
    names = [op.name, *op.aliases]
    return "\n".join(
        [
            f".. py:function:: {names[0]}({arguments})",
            *(f"                  {name}({arguments})" for name in names[1:]),
            "   :module: scalargrad",
            "",
            indent(str(GoogleDocstring(text)), "   "),  # where it has arguments and errors by name
        ]
    )


def _as_code(derivatives: re.Match[str]) -> str:
    equations = derivatives[1].replace("; ", "``; ``")
    return f"Local derivatives{derivatives[2] or ''}: ``{equations}``."


class Mistakes(SphinxDirective):
    """The gallery: each mistake with its story and its code."""

    def run(self) -> list[nodes.Node]:
        """One entry for each mistake."""
        return self.parse_text_to_nodes("\n\n".join(map(_mistake, mistakes.GALLERY)))


def _mistake(mistake: mistakes.Mistake) -> str:
    return "\n".join(
        [
            f".. py:data:: {mistake.name}",
            "   :module: scalargrad.mistakes",
            "",
            indent(mistake.story, "   "),
            "",
            "   .. code-block:: python",
            "",
            indent(mistake.code, "      "),
        ]
    )


def _skip_operations(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:  # noqa: ARG001
    """Leave out of the methods the functions of the table, which have a page of their own, and names that are none."""
    return True if isinstance(thing, Misnomer) or isinstance(getattr(thing, "op", None), Op) else None


def _plain(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Escape what reStructuredText would read as markup: |a - n|, *outputs, val_. Docstrings here use none but code."""
    in_example = False
    for i, line in enumerate(lines):
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>>"))
        if not in_example:
            lines[i] = _CODE_OR_MARK.sub(lambda found: found[0] if found[0][0] == "`" else "\\" + found[0], line)


def _right_anchors(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:  # noqa: ARG001
    """Mend the links from source to reference: viewcode takes all of a file for members of the same package."""
    if not page.startswith("_modules/"):
        return
    known = app.env.domains.python_domain.objects

    def link(found: re.Match[str]) -> str:
        path, name = found.groups()
        if name not in known:
            end = name.removeprefix("scalargrad")
            name = next((n for n, o in known.items() if n.endswith(end) and path.endswith(f"{o.docname}.html")), name)
        return f'href="{path}#{name}"'

    context["body"] = re.sub(r'href="([^"#]+)#(scalargrad[\w.]*)"', link, context["body"])
