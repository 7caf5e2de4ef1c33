"""Plots are figures without pyplot, evaluated without recording a graph."""

import math
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value
from scalargrad.drawing import decision_boundary, loss_curve, plots
from scalargrad.drawing.field import SEVERAL, SEVERAL_DARK, Field, field_of
from scalargrad.drawing.theme import THEMES

pytest.importorskip("matplotlib", reason="the extra 'plot' is not installed")
figures = pytest.importorskip("matplotlib.figure")
np = pytest.importorskip("numpy")
to_hex = pytest.importorskip("matplotlib.colors").to_hex

X = [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]


def line(x):
    return Value(2.0) * x[0] - x[1] + Value(0.25)


def test_boundary_of_a_score_is_where_it_crosses_zero(tmp_path):
    figure = decision_boundary(line, X, [1, 1, -1, 1], resolution=21, title="a line")
    (ax,) = figure.axes
    boundaries = [c for c in ax.collections if hasattr(c, "levels") and list(c.levels) == [0.0]]
    (path,) = boundaries[0].get_paths()
    assert len(path.vertices) > 5
    for x0, x1 in path.vertices:
        assert 2 * x0 - x1 + 0.25 == pytest.approx(0, abs=1e-9)
    assert ax.get_title() == "a line"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "-1", "1", "score < 0", "score = 0", "score > 0",
    ]  # fmt: skip
    assert ax.get_xlim() == (-0.5, 1.5)
    figure.savefig(tmp_path / "boundary.png")
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_no_graph_is_recorded_and_the_grid_is_as_asked():
    seen = []

    def model(x):
        seen.append(tuple(x))
        out = Value(1.0, label="w") * x[0]
        assert out.parents == ()
        return out

    decision_boundary(model, X, [0, 1, 0, 1], resolution=7, margin=1.0)
    assert len(set(seen)) == 49
    assert {min(seen), max(seen)} == {(-1.0, -1.0), (2.0, 2.0)}


@pytest.mark.parametrize("dark", [False, True])
def test_regions_of_several_outputs_are_shaded_by_how_far_the_largest_is_ahead(dark):
    figure = decision_boundary(
        lambda x: [Value(x[0]), Value(x[1]), Value(0.5)], X, [0, 1, 2, 0], resolution=11, dark=dark
    )
    (image,) = figure.axes[0].images
    shades, (low, high, bottom, top) = image.get_array(), image.get_extent()
    page = np.array([0x14, 0x17, 0x1C] if dark else [0xFF] * 3) / 255
    hues = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in (SEVERAL_DARK if dark else SEVERAL)[:3]])

    def strength_and_class(x0, x1):
        row = round((x1 - bottom) / (top - bottom) * (len(shades) - 1))
        column = round((x0 - low) / (high - low) * (len(shades[0]) - 1))
        toward = shades[row][column] - page
        along = [float(toward @ (hue - page) / (np.linalg.norm(hue - page) ** 2)) for hue in hues]
        best = min(range(3), key=lambda i: np.linalg.norm(along[i] * (hues[i] - page) - toward))
        return along[best], best

    for point, winner in (((1.4, 0.0), 0), ((0.0, 1.4), 1), ((-0.4, -0.4), 2)):
        strength, found = strength_and_class(*point)
        assert found == winner
        assert strength > 0.5
    far, near = strength_and_class(1.4, 0.0), strength_and_class(0.6, 0.0)
    assert far[1] == near[1] == 0
    assert near[0] < 0.3 < far[0]
    with pytest.raises(ValueError, match="class numbers below 2"):
        decision_boundary(lambda x: [x[0], x[1]], X, [0, 1, 2, 0], resolution=3)


@given(st.integers(2, 5), st.integers(4, 12), st.randoms(use_true_random=False))
def test_lines_between_classes_follow_the_interpolated_scores_without_stairs(k, resolution, chance):
    planes = [[chance.uniform(-1, 1) for _ in range(3)] for _ in range(k)]

    def scores(x):
        return [a * x[0] + b * x[1] + c for a, b, c in planes]

    (ax,) = decision_boundary(scores, X, [0, 1, 0, 1], resolution=resolution).axes
    for contours in ax.collections:
        for path in contours.get_paths() if hasattr(contours, "levels") else ():
            for vertex in path.vertices:
                first, second = sorted(scores(vertex))[-2:][::-1]
                assert first - second < 1e-2  # planes: interpolation is exact, the line is straight


def test_two_classes_have_the_hues_of_the_sign_and_shapes_of_their_own():
    for dark in (False, True):
        (ax,) = decision_boundary(line, X, [1, 1, 0, 1], dark=dark).axes
        theme = THEMES["default"].colors("dark" if dark else "light")
        points = {c.get_label(): c for c in ax.collections if c.get_label() in ("0", "1")}
        for label, role in (("0", "edge-minus-3"), ("1", "edge-plus-3")):
            assert to_hex(points[label].get_facecolor()[0]) == theme[role]
        shapes = [c.get_paths()[0].vertices.shape for c in points.values()]
        assert shapes[0] != shapes[1]


def test_modules_are_evaluated_compiled_in_eval_mode_and_others_by_calls():
    model = sg.nn.Sequential(sg.nn.Layer(2, 4, seed=1), sg.nn.Dropout(0.5, seed=1), sg.nn.Layer(4, 1, seed=2))
    grid = [i / 4 for i in range(5)]
    model.train()
    found = Field(model, grid, grid)
    once, again = found.rows(), found.rows()
    assert once == again
    assert model.training
    model.eval()
    assert once[1][2] == pytest.approx(model([grid[2], grid[1]]).data, rel=1e-12)
    with sg.no_grad():
        model.layers[0].neurons[0].w[0].data += 1.0
    assert found.rows()[1][2] == pytest.approx(model([grid[2], grid[1]]).data, rel=1e-12)

    class Branching(sg.nn.Module):
        def __call__(self, x):
            return x[0] if x[0] > x[1] else x[1] * 2.0

    assert field_of(Branching(), grid, grid)[1][2] == grid[2]


