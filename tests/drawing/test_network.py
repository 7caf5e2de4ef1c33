"""A model is drawn as columns of neurons: every weight a line, as wide as it is large, in the hue of its sign."""

import math
import re
import subprocess
import sys
from itertools import pairwise

import pytest
from drawing_helpers import SVG, parsed
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad
from scalargrad import Value, draw, draw_network, nn
from scalargrad.drawing import Drawing, engines
from scalargrad.drawing.answers import answers
from scalargrad.drawing.columns import read_network
from scalargrad.drawing.layered import MOST_SHOWN
from scalargrad.nn import Module


def lines(svg):
    """Each weight's line: its key (column, neuron, piece, input), colour role, width and opacity."""
    found = {}
    for group in parsed(svg).iter(SVG + "g"):
        key = re.search(r"-w(\d+)-(\d+)-(\d+)-(\d+)$", group.get("id", ""))
        if key:
            (path,) = group.iter(SVG + "path")
            role = path.get("class").removeprefix("s-")
            found[tuple(map(int, key.groups()))] = (
                role, float(path.get("stroke-width")), float(path.get("stroke-opacity", "1")),
            )  # fmt: skip
    return found


def circles(svg):
    """The centre of each neuron, by column and index."""
    found = {}
    for group in parsed(svg).iter(SVG + "g"):
        key = re.search(r"-n(\d+)-(\d+)$", group.get("id", ""))
        if key:
            circle = next(group.iter(SVG + "ellipse"))
            found[tuple(map(int, key.groups()))] = (float(circle.get("cx")), float(circle.get("cy")))
    return found


def texts(drawing):
    return [text.text for text in parsed(drawing.svg).iter(SVG + "text")]


sizes = st.lists(st.integers(1, 7), min_size=2, max_size=4)
weight = st.one_of(
    st.floats(-3, 3, allow_subnormal=False), st.sampled_from([0.0, -0.0, 1e-300, 1e300, math.inf, math.nan])
)


@settings(max_examples=40, deadline=None)
@given(sizes, st.data())
def test_every_weight_has_one_line_whose_width_and_hue_say_its_size_and_sign(sizes, data):
    model = nn.MLP(sizes[0], sizes[1:], seed=0)
    for parameter in model.parameters():
        parameter.data = data.draw(weight)
    found = lines(model.draw().svg)
    expected = {
        (c + 1, j, 0, k): w.data
        for c, layer in enumerate(model.layers)
        for j, neuron in enumerate(layer.neurons)
        for k, w in enumerate(neuron.w)
    }
    assert found.keys() == expected.keys()
    finite = sorted((abs(w), found[key]) for key, w in expected.items() if math.isfinite(w))
    for (_, (_, width, opacity)), (_, (_, wider, stronger)) in pairwise(finite):
        assert width <= wider
        assert opacity <= stronger
    for key, w in expected.items():
        role = found[key][0]
        assert role == (
            "bad" if not math.isfinite(w) else "edge-plus-2" if w > 0 else "edge-minus-2" if w < 0 else "edge-0"
        )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=2, max_size=3))
def test_neurons_stand_in_the_order_of_their_indices_and_what_is_not_drawn_is_counted(sizes):
    model = nn.MLP(sizes[0], sizes[1:], init="zeros")
    drawing = model.draw()
    found = circles(drawing.svg)
    by_column = [[found[c, i] for i in range(min(n, MOST_SHOWN))] for c, n in enumerate(sizes)]
    assert len(found) == sum(map(len, by_column))
    assert [x for column in by_column for x, _ in column] == sorted(x for x, _ in found.values())
    for column in by_column:
        assert [y for _, y in column] == sorted({y for _, y in column})
    more = [f"… {n - MOST_SHOWN} more" for n in sizes if n > MOST_SHOWN]
    assert [text for text in texts(drawing) if text.startswith("…")] == more
    if more:
        assert f"not drawn: {sum(max(0, n - MOST_SHOWN) for n in sizes)} neuron" in drawing.picture.description
    drawn = sum(len(list(group.iter(SVG + "path"))) for group in parsed(drawing.svg).iter(SVG + "g")
                if re.search(r"edge", group.get("class", "")))  # fmt: skip
    shown = [min(n, MOST_SHOWN) for n in sizes]
    assert drawn == sum(a * b for a, b in pairwise(shown)) == len(drawing.picture.edges)


