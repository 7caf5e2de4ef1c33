"""Maxout: neurons that learn their own activation, the largest of several linear functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.nn.arguments.inputs import as_row, count, inputs, not_in_a_list
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.layers.neurons import Neuron, SideBySide, sizes
from scalargrad.nn.modules.known_module import FLAG, SIZE, KnownModule, Settings, alike
from scalargrad.nn.modules.naming import Name
from scalargrad.node.extras import give_label
from scalargrad.ops import max_
from scalargrad.support.arguments import MOST
from scalargrad.support.spelling import explained

if TYPE_CHECKING:
    from typing_extensions import Never

    from scalargrad.engine import Value
    from scalargrad.nn.layers.initialisers import Initialiser


class MaxoutNeuron(KnownModule):
    """The largest of several linear functions of the inputs: max_j (w_j · x + b_j).

    Args:
        nin: how many inputs it has.
        pieces: how many linear functions, at least 2.

    Attributes:
        pieces: a list of linear Neurons.

    The remaining arguments are those of Neuron. A tie shares the gradient equally. Source: Goodfellow, Warde-Farley,
    Mirza, Courville and Bengio, Maxout networks, 2013, eq. 1.
    """

    _fields: ClassVar = {"nin": SIZE, "pieces": SIZE, "bias": FLAG, "fused": FLAG}
    _blank: ClassVar = {"init": "zeros"}

    @explained("MaxoutNeuron(2)")
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
        nin, pieces = count(nin, "nin", "Maxout(2, 16)", MOST), count(pieces, "pieces", "Maxout(2, 16, pieces=2)")
        count(nin * pieces, "the number of weights, nin * pieces,", "Maxout(2, 16)", MOST)
        if pieces < 2:
            raise ValueError(
                "a maxout of one piece is a linear neuron: use pieces=2 or more, or Layer with activation=None"
            )
        rng = random_source(seed, rng)
        self.pieces = [Neuron(nin, False, init=init, bias=bias, fused=fused, nout=nout, rng=rng) for _ in range(pieces)]
        self.activation = "maxout"
        self.place(("neuron (maxout)",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Place each linear piece as "piece 1" within the scope."""
        self._output_label = Name("", scope)
        for i, piece in enumerate(self.pieces):
            piece.place((*scope, f"piece {i}"))

    def __call__(self, x: Sequence[Any], *_more: Never) -> Value:
        """Return the largest of the pieces' outputs; x and the errors are as in Neuron."""
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        x = as_row(x)
        out: Value = max_([piece(x) for piece in self.pieces])
        give_label(out, self._output_label)
        return out

    def _settings(self) -> Settings:
        piece = alike(Neuron, self.pieces)
        return {"nin": piece["nin"], "pieces": len(self.pieces), "bias": piece["bias"], "fused": piece["fused"]}

    @classmethod
    def _size(cls, settings: Settings) -> int:
        return int(settings["pieces"] * Neuron._size(settings))

    def _head(self) -> str:
        return f"MaxoutNeuron({len(self.pieces[0].w)}, pieces={len(self.pieces)})"

    def __repr__(self) -> str:
        return self._head()


class Maxout(SideBySide):
    """A layer of MaxoutNeurons; arguments as for Layer and MaxoutNeuron.

    >>> layer = Maxout(2, 3, pieces=2, seed=0)
    >>> layer, len(layer([1.0, -2.0])), len(layer.parameters())
    (Maxout(2, 3, pieces=2), 3, 18)
    """

    neurons: list[MaxoutNeuron]
    _neuron: ClassVar = MaxoutNeuron
    _fields: ClassVar = {"nin": SIZE, "nout": SIZE, "pieces": SIZE, "bias": FLAG, "fused": FLAG}

    @explained("Maxout(2, 16)")
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
        nin, nout = sizes(nin, nout, "Maxout(2, 16)")
        rng = random_source(seed, rng)
        neurons = [
            MaxoutNeuron(nin, pieces, init=init, bias=bias, fused=fused, nout=nout, rng=rng) for _ in range(nout)
        ]
        self._hold(neurons, nin)

    def __call__(self, x: Sequence[Any], *_more: Never) -> Any:
        """Return the list of the neurons' outputs, or the output itself if there is one neuron; x is as in Layer."""
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        x = inputs(x, self.nin, self._head)
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def _head(self) -> str:
        return f"Maxout({self.nin}, {len(self.neurons)}, pieces={len(self.neurons[0].pieces)})"
