"""attention, attention_weights and MultiHeadAttention: each query a mean of the values, by its likeness to the keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import count, inputs
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.arguments.vectors import matrix, numbers
from scalargrad.nn.layers.affine import Linear, weighted_sums
from scalargrad.nn.layers.softmaxes import softmax_of
from scalargrad.nn.modules.known_module import FLAG, SIZE, KnownModule, Settings
from scalargrad.nn.modules.naming import Tag, untagged
from scalargrad.support.arguments import MOST
from scalargrad.support.spelling import Misnomer, explained

if TYPE_CHECKING:
    from scalargrad.nn.layers.initialisers import Initialiser

Matrix = Sequence[Sequence[Any]]


def attention(queries: Matrix, keys: Matrix, values: Matrix, heads: int = 1, causal: bool = False) -> list[list[Any]]:
    """Return scaled dot-product attention, softmax(Q Kᵀ / √d) V: a row for each query.

    Each row is the mean of the values, weighted by how much the query is like their keys. With several heads, queries,
    keys and values are cut into as many equal pieces; each head attends with its own, and their results stand one
    behind the other.

    Args:
        queries: n rows of `width` numbers or Values.
        keys: m rows of `width`.
        values: m rows, one for each key.
        heads: how many heads; it divides the width of the queries and that of the values; d = width / heads.
        causal: whether query i sees keys 0 to i only. Then n = m. (The last query of a sequence sees every key: alone
            it needs no `causal`.)

    Returns:
        n rows as wide as the values.

    Raises:
        ValueError: if there is no row, the rows differ in length, there are not as many values as keys, heads does not
            divide a width, or causal is asked for with n ≠ m.
        TypeError: if something is no list of rows of Values or real numbers.

    Source: Vaswani and others, Attention is all you need, 2017, section 3.2.

    >>> attention([[0.0, 0.0]], keys=[[1.0, 2.0], [3.0, 4.0]], values=[[1.0], [3.0]])
    [[2.0]]
    """
    Q, K, heads = _checked("attention", queries, keys, heads, causal)
    V = matrix(values, "attention: values")
    if len(V) != len(K):
        raise ValueError(f"attention: there are {len(K)} keys but {len(V)} values: give one for each key")
    _check_heads(heads, len(V[0]), "attention: values")
    return mixed(weights_of(Q, K, heads, causal), V, causal)


def attention_weights(queries: Matrix, keys: Matrix, heads: int = 1, causal: bool = False) -> list[list[list[Any]]]:
    """Return how much each query attends to each key, softmax(Q Kᵀ / √d), as [head][query][key].

    The weights of a query sum to 1; those of keys that it does not see are 0. Arguments and errors are those of
    `attention`.

    >>> attention_weights([[1.0], [1.0]], keys=[[0.0], [0.0]], causal=True)
    [[[1.0, 0.0], [0.5, 0.5]]]
    """
    Q, K, heads = _checked("attention_weights", queries, keys, heads, causal)
    return weights_of(Q, K, heads, causal)


def weights_of(
    Q: Matrix, K: Matrix, heads: int, causal: bool, tags: Sequence[Callable[[Any], Any]] | None = None
) -> list[list[list[Any]]]:
    """Return the weights as `attention_weights` does, unchecked; each head's tag is called with its nodes."""
    d = len(Q[0]) // heads
    scale = 1 / math.sqrt(d)
    some_value = any(isinstance(x, Value) for x in chain(*Q, *K))
    unseen: Any = Value(0.0, requires_grad=False) if some_value else 0.0
    found = []
    for tag, start in zip(tags or [untagged] * heads, range(0, heads * d, d), strict=True):
        asking, asked = ([list(row[start : start + d]) for row in rows] for rows in (Q, K))
        rows = []
        for i, query in enumerate(asking):
            seen = asked[: i + 1] if causal else asked
            weights = softmax_of([tag(tag(likeness) * scale) for likeness in weighted_sums(query, seen, None)], tag)
            rows.append(weights + [unseen] * (len(asked) - len(seen)))
        found.append(rows)
    return found


def mixed(
    weights: Sequence[Matrix], V: Matrix, causal: bool, tags: Sequence[Callable[[Any], Any]] | None = None
) -> list[list[Any]]:
    """Return for each query the means of the values, head beside head, unchecked."""
    heads = len(weights)
    d = len(V[0]) // heads
    columns = [list(column) for column in zip(*V, strict=True)]
    rows = []
    for i in range(len(weights[0])):
        seen = i + 1 if causal else len(V)
        row: list[Any] = []
        for h, tag in enumerate(tags or [untagged] * heads):
            own = [column[:seen] for column in columns[h * d : (h + 1) * d]]
            row += map(tag, weighted_sums(weights[h][i][:seen], own, None))
        rows.append(row)
    return rows


def _checked(who: str, queries: Matrix, keys: Matrix, heads: Any, causal: bool) -> tuple[Matrix, Matrix, int]:
    Q, K = matrix(queries, f"{who}: queries"), matrix(keys, f"{who}: keys")
    if len(K[0]) != len(Q[0]):
        raise ValueError(
            f"{who}: a query has {numbers(len(Q[0]))}, but a key has {len(K[0])}: they must be equally many"
        )
    heads = count(heads, f"{who}: heads", f"{who}(..., heads=2)")
    _check_heads(heads, len(Q[0]), f"{who}: queries and keys")
    if causal and len(Q) != len(K):
        raise ValueError(
            f"{who}: causal says that query i sees keys 0 to i, but there are {len(Q)} queries and {len(K)} keys: give "
            "as many, or leave causal out, as for the last query alone, which sees every key"
        )
    return Q, K, heads


