"""What each primitive op is in WebAssembly's instructions, for one number or two lanes.

exp, tanh and their like are those of the C library that Python itself uses, so that a program gives the numbers of the
eager engine.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Sequence

from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.tape import op_of
from scalargrad.compiling.wasm.binary import get, number, unsigned
from scalargrad.compiling.wasm.helpers import HELPER_NAMES, IMPORTS

Code = list[bytes | str]

OPERATOR = {
    operator.add: "add", operator.sub: "sub", operator.mul: "mul", operator.truediv: "div", operator.neg: "neg",
}  # fmt: skip
"""What Python's operators are."""
INSTRUCTION = {"absolute": "abs", "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "rint": "nearest"}
"""Ops that have an instruction."""

F64 = {
    "eq": 0x61, "ne": 0x62, "lt": 0x63, "gt": 0x64, "le": 0x65, "ge": 0x66, "abs": 0x99, "neg": 0x9A, "ceil": 0x9B,
    "floor": 0x9C, "nearest": 0x9E, "sqrt": 0x9F, "add": 0xA0, "sub": 0xA1, "mul": 0xA2, "div": 0xA3,
    "or": 0x72, "choose": 0x1B,
}  # fmt: skip
"""On one number. A comparison gives an i32, which is 0 or 1; `choose` takes the first of two where it is not 0."""
F64X2 = {
    "eq": 0x47, "ne": 0x48, "lt": 0x49, "gt": 0x4A, "le": 0x4B, "ge": 0x4C, "abs": 0xEC, "neg": 0xED, "ceil": 0x74,
    "floor": 0x75, "nearest": 0x94, "sqrt": 0xEF, "add": 0xF0, "sub": 0xF1, "mul": 0xF2, "div": 0xF3,
    "or": 0x50, "choose": 0x52,
}  # fmt: skip
"""On two lanes. A comparison gives all bits of a lane; `choose` takes the first of two where they are set."""
SIMD = b"\xfd"


def library_function(op: str) -> str:
    """The function on doubles that computes the op: one of HELPERS, or the C library's; empty if there is none."""
    own = f"sg_{getattr(op_of(op).value, '__name__', '')}"
    return own if own in HELPER_NAMES else op_of(op).library_name


def library_functions() -> dict[str, str]:
    """What is imported of the C library, and its signatures."""
    found = dict(IMPORTS)
    for op in sorted(PRIMITIVE):
        name = library_function(op)
        if name and name not in HELPER_NAMES:
            found[name] = f"{'d' * (op_of(op).arity or 1)}>d"
    return found


class NoInstructionError(ValueError):
    """There are no instructions for an op."""


def unknown_primitives() -> list[str]:
    """The primitives that `Lanes.code` has nothing for."""
    unknown = []
    for op in sorted(PRIMITIVE):
        n = op_of(op).arity or len(op_of(op).arguments)
        try:
            Lanes(1).code(op, [get(i) for i in range(n)])
        except NoInstructionError:
            unknown.append(op)
    return unknown


class Lanes:
    """How numbers stand side by side in so many lanes, and the instructions on them.

    Args:
        width: 1 or 2.

    Attributes:
        kind: the type of a local variable.
        load, store: instructions on memory, without their offset; `spread` loads one number into all lanes.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.kind = "d" if width == 1 else "v"
        if width == 1:
            self._plain = {name: bytes([code]) for name, code in F64.items()}
            self.load, self.store, self.spread = b"\x2b\x03", b"\x39\x03", b"\x2b\x03"
        else:
            self._plain = {name: SIMD + unsigned(code) for name, code in F64X2.items()}
            self.load, self.store, self.spread = SIMD + b"\x00\x03", SIMD + b"\x0b\x03", SIMD + b"\x0a\x03"
        self.add = self._plain["add"]
        self._direct = {op: self._plain[name] for op, name in INSTRUCTION.items()}
        for op in PRIMITIVE:
            if op_of(op).value in OPERATOR:
                self._direct[op] = self._plain[OPERATOR[op_of(op).value]]

    def number(self, x: float) -> bytes:
        """A constant in every lane."""
        return number(x) if self.width == 1 else SIMD + b"\x0c" + 2 * struct.pack("<d", x)

    def input(self, address: int, width: int, k: int) -> Code:
        """The k-th number of samples that have so many, at the address that a local variable holds."""
        here = get(address)
        if self.width == 1:
            return [here, self.load, unsigned(8 * k)]
        first, second = unsigned(8 * k), unsigned(8 * (width + k))
        return [here, here, SIMD + b"\x5d\x03", first, SIMD + b"\x57\x03", second, b"\1"]

    def code(self, op: str, xs: Sequence[bytes]) -> Code:
        """The instructions that put op(*xs) on the stack.

        Args:
            op: its name.
            xs: for each operand the instruction that puts it there.

        Raises:
            NoInstructionError: if there are none.
        """
        direct = self._direct.get(op)
        if direct is not None:
            return [*xs, direct]
        if function := library_function(op):
            return self._called(function, xs)
        x, y, z = (*xs, b"", b"")[:3]
        do = self._plain
        zero, one, nan = self.number(0.0), self.number(1.0), self.number(float("nan"))
        is_nan = [x, x, do["ne"]]
        if op == "relu":
            return [zero, x, x, zero, do["le"], do["choose"]]
        if op == "sign":
            return [
                one, self.number(-1.0), zero, x, x, zero, do["eq"], do["choose"], x, zero, do["lt"], do["choose"],
                x, zero, do["gt"], do["choose"],
            ]  # fmt: skip
        if op == "greater":
            return [nan, one, zero, x, y, do["gt"], do["choose"], *is_nan, y, y, do["ne"], do["or"], do["choose"]]
        if op in ("maximum", "minimum"):
            return [x, y, x, y, do["ge" if op == "maximum" else "le"], *is_nan, do["or"], do["choose"]]
        if op == "where":
            return [x, y, z, x, zero, do["ne"], do["choose"], *is_nan, do["choose"]]
        raise NoInstructionError(f"{op!r} is no primitive: what the wasm backend is given must have been lowered")

    def _called(self, function: str, xs: Sequence[bytes]) -> Code:
        """A function on doubles, for each lane."""
        if self.width == 1:
            return [*xs, function]
        first, second = ([part for x in xs for part in (x, SIMD + b"\x21" + lane)] for lane in (b"\0", b"\1"))
        return [*first, function, SIMD + b"\x14", *second, function, SIMD + b"\x22\x01"]
