"""Colours and type: every colour by its role, once for light and once for dark pages, and how wide text will be.

Each hue has one meaning: `value` is the forward pass, `gradient` the backward pass, and a pair of its own is the sign
(`edge-plus-*`, `edge-minus-*`). Text has a contrast of at least 4.5:1 on every card, borders and edges at least 3:1 on
the page, and the hues stay apart for the colour-blind; tests compute all of it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from scalargrad.table.floats import fold

MONO = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
SANS = "system-ui, 'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif"
SERIF = "'Times New Roman', 'Liberation Serif', Times, serif"

BINS = (-3, -2, -1, 0, 1, 2, 3)
"""An edge's colour and width: the sign of its contribution, and how much of the largest one it is."""
WIDTHS = {0: 1.2, 1: 1.4, 2: 2.1, 3: 3.2}


@dataclass(frozen=True)
class Theme:
    """The colour of each role as '#rrggbb'.

    Attributes:
        light: role to colour on light pages; these are the presentation attributes of the SVG.
        dark: the same roles on dark pages.
        positive: what people call the hue of positive edges.
        negative: and that of negative ones.
    """

    light: dict[str, str]
    dark: dict[str, str]
    positive: str
    negative: str

    def colors(self, scheme: str) -> dict[str, str]:
        """The colours of 'dark', or of 'light' for anything else."""
        return self.dark if scheme == "dark" else self.light


def edge_role(bin_: int) -> str:
    """The colour role of one of the seven bins.

    >>> [edge_role(b) for b in (-3, 0, 2)]
    ['edge-minus-3', 'edge-0', 'edge-plus-2']
    """
    return "edge-0" if bin_ == 0 else f"edge-{'minus' if bin_ < 0 else 'plus'}-{abs(bin_)}"


def _edges(*colors: str) -> dict[str, str]:
    return {edge_role(b): color for b, color in zip(BINS, colors, strict=True)}


_LIGHT = {
    "ink": "#1f2430", "muted": "#59606e", "value": "#005a9c", "gradient": "#a83f00",
    "card": "#ffffff", "parameter": "#e6f0fb", "input": "#f1f2ec", "root": "#fff3d6", "group": "#eef1f6",
    "border": "#7d8799", "root-border": "#a86b00", "hairline": "#d3d8e0", "bad": "#c4122f",
    "cluster": "#f6f8fb", "cluster-border": "#868fa1", "halo": "#ffffff",
}  # fmt: skip
_DARK = {
    "ink": "#e8eaf0", "muted": "#a9b1c0", "value": "#7cc4ff", "gradient": "#ffab6b",
    "card": "#1d222b", "parameter": "#1c3049", "input": "#2b2c2e", "root": "#42341a", "group": "#262d3a",
    "border": "#788399", "root-border": "#d59a2e", "hairline": "#3a4250", "bad": "#ff7f7f",
    "cluster": "#171b21", "cluster-border": "#69748a", "halo": "#14171c",
}  # fmt: skip

# From −3 to 3: the larger, the more colour, at about one lightness, which keeps them apart from value and gradient also
# for who sees fewer hues.
THEMES = {
    "default": Theme(
        _LIGHT | _edges("#aa33c7", "#ae5cc2", "#ad7cb9", "#868e9c", "#659471", "#3f8f55", "#128a3d"),
        _DARK | _edges("#d35df0", "#b95fcd", "#a05fae", "#6f798a", "#4a8857", "#46a05a", "#38ad55"),
        "green", "purple",
    ),
    "cs231n": Theme(  # green and red are taken, by the lecture's values and gradients
        _LIGHT
        | {"value": "#00701a", "gradient": "#c00018"}
        | _edges("#a37400", "#a5813c", "#9e8758", "#868e9c", "#6890c3", "#4a86d0", "#1f72e0"),
        _DARK
        | {"value": "#63d879", "gradient": "#ff9091"}
        | _edges("#c48a14", "#a57d30", "#8f6f3c", "#6f798a", "#4a70ad", "#4f81cf", "#5590f5"),
        "blue", "amber",
    ),
}  # fmt: skip


def contrast(color: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two '#rrggbb' colours, between 1 and 21.

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    low, high = sorted((_luminance(color), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def text_width(text: str, size: float) -> float:
    """How wide the text is in a monospace font of this size, in the size's unit; wide characters count as such."""
    return size * fold(map(_advance, text), 0.0)


def is_plain(text: str) -> bool:
    """Whether monospace fonts have every character, so that `text_width` is right; else the width must be enforced."""
    return all(c < "\u0250" or "\u0391" <= c <= "\u03c9" or c in "−×÷–…␤␉␣₀₁₂₃₄₅₆₇₈₉·" for c in text)


def _advance(c: str) -> float:
    if c < "\u0300":
        return 0.6021
    if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(c) in "WF":
        return 1.25 if c >= "\U0001f000" else 1.0
    return 0.6021
