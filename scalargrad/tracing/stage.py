"""The graph of a trace as a picture: laid out once, finished, or as it stands after any of the steps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from scalargrad.drawing.blocks import in_blocks
from scalargrad.drawing.build import picture_of_all, sketched
from scalargrad.drawing.cards import free_edge_label
from scalargrad.drawing.dot import layout_source
from scalargrad.drawing.edges import color_edges
from scalargrad.drawing.engines import lay_out
from scalargrad.drawing.picture import GRADIENT_LEAD
from scalargrad.drawing.scene import Box, Line, Text
from scalargrad.drawing.snapshot import Snapshot
from scalargrad.drawing.styles import STYLES
from scalargrad.drawing.theme import WIDTHS, edge_role
from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from scalargrad.drawing.engines import Point
    from scalargrad.drawing.scene import Group, Scene
    from scalargrad.tracing.steps import Step, TracedGraph

NOTHING = "·"
"""What a row shows before its number is known."""
ARROW = 10.0
"""How long an arrowhead is."""
ROOM = number_text(-88.8888)
"""As wide as most numbers: what a picture whose numbers change has room for."""
VALUE, GRADIENT = -2, -1
"""The last rows of a card; its name may take several."""


class Stage:
    """Every Value of a trace as a card, with the numbers of when the trace was made.

    The i-th card is the i-th Value's, and the i-th of the forward steps computes it.

    Attributes:
        graph: the traced graph.
        name: the output's.
        position: the Values' indices.
        picture: with the final gradients.
        edges_of: by step, the indices of the edges along which a backward step hands gradient on.
    """

    def __init__(self, graph: TracedGraph, *, roomy: bool = False) -> None:
        """Lay it out; `roomy` is with room for other numbers than these, in cards and at edges."""
        self.graph, order, self.steps = graph, graph.order, graph.steps
        self.name = graph.names[graph.root]
        self.position = {node: i for i, node in enumerate(order)}
        data = [step.data for step in self.steps[: len(order)]]
        gradients = [graph.gradients.get(node, 0.0) for node in order]
        snapshot = Snapshot(order, data, gradients)
        self.picture = picture_of_all(snapshot, self.position[graph.root], graph.names)
        self.edges_of = self._find_edges()
        for step in self.steps[len(order) :]:  # a running sum may be longer than the final one
            self.picture.cards[self.position[step.node]].later.append(gradient_text(step))
        color_edges(self.picture)
        if roomy:
            for card in self.picture.cards:
                card.later += [ROOM, GRADIENT_LEAD + ROOM]
        self._sketch = sketched(self.picture)
        if roomy:
            for link in self._sketch.links:
                link.label = "×" + ROOM if link.label else ""
        self._layout = in_blocks(self._sketch) or lay_out(layout_source(self._sketch))

    def _find_edges(self) -> list[list[int]]:
        """The edges of each step. What a closure hands on is known from its step alone, for all its edges at once."""
        edges = self.picture.edges
        of_operand = {(edge.head, edge.operand): i for i, edge in enumerate(edges)}
        between: dict[tuple[int, int], list[int]] = {}
        for i, edge in enumerate(edges):
            between.setdefault((edge.tail, edge.head), []).append(i)
        found: list[list[int]] = []
        for step in self.steps:
            if step.source is None:
                found.append([])
                continue
            tail, head = self.position[step.node], self.position[step.source]
            found.append([of_operand[head, step.operand]] if step.local is not None else between.get((tail, head), []))
            for i in found[-1]:
                edges[i].contribution = step.contribution
        for i in set(range(len(edges))).difference(*found):  # constants are handed nothing
            edges[i].contribution, edges[i].bin = None, 0
        return found

    def finished(self) -> Scene:
        """The picture with all gradients."""
        return STYLES["card"].paint(self.picture, self._sketch, self._layout)

    def bare(self) -> Scene:
        """The same without a trace of the result in titles and borders, and with a local derivative at every edge."""
        scene = self.finished()
        scene.title = scene.description = f"Computation graph of {self.name}"
        cards = [box for group in scene.groups if group.key[0] == "n" for box in _boxes(group)]
        for group in scene.groups:
            kind, number = group.key[0], group.key[1:]
            if not number.isdigit():
                continue
            i = int(number)
            if kind == "n":
                group.title = self.picture.cards[i].about
                root = i == self.picture.root
                for box in _boxes(group):
                    box.stroke, box.line = ("root-border", 2.0) if root else ("border", 1.0)
            elif kind == "e":
                edge = self.picture.edges[i]
                line = group.items[0]
                group.title = ""
                if edge.local == 1.0 and isinstance(line, Line):
                    group.items.append(free_edge_label(edge.local_text, line.points, cards))
        return scene

    def after(self, step: Step) -> Scene:
        """The picture as it stands after a step: what is known by then, and what the step does in bold."""
        scene = self.bare()
        groups = {group.key: group for group in scene.groups}
        role = "value" if step.phase == "forward" else "gradient"
        past = self.steps[: step.index + 1]
        known = {self.position[s.node] for s in past if s.phase == "forward"}
        sums = {self.position[s.node]: gradient_text(s) for s in past if s.phase != "forward"}
        used = {i for s in past for i in self.edges_of[s.index]}
        current = set(self.edges_of[step.index])
        node, source = self.position[step.node], None if step.source is None else self.position[step.source]
        if step.phase == "forward":
            current = {i for i, edge in enumerate(self.picture.edges) if edge.head == node}
        for i, edge in enumerate(self.picture.edges):
            _draw_edge(groups[f"e{i}"], edge_role(edge.bin if i in used else 0), i in current, i in used)
        for i in range(len(self.picture.cards)):
            _fill_in(groups[f"n{i}"], value=i in known, gradient=sums.get(i, NOTHING))
            if i in (node, source):
                for box in _boxes(groups[f"n{i}"]):
                    box.stroke, box.line, box.dashed = role, 3.0, i == source
        scene.description = f"{scene.title}. Step {step.index + 1} of {len(self.steps)}, {step.phase}: {step.text}"
        return scene


def gradient_text(step: Step) -> str:
    """What the gradient row of the step's node shows from this step on."""
    return GRADIENT_LEAD + number_text(step.after or 0.0)


