"""Plots of what a network learned, made with matplotlib (the extra `plot`), which is imported when one is drawn.

Figures are made without pyplot: nothing global is touched, no window opens, nothing has to be closed. Jupyter shows
each once: where it is the result of a cell, or else, as behind a semicolon, when the cell has run.
"""

from __future__ import annotations

import functools
import io
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from scalargrad.drawing.theme import THEMES
from scalargrad.node.numbers import plain_number
from scalargrad.support.arguments import function, items, real, whole
from scalargrad.support.notebook import notebook_shell

_DARK = {"page": "#14171c", "ink": "#e8eaf0", "grid": "#3a4250", "scheme": "dark"}
_LIGHT = {"page": "#ffffff", "ink": "#1f2430", "grid": "#d3d8e0", "scheme": "light"}
_MARKERS = "osD^vP"
_FINE = 361
"""So many points along each side the shades and lines are drawn with, between those where the model was asked."""

_BELOW = 36
"""How far below the plane its legend begins, in points: below the numbers and the name of the axis."""


def decision_boundary(
    model: Callable[[list[float]], Any],
    X: Sequence[Sequence[float]],
    y: Sequence[float],
    *,
    resolution: int = 60,
    margin: float = 0.5,
    threshold: float = 0.0,
    title: str = "",
    dark: bool = False,
    ax: Any = None,
) -> Any:
    """Plot what a model of two inputs says everywhere, with the samples on top.

    A model with one output is drawn as its score: green above `threshold`, purple below it, a line where it crosses.
    A model with several outputs is drawn as the regions in which each is the largest. In both the shade says how sure
    the model is: pale at the boundary, full where the score is far from the threshold, or the largest output far ahead
    of the next one. A Module is evaluated in eval mode, and compiled where it can be.

    Args:
        model: called with a list of two floats; gives a Value, a number, or a list of these.
        X: n samples of two numbers.
        y: n labels, such as -1 and 1, or 0, 1, 2.
        resolution: grid points along each side; resolution squared evaluations, without recording a graph. In between
            the outputs are interpolated.
        margin: how far beyond the samples to look, in units of X.
        threshold: the score on the boundary: 0 for hinge loss and logits, 0.5 for probabilities.
        title: a line above the plot.
        dark: whether to use light ink on a dark page.
        ax: a matplotlib Axes to draw into; a new Figure by default.

    Returns:
        The matplotlib Figure; save it with `figure.savefig('boundary.png')`. Jupyter shows it once, also where a
        semicolon follows.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if samples are not pairs, or X and y differ in length, if resolution is below 2, or margin or
            threshold leave no picture.
    """
    from scalargrad.drawing.field import class_colors, field_of, output_of  # it needs nn and compiling

    rows = [items(row, "a row of X", "[1.0, 2.0]") for row in items(X, "X", "[[1.0, 2.0], [3.0, 4.0]]")]
    points = [[real(plain_number(x), "each number of X") for x in row] for row in rows]
    labels = [real(output_of(label, "each of y"), "each of y") for label in items(y, "y", "[-1, 1]")]
    if not points or any(len(point) != 2 for point in points):
        raise ValueError("decision_boundary draws models of two inputs: X must be a list of pairs, and not empty")
    if len(points) != len(labels):
        raise ValueError(f"X has {len(points)} samples and y {len(labels)} labels; they must be equally many")
    if bad := [i for i, row in enumerate([*zip(*points, strict=True), labels]) if not all(map(math.isfinite, row))]:
        what = ("x0", "x1", "y")[bad[0]]
        raise ValueError(f"{what} holds nan or inf, which has no place in the picture: leave such samples out")
    model, resolution = function(model, "model"), whole(resolution, "resolution", "resolution=60", least=2, most=5000)
    margin, threshold = real(margin, "margin"), real(threshold, "threshold")
    if not math.isfinite(threshold):
        raise ValueError(f"threshold must be finite, a score on the boundary, not {threshold}")
    across, up = (_spread([point[i] for point in points], margin, resolution) for i in (0, 1))
    if not all(-math.inf < line[0] < line[-1] < math.inf for line in (across, up)):
        raise ValueError(f"margin must leave a part of the plane between finite numbers, as margin=0.5, not {margin}")
    own = ax is None
    figure, ax, colors = _axes(ax, dark, (5.6, 5.0))
    outputs = field_of(model, across, up)
    classes = sorted(set(labels))
    several = len(outputs[0][0]) if isinstance(outputs[0][0], list) else 0
    if several and not all(label in range(several) for label in classes):
        raise ValueError(f"labels must be class numbers below {several} for a model of that many outputs")
    of_class = class_colors(classes, several, threshold, THEMES["default"].colors(colors["scheme"]))
    if several:
        keys = _fill_classes(ax, across, up, outputs, of_class, colors)
    else:
        keys = _fill_scores(ax, across, up, outputs, threshold, colors)
    for i, label in enumerate(classes):
        chosen = [point for point, given in zip(points, labels, strict=True) if given == label]
        marker = _MARKERS[(int(label) if several else i) % len(_MARKERS)]
        ax.scatter(
            [p[0] for p in chosen], [p[1] for p in chosen], s=34, c=of_class[label], marker=marker,
            edgecolors=colors["page"], linewidths=0.9, label=f"{label:g}", zorder=3,
        )  # fmt: skip
    ax.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]), xlabel="x0", ylabel="x1")
    _title(ax, title, colors)
    handles = [*ax.get_legend_handles_labels()[0][-len(classes) :], *keys]
    from matplotlib.transforms import ScaledTranslation

    below = {
        "loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": 0.0, "ncols": min(5, len(handles)),
        "bbox_transform": ax.transAxes + ScaledTranslation(0, -_BELOW / 72, figure.dpi_scale_trans),
    }  # fmt: skip
    _legend(ax, colors, handles=handles, columnspacing=1.2, handletextpad=0.4, handlelength=1.3, **below)
    return _due(figure, own)


