"""The processor that machine code is written for: this machine's, or an older one of the same kind."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

VARIABLE = "SCALARGRAD_CPU"
"""The environment's name for an older processor; read once per process. "native" or nothing is this machine's."""
OLDER: dict[str, tuple[str, ...]] = {
    "x86-64": ("sse2",),
    "x86-64-v3": ("sse2", "avx", "avx2", "fma", "bmi", "bmi2", "f16c", "lzcnt", "movbe"),
}
"""By LLVM's names, each with the features that the machine must have to run its code."""


class Processor(NamedTuple):
    """What LLVM is told of a processor.

    Attributes:
        name: its name.
        features: what it has beside what the name says, as LLVM wants it written.
        lanes: how many doubles it works on at once.
        fuses: whether it multiplies and adds in one instruction.
    """

    name: str
    features: str
    lanes: int
    fuses: bool


def processor(binding: Any) -> Processor:
    """The one to write code for.

    Args:
        binding: llvmlite's.

    Raises:
        ValueError: if the environment names one that this machine is not, or none that is known.
    """
    asked = os.environ.get(VARIABLE) or "native"
    features: Mapping[str, bool] = binding.get_host_cpu_features()
    if asked == "native":
        has = {name for name, there in features.items() if there}
        return Processor(binding.get_host_cpu_name(), features.flatten(), _lanes(has), "fma" in has)  # type: ignore[attr-defined]
    if asked not in OLDER:
        raise ValueError(f"{VARIABLE} must be native or one of {', '.join(OLDER)}, not {asked!r}")
    missing = [name for name in OLDER[asked] if not features.get(name)]
    if missing:
        raise ValueError(
            f"{VARIABLE} is {asked}, but this machine has no {', '.join(missing)}: its code would not run here. "
            "Unset it, or set it to native"
        )
    return Processor(asked, "", _lanes(set(OLDER[asked])), "fma" in OLDER[asked])


def _lanes(features: set[str]) -> int:
    return 8 if "avx512f" in features else 4 if "avx2" in features else 2
