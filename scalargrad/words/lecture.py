"""What a lecturer says of a local derivative: a clause for each row of the table, and the row's own formula.

`SAYS` has the clauses. Formulas and numbers come from the rows: here stand words alone. What a user has added to the
table is described by how it treats gradients (patterns.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from scalargrad.engine import Value  # noqa: TC001  (the examples need it)
from scalargrad.table.row import PACKAGE_ROWS, Op
from scalargrad.words.equations import op_symbol
from scalargrad.words.patterns import Pattern, pattern_of
from scalargrad.words.places import place_of, placed
from scalargrad.words.specialised import chain_of
from scalargrad.words.texts import counted, number_text, symbol_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Place(NamedTuple):
    """What a clause may depend on: one operand of one node.

    Attributes:
        node: the node.
        place: which operand.
        names: a name for each Value.
        local: the local derivative.
    """

    node: Value
    place: int
    names: Mapping[Value, str]
    local: float

    @property
    def x(self) -> str:
        """The operand as it is called here: `x`, or `the left x` where there are two."""
        return self.operand(self.place)

    @property
    def number(self) -> float:
        """The operand's number."""
        return self.node.operands[self.place][1]

    def operand(self, i: int) -> str:
        """The name of any operand, or its number if it is a constant."""
        parent, a = self.node.operands[i]
        if parent is None:
            return number_text(a)
        return "the " * bool(place_of(self.node, i)) + placed(self.node, i, symbol_of(self.names.get(parent, "x")))


Clause: TypeAlias = str | Callable[[Place], str]
LEAD = "|"
"""Between what the gate does and what the formula is called."""
_FLAT = "is flat: it answers the same for all numbers nearby, so small changes of {x} change nothing"
_STAIRS = "is flat between its jumps, so small changes of {x} change nothing"
_POSITIVE = "as {x} is positive"
_NOT_POSITIVE = "as {x} is not positive"


def _absolute(at: Place) -> str:
    if at.local == 0.0:
        return "has its corner at 0, where it takes the slope between −1 and 1"
    return "keeps {x} as it is, " + _POSITIVE if at.local > 0 else "turns {x} around, as it is negative"


def _relu(at: Place) -> str:
    return f"is open here, {_POSITIVE}" if at.local else f"is shut here, {_NOT_POSITIVE}"


def _leak(at: Place) -> str:
    return f"is open here, {_POSITIVE}" if at.number > 0 else f"leaks here, {_NOT_POSITIVE}"


def _bend(at: Place) -> str:
    return f"is open here, {_POSITIVE}" if at.number > 0 else f"levels off here, {_NOT_POSITIVE}"


def _of_negatives(at: Place) -> str:
    x = at.operand(0)
    if at.node.operands[0][1] > 0:
        return f"does not use {{x}} here, as {x} is positive"
    return f"uses {{x}} here, as {x} is not positive"


def _extreme(word: str, of_two: str) -> Callable[[Place], str]:
    """The clauses of what picks an operand: the largest, the smaller."""

    def clause(at: Place) -> str:
        word_here = of_two if len(at.node.operands) == 2 else word
        if at.local == 1.0:
            return f"routes, and {{x}} is the {word_here}"
        if at.local == 0.0:
            return f"routes, and {{x}} is not the {word_here}"
        return f"routes, and in a tie it shares, as {{x}} is not the only one that is the {word}"

    return clause


def _where(at: Place) -> str:
    condition = at.operand(0) if at.node.operands[0][0] is not None else "the condition"
    if at.place == 0:
        return "asks of {x} only whether it is 0, so small changes of it change nothing"
    is_zero = at.node.operands[0][1] == 0.0
    said = f"as {condition} is {'0' if is_zero else 'not 0'}"
    return f"routes, and {{x}} is {'chosen' if is_zero == (at.place == 2) else 'not chosen'}, {said}"


