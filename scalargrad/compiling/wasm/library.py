"""Modules loaded into the browser that runs Python, on the memory and with the C library of Python itself.

Pyodide is such a Python: its memory is one that WebAssembly modules can share, and it hands out the functions of the C
library that it was linked with. (V8's own tanh and exp differ from them in the last bit, for 1 number in 20.)
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any

from scalargrad.compiling.wasm.primitives import library_functions

Exports = Mapping[str, Callable[..., Any]]


def available() -> bool:
    """Whether Python runs in WebAssembly, and what the backend needs of it is there."""
    return sys.platform == "emscripten" and _surroundings() is not None


@functools.cache
def _surroundings() -> Any:
    """The object that modules import from, with the memory and the functions; None where that is not to be had."""
    try:
        import js
        import pyodide_js

        program = pyodide_js._module
        main = js.Reflect.get(program.LDSO.loadedLibsByName, "__main__")
        env = js.Object.new()
        env.memory = main.exports.memory
        for name in library_functions():
            setattr(env, name, getattr(program, f"_{name}"))
    except (ImportError, AttributeError):
        return None
    return env if js.WebAssembly.Memory.prototype.isPrototypeOf(env.memory) else None


def loaded(binary: bytes, **others: Callable[..., Any]) -> Exports:
    """The functions that a module exports.

    Args:
        binary: the module.
        others: functions of other modules that it imports.

    Raises:
        ValueError: if the browser does not take it, as a very long one outside of a worker.
    """
    return _exported(_compiled(binary), others)


@functools.lru_cache(maxsize=64)
def _compiled(binary: bytes) -> Any:
    """The module compiled, once while it is in use."""
    import js
    from pyodide.ffi import JsException, to_js

    try:
        return js.WebAssembly.Module.new(to_js(binary))
    except JsException as error:
        raise ValueError(
            f"the browser does not compile this program, a module of {len(binary)} bytes: {error}. Outside of a worker "
            "browsers take small modules only; run Python in a worker, or choose backend='python'"
        ) from None


def _exported(compiled: Any, others: Mapping[str, Callable[..., Any]]) -> Exports:
    import js

    env = js.Object.assign(js.Object.new(), _surroundings())
    for name, function in others.items():
        setattr(env, name, function)
    imports = js.Object.new()
    imports.env = env
    exports = js.WebAssembly.Instance.new(compiled, imports).exports
    return {name: getattr(exports, name) for name in js.Object.keys(exports)}
