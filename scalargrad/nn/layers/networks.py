"""MLP and Sequential: layers one after another."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.nn.arguments.inputs import count, not_in_a_list
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.layers.activations import Activation, Elementwise, resolve_activation
from scalargrad.nn.layers.initialisers import Initialiser, resolve_initialiser
from scalargrad.nn.layers.neurons import Layer
from scalargrad.nn.layers.recurrent import LSTMCell
from scalargrad.nn.layers.rules_of_thumb import RuleOfThumbWarning, combines_batchnorm_and_dropout
from scalargrad.nn.modules.known_module import (
    FLAG,
    MODULES,
    NAMES,
    SIZE,
    SIZES,
    KnownModule,
    OfItsOwnError,
    Settings,
    alike,
)
from scalargrad.nn.modules.module import Module
from scalargrad.support.arguments import MOST
from scalargrad.support.spelling import explained

if TYPE_CHECKING:
    from typing_extensions import Never, Self


def _call_with_sizes(_: Any, *arguments: Any, **options: Any) -> str:
    """The call of MLP that was meant, if there are sizes enough in what was given; else one for an example."""
    sizes: list[int] = []
    for given in (*arguments, options.get("nin"), options.get("nouts")):
        parts = given if isinstance(given, (list, tuple)) else [given]
        sizes += [n for n in parts if type(n) is int and 0 < n <= MOST]
    return f"MLP({sizes[0]}, {sizes[1:]})" if 1 < len(sizes) < 20 else "MLP(2, [16, 16, 1])"


class MLP(KnownModule):
    """A multi-layer perceptron: fully connected layers one after another.

    `random.seed(1337); MLP(2, [16, 16, 1])` has the very weights that micrograd's has.

    Args:
        nin: how many inputs it has.
        nouts: how many neurons each layer has, the last being the outputs.
        activation: that of the hidden layers, the last layer being linear; or a list with one for each layer.
        init: the initialiser of all layers, or its name.
        bias: False leaves out all biases.
        fused: as in Neuron.
        seed: seeds one generator, from which all layers draw in turn.
        rng: or a `random.Random` to draw from; without either, Python's global `random`.

    Attributes:
        layers: a list of Layers.

    Raises:
        TypeError: if nouts is not a list of integers.
        ValueError: if nouts is empty, a size is not positive or a list of activations has not one for each layer.

    >>> model = MLP(2, [16, 16, 1], seed=0)
    >>> model
    MLP(2, [16, 16, 1]), 337 parameters
      layer 0: Layer(2, 16, activation='relu')
      layer 1: Layer(16, 16, activation='relu')
      layer 2: Layer(16, 1, activation='linear')
    """

    _fields: ClassVar = {"nin": SIZE, "nouts": SIZES, "activations": NAMES, "bias": FLAG, "fused": FLAG}
    _blank: ClassVar = {"init": "zeros"}

    @explained(_call_with_sizes)
    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Activation | Sequence[Activation] = "relu",
        init: str | Initialiser = "uniform",
        bias: bool = True,
        fused: bool = True,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        example = _call_with_sizes(self, nin, nouts)
        is_no_list = isinstance(nouts, (str, bytes, set, frozenset, Mapping))
        if is_no_list or not hasattr(nouts, "__iter__") or not getattr(nouts, "ndim", 1):
            raise TypeError(f"nouts must be a list of layer sizes, not {type(nouts).__name__}, as in {example}")
        sizes = [count(nin, "nin", example), *(count(nout, "each of nouts", example) for nout in nouts)]
        for size_in, size_out in pairwise(sizes):  # before the first weight is drawn
            count(size_in * size_out, "the number of weights of a layer", example, MOST)
        if len(sizes) == 1:
            raise ValueError(f"nouts is empty: give the size of at least one layer, as in {example}")
        rng, init = random_source(seed, rng), resolve_initialiser(init)
        self.layers = [
            Layer(size_in, size_out, activation=activation, init=init, bias=bias, fused=fused, rng=rng)
            for size_in, size_out, activation in zip(
                sizes[:-1], sizes[1:], _one_for_each_layer(activation, len(sizes) - 1), strict=True
            )
        ]
        self.place(())

    def place(self, scope: tuple[str, ...]) -> None:
        """Place each layer as "layer 1" within the scope."""
        for i, layer in enumerate(self.layers):
            layer.place((*scope, f"layer {i}"))

    def __call__(self, x: Sequence[Any], *_more: Never) -> Any:
        """Return the last layer's outputs for one sample: a list of Values, or the Value itself if there is one.

        Args:
            x: nin numbers or Values.

        Raises:
            ValueError: if x has not nin elements.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        out: Any = x
        for layer in self.layers:
            out = layer(out)
        return out

    def _settings(self) -> Settings:
        layers = [alike(Layer, [layer]) for layer in self.layers]
        if not layers or any(layer[name] != layers[0][name] for layer in layers for name in ("bias", "fused")):
            raise OfItsOwnError
        nouts, activations = ([layer[name] for layer in layers] for name in ("nout", "activation"))
        return {**layers[0], "nouts": nouts, "activations": activations}

    @classmethod
    def _built(cls, settings: Settings) -> Self:
        given = {name: x for name, x in settings.items() if name != "activations"}
        return super()._built({**given, "activation": settings["activations"]})

    @classmethod
    def _size(cls, settings: Settings) -> int:
        sizes = pairwise([settings["nin"], *settings["nouts"]])
        return sum(Layer._size({**settings, "nin": nin, "nout": nout}) for nin, nout in sizes)

    def _head(self) -> str:
        return f"MLP({self.layers[0].nin}, {[len(layer.neurons) for layer in self.layers]})"

    def _part_name(self, path: str) -> str:
        return path.replace("layers.", "layer ")


