"""Functions that C has otherwise than Python, as WebAssembly; each is named like the row's value, behind sg_."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.compiling.wasm.assembling import assembled

if TYPE_CHECKING:
    from scalargrad.compiling.wasm.binary import Function

IMPORTS = {"pow": "dd>d", "fmod": "dd>d", "ilogb": "d>i", "ldexp": "di>d"}
"""What they call of the C library."""

_SMALLEST, _SPLITTER = (2.0**-1022).hex(), (2.0**27 + 1).hex()
_ADDED = """
  $sum $hi f64.add =next
  $rest2 $sum $next f64.sub $hi f64.add f64.add =rest2
  $rest1 $lo f64.add =rest1
  $next =sum
"""
"""sum + hi without an error, which goes to rest2; lo goes to rest1."""
_OF_A_LEG = "${0} $scale f64.mul =leg $leg $leg f64.mul =hi $leg $hi call sg_rest_of_square =lo" + _ADDED

HELPERS: tuple[Function, ...] = (
    assembled("sg_power", "x:d y:d", "d", "square:d", """
        $x $x f64.mul =square
        $y 2.0 f64.eq if $square return end
        $y 3.0 f64.eq if $square $x f64.mul return end
        $x $y call pow
    """),
    # Python's %: the remainder has the sign of the divisor.
    assembled("sg_mod", "x:d y:d", "d", "m:d", """
        $x $y call fmod =m
        $m 0.0 f64.eq if 0.0 $y f64.copysign return end
        $m $y f64.add $m $y 0.0 f64.lt $m 0.0 f64.lt i32.xor select
    """),
    # Python's //: as CPython's float_floor_div.
    assembled("sg_floordiv", "x:d y:d", "d", "m:d q:d whole:d", """
        $x $y call fmod =m
        $x $m f64.sub $y f64.div =q
        $q 1.0 f64.sub $q $y 0.0 f64.lt $m 0.0 f64.lt i32.xor $m 0.0 f64.ne i32.and select =q
        $q 0.0 f64.eq if 0.0 $x $y f64.div f64.copysign return end
        $q f64.floor =whole
        $whole 1.0 f64.add $whole $q $whole f64.sub 0.5 f64.gt select
    """),
    # What x * x has been rounded by: Dekker's product, as WebAssembly has no fused multiplication and addition.
    assembled("sg_rest_of_square", "x:d product:d", "d", "scaled:d high:d low:d", f"""
        $x {_SPLITTER} f64.mul =scaled
        $scaled $scaled $x f64.sub f64.sub =high
        $x $high f64.sub =low
        $high $high f64.mul $product f64.sub 2.0 $high f64.mul $low f64.mul f64.add $low $low f64.mul f64.add
    """),
    # As CPython's vector_norm, with two legs.
    assembled("sg_hypot", "x:d y:d", "d", """
        longest:d unit:d scale:d leg:d hi:d lo:d sum:d next:d rest1:d rest2:d h:d exponent:i
    """, f"""
        $x f64.abs =x $y f64.abs =y
        $x 0.0 $x 0.0 f64.gt select =longest
        $y $longest $y $longest f64.gt select =longest
        $longest inf f64.eq if $longest return end
        $x $x f64.ne $y $y f64.ne i32.or if nan return end
        $longest 0.0 f64.eq if 0.0 return end
        1.0 =unit
        $longest call ilogb 1 i32.add =exponent
        $exponent -1023 i32.lt_s if
          {_SMALLEST} =unit
          $x $unit f64.div =x $y $unit f64.div =y
          $longest $unit f64.div call ilogb 1 i32.add =exponent
        end
        1.0 0 $exponent i32.sub call ldexp =scale
        1.0 =sum
        {_OF_A_LEG.format("x")}
        {_OF_A_LEG.format("y")}
        $sum 1.0 f64.sub $rest1 $rest2 f64.add f64.add f64.sqrt =h
        $h $h f64.mul f64.neg =hi
        $h $h $h f64.mul call sg_rest_of_square f64.neg =lo
        {_ADDED}
        $sum 1.0 f64.sub $rest1 $rest2 f64.add f64.add =leg
        $h $leg 2.0 $h f64.mul f64.div f64.add
        $scale f64.div $unit f64.mul
    """),
)  # fmt: skip
HELPER_NAMES = frozenset(one.name for one in HELPERS)
