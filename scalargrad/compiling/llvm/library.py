"""Machine code from LLVM's language, kept for as long as something uses it."""

from __future__ import annotations

import functools
import itertools
import threading
from typing import Any

_lock = threading.Lock()
_numbers = itertools.count()


class MissingExtraError(ImportError):
    """A backend needs a package that is not installed."""


@functools.cache
def _binding() -> Any:
    try:
        from llvmlite import binding
    except ImportError:
        raise MissingExtraError(
            "the llvm backend needs llvmlite: pip install 'scalargrad[fast]', or choose backend='python'"
        ) from None
    with _lock:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
    return binding


@functools.cache
def _compiler(effort: int) -> Any:
    binding = _binding()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=effort, jit=True
    )
    return binding.create_lljit_compiler(machine)


def available() -> bool:
    """Whether llvmlite is installed."""
    try:
        _binding()
    except MissingExtraError:
        return False
    return True


@functools.cache
def lanes() -> int:
    """How many doubles the processor works on at once."""
    features = _binding().get_host_cpu_features()
    return 8 if features.get("avx512f") else 4 if features.get("avx2") else 2


@functools.cache
def fuses() -> bool:
    """Whether the processor multiplies and adds in one instruction."""
    return bool(_binding().get_host_cpu_features().get("fma"))


class Machinery:
    """Compiled functions.

    Args:
        text: a module in LLVM's language.
        names: the functions to be called from outside.
        effort: LLVM's level of code generation, 0 to 3: more effort, better registers.
    """

    def __init__(self, text: str, names: list[str], effort: int) -> None:
        builder = _binding().JITLibraryBuilder().add_ir(text).add_current_process()
        for name in names:
            builder = builder.export_symbol(name)
        with _lock:
            self._tracker = builder.link(_compiler(effort), f"scalargrad_{next(_numbers)}")
        self.addresses = {name: self._tracker[name] for name in names}
