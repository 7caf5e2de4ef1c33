"""Plots are figures without pyplot, evaluated without recording a graph."""

import sys

import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.drawing import decision_boundary, loss_curve

pytest.importorskip("matplotlib", reason="the extra 'plot' is not installed")

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
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["-1", "1"]
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


def test_regions_of_several_outputs():
    figure = decision_boundary(lambda x: [Value(x[0]), Value(x[1]), Value(0.5)], X, [0, 1, 2, 0], resolution=11)
    mesh = next(c for c in figure.axes[0].collections if type(c).__name__ == "QuadMesh")
    regions = mesh.get_array().reshape(11, 11)
    assert regions[0][10] == 0  # x0 large
    assert regions[10][0] == 1  # x1 large
    assert regions[0][0] == 2
    with pytest.raises(ValueError, match="class numbers below 2"):
        decision_boundary(lambda x: [x[0], x[1]], X, [0, 1, 2, 0], resolution=3)


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
    [([[1, 2, 3]], [1], {}, "two inputs"), ([], [], {}, "two inputs"), (X, [1], {}, "4 samples and y 1"), (X, [1] * 4, {"resolution": 1}, "resolution")],
)  # fmt: skip
def test_bad_input_to_decision_boundary(X, y, options, message):
    with pytest.raises(ValueError, match=message):
        decision_boundary(line, X, y, **options)


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


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    from scalargrad.drawing import plots

    plots._figure_class.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="the extra `plot`"):
        loss_curve([1.0])
    plots._figure_class.cache_clear()
