"""How staged code writes numbers, names and ops: in plain Python that runs by itself.

On finite numbers each text computes what the row's `value` computes, in the same order of roundings. Derivatives are
not written here: they are the rows' own rules, printed. An op that has no words here is written as a function of its
`lowered` form (staged_helpers.py).
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from scalargrad.table import floats
from scalargrad.table.operators import ATOM, LOOSE, NEGATION, POWER, PRODUCT, SUM
from scalargrad.table.operators import OPERATORS as PYTHON_OPERATORS
from scalargrad.table.row import INFIX, PACKAGE_ROWS, TABLE, Op
from scalargrad.words.notation import Notation, Written

CONDITIONAL = LOOSE - 1
"""`x if c else y` holds together less than a comparison does."""

MATH = {op.name: op.library_name for op in PACKAGE_ROWS.values() if op.library_name}
"""Ops that Python's math module has, with the name that it gives them."""


class Form(NamedTuple):
    """How an op is written.

    Attributes:
        text: with {0}, {1} in place of the operands.
        precedence: how strongly the text holds together.
        least: how strongly an operand must hold together to need no parentheses.
        is_count: whether it gives a bool or an int, which is all that a factor of a derivative needs.
    """

    text: str
    precedence: int
    least: int
    is_count: bool = False


TEMPLATES = {
    "absolute": Form("abs({0})", ATOM, CONDITIONAL),
    "square": Form("{0} * {0}", PRODUCT, ATOM),
    "reciprocal": Form("1 / {0}", PRODUCT, ATOM),
    "exp2": Form("2 ** {0}", POWER, ATOM),
    "relu": Form("max(0.0, {0})", ATOM, CONDITIONAL),
    "leaky_relu": Form("{1} * {0} if {0} <= 0 else {0}", CONDITIONAL, ATOM),
    "elu": Form("{1} * expm1({0}) if {0} <= 0 else {0}", CONDITIONAL, ATOM),
    "logsigmoid": Form("-softplus(-{0})", NEGATION, ATOM),
    "silu": Form("{0} * sigmoid({0})", PRODUCT, ATOM),
    "gelu": Form("0.5 * {0} * erfc(-{0} / sqrt(2.0))", PRODUCT, ATOM),
    "maximum": Form("max({0}, {1})", ATOM, CONDITIONAL),
    "minimum": Form("min({0}, {1})", ATOM, CONDITIONAL),
    "clip": Form("min(max({0}, {1}), {2})", ATOM, CONDITIONAL),
    "where": Form("{1} if {0} else {2}", CONDITIONAL, LOOSE),
    "greater": Form("{0} > {1}", LOOSE, SUM, is_count=True),
    "step": Form("{0} > 0", LOOSE, SUM, is_count=True),
    "sign": Form("({0} > 0) - ({0} < 0)", SUM, SUM, is_count=True),
    "floor": Form("copysign(floor({0}), {0})", ATOM, CONDITIONAL),
    "ceil": Form("copysign(ceil({0}), {0})", ATOM, CONDITIONAL),
    "rint": Form("copysign(round({0}), {0})", ATOM, CONDITIONAL),
}
"""Other ops of a fixed number of operands: words of Python's for what the rows' values compute."""

PRODUCTS = {"2": TEMPLATES["square"], "3": Form("{0} * {0} * {0}", PRODUCT, ATOM)}
"""Powers that the engine computes as products."""

HELPERS = {
    "whole": """\
def whole(i):
    if i < 0 or i != int(i):  # Python would count from the end, or round
        raise IndexError(f"{i} is the place of no entry")
    return int(i)
""",
    "sigmoid": """\
def sigmoid(x):
    e = exp(-abs(x))  # from the side that cannot overflow
    return e / (1 + e) if x < 0 else 1 / (1 + e)
""",
    "softplus": """\
def softplus(x):
    return max(x, 0.0) + log1p(exp(-abs(x)))
""",
    "cbrt": """\
def cbrt(x):
    if x == 0:
        return x
    root = copysign(abs(x) ** (1 / 3), x)
    return root - (root - x / (root * root)) / 3
""",
    "logsumexp": """\
def logsumexp(*xs):
    top = max(xs)  # without it, exp would overflow
    total = 0.0
    for x in xs:
        total += exp(x - top)
    return top + log(total)
""",
}
"""Functions that Python has not, to be put above the code that calls them."""

