"""The bytes of a WebAssembly module: https://webassembly.github.io/spec/core/binary."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

KINDS = {"i": b"\x7f", "d": b"\x7c", "v": b"\x7b"}
"""The types of numbers by the letters that stand for them in signatures: i32, f64, v128."""
I32_CONST, CALL, END = b"\x41", b"\x10", b"\x0b"
LOCAL_GET, LOCAL_SET = b"\x20", b"\x21"
F64_CONST, F64_LOAD, F64_STORE = b"\x44", b"\x2b\x03", b"\x39\x03"


def unsigned(n: int) -> bytes:
    """A whole number from 0 on as LEB128."""
    if n < 128:
        return _ONE_BYTE[n]
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


_ONE_BYTE = [bytes([n]) for n in range(128)]


def signed(n: int) -> bytes:
    """A whole number as signed LEB128."""
    out = bytearray()
    while not -64 <= n < 64:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n & 127)
    return bytes(out)


def number(x: float) -> bytes:
    """The instruction that puts a constant on the stack."""
    return F64_CONST + struct.pack("<d", x)


def get(local: int) -> bytes:
    """The instruction that puts a local variable on the stack."""
    return LOCAL_GET + unsigned(local)


def put(local: int) -> bytes:
    """The instruction that takes what lies on the stack into a local variable."""
    return LOCAL_SET + unsigned(local)


class Function(NamedTuple):
    """A function of a module.

    Attributes:
        name: its name.
        signature: the types of its parameters and results, as "iid>d".
        locals: the types of its local variables, which come behind the parameters.
        code: its instructions; a text among them stands for the call of the function of this name.
    """

    name: str
    signature: str
    locals: str
    code: Sequence[bytes | str]


def vector(items: Sequence[bytes]) -> bytes:
    """How many there are, and they."""
    return unsigned(len(items)) + b"".join(items)


def module(functions: Sequence[Function], imports: Mapping[str, str], exported: Iterable[str]) -> bytes:
    """A module on a memory that it imports.

    Args:
        functions: all of them.
        imports: the functions that it imports, and their signatures.
        exported: the names of those that can be called from outside.

    Returns:
        Its bytes. What it imports is named env.
    """
    called = {word for one in functions for word in one.code if isinstance(word, str)}
    own = {one.name for one in functions}
    taken = [name for name in imports if name in called - own]
    numbers = {name: i for i, name in enumerate([*taken, *(one.name for one in functions)])}
    calls = {name: CALL + unsigned(i) for name, i in numbers.items()}
    signatures = dict.fromkeys([*(imports[name] for name in taken), *(one.signature for one in functions)])
    types = {signature: unsigned(i) for i, signature in enumerate(signatures)}
    parts = [
        (1, [b"\x60" + b"".join(map(_types, signature.split(">"))) for signature in types]),
        (2, [_MEMORY, *(_name("env") + _name(name) + b"\0" + types[imports[name]] for name in taken)]),
        (3, [types[one.signature] for one in functions]),
        (7, [_name(name) + b"\0" + unsigned(numbers[name]) for name in exported]),
        (10, [_body(one, calls) for one in functions]),
    ]
    return b"\0asm\1\0\0\0" + b"".join(_section(number, vector(items)) for number, items in parts)


def _types(letters: str) -> bytes:
    return vector([KINDS[letter] for letter in letters])


def _name(text: str) -> bytes:
    return unsigned(len(text)) + text.encode()


_MEMORY = _name("env") + _name("memory") + b"\2\0\0"
"""The import of a memory of any size."""


def _body(one: Function, calls: Mapping[str, bytes]) -> bytes:
    code = b"".join([calls[word] if isinstance(word, str) else word for word in one.code])
    kinds = dict.fromkeys(one.locals)
    # Equal ones together: who wrote the function has numbered them so.
    assert "".join(kind * one.locals.count(kind) for kind in kinds) == one.locals  # noqa: S101
    content = vector([unsigned(one.locals.count(kind)) + KINDS[kind] for kind in kinds]) + code + END
    return unsigned(len(content)) + content


def _section(number: int, content: bytes) -> bytes:
    return bytes([number]) + unsigned(len(content)) + content
