"""The tests in Pyodide, Python in WebAssembly, under Node: python tests/pyodide/run.py [argument of pytest ...]

Builds the wheel of this checkout, fetches Pyodide with npm and what the tests import with pip, and runs the tests there
without a network.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path.insert(0, str(CHECKOUT / "docs" / "_extensions"))
from scalargrad_docs import pyodide  # noqa: E402

NEEDED = (*pyodide.DISTRIBUTIONS, "pytest", "hypothesis", "mpmath")
# The tests of what a page can use; the others are about processes, files, browsers, notebooks or compiled code.
CORE = (
    "engine/backward engine/properties table/ops table/hard_points functional/transforms words/formula words/staged "
    "checking/strategies checking/gradients checking/check_op circuit/circuit circuit/layers "
    "nn/modules nn/losses nn/optimizers nn/saving tracing/steps tracing/stepper_page drawing/cards drawing/files "
    "compiling/one_point compiling/python compiling/replay compiling/wasm"
).split()


def run(*command, **options):
    """Run a program that must succeed."""
    subprocess.run(list(map(str, command)), check=True, **options)


def prepare(wheels):
    """Fetch Pyodide, and fill a folder with the wheels."""
    lock = json.loads((pyodide.fetch() / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    major, minor = lock["python"].split(".")[:2]
    python = [f"--python-version={major}.{minor}", "--implementation=cp"]
    python += [f"--abi={abi}" for abi in (f"cp{major}{minor}", "abi3", "none")]
    python += [f"--platform={tag}" for tag in (f"pyemscripten_{lock['abi_version']}_wasm32", "any")]
    pip = (sys.executable, "-m", "pip")
    run(*pip, "download", "-q", "--only-binary=:all:", *python, "-d", wheels, *NEEDED)
    run(*pip, "wheel", "-q", "--no-deps", "-w", wheels, CHECKOUT, env={**os.environ, "SCALARGRAD_PURE": "1"})


def main(options):
    """Run pytest with these options: its exit status."""
    node = shutil.which("node") or sys.exit("node is not installed: the tests in Pyodide need Node and npm")
    with tempfile.TemporaryDirectory() as wheels:
        prepare(Path(wheels))
        command = [node, HERE / "run.mjs", pyodide.place(), wheels, CHECKOUT, *options]
        return subprocess.run(list(map(str, command)), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [f"tests/{name.replace('/', '/test_')}.py" for name in CORE]))
