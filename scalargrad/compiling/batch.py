"""What backends agree on about batches: a program is run once per sample, and some of its results are added up."""

from __future__ import annotations

from collections.abc import Sequence

from scalargrad.compiling.tape import INPUT, Instruction, depending

Sum = tuple[int | None, int | None]
"""A sum over the batch: a slot that differs from sample to sample, and one that does not: it counts once in a mean."""
Varying = Sequence[int]


def varying_slots(code: Sequence[Instruction]) -> Varying:
    """For each slot whether it depends on an input, and so may differ from sample to sample."""
    return depending(code, (slot for slot, instruction in enumerate(code) if instruction[0] is INPUT))
