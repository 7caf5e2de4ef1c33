"""The live view's picture is right: curve, field, line and samples where the numbers say, in an untrusted notebook too."""

import base64
import re
import zlib
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalargrad import nn
from scalargrad.drawing.theme import THEMES
from scalargrad.drawing.training_view import GRID, HIGH, LEFT, RIGHT, TrainingView, _contour, _Plane, picture
from scalargrad.nn.scores.losses import LOSSES
from scalargrad.nn.training.stepping import Task

X, Y = nn.moons(40, noise=0.1, seed=1, labels=(-1, 1))
NS = "{http://www.w3.org/2000/svg}"


def task(model, rows, targets, loss="hinge"):
    return Task(model, (rows, targets), LOSSES[loss], nn.SGD(model.parameters()), None, None, {}, None)


def history(*losses, **more):
    made = nn.History()
    for i, loss in enumerate(losses):
        made.append({"loss": loss, **{name: column[i] for name, column in more.items()}, "lr": 0.1})
    return made


def pixels(svg):
    (data,) = re.findall(r"data:image/png;base64,([^\"]+)", svg)
    png = base64.b64decode(data)
    raw = zlib.decompress(png[png.index(b"IDAT") + 4 : png.index(b"IEND") - 8])
    width = 4 * GRID + 1
    return [[tuple(raw[j * width + 1 + 4 * i :][:4]) for i in range(GRID)] for j in range(GRID)]


def test_the_field_has_the_hue_of_the_side_and_fades_at_the_line():
    model = nn.Neuron(2, activation=None, seed=1)
    model.w[0].data, model.w[1].data, model.b.data = 1.0, 0.0, 0.0
    rows = [[-1.0, -1.0], [1.0, 1.0]]
    svg = picture(history(1.0, 0.5), 10, "epoch 2", _Plane.of(task(model, rows, [-1, 1])))
    field = pixels(svg)
    theme = THEMES["default"].light
    hues = {role: tuple(int(theme[role][i : i + 2], 16) for i in (1, 3, 5)) for role in ("edge-minus-2", "edge-plus-2")}
    for line in field:
        assert line[0][:3] == hues["edge-minus-2"]
        assert line[-1][:3] == hues["edge-plus-2"]
        alphas = [pixel[3] for pixel in line]
        assert alphas[0] > 140 < alphas[-1]
        assert min(alphas) == min(alphas[GRID // 2 - 1 : GRID // 2 + 1]) < 12
    root = ET.fromstring(svg)  # noqa: S314  (made here)
    lines = [path.get("d") for path in root.iter(f"{NS}path") if path.get("class") == "line"]
    xs = [float(x) for x in re.findall(r"[ML]([\d.]+) ", lines[0])]
    assert xs
    assert all(x == pytest.approx(RIGHT / 2, abs=0.1) for x in xs)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-0.5, 0.5))
def test_the_line_is_where_the_numbers_are_0(a, b, c):
    n = 9
    table = [[a * i + b * j + c for i in range(n)] for j in range(n)]
    for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", _contour(table, 1000.0, 1000.0)):
        i, j = float(x) / 1000, n - 1 - float(y) / 1000
        assert abs(a * i + b * j + c) < 1e-3


def test_samples_lie_where_their_numbers_say_and_differ_in_shape():
    plane = _Plane.of(task(nn.MLP(2, [3, 1], seed=1), X, Y))
    svg = picture(history(1.0, accuracy=[0.5]), 10, "epoch 1", plane)
    root = ET.fromstring(svg)  # noqa: S314
    samples = [path for path in root.iter(f"{NS}path") if path.get("class") == "sample"]
    assert len(samples) == len(X) + 2  # and two in the legend
    assert len({path.get("d") for path in samples}) == len({path.get("fill") for path in samples}) == 2
    at = [tuple(map(float, re.findall(r"-?[\d.]+", path.get("transform")))) for path in samples[: len(X)]]
    assert all(0 < x < RIGHT and 0 < y < HIGH for x, y in at)
    order = sorted(range(len(X)), key=lambda i: X[i][0])
    assert sorted(range(len(X)), key=lambda i: at[i][0]) == order
    assert "shade: score + green, − purple" in svg


def test_the_curve_grows_over_the_epochs_to_come():
    for n in (1, 5, 10):
        losses = [1.0 / (i + 1) for i in range(n)]
        root = ET.fromstring(picture(history(*losses), 10, "", None))  # noqa: S314
        (curve,) = [path for path in root.iter(f"{NS}path") if path.get("class") == "a"]
        xs = [float(x) for x in re.findall(r"[ML]([\d.]+) ", curve.get("d"))]
        assert xs[-1] == pytest.approx(LEFT * (n - 1) / 9, abs=0.1)
        assert len(xs) == n


@pytest.mark.parametrize(
    "losses",
    [
        [float("nan")],
        [0.0, 0.0],
        [1e300, 1e-300],
        [float("inf"), 1.0],
        [-3.0, -5.0],
        [-1e17, -1e17],
        [1.7e308, -1.7e308],
        [5e-324, 0.0],
    ],
)
def test_any_losses_make_a_picture(losses):
    svg = picture(history(*losses, val_loss=losses, accuracy=losses), 5, "a < b & c", None)
    ET.fromstring(svg)  # noqa: S314
    assert "nan" not in re.sub(r"<text.*?</text>", "", svg)


@pytest.mark.parametrize("x", [0.0, 1e17, -1e300])
def test_samples_that_are_one_point_lie_in_the_middle(x):
    plane = _Plane.of(task(nn.MLP(2, [1], seed=1), [[x, x]] * 2, [1, -1]))
    svg = picture(history(1.0), 10, "", plane)
    assert set(re.findall(r'class="sample"[^>]*translate\(([^)]*)\)', svg)) >= {f"{RIGHT / 2:.1f} {HIGH / 2:.1f}"}


def test_only_pairs_with_a_label_have_a_plane():
    model = nn.MLP(2, [2], seed=1)
    assert _Plane.of(task(model, X, [[1.0, 2.0]] * len(X), "mse")) is None
    three = nn.MLP(3, [1], seed=1)
    assert _Plane.of(task(three, [[1.0, 2.0, 3.0]] * 4, [1, -1, 1, -1])) is None
    for far in (float("nan"), 1.7e308):
        assert _Plane.of(task(model, [[1.0, far]] * 4, [1, -1, 1, -1])) is None


@pytest.mark.parametrize("outputs", [2, 3, 7])
def test_several_classes_have_a_region_each(outputs):
    rows, labels = nn.blobs(70, classes=outputs, seed=1)
    model = nn.MLP(2, [outputs], seed=1)
    svg = picture(history(1.0), 10, "", _Plane.of(task(model, rows, labels, "cross_entropy")))
    assert "shade: lead of the largest" in svg
    assert len({pixel[:3] for line in pixels(svg) for pixel in line}) >= 2


def test_what_a_notebook_is_given_is_an_image_with_words():
    held = []

    class Output:
        show = held.append

    view = TrainingView(task(nn.MLP(2, [3, 1], seed=1), X, Y), 3, Output())
    view.show(history(1.0, 0.5, 0.25))
    (bundle,) = held
    assert re.fullmatch(
        r'<img alt="[^"]*loss[^"]*" src="data:image/svg\+xml;base64,[A-Za-z0-9+/=]+">', bundle["text/html"]
    )
    assert "1 -> 0.25" in bundle["text/plain"]
