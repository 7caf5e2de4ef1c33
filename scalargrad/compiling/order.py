"""The order for backends that compute many numbers at once: level by level, in groups of instructions of one kind."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
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
    return grouped(level, kinds)


def grouped(level: Sequence[int], kinds: Sequence[Hashable]) -> list[list[int]]:
    """The groups of slots of one level and kind, the lowest first."""
    groups: dict[tuple[int, Any], list[int]] = {}
    for slot, key in enumerate(zip(level, kinds, strict=True)):
        if key[1] is not None:
            group = groups.get(key)
            if group is None:
                groups[key] = [slot]
            else:
                group.append(slot)
    return [slots for _, slots in sorted(groups.items(), key=lambda item: item[0][0])]


def levels(wanted: Iterable[int], needs: Callable[[int], Sequence[int]]) -> dict[int, int]:
    """The level of everything that is needed for some things: 0 where nothing is, else one above what it needs.

    Args:
        wanted: numbers of things.
        needs: the numbers of what one thing needs.
    """
    level: dict[int, int] = {}
    stack = list(wanted)
    while stack:
        item = stack[-1]
        needed = needs(item)
        waiting = [x for x in needed if x not in level]
        if waiting and item not in level:
            stack += waiting
        else:
            stack.pop()
            if item not in level:
                level[item] = 1 + max(map(level.__getitem__, needed), default=-1)
    return level
