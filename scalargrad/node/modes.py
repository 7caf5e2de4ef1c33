"""Modes of this thread or task: `no_grad`, and onlookers that see every new node or every sweep."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ContextDecorator, contextmanager
from contextvars import ContextVar, Token, copy_context
from inspect import getdoc
from opcode import opname
from typing import TYPE_CHECKING, Any
from weakref import ref

from scalargrad.node.decorating import decorated
from scalargrad.node.errors import user_line
from scalargrad.node.identity import asked_by_package
from scalargrad.node.rules import Rebound
from scalargrad.support.turns import Turns

if TYPE_CHECKING:
    from scalargrad.engine import Value
    from scalargrad.node.rules import Adjoints

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


class _Mode(ContextDecorator):
    """A context that also decorates functions, each call of which is inside it.

    Generators, coroutines and asynchronous generators are inside it while they run, and their callers are not.
    """

    def __call__(self, function: Any) -> Any:
        name = type(self).__name__
        if isinstance(function, type):
            raise TypeError(f"{name} decorates functions, not classes as {function.__name__}: decorate its methods")
        if isinstance(function, (classmethod, staticmethod)):
            return type(function)(self(function.__func__))
        if not callable(function):
            raise TypeError(f"{name} decorates functions, not {type(function).__name__}")
        return decorated(function, self._recreate_cm)

    @abstractmethod
    def _recreate_cm(self) -> AbstractContextManager[Any]:  # type: ignore[override]
        """A mode like this one: a decorated function may run in several threads at once."""


class _WithParentheses(type):
    """The class of no_grad, so that `with no_grad:`, which asks the class and not an object of it, is told so."""

    def __enter__(cls) -> None:
        raise TypeError(f"a `with` block needs the parentheses: with {cls.__name__}():")

    def __exit__(cls, *_: object) -> None:
        """Python looks for it before it enters."""


class no_grad(_Mode, metaclass=_WithParentheses):
    """Inside `with no_grad():` results are constants: nothing is recorded. Holds for this thread or task only.

    `@no_grad()`, or `@no_grad`, does the same for each call of a function. A generator, a coroutine or an asynchronous
    generator does not record while it runs; whoever iterates over it or awaits it does. (PyTorch's does not reach into
    coroutines.)

    Raises:
        TypeError: if it decorates a class, or anything but a function.

    >>> from scalargrad import Value
    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents, y.requires_grad
    (4.0, (), False)
    >>> @no_grad
    ... def doubled(xs):
    ...     for x in xs:
    ...         yield 2 * x
    >>> [(y.requires_grad, (x * y).requires_grad) for y in doubled([x])]
    [(False, True)]
    """

    def __new__(cls, function: Any = None) -> Any:  # noqa: D102  (the class says it)
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        modes_were_used[:] = [True]
        self._tokens.append(recording.set(False))

    def __exit__(self, *_: object) -> None:
        recording.reset(self._tokens.pop())

    def _recreate_cm(self) -> no_grad:
        return type(self)()


class observed(_Mode):
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


def inspected(node: Value) -> None:
    """Show a node to the onlookers."""
    for inspect in inspectors.get():
        inspect(node)


def under_modes(node: Value) -> Value:
    """What becomes of a new node: itself while recording, after inspection; else its number as a constant."""
    for inspect in inspectors.get():
        inspect(node)
    if recording.get():
        return node
    constant = type(node)(node._data, requires_grad=False)
    x, y = node._x, node._y
    if node._b is not None and x is not None and type(x) is not tuple and (y is None or node._rule.text == "-"):
        note_rebinding(constant, x, node._rule.text)
    return constant


def note_rebinding(constant: Value, left: Value, text: str) -> None:
    """Mark what `a -= number` made where `a` was a leaf that requires grad, or was marked itself.

    Of the operators with a Value on the right only `-=` marks: `a -= lr * a.grad` has one if lr or the gradient is a
    Value, while `act = b; act += w * x` sums up a neuron. Called by `under_modes`, which the operator's function calls,
    which the user's code calls.
    """
    rule = left._rule
    if (rule.is_leaf and rule.requires_grad) or isinstance(rule, Rebound):
        frame = sys._getframe(3)
        if _is_in_place(frame.f_code.co_code, frame.f_lasti):
            leaf = rule.leaf if isinstance(rule, Rebound) else ref(left)
            constant._rule = Rebound(f"{text}=", user_line(), leaf)
            constant._x, constant._a, constant._b = (), (), None  # so that its turn in a sweep comes


def _is_in_place(code: bytes, at: int) -> bool:
    """Whether this instruction is an operator like `-=`: only Python's own instruction tells it from `-`."""
    name, argument = opname[code[at]], code[at + 1]
    return name.startswith("INPLACE_") or (name == "BINARY_OP" and 13 <= argument <= 25)  # 3.10; NB_INPLACE_ADD to _XOR


makers: ContextVar[Callable[[Value], None] | None] = ContextVar("makers", default=None)
"""What is told of every new leaf."""

hashers: ContextVar[Callable[[Value], None] | None] = ContextVar("hashers", default=None)
"""What is told, while a function is recorded, of every Value that others than the package look up by its hash."""

as_values: ContextVar[set[Value] | None] = ContextVar("as_values", default=None)
"""While a function is recorded: those that it would meet as Values, had it been called with numbers."""


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

    def hash_of(node: Value) -> int:
        hasher = hashers.get()
        if hasher is not None and not asked_by_package():
            hasher(node)
        return object.__hash__(node)

    hash_of.of_users = object.__hash__  # type: ignore[attr-defined]  # so that no subclass takes it for its own
    slot: Any = owner._data
    _data.update(owner=owner, slot=slot, watched=property(read, assign, doc=getdoc(slot)), hash_of=hash_of)
    owner.data = slot


@contextmanager
def data_watched() -> Iterator[None]:
    """While any thread is in here, `data` is a property that tells the reader of the thread, if it has one.

    So does the hash with the hasher. For others they give the same numbers, only slower. So they do if Ctrl-C keeps
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


def being_compiled() -> bool:
    """Whether a function is being recorded, so that numbers must stay in Values."""
    return readers.get() is not None and recording.get()


def record(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, its operations recorded even inside `no_grad`."""
    context = copy_context()
    context.run(recording.set, True)
    return context.run(function, *arguments)
