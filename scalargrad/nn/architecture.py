"""How a network is built, as plain JSON: the modules of this package and their settings, from a fixed table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.nn.activations import Elementwise, resolve_activation
from scalargrad.nn.batchnorm import BatchNorm
from scalargrad.nn.dropout import Dropout
from scalargrad.nn.maxout import Maxout, MaxoutNeuron
from scalargrad.nn.networks import MLP, Sequential
from scalargrad.nn.neurons import Layer, Neuron

if TYPE_CHECKING:
    from scalargrad.nn.module import Module

Settings = dict[str, Any]
"""The name of a module's kind and the arguments that build it, as {"kind": "Dropout", "p": 0.5}."""


def describe(model: Module) -> Settings | None:
    """Return how to build the model; None if a part is not of this package or has a function of the user's own.

    >>> describe(MLP(2, [4, 1], activation="tanh"))["activations"]
    ['tanh', 'linear']
    >>> describe(Sequential(Layer(2, 4), lambda outputs: outputs[:2])) is None
    True
    """
    try:
        return _describe(model)
    except _OfItsOwnError:
        return None


def numbers_in(settings: Any, where: str = "model") -> int:
    """Return how many numbers the described model keeps, and check the whole description on the way.

    Nothing is built, so that a file cannot ask for a network that is larger than itself.

    Raises:
        ValueError: if it describes no model; the message says where.
    """
    name = settings.get("kind") if isinstance(settings, dict) else None
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"{where} must be an object whose kind is one of {', '.join(KINDS)}")
    if settings.keys() != {"kind", *kind.fields}:
        raise ValueError(f"{where}, a {name}, must have exactly the settings {', '.join(kind.fields)}")
    for field in kind.fields:
        what, is_right = FIELDS[field]
        if not is_right(settings[field]):
            raise ValueError(f"{where}.{field} must be {what}")
    if "layers" in settings:
        return sum(numbers_in(layer, f"{where}.layers.{i}") for i, layer in enumerate(settings["layers"]))
    if kind.type is BatchNorm:
        return int(4 * settings["nin"])
    if "nin" not in settings:
        return 0
    sizes = [settings["nin"], *settings.get("nouts", [settings.get("nout", 1)])]
    weighted_sums = settings.get("pieces", 1)
    return int(weighted_sums * sum(nout * (nin + settings["bias"]) for nin, nout in pairwise(sizes)))


def build(settings: Settings) -> Module:
    """Return the model of a description that `numbers_in` has checked, all weights 0; no random number is drawn.

    Raises:
        ValueError: if a setting is out of range or there is no activation of a name.
    """
    kind = KINDS[settings["kind"]]
    return kind.make({name: setting for name, setting in settings.items() if name != "kind"})


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


class Kind(NamedTuple):
    """A kind of module that can be described and built.

    Attributes:
        type: its class; a subclass is another kind, of the user's own.
        fields: the names of its settings.
        describe: module -> settings.
        make: settings -> module.
    """

    type: type[Module]
    fields: tuple[str, ...]
    describe: Callable[[Any], Settings]
    make: Callable[[Settings], Module]


class _OfItsOwnError(Exception):
    """The module cannot be described."""


def _describe(module: Any) -> Settings:
    name = type(module).__name__
    kind = KINDS.get(name)
    if kind is None or type(module) is not kind.type:
        raise _OfItsOwnError
    settings = kind.describe(module)
    return {"kind": name, **{field: settings[field] for field in kind.fields}}


def _neuron(neuron: Neuron) -> Settings:
    activation = _activation(neuron.activation, neuron._activate)
    return {"nin": len(neuron.w), "activation": activation, "bias": neuron.b is not None, "fused": bool(neuron.fused)}


def _side_by_side(kind: str, modules: Iterable[Module]) -> Settings:
    """What all the modules, of one kind, have in common, which must be everything."""
    found = [_describe(module) for module in modules]
    if not found or found[0]["kind"] != kind or any(settings != found[0] for settings in found):
        raise _OfItsOwnError
    return found[0]


