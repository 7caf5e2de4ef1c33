"""The Python backend: straight-line functions of the interpreter's own."""

from scalargrad.compiling.python.code import KEEPS, BatchRunner, single, unknown_primitives

__all__ = ["KEEPS", "BatchRunner", "single", "unknown_primitives"]
