"""The engine in C beside the one in Python, XAD and micrograd: what eager code costs, all in one run.

    python tests/benchmarks/engine.py                       prints tables and which promises are kept
    python tests/benchmarks/engine.py --only graphs moons   only these
    python tests/benchmarks/engine.py --write               also writes its part of docs/performance.md

All engines must compute the same before they are timed: the engine in Python, which runs in a process of its own, to the
bit, the others to 1e-9. Then they take turns; times are CPU time, the least of the turns. Peers that are not installed
are left out (extra `bench`). Let the machine be quiet.
"""

from __future__ import annotations

import argparse
import json


def main() -> None:
    """Run what was asked for."""
    from workloads import report
    from workloads.eager import ALONE, WORKLOADS

    from scalargrad import engine_in_c

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, metavar="NAME", help=f"some of {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each engine (15)")
    parser.add_argument("--write", action="store_true", help="write the part of docs/performance.md on eager code")
    parser.add_argument("--serve", metavar="WORK", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        kind, *settings = json.loads(options.serve)
        ALONE[kind](*settings)
        return
    if options.write and options.only:
        parser.error("--write needs all workloads: leave --only out")
    if not engine_in_c:
        parser.error("the engine in C is not there: install scalargrad where a C compiler is, without SCALARGRAD_PURE")
    sections = report.run({name: WORKLOADS[name] for name in options.only or WORKLOADS}, options.rounds)
    print(f"\n{report.summary(sections)}")
    report.end(sections, report.EAGER if options.write else None, options.rounds)


if __name__ == "__main__":
    main()
