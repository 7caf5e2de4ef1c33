"""Neuron and Layer: weights, a bias, a weighted sum, an activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import (
    as_row,
    as_sequence,
    constants,
    count,
    input_error,
    inputs,
    is_sequence,
    not_in_a_list,
)
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.layers.activations import Activation, known_activation, resolve_activation
from scalargrad.nn.layers.initialisers import Initialiser, resolve_initialiser
from scalargrad.nn.modules.known_module import FLAG, NAME, SIZE, KnownModule, Settings, alike
from scalargrad.nn.modules.naming import Name, relabel
from scalargrad.node.extras import give_label
from scalargrad.ops import dot, sigmoid
from scalargrad.support.arguments import MOST
from scalargrad.support.spelling import explained

if TYPE_CHECKING:
    from typing_extensions import Never

    from scalargrad import Drawing


class _Weights(list[Value]):
    """The weights as they were. An array in their place, which compares number by number, is never the same."""

    __slots__ = ()
    __array_ufunc__ = None  # numpy lets the list compare


class _Kept:
    """What a neuron remembers: in a slot, where `parameters()` and `state_dict()` do not look."""

    __slots__ = ("known", "numbers")

    def __init__(self) -> None:
        # w and b as they were, and (*w, b): all in one, so that Ctrl-C or another thread finds what belongs together.
        self.known: tuple[_Weights, Value | None, tuple[Value, ...]] = (_Weights(), None, ())
        self.numbers: tuple[float, ...] | None = None


class Neuron(KnownModule):
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

    _fields: ClassVar = {"nin": SIZE, "activation": NAME, "bias": FLAG, "fused": FLAG}
    _blank: ClassVar = {"init": "zeros"}

    @explained("Neuron(2)")
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
        nin = count(nin, "nin", "Neuron(2)", MOST)
        self.activation, self._activate = resolve_activation(activation if nonlin else None)
        draw, rng, bias = resolve_initialiser(init), random_source(seed, rng), bool(bias)
        self.w = [Value(draw(rng, nin, nout), parameter=True) for _ in range(nin)]
        self.b = Value(0.0, parameter=True) if bias else None
        self.fused = fused
        self._custom = self._activate is not None and not hasattr(self._activate, "op")
        self._kept = _Kept()
        self.place((f"neuron ({self.activation})",))

    def _weights_and_bias(self, nin: int) -> tuple[Value, ...]:
        """(*w, b), the same tuple as long as they are the same Values, so that the nodes of all samples share it."""
        w, b, values = self._kept.known
        if w != self.w or self.b is not b:
            w, b = _Weights(self.w), self.b
            values = tuple(w) if b is None else (*w, b)
            if all(isinstance(weight, Value) for weight in w):  # numbers may be equal and not the same: 0.0 and -0.0
                self._kept.known = w, b, values
        if len(w) != nin:
            raise ValueError(f"a neuron has {len(w)} weights, but its layer has {nin} inputs")
        return values

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

    def __call__(self, x: Sequence[Any], *_more: Never) -> Any:
        """Return the neuron's output, a Value.

        Args:
            x: nin numbers or Values. With one input, also a Value or number by itself.

        Raises:
            ValueError: if x has not nin elements.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        return self._finish(self._weighted_sum(x))

    def neuron_tick(self, inputs: Sequence[Any]) -> Value:
        """Return the neuron's firing rate, sigmoid(w · x + b), whatever its activation is.

        The arguments and errors are those of a call. Source: CS231n, lecture 4, which takes it for the model of a
        biological neuron: `inputs` arrive at the dendrites, and w · x + b is what the cell body sums up.

        >>> Neuron(2, activation="tanh", init="zeros").neuron_tick([1.0, -2.0])
        Value(data=0.5, grad=0.0)
        """
        out: Value = sigmoid(self._weighted_sum(inputs))
        if isinstance(out, Value):
            give_label(out, self._output_label)
        return out

    def _weighted_sum(self, x: Sequence[Any]) -> Any:
        """Compute w · x + b, as one node or as products and sums."""
        w = self.w
        if type(x) is not list:
            x = as_row(x)
        if len(x) != len(w):
            raise input_error(self._head(), len(w), x)
        if self.fused:
            return dot(w, x, self.b)
        out = self.b
        for weight, value in zip(w, x, strict=True):
            out = weight * value if out is None else out + weight * value
        return out

    def _finish(self, out: Any) -> Any:
        """The activation of a weighted sum, labelled as this neuron's output."""
        if self._activate is not None:
            out = self._activate(out)
            if self._custom and (not isinstance(out, Value) or out.label):  # a user's function may return anything
                return out
        if isinstance(out, Value):  # of numbers alone, weights and inputs, it is a number
            give_label(out, self._output_label)
        return out

    def draw(self, X: Any = None, y: Any = None, *, x: Any = None, **options: Any) -> Drawing:
        """Draw the graph of this neuron for one sample: z = w · x + b, and a, the activation of z.

        Args:
            X: the sample, nin numbers or Values; they are drawn as constants x0, x1, ... Without it, or with several
                samples, the neuron is drawn as a network of one.
            y: the labels of several samples.
            x: the sample, by its other name.
            options: those of `scalargrad.draw`, as `expand=True`, which draws each product and sum; or of
                `draw_network`.

        >>> neuron = Neuron(2, activation="tanh", init="zeros")
        >>> print(neuron.draw([0.5, -1.0]).text.splitlines()[1][:11])
        a = tanh(z)
        """
        from scalargrad import draw, draw_network

        sample = as_sequence(X if x is None else x)
        if sample is None or y is not None or "show" in options or is_sequence(next(iter(as_row(sample)), None)):
            return draw_network(self, X, y, x=x, **options)
        row = [value.detach() for value in constants(as_row(sample), self._head())]
        for i, value in enumerate(row):
            value.label = f"x{i}"
        z = self._weighted_sum(row)
        if self._activate is None:
            z.label = Name("a", self._output_label.scope)
            return draw(z, **options)
        z.label = Name("z", self._output_label.scope)
        a = self._activate(z)
        if not isinstance(a, Value):
            raise TypeError(f"{self._head()}: its activation gave {a!r}, which is no Value: it has no graph to draw")
        if not a.label:  # a function of the user's may have named it
            a.label = Name("a", self._output_label.scope)
        return draw(a, **options)

    def _settings(self) -> Settings:
        activation = known_activation(self.activation, self._activate)
        return {
            "nin": len(self.w), "activation": activation, "bias": self.b is not None, "fused": bool(self.fused),
        }  # fmt: skip

    @classmethod
    def _size(cls, settings: Settings) -> int:
        return int(settings["nin"] + settings["bias"])

    def _head(self) -> str:
        return f"Neuron({len(self.w)}, activation={self.activation!r})"

    def __repr__(self) -> str:
        return self._head()


