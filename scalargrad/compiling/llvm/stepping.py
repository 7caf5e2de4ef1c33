"""One native call for a whole training step: six calls from Python would cost as much as the step itself.

The functions `sweep` and `step` read what they need from a block of 64-bit fields; compiled once per process.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from scalargrad.compiling.llvm.library import Machinery, lanes, once

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.memory import Doubles

FIELDS = [
    "n", "valid", "arguments", "columns", "divisor", "factor", "begin", "tiles", "finish", "parameters", "uniform",
    "memory", "full", "tail", "out", "sums", "update_begin", "update_tiles", "settings", "update_uniform",
    "update_memory", "read", "count", "update_full", "update_tail", "write", "found", "gradients", "gradient_bytes",
    "now", "next",
    "bytes", "stops_at_nan", "from", "places", "leaves", "inverse", "gather", "collect", "has_nan",
]  # fmt: skip
KINDS = dict.fromkeys(("n", "sums", "valid", "count", "bytes", "gradient_bytes", "stops_at_nan", "leaves"), "i64")
KINDS |= {"divisor": "double", "factor": "double"}

_SWEEP = (
    "n", "valid", "arguments", "columns", "divisor", "factor", "begin", "tiles", "finish", "parameters", "uniform",
    "memory", "full", "tail", "out", "sums", "found", "stops_at_nan", "from", "places", "leaves", "gather", "has_nan",
)  # fmt: skip
_STEP = (
    "update_begin", "update_tiles", "settings", "update_uniform", "update_memory", "read", "count", "update_full",
    "update_tail", "write", "found", "gradients", "gradient_bytes", "now", "next", "bytes", "inverse", "collect",
)  # fmt: skip
"""The fields that each of the two reads."""
UPDATE = "read i64_0 count count settings update_uniform update_memory update_full update_tail write"


@once
def _has_nan() -> Machinery:
    w = lanes()
    return Machinery(f"""
define i1 @has_nan(ptr %numbers, i64 %count) {{
entry:
  %whole = sdiv i64 %count, {2 * w}
  %wide = icmp sgt i64 %whole, 0
  br i1 %wide, label %pair, label %left
pair:
  %k = phi i64 [0, %entry], [%k1, %pair]
  %seen = phi <{w} x i1> [zeroinitializer, %entry], [%now, %pair]
  %k.at = mul i64 %k, {2 * w}
  %p = getelementptr double, ptr %numbers, i64 %k.at
  %q = getelementptr double, ptr %p, i64 {w}
  %x = load <{w} x double>, ptr %p, align 8
  %y = load <{w} x double>, ptr %q, align 8
  %are_nan = fcmp uno <{w} x double> %x, %y
  %now = or <{w} x i1> %seen, %are_nan
  %k1 = add i64 %k, 1
  %k.more = icmp slt i64 %k1, %whole
  br i1 %k.more, label %pair, label %left
left:
  %all = phi <{w} x i1> [zeroinitializer, %entry], [%now, %pair]
  %bits = bitcast <{w} x i1> %all to i{w}
  %in_pairs = icmp ne i{w} %bits, 0
  %first = mul i64 %whole, {2 * w}
  %some = icmp slt i64 %first, %count
  br i1 %some, label %each, label %end
each:
  %i = phi i64 [%first, %left], [%i1, %each]
  %before = phi i1 [%in_pairs, %left], [%then, %each]
  %r = getelementptr double, ptr %numbers, i64 %i
  %z = load double, ptr %r
  %is_nan = fcmp uno double %z, %z
  %then = or i1 %before, %is_nan
  %i1 = add i64 %i, 1
  %again = icmp slt i64 %i1, %count
  br i1 %again, label %each, label %end
end:
  %found = phi i1 [%in_pairs, %left], [%then, %each]
  ret i1 %found
}}
""", ["has_nan"], 2)  # fmt: skip


@once
def _gather() -> Machinery:
    return Machinery("""
