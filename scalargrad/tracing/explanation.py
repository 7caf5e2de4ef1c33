"""`explain`: a derivative as the sum, over all paths through the graph, of the products of local derivatives."""

from __future__ import annotations

import math
import re
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, gradients
from scalargrad.node.by_hand import GivenPartials
from scalargrad.node.naming import display_names
from scalargrad.node.variables import Names, variable_names
from scalargrad.support.arguments import whole
from scalargrad.support.console import Text, printable
from scalargrad.support.spelling import explained
from scalargrad.table.operators import PRODUCT
from scalargrad.table.row import Op
from scalargrad.tracing.between import Between
from scalargrad.words.equations import equation
from scalargrad.words.latex import LATEX, Latex, latex_name
from scalargrad.words.places import place_of, placed
from scalargrad.words.specialised import said_partial
from scalargrad.words.texts import ELLIPSIS, LOCAL, counted, grouped, number_text, symbol_of, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scalargrad.tracing.between import Edge
    from scalargrad.words.notation import Written


class TooManyPathsError(ValueError):
    """There are more paths than `max_paths`; the message names calls that work.

    Attributes:
        count: how many paths there are.
        edges: how many edges lie on them: what backpropagation needs for the same derivative.
        split: a Value that all paths pass, with at most `max_paths` paths on either side; None if there is none, or if
            the error comes from another process: a Value stays in its own.
    """

    def __init__(self, message: str, count: int, edges: int, split: Value | None) -> None:
        super().__init__(message, count, edges, split)
        self.count = count
        self.edges = edges
        self.split = split

    def __str__(self) -> str:
        return str(self.args[0])

    def __copy__(self) -> TooManyPathsError:
        twin = type(self)(*self.args)
        vars(twin).update(vars(self))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> TooManyPathsError:
        twin = type(self)(*deepcopy(self.args, memo))
        vars(twin).update(deepcopy(vars(self), memo))
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.count, self.edges, None), {**vars(self), "split": None}


@dataclass(frozen=True, eq=False)
class Path:
    """One way from a Value to the output, with what flows along it.

    Attributes:
        nodes: the Values it passes, from the Value to the output.
        edges: its edges, from the output back, as the chain rule writes them.
        factors: the local derivative of each edge, in the same order.
        product: their product, 1.0 if there is none.
    """

    nodes: tuple[Value, ...]
    edges: tuple[Edge, ...]
    factors: tuple[float, ...]
    product: float


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """A derivative by its paths. `print` shows it as text, Jupyter typeset.

    Attributes:
        output: the Value that is differentiated.
        wrt: the Value it is differentiated with respect to.
        paths: every path from `wrt` to the output.
        total: the sum of their products.
        gradient: the same derivative as the engine's sweep computes it.
        edge_count: how many edges lie on the paths: how many products the sweep needs.
        names: a name for every Value of the graph.
    """

    output: Value
    wrt: Value
    paths: tuple[Path, ...]
    total: float
    gradient: float
    edge_count: int
    names: dict[Value, str]

    @cached_property
    def text(self) -> str:
        """A line for each path, their sum, and the local derivatives they are made of."""
        return Text(explanation_text(self))

    @cached_property
    def latex(self) -> Latex:
        """The same sum as LaTeX, that Jupyter shows typeset."""
        return explanation_latex(self)

    @property
    def agrees(self) -> bool:
        """Whether total and gradient are equal up to rounding, or both nan.

        They differ if a product overflows that the sweep never forms, and where a hand-written closure does anything
        but multiply what reaches it.
        """
        if not (math.isfinite(self.total) and math.isfinite(self.gradient)):
            return self.total == self.gradient or (math.isnan(self.total) and math.isnan(self.gradient))
        size = sum(abs(path.product) for path in self.paths)
        return abs(self.total - self.gradient) <= 1e-9 * size

    def __str__(self) -> str:
        return printable(self.text)

    def __repr__(self) -> str:
        return f"<explanation of {answer(self)}: {counted(len(self.paths), 'path')}>"

    def _repr_latex_(self) -> str:
        return self.latex._repr_latex_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        """What Jupyter shows: LaTeX and text."""
        return {"text/latex": self._repr_latex_(), "text/plain": self.text}