def test_it_is_a_drawing_like_any_other(tmp_path):
    model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
    drawing = model.draw()
    assert isinstance(drawing, Drawing)
    assert drawing.svg == draw(model).svg == draw(model, style="network").svg == draw_network(model).svg
    assert repr(drawing) == "<Drawing of MLP(2, [4, 1]): 2 inputs, 5 neurons, 12 weights>"
    for suffix in (".svg", ".dot", ".mmd", ".json", ".txt"):
        assert drawing.save(tmp_path / f"net{suffix}").stat().st_size > 100
    head = parsed(drawing.svg)
    assert head.get("role") == "img"
    assert head.find(SVG + "title").text == "Network MLP(2, [4, 1])"
    assert head.find(SVG + "desc").text == "Network MLP(2, [4, 1]): 2 inputs, 5 neurons, 12 weights, 5 biases."
    assert "One neuron as a graph: model.layers[0].neurons[0].draw(x)" in texts(drawing)
    assert texts(drawing).count("tanh") == 4


def test_it_needs_no_engine(monkeypatch):
    monkeypatch.setattr(engines, "_has_wasi", lambda: False)
    monkeypatch.setattr(engines.shutil, "which", lambda _: None)
    drawing = nn.MLP(2, [3, 1], seed=0).draw()
    assert drawing.svg
    assert "pip install" not in str(drawing._repr_mimebundle_())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_png_and_pdf_are_painted_by_the_systems_dot(tmp_path, scheme):
    if not engines.shutil.which("dot"):
        pytest.skip("Graphviz is not installed on this system")
    X, y = nn.moons(20, labels=(-1, 1), seed=1)
    drawing = nn.MLP(2, [3, 1], seed=0).draw(X, y, scheme=scheme)
    assert drawing.save(tmp_path / "net.png").read_bytes()[:4] == b"\x89PNG"
    assert drawing.save(tmp_path / "net.pdf").read_bytes()[:4] == b"%PDF"


def test_values_are_those_of_the_model():
    model = nn.MLP(3, [4, 2], activation="tanh", seed=1)
    x = [0.5, -1.0, 2.0]
    drawing = model.draw(x=x)
    assert model.draw(x).svg == drawing.svg
    outputs = [f"{y.data:.4f}".replace("-", "−") for y in model(x)]
    assert set(outputs) <= set(texts(drawing))
    assert "values" in drawing.text


def test_gradients_are_those_of_the_last_backward_or_of_a_sample():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    with pytest.raises(ValueError, match=r"loss\.backward\(\)"):
        model.draw(show="gradients")
    asked = model.draw(x=[0.5, -1.0], show="gradients")
    assert all(p.grad == 0.0 for p in model.parameters())
    model([0.5, -1.0]).backward()
    assert lines(model.draw(show="gradients").svg) == lines(asked.svg)
    signs = {k: role for k, (role, *_) in lines(asked.svg).items()}
    grads = {(c + 1, j, 0, k): w.grad for c, layer in enumerate(model.layers) for j, n in enumerate(layer.neurons)
             for k, w in enumerate(n.w)}  # fmt: skip
    assert signs == {k: "edge-plus-2" if g > 0 else "edge-minus-2" for k, g in grads.items()}


def test_no_stripe_is_left_between_the_rows_of_a_heat_map():
    model = nn.MLP(2, [5, 1], seed=1)
    tops, bottoms = set(), set()
    for path in re.findall(r'<path [^>]*crispEdges" d="([^"]*)"', model.draw([[-1.5, -0.9], [2.6, 1.5]]).svg):
        for y, height in re.findall(r"M[-\d.]+ ([-\d.]+)h[-\d.]+v([-\d.]+)", path):
            tops.add(round(float(y) * 100))
            bottoms.add(round((float(y) + float(height)) * 100))
    near = [(top, bottom) for top in tops for bottom in bottoms if 0 < abs(top - bottom) < 5]
    assert len(tops) > 30
    assert near == []


def test_circles_show_what_neurons_answer_over_the_plane():
    X, y = nn.moons(30, labels=(-1, 1), seed=1)
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    svg = model.draw(X, y).svg
    for group in parsed(svg).iter(SVG + "g"):
        if re.search(r"-n\d+-\d+$", group.get("id", "")):
            assert [p for p in group.iter(SVG + "path") if p.get("fill-opacity")], group.get("id")
    panel = next(g for g in parsed(svg).iter(SVG + "g") if g.get("id", "").endswith("-panel"))
    assert len(list(panel.iter(SVG + "ellipse"))) == 30
    assert "panel" not in nn.MLP(2, [3, 2], seed=1).draw(X, y).svg