def loss_curve(
    history: Mapping[str, Sequence[float]] | Sequence[float],
    *,
    log: bool = False,
    title: str = "",
    dark: bool = False,
    ax: Any = None,
) -> Any:
    """Plot the loss of every epoch, and the accuracy below it if the history has one.

    Args:
        history: what `nn.fit` returns, or a list of losses, numbers or Values.
        log: whether the losses get a logarithmic axis.
        title: a line above the plot.
        dark: whether to use light ink on a dark page.
        ax: a matplotlib Axes to draw the losses into; a new Figure by default.

    Returns:
        The matplotlib Figure.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if there is no loss to plot.
    """
    columns = dict(history) if isinstance(history, Mapping) else {"loss": history}
    curves, rates = (
        {
            name: [real(plain_number(x), f"each {name}") for x in items(columns[name], name, "[0.5, 0.25]")]
            for name in (kind, f"val_{kind}")
            if name in columns
        }
        for kind in ("loss", "accuracy")
    )
    if not curves.get("loss"):
        raise ValueError("there is no loss to plot: the history is empty")
    own = ax is None
    figure, ax, colors = _axes(ax, dark, (5.6, 4.6 if rates and own else 3.4))
    below = None
    if rates and own:
        ax.remove()
        ax, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        for one in (ax, below):
            _dress(one, colors)
    _lines(ax, curves, colors, "loss")
    if log:
        ax.set_yscale("log")
    if below is not None:
        _lines(below, rates, colors, "accuracy")
        below.set_ylim(-0.03, 1.03)
    (below or ax).set_xlabel("epoch")
    _title(ax, title, colors)
    return _due(figure, own)


def _title(ax: Any, title: str, colors: Mapping[str, str]) -> None:
    if not isinstance(title, str):
        raise TypeError(f"title must be a text, not {type(title).__name__}")
    ax.set_title(title, color=colors["ink"], fontsize=11)


