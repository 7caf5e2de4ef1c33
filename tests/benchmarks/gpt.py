"""A GPT's training step with Adam: scalargrad beside its peers, and the way there from a program that brings its engine.

    python tests/benchmarks/gpt.py                   all engines in one process, taking turns
    python tests/benchmarks/gpt.py --stages          four stages of one program, each in a process of its own: the time
                                                     and the memory of 1 000 steps, import to names
    python tests/benchmarks/gpt.py --rounds 3        fewer turns (7)
    python tests/benchmarks/gpt.py [--stages] --write    also writes the table on docs/gpt.md

One layer, 16 wide, 4 heads: 4 192 parameters; a step is a document of names. Engines must agree on losses and weights
to 1e-9 before they are timed; times are the least of the turns. Peers that are not installed are left out (extras
`bench`, `torch`, `fast`, `jax`; gcc for C).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from page_parts import table, write_part

PAGE = "docs/gpt.md"

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # before numpy is there
    os.environ.setdefault(threads, "1")

TOLERANCE = 1e-9
STAGES = {
    "its own engine": 30,
    "the import changed": 60,
    "dot products and logsumexp": 200,
    "compiled": 1000,
}
"""Each with the steps that are made; the time of 1 000 is computed from them."""


LINKS = {
    "the import changed": "[its import changed](#the-import-changed)",
    "dot products and logsumexp": "[dot products and logsumexp](#dot-products-and-logsumexp)",
    "compiled": "[compiled](#compiled)",
}
"""How the page calls the stages that have a section on it."""


def turns(rounds: int, write: bool = False) -> None:
    """All engines, in turn."""
    from workloads import gpt_arrays, gpt_scalars, report
    from workloads.gpt_data import DOCUMENTS, documents
    from workloads.harness import OURS, Engine, Section, agree, digits, take_turns

    engines = [
        Engine("C by hand", gpt_arrays.c_by_hand, ["numpy"]),
        Engine("numpy by hand, 1 thread", gpt_arrays.numpy_by_hand, ["numpy"]),
        Engine("JAX jit, padded to 16 positions", partial(gpt_arrays.jax_jit, True), ["jax"]),
        Engine("JAX jit, a program for each length", partial(gpt_arrays.jax_jit, False), ["jax"]),
        Engine("PyTorch eager, fused Adam, 1 thread", gpt_arrays.torch_eager, ["torch"]),
        Engine(OURS, gpt_scalars.compiled),
        Engine("scalargrad, eager, dot products and logsumexp", gpt_scalars.layered),
        Engine("the program, its import changed to scalargrad", partial(gpt_scalars.program, False)),
        Engine("the program on its own engine", partial(gpt_scalars.program, True)),
    ]
    section = Section("GPT", f"{DOCUMENTS} documents of {sum(len(d) - 1 for d in documents())} positions in turn, Adam")
    running = agree(section, engines, 3, TOLERANCE)
    take_turns(section, running, rounds, 0.05)
    ours = section.rows[OURS].least if OURS in section.rows else None
    section.table = [["engine", "µs a step", "times ours", "ready after"]]
    for name, row in sorted(section.rows.items(), key=lambda item: item[1].least):
        ratio = digits(row.least / ours) if ours else ""
        first = f"{digits(row.first)} s" if row.first is not None else ""
        section.table.append([name, digits(row.least / DOCUMENTS * 1e6), ratio, first])
    print(report.aligned(report.machine()[1:]))
    print(f"\n{section.title}: {section.text}\n\n{report.aligned(section.table)}")
    if section.skipped:
        print(f"\nleft out: {report.skipped(section)}")
    if write:
        write_part(PAGE, "gpt.py", table([row[:-1] for row in section.table]))


def stages(write: bool = False) -> None:
    """Each stage in a new process."""
    from workloads import report
    from workloads.harness import digits

    rows = [["stage", "ready after", "µs a step", "1 000 steps", "memory"]]
    told = [["", "a step", "1 000 steps", "memory"]]
    for stage in STAGES:
        command = [sys.executable, __file__, "--stage", stage]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        told.append(
            [
                LINKS.get(stage, stage),
                f"{digits(found['step'] * 1e3)} ms",
                f"{digits(found['all'])} s",
                f"{found['memory'] / 2**20:.0f} MB",
            ]
        )
        rows.append(
            [
                stage,
                f"{found['first']:.2f} s",
                f"{found['step'] * 1e6:,.0f}".replace(",", " "),
                f"{found['all']:.1f} s",
                f"{found['memory'] / 2**20:.0f} MB",
            ]
        )
    print(report.aligned(rows))
    if write:
        write_part(PAGE, "gpt.py --stages", table(told))


def stage(name: str) -> None:
    """One stage, by itself: prints seconds and bytes."""
    began = time.perf_counter()
    from workloads import gpt_scalars

    steps = STAGES[name]
    ways = [
        partial(gpt_scalars.program, True),
        partial(gpt_scalars.program, False),
        gpt_scalars.layered,
        gpt_scalars.compiled,
    ]
    prepare = dict(zip(STAGES, ways, strict=True))[name]
    marks = [time.perf_counter()]
    made = prepare(count=steps)
    for number, document in enumerate(made.documents):
        made.step(document, number)
        marks.append(time.perf_counter())
    made.state()
    ended = time.perf_counter()
    each = sorted(b - a for a, b in pairwise(marks[1:]))
    print(
        json.dumps(
            {
                "first": marks[1] - began,
                "step": each[len(each) // 2],
                "all": (marks[0] - began) + (ended - marks[0]) * 1000 / steps,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                * (1 if sys.platform == "darwin" else 1024),
            }
        )
    )


def main() -> None:
    """Turns, stages or a single stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="turns of each engine (7)")
    parser.add_argument("--stages", action="store_true", help="the stages of one program, with time and memory")
    parser.add_argument("--stage", choices=STAGES, help="one stage, in this process")
    parser.add_argument("--write", action="store_true", help=f"write the table on {PAGE}")
    options = parser.parse_args()
    if options.stage:
        stage(options.stage)
    elif options.stages:
        stages(options.write)
    else:
        turns(options.rounds, options.write)


if __name__ == "__main__":
    main()
