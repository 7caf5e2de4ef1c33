"""The wasm backend where Python runs in no browser: its modules run by wasmtime, with the C library of this Python.

Numbers are copied into the memory of a module and back; trainings in compiled memory are left to Pyodide.
"""

import ctypes
import ctypes.util
import struct
import sys

import pytest
from optional import need, optional

from scalargrad.compiling import wasm
from scalargrad.compiling.tape import INPUT, PARAMETER, count_of
from scalargrad.compiling.wasm import batch, straight
from scalargrad.compiling.wasm.primitives import library_functions

wasmtime = optional("wasmtime")
_TYPES = {"d": ctypes.c_double, "i": ctypes.c_int}


def _of_c(name, signature):
    """The type of a function of the C library as wasmtime writes it, and the function."""
    arguments, results = signature.split(">")
    function = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    function.argtypes, function.restype = [_TYPES[kind] for kind in arguments], _TYPES[results]
    kinds = {"d": wasmtime.ValType.f64(), "i": wasmtime.ValType.i32()}
    return wasmtime.FuncType([kinds[kind] for kind in arguments], [kinds[kind] for kind in results]), function


class Loaded:
    """The functions of a module on a memory of its own, which is handed out from 0 on: `of["run"](address, ...)`."""

    def __init__(self, binary):
        self._store = wasmtime.Store()
        module = wasmtime.Module(self._store.engine, binary)
        self._memory = wasmtime.Memory(self._store, wasmtime.MemoryType(wasmtime.Limits(64, None)))
        signatures = library_functions()
        imports = [
            self._memory if one.name == "memory" else wasmtime.Func(self._store, *_of_c(one.name, signatures[one.name]))
            for one in module.imports
        ]
        self._exports = wasmtime.Instance(self._store, module, imports).exports(self._store)
        self._free = 0

    def __getitem__(self, name):
        function = self._exports[name]
        return lambda *arguments: function(self._store, *arguments)

    def doubles(self, numbers):
        """The address of these numbers."""
        return self._put(struct.pack(f"<{len(numbers)}d", *numbers))

    def table(self, addresses):
        """The address of these addresses."""
        return self._put(struct.pack(f"<{len(addresses)}I", *addresses))

    def _put(self, data):
        at, self._free = self._free, self._free + -(-len(data) // 16) * 16 + 16
        missing = self._free - self._memory.data_len(self._store)
        if missing > 0:
            self._memory.grow(self._store, missing // 65536 + 1)
        self._memory.write(self._store, data, at)
        return at

    def read(self, address, count):
        """So many numbers at an address."""
        return list(struct.unpack(f"<{count}d", self._memory.read(self._store, address, address + 8 * count)))


def single(code, outputs, primal=None):
    """As `wasm.single`."""
    binary, memory = straight.written(code, outputs)
    one = Loaded(binary)
    places = [one.doubles([0.0] * n) for n in (memory, len(outputs))]
    sizes = count_of(code, PARAMETER), count_of(code, INPUT)
    start = one._free

    def run(parameters, inputs):
        one._free = start
        given = [one.doubles(numbers[:n]) for numbers, n in zip((parameters, inputs), sizes, strict=True)]
        one["run"](given[1], given[0], *places)
        return one.read(places[1], len(outputs))

    return run


class BatchRunner:
    """As `wasm.BatchRunner`."""

    def __init__(self, code, sums, columns, widths):
        binary, self._uniform, self._memory = batch.written(code, sums, columns, widths)
        self._sums, self._columns, self._parameters = len(sums), len(columns), count_of(code, PARAMETER)
        self._module = Loaded(binary)

    def run(self, samples, n, parameters, mean):
        one, width = self._module, batch.WIDTH
        one._free = 0
        arguments = one.table([one.doubles(list(argument.numbers())) for argument in samples])
        columns = [one.doubles([0.0] * (n + width)) for _ in range(self._columns)]
        uniform, memory, full, tail, out = (
            one.doubles([0.0] * size)
            for size in (self._uniform, self._memory, width * self._sums, width * self._sums, self._sums)
        )
        given = one.doubles(list(parameters)[: self._parameters])
        table = one.table(columns)
        one["begin"](given, uniform, memory)
        one["tiles"](arguments, 0, n, n, given, uniform, memory, full, tail, table)
        divisor, factor = (float(n), 1.0) if mean else (1.0, float(n))
        one["finish"](full, 1, tail, n % width, uniform, out, self._sums, divisor, factor)
        return one.read(out, self._sums), [one.read(column, n) for column in columns]


@pytest.fixture
def in_wasm(monkeypatch):
    """backend="wasm" in the browser, or by wasmtime."""
    if sys.platform == "emscripten":
        assert wasm.available()
        return
    need(wasmtime)
    monkeypatch.setattr(wasm, "available", lambda: True)
    monkeypatch.setattr(wasm, "single", single)
    monkeypatch.setattr(wasm, "BatchRunner", BatchRunner)
    monkeypatch.delattr(wasm, "InMemory")
