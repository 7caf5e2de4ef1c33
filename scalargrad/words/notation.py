"""Values written out as expressions, in Python and in plain text; latex.py has the third notation."""

from __future__ import annotations

import keyword
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scalargrad.engine import Value, topological_order
from scalargrad.node.naming import NO_VARIABLES, display_names
from scalargrad.support.labels import clean_label
from scalargrad.table.operators import ATOM, LOOSE, NEGATION, OPERATORS
from scalargrad.table.row import INFIX, TABLE, Op
from scalargrad.words.equations import is_infix
from scalargrad.words.texts import number_text, symbol_of

Written = tuple[str, int]
"""A text, and how strongly its parts hold together."""


class TooLongError(ValueError):
    """The expression is longer than was asked for."""


class Notation:
    """How numbers, names and operations are written. This base is Python; the others replace parts of it.

    >>> x = Value(2.0)
    >>> y = 1 - (x + 1) * x.tanh() / 2
    >>> [notation.write(y, {x: 'x'}) for notation in (PYTHON, TEXT)]
    ['1 - (x + 1) * tanh(x) / 2', '1 − (x + 1) × tanh(x) ÷ 2']
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


PYTHON, TEXT = Notation(), _Text()


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
