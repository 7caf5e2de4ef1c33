"""The work that `engine.py` gives to the engine in C and to its peers, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import graphs, memory, programs
from .work import serve

if TYPE_CHECKING:
    from ..harness import Section

WORKLOADS: dict[str, Callable[[int], Section]] = {
    "graphs": graphs.section,
    "micrograd": graphs.beside_micrograd,
    "moons": programs.moons_section,
    "microgpt": programs.microgpt_section,
    "recording": programs.recording_section,
    "memory": memory.section,
}

ALONE: dict[str, Callable[..., None]] = {
    "graph": lambda size: serve(graphs.of_size(size)),
    "moons": lambda: serve(programs.moons()),
    "microgpt": lambda: serve(programs.microgpt()),
    "recording": lambda: serve(programs.recording()),
    "memory": memory.chain,
}
"""What a process of its own does."""
