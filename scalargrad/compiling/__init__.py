"""Compiling: a graph recorded once and replayed as straight-line code, machine code or a JAX function.

From Values to a tape (recording.py), gradients as further instructions (gradient.py), simplified and lowered to a few
primitives (lowering.py), run by a backend (backends.py).
"""

from scalargrad.compiling.compiled import Compiled, compile
from scalargrad.compiling.llvm.library import MissingExtraError
from scalargrad.compiling.program import Program, record
from scalargrad.compiling.replay import replay
from scalargrad.compiling.training import Training
from scalargrad.compiling.watching import BranchError

__all__ = [
    "BranchError", "Compiled", "MissingExtraError", "Program", "Training", "compile", "record", "replay",
]  # fmt: skip
