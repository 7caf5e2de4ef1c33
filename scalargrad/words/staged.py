"""Staged code: a graph's forward and backward pass as the Python that a student would write by hand."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from scalargrad.engine import Value, topological_order
from scalargrad.node.by_hand import GivenPartials, HandWritten
from scalargrad.node.errors import no_graph
from scalargrad.node.extras import hooks_of
from scalargrad.node.naming import display_names
from scalargrad.node.numbers import describe, number_in
from scalargrad.node.overwritten import was_overwritten
from scalargrad.node.rebinding import Rebound
from scalargrad.node.rules import Leaf
from scalargrad.node.variables import Names, variable_names
from scalargrad.support.arguments import brief
from scalargrad.support.labels import quoted
from scalargrad.table.operators import ATOM, PRODUCT
from scalargrad.table.row import Op
from scalargrad.table.stand_ins import partials_read
from scalargrad.words.notation import TooLongError, Written, identifier
from scalargrad.words.places import placed
from scalargrad.words.staged_helpers import above
from scalargrad.words.staged_text import (
    RESERVED,
    WIDTH,
    Staged,
    enclosed,
    float_literal,
    fresh,
    is_lowered,
    is_own,
    lowered_names,
)
from scalargrad.words.texts import LOCAL

MAX_LINES = 5000
MAX_LENGTH = 2000
_WORDS = Staged(exact=False)


def to_python(value: Value, name: str = "f", *, names: Names = True) -> str:
    """The forward and the backward pass of a Value's graph as a Python function, a line for each operation.

    Its arguments are the leaves, by their names, with their numbers as defaults. It returns the result and a dict from
    the name of each leaf that requires grad to its gradient. Each line of the backward pass is one contribution, with
    the derivative that it multiplies by in a comment; the derivatives are those of the op table.

    The code runs by itself, with a function above it for each op that Python has no word for. (Ops made with
    @primitive are called by name.) It computes what the engine does, in the same order: on finite numbers result and
    gradients are equal to those of `backward()`, but for the last digit of x ** y where the variable y happens to be 2,
    3 or 4. Where an op overflows, or a derivative is infinite, the engine has inf and Python raises; and max() may lose
    a NaN.

    Args:
        value: the result.
        name: the function's name.
        names: whether Values without a label are called as the caller's variables are, as in `draw`.

    Raises:
        ValueError: if the graph is too large, or has a node that no op of the table computed; if `name` will not do.

    >>> x, y, z = Value(-2.0, label='x'), Value(5.0, label='y'), Value(-4.0, label='z')
    >>> q = x + y
    >>> q.label = 'q'
    >>> print(to_python(q * z))
    def f(x=-2.0, y=5.0, z=-4.0):
        # forward
        q = x + y
        t1 = q * z
    <BLANKLINE>
        # backward
        dt1 = 1.0
        dq = dt1 * z  # q * z: local for q = z
        dz = dt1 * q  # q * z: local for z = q
        dx = dq  # x + y: local for x = 1
        dy = dq  # x + y: local for y = 1
    <BLANKLINE>
        return t1, {"x": dx, "y": dy, "z": dz}
    """
    if not isinstance(value, Value):
        raise no_graph("to_python", value)
    order = topological_order(value)
    _check(value, order, name)
    own = {node._rule.name for node in order if is_own(node._rule)}  # type: ignore[attr-defined]
    code, taken = Staged(), {*RESERVED, *lowered_names(), *own}
    shown = _names(order, taken, variable_names(order, names, "to_python"))
    reached = _reached(order)
    slopes = _names_of_gradients([node for node in order if node in reached], shown, taken)

    lines = ["    # forward"]
    for node in order:
        if not node.is_leaf:
            lines += _forward(code, node, shown)
    if value in reached:
        lines += ["", "    # backward", f"    {slopes[value]} = 1.0", *_backward(code, value, order, shown, slopes)]
    leaves = [node for node in order if node.is_leaf]
    gradients = [f'"{shown[leaf]}": {slopes[leaf]}' for leaf in leaves if leaf in reached]
    lines += ["", *enclosed(f"    return {shown[value]}, {{", gradients, "}")]
    head = enclosed(f"def {name}(", [f"{shown[leaf]}={float_literal(number_in(leaf))}" for leaf in leaves], "):")
    return "\n".join([*above("\n".join(lines), code, own), *head, *lines])


def _check(value: Value, order: Sequence[Value], name: str) -> None:
    taken = {node._rule.text for node in order if is_own(node._rule)} | RESERVED | lowered_names()
    if (
        not isinstance(name, str)
        or not name.isidentifier()
        or keyword.iskeyword(name)
        or name in taken
        or name == "__debug__"
    ):
        raise ValueError(f"to_python: {brief(name)} cannot be the function's name: give one such as name='loss'")
    for node in order:
        rule = node._rule
        if hooks_of(node):
            why = "a hook runs Python on its gradient: remove it first"
        elif was_overwritten(node):
            why = "its data was assigned after it was computed"
        elif isinstance(rule, (Leaf, Op)) or (isinstance(rule, HandWritten) and rule.is_leaf and not rule.closure):
            if rule.text not in RESERVED or not isinstance(rule, Op) or not (is_own(rule) or is_lowered(rule)):
                continue
            why = f"the code uses Python's own {quoted(rule.text)}: give your op another name"
        elif isinstance(rule, Rebound):
            why = str(rule)
        elif isinstance(rule, GivenPartials):
            why = "its local derivatives were given as numbers, which hold nowhere else: write it with @primitive"
        else:
            why = f"{quoted(rule.text)} is no op of the table: write it with @primitive"
        raise ValueError(f"to_python: {describe(node)} cannot be written as code: {why}")
    count = sum(1 + len(node.operands) for node in order if not node.is_leaf)
    if count > MAX_LINES:
        raise ValueError(
            f"to_python: the graph of {describe(value)} has {len(order)} nodes, and its code would have {count} lines; "
            f"{MAX_LINES} are the most that are written. Take a part of it, as the loss of one sample; "
            "scalargrad.record(value) replays graphs of any size"
        )


def _reached(order: Iterable[Value]) -> set[Value]:
    """The nodes that backward() gives a gradient: below them lies a leaf that requires one."""
    reached: set[Value] = set()
    for node in order:
        if node._rule.requires_grad if node.is_leaf else not reached.isdisjoint(node.parents):
            reached.add(node)
    return reached


# -------------------------------------------------------------------- names


def _names(order: Iterable[Value], taken: Iterable[str], variables: Mapping[Value, str]) -> dict[Value, str]:
    """A variable for each node: its label or the user's variable, else t1, t2, ...; for a leaf v1, v2, ..."""
    order, taken = list(order), set(taken)
    names: dict[Value, str] = {}
    for node, shown in display_names((node for node in order if node.label or node in variables), variables).items():
        names[node] = fresh(identifier(shown), taken)
    counters = {"t": 0, "v": 0}
    for node in order:
        if node not in names:
            letter = "v" if node.is_leaf else "t"
            counters[letter] += 1
            names[node] = fresh(f"{letter}{counters[letter]}", taken)
    return {node: names[node] for node in order}


