"""Results as text: tables for the terminal, and docs/performance.md with its pictures."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "shared"))

from page_parts import ROOT, write_part

from . import ckernels, pictures
from .harness import OURS, Row, Section, digits

PAGE = "docs/performance.md"
PACKAGES = [
    "scalargrad", "llvmlite", "micrograd", "xad", "numpy", "jax", "jaxlib", "torch", "casadi", "heyoka", "autograd", "scikit-learn",
]  # fmt: skip
SCALES = {"ms": 1e3, "µs": 1e6, "ns": 1e9}
MET = {True: "met", False: "**missed**", None: "not measured"}
EAGER, COMPILED = "engine.py", "compiled.py"
INTRODUCTION = {
    EAGER: """## Eager code

Written by `python tests/benchmarks/engine.py --write`; without `--write` it prints the same tables. It needs the extra
`bench` and an installation that found a C compiler; an engine that is not installed is left out.

Where a C compiler was there at installation, the engine's plain case runs in C; without one, and with
`SCALARGRAD_PURE=1`, all of it runs in Python. Both must compute the same to the bit before anything is timed, other
engines the same to 1e-9, relative above 1. Then all take turns, the engine in Python in a process of its own. Times are
CPU time, the least of {rounds} turns, of fewer where a turn takes long. Quote ratios: single times depend on the machine
and on who else uses it.""",
    COMPILED: """## Compiled graphs

Written by `python tests/benchmarks/compiled.py --write`; without `--write` it prints the same tables. It needs
the extras `bench`, `torch`, `fast` and `jax`, and gcc; an engine that is not installed is left out.

In each workload all engines run in one process and take turns; before that they must agree on losses, gradients or
parameters to 1e-9, relative above 1. Times are medians of {rounds} turns, in float64. "Times ours" is how many times the
time of compiled scalargrad an engine takes; "to the first result" is the time from the data to the first result,
recording and compiling included, imports not. Quote ratios: single times depend on the machine and on who else uses it.""",
}
"""How the parts of the page begin, by the program that writes each."""


def machine() -> list[list[str]]:
    """Heads and lines of a table: processor, cores, system, Python, and the packages that are installed."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass  # not Linux
    table = [
        ["", ""],
        ["processor", name],
        ["cores", str(os.cpu_count())],
        ["system", f"{platform.system()} {platform.machine()}"],
        ["Python", f"{platform.python_implementation()} {platform.python_version()}"],
    ]
    for package in PACKAGES:
        try:
            table.append([package, _own_version() if package == OURS else metadata.version(package)])
        except metadata.PackageNotFoundError:
            table.append([package, "not installed"])
    return [*table, ["gcc", ckernels.version() or "not installed"]]


def results(section: Section) -> list[list[str]]:
    """Heads and lines of a workload's table, the fastest engine first."""
    if section.table:
        return section.table
    scale, ours = SCALES[section.unit], section.rows.get(OURS)
    table = [["engine", section.unit, "times ours", "to the first result"]]
    for name, row in sorted(section.rows.items(), key=lambda item: item[1].median):
        table.append([name, digits(row.median * scale), _ratio(row, ours), _seconds(row.first)])
    return table


def bars(section: Section) -> list[list[str]]:
    """Heads and lines of the table of a workload's promises."""
    return [["promise", "measured", ""], *([bar.text, bar.measured, MET[bar.met]] for bar in section.bars)]


def skipped(section: Section) -> str:
    """What was left out, and why; an empty text if nothing was."""
    return "; ".join(f"{name}: {why}" for name, why in section.skipped.items())


def shown(section: Section) -> str:
    """A workload's results for the terminal."""
    parts = [section.title, aligned(results(section)), aligned(bars(section))]
    if section.skipped:
        parts.append(f"left out: {skipped(section)}")
    return "\n\n".join(parts)


def summary(sections: Sequence[Section]) -> str:
    """How many promises are met."""
    counts = {met: sum(bar.met is met for section in sections for bar in section.bars) for met in MET}
    return (
        f"{counts[True]} of {sum(counts.values())} promises are met, {counts[False]} are missed, "
        f"{counts[None]} were not measured."
    )


def part(program: str, sections: Sequence[Section], rounds: int) -> str:
    """What a program has to say on docs/performance.md."""
    parts = [INTRODUCTION[program].format(rounds=rounds), summary(sections), markdown(machine())]
    for section in sections:
        parts += [f"### {section.title}", section.text, markdown(results(section)), markdown(bars(section))]
        if section.skipped:
            parts.append(f"Left out: {skipped(section)}.")
        parts += [f"![{plot.title}](pictures/{plot.file})" for plot in section.plots]
    return "\n\n".join(parts)


def run(workloads: Mapping[str, Callable[[int], Section]], rounds: int) -> list[Section]:
    """Measure one workload after the other and print what each found."""
    print(aligned(machine()[1:]))
    sections = []
    for measure in workloads.values():
        start = time.perf_counter()
        sections.append(measure(rounds))
        print(f"\n{'-' * 100}\n{shown(sections[-1])}\n({time.perf_counter() - start:.0f} s)", flush=True)
    return sections


def end(sections: Sequence[Section], program: str | None, rounds: int) -> None:
    """Write the program's part of the page, if there is one, and say whether a promise is missed."""
    for path in write(program, sections, rounds) if program else ():
        print(path)
    if any(bar.met is False for section in sections for bar in section.bars):
        print("some promises are missed", file=sys.stderr)


def write(program: str, sections: Sequence[Section], rounds: int) -> list[Path]:
    """Write a program's part of the page and its pictures; return the paths of those."""
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    written = [pictures.save(plot, folder) for section in sections for plot in section.plots]
    write_part(PAGE, program, part(program, sections, rounds))
    return written


def aligned(table: Sequence[Sequence[str]]) -> str:
    """A table for the terminal: the first column to the left, numbers to the right."""
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))]
        ).rstrip()
        for line in table
    )


def markdown(table: Sequence[Sequence[str]]) -> str:
    """The same in Markdown."""
    rule = ["---"] + ["---:"] * (len(table[0]) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in (table[0], rule, *table[1:]))


def _ratio(row: Row, ours: Row | None) -> str:
    return digits(row.median / ours.median) if ours else ""


def _seconds(first: float | None) -> str:
    return "" if first is None else f"{digits(first)} s"


def _own_version() -> str:
    return str(getattr(sys.modules.get(OURS), "__version__", ""))
