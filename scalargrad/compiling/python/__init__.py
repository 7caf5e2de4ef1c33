"""The Python backend: straight-line functions of the interpreter's own."""

from scalargrad.compiling.python.code import BatchRunner, single, unknown_primitives

__all__ = ["BatchRunner", "single", "unknown_primitives"]