def _names_of_gradients(order: Iterable[Value], names: Mapping[Value, str], taken: Iterable[str]) -> dict[Value, str]:
    """For x the name dx; d_x if that is another variable."""
    taken = {*taken, *names.values()}
    return {
        node: fresh(f"d{names[node]}" if f"d{names[node]}" not in taken else f"d_{names[node]}", taken)
        for node in order
    }


# -------------------------------------------------------------------- lines


def _operands(code: Staged, node: Value, names: Mapping[Value, str]) -> list[Written]:
    op: Any = node._rule
    return [(names[parent], ATOM) if parent is not None else code.constant(op, a) for parent, a in node.operands]


def _forward(code: Staged, node: Value, names: Mapping[Value, str]) -> list[str]:
    """The statement that computes the node."""
    op: Any = node._rule
    return code.statement(op, names[node], _operands(code, node, names))


def _backward(
    code: Staged, value: Value, order: Sequence[Value], names: Mapping[Value, str], slopes: Mapping[Value, str]
) -> list[str]:
    """A statement for each contribution, from the last node to the first."""
    lines: list[str] = []
    begun = {value}
    for node in reversed(order):
        if node not in begun or node.is_leaf:
            continue
        upstream = slopes[node]
        for parent, (local, precedence), comments in _derivatives(code, node, names, slopes):
            if local == "0":
                continue
            if local in ("1", "-1"):
                share = local[:-1] + upstream
            else:
                share = f"{upstream} * {f'({local})' if precedence <= PRODUCT else local}"
            line = f"    {slopes[parent]} {'+=' if parent in begun else '='} {share}"
            begun.add(parent)
            fitting = [f"{line}  # {comment}" for comment in comments if len(line) + len(comment) + 4 <= WIDTH]
            lines += fitting[:1] or [f"    # {comments[-1]}", line]
    unreached = [node for node in slopes if node.is_leaf and node not in begun]
    return [*lines, *(f"    {slopes[leaf]} = 0.0  # nothing reaches it" for leaf in unreached)]


def _derivatives(
    code: Staged, node: Value, names: Mapping[Value, str], wanted: Collection[Value]
) -> Iterator[tuple[Value, Written, list[str]]]:
    """The derivative with respect to each operand that is wanted, as code, and in words: the row's rules, printed.

    The words come with the node written out, if that is short, and with its name alone.
    """
    op: Any = node._rule
    operands, n = node.operands, len(node.operands)
    whole = _WORDS.operation(op, _operands(code, node, names))[0]
    its_own = {names[node], *(names[parent] for parent, _ in operands if parent is not None)}
    ways = [whole] if len(whole) <= 40 and whole not in its_own else []
    ways.append(names[node])
    turns = [i for i in _turns(op, n) if operands[i][0] in wanted]
    reads = partials_read(op, [a if parent is None else None for parent, a in operands], turns)
    shown: dict[Value, str] = {}
    for i, (xs, z, partial) in zip(turns, reads, strict=True):
        parent: Any = operands[i][0]
        if z not in shown:  # the rules of many operands share their stand-ins
            shown = {x: names[p] for x, (p, _) in zip(xs, operands, strict=True) if p is not None}
            shown[z] = names[node]
        try:
            local = code.written(partial, shown, MAX_LENGTH, simplified=True)
            in_words = _WORDS.written(partial, shown, MAX_LENGTH, simplified=True)[0]
        except TooLongError:
            raise ValueError(
                f"to_python: {describe(node)}: the derivative of {op.name} over {n} operands takes more than "
                f"{MAX_LENGTH} characters; scalargrad.record(value) replays it"
            ) from None
        operand = placed(node, i, names[parent])
        yield parent, local, [f"{way}: {LOCAL} for {operand} = {in_words}" for way in ways]


def _turns(op: Op, n: int) -> Iterable[int]:
    """The operands in the order in which the engine hands them their gradient: a bias follows the weights before it."""
    if op.pair is None:
        return range(n)
    return [*range(n // 2), *range(n // 2 * 2, n), *range(n // 2, n // 2 * 2)]
