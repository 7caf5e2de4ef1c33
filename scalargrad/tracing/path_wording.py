"""How an explanation reads: the chain rule over all paths as text and as LaTeX."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scalargrad.derivation import partial_text
from scalargrad.drawing.graph import counted, grouped
from scalargrad.formula import ELLIPSIS, equation, number_text, wrapped
from scalargrad.modes import record
from scalargrad.notation import LATEX, PRODUCT, TEXT, Latex, Notation, Written, latex_name
from scalargrad.rules import GivenPartials
from scalargrad.table import Op

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scalargrad.engine import Value
    from scalargrad.tracing.between import Edge
    from scalargrad.tracing.paths import Explanation, Path

_MOST_FACTORS = 12
_MOST_TERMS = 24
_MOST_LINES = 30
_MOST_LOCALS = 6


# -------------------------------------------------------------------- text


def answer(explanation: Explanation) -> str:
    """The derivative and its number: `dy/dx = 7`."""
    y, x = (wrapped(explanation.names[value]) for value in (explanation.output, explanation.wrt))
    return f"d{y}/d{x} = {number_text(explanation.total)}"


def explanation_text(explanation: Explanation) -> str:
    """A line for each path, their sum, and the local derivatives they are made of."""
    names, paths = explanation.names, explanation.paths
    y, x = names[explanation.output], names[explanation.wrt]
    if not paths:
        return f"{answer(explanation)}: {y} does not depend on {x}, no path leads from {x} to {y}"
    if not paths[0].edges:
        return f"{answer(explanation)}: {y} changes one to one with itself"
    over = "along the one path" if len(paths) == 1 else f"the sum over {counted(len(paths), 'path')}"
    lines = [f"{answer(explanation)}, {over}"]
    lines += [f"{i}. {_path_text(path, names)}" for i, path in enumerate(paths, 1)]
    if len(paths) > 1:
        terms = [_term(path.product, i) for i, path in enumerate(paths)]
        lines.append(f"sum: {_shortened(terms, ' + ', _MOST_TERMS)} = {number_text(explanation.total)}")
    if not explanation.agrees:
        finite = all(math.isfinite(path.product) for path in paths)
        reason = "a closure or a hook does not just multiply" if finite else "a product along a path is not finite"
        lines.append(f"backpropagation gives {number_text(float(explanation.gradient))} instead: {reason}")
    return "\n".join([*lines, "", "where", *_legend(explanation)])


def _path_text(path: Path, names: Mapping[Value, str]) -> str:
    # The edge that leaves a node is the one that may be one of several alike.
    stops = [names[edge.parent] + _which(edge) for edge in reversed(path.edges)]
    stops.append(names[path.nodes[-1]])
    symbols = [_partial(edge, names) for edge in path.edges]
    numbers = [_term(factor, i) for i, factor in enumerate(path.factors)]
    parts = [_shortened(symbols, " · "), _shortened(numbers, " × ")]
    parts += [number_text(path.product)] if len(numbers) > 1 else []
    return f"{_shortened(stops, ' → ')}:  {' = '.join(parts)}"


def _legend(explanation: Explanation) -> list[str]:
    """What each computed Value on the paths is, and its local derivatives."""
    names = explanation.names
    edges: dict[Value, dict[Edge, None]] = {}
    for path in explanation.paths:
        for edge in path.edges:
            edges.setdefault(edge.child, {})[edge] = None
    nodes = [node for node in names if node in edges]  # names are in topological order
    lines = []
    for node in nodes[:_MOST_LINES]:
        locals_ = [_local_text(edge, names) for edge in list(edges[node])[:_MOST_LOCALS]]
        if len(edges[node]) > _MOST_LOCALS:
            locals_.append(f"{ELLIPSIS} {grouped(len(edges[node]) - _MOST_LOCALS)} more")
        lines.append(f"{names[node]} = {equation(node, names)}:  {', '.join(locals_)}")
    if len(nodes) > _MOST_LINES:
        lines.append(f"{ELLIPSIS} {grouped(len(nodes) - _MOST_LINES)} more")
    return lines


def _local_text(edge: Edge, names: Mapping[Value, str]) -> str:
    number, found = number_text(edge.local), local_formula(edge, names, TEXT)
    formula = found[0] if found is not None else number
    given = isinstance(edge.child._rule, GivenPartials)
    rule = "" if found is not None else " (given)" if given else " (its own closure)"
    parts = list(dict.fromkeys([_partial(edge, names), formula, number]))
    return " = ".join(parts) + _which(edge) + rule


def _partial(edge: Edge, names: Mapping[Value, str]) -> str:
    return f"∂{wrapped(names[edge.child])}/∂{wrapped(names[edge.parent])}"


def _which(edge: Edge) -> str:
    """Which operand, where the same Value is several of the child's."""
    op = edge.child._rule
    if (
        edge.operand is None
        or not isinstance(op, (Op, GivenPartials))
        or sum(p is edge.parent for p in edge.child.parents) == 1
    ):
        return ""
    return f" (operand {edge.operand + 1})"


