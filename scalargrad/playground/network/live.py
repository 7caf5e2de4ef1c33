"""`live_network`: from a model and its data to a page on which it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scalargrad.playground.live import Live
from scalargrad.playground.network.own import Own
from scalargrad.playground.network.view import NetworkView
from scalargrad.support.spelling import explained

if TYPE_CHECKING:
    from scalargrad.nn.descent.optimizers import Optimizer
    from scalargrad.nn.modules.module import Module


@explained("live_network(model, X, y)")
def live_network(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: Any = None,
    optimizer: str | Optimizer = "sgd",
    lr: float | None = None,
) -> Live:
    """The page on which a model learns: what `model.live(X, y)` returns.

    Args:
        model: a Module of two inputs and one output that can be drawn as a network.
        X: rows of two numbers.
        y: a target for each.
        loss: a loss's name, or a function (scores, targets) -> Value of a batch; by default the hinge loss for targets
            of -1 and 1, bce_with_logits for 0 and 1, else mse.
        optimizer: a name, "sgd", "adagrad", "rmsprop", "adam", "adamw", or an Optimizer.
        lr: the learning rate, if the optimizer is given by name. On the page it can be moved.

    Returns:
        A Live, whose page begins with this model as it is, and whose steps train it. Reset puts it back.

    Raises:
        TypeError: if model is no Module, or optimizer neither a name nor an Optimizer.
        ValueError: if model, X and y do not fit together, or a name is unknown.
    """
    own = Own(model, X, y, loss, optimizer, lr)
    return Live(own.head, lambda: [NetworkView(own)])
