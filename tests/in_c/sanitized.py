"""The tests of the engine with the C code under AddressSanitizer: python tests/in_c/sanitized.py [what pytest is to run].

Needs gcc with its libasan. The package is copied and compiled with `-fsanitize=address,undefined`, with Python's objects
from malloc, so that each has a fence of its own. An access outside an object, or to one that is freed, ends the tests;
at the end of many graphs and errors, what engine.c took and nobody can reach is counted.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
GCC = shutil.which("gcc") or sys.exit("there is no gcc here")
TESTS = ["tests/in_c", "tests/engine", "tests/node"]
# Not those that are about the shared module as it is installed, or about memory as it is without fences.
LEFT_OUT = "not test_building and not stay_what_they_were and not sub_interpreter"
LEAKS = "import test_memory; test_memory.graphs(1000); print(test_memory.sg.engine_in_c)"


def compiled(folder):
    """The module, beside its source in this copy of the checkout."""
    here = folder / "scalargrad" / "in_c"
    code = hashlib.blake2b(digest_size=8)
    for name in ("engine.c", "rules.h"):
        code.update((here / name).read_bytes())
    for old in here.glob("_engine*"):
        old.unlink()
    target = here / f"_engine{sysconfig.get_config_var('EXT_SUFFIX')}"
    flags = ["-g", "-O1", "-fno-omit-frame-pointer", "-ffp-contract=off", "-shared", "-fPIC", "-w"]
    checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", f'-DSOURCE="{code.hexdigest()}"']
    include = f"-I{sysconfig.get_paths()['include']}"
    subprocess.run([GCC, *flags, *checks, include, str(here / "engine.c"), "-o", str(target)], check=True)


def library(name):
    return subprocess.run([GCC, f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()


def leaks(report):
    """How much of what was lost came out of engine.c: one line for each place."""
    found = []
    for block in re.split(r"\n\n", report):
        lost = re.match(r"\s*(Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object", block)
        place = re.search(r"in (\w+) \S*engine\.c:(\d+)", block)
        if lost and place:
            found.append(f"{lost[1]}: {lost[3]} objects, {lost[2]} bytes, by {place[1]}, line {place[2]}")
    return found


def main():
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", "node_modules"))
        compiled(copy)
        environment = {
            **os.environ, "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}", "PYTHONMALLOC": "malloc",
            "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "tests/shared"), str(copy / "tests/in_c")]),
            "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0",
        }  # fmt: skip
        said = subprocess.run(
            [sys.executable, "-c", LEAKS], cwd=copy, capture_output=True, text=True, check=False,
            env={**environment, "ASAN_OPTIONS": "detect_leaks=1:fast_unwind_on_malloc=0:malloc_context_size=12"},
        )  # fmt: skip
        if said.stdout.strip() != "True":
            sys.exit(f"the module that was compiled is not used:\n{said.stdout}{said.stderr[-3000:]}")
        found = leaks(said.stderr)
        everywhere = len(re.findall("leak of", said.stderr))
        print(
            f"lost by engine.c in 1000 graphs: {len(found)} places (by Python and other modules at exit: {everywhere})"
        )
        print("\n".join(found))
        what = sys.argv[1:] or [*TESTS, "-k", LEFT_OUT]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *what]
        tests = subprocess.run(command, cwd=copy, env=environment, check=False)
    sys.exit(bool(found) or tests.returncode)


if __name__ == "__main__":
    main()
