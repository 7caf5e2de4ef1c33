"""`draw` and `draw_dot`: from a Value to a Drawing, if it is small enough, or to a call that makes it so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from scalargrad.drawing.assemble import assemble
from scalargrad.drawing.blocks import holds_network
from scalargrad.drawing.engines import check_engine
from scalargrad.drawing.result import Drawing, check_look
from scalargrad.drawing.sketch import choose_rankdir, length, make_room
from scalargrad.drawing.snapshot import Snapshot
from scalargrad.drawing.styles import STYLES
from scalargrad.drawing.units import Collapse, Partition, Unit, links
from scalargrad.engine import Value, topological_order
from scalargrad.node.errors import no_graph
from scalargrad.node.variables import Names, variable_names
from scalargrad.support.arguments import brief, real, whole
from scalargrad.support.arguments import name as one_of
from scalargrad.support.spelling import explained
from scalargrad.words.expansion import expanded
from scalargrad.words.texts import counted, grouped

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from scalargrad.drawing.digraph import MicrogradDot
    from scalargrad.drawing.picture import Picture
    from scalargrad.drawing.sketch import Sketch
    from scalargrad.drawing.styles import StyleName
    from scalargrad.nn.modules.module import Module


class GraphTooLargeError(ValueError):
    """The graph has more cards than `max_nodes`, or is too long a chain; the message names calls that draw it."""


MOST_CARDS, LONGEST = 500, 6000
"""How many cards a picture has by default at most, and how many pixels it is long."""
_MANY = 60
"""From how many cards on the graph of a network is no longer a picture of it."""
_NETWORK = "model.draw() draws the network"


def drawing_call(*given: Any, **_: Any) -> str:
    """The call of `draw` that was meant: with the name of a file, `save` of what it returns."""
    path = next((x for x in given if isinstance(x, str)), None)
    return "draw(y), of one Value" if path is None else f"draw(y).save({brief(path)})"


@explained(drawing_call)
def draw(
    value: Value | Module,
    *,
    style: StyleName = "card",
    rankdir: Literal["auto", "LR", "TB"] = "auto",
    theme: Literal["default", "cs231n"] = "default",
    scheme: Literal["auto", "light", "dark"] = "auto",
    max_nodes: float | None = None,
    collapse: Collapse = None,
    merge_repeats: bool | None = None,
    depth: int | None = None,
    focus: Value | None = None,
    radius: int = 2,
    clusters: bool = True,
    legend: bool = True,
    expand: bool = False,
    names: Names = True,
    engine: Literal["auto", "wasi", "dot", "text"] = "auto",
    id_prefix: str = "",
) -> Drawing:
    """Draw the graph that computed this Value.

    Each card shows a name and equation, the value and, after `backward()`, the gradient. Each edge shows the local
    derivative if it is not 1; its width and colour show what it contributes: local derivative times upstream gradient.

    Args:
        value: the output of the graph. Of a Module its network is drawn, as by `model.draw()`, and of the options
            `theme`, `scheme`, `legend` and `id_prefix` count.
        style: a name of STYLES: 'card'; 'circuit' for at most 15 gates, values above the wires and gradients below;
            'micrograd'.
        rankdir: 'LR' from left to right, 'TB' from top to bottom, 'auto' by the shape of the graph.
        theme: 'default', or 'cs231n' for green values and red gradients.
        scheme: 'auto' follows the reader's light or dark page; 'light' and 'dark' fix it.
        max_nodes: how many cards at most; math.inf for any number. By default 500, and the picture of a whole graph may
            be about 6 000 pixels long; with a number given here it may have any length.
        collapse: 'neuron' or 'layer' draws each as one card; or a function from Value to its group's name, or None.
        merge_repeats: draw what is repeated for every sample once, with a badge ×100; by default when collapsing.
        depth: only this many steps back from the output; a stub says how many more there are.
        focus: only what lies within `radius` steps of this Value.
        radius: how many steps.
        clusters: whether to draw boxes around neurons.
        legend: whether a line below says which hue is which sign, where edges have any.
        expand: whether to draw fused sums and dot products as elementary additions and multiplications.
        names: whether Values without a label are called as the caller's variables are; False leaves them v1, v2, ...;
            a mapping such as `locals()` is read instead of the caller's variables.
        engine: 'wasi' is Graphviz embedded in Python, 'dot' the system's, 'text' none; 'auto' the first there is.
        id_prefix: start of every id in the SVG; by default from its content, so that different drawings share none.

    Returns:
        A Drawing: shown by Jupyter, saved with `save('graph.svg')`.

    Raises:
        GraphTooLargeError: if there are more than `max_nodes` cards, or the picture would be a ribbon of many screens;
            it names calls that work.
        TypeError: if `value` is neither a Value nor a Module.
        ValueError: for an option that does not exist.

    >>> a, b = Value(2.0), Value(-3.0)
    >>> f = (a * b + 4).tanh()
    >>> f.backward()
    >>> print(draw(f).text.splitlines()[1])
    f = tanh(v2)      −0.964  grad 1
    """
    check_look(theme, scheme, id_prefix)
    if not isinstance(value, Value):
        return _network(value, style, theme=theme, scheme=scheme, id_prefix=id_prefix, legend=legend)
    _check(style=style, rankdir=rankdir)
    _check_numbers(max_nodes=max_nodes, depth=depth, radius=radius, focus=focus)
    check_engine(engine)
    may_be_long = max_nodes is not None or engine == "text" or depth is not None or focus is not None
    max_nodes = MOST_CARDS if max_nodes is None else max_nodes
    root = value
    order = topological_order(root)
    variables = variable_names(order, names, "draw")
    if expand:
        order, replaced = expanded(order)
        variables = {replaced.get(node, node): name for node, name in variables.items()}
        root, focus = replaced.get(root, root), replaced.get(focus, focus) if focus is not None else None
    graph = Snapshot(order)
    output = graph.position[root]
    partition = Partition(graph, output, collapse, collapse is not None if merge_repeats is None else merge_repeats)
    if focus is None and depth is None:
        if len(partition) > max_nodes:
            raise _too_large(partition, output, len(partition), max_nodes, collapse)
        units, visible = partition.units(), None
        between = links(graph, units)
    else:
        units = partition.units()
        between = links(graph, units)
        visible = _visible(
            graph, units, between, output if focus is None else focus, radius if depth is None else depth
        )
        if len(visible) > max_nodes:
            raise _too_large(partition, output, len(visible), max_nodes, collapse)
    if not clusters:
        for unit in units:
            unit.scope = ()
    picture = assemble(graph, units, output, between, visible, variables=variables)
    sketch = sketched(picture, style, rankdir)
    if len(graph.scopes) > 1 and len(picture.cards) > _MANY:
        picture.notes.append(
            f"This is the computation graph of a network with {counted(len(picture.cards), 'card')}: {_NETWORK}."
        )
    elif not may_be_long and length(sketch) > LONGEST:
        raise _too_long(value, len(picture.cards), length(sketch), style=style, rankdir=rankdir, expand=expand)
    return Drawing(
        picture, sketch, style=style, theme=theme, scheme=scheme, engine=engine, id_prefix=id_prefix, legend=legend
    )


def _network(model: Module, style: str, **look: Any) -> Drawing:
    from scalargrad.drawing.network import draw_network, is_module

    if not is_module(model):
        raise no_graph("draw", model)
    if style not in ("card", "network"):
        raise ValueError(f"a Module is drawn in style='network', not {brief(style)}; its graph: draw(model(x))")
    return draw_network(model, **look)


def picture_of_all(graph: Snapshot, root: int, names: Mapping[Value, str]) -> Picture:
    """A picture of a whole graph at any size: the i-th card is that of the i-th Value."""
    units = Partition(graph, root).units()
    return assemble(graph, units, root, links(graph, units), names=names)


def sketched(picture: Picture, style: str = "card", rankdir: str = "auto") -> Sketch:
    """What is to be laid out."""
    sketch = STYLES[style].sketch(picture)
    make_room(sketch)
    by_shape = STYLES[style].turns and not holds_network(sketch)
    sketch.rankdir = rankdir if rankdir != "auto" else choose_rankdir(sketch) if by_shape else "LR"
    return sketch


def draw_dot(
    root: Value,
    format: Literal["svg", "png"] = "svg",  # noqa: A002
    rankdir: Literal["LR", "TB"] = "LR",
    *,
    names: Names = True,
) -> MicrogradDot:
    """Draw as micrograd does: a record `data | grad` for every Value and constant, an ellipse for every operation.

    Args:
        root: the output of the graph.
        format: 'svg', or 'png' (needs the system's Graphviz): what Jupyter shows, and what `render` writes.
        rankdir: 'LR' from left to right, 'TB' from top to bottom.
        names: as in `draw`.

    Returns:
        A `graphviz.Digraph`, as micrograd's: `dot.render('gout')`, which needs the system's Graphviz, writes `gout` and
        `gout.svg`; `dot.source` is its DOT. Its `drawing` is the same as a Drawing, which needs none.

    Raises:
        ValueError: for another format or direction.
        GraphTooLargeError: if there are more than 500 Values.
        ImportError: if the package graphviz is not installed; it says how to install it.

    >>> a = Value(2.0, label='a')
    >>> dot = draw_dot(a * a)
    >>> type(dot).__mro__[1].__name__, dot.format
    ('Digraph', 'svg')
    """
    if format not in ("svg", "png"):
        raise ValueError(f"format must be 'svg' or 'png', not {brief(format)}: for others use save('graph.pdf')")
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"rankdir must be 'LR' or 'TB', not {brief(rankdir)}")
    try:
        from scalargrad.drawing.digraph import micrograd_dot
    except ImportError as error:
        raise ImportError(
            f"draw_dot makes a graphviz.Digraph, and the package graphviz cannot be imported ({error}): run `pip "
            "install graphviz`, or draw the same picture without it, draw(root, style='micrograd')"
        ) from error
    drawing = draw(root, style="micrograd", rankdir=rankdir, clusters=False, names=names, max_nodes=MOST_CARDS)
    return micrograd_dot(drawing.shown_as(format), format)


def _check(*, style: str, rankdir: str) -> None:
    if style == "network":
        raise ValueError("style='network' draws a Module, as model.draw() does; a Value is drawn as its graph")
    one_of(style, "style", STYLES)
    one_of(rankdir, "rankdir", ("auto", "LR", "TB"))


def _check_numbers(*, max_nodes: float | None, depth: int | None, radius: int, focus: Value | None) -> None:
    if max_nodes is not None and not (max_nodes if isinstance(max_nodes, int) else real(max_nodes, "max_nodes")) >= 1:
        raise ValueError(f"max_nodes must be at least 1, not {brief(max_nodes)}")
    if depth is not None:
        whole(depth, "depth", "draw(y, depth=3)", least=0)
    whole(radius, "radius", "draw(y, focus=x, radius=2)", least=0)
    if focus is not None and not isinstance(focus, Value):
        raise TypeError(f"focus must be a Value of the graph, as in draw(y, focus=x), not {type(focus).__name__}")
    if depth is not None and focus is not None:
        raise ValueError("give depth (steps back from the output) or focus (a neighbourhood), not both")


# -------------------------------------------------------------------- a part of the graph


def _visible(
    graph: Snapshot, units: Sequence[Unit], between: Collection[tuple[int, int]], start: int | Value, steps: int
) -> set[int]:
    """The units so many steps from the start: back from the output, or, if a Value is the focus, in both directions."""
    both = isinstance(start, Value)
    position = graph.position.get(start, -1) if isinstance(start, Value) else start
    center = next((i for i, unit in enumerate(units) if position in unit.members), None)
    if center is None:
        raise ValueError("focus is not part of this graph: the output was not computed from it")
    neighbours: list[list[int]] = [[] for _ in units]
    for tail, head in between:
        neighbours[head].append(tail)
        if both:
            neighbours[tail].append(head)
    seen = ring = {center}
    for _ in range(steps):
        ring = {j for i in ring for j in neighbours[i]} - seen
        if not ring:
            break
        seen = seen | ring
    return seen


def _too_large(
    partition: Partition, output: int, cards: int, max_nodes: float, collapse: Collapse
) -> GraphTooLargeError:
    """An error with calls that work; they are counted here, so their sizes are true."""
    graph, found = partition.graph, []
    if collapse is None:
        option = "collapse='layer'" if len(graph.scopes) > 1 else "merge_repeats=True"
        n = len(Partition(graph, output, "layer" if len(graph.scopes) > 1 else None, merge=True))
        if n <= max_nodes:
            found.append(f"draw(value, {option}) draws {counted(n, 'card')}")
        if len(graph.scopes) > 1:
            found.append(_NETWORK)
    if collapse is None or not found:
        total, depth = 0, -1
        for count in graph.levels_up(output):
            if total + count > max_nodes:
                break
            total, depth = total + count, depth + 1
        found.append(
            f"draw(value, depth={depth}) draws the {grouped(total)} next to the output, and a stub for the rest"
        )
    size = f"this graph has {counted(len(graph.order), 'value')}"
    if cards != len(graph.order):
        size += f" and would be {counted(cards, 'card')}"
    return GraphTooLargeError(f"{size}; the limit is max_nodes={max_nodes}. Instead: {'; or '.join(found)}.")


def _too_long(value: Value, cards: int, size: float, **options: Any) -> GraphTooLargeError:
    """An error for a ribbon, with calls that work; what they draw is found out here, before any engine starts."""
    given: dict[str, Any] = {"expand": True} if options["expand"] else {}
    found = []
    tried: list[dict[str, Any]] = [{"merge_repeats": True}, *({"depth": depth} for depth in (20, 12, 8, 5, 3))]
    for more in tried:
        drawing = draw(value, **options, **more, max_nodes=MOST_CARDS, names=False)
        n = len(drawing.picture.cards)
        if n == cards or length(drawing._sketch) > LONGEST / 3:
            continue
        call = ", ".join(["draw(value", *(f"{name}={x!r}" for name, x in {**given, **more}.items())])
        stubs = sum("stub" in card.kinds for card in drawing.picture.cards)
        rest = " next to the output, and a stub for the rest" if stubs else ""
        found.append(f"{call}) draws {counted(n - stubs, 'card')}{rest}")
        if stubs:
            break
    found.append("draw(value, focus=x, radius=2) draws what is near a Value x")
    found.append(f"draw(value, max_nodes={MOST_CARDS}) draws all of it")
    return GraphTooLargeError(
        f"this graph is a chain of {counted(cards, 'card')}, and its picture would be a ribbon of about "
        f"{grouped(int(round(size, -2)))} pixels; the limit is {grouped(LONGEST)}. Instead: {'; or '.join(found)}. "
        "As text: print(trace(value)), value.formula(lines=True)."
    )
