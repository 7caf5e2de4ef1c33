"""The engine with its plain case in C and the same without, side by side in one process."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from sizes import size

import scalargrad
from scalargrad import Value
from scalargrad.in_c import engine_in_c
from scalargrad.table import TABLE

needs_c = pytest.mark.skipif(not engine_in_c, reason="the engine's plain case is not compiled here")


def in_python(function):
    """The Python function that stands beside one in C."""
    return getattr(function, "__wrapped__", function)


def in_child(code, **environment):
    """What the code prints, line by line, run in a process of its own; it knows sg and sys. A crash or a warning fails."""
    shared = Path(__file__).parent
    paths = [str(shared.parent / "in_c"), str(shared), str(Path(scalargrad.__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "faulthandler", "-c", f"import os, sys\nimport scalargrad as sg\n{code}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment}, capture_output=True, text=True,
        check=False, timeout=size(120, 3600),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def is_in_c(function):
    """Whether this is a function in C, with one in Python beside it."""
    return type(function).__name__ == "Function"


@contextmanager
def pure():
    """While in here, Value's operators, methods and backward() are those in Python."""
    methods = {name: found for name, found in vars(Value).items() if is_in_c(found)}
    # A function in Python that answers wrong calls stands before backward().
    backward = [(cell, cell.cell_contents) for cell in Value.backward.__closure__ if is_in_c(cell.cell_contents)]
    binds = {op: op.bind for op in TABLE.values() if op.bind is not None}
    for name, found in methods.items():
        setattr(Value, name, in_python(found))
    for cell, found in backward:
        cell.cell_contents = in_python(found)
    for op in binds:
        op.bind = in_python(op.bind)
    try:
        yield
    finally:
        for name, found in methods.items():
            setattr(Value, name, found)
        for cell, found in backward:
            cell.cell_contents = found
        for op, bind in binds.items():
            op.bind = bind


def outcome(work):
    """What it gives, or the error that it raises, and the warnings, all as texts that tell bits apart."""
    import warnings

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = repr(work())
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
    return found, [str(one.message) for one in told]
