"""The playground's Python where a page has Python in a worker: sessions, with JSON in and out as texts."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from scalargrad.playground.examples import EXAMPLES
from scalargrad.playground.graph import GraphView
from scalargrad.playground.live import live
from scalargrad.playground.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

LATER = "network"
"""The view that is made when something is asked of it: it brings all of nn, for which a graph need not wait."""


def answering() -> Callable[[str], str]:
    """What answers the messages of one page, as `whole` would: the reply's JSON for the message's.

    >>> answering()('{"id": 1, "do": "views"}')
    '{"id": 1, "views": ["graph", "network"]}'
    """
    first: dict[str, Any] = {**EXAMPLES[0].inputs}
    graph = live(EXAMPLES[0].expression, **first).session()

    @cache
    def network() -> Session:
        from scalargrad.playground.network.view import NetworkView

        return Session(NetworkView())

    def answer(text: str) -> str:
        message = json.loads(text)
        do = message.get("do") if isinstance(message, dict) else None
        asked = graph if do == "views" or (isinstance(do, str) and do in GraphView.messages) else network()
        reply = asked.handle(message)
        if do == "views" and "views" in reply:
            reply["views"] = [*reply["views"], LATER]
        return json.dumps(reply, ensure_ascii=False, allow_nan=False)

    return answer