def _check_heads(heads: int, width: int, what: str) -> None:
    if width % heads:
        raise ValueError(f"{what} have {numbers(width)} a row, which {heads} heads cannot share equally")


class MultiHeadAttention(KnownModule):
    """Attention with learned projections, out(attention(query(x), key(x), value(x))).

    PyTorch's `nn.MultiheadAttention`, of one sequence. Every row attends to every row; with `causal`, row i to those
    up to itself.

    Args:
        width: how long a row is, going in and coming out.
        heads: how many heads; it divides the width.
        causal: whether a row sees only those up to itself.
        bias: False leaves out the biases of the four projections.
        init: the initialiser of the weights, or its name, and biases start at 0. Without one they are drawn as in
            `Linear`. (PyTorch draws query, key and value by Xavier's rule, and its biases start at 0.)
        seed: seeds a generator of its own; without it, Python's global `random` draws.
        rng: or a `random.Random` to draw from.

    Attributes:
        query: the projection W of the queries, a `Linear`; PyTorch's in_proj_weight and in_proj_bias hold the rows of
            query, key and value one below the other.
        key: that of the keys.
        value: that of the values.
        out: that of the heads' results; PyTorch's out_proj.

    Raises:
        TypeError: if a size is no integer.
        ValueError: if a size is not positive, heads does not divide width, or a name is unknown.

    Source: Vaswani and others, Attention is all you need, 2017, section 3.2.2.

    >>> layer = MultiHeadAttention(4, heads=2, causal=True, seed=0)
    >>> rows = layer([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    >>> len(rows), len(rows[0]), len(layer.parameters())
    (3, 4, 80)
    """

    in_proj_weight = Misnomer("it is three here: query.W, key.W and value.W")
    in_proj_bias = Misnomer("it is three here: query.b, key.b and value.b")
    out_proj = Misnomer("write out")
    embed_dim = Misnomer("write width")
    num_heads = Misnomer("write heads")
    _fields: ClassVar = {"width": SIZE, "heads": SIZE, "causal": FLAG, "bias": FLAG}
    _blank: ClassVar = {"init": "zeros"}

    @explained("MultiHeadAttention(16, heads=4)")
    def __init__(
        self,
        width: int,
        heads: int,
        *,
        causal: bool = False,
        bias: bool = True,
        init: str | Initialiser | None = None,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        example = "MultiHeadAttention(16, heads=4)"
        self.width, self.heads = count(width, "width", example, MOST), count(heads, "heads", example)
        if self.width % self.heads:
            raise ValueError(
                f"MultiHeadAttention: a width of {self.width} cannot be shared equally by {self.heads} heads: choose "
                f"heads that divide the width, as in {example}"
            )
        self.causal = bool(causal)
        rng = random_source(seed, rng)
        self.query, self.key, self.value, self.out = (
            Linear(self.width, self.width, bias, init=init, rng=rng) for _ in range(4)
        )
        self.place(("attention",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Place the projections as "query", "key", "value" and "out" within the scope, what is between as "head 1"."""
        super().place(scope)
        self._tags = [Tag((*scope, f"head {h}")) for h in range(self.heads)]

    def __call__(self, x: Matrix, context: Matrix | None = None) -> list[list[Any]]:
        """Return a row of `width` Values for each row of x.

        Args:
            x: n rows of `width` numbers or Values.
            context: m rows of `width` that the rows of x attend to, in place of themselves.

        Raises:
            ValueError: if there is no row, or one has not `width` elements; with `causal`, if m ≠ n.
            TypeError: if it is no list of rows of Values or real numbers.
        """
        Q, K, V = self._projected(x, context)
        return self.out(mixed(weights_of(Q, K, self.heads, self.causal, self._tags), V, self.causal, self._tags))

    def weights(self, x: Matrix, context: Matrix | None = None) -> list[list[list[Any]]]:
        """Return how much each row attends to each, as [head][query][key]; arguments and errors as in a call."""
        Q, K, _ = self._projected(x, context)
        return weights_of(Q, K, self.heads, self.causal, self._tags)

    def _projected(self, x: Matrix, context: Matrix | None) -> tuple[Matrix, Matrix, Matrix]:
        asking = self._rows(x, "x")
        given = asking if context is None else self._rows(context, "context")
        if self.causal and len(given) != len(asking):
            raise ValueError(
                f"{self!r}: causal says that row i sees rows 0 to i of the context, but x has {len(asking)} rows and "
                f"the context {len(given)}: give as many, or leave causal out"
            )
        return self.query(asking), self.key(given), self.value(given)

    def _rows(self, x: Any, what: str) -> list[Sequence[Any]]:
        rows = matrix(x, f"{self!r}: {what}", self.width)
        return [inputs(row, self.width, self._head) for row in rows]

    def _head(self) -> str:
        return f"MultiHeadAttention({self.width}, heads={self.heads}{', causal=True' if self.causal else ''})"

    def _settings(self) -> Settings:
        return {"width": self.width, "heads": self.heads, "causal": self.causal, "bias": self.out.b is not None}

    @classmethod
    def _size(cls, settings: Settings) -> int:
        return int(4 * settings["width"] * (settings["width"] + settings["bias"]))

    def __repr__(self) -> str:
        return self._head()
