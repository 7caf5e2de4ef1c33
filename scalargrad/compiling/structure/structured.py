"""A program over a batch by its dense layers, where it has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scalargrad.compiling.backends import backend, loaded
from scalargrad.compiling.gradient import total
from scalargrad.compiling.lowering import simplified
from scalargrad.compiling.pipeline import GRADIENT, is_long
from scalargrad.compiling.structure.finding import find
from scalargrad.compiling.structure.splitting import Layered, Split
from scalargrad.compiling.structure.wording import in_words
from scalargrad.compiling.tape import PARAMETER, SOURCES, Instruction, op_of, size_of, varying_slots

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Backend, BatchRunner, Sum
    from scalargrad.compiling.gradient import Terms
    from scalargrad.compiling.structure.finding import Found
    from scalargrad.compiling.tape import Tape

WORTH = 200
"""So many products layers must have together: where they have fewer, straight-line code is as fast."""
REST = 0.5, 2.0
"""How many other instructions there may be for each product: in a program short enough that LLVM takes trouble over its
straight-line code, and in a longer one."""
OFTEN = 1.5
"""Where a sample of a long program has so many products for each parameter, its layers are many and small: the machine
runs it, one sample at a time in a fifth of the time that blocks of samples take."""
BLOCK = 32
"""With so many samples in the first batch blocks take less time than the machine there, too."""
FLAT = 2000, 0.15
"""Straight-line code of so many products and other instructions is as fast over layers that are flat: those that have
fewer products left, for each, when three for every row and one for every column are taken off."""
SHORT = 400
"""Products and other instructions, up to which a program is short."""
FEW = 8, 0.1
"""With fewer samples than this in the first batch lanes are idle, and there may be only so many others."""
NOTHING = None, None
SumsOf = Callable[["Tape", int, Sequence[int], Sequence["Terms"]], "list[Sum]"]


def structured(
    choice: str, code: Sequence[Instruction], root: int, violations: Sequence[int], columns: Sequence[int],
    trained: Sequence[int], widths: Sequence[int], places: Sequence[int], n: int, sums_of: SumsOf,
) -> tuple[list[Instruction], Backend, BatchRunner] | None:  # fmt: skip
    """The program by its layers, as `batch_runner` gives it; None where it has too few.

    Args:
        choice: the backend.
        code: the tape as it was recorded.
        root: the slot of a sample's loss.
        violations: slots that hold 0.0 where guards hold.
        columns: slots that are wanted for each sample.
        trained: the numbers of the parameters that get a gradient.
        widths: how many numbers a sample has in each argument.
        places: for each parameter of the tape its number among those that a run is given.
        n: how many samples the first batch has.
        sums_of: (tape, root, violations, shares): what is added up over the samples.
    """
    if choice not in ("auto", "llvm") or not loaded("llvm").available():
        return None
    if n < BLOCK and is_long(choice, code, batch=True) and _reads_often(code):
        return None
    kinds = varying_slots(code)
    outputs = [root, *violations, *columns]
    found = find(code, kinds, outputs)
    if not _is_worth_it(code, kinds, found, n):
        return None
    split = Split(code, found, outputs, sum(widths), len(places))
    tape, slots = split.tape, split.slots
    shares, late = split.differentiated(slots[root], trained)
    places = [*places, *range(len(places), len(places) + len(split.computed))]
    # Nearly all gradients are those of weights, to which layers alone contribute: they have no sum here.
    summed = [i for i, k in enumerate(trained) if shares.get(k)]
    first = sums_of(
        tape, slots[root], [slots[x] for x in violations], [shares[trained[i]] for i in summed]
    )  # fmt: skip
    long = _with_long_sums(split, len(places))
    wanted = [x for pair in first for x in pair if x is not None] + [slots[x] for x in columns]
    wanted += [x for layer in split.layers for x in (*layer.xs, *layer.adjoints)]
    wanted += [x for xs, ys in long.values() for x in (*xs, *ys)] + split.computed
    through = [(2 + i, total(tape, late[k])) for i, k in enumerate(trained) if k in late]
    wanted += [x for _, x in through]
    rest, new = simplified(tape.code, wanted)
    if any(_has_no_kernel(instruction) for instruction in rest.code):
        return None
    short: list[Instruction] = [
        (PARAMETER, places[i[1]]) if i[0] is PARAMETER and i[1] < len(places) else i for i in rest.code
    ]
    module = backend(choice, short)
    if module is not loaded("llvm"):
        return None
    left = iter(new)
    first = [(next(left) if v is not None else None, next(left) if u is not None else None) for v, u in first]
    sums: list[Sum] = [*first[:2], *[NOTHING] * len(trained)]
    for i, pair in zip(summed, first[2:], strict=True):
        sums[2 + i] = pair
    new_columns = [next(left) for _ in columns]
    for layer in split.layers:
        layer.xs = [next(left) for _ in layer.xs]
        layer.adjoints = [next(left) for _ in layer.adjoints]
        layer.weights = [
            list(map(places.__getitem__, row)) if min(row) >= 0 else [places[w] if w >= 0 else w for w in row]
            for row in layer.weights
        ]
        layer.biases = [places[b] if b is not None and b >= 0 else b for b in layer.biases]
    long = {k: ([next(left) for _ in xs], [next(left) for _ in ys]) for k, (xs, ys) in long.items()}
    parameters = len(places) - len(split.computed)
    computed = {parameters + i: next(left) for i in range(len(split.computed))}
    layered = Layered(
        short, sums, new_columns, widths, split.layers, split.constants, long, len(trained), parameters, computed,
        [(i, next(left)) for i, _ in through],
    )  # fmt: skip
    runner = loaded("llvm").BlockRunner(layered)
    runner.layers = in_words(layered)
    return short, module, runner


def _is_worth_it(code: Sequence[Instruction], kinds: Sequence[int], found: Found, n: int) -> bool:
    products = sum(len(row.xs) for rows in found.layers for row in rows)
    if products < WORTH:
        return False
    within = {row.slot for rows in found.layers for row in rows}
    everything = sum(
        max(1, len(i) - 2) for slot, i in enumerate(code) if kinds[slot] and i[0] not in SOURCES and slot not in within
    )
    others = everything - sum(
        2 * len(row.xs) for rows in found.layers for row in rows if len(code[row.slot]) == 3
    )  # fmt: skip
    if any(code[w][0] not in SOURCES for rows in found.layers for row in rows for w in row.weights):
        # Once for all samples, and so are their gradients.
        others += GRADIENT * sum(not kinds[slot] and i[0] not in SOURCES for slot, i in enumerate(code)) // n
    left = sum(len(row.xs) - 3 for rows in found.layers for row in rows) - sum(len(rows[0].xs) for rows in found.layers)
    if products + others <= FLAT[0] and left < FLAT[1] * products:
        return False
    most = FEW[1] if n < FEW[0] else REST[0] if products + others <= SHORT else REST[1]
    return others <= products * most


def _reads_often(code: Sequence[Instruction]) -> bool:
    """Whether a sample reads its parameters again and again, as a sequence does at each of its positions."""
    parameters = sum(instruction[0] is PARAMETER for instruction in code)
    return size_of(code).in_sums > 2 * OFTEN * parameters


def _has_no_kernel(instruction: Instruction) -> bool:
    op, *xs = instruction
    return op not in SOURCES and len(xs) != (op_of(op).arity or len(op_of(op).arguments))


def _with_long_sums(split: Split, first: int) -> dict[int, tuple[list[int], list[int]]]:
    """Put a parameter in the place of each long sum; for its number the factors of the sum's terms."""
    long: dict[int, tuple[list[int], list[int]]] = {}
    code = split.tape.code
    for slot, (xs, ys) in split.sums.items():
        one = split.tape.constant(1.0) if None in ys else None
        long[first + len(long)] = (xs, [one if y is None else y for y in ys])  # type: ignore[misc]
        code[slot] = (PARAMETER, first + len(long) - 1)
    return long
