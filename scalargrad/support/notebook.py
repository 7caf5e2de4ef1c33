"""Whether this runs in a notebook, and how to show something there; IPython is looked at only if it is loaded."""

from __future__ import annotations

import sys
from typing import Any


def notebook_shell() -> Any:
    """IPython's shell, if it shows pictures, as in Jupyter; None in a terminal, or without IPython."""
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", lambda: None)()
    return shell if getattr(shell, "kernel", None) is not None else None
