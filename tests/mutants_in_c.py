"""Does the suite notice when the engine in C is wrong? Each small change of engine.c, compiled and tested by itself.

    python tests/mutants_in_c.py [--workers 2] [--sample 100] [--all] [--only 12 57]

A change is an operator, a number, a reference too many or too few, a statement that is left out; what does not compile
is no mutant. Each worker has a copy of the package and the tests, compiles, and runs TESTS until the first failure; a
crash and a loop that never ends are failures. Survivors are printed with their line; the part of docs/mutants.md about
the engine in C, which this writes, lists them with the reasons kept in REASONS. The sample is drawn at random, the same
each time. rules.h needs none of this: a test compares it with what the op table writes.
"""

import argparse
import os
import random
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from mutants import IN_C, copied, part, ran, tests_pass, write

SOURCE = Path("scalargrad", "in_c", "engine.c")
TESTS = (
    "tests/in_c/test_runs_in_c.py", "tests/in_c/test_plain_case.py", "tests/in_c/test_rules.py",
    "tests/in_c/test_memory.py", "tests/engine/test_backward.py", "tests/engine/test_hooks.py",
    "tests/engine/test_gradients_that_are_values.py", "tests/node/test_data_slot.py", "tests/node/test_no_grad.py",
    "tests/nn/test_modules.py",
)  # fmt: skip
SAMPLE = 100

COMMENT_TEXT_OR_COMMAND = re.compile(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|^#.*?(?<!\\)$', re.DOTALL | re.MULTILINE)
CHANGES = (
    (r"==", "!="), (r"!=", "=="), (r"<=", "<"), (r"(?<!-)>=", ">"), (r" < ", " <= "), (r" > ", " >= "),
    (r"&&", "||"), (r"\|\|", "&&"), (r"(?<=[\w)\]]) \+ (?=[\w(])", " - "), (r"(?<=[\w)\]]) - (?=[\w(])", " + "),
    (r"\+=", "-="), (r"\+\+", "--"), (r"(?<=[\w)\]]) \* (?=[\w(])", " + "), (r"(?<!\.)\b0\b(?!\.)", "1"), (r"(?<!\.)\b1\b(?!\.)", "0"),
    (r"\b0\.0\b", "1.0"), (r"\b1\.0\b", "2.0"), (r"!(?=[\w(*])", ""), (r"\bPy_(?:X?NewRef)(?=\()", ""),
    (r"(?m)^ +(?:[\w.>\[\]()*-]+ [-+|]?= |\w+\()[^;{}\n]*;$", ""), (r"\bPy_X?(?:DE|IN)CREF\([^;\n]*?\)(?=[;,])", "(void)0"),
    (r"\bcontinue;", ";"),
)  # fmt: skip
"""(what stands there, what is put in its place)."""

# (part of the changed line, why no test can or need see it)
REASONS: tuple[tuple[str, str], ...] = ()


def mutants():
    """Each change of the file: (the changed source, its line, before, after)."""
    source = SOURCE_TEXT
    left_alone = [match.span() for match in COMMENT_TEXT_OR_COMMAND.finditer(source)]
    found = {}
    for pattern, put in CHANGES:
        for match in re.finditer(pattern, source):
            start, end = match.span()
            if any(start < stop and begin < end for begin, stop in left_alone):
                continue
            changed = source[:start] + put + source[end:]
            line = source.count("\n", 0, start + len(match[0]) - len(match[0].lstrip())) + 1
            before = source.splitlines()[line - 1].strip()
            found[changed] = (line, before, changed.splitlines()[line - 1].strip())
    return [(changed, *where) for changed, where in sorted(found.items(), key=lambda one: one[1])]


SOURCE_TEXT = (Path(__file__).parents[1] / SOURCE).read_text(encoding="utf-8")
COMPILE = """
from pathlib import Path
from scalargrad.in_c.building import compiled
import sys
sys.exit(compiled(Path("."), Path("scalargrad", "in_c")) is None)
"""
LOAD = "import scalargrad.in_c as c, sys; sys.exit(c._engine is None)"


def passes(folder):
    """Whether all tests pass in this copy, the engine compiled from its source: None if it does not compile."""
    for old in (folder / SOURCE).parent.glob("_engine.*"):
        old.unlink()
    if not ran(folder, "-c", COMPILE):
        return None
    return ran(folder, "-c", LOAD) and tests_pass(folder, TESTS)


def run(todo, workers):
    """Of these mutants those that compile, and those that survive."""
    folders = Queue()
    with tempfile.TemporaryDirectory() as top:
        for i in range(workers):
            folders.put(folder := Path(top) / str(i))
            copied(folder)
        if not passes(folder):
            raise SystemExit(f"the tests fail without any change: python -m pytest {' '.join(TESTS)}")

        def check(numbered):
            number, mutant = numbered
            folder = folders.get()
            try:
                (folder / SOURCE).write_text(mutant[0], encoding="utf-8")
                passed = passes(folder)
            finally:
                folders.put(folder)
            print({True: "", False: ".", None: "-"}[passed], end="", flush=True)
            if passed:
                print(f"\nSURVIVED {number}, line {mutant[1]}\n  - {mutant[2]}\n  + {mutant[3]}", flush=True)
            return passed

        with ThreadPoolExecutor(workers) as pool:
            passed = list(pool.map(check, todo))
    compiled = [(mutant, alive) for (_, mutant), alive in zip(todo, passed, strict=True) if alive is not None]
    return compiled, [mutant for mutant, alive in compiled if alive]


def reason(mutant):
    """Why a survivor is no gap in the tests; empty if nobody has said."""
    return next((why for part, why in REASONS if part in f"{mutant[2]} -> {mutant[3]}"), "")


def part_on_c(compiled, survivors, count):
    """The result as a part of docs/mutants.md."""
    head = [
        IN_C, "",
        f"Small changes of engine.c, each compiled and run: {len(compiled)} that compile, drawn from the {count} that",
        "`python tests/mutants_in_c.py` can make. It writes this part of the page.",
    ]  # fmt: skip
    return part(head, compiled, [(f"line {mutant[1]}", *mutant[2:], reason(mutant)) for mutant in survivors])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sample", type=int, default=SAMPLE, help=f"try so many of them ({SAMPLE})")
    parser.add_argument("--all", action="store_true", help="try all of them")
    parser.add_argument("--only", type=int, nargs="+", metavar="NUMBER", help="try these, and write nothing")
    options = parser.parse_args()
    everything = list(enumerate(mutants()))
    chosen = options.only or random.Random(0).sample(range(len(everything)), min(options.sample, len(everything)))
    tried, left = run([one for one in everything if options.all or one[0] in chosen], options.workers)
    print(f"{len(tried) - len(left)} of {len(tried)} noticed, {len(left)} survived")
    if not options.only:
        write(in_c=part_on_c(tried, left, len(everything)))
