"""The derivative rules in words, read off the op table by running them on labelled Values and printing what they build.

Here the local backward closure gets its repr, `a.grad += b.data * c.grad`, and the functions of the table their
docstrings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scalargrad.engine import Value
from scalargrad.node.by_hand import GivenPartials, LocalBackward
from scalargrad.node.numbers import describe
from scalargrad.node.overwritten import was_overwritten
from scalargrad.table.operators import ATOM, PRODUCT
from scalargrad.table.row import INFIX, TABLE, Op
from scalargrad.table.stand_ins import partials_read
from scalargrad.words.notation import PYTHON, TEXT, Notation, TooLongError, Written


def partial_text(
    op: Op,
    index: int,
    arguments: Sequence[str | float],
    result: str,
    notation: Notation = PYTHON,
    limit: int = 200,
) -> Written:
    """The op's derivative with respect to one operand, and the precedence of that text.

    Args:
        op: the row of the table.
        index: which operand.
        arguments: a name for each operand, or its number if it is a constant.
        result: a name for the op's result.
        notation: how it is written.
        limit: a longer text becomes …

    >>> partial_text(TABLE["tanh"], 0, ["x"], "z")[0], partial_text(TABLE["multiply"], 0, ["x", "y"], "z")[0]
    ('1 - z * z', 'y')
    """
    (read,) = partials_read(op, [None if isinstance(name, str) else name for name in arguments], [index])
    names = {read.z: result}
    names |= {x: str(name) for x, name in zip(read.xs, arguments, strict=True) if isinstance(x, Value)}
    try:
        return notation.written(read.partial, names, limit, simplified=True)
    except TooLongError:
        return "…", ATOM


def partial_formula(node: Value, index: int, names: Mapping[Value, str], notation: Notation = TEXT) -> str:
    """The derivative of a computed node with respect to one operand, in the names of its operands and its own.

    >>> x = Value(3.0)
    >>> partial_formula(x.tanh(), 0, {x: 'x'})
    '1 − out × out'
    """
    op = node._rule
    if not isinstance(op, Op):
        return "…"
    arguments = [a if parent is None else names.get(parent, f"x{i}") for i, (parent, a) in enumerate(node.operands)]
    return partial_text(op, index, arguments, names.get(node, "out"), notation)[0]


def contributions_text(node: Value, most: int = 4) -> list[str]:
    """What the node's local backward closure does, a line for each parent.

    >>> a, b = Value(2.0, label='a'), Value(3.0, label='b')
    >>> c = a * b
    >>> c.label = 'c'
    >>> contributions_text(c)
    ['a.grad += b.data * c.grad', 'b.grad += a.data * c.grad']
    """
    op = node._rule
    if not isinstance(op, (Op, GivenPartials)) or was_overwritten(node):
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
        if isinstance(op, GivenPartials):
            local, precedence = PYTHON.number(op.partials[i])
        else:
            local, precedence = partial_text(op, i, arguments, f"{result}.data")
        if local == "0":
            continue
        if local in ("1", "-1"):
            lines.append(f"{names[i]}.grad += {local[:-1]}{result}.grad")
        else:
            factor = f"({local})" if precedence < PRODUCT else local
            lines.append(f"{names[i]}.grad += {factor} * {result}.grad")
    return lines


def _name(value: Value, default: str) -> str:
    return value.label if value.label.isidentifier() else default


def _repr(self: LocalBackward) -> str:
    lines = contributions_text(self.as_computed)
    if was_overwritten(self.as_computed):
        return f"<local backward: none, as the data of {describe(self.node)} was assigned>"
    return f"<local backward: {'; '.join(lines) if lines else 'passes nothing on'}>"


LocalBackward.__repr__ = _repr  # type: ignore[method-assign,assignment]


def _arguments_and_signature(op: Op) -> tuple[list[str], str]:
    if op.pair is not None:
        return ["x0", "x1", "y0", "y1", "bias"], "[x0, x1, ...], [y0, y1, ...], bias=None"
    if op.has_index:
        return ["index", "x0", "x1"], "[x0, x1, ...], index"
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
    derivatives = "; ".join(f"{partial_text(op, i, arguments, 'z')[0]} for {x}" for i, x in enumerate(arguments))
    derivatives += " (of two operands)" if signature.endswith(", ...") else ""
    infix = f" The operator {op.text}." if op.arity == 2 and INFIX.get(op.text) is op else ""
    domain = (
        ""
        if all(d.low == -float("inf") and d.hole is None for d in op.domain)
        else (" Raises ValueError or ZeroDivisionError outside its domain.")
    )
    said = f"Local derivatives: {derivatives}.{domain}\n"
    if op.function.__doc__:  # it says what it takes and gives itself
        first, _, rest = op.function.__doc__.partition("\n\n")
        first = first[0].lower() + first[1:]
        return f"z = {op.name}({signature}): {first}\n\n        {said}\n{rest}"
    return f"z = {op.name}({signature}) of Values or numbers: a Value, or a float if none is a Value.{infix}\n\n{said}"


for _op in TABLE.values():
    _op.function.__doc__ = _docstring(_op)
