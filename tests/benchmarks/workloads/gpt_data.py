"""The GPT's documents, its weights at the start and its learning rate, the same for all engines."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "shared"))

from gpt_of_layers import LayeredGPT  # noqa: F401
from gpt_of_scalars import BLOCK, GPT, HEADS, STEPS, WIDTH, OwnValue  # noqa: F401

TOKENS, HIDDEN = 27, 4 * WIDTH
BETA1, BETA2, EPS = 0.85, 0.99, 1e-8
DOCUMENTS = 8
"""So many are gone through again and again: names of different lengths."""

SHAPES = {
    "wte": (TOKENS, WIDTH), "wpe": (BLOCK, WIDTH), "lm_head": (TOKENS, WIDTH),
    **dict.fromkeys(("attn_wq", "attn_wk", "attn_wv", "attn_wo"), (WIDTH, WIDTH)),
    "mlp_fc1": (HIDDEN, WIDTH), "mlp_fc2": (WIDTH, HIDDEN),
}  # fmt: skip
"""The matrices in the order in which their weights are drawn and lie, each with its rows and columns."""


@dataclass
class Steps:
    """An engine that is set up: `step(document, number)` makes the step of this number, from 0, and returns the loss
    before it; `state()` gives the weights; `around` is a context for many steps; `holds` keeps alive what machine code
    reads."""

    step: Callable[[Any, int], float]
    documents: list[Any]
    state: Callable[[], list[float]]
    around: Callable[[], Any] = contextlib.nullcontext
    holds: Any = None
    made: int = field(default=0, init=False)

    def run(self, times: int) -> float:
        """Go so many times through the documents; returns the last loss."""
        loss = 0.0
        with self.around():
            for _ in range(times):
                for document in self.documents:
                    loss = self.step(document, self.made)
                    self.made += 1
        return loss


@functools.lru_cache(None)
def start() -> list[float]:
    """The 4 192 weights, matrix by matrix, row by row."""
    return [p.data for p in _own().params]


@functools.lru_cache(None)
def documents(count: int = DOCUMENTS) -> list[list[int]]:
    """The tokens of the first documents."""
    model = _own()
    return [model.tokens(model.docs[i])[: BLOCK + 1] for i in range(count)]


@functools.lru_cache(None)
def _own() -> GPT:
    from scalargrad import nn

    return GPT(OwnValue, nn.names())


def rate(step: int) -> float:
    """The learning rate of a step; after 1 000 of them it is 0, and the weights stay."""
    return 0.01 * max(0.0, 1 - step / STEPS)