CHAINS = {"+": (floats.total, floats.mean), "*": (floats.prod,)}
"""The values that go through their operands from left to right, by the operator between two of them."""
OPERATORS = {*(op.name for op in INFIX.values()), "negative"}
KNOWN = frozenset(PACKAGE_ROWS)
"""The ops that can be written; what users have added is called by name."""
SELECTIONS = ("max", "min")
"""Ops of many operands that Python has by the same name."""

FROM_MATH = {*MATH.values(), "copysign", "floor", "ceil"}
BUILTIN = {"abs", "max", "min", "round", "float", "int"}
RESERVED = {*FROM_MATH, *BUILTIN, *HELPERS}
"""Names that no variable of staged code may have; `lowered_names` are others."""


WIDTH = 100
"""How long a line gets, if it can be broken."""


def called(text: str) -> set[str]:
    """The names of the functions that a text calls."""
    return set(re.findall(r"\b[^\W\d]\w*(?=\()", text))


def is_own(rule: Any) -> bool:
    """Whether the op is called by its name, as a function that the reader has: users have added it to the table."""
    return isinstance(rule, Op) and (rule.is_users or (rule.name not in KNOWN and rule.lowered is None))


def has_words(op: Op) -> bool:
    """Whether Python has an operator or a function for it, or a form or helper stands here."""
    by_name = op.name in TEMPLATES or op.name in MATH or op.name in HELPERS or op.name in SELECTIONS
    in_chain = op.pair is not None or any(op.value in values for values in CHAINS.values())
    return not op.is_users and (by_name or in_chain or op.has_index or op.text in PYTHON_OPERATORS)


def is_lowered(op: Op) -> bool:
    """Whether it is written as a function of its `lowered` form."""
    return op.lowered is not None and not is_own(op) and not has_words(op)


def lowered_names() -> set[str]:
    """The names of the ops that are written as functions of their `lowered` form."""
    return {op.name for op in TABLE.values() if is_lowered(op)}


def fresh(stem: str, taken: set[str]) -> str:
    """A name like the stem that is not taken; it then is."""
    name, n = stem, 1
    while name in taken or keyword.iskeyword(name):
        name, n = f"{stem}_{n}", n + 1
    taken.add(name)
    return name


def float_literal(x: float) -> str:
    """A number, written as a float."""
    text = repr(float(x))
    return text if text[-1].isdigit() else f"float('{text}')"


def enclosed(start: str, items: Sequence[str], end: str) -> list[str]:
    """The items between start and end: on one line if they fit, else on lines of their own."""
    line = start + ", ".join(items) + end
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(start) - len(start.lstrip()))
    lines = [f"{indent}   "]
    for item in items:
        if len(lines[-1]) + len(item) + 2 > WIDTH and lines[-1].strip():
            lines.append(f"{indent}   ")
        lines[-1] += f" {item},"
    return [start, *lines, indent + end]


