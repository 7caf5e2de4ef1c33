"""Eager programs: the moons step through nn, microgpt's text with the import changed, and a graph recorded."""

from __future__ import annotations

from typing import Any

import scalargrad
from scalargrad import Value

from .. import gpt_scalars, moons_graphs, unrolled
from ..gpt_data import DOCUMENTS
from ..harness import Running, Section, digits
from ..moons_data import task
from .work import IN_C, PURE, Pure, Work, agree, at_most, least, table, times_as_fast

TOLERANCE = 1e-9
MOONS_BAR, GPT_BAR, RECORD_BAR, RECORDING_BAR = 4.0, 6.0, 32.0, 2.0
"""Milliseconds; times its own engine; milliseconds; times the engine in Python."""
OWN = "its own engine"


def of_running(running: Running) -> Work:
    """A step that builds, sweeps and updates: all of it counts as building."""
    return Work(lambda: running.run(1), lambda loss: None, lambda loss: [loss, *running.state()])


def moons() -> Work:
    """The moons step through nn, for a process of its own, too."""
    return of_running(moons_graphs.scalargrad_eager(task()))


def moons_section(rounds: int) -> Section:
    """The moons step through nn, eager."""
    section = Section(
        "A step of the moons demo through nn",
        "Milliseconds. A 2-16-16-1 network with relu, 337 parameters, 100 samples, mean hinge loss + 1e-4 times the sum of "
        "squared parameters, gradient descent: forward, backward, update, each time anew, nothing compiled.",
    )
    engines: dict[str, Any] = {IN_C: moons(), PURE: Pure("moons")}
    try:
        engines["micrograd"] = of_running(moons_graphs.micrograd(task()))
    except ImportError as error:
        section.skipped["micrograd"] = error.msg
    agree(section.title, engines, TOLERANCE)
    found = least(engines, rounds, {IN_C: 10, PURE: 2, "micrograd": 1})
    engines[PURE].end()
    section.table = _steps(found, "ms a step", 1e3)
    at_most(section, f"a step in at most {MOONS_BAR:g} ms", found[IN_C][2] * 1e3, MOONS_BAR, "ms")
    return section


def microgpt() -> Work:
    """The program with scalargrad's Value, for a process of its own, too."""
    return of_running(Running(*_program(False)))


def _program(own_engine: bool) -> tuple[Any, Any]:
    steps = gpt_scalars.program(own_engine)
    return steps.run, steps.state


def microgpt_section(rounds: int) -> Section:
    """microgpt's text with the import changed."""
    section = Section(
        "A GPT in microgpt's style, with the import changed",
        f"Milliseconds a step: loss, gradient and Adam of a program that brings its own engine of scalars, some 60 000 "
        f"nodes for a name, over {DOCUMENTS} names in turn. scalargrad's Value is imported in the place of its own; "
        "no other line is changed.",
    )
    engines: dict[str, Any] = {IN_C: microgpt(), PURE: Pure("microgpt"), OWN: of_running(Running(*_program(True)))}
    agree(section.title, engines, TOLERANCE)
    found = least(engines, min(rounds, 5))
    engines[PURE].end()
    section.table = _steps(found, "ms a step", 1e3 / DOCUMENTS)
    what = f"at least {GPT_BAR:g} times as fast as {OWN}"
    times_as_fast(section, what, found[OWN][2], found[IN_C][2], GPT_BAR)
    return section


def recording() -> Work:
    """A loss out of additions and products, built and recorded, for a process of its own, too."""
    at = task()
    model = at.model(fused=False)
    made: list[Any] = []

    def record(loss: Value) -> None:
        made[:] = [scalargrad.record(loss)]

    def numbers(loss: Value) -> list[float]:
        value, gradients = made[0].value_and_grad()
        return [value, *gradients]

    return Work(lambda: unrolled.elementary_loss(at, model), record, numbers)


def recording_section(rounds: int) -> Section:
    """A graph recorded for a program."""
    nodes = len(scalargrad.topological_order(recording().build()))
    section = Section(
        f"{digits(nodes)} nodes recorded for a program",
        "Milliseconds. The same loss out of single additions, products and relus is built, and `record` makes a program of "
        "it. The programs give the same numbers.",
    )
    engines: dict[str, Any] = {IN_C: recording(), PURE: Pure("recording")}
    agree(section.title, engines, TOLERANCE)
    found = least(engines, rounds)
    engines[PURE].end()
    section.table = table(["", "build", "record", "both, and let go"], found, 1e3)
    at_most(section, f"recorded in at most {RECORD_BAR:g} ms", found[IN_C][1] * 1e3, RECORD_BAR, "ms")
    what = f"built and recorded at least {RECORDING_BAR:g} times as fast as in Python"
    times_as_fast(section, what, sum(found[PURE][:2]), sum(found[IN_C][:2]), RECORDING_BAR)
    return section


def _steps(found: dict[str, list[float]], unit: str, scale: float) -> list[list[str]]:
    """A line for each engine, the time of a step and how many times that in C it is."""
    return [
        ["", unit, "times in C"],
        *([name, digits(line[2] * scale), digits(line[2] / found[IN_C][2])] for name, line in found.items()),
    ]