def _take(at: Place) -> str:
    if at.place == 0:
        return "asks of {x} only which entry to take, and between whole numbers it asks nothing"
    index = at.operand(0) if at.node.operands[0][0] is not None else "the index"
    number = number_text(at.node.operands[0][1])
    said = "the one taken" if at.place - 1 == at.node.operands[0][1] else "not taken"
    return f"routes, and {{x}} is entry {at.place - 1}, {said}, as {index} is {number}"


def _clip(at: Place) -> str:
    (_, x), (_, low), _ = at.node.operands
    if at.place == 0:
        if at.local:
            return "passes {x}, which lies within the bounds"
        bound = 1 if x < low else 2
        return f"cuts off {{x}}, which lies {('below', 'above')[bound - 1]} {at.operand(bound)}"
    return f"gives {{x}} in place of {at.operand(0)}" if at.local else "does not need {x} here"


def _dot(at: Place) -> str:
    n = len(at.node.operands)
    if n % 2 and at.place == n - 1:
        return "adds {x} to the products"
    return f"multiplies in pairs and adds up{LEAD}its partner, "


def _mean(at: Place) -> str:
    return f"distributes{LEAD}an equal share for each of {counted(len(at.node.operands), 'operand')}, "


SAYS: dict[str, tuple[Clause, ...]] = {
    "add": ("distributes",),
    "subtract": ("distributes", "distributes, but takes {x} away"),
    "multiply": (f"switches{LEAD}the other factor, ",),
    "divide": (f"scales its numerator{LEAD}one over the denominator, ", "shrinks as its denominator grows"),
    "power": ("brings the exponent down", "grows with its exponent by the logarithm of its base"),
    "floor_divide": (_STAIRS,),
    "remainder": ("keeps step with {x} between its jumps", "takes {x} away as often as it fits in"),
    "negative": ("flips the sign",),
    "absolute": (_absolute,),
    "square": ("is {x} times itself, and both factors count",),
    "reciprocal": ("falls, the steeper the nearer to 0 its operand is",),
    "sqrt": ("grows ever slower",),
    "cbrt": ("grows ever slower, away from 0",),
    "exp": ("is its own slope",),
    "exp2": ("is its own slope, but for the logarithm of 2",),
    "expm1": ("rises as exp does",),
    "log": (f"grows ever slower{LEAD}one over its operand, ",),
    "log2": ("grows ever slower, and the logarithm of 2 sets the scale",),
    "log10": ("grows ever slower, and the logarithm of 10 sets the scale",),
    "log1p": ("grows ever slower, as log does one further on",),
    "sin": (f"is a wave{LEAD}the cosine, ",),
    "cos": (f"is a wave{LEAD}the sine, turned around, ",),
    "tan": ("climbs, the steeper the nearer to a pole",),
    "arcsin": ("climbs, the steeper the nearer to its ends at −1 and 1",),
    "arccos": ("falls, the steeper the nearer to its ends at −1 and 1",),
    "arctan": ("squashes, and flattens out on both sides",),
    "arctan2": ("is an angle, which turns the faster the nearer the point is to the origin",),
    "hypot": (f"is a length{LEAD}how much of it lies along {{x}}, ",),
    "sinh": (f"climbs, the steeper the farther from 0{LEAD}the hyperbolic cosine, ",),
    "cosh": (f"is a bowl{LEAD}the hyperbolic sine, ",),
    "tanh": ("squashes",),
    "arcsinh": ("grows ever slower, away from 0",),
    "arccosh": ("grows ever slower, away from 1",),
    "arctanh": ("climbs, the steeper the nearer to its ends at −1 and 1",),
    "erf": (f"squashes{LEAD}a bell curve, ",),
    "erfc": (f"falls from 2 to 0{LEAD}a bell curve, turned around, ",),
    "sigmoid": (f"squashes{LEAD}what it gives times what is left to 1, ",),
    "logsigmoid": (f"bends smoothly{LEAD}the sigmoid of the opposite number, ",),
    "softplus": (f"is a relu without the corner{LEAD}the sigmoid, ",),
    "relu": (_relu,),
    "leaky_relu": (_leak, _of_negatives),
    "elu": (_bend, _of_negatives),
    "silu": ("multiplies {x} by its sigmoid, and both factors count",),
    "gelu": ("multiplies {x} by the share of the bell curve below it, and both factors count",),
    "maximum": (_extreme("largest", "larger"),),
    "minimum": (_extreme("smallest", "smaller"),),
    "greater": (_FLAT,),
    "sign": (_FLAT,),
    "step": (_FLAT,),
    "floor": (_STAIRS,),
    "ceil": (_STAIRS,),
    "rint": (_STAIRS,),
    "where": (_where,),
    "clip": (_clip,),
    "take": (_take,),
    "sum": ("distributes",),
    "mean": (_mean,),
    "prod": (f"switches{LEAD}the product of all the others, ",),
    "dot": (_dot,),
    "max": (_extreme("largest", "larger"),),
    "min": (_extreme("smallest", "smaller"),),
    "logsumexp": (f"is a soft maximum{LEAD}the share of {{x}} in the sum of exponentials, ",),
}
"""By the name of the row, a clause for each operand, or one for all. After a bar stands what the formula is called."""


