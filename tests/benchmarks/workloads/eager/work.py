"""What eager work is, and how it takes turns: here, or in a process of its own whose engine is the one in Python."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..harness import Bar, Section, compare, digits

IN_C, PURE = "scalargrad, in C", "scalargrad, in Python"
SCRIPT = Path(__file__).parents[2] / "engine.py"


@dataclass
class Work:
    """`build()` makes a graph, `backward` takes what it gave, `read` gives the numbers that others must give, too."""

    build: Callable[[], Any]
    backward: Callable[[Any], None]
    read: Callable[[Any], list[float]]

    def numbers(self) -> list[float]:
        """What one pass computes."""
        made = self.build()
        self.backward(made)
        return self.read(made)

    def seconds(self, count: int) -> list[float]:
        """CPU seconds of building, of backward() and of a whole pass, with the graph let go: means of `count` passes."""
        gc.collect()
        between = after = 0.0
        begun = start = time.process_time()
        for _ in range(count):
            made = self.build()
            built = time.process_time()
            self.backward(made)
            swept = time.process_time()
            between, after = between + built - start, after + swept - built
            del made
            start = time.process_time()
        return [between / count, after / count, (start - begun) / count]


class Pure:
    """The same work in a process without the engine in C; it is asked for numbers and for seconds."""

    def __init__(self, kind: str, *settings: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "--serve", json.dumps([kind, *settings])],
            env={**os.environ, "SCALARGRAD_PURE": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _ask(self, question: int) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def numbers(self) -> list[float]:
        """What one pass computes, to the bit."""
        return [float.fromhex(text) for text in self._ask(0)]

    def seconds(self, count: int) -> list[float]:
        """As `Work.seconds`."""
        return list(self._ask(count))

    def end(self) -> None:
        """Let the process go."""
        self.process.communicate()


def serve(work: Work) -> None:
    """Answer what `Pure` asks, until its end closes."""
    from scalargrad import engine_in_c

    if engine_in_c:
        raise SystemExit("SCALARGRAD_PURE=1 was set, and the engine is the one in C")
    for line in sys.stdin:
        count = int(line)
        print(json.dumps(work.seconds(count) if count else [x.hex() for x in work.numbers()]), flush=True)


def agree(who: str, engines: dict[str, Any], tolerance: float) -> None:
    """Let each work once: what the engine in Python computes is that in C to the bit, the others to the tolerance.

    Raises:
        SystemExit: if they differ.
    """
    right = engines[IN_C].numbers()
    for name, engine in engines.items():
        if name == IN_C:
            continue
        found = engine.numbers()
        compare(f"{who}: {name}", found, right, tolerance)
        if name == PURE and [x.hex() for x in found] != [x.hex() for x in right]:
            raise SystemExit(f"{who}: {name} gives other bits than {IN_C}")


def least(engines: dict[str, Any], rounds: int, count: int | dict[str, int] = 1) -> dict[str, list[float]]:
    """The least seconds of each part of a pass, the engines taking turns; every round begins with another one."""
    names, found = list(engines), {}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            seconds = engines[name].seconds(count if isinstance(count, int) else count[name])
            found[name] = [min(pair) for pair in zip(seconds, found.get(name, seconds), strict=True)]
    return {name: found[name] for name in names}


def times_as_fast(section: Section, what: str, slow: float | None, fast: float, bar: float, missing: str = "") -> None:
    """Add the bar: so many times as fast, at least; `slow` is None if that engine was not there, and `missing` why."""
    if slow is None:
        section.bars.append(Bar(what, f"not measured: {missing}", None))
    else:
        section.bars.append(Bar(what, f"{digits(slow / fast)} times", slow / fast >= bar))


def at_most(section: Section, what: str, found: float, bar: float, unit: str) -> None:
    """Add the bar: so much at most."""
    section.bars.append(Bar(what, f"{digits(found)} {unit}", found <= bar))


def table(heads: Sequence[str], lines: dict[str, Sequence[float]], scale: float) -> list[list[str]]:
    """Seconds, scaled, a line for each engine."""
    return [list(heads), *([name, *(digits(x * scale) for x in line)] for name, line in lines.items())]
