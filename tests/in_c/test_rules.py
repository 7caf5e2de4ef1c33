"""C's rules are the table's: what rules.h computes has the bits of the Python rule of its row."""

import math
import random
import struct
import subprocess
import sys

import pytest
import rules_in_c
from both_engines import in_python, needs_c, outcome, pure

from scalargrad import Value
from scalargrad.ops import BUILT_IN

SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 0.5, -0.5, 1e-300, -1e-300, 5e-324, 1e300, -1e300, 709.8, -745.2, 40.0]
SPECIAL += [-40.0, math.inf, -math.inf, math.nan, math.pi, 2.0**53, -(2.0**53) - 2]


def numbers(count, seed):
    """Numbers of every kind: ordinary ones, of every size, special ones, and any 64 bits."""
    rng = random.Random(seed)
    kinds = [
        lambda: rng.uniform(-4, 4),
        lambda: rng.choice(SPECIAL),
        lambda: math.copysign(10 ** rng.uniform(-20, 20), rng.random() - 0.5),
        lambda: struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))[0],
        lambda: float(rng.randint(-5, 5)),
    ]
    return [rng.choice(kinds)() for _ in range(count)]


def test_the_header_is_what_the_table_writes():
    assert rules_in_c.HEADER.read_text(encoding="utf-8") == rules_in_c.written()


@needs_c
@pytest.mark.parametrize("op", [op for op in BUILT_IN if op.arity], ids=lambda op: op.name)
def test_values_and_derivatives_have_the_bits_of_the_rows(op, figure):
    def at(xs):
        def work():
            leaves = [Value(x) for x in xs]
            z = getattr(leaves[0], op.name)(*leaves[1:])
            z.backward()
            return z.data, [leaf.grad for leaf in leaves]

        return work

    points = list(zip(*[numbers(10_000, seed) for seed in range(op.arity)], strict=True))
    found = [outcome(at(xs)) for xs in points]
    with pure():
        expected = [outcome(at(xs)) for xs in points]
    for xs, one, other in zip(points, found, expected, strict=True):
        assert one == other, xs
    figure(
        "a row of the table at 10000 points of every kind",
        "value, derivatives, errors and warnings bit for bit Python's",
    )


@needs_c
@pytest.mark.parametrize("op", [op for op in BUILT_IN if op.arity], ids=lambda op: op.name)
def test_on_numbers_a_function_gives_what_it_gives_in_python(op):
    for xs in zip(*[numbers(2000, seed) for seed in range(op.arity)], strict=True):
        assert outcome(lambda: op.function(*xs)) == outcome(lambda: in_python(op.function)(*xs)), xs


CHANGED = """
from scalargrad import Value
from scalargrad.table import TABLE
op = TABLE[{name!r}]
right = op.backward
op.backward = lambda node, upstream, adjoints: right(node, 2 * upstream, adjoints)
x = Value(0.5)
y = {call}
y.backward()
print(x.grad)
"""
"""In a process of its own: from then on the row is Python's."""


@needs_c
@pytest.mark.parametrize(
    ("name", "call", "twice"),
    [
        ("dot", "op.function([x], [3.0])", 6.0),
        ("sum", "op.function(x, 3.0)", 2.0),
        ("multiply", "x * 3.0", 6.0),
        ("tanh", "x.tanh()", 2.0 * (1.0 - math.tanh(0.5) ** 2)),
    ],
)
def test_a_row_whose_rule_is_changed_is_followed(name, call, twice):
    child = [sys.executable, "-c", CHANGED.format(name=name, call=call)]
    assert float(subprocess.run(child, check=True, capture_output=True, text=True).stdout) == twice
