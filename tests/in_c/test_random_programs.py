"""A program cannot tell which engine runs it: random programs have the same history in a process without the C code.

Their steps make nodes by every row, operator and class of Value, of every kind of number; write to data, grad, label;
hook; enter and leave modes; run rules that raise; sweep, copy, forget; in threads and contexts. After each step all that
can be seen is compared, bit for bit: values, gradients, errors, warnings, order, which nodes are freed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from both_engines import needs_c
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import NUMBERS, ROWS, history
from sizes import size

import scalargrad as sg
from scalargrad.table import TABLE

pytestmark = needs_c

nodes = st.integers(0, 30)
small = st.integers(0, 11)
finite = st.sampled_from([0.5, -1.0, 2.0, 3.0, 0.0, -0.0]) | st.floats(-4.0, 4.0)
special = st.integers(0, len(NUMBERS) - 1).map(lambda place: [place])
numbers = finite | finite | st.floats() | special
operands = st.integers(0, 9).flatmap(
    lambda i: nodes if i < 6 else finite if i < 8 else st.floats() if i < 9 else special
)
labels = st.sampled_from(["", "x", "named"])
flags = st.booleans()
which_error = st.integers(0, 12).map(lambda i: max(0, i - 3))


def step(kind, *arguments):
    return st.tuples(st.just(kind), *arguments).map(list)


def step_of_list(kind, *arguments):
    """Whose last arguments are a list."""
    return st.tuples(st.just(kind), *arguments).map(lambda given: [*given[:-1], *given[-1]])


def call(row):
    n = TABLE[ROWS[row]].arity
    least, most = (n, n) if n else (1, 4)
    others = st.lists(operands, min_size=least - 1, max_size=most - 1)
    return step_of_list("function", st.just(row), st.lists(operands, min_size=least, max_size=most)) | step_of_list(
        "method", st.just(row), nodes, others
    )


MAKERS = [
    (8, st.sampled_from(range(len(ROWS))).flatmap(call)),
    (1, step_of_list("function", st.sampled_from(range(len(ROWS))), st.lists(operands, max_size=3))),
    (8, step("operator", st.integers(0, 6), operands, operands)),
    (2, step("operator", st.integers(0, 15), operands, operands)),
    (1, step("unary", small, nodes)),
    (4, step("many", st.integers(0, 8), st.lists(operands, min_size=1, max_size=5))),
    (2, step("layer", small, small, st.lists(nodes | finite, min_size=1, max_size=3))),
    (2, step("leaf", small, numbers, labels, flags | st.just(True))),
    (1, step("by_hand", which_error, nodes)),
    (1, step("given", nodes, nodes, finite | special)),
    (1, step("user_row", which_error, operands)),
]
DOERS = [
    (8, step("backward", nodes, st.just(1.0), st.integers(1, 2), st.just(False))),
    (2, step("backward", nodes, numbers, st.integers(1, 2), st.just(False))),
    (2, step("data", nodes, numbers)),
    (2, step("grad", nodes, numbers)),
    (1, step("label", nodes, labels)),
    (1, step("order", nodes)),
    (1, step("zero", nodes)),
    (1, step("forget", nodes)),
]
RARE = [
    (1, step("closure", nodes, nodes)),
    (1, step("rest", nodes)),
    (1, step("no_grad_there", nodes)),
    (1, step("requires_grad", nodes, flags)),
    (1, step("hook", nodes, small)),
    (1, step("unhook")),
    (1, step("attribute", nodes, nodes)),
    (1, step("backward", nodes, numbers, st.integers(1, 2), st.just(True))),
    (1, step("gradient", nodes, nodes, flags)),
    (1, step("functional", small, st.sampled_from(range(len(ROWS))), nodes | finite)),
    (1, step("words", nodes)),
    (1, step("enter", st.integers(0, 2))),
    (2, step("leave")),
    (1, step("copy", small, nodes)),
]


def one_of(*weighted):
    """`st.one_of` takes what is listed twice once."""
    return st.sampled_from([kind for weight, kind in weighted for _ in range(weight)]).flatmap(lambda kind: kind)


elsewhere = one_of(*MAKERS, *DOERS)
RARE += [(1, step_of_list("in_thread", elsewhere)), (1, step_of_list("in_context", elsewhere))]
plain_programs = st.lists(one_of(*MAKERS, *DOERS), min_size=15, max_size=40)
programs = plain_programs | st.lists(one_of(*MAKERS, *DOERS, *RARE), min_size=15, max_size=40)


@pytest.fixture(scope="module")
def history_in_python():
    """The history of a program in a process with SCALARGRAD_PURE."""
    here = Path(__file__).parents[1] / "shared"
    paths = os.pathsep.join([str(here), str(Path(sg.__file__).parents[1])])
    with subprocess.Popen(
        [sys.executable, str(here / "random_programs.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": paths, "SCALARGRAD_PURE": "1"},
    ) as child:  # fmt: skip

        def ask(program):
            print(json.dumps(program), file=child.stdin, flush=True)
            return json.loads(child.stdout.readline())

        yield ask
        child.stdin.close()


@settings(max_examples=size(300, 20_000))
@given(programs)
def test_a_program_has_the_same_history_in_c_and_in_python(history_in_python, program):
    program = json.loads(json.dumps(program))  # as it comes there: nan without a sign
    for found, expected in zip(history(program), history_in_python(program), strict=True):
        assert found == expected
