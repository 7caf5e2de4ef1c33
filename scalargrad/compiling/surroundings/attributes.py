"""Which attributes functions read of the objects, classes and modules behind them, told by the names in their code."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, cast

from scalargrad.compiling.surroundings.codes import named_in
from scalargrad.compiling.surroundings.functions import attribute, is_class_of_the_package, is_namespace, is_users
from scalargrad.support.slots import slots_of

if TYPE_CHECKING:
    from scalargrad.compiling.surroundings.functions import Behind

_READS_ALL = frozenset(("vars", "__dict__", "asdict", "astuple", "fields", "getattr", "attrgetter"))
_ASKS_WHETHER = frozenset(("getattr", "hasattr", "AttributeError"))


class Attributes:
    """Those that the functions may read.

    A name counts for every holder that has it, as nobody knows beforehand which object a name will be asked of. With
    `vars` and its like all attributes count; with `getattr` and its like also those that are not there.

    Args:
        found: the functions, and what they can reach.
    """

    def __init__(self, found: Behind) -> None:
        functions = [one for one in found.functions if isinstance(one, FunctionType)]
        named = [named_in(one.__code__) for one in functions]
        read = dict.fromkeys(name for one in functions for name in _read_by(one))
        self._names = read | dict.fromkeys(name for one in named for name in one.texts)
        others = {name for one in named for name in one.names}
        self._reads_all, self._asks_whether = bool(others & _READS_ALL), bool(others & _ASKS_WHETHER)
        self.reads_grad = "grad" in read
        """Whether one may read the gradient of a Value."""
        self._holders = found.holders

    def in_mappings(self) -> Iterator[tuple[Any, Mapping[str, Any], str]]:
        """Where they are kept: for each holder's `__dict__` what tells it, it, and a name."""
        for one in self._holders:
            if isinstance(one, type):
                there, mapping = self._with_bases(one), cast("Any", vars(one))  # another view each time
                yield from ((id(one), mapping, name) for name in self._names if name in there)
            elif isinstance(one, (FunctionType, ModuleType)):
                mapping = vars(one)
                yield from ((id(mapping), mapping, name) for name in self._names if name in mapping)
            elif type(mapping := attribute(one, "__dict__")) is dict:
                wanted = self._of_an_object(mapping, type(one))
                yield from ((id(mapping), mapping, name) for name in wanted if type(name) is str)

    def in_slots(self) -> Iterator[tuple[Any, str]]:
        """The holders that have slots, and the slots' names."""
        for one in self._holders:
            if not isinstance(one, (type, FunctionType, ModuleType)):
                cls: Any = type(one)
                yield from ((one, name) for name in slots_of(cls) if self._reads_all or name in self._names)

    def _may_read_all(self, cls: type) -> bool:
        """Whether any attribute may be read of such an object: by methods of a library, which nobody looks at."""
        if is_class_of_the_package(cls):  # nobody reads all of an optimizer, which is another after each step
            return any(isinstance(getattr(cls, name, None), property) for name in self._names)
        return self._reads_all or not (is_users(cls) or is_namespace(cls))

    def _of_an_object(self, mapping: Collection[str], cls: type) -> list[str]:
        there = {*mapping, *self._with_bases(cls)}
        wanted = [name for name in self._names if self._asks_whether or name in there]
        return [*mapping, *wanted] if self._may_read_all(cls) else wanted

    def _with_bases(self, cls: type) -> set[str]:
        return {name for one in cls.__mro__ if one is not object for name in vars(one) if name in self._names}


def _read_by(function: FunctionType) -> Iterator[str]:
    """The attributes that it reads, but for those of globals that are modules of others, as `exp` of `math`."""
    for name, owner in named_in(function.__code__).attributes:
        held = function.__globals__.get(owner) if owner else None
        if not isinstance(held, ModuleType) or is_users(held):
            yield name