def _term(x: float, place: int) -> str:
    text = number_text(x)
    return wrapped(text) if place else text


def _shortened(items: Sequence[str], separator: str, most: int = _MOST_FACTORS) -> str:
    """The items joined; of many the first and the last few, and how many are left out."""
    if len(items) > most:
        half = (most - 1) // 2
        items = [*items[:half], f"{ELLIPSIS} {grouped(len(items) - 2 * half)} more {ELLIPSIS}", *items[-half:]]
    return separator.join(items)


def local_formula(edge: Edge, names: Mapping[Value, str], notation: Notation) -> Written | None:
    """The local derivative as the op table has it, in the names of the operands; None for a hand-written closure."""
    op = edge.child._rule
    if not isinstance(op, Op) or edge.operand is None:
        return None
    arguments = [a if parent is None else names[parent] for parent, a in edge.child.operands]
    written: Written = record(partial_text, op, edge.operand, arguments, names[edge.child], notation)
    return written


# -------------------------------------------------------------------- LaTeX


def explanation_latex(explanation: Explanation) -> Latex:
    """The sum, a row for each path: its partials, their formulas, their numbers, the product; of one path in rows."""
    names, paths = explanation.names, explanation.paths
    y, x = (latex_name(names[value]) for value in (explanation.output, explanation.wrt))
    left = rf"\frac{{\mathrm{{d}} {y}}}{{\mathrm{{d}} {x}}}"
    total = LATEX.number(explanation.total)[0]
    if not paths or not paths[0].edges:
        return Latex(f"{left} = {total}")
    factors = [[LATEX.number(factor) for factor in path.factors] for path in paths]
    formulas = [
        [local_formula(edge, names, LATEX) or number for edge, number in zip(path.edges, numbers, strict=True)]
        for path, numbers in zip(paths, factors, strict=True)
    ]
    telling = formulas != factors
    apart = " &&= " if len(paths) > 1 else " \\\\\n&= "  # one path is a column of its own
    rows = []
    for i, (path, numbers) in enumerate(zip(paths, factors, strict=True)):
        symbols = [
            rf"\frac{{\partial {latex_name(names[edge.child])}}}{{\partial {latex_name(names[edge.parent])}}}"
            for edge in path.edges
        ]
        start = rf"{left} &= " if i == 0 else r"&\quad + "
        row = start + _product([(text, PRODUCT) for text in symbols])
        row += apart + _product(formulas[i]) if telling else ""
        row += apart + _product(numbers)
        row += rf" = {LATEX.number(path.product)[0]}" if len(numbers) > 1 else ""
        rows.append(row)
    if len(paths) > 1:
        terms = [LATEX.number(path.product) for path in paths]
        summed = [LATEX.parenthesized(text) if i and text[0] == "-" else text for i, (text, _) in enumerate(terms)]
        rows.append(f"&= {_latex_list(summed, ' + ', _MOST_TERMS)} = {total}")
    return Latex(r"\begin{aligned}" + " \\\\\n".join(rows) + r"\end{aligned}")


def _product(factors: Sequence[Written]) -> str:
    texts = [
        LATEX.parenthesized(text) if len(factors) > 1 and (precedence < PRODUCT or (i and text[0] == "-")) else text
        for i, (text, precedence) in enumerate(factors)
    ]
    return _latex_list(texts, r" \cdot ", _MOST_FACTORS)


def _latex_list(items: Sequence[str], separator: str, most: int) -> str:
    if len(items) > most:
        half = (most - 1) // 2
        items = [*items[:half], r"\cdots", *items[-half:]]
    return separator.join(items)
