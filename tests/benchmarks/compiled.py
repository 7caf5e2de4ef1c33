"""The compiled engine beside its peers: every workload, all engines in one process, taking turns.

    python tests/benchmarks/compiled.py                     prints tables and which promises are kept
    python tests/benchmarks/compiled.py --only W1 digits    only these workloads
    python tests/benchmarks/compiled.py --write             also writes its part of docs/performance.md

Engines must agree before they are timed; otherwise nothing is timed and the difference is printed. Peers that are not
installed are left out (extras `bench`, `torch`, `fast`, `jax`; gcc for C). Let the machine be quiet.
"""

from __future__ import annotations

import argparse


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
    sections = report.run({name: WORKLOADS[name] for name in options.only or WORKLOADS}, options.rounds)
    report.end(sections, report.COMPILED if options.write else None, options.rounds)


if __name__ == "__main__":
    main()
