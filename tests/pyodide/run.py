"""The tests in Pyodide, Python in WebAssembly, under Node: python tests/pyodide/run.py [argument of pytest ...]

Builds the wheel of this checkout, fetches Pyodide with npm and what the tests import with pip into a temporary folder,
and runs the tests there without a network.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
PYODIDE = "314.0.7"  # its first part is the version of Python
NEEDED = ("graphviz", "pytest", "hypothesis", "mpmath")
# The tests of what a page can use; the others are about processes, files, browsers, notebooks or compiled code.
CORE = (
    "engine/backward engine/properties table/ops table/hard_points functional/transforms words/formula words/staged "
    "checking/strategies checking/gradients checking/check_op circuit/circuit circuit/layers "
    "nn/modules nn/losses nn/optimizers nn/saving tracing/steps tracing/stepper_page drawing/cards drawing/files "
    "compiling/one_point compiling/python compiling/replay"
).split()


def run(*command, **options):
    """Run a program that must succeed; on Windows npm is a script, which only its full name starts."""
    program = shutil.which(command[0]) or sys.exit(
        f"{command[0]} is not installed: the tests in Pyodide need Node and npm"
    )
    return subprocess.run([program, *map(str, command[1:])], check=True, **options)


def prepare(folder):
    """Fill a folder with Pyodide and the wheels: the folders of both."""
    run("npm", "install", "--silent", "--no-save", "--prefix", folder, f"pyodide@{PYODIDE}")
    pyodide, wheels = folder / "node_modules" / "pyodide", folder / "wheels"
    lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    major, minor = lock["python"].split(".")[:2]
    python = [f"--python-version={major}.{minor}", "--implementation=cp"]
    python += [f"--abi={abi}" for abi in (f"cp{major}{minor}", "abi3", "none")]
    python += [f"--platform={tag}" for tag in (f"pyemscripten_{lock['abi_version']}_wasm32", "any")]
    pip = (sys.executable, "-m", "pip")
    run(*pip, "download", "-q", "--only-binary=:all:", *python, "-d", wheels, *NEEDED)
    run(*pip, "wheel", "-q", "--no-deps", "-w", wheels, CHECKOUT)
    return pyodide, wheels


def main(options):
    """Run pytest with these options: its exit status."""
    with tempfile.TemporaryDirectory() as temporary:
        pyodide, wheels = prepare(Path(temporary))
        return subprocess.run(
            [shutil.which("node"), HERE / "run.mjs", pyodide, wheels, CHECKOUT, *options], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [f"tests/{name.replace('/', '/test_')}.py" for name in CORE]))
