"""Nodes are told apart as objects, also those of a subclass that compares or hashes otherwise.

The package keeps nodes in sets and dicts, and two leaves with the same number are two leaves. Value itself has object's
`==` and hash. A subclass with its own, as one that compares numbers, keeps it for everybody else.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from scalargrad.in_c import let_cycles_close
from scalargrad.node.errors import PACKAGE

_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
by_identity: set[type] = set()
"""The subclasses that have been seen to."""


def tell_apart(cls: type) -> None:
    """Let the package, and what it calls of the standard library, tell objects of this class apart as objects."""
    by_identity.add(cls)
    let_cycles_close()  # its objects have attributes
    equal: Any = cls.__eq__
    hashed: Any = cls.__hash__
    if equal is not object.__eq__ and not hasattr(equal, "of_users"):
        cls.__eq__ = _equal(equal)  # type: ignore[method-assign]
    if hashed is not object.__hash__ and not hasattr(hashed, "of_users"):
        cls.__hash__ = _hashed(hashed, cls.__name__)  # type: ignore[method-assign]


def _equal(equal: Any) -> Any:
    def same(self: Any, other: Any) -> Any:
        return self is other if asked_by_package() else equal(self, other)

    same.of_users = equal  # type: ignore[attr-defined]
    return same


def _hashed(hashed: Any, name: str) -> Any:
    def hash_of(self: Any) -> Any:
        if asked_by_package():
            return object.__hash__(self)
        if hashed is None:
            raise TypeError(f"unhashable type: '{name}'")
        return hashed(self)

    hash_of.of_users = hashed  # type: ignore[attr-defined]
    return hash_of


def asked_by_package() -> bool:
    """Whether the caller's caller is of the package, or of the standard library on its behalf."""
    frame = sys._getframe(2)
    path = frame.f_code.co_filename
    while frame.f_back is not None and not path.startswith(PACKAGE) and _is_standard(path):
        frame = frame.f_back
        path = frame.f_code.co_filename
    return path.startswith(PACKAGE)


def _is_standard(path: str) -> bool:
    return path.startswith("<frozen ") or (path.startswith(_STANDARD_LIBRARY) and "site-packages" not in path)