def _boxes(group: Group) -> list[Box]:
    return [item for item in group.items if isinstance(item, Box)]


def _fill_in(group: Group, *, value: bool, gradient: str) -> None:
    """The numbers that are known by now; a card whose value is not is pale. A constant has no gradient row."""
    texts = [item for item in group.items if isinstance(item, Text)]
    if value and any(word in texts[VALUE].text + gradient for word in ("nan", "inf")):
        for box in _boxes(group):
            box.stroke, box.line = "bad", 2.0
    if not value:
        texts[VALUE].text, texts[VALUE].width = NOTHING, None
        for text in texts[:VALUE]:
            text.color = "muted"
        for box in _boxes(group):
            box.fill = "cluster"
    if texts[GRADIENT].color == "gradient":
        texts[GRADIENT].text = gradient


def _draw_edge(group: Group, color: str, current: bool, used: bool) -> None:
    """The edge in its sign's colour once gradient passed it; what passes now is bold and points the way it goes.

    Its local derivative is there once it was used, a 1 only while it is.
    """
    for item in list(group.items):
        if isinstance(item, Line):
            item.color = color
            item.line = WIDTHS[3] if current else WIDTHS[0] if color == edge_role(0) else item.line
            if current and used:
                group.items[group.items.index(item)] = _turned(item)
        elif isinstance(item, Text):
            if not used or (item.text == "×1" and not current):
                group.items.remove(item)
            elif current:
                item.color, item.bold, item.size = "ink", True, 12.0


def _turned(line: Line) -> Line:
    """The same way from its tip back to where it began, with the arrowhead there."""
    *way, a, b, c, end = [*line.points, *([line.tip] * 3 if line.tip else [])][::-1]
    t = 1.0
    while True:  # the last curve, cut off where the arrowhead begins
        ab, bc, cd = _between(a, b, t), _between(b, c, t), _between(c, end, t)
        abc, bcd = _between(ab, bc, t), _between(bc, cd, t)
        base = _between(abc, bcd, t)
        if t <= 0.5 or math.dist(base, end) >= ARROW:
            return replace(line, points=[*way, a, ab, abc, base], tip=end)
        t -= 0.02


def _between(p: Point, q: Point, t: float) -> Point:
    return p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t