define void @gather(ptr %from, ptr %places, i64 %count, ptr %into) {
entry:
  %none = icmp sle i64 %count, 0
  br i1 %none, label %end, label %each
each:
  %i = phi i64 [0, %entry], [%i1, %each]
  %place_at = getelementptr i64, ptr %places, i64 %i
  %place = load i64, ptr %place_at
  %p = getelementptr double, ptr %from, i64 %place
  %x = load double, ptr %p
  %q = getelementptr double, ptr %into, i64 %i
  store double %x, ptr %q
  %i1 = add i64 %i, 1
  %again = icmp slt i64 %i1, %count
  br i1 %again, label %each, label %end
end:
  ret void
}
""", ["gather"], 2)  # fmt: skip


@once
def _collect() -> Machinery:
    return Machinery("""
define void @collect(ptr %found, ptr %inverse, i64 %count, double %divisor, ptr %into, i64 %is_first) {
entry:
  %none = icmp sle i64 %count, 0
  %straight = icmp eq ptr %inverse, null
  %starts = icmp ne i64 %is_first, 0
  br i1 %none, label %end, label %each
each:
  %i = phi i64 [0, %entry], [%i1, %next]
  br i1 %straight, label %known, label %look
look:
  %place_at = getelementptr i64, ptr %inverse, i64 %i
  %looked = load i64, ptr %place_at
  br label %known
known:
  %place = phi i64 [%i, %each], [%looked, %look]
  %is_there = icmp sge i64 %place, 0
  br i1 %is_there, label %there, label %next
there:
  %p = getelementptr double, ptr %found, i64 %place
  %x = load double, ptr %p
  %part = fdiv double %x, %divisor
  br label %next
next:
  %more = phi double [0.0, %known], [%part, %there]
  %q = getelementptr double, ptr %into, i64 %i
  %old = load double, ptr %q
  %sum = fadd double %old, %more
  %new = select i1 %starts, double %more, double %sum
  store double %new, ptr %q
  %i1 = add i64 %i, 1
  %again = icmp slt i64 %i1, %count
  br i1 %again, label %each, label %end
end:
  ret void
}
""", ["collect"], 2)  # fmt: skip


def _fields(*names: str) -> str:
    """Lines that load these fields of the block."""
    return "\n".join(
        f"  %at_{name} = getelementptr i64, ptr %block, i64 {FIELDS.index(name)}\n"
        f"  %{name} = load {KINDS.get(name, 'ptr')}, ptr %at_{name}"
        for name in names
    )


def _given(text: str) -> str:
    """Arguments of a call, by the names of fields."""
    return ", ".join(
        f"{KINDS.get(word, 'ptr')} %{word}" if word in FIELDS else word.replace("_", " ") for word in text.split()
    )


@once
def _machinery() -> Machinery:
    return Machinery(f"""
