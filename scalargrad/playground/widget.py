"""`live` in a notebook: an anywidget that asks by messages, and a still output for whoever has no Python behind it.

A cell has two outputs. The first is HTML that needs nothing: the stepper, or the picture of a network. The second is
the widget. The first one's rules show one of the two: the widget once it is there, the still one where it is not: in a
notebook that is opened without its Python, trusted or not, on a web page, without the extra `live`.
"""

from __future__ import annotations

import re
import secrets
from functools import cache
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from scalargrad.playground.assets import asset, stylesheet
from scalargrad.playground.messages import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scalargrad.playground.messages import View
    from scalargrad.playground.session import Session

INSTALL = 'pip install "scalargrad-autograd[live]"'
WIDGET = "application/vnd.jupyter.widget-view+json"
_MISSING = (
    f"To drag the inputs in this notebook: {INSTALL}, restart the kernel and run this cell again. Or call show()."
)
# `+` is the widget's output, which comes after the still one; `.sg-live` is in it once Python has answered.
_RULES = """
.jp-OutputArea-child:has([data-sg-still="KEY"]) + .jp-OutputArea-child:not(:has(.sg-live)),
.jp-OutputArea-child:has([data-sg-still="KEY"]):has(+ .jp-OutputArea-child .sg-live) { display: none; }
"""


def can_be_live() -> bool:
    """Whether the extra is installed."""
    return find_spec("anywidget") is not None


def in_notebook() -> bool:
    """Whether this is Python behind a notebook, and not one in a terminal."""
    if find_spec("IPython") is None:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"


def still(views: Sequence[View], key: str = "") -> str:
    """The output that needs no Python, as HTML: each view's still picture, and without the extra what to install.

    Args:
        views: fresh ones.
        key: of the widget that comes after it, if one does.
    """
    parts = []
    for view in views:
        try:
            parts.append(view.still())
        except RefusedError as error:
            parts.append(f"<p>{escape(str(error))}</p>\n")
    if not can_be_live():
        parts.append(f'<p class="sg-still-install"><em>{escape(_MISSING)}</em></p>\n')
    if not key:
        return f"<div>\n{''.join(parts)}</div>\n"
    return f'<div data-sg-still="{key}">\n{"".join(parts)}</div>\n<style>{_RULES.replace("KEY", key)}</style>\n'


def make_widget(session: Session, key: str = "") -> Any:
    """The anywidget of a session.

    Args:
        session: answers it.
        key: of the still output that it stands for, if there is one.

    Raises:
        ImportError: without the extra, with what to install.
    """
    if not can_be_live():
        raise ImportError(f"a widget needs anywidget (the extra `live`): {INSTALL}")
    return _widget_class()(session, key)


def display_both(text: str, session: Session, views: Sequence[View]) -> None:
    """Publish the two outputs of a cell.

    Args:
        text: what stands for them where there is text only.
        session: answers the widget.
        views: fresh ones, for the still output.
    """
    from IPython import display as ipython

    display: Any = ipython.display
    key = secrets.token_hex(8)
    display({"text/html": still(views, key), "text/plain": text}, raw=True)
    shown = make_widget(session, key)._repr_mimebundle_()
    data, metadata = shown if isinstance(shown, tuple) else (shown, {})
    # Where no widget is shown this output has nothing to say: the first one has said it.
    display({WIDGET: data[WIDGET], "text/html": "", "text/plain": ""}, metadata=metadata, raw=True)


def script() -> str:
    """The widget's one ES module: the page's modules one after another, as a notebook has no place for several."""
    network = asset("network.js")
    alone, found = re.subn(r'^import \{[^}]*\} from "\./live\.js";$', "", network, flags=re.MULTILINE)
    if found != 1:
        raise AssertionError("network.js must import from live.js, once")
    alone = alone.replace("export function networkView", "function networkView")
    return (
        f"{asset('live.js')}\nconst networkView = (() => {{\n{alone}\nreturn networkView;\n}})();\n{asset('widget.js')}"
    )


@cache
def _widget_class() -> Any:
    from anywidget import AnyWidget
    from traitlets import Unicode

    class LiveWidget(AnyWidget):  # type: ignore[misc]
        """One widget, with a session of its own."""

        _esm = script()
        _css = stylesheet()
        key = Unicode("").tag(sync=True)

        def __init__(self, session: Session, key: str) -> None:
            super().__init__(key=key)
            self._session = session
            self.on_msg(self._answer)

        def _answer(self, _widget: Any, message: Any, _buffers: Any) -> None:
            self.send(self._session.handle(message))

    return LiveWidget
