"""What a layout asks of all operands of a program: there may be hundreds of thousands, so machine code looks."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any

from scalargrad.compiling.llvm.library import Machinery, once
from scalargrad.compiling.llvm.loops import element, loop


class Operands:
    """The operands of instructions, one after another.

    Args:
        rows: for each slot the slots that it reads; none if it is known without being computed.

    Attributes:
        level: for each slot 0 if it reads none, else one above the highest that it reads.
    """

    def __init__(self, rows: Sequence[Sequence[int]]) -> None:
        self._slots = array("i", list(chain.from_iterable(rows)))
        self._starts = array("i", list(accumulate(map(len, rows), initial=0)))
        self.level = array("i", bytes(4 * len(rows)))
        _functions()[0](_at(self._slots), _at(self._starts), len(rows), _at(self.level))

    def placed(self, slots: Sequence[int], place: array[int]) -> tuple[array[int], bytearray]:
        """The places of what these slots read, which is equally much for each.

        Also returns for each whether its places have moved from those of the one before as those from the one before
        that; 0 for the first two.
        """
        first = slots[0]
        width = self._starts[first + 1] - self._starts[first]
        found, steady = array("i", bytes(4 * width * len(slots))), bytearray(len(slots))
        given = array("i", slots)
        _functions()[1](
            _at(self._slots), _at(self._starts), _at(given), len(slots), width, _at(place), _at(found),
            ctypes.addressof(ctypes.c_char.from_buffer(steady)),
        )  # fmt: skip
        return found, steady


def _at(numbers: array[int]) -> int:
    return numbers.buffer_info()[0]


@once
def _functions() -> tuple[Any, Any]:
    p, i = ctypes.c_void_p, ctypes.c_int64
    at = _machinery().addresses
    levels = ctypes.CFUNCTYPE(None, p, p, i, p)(at["levels"])
    return levels, ctypes.CFUNCTYPE(None, p, p, p, i, i, p, p, p)(at["rows"])


@once
def _machinery() -> Machinery:
    highest = f"""
  %j.at = add i64 %begin64, %j
{element("%x", "%slots", "%j.at")}
  %x64 = sext i32 %x to i64
{element("%here", "%level", "%x64")}
  %most.old = load i32, ptr %most
  %higher = icmp sgt i32 %here, %most.old
  %most.new = select i1 %higher, i32 %here, i32 %most.old
  store i32 %most.new, ptr %most"""
    each = f"""
{element("%begin", "%starts", "%i")}
  %i.after = add i64 %i, 1
{element("%stop", "%starts", "%i.after")}
  %begin64 = sext i32 %begin to i64
  %stop64 = sext i32 %stop to i64
  %size = sub i64 %stop64, %begin64
  store i32 -1, ptr %most
{loop("j", "%size", highest)}
  %found = load i32, ptr %most
  %above = add i32 %found, 1
  %put = getelementptr i32, ptr %level, i64 %i
  store i32 %above, ptr %put"""
    operand = f"""
  %k.at = add i64 %start64, %k
{element("%x", "%slots", "%k.at")}
  %x64 = sext i32 %x to i64
{element("%here", "%place", "%x64")}
  %now = add i64 %row, %k
  %put = getelementptr i32, ptr %found, i64 %now
  store i32 %here, ptr %put
  %k.before = add i64 %row.before, %k
{element("%before", "%found", "%k.before")}
  %k.first = add i64 %row.first, %k
{element("%first", "%found", "%k.first")}
  %step = sub i32 %here, %before
  %step.before = sub i32 %before, %first
  %equal = icmp eq i32 %step, %step.before
  %so.far = load i1, ptr %all
  %all.new = and i1 %so.far, %equal
  store i1 %all.new, ptr %all"""
    row = f"""
{element("%slot", "%wanted", "%r")}
  %slot64 = sext i32 %slot to i64
{element("%start", "%starts", "%slot64")}
  %start64 = sext i32 %start to i64
  %third = icmp sge i64 %r, 2
  %one.back = sub i64 %r, 1
  %two.back = sub i64 %r, 2
  %r.before = select i1 %third, i64 %one.back, i64 0
  %r.first = select i1 %third, i64 %two.back, i64 0
  %row = mul i64 %r, %width
  %row.before = mul i64 %r.before, %width
  %row.first = mul i64 %r.first, %width
  store i1 %third, ptr %all
{loop("k", "%width", operand)}
  %is.steady = load i1, ptr %all
  %byte = zext i1 %is.steady to i8
  %put.steady = getelementptr i8, ptr %steady, i64 %r
  store i8 %byte, ptr %put.steady"""
    return Machinery(f"""
define void @levels(ptr %slots, ptr %starts, i64 %count, ptr %level) {{
  %most = alloca i32
{loop("i", "%count", each)}
  ret void
}}

define void @rows(
  ptr %slots, ptr %starts, ptr %wanted, i64 %count, i64 %width, ptr %place, ptr %found, ptr %steady
) {{
  %all = alloca i1
{loop("r", "%count", row)}
  ret void
}}
""", ["levels", "rows"], 2)  # fmt: skip
