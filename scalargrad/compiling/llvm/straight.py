"""Straight-line code: every instruction of a program written out, cut into functions that LLVM compiles quickly.

What one function computes and a later one needs goes through memory. (One function of 11 000 instructions takes LLVM 8
seconds, pieces of 500 take 0.15; the pieces run as fast.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from scalargrad.compiling.tape import SOURCES, Instruction

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.primitives import Lanes

PIECE = 250


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
    groups = [slots[i : i + PIECE] for i in range(0, len(slots), PIECE)]
    group_of = {slot: g for g, group in enumerate(groups) for slot in group}
    crossing: dict[int, int] = {}
    for slot in slots:
        for x in operands(code[slot]):
            if x in group_of and group_of[x] != group_of[slot]:
                crossing.setdefault(x, len(crossing))
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


def operands(instruction: Instruction) -> Sequence[int]:
    """The slots that an instruction reads."""
    return () if instruction[0] in SOURCES else instruction[1:]


def needed_from(code: Sequence[Instruction], slots: Iterable[int], stop: Collection[int] = ()) -> set[int]:
    """The slots and all that they are computed from, not going beyond those in `stop`."""
    found: set[int] = set()
    pending = list(slots)
    while pending:
        slot = pending.pop()
        if slot not in found:
            found.add(slot)
            if slot not in stop:
                pending += operands(code[slot])
    return found
