"""Embedding: a table with a learned row of numbers for each token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.engine import Value
from scalargrad.nn.arguments.inputs import as_sequence, count, is_sequence, not_in_a_list
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.layers.initialisers import resolve_initialiser
from scalargrad.nn.modules.known_module import SIZE, KnownModule, Settings
from scalargrad.nn.modules.naming import Tag, relabel
from scalargrad.ops import take
from scalargrad.support.arguments import MAX_DEPTH, MOST, too_deep
from scalargrad.support.spelling import Misnomer, explained

if TYPE_CHECKING:
    from typing_extensions import Never

    from scalargrad.nn.layers.initialisers import Initialiser


class Embedding(KnownModule):
    """A table with a learned row for each of `num` tokens: PyTorch's `nn.Embedding`.

    The row of a token is `take(W, token)`: of a plain number the parameters themselves, of a Value, as in a compiled
    function, nodes over them. The gradient goes to the rows that were taken.

    Args:
        num: how many tokens there are: 0 to num - 1.
        dim: how long a row is.
        init: the initialiser of W, or its name; by default N(0, 1), as in PyTorch.
        seed: seeds a generator of its own; without it, Python's global `random` draws.
        rng: or a `random.Random` to draw from.

    Attributes:
        W: the table, a list of num rows of dim Values; PyTorch's `weight`.

    Raises:
        TypeError: if a size is no integer.
        ValueError: if a size is not positive or a name is unknown.

    >>> from scalargrad.nn import normal
    >>> wte = Embedding(27, 16, init=normal(0.0, 0.08), seed=0)
    >>> wte, len(wte(3)), wte(3)[0] is wte.W[3][0], len(wte([3, 1, 26]))
    (Embedding(27, 16), 16, True, 3)
    """

    weight = Misnomer("the table is W, a list of rows")
    num_embeddings = Misnomer("write num")
    embedding_dim = Misnomer("write dim")
    _fields: ClassVar = {"num": SIZE, "dim": SIZE}
    _blank: ClassVar = {"init": "zeros"}

    @explained("Embedding(27, 16)")
    def __init__(
        self,
        num: int,
        dim: int,
        *,
        init: str | Initialiser = "normal",
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        example = "Embedding(27, 16)"
        self.num, self.dim = count(num, "num", example, MOST), count(dim, "dim", example, MOST)
        count(num * dim, "the number of weights, num * dim,", example, MOST)
        draw, source = resolve_initialiser(init), random_source(seed, rng)
        self.W = [[Value(draw(source, num, dim), parameter=True) for _ in range(dim)] for _ in range(num)]
        self.place(("embedding",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Label the table's numbers within the scope: w3,0 is the first of the row of token 3."""
        self._tag = Tag(scope, outputs=self.dim)
        for i, row in enumerate(self.W):
            for j, weight in enumerate(row):
                relabel(weight, f"w{i},{j}", scope)

    def __call__(self, tokens: Any, *_more: Never) -> list[Any]:
        """Return the row of a token, a list of dim Values; of a list of tokens the list of their rows.

        Args:
            tokens: a whole number from 0 to num - 1, as an int, a float, or a Value that holds one; or a list of them.

        Raises:
            IndexError: if there is no such token.
            TypeError: if a token is no number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, tokens, *_more)
        return self._rows(tokens, 0)

    def _rows(self, tokens: Any, depth: int) -> list[Any]:
        if depth > MAX_DEPTH:  # the cap is what allows recursion here
            raise too_deep("Embedding: the list of tokens")
        tokens = as_sequence(tokens)
        if is_sequence(tokens):
            return [self._rows(token, depth + 1) for token in tokens]
        row = take(self.W, tokens)
        return [self._tag(z) for z in row] if isinstance(tokens, Value) else list(row)

    @classmethod
    def _size(cls, settings: Settings) -> int:
        return int(settings["num"] * settings["dim"])

    def __repr__(self) -> str:
        return f"Embedding({self.num}, {self.dim})"
