"""Straight-line code: every instruction of a program written out, in functions that the browser compiles quickly.

What one function computes and a later one needs goes through memory. (A function may have 50 000 local variables, and
the time that its compilation takes grows faster than its length.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scalargrad.compiling.llvm.single import Single as InRooms
from scalargrad.compiling.llvm.straight import cut
from scalargrad.compiling.pipeline import has_nan
from scalargrad.compiling.tape import CONSTANT, INPUT, SOURCES, Instruction
from scalargrad.compiling.wasm.binary import F64_LOAD, F64_STORE, Function, get, module, number, put, unsigned
from scalargrad.compiling.wasm.helpers import HELPERS
from scalargrad.compiling.wasm.library import loaded
from scalargrad.compiling.wasm.primitives import Code, Lanes, library_functions

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.memory import Numbers


def pieces(
    name: str,
    code: Sequence[Instruction],
    slots: Sequence[int],
    lanes: Lanes,
    load: Callable[[int], Code],
    finish: Callable[[int, bytes], Code],
    is_outside: Callable[[int], bool],
    parameters: str,
    memory: int,
) -> tuple[list[Function], int]:
    """The functions name.0, name.1, ... that compute these slots one after another.

    Args:
        name: of the functions.
        code: the tape.
        slots: which of it to compute, in order.
        lanes: of what width.
        load: the instructions that put a slot from outside (an input, a parameter) on the stack.
        finish: the instructions for a slot that was computed, which is put on the stack so.
        is_outside: whether a slot is loaded and not computed here.
        parameters: their types.
        memory: the one of them that is the address of what passes between the functions.

    Returns:
        The functions, and how many numbers, or vectors of lanes, of memory they need.
    """
    groups, crossing = cut(code, slots)
    functions = []
    bytes_each, first = 8 * lanes.width, len(parameters)
    for g, group in enumerate(groups):
        body: Code = []
        ready: dict[int, bytes] = {}
        free = first
        for slot in group:
            op, *xs = code[slot]
            for x in xs:
                if x in ready:
                    continue
                if code[x][0] is CONSTANT:
                    ready[x] = lanes.number(float.fromhex(code[x][1]))
                    continue
                body += load(x) if is_outside(x) else [get(memory), lanes.load, unsigned(bytes_each * crossing[x])]
                body.append(put(free))
                ready[x] = get(free)
                free += 1
            body += lanes.code(op, [ready[x] for x in xs])
            body.append(put(free))
            ready[slot] = get(free)
            free += 1
            body += finish(slot, ready[slot])
            if slot in crossing:
                body += [get(memory), ready[slot], lanes.store, unsigned(bytes_each * crossing[slot])]
        functions.append(Function(f"{name}.{g}", f"{parameters}>", lanes.kind * (free - first), body))
    return functions, len(crossing)


INPUTS, PARAMETERS, MEMORY, OUT = range(4)
"""The parameters of the functions of a program for one point: addresses."""


class Straight:
    """A module for one point.

    Attributes:
        run: (inputs, parameters, memory, out): computes the outputs.
        memory: how many doubles it needs.
    """

    def __init__(self, code: Sequence[Instruction], outputs: Sequence[int]) -> None:
        binary, self.memory = written(code, outputs)
        self.run = loaded(binary)["run"]


def written(code: Sequence[Instruction], outputs: Sequence[int]) -> tuple[bytes, int]:
    """The module that computes the outputs by its function run, and how many doubles of memory that needs."""
    places: dict[int, list[int]] = {}
    for i, slot in enumerate(outputs):
        places.setdefault(slot, []).append(i)

    def load(slot: int) -> Code:
        kind, i = code[slot]
        if kind is CONSTANT:
            return [number(float.fromhex(i))]
        return [get(INPUTS if kind is INPUT else PARAMETERS), F64_LOAD, unsigned(8 * i)]

    def stored(i: int, value: Code) -> Code:
        return [get(OUT), *value, F64_STORE, unsigned(8 * i)]

    def finish(slot: int, value: bytes) -> Code:
        return [part for i in places.get(slot, ()) for part in stored(i, [value])]

    computed = [slot for slot, instruction in enumerate(code) if instruction[0] not in SOURCES]
    functions, memory = pieces(
        "piece", code, computed, Lanes(1), load, finish, lambda slot: code[slot][0] in SOURCES, "iiii", MEMORY
    )
    body: Code = []
    for slot, where in places.items():
        if code[slot][0] in SOURCES:
            for i in where:
                body += stored(i, load(slot))
    for one in functions:
        body += [*map(get, range(4)), one.name]
    functions.append(Function("run", "iiii>", "", body))
    return module([*HELPERS, *functions], library_functions(), ["run"]), memory


@functools.lru_cache(maxsize=32)
def straight(code: tuple[Instruction, ...], outputs: tuple[int, ...]) -> Straight:
    """The module, made once for programs of the same structure."""
    return Straight(code, outputs)


class Single(InRooms):
    """run(parameters, inputs) -> the outputs, as a list of floats; nothing raises."""

    def _compiled(self, code: Sequence[Instruction], outputs: Sequence[int]) -> Straight:
        return straight(tuple(code), tuple(outputs))

    def looking_for_nan(self, numbers: Numbers, first: int, end: int) -> Callable[[], object]:
        """What tells whether nan is among those from `first` to before `end`."""
        return lambda: has_nan(numbers.view[first:end])
