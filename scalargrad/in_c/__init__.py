"""The plain case of the engine in C: the same numbers to the bit, where a C compiler was there when this was installed.

What one reads, and what says what is right, is the engine in Python. Each function made here keeps the Python function
beside it, and calls it for whatever is not the plain case.

engine.c makes nodes, sorts and sweeps them, and writes their gradients. rules.h, the op table's values and derivatives,
is written by a script of the tests. What compiles them when the package is installed is the build hook in `building`.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

AnyFunction = Callable[..., Any]


def digest() -> str:
    """Of the C code beside this file: a module that was compiled from other code, as before an update, is not used."""
    code = hashlib.blake2b(digest_size=8)
    for name in ("engine.c", "rules.h"):
        code.update((Path(__file__).parent / name).read_bytes())
    return code.hexdigest()


try:
    _engine: Any = None if os.environ.get("SCALARGRAD_PURE") else importlib.import_module("scalargrad.in_c._engine")
    if _engine is not None and getattr(_engine, "source", "") != digest():
        _engine = None
except (ImportError, OSError):  # there was no compiler, or it was made for another Python
    _engine = None

engine_in_c: bool = _engine is not None
"""Whether the engine's plain case runs in C."""


def set_up(**engine: Any) -> None:
    """Tell the C code of the engine's types and objects; see its `setup`."""
    if _engine is not None:
        _engine.setup(*engine.values())


def in_c(kind: str, python: AnyFunction, op: Any = None, extra: Any = None) -> AnyFunction:
    """The function with its plain case in C, or as it is where there is none.

    Args:
        kind: what engine.c calls it: "op", "reflected", "bind", "backward".
        python: the function that stands beside it.
        op: the row that it makes nodes of, if it does.
        extra: the second operand where that is left out.
    """
    made = _engine and _engine.in_c(kind, python, op, extra)
    return functools.update_wrapper(made, python) if made else python


def let_cycles_close(nodes: Sequence[Any] = ()) -> None:
    """Let Python's collector know these nodes, what they were computed from, and all that is made from now on.

    Until something that can close a cycle is used, nodes made in C are none of the collector's business.
    """
    if _engine is None or _engine.track(()):
        return
    graph, left = {}, list(nodes)
    while left:
        node = left.pop()
        if node is not None and id(node) not in graph:
            graph[id(node)] = node
            for side in (node._x, node._y):
                left += side if type(side) is tuple else (side,)
    _engine.track(tuple(graph.values()))


def forget(op: Any) -> None:
    """A fact of this row was changed: its nodes are Python's from now on."""
    if _engine is not None:
        _engine.forget(op)