@settings(max_examples=25, deadline=None)
@given(sizes, st.sampled_from(["tanh", "relu", "leaky_relu"]), st.data())
def test_answers_are_the_models_own(sizes, activation, data):
    model = nn.MLP(sizes[0], sizes[1:], activation=activation, seed=data.draw(st.integers(0, 9)))
    rows = [[data.draw(st.floats(-2, 2)) for _ in range(sizes[0])] for _ in range(3)]
    found = answers(read_network(model), rows)
    assert found[0] == rows
    for layer in range(len(model.layers)):
        for n, row in enumerate(rows):
            out = row
            for step in model.layers[: layer + 1]:
                out = step(out)
            assert found[layer + 1][n] == [v.data for v in (out if isinstance(out, list) else [out])]


class Own(Module):
    def __init__(self, *parts):
        self.parts = list(parts)

    def __call__(self, x):
        for part in self.parts:
            x = part(x)
        return x


class Student(Module):
    """A neuron as students write it."""

    def __init__(self, nin):
        self.w = [Value(1.0, parameter=True) for _ in range(nin)]
        self.b = Value(0.5, parameter=True)

    def __call__(self, x):
        return sum((w * v for w, v in zip(self.w, x, strict=True)), self.b).tanh()


class StudentLayer(Module):
    def __init__(self, nin, nout):
        self.neurons = [Student(nin) for _ in range(nout)]

    def __call__(self, x):
        return [n(x) for n in self.neurons]


@pytest.mark.parametrize(
    ("model", "titles", "weights"),
    [
        (nn.Neuron(3, seed=0), ["inputs", "neuron"], 3),
        (nn.Layer(2, 3, seed=0), ["inputs", "layer"], 6),
        (nn.Maxout(2, 3, pieces=2, seed=0), ["inputs", "layer"], 12),
        (nn.Sequential(nn.Layer(2, 4, nonlin=False, seed=0), "tanh", nn.Dropout(0.2), nn.Layer(4, 1, seed=1)), ["inputs", "layer 0", "layer 3"], 12),
        (Own(nn.Layer(2, 4, seed=0), nn.Layer(4, 1, seed=1)), ["inputs", "parts 0", "parts 1"], 12),
        (Own(nn.MLP(2, [3, 2], seed=0), nn.Layer(2, 1, seed=1)), ["inputs", "parts 0 · layer 0", "parts 0 · layer 1", "parts 1"], 14),
        (Own(StudentLayer(2, 3), StudentLayer(3, 2)), ["inputs", "parts 0", "parts 1"], 12),
        (StudentLayer(2, 3), ["inputs", "layer"], 6),
        (nn.Sequential(nn.Sequential(nn.MLP(2, [3, 2], seed=0)), nn.MLP(2, [1], seed=0)), ["layer 0.0.0", "layer 0.0.1", "layer 1.0"], 14),
    ],
)  # fmt: skip
def test_what_can_be_drawn(model, titles, weights):
    drawing = model.draw()
    assert len(lines(drawing.svg)) == weights
    assert set(titles) <= set(texts(drawing))
    model.draw(x=[0.5] * len(read_network(model).columns[0].nodes), show="values")


def test_a_model_that_does_more_than_its_layers_says_so():
    class Twice(Module):
        def __init__(self):
            self.first = nn.Layer(2, 2, seed=1)

        def __call__(self, x):
            return self.first(self.first(x))

    layers = nn.Layer(2, 3, False, seed=1), nn.Layer(3, 1, False, seed=1)
    for model in (Twice(), Squashed(*layers), nn.Sequential(Twice(), nn.Layer(2, 1, seed=1))):
        assert "computes more than is drawn: its graph is model(x).draw()" in model.draw().text
        with pytest.raises(ValueError, match="answers something else than its layers"):
            model.draw(x=[1.0, 2.0], show="gradients")
    for model in (Own(*layers), nn.Sequential(*layers), StudentLayer(2, 3)):
        assert "computes more" not in model.draw().text


class Line(Module):
    def __init__(self):
        self.slope = Value(2.0, parameter=True)

    def __call__(self, x):
        return self.slope * x


