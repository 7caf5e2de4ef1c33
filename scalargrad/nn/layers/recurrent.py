"""Recurrent cells: one step of a sequence, from an input and a state to the next state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_sequence, constants, count, inputs, is_sequence
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.arguments.vectors import numbers
from scalargrad.nn.layers.activations import Activation, known_activation, resolve_activation
from scalargrad.nn.layers.affine import drawn, weighted_sums
from scalargrad.nn.modules.known_module import FLAG, NAME, SIZE, KnownModule, Settings
from scalargrad.nn.modules.naming import Tag, relabel
from scalargrad.ops import sigmoid, tanh
from scalargrad.support.arguments import MOST
from scalargrad.support.spelling import Misnomer, explained

if TYPE_CHECKING:
    from scalargrad.nn.layers.initialisers import Initialiser

Vector = Sequence[Any]


class _Cell(KnownModule):
    """What the cells have in common: for each gate the weights of the inputs, those of the state, and two biases."""

    weight_ih = Misnomer("the weights of the inputs are W_ih, a list of rows")
    weight_hh = Misnomer("the weights of the state are W_hh, a list of rows")
    bias_ih = Misnomer("the biases beside W_ih are b_ih")
    bias_hh = Misnomer("the biases beside W_hh are b_hh")
    input_size = Misnomer("write nin")
    hidden_size = Misnomer("write hidden")
    _gates: ClassVar[str]
    """A letter for each gate, in the order of PyTorch's rows."""
    _outputs: ClassVar[str] = "h"
    """A letter for each vector of the state."""
    _fields: ClassVar = {"nin": SIZE, "hidden": SIZE, "bias": FLAG}
    _blank: ClassVar = {"init": "zeros"}

    def __init__(
        self,
        nin: int,
        hidden: int,
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        example = f"{type(self).__name__}(8, 16)"
        self.nin, self.hidden = count(nin, "nin", example, MOST), count(hidden, "hidden", example)
        rows = len(self._gates) * self.hidden
        count(rows * (self.nin + self.hidden), "the number of weights", example, MOST)
        rng, bias = random_source(seed, rng), bool(bias)
        self.W_ih, _ = drawn(rows, self.nin, False, init, rng, self.hidden if init is None else self.nin)
        self.W_hh, _ = drawn(rows, self.hidden, False, init, rng, self.hidden)
        self.b_ih: list[Value] | None = None
        self.b_hh: list[Value] | None = None
        if bias:
            start = None if init is None else "zeros"
            (self.b_ih,), (self.b_hh,) = (drawn(1, rows, False, start, rng, self.hidden)[0] for _ in range(2))
        self.place((type(self).__name__,))

    def place(self, scope: tuple[str, ...]) -> None:
        """Label weights by gate, unit and input within the scope, W_ir0_2; and what is computed by unit: r0, h0."""
        self._tag = Tag(scope)
        outputs = len(self._outputs) * self.hidden
        self._tags = {
            letter: [
                Tag(scope, f"{letter}{j}", outputs=outputs * (letter in self._outputs)) for j in range(self.hidden)
            ]
            for letter in dict.fromkeys(self._gates + self._outputs)
        }
        for source, W, b in (("i", self.W_ih, self.b_ih), ("h", self.W_hh, self.b_hh)):
            for i, row in enumerate(W):
                gate, unit = self._gates[i // self.hidden], i % self.hidden
                for k, weight in enumerate(row):
                    relabel(weight, f"W_{source}{gate}{unit}_{k}", scope)
                if b is not None:
                    relabel(b[i], f"b_{source}{gate}{unit}", scope)

    def _sums(self, x: Any, h: Vector) -> tuple[list[list[Any]], list[list[Any]]]:
        """The weighted sums of the inputs and those of the state, gate by gate."""
        of_x = weighted_sums(inputs(x, self.nin, self.__repr__), self.W_ih, self.b_ih)
        of_h = weighted_sums(h, self.W_hh, self.b_hh)
        n = self.hidden
        cut = [slice(start, start + n) for start in range(0, len(of_x), n)]
        return [[self._tag(s) for s in of_x[part]] for part in cut], [
            [self._tag(s) for s in of_h[part]] for part in cut
        ]

    def _gate(self, letter: str, f: Callable[[Any], Any] | None, a: Vector, b: Vector) -> list[Any]:
        """f(a + b), unit by unit, labelled with the gate's letter."""
        sums, tags = [x + y for x, y in zip(a, b, strict=True)], self._tags[letter]
        if f is None:
            return [tag(s) for tag, s in zip(tags, sums, strict=True)]
        found = [f(self._tag(s)) for s in sums]
        return [tag(y) if isinstance(y, Value) else y for tag, y in zip(tags, found, strict=True)]

    def _state(self, state: Any, letter: str) -> Vector:
        """A vector of the state, checked; zeros where none was given."""
        row = [0.0] * self.hidden if state is None else as_sequence(state)
        if not is_sequence(row):
            raise TypeError(
                f"{self!r}: the state {letter} must be a list of {numbers(self.hidden)}, not {type(row).__name__}"
            )
        if len(row) != self.hidden:
            given = f"{len(row)} {'was' if len(row) == 1 else 'were'} given"
            raise ValueError(
                f"{self!r} has a state {letter} of {numbers(self.hidden)}, but {given}: give what the last step "
                "returned, or leave it out at first"
            )
        return constants(row, f"{self!r}: the state {letter}", letter)

    def _settings(self) -> Settings:
        return {"nin": self.nin, "hidden": self.hidden, "bias": self.b_ih is not None}

    @classmethod
    def _size(cls, settings: Settings) -> int:
        nin, hidden, bias = settings["nin"], settings["hidden"], settings["bias"]
        return int(len(cls._gates) * hidden * (nin + hidden + 2 * bias))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.nin}, {self.hidden})"


