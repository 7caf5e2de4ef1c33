"""What is put around code: `no_grad`, contexts in which others look on, and `record`, which records even there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ContextDecorator
from contextvars import copy_context
from typing import Any

from scalargrad.node.decorating import decorated
from scalargrad.node.mode import PLAIN, Mode, Watch, mode, modes_were_used


class _Context(ContextDecorator):
    """A change of the mode, as a context that also decorates functions, each call of which is inside it.

    Generators, coroutines and asynchronous generators are inside it while they run, and their callers are not.
    """

    def __init__(self) -> None:
        self._entered: list[tuple[Mode, Mode, _Block]] = []

    def __enter__(self) -> None:
        modes_were_used[:] = [True]
        before, depth, block = mode.get(), len(self._entered), _Block(self)
        mine = before.but(blocks=(*before.blocks, block), **self._changes(before))
        try:
            self._entered.append((before, mine, block))
            mode.set(mine)
        except BaseException:  # Ctrl-C, as `append` or `set` returns: the block will have no end
            mode.set(before)
            if len(self._entered) > depth:
                self._entered.remove((before, mine, block))
            raise

    def __exit__(self, *_: object) -> None:
        now = mode.get()
        # The one that is in force here: threads may share this object. Contexts need not end in the order in which they
        # began, as a generator may rest inside one: then another mode is in force, and only its own change goes.
        entry = next((one for one in reversed(self._entered) if one[2] in now.blocks), self._entered[-1])
        before, mine, block = entry
        self._entered.remove(entry)
        if now is mine:
            mode.set(before)
        elif block in now.blocks:
            left = tuple(one for one in now.blocks if one is not block)
            after = now.but(blocks=left, **self._undone(now, left))
            mode.set(PLAIN if all(getattr(after, name) == getattr(PLAIN, name) for name in vars(after)) else after)

    @abstractmethod
    def _changes(self, now: Mode) -> dict[str, Any]:
        """What changes in the mode."""

    @abstractmethod
    def _undone(self, now: Mode, left: Sequence[_Block]) -> dict[str, Any]:
        """What changes when this goes and the blocks that are left stay."""

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


class _Block:
    """One entry into a context."""

    __slots__ = ("context",)

    def __init__(self, context: _Context) -> None:
        self.context = context


class _WithParentheses(type):
    """The class of no_grad, so that `with no_grad:`, which asks the class and not an object of it, is told so."""

    def __enter__(cls) -> None:
        raise TypeError(f"a `with` block needs the parentheses: with {cls.__name__}():")

    def __exit__(cls, *_: object) -> None:
        """Python looks for it before it enters."""


class no_grad(_Context, metaclass=_WithParentheses):
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

    def _changes(self, now: Mode) -> dict[str, Any]:  # noqa: ARG002
        return {"recording": False}

    def _undone(self, now: Mode, left: Sequence[_Block]) -> dict[str, Any]:  # noqa: ARG002
        return {"recording": not any(isinstance(block.context, no_grad) for block in left)}

    def _recreate_cm(self) -> Any:
        return type(self)()


class observed(_Context):
    """Inside `with observed(...)`, for this thread or task, others look on.

    Args:
        inspector: is handed every new node; what it raises reaches the user's code.
        watch: sees every sweep, as `gradients` describes.
    """

    def __init__(self, inspector: Callable[[Any], None] | None = None, watch: Watch | None = None) -> None:
        super().__init__()
        self._inspector, self._watch = inspector, watch

    def _changes(self, now: Mode) -> dict[str, Any]:
        inspectors = (*now.inspectors, self._inspector) if self._inspector else now.inspectors
        return {"inspectors": inspectors, "watches": (*now.watches, self._watch) if self._watch else now.watches}

    def _undone(self, now: Mode, left: Sequence[_Block]) -> dict[str, Any]:  # noqa: ARG002
        inspectors = _without_last(now.inspectors, self._inspector)
        return {"inspectors": inspectors, "watches": _without_last(now.watches, self._watch)}

    def _recreate_cm(self) -> observed:
        return observed(self._inspector, self._watch)


def _without_last(those: tuple[Any, ...], one: Any) -> tuple[Any, ...]:
    """The same but for the last that is this one."""
    places = [i for i, other in enumerate(those) if other is one]
    return (*those[: places[-1]], *those[places[-1] + 1 :]) if places else those


def with_recording(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, its operations recorded even inside `no_grad`."""
    context = copy_context()  # in a context of its own there is nothing that Ctrl-C could keep from being put back
    now = mode.get()
    if not now.recording:
        context.run(mode.set, now.but(recording=True, blocks=()))
    return context.run(function, *arguments)


def own_node(x: Any) -> Any:
    """A node of its own with the same number, by which x is computed."""
    return x * 1.0


def as_value(x: Any) -> Any:
    """A node by which x is computed, and which is a Value for the function that is recorded, not a number."""
    node = with_recording(own_node, x)
    known = mode.get().as_values
    if known is not None:
        known.add(node)
    return node
