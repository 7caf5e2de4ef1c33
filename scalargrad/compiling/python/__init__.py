"""The Python backend: straight-line functions of the interpreter's own."""

from scalargrad.compiling.python.code import BatchRunner, single

__all__ = ["BatchRunner", "single"]
