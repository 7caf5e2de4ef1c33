"""What a `net` message asks for: layers, activations, loss, optimizer; and a model built so."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from scalargrad.nn.descent.optimizers import SGD, Adam
from scalargrad.nn.layers.activations import ACTIVATIONS
from scalargrad.nn.layers.networks import MLP
from scalargrad.nn.scores.losses import LOSSES
from scalargrad.playground.messages import RefusedError
from scalargrad.words.texts import grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scalargrad.nn.descent.optimizers import Optimizer
    from scalargrad.nn.modules.module import Module

ACTIVATION_NAMES = (*ACTIVATIONS, "linear")
INITS = ("uniform", "xavier_uniform", "he_normal", "zeros")
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "adam": ("Adam", {}),
}  # fmt: skip
"""By the name on the page: nn's class, and what it is given beside lr and weight_decay."""
LOSS_NAMES = ("bce_with_logits", "hinge", "mse")
MOST_WEIGHTS = 5000


def build_model(fields: Mapping[str, Any]) -> MLP:
    """The model that is asked for.

    Raises:
        RefusedError: if it is too large.
    """
    sizes = [len(fields["inputs"]), *(size for size, _ in fields["layers"]), 1]
    weights = sum(a * b for a, b in pairwise(sizes))
    if weights > MOST_WEIGHTS:
        raise RefusedError(
            f"layers: that are {grouped(weights)} weights; at most {grouped(MOST_WEIGHTS)} are allowed: take fewer or "
            "smaller layers"
        )
    activations = [*(activation for _, activation in fields["layers"]), "linear"]
    return MLP(sizes[0], sizes[1:], activation=activations, init=fields["init"], seed=fields["seed"])


def model_in_python(fields: Mapping[str, Any]) -> str:
    """The line of Python that builds it."""
    sizes = [*(size for size, _ in fields["layers"]), 1]
    activations = [*(activation for _, activation in fields["layers"]), "linear"]
    return (
        f"nn.MLP({len(fields['inputs'])}, {sizes}, activation={activations!r}, init={fields['init']!r}, "
        f"seed={fields['seed']})"
    )


def build_optimizer(name: str, model: Module) -> Optimizer:
    """The optimizer of that name on the page."""
    kind, more = OPTIMIZERS[name]
    kinds: dict[str, Any] = {"SGD": SGD, "Adam": Adam}
    made: Optimizer = kinds[kind](model.parameters(), lr=0.0, **more)
    return made


def optimizer_in_python(name: str) -> str:
    """The expression in Python that makes it; lr is set by `train`."""
    kind, more = OPTIMIZERS[name]
    return f"nn.{kind}(model.parameters(), lr=0.0{''.join(f', {key}={x!r}' for key, x in more.items())})"


def loss_of_a_sample(loss: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A loss of batches, as nn's are, for one score and its target."""
    return lambda score, target: loss([score], [target])


def named_loss(name: str) -> Callable[[Any, Any], Any]:
    """One of nn's losses, for one score and its target of -1 or +1."""
    if name == "bce_with_logits":
        return lambda score, target: LOSSES[name]([score], [(target + 1) / 2])
    return loss_of_a_sample(LOSSES[name])