def _outputs(neurons: Sequence[Neuron], x: Sequence[Value]) -> list[Any]:
    """The outputs of a layer's neurons, whose weighted sums share what depends on x alone."""
    # In plain words:
    #
    #     return [neuron(x) for neuron in neurons]
    #
    # A call of each neuron, and calls of `_weights_and_bias` and `_finish` in it, take longer than its two nodes.
    weighted_sum, n = dot.op.bind(x), len(x)  # type: ignore[attr-defined]
    outputs = []
    for neuron in neurons:
        if type(neuron) is not Neuron or not neuron.fused:
            outputs.append(neuron(x))
            continue
        kept = neuron._kept
        w, b, values = kept.known
        if w != neuron.w or neuron.b is not b or len(w) != n:
            values = neuron._weights_and_bias(n)
            b = neuron.b
        out = weighted_sum(values, b is not None, kept.numbers)
        kept.numbers = out._a  # the next sample's node shares them
        if neuron._custom:
            outputs.append(neuron._finish(out))
            continue
        if neuron._activate is not None:
            out = neuron._activate(out)
        give_label(out, neuron._output_label)
        outputs.append(out)
    return outputs


class SideBySide(KnownModule):
    """Neurons of one kind side by side, all reading the same inputs: what Layer and Maxout have in common."""

    neurons: list[Any]
    nin: int
    _neuron: ClassVar[type[KnownModule]]
    _blank: ClassVar = {"init": "zeros"}

    def _hold(self, neurons: list[Any], nin: int) -> None:
        self.neurons = neurons
        self.nin = nin
        self.place(("layer",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Place each neuron as "neuron 1 (tanh)" within the scope."""
        for i, neuron in enumerate(self.neurons):
            neuron.place((*scope, f"neuron {i} ({neuron.activation})"))

    def _settings(self) -> Settings:
        return {**alike(self._neuron, self.neurons), "nin": self.nin, "nout": len(self.neurons)}

    @classmethod
    def _size(cls, settings: Settings) -> int:
        return int(settings["nout"] * cls._neuron._size(settings))

    def __repr__(self) -> str:
        return self._head()


def sizes(nin: Any, nout: Any, example: str) -> tuple[int, int]:
    """Return the numbers of inputs and neurons of a layer, checked; the errors show a call that works."""
    nin, nout = count(nin, "nin", example, MOST), count(nout, "nout", example)
    count(nin * nout, "the number of weights, nin * nout,", example, MOST)
    return nin, nout


class Layer(SideBySide):
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

    neurons: list[Neuron]
    _neuron: ClassVar = Neuron
    _fields: ClassVar = {"nin": SIZE, "nout": SIZE, "activation": NAME, "bias": FLAG, "fused": FLAG}

    @explained("Layer(2, 16)")
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
        nin, nout = sizes(nin, nout, "Layer(2, 16)")
        rng, init = random_source(seed, rng), resolve_initialiser(init)
        neurons = [
            Neuron(nin, nonlin, activation=activation, init=init, bias=bias, fused=fused, nout=nout, rng=rng)
            for _ in range(nout)
        ]
        self._hold(neurons, nin)

    def __call__(self, x: Sequence[Any], *_more: Never) -> Any:
        """Return the list of the neurons' outputs; of a single neuron, its output itself, as micrograd does.

        Args:
            x: nin numbers or Values. Numbers become constants "x0", "x1", ... that the neurons share.

        Raises:
            ValueError: if x has not nin elements.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        outputs = _outputs(self.neurons, inputs(x, self.nin, self._head))
        return outputs[0] if len(outputs) == 1 else outputs

    def _head(self) -> str:
        activations = list(dict.fromkeys(neuron.activation for neuron in self.neurons))
        return f"Layer({self.nin}, {len(self.neurons)}, activation={'/'.join(activations)!r})"
