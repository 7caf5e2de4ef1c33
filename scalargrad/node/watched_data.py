"""`data` of Values: a plain slot, and a property that tells of each use while a function is recorded for replays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import getdoc
from typing import Any

from scalargrad.node.identity import asked_by_package
from scalargrad.node.mode import looked_at, mode
from scalargrad.support.turns import Turns

_recordings: list[object] = []
_switching = Turns()
_data: dict[str, Any] = {}  # the owner of the attributes, and the two things that `data` can be
_switches_left = [None] * 400
"""So often `data` becomes a slot again from Python 3.13 on, where a class is slow for good after 1000 changes: every
attribute then takes twice as long, which is 500 recordings. Earlier versions have no such end."""


def _may_switch_back() -> bool:
    if sys.version_info < (3, 13):
        return True
    if not _switches_left:
        return False
    _switches_left.pop()
    return True


def let_data_be_watched(owner: type[Any]) -> None:
    """Make `data` of Values the slot itself, to which nobody has to be asked, and remember how to watch it."""

    def read(node: Any) -> Any:
        looked_at(node, ".data")
        return node._data

    def assign(node: Any, x: Any) -> None:
        told = mode.get().on_data
        if told is not None:
            told(node, "")
        node._data = x

    def hash_of(node: Any) -> int:
        told = mode.get().on_hash
        if told is not None and not asked_by_package():
            told(node)
        return object.__hash__(node)

    hash_of.of_users = object.__hash__  # type: ignore[attr-defined]  # so that no subclass takes it for its own
    slot: Any = owner._data
    _data.update(owner=owner, slot=slot, watched=property(read, assign, doc=getdoc(slot)), hash_of=hash_of)
    owner.data = slot


@contextmanager
def data_watched() -> Iterator[None]:
    """While any thread is in here, `data` is a property that tells whoever the mode of the thread names.

    So does the hash. For others they give the same numbers, only slower. So they do if Ctrl-C keeps
    them from becoming what they were.
    """
    this = object()
    with _switching:
        _recordings.append(this)
        _data["owner"].data, _data["owner"].__hash__ = _data["watched"], _data["hash_of"]
    try:
        yield
    finally:
        with _switching:
            _recordings.remove(this)
            if not _recordings and _may_switch_back():
                _data["owner"].data, _data["owner"].__hash__ = _data["slot"], object.__hash__