@explained("explain(y, x), the output and what it is differentiated by")
def explain(y: Value, wrt: Value, *, max_paths: int = 100, names: Names = True) -> Explanation:
    """The derivative of y, path by path: the chain rule written out. No `grad` is touched.

    Every path from `wrt` to y through the graph contributes the product of the local derivatives along it. `a * a` is
    two paths. Backpropagation computes the same sum, but takes each edge only once.

    Args:
        y: the output.
        wrt: the Value to differentiate with respect to; any Value, computed or not.
        max_paths: how many paths at most. They are counted before the first is walked.
        names: whether Values without a label are called as the caller's variables are, as in `draw`.

    Returns:
        An Explanation: `paths`, their `total`, the `gradient` of the sweep, `text` and `latex`. Without any path the
        total is 0.0, and the text says so; of y with respect to itself there is one path without edges, and it is 1.0.

    Raises:
        TypeError: if y or wrt is not a Value, or max_paths no integer.
        TooManyPathsError: a ValueError, if there are more paths; it names calls that work.
        ValueError: as `backward()`, if there is nothing to differentiate; if max_paths is less than 1.

    >>> x, w = Value(2.0, label='x'), Value(3.0, label='w')
    >>> y = x * w + x * x
    >>> y.label = 'y'
    >>> print(explain(y, wrt=x))
    dy/dx = 7, the sum over 3 paths: what y.backward() adds to x.grad
    1. x → v1 → y:  3 × 1 = 3
    2. left x → v2 → y:  2 × 1 = 2
    3. right x → v2 → y:  2 × 1 = 2
    sum: 3 + 2 + 2 = 7
    <BLANKLINE>
    with a local derivative for each arrow
    v1 = x × w:  local for x = w = 3
    v2 = x × x:  local for left x = x = 2, local for right x = x = 2
    y = v1 + v2:  local for v1 = 1, local for v2 = 1
    """
    for name, given in (("y", y), ("wrt", wrt)):
        if not isinstance(given, Value):
            raise TypeError(f"explain: {name} must be a Value, not {type(given).__name__}: explain(y, wrt=x)")
    max_paths = whole(max_paths, "max_paths", "explain(y, wrt=x, max_paths=100)")
    between = Between(wrt, y)
    nodes = dict.fromkeys([*between.order, *between.nodes, wrt])
    shown = display_names(nodes, variable_names(nodes, names, "explain"))
    count = between.count()
    if count > max_paths:
        raise _too_many(between, count, max_paths, shown)
    gradient = gradients([y], [1.0]).get(wrt, 0.0)
    paths, total = [], 0.0
    for edges in between.paths():
        factors = tuple(edge.local for edge in edges)
        path = Path((wrt, *(edge.child for edge in reversed(edges))), edges, factors, math.prod(factors, start=1.0))
        paths.append(path)
        total += path.product
    return Explanation(y, wrt, tuple(paths), total, gradient, between.edge_count, shown)


def _too_many(between: Between, count: int, limit: int, names: dict[Value, str]) -> TooManyPathsError:
    """An error with calls that work: their numbers of paths are counted here."""
    x, y, n = names[between.start], names[between.end], between.edge_count
    message = (
        f"{_size(count)} paths lead from {x} to {y}; the limit is max_paths={limit}. Backpropagation needs "
        f"{counted(n, 'edge')} for the same number: see scalargrad.trace({_argument(between.end, names, 'y')})"
    )
    found = between.split(limit)
    if found:
        (split, before), after = found
        middle = _argument(split, names, "error.split")
        start, end = _argument(between.start, names, "x"), _argument(between.end, names, "y")
        where = names[split] if middle == names[split] else f"{names[split]}, the `split` of this error"
        message += (
            f". Or in two parts, as every path passes {where}: explain({end}, wrt={middle}) has "
            f"{counted(after, 'path')}, explain({middle}, wrt={start}) has {counted(before, 'path')}; "
            "the derivative is the product of the two"
        )
    return TooManyPathsError(message + ".", count, n, found[0].value if found else None)


def _argument(value: Value, names: dict[Value, str], default: str) -> str:
    """How a call would write the Value: its label, if that could be a variable."""
    made = not value.label and re.fullmatch(r"v[0-9]+", names[value])
    return names[value] if names[value].isidentifier() and not made else default


def _size(count: int) -> str:
    """A count in grouped digits; beyond 30 of them, their number: Python refuses to write thousands of digits."""
    return grouped(count) if count < 10**30 else f"about 10^{int(count.bit_length() * math.log10(2))}"


# -------------------------------------------------------------------- how it reads


_MOST_FACTORS = 12
_MOST_TERMS = 24
_MOST_LINES = 30
_MOST_LOCALS = 6


# -------------------------------------------------------------------- text


def answer(explanation: Explanation) -> str:
    """The derivative and its number: `dy/dx = 7`."""
    y, x = (symbol_of(explanation.names[value]) for value in (explanation.output, explanation.wrt))
    return f"d{y}/d{x} = {number_text(explanation.total)}"


