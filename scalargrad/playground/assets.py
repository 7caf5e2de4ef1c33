"""The files of the playground's page, as whoever serves, embeds or builds them takes them from here."""

from __future__ import annotations

from importlib.resources import files

from scalargrad.tracing.page import asset as stepper_asset
from scalargrad.tracing.page import colors

SCRIPTS = ("page.js", "live.js", "network.js")
"""What the page runs; there may be no view of networks in a build."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}


def asset(name: str) -> str:
    """The text of one of this room's files."""
    return files("scalargrad.playground").joinpath(name).read_text(encoding="utf-8")


def stylesheet() -> str:
    """The whole stylesheet: the theme's colours for light and dark, the stepper's rules, which views share, ours."""
    theme = colors(".lv-page") + colors(".sg-live", picture=".sg-view")
    return theme + stepper_asset("stepper.css") + asset("live.css") + asset("network.css")


def page_files() -> dict[str, tuple[str, str]]:
    """Every file of the page by its name, with its media type: index.html, live.css and the scripts."""
    found = {"index.html": asset("index.html"), "live.css": stylesheet()}
    folder = files("scalargrad.playground")
    found.update({name: asset(name) for name in SCRIPTS if folder.joinpath(name).is_file()})
    return {name: (text, TYPES[name[name.rindex(".") :]]) for name, text in found.items()}
