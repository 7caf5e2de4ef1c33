"""The time to the first result in a process of its own, where no code is in memory: with an empty cache, and with a full.

    cd tests/benchmarks; python -m workloads.first digits    prints it for one workload, as JSON

What is imported is no part of it, nor is the data.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parents[1]
ROUNDS = 3
"""Processes of each kind; the quickest counts."""


class First(NamedTuple):
    """Seconds to the first result, nothing in the cache or machine code in it; bytes that the process grew by."""

    cold: float
    cached: float
    memory: float


def first_of(name: str) -> First | None:
    """What processes of their own find for a workload; None if they cannot run."""
    cold, cached = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            for found in (cold, cached):
                done = subprocess.run(
                    [sys.executable, "-m", "workloads.first", name],
                    cwd=HERE, env={**os.environ, "SCALARGRAD_CACHE": folder}, capture_output=True, text=True, check=False,
                )  # fmt: skip
                if done.returncode:
                    return None
                found.append(json.loads(done.stdout))
    seconds = [min(one["seconds"] for one in found) for found in (cold, cached)]
    return First(*seconds, max(one["memory"] for one in cold))


def _digits() -> Callable[[], Any]:
    from . import classifier, digits

    digits.data()
    return lambda: classifier.ours(digits.FULL).run(1)


def _wide() -> Callable[[], Any]:
    from . import classifier, wide

    wide.data()
    return lambda: classifier.ours(wide.TASK).run(1)


def _moons() -> Callable[[], Any]:
    from . import moons_data, moons_graphs

    at = moons_data.task()
    return lambda: moons_graphs.scalargrad_compiled(at).run(1)


def _deep() -> Callable[[], Any]:
    from . import deep

    deep.data()
    return lambda: deep.ours(1).run(1)


def _gpt() -> Callable[[], Any]:
    """The longest time that a step on a document of a new length takes."""
    from . import gpt_data, gpt_scalars

    gpt_data.documents()
    made = gpt_scalars.compiled()

    def run() -> float:
        longest = 0.0
        for number, document in enumerate(made.documents):
            start = time.perf_counter()
            made.step(document, number)
            longest = max(longest, time.perf_counter() - start)
        return longest

    return run


WAYS = {"digits": _digits, "784-128-10": _wide, "W1": _moons, "deep": _deep, "GPT": _gpt}


def main() -> None:
    """Measure one."""
    import llvmlite.binding  # noqa: F401  (what is imported is no part of it)

    import scalargrad

    scalargrad.compile(lambda x: x * x, backend="python")(1.0)
    name = sys.argv[1]
    work = WAYS[name]()
    start = time.perf_counter()
    found = work()
    seconds = found if name == "GPT" else time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "memory": _peak()}))


def _peak() -> int:
    """The most memory that this process has had, in bytes. What `getrusage` says on Linux counts its parent's, too."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
