"""A graph in words: the names of its nodes, their equations, their numbers and the local derivatives at each operand.

Everything that shows a graph to a person uses these functions, so a node has the same name in a picture, in a table and
in a sentence.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from scalargrad.engine import Value  # noqa: TC001  (the examples need it)
from scalargrad.node.by_hand import GivenPartials
from scalargrad.node.numbers import label_text
from scalargrad.node.overwritten import was_overwritten
from scalargrad.table.row import HARD, INFIX, Op

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

MINUS = "\N{MINUS SIGN}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_VISIBLE = {"\t": "␉", "\n": "␤", "\r": "␤", "\u2028": "␤", "\u2029": "␤"}
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LOOKS_COMPUTED = re.compile(r"[-+*/^%<>=|,×÷−·]")


# -------------------------------------------------------------------- numbers and labels


def number_text(x: float) -> str:
    """A number for people: at most four decimals, a real minus sign, scientific below 1e-3 and above 1e5.

    >>> [number_text(x) for x in (2.0, -0.5, 645.5772594752186, 1e-7, -123456.0, -0.0)]
    ['2', '−0.5', '645.5773', '1e−7', '−1.2346e5', '0']
    """
    x = float(x)
    if not math.isfinite(x):
        return "nan" if x != x else "inf" if x > 0 else MINUS + "inf"
    if x and not 1e-3 <= abs(x) <= 1e5:
        mantissa, exponent = f"{x:.4e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        text = f"{x:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", MINUS)


def clean_label(text: str, limit: int = 80) -> str:
    r"""A label as it may be shown: one line, without control characters, at most `limit` characters long.

    Line breaks become ␤ and tabs ␉; control characters, bidirectional controls, surrogates and unassigned code points
    become U+FFFD; a label of spaces alone becomes ␣.

    >>> clean_label("a\nb\x00"), clean_label("  "), clean_label("x" * 100, limit=5)
    ('a␤b�', '␣␣', 'xxxx…')
    """
    if len(label_text(text)) > limit:
        text = text[: limit - 1]
        while text and (unicodedata.combining(text[-1]) or text[-1] == "\u200d"):
            text = text[:-1]
        text += ELLIPSIS
    if not text.isascii() or not text.isprintable():
        text = "".join(map(_clean_character, text))
    return "␣" * len(text) if text.isspace() else text


def _clean_character(c: str) -> str:
    if c in _VISIBLE:
        return _VISIBLE[c]
    return REPLACEMENT if c in _BIDI_CONTROLS or unicodedata.category(c) in ("Cc", "Cs", "Cn") else c


# -------------------------------------------------------------------- names


def display_names(values: Iterable[Value]) -> dict[Value, str]:
    """A name for every Value, unique among them: its cleaned label; without one v1, v2, ... in the order given.

    Equal labels of neurons get the numbers of their scope: `w0` of layer 0, neuron 1 becomes `w010`; if there is one
    layer only, `w10`. Other equal labels get a subscript.

    >>> x, y = Value(1.0, label='x'), Value(2.0, label='x')
    >>> z = x * y
    >>> list(display_names([x, y, z]).values())
    ['x₁', 'x₂', 'v1']
    """
    values = list(values)
    labels = {value: clean_label(value.label) for value in values if value.label}
    labels.update(_scoped_names(labels))
    repeated = Counter(labels.values())
    taken = {label for label, count in repeated.items() if count == 1}
    counters: Counter[str] = Counter()
    names: dict[Value, str] = {}
    for value in values:
        name = label = labels.get(value, "")
        if repeated[label] != 1:
            name = ""
        while not name or (repeated[label] != 1 and name in taken):
            counters[label] += 1
            name = label + str(counters[label]).translate(_SUBSCRIPTS) if label else f"v{counters['']}"
        taken.add(name)
        names[value] = name
    return {value: isolated(name) for value, name in names.items()}


def isolated(name: str) -> str:
    """A name from right to left between invisible isolates, so that it does not turn the equation around it."""
    turns = not name.isascii() and any(unicodedata.bidirectional(c) in ("R", "AL") for c in name)
    return f"{FIRST_STRONG_ISOLATE}{name}{POP_ISOLATE}" if turns else name


def without_isolates(name: str) -> str:
    """The name as it was before `isolated`."""
    return name.strip(FIRST_STRONG_ISOLATE + POP_ISOLATE)


def _scoped_names(labels: Mapping[Value, str]) -> dict[Value, str]:
    """The names of parameters whose labels say only their place within a neuron, if several neurons have that label."""
    numbers: dict[Value, tuple[str, ...]] = {}
    for value in labels:
        scope = getattr(value.label, "scope", ())
        numbers[value] = tuple(found[-1] for part in scope if (found := re.findall(r"\d+", re.sub(r"\(.*", "", part))))
    scoped = {value: path for value, path in numbers.items() if path}
    if not scoped or max(Counter(labels[value] for value in scoped).values()) == 1:
        return {}
    depth = max(map(len, scoped.values()))
    telling = [i for i in range(depth) if len({path[i] for path in scoped.values() if i < len(path)}) > 1]
    names = {}
    for value, path in scoped.items():
        stem = labels[value].rstrip("0123456789")
        place = [path[i] for i in telling if i < len(path)]
        digits = [*place, labels[value][len(stem) :]]
        names[value] = stem + ("_" if any(len(d) > 1 for d in digits) else "").join(d for d in digits if d)
    return names


# -------------------------------------------------------------------- equations


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

    >>> a, b = Value(2.0, label='a'), Value(3.0, label='b')
    >>> names = display_names([a, b])
    >>> [equation(v, names) for v in (a + b, a * -2, 1 / a, a ** 2, -a, a.tanh())]
    ['a + b', 'a × (−2)', '1 ÷ a', 'a^2', '−a', 'tanh(a)']
    """
    rule = node._rule
    if rule.is_leaf:
        return ""
    constants = [parent is None or names is None for parent, _ in node.operands]
    operands = [
        ELLIPSIS if i in varying else number_text(a) if parent is None or names is None else names.get(parent, "?")
        for i, (parent, a) in enumerate(node.operands)
    ]
    if isinstance(rule, Op):
        text = _op_text(rule, operands, constants, limit)
    else:
        text = _hand_written_text(clean_label(rule.text), operands, limit)
    if not as_computed and was_overwritten(node):
        text = f"assigned, was {text}"
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


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


