"""Values written out as expressions, in one of three notations: Python, plain text, LaTeX."""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scalargrad.engine import Value, topological_order
from scalargrad.node.naming import NO_VARIABLES, display_names
from scalargrad.node.numbers import describe
from scalargrad.node.variables import Names, variable_names
from scalargrad.support.arguments import name as one_of
from scalargrad.support.console import Text
from scalargrad.support.labels import clean_label
from scalargrad.table.operators import ATOM, LOOSE, NEGATION, OPERATORS, POWER, PRODUCT
from scalargrad.table.row import INFIX, TABLE, Op
from scalargrad.words.equations import is_infix
from scalargrad.words.expansion import expanded
from scalargrad.words.texts import number_text, symbol_of

Written = tuple[str, int]
"""A text, and how strongly its parts hold together."""


class TooLongError(ValueError):
    """The expression is longer than was asked for."""


class Notation:
    r"""How numbers, names and operations are written. This base is Python; the others replace parts of it.

    >>> x = Value(2.0)
    >>> y = 1 - (x + 1) * x.tanh() / 2
    >>> [notation.write(y, {x: 'x'}) for notation in (PYTHON, TEXT)]
    ['1 - (x + 1) * tanh(x) / 2', '1 − (x + 1) × tanh(x) ÷ 2']
    >>> print(LATEX.write(y, {x: 'x'}))
    1 - \frac{\left(x + 1\right) \cdot \tanh\left(x\right)}{2}
    """

    negatives_stand_alone = True
    """Whether -2 may follow an operator as it is."""
    is_code = True
    """Whether the text may be evaluated: x + (y + z) is rounded otherwise than x + y + z, and 2 is another type."""

    def names(self, values: Iterable[Value], variables: Mapping[Value, str] = NO_VARIABLES) -> dict[Value, str]:
        """A name for each Value: its label if Python can read that as a variable, else one like it."""
        names: dict[Value, str] = {}
        taken = {*TABLE, "float"}
        for value, shown in display_names(values, variables).items():
            stem = name = identifier(shown)
            n = 1
            while name in taken:
                name, n = f"{stem}_{n}", n + 1
            taken.add(name)
            names[value] = name
        return names

    def write(self, value: Value | float, names: Mapping[Value, str], limit: int | None = None) -> str:
        """The expression that computes the value from those that have a name.

        Args:
            value: a Value, or a plain number.
            names: Values that are written by name; every other one is written out, a leaf as its number.
            limit: how many characters at most.

        Raises:
            TooLongError: if the expression has more.
        """
        return self.written(value, names, limit)[0]

    def written(
        self, value: Value | float, names: Mapping[Value, str], limit: int | None = None, *, simplified: bool = False
    ) -> Written:
        """As `write`, with the precedence; `simplified` leaves out what 1 * x, x ** 1 and choices already made add."""
        if not isinstance(value, Value):
            return self.number(value)
        texts: dict[Value, Written] = {}
        for node in topological_order(value):
            if node in names:
                texts[node] = self.name(names[node])
            elif node.is_leaf:
                texts[node] = self.leaf(node.data)
            else:
                operands = [texts[parent] if parent is not None else self.number(a) for parent, a in node.operands]
                short = _without_constants(node, operands) if simplified else None
                texts[node] = short or self.operation(node._rule, operands)
            if limit is not None and len(texts[node][0]) > limit:
                raise TooLongError(f"the expression has more than {limit} characters")
        return texts[value]

    def write_operation(self, node: Value, names: Mapping[Value, str]) -> str:
        """What computed the node, in the names of its operands; of a leaf its number."""
        if node.is_leaf:
            return self.leaf(node.data)[0]
        operands = [self.name(names[parent]) if parent is not None else self.number(a) for parent, a in node.operands]
        return self.operation(node._rule, operands)[0]

    def number(self, x: float) -> Written:
        """A plain number."""
        if not math.isfinite(x):
            return f"float('{x!r}')", ATOM
        if math.copysign(1.0, x) < 0:
            return (f"{x:.0f}" if -1e6 < x < 0 and x == int(x) else repr(x)), NEGATION
        return (f"{x:.0f}" if x < 1e6 and x == int(x) else repr(x)), ATOM

    def leaf(self, x: float) -> Written:
        """The number of a Value without a name."""
        text, precedence = self.number(x)
        return (f"{text}.0" if self.is_code and text.strip("-").isdecimal() else text), precedence

    def name(self, name: str) -> Written:
        """The name of a Value."""
        return name, ATOM

    def operation(self, rule: Any, operands: Sequence[Written]) -> Written:
        """What the rule makes of the texts of its operands."""
        text = rule.text
        if len(operands) == 2 and text in OPERATORS:
            return self.infix(text, *operands)
        if len(operands) == 1 and text == "-":
            x, inner = operands[0]
            return self.minus + (self.parenthesized(x) if inner <= NEGATION else x), NEGATION
        arguments = [x for x, _ in operands]
        name = rule.name if isinstance(rule, Op) else clean_label(text) or "op"
        if isinstance(rule, Op) and rule.pair is not None:
            n = len(arguments) // 2
            arguments = [f"[{', '.join(arguments[:n])}]", f"[{', '.join(arguments[n : 2 * n])}]", *arguments[2 * n :]]
        if isinstance(rule, Op) and rule.has_index:
            arguments = [f"[{', '.join(arguments[1:])}]", arguments[0]]
        return self.function(name, arguments), ATOM

    def infix(self, text: str, x: Written, y: Written) -> Written:
        """An operator between its operands, in parentheses where they are needed."""
        mine = OPERATORS[text].precedence
        left = self.parenthesized(x[0]) if x[1] < mine or (text == "**" and x[1] <= mine) else x[0]
        alone = self.negatives_stand_alone or y[1] != NEGATION
        in_order = text == "**" or (text in "+*" and not self.is_code)
        needed = y[1] < mine or (y[1] == mine and not in_order) or not alone
        return self.joined(text, left, self.parenthesized(y[0]) if needed else y[0]), mine

    minus = "-"

    def joined(self, text: str, x: str, y: str) -> str:
        """The operator between two texts."""
        return f"{x} {text} {y}"

    def parenthesized(self, x: str) -> str:
        """A text in parentheses."""
        return f"({x})"

    def function(self, name: str, arguments: Sequence[str]) -> str:
        """A call."""
        return f"{name}({', '.join(arguments)})"


