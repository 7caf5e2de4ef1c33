"""linear and Linear: a matrix of weights times a vector, plus a bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_sequence, inputs, is_sequence, not_in_a_list
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.arguments.vectors import for_each_row, matrix, numbers, vector
from scalargrad.nn.layers.initialisers import he_uniform, resolve_initialiser
from scalargrad.nn.layers.neurons import sizes
from scalargrad.nn.modules.known_module import FLAG, SIZE, KnownModule, Settings
from scalargrad.nn.modules.naming import Tag, relabel
from scalargrad.ops import dot
from scalargrad.support.spelling import Misnomer, explained

if TYPE_CHECKING:
    from typing_extensions import Never

    from scalargrad.nn.layers.initialisers import Initialiser

PYTORCH = he_uniform(3**-0.5)
"""U(-1/√nin, 1/√nin), from which PyTorch draws the weights and the biases of a linear layer."""


def linear(x: Sequence[Any], rows: Sequence[Sequence[Any]], bias: Sequence[Any] | None = None) -> list[Any]:
    """Return W x + b as a list: for each row of W, dot(row, x) + b_i, one node.

    Args:
        x: n numbers or Values; or a list of such vectors, and then a list of results comes back.
        rows: W, a list of m rows of n numbers or Values.
        bias: b, a list of m numbers or Values.

    Returns:
        A list of m, Values if there is a Value among the operands, else floats.

    Raises:
        ValueError: if the sizes do not fit together, or there is no row or number.
        TypeError: if something is no list, or an element is neither a Value nor a real number.

    >>> linear([1.0, 2.0], [[3.0, 4.0], [0.0, 1.0], [1.0, 0.0]], [0.5, 0.0, -1.0])
    [11.5, 2.0, 0.0]
    """
    W = matrix(rows, "linear: rows")
    b = None if bias is None else vector(bias, "linear: bias")
    if b is not None and len(b) != len(W):
        raise ValueError(f"linear: bias has {numbers(len(b))}, but there are {len(W)} rows: give one for each row")

    def result(x: list[Any]) -> list[Any]:
        if len(x) != len(W[0]):
            raise ValueError(
                f"linear: x has {numbers(len(x))}, but each row of weights has {len(W[0])}: they must be equally many"
            )
        return weighted_sums(x, W, b)

    return for_each_row(result, x, "linear: x")


def weighted_sums(x: Sequence[Any], W: Sequence[Sequence[Any]], b: Sequence[Any] | None) -> list[Any]:
    """Return the list of dot(row, x, b_i), sizes unchecked."""
    if set(map(type, x)) != _VALUES:
        return [dot(row, x) for row in W] if b is None else [dot(row, x, b_i) for row, b_i in zip(W, b, strict=True)]
    weighted_sum = dot.op.bind(x)  # type: ignore[attr-defined]
    if b is None:
        return [weighted_sum(tuple(row), False) for row in W]
    return [weighted_sum((*row, b_i), True) for row, b_i in zip(W, b, strict=True)]


_VALUES = {Value}


class Linear(KnownModule):
    """A linear layer: W x + b, PyTorch's `nn.Linear`. The result is a list, of one output as well.

    `Layer` is the same with an activation, neuron by neuron, as micrograd builds it; here the weights are a matrix.

    Args:
        nin: how many inputs it has.
        nout: how many outputs.
        bias: False leaves out b.
        init: the initialiser of W, or its name, and b starts at 0. Without one W and b are drawn from
            U(-1/√nin, 1/√nin), as in PyTorch.
        seed: seeds a generator of its own; without it, Python's global `random` draws.
        rng: or a `random.Random` to draw from.

    Attributes:
        W: the weights, a list of nout rows of nin Values; PyTorch's `weight`.
        b: the biases, a list of nout Values, or None; PyTorch's `bias`.

    Raises:
        TypeError: if a size is no integer.
        ValueError: if a size is not positive or a name is unknown.

    >>> layer = Linear(3, 2, seed=0)
    >>> layer, len(layer([1.0, -2.0, 0.5])), len(layer.parameters())
    (Linear(3, 2), 2, 8)
    """

    weight = Misnomer("the weights are W, a list of rows")
    bias = Misnomer("the biases are b, a list")
    in_features = Misnomer("write nin")
    out_features = Misnomer("write nout")
    _fields: ClassVar = {"nin": SIZE, "nout": SIZE, "bias": FLAG}
    _blank: ClassVar = {"init": "zeros"}

    @explained("Linear(2, 16)")
    def __init__(
        self,
        nin: int,
        nout: int,
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        self.nin, self.nout = sizes(nin, nout, "Linear(2, 16)")
        self.W, self.b = drawn(self.nout, self.nin, bool(bias), init, random_source(seed, rng), self.nin)
        self.place(("layer",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Label each row of weights and its bias as a Layer labels its neurons: w0, w1, ..., b of "neuron 1"."""
        self._tags = [Tag((*scope, f"neuron {i} (linear)"), outputs=1) for i in range(self.nout)]
        for i, row in enumerate(self.W):
            inside = self._tags[i].label.scope
            for k, weight in enumerate(row):
                relabel(weight, f"w{k}", inside)
            if self.b is not None:
                relabel(self.b[i], "b", inside)

    def __call__(self, x: Any, *_more: Never) -> list[Any]:
        """Return the list of nout outputs.

        Args:
            x: nin numbers or Values; numbers become constants "x0", "x1", ... Or a list of such rows, as a sequence
                of vectors is one: a list of lists comes back.

        Raises:
            ValueError: if a row has not nin elements.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        x = as_sequence(x)
        if is_sequence(x) and len(x) and is_sequence(x[0]):
            return [self._outputs(row) for row in x]
        return self._outputs(x)

    def _outputs(self, x: Any) -> list[Any]:
        outputs = weighted_sums(inputs(x, self.nin, self._head), self.W, self.b)
        return [tag(output) for tag, output in zip(self._tags, outputs, strict=True)]

    def _settings(self) -> Settings:
        return {"nin": self.nin, "nout": self.nout, "bias": self.b is not None}

    @classmethod
    def _size(cls, settings: Settings) -> int:
        return int(settings["nout"] * (settings["nin"] + settings["bias"]))

    def _head(self) -> str:
        return f"Linear({self.nin}, {self.nout}{'' if self.b is not None else ', bias=False'})"

    def __repr__(self) -> str:
        return self._head()


def drawn(
    nout: int, nin: int, bias: bool, init: str | Initialiser | None, rng: RandomSource, fan_in: int
) -> tuple[list[list[Value]], list[Value] | None]:
    """Return a matrix of parameters and its biases; without `init` U(-1/√fan_in, 1/√fan_in), biases too."""
    draw = PYTORCH if init is None else resolve_initialiser(init)
    W = [[Value(draw(rng, fan_in, nout), parameter=True) for _ in range(nin)] for _ in range(nout)]
    if not bias:
        return W, None
    return W, [Value(draw(rng, fan_in, nout) if init is None else 0.0, parameter=True) for _ in range(nout)]