def _due(figure: Any, own: bool) -> Any:
    """The figure, which a notebook is to show if it is the package's own: others are shown by whoever made them."""
    if own:
        figure._is_due(True)
    return figure


def _axes(ax: Any, dark: bool, size: tuple[float, float]) -> tuple[Any, Any, dict[str, str]]:
    colors = _DARK if dark else _LIGHT
    if ax is not None:
        if not hasattr(ax, "figure"):
            raise TypeError(f"ax must be a matplotlib Axes, not {type(ax).__name__}")
        return ax.figure, ax, colors
    figure = _figure_class()(figsize=size, layout="constrained", facecolor=colors["page"])
    ax = figure.subplots()
    _dress(ax, colors)
    return figure, ax, colors


@functools.cache
def _figure_class() -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib (the extra `plot`): pip install matplotlib") from error

    class ShownFigure(Figure):
        """A Figure that Jupyter shows although pyplot does not know it."""

        def _repr_png_(self) -> bytes:
            self._is_due(False)
            FigureCanvasAgg(self)
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=110)
            return buffer.getvalue()

        def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
            """Asked for first; `_repr_png_` may not be, as pyplot, once imported, formats all Figures itself."""
            self._is_due(False)
            return {}

        def _is_due(self, due: bool) -> None:
            """Have the notebook, if this is one, show the figure when the cell has run; or no longer."""
            shell = notebook_shell()
            if shell is None:
                return
            if due:
                shell.events.register("post_execute", self._show_late)
            else:
                with suppress(ValueError):
                    shell.events.unregister("post_execute", self._show_late)

        def _show_late(self) -> None:
            self._is_due(False)
            sys.modules["IPython.display"].display(self)

    return ShownFigure


def _dress(ax: Any, colors: dict[str, str]) -> None:
    ax.set_facecolor(colors["page"])
    ax.tick_params(colors=colors["ink"], labelsize=9)
    ax.xaxis.label.set_color(colors["ink"])
    ax.yaxis.label.set_color(colors["ink"])
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(colors["ink"])


def _lines(ax: Any, curves: Mapping[str, Sequence[float]], colors: dict[str, str], label: str) -> None:
    for i, (name, numbers) in enumerate(curves.items()):
        marker = "o" if len(numbers) == 1 else None
        color = THEMES["default"].colors(colors["scheme"])[("value", "muted")[i % 2]]
        style = ("-", "--")[i % 2]
        ax.plot(range(1, len(numbers) + 1), numbers, style, color=color, marker=marker, linewidth=1.8, label=name)
    ax.set_ylabel(label)
    ax.grid(visible=True, color=colors["grid"], linewidth=0.6)
    ax.set_axisbelow(True)
    if len(curves) > 1:
        _legend(ax, colors)


def _legend(ax: Any, colors: dict[str, str], **options: Any) -> None:
    look = {"facecolor": colors["page"], "edgecolor": colors["grid"], "labelcolor": colors["ink"], "framealpha": 0.85}
    ax.legend(fontsize=9, **look, **options)