def _mlp(model: MLP) -> Settings:
    layers = [_describe(layer) for layer in model.layers]
    if any(layer["kind"] != "Layer" for layer in layers):
        raise _OfItsOwnError
    settings = {name: layers[0][name] for name in ("nin", "bias", "fused")}
    if any(layer[name] != settings[name] for layer in layers for name in ("bias", "fused")):
        raise _OfItsOwnError
    nouts, activations = ([layer[name] for layer in layers] for name in ("nout", "activation"))
    return {**settings, "nouts": nouts, "activations": activations}


def _make_sequential(settings: Settings) -> Sequential:
    # Not by its constructor: whoever built the model has heard its warnings.
    model = Sequential.__new__(Sequential)
    model.layers = [build(layer) for layer in settings["layers"]]
    model.place(())
    return model


def _activation(name: str, function: Any) -> str:
    """The name that brings this very function back."""
    try:
        if resolve_activation(name) == (name, function):
            return name
    except ValueError:
        pass
    raise _OfItsOwnError


_NEURON = ("activation", "bias", "fused")
_MAXOUT = ("pieces", "bias", "fused")
KINDS = {
    "Neuron": Kind(Neuron, ("nin", *_NEURON), _neuron, lambda s: Neuron(**s, init="zeros")),
    "Layer": Kind(
        Layer,
        ("nin", "nout", *_NEURON),
        lambda layer: {**_side_by_side("Neuron", layer.neurons), "nin": layer.nin, "nout": len(layer.neurons)},
        lambda s: Layer(**s, init="zeros"),
    ),
    "MLP": Kind(
        MLP,
        ("nin", "nouts", "activations", "bias", "fused"),
        _mlp,
        lambda s: MLP(
            s["nin"], s["nouts"], activation=s["activations"], bias=s["bias"], fused=s["fused"], init="zeros"
        ),
    ),
    "MaxoutNeuron": Kind(
        MaxoutNeuron,
        ("nin", *_MAXOUT),
        lambda neuron: {**_side_by_side("Neuron", neuron.pieces), "pieces": len(neuron.pieces)},
        lambda s: MaxoutNeuron(**s, init="zeros"),
    ),
    "Maxout": Kind(
        Maxout,
        ("nin", "nout", *_MAXOUT),
        lambda layer: {**_side_by_side("MaxoutNeuron", layer.neurons), "nin": layer.nin, "nout": len(layer.neurons)},
        lambda s: Maxout(**s, init="zeros"),
    ),
    "BatchNorm": Kind(BatchNorm, ("nin", "eps", "momentum"), lambda layer: dict(vars(layer)), lambda s: BatchNorm(**s)),
    "Dropout": Kind(Dropout, ("p",), lambda layer: {"p": layer.p}, lambda s: Dropout(**s)),
    "Elementwise": Kind(
        Elementwise,
        ("activation",),
        lambda layer: {"activation": _activation(layer.activation, layer.function)},
        lambda s: Elementwise(**s),
    ),
    "Sequential": Kind(
        Sequential,
        ("layers",),
        lambda model: {"layers": [_describe(layer) for layer in model.layers]},
        _make_sequential,
    ),
}
"""Every kind that a file may name; nothing else is ever built."""


def _is_size(x: Any) -> bool:
    return type(x) is int and x >= 1


def _is_name(x: Any) -> bool:
    return isinstance(x, str)


def _is_number(x: Any) -> bool:
    return type(x) in (int, float) and isfinite(x)


def _is_flag(x: Any) -> bool:
    return isinstance(x, bool)


def _is_list(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda x: isinstance(x, list) and bool(x) and all(map(is_right, x))


FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "nin": ("a whole number from 1 up", _is_size),
    "nout": ("a whole number from 1 up", _is_size),
    "nouts": ("a list of whole numbers from 1 up", _is_list(_is_size)),
    "pieces": ("a whole number from 1 up", _is_size),
    "activation": ("a name", _is_name),
    "activations": ("a list of names", _is_list(_is_name)),
    "bias": ("true or false", _is_flag),
    "fused": ("true or false", _is_flag),
    "eps": ("a finite number", _is_number),
    "momentum": ("a finite number", _is_number),
    "p": ("a finite number", _is_number),
    "layers": ("a list of models", _is_list(lambda _: True)),
}


def _short(x: Any) -> str:
    if isinstance(x, dict):
        return str(x["kind"])
    text = f"a list of {len(x)}" if isinstance(x, list) and x and isinstance(x[0], dict) else repr(x)
    return text if len(text) <= 80 else f"{text[:79]}…"
