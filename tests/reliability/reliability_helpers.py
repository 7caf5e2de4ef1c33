"""How hard the reliability tests press: a little in every run of the suite, the whole load when asked to."""

import os

import pytest

LONG = os.environ.get("SCALARGRAD_LONG") == "1"

only_long = pytest.mark.skipif(not LONG, reason="minutes long; python tests/reliability/run.py runs it")


def size(short, long):
    """The first in a usual run; the second in the run that docs/reliability.md tells of."""
    return long if LONG else short
