"""Machine code from LLVM's language, kept for as long as something uses it, and on disk (object_cache.py)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from scalargrad.compiling.llvm import object_cache
from scalargrad.compiling.llvm.processor import Processor, processor
from scalargrad.support.turns import Turns

Made = TypeVar("Made")
_turns = Turns()
_numbers = itertools.count()


def once(make: Callable[..., Made]) -> Callable[..., Made]:
    """A function that makes the same thing once per process and keeps it, whichever thread comes first.

    With `functools.cache` threads that come at once make one each, and all but one are forgotten: machine code would go
    while its address is in use.
    """
    kept: dict[tuple[Any, ...], Made] = {}

    @functools.wraps(make)
    def made(*args: Any) -> Made:
        if args not in kept:
            with _turns:
                if args not in kept:
                    kept[args] = make(*args)
        return kept[args]

    return made


class MissingExtraError(ImportError):
    """A backend needs a package that is not installed."""


@once
def _binding() -> Any:
    try:
        from llvmlite import binding
    except ImportError:
        raise MissingExtraError(
            "the llvm backend needs llvmlite (the extra `fast`): pip install llvmlite, or choose backend='python'"
        ) from None
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


@once
def _processor() -> Processor:
    return processor(_binding())


def _new_target(effort: int) -> Any:
    target, cpu = _binding().Target.from_default_triple(), _processor()
    return target.create_target_machine(cpu=cpu.name, features=cpu.features, opt=effort, jit=True)


@once
def _target(effort: int) -> Any:
    """What LLVM writes code for."""
    return _new_target(effort)


@once
def _linker() -> Any:
    return _binding().create_lljit_compiler(_new_target(2))  # which is its own from then on


@once
def _host() -> tuple[str, ...]:
    """Everything but its text that machine code depends on."""
    import llvmlite

    binding, cpu = _binding(), _processor()
    return (
        llvmlite.__version__, ".".join(map(str, binding.llvm_version_info)), binding.get_default_triple(), cpu.name,
        cpu.features,
    )  # fmt: skip


def _object(text: str, effort: int) -> bytes:
    """The object code of a module: the stored one, or a new one, which is stored."""
    key = object_cache.key_of(*_host(), str(effort), text)
    code = object_cache.stored(key)
    if code is None:
        module = _binding().parse_assembly(text)
        code = bytes(_target(effort).emit_object(module))
        object_cache.store(key, code)
    return code


def available() -> bool:
    """Whether llvmlite is installed."""
    try:
        _binding()
    except MissingExtraError:
        return False
    return True


@once
def lanes() -> int:
    """How many doubles the processor works on at once."""
    return _processor().lanes


@once
def fuses() -> bool:
    """Whether the processor multiplies and adds in one instruction."""
    return _processor().fuses


class Machinery:
    """Compiled functions.

    Args:
        text: a module in LLVM's language.
        names: the functions to be called from outside.
        effort: LLVM's level of code generation, 0 to 3: more effort, better registers, up to ten times as long; 0 is
            right for what only calls functions that do the work.
        calls: addresses of the functions that it calls and does not define.
    """

    def __init__(
        self, text: str, names: Sequence[str], effort: int, calls: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        with _turns:
            builder = _binding().JITLibraryBuilder().add_object_img(_object(text, effort)).add_current_process()
            for name in names:
                builder = builder.export_symbol(name)
            for name, address in calls.items():
                builder = builder.import_symbol(name, address)
            self._tracker = builder.link(_linker(), f"scalargrad_{next(_numbers)}")
        self.addresses = {name: self._tracker[name] for name in names}
