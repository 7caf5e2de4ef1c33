"""The long runs, all of them, with one command; what they found is written to docs/reliability.md.

    python tests/reliability/run.py                 every file, about an hour
    python tests/reliability/run.py test_load.py    the files that are named
    python tests/reliability/run.py test_load.py -k deep -s
    python tests/reliability/run.py elsewhere       the tests of other folders that have a full size

The page has a section for each file: its docstring, when and where it ran, and a line for each figure that its tests
measured. A section is written when all tests of its file have passed, and none was skipped for want of something that could be
installed; with options for pytest nothing is written. The tests of other folders measure nothing: the page names them.
"""

import ast
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reliability.md"
ELSEWHERE = "elsewhere"
# In the page's order.
FILES = (
    "test_places.py",
    "test_parity.py",
    "test_parity_nn.py",
    "test_accuracy.py",
    "test_checker.py",
    "test_load.py",
    "test_interrupts.py",
    "test_faults.py",
    "test_bad_input.py",
    "test_labels.py",
)
MAY_BE_SKIPPED = (
    r"docs/accuracy\.md is of another machine",
    r"the embedded layout engine needs Python 3\.11",
    r"this system has no timers and limits for a process",
    r"this system has no fork, no permission bits and no mounts",
    r"measures processes as POSIX does",
    r"interrupts by POSIX signals",
    r"WebAssembly has no ",
    r"this machine is no x86-64",
    r"there is no Python for py3\d+ on the PATH",
    r"the python backend has no helping threads",
    r"no bias correction: 100 steps are as good",
)
"""Reasons that the machine, the system or the Python are what they are: nothing that could be installed is missing."""
HEAD = """\
# Reliability

Written by `python tests/reliability/run.py`, which runs what is told here at full size, file by file; every run of the
test suite runs the same tests with smaller numbers. What is promised, and what is not, stands in
[Security](SECURITY.md) and [Hard points](hard-points.md).

Tests of other folders that take long, such as those that interrupt a call at every instruction or train a network for
minutes, run at full size with the same command (`python tests/reliability/run.py elsewhere` runs them alone) and measure
nothing that is told here.

Nothing here was run on Windows or macOS, on another C library than glibc (Pyodide's musl apart), or on a processor that
is not x86.
"""


def unexpected(report):
    """The tests that pytest's report says were skipped for a reason that MAY_BE_SKIPPED does not allow."""
    skipped = [line for line in report.splitlines() if line.startswith("SKIPPED ")]
    return [line for line in skipped if not any(re.search(reason, line) for reason in MAY_BE_SKIPPED)]


def run(file, options):
    """Run pytest on a file with full sizes: (what is missing, None if a test failed; the figures; its closing line)."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder, "figures.jsonl")
        figures.touch()
        what = ["-m", "reliability", "--ignore=reliability", "."] if file == ELSEWHERE else [file]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--tb=short", "-rs", *what, *options],
            env={**os.environ, "SCALARGRAD_LONG": "1", "SCALARGRAD_FIGURES": str(figures)},
            cwd=HERE.parent if file == ELSEWHERE else HERE,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout, flush=True)
        found = [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
    missing = unexpected(done.stdout) if done.returncode == 0 else None
    return missing, found, done.stdout.strip().splitlines()[-1].strip("= ")


def heading(file):
    """A file's section begins with the first line of its docstring; the rest is text."""
    title, _, text = ast.get_docstring(ast.parse((HERE / file).read_text(encoding="utf-8"))).partition("\n")
    return f"## {title.rstrip('.')}", text.strip()


def section(file, figures, last, seconds):
    """A file's part of the page."""
    title, text = heading(file)
    machine = f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    time_taken = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
    lines = [title, "", text, "", "| what | found |", "| --- | --- |"]
    lines += [
        f"| {' | '.join(figure[key].replace('|', chr(92) + '|') for key in ('what', 'found'))} |" for figure in figures
    ]
    tests = ", ".join(f"`{name}`" for name in dict.fromkeys(figure["test"] for figure in figures))
    lines += ["", f"From `tests/reliability/{file}`, in this order: {tests}."]
    return "\n".join([*lines, "", f"{date.today():%Y-%m-%d}, {machine}, {time_taken}: {last}.", ""])


def write(file, text):
    """Put a file's section in its place on the page; the others stay."""
    titles = [heading(other)[0] for other in FILES]
    _, *parts = PAGE.read_text(encoding="utf-8").split("\n## ") if PAGE.exists() else [HEAD]
    sections = {f"## {part.splitlines()[0]}": f"## {part.rstrip()}\n" for part in parts}
    sections[heading(file)[0]] = text
    PAGE.write_text("\n".join([HEAD, *(sections[title] for title in titles if title in sections)]), encoding="utf-8")


def main(arguments):
    """Run, print, write: 1 if a test failed or was skipped without need."""
    known = (*FILES, ELSEWHERE)
    files = [file for file in arguments if file in known] or known
    options = [argument for argument in arguments if argument not in known]
    failed, incomplete = [], []
    for file in files:
        start = time.perf_counter()
        missing, figures, last = run(file, options)
        if missing is None:
            failed.append(file)
        elif options:
            print(*(f"{figure['what']}: {figure['found']}" for figure in figures), sep="\n")
        elif missing:
            incomplete.append(file)
            print(f"{file}: not written, because tests were skipped that run elsewhere:", *missing, sep="\n")
        elif file != ELSEWHERE:
            write(file, section(file, figures, last, time.perf_counter() - start))
            print(f"{PAGE}: {heading(file)[0]}")
    if failed:
        print("failed, and left as they were on the page:", *failed)
    if incomplete:
        print("incomplete, and left as they were on the page:", *incomplete)
    return int(bool(failed or incomplete))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