class RNNCell(_Cell):
    """One step of a recurrent network: h' = activation(W_ih x + b_ih + W_hh h + b_hh). PyTorch's `nn.RNNCell`.

    Args:
        nin: how many inputs a step has.
        hidden: how many numbers the state has.
        bias: False leaves out both biases.
        activation: the name of an op ("tanh", "relu", ...), "linear" or None, or a function of a Value.
        init: the initialiser of the weights, or its name, and biases start at 0. Without one all are drawn from
            U(-1/√hidden, 1/√hidden), as in PyTorch.
        seed: seeds a generator of its own; without it, Python's global `random` draws.
        rng: or a `random.Random` to draw from.

    Attributes:
        W_ih: the weights of the inputs, a list of `hidden` rows of nin Values; PyTorch's `weight_ih`.
        W_hh: those of the state, `hidden` rows of `hidden`; PyTorch's `weight_hh`.
        b_ih: a list of `hidden` biases, or None; PyTorch's `bias_ih`.
        b_hh: likewise; PyTorch's `bias_hh`.

    Raises:
        TypeError: if a size is no integer.
        ValueError: if a size is not positive or a name is unknown.

    Source: Elman, Finding structure in time, 1990.

    >>> rnn = RNNCell(2, 3, seed=0)
    >>> h = None
    >>> for x in [[1.0, 0.0], [0.0, 1.0]]:
    ...     h = rnn(x, h)
    >>> rnn, len(h), len(rnn.parameters())
    (RNNCell(2, 3), 3, 21)
    """

    _gates = "h"
    _fields: ClassVar = {**_Cell._fields, "activation": NAME}

    @explained("RNNCell(8, 16)")
    def __init__(
        self,
        nin: int,
        hidden: int,
        bias: bool = True,
        *,
        activation: Activation = "tanh",
        init: str | Initialiser | None = None,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        self.activation, self._activate = resolve_activation(activation)
        super().__init__(nin, hidden, bias, init=init, seed=seed, rng=rng)

    def __call__(self, x: Any, h: Vector | None = None) -> list[Any]:
        """Return the next state, a list of `hidden` Values.

        Args:
            x: nin numbers or Values.
            h: the state, what the last step returned; left out, all 0.

        Raises:
            ValueError: if x or h has another length.
            TypeError: if an element is neither a Value nor a real number.
        """
        (a,), (b,) = self._sums(x, self._state(h, "h"))
        return self._gate("h", self._activate, a, b)

    def _settings(self) -> Settings:
        return {**super()._settings(), "activation": known_activation(self.activation, self._activate)}

    def __repr__(self) -> str:
        activation = "" if self.activation == "tanh" else f", activation={self.activation!r}"
        return f"RNNCell({self.nin}, {self.hidden}{activation})"


class GRUCell(_Cell):
    """One step of a gated recurrent unit. PyTorch's `nn.GRUCell`.

    r = σ(W_ir x + b_ir + W_hr h + b_hr), how much of the state the candidate sees;
    z = σ(W_iz x + b_iz + W_hz h + b_hz), how much of the state stays;
    n = tanh(W_in x + b_in + r · (W_hn h + b_hn)), the candidate;
    h' = (1 − z) · n + z · h.

    The arguments and errors are those of `RNNCell`, without `activation`.

    Attributes:
        W_ih: the weights of the inputs, a list of 3 · hidden rows of nin Values: those of r, of z, of n; PyTorch's
            `weight_ih`.
        W_hh: those of the state, 3 · hidden rows of `hidden`; PyTorch's `weight_hh`.
        b_ih: a list of 3 · hidden biases, or None; PyTorch's `bias_ih`.
        b_hh: likewise; PyTorch's `bias_hh`.

    Source: Cho and others, Learning phrase representations using RNN encoder-decoder, 2014, with r after the matrix, as
    PyTorch and cuDNN have it.

    >>> gru = GRUCell(2, 3, seed=0)
    >>> gru, len(gru([1.0, 0.0])), len(gru.parameters())
    (GRUCell(2, 3), 3, 63)
    """

    _gates = "rzn"

    @explained("GRUCell(8, 16)")
    def __init__(
        self,
        nin: int,
        hidden: int,
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        super().__init__(nin, hidden, bias, init=init, seed=seed, rng=rng)

    def __call__(self, x: Any, h: Vector | None = None) -> list[Any]:
        """Return the next state, a list of `hidden` Values; arguments and errors are those of `RNNCell`."""
        tag = self._tag
        h = self._state(h, "h")
        (r_x, z_x, n_x), (r_h, z_h, n_h) = self._sums(x, h)
        r = self._gate("r", sigmoid, r_x, r_h)
        z = self._gate("z", sigmoid, z_x, z_h)
        n = self._gate("n", tanh, n_x, [tag(r_j * s) for r_j, s in zip(r, n_h, strict=True)])
        return [
            named(tag(tag(1 - z_j) * n_j) + tag(z_j * h_j))
            for named, z_j, n_j, h_j in zip(self._tags["h"], z, n, h, strict=True)
        ]


class LSTMCell(_Cell):
    """One step of a long short-term memory, whose state is a pair (h, c). PyTorch's `nn.LSTMCell`.

    i = σ(W_ii x + b_ii + W_hi h + b_hi), how much of g comes in;
    f = σ(W_if x + b_if + W_hf h + b_hf), how much of c stays;
    g = tanh(W_ig x + b_ig + W_hg h + b_hg), what could come in;
    o = σ(W_io x + b_io + W_ho h + b_ho), how much of c is seen;
    c' = f · c + i · g and h' = o · tanh(c').

    The arguments and errors are those of `RNNCell`, without `activation`.

    Attributes:
        W_ih: the weights of the inputs, a list of 4 · hidden rows of nin Values: those of i, of f, of g, of o;
            PyTorch's `weight_ih`.
        W_hh: those of the state, 4 · hidden rows of `hidden`; PyTorch's `weight_hh`.
        b_ih: a list of 4 · hidden biases, or None; PyTorch's `bias_ih`.
        b_hh: likewise; PyTorch's `bias_hh`.

    Source: Hochreiter and Schmidhuber, Long short-term memory, 1997; Gers, Schmidhuber and Cummins, Learning to forget,
    2000.

    >>> lstm = LSTMCell(2, 3, seed=0)
    >>> h, c = lstm([1.0, 0.0])
    >>> h, c = lstm([0.0, 1.0], (h, c))
    >>> lstm, len(h), len(c), len(lstm.parameters())
    (LSTMCell(2, 3), 3, 3, 84)
    """

    _gates = "ifgo"
    _outputs = "hc"

    @explained("LSTMCell(8, 16)")
    def __init__(
        self,
        nin: int,
        hidden: int,
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        super().__init__(nin, hidden, bias, init=init, seed=seed, rng=rng)

    def __call__(self, x: Any, state: tuple[Vector, Vector] | None = None) -> tuple[list[Any], list[Any]]:
        """Return the next state (h, c), two lists of `hidden` Values; h is the step's output.

        Args:
            x: nin numbers or Values.
            state: what the last step returned; left out, all 0.

        Raises:
            ValueError: if x, h or c has another length.
            TypeError: if the state is no pair of lists, or an element is neither a Value nor a real number.
        """
        tag = self._tag
        h, c = self._pair(state)
        a, b = self._sums(x, h)
        i, f, g, o = (
            self._gate(letter, tanh if letter == "g" else sigmoid, s, t)
            for letter, s, t in zip(self._gates, a, b, strict=True)
        )
        c = [
            named(tag(f_j * c_j) + tag(i_j * g_j))
            for named, f_j, c_j, i_j, g_j in zip(self._tags["c"], f, c, i, g, strict=True)
        ]
        return [named(o_j * tag(tanh(c_j))) for named, o_j, c_j in zip(self._tags["h"], o, c, strict=True)], c

    def _pair(self, state: Any) -> tuple[Vector, Vector]:
        if state is None:
            return self._state(None, "h"), self._state(None, "c")
        pair = as_sequence(state)
        pair = list(map(as_sequence, pair)) if is_sequence(pair) else ()
        if len(pair) != 2 or not all(map(is_sequence, pair)):
            raise TypeError(
                f"{self!r}: the state must be a pair (h, c) of lists of {numbers(self.hidden)}, as the last step "
                "returned it; leave it out at first"
            )
        return self._state(pair[0], "h"), self._state(pair[1], "c")
