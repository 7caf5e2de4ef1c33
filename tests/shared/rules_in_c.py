"""Writes scalargrad/in_c/rules.h, the op table's values and derivatives in C: `python tests/shared/rules_in_c.py`.

A derivative is written from the row's own rule, by the templates that compiled programs are made of; a value from its
form in other rows, else from what one line below says of a primitive, else from the C library's function of that name,
which is the one Python's math module calls. What is none of these is computed by Python's function, also in C.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import scalargrad
from scalargrad.compiling.templates import Template, choice_of, partials_of, templates
from scalargrad.ops import BUILT_IN
from scalargrad.table.row import Op  # noqa: TC001

HEADER = Path(scalargrad.__file__).parent / "in_c" / "rules.h"

PRIMITIVES = {
    "add": "x + y",
    "subtract": "x - y",
    "multiply": "x * y",
    "divide": "x / y",
    "power": "y == 1.0 ? x : y == 2.0 ? x * x : y == 3.0 ? x * x * x : in_python(ROW_power, x, y)",
    "negative": "-x",
    "absolute": "fabs(x)",
    "relu": "x <= 0.0 ? 0.0 : x",
    "maximum": "x >= y ? x : y",
    "minimum": "x <= y ? x : y",
    "greater": "x > y ? 1.0 : 0.0",
    "sign": "(double)((x > 0.0) - (x < 0.0))",
    "floor": "copysign(floor(x), x)",
    "ceil": "copysign(ceil(x), x)",
    "rint": "copysign(nearbyint(x), x)",
}
"""The value of a row on finite numbers, where C has an expression for it and the row no form in other rows."""

PYTHONS_OWN = {"hypot", "erf", "erfc"}
"""Functions of Python's math module that are not, or not in each version, those of the C library."""

IS_NOT_0 = {"hypot": "x != 0.0 || y != 0.0"}
"""Whether such a function is 0, where a rule asks no more: power's does, and Python would have to be called for it."""

ARGUMENTS = ("x", "y", "z")
TYPES = "double x, double y"


def written() -> str:
    """The text of rules.h."""
    rows = [op for op in BUILT_IN if op.arity in (1, 2)]
    many = [op for op in BUILT_IN if op.arity is None]
    parts = ["/* Written by tests/shared/rules_in_c.py from the op table: change ops.py, and run that. */"]
    parts.append("enum { " + ", ".join(f"ROW_{op.name}" for op in (*rows, *many)) + " };")
    parts += [f"static inline double {op.name}_({TYPES});" for op in rows]
    parts.append("static inline double where_(double c, double x, double y) { return c != 0.0 ? x : y; }")
    parts += [f"static inline double {name}_is_not_0({TYPES}) {{ return {text}; }}" for name, text in IS_NOT_0.items()]
    table = []
    slow = _asking_python(rows)
    for op in rows:
        parts.append(f"static inline double {op.name}_({TYPES}) {{ {_value(op)} }}")
        names, begin = [], len(parts)
        for k, partial in enumerate(partials_of(op.name, op.arity or 0)):
            names.append(f"{op.name}_{'xy'[k]}")
            parts.append(f"static double {names[-1]}({TYPES}, double z) {{ {_body(partial, [*_operands(op), 'z'])} }}")
        chosen = list(_chosen(op, names, parts))
        value = "NULL" if "in_python" in _value(op) and op.name != "power" else f"{op.name}_"
        asks = int(any(f" {name}_(" in part for part in parts[begin:] for name in slow))
        table.append(
            f'    {{"{op.name}", {op.arity}, {asks}, {value}, {{{", ".join(names)}}}, {{{", ".join(chosen)}}}}},'
        )
    table += [f'    {{"{op.name}", 0, 1, NULL, {{NULL}}, {{NULL}}}},' for op in many]
    return "\n".join([*parts, "static const Row rows[] = {", *table, "};", ""])


def _asking_python(rows: Sequence[Op]) -> set[str]:
    """The rows whose value is Python's to compute, or is computed from such ones."""
    slow: set[str] = set()
    while True:
        more = {op.name for op in rows if any(f" {name}_(" in _value(op) for name in slow) or "in_python" in _value(op)}
        if more == slow:
            return slow
        slow = more


def _operands(op: Op) -> list[str]:
    return list(ARGUMENTS[: op.arity])


def _value(op: Op) -> str:
    """The statements that compute the op's value on floats."""
    if op.lowered is not None:
        return _body(templates(op.lowered, op.arity or 0)[0], _operands(op))
    if op.name in PRIMITIVES:
        expression = PRIMITIVES[op.name]
    elif op.library_name and op.library_name not in PYTHONS_OWN:
        expression = f"{op.library_name}({'x' if op.arity == 1 else 'x, y'})"
    else:
        expression = f"in_python(ROW_{op.name}, x, y)"
    return f"return {expression};"


def _body(template: Template, arguments: Sequence[str]) -> str:
    """The statements of a template over arguments of these names."""
    lines: list[str] = []

    def text(reference: float) -> str:
        if type(reference) is float:
            return f"{reference!r}".replace("inf", "INFINITY").replace("nan", "NAN")
        return arguments[reference] if reference < len(arguments) else f"t{reference}"

    conditions = {references[0] for name, references in template.steps if name == "where"}
    others = {r for name, refs in template.steps for r in refs[name == "where" :] if type(r) is int}
    for number, (name, references) in enumerate(template.steps, len(arguments)):
        operands = [text(reference) for reference in references] + ["0.0"] * (len(references) == 1)
        asked_for_truth = number in conditions and number not in others
        function = f"{name}_is_not_0" if name in IS_NOT_0 and asked_for_truth else f"{name}_"
        lines.append(f"double t{number} = {function}({', '.join(operands)});")
    return " ".join([*lines, f"return {text(template.result)};"])


def _chosen(op: Op, names: list[str], parts: list[str]) -> Iterator[str]:
    """For each operand the function that is 0 where the op has not chosen it, or NULL."""
    for k in range(op.arity or 0):
        if not op.may_leave_out(k):
            yield "NULL"
            continue
        template = choice_of(op.name, op.arity or 0, k)
        if template is None:
            yield names[k]
        else:
            parts.append(
                f"static double {op.name}_chosen_{'xy'[k]}({TYPES}, double z) {{ {_body(template, [*_operands(op), 'z'])} }}"
            )
            yield f"{op.name}_chosen_{'xy'[k]}"


if __name__ == "__main__":
    HEADER.write_text(written(), encoding="utf-8")
