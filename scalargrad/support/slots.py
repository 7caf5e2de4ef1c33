"""The slots of a class's objects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=256)  # a class's slots never change, and to look for them took a third of Module.parameters()
def slots_of(cls: Any) -> tuple[str, ...]:
    """The names of all slots, those of base classes first; `__dict__` and `__weakref__` are none."""
    return tuple(name for kind in reversed(cls.__mro__) if "__slots__" in vars(kind) for name in _slots_in(kind))


def _slots_in(kind: type) -> Iterator[str]:
    slots = vars(kind)["__slots__"]
    for name in (slots,) if isinstance(slots, str) else tuple(slots):
        if name.startswith("__") and not name.endswith("__"):  # Python adds the class to the name
            yield f"_{kind.__name__.lstrip('_')}{name}"
        elif name not in ("__dict__", "__weakref__"):
            yield name
