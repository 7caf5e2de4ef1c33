"""Modes of this thread or task: `no_grad`, and onlookers that see every new node or every sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar, Token, copy_context
from inspect import getdoc
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalargrad.engine import Value
    from scalargrad.rules import Adjoints

Watch = Callable[[Iterator["Value"], "Adjoints"], Iterable["Value"]]
"""Hands on the nodes of a sweep one by one; between two it sees what the turn of the first has changed."""

recording: ContextVar[bool] = ContextVar("recording", default=True)
inspectors: ContextVar[tuple[Callable[[Value], None], ...]] = ContextVar("inspectors", default=())
watches: ContextVar[tuple[Watch, ...]] = ContextVar("watches", default=())
readers: ContextVar[Callable[[Value, str], None] | None] = ContextVar("readers", default=None)
"""What is told, while a function is recorded, of every number that Python takes out of a Value or puts in, and how."""
standing_watches: list[Watch] = []  # those that every thread needs: the one that runs the hooks of Values
# Filled by the first use of a mode and never emptied: until then a node costs one truth test, not a context lookup.
modes_were_used: list[bool] = []


class no_grad(ContextDecorator):
    """Inside `with no_grad():` results are constants: nothing is recorded. Holds for this thread or task only.

    >>> from scalargrad import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents, y.requires_grad
    (4.0, (), False)
    """

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        modes_were_used[:] = [True]
        self._tokens.append(recording.set(False))

    def __exit__(self, *_: object) -> None:
        recording.reset(self._tokens.pop())

    def _recreate_cm(self) -> no_grad:
        return no_grad()  # a decorated function may run in several threads at once


class observed(ContextDecorator):
    """Inside `with observed(...)`, for this thread or task, others look on.

    Args:
        inspector: is handed every new node; what it raises reaches the user's code.
        watch: sees every sweep, as `gradients` describes.
    """

    def __init__(self, inspector: Callable[[Value], None] | None = None, watch: Watch | None = None) -> None:
        self._inspector, self._watch = inspector, watch
        self._tokens: list[tuple[Token[Any], Token[Any]]] = []

    def __enter__(self) -> None:
        modes_were_used[:] = [True]
        add_inspector = (self._inspector,) if self._inspector else ()
        add_watch = (self._watch,) if self._watch else ()
        self._tokens.append((inspectors.set(inspectors.get() + add_inspector), watches.set(watches.get() + add_watch)))

    def __exit__(self, *_: object) -> None:
        inspectors_before, watches_before = self._tokens.pop()
        inspectors.reset(inspectors_before)
        watches.reset(watches_before)

    def _recreate_cm(self) -> observed:
        return observed(self._inspector, self._watch)


def under_modes(node: Value) -> Value:
    """What becomes of a new node: itself while recording, after inspection; else its number as a constant."""
    for inspect in inspectors.get():
        inspect(node)
    return node if recording.get() else type(node)(node._data, requires_grad=False)


makers: ContextVar[Callable[[Value], None] | None] = ContextVar("makers", default=None)
"""What is told of every new leaf."""


def made(leaf: Value) -> None:
    """Tell the maker, if there is one, of a new leaf."""
    maker = makers.get()
    if maker is not None:
        maker(leaf)


def looked_at(node: Value, how: str) -> None:
    """Tell the reader, if there is one, that somebody takes a node's number."""
    reader = readers.get()
    if reader is not None and recording.get():
        reader(node, how)


_recordings: list[object] = []
_switching = RLock()
_data: dict[str, Any] = {}  # the owner of the attribute, and the two things that it can be
_switches_left = [None] * 200
"""So often `data` becomes a slot again. From Python 3.13 on, a class that was changed 1000 times is slow for good."""


def let_data_be_watched(owner: type[Value]) -> None:
    """Make `data` of Values the slot itself, to which nobody has to be asked, and remember how to watch it."""

    def read(node: Value) -> float:
        looked_at(node, ".data")
        return node._data

    def assign(node: Value, x: Any) -> None:
        reader = readers.get()
        if reader is not None:
            reader(node, "")
        node._data = x

    slot: Any = owner._data
    _data.update(owner=owner, slot=slot, watched=property(read, assign, doc=getdoc(slot)))
    owner.data = slot


@contextmanager
def data_watched() -> Iterator[None]:
    """While any thread is in here, `data` is a property that tells the reader of the thread, if it has one.

    For the others it gives the same numbers, only slower. So it does if Ctrl-C keeps it from becoming a slot again.
    """
    this = object()
    with _switching:
        _recordings.append(this)
        _data["owner"].data = _data["watched"]
    try:
        yield
    finally:
        with _switching:
            _recordings.remove(this)
            if not _recordings and _switches_left:
                _switches_left.pop()
                _data["owner"].data = _data["slot"]


def being_compiled() -> bool:
    """Whether a function is being recorded, so that numbers must stay in Values."""
    return readers.get() is not None and recording.get()


def record(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, its operations recorded even inside `no_grad`."""
    context = copy_context()
    context.run(recording.set, True)
    return context.run(function, *arguments)
