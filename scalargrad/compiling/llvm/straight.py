"""Straight-line code: every instruction of a program written out, cut into functions that LLVM compiles quickly.

What one function computes and a later one needs goes through memory. (One function of 11 000 instructions takes LLVM 8
seconds, pieces of 500 take 0.15; the pieces run as fast.)
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence

from scalargrad.compiling.llvm.library import Machinery
from scalargrad.compiling.llvm.primitives import HELPERS, Lanes
from scalargrad.compiling.tape import CONSTANT, INPUT, SOURCES, Instruction, operands

PIECE = 250


def cut(code: Sequence[Instruction], slots: Sequence[int]) -> tuple[list[Sequence[int]], dict[int, int]]:
    """The slots in groups, one for each function; and where in memory a slot lies that a later group reads."""
    groups = [slots[i : i + PIECE] for i in range(0, len(slots), PIECE)]
    group_of = {slot: g for g, group in enumerate(groups) for slot in group}
    crossing: dict[int, int] = {}
    for slot in slots:
        for x in operands(code[slot]):
            if x in group_of and group_of[x] != group_of[slot]:
                crossing.setdefault(x, len(crossing))
    return groups, crossing


def pieces(
    name: str,
    code: Sequence[Instruction],
    slots: Sequence[int],
    lanes: Lanes,
    load: Callable[[int, str], list[str]],
    write: Callable[[int, list[str]], list[str]],
    is_outside: Callable[[int], bool],
    parameters: str,
) -> tuple[list[str], int]:
    """The functions @name.0, @name.1, ... that compute these slots one after another.

    Args:
        name: of the functions.
        code: the tape.
        slots: which of it to compute, in order.
        lanes: of what width.
        load: the lines that put a slot from outside (an input, a parameter) into a register.
        write: the lines that compute a slot into its register %v... from operands in registers of these names.
        is_outside: whether a slot is loaded and not computed here.
        parameters: of the functions; among them a pointer %memory for what passes between them.

    Returns:
        The functions, and how many numbers of memory they need.
    """
    groups, crossing = cut(code, slots)
    functions = []
    t, align = lanes.type, 8 * lanes.width
    for g, group in enumerate(groups):
        lines = [f"define internal void @{name}.{g}({parameters}) {{"]
        ready: set[int] = set()
        for slot in group:
            names = []
            for x in operands(code[slot]):
                if x not in ready:
                    ready.add(x)
                    if is_outside(x):
                        lines += load(x, f"%v{x}")
                    else:
                        lines += [
                            f"%m{x} = getelementptr {t}, ptr %memory, i64 {crossing[x]}",
                            f"%v{x} = load {t}, ptr %m{x}, align {align}",
                        ]
                names.append(f"%v{x}")
            lines += write(slot, names)
            ready.add(slot)
            if slot in crossing:
                lines += [
                    f"%s{slot} = getelementptr {t}, ptr %memory, i64 {crossing[slot]}",
                    f"store {t} %v{slot}, ptr %s{slot}, align {align}",
                ]
        functions.append("\n".join([*lines, "ret void", "}"]))
    return functions, len(crossing)


class Straight:
    """Straight-line machine code.

    Attributes:
        run: (inputs, parameters, memory, out): computes the outputs.
        memory: how many doubles it needs.
    """

    def __init__(self, code: Sequence[Instruction], outputs: Sequence[int]) -> None:
        one = Lanes(1)
        places: dict[int, list[int]] = {}
        for i, slot in enumerate(outputs):
            places.setdefault(slot, []).append(i)

        def load(slot: int, name: str) -> list[str]:
            kind, i = code[slot]
            if kind is CONSTANT:
                return [f"{name} = bitcast double {one.number(float.fromhex(i))} to double"]
            array = "%inputs" if kind is INPUT else "%parameters"
            return [f"{name}.p = getelementptr double, ptr {array}, i64 {i}", f"{name} = load double, ptr {name}.p"]

        def finish(slot: int, name: str) -> list[str]:
            lines = []
            for i in places.get(slot, ()):
                lines += [
                    f"{name}.o{i} = getelementptr double, ptr %out, i64 {i}",
                    f"store double {name}, ptr {name}.o{i}",
                ]
            return lines

        given = "ptr noalias %inputs, ptr noalias %parameters, ptr noalias %memory, ptr noalias %out"
        computed = [slot for slot, instruction in enumerate(code) if instruction[0] not in SOURCES]

        def write(slot: int, names: list[str]) -> list[str]:
            return [*one.lines(code[slot][0], f"%v{slot}", names), *finish(slot, f"%v{slot}")]

        functions, self.memory = pieces(
            "piece", code, computed, one, load, write, lambda slot: not operands(code[slot]), given
        )
        loose = "\n".join(
            line
            for slot in places
            if code[slot][0] in SOURCES
            for line in (*load(slot, f"%v{slot}"), *finish(slot, f"%v{slot}"))
        )
        passed = given.replace(" noalias", "")
        calls = "\n".join(f"call void @piece.{g}({passed})" for g in range(len(functions)))
        driver = f"define void @run({given}) {{\n{loose}\n{calls}\nret void\n}}"
        declared = sorted(one.called | {"declare double @llvm.floor.f64(double)"})
        self._machinery = Machinery("\n".join([HELPERS, *declared, *functions, driver]), ["run"], 1)
        p = ctypes.c_void_p
        self.run = ctypes.CFUNCTYPE(None, p, p, p, p)(self._machinery.addresses["run"])


@functools.lru_cache(maxsize=32)
def straight(code: tuple[Instruction, ...], outputs: tuple[int, ...]) -> Straight:
    """The machine code, made once for programs of the same structure."""
    return Straight(code, outputs)
