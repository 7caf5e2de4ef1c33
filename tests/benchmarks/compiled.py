"""The compiled engine beside its peers: every workload, all engines in one process, taking turns.

    python tests/benchmarks/compiled.py                     prints tables and which promises are kept
    python tests/benchmarks/compiled.py --only W1 digits    only these workloads
    python tests/benchmarks/compiled.py --write             also writes its part of docs/performance.md

Engines must agree before they are timed; otherwise nothing is timed and the difference is printed. Peers that are not
installed are left out (extras `bench`, `torch`, `fast`, `jax`; gcc for C). Let the machine be quiet.
"""

from __future__ import annotations

import argparse
import sys
import time


def main() -> None:
    """Run the workloads that were asked for."""
    from workloads import WORKLOADS, report

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, metavar="NAME", help=f"some of {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each engine (15)")
    parser.add_argument("--write", action="store_true", help="write the part of docs/performance.md on compiled graphs")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write needs all workloads: leave --only out")
    print(report.aligned(report.machine()[1:]))
    sections = []
    for name in options.only or WORKLOADS:
        start = time.perf_counter()
        sections.append(WORKLOADS[name](options.rounds))
        print(f"\n{'-' * 100}\n{report.shown(sections[-1])}\n({time.perf_counter() - start:.0f} s)", flush=True)
    if options.write:
        for path in report.write(report.COMPILED, sections, options.rounds):
            print(path)
    if any(bar.met is False for section in sections for bar in section.bars):
        print("some promises are missed", file=sys.stderr)


if __name__ == "__main__":
    main()
