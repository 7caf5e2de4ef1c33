"""What a model says, in plain numbers; and whether it is learning or evaluated meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_samples, is_sequence
from scalargrad.nn.layers.batchnorm import BatchNorm
from scalargrad.nn.modules.module import Module
from scalargrad.node.contexts import no_grad
from scalargrad.node.mode import being_compiled, mode_kept
from scalargrad.support.arguments import MAX_DEPTH, function, too_deep


@mode_kept
def predict(model: Callable[[Any], Any], X: Any) -> list[Any]:
    """Return the model's outputs for every sample of X, as plain numbers; no graph is built.

    Args:
        model: a Module, which is in eval mode meanwhile, or a function.
        X: rows of numbers, a list of lists, an array or a DataFrame; or samples of any structure, as sequences.

    Returns:
        For each sample a float, or a list of floats if the model has several outputs.

    Raises:
        TypeError: if the model cannot be called, X is no list of samples, or inside a function that is recorded to be
            replayed.
        ValueError: if X is empty.

    >>> predict(lambda x: x[0] * 2, [[1.0], [3.0]])
    [2.0, 6.0]
    """
    if being_compiled():
        raise TypeError("predict gives plain numbers, which a replay of the function that calls it cannot follow")
    model, rows = function(model, "model"), as_samples(X)
    with evaluating(model), no_grad():
        return [plain(model(row)) for row in rows]


@contextmanager
def modes_kept(model: Any) -> Iterator[list[Module]]:
    """Hand out a Module's modules; afterwards each is in the mode it was in."""
    modules = model.modules() if isinstance(model, Module) else []
    modes = [module.training for module in modules]
    try:
        yield modules
    finally:
        for module, mode in zip(modules, modes, strict=True):
            if module.training != mode:
                module.training = mode


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Hold a Module in eval mode; afterwards it is in the mode it was in."""
    with modes_kept(model) as modules:
        for module in modules:
            module.training = False
        yield


@contextmanager
def learning(model: Any) -> Iterator[None]:
    """Hold a Module in training mode, if it is not there; afterwards every module is in the mode it was in.

    What is in eval mode inside a model in training mode was put there on purpose, and stays; so does a BatchNorm in
    eval mode in any case: its running statistics are what the model goes by.
    """
    with modes_kept(model) as modules:
        if modules and not model.training:
            fixed = [module for module in modules if isinstance(module, BatchNorm) and not module.training]
            model.train()
            for module in fixed:
                module.training = False
        yield


def plain(output: Any, depth: int = 0) -> Any:
    """Return a model's output with its Values as floats; as Values while a function is recorded, to be replayed."""
    if type(output) is float:
        return output
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep("the output")
    if is_sequence(output):
        return [plain(value, depth + 1) for value in output]
    return output.data if isinstance(output, Value) and not being_compiled() else output
