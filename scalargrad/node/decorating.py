"""Functions whose calls are inside a context; generators and coroutines while they run, not while they wait."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

Enter = Callable[[], AbstractContextManager[Any]]
"""Makes the context, anew each time: several calls may be inside it at once."""


def decorated(function: Callable[..., Any], enter: Enter) -> Callable[..., Any]:
    """Return the function, each call of it inside the context.

    What a generator, a coroutine or an asynchronous generator does between two of its `yield`s or `await`s is inside
    the context; whoever drives it is outside.
    """
    import inspect  # here, as it takes as long to import as a good part of this package

    def is_a(kind: Callable[[Any], bool]) -> bool:
        return kind(function) or kind(getattr(type(function), "__call__", None))  # noqa: B004  (its code is looked at)

    if is_a(inspect.isgeneratorfunction):

        @wraps(function)
        def generator(*args: Any, **keywords: Any) -> Any:
            with enter():
                made = function(*args, **keywords)
            return (yield from _Inside(made, enter))

        return generator

    if is_a(inspect.iscoroutinefunction):

        @wraps(function)
        async def coroutine(*args: Any, **keywords: Any) -> Any:
            return await _Inside(function(*args, **keywords).__await__(), enter)

        return coroutine

    if is_a(inspect.isasyncgenfunction):

        @wraps(function)
        async def asynchronous_generator(*args: Any, **keywords: Any) -> Any:
            made = function(*args, **keywords)
            try:
                item = await _each(made.__anext__(), enter)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        await _each(made.aclose(), enter)
                        raise
                    except BaseException as error:
                        item = await _each(made.athrow(error), enter)
                    else:
                        item = await _each(made.asend(sent), enter)
            except StopAsyncIteration:
                return

        return asynchronous_generator

    @wraps(function)
    def plain(*args: Any, **keywords: Any) -> Any:
        with enter():
            return function(*args, **keywords)

    return plain


async def _each(awaitable: Any, enter: Enter) -> Any:
    return await _Inside(awaitable.__await__(), enter)


class _Inside:
    """A generator, or what an `await` iterates over, that is inside the context whenever it runs."""

    def __init__(self, made: Any, enter: Enter) -> None:
        self._made, self._enter = made, enter

    def __iter__(self) -> Iterator[Any]:
        return self

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self)

    def __next__(self) -> Any:
        with self._enter():
            return next(self._made)

    def send(self, value: Any) -> Any:
        with self._enter():
            return self._made.send(value)

    def throw(self, *error: Any) -> Any:
        with self._enter():
            return self._made.throw(*error)

    def close(self) -> None:
        with self._enter():
            self._made.close()
