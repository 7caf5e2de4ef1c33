"""Deep graphs in WebAssembly, where the interpreter cannot see how much of the browser's stack is left.

Elsewhere CPython notices that the deletion of a long chain of objects nears the end of the stack, and finishes it piece
by piece. In Pyodide it watches a stack of its own while the browser's runs out: a chain of some 5 000 objects, of any
kind, ends the interpreter when it is deleted. So there, and only there, a Value hands on its parents as it goes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def finaliser() -> Callable[[Any], None]:
    """A `__del__` under which a graph of any depth is deleted without recursion."""
    waiting: list[Any] = []
    emptying = False

    def hand_on(node: Any) -> None:
        nonlocal emptying
        try:
            waiting.append((node._x, node._y, node._rule))
        except AttributeError:  # its constructor raised: there is nothing yet
            return
        node._x = node._y = node._rule = None
        if emptying:  # the outermost call goes on with what this one left
            return
        emptying = True
        try:
            while waiting:
                waiting.pop()
        finally:
            emptying = False

    return hand_on


def install(owner: type[Any]) -> None:
    """Give Value this way of being deleted."""
    owner.__del__ = finaliser()
