"""Finding dense layers on a tape: sums of products that share one side, whoever wrote them.

On the tape as it was recorded a `dot` is one instruction. Written by hand it is a chain of additions, add(add(b,
multiply), multiply), whose partial sums nothing else reads. Either is a row: weights, which are the same for all
samples, times numbers that differ from sample to sample. Rows over the same numbers are the rows of one matrix.
Weights are parameters and constants mostly; they may be computed from such, too, as where a row is normalised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scalargrad.compiling.tape import ADD, CONSTANT, DOT, MULTIPLY, PARAMETER, SOURCES, Instruction, name_of
from scalargrad.ops import sum_

SUM = name_of(sum_.op)  # type: ignore[attr-defined]
ZERO = (CONSTANT, (0.0).hex())
"""What a sum may begin with in Python."""
SHORTEST = 2
"""A row has so many products at least."""
SMALLEST = 8
"""A layer has so many products at least."""
LONG_SUM = 8
"""A sum of parameters alone is worth a call of its own from so many terms on."""


class Row(NamedTuple):
    """A sum of products.

    Attributes:
        slot: of the sum.
        weights: slots of what is the same for all samples, one for each product: parameters, constants, or computed.
        xs: slots of the other factors.
        bias: the slot of a parameter or constant to begin with, or None.
        others: slots of what else is added.
    """

    slot: int
    weights: Sequence[int]
    xs: Sequence[int]
    bias: int | None
    others: Sequence[int]


class Found(NamedTuple):
    """What was found on a tape.

    Attributes:
        layers: rows by layer; those of a layer have the same xs.
        sums: for the slots of sums of terms that are the same for all samples, the factors of each term.
    """

    layers: list[list[Row]]
    sums: dict[int, tuple[list[int], list[int | None]]]


def find(code: Sequence[Instruction], kinds: Sequence[int], outputs: Iterable[int]) -> Found:
    """The layers of a program.

    Args:
        code: the tape as it was recorded.
        kinds: for each slot whether it differs from sample to sample.
        outputs: the slots that are read from outside.
    """
    is_leaf = bytearray(i[0] is PARAMETER or i[0] is CONSTANT for i in code)
    rows: list[Row] = []
    sums: dict[int, tuple[list[int], list[int | None]]] = {}
    for slot, chain in _chains(code, outputs).items():
        if kinds[slot]:
            row = _row(slot, chain, is_leaf, kinds, code)
            if row is not None:
                rows.append(row)
        elif len(chain.pairs) + len(chain.others) >= LONG_SUM:
            singles = chain.others if chain.start is None else [chain.start, *chain.others]
            xs, ys = [x for x, _ in chain.pairs], [y for _, y in chain.pairs]
            sums[slot] = xs + singles, [*ys, *[None] * len(singles)]
    groups: dict[tuple[int, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(sorted(row.xs)), []).append(row)
    layers = [_in_one_order(rows) for xs, rows in groups.items() if len(rows) * len(xs) >= SMALLEST]
    return Found(layers, sums)


class _Chain:
    """A sum: start + the products of pairs + others."""

    __slots__ = ("others", "pairs", "start")

    def __init__(self, pairs: list[tuple[int, int]], start: int | None) -> None:
        self.pairs, self.start, self.others = pairs, start, list[int]()


def _chains(code: Sequence[Instruction], outputs: Iterable[int]) -> dict[int, _Chain]:
    """For the slots of sums their terms, but of those that are terms of a longer one."""
    uses: Counter[int] = Counter()
    for instruction in code:
        if instruction[0] not in SOURCES:
            uses.update(instruction[1:])
    uses.update(outputs)
    found: dict[int, _Chain] = {}
    for slot, instruction in enumerate(code):
        op = instruction[0]
        if op is DOT:
            n = (len(instruction) - 1) // 2
            pairs = list(zip(instruction[1 : 1 + n], instruction[1 + n : 1 + 2 * n], strict=True))
            found[slot] = _Chain(pairs, instruction[-1] if len(instruction) % 2 == 0 else None)
        elif op is ADD or op is SUM:
            terms = instruction[1:]
            # Of the terms one may be a sum itself, the longest: it is gone on with, whichever stands first.
            inner = [x for x in terms if uses[x] == 1 and x in found and code[x][0] is not DOT]
            longest = max(inner, key=lambda x: len(found[x].pairs), default=None)
            chain = found.pop(longest) if longest is not None and found[longest].pairs else _Chain([], None)
            is_new = not chain.pairs
            for x in terms:
                if x == longest and not is_new:
                    continue
                if uses[x] == 1 and code[x][0] is MULTIPLY:
                    chain.pairs.append(code[x][1:])
                elif is_new and chain.start is None and len(chain.pairs) < 2:  # the first two terms may change places
                    chain.start = x
                else:
                    chain.others.append(x)
            found[slot] = chain
    return found


def _row(
    slot: int, chain: _Chain, is_leaf: Sequence[int], kinds: Sequence[int], code: Sequence[Instruction]
) -> Row | None:
    if len(chain.pairs) < SHORTEST:
        return None
    weights, xs = [], []
    for x, y in chain.pairs:
        if is_leaf[x] and not (is_leaf[y] and code[x][0] is CONSTANT):
            weights.append(x)
            xs.append(y)
        elif is_leaf[y] or not kinds[y]:
            weights.append(y)
            xs.append(x)
        elif not kinds[x]:
            weights.append(x)
            xs.append(y)
        else:
            return None
    if not any(map(kinds.__getitem__, xs)):
        return None
    bias, others = chain.start, chain.others
    if bias is not None and not is_leaf[bias]:
        others, bias = [bias, *others], None
    elif bias is not None and code[bias] == ZERO:
        bias = None
    return Row(slot, weights, xs, bias, [x for x in others if code[x] != ZERO])


def _in_one_order(rows: list[Row]) -> list[Row]:
    """The rows with their products in the same order."""
    first = list(rows[0].xs)
    if all(list(row.xs) == first for row in rows):
        return rows
    sorted_rows = []
    for row in rows:
        order = sorted(range(len(row.xs)), key=row.xs.__getitem__)
        sorted_rows.append(
            row._replace(weights=[row.weights[i] for i in order], xs=[row.xs[i] for i in order])
        )  # fmt: skip
    return sorted_rows
