"""The WebAssembly backend, for Pyodide: a program as a module that the browser compiles, on Python's own memory.

library.py loads modules and links them with Python's memory and its C library, so that exp, tanh and their like are the
functions that eager code calls. binary.py writes a module's bytes, from bytes or from text as in assembling.py;
primitives.py has the instructions of each op, helpers.py the functions that C has otherwise than Python.

A program for one point is straight.py, for batches batch.py, one sample a lane; lists.py reads samples. stepping.py
joins such a program with an optimizer's rule to one call for a whole training step. Memory, rooms and the training
itself are those of llvm/.
"""

from scalargrad.compiling.llvm.bound import Bound
from scalargrad.compiling.wasm.batch import BatchRunner, InMemory
from scalargrad.compiling.wasm.library import available
from scalargrad.compiling.wasm.lists import reader
from scalargrad.compiling.wasm.primitives import unknown_primitives
from scalargrad.compiling.wasm.straight import Single as single  # noqa: N813  (every backend offers what backends.py says)

__all__ = ["BatchRunner", "Bound", "InMemory", "available", "reader", "single", "unknown_primitives"]
