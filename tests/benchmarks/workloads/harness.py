"""What every workload shares: engines that must agree before they are timed, taking turns, medians, bars."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

OURS = "scalargrad"


class MissingError(Exception):
    """An engine cannot run here; the message says why."""


@dataclass
class Running:
    """An engine that is set up: `run(n)` does the work n times and returns the last result, `state()` the numbers it
    has changed, such as parameters, to be compared; `holds` keeps alive what machine code reads by its address."""

    run: Callable[[int], Any]
    state: Callable[[], Any] = list
    holds: Any = None


@dataclass
class Engine:
    """One way to do the work: its name in the tables, how to set it up, the modules that it needs."""

    name: str
    prepare: Callable[[], Running]
    needs: Sequence[str] = ()


@dataclass
class Row:
    """What was measured of one engine, in seconds: the median of the turns, setting up with the first result, and the
    shortest turn."""

    median: float
    first: float | None = None
    least: float = math.nan


@dataclass
class Bar:
    """A promise, what was measured, and whether it was kept; None if it could not be measured."""

    text: str
    measured: str
    met: bool | None


@dataclass
class Plot:
    """Lines of cost against size; both axes are logarithmic."""

    file: str
    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]


@dataclass
class Section:
    """The results of one workload."""

    title: str
    text: str
    unit: str = "ms"
    rows: dict[str, Row] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    table: list[list[str]] = field(default_factory=list)
    """What to show instead of the rows, its first line the heads of the columns."""

    def faster(self, peer: str, times: float) -> None:
        """Add the bar: at least so many times as fast as the peer."""
        ratio = self._median(peer) / self._median(OURS)
        self._add(f"at least {digits(times)} times as fast as {peer}", ratio, ratio >= times, peer)

    def slower(self, peer: str, times: float) -> None:
        """Add the bar: at most so many times the peer's time."""
        ratio = self._median(OURS) / self._median(peer)
        self._add(f"at most {times:g} times the time of {peer}", ratio, ratio <= times, peer)

    def below(self, what: str, seconds: float | None, limit: float) -> None:
        """Add the bar: something takes less than so many seconds."""
        text = f"{what} in under {limit:g} s"
        if seconds is None:
            self.bars.append(Bar(text, "not measured", None))
        else:
            self.bars.append(Bar(text, f"{digits(seconds)} s", seconds < limit))

    def within(self, what: str, seconds: float | None, limit: float) -> None:
        """Add the bar: something takes at most so many seconds, told in microseconds."""
        text = f"{what} in at most {limit * 1e6:g} µs"
        if seconds is None:
            self.bars.append(Bar(text, "not measured", None))
        else:
            self.bars.append(Bar(text, f"{digits(seconds * 1e6)} µs", seconds <= limit))

    def _median(self, name: str) -> float:
        return self.rows[name].median if name in self.rows else math.nan

    def _add(self, text: str, ratio: float, met: bool, peer: str) -> None:
        if math.isnan(ratio):
            missing = OURS if OURS not in self.rows else peer
            self.bars.append(Bar(text, f"not measured: {self.skipped.get(missing, 'it did not run')}", None))
        else:
            self.bars.append(Bar(text, f"{digits(ratio)} times", met))


def agree(section: Section, engines: Iterable[Engine], steps: int, tolerance: float) -> dict[str, Running]:
    """Set every engine up, let it do a few steps, and compare results and states with the first engine's.

    Fills in the section's rows (the time to the first result) and what was skipped.

    Raises:
        SystemExit: if two differ by more than the tolerance, relative above 1 and absolute below.
    """
    running: dict[str, Running] = {}
    right: list[float] = []
    for engine in engines:
        try:
            for module in engine.needs:
                importlib.import_module(module)
            start = time.perf_counter()
            made = engine.prepare()
            result = made.run(1)
            first = time.perf_counter() - start
        except ImportError as error:
            section.skipped[engine.name] = f"{error.name or error} is not installed"
            continue
        except MissingError as reason:
            section.skipped[engine.name] = str(reason)
            continue
        if steps > 1:
            result = made.run(steps - 1)
        numbers = [*flat(result), *flat(made.state())]
        compare(f"{section.title}: {engine.name}", numbers, right or numbers, tolerance)
        right = right or numbers
        running[engine.name] = made
        section.rows[engine.name] = Row(math.nan, first)
    return running


def compare(who: str, numbers: Sequence[float], right: Sequence[float], tolerance: float) -> None:
    """Raise SystemExit if numbers differ by more than the tolerance, relative above 1 and absolute below."""
    if len(numbers) != len(right):
        raise SystemExit(f"{who} gives {len(numbers)} numbers, the first engine {len(right)}")
    for i, (got, expected) in enumerate(zip(numbers, right, strict=True)):
        if not abs(got - expected) <= tolerance * max(1.0, abs(expected)):
            raise SystemExit(
                f"{who} gives {got!r} for number {i} of {len(right)}, the first engine {expected!r}: "
                f"they differ by more than {tolerance:g}"
            )


def take_turns(section: Section, running: dict[str, Running], rounds: int, seconds: float = 0.03) -> None:
    """Time the engines in turn, each for about so many seconds a turn, and fill in the medians of the rounds.

    Before its turn an engine works once untimed, after a collection of garbage: caches and threads are then its own.
    Every round starts with another engine.
    """
    gc.collect()
    gc.freeze()  # what was imported and set up until now is no part of the work
    counts = {name: _how_many(engine.run, seconds) for name, engine in running.items()}
    times: dict[str, list[float]] = {name: [] for name in running}
    names = list(running)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            run, count = running[name].run, counts[name]
            gc.collect()
            if count > 1:
                run(1)
            start = time.perf_counter()
            run(count)
            times[name].append((time.perf_counter() - start) / count)
    for name, seconds_each in times.items():
        section.rows[name].median, section.rows[name].least = statistics.median(seconds_each), min(seconds_each)
    gc.unfreeze()


def _how_many(run: Callable[[int], Any], seconds: float) -> int:
    """How many times it does the work in this time, at least once."""
    count = 1
    while True:
        start = time.perf_counter()
        run(count)
        passed = time.perf_counter() - start
        if passed > seconds / 4:
            return max(1, round(count * seconds / passed))
        count *= 4


def one_blas_thread() -> Any:
    """Keep numpy's linear algebra on one thread: for matrices of this size more of them only wait for each other."""
    controller = _thread_pools()
    return controller.limit(limits=1, user_api="blas") if controller else contextlib.nullcontext()


@functools.lru_cache(None)
def _thread_pools() -> Any:
    """What sets numpy's threads; looking for the libraries takes a millisecond, so it is done once."""
    try:
        import threadpoolctl
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController()


def best(section: Section, names: Iterable[str]) -> str:
    """The fastest of these that were measured; the first of them if none was."""
    names = list(names)
    return min((name for name in names if name in section.rows), key=lambda n: section.rows[n].median, default=names[0])


def flat(numbers: Any) -> list[float]:
    """The numbers in nested lists, tuples or arrays, in order."""
    if hasattr(numbers, "tolist"):
        numbers = numbers.tolist()
    if isinstance(numbers, (list, tuple)):
        return [x for part in numbers for x in flat(part)]
    return [float(numbers)]


def digits(x: float) -> str:
    """Three significant digits, thousands apart."""
    if not math.isfinite(x):
        return str(x)
    shown = f"{x:.3g}" if abs(x) < 1000 else f"{round(x, 2 - math.floor(math.log10(abs(x)))):,.0f}"
    return shown.replace(",", " ")
