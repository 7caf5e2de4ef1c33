"""Whether this runs in a notebook, and how to show something there; IPython is looked at only if it is loaded."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def notebook_shell() -> Any:
    """IPython's shell, if it shows pictures, as in Jupyter; None in a terminal, or without IPython."""
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", lambda: None)()
    return shell if getattr(shell, "kernel", None) is not None else None


class Output:
    """A place in the output of a notebook's cell, whose content is replaced; what is there last is what is stored."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._handle: Any = None

    def show(self, bundle: dict[str, Any]) -> None:
        """Show this, by its media types, in place of what is there."""
        if self._handle is None:
            self._handle = import_module("IPython.display").display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def notebook_output() -> Output | None:
    """A new place in the output of the cell that runs; None outside notebooks."""
    shell = notebook_shell()
    return None if shell is None else Output(shell)