class _Text(Notation):
    negatives_stand_alone = is_code = False

    def names(self, values: Iterable[Value], variables: Mapping[Value, str] = NO_VARIABLES) -> dict[Value, str]:
        return display_names(values, variables)

    minus = "\N{MINUS SIGN}"

    def number(self, x: float) -> Written:
        text = number_text(x)
        return text, (NEGATION if text[0] == self.minus else ATOM)

    def name(self, name: str) -> Written:
        return symbol_of(name), ATOM

    def joined(self, text: str, x: str, y: str) -> str:
        symbol = INFIX[text].symbol
        return f"{x}^{y}" if symbol == "^" else f"{x} {symbol} {y}"

    def operation(self, rule: Any, operands: Sequence[Written]) -> Written:
        if isinstance(rule, Op) and is_infix(rule) and rule.text not in OPERATORS:
            (x, left), (y, right) = operands
            x, y = (self.parenthesized(x) if left <= LOOSE else x), (self.parenthesized(y) if right <= LOOSE else y)
            return f"{x} {rule.symbol} {y}", LOOSE
        return super().operation(rule, operands)


class _Latex(Notation):
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


def identifier(text: str) -> str:
    """The text as a name of Python's: what a name cannot hold becomes an underscore.

    Python reads names in Unicode's form NFKC, in which µ, the micro sign, is the Greek letter μ. So the name is in that
    form: names that look different to a program are different variables.

    >>> identifier("x₁"), identifier("x*w"), identifier("class"), identifier("2x")
    ('x1', 'x_w', 'v_class', 'v_2x')
    """
    normal = unicodedata.normalize("NFKC", text)
    name = "".join(c if f"_{c}".isidentifier() else "_" for c in normal)
    unfit = not name.isidentifier() or keyword.iskeyword(name) or name == "__debug__"
    return f"v_{name}" if unfit else name


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


