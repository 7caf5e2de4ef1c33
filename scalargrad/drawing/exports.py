"""A picture as Mermaid, as JSON and as text for the terminal."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.scopes import scope_title
from scalargrad.support.labels import clean_label
from scalargrad.words.equations import op_symbol

if TYPE_CHECKING:
    from scalargrad.drawing.picture import Card, Picture

# Besides syntax: what Mermaid cuts off at the ends.
_MERMAID_UNSAFE = re.compile(r"[^A-Za-z0-9 .,=()\u0080-\U0010ffff]|^\s|\s$|[^\S ]|\ufeff")
# Icons, formulas, line breaks and its own marks of entities, which Mermaid looks for in what it has decoded already.
_MERMAID_PATTERNS = re.compile(r"(?<=fa|a[bklrs])(?=:fa-)|(?<=\$)(?=\$)|(?<=\\)(?=n)|(?<=ﬂ)(?=°)|(?<=¶)(?=ß)")
_WORD_JOINER = "\u2060"
_MAX_INDENT = 16


def to_mermaid(picture: Picture, rankdir: str) -> str:
    """A Mermaid flowchart, as GitHub and many wikis draw it.

    Every other ASCII character than letters, digits and `.,=()` is written as a `#number;` entity, so that no label is
    taken for syntax, markup or a link.
    """
    lines = [f"flowchart {'TB' if rankdir == 'TB' else 'LR'}"]
    members: dict[tuple[str, ...], list[str]] = {scope: [] for scope in picture.scopes}
    outside: list[str] = []
    for i, card in enumerate(picture.cards):
        text = "<br/>".join(mermaid_text(text) for _, text in card.rows)
        members.get(card.scope, outside).append(f'  n{i}["{text}"]:::{card.kinds[-1]}')
    for i, (scope, nodes) in enumerate(members.items()):
        lines.append(f'  subgraph c{i}["{mermaid_text(clean_label(scope_title(scope)))}"]')
        lines += ["  " + node for node in nodes] + ["  end"]
    lines += outside
    for edge in picture.edges:
        arrow = "-.->" if edge.stub else "-->"
        label = f'|"{mermaid_text(edge.label)}"|' if edge.label else ""
        lines.append(f"  n{edge.tail} {arrow}{label} n{edge.head}")
    lines += ["  classDef parameter fill:#e6f0fb,stroke:#7d8799,color:#1f2430"]
    lines += ["  classDef root fill:#fff3d6,stroke:#a86b00,stroke-width:2px,color:#1f2430"]
    lines += ["  classDef bad stroke:#c4122f,stroke-width:2px"]
    lines += ["  classDef detached stroke-dasharray:5 3"]
    return "\n".join([*lines, ""])


def mermaid_text(text: str) -> str:
    r"""A cleaned label for a quoted Mermaid string; an invisible word joiner parts what Mermaid would replace.

    >>> mermaid_text('a"b')
    'a#34;b'
    >>> mermaid_text(r"fa:fa-car $$ \n").replace("\u2060", "_")
    'fa_#58;fa#45;car #36;_#36; #92;_n'
    """
    return _MERMAID_UNSAFE.sub(lambda match: f"#{ord(match[0])};", _MERMAID_PATTERNS.sub(_WORD_JOINER, text))


def to_json(picture: Picture) -> str:
    """The picture as JSON: `nodes` in topological order, `edges` by node number, gradients null before backward().

    Numbers that JSON does not have are the strings "nan", "inf" and "-inf".
    """
    nodes: list[dict[str, Any]] = []
    for i, card in enumerate(picture.cards):
        node: dict[str, Any] = {"id": i, "name": card.name, "kinds": list(card.kinds), "equation": card.equation}
        if card.value is not None:
            node["op"] = op_symbol(card.value) if not card.value.is_leaf else ""
            node["label"] = clean_label(card.value.label, 1000)
            node["scope"] = [clean_label(part) for part in card.scope]
            node["data"] = numbers_in_json(card.data)
            node["grad"] = numbers_in_json(card.grad) if picture.backward_done else None
            node["values"] = card.values
        nodes.append(node)
    edges = [
        {
            "from": edge.tail,
            "to": edge.head,
            "local": numbers_in_json(edge.local),
            "contribution": numbers_in_json(edge.contribution),
            "operands": edge.count,
        }
        for edge in picture.edges
    ]
    document = {"format": "scalargrad-graph", "version": 1, "title": picture.title, "root": picture.root}
    return json.dumps(document | {"nodes": nodes, "edges": edges}, indent=1, allow_nan=False) + "\n"


def numbers_in_json(x: Any) -> Any:
    """A number, or lists of them, with a text for what JSON does not have: "nan", "inf", "-inf"."""
    if isinstance(x, list):
        return [numbers_in_json(part) for part in x]  # as deep as the shapes of layers
    return x if x is None or math.isfinite(x) else repr(x)


def to_text(picture: Picture) -> str:
    """The graph as an indented tree for a terminal: each node once, below what it feeds; later mentions point to it.

    A branch too deep for the screen is drawn as a tree of its own further down.
    """
    parents: dict[int, list[tuple[int, str]]] = {}
    in_order = sorted(picture.edges, key=lambda edge: edge.operand or 0)  # as the equation names them
    for edge in in_order:
        parents.setdefault(edge.head, []).append((edge.tail, edge.label))
    lines: list[tuple[str, Card | None, str]] = []
    done: set[int] = set()
    feeding = {edge.tail for edge in picture.edges}
    roots = [i for i in range(len(picture.cards)) if i not in feeding] if picture.root is None else [picture.root]
    start = 0
    while start < len(roots):
        stack = [(roots[start], "", "", 0, "")]
        start += 1
        while stack:
            i, lead, rest, depth, local = stack.pop()
            card = picture.cards[i]
            suffix = f"  {local}" if local else ""
            if i in done and depth:
                lines.append((f"{lead}{card.name}{'  (above)' if parents.get(i) else ''}{suffix}", None, ""))
                continue
            if depth >= _MAX_INDENT and parents.get(i):
                lines.append((f"{lead}{card.name}  (below){suffix}", None, ""))
                if i not in roots:
                    roots.append(i)
                continue
            done.add(i)
            lines.append((lead + card.rows[0][1], card, suffix))
            below = parents.get(i, [])
            for n, (tail, label) in reversed(list(enumerate(below))):
                last = n == len(below) - 1
                lead_here, rest_here = rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  ")
                stack.append((tail, lead_here, rest_here, depth + 1, label))
    missing = [i for i in range(len(picture.cards)) if i not in done]
    lines += [(picture.cards[i].rows[0][1], picture.cards[i], "") for i in missing]
    width = min(max(len(text) for text, card, _ in lines if card), 60)
    out = [picture.description]
    for text, shown, suffix in lines:
        numbers = "  ".join(t for _, t in shown.rows[1:]) if shown else ""
        out.append(f"{text.ljust(width)}  {numbers}{suffix}".rstrip())
    return "\n".join([*out, ""])
