"""The long runs, all of them, with one command; what they found is written to docs/reliability.md.

    python tests/reliability/run.py                          everything, about an hour; writes the page if all pass
    python tests/reliability/run.py test_load.py -k deep     some of it, as options of pytest; prints, writes nothing

The page has a section for each file: its docstring, and a line for each figure that its tests measured.
"""

import ast
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reliability.md"
# In the page's order.
FILES = (
    "test_places.py",
    "test_parity.py",
    "test_accuracy.py",
    "test_load.py",
    "test_faults.py",
    "test_bad_input.py",
    "test_labels.py",
)


def run(arguments):
    """Run pytest on these files with full sizes: (whether all passed, the figures, its closing line)."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder, "figures.jsonl")
        figures.touch()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--tb=short", *arguments],
            env={**os.environ, "SCALARGRAD_LONG": "1", "SCALARGRAD_FIGURES": str(figures)},
            cwd=HERE,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout)
        found = [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
    return done.returncode == 0, found, done.stdout.strip().splitlines()[-1]


def section(file, figures):
    """A file's part of the page."""
    title, _, text = ast.get_docstring(ast.parse((HERE / file).read_text(encoding="utf-8"))).partition("\n")
    mine = [figure for figure in figures if figure["module"] == Path(file).stem]
    yield from (f"## {title.rstrip('.')}", "", text.strip(), "") if text.strip() else (f"## {title.rstrip('.')}", "")
    yield from ("| what | found | test |", "| --- | --- | --- |")
    for figure in mine:
        cells = [figure[key].replace("|", "\\|") for key in ("what", "found")]
        yield f"| {' | '.join(cells)} | `{file}::{figure['test']}` |"
    yield ""


def main():
    """Run, print, write."""
    if len(sys.argv) > 1:
        passed, figures, _ = run(sys.argv[1:])
        for figure in figures:
            print(f"{figure['what']}: {figure['found']}")
        sys.exit(not passed)
    start = time.perf_counter()
    passed, figures, last = run([])
    if not passed:
        sys.exit("not all passed: the page stays as it was")
    minutes = (time.perf_counter() - start) / 60
    machine = f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    lines = [
        "# Reliability", "",
        "Written by `python tests/reliability/run.py`, which runs what is told here at full size; every run of the test",
        "suite runs the same tests with smaller numbers. What is promised, and what is not, stands in [Security](security.md)",
        "and [Hard points](hard-points.md).", "",
        f"{date.today():%Y-%m-%d}, {machine}, {minutes:.0f} minutes: {last}.", "",
    ]  # fmt: skip
    for file in FILES:
        lines += section(file, figures)
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print(f"{PAGE} written")


if __name__ == "__main__":
    main()
