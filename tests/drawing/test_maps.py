"""A network of images is drawn as pictures: for each layer its filters, and the channels that it makes of a sample."""

import json
import re

import pytest

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.drawing.stages import read_stages


def network():
    return nn.Sequential(
        nn.Unflatten(1, 5, 4), nn.Conv2d(1, 3, 2, seed=0), "relu", nn.LocalResponseNorm(3, alpha=0.5), nn.MaxPool2d((2, 1)),
        nn.Flatten(), nn.Dropout(0.5, seed=1), nn.Layer(18, 2, activation=None, seed=2),
    )  # fmt: skip


ROW = [((3 * i) % 7) / 7 for i in range(20)]


def groups(drawing, name):
    return re.findall(rf'<g [^>]*class="[^"]*\b{name}"', drawing.svg)


def test_every_layer_is_a_column_with_its_channels_and_filters():
    drawing = network().draw(ROW)
    assert len(groups(drawing, "filter")) == 3
    assert len(groups(drawing, "map")) == 1 + 3 + 3 + 3
    assert len(groups(drawing, "number")) == 2
    assert [line.split() for line in drawing.text.splitlines()] == [
        line.split()
        for line in (
            "Network Sequential: 53 parameters; 1×5×4 → 3×4×3 → 3×4×3 → 3×2×3 → 2.",
            "layer what it is makes parameters",
            "input 1×5×4",
            "layer 1 Conv2d 2×2, relu 3×4×3 15",
            "layer 3 LocalResponseNorm 3×4×3 0",
            "layer 4 MaxPool2d 2×1, Dropout 3×2×3 0",
            "layer 7 Layer 18 → 2 2 38",
        )
    ]
    assert repr(drawing) == "<Drawing of Sequential: 4 layers of images>"
    assert drawing.dot.count("->") == 4
    assert "layer 4" in drawing.mermaid


def test_the_numbers_are_those_that_the_layers_make_of_the_sample():
    model = network()
    found = json.loads(model.draw(ROW).json)["layers"]
    model.eval()
    x = ROW
    made = [x := layer(x) for layer in model.layers]
    for layer, output in zip(found[:4], (made[0], made[2], made[3], made[4]), strict=True):
        assert layer["values"] == [[[getattr(v, "data", v) for v in row] for row in channel] for channel in output]
    assert found[4]["values"] == [[[v.data] for v in made[-1]]]
    assert found[1]["filters"] == [
        [[[w.data for w in row] for row in channel] for channel in kernel] for kernel in model.layers[1].weight
    ]
    assert model.layers[6].training is False


def test_gradients_are_those_of_the_outputs_sum_and_touch_no_grad():
    model = network()
    found = json.loads(model.draw(ROW, show="gradients").json)["layers"]
    assert all(p.grad == 0.0 for p in model.parameters())
    model.eval()
    row = [Value(x) for x in ROW]
    sg.sum(model(row)).backward()
    slopes = [v.grad for v in row]
    assert found[0]["gradients"] == [[slopes[i : i + 4] for i in range(0, 20, 4)]]
    assert found[1]["filters"] == [
        [[[w.grad for w in row] for row in channel] for channel in kernel] for kernel in model.layers[1].weight
    ]
    kept = json.loads(model.draw(show="gradients").json)["layers"]
    assert kept[1]["filters"] == found[1]["filters"]


def test_without_a_sample_filters_and_sizes_are_drawn():
    drawing = network().draw()
    assert len(groups(drawing, "filter")) == 3
    assert "1×5×4 → 3×4×3" in drawing.text
    alone = nn.Conv2d(2, 20, (1, 3), seed=0).draw()
    assert len(groups(alone, "filter")) == 16
    assert "… 4 more" in alone.svg
    wide = nn.Sequential(nn.Conv2d(7, 2, 2), nn.Flatten(), nn.Linear(2, 40)).draw()
    assert "of unknown size" in wide.svg
    assert "Linear 2 → 40" in wide.text
    assert "… 8 more" in wide.svg


def test_a_module_of_ones_own_is_drawn_by_its_parts_and_refused_where_it_does_more():
    class Net(nn.Module):
        def __init__(self, factor):
            self.conv, self.pool, self.flat = nn.Conv2d(1, 2, 2, seed=0), nn.MaxPool2d(2), nn.Flatten()
            self.factor = factor

        def __call__(self, x):
            return [y * self.factor for y in self.flat(self.pool(self.conv(x)))]

    image = [[[float(i * j) for j in range(3)] for i in range(3)]]
    assert "pool" in Net(1.0).draw(image).text
    with pytest.raises(ValueError, match=r"answers something else.*Sequential"):
        Net(2.0).draw(image)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda m: m.draw([ROW, ROW], [0, 1]), ValueError, "one sample"),
        (lambda m: m.draw(show="values"), ValueError, "needs the sample"),
        (lambda m: m.draw(ROW[:3]), ValueError, "20 numbers, but 3 were given"),
        (lambda m: m.draw("abc"), TypeError, "x must be one sample"),
        (lambda m: m.draw(["a"]), TypeError, "x must be one sample"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(draw, error, message):
    with pytest.raises(error, match=message):
        draw(network())


def test_what_is_not_finite_is_drawn_in_the_colour_of_what_is_wrong():
    model = network()
    model.layers[1].filters[0].w[0].data = float("nan")
    model.layers[7].neurons[0].b.data = float("inf")
    drawing = model.draw(ROW)
    assert json.loads(drawing.json)["layers"][1]["filters"][0][0][0][0] == "nan"
    assert re.search(r'class="[^"]*bad', drawing.svg) or "#c4122f" in drawing.svg


def test_stages_are_read_without_touching_the_mode():
    model = network()
    read_stages(model, ROW, gradients=False)
    assert all(part.training for part in model.modules())
