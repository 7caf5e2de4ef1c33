"""Neuron, Layer, Maxout: weights, a bias, a weighted sum, an activation."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from scalargrad.engine import Value
from scalargrad.nn.activations import Activation, resolve_activation
from scalargrad.nn.initialisers import Initialiser, resolve_initialiser
from scalargrad.nn.module import Module
from scalargrad.nn.naming import Name, relabel
from scalargrad.nn.randomness import RandomSource, random_source
from scalargrad.ops import dot, max_


class Neuron(Module):
    """One neuron: activation(w · x + b).

    Args:
        nin: how many inputs it has.
        nonlin: False makes it linear whatever the activation; micrograd's switch.
        activation: the name of an op ("relu", "tanh", "sigmoid", ...), "linear" or None, or a function of a Value.
        init: the initialiser of the weights, or its name; U(-1, 1) as in micrograd. The bias starts at 0.
        bias: False leaves the bias out.
        fused: True computes w · x + b as one node, `dot`; False builds each product and sum as a node, as micrograd
            does: b + w0*x0 + w1*x1 + ..., the same numbers to the last bit.
        nout: how many neurons share the inputs; some initialisers use it.
        seed: seeds a generator of its own; without it, weights come from Python's global `random`, as in micrograd.
        rng: or a `random.Random` to draw from.

    Attributes:
        w: the weights, a list of nin Values.
        b: the bias, a Value, or None.

    Raises:
        ValueError: if nin is not positive or a name is unknown.

    >>> neuron = Neuron(2, activation="tanh", init="zeros")
    >>> neuron
    Neuron(2, activation='tanh')
    >>> neuron([1.0, -2.0])
    Value(data=0.0, grad=0.0)
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        init: str | Initialiser = "uniform",
        bias: bool = True,
        fused: bool = True,
        nout: int = 1,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        nin = count(nin, "nin", "Neuron(2)")
        self.activation, self._activate = resolve_activation(activation if nonlin else None)
        draw, rng = resolve_initialiser(init), random_source(seed, rng)
        self.w = [Value(draw(rng, nin, nout), parameter=True) for _ in range(nin)]
        self.b = Value(0.0, parameter=True) if bias else None
        self.fused = fused
        self.place((f"neuron ({self.activation})",))

    @property
    def nonlin(self) -> bool:
        """Whether an activation follows the weighted sum."""
        return self._activate is not None

    def place(self, scope: tuple[str, ...]) -> None:
        """Label the parameters w0, w1, ..., b within the scope; outputs are labelled with the scope alone."""
        self._output_label = Name("", scope)
        for i, weight in enumerate(self.w):
            relabel(weight, f"w{i}", scope)
        if self.b is not None:
            relabel(self.b, "b", scope)

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the neuron's output, a Value.

        Args:
            x: nin numbers or Values. With one input, also a Value or number by itself.

        Raises:
            ValueError: if x has not nin elements.
            TypeError: if an element is neither a Value nor a real number.
        """
        w = self.w
        if not hasattr(x, "__len__"):
            x = _as_list(x)
        if len(x) != len(w):
            raise input_error(self._head(), len(w), x)
        if self.fused:
            out = dot(w, x, self.b)
        else:
            out = self.b
            for weight, value in zip(w, x, strict=True):
                out = weight * value if out is None else out + weight * value
        if self._activate is not None:
            out = self._activate(out)
            if type(out) is not Value or out.label:  # an activation of the user's own may return anything
                return out
        out._label = self._output_label  # not through the property: it would check the type of every output again
        return out

    def _head(self) -> str:
        return f"Neuron({len(self.w)}, activation={self.activation!r})"

    def __repr__(self) -> str:
        return self._head()


class Layer(Module):
    """Neurons side by side, all reading the same inputs.

    Args:
        nin: how many inputs it has.
        nout: how many neurons, and so outputs.
        nonlin: as in Neuron, as are the arguments that follow.
        seed: seeds one generator, from which all neurons draw in turn.

    Attributes:
        neurons: a list of nout Neurons.

    >>> layer = Layer(2, 3, activation="tanh", seed=0)
    >>> layer, len(layer([1.0, -2.0])), len(layer.parameters())
    (Layer(2, 3, activation='tanh'), 3, 9)
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        init: str | Initialiser = "uniform",
        bias: bool = True,
        fused: bool = True,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        nin, nout = count(nin, "nin", "Layer(2, 16)"), count(nout, "nout", "Layer(2, 16)")
        rng, init = random_source(seed, rng), resolve_initialiser(init)
        self.neurons = [
            Neuron(nin, nonlin, activation=activation, init=init, bias=bias, fused=fused, nout=nout, rng=rng)
            for _ in range(nout)
        ]
        self.nin = nin
        self.place(("layer",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Place each neuron as "neuron 1 (tanh)" within the scope."""
        for i, neuron in enumerate(self.neurons):
            neuron.place((*scope, f"neuron {i} ({neuron.activation})"))

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the list of the neurons' outputs; of a single neuron, its output itself, as micrograd does.

        Args:
            x: nin numbers or Values. Numbers become constants "x0", "x1", ... that the neurons share.

        Raises:
            ValueError: if x has not nin elements.
            TypeError: if an element is neither a Value nor a real number.
        """
        x = inputs(x, self)
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def _head(self) -> str:
        activations = list(dict.fromkeys(neuron.activation for neuron in self.neurons))
        return f"Layer({self.nin}, {len(self.neurons)}, activation={'/'.join(activations)!r})"

    def __repr__(self) -> str:
        return self._head()


class MaxoutNeuron(Module):
    """The largest of several linear functions of the inputs: max_j (w_j · x + b_j).

    Args:
        nin: how many inputs it has.
        pieces: how many linear functions, at least 2.

    Attributes:
        pieces: a list of linear Neurons.

    The remaining arguments are those of Neuron. A tie shares the gradient equally. Source: Goodfellow, Warde-Farley,
    Mirza, Courville and Bengio, Maxout networks, 2013, eq. 1.
    """

    def __init__(
        self,
        nin: int,
        pieces: int = 2,
        *,
        init: str | Initialiser = "uniform",
        bias: bool = True,
        fused: bool = True,
        nout: int = 1,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        if count(pieces, "pieces", "Maxout(2, 16, pieces=2)") < 2:
            raise ValueError("a maxout of one piece is a linear neuron: use pieces=2 or more, or Layer with activation=None")
        rng = random_source(seed, rng)
        self.pieces = [
            Neuron(nin, False, init=init, bias=bias, fused=fused, nout=nout, rng=rng) for _ in range(pieces)
        ]
        self.activation = "maxout"
        self.place(("neuron (maxout)",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Place each linear piece as "piece 1" within the scope."""
        self._output_label = Name("", scope)
        for i, piece in enumerate(self.pieces):
            piece.place((*scope, f"piece {i}"))

    def __call__(self, x: Sequence[Any]) -> Value:
        """Return the largest of the pieces' outputs; x and the errors are as in Neuron."""
        out: Value = max_([piece(x) for piece in self.pieces])
        out._label = self._output_label
        return out

    def _head(self) -> str:
        return f"MaxoutNeuron({len(self.pieces[0].w)}, pieces={len(self.pieces)})"

    def __repr__(self) -> str:
        return self._head()


class Maxout(Module):
    """A layer of MaxoutNeurons; arguments as for Layer and MaxoutNeuron.

    >>> layer = Maxout(2, 3, pieces=2, seed=0)
    >>> layer, len(layer([1.0, -2.0])), len(layer.parameters())
    (Maxout(2, 3, pieces=2), 3, 18)
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        pieces: int = 2,
        *,
        init: str | Initialiser = "uniform",
        bias: bool = True,
        fused: bool = True,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        nin, nout = count(nin, "nin", "Maxout(2, 16)"), count(nout, "nout", "Maxout(2, 16)")
        rng = random_source(seed, rng)
        self.neurons = [
            MaxoutNeuron(nin, pieces, init=init, bias=bias, fused=fused, nout=nout, rng=rng) for _ in range(nout)
        ]
        self.nin = nin
        self.place(("layer",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Place each neuron as "neuron 1 (maxout)" within the scope."""
        for i, neuron in enumerate(self.neurons):
            neuron.place((*scope, f"neuron {i} (maxout)"))

    def __call__(self, x: Sequence[Any]) -> Any:
        """Return the list of the neurons' outputs, or the output itself if there is one neuron; x is as in Layer."""
        x = inputs(x, self)
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def _head(self) -> str:
        return f"Maxout({self.nin}, {len(self.neurons)}, pieces={len(self.neurons[0].pieces)})"

    def __repr__(self) -> str:
        return self._head()


# -------------------------------------------------------------------- checks of arguments and inputs


def count(n: Any, name: str, example: str) -> int:
    """Return n as an int, if it is a positive integer; the error names the argument and shows a call that works."""
    try:
        if isinstance(n, bool):
            raise TypeError
        n = operator.index(n)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(n).__name__}, as in {example}") from None
    if n < 1:
        raise ValueError(f"{name} must be at least 1, not {n}, as in {example}")
    return int(n)


def inputs(x: Any, layer: Layer | Maxout) -> Sequence[Any]:
    """Return one sample's inputs as Values: numbers become constants, made once for all neurons of the layer."""
    if not hasattr(x, "__len__"):
        x = _as_list(x)
    if len(x) != layer.nin:
        raise input_error(layer._head(), layer.nin, x)
    if set(map(type, x)) == _ALL_VALUES:
        return x  # type: ignore[no-any-return]
    return constants(x, layer._head())


def constants(x: Sequence[Any], who: str) -> list[Value]:
    """Return x with each number as a constant Value labelled x0, x1, ...; Values stay as they are."""
    values = []
    for i, value in enumerate(x):
        try:
            values.append(value if isinstance(value, Value) else Value(value, label=f"x{i}", requires_grad=False))
        except TypeError:
            hint = ": give one row at a time" if hasattr(value, "__len__") and not isinstance(value, str) else ""
            raise TypeError(f"{who}: input {i} must be a Value or a real number, not {type(value).__name__}{hint}") from None
    return values


_ALL_VALUES = {Value}


def _as_list(x: Any) -> list[Any]:
    """The inputs as a list, where they have no length: one number or Value, or an iterator."""
    return list(x) if hasattr(x, "__iter__") else [x]


def input_error(who: str, expected: int, x: Any) -> ValueError:
    """The error for a sample with the wrong number of inputs."""
    first = next(iter(x), None)
    hint = (
        "; it looks like several rows: call the model once for each"
        if hasattr(first, "__len__") and not isinstance(first, str)
        else "; make the layer's nin equal to the number of inputs"
    )
    return ValueError(f"{who} takes {expected} input{'s' * (expected != 1)}, but {len(x)} {'was' if len(x) == 1 else 'were'} given{hint}")
