"""`live`: from an expression, a function or a Value to a graph whose inputs are dragged."""

from __future__ import annotations

import sys
import threading
from html import escape
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, topological_order
from scalargrad.node.variables import Names, variable_names
from scalargrad.playground.graph import GraphView
from scalargrad.playground.inputs import MOST, Input, given
from scalargrad.playground.messages import RefusedError
from scalargrad.playground.running import of_expression, of_function, of_value
from scalargrad.playground.session import Session
from scalargrad.support.arguments import brief, whole
from scalargrad.words.texts import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from scalargrad.playground.messages import View
    from scalargrad.playground.server import PlaygroundServer


class Live:
    """What `live` returns: the page, ready to be shown.

    Attributes:
        title: what it is about.
        views: makes the parts of a page, afresh for each.

    >>> from scalargrad import live
    >>> live("tanh(w*x + b)", x=(-5, 5), w=0.5, b=0)
    <live tanh(w*x + b): show() opens it>
    """

    def __init__(self, title: str, views: Callable[[], list[View]]) -> None:
        self.title = title
        self.views = views
        self._server: PlaygroundServer | None = None

    def session(self) -> Session:
        """A new session for one page: `session.handle(message)` answers."""
        return Session(*self.views())

    def show(self, port: int = 0) -> str:
        """Open the page in a browser while this program goes on; returns its address.

        The server listens on this computer only, and ends with the program, or after an hour without a page. Where no
        browser can be opened, standard output says the address.
        """
        from scalargrad.playground.server import PlaygroundServer

        if self._server is None:
            self._server = PlaygroundServer(self.session(), _port(port, "show"))
            _begin(self._server.session)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
        _open(self._server)
        return self._server.url

    def serve(self, port: int = 0, *, browser: bool = True) -> None:
        """Open the page and answer it until Ctrl-C, or until no page has asked anything for an hour.

        Args:
            port: on which to listen; 0 is a free one, which the system picks.
            browser: whether to open a browser; the address is written to standard output in any case.

        Raises:
            OSError: if the port is taken.
        """
        from scalargrad.playground.server import PlaygroundServer

        with PlaygroundServer(self.session(), _port(port, "serve")) as server:
            sys.stdout.write(f"the playground is at {server.url}\nCtrl-C ends it\n")
            sys.stdout.flush()
            _begin(server.session)
            if browser:
                _open(server, quiet=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                sys.stdout.write("\nthe playground has ended\n")

    def widget(self) -> Any:
        """A new widget for a notebook, with a session of its own: an anywidget, to be put among other widgets.

        A Live that ends a cell is shown as a widget by itself. marimo takes `mo.ui.anywidget(page.widget())`.

        Raises:
            ImportError: without the extra `live`.
        """
        from scalargrad.playground.widget import make_widget

        return make_widget(self.session())

    def close(self) -> None:
        """End the server that `show` has started."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _ipython_display_(self) -> None:
        """What a notebook shows: the widget, and for whoever opens the notebook without its Python a still output."""
        from scalargrad.playground.widget import can_be_live, display_both, in_notebook

        if not can_be_live() or not in_notebook():
            raise NotImplementedError  # IPython takes the bundle then
        display_both(repr(self), self.session(), self.views())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What is shown where no widget can be: the stepper, or a picture of the network."""
        from scalargrad.playground.widget import still

        return {"text/html": still(self.views()), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<live {self.title}: show() opens it>"


def live(f: Any = "tanh(w*x + b)", *, names: Names = True, **inputs: Any) -> Live:
    """A graph that moves while its inputs are dragged: values, local derivatives and gradients flow anew each time.

    Args:
        f: an expression in text, as "tanh(w*x + b)"; a function of Values; or a Value, whose leaves are the inputs. A
            model is watched by `model.live(X, y)`.
        names: of a Value's graph: whether leaves without a label are called as the caller's variables are.
        **inputs: each input as a number, or as `(low, high)` or `(low, high, number)` for its slider. A function is
            called with them by name.

    Returns:
        A Live. Jupyter shows it; `show()` opens it in a browser, `serve()` does so and waits.

    Raises:
        TypeError: if f is none of these, or a function that is not called with these inputs.
        ValueError: if an expression cannot be read, or an input's numbers are not finite or out of order.

    >>> from scalargrad import Value, live
    >>> def f(x, y):
    ...     return (x * y).tanh() if y.data > 0 else x - y
    >>> live(f, x=(-2, 2), y=(-1, 1, 0.5))
    <live f(x, y): show() opens it>
    """
    if not isinstance(f, (str, Value)) and not callable(f):
        raise TypeError(
            f"live: the first argument must be an expression in text, a function or a Value, not {type(f).__name__}: "
            'live("x*y + x")'
        )
    if hasattr(f, "named_parameters"):
        raise TypeError(f"live: {type(f).__name__} is a model: watch it learn with model.live(X, y)")
    made = {name: given(name, at) for name, at in inputs.items()}
    if isinstance(f, Value):
        order = topological_order(f)
        running, numbers = of_value(f, variable_names(order, names, "live"))
        _check_names(made, numbers, running.text)
        made = {name: made.get(name) or given(name, x) for name, x in numbers.items()}
    elif isinstance(f, str):
        try:
            running = of_expression(f)
        except RefusedError as error:
            raise ValueError(f"live: {error}") from None
        _check_names(made, running.names, f)
    else:
        running = of_function(f, tuple(made))
    if len(running.names) > MOST:
        count = counted(len(running.names), "input")
        raise ValueError(f"live: {running.text} has {count}; there is room for {MOST} sliders")
    return Live(running.text, lambda: [GraphView(running, made)])


def _check_names(given_: dict[str, Input], known: Any, where: str) -> None:
    for name in given_:
        if name not in known:
            they = ", ".join(known) or "it has none"
            raise ValueError(f"live: there is no input {brief(name)} in {brief(where)}: {they}")


def _begin(session: Session) -> None:
    """Draw the first picture while the browser starts: what computes layouts takes its time at first."""
    threading.Thread(target=session.handle, args=({"id": 0, "do": "open"},), daemon=True).start()


def _port(port: Any, where: str) -> int:
    return whole(port, f"{where}: port", f"{where}(port=8000)", least=0, most=65535)


def _open(server: PlaygroundServer, *, quiet: bool = False) -> None:
    """Open the page by way of a file of one's own, as other users of this computer may see a browser's arguments."""
    from scalargrad.support.browser import open_by_file

    page = (
        '<!doctype html>\n<meta charset="utf-8"><title>scalargrad playground</title>\n'
        f'<meta http-equiv="refresh" content="0; url={escape(server.url)}">\n'
        f'<p><a href="{escape(server.url)}">scalargrad playground</a></p>\n'
    )
    if not open_by_file(page) and not quiet:
        sys.stdout.write(f"no browser could be opened from here; the page is {server.url}\n")
