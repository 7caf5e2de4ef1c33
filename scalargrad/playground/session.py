"""One page's session: a dict of JSON comes in, a dict of JSON goes out, whatever the way between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scalargrad.node.mode import in_mode
from scalargrad.playground.messages import RefusedError, View, read_fields
from scalargrad.support.arguments import brief
from scalargrad.support.labels import clean_label
from scalargrad.support.spelling import did_you_mean
from scalargrad.support.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_ID = 2**53 - 1
"""The largest integer that JavaScript's numbers hold exactly."""
MOST_ERROR = 800
"""Characters of an error at most."""


class Session:
    """What one page has open: views, each with the messages it answers. Messages take turns.

    `{"do": "views"}` is answered here: their names, in the order of the page's tabs.

    >>> from scalargrad.playground.graph import GraphView
    >>> session = Session(GraphView("x * y"))
    >>> session.handle({"id": 1, "do": "set", "inputs": {"x": "fast"}})
    {'id': 1, 'error': "set: inputs: 'x' must be a number, as 0.5, 1/3 or 1e-3, not 'fast'"}
    """

    def __init__(self, *views: View) -> None:
        for view in views:
            if not isinstance(view, View):
                raise TypeError(f"Session: a view must be a View, not {type(view).__name__}: live(...).session()")
        self._views = [view.name for view in views]
        self._answers: dict[str, tuple[View, Mapping[str, Any]]] = {}
        for view in views:
            for do, table in view.messages.items():
                if do in self._answers:
                    raise ValueError(f"two views answer {do!r}")
                self._answers[do] = view, table
        self._turns = Turns()

    def handle(self, message: Any) -> dict[str, Any]:
        """The reply to a message: `{"id": n, ...}`, or `{"id": n, "error": text}` and nothing has changed.

        It raises for no message. A reply with `"defect": true` was not meant to be: the error is one of this package.
        """
        if not isinstance(message, dict):
            return {"id": None, "error": "a message is an object, as {id: 1, do: 'open'}"}
        number = message.get("id")
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST_ID:
            return {"id": None, "error": "id must be a whole number from 0, by which the reply is known"}
        try:
            with self._turns, in_mode(warns=False):  # views say in words what is nan
                return {"id": number, **self._answer(message)}
        except RefusedError as error:
            instead = {"instead": error.instead} if error.instead else {}
            return {"id": number, "error": _line(error), **instead}
        except Exception as error:
            text = f"{type(error).__name__}: {_line(error)}"
            return {"id": number, "error": f"this went wrong inside scalargrad: {text}", "defect": True}

    def _answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        do = message.get("do")
        if do == "views":
            read_fields(do, {}, message)
            return {"views": self._views}
        if not isinstance(do, str) or do not in self._answers:
            known = ", ".join(["views", *self._answers])
            near = did_you_mean(do, list(self._answers)) if isinstance(do, str) else ""
            raise RefusedError(f"do must be one of {known}, not {brief(do)}{near}")
        view, table = self._answers[do]
        reply: dict[str, Any] = getattr(view, f"do_{do}")(read_fields(do, table, message))
        return reply


def _line(error: Exception) -> str:
    return clean_label(str(error).split("\n", 1)[0], MOST_ERROR)
