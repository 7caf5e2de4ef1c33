"""Hard operands for each primitive op, and what the row says there: what every backend's instructions must give."""

import math
import random

from compiling_helpers import same_sign

from scalargrad.compiling.tape import op_of
from scalargrad.table import HARD

SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 2.0, 3.0, -3.0, 1e-8, 5e-324, -5e-324, 2.2e-308, 709.5, 710.0, -745.5, -746.0,
    1e16, 1e154, -1e154, 1e308, -1e308, math.inf, -math.inf, math.nan, math.pi, 1 - 2**-53, 1 + 2**-52,
]  # fmt: skip


def operands_of(name):
    op = op_of(name)
    n = op.arity or len(op.arguments)
    rng = random.Random(name)
    some = [
        [rng.choice([rng.uniform(-3, 3), rng.gauss(0, 1) * 10.0 ** rng.randint(-20, 20)]) for _ in range(n)]
        for _ in range(300)
    ]
    if n == 1:
        return [[x] for x in SPECIAL] + some
    if n == 2:
        return [[x, y] for x in SPECIAL for y in SPECIAL] + some
    return [[x, y, z] for x in SPECIAL for y in SPECIAL[::4] for z in SPECIAL[1::5]] + some


def ieee(name, xs):
    """What the row's `value` says; where it raises, what IEEE arithmetic says."""
    op = op_of(name)
    try:
        return op.on(xs)
    except HARD:
        return op.at_pole(xs)


def differing(name, cases, results):
    """The operands at which a result is not the row's to the last bit, with both."""
    expected = [ieee(name, xs) for xs in cases]
    return [one for one in zip(cases, results, expected, strict=True) if not same_sign(one[1], one[2])]
