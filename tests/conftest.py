"""Hypothesis profiles: the same examples on every machine by default; `--hypothesis-profile=random` explores."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

# These are run by hand and need more than the extra `test` installs.
collect_ignore = ["benchmarks", "mutants.py"]

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile(
    "default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
settings.register_profile("random", deadline=None, print_blob=True, max_examples=500)
# To learn only that a test fails, as mutants.py does, the simplest example is not needed.
settings.register_profile("mutants", parent=settings.get_profile("default"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("default")
