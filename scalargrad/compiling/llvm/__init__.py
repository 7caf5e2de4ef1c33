"""The LLVM backend (extra `fast`): straight-line code for small programs, a machine for large ones, lanes for all."""

from scalargrad.compiling.llvm.batch import Batch
from scalargrad.compiling.llvm.library import available
from scalargrad.compiling.llvm.single import Single as single  # noqa: N813  (every backend offers these two names)
from scalargrad.compiling.llvm.training import InMemory

__all__ = ["Batch", "InMemory", "available", "single"]
