"""When a module was put into training or evaluation last: what was recorded in one mode does not serve in another."""

from __future__ import annotations

last_change: list[object] = [object()]
"""Another object after each change."""


def mode_changed() -> None:
    """To be called after each."""
    last_change[0] = object()
