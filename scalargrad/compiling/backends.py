"""Which backend runs a program.

`auto` is llvm where llvmlite is installed and knows every op of the program, else python. llvm takes 0.1 to 0.4 s to
compile a program of thousands of instructions, python a tenth of that; llvm then is 20 to 1 000 times as fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.tape import SOURCES, Instruction, row
from scalargrad.support.arguments import brief

BACKENDS = ("python", "llvm", "jax")
"""Each is a folder beside this file, whose `__init__` names its `single`, which makes a Run, and its `BatchRunner`."""

Run = Callable[[Sequence[float], Sequence[float]], list[float]]
"""run(parameters, inputs) -> a number for each output."""
Sum = tuple[int | None, int | None]
"""A sum over the batch: a slot that differs from sample to sample, and one that does not: it counts once in a mean."""


def check_backend(name: str) -> None:
    """Raise ValueError if there is no backend of this name."""
    if name not in (*BACKENDS, "auto"):
        raise ValueError(f"there is no backend {brief(name)}; choose one of auto, {', '.join(BACKENDS)}")


def backend(name: str, code: Sequence[Instruction]) -> Any:
    """The module of this name, or the best for this program.

    Raises:
        ValueError: if there is none of this name, or it cannot compute an op of the program.
        MissingExtraError: if it needs a package that is not installed.
    """
    check_backend(name)
    unknown = {row(i[0]).name for i in code if i[0] not in SOURCES and i[0] not in PRIMITIVE}
    if name == "auto":
        name = "llvm" if not unknown and _module("llvm").available() else "python"
    if unknown and name != "python":
        raise ValueError(
            f"the {name} backend cannot compute {', '.join(sorted(unknown))}, which was added with @primitive: "
            "use backend='python', or give it lowered=, its value by scalargrad's functions"
        )
    return _module(name)


def _module(name: str) -> Any:
    return import_module(f"scalargrad.compiling.{name}")
