"""What each primitive op is in LLVM's language, for one number or a vector of lanes.

No fast-math flag is set, and exp, tanh and their like are the C library's, so a program gives the numbers that the
eager engine gives. (hypot may differ in the last digit: Python has its own.)
"""

from __future__ import annotations

import operator
import re
import struct
from collections.abc import Sequence
from functools import cache

from scalargrad.compiling.llvm.vectors import FUNCTIONS, declarations
from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.tape import op_of

INSTRUCTION = {
    operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul", operator.truediv: "fdiv", operator.neg: "fneg",
}  # fmt: skip
"""What Python's operators are."""
INTRINSIC = {"absolute": "fabs", "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "rint": "rint"}
"""Ops that LLVM has an instruction of the processor for."""

HELPERS = """
define internal double @sg_power(double %x, double %y) {
  %square = fmul double %x, %x
  %two = fcmp oeq double %y, 2.0
  br i1 %two, label %second, label %more
second:
  ret double %square
more:
  %three = fcmp oeq double %y, 3.0
  br i1 %three, label %third, label %other
third:
  %cube = fmul double %square, %x
  ret double %cube
other:
  %z = call double @pow(double %x, double %y)
  ret double %z
}

; Python's %: the remainder has the sign of the divisor
define internal double @sg_mod(double %x, double %y) {
  %m = call double @fmod(double %x, double %y)
  %zero = fcmp oeq double %m, 0.0
  br i1 %zero, label %is_zero, label %not_zero
is_zero:
  %signed = call double @llvm.copysign.f64(double 0.0, double %y)
  ret double %signed
not_zero:
  %a = fcmp olt double %y, 0.0
  %b = fcmp olt double %m, 0.0
  %other = xor i1 %a, %b
  %moved = fadd double %m, %y
  %r = select i1 %other, double %moved, double %m
  ret double %r
}

; Python's //: as CPython's float_floor_div
define internal double @sg_floordiv(double %x, double %y) {
  %m = call double @fmod(double %x, double %y)
  %rest = fsub double %x, %m
  %q = fdiv double %rest, %y
  %a = fcmp olt double %y, 0.0
  %b = fcmp olt double %m, 0.0
  %other = xor i1 %a, %b
  %some = fcmp une double %m, 0.0
  %down = and i1 %other, %some
  %less = fsub double %q, 1.0
  %div = select i1 %down, double %less, double %q
  %zero = fcmp oeq double %div, 0.0
  br i1 %zero, label %is_zero, label %not_zero
is_zero:
  %exact = fdiv double %x, %y
  %signed = call double @llvm.copysign.f64(double 0.0, double %exact)
  ret double %signed
not_zero:
  %f = call double @llvm.floor.f64(double %div)
  %gap = fsub double %div, %f
  %half = fcmp ogt double %gap, 0.5
  %up = fadd double %f, 1.0
  %r = select i1 %half, double %up, double %f
  ret double %r
}
declare double @llvm.copysign.f64(double, double)
declare double @pow(double, double)
declare double @fmod(double, double)
"""
"""Functions that C has otherwise than Python, each named like the row's value."""
HELPER_NAMES = frozenset(re.findall(r"@(sg_\w+)\(", HELPERS))


@cache
def library_function(op: str) -> str:
    """The function on doubles that computes the op: the C library's, or one of HELPERS; empty if there is none."""
    own = f"sg_{getattr(op_of(op).value, '__name__', '')}"
    return own if own in HELPER_NAMES else op_of(op).library_name


FUNCTION = 12
"""A function takes about as long as so many instructions."""


class NoInstructionError(ValueError):
    """There are no instructions for an op."""


def unknown_primitives() -> list[str]:
    """The primitives that `Lanes.lines` has nothing for."""
    unknown = []
    for op in sorted(PRIMITIVE):
        n = op_of(op).arity or len(op_of(op).arguments)
        try:
            Lanes(1).lines(op, "%r", [f"%x{i}" for i in range(n)])
        except NoInstructionError:
            unknown.append(op)
    return unknown


class Lanes:
    """How LLVM writes numbers, and operations on them, side by side in so many lanes.

    Args:
        width: how many lanes.
        quick: whether exp and tanh are computed for all lanes at once (vectors.py) and not by the C library.
    """

    def __init__(self, width: int, quick: bool = False) -> None:
        self.width = width
        self.quick = quick and width > 1
        self.type = "double" if width == 1 else f"<{width} x double>"
        self.bool = "i1" if width == 1 else f"<{width} x i1>"
        self.suffix = "f64" if width == 1 else f"v{width}f64"
        self.called: set[str] = set()
        """The functions that were used, so that they can be declared."""

    def number(self, x: float) -> str:
        """A constant in every lane."""
        literal = f"0x{struct.unpack('>Q', struct.pack('>d', x))[0]:016X}"
        return literal if self.width == 1 else "<" + ", ".join([f"double {literal}"] * self.width) + ">"

    def splat(self, result: str, scalar: str) -> list[str]:
        """A scalar in every lane."""
        one, t, w = f"{result}.1", self.type, self.width
        return [
            f"{one} = insertelement {t} poison, double {scalar}, i64 0",
            f"{result} = shufflevector {t} {one}, {t} poison, <{w} x i32> zeroinitializer",
        ]

    def lines(self, op: str, r: str, xs: Sequence[str]) -> list[str]:
        """The instructions that put op(*xs) into the register r.

        Raises:
            NoInstructionError: if there are none.
        """
        name, t, b = op, self.type, self.bool
        if op_of(op).value in INSTRUCTION:
            return [f"{r} = {INSTRUCTION[op_of(op).value]} {t} {', '.join(xs)}"]
        if name in INTRINSIC:
            function = f"llvm.{INTRINSIC[name]}.{self.suffix}"
            self.called.add(f"declare {t} @{function}({t})")
            return [f"{r} = call {t} @{function}({t} {xs[0]})"]
        if function := library_function(op):
            return [f"{r} = call {t} {self._function(function, len(xs))}({', '.join(f'{t} {x}' for x in xs)})"]
        x, y, z = (*xs, "", "")[:3]
        zero, one, nan = self.number(0.0), self.number(1.0), self.number(float("nan"))

        def chosen(name: str, condition: str, first: str, second: str) -> str:
            return f"{name} = select {b} {condition}, {t} {first}, {t} {second}"

        if name == "relu":
            return [f"{r}.c = fcmp ole {t} {x}, {zero}", chosen(r, f"{r}.c", zero, x)]
        if name == "sign":
            return [
                f"{r}.z = fcmp oeq {t} {x}, {zero}", chosen(f"{r}.n", f"{r}.z", zero, x),
                f"{r}.l = fcmp olt {t} {x}, {zero}", chosen(f"{r}.m", f"{r}.l", self.number(-1.0), f"{r}.n"),
                f"{r}.c = fcmp ogt {t} {x}, {zero}", chosen(r, f"{r}.c", one, f"{r}.m"),
            ]  # fmt: skip
        if name == "greater":
            return [
                f"{r}.c = fcmp ogt {t} {x}, {y}", chosen(f"{r}.d", f"{r}.c", one, zero),
                f"{r}.u = fcmp uno {t} {x}, {y}", chosen(r, f"{r}.u", nan, f"{r}.d"),
            ]  # fmt: skip
        if name in ("maximum", "minimum"):
            return [
                f"{r}.c = fcmp {'oge' if name == 'maximum' else 'ole'} {t} {x}, {y}",
                f"{r}.u = fcmp uno {t} {x}, {x}",
                f"{r}.b = or {b} {r}.c, {r}.u",
                chosen(r, f"{r}.b", x, y),
            ]
        if name == "where":
            return [
                f"{r}.c = fcmp une {t} {x}, {zero}", chosen(f"{r}.d", f"{r}.c", y, z),
                f"{r}.u = fcmp uno {t} {x}, {x}", chosen(r, f"{r}.u", x, f"{r}.d"),
            ]  # fmt: skip
        raise NoInstructionError(f"{name!r} is no primitive: what the llvm backend is given must have been lowered")

    def work(self, op: str) -> int:
        """About how many instructions an op takes as long as: a function for all lanes at once, or for one, many."""
        function = library_function(op)
        if not function or op_of(op).value in INSTRUCTION or op in INTRINSIC:
            return 1
        return FUNCTION if self.quick and function in FUNCTIONS else FUNCTION * self.width

    def _function(self, name: str, arity: int) -> str:
        if name not in HELPER_NAMES:
            self.called.add(f"declare double @{name}({', '.join(['double'] * arity)})")
        if self.width == 1:
            return f"@{name}"
        if self.quick and name in FUNCTIONS:
            self.called.update((FUNCTIONS[name](self.width), *declarations(self.width)))
        else:
            self.called.add(self._lane_by_lane(name, arity))
        return f"@{name}_{self.width}"

    def _lane_by_lane(self, name: str, arity: int) -> str:
        """A function over vectors that calls the scalar one for each lane."""
        t, arguments = self.type, range(arity)
        lines = [f"define internal {t} @{name}_{self.width}({', '.join(f'{t} %x{j}' for j in arguments)}) {{"]
        for i in range(self.width):
            lines += [f"  %e{j}_{i} = extractelement {t} %x{j}, i64 {i}" for j in arguments]
            lines.append(f"  %z{i} = call double @{name}({', '.join(f'double %e{j}_{i}' for j in arguments)})")
            before = "poison" if i == 0 else f"%r{i - 1}"
            lines.append(f"  %r{i} = insertelement {t} {before}, double %z{i}, i64 {i}")
        return "\n".join([*lines, f"  ret {t} %r{self.width - 1}", "}"])


def transposed(t: Lanes, names: list[str]) -> tuple[list[str], list[str]]:
    """Lines that turn as many vectors as there are lanes, and the names of the result."""
    lines, step = [], 1
    while step < t.width:
        new = list(names)
        low = ", ".join(f"i32 {lane if not lane & step else t.width + lane - step}" for lane in range(t.width))
        high = ", ".join(f"i32 {lane + step if not lane & step else t.width + lane}" for lane in range(t.width))
        for i in range(t.width):
            if not i & step:
                a, b = names[i], names[i + step]
                new[i], new[i + step] = f"{a}.l{step}", f"{b}.h{step}"
                lines += [
                    f"{new[i]} = shufflevector {t.type} {a}, {t.type} {b}, <{t.width} x i32> <{low}>",
                    f"{new[i + step]} = shufflevector {t.type} {a}, {t.type} {b}, <{t.width} x i32> <{high}>",
                ]
        names, step = new, 2 * step
    return lines, names
