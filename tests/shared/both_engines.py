"""The engine with its plain case in C and the same without, side by side in one process."""

from contextlib import contextmanager

import pytest

from scalargrad import Value
from scalargrad.in_c import engine_in_c
from scalargrad.table import TABLE

needs_c = pytest.mark.skipif(not engine_in_c, reason="the engine's plain case is not compiled here")


def in_python(function):
    """The Python function that stands beside one in C."""
    return getattr(function, "__wrapped__", function)


@contextmanager
def pure():
    """While in here, Value's operators, methods and backward() are those in Python."""
    methods = {name: found for name, found in vars(Value).items() if type(found).__name__ == "Function"}
    binds = {op: op.bind for op in TABLE.values() if op.bind is not None}
    for name, found in methods.items():
        setattr(Value, name, in_python(found))
    for op in binds:
        op.bind = in_python(op.bind)
    try:
        yield
    finally:
        for name, found in methods.items():
            setattr(Value, name, found)
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
