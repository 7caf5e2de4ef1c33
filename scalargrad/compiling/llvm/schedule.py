"""The order in which the machine works: independent instructions of one op side by side, as runs.

A run costs one dispatch however long it is, and its instructions do not wait for each other.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

from scalargrad.compiling.tape import CONSTANT, INPUT, PARAMETER, SOURCES, Instruction


class Run(NamedTuple):
    """Instructions of one op, none of which needs another; their results lie side by side.

    Attributes:
        op: the operation.
        first: the place of the first result; the others follow.
        size: how many there are.
    """

    op: str
    first: int
    size: int


class Schedule:
    """A tape laid out for the machine.

    Attributes:
        place: for each slot of the tape where its number lies: inputs, parameters, constants, then results.
        inputs, parameters: how many there are of each.
        constants: their numbers.
        runs: in order.
        operands: the places that each instruction reads, in the order of results.
        size: how many numbers there are in all.
    """

    def __init__(self, code: Sequence[Instruction]) -> None:
        sources: dict[str, dict[int, Any]] = {INPUT: {}, PARAMETER: {}, CONSTANT: {}}
        groups: dict[tuple[int, str], list[int]] = {}
        level = [0] * len(code)
        for slot, instruction in enumerate(code):
            op = instruction[0]
            if op in SOURCES:
                sources[op][slot] = instruction[1]
                continue
            if len(instruction) == 3:
                a, b = level[instruction[1]], level[instruction[2]]
                here = (a if a > b else b) + 1
            else:
                here = 1 + max([level[x] for x in instruction[1:]])
            level[slot] = here
            group = groups.get((here, op))
            if group is None:
                groups[here, op] = [slot]
            else:
                group.append(slot)
        self.inputs = 1 + max(sources[INPUT].values(), default=-1)
        self.parameters = 1 + max(sources[PARAMETER].values(), default=-1)
        place = self.place = [0] * len(code)
        for slot, i in sources[INPUT].items():
            place[slot] = i
        for slot, i in sources[PARAMETER].items():
            place[slot] = self.inputs + i
        self.constants: list[float] = []
        for slot, text in sources[CONSTANT].items():
            place[slot] = self.inputs + self.parameters + len(self.constants)
            self.constants.append(float.fromhex(text))
        self.runs: list[Run] = []
        operands: list[int] = []
        read = operands.append
        at = self.inputs + self.parameters + len(self.constants)
        for (_, op), slots in sorted(groups.items(), key=lambda item: item[0][0]):
            self.runs.append(Run(op, at, len(slots)))
            for at, slot in enumerate(slots, at):  # noqa: B020  (goes on where the last run ended)
                place[slot] = at
                for x in code[slot][1:]:
                    read(place[x])
            at += 1
        self.operands = array("i", operands)
        self.size = at
