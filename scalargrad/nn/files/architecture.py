"""How a network is built, as plain JSON: the kinds of modules that a file may name, described and built."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scalargrad.nn.images.convolution import Conv2d
from scalargrad.nn.images.flatten import Flatten, Unflatten
from scalargrad.nn.images.pooling import AvgPool2d, MaxPool2d
from scalargrad.nn.images.response_norm import LocalResponseNorm
from scalargrad.nn.layers.activations import Elementwise
from scalargrad.nn.layers.affine import Linear
from scalargrad.nn.layers.attending import MultiHeadAttention
from scalargrad.nn.layers.batchnorm import BatchNorm
from scalargrad.nn.layers.dropout import Dropout
from scalargrad.nn.layers.embedding import Embedding
from scalargrad.nn.layers.maxout import Maxout, MaxoutNeuron
from scalargrad.nn.layers.networks import MLP, Sequential
from scalargrad.nn.layers.neurons import Layer, Neuron
from scalargrad.nn.layers.normalisation import LayerNorm, RMSNorm
from scalargrad.nn.layers.recurrent import GRUCell, LSTMCell, RNNCell
from scalargrad.nn.modules.known_module import MODULES, KnownModule, OfItsOwnError, Settings

if TYPE_CHECKING:
    from scalargrad.nn.modules.module import Module

_KNOWN: tuple[type[KnownModule], ...] = (
    Neuron, Layer, MLP, MaxoutNeuron, Maxout, BatchNorm, Dropout, Elementwise, Sequential,
    Conv2d, MaxPool2d, AvgPool2d, LocalResponseNorm, Flatten, Unflatten,
    Linear, LayerNorm, RMSNorm, RNNCell, GRUCell, LSTMCell, MultiHeadAttention, Embedding,
)  # fmt: skip
KINDS = {kind.__name__: kind for kind in _KNOWN}
"""Every kind that a file may name; nothing else is ever built."""


def describe(model: Module) -> Settings | None:
    """Return the model's kind and settings; None if a part is not of this package or has a function of the user's own.

    >>> describe(Dropout(0.25))
    {'kind': 'Dropout', 'p': 0.25}
    >>> describe(Sequential(Layer(2, 4), lambda outputs: outputs[:2])) is None
    True
    """
    try:
        return _described(model)
    except OfItsOwnError:
        return None


def _described(module: Any) -> Settings:
    name = type(module).__name__
    kind = KINDS.get(name)
    if kind is None or type(module) is not kind:
        raise OfItsOwnError
    settings = kind._settings(module)
    return {"kind": name, **_each_module(kind, settings, _described)}


def numbers_in(settings: Any, where: str = "model") -> int:
    """Return how many numbers the described model keeps, and check the whole description on the way.

    Nothing is built, so that a file cannot ask for a network that is larger than itself.

    Raises:
        ValueError: if it describes no model; the message says where.
    """
    called = settings.get("kind") if isinstance(settings, dict) else None
    kind = KINDS.get(called) if isinstance(called, str) else None
    if kind is None:
        raise ValueError(f"{where} must be an object whose kind is one of {', '.join(KINDS)}")
    fields = kind._fields
    if settings.keys() != {"kind", *fields}:
        raise ValueError(f"{where}, a {called}, must have exactly the settings {', '.join(fields)}")
    for name, field in fields.items():
        if not field.is_right(settings[name]):
            raise ValueError(f"{where}.{name} must be {field.what}")
    inside = [
        numbers_in(part, f"{where}.{name}.{i}")
        for name, field in fields.items()
        if field is MODULES
        for i, part in enumerate(settings[name])
    ]
    return kind._size(settings) + sum(inside)


def build(settings: Settings) -> Module:
    """Return the model of a description that `numbers_in` has checked, all weights 0; no random number is drawn.

    Raises:
        ValueError: if a setting is out of range or there is no activation of a name.
    """
    kind = KINDS[settings["kind"]]
    return kind._built(_each_module(kind, settings, build))


def _each_module(kind: type[KnownModule], settings: Settings, change: Callable[[Any], Any]) -> Settings:
    """The settings of a module of this kind, those that are modules changed."""
    return {
        name: list(map(change, settings[name])) if field is MODULES else settings[name]
        for name, field in kind._fields.items()
    }


def difference(theirs: Any, ours: Any, where: str = "model") -> str:
    """Return where the description in a file differs from that of a model; the empty text if it does not.

    Whether neurons are fused does not count: they compute the same.
    """
    if isinstance(theirs, dict) and isinstance(ours, dict) and theirs["kind"] == ours["kind"]:
        pairs = [(name, theirs[name], ours[name]) for name in theirs if name != "fused"]
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = [(str(i), *both) for i, both in enumerate(zip(theirs, ours, strict=True))]
    elif theirs == ours:
        return ""
    else:
        return f"{where} is {_short(theirs)} in the file, {_short(ours)} here"
    return next(filter(None, (difference(x, y, f"{where}.{name}") for name, x, y in pairs)), "")


def _short(x: Any) -> str:
    if isinstance(x, dict):
        return str(x["kind"])
    text = f"a list of {len(x)}" if isinstance(x, list) and x and isinstance(x[0], dict) else repr(x)
    return text if len(text) <= 80 else f"{text[:79]}…"
