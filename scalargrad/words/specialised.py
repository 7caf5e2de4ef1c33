"""A local derivative as it reads at one point: choices made, factors of 1 left out, with names and with numbers.

The formula is the row's own rule, run on the operands. Where a rule asks which side of a kink it is on, the numbers
answer: of leaky_relu at 3 there is left 1, at -3 there is left a.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.engine import Value, topological_order
from scalargrad.table.operators import ATOM, POWER, PRODUCT
from scalargrad.table.row import PACKAGE_ROWS, Op
from scalargrad.table.stand_ins import partials_at
from scalargrad.words.latex import LATEX
from scalargrad.words.notation import TEXT, Notation, Written
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scalargrad.node.rules import Rule

LONGEST = 90
"""A formula with more characters than this is not shown: the number has to do."""
_ANSWERS = tuple(PACKAGE_ROWS[name] for name in ("greater", "step", "sign"))
"""Ops that only say which side of a kink their operands are on."""
_MULTIPLY, _NEGATIVE = PACKAGE_ROWS["multiply"], PACKAGE_ROWS["negative"]
_WHERE = PACKAGE_ROWS["where"]


class Said(NamedTuple):
    """An expression in two texts.

    Attributes:
        named: in names.
        filled: the same with numbers in their place.
        number: its number if no name occurs in it; else None.
        factors: of a product, a quotient or a negation what it was made of, for squares.
    """

    named: Written
    filled: Written
    number: float | None
    factors: tuple[str, tuple[Said, ...]] = ("", ())


def said_partial(node: Value, index: int, names: Mapping[Value, str], notation: Notation = TEXT) -> Said | None:
    """The local derivative of a node in one operand, in words of its operands and its own name.

    None if no op of a table knows it, if it is too long, or if it is but a number.

    >>> x, y = Value(3.0), Value(2.0)
    >>> for z in (x * y, x.tan(), x.leaky_relu(y), (x - 5).leaky_relu(y)):
    ...     said = said_partial(z, 0, {x: 'x', y: 'y', z: 'z'})
    ...     print(said and (said.named[0], said.filled[0]))
    ('y', '2')
    ('1 + z²', '1 + (−0.1425)²')
    None
    ('y', '2')
    """
    op = node._rule
    if not isinstance(op, Op):
        return None
    parents = [parent for parent, _ in node.operands]
    xs: list[Any] = [a if parent is None else Value(a) for parent, a in node.operands]
    z = Value(node._data)
    symbols: dict[Value, Said] = {}
    named = [(z, names.get(node, "out"))]
    named += [(x, names.get(p, f"x{i}")) for i, (x, p) in enumerate(zip(xs, parents, strict=True)) if p is not None]
    for x, name in named:
        symbols[x] = Said(notation.name(name), _filled(x.data, notation), None)
    (partial,) = partials_at(op, xs, z, [index])
    if not isinstance(partial, Value):
        return None
    said = _product_in_order(partial, xs, symbols, notation) or _said(partial, symbols, notation)
    return None if said.number is not None or len(said.named[0]) > LONGEST else said


def _product_in_order(
    value: Value, xs: Sequence[Any], symbols: Mapping[Value, Said], notation: Notation
) -> Said | None:
    """A product of several operands and nothing else, in the order of the operands; None if it is no such product."""
    found: set[Value] = set()
    for node in topological_order(value):
        if node not in symbols and node._rule is not _MULTIPLY:
            return None
        found.update(node.parents if node not in symbols else ())
    factors = [symbols[x] for x in xs if isinstance(x, Value) and x in found]
    constants = {a for node in found | {value} for parent, a in node.operands if parent is None}
    if len(factors) < 2 or len(factors) != len(found & symbols.keys()) or not constants <= {1.0}:
        return None
    return reduce(lambda x, y: _made(_MULTIPLY, [x, y], notation), factors)


def _said(value: Value, symbols: Mapping[Value, Said], notation: Notation) -> Said:
    found = dict(symbols)
    for node in topological_order(value):
        if node in found:
            continue
        if node.is_leaf or node._rule in _ANSWERS:
            found[node] = _number(node.data, notation)
            continue
        operands = [_number(a, notation) if p is None else found[p] for p, a in node.operands]
        if node._rule is _WHERE:
            found[node] = operands[1 if node.operands[0][1] else 2]
        elif all(x.number is not None for x in operands):
            found[node] = _number(node.data, notation)
        else:
            found[node] = _operation(node._rule, operands, notation)
    return found[value]


def _operation(rule: Rule, operands: Sequence[Said], notation: Notation) -> Said:
    """What the rule makes of the operands, of which at least one has a name in it."""
    short = _shortened(rule, operands[0], operands[1], notation) if len(operands) == 2 else None
    return short or _made(rule, operands, notation)


def _shortened(rule: Rule, x: Said, y: Said, notation: Notation) -> Said | None:
    """Factors of 1, terms of 0 and what is a square, as one would write them on paper; None if there is nothing."""
    text, (kind, factors) = rule.text, x.factors
    again = len(factors) > 0 and factors[-1].named == y.named
    if text == "*":
        if 0.0 in (x.number, y.number):
            return _number(0.0, notation)
        if 1.0 in (x.number, y.number):
            return y if x.number == 1.0 else x
        if x.named == y.named:
            return _square(x, notation)
        if kind == "negative" and again:
            return _made(_NEGATIVE, [_square(y, notation)], notation)
        if kind == "*" and again:
            return _made(rule, [factors[0], _square(y, notation)], notation)
    elif text == "/":
        if kind == "/" and again:
            return _made(rule, [factors[0], _square(y, notation)], notation)
        return x if y.number == 1.0 else None
    elif text == "+":
        return x if y.number == 0.0 else y if x.number == 0.0 else None
    elif text == "-":
        return x if y.number == 0.0 else None
    elif text == "**" and y.number in (0.0, 1.0, 2.0):
        return [_number(1.0, notation), x, _square(x, notation)][int(y.number)]
    return None


def _made(rule: Rule, operands: Sequence[Said], notation: Notation) -> Said:
    name = "negative" if len(operands) == 1 and rule.text == "-" else rule.text
    return Said(
        notation.operation(rule, [x.named for x in operands]),
        notation.operation(rule, [x.filled for x in operands]),
        None,
        (name, tuple(operands)),
    )


def _square(x: Said, notation: Notation) -> Said:
    def squared(written: Written) -> Written:
        text, precedence = written
        base = notation.parenthesized(text) if precedence < ATOM else text
        return base + ("^{2}" if notation is LATEX else "²"), POWER

    return Said(squared(x.named), squared(x.filled), None)


def _number(x: float, notation: Notation) -> Said:
    written = notation.number(x)
    return Said(written, written, x)


def _filled(x: float, notation: Notation) -> Written:
    """A number in the place of a name."""
    text, precedence = notation.number(x)
    return text, min(precedence, PRODUCT) if "e" in text else precedence


def chain_of(node: Value, index: int, names: Mapping[Value, str], local: float) -> list[str]:
    """The local derivative as a formula in names, the same in numbers, and what it comes to; each text once.

    >>> x = Value(3.0)
    >>> y = x.sqrt()
    >>> chain_of(y, 0, {x: 'x', y: 'y'}, 0.288675134594)
    ['0.5 ÷ y', '0.5 ÷ 1.7321', '0.2887']
    """
    number = number_text(local)
    said = said_partial(node, index, names)
    if said is None:
        return [number]
    return list(dict.fromkeys([said.named[0], said.filled[0], number]))
