"""The mode of a thread or task: whether operations are recorded, and who looks on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
Watch = Callable[[Iterator[Any], dict[Any, Any]], Iterable[Any]]
"""Hands on the nodes of a sweep one by one; between two it sees what the turn of the first has changed in the table of
adjoints."""


class Mode:
    """What holds for this thread or task. It is never changed: `but` makes another, which takes its place."""

    recording: bool = True
    """Whether operations make nodes; else constants, as in `no_grad`."""
    follows_ieee: bool = False
    """Whether ops give at poles what IEEE arithmetic says, as while rules run, instead of raising."""
    warns: bool = True
    """Whether a derivative that does not exist is warned of; not where its nan is said in another way."""
    inspectors: tuple[Callable[[Any], None], ...] = ()
    """Are told of every new node."""
    watches: tuple[Watch, ...] = ()
    """See every sweep."""
    blocks: tuple[Any, ...] = ()
    """The blocks of contexts.py that it is inside, the outermost first."""
    on_comparison: Callable[[Any, Any, str, float], None] | None = None
    """Is told of every comparison of a Value: the two, "<" or another, and the number of the second."""

    # Those that follow are set while a function is recorded.

    on_data: Callable[[Any, str], None] | None = None
    """Is told of every number that Python takes out of a Value or puts in, and how."""
    on_leaf: Callable[[Any], None] | None = None
    """Is told of every new leaf."""
    on_index: Callable[[Any, int], None] | None = None
    """Is told of every Value that takes one of some entries: it, and how many entries there are."""
    on_hash: Callable[[Any], None] | None = None
    """Is told of every Value that others than the package look up by its hash."""
    equal: Callable[[Any, object], bool | None] | None = None
    """Says whether a Value equals something; None leaves it to identity."""
    as_values: set[Any] | None = None
    """Those that the function would meet as Values, had it been called with numbers."""

    def but(self, **changes: Any) -> Mode:
        """A mode like this one, but for these."""
        if not changes.keys() <= Mode.__annotations__.keys():
            raise TypeError(f"a mode has {', '.join(Mode.__annotations__)}, and no {', '.join(changes)}")
        other = Mode()
        parts = {name: content for name, content in vars(self).items() if name in Mode.__annotations__}
        vars(other).update(parts, **changes)
        return other

    @cached_property
    def in_ieee(self) -> Mode:
        """This mode with `follows_ieee`, in which rules run one by one; made once."""
        return self if self.follows_ieee else self.but(follows_ieee=True)

    def __setattr__(self, name: str, content: object) -> None:
        raise AttributeError(f"a mode is never changed: mode.set(mode.get().but({name}=...)) puts another in its place")


PLAIN = Mode()
"""The mode in which everything begins; the engine in C knows it by being this very object."""

mode: ContextVar[Mode] = ContextVar("mode", default=PLAIN)
# Filled by the first use of a mode and never emptied: until then a node costs one truth test, not a context lookup.
modes_were_used: list[bool] = []
standing_watches: list[Watch] = []  # those that every thread needs: the one that runs the hooks of Values


@contextmanager
def in_mode(**changes: Any) -> Iterator[None]:
    """A block in another mode: this one but for the changes."""
    before = mode.get()
    try:  # around `set` as well: Ctrl-C may come when it returns
        mode.set(before.but(**changes))
        yield
    finally:
        mode.set(before)


def mode_kept(function: F) -> F:
    """A decorator: however a call ends, the mode is as before, though Ctrl-C fell into the end of a block inside."""

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        before = mode.get()
        try:
            return function(*arguments, **options)
        finally:
            mode.set(before)

    return called  # type: ignore[return-value]


def inspected(node: Any) -> None:
    """Show a new node to the onlookers."""
    for inspect in mode.get().inspectors:
        inspect(node)


def made(leaf: Any) -> None:
    """Tell of a new leaf whoever wants to know."""
    told = mode.get().on_leaf
    if told is not None:
        told(leaf)


def looked_at(node: Any, how: str) -> None:
    """Tell whoever wants to know that somebody takes a node's number."""
    now = mode.get()
    if now.on_data is not None and now.recording:
        now.on_data(node, how)


def being_compiled() -> bool:
    """Whether a function is being recorded, so that numbers must stay in Values."""
    now = mode.get()
    return now.on_data is not None and now.recording
