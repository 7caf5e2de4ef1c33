"""Compiles the engine's plain case when the package is installed or a wheel of it is made: a build hook for hatchling.

Without a C compiler, with SCALARGRAD_PURE set, or for a Python whose objects are others than the code's, nothing is
compiled, and the package runs as it stands in Python.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # it is there while a wheel is built; at other times this file is only looked at
    BuildHookInterface = dict  # type: ignore[assignment,misc]

HERE = Path("scalargrad") / "in_c"
UNIX = ["-O2", "-ffp-contract=off", "-fno-fast-math"]
EXACT = {"unix": UNIX, "mingw32": UNIX, "msvc": ["/O2", "/fp:strict"]}
"""For each kind of compiler what keeps a product and a sum two roundings, as in Python, whatever CFLAGS says."""


class Hook(BuildHookInterface[Any]):
    """Adds the compiled module to a wheel, or puts it beside its source if the checkout itself is installed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        root = Path(self.root)
        if os.environ.get("SCALARGRAD_PURE") or self.target_name != "wheel" or not objects_are_known():
            return
        self.temporary = "" if version == "editable" else tempfile.mkdtemp()
        made = compiled(root, Path(self.temporary) if self.temporary else root / HERE)
        if made is not None and version != "editable":
            build_data["force_include"][str(made)] = (HERE / made.name).as_posix()
            build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Called by hatchling after it has built."""
        if folder := getattr(self, "temporary", ""):
            shutil.rmtree(folder, ignore_errors=True)


def objects_are_known() -> bool:
    """Whether this Python's objects are those that engine.c reads: CPython's, of 64 bits, under its lock."""
    wide = sys.maxsize > 2**32 and sys.platform not in ("emscripten", "wasi")
    return sys.implementation.name == "cpython" and wide and not sysconfig.get_config_var("Py_GIL_DISABLED")


def compiled(root: Path, folder: Path) -> Path | None:
    """The module, compiled into this folder; None where that cannot be done."""
    try:
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext
    except ImportError:
        return None

    class Exact(build_ext):  # type: ignore[misc]  # setuptools has no types here
        def build_extension(self, ext: Extension) -> None:
            ext.extra_compile_args = EXACT.get(self.compiler.compiler_type, [])
            super().build_extension(ext)

    name = "scalargrad.in_c._engine"
    source = os.path.relpath(root / HERE / "engine.c")
    rules = str(root / HERE / "rules.h")
    code = hashlib.blake2b(digest_size=8)  # as __init__.py asks for it; the package is not there yet to be asked
    for part in ("engine.c", "rules.h"):
        code.update((root / HERE / part).read_bytes())
    extension = Extension(name, [source], depends=[rules], define_macros=[("SOURCE", f'"{code.hexdigest()}"')])
    distribution = Distribution({"name": "scalargrad", "ext_modules": [extension]})
    with tempfile.TemporaryDirectory() as objects:
        command = Exact(distribution)
        command.build_temp, command.build_lib, command.force = objects, objects, True
        command.ensure_finalized()
        try:
            command.run()
            made = Path(command.get_ext_fullpath(name))
            target = folder / made.name
            # In place, this would end whatever runs the module that is there; Windows refuses to replace one.
            new = shutil.copy(made, target.with_suffix(".new"))
            os.replace(new, target)
        except Exception:  # whatever a compiler or its absence does, the package is whole without
            return None
    return target
