"""Hypothesis profiles: the same examples on every machine by default; `--hypothesis-profile=random` explores."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile(
    "default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
settings.register_profile("random", deadline=None, print_blob=True, max_examples=500)
settings.load_profile("default")
