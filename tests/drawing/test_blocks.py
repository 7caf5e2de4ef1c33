"""Graphs of networks: layers from left to right, neurons in the order of their indices, nothing on a title or a card."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalargrad import Value, draw, mean, nn
from scalargrad.drawing import engines
from scalargrad.drawing.blocks import in_blocks
from scalargrad.drawing.scene import sampled
from scalargrad.drawing.theme import text_width
from scalargrad.drawing.ways import _overlap


def graph_of(sizes, fused=True, samples=1, activation="tanh"):
    model = nn.MLP(sizes[0], [*sizes[1:]], activation=activation, fused=fused, seed=1)
    outs = []
    for n in range(samples):
        out = model([Value(0.5 + n - i, label=f"x{i}" if samples == 1 else "") for i in range(sizes[0])])
        outs.append(mean([y * y for y in (out if isinstance(out, list) else [out])]))
    return mean(outs) if samples > 1 else outs[0]


def rect(layout, shape):
    x, y = layout.centers[shape.key]
    return (x - shape.width / 2, y - shape.height / 2, x + shape.width / 2, y + shape.height / 2)


def titles(sketch, layout):
    texts = list(sketch.clusters.values())
    return [(a + 10, b + 4, a + 10 + text_width(texts[n], 11.5), b + 19) for n, (a, b, _, _) in layout.clusters.items()]


networks = st.builds(
    graph_of, st.lists(st.integers(1, 4), min_size=2, max_size=4).filter(lambda s: sum(s[1:]) > 1),
    fused=st.booleans(), samples=st.integers(1, 2), activation=st.sampled_from(["tanh", "linear"]),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(networks, st.sampled_from([None, "neuron", "layer"]))
def test_layers_neurons_and_labels_have_their_places(root, collapse):
    drawing = draw(root, collapse=collapse, max_nodes=2000)
    sketch = drawing._sketch
    layout = in_blocks(sketch)
    if layout is None:
        assert not {s.scope or s.module for s in sketch.shapes} - {()}
        return
    scopes = list(sketch.clusters)
    boxes = {scopes[n]: box for n, box in layout.clusters.items()}
    boxes |= {shape.module: rect(layout, shape) for shape in sketch.shapes if shape.module}
    by_layer = {}
    for scope, box in boxes.items():
        by_layer.setdefault(int(scope[0].removeprefix("layer ")), []).append(
            (int(scope[1].split()[1]) if len(scope) > 1 else 0, box)
        )
    for layer, found in by_layer.items():
        found.sort()
        for (_, above), (_, below) in pairwise(found):
            assert above[3] < below[1], "neurons from top to bottom"
        if layer + 1 in by_layer:
            assert max(b[2] for _, b in found) < min(b[0] for _, b in by_layer[layer + 1]), "layers from left to right"
    first = min(b[0] for _, b in by_layer[0])
    cards = [(shape, rect(layout, shape)) for shape in sketch.shapes]
    for shape, card in cards:
        if "input" in shape.classes:
            assert card[2] < first, "inputs are on the left"
        if shape.scope in boxes:
            (left, top, right, bottom), (a, b, c, d) = boxes[shape.scope], card
            assert left < a
            assert top + 20 < b
            assert c < right
            assert d < bottom
    rects = [card for _, card in cards]
    for i, one in enumerate(rects):
        assert not any(_overlap(one, other) for other in rects[:i])
    labels = []
    walls = rects + titles(sketch, layout)
    for link in sketch.links:
        curve = layout.curves[link.key]
        for x, y in (*sampled(curve.points), curve.tip):
            assert 0 <= x <= layout.width
            assert 0 <= y <= layout.height
        if curve.label:
            x, y = curve.label
            half = text_width(link.label, 10.0) / 2
            box = (x - half, y - 5, x + half, y + 5)
            assert 0 <= box[0] <= box[2] <= layout.width
            assert 0 <= box[1] <= box[3] <= layout.height
            assert not any(_overlap(box, wall) for wall in walls), "no label on a card or a title"
            assert not any(_overlap(box, other) for other in labels), "no label on another"
            labels.append(box)
    assert len(labels) >= 0.9 * sum(bool(link.label) for link in sketch.links)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=3, max_size=4).filter(lambda s: sum(s[1:]) > 1))
def test_no_line_runs_through_a_card_or_a_title(sizes):
    drawing = draw(graph_of(sizes))
    sketch = drawing._sketch
    layout = in_blocks(sketch)
    cards = {shape.key: rect(layout, shape) for shape in sketch.shapes}
    for link in sketch.links:
        walls = [box for key, box in cards.items() if key not in (link.tail, link.head)] + titles(sketch, layout)
        for x, y in sampled(layout.curves[link.key].points):
            for a, b, c, d in walls:
                assert not (a + 1 < x < c - 1 and b + 1 < y < d - 1), (link, (x, y), (a, b, c, d))


@pytest.mark.parametrize(("nin", "expand"), [(2, False), (2, True), (3, False), (3, True), (6, True)])
def test_a_line_past_weights_has_a_gap_to_itself_and_crosses_no_other_on_its_way_there(nin, expand):
    neuron = nn.Neuron(nin, activation="tanh", seed=1)
    sketch = draw(neuron([Value(0.5 + i, label=f"x{i}") for i in range(nin)]), expand=expand)._sketch
    layout = in_blocks(sketch)
    of = {s.key: s for s in sketch.shapes}
    weights = [rect(layout, s) for s in sketch.shapes if "parameter" in s.classes and s.scope]
    left = min(w[0] for w in weights)
    heights = []
    for shape in sorted((s for s in sketch.shapes if "input" in s.classes), key=lambda s: layout.centers[s.key][1]):
        (link,) = (link for link in sketch.links if link.tail == shape.key)
        assert of[link.head].scope
        heights += [y for x, y in sampled(layout.curves[link.key].points) if abs(x - left) < 12][:1]
    assert len(heights) == nin
    assert heights == sorted(heights)
    gaps = [sum(w[1] < y for w in weights) for y in heights]
    assert len(set(gaps)) == nin


def test_it_needs_no_engine_and_only_networks_are_placed_so(monkeypatch):
    root = graph_of([2, 4, 1])
    x = Value(2.0, label="x")
    assert in_blocks(draw(x * x + 1)._sketch) is None
    assert in_blocks(draw(root, clusters=False)._sketch) is None
    assert in_blocks(draw(root, rankdir="TB")._sketch) is None
    monkeypatch.setattr("scalargrad.drawing.result.lay_out", lambda *_: pytest.fail("an engine was started"))
    assert draw(root).svg
    monkeypatch.setattr(engines, "_has_wasi", lambda: False)
    monkeypatch.setattr(engines.shutil, "which", lambda _: None)
    assert "image/svg+xml" in draw(root)._repr_mimebundle_() or "text/html" in draw(root)._repr_mimebundle_()
    assert set(draw(root, engine="text")._repr_mimebundle_()) == {"text/plain"}


def test_a_layer_that_feeds_itself_is_left_to_graphviz():
    layer = nn.MLP(1, [2, 1], activation="tanh", seed=1)
    twice = layer([layer([Value(1.0, label="x")])])
    assert in_blocks(draw(twice)._sketch) is None


def test_256_lines_are_straight_and_bear_no_label():
    model = nn.MLP(2, [16, 16, 1], seed=1)
    drawing = draw(model([Value(0.5, label="x0"), Value(-1.0, label="x1")]), collapse="neuron")
    layout = in_blocks(drawing._sketch)
    straight = 0
    for link in drawing._sketch.links:
        (x0, y0), (x1, y1), _, (x3, y3) = layout.curves[link.key].points
        straight += abs((x1 - x0) * (y3 - y0) - (y1 - y0) * (x3 - x0)) < 1e-6 * (1 + (x3 - x0) ** 2 + (y3 - y0) ** 2)
    assert straight >= 256
