"""A GPT's training step: documents of different lengths in turn, with Adam."""

from __future__ import annotations

from functools import partial

from . import gpt_arrays, gpt_scalars
from .first import first_of
from .gpt_data import DOCUMENTS, HEADS, WIDTH, documents
from .harness import OURS, Bar, Engine, Section, agree, digits, take_turns

TOLERANCE = 1e-9
STEP, MEMORY = 30e-6, 150e6
TEXT = (
    "A GPT of one layer, {width} wide, with {heads} heads, 4 192 parameters: a training step on a name is loss, gradient and "
    "Adam, at {least} to {most} positions. Measured are steps on {count} names in turn. scalargrad keeps a program for each length; "
    "JAX has one for each, too, or one in which all are padded to 16 positions. [A page of its own](gpt.md) tells of it."
)


def engines() -> list[Engine]:
    """Those of gpt.py but for the slowest."""
    return [
        Engine(OURS, gpt_scalars.compiled),
        Engine("C by hand", gpt_arrays.c_by_hand, ["numpy"]),
        Engine("numpy by hand, 1 thread", gpt_arrays.numpy_by_hand, ["numpy"]),
        Engine("JAX jit, padded to 16 positions", partial(gpt_arrays.jax_jit, True), ["jax"]),
        Engine("JAX jit, a program for each length", partial(gpt_arrays.jax_jit, False), ["jax"]),
        Engine("PyTorch eager, fused Adam, 1 thread", gpt_arrays.torch_eager, ["torch"]),
    ]


def section(rounds: int) -> Section:
    """The GPT's step."""
    lengths = [len(tokens) - 1 for tokens in documents()]
    text = TEXT.format(width=WIDTH, heads=HEADS, least=min(lengths), most=max(lengths), count=DOCUMENTS)
    made = Section("GPT: a training step with Adam", text, "µs")
    take_turns(made, agree(made, engines(), 3, TOLERANCE), rounds, 0.05)
    for row in made.rows.values():  # one document is one step
        row.median, row.least = row.median / DOCUMENTS, row.least / DOCUMENTS
    made.within("a step", made.rows[OURS].median if OURS in made.rows else None, STEP)
    made.faster("numpy by hand, 1 thread", 1)
    first = first_of("GPT")
    made.below("a step on a name of a new length, nothing in the cache,", first and first.cold, 0.2)
    grown = first.memory if first else None
    made.bars.append(
        Bar(
            f"all lengths in less than {MEMORY / 1e6:.0f} MB",
            "not measured" if grown is None else f"{digits(grown / 1e6)} MB",
            None if grown is None else grown < MEMORY,
        )
    )
    return made
