"""The GPT's training step by engines of scalars: the engine such a program brings, and scalargrad in three stages."""

from __future__ import annotations

from typing import Any

from scalargrad import Value, nn

from .gpt_data import DOCUMENTS, GPT, LayeredGPT, OwnValue, Steps


def program(own_engine: bool, count: int = DOCUMENTS) -> Steps:
    """The program as it comes: with the engine it brings, or with scalargrad's Value imported in its place."""
    model = GPT(OwnValue if own_engine else Value, nn.names())
    loss: Any = None  # as there, where a variable holds the graph until the next one is made

    def step(document: str, number: int) -> float:
        nonlocal loss
        loss = model.loss(document)
        loss.backward()
        model.adam(number)
        return float(loss.data)

    return Steps(step, model.docs[:count], lambda: [p.data for p in model.params])


def layered(count: int = DOCUMENTS) -> Steps:
    """Eager: dot products and logsumexp are one node each, backward() and Adam are the package's."""
    model = LayeredGPT(nn.names())
    return Steps(model.eager_step, model.documents(count), lambda: [p.data for p in model.params])


def compiled(count: int = DOCUMENTS) -> Steps:
    """The same model compiled: a program for each length of a document, the step in compiled memory."""
    model = LayeredGPT(nn.names())
    training = model.compiled().training(model.optimizer).__enter__()

    def step(batch: list[list[int]], number: int) -> float:
        model.optimizer.lr = model.rate(number)
        return float(training(batch))

    def state() -> list[float]:
        training.write_back()
        return [p.data for p in model.params]

    return Steps(step, [[tokens] for tokens in model.documents(count)], state, holds=training)
