"""DOT text of a sketch: with its texts, to be saved and rendered anywhere; or sizes alone, to be laid out.

What is laid out for the SVG carries no user text at all; what is saved escapes it. User text is never an id, a class,
a cluster's name, a tooltip or a URL: Graphviz would unescape some of these a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.drawing.theme import text_width

if TYPE_CHECKING:
    from scalargrad.drawing.sketch import Link, Shape, Sketch

FONT = "Courier"
_QUOTED = str.maketrans({"\\": "\\\\", '"': "&quot;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_RECORD = str.maketrans(
    {"\\": "\\\\", '"': "&quot;", "&": "&amp;", "<": "\\<", ">": "\\>", "{": "\\{", "}": "\\}", "|": "\\|", " ": "\\ "}
)


def quoted(text: str) -> str:
    """A cleaned label for a plain DOT label, without the quotes around it.

    >>> print(quoted('<b> "x" & y'))
    &lt;b&gt; &quot;x&quot; &amp; y
    """
    return text.translate(_QUOTED)


def record_field(text: str) -> str:
    r"""A cleaned label for one field of a record label, in the lines that it was wrapped into.

    >>> print(record_field("{a|b}"))
    \{a\|b\}
    """
    inside = text.strip(" ")
    before = len(text) - len(text.lstrip(" ")) if inside else 0
    after = len(text) - len(inside) - before
    # Graphviz drops spaces at the ends of a field, even escaped ones.
    return "&#160;" * before + inside.translate(_RECORD).replace("\n", "\\n") + "&#160;" * after


def layout_source(sketch: Sketch) -> str:
    """DOT that carries sizes and connections, to be given to an engine for coordinates; no user text in it."""
    lines = ["digraph scalargrad {", f"  graph [{_graph_attributes(sketch)}];"]
    lines.append(f'  node [shape=box, label="", fixedsize=true]; edge [fontname={FONT}, fontsize=10, arrowsize=0.7];')
    lines += _clustered(sketch, [_sized(shape) for shape in sketch.shapes], placeholders=True)
    for link in sketch.links:
        label = f', label="{link.label}"' if link.label else ""
        lines.append(f'  {_ends(link)} [id="{link.key}", arrowsize={_arrow(link)}{label}];')
    return "\n".join([*lines, "}", ""])


def labelled_source(sketch: Sketch, colors: dict[str, str]) -> str:
    """DOT with texts and colours, for any Graphviz."""
    ink, muted = colors["ink"], colors["muted"]
    lines = ["digraph scalargrad {", f"  graph [{_graph_attributes(sketch)}];"]
    lines.append(f'  node [shape=record, fontname={FONT}, fontsize=12, fontcolor="{ink}", style="filled,rounded"];')
    lines.append(f'  edge [fontname={FONT}, fontsize=10, fontcolor="{muted}", arrowsize=0.7];')
    lines += _clustered(sketch, [_labelled(shape, colors) for shape in sketch.shapes], placeholders=False)
    for link in sketch.links:
        style = ", style=dotted" if link.dotted else ""
        label = f', label="{quoted(link.label)}"' if link.label else ""
        lines.append(
            f'  {_ends(link)} [id="{link.key}", class="{link.color}", color="{colors[link.color]}", '
            f"penwidth={link.width}{style}{label}];"
        )
    return "\n".join([*lines, "}", ""])


LONG_WAYS = 1000
"""How many ranks links may pass over, in all, before Graphviz is told not to seek the best layout.

It puts a node wherever a link passes a rank. A leaf that is used 80 times along a chain makes 3 000 of them, with which
its search takes 15 s, and minutes for 200; told so, it takes 0.1 s and 1 s. Usual graphs have fewer than 200.
"""


def _graph_attributes(sketch: Sketch) -> str:
    hurry = "nslimit=1, splines=line, " if _ranks_passed(sketch) > LONG_WAYS else ""
    return (
        f'{hurry}rankdir={sketch.rankdir}, nodesep={sketch.nodesep}, ranksep={sketch.ranksep}, bgcolor="transparent", '
        f"fontname={FONT}, fontsize=12"
    )


def _ranks_passed(sketch: Sketch) -> int:
    """How many ranks the links pass over in all, if each node stands right after its last parent."""
    parents: dict[str, list[str]] = {shape.key: [] for shape in sketch.shapes}
    for link in sketch.links:
        parents[link.head].append(link.tail)
    rank: dict[str, int] = {}
    passed = 0
    # Parents come first; where parts are collapsed a link may lead back, and is short.
    for key, tails in parents.items():
        above = [rank[tail] for tail in tails if tail in rank]
        rank[key] = 1 + max(above, default=-1)
        passed += sum(rank[key] - 1 - r for r in above)
    return passed


def _sized(shape: Shape) -> str:
    return f"{shape.key} [width={shape.width / 72:.4f}, height={shape.height / 72:.4f}];"


def _labelled(shape: Shape, colors: dict[str, str]) -> str:
    if shape.kind == "record":
        fields = "|".join(record_field(text) for text in shape.fields)
        label = f'label="{fields if shape.across else "{" + fields + "}"}"'
    else:
        label = f'shape={shape.kind}, label="{quoted(" ".join(shape.fields))}"'
    style = {"plaintext": "", "ellipse": "filled"}.get(shape.kind, "filled,rounded")
    if shape.dashed:
        style += ",dashed"
    width = 2 if "root" in shape.classes.split() else 1
    return (
        f'{shape.key} [id="{shape.key}", class="{shape.classes}", {label}, style="{style}", '
        f'fillcolor="{colors[shape.fill]}", color="{colors[shape.border]}", penwidth={width}];'
    )


def _clustered(sketch: Sketch, statements: list[str], placeholders: bool) -> list[str]:
    inside: dict[tuple[str, ...], list[str]] = {scope: [] for scope in sketch.clusters}
    outside: list[str] = []
    for shape, statement in zip(sketch.shapes, statements, strict=True):
        inside.get(shape.scope, outside).append(statement)
    lines = []
    for i, (scope, members) in enumerate(inside.items()):
        title = sketch.clusters[scope]
        # The placeholder is as wide as the title will be: the engine reserves the room without seeing the text.
        label = "x" * round(text_width(title, 12) / 7.2 + 1) if placeholders else quoted(title)
        lines.append(f'  subgraph cluster_{i} {{ id="c{i}"; label="{label}"; labeljust=l; margin=10; style=rounded;')
        lines += [f"    {statement}" for statement in members]
        lines.append("  }")
    return lines + [f"  {statement}" for statement in outside]


def _ends(link: Link) -> str:
    tail = f"{link.tail}:{link.tail_side}" if link.tail_side else link.tail
    head = f"{link.head}:{link.head_side}" if link.head_side else link.head
    return f"{tail} -> {head}"


def _arrow(link: Link) -> float:
    return 0.9 if link.width > 3 else 0.75 if link.width > 2 else 0.65
