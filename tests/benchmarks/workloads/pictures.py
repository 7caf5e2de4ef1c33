"""Plots of cost against size as SVG files that follow the reader's light or dark theme."""

from __future__ import annotations

import io
import re
from pathlib import Path

from .harness import OURS, Plot, digits

SIZE = (7.2, 4.4)
PAPER, INK, GRID = "#ffffff", "#1f2430", "#d3d8e0"
DARK = {PAPER: "#14171c", INK: "#e8eaf0", GRID: "#3a4250"}
# Blue, orange, green, purple, red, grey: each at least 3 to 1 on both papers, and each line has a marker of its own.
COLOURS = ["#3d7fc4", "#c8701a", "#2e8b57", "#9a6fc0", "#cf5560", "#7a8290"]
MARKERS = ["o", "s", "^", "D", "v", "P"]


def save(plot: Plot, folder: Path) -> Path:
    """Draw a plot into the folder and return the file's path; the same numbers give the same bytes."""
    path = folder / plot.file
    path.write_text(svg(plot), encoding="utf-8")
    return path


def svg(plot: Plot) -> str:
    """The picture as text; colours are written for light paper, a style sheet exchanges them on dark."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    settings = {"svg.hashsalt": plot.file, "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10}
    with mpl.rc_context(settings):
        figure = Figure(SIZE, facecolor=PAPER, layout="constrained")
        axes = figure.add_subplot(facecolor=PAPER)
        for i, (name, points) in enumerate(plot.lines.items()):
            xs, ys = zip(*points, strict=True)
            axes.plot(
                xs, ys, label=name, color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)],
                markersize=5, linewidth=2.6 if name.startswith(OURS) else 1.6,
            )  # fmt: skip
        axes.set(xscale="log", yscale="log", title=plot.title, xlabel=plot.x, ylabel=plot.y)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda x, _: digits(x))
        axes.yaxis.set_minor_formatter(LogFormatter())  # where one power of ten is all there is
        axes.grid(color=GRID, linewidth=0.8)
        axes.tick_params(which="both", color=INK, labelcolor=INK)
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            text.set_color(INK)
        for spine in axes.spines.values():
            spine.set_color(INK)
        axes.legend(facecolor=PAPER, edgecolor=GRID, labelcolor=INK, framealpha=1)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", facecolor=PAPER, metadata={"Date": None})
    return _themed(buffer.getvalue(), plot)


def _themed(picture: str, plot: Plot) -> str:
    """The SVG with a title, a description, and rules for dark paper."""
    rules = "".join(
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    described = (
        f"{plot.y} against {plot.x}: {', '.join(plot.lines)}. The numbers stand in the tables of performance.md."
    )
    head = (
        f"<title>{plot.title}</title><desc>{described}</desc>\n"
        f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>\n"
    )
    return re.sub(r"(<svg[^>]*>\n)", lambda found: found[0] + head, picture, count=1)