class Staged(Notation):
    """Plain Python.

    Args:
        exact: whether x ** 2 is written x * x, as the engine computes it: Python's ** may differ in the last digit.

    Attributes:
        functions: the ops without words that were written so far, each as a call, with how many operands.
    """

    def __init__(self, exact: bool = True) -> None:
        self._exact = exact
        self.functions: dict[Op, set[int]] = {}

    def constant(self, op: Op, x: float) -> Written:
        """A number as an operand: next to an operator an int will do, elsewhere it might become the result."""
        if op.name in OPERATORS or not math.isfinite(x):
            return self.number(x)
        return repr(float(x)), (ATOM if math.copysign(1.0, x) > 0 else NEGATION)

    def number(self, x: float) -> Written:
        """A plain number; one over n in this form."""
        x = float(x)
        text, precedence = super().number(x)
        if 0 < x < 1 and len(text) > 6 and 1 / x < 1e6 and 1 / round(1 / x) == x:
            return f"1 / {round(1 / x)}", PRODUCT
        return text, precedence

    def operation(self, rule: Any, operands: Sequence[Written]) -> Written:
        """What the op makes of the texts of its operands.

        Raises:
            ValueError: if the op has neither words nor a `lowered` form.
        """
        op: Op = rule
        if op.has_index:
            (index, _), *entries = operands
            return f"({', '.join(x for x, _ in entries)}{',' * (len(entries) == 1)})[whole({index})]", ATOM
        chain = self.chain(op, operands)
        if chain is not None:
            symbol, terms, divisor = chain
            text, precedence = terms[0]
            for term in terms[1:]:
                text, precedence = self.infix(symbol, (text, precedence), term)
            return self.infix("/", (text, precedence), (divisor, ATOM)) if divisor else (text, precedence)
        if self._exact and op.name == "power" and operands[1][0] in PRODUCTS:
            return self._filled(PRODUCTS[operands[1][0]], operands)
        if op.name in TEMPLATES and not op.is_users:
            return self._filled(TEMPLATES[op.name], operands)
        if op.name in MATH:
            return self.function(MATH[op.name], [x for x, _ in operands]), ATOM
        if not has_words(op):
            if not is_own(op) and op.lowered is None:
                raise ValueError(
                    f"to_python: {op.name} cannot be written as code: Python has no word for it, and it has no lowered "
                    f"form: add lower({op.name}, ...) in ops.py"
                )
            self.functions.setdefault(op, set()).add(len(operands))
        return super().operation(rule, operands)

    def statement(self, op: Op, name: str, operands: Sequence[Written]) -> list[str]:
        """The assignment to a name of what the op computes; of a long sum several, each continuing the last."""
        text = self.operation(op, operands)[0]
        if op.name in TEMPLATES and TEMPLATES[op.name].is_count:
            text = f"float({text})"
        chain = self.chain(op, operands)
        is_call = op.arity is None and op.name not in TEMPLATES
        if len(name) + len(text) + 7 <= WIDTH or not is_call:
            return [f"    {name} = {text}"]
        if op.has_index:
            return enclosed(f"    {name} = (", [x for x, _ in operands[1:]], f")[whole({operands[0][0]})]")
        if chain is None:
            return enclosed(f"    {name} = {text.partition('(')[0]}(", [x for x, _ in operands], ")")
        symbol, terms, divisor = chain
        lines = [f"    {name} = {terms[0][0]}"]
        for term in terms[1:]:
            written = self.infix(symbol, ("", ATOM), term)[0]
            if len(lines[-1]) + len(written) > WIDTH:
                lines.append(f"    {name} = {name}")
            lines[-1] += written
        return [*lines, f"    {name} = {name} / {divisor}"] if divisor else lines

    def chain(self, op: Op, operands: Sequence[Written]) -> tuple[str, list[Written], str] | None:
        """The operator, the terms and the divisor of an op that goes through its operands from left to right."""
        if op.pair is not None:
            n = len(operands) // 2
            pairs = zip(operands[:n], operands[n : 2 * n], strict=True)
            return "+", [*operands[2 * n :], *(self.operation(op.pair, pair) for pair in pairs)], ""
        for symbol, values in CHAINS.items():
            if op.value in values:
                divisor = str(len(operands)) if op.value is floats.mean and len(operands) > 1 else ""
                return symbol, list(operands), divisor
        return ("+", list(operands), "") if op.name in SELECTIONS and len(operands) == 1 else None

    def _filled(self, form: Form, operands: Sequence[Written]) -> Written:
        texts = [self.parenthesized(x) if mine < form.least else x for x, mine in operands]
        return form.text.format(*texts), form.precedence
