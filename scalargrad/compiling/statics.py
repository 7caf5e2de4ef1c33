"""Static arguments: what shapes a computation and is no number of it. They are told apart by value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from scalargrad.engine import Value
from scalargrad.node.structures import Static
from scalargrad.support.arguments import brief
from scalargrad.support.exactly import exactly, exactly_or_itself
from scalargrad.support.spelling import did_you_mean

BY_TYPE = (str, bool, type(None), Enum)
"""What is static wherever it stands: no numbers."""
_WITHOUT_FUNCTIONS = (*BY_TYPE, int, float, complex, bytes)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Statics:
    """Which arguments of a function are static.

    Args:
        fn: the function.
        name: how messages call it.
        static: the names of such arguments, beside those that are by their type.

    Attributes:
        met: those that were given so far, but for those in which there can be no function.

    Raises:
        ValueError: if the function has no argument of a name.
        TypeError: if one is no text, or nobody can tell what the function's arguments are called.
    """

    def __init__(self, fn: Callable[..., Any], name: str, static: Iterable[str]) -> None:
        self._fn, self._name = fn, name
        self._met: dict[int, Any] = {}
        self.met = self._met.values()
        names = [static] if isinstance(static, str) else _listed(static)
        self._names = frozenset(names)
        self._places: dict[int, str] = {}
        if names:
            parameters = list(self._signature().parameters.values())
            kinds = [p.kind for p in parameters]
            takes_more = inspect.Parameter.VAR_KEYWORD in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds
            own = [p.name for p in parameters if p.kind in (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY)]
            for one in names:
                if one not in own and not takes_more:
                    raise ValueError(
                        f"static: {name} has no argument {brief(one)}{did_you_mean(one, own)}; it takes "
                        f"{', '.join(own) or 'none'}"
                    )
            self._places = {
                i: p.name for i, p in enumerate(parameters) if p.kind in _POSITIONAL and p.name in names
            }  # fmt: skip

    def marked(self, args: Sequence[Any]) -> Sequence[Any]:
        """The arguments, those that are static as such."""
        if not self._places and not any(isinstance(x, BY_TYPE) for x in args):
            return args
        places = self._places
        return [
            self._static(x, repr(places.get(i, i))) if i in places or isinstance(x, BY_TYPE) else x
            for i, x in enumerate(args)
        ]

    def marked_keywords(self, keywords: Mapping[str, Any]) -> dict[str, Any]:
        """The same for arguments by name."""
        return {
            name: self._static(x, repr(name)) if name in self._names or isinstance(x, BY_TYPE) else x
            for name, x in keywords.items()
        }

    def marked_batches(self, batches: Sequence[Any], keywords: Mapping[str, Any]) -> Sequence[Any]:
        """The arguments of a batch, those that are static as such; only these may be given by name.

        Raises:
            TypeError: if another is, or the function takes one by name only.
        """
        if not keywords:
            return self.marked(batches)
        marked = self.marked_keywords(keywords)
        for name, x in marked.items():
            if type(x) is not Static:
                raise TypeError(
                    f"{self._name}: give the samples of {name} by place, not by name; static arguments may have names"
                )
        args, signature = self.marked(batches), self._signature()
        try:
            bound = signature.bind(*args, **marked)
        except TypeError as error:  # in words that do not say of which function
            takes = ", ".join(signature.parameters) or "none"
            raise TypeError(f"{self._name}: {error}; the arguments that it takes: {takes}") from None
        given = dict(bound.arguments)
        bound.apply_defaults()
        by_name = [name for name in bound.kwargs if name in marked]
        if by_name:
            raise TypeError(
                f"{self._name}: {', '.join(by_name)} can be given by name only, which a batch cannot: let {self._name} "
                "take it by place"
            )
        # A default that stands before a given argument is in its place; the function may have others by now.
        args = [
            given[name] if name in given else Static(x, (name, exactly_or_itself(x)))
            for name, x in zip(bound.arguments, bound.args, strict=False)
        ]
        last = max((i for i, name in enumerate(bound.arguments) if name in given), default=-1)
        return args[: last + 1]

    def _signature(self) -> inspect.Signature:
        try:
            return inspect.signature(self._fn)
        except (TypeError, ValueError):
            raise TypeError(
                f"static: nobody can tell what the arguments of {self._name} are called: wrap it in a function of yours"
            ) from None

    def _static(self, x: Any, which: str) -> Static:
        key = _key(x, f"{self._name}: the static argument {which}")
        if not isinstance(x, _WITHOUT_FUNCTIONS):
            self._met.setdefault(id(x), x)
        return Static(x, key)


def takes_no_more(fn: Callable[..., Any], n: int) -> bool:
    """Whether a function takes this many arguments by place and has none beyond that is left open.

    >>> takes_no_more(lambda: 1.0, 0), takes_no_more(lambda x: x, 0), takes_no_more(lambda *xs: 1.0, 0)
    (True, False, False)
    """
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        return False
    by_place = [p for p in parameters if p.kind in _POSITIONAL]
    return not any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters) and all(
        p.default is not inspect.Parameter.empty for p in by_place[n:]
    )


def _listed(static: Any) -> list[str]:
    try:
        names = list(static)
    except TypeError:
        names = [static]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"static takes the names of arguments, as static=('length',), not {brief(name)}")
    return names


def _key(x: Any, what: str) -> Hashable:
    """What tells it from others: its type and its value; 1, 1.0 and True are equal, and are not the same."""

    def check(part: Any) -> None:
        if isinstance(part, Value):
            raise TypeError(
                f"{what} is a Value, and static arguments are no numbers of the computation: give int(v.data)"
            )
        try:
            hash(part)
        except TypeError:
            is_list, is_dict = isinstance(part, list), isinstance(part, dict)
            advice = "a tuple" if is_list else "a tuple of its items" if is_dict else "something that has"
            raise TypeError(
                f"{what} is a {type(part).__name__}, which has no hash, as it may change: give {advice}. Static "
                "arguments are told apart by value, and a program is kept for each"
            ) from None

    return exactly(x, check)


def unmarked(args: Iterable[Any]) -> list[Any]:
    """The arguments as the function takes them."""
    return [x.value if type(x) is Static else x for x in args]
