"""What stands above staged code: imports, helpers, and a function for each op that Python has no word for.

Such a function is the op's `lowered` form, run once on stand-ins and printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, topological_order
from scalargrad.table.operators import ATOM
from scalargrad.table.stand_ins import form_read
from scalargrad.words.staged_text import (
    FROM_MATH,
    HELPERS,
    RESERVED,
    TEMPLATES,
    Staged,
    called,
    float_literal,
    fresh,
    is_lowered,
    lowered_names,
)

if TYPE_CHECKING:
    from scalargrad.table.row import Op
    from scalargrad.words.notation import Written

SHORT, LONG = 60, 2000
"""How many characters at most are written where they are used: of what is computed in any case, and of what stands in a
branch of `where`, which might raise if it were computed in any case."""

Body = tuple[list[str], list[str]]
"""The arguments of a function, and its lines."""


def above(text: str, code: Staged, own: Iterable[str]) -> list[str]:
    """What a text needs in front of it: imports from math, functions that Python has not, a word on others.

    Args:
        text: the code.
        code: what wrote it.
        own: the functions that the reader has.

    Raises:
        ValueError: if the lowered form of an op uses the op itself.
    """
    bodies: dict[tuple[Op, int], Body] = {}
    _write_bodies(code, bodies, ())
    lowered = [_function(op, bodies) for op in dict.fromkeys(op for op, _ in bodies)]
    all_calls = called("\n".join([text, *lowered]))
    functions = [HELPERS[helper].rstrip() for helper in HELPERS if helper in all_calls] + lowered
    imported = sorted((all_calls | called("\n".join(functions))) & FROM_MATH)
    groups = [imported[i : i + 12] for i in range(0, len(imported), 12)]
    lines = [f"from math import {', '.join(group)}" for group in groups]
    lines += [f"# {function}: your own function, made with @primitive" for function in sorted(own)]
    blank = ["", ""]
    parts = [*lines, *(blank if lines else [])]
    for function in functions:
        parts += [*function.split("\n"), *blank]
    return parts


def _write_bodies(code: Staged, bodies: dict[tuple[Op, int], Body], inside: tuple[Op, ...]) -> None:
    """The functions that some code calls, each behind those that it calls itself."""
    for op, counts in code.functions.items():
        if not is_lowered(op):
            continue
        if op in inside:
            raise ValueError(f"to_python: the lowered form of {op.name} uses {op.name} itself, so it comes to no end")
        for n in sorted(counts):
            if (op, n) not in bodies:
                inner = Staged()
                body = _body(op, n, inner)
                _write_bodies(inner, bodies, (*inside, op))
                bodies[op, n] = body


def _function(op: Op, bodies: dict[tuple[Op, int], Body]) -> str:
    """The op as a function; of one that was called with several numbers of operands, a branch for each."""
    found = [body for (one, _), body in bodies.items() if one is op]
    if len(found) == 1:
        ((arguments, lines),) = found
        return "\n".join([f"def {op.name}({', '.join(arguments)}):", *lines])
    parts = [f"def {op.name}(*xs):"]
    for arguments, lines in found:
        parts += [f"    if len(xs) == {len(arguments)}:", f"        [{', '.join(arguments)}] = xs"]
        parts += [f"    {line}" for line in lines]
    return "\n".join(parts)


def _body(op: Op, n: int, code: Staged) -> Body:
    """The lowered form over n operands: arguments and lines, ending in `return`."""
    form: Any = op.lowered
    xs, result = form_read((lambda *xs: form(xs)) if op.arity is None else form, n)
    taken = {*RESERVED, *lowered_names(), op.name}
    stems = op.arguments or (("x", "y")[:n] if op.arity else [f"x{i + 1}" for i in range(n)])
    arguments = [fresh(stem, taken) for stem in stems]
    if not isinstance(result, Value):
        return arguments, [f"    return {float_literal(result)}"]
    order = topological_order(result)
    uses = Counter(parent for node in order for parent, _ in node.operands)
    always, conditions = _always_computed(order)
    texts: dict[Value, Written] = {x: (name, ATOM) for x, name in zip(xs, arguments, strict=True)}
    lines: list[str] = []
    for node in order:
        if node in texts:
            continue
        rule: Any = node._rule
        operands = [texts[x] if x is not None else code.constant(rule, a) for x, a in node.operands]
        written = code.operation(rule, operands)
        is_count = rule.name in TEMPLATES and TEMPLATES[rule.name].is_count
        if is_count and node not in conditions:
            written = f"float({written[0]})", ATOM
        most = LONG if node not in always else SHORT if uses[node] < 2 else 0
        if len(written[0]) > most:
            name = fresh("t1", taken)
            lines += code.statement(rule, name, operands)
            written = name, ATOM
        texts[node] = written
    return arguments, [*lines, f"    return {texts[result][0]}"]


def _always_computed(order: Sequence[Value]) -> tuple[set[Value], set[Value]]:
    """The nodes that are computed whatever `where` chooses, and those that are nothing but conditions of it."""
    always, conditions, others = {order[-1]}, set[Value](), {order[-1]}
    for node in reversed(order):
        is_where = node._op == "where"
        for i, (x, _) in enumerate(node.operands):
            if x is None:
                continue
            if node in always and (i == 0 or not is_where):
                always.add(x)
            (conditions if is_where and i == 0 else others).add(x)
    return always, conditions - others
