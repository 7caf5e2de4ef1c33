"""What the code of a function names, with that of the functions inside it."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

_READS = frozenset(("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "IMPORT_FROM"))
_NOTHING = frozenset(("CACHE", "NOP", "EXTENDED_ARG", "PRECALL", "RESUME"))
_WRITES = frozenset(f"{what}_{where}" for what in ("STORE", "DELETE") for where in ("DEREF", "GLOBAL", "ATTR"))


class Named(NamedTuple):
    """Names and texts in a code, each once, in their order.

    Attributes:
        names: of globals, attributes and modules.
        texts: its constants; one may be a name that is given to getattr.
        attributes: those names that are read as attributes, each with the global that it is read of, or "".
        imports: the modules that it imports.
        written: the variables around it, globals and attributes that it assigns to.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    imports: tuple[str, ...]
    written: frozenset[str]


@lru_cache(1000)
def named_in(outer: CodeType) -> Named:
    """What a code names. Kept, as a function is asked about before and after each time that it is recorded."""
    names, texts, imports = dict[str, None](), dict[str, None](), dict[str, None]()
    attributes = dict[tuple[str, str], None]()
    written = set[str]()
    for code in _codes(outer):
        names.update(dict.fromkeys(code.co_names))
        texts.update((x, None) for x in code.co_consts if type(x) is str)
        owner = ""
        for step in dis.get_instructions(code):
            if step.opname in _READS:
                attributes[step.argval, owner] = None
            elif step.opname == "IMPORT_NAME":
                imports[step.argval] = None
            elif step.opname in _WRITES:
                written.add(step.argval)
            if step.opname not in _NOTHING:
                owner = step.argval if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") else ""
    return Named(tuple(names), tuple(texts), tuple(attributes), tuple(imports), frozenset(written))


def _codes(outer: CodeType) -> Iterator[CodeType]:
    pending = [outer]
    while pending:
        code = pending.pop()
        yield code
        pending += [x for x in code.co_consts if isinstance(x, CodeType)]