PYTHON, TEXT, LATEX = Notation(), _Text(), _Latex()


def _without_constants(node: Value, operands: Sequence[Written]) -> Written | None:
    """What 1 * x, x ** 1 and a choice already made come to, as one would write them on paper."""
    constants = [a if parent is None else None for parent, a in node.operands]
    if node._op == "*" and 1.0 in constants:
        return operands[1 - constants.index(1.0)]
    if node._op == "**" and constants[1] == 1.0:
        return operands[0]
    if node._op == "where" and constants[0] is not None:
        return operands[1] if constants[0] else operands[2]
    if node._op == "where" and _is_surely_not_zero(node.parents[0]):
        return operands[1]
    return None


def _is_surely_not_zero(condition: Value) -> bool:
    return condition._op == "hypot" and any(parent is None and a for parent, a in condition.operands)


class Latex(str):
    """LaTeX source that Jupyter shows typeset."""

    __slots__ = ()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self}$"


NOTATIONS = {"text": TEXT, "latex": LATEX, "python": PYTHON}
MAX_LENGTH = 2000


def formula(value: Value, notation: str = "text", *, lines: bool = False, names: Names = True) -> str:
    r"""The expression that computes a Value: leaves by name, those without one as numbers, fused sums spelled out.

    In Python, with scalargrad's functions and the leaves or their numbers by name, it computes the very same number,
    but for the last digit of x ** 2 and x ** 3 of plain numbers, which the engine computes as products.

    Args:
        value: the Value.
        notation: 'text', 'latex' (typeset by Jupyter) or 'python'.
        lines: one equation for each operation, in order, instead of one expression; of graphs of any size.
        names: whether Values without a label are called as the caller's variables are, as in `draw`.

    Raises:
        ValueError: for another notation; if one expression would have more than 2000 characters.

    >>> w, x, b = Value(2.0), Value(-1.0), Value(0.5)
    >>> y = (w * x + b).tanh() ** 2
    >>> formula(y)
    'tanh(w × x + b)^2'
    >>> print(formula(y, 'latex'))
    \tanh\left(w \cdot x + b\right)^{2}
    >>> print(formula(y, lines=True))
    v1 = w × x
    v2 = v1 + b
    v3 = tanh(v2)
    y = v3^2
    """
    writer = NOTATIONS[one_of(notation, "notation", NOTATIONS)]
    order = topological_order(value)
    variables = variable_names(order, names, "formula")
    if not lines:
        order, replaced = expanded(order, exactly=writer.is_code)
        value = replaced.get(value, value)
        shown = writer.names((node for node in order if node.is_leaf and (node.label or node in variables)), variables)
        try:
            text = writer.write(value, shown, MAX_LENGTH)
        except TooLongError:
            raise TooLongError(
                f"the formula of {describe(value)}, of {len(order)} values, has more than {MAX_LENGTH} characters: "
                "formula(lines=True) writes one equation for each operation"
            ) from None
    else:
        shown = writer.names(order, variables)
        align = "&" if notation == "latex" else ""
        computed = [node for node in order if not node.is_leaf]
        equations = [
            f"{writer.name(shown[node])[0]} {align}= {writer.write_operation(node, shown)}" for node in computed
        ]
        if not computed:
            equations = [f"{writer.name(shown[value])[0]} {align}= {writer.number(value.data)[0]}"]
        text = "\n".join(equations)
        if notation == "latex":
            text = r"\begin{aligned}" + " \\\\\n".join(equations) + r"\end{aligned}"
    return Latex(text) if notation == "latex" else Text(text)
