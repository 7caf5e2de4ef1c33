"""Plots of what a network learned, made with matplotlib (the extra `plot`), which is imported when one is drawn.

Figures are made without pyplot: nothing global is touched, no window opens, nothing has to be closed.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scalargrad.node.contexts import no_grad
from scalargrad.node.numbers import plain_number
from scalargrad.support.arguments import function, items, real, whole

_POINTS = ("#c0392b", "#1f5fa8", "#2e8b57", "#8e44ad", "#b9770e", "#16808a")
_DARK = {"page": "#14171c", "ink": "#e8eaf0", "grid": "#3a4250", "rim": "#14171c", "boundary": "#e8eaf0"}
_LIGHT = {"page": "#ffffff", "ink": "#1f2430", "grid": "#d3d8e0", "rim": "#ffffff", "boundary": "#1f2430"}


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

    A model with one output is drawn as its score, in shades, and the line where it crosses `threshold`; a model with
    several outputs as the regions in which each is the largest.

    Args:
        model: called with a list of two floats; gives a Value, a number, or a list of these.
        X: n samples of two numbers.
        y: n labels, such as -1 and 1, or 0, 1, 2.
        resolution: grid points along each side; resolution squared evaluations, without recording a graph.
        margin: how far beyond the samples to look, in units of X.
        threshold: the score on the boundary: 0 for hinge loss and logits, 0.5 for probabilities.
        title: a line above the plot.
        dark: whether to use light ink on a dark page.
        ax: a matplotlib Axes to draw into; a new Figure by default.

    Returns:
        The matplotlib Figure; save it with `figure.savefig('boundary.png')`.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if samples are not pairs, or X and y differ in length, or resolution is below 2.
    """
    rows = [items(row, "a row of X", "[1.0, 2.0]") for row in items(X, "X", "[[1.0, 2.0], [3.0, 4.0]]")]
    points = [[real(plain_number(x), "each number of X") for x in row] for row in rows]
    labels = [real(plain_number(label), "each of y") for label in items(y, "y", "[-1, 1]")]
    if not points or any(len(point) != 2 for point in points):
        raise ValueError("decision_boundary draws models of two inputs: X must be a list of pairs, and not empty")
    if len(points) != len(labels):
        raise ValueError(f"X has {len(points)} samples and y {len(labels)} labels; they must be equally many")
    model, resolution = function(model, "model"), whole(resolution, "resolution", "resolution=60", least=2, most=5000)
    margin, threshold = real(margin, "margin"), real(threshold, "threshold")
    figure, ax, colors = _axes(ax, dark, (5.6, 4.8))
    across, up = (_spread([point[i] for point in points], margin, resolution) for i in (0, 1))
    with no_grad():
        outputs = [[_output(model([x0, x1])) for x0 in across] for x1 in up]
    classes = sorted(set(labels))
    if isinstance(outputs[0][0], list):
        regions = [[max(range(len(o)), key=o.__getitem__) for o in row] for row in outputs]
        _fill_regions(ax, across, up, regions, len(outputs[0][0]))
        if not all(label in range(len(outputs[0][0])) for label in classes):
            raise ValueError(
                f"labels must be class numbers below {len(outputs[0][0])} for a model of that many outputs"
            )
        of_class = {label: _POINTS[int(label) % len(_POINTS)] for label in classes}
    else:
        _fill_scores(ax, across, up, outputs, threshold, colors)
        of_class = {label: _POINTS[i % len(_POINTS)] for i, label in enumerate(classes)}
    markers = "osD^vP"
    for i, label in enumerate(classes):
        chosen = [point for point, given in zip(points, labels, strict=True) if given == label]
        ax.scatter(
            [p[0] for p in chosen], [p[1] for p in chosen], s=30, c=of_class[label], marker=markers[i % len(markers)],
            edgecolors=colors["rim"], linewidths=0.8, label=f"{label:g}", zorder=3,
        )  # fmt: skip
    ax.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]), xlabel="x0", ylabel="x1")
    ax.set_title(title, color=colors["ink"], fontsize=11)
    _legend(ax, colors)
    return figure


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
    curves: dict[str, list[float]] = {
        name: [real(plain_number(x), f"each {name}") for x in items(columns[name], name, "[0.5, 0.25]")]
        for name in ("loss", "val_loss")
        if name in columns
    }
    if not curves.get("loss"):
        raise ValueError("there is no loss to plot: the history is empty")
    rates: dict[str, list[float]] = {
        name: items(columns[name], name, "[0.5, 0.75]") for name in ("accuracy", "val_accuracy") if name in columns
    }
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
    ax.set_title(title, color=colors["ink"], fontsize=11)
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
            FigureCanvasAgg(self)
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=110)
            return buffer.getvalue()

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
        color = ("#2f7fc1", "#d98344")[i % 2]
        style = ("-", "--")[i % 2]
        ax.plot(range(1, len(numbers) + 1), numbers, style, color=color, marker=marker, linewidth=1.8, label=name)
    ax.set_ylabel(label)
    ax.grid(visible=True, color=colors["grid"], linewidth=0.6)
    ax.set_axisbelow(True)
    if len(curves) > 1:
        _legend(ax, colors)


def _legend(ax: Any, colors: dict[str, str]) -> None:
    ax.legend(facecolor=colors["page"], edgecolor=colors["grid"], labelcolor=colors["ink"], fontsize=9, framealpha=0.85)


def _fill_scores(
    ax: Any, across: list[float], up: list[float], scores: list[list[float]], threshold: float, colors: dict[str, str]
) -> None:
    flat = sorted(abs(s - threshold) for row in scores for s in row if s == s)
    # The shade saturates at the 90th percentile: a few steep corners would bleach everything else.
    reach = (flat[int(0.9 * (len(flat) - 1))] if flat else 0.0) or 1.0
    levels = [threshold + reach * (i / 8 - 1) for i in range(17)]
    ax.contourf(across, up, scores, levels=levels, cmap=_shades(colors["page"]), extend="both")
    above = [s > threshold for row in scores for s in row]
    if any(above) and not all(above):
        ax.contour(across, up, scores, levels=[threshold], colors=colors["boundary"], linewidths=1.6)


def _shades(page: str) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("scores", [_mixed(_POINTS[0], page), page, _mixed(_POINTS[1], page)])


def _mixed(color: str, page: str) -> str:
    """The colour at 55 %, over the page: a transparent fill would show its seams."""
    parts = [(int(color[i : i + 2], 16), int(page[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(0.55 * c + 0.45 * p):02x}" for c, p in parts)


def _fill_regions(ax: Any, across: list[float], up: list[float], regions: list[list[int]], classes: int) -> None:
    from matplotlib.colors import ListedColormap

    cmap = ListedColormap([_POINTS[i % len(_POINTS)] for i in range(classes)])
    ax.pcolormesh(
        across, up, regions, cmap=cmap, vmin=-0.5, vmax=classes - 0.5, alpha=0.35, shading="nearest", rasterized=True
    )


def _spread(numbers: list[float], margin: float, resolution: int) -> list[float]:
    low, high = min(numbers) - margin, max(numbers) + margin
    if low == high:
        low, high = low - 1.0, high + 1.0
    return [low + (high - low) * i / (resolution - 1) for i in range(resolution)]


def _output(output: Any) -> Any:
    """A model's answer as a float, or as a list of floats if it has several outputs."""
    if isinstance(output, (list, tuple)):
        return (
            _output(output[0])
            if len(output) == 1
            else [real(plain_number(o), "each output of the model") for o in output]
        )
    return real(plain_number(output), "the model's output")
