"""Functions of WebAssembly written as text: the instructions' own names, one after another, as on its stack.

`$x` stands for `local.get x` and `=x` for `local.set x`; a number for the constant of the type that its dot tells.
"""

from __future__ import annotations

from scalargrad.compiling.wasm.binary import (
    F64_LOAD,
    F64_STORE,
    I32_CONST,
    Function,
    get,
    number,
    put,
    signed,
    unsigned,
)

EMPTY = b"\x40"
"""The type of a block that leaves nothing on the stack."""
PLAIN = {
    "block": b"\x02" + EMPTY, "loop": b"\x03" + EMPTY, "if": b"\x04" + EMPTY, "else": b"\x05", "end": b"\x0b",
    "return": b"\x0f", "select": b"\x1b", "i32.eqz": b"\x45", "i32.eq": b"\x46", "i32.ne": b"\x47",
    "i32.lt_s": b"\x48", "i32.gt_s": b"\x4a", "i32.ge_s": b"\x4e", "i32.add": b"\x6a", "i32.sub": b"\x6b",
    "i32.mul": b"\x6c", "i32.and": b"\x71", "i32.or": b"\x72", "i32.xor": b"\x73", "i32.shl": b"\x74",
    "f64.eq": b"\x61", "f64.ne": b"\x62", "f64.lt": b"\x63", "f64.gt": b"\x64", "f64.le": b"\x65", "f64.ge": b"\x66",
    "f64.abs": b"\x99", "f64.neg": b"\x9a", "f64.ceil": b"\x9b", "f64.floor": b"\x9c", "f64.nearest": b"\x9e",
    "f64.sqrt": b"\x9f", "f64.add": b"\xa0", "f64.sub": b"\xa1", "f64.mul": b"\xa2", "f64.div": b"\xa3",
    "f64.copysign": b"\xa6", "f64.convert_i32_s": b"\xb7", "memory.copy": b"\xfc\x0a\0\0", "memory.fill": b"\xfc\x0b\0",
}  # fmt: skip
"""Instructions without an immediate."""
AT_OFFSET = {"i32.load": b"\x28\x02", "f64.load": F64_LOAD, "f64.store": F64_STORE}
"""Instructions that are told an offset from the address."""
JUMPS = {"br": b"\x0c", "br_if": b"\x0d"}
"""Instructions that are told how many blocks to leave."""


def assembled(name: str, parameters: str, results: str, variables: str, text: str) -> Function:
    """The function.

    Args:
        name: its name.
        parameters: they and their types, as "address:i x:d".
        results: their types.
        variables: the same of local variables, those of one type together.
        text: the instructions.
    """
    named = [one.split(":") for one in f"{parameters} {variables}".split()]
    places = {one: i for i, (one, _) in enumerate(named)}
    kinds = "".join(kind for _, kind in named)
    n = len(parameters.split())
    code: list[bytes | str] = []
    words = iter(text.split())
    for word in words:
        if word in PLAIN:
            code.append(PLAIN[word])
        elif word in AT_OFFSET:
            code.append(AT_OFFSET[word] + unsigned(int(next(words))))
        elif word in JUMPS:
            code.append(JUMPS[word] + unsigned(int(next(words))))
        elif word == "call":
            code.append(next(words))
        elif word[0] == "$":
            code.append(get(places[word[1:]]))
        elif word[0] == "=":
            code.append(put(places[word[1:]]))
        elif "." in word or word in ("inf", "nan"):
            code.append(number(float.fromhex(word) if "0x" in word else float(word)))
        else:
            code.append(I32_CONST + signed(int(word)))
    return Function(name, f"{kinds[:n]}>{results}", kinds[n:], code)