def local_sentence(node: Value, index: int, local: float, names: Mapping[Value, str]) -> str:
    """What the gate does to a change of this operand, and the local derivative that says so.

    >>> x, w = Value(2.0), Value(-3.0)
    >>> y = (x * w).tanh()
    >>> names = {x: 'x', w: 'w', y.parents[0]: 'v', y: 'y'}
    >>> local_sentence(y.parents[0], 0, -3.0, names)
    '× switches: the local derivative for x is the other factor, w = −3.'
    >>> local_sentence(y, 0, 1.0 - y.data ** 2, names)
    'tanh squashes: the local derivative for v is 1 − y² = 1 − (−1)² = 2.4577e−5.'
    """
    at = Place(node, index, names, local)
    clause, _, lead = _clause(at).partition(LEAD)
    chain = chain_of(node, index, names, local)
    is_named = lead and len(chain) > 1
    so = "" if is_named and local else _consequence(at)
    said = (clause + ": the local derivative for {x} is ").replace("{x}", at.x) + (lead.replace("{x}", at.x))
    return f"{op_symbol(node)} {said}{' = '.join(chain)}{so}."


def _clause(at: Place) -> str:
    op = at.node._rule
    if isinstance(op, Op) and PACKAGE_ROWS.get(op.name) is op and op.name in SAYS:
        clauses = SAYS[op.name]
        clause = clauses[at.place if len(clauses) > 1 else 0]
        return clause if isinstance(clause, str) else clause(at)
    return _by_pattern(op, at.local) if isinstance(op, Op) else "scales"


def _by_pattern(op: Op, local: float) -> str:
    """The clause of an op that has none of its own."""
    match pattern_of(op):
        case Pattern.WALL:
            return "is flat, so small changes of {x} change nothing"
        case Pattern.DISTRIBUTOR:
            return "distributes"
        case Pattern.SWITCHER:
            return f"switches{LEAD}another operand, "
        case Pattern.ROUTER if local == 1.0:
            return "routes, and {x} decides the result"
        case Pattern.ROUTER if local == 0.0:
            return "routes, and {x} does not decide the result"
        case Pattern.ROUTER:
            return "routes, and in a tie it shares the gradient"
        case Pattern.VALVE if local == 0.0:
            return "is shut here"
        case Pattern.VALVE if local == 1.0:
            return "is open here"
    return "scales"


def _consequence(at: Place) -> str:
    """What follows for the gradient, where it is not just multiplied."""
    y = symbol_of(at.names.get(at.node, "out"))
    if at.local == 1.0:
        return f", so the gradient of {y} is handed on as it is"
    if at.local == -1.0:
        return f", so the gradient of {y} is handed on with its sign flipped"
    return ", so nothing comes back" if at.local == 0.0 else ""