define i64 @sweep(ptr %block) {{
entry:
{_fields(*_SWEEP)}
  %in_place = icmp eq ptr %places, null
  br i1 %in_place, label %run, label %bring
bring:
  call void %gather({_given("from places leaves parameters")})
  br label %run
run:
  call void %begin({_given("parameters uniform memory")})
  call void %tiles({_given("arguments i64_0 n n parameters uniform memory full tail columns")})
  call void %finish({_given("full i64_1 tail valid uniform out sums divisor factor")})
  %broken_at = getelementptr double, ptr %out, i64 1
  %broken = load double, ptr %broken_at
  %fine = fcmp oeq double %broken, 0.0
  br i1 %fine, label %look, label %end
look:
  %looks = icmp ne i64 %stops_at_nan, 0
  br i1 %looks, label %search, label %end
search:
  %trained = sub i64 %sums, 2
  %nan = call i1 %has_nan(ptr %found, i64 %trained)
  %says_nan = select i1 %nan, i64 2, i64 0
  br label %end
end:
  %says = phi i64 [1, %run], [0, %look], [%says_nan, %search]
  ret i64 %says
}}
define i64 @step(ptr %block) {{
entry:
{_fields(*_STEP)}
  %says = call i64 @sweep(ptr %block)
  %fine = icmp eq i64 %says, 0
  br i1 %fine, label %go, label %end
go:
  %in_order = icmp eq ptr %inverse, null
  br i1 %in_order, label %copy, label %order
copy:
  call void @llvm.memcpy.p0.p0.i64({_given("gradients found gradient_bytes")}, i1 false)
  br label %update
order:
  call void %collect({_given("found inverse count double_1.0 gradients i64_1")})
  br label %update
update:
  call void %update_begin({_given("settings update_uniform update_memory")})
  call void %update_tiles({_given(UPDATE)})
  call void @llvm.memcpy.p0.p0.i64({_given("now next bytes")}, i1 false)
  br label %end
end:
  ret i64 %says
}}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
""", ["sweep", "step"], 0)  # fmt: skip


@once
def sweep() -> Any:
    """(block): gathers the parameters, if they lie elsewhere, and finds loss and gradients, into `out`.

    It returns 0 where all is well, 1 where a guard is violated, and, with `stops_at_nan`, 2 where a gradient is nan.
    """
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(_machinery().addresses["sweep"])


@once
def step() -> Any:
    """(block): the same, and where all is well the update."""
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(_machinery().addresses["step"])


@once
def gather() -> Any:
    """(numbers, places, count, into): the numbers at so many places, side by side."""
    kinds = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p
    return ctypes.CFUNCTYPE(None, *kinds)(_gather().addresses["gather"])


@once
def collect() -> Any:
    """(found, inverse, count, divisor, into, is_first): gradients, divided, put or added to so many that are collected.

    `inverse` says for each where it is among those found, -1 where nothing was; without it they are in order.
    """
    kinds = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_double, ctypes.c_void_p, ctypes.c_int64
    return ctypes.CFUNCTYPE(None, *kinds)(_collect().addresses["collect"])


@once
def has_nan() -> Any:
    """(numbers, count): whether nan is among so many doubles at an address."""
    return ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_int64)(_has_nan().addresses["has_nan"])


def _nothing(names: Iterable[str]) -> Mapping[str, int]:
    return dict.fromkeys(names, 0)


def _addresses_of(names: Iterable[str]) -> dict[str, int]:
    made = {"gather": _gather, "collect": _collect, "has_nan": _has_nan}
    return {name: int(made[name]().addresses[name]) for name in names}


class Memory(Protocol):
    """Memory in which parameters lie: that of an Update, or of a Bound."""

    n: int
    """How many of them get a gradient."""
    parameters: int
    """The address of the first."""
    now: Doubles
    start: int
    """The memory, and where in there they begin."""
    fields: Mapping[str, float]
    """What a native step is told of it."""
    code: Any
    """That of the update; None where nothing is updated."""


class Calls(NamedTuple):
    """The functions that a training step consists of."""

    sweep: Callable[..., int]
    step: Callable[..., int]
    gather: Callable[..., None]
    collect: Callable[..., None]
    has_nan: Callable[..., bool]
    fields: Callable[[Iterable[str]], Mapping[str, int]] = _nothing
    """What the last three are in the block of a step that calls them."""


@once
def calls() -> Calls:
    """They, for all programs. Few need the last three, which are compiled when they are."""
    return Calls(sweep(), step(), _later(gather), _later(collect), _later(has_nan), _addresses_of)


def _later(make: Callable[[], Any]) -> Callable[..., Any]:
    def made(*given: Any) -> Any:
        return make()(*given)

    return made


class Block:
    """The fields that `step` reads. Assign by name: `block["n"] = 100`.

    Attributes:
        lasting: what tells the fields that stay from batch to batch; None while they are empty.
    """

    def __init__(self) -> None:
        self.lasting: tuple[int, ...] | None = None
        self._fields = (ctypes.c_int64 * len(FIELDS))()
        self._bytes = memoryview(self._fields).cast("B")
        self._floats = self._bytes.cast("d")
        self._first = struct.Struct("=qqqqdd")
        self._places = {name: i for i, name in enumerate(FIELDS)}
        self.address = ctypes.addressof(self._fields)

    def aim(self, *fields: float) -> None:
        """Assign the first six: those that change from batch to batch."""
        self._first.pack_into(self._bytes, 0, *fields)

    def aims(self) -> bytes:
        """Those six, to be assigned again."""
        return bytes(self._bytes[: self._first.size])

    def aim_again(self, fields: bytes) -> None:
        """Assign the six as they were."""
        self._bytes[: len(fields)] = fields

    def __setitem__(self, name: str, value: float) -> None:
        if isinstance(value, float):
            self._floats[self._places[name]] = value
        else:
            self._fields[self._places[name]] = value
