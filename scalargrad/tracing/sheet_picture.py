"""The picture of a worksheet: the graph with chosen numbers blank, or filled in as the key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scalargrad.drawing.build import picture_of_all, sketched
from scalargrad.drawing.picture import GRADIENT_LEAD
from scalargrad.drawing.result import Drawing
from scalargrad.drawing.snapshot import Snapshot
from scalargrad.words.texts import ELLIPSIS, LOCAL, counted, number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scalargrad.drawing.picture import Card, Edge, Picture
    from scalargrad.tracing.blanks import Blank
    from scalargrad.tracing.trace import Trace

LINE = "_" * 8


def sheet_picture(trace: Trace, blanks: Sequence[Blank], *, with_locals: bool, with_gradients: bool) -> Picture:
    """The graph with blanks. Nothing in it says the missing numbers: no title, no colour or width, no attribute.

    Args:
        trace: the trace.
        blanks: what is left out.
        with_locals: whether edges show local derivatives; those that a missing value can be read off never do.
        with_gradients: whether there are gradients at all.
    """
    graph = trace.graph
    picture = _picture(trace)
    signs = {(blank.node, blank.what): blank.sign for blank in blanks}
    unknown = {i for i, node in enumerate(graph.order) if (node, "value") in signs}
    for node, card in zip(graph.order, picture.cards, strict=True):
        value, gradient = signs.get((node, "value")), signs.get((node, "gradient"))
        _blank_out(card, value, gradient, with_gradients=with_gradients)
    feeding: dict[int, set[int]] = {}
    for edge in picture.edges:
        feeding.setdefault(edge.head, {edge.head}).add(edge.tail)
    for edge in picture.edges:
        # The local derivative of a product is the other factor, that of exp the result: a value can be read off it.
        if not with_locals or feeding[edge.head] & unknown:
            edge.local = None
        _make_neutral(edge, picture)
    title = f"Worksheet: computation graph of {graph.names[graph.root]}"
    picture.title = title
    picture.description = (
        f"{title} with {counted(len(graph.order), 'value')}; {counted(len(blanks), 'number')} left blank."
    )
    picture.backward_done = with_gradients
    return picture


def key_picture(trace: Trace, blanks: Sequence[Blank], *, with_gradients: bool) -> Picture:
    """The graph with the answers, and the signs of the blanks before them."""
    picture = _picture(trace)
    rows = {(blank.node, blank.what): blank.sign for blank in blanks}
    for node, card in zip(trace.graph.order, picture.cards, strict=True):
        for what, row in (("value", 1), ("gradient", 2)):
            if (node, what) in rows:
                role, text = card.rows[row]
                lead = f"{GRADIENT_LEAD * (row == 2)}{rows[node, what]} = "  # type: ignore[index]
                card.rows[row] = (role, lead + text.removeprefix(GRADIENT_LEAD))
                card.later.append(lead + LINE)  # as wide as on the sheet, so that the layout is the same
        if not with_gradients:
            card.grad = None
            card.rows = [row for row in card.rows if row[0] != "gradient"]
            card.title = "; ".join([card.about, card.rows[1][1]])
    if not with_gradients:
        for edge in picture.edges:
            edge.local = None
            _make_neutral(edge, picture)
    picture.backward_done = with_gradients
    picture.title = f"Answer key: {picture.title[0].lower()}{picture.title[1:]}"
    picture.description = f"{picture.title}; {counted(len(blanks), 'number')} filled in."
    return picture


def drawings(picture: Picture, scheme: str, rankdirs: Sequence[str] = ("auto",)) -> list[Drawing]:
    """The picture as Drawings, in each of these directions."""
    return [Drawing(picture, sketched(picture, "card", rankdir), scheme=scheme) for rankdir in rankdirs]


def size_of(svg: str) -> tuple[float, float]:
    """Width and height of a drawing, in pixels.

    >>> size_of('<svg id="x" width="30.5" height="20" viewBox="0 0 30.5 20">')
    (30.5, 20.0)
    """
    found = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    return (float(found[1]), float(found[2])) if found else (600.0, 400.0)


def _picture(trace: Trace) -> Picture:
    """A card for each Value of the trace, in its order, with the trace's numbers."""
    order = trace.graph.order
    gradients = [trace.graph.gradients.get(node, 0.0) for node in order]
    snapshot = Snapshot(order, [step.data for step in trace[: len(order)]], gradients)
    return picture_of_all(snapshot, len(order) - 1, trace.graph.names)


def _blank_out(card: Card, value: str | None, gradient: str | None, *, with_gradients: bool) -> None:
    name, (value_role, value_text), (gradient_role, gradient_text) = card.rows
    shown = [x for x, hidden in ((card.data, value), (card.grad, gradient or not with_gradients)) if not hidden]
    if value:
        value_text, card.data = f"{value} = {LINE}", None
    if gradient:
        gradient_text = f"{GRADIENT_LEAD}{gradient} = {LINE}"
    if gradient or not with_gradients:
        card.grad = None
    card.rows = [name, (value_role, value_text)]
    if with_gradients or gradient_role != "gradient":
        card.rows.append((gradient_role, gradient_text))
    if not any(x is not None and number_text(x).endswith(("nan", "inf")) for x in shown):
        card.kinds = tuple(kind for kind in card.kinds if kind != "bad")  # the red border of what is not finite
    card.title = "; ".join([card.about, *(text.replace(LINE, ELLIPSIS) for _, text in card.rows[1:])])


def _make_neutral(edge: Edge, picture: Picture) -> None:
    """Take away what an edge says of gradients by its colour, its width and its title."""
    edge.contribution, edge.bin = None, 0
    x, y = picture.cards[edge.tail].name, picture.cards[edge.head].name
    edge.title = f"{x} to {y}" if edge.local is None else f"{x} to {y}, {LOCAL} = {number_text(edge.local)}"
