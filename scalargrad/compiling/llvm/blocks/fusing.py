"""Which ops are computed together, so that what only one of them reads is not written to memory and read again.

A shape says how: an op with, for each operand, the shape of what is computed on the way to it, or None where a number
is read. `("multiply", None, ("greater", None, None))` is a * (b > c). Each shape has one kernel (lane_kernels.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.compiling.tape import SOURCES

if TYPE_CHECKING:
    from scalargrad.compiling.tape import Instruction

Shape = tuple[Any, ...]
WORTH = 4
"""So many slots of a shape are worth its kernel: with fewer, reading and writing are a matter of nanoseconds."""
OPS, READ = 4, 6
"""A shape has at most so many ops, and reads at most so many numbers: its record has no room for more."""


class Group(NamedTuple):
    """Slots that are computed in one step.

    Attributes:
        slots: they; of a product its number alone, ~number.
        shape: how each is computed; empty for a product.
    """

    slots: list[int]
    shape: Shape


def grouped(
    level: Mapping[int, int], code: Sequence[Instruction], kinds: Sequence[int], kept: Collection[int]
) -> list[Group]:
    """The groups, in an order in which they can be computed.

    Args:
        level: of slots and of products, which are negative: what an item needs lies on lower levels.
        code: the tape.
        kinds: for each slot whether it differs from sample to sample.
        kept: slots that are wanted themselves.
    """
    computed = {item for item in level if item >= 0 and kinds[item] and code[item][0] not in SOURCES}
    uses = Counter(x for item in computed for x in code[item][1:])
    passing = {item for item in computed if uses[item] == 1 and item not in kept}
    by_level: dict[int, list[int]] = {}
    for item, at in level.items():
        if item < 0 or item in computed:
            by_level.setdefault(at, []).append(item)
    wanted, groups = computed - passing, []
    for at in sorted(by_level, reverse=True):
        found: dict[Shape, list[int]] = {}
        for item in by_level[at]:
            if item < 0:
                groups.append(Group([item], ()))
            elif item in wanted:
                found.setdefault(_shape(item, code, passing), []).append(item)
        plain: dict[Shape, list[int]] = {}
        for shape, slots in found.items():
            known = len(slots) >= WORTH
            plain.setdefault(shape if known else shape[:1] + (None,) * (len(shape) - 1), []).extend(slots)
        for shape, slots in sorted(plain.items(), key=repr, reverse=True):
            groups.append(Group(slots, shape))
            wanted.update(x for slot in slots for x in read(slot, shape, code) if x in passing)
    return groups[::-1]


def _shape(slot: int, code: Sequence[Instruction], passing: Collection[int]) -> Shape:
    """The largest shape that this slot may have, from its last operand on."""
    op, *xs = code[slot]
    ops, reads = 1, len(xs)

    def of(x: int) -> Shape | None:
        nonlocal ops, reads
        more = len(code[x]) - 2
        if x not in passing or ops == OPS or reads + more > READ:
            return None
        ops, reads = ops + 1, reads + more
        name, *ys = code[x]
        return name, *[of(y) for y in reversed(ys)][::-1]  # as deep as there are ops, at most

    return op, *[of(x) for x in reversed(xs)][::-1]


def read(slot: int, shape: Shape, code: Sequence[Instruction]) -> list[int]:
    """The slots that are read to compute one of a shape, in order."""
    found: list[int] = []
    for x, part in zip(code[slot][1:], shape[1:], strict=True):
        found += [x] if part is None else read(x, part, code)
    return found


def ops_of(shape: Shape) -> list[str]:
    """The ops of a shape, the last one first."""
    return [shape[0], *(op for part in shape[1:] if part is not None for op in ops_of(part))]


def reads_of(shape: Shape) -> int:
    """How many numbers a shape reads."""
    return sum(1 if part is None else reads_of(part) for part in shape[1:])


def lines_of(
    shape: Shape, name: str, numbers: Sequence[str], lines: Callable[[str, str, Sequence[str]], list[str]]
) -> list[str]:
    """What computes a shape in LLVM's language.

    Args:
        shape: it.
        name: of the register for the result, and how those on the way begin.
        numbers: the registers that are read, in order.
        lines: (op, result, operands): what computes an op.
    """
    left = iter(numbers)

    def of(part: Shape, result: str) -> list[str]:
        made, xs = [], []
        for i, inner in enumerate(part[1:]):
            if inner is None:
                xs.append(next(left))
            else:
                xs.append(f"{result}.{i}")
                made += of(inner, xs[-1])
        return [*made, *lines(part[0], result, xs)]

    return of(shape, name)