class Sequential(KnownModule):
    """Modules and functions applied one after another, each to the result of the one before.

    Args:
        steps: Modules; names of activations and ops of one operand (applied to each element); other functions (applied
            to the result as a whole). One list of these will do too.

    Attributes:
        layers: the list of steps.

    Raises:
        TypeError: if a step is none of these.
        ValueError: if there is no step, or no activation of a name, or if a module would read the pair of an LSTMCell.

    Warns:
        RuleOfThumbWarning: if there is both BatchNorm and Dropout in it.

    >>> Sequential(Layer(2, 4, nonlin=False, seed=0), "tanh", Layer(4, 1, nonlin=False, seed=1))
    Sequential, 17 parameters
      layer 0: Layer(2, 4, activation='linear')
      layer 1: Elementwise('tanh')
      layer 2: Layer(4, 1, activation='linear')
    """

    _fields: ClassVar = {"layers": MODULES}

    def __init__(self, *steps: Any) -> None:
        if len(steps) == 1 and isinstance(steps[0], (list, tuple)):
            (steps,) = steps
        if not steps:
            raise ValueError("Sequential needs at least one layer, as in Sequential(Layer(2, 4), Layer(4, 1))")
        self.layers: list[Callable[..., Any]] = [_step(step, i) for i, step in enumerate(steps)]
        for i, (layer, following) in enumerate(pairwise(self.layers)):
            if isinstance(layer, LSTMCell) and isinstance(following, Module):
                raise ValueError(
                    f"step {i} of Sequential, {layer!r}, gives a pair (h, c), which step {i + 1}, {following._head()}, "
                    "would take for two rows: put a function between them that takes h, as lambda state: state[0]"
                )
        self.place(())
        networks: list[Sequential] = [layer for layer in self.layers if isinstance(layer, Sequential)]
        if combines_batchnorm_and_dropout(self) and not any(map(combines_batchnorm_and_dropout, networks)):
            warnings.warn(
                "Sequential combines BatchNorm and Dropout. Dropout changes the variance in training only, so that "
                "BatchNorm's running statistics do not fit in evaluation. Use one of them",
                RuleOfThumbWarning,
                stacklevel=2,
            )

    def place(self, scope: tuple[str, ...]) -> None:
        """Place each step as "layer 1" within the scope; one that occurs twice keeps its first place."""
        placed: list[Any] = []
        for i, layer in enumerate(self.layers):
            if isinstance(layer, Module) and not any(layer is other for other in placed):
                placed.append(layer)
                layer.place((*scope, f"layer {i}"))

    def __call__(self, x: Any, *_more: Never) -> Any:
        """Return the last step's result; x is what the first step takes."""
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        for layer in self.layers:
            x = layer(x)
        return x

    def on_batch(self, rows: Sequence[Any]) -> list[Any]:
        """Return the results for several samples, step by step, so that a BatchNorm among the steps sees them all."""
        if type(self).__call__ is not Sequential.__call__:  # a subclass decides for itself
            return super().on_batch(rows)
        for layer in self.layers:
            rows = layer.on_batch(rows) if isinstance(layer, Module) else [layer(row) for row in rows]
        return list(rows)

    @classmethod
    def _built(cls, settings: Settings) -> Self:
        # Not by its constructor: whoever built the model has heard its warnings.
        model = cls.__new__(cls)
        model.layers = settings["layers"]
        model.place(())
        return model

    def _part_name(self, path: str) -> str:
        return path.replace("layers.", "layer ")


def _step(step: Any, i: int) -> Callable[..., Any]:
    if isinstance(step, str) or getattr(getattr(step, "op", None), "arity", None) == 1:
        return Elementwise(step)
    if not callable(step):
        raise TypeError(
            f"step {i} of Sequential must be a Module, a function or an activation's name, not {type(step).__name__}"
        )
    return step  # type: ignore[no-any-return]


def _one_for_each_layer(activation: Activation | Sequence[Activation], layers: int) -> list[Activation]:
    if isinstance(activation, str) or not isinstance(activation, Sequence):
        resolve_activation(activation)  # also where no layer uses it
        return [activation] * (layers - 1) + [None]
    if len(activation) != layers:
        raise ValueError(
            f"{len(activation)} activations were given for {layers} layers: give one for each, "
            "as in MLP(2, [16, 1], activation=['tanh', None]), or a single one for the hidden layers"
        )
    return list(activation)
