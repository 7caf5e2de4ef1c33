"""What a graph takes of memory: bytes a node, and ten million nodes in a process of their own."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tracemalloc
from typing import Any

from scalargrad import Value

from .. import growth
from ..harness import Section, digits
from . import graphs
from .work import SCRIPT, at_most

NODES, NODE_BAR, GRAPH_BAR = 10_000_000, 126, 2.0


def bytes_a_node(size: int = 100_000) -> list[float]:
    """Of a random graph, when it is built and after backward()."""
    drawn = growth.draw(size)
    nodes = sum(map(len, drawn)) - 1
    work = graphs.ours(drawn)
    work.numbers()
    gc.collect()
    tracemalloc.start()
    made = work.build()
    built = tracemalloc.get_traced_memory()[0] / nodes
    work.backward(made)
    swept = tracemalloc.get_traced_memory()[0] / nodes
    tracemalloc.stop()
    return [built, swept]


def chain(nodes: int) -> None:
    """In a process of its own: print the gigabytes that it has held at most, after building and after backward()."""
    import resource

    def held() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9

    leaves = [Value(x) for x in (0.9, -0.8, 0.7, 0.3, 0.2, -0.1)]
    v: Any = leaves[0]
    for i in range(nodes // 2):
        v = v * leaves[i % 3] + leaves[3 + i % 3]
    built = held()
    v.backward()
    print(json.dumps([built, held()]))


def section(rounds: int) -> Section:
    """Both."""
    made = Section(
        "Memory",
        f"A node of a random graph of 100 000 nodes, in bytes, as tracemalloc counts them; and the most that a process has "
        f"held, Python included, that builds a chain of {digits(NODES)} nodes, v = v * w + b over and over, and runs "
        "backward(), in gigabytes of 1e9 bytes.",
    )
    node, after = bytes_a_node()
    command = [sys.executable, str(SCRIPT), "--serve", json.dumps(["memory", NODES])]
    built, swept = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    made.table = [
        ["", "built", "after backward()"],
        ["bytes a node", digits(node), digits(after)],
        [f"{digits(NODES)} nodes, GB", digits(built), digits(swept)],
    ]
    at_most(made, f"at most {NODE_BAR} bytes a node", node, NODE_BAR, "bytes")
    at_most(made, f"{digits(NODES)} nodes built and swept within {GRAPH_BAR:g} GB", swept, GRAPH_BAR, "GB")
    return made