class Shell:
    """IPython's shell in a notebook, as far as figures ask for it."""

    kernel = object()

    def __init__(self):
        self.events, self.late = self, []

    def register(self, event, function):
        assert event == "post_execute"
        self.late.append(function)

    def unregister(self, event, function):
        self.late.remove(function)

    def run_late(self):
        for function in self.late[:]:
            function()


@pytest.mark.parametrize("plot", [lambda: decision_boundary(line, X, [1, 1, -1, 1]), lambda: loss_curve([2.0, 1.0])])
def test_a_notebook_shows_each_figure_once(monkeypatch, plot):
    shell, shown = Shell(), []
    monkeypatch.setattr(plots, "notebook_shell", lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown.append))
    figure = plot()  # behind a semicolon: nothing asks for it
    assert shown == []
    shell.run_late()
    shell.run_late()
    assert shown == [figure]
    figure = plot()
    assert figure._repr_png_().startswith(b"\x89PNG")  # the result of a cell
    shell.run_late()
    assert len(shown) == 1
    _ = figure._repr_png_()
    assert shell.late == []


def test_a_notebook_that_has_pyplot_shows_each_figure_once_too(monkeypatch):
    """pyplot registers a formatter of its own for every Figure."""
    formatters = pytest.importorskip("IPython.core.formatters", reason="the extra `notebook` is not installed")
    shell = Shell()
    monkeypatch.setattr(plots, "notebook_shell", lambda: shell)
    formatter = formatters.DisplayFormatter()
    formatter.formatters["image/png"].for_type(figures.Figure, lambda figure: b"pyplot's")
    shown, _ = formatter.format(loss_curve([2.0, 1.0]))
    assert shown["image/png"] == b"pyplot's"
    assert shell.late == []  # nothing is left to be shown after the cell


def test_samples_may_be_values_and_axes_given():
    figure = loss_curve([1.0, 0.5])
    ax = figure.axes[0]
    again = decision_boundary(lambda x: x[0], [[Value(0.0), Value(1.0)], [1, 2]], [Value(1.0), -1], ax=ax, resolution=3)
    assert again is figure
    flat = decision_boundary(lambda x: 3.0, [[0, 0]], [1], resolution=2, margin=0)
    assert flat.axes[0].get_xlim() == (-1, 1)
    assert decision_boundary(lambda x: float("nan"), X, [1, 1, 1, 1], resolution=2)


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [([[1, 2, 3]], [1], {}, "two inputs"), ([], [], {}, "two inputs"), (X, [1], {}, "4 samples and y 1"), (X, [1] * 4, {"resolution": 1}, "resolution"),
     ([[0, 1], [math.nan, 1]], [1, 1], {}, "x0 holds nan or inf"), ([[0, 1], [1, math.inf]], [1, 1], {}, "x1 holds nan"), (X, [1, 1, 1, math.nan], {}, "y holds nan"),
     (X, [1, 1, -1, 1], {"threshold": math.inf}, "threshold must be finite"),
     *((X, [1, 1, -1, 1], {"margin": margin}, "margin must leave a part") for margin in (math.nan, -9.0, 1e308))],
)  # fmt: skip
def test_bad_input_to_decision_boundary(X, y, options, message):
    with pytest.raises(ValueError, match=message):
        decision_boundary(line, X, y, **options)
    with pytest.raises(TypeError, match="each of y must be a real number, not str"):
        decision_boundary(line, [[1, 2]], ["a"])
    deep, endless = 1.0, []
    for _ in range(3000):
        deep = [deep]
    endless.append(endless)
    for label in (deep, endless):
        with pytest.raises(ValueError, match="each of y is nested deeper than"):
            decision_boundary(line, [[1, 2]], [label])


def test_loss_curves():
    (ax,) = loss_curve([3.0, Value(2.0), 1.0], log=True).axes
    assert list(ax.lines[0].get_ydata()) == [3.0, 2.0, 1.0]
    assert list(ax.lines[0].get_xdata()) == [1, 2, 3]
    assert ax.get_yscale() == "log"
    history = sg.nn.History()
    history.append({"loss": 0.5, "val_loss": 0.75, "accuracy": 0.5})
    history.append({"loss": 0.25, "val_loss": 0.5, "accuracy": 1.0})
    top, below = loss_curve(history, dark=True, title="training").axes
    assert [line.get_label() for line in top.lines] == ["loss", "val_loss"]
    assert list(below.lines[0].get_ydata()) == [0.5, 1.0]
    with pytest.raises(ValueError, match="no loss"):
        loss_curve([])
    with pytest.raises(TypeError, match="each accuracy must be a real number, not str"):
        loss_curve({"loss": [1.0], "accuracy": ["good"]})


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    from scalargrad.drawing import plots

    plots._figure_class.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="the extra `plot`"):
        loss_curve([1.0])
    plots._figure_class.cache_clear()


def test_a_notebook_shows_no_figure_of_a_plot_that_failed(monkeypatch):
    shell = Shell()
    monkeypatch.setattr(plots, "notebook_shell", lambda: shell)
    with pytest.raises(ZeroDivisionError):
        decision_boundary(lambda x: 1 / 0, X, [1, 1, -1, 1])
    with pytest.raises(ValueError, match="class numbers below 2"):
        decision_boundary(lambda x: [x[0], x[1]], X, [0, 1, 2, 0], resolution=3)
    assert shell.late == []
