"""Expressions in LaTeX: the third notation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scalargrad.engine import Value  # noqa: TC001  (the examples need it)
from scalargrad.node.naming import NO_VARIABLES, display_names
from scalargrad.table.operators import ATOM, NEGATION, POWER, PRODUCT
from scalargrad.table.row import Op
from scalargrad.words.notation import Notation, Written
from scalargrad.words.texts import number_text


class Latex(str):
    """LaTeX source that Jupyter shows typeset."""

    __slots__ = ()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self}$"


class _Latex(Notation):
    r"""Fractions, roots and powers as they are set.

    >>> x = Value(2.0)
    >>> print(LATEX.write(1 - (x + 1) * x.tanh() / 2, {x: 'x'}))
    1 - \frac{\left(x + 1\right) \cdot \tanh\left(x\right)}{2}
    """

    negatives_stand_alone = is_code = False

    def names(self, values: Iterable[Value], variables: Mapping[Value, str] = NO_VARIABLES) -> dict[Value, str]:
        return display_names(values, variables)

    def number(self, x: float) -> Written:
        text = number_text(x).replace("\N{MINUS SIGN}", "-")
        precedence = NEGATION if text[0] == "-" else ATOM
        mantissa, _, exponent = text.partition("e")
        if text.endswith("inf"):
            return text.replace("inf", r"\infty"), precedence
        if text == "nan":
            return r"\text{nan}", ATOM
        return (rf"{mantissa} \cdot 10^{{{exponent}}}", min(precedence, PRODUCT)) if exponent else (text, precedence)

    def name(self, name: str) -> Written:
        return latex_name(name), ATOM

    def parenthesized(self, x: str) -> str:
        return rf"\left({x}\right)"

    def infix(self, text: str, x: Written, y: Written) -> Written:
        if text == "/":
            return rf"\frac{{{x[0]}}}{{{y[0]}}}", PRODUCT
        if text == "//":
            return rf"\left\lfloor\frac{{{x[0]}}}{{{y[0]}}}\right\rfloor", ATOM
        if text == "**":
            return f"{self.parenthesized(x[0]) if x[1] < ATOM else x[0]}^{{{y[0]}}}", POWER
        return super().infix(text, x, y)

    def joined(self, text: str, x: str, y: str) -> str:
        return f"{x} {_LATEX_OPERATORS.get(text, text)} {y}"

    def operation(self, rule: Any, operands: Sequence[Written]) -> Written:
        template = _LATEX_TEMPLATES.get(rule.name) if isinstance(rule, Op) else None
        if template is None:
            return super().operation(rule, operands)
        ((x, inner),), (text, precedence) = operands, template
        return text.replace("(X)", self.parenthesized(x) if inner < ATOM else x).replace("X", x), precedence

    def function(self, name: str, arguments: Sequence[str]) -> str:
        command = _LATEX_FUNCTIONS.get(name) or rf"\operatorname{{{_escaped(name)}}}"
        return rf"{command}\left({', '.join(arguments)}\right)"


_LATEX_OPERATORS = {"*": r"\cdot", "%": r"\bmod"}
_LATEX_FUNCTIONS = {name: rf"\{name}" for name in (
    "log", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "max", "min",
)}  # fmt: skip
_LATEX_FUNCTIONS |= {"maximum": r"\max", "minimum": r"\min", "sigmoid": r"\sigma"}
_LATEX_FUNCTIONS |= {"log2": r"\log_2", "log10": r"\log_{10}"}
# (X) is the operand, in parentheses where it needs them.
_LATEX_TEMPLATES = {
    "square": ("(X)^2", POWER), "reciprocal": (r"\frac{1}{X}", PRODUCT), "sqrt": (r"\sqrt{X}", ATOM),
    "cbrt": (r"\sqrt[3]{X}", ATOM), "exp": ("e^{X}", POWER), "exp2": ("2^{X}", POWER),
    "absolute": (r"\left|X\right|", ATOM), "floor": (r"\left\lfloor X\right\rfloor", ATOM),
    "ceil": (r"\left\lceil X\right\rceil", ATOM),
}  # fmt: skip

_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SPECIAL = {"\\": r"}\backslash\text{", "^": r"}{\wedge}\text{", "~": r"}{\sim}\text{"} | {
    c: "\\" + c for c in "{}$&#_%"
}


def latex_name(name: str) -> str:
    r"""A name in LaTeX: digits at its end are an index, several letters stand upright, all else is escaped text.

    >>> print(latex_name("w1"), latex_name("loss"), latex_name("x₁"), latex_name("a_b"), latex_name(r"x\y"))
    w_{1} \mathrm{loss} x_{1} \text{a\_b} \text{x}\backslash\text{y}
    """
    found = re.fullmatch(r"([A-Za-z]+)_?([0-9]*)([₀-₉]*)", name)
    if found is None:
        return rf"\text{{{_escaped(name)}}}"
    stem, digits, subscript = found.groups()
    index = ",".join(part for part in (digits, subscript.translate(_SUBSCRIPTS)) if part)
    return (stem if len(stem) == 1 else rf"\mathrm{{{stem}}}") + (f"_{{{index}}}" if index else "")


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in text)


LATEX = _Latex()
