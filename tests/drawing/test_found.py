"""A compiled loss is drawn as operations, and as the layers that are found in them, each operation once."""

import json
import random

import pytest
from drawing_helpers import parsed
from written_programs import Written

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.drawing.found_scene import MOST_ROWS

SAMPLE = [0.5, -1.0], 1.0


def loss_of(model):
    return sg.compile(lambda x, y: (model(x) - y) ** 2, parameters=model.parameters())


def operations(drawing):
    return sum(part["operations"] for part in json.loads(drawing.json)["parts"])


def words(drawing):
    return [line.strip() for line in drawing.text.splitlines()[1:]]


@pytest.mark.parametrize("fused", [True, False])
def test_the_layers_of_a_network_and_all_that_stands_between_them(fused):
    model = nn.MLP(2, [8, 8, 1], activation="tanh", seed=1, fused=fused)
    drawing = loss_of(model).draw(*SAMPLE)
    assert words(drawing) == [
        "Dense 8 x 2 with bias", "8 tanh", "Dense 8 x 8 with bias", "8 tanh", "Dense 1 x 8 with bias",
        "1 subtract, 1 power",
    ]  # fmt: skip
    graph = (model([Value(x) for x in SAMPLE[0]]) - Value(SAMPLE[1])) ** 2
    assert operations(drawing) == sum(not node.is_leaf for node in sg.topological_order(graph))
    assert repr(drawing) == "<Drawing of <lambda>: 3 layers, 6 parts>"


def test_matrices_are_the_weights_in_their_places():
    model = nn.MLP(3, [5, 4], seed=2)
    loss = sg.compile(lambda x: sg.logsumexp(model(x)), parameters=model.parameters())
    parts = [part for part in json.loads(loss.draw([1.0, 2.0, 3.0]).json)["parts"] if part["weights"]]
    assert [part["weights"] for part in parts] == [
        [[w.data for w in neuron.w] for neuron in layer.neurons] for layer in model.layers
    ]


def test_weights_that_are_computed_and_penalties():
    ws, c = [Value(0.1 * k) for k in range(12)], Value(2.0)

    def loss(x):
        rows = [[w * c for w in ws[k : k + 4]] for k in (0, 4, 8)]
        return sg.logsumexp([sg.dot(row, x) for row in rows]) + sg.dot(ws, ws)

    drawing = sg.compile(loss).draw([1.0, 2.0, 3.0, 4.0])
    assert words(drawing) == ["1 dot, 12 multiply", "Dense 3 x 4, weights computed", "1 logsumexp, 1 add"] or words(
        drawing
    ) == ["12 multiply, 1 dot", "Dense 3 x 4, weights computed", "1 logsumexp, 1 add"]
    (layer,) = [part for part in json.loads(drawing.json)["parts"] if part["weights"]]
    assert layer["weights"] == [[w.data * 2.0 for w in ws[k : k + 4]] for k in (0, 4, 8)]


def test_what_has_no_layers():
    ws = [Value(0.5), Value(0.25)]
    drawing = sg.compile(lambda x: sg.tanh(ws[0] * x + ws[1])).draw(2.0)
    assert words(drawing) == ["1 multiply, 1 add, 1 tanh"]
    assert words(sg.compile(lambda x: x).draw(2.0)) == []
    for one in (drawing, sg.compile(lambda x: x).draw(2.0), sg.compile(lambda: ws[0] * ws[1]).draw()):
        parsed(one.svg)


def test_every_operation_that_is_drawn_has_a_dot_inside_the_picture():
    model = nn.MLP(4, [6, 3], seed=0, fused=False)
    drawing = sg.compile(lambda x: sg.logsumexp(model(x)), parameters=model.parameters()).draw([0.1, 0.2, 0.3, 0.4])
    scene = drawing._scene()
    boxes = [box for group in scene.groups if group.key.startswith("d") for item in group.items for box in item.boxes]
    assert len(boxes) == operations(drawing) + 4
    assert len(set(boxes)) == len(boxes)
    assert all(0 < x < scene.width - w and 0 < y < scene.height - h for x, y, w, h in boxes)
    texts = [item.text for group in scene.groups for item in group.items if hasattr(item, "text")]
    assert f"one sample's graph: {operations(drawing)} operations" in texts
    assert "Dense 6 × 4" in texts


def test_a_large_network_is_drawn_in_part_and_counted_whole():
    model = nn.MLP(100, [90, 1], seed=0)
    drawing = loss_of(model).draw([0.5] * 100, 1.0)
    assert words(drawing)[0] == "Dense 90 x 100 with bias"
    dots = [group for group in drawing._scene().groups if group.key == "d1"]
    assert sum(len(item.boxes) for group in dots for item in group.items) == MOST_ROWS
    assert len(drawing.svg) < 2_000_000


@pytest.mark.parametrize("scheme", ["auto", "light", "dark"])
def test_it_is_a_drawing_as_others_are(scheme, tmp_path):
    drawing = sg.draw_layers(loss_of(nn.MLP(2, [4, 1], seed=0)), *SAMPLE, scheme=scheme, theme="cs231n", id_prefix="a")
    for name in ("a.svg", "a.dot", "a.mmd", "a.json", "a.txt"):
        assert drawing.save(tmp_path / name).stat().st_size > 100
    assert "text/html" in drawing._repr_mimebundle_()
    assert "blue is positive, amber negative" in drawing.svg


def test_what_is_no_compiled_loss_is_refused():
    with pytest.raises(TypeError, match="takes a compiled loss, as scalargrad.compile gives it, and a sample, not 1.0"):
        sg.draw_layers(1.0)
    with pytest.raises(ValueError, match="scheme"):
        sg.draw_layers(loss_of(nn.MLP(2, [4, 1])), *SAMPLE, scheme="bright")


def test_random_losses_have_each_operation_in_one_part():
    for seed in range(40):
        written, rng = Written(seed), random.Random(seed)
        found = sg.compile(written)._overview(([rng.gauss(0, 1) for _ in range(written.inputs)], 0.5))
        drawn = sorted(slot for part in found.parts for row in part.rows for slot in row)
        assert drawn == [slot for slot, reads in enumerate(found.reads) if reads], seed
        parsed(sg.compile(written).draw([0.5] * written.inputs, 0.5).svg)