def explanation_text(explanation: Explanation) -> str:
    """A line for each path, their sum, and the local derivatives they are made of."""
    names, paths = explanation.names, explanation.paths
    y, x = symbol_of(names[explanation.output]), symbol_of(names[explanation.wrt])
    if not paths:
        return f"{answer(explanation)}: {y} does not depend on {x}, no path leads from {x} to {y}"
    if not paths[0].edges:
        return f"{answer(explanation)}: {y} changes one to one with itself"
    over = "along the one path" if len(paths) == 1 else f"the sum over {counted(len(paths), 'path')}"
    lines = [f"{answer(explanation)}, {over}"]
    if explanation.agrees and explanation.wrt.requires_grad:
        lines[0] += f": what {y}.backward() adds to {x}.grad"
    lines += [f"{i}. {_path_text(path, names)}" for i, path in enumerate(paths, 1)]
    if len(paths) > 1:
        terms = [_term(path.product, i) for i, path in enumerate(paths)]
        lines.append(f"sum: {_shortened(terms, ' + ', _MOST_TERMS)} = {number_text(explanation.total)}")
    if not explanation.agrees:
        finite = all(math.isfinite(path.product) for path in paths)
        reason = "a closure or a hook does not just multiply" if finite else "a product along a path is not finite"
        lines.append(f"backpropagation gives {number_text(float(explanation.gradient))} instead: {reason}")
    return "\n".join([*lines, "", "with a local derivative for each arrow", *_legend(explanation)])


def _path_text(path: Path, names: Mapping[Value, str]) -> str:
    # The edge that leaves a node is the one that may be one of several alike.
    stops = [_operand(edge, names) for edge in reversed(path.edges)]
    stops.append(symbol_of(names[path.nodes[-1]]))
    numbers = [_term(factor, i) for i, factor in enumerate(reversed(path.factors))]  # a factor for each arrow
    parts = [_shortened(numbers, " × ")]
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
        lines.append(f"{symbol_of(names[node])} = {equation(node, names)}:  {', '.join(locals_)}")
    if len(nodes) > _MOST_LINES:
        lines.append(f"{ELLIPSIS} {grouped(len(nodes) - _MOST_LINES)} more")
    return lines


def _local_text(edge: Edge, names: Mapping[Value, str]) -> str:
    rule, number = edge.child._rule, number_text(edge.local)
    source = "" if isinstance(rule, Op) else " (given)" if isinstance(rule, GivenPartials) else " (its own closure)"
    said = None if edge.operand is None else said_partial(edge.child, edge.operand, names)
    parts = dict.fromkeys([f"{LOCAL} for {_operand(edge, names)}", *([said.named[0]] if said else []), number])
    return " = ".join(parts) + source


def _operand(edge: Edge, names: Mapping[Value, str]) -> str:
    """The parent as the child's operand: `x`, or `left x`, where the same Value is several of them."""
    return placed(edge.child, edge.operand, symbol_of(names[edge.parent]))


def _term(x: float, place: int) -> str:
    text = number_text(x)
    return wrapped(text) if place else text


def _shortened(items: Sequence[str], separator: str, most: int = _MOST_FACTORS) -> str:
    """The items joined; of many the first and the last few, and how many are left out."""
    if len(items) > most:
        half = (most - 1) // 2
        items = [*items[:half], f"{ELLIPSIS} {grouped(len(items) - 2 * half)} more {ELLIPSIS}", *items[-half:]]
    return separator.join(items)


# -------------------------------------------------------------------- LaTeX


def explanation_latex(explanation: Explanation) -> Latex:
    """The sum, a row for each path: its local derivatives, their formulas, their numbers, the product.

    They stand from the output back, as the chain rule is written: of one path in rows.
    """
    names, paths = explanation.names, explanation.paths
    y, x = (latex_name(names[value]) for value in (explanation.output, explanation.wrt))
    left = rf"\frac{{\mathrm{{d}} {y}}}{{\mathrm{{d}} {x}}}"
    total = LATEX.number(explanation.total)[0]
    if not paths or not paths[0].edges:
        return Latex(f"{left} = {total}")
    factors = [[LATEX.number(factor) for factor in path.factors] for path in paths]
    formulas = [
        [_formula(edge, names) or number for edge, number in zip(path.edges, numbers, strict=True)]
        for path, numbers in zip(paths, factors, strict=True)
    ]
    telling = formulas != factors
    apart = " &&= " if len(paths) > 1 else " \\\\\n&= "  # one path is a column of its own
    rows = []
    for i, (path, numbers) in enumerate(zip(paths, factors, strict=True)):
        symbols = [_symbol(edge, names) for edge in path.edges]
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


def _symbol(edge: Edge, names: Mapping[Value, str]) -> str:
    """The word for a local derivative, with the edge as its index: never like the derivative of the output."""
    place = place_of(edge.child, edge.operand)
    operand = (rf"\text{{{place} }}" if place else "") + latex_name(names[edge.parent])
    return rf"\mathrm{{{LOCAL}}}_{{{operand} \to {latex_name(names[edge.child])}}}"


def _formula(edge: Edge, names: Mapping[Value, str]) -> Written | None:
    said = None if edge.operand is None else said_partial(edge.child, edge.operand, names, LATEX)
    return said and said.named


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
