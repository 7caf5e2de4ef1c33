"""How hard the tests press: a little in every run of the suite, the whole load when tests/reliability/run.py asks for it."""

import os

import pytest

LONG = os.environ.get("SCALARGRAD_LONG") == "1"

only_long = pytest.mark.skipif(not LONG, reason="takes long; python tests/reliability/run.py runs it")
has_full_size = pytest.mark.reliability
"""Of a test outside tests/reliability that is smaller, or skipped, in a usual run: run.py runs it at full size."""


def size(short, long):
    """The first in a usual run; the second in the run that docs/reliability.md tells of."""
    return long if LONG else short
