"""The long runs, all of them, with one command; what they found is written to docs/reliability.md.

    python tests/reliability/run.py                 every section, one after the other
    python tests/reliability/run.py --at-once 2     two at a time
    python tests/reliability/run.py test_load.py    the sections that are named: a file of this folder, or a word of GROUPS
    python tests/reliability/run.py test_load.py -k deep -s
    python tests/reliability/run.py elsewhere       the tests of other folders that have a full size and no section
    python tests/reliability/run.py --but test_places.py elsewhere    all but these

The page has a section for each file of this folder, its docstring, and for each group of files of other folders, their
promises; then a line for each figure that the tests measured, with how often if several tests say the same, when and where they ran. A section is written when all its
tests have passed, and none was skipped for want of something that could be installed; with options for pytest nothing is
written. What runs at the same time makes other things slower: times on the page are those of such a run.
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
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "house"))

from promises import promise  # noqa: E402

PAGE = HERE.parents[1] / "docs" / "reliability.md"
ELSEWHERE = "elsewhere"
# In the page's order.
FILES = (
    "test_places.py",
    "test_extras.py",
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
GROUPS = {
    "server": ("The playground's server", "playground/test_server.py", "playground/*fuzzed*.py", "playground/test_session.py"),
    "cache": ("The cache of machine code", "compiling/test_object_cache.py"),
    "take": ("Entries taken by an index", "table/test_take.py", "compiling/test_take.py"),
    "ragged": ("Batches of any structure", "compiling/test_ragged*.py", "nn/test_ragged*.py"),
    "sequences": (
        "Sequences", "nn/test_sequences.py", "nn/test_recurrent.py", "nn/test_linear*.py", "nn/test_embedding.py",
        "nn/test_tokens.py",
    ),
    "optimizers": ("Optimizers in files", "nn/test_resuming.py", "nn/test_optimizer_steps.py"),
    "worksheets": ("Worksheets in variants", "tracing/test_worksheet_*.py"),
    "in_c": ("The engine in C", "in_c/test_*.py"),
}  # fmt: skip
"""Sections of tests in other folders, after those of FILES: the word that names one here, its title and its files."""
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

The last sections are of tests in other folders. What else takes long there, such as training a network for minutes, runs
at full size with the same command (`python tests/reliability/run.py elsewhere` runs it alone) and measures nothing that is
told here.

Nothing here was run on Windows or macOS, on another C library than glibc (Pyodide's musl apart), or on a processor that
is not x86.
"""


def unexpected(report):
    """The tests that pytest's report says were skipped for a reason that MAY_BE_SKIPPED does not allow."""
    skipped = [line for line in report.splitlines() if line.startswith("SKIPPED ")]
    return [line for line in skipped if not any(re.search(reason, line) for reason in MAY_BE_SKIPPED)]


def files_of(group):
    """The files of a group, as paths in the tests' folder."""
    found = [sorted(HERE.parent.glob(pattern)) for pattern in GROUPS[group][1:]]
    assert all(found), f"{group} names files that are not there"
    return [path.relative_to(HERE.parent).as_posix() for paths in found for path in paths]


def pytest_arguments(name):
    """What pytest is to run, from the tests' folder."""
    if name in GROUPS:
        return files_of(name)
    if name == ELSEWHERE:
        told = [f"--ignore={file}" for group in GROUPS for file in files_of(group)]
        return ["-m", "reliability", "--ignore=reliability", *told, "."]
    return [f"reliability/{name}"]


def run(name, options):
    """Run pytest on a section at full size: (what is missing, None if a test failed; figures; closing line; seconds)."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder, "figures.jsonl")
        figures.touch()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--tb=short", "-rs", *pytest_arguments(name), *options],
            env={**os.environ, "SCALARGRAD_LONG": "1", "SCALARGRAD_FIGURES": str(figures)},
            cwd=HERE.parent,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout, flush=True)
        found = [json.loads(line) for line in figures.read_text(encoding="utf-8").splitlines()]
    missing = unexpected(done.stdout) if done.returncode == 0 else None
    return missing, found, done.stdout.strip().splitlines()[-1].strip("= "), time.perf_counter() - start


def heading(name):
    """The title and the text that a section begins with: of a file its docstring, of a group its files' promises."""
    if name in GROUPS:
        told = [f"- {promise(HERE.parent / file)} (`tests/{file}`)" for file in files_of(name)]
        return f"## {GROUPS[name][0]}", "\n".join(told)
    title, _, text = ast.get_docstring(ast.parse((HERE / name).read_text(encoding="utf-8"))).partition("\n")
    return f"## {title.rstrip('.')}", text.strip()


def section(name, figures, last, seconds):
    """A file's or a group's part of the page."""
    title, text = heading(name)
    machine = f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    time_taken = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
    lines = [title, "", text, "", "| what | found |", "| --- | --- |"]
    told = Counter((figure["what"], figure["found"]) for figure in figures)
    for (what, found), times in told.items():
        line = what, found + (f" (each of {times} times)" if times > 1 else "")
        lines.append(f"| {' | '.join(part.replace('|', chr(92) + '|') for part in line)} |")
    tests = ", ".join(f"`{name}`" for name in dict.fromkeys(figure["test"] for figure in figures))
    files = "these files" if name in GROUPS else f"`tests/reliability/{name}`"
    lines += ["", f"From {files}, in this order: {tests}."]
    return "\n".join([*lines, "", f"{date.today():%Y-%m-%d}, {machine}, {time_taken}: {last}.", ""])


def write(name, text):
    """Put a section in its place on the page; the others stay."""
    titles = [heading(other)[0] for other in (*FILES, *GROUPS)]
    _, *parts = PAGE.read_text(encoding="utf-8").split("\n## ") if PAGE.exists() else [HEAD]
    sections = {f"## {part.splitlines()[0]}": f"## {part.rstrip()}\n" for part in parts}
    sections[heading(name)[0]] = text
    PAGE.write_text("\n".join([HEAD, *(sections[title] for title in titles if title in sections)]), encoding="utf-8")


def asked_for(arguments):
    """What is on the command line: the sections to run, how many at once, and options for pytest."""
    known, rest = (*FILES, *GROUPS, ELSEWHERE), list(arguments)
    at_once = 1
    if "--at-once" in rest:
        place = rest.index("--at-once")
        at_once = int(rest[place + 1])
        del rest[place : place + 2]
    named = [argument for argument in rest if argument in known]
    names = [name for name in known if name not in named] if "--but" in rest else named or list(known)
    return names, at_once, [argument for argument in rest if argument not in (*known, "--but")]


def main(arguments):
    """Run, print, write: 1 if a test failed or was skipped without need."""
    names, at_once, options = asked_for(arguments)
    failed, incomplete = [], []
    with ThreadPoolExecutor(at_once) as pool:
        running = {pool.submit(run, name, options): name for name in names}
        for done in as_completed(running):
            name, (missing, figures, last, seconds) = running[done], done.result()
            print(f"{name}: {last}", flush=True)
            if missing is None:
                failed.append(name)
            elif options:
                print(*(f"{figure['what']}: {figure['found']}" for figure in figures), sep="\n")
            elif missing:
                incomplete.append(name)
                print(f"{name}: not written, because tests were skipped that run elsewhere:", *missing, sep="\n")
            elif name != ELSEWHERE:
                write(name, section(name, figures, last, seconds))
                print(f"{PAGE}: {heading(name)[0]}", flush=True)
    if failed:
        print("failed, and left as they were on the page:", *failed)
    if incomplete:
        print("incomplete, and left as they were on the page:", *incomplete)
    return int(bool(failed or incomplete))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
