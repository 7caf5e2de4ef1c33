"""One native call for a whole training step: six calls from Python would cost as much as the step itself.

The function `step` reads what it needs from a block of 64-bit fields; compiled once per process.
"""

from __future__ import annotations

import ctypes
from typing import Any

from scalargrad.compiling.llvm.library import Machinery, once

FIELDS = [
    "begin", "tiles", "finish", "parameters", "uniform", "memory", "arguments", "n", "full", "tail", "columns", "out",
    "sums", "valid", "divisor", "factor", "update_begin", "update_tiles", "settings", "update_uniform", "update_memory",
    "read", "count", "update_full", "update_tail", "write", "found", "gradients", "gradient_bytes", "now", "next",
    "bytes", "stops_at_nan",
]  # fmt: skip
KINDS = dict.fromkeys(("n", "sums", "valid", "count", "bytes", "gradient_bytes", "stops_at_nan"), "i64")
KINDS |= {"divisor": "double", "factor": "double"}

UPDATE = "read i64_0 count count settings update_uniform update_memory update_full update_tail write"


@once
def _machinery() -> Machinery:
    lines, names = [], {}
    for i, name in enumerate(FIELDS):
        kind = KINDS.get(name, "ptr")
        names[name] = f"{kind} %{name}"
        lines += [f"  %at_{name} = getelementptr i64, ptr %block, i64 {i}", f"  %{name} = load {kind}, ptr %at_{name}"]

    def given(text: str) -> str:
        return ", ".join(names.get(word, word.replace("_", " ")) for word in text.split())

    return Machinery(f"""
define i1 @has_nan(ptr %numbers, i64 %count) {{
entry:
  %none = icmp sle i64 %count, 0
  br i1 %none, label %end, label %each
each:
  %i = phi i64 [0, %entry], [%i1, %each]
  %seen = phi i1 [false, %entry], [%now, %each]
  %p = getelementptr double, ptr %numbers, i64 %i
  %x = load double, ptr %p
  %is_nan = fcmp uno double %x, %x
  %now = or i1 %seen, %is_nan
  %i1 = add i64 %i, 1
  %again = icmp slt i64 %i1, %count
  br i1 %again, label %each, label %end
end:
  %found = phi i1 [false, %entry], [%now, %each]
  ret i1 %found
}}
define i1 @step(ptr %block) {{
entry:
{chr(10).join(lines)}
  call void %begin({given("parameters uniform memory")})
  call void %tiles({given("arguments i64_0 n n parameters uniform memory full tail columns")})
  call void %finish({given("full i64_1 tail valid uniform out sums divisor factor")})
  %broken_at = getelementptr double, ptr %out, i64 1
  %broken = load double, ptr %broken_at
  %fine = fcmp oeq double %broken, 0.0
  br i1 %fine, label %look, label %end
look:
  %looks = icmp ne i64 %stops_at_nan, 0
  br i1 %looks, label %search, label %update
search:
  %nan = call i1 @has_nan(ptr %found, i64 %count)
  br i1 %nan, label %end, label %update
update:
  call void @llvm.memcpy.p0.p0.i64({given("gradients found gradient_bytes")}, i1 false)
  call void %update_begin({given("settings update_uniform update_memory")})
  call void %update_tiles({given(UPDATE)})
  call void @llvm.memcpy.p0.p0.i64({given("now next bytes")}, i1 false)
  br label %end
end:
  %stopped = phi i1 [false, %entry], [true, %search], [false, %update]
  ret i1 %stopped
}}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
""", ["step", "has_nan"], 2)  # fmt: skip


@once
def step() -> Any:
    """(block): loss and gradients into `out`; unless a guard is violated, the update too.

    With `stops_at_nan` there is no update either where a gradient is nan; then it returns True.
    """
    return ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)(_machinery().addresses["step"])


@once
def has_nan() -> Any:
    """(numbers, count): whether nan is among so many doubles at an address."""
    return ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_int64)(_machinery().addresses["has_nan"])


class Block:
    """The fields that `step` reads. Assign by name: `block["n"] = 100`."""

    def __init__(self) -> None:
        self._fields = (ctypes.c_int64 * len(FIELDS))()
        self._floats = memoryview(self._fields).cast("B").cast("d")
        self._places = {name: i for i, name in enumerate(FIELDS)}
        self.address = ctypes.addressof(self._fields)

    def __setitem__(self, name: str, value: float) -> None:
        if isinstance(value, float):
            self._floats[self._places[name]] = value
        else:
            self._fields[self._places[name]] = value