def wrapped(name: str) -> str:
    """A name in parentheses if it looks like a computation itself, as the label `x1*w1` or the number −3.

    >>> wrapped("x1*w1"), wrapped("w1")
    ('(x1*w1)', 'w1')
    """
    return f"({name})" if _LOOKS_COMPUTED.search(name) else name


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


def listed(items: Sequence[str], room: int) -> str:
    """The items with commas; runs of equal ones counted, the rest cut to about so many characters.

    >>> listed(["a", "b", "c", "d"], 12), listed(["a"] * 100, 12)
    ('a, … 3 more', 'a ×100')
    """
    pieces: list[tuple[str, int]] = []
    for item, run in groupby(items):
        n = len(list(run))
        pieces += [(f"{item} ×{n}", n)] if n > 3 else [(item, 1)] * n
    shown: list[str] = []
    left = len(items)
    for text, n in pieces:
        rest = f", {ELLIPSIS} {left - n} more" if left > n else ""
        if shown and len(", ".join([*shown, text])) + len(rest) > room:
            return ", ".join([*shown, f"{ELLIPSIS} {left} more"])
        shown.append(text)
        left -= n
    return ", ".join(shown)


# -------------------------------------------------------------------- local derivatives


def local_derivatives(node: Value, *, constants: bool = False) -> list[float | None]:
    """The derivative of the node with respect to each operand, at the numbers it saw; aligned with `node.operands`.

    They come from the op table. None stands for a constant operand (unless `constants` asks for these too) and where
    only a hand-written closure knows the derivative. Other than in a sweep, `a * a` has two entries.

    >>> a = Value(3.0)
    >>> local_derivatives(a * 5.0), local_derivatives(a * a), local_derivatives(a)
    ([5.0, None], [3.0, 3.0], [])
    """
    rule, operands = node._rule, node.operands
    if isinstance(rule, GivenPartials):
        return [float(d) for d in rule.partials]
    if not isinstance(rule, Op) or was_overwritten(node):
        return [None] * len(operands)
    wanted = [constants or parent is not None for parent, _ in operands]
    if rule.arity is None:
        return [d if want else None for d, want in zip(_partials(rule, node), wanted, strict=True)]
    return [local_derivative(node, i) if want else None for i, want in enumerate(wanted)]


def local_derivative(node: Value, index: int) -> float | None:
    """The derivative of the node with respect to one operand; None if only a hand-written closure knows it.

    >>> local_derivative(Value(3.0) * 5.0, 0)
    5.0
    """
    op = node._rule
    if isinstance(op, GivenPartials):
        return float(op.partials[index])
    if not isinstance(op, Op) or was_overwritten(node):
        return None
    if op.arity is None:
        return _partials(op, node)[index]
    try:
        return float(op.partials[index](node._a, node._b, node._data))
    except HARD:
        pass
    try:
        return float(op.partials_at_hard_point(node, index))
    except RuntimeWarning:  # where warnings are errors; the derivative is nan, and nan is what is shown
        return math.nan


def _partials(op: Op, node: Value) -> list[float]:
    numbers = [a for _, a in node.operands]
    try:
        return [float(d) for d in op.partials(numbers, node._data)]
    except HARD:
        pass
    try:
        return [float(d) for d in op.partials_at_hard_point(node)]
    except RuntimeWarning:
        return [math.nan] * len(numbers)
