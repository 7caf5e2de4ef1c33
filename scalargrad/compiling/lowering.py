"""From the ops of the table to the few that backends know: sums of many terms become additions, sigmoid its formula.

Each formula computes what the row's `value` computes, in the same order of roundings: bit for bit the same on finite
numbers (tested for every row). Where `value` raises, it gives what IEEE arithmetic says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from typing import Any

from scalargrad.compiling.tape import CONSTANT, SOURCES, Instruction, Tape, live, name_of, row
from scalargrad.compiling.templates import Template, templates
from scalargrad.ops import (
    BUILT_IN,
    absolute,
    erfc,
    exp,
    expm1,
    greater,
    log,
    log1p,
    maximum,
    minimum,
    power,
    sqrt,
    where,
)
from scalargrad.table import floats

inf = math.inf


def _cbrt(x: Any) -> Any:
    size = absolute(x)
    root = power(size, 1 / 3)
    root = root - (root - size / where(size, root * root, 1.0)) / 3  # 0 / 0 would raise in Python
    root = where(greater(inf, size), root, size)
    return where(greater(0.0, x), -root, where(size, root, x))


def _softplus(x: Any) -> Any:
    return maximum(x, 0.0) + log1p(exp(-absolute(x)))


def _sigmoid(x: Any) -> Any:
    e = exp(-absolute(x))
    return where(greater(0.0, x), e / (1 + e), 1 / (1 + e))


def _logsumexp(*xs: Any) -> Any:
    top = reduce(maximum, xs)
    total = floats.total([exp(x - top) for x in xs])
    return where(greater(inf, absolute(top)), top + log(total), top)


LOWERED: dict[str, Callable[..., Any]] = {
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "cbrt": _cbrt,
    "exp2": lambda x: power(2.0, x),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "logsigmoid": lambda x: -_softplus(-x),
    "leaky_relu": lambda x, a: where(greater(x, 0.0), x, a * x),
    "elu": lambda x, a: where(greater(x, 0.0), x, a * expm1(x)),
    "silu": lambda x: where(greater(x, -inf), x * _sigmoid(x), -0.0),
    "gelu": lambda x: where(greater(x, -inf), 0.5 * x * erfc(-x / math.sqrt(2.0)), -0.0),
    # Crossed bounds raise, as in the row: the root of -1 does, or is NaN, and that of 1 is no instruction.
    "clip": lambda x, low, high: sqrt(where(greater(low, high), -1.0, 1.0)) * minimum(maximum(x, low), high),
    "sum": lambda *xs: floats.total(xs),
    "mean": lambda *xs: floats.total(xs) / len(xs),
    "prod": lambda *xs: floats.prod(xs),
    "max": lambda *xs: reduce(maximum, xs),
    "min": lambda *xs: reduce(minimum, xs),
    "logsumexp": _logsumexp,
}

PRIMITIVE = frozenset(name_of(op) for op in BUILT_IN if op.name not in LOWERED and op.pair is None)
"""The ops that every backend knows."""


@lru_cache(maxsize=512)
def _formula(op: str, n: int) -> Template | None:
    """How to compute op, which is no primitive, over n operands by primitives; None if it is a user's own."""
    known = row(op)
    if known.pair is not None:
        return templates(lambda *xs: known.value(xs), n)[0]
    if known.is_held:
        return templates(lambda *xs: known.value(xs), n)[0]
    formula = None if known.is_users else LOWERED.get(known.name)
    return None if formula is None else templates(formula, n)[0]


def simplified(code: Sequence[Instruction], outputs: Sequence[int], *, lower: bool = True) -> tuple[Tape, list[int]]:
    """The same outputs by fewer instructions, and if asked by primitives only.

    Returns:
        A new tape, and the slots of the outputs on it.
    """
    tape = Tape()
    needed = live(code, outputs)
    emit, written, constants, known = tape.emit, tape.code, tape.constants, tape.known
    new: list[int] = [-1] * len(code)
    for slot, instruction in enumerate(code):
        if not needed[slot]:
            continue
        op = instruction[0]
        if op in PRIMITIVE:
            if len(instruction) == 3:
                # emit's usual course, spelled out: nine in ten instructions come here, half the time of all this.
                x, y = new[instruction[1]], new[instruction[2]]
                pair = (op, x, y)
                if pair in known:
                    new[slot] = known[pair]
                elif x in constants or y in constants:
                    new[slot] = emit(op, x, y)
                else:
                    new[slot] = known[pair] = len(written)
                    written.append(pair)
            else:
                new[slot] = emit(op, *[new[x] for x in instruction[1:]])
        elif op is CONSTANT:
            new[slot] = tape.constant(float.fromhex(instruction[1]))
        elif op in SOURCES:
            new[slot] = tape.source(*instruction)
        else:
            xs = [new[x] for x in instruction[1:]]
            formula = _formula(op, len(xs)) if lower else None
            new[slot] = formula.write(tape, xs) if formula is not None else emit(op, *xs)
    return tape, [new[slot] for slot in outputs]
