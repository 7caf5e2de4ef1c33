"""The Drawing: what `draw` returns, what Jupyter shows, what is saved to files."""

from __future__ import annotations

import errno
import os
import re
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.blocks import in_blocks
from scalargrad.drawing.dot import labelled_source, layout_source
from scalargrad.drawing.engines import available, lay_out, no_engine
from scalargrad.drawing.exports import to_json, to_mermaid, to_text
from scalargrad.drawing.image import image, page
from scalargrad.drawing.legend import add_legend
from scalargrad.drawing.raster import to_raster
from scalargrad.drawing.styles import STYLES
from scalargrad.drawing.svg import to_svg
from scalargrad.drawing.theme import THEMES
from scalargrad.support.arguments import brief, place
from scalargrad.support.arguments import name as one_of
from scalargrad.support.browser import show_page
from scalargrad.support.console import Text, printable
from scalargrad.support.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scalargrad.drawing.engines import Layout
    from scalargrad.drawing.picture import Picture
    from scalargrad.drawing.scene import Scene
    from scalargrad.drawing.sketch import Sketch


class Drawing:
    """A drawn graph. It keeps the names and numbers of when it was made; the engine starts when it is first shown.

    Jupyter shows the picture, also in a notebook that is not trusted, and the text where no engine is installed;
    `print` shows the text.

    Attributes:
        picture: cards, edges and their texts.

    >>> from scalargrad import Value
    >>> from scalargrad.drawing import draw
    >>> x = Value(3.0, label="x")
    >>> drawing = draw(x * x)
    >>> drawing
    <Drawing of v1 = 9: 2 cards, 2 edges>
    """

    def __init__(
        self,
        picture: Picture,
        sketch: Sketch,
        *,
        style: str = "card",
        theme: str = "default",
        scheme: str = "auto",
        engine: str = "auto",
        id_prefix: str = "",
        legend: bool = True,
    ) -> None:
        self.picture = picture
        self._sketch = sketch
        self._style = STYLES[style]
        self._theme = THEMES[theme]
        self._scheme = scheme
        self._engine = engine
        self._id_prefix = id_prefix
        self._legend = legend
        self._show = "svg"
        self._svg = ""

    @property
    def svg(self) -> str:
        """The picture as an SVG document.

        Raises:
            EngineError: if no engine is installed, or it failed.
        """
        if not self._svg:
            self._svg = to_svg(self._scene(), self._theme, scheme=self._scheme, id_prefix=self._id_prefix)
        return self._svg

    @property
    def dot(self) -> str:
        """The picture as DOT, with texts and colours, for any Graphviz."""
        return labelled_source(self._sketch, self._theme.colors(self._scheme))

    @property
    def rankdir(self) -> str:
        """The direction: 'LR' from left to right, 'TB' from top to bottom."""
        return self._sketch.rankdir

    @property
    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart."""
        return to_mermaid(self.picture, self._sketch.rankdir)

    @property
    def json(self) -> str:
        """The picture as JSON: names, equations, numbers in full, local derivatives."""
        return to_json(self.picture)

    @property
    def text(self) -> str:
        """The picture as an indented tree for a terminal.

        `print` shows it in characters that standard output has: `-` for `−` and `*` for `×` where these are missing.
        """
        return Text(to_text(self.picture) + "".join(f"{note}\n" for note in self.picture.notes))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file; its suffix says how: .svg .png .pdf .dot .mmd .json .txt. Returns the path.

        The file is written beside its place and then moved there, so nobody ever reads half of it. A symbolic link
        stays one and its target is replaced; permissions stay what they were.

        Raises:
            ValueError: for another suffix.
            EngineError: if no engine is installed (.svg), or no system Graphviz (.png and .pdf).
            OSError: if the file cannot be written.
        """
        path = place(path, "save: path")
        writers: dict[str, Callable[[], str | bytes]] = {
            ".svg": lambda: self.svg, ".png": lambda: self._raster("png"), ".pdf": lambda: self._raster("pdf"),
            ".dot": lambda: self.dot, ".mmd": lambda: self.mermaid,
            ".json": lambda: self.json, ".txt": lambda: self.text,
        }  # fmt: skip
        check_place(path, "drawing", writers)
        content = writers[path.suffix.lower()]()
        replace_file(path, content.encode() if isinstance(content, str) else content)
        return path

    def show(self) -> Path:
        """Open the picture in a browser, as a page in the folder for temporary files, and return the page's path.

        Where there is no display, it says where the page is. Without an engine the page has the text.

        Raises:
            OSError: if the page cannot be written.
        """
        if self._drawn_by() == "text":
            body = f"<pre>{escape(self.text)}</pre>"
            body += f"<p>{escape(no_engine())}</p>" if self._engine != "text" else ""
        else:
            body = self._html()
        return show_page(page(self.picture.title, body))

    def shown_as(self, format_: str) -> Drawing:
        """This drawing, shown by Jupyter as 'svg' or 'png'."""
        self._show = format_
        return self

    def _drawn_by(self) -> str:
        """The engine that lays out the picture; 'text' if there is none."""
        if self._engine == "auto" and self._placed is not None:
            return "scalargrad"
        return available(self._engine)

    @cached_property
    def _placed(self) -> Layout | None:
        """Where everything is, if that needs no engine."""
        return in_blocks(self._sketch)

    def _scene(self) -> Scene:
        layout = self._placed or lay_out(layout_source(self._sketch), self._engine)
        scene = self._style.paint(self.picture, self._sketch, layout)
        if self._legend:
            add_legend(scene, self._theme)
        return scene

    def _raster(self, format_: str) -> bytes:
        return to_raster(self._scene(), self._theme, format_, scheme=self._scheme)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What Jupyter shows: the picture as an image, and the text; without an engine the text and what to install."""
        if self._drawn_by() == "text":
            note = "" if self._engine == "text" else f"\n({no_engine()})\n"
            return {"text/plain": self.text + note}
        if self._show == "png":
            return {"image/png": self._raster("png"), "text/plain": self.text}
        return {"text/html": self._html(), "text/plain": self.text}

    def _html(self) -> str:
        """The picture as an image, with the notes below."""
        notes = "".join(f"\n<p>{escape(note)}</p>" for note in self.picture.notes)
        return image(self.svg, self.picture.description) + notes

    def __str__(self) -> str:
        return printable(self.text)

    def __repr__(self) -> str:
        what = self.picture.title.removeprefix("Computation graph of ")
        cards, edges = len(self.picture.cards), len(self.picture.edges)
        return f"<Drawing of {what}: {cards} card{'s' * (cards != 1)}, {edges} edge{'s' * (edges != 1)}>"


def check_look(theme: str, scheme: str, id_prefix: str) -> None:
    """Raise what every drawing does for a theme or scheme that does not exist, or ids that no document could have."""
    one_of(theme, "theme", THEMES)
    one_of(scheme, "scheme", ("auto", "light", "dark"))
    if not isinstance(id_prefix, str) or not re.fullmatch(r"([A-Za-z][A-Za-z0-9_-]{0,63})?", id_prefix):
        raise ValueError(f"id_prefix must be a letter followed by letters, digits, - or _, not {brief(id_prefix)}")


def check_place(path: Path, what: str, suffixes: Iterable[str]) -> None:
    """Raise what `save` does for a suffix that is none of these, or a folder that does not exist."""
    suffixes = list(suffixes)
    if path.suffix.lower() not in suffixes:
        wanted = f"one of {' '.join(suffixes)}" if len(suffixes) > 1 else suffixes[0]
        shown = path.name or str(path)
        shown = repr(shown) if len(shown) <= 255 else brief(shown)  # a name that a file can have is shown whole
        raise ValueError(f"cannot save a {what} as {shown}: the suffix must be {wanted}")
    if not path.parent.is_dir():
        reason = f"cannot save {path.name!r}: there is no folder {str(path.parent)!r}"
        raise FileNotFoundError(errno.ENOENT, reason, str(path))