class Squashed(Own):
    def __call__(self, x):
        return super().__call__(x).tanh()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Line().draw(), "Line has 1 parameter of its own, in no neuron: what can be drawn"),
        (lambda: Own().draw(), "has no neurons"),
        (lambda: Own(nn.Layer(2, 3), nn.Layer(2, 1)).draw(), "parts 1 reads 2 inputs, but parts 0 before it has 3 neurons"),
        (lambda: nn.Sequential(nn.Layer(2, 4), lambda x: x[:2]).draw(), "function of your own"),
        (lambda: nn.Sequential(nn.Dropout(0.5), nn.Layer(2, 4)).draw(), "begins with Dropout"),
        (lambda: Squashed(nn.Layer(2, 3, False, seed=1), nn.Layer(3, 1, False, seed=1)).draw(x=[1.0, 2.0]), "Sequential"),
        (lambda: nn.MLP(3, [2, 1]).draw([[1.0, 2.0, 3.0]]), "two inputs"),
        (lambda: nn.MLP(2, [2, 1]).draw([[1.0, 2.0, 3.0]]), "X must hold rows of two numbers"),
        (lambda: nn.MLP(2, [2, 1]).draw([[1.0, 2.0]], [1, 1]), "1 sample and y 2 labels"),
        (lambda: nn.MLP(2, [2, 1]).draw(y=[1]), "give both"),
        (lambda: nn.MLP(2, [2, 1]).draw([[1.0, 2.0]], x=[1.0, 2.0]), "not both"),
        (lambda: nn.MLP(2, [2, 1]).draw(x=[1.0]), "2 numbers"),
        (lambda: nn.MLP(2, [2, 1]).draw(show="values"), "x=\\[0.5"),
        (lambda: nn.MLP(2, [2, 1]).draw(show="weight"), "show"),
        (lambda: nn.MLP(2, [2, 1]).draw(scheme="blue"), "scheme"),
        (lambda: draw(nn.MLP(2, [2, 1]), style="circuit"), "style='network'"),
        (lambda: draw(Value(1.0), style="network"), r"model\.draw\(\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_drawing_something_else_is_a_type_error():
    with pytest.raises(TypeError, match="Module"):
        draw_network(Value(1.0))
    with pytest.raises(TypeError, match="draw takes a Value, the output of a graph, not int"):
        draw(3)


def test_a_neurons_own_graph_is_one_call_away():
    model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
    drawing = model.layers[0].neurons[2].draw([0.5, -1.0])
    first, *rest = drawing.text.splitlines()[1:]
    assert first.startswith("a = tanh(z)")
    assert rest[0].startswith("└─ z = w0×x0 + w1×x1 + b")
    assert {card.name for card in drawing.picture.cards} == {"a", "z", "w0", "w1", "b", "x0", "x1"}
    assert [p.label for p in model.layers[0].neurons[2].parameters()] == ["w0", "w1", "b"]
    hidden = model.layers[0]([0.5, -1.0])
    assert len(model.layers[1].neurons[0].draw(hidden).picture.cards) == 10
    assert hidden[0].label == ""
    assert len(model.layers[0].neurons[2].draw([0.5, -1.0], expand=True).picture.cards) > 7


def test_a_neuron_with_an_activation_of_the_users_keeps_its_labels_and_names_what_has_no_graph():
    def named(z):
        out = z * 2.0
        out.label = "mine"
        return out

    assert "mine" in str(nn.Neuron(2, activation=named).draw([0.5, -1.0]).text)
    assert "a = " in nn.Neuron(2, activation=lambda z: z * 2.0).draw([0.5, -1.0]).text
    with pytest.raises(TypeError, match=r"its activation gave 1\.0, which is no Value: it has no graph to draw"):
        nn.Neuron(2, activation=lambda z: 1.0).draw([0.5, -1.0])


def test_the_same_model_gives_the_same_bytes_in_every_process():
    code = (
        "from scalargrad import nn; import sys; X, y = nn.moons(20, labels=(-1, 1), seed=1); "
        "sys.stdout.buffer.write(nn.MLP(2, [5, 1], activation='tanh', seed=1).draw(X, y).svg.encode())"
    )
    one, other = (subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in "ab")
    assert one == other != b""


def test_weights_and_modes_stay_what_they_were():
    model = nn.Sequential(nn.Layer(2, 3, seed=0), nn.BatchNorm(3), nn.Layer(3, 1, seed=1))
    before, training = model.state_dict(), [m.training for m in model.modules()]
    drawing = model.draw(nn.moons(10, seed=1)[0])
    assert model.state_dict() == before
    assert [m.training for m in model.modules()] == training
    assert "6 other parameters, not drawn" in drawing.picture.description
    assert scalargrad.Drawing is Drawing
