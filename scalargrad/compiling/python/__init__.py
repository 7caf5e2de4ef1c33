"""The Python backend: straight-line functions of the interpreter's own."""

from scalargrad.compiling.python.code import Batch, single

__all__ = ["Batch", "single"]
