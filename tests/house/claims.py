"""docs/claims.md: what the pages say, what shows it, and what that printed.

    python tests/house/claims.py                   runs the tests that are named and the short commands, writes the page
    python tests/house/claims.py results.xml       takes the tests from pytest's report: pytest --junitxml=results.xml
    python tests/house/claims.py --list            runs nothing: the page without what was printed
    python tests/house/claims.py --readme          writes only README's line of times, from docs/performance.md

A claim is the words of a page, and what shows them: a file of tests, or one test of it; a line of a table that a
benchmark wrote; or a command. Tests see to it that the words stand on the page, that what shows them is there, and that
no figure with a unit stands in the text of a page without a claim.
"""

import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from claims_of_pages import CLAIMS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "claims.md"
HEAD = """\
# What the pages claim

The README's and the pages' promises, with what shows each{printed}. `python tests/house/claims.py` runs all of it and
writes this page with what was printed. Every line of these pages' code is run, too, and compared with what stands below
it (`tests/house/test_snippets.py`, `tests/house/test_notebooks.py`); [Promises](promises.md) has all files of tests.
"""
PRINTED = ", and what that printed when this page was written: of tests how many passed, and how many were skipped for a reason"
WRITTEN = {
    "accuracy", "changelog", "claims", "hard-points", "mutants", "performance", "promises", "reliability", "checking-gradients",
}  # fmt: skip
"""Pages that programs write as a whole, and that of the past: they tell where their figures are from."""
FIGURE = re.compile(
    r"(?<![\w.])\d[\d .,]*(?:µs|ms|ns|kB|MB|MiB|GB|s\b|seconds|minutes|times as|%| nodes deep| million)|"
    r"\b(?:millionths|(?:a|two) (?:third|fourth|fifth|tenth)s? of (?:a|the)|half a minute)\b"
)


def text_of(page):
    """The words of a page without its code and what programs write there, in one line."""
    whole = (ROOT / page).read_text(encoding="utf-8")
    whole = re.sub(r"(?ms)^```.*?^```$", "", whole)
    whole = re.sub(r"(?s)<!-- [^>]* -->\n.*?<!-- end -->", "", whole)
    return " ".join(whole.split())


def without_a_claim(page):
    """Figures of a page that no claim's words hold."""
    text, spans = text_of(page).replace(row_of_readme(), ""), []
    for words, *_ in CLAIMS.get(page, ()):
        spans += [match.span() for match in re.finditer(re.escape(" ".join(words.split())), text)]
    return [
        text[max(0, found.start() - 40) : found.end() + 20]
        for found in FIGURE.finditer(text)
        if not any(a <= found.start() and found.end() <= b for a, b in spans)
    ]


def tests_of(shown):
    """The file and, where one is named, the function of tests that show a claim."""
    file, _, function = shown.partition("::")
    return file, function


def line_of(shown):
    """The cells of a table's line: `docs/page.md > part of a heading > first cell`."""
    page, heading, first = shown.split(" > ")
    _, *parts = re.split(r"(?m)^#+ ", (ROOT / page).read_text(encoding="utf-8"))
    for part in parts:
        if heading in part.partition("\n")[0]:
            rows = [
                [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"
            ]
            for number, row in enumerate(rows):
                if row[0] == first:
                    heads = next(rows[i - 1] for i in range(number, 0, -1) if set("".join(rows[i])) <= set("-: "))
                    return ", ".join(f"{head} {cell}".strip() for head, cell in zip(heads[1:], row[1:], strict=True))
    raise LookupError(f"{page} has no line {first!r} below {heading!r}")


ROW = "| moons demo, one training step |"
"""Of README's comparison: its cells are those of docs/performance.md, to two digits."""


def row_of_readme():
    """README's line of times, as docs/performance.md has them."""
    engines = "scalargrad, not compiled", "scalargrad", "micrograd", "PyTorch eager, 1 thread", "JAX jit"
    eager, compiled, *others = (
        _shown(line_of(f"docs/performance.md > W1: moons training step > {one}")) for one in engines
    )
    micrograd, torch, jax = others
    return f"{ROW} {eager}; compiled {compiled} | {micrograd} | {torch} | {jax}, jitted |"


def _shown(line):
    """The time at the beginning of a benchmark's line, to two digits: `µs 20 900, ...` is 21 ms."""
    x = float(re.match(r"µs ([\d. ]+)", line)[1].replace(" ", ""))
    return f"{float(f'{x:.2g}'):g} µs" if x < 995 else f"{float(f'{x / 1000:.2g}'):g} ms"


def write_row_of_readme():
    path = ROOT / "README.md"
    text = re.sub(rf"(?m)^{re.escape(ROW)}.*$", lambda _: row_of_readme(), path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def counted(report):
    """How each test of pytest's report came out: (file, function) to a Counter."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  (it is our own)
        parts = case.get("classname").split(".")
        length = next(
            (n for n in range(len(parts), 0, -1) if (ROOT / Path(*parts[:n])).with_suffix(".py").is_file()), 0
        )
        file = Path(*parts[:length]).with_suffix(".py").as_posix() if length else ""
        outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        for function in ("", case.get("name").partition("[")[0]):
            found.setdefault((file, function), Counter())[outcome] += 1
    return found


def printed(shown, outcomes):
    """What it printed, in a few words."""
    if shown.startswith("tests/"):
        outcome = outcomes.get(tests_of(shown), Counter())
        told = ", ".join(f"{n} {word}" for word, n in sorted(outcome.items())) or "not run"
        return told.replace("failure", "FAILED").replace("error", "ERROR")
    if " > " in shown:
        return line_of(shown)
    start = time.perf_counter()
    command = [sys.executable if part == "python" else part for part in shlex.split(shown)]
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin", "HOME": folder}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    last = (done.stdout.strip().splitlines() or [""])[-1].strip().replace(sys.executable, "python")  # on any machine
    return f"{last[:100]} (status {done.returncode}, {time.perf_counter() - start:.1f} s)"


def _quoted(words):
    """A page's words without its links and cells."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(words.split()).strip("| "))


def page_text(outcomes=None):
    """The page; without outcomes what shows each claim."""
    lines = [HEAD.format(printed="" if outcomes is None else PRINTED)]
    for page, claims in CLAIMS.items():
        link = "../README.md" if page == "README.md" else page.removeprefix("docs/")
        heads = ["what it says", "what shows it", *([] if outcomes is None else ["what that printed"])]
        lines += [f"## [{page}]({link})", "", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
        for words, *by in claims:
            cells = [[_quoted(words)], [f"`{one}`" for one in by]]
            if outcomes is not None:
                cells.append([printed(one, outcomes) for one in by])
            lines.append(f"| {' | '.join('<br>'.join(cell).replace('|', chr(92) + '|') for cell in cells)} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments):
    """Run what is named, write the page: 1 if something failed."""
    write_row_of_readme()
    if arguments == ["--list"]:
        PAGE.write_text(page_text(), encoding="utf-8")
    if arguments in (["--readme"], ["--list"]):
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = Path(arguments[0]) if arguments else Path(folder, "results.xml")
        if not arguments:
            named = {
                tests_of(one)[0] for claims in CLAIMS.values() for _, *by in claims for one in by if "tests/" in one[:6]
            }
            command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *sorted(named)]
            subprocess.run(command, cwd=ROOT, check=False)
        text = page_text(counted(report))
    PAGE.write_text(text, encoding="utf-8")
    print(f"wrote {PAGE}")
    bad = [line for line in text.splitlines() if re.search(r"FAILED|ERROR|not run|\(status [1-9]", line)]
    print(*bad, sep="\n")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
