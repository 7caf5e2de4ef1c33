"""The order for backends that compute many numbers at once: level by level, in groups of instructions of one kind."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalargrad.compiling.tape import Instruction


def groups_by_level(code: Sequence[Instruction], kinds: Sequence[Hashable]) -> list[list[int]]:
    """Groups of slots in an order of computation; all in a group are of one kind, and none needs another of it.

    Args:
        code: the tape.
        kinds: what each slot is; None if it is known without being computed, or not asked for.
    """
    level = [0] * len(code)
    groups: dict[tuple[int, Any], list[int]] = {}
    for slot, kind in enumerate(kinds):
        if kind is None:
            continue
        instruction = code[slot]
        if len(instruction) == 3:  # the usual course, spelled out: programs have tens of thousands of these
            a, b = level[instruction[1]], level[instruction[2]]
            here = (a if a > b else b) + 1
        else:
            here = 1 + max(map(level.__getitem__, instruction[1:]))
        level[slot] = here
        group = groups.get((here, kind))
        if group is None:
            groups[here, kind] = [slot]
        else:
            group.append(slot)
    return [slots for _, slots in sorted(groups.items(), key=lambda item: item[0][0])]
