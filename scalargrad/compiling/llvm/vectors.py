"""exp and tanh for a vector of lanes at once: the C library's take one lane after the other, six times as long.

Only batches use them. They are off by at most 0.95 units in the last place (exp) and 1.4 (tanh, where that of glibc
2.36 is off by up to 1.95), and do not round as the C library's do. Sources: exp by Cody and Waite's reduction to
|r| <= ln(2) / 2 and the Taylor polynomial there; tanh by the rational function of Moshier's Cephes library (tanh.c),
for large numbers after the same reduction.
"""

from __future__ import annotations

import math
import struct

LOG2E = 1 / math.log(2)
LN2_HIGH = float.fromhex("0x1.62e42fefa3800p-1")
"""ln(2) to 42 bits, so that its product with a whole number below 2**11 is exact."""
LN2_LOW = float.fromhex("0x1.ef35793c76730p-45")
TO_INTEGER = 1.5 * 2.0**52
"""Added to a number it rounds it, and leaves the whole number in the last bits."""
TANH_P = (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3)
TANH_Q = (1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3)


class _Function:
    """Writes a function over vectors, an instruction at a time."""

    def __init__(self, name: str, width: int) -> None:
        self.name, self.width = name, width
        self.type, self.whole = f"<{width} x double>", f"<{width} x i64>"
        self.suffix = f"v{width}f64"
        self._lines: list[str] = []

    def number(self, x: float) -> str:
        literal = f"0x{struct.unpack('>Q', struct.pack('>d', x))[0]:016X}"
        return "<" + ", ".join([f"double {literal}"] * self.width) + ">"

    def put(self, text: str) -> str:
        name = f"%t{len(self._lines)}"
        self._lines.append(f"  {name} = {text}")
        return name

    def op(self, op: str, x: str, y: str) -> str:
        return self.put(f"{op} {self.type} {x}, {y}")

    def fma(self, x: str, y: str, z: str) -> str:
        t = self.type
        return self.put(f"call {t} @llvm.fma.{self.suffix}({t} {x}, {t} {y}, {t} {z})")

    def call(self, name: str, *xs: str) -> str:
        return self.put(f"call {self.type} @llvm.{name}.{self.suffix}({', '.join(f'{self.type} {x}' for x in xs)})")

    def choose(self, condition: str, x: str, y: str) -> str:
        return self.put(f"select <{self.width} x i1> {condition}, {self.type} {x}, {self.type} {y}")

    def horner(self, x: str, coefficients: tuple[float, ...]) -> str:
        """The polynomial, the highest power first."""
        result = self.number(coefficients[0])
        for c in coefficients[1:]:
            result = self.fma(result, x, self.number(c))
        return result

    def power_of_two(self, n: str) -> str:
        """2**n of whole numbers between -1022 and 1023."""
        shifted = self.op("fadd", n, self.number(TO_INTEGER + 1023))
        bits = self.put(f"bitcast {self.type} {shifted} to {self.whole}")
        by = "<" + ", ".join(["i64 52"] * self.width) + ">"
        exponent = self.put(f"shl {self.whole} {bits}, {by}")
        return self.put(f"bitcast {self.whole} {exponent} to {self.type}")

    def reduced(self, x: str) -> tuple[str, str]:
        """Whole n, and e**r, for x = n * ln(2) + r, |r| <= ln(2) / 2."""
        near = self.fma(x, self.number(LOG2E), self.number(TO_INTEGER))
        n = self.op("fsub", near, self.number(TO_INTEGER))
        r = self.fma(n, self.number(-LN2_HIGH), x)
        r = self.fma(n, self.number(-LN2_LOW), r)
        q = self.horner(r, tuple(1 / math.factorial(k) for k in range(13, 1, -1)))
        square = self.op("fmul", r, r)
        return n, self.op("fadd", self.number(1.0), self.fma(square, q, r))

    def text(self, result: str) -> str:
        t = self.type
        return "\n".join([
            f"define internal {t} @{self.name}_{self.width}({t} %x) {{", *self._lines, f"  ret {t} {result}", "}"
        ])  # fmt: skip


def declarations(width: int) -> list[str]:
    """The intrinsics that the functions call."""
    t, suffix = f"<{width} x double>", f"v{width}f64"
    return [
        f"declare {t} @llvm.fma.{suffix}({t}, {t}, {t})", f"declare {t} @llvm.fabs.{suffix}({t})",
        f"declare {t} @llvm.minnum.{suffix}({t}, {t})", f"declare {t} @llvm.maxnum.{suffix}({t}, {t})",
        f"declare {t} @llvm.copysign.{suffix}({t}, {t})", f"declare {t} @llvm.rint.{suffix}({t})",
    ]  # fmt: skip


def exp(width: int) -> str:
    """e**x: inf above 709.78, subnormal numbers and 0 below -708.4, NaN of NaN."""
    f = _Function("exp", width)
    x = f.call("minnum", f.number(710.0), f.call("maxnum", f.number(-750.0), "%x"))
    n, e = f.reduced(x)
    half = f.call("rint", f.op("fmul", n, f.number(0.5)))  # 2**n in two steps: alone it may be out of range
    rest = f.op("fsub", n, half)
    e = f.op("fmul", f.op("fmul", e, f.power_of_two(half)), f.power_of_two(rest))
    return f.text(f.choose(f.put(f"fcmp uno {f.type} %x, %x"), "%x", e))


def tanh(width: int) -> str:
    """The hyperbolic tangent, NaN of NaN.

    Near 0 it is w + w**3 * P / Q at w = |x|. Elsewhere that is the tanh of what is left of |x| without n * ln(2) / 2,
    and with a = w * Q + w**3 * P it is 1 - 2 * (Q - a) / (Q * (2**n + 1) + a * (2**n - 1)): one division for both.
    """
    f = _Function("tanh", width)
    one = f.number(1.0)
    size = f.call("fabs", "%x")
    most = f.number(20.0)  # 1.0 in double precision
    bounded = f.choose(f.put(f"fcmp olt {f.type} {most}, {size}"), most, size)  # NaN stays
    shifted = f.fma(bounded, f.number(2 * LOG2E), f.number(TO_INTEGER))
    n = f.op("fsub", shifted, f.number(TO_INTEGER))
    left = f.fma(n, f.number(-LN2_LOW / 2), f.fma(n, f.number(-LN2_HIGH / 2), bounded))
    near = f.put(f"fcmp olt {f.type} {size}, {f.number(0.625)}")
    w = f.choose(near, size, left)
    square = f.op("fmul", w, w)
    p = f.op("fmul", f.op("fmul", w, square), f.horner(square, TANH_P))
    q = f.op("fadd", square, f.number(TANH_Q[0]))
    for c in TANH_Q[1:]:
        q = f.fma(q, square, f.number(c))
    a = f.fma(w, q, p)
    power, less = f.power_of_two(n), f.op("fsub", q, a)
    odd = f.op("fmul", a, f.op("fsub", power, one))
    below = f.fma(q, f.op("fadd", power, one), odd)
    twice = f.op("fsub", f.op("fsub", f.number(-0.0), less), less)
    change = f.op("fdiv", f.choose(near, p, twice), f.choose(near, q, below))
    return f.text(f.call("copysign", f.op("fadd", f.choose(near, size, one), change), "%x"))


FUNCTIONS = {"exp": exp, "tanh": tanh}
