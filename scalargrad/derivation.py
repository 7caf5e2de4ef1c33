"""The derivative rules in words, read off the op table by running them on labelled Values and printing what they build.

Here the local backward closure gets its repr, `a.grad += b.data * c.grad`, and the functions of the table their
docstrings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scalargrad import ops as _ops  # noqa: F401  (the rows must be in the table)
from scalargrad.behaviour import describe
from scalargrad.engine import Value, topological_order
from scalargrad.rules import HandWritten, Leaf, LocalBackward
from scalargrad.table import TABLE, Op

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4}
_NEGATION, _ATOM = 3, 5


def python_text(value: Value | float, limit: int = 200) -> str:
    """The Python expression that computes a Value from its labelled ancestors; a labelled Value is its label.

    >>> x = Value(2.0, label='x')
    >>> python_text(1 - (x + 1) * x.tanh())
    '1 - (x + 1) * tanh(x)'
    """
    return _text_and_precedence(value, limit)[0]


def _text_and_precedence(value: Value | float, limit: int = 200) -> tuple[str, int]:
    if not isinstance(value, Value):
        return _number(value)
    texts: dict[Value, tuple[str, int]] = {}
    for node in topological_order(value):
        if node.label:
            texts[node] = (node.label, _ATOM)
        elif node.is_leaf:
            texts[node] = _number(node.data)
        else:
            text, precedence = _operation(node, texts)
            texts[node] = (text, precedence) if len(text) <= limit else ("…", _ATOM)
    return texts[value]


def _number(x: float) -> tuple[str, int]:
    return (f"{x:.0f}" if abs(x) < 1e6 and x == int(x) else repr(x)), (_ATOM if x >= 0 else _NEGATION)


def _operation(node: Value, texts: Mapping[Value, tuple[str, int]]) -> tuple[str, int]:
    operands = [texts[parent] if parent is not None else _number(a) for parent, a in node.operands]
    text = node._op
    if (plain := _without_constants(node, operands)) is not None:
        return plain
    if len(operands) == 2 and text in _PRECEDENCE:
        mine = _PRECEDENCE[text]
        (x, left), (y, right) = operands
        x = f"({x})" if left < mine or (text == "**" and left <= mine) else x
        y = f"({y})" if right < mine or (right == mine and text not in "+**") else y
        return f"{x} {text} {y}", mine
    if len(operands) == 1 and text == "-":
        x, inner = operands[0]
        return (f"-({x})" if inner < _NEGATION else f"-{x}"), _NEGATION
    name = node._rule.name if isinstance(node._rule, Op) else text
    return f"{name}({', '.join(x for x, _ in operands)})", _ATOM


def _without_constants(node: Value, operands: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
    """What 1 * x, x ** 1 and a choice already made come to, as one would write them on paper."""
    constants = [a if parent is None else None for parent, a in node.operands]
    if node._op == "*" and 1.0 in constants:
        return operands[1 - constants.index(1.0)]
    if node._op == "**" and constants[1] == 1.0:
        return operands[0]
    if node._op == "where" and constants[0] is not None:
        return operands[1] if constants[0] else operands[2]
    return None


def partial_text(op: Op, index: int, arguments: Sequence[str | float], result: str) -> tuple[str, int]:
    """The op's derivative with respect to one operand, and the precedence of that text.

    Args:
        op: the row of the table.
        index: which operand.
        arguments: a name for each operand, or its number if it is a constant.
        result: a name for the op's result.

    >>> partial_text(TABLE["tanh"], 0, ["x"], "z")[0], partial_text(TABLE["multiply"], 0, ["x", "y"], "z")[0]
    ('1 - z * z', 'y')
    """
    xs: list[Any] = [Value(0.5, label=name) if isinstance(name, str) else name for name in arguments]
    z = Value(0.5, label=result)
    if op.arity is None:
        return _text_and_precedence(op.partials_on_values(xs, z)[index])
    return _text_and_precedence(op.partials_on_values(xs, z, index)[0])


def contributions_text(node: Value, most: int = 4) -> list[str]:
    """What the node's local backward closure does, a line for each parent.

    >>> a, b = Value(2.0, label='a'), Value(3.0, label='b')
    >>> c = a * b
    >>> c.label = 'c'
    >>> contributions_text(c)
    ['a.grad += b.data * c.grad', 'b.grad += a.data * c.grad']
    """
    op = node._rule
    if not isinstance(op, Op):
        return []
    names = ["" if parent is None else _name(parent, f"x{i}") for i, (parent, _) in enumerate(node.operands)]
    result = _name(node, "out")
    arguments = [f"{x}.data" if x else a for x, (_, a) in zip(names, node.operands, strict=True)]
    lines: list[str] = []
    for i, (parent, _) in enumerate(node.operands):
        if parent is None:
            continue
        if len(lines) == most:
            lines.append("…")
            break
        local, precedence = partial_text(op, i, arguments, f"{result}.data")
        if local == "0":
            continue
        if local in ("1", "-1"):
            lines.append(f"{names[i]}.grad += {local[:-1]}{result}.grad")
        else:
            factor = f"({local})" if precedence < _PRECEDENCE["*"] else local
            lines.append(f"{names[i]}.grad += {factor} * {result}.grad")
    return lines


def _name(value: Value, default: str) -> str:
    return value.label if value.label.isidentifier() else default


def _repr(self: LocalBackward) -> str:
    lines = contributions_text(self.as_computed)
    if not lines and not isinstance(self.as_computed._rule, (Op, Leaf, HandWritten)):
        return f"<local backward: none, as the data of {describe(self.node)} was assigned>"
    return f"<local backward: {'; '.join(lines) if lines else 'passes nothing on'}>"


LocalBackward.__repr__ = _repr  # type: ignore[method-assign,assignment]


def _arguments_and_signature(op: Op) -> tuple[list[str], str]:
    if op.pair is not None:
        return ["x0", "x1", "y0", "y1", "bias"], "[x0, x1, ...], [y0, y1, ...], bias=None"
    if op.arguments:
        return list(op.arguments), ", ".join(op.arguments)
    if op.arity is None:
        return ["x0", "x1"], "x0, x1, ..."
    # The names that the rule itself uses: the slope of leaky_relu is called a.
    named = max((rule.__code__.co_varnames for rule in op.partials), key=lambda names: "a" in names)
    arguments = list(named[: op.arity])
    return arguments, ", ".join(arguments) + ("" if op.default is None else f"={op.default}")


def _docstring(op: Op) -> str:
    arguments, signature = _arguments_and_signature(op)
    derivatives = ", ".join(f"d/d{x} = {partial_text(op, i, arguments, 'z')[0]}" for i, x in enumerate(arguments))
    derivatives += " (of two operands)" if signature.endswith(", ...") else ""
    infix = f" The operator {op.text}." if op.arity == 2 and op.text in _PRECEDENCE else ""
    domain = (
        ""
        if all(d.low == -float("inf") and d.hole is None for d in op.domain)
        else (" Raises ValueError or ZeroDivisionError outside its domain.")
    )
    return (
        f"z = {op.name}({signature}) of Values or numbers: a Value, or a float if none is a Value.{infix}\n\n"
        f"Derivatives: {derivatives}.{domain}\n"
    )


for _op in TABLE.values():
    _op.function.__doc__ = _docstring(_op)
