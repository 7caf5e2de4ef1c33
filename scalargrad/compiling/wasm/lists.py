"""Lists of numbers, read by a module where CPython keeps them: Python itself would take longer than a training step.

As in llvm/slots.py, it is found out beforehand whether lists, floats and ints are what is taken for granted here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from scalargrad.compiling.wasm.assembling import assembled
from scalargrad.compiling.wasm.binary import module
from scalargrad.compiling.wasm.library import loaded

WORD = 4
_TYPE, _SIZE, _ITEMS = WORD, 2 * WORD, 3 * WORD
_NUMBER = 8
"""At which byte of an object stands its type; of a list its size and where its items are; of a float its number."""
_TAG, _DIGIT, _LONG, _SIGN = 8, 12, 16, 3
"""The same of an int: its tag, the last two bits of which are 1 minus the sign, and its digit if the tag is small."""


def _word(address: int) -> int:
    return ctypes.c_uint32.from_address(address).value


@cache
def is_known() -> bool:
    """Whether lists and numbers lie as they are read here."""
    if (ctypes.sizeof(ctypes.c_void_p), float.__basicsize__) != (WORD, _NUMBER + 8):
        return False
    floats = [float("1.5"), float("2.5")]
    ints = [7, 0, -7, 2**30 - 1, 1 - 2**30, 2**30, -(2**62)]
    tags = [_word(id(x) + _TAG) for x in ints]
    return (
        [tag < _LONG for tag in tags] == [True] * 5 + [False] * 2
        and [(1 - (tag & _SIGN)) * _word(id(x) + _DIGIT) for x, tag in zip(ints, tags, strict=True)][:5] == ints[:5]
        and all(_word(id(x) + _TYPE) == id(float) for x in floats)
        and all(ctypes.c_double.from_address(id(x) + _NUMBER).value == x for x in floats)
        and (_word(id(floats) + _TYPE), _word(id(floats) + _SIZE)) == (id(list), 2)
        and [_word(_word(id(floats) + _ITEMS) + WORD * i) for i in range(2)] == list(map(id, floats))
    )


NUMBERS = assembled("numbers", "list:i float:i int:i n:i into:i", "i", "i:i item:i tag:i x:d", f"""
    $list i32.load {_SIZE} $n i32.ne if 1 return end
    block loop
      $i $n i32.ge_s br_if 1
      $list i32.load {_ITEMS} $i {WORD} i32.mul i32.add i32.load 0 =item
      $item i32.eqz if 1 return end
      $item i32.load {_TYPE} $float i32.eq if
        $item f64.load {_NUMBER} =x
      else
        $item i32.load {_TYPE} $int i32.ne if 1 return end
        $item i32.load {_TAG} =tag
        $tag 0 i32.lt_s $tag {_LONG} i32.ge_s i32.or if 1 return end
        1 $tag {_SIGN} i32.and i32.sub $item i32.load {_DIGIT} i32.mul f64.convert_i32_s =x
      end
      $into $i 8 i32.mul i32.add $x f64.store 0
      $i 1 i32.add =i
      br 0
    end end
    0
""")  # fmt: skip
"""Puts the items of a list into memory; returns 0 if they are so many floats and short ints."""
ROWS = assembled("rows", "lists:i list:i float:i int:i n:i width:i into:i", "i", "i:i row:i", f"""
    $lists i32.load {_SIZE} $n i32.ne if 1 return end
    block loop
      $i $n i32.ge_s br_if 1
      $lists i32.load {_ITEMS} $i {WORD} i32.mul i32.add i32.load 0 =row
      $row i32.eqz if 1 return end
      $row i32.load {_TYPE} $list i32.ne if 1 return end
      $row $float $int $width $into $i $width i32.mul 8 i32.mul i32.add call numbers if 1 return end
      $i 1 i32.add =i
      br 0
    end end
    0
""")  # fmt: skip
"""The same of a list of lists of so many numbers each."""


@cache
def _functions() -> tuple[Callable[..., int], Callable[..., int]]:
    made = loaded(module([NUMBERS, ROWS], {}, ["numbers", "rows"]))
    return made["numbers"], made["rows"]


def reader(n: int, width: int | None, address: int) -> Callable[[list[Any]], bool] | None:
    """What reads a list of n numbers, or of n lists of so many, into memory; None where that is not known here.

    It returns whether it could: not if there is anything else in it than floats and ints of less than 31 bits.
    """
    if not is_known():
        return None
    numbers, rows = _functions()
    if width is None:
        return partial(_read, numbers, (id(float), id(int), n, address))
    return partial(_read, rows, (id(list), id(float), id(int), n, width, address))


def _read(function: Callable[..., int], given: tuple[int, ...], batch: list[Any]) -> bool:
    return type(batch) is list and not function(id(batch), *given)
