"""Labels, which may be any text from anywhere: what may be one, and how messages and pictures show it."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_VISIBLE = {"\t": "␉", "\n": "␤", "\r": "␤", "\u2028": "␤", "\u2029": "␤"}
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def label_text(label: str) -> str:
    """The label itself, if it is a string; of another class than str only if it has a scope, as nn's have."""
    if not isinstance(label, str):
        raise TypeError(f"a label must be a string, not {type(label).__name__}")
    return label if hasattr(label, "scope") else plain(label)  # those that nn gives know their place in the network


def plain(text: str) -> str:
    """The characters alone: a subclass of str may print, compare or hash otherwise than what it holds."""
    return text if type(text) is str else str.__str__(text)


def quoted(label: str) -> str:
    """A label as messages show it: between quotes, in printable characters, and cut if it is long."""
    return repr(label if len(label) <= 80 else label[:79] + "…")


def clean_label(text: str, limit: int = 80) -> str:
    r"""A label as it may be shown: one line, without control characters, at most `limit` characters long.

    Line breaks become ␤ and tabs ␉; control characters, bidirectional controls, surrogates and unassigned code points
    become U+FFFD; a label of spaces alone becomes ␣.

    >>> clean_label("a\nb\x00"), clean_label("  "), clean_label("x" * 100, limit=5)
    ('a␤b�', '␣␣', 'xxxx…')
    """
    if len(label_text(text)) > limit:
        text = text[: limit - 1]
        while text and (unicodedata.combining(text[-1]) or text[-1] == "\u200d"):
            text = text[:-1]
        text += "…"
    if not text.isascii() or not text.isprintable():
        text = "".join(map(_clean_character, text))
    return "␣" * len(text) if text.isspace() else text


def _clean_character(c: str) -> str:
    if c in _VISIBLE:
        return _VISIBLE[c]
    return REPLACEMENT if c in _BIDI_CONTROLS or unicodedata.category(c) in ("Cc", "Cs", "Cn") else c
