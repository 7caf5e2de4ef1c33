"""The equation of a node, in the names of its operands or in their numbers: the same in pictures, tables and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.engine import Value  # noqa: TC001  (the examples need it)
from scalargrad.node.overwritten import was_overwritten
from scalargrad.support.labels import clean_label
from scalargrad.table.row import INFIX, Op
from scalargrad.words.texts import ELLIPSIS, MINUS, listed, number_text, symbol_of, wrapped

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


def equation(
    node: Value,
    names: Mapping[Value, str] | None,
    limit: int = 60,
    varying: Collection[int] = (),
    *,
    as_computed: bool = False,
) -> str:
    """What computed the node, in the names of its operands, constants as numbers; empty for a leaf.

    Args:
        node: the Value.
        names: a name for each parent, as from `display_names`; None puts in the numbers that the operands held.
        varying: indices of constant operands to show as …, where one equation stands for several nodes.
        as_computed: whether a later assignment of the node's data goes unmentioned.
        limit: about how many characters; long lists of operands are cut as in `sum(v1, v2, … 98 more)`.

    >>> a, b = Value(2.0), Value(3.0)
    >>> names = {a: 'a', b: 'b'}
    >>> [equation(v, names) for v in (a + b, a * -2, 1 / a, a ** 2, -a, a.tanh())]
    ['a + b', 'a × (−2)', '1 ÷ a', 'a^2', '−a', 'tanh(a)']
    """
    rule = node._rule
    if rule.is_leaf:
        return ""
    constants = [parent is None or names is None for parent, _ in node.operands]
    operands = [
        ELLIPSIS if i in varying else number_text(a) if parent is None or names is None else _symbol(names, parent)
        for i, (parent, a) in enumerate(node.operands)
    ]
    if isinstance(rule, Op):
        text = _op_text(rule, operands, constants, limit)
    else:
        text = _hand_written_text(clean_label(rule.text), operands, limit)
    if not as_computed and was_overwritten(node):
        text = f"assigned, was {text}"
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def _symbol(names: Mapping[Value, str], parent: Value) -> str:
    return symbol_of(names[parent]) if parent in names else "?"


def op_symbol(node: Value) -> str:
    """What a gate shows for the node's operation: `+`, `×`, `tanh`; for a micrograd-style node its own text."""
    rule = node._rule
    return rule.symbol if isinstance(rule, Op) else clean_label(rule.text)


def is_infix(op: Op) -> bool:
    """Whether the op is written between its two operands."""
    return op.arity == 2 and op.symbol != op.name


def _op_text(op: Op, operands: list[str], constants: list[bool], limit: int) -> str:
    if is_infix(op):
        return _infix(op.symbol, operands, constants)
    if op.arity == 1 and op.symbol != op.name:
        return op.symbol + wrapped(operands[0])
    if op.pair is not None:
        return _paired_text(op.name, op.pair.symbol, operands, limit)
    if op.has_index:
        return f"{op.symbol}([{listed(operands[1:], limit - len(op.symbol) - len(operands[0]) - 6)}], {operands[0]})"
    return f"{op.symbol}({listed(operands, limit - len(op.symbol) - 2)})"


def _hand_written_text(text: str, operands: list[str], limit: int) -> str:
    if text in INFIX and len(operands) == 2:
        return _infix(INFIX[text].symbol, operands, [False, False])
    if text.startswith("**") and len(operands) == 1:
        return f"{wrapped(operands[0])}^{text[2:]}"
    if text in ("-", "neg") and len(operands) == 1:
        return MINUS + wrapped(operands[0])
    return f"{text or 'op'}({listed(operands, limit - len(text) - 2)})"


def _infix(symbol: str, operands: Sequence[str], constants: Sequence[bool]) -> str:
    x, y = operands
    if symbol != "+":
        x = x if constants[0] and symbol != "^" else wrapped(x)
        y = wrapped(y) if not (constants[1] and symbol == "^") else y
    elif constants[1]:
        y = wrapped(y)
    return f"{x}^{y}" if symbol == "^" else f"{x} {symbol} {y}"


def _paired_text(name: str, symbol: str, operands: list[str], limit: int) -> str:
    n = len(operands) // 2
    ws, xs = operands[:n], operands[n : 2 * n]
    bias = f" + {wrapped(operands[-1]) if operands[-1][0] == MINUS else operands[-1]}" if len(operands) % 2 else ""
    pairs = [f"{wrapped(w)}{symbol}{wrapped(x)}" for w, x in zip(ws, xs, strict=True)]
    text = " + ".join(pairs) if n <= 3 else ""
    if text and len(text + bias) <= min(limit, 32):
        return text + bias
    room = (limit - len(bias) - len(name) - 8) // 2
    return f"{name}([{listed(ws, room)}], [{listed(xs, room)}]){bias}"