def _fill_scores(
    ax: Any, across: list[float], up: list[float], scores: Any, threshold: float, colors: dict[str, str]
) -> list[Any]:
    """Shade a score by its distance from the threshold; return what the legend is to name beside the samples."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    ink = THEMES["default"].colors(colors["scheme"])
    minus, plus = (_mixed(ink[role], colors["page"]) for role in ("edge-minus-2", "edge-plus-2"))
    xs, ys, (fine,) = _between(across, up, [scores])
    reach = _reach(abs(fine - threshold))
    cmap = LinearSegmentedColormap.from_list("scores", [minus, colors["page"], plus])
    box = (across[0], across[-1], up[0], up[-1])
    how: dict[str, Any] = {"extent": box, "origin": "lower", "aspect": "auto", "interpolation": "bilinear"}
    ax.imshow(fine, cmap=cmap, vmin=threshold - reach, vmax=threshold + reach, **how)
    if (fine > threshold).any() and not (fine > threshold).all():
        ax.contour(xs, ys, fine, levels=[threshold], colors=colors["ink"], linewidths=1.7)
    line = Line2D([], [], color=colors["ink"], linewidth=1.7, label=f"score = {threshold:g}")
    below, above = (Patch(facecolor=c, label=f"score {sign} {threshold:g}") for c, sign in ((minus, "<"), (plus, ">")))
    return [below, line, above]


def _fill_classes(
    ax: Any, across: list[float], up: list[float], outputs: Any, of_class: dict[float, str], colors: dict[str, str]
) -> list[Any]:
    """Shade the regions of the largest output by its lead over the next; return what the legend is to name."""
    import numpy as np
    from matplotlib.lines import Line2D

    from scalargrad.drawing.field import leads

    k = len(outputs[0][0])
    xs, ys, fine = _between(across, up, [[[o[i] for o in row] for row in outputs] for i in range(k)])
    first = np.argmax(fine, axis=0)
    lead = leads(fine)
    ways = np.array([_rgb(of_class[float(i)]) for i in range(k)])
    sure = np.nan_to_num(np.clip(lead / _reach(lead), 0.0, 1.0))[..., None] * 0.55 + 0.12
    shades = sure * ways[first] + (1.0 - sure) * np.array(_rgb(colors["page"]))
    box = (across[0], across[-1], up[0], up[-1])
    ax.imshow(shades, extent=box, origin="lower", aspect="auto", interpolation="bilinear")
    for i in range(k):
        others = np.max(np.delete(fine, i, axis=0), axis=0)
        ahead = fine[i] - others
        if (ahead > 0).any() and not (ahead > 0).all():
            ax.contour(xs, ys, ahead, levels=[0.0], colors=colors["ink"], linewidths=1.2)
    return [Line2D([], [], color=colors["ink"], linewidth=1.2, label="two are equal")]


def _between(across: list[float], up: list[float], grids: Sequence[Any]) -> tuple[Any, Any, Any]:
    """The grids of numbers, interpolated bilinearly to a finer grid, so that lines and shades show no steps."""
    import numpy as np

    xs = np.linspace(across[0], across[-1], max(_FINE, len(across)))
    ys = np.linspace(up[0], up[-1], max(_FINE, len(up)))

    def stretched(table: Any, to: Any, given: Sequence[float]) -> Any:
        place = (to - given[0]) / (given[-1] - given[0]) * (len(given) - 1)
        low = np.clip(place.astype(int), 0, len(given) - 2)
        part = (place - low)[:, None]
        return table[low] * (1.0 - part) + table[low + 1] * part

    fine = [stretched(stretched(np.array(grid, float), ys, up).T, xs, across).T for grid in grids]
    return xs, ys, np.array(fine)


def _reach(distances: Any) -> float:
    """Where the shade is full: the 90th percentile, as a few steep corners would bleach everything else."""
    import numpy as np

    finite = distances[np.isfinite(distances)]
    return (float(np.quantile(finite, 0.9)) if finite.size else 0.0) or 1.0


def _mixed(color: str, page: str) -> str:
    """The colour at 60 %, over the page."""
    pairs = zip(_rgb(color), _rgb(page), strict=True)
    return "#" + "".join(f"{round(255 * (0.6 * c + 0.4 * p)):02x}" for c, p in pairs)


def _rgb(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _spread(numbers: list[float], margin: float, resolution: int) -> list[float]:
    low, high = min(numbers) - margin, max(numbers) + margin
    if low == high:
        around = max(1.0, 0.15 * abs(low))
        low, high = low - around, high + around
    return [low + (high - low) * i / (resolution - 1) for i in range(resolution)]
