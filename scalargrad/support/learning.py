"""When a module was last put into training or evaluation, or one of this package set: recordings may not serve then."""

from __future__ import annotations

last_change: list[object] = [object()]
"""Another object after each change."""


SAYS_WHEN_IT_IS_SET = "_says_when_it_is_set"
"""An attribute of the modules that call `settings_changed` whenever one of their attributes is set."""


def settings_changed() -> None:
    """To be called after each."""
    last_change[0] = object()
