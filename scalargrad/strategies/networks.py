"""`networks`: small multi-layer perceptrons, each with an input point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hypothesis import strategies as st

from scalargrad import nn
from scalargrad.engine import Value, topological_order
from scalargrad.nn.layers.activations import ACTIVATIONS
from scalargrad.strategies.inputs import MOST_INPUTS, off_kinks
from scalargrad.support.arguments import items, real, whole
from scalargrad.table.row import Op


@dataclass(frozen=True, repr=False)
class Network:
    """A perceptron with one output, and a point: what `networks()` draws. Its repr is Python code that makes it.

    Attributes:
        nouts: how many neurons each layer has.
        activation: that of the hidden layers.
        seed: of the weights.
        inputs: the numbers that were drawn.

    >>> Network((2, 1), "tanh", 0, (1.0, -1.0))
    from scalargrad import nn
    <BLANKLINE>
    model = nn.MLP(2, [2, 1], activation='tanh', seed=0)
    y = model([1.0, -1.0])
    """

    nouts: tuple[int, ...]
    activation: str
    seed: int
    inputs: tuple[float, ...]

    @cached_property
    def model(self) -> nn.MLP:
        """The network itself, an `nn.MLP`; the same one every time."""
        return nn.MLP(len(self.inputs), list(self.nouts), activation=self.activation, seed=self.seed)

    def __call__(self, *xs: Any) -> Value:
        """The output for these inputs: a function of them to check."""
        output: Value = self.model(list(xs))
        return output

    def graph(self) -> tuple[Value, list[Value]]:
        """A fresh graph at the drawn inputs: the root, and the leaves: x0, x1, ..., then all parameters."""
        leaves = [Value(x, label=f"x{i}") for i, x in enumerate(self.inputs)]
        return self(*leaves), [*leaves, *self.model.parameters()]

    @property
    def code(self) -> str:
        """Python code that makes the model and computes y at the drawn inputs."""
        model = f"nn.MLP({len(self.inputs)}, {list(self.nouts)}, activation={self.activation!r}, seed={self.seed})"
        return f"from scalargrad import nn\n\nmodel = {model}\ny = model({list(self.inputs)})"

    def __repr__(self) -> str:
        return self.code

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002
        """What hypothesis and IPython print: the code at the left margin, so that it can be copied as it stands."""
        printer.text(f"\n{self.code}\n")


def networks(
    nin: int = 2,
    max_layers: int = 3,
    max_width: int = 4,
    *,
    activations: Sequence[str] = ACTIVATIONS,
    kinks: bool = False,
    margin: float = 0.01,
    span: float = 4.0,
) -> st.SearchStrategy[Network]:
    """Small networks with one output, and a point for each. They shrink to fewer layers and narrower ones.

    Args:
        nin: how many inputs.
        max_layers: how many layers at most, the output counted.
        max_width: how many neurons a hidden layer has at most.
        activations: those to choose from for the hidden layers.
        kinks: whether a neuron may stand at a kink of its activation at this point.
        margin: if not, how far each must be from it.
        span: the inputs are from -span to span.

    Raises:
        ValueError: if nin, max_layers or max_width is not positive.

    >>> from hypothesis import find
    >>> find(networks(nin=1), lambda network: len(network.nouts) == 2).nouts
    (1, 1)
    """
    nin = whole(nin, "networks: nin", "networks(nin=2)", most=MOST_INPUTS)
    max_layers = whole(max_layers, "networks: max_layers", "networks(max_layers=3)")
    max_width = whole(max_width, "networks: max_width", "networks(max_width=4)")
    margin, span = real(margin, "networks: margin"), real(span, "networks: span")
    activations = items(activations, "networks: activations", "('tanh', 'relu')")
    hidden = st.lists(st.integers(1, max_width), max_size=max_layers - 1)
    found = st.builds(
        Network,
        hidden.map(lambda sizes: (*sizes, 1)),
        st.sampled_from(activations),
        st.integers(0, 2**16),
        st.tuples(*[st.floats(-span, span, allow_subnormal=False).map(lambda x: x + 0.0)] * nin),
    )
    return found if kinks else found.filter(lambda network: _is_off_kinks(network, margin))


def _is_off_kinks(network: Network, margin: float) -> bool:
    root, _ = network.graph()
    for node in topological_order(root):
        op = node._rule
        if isinstance(op, Op) and op.kinks is not None and not off_kinks(op, [a for _, a in node.operands], margin):
            return False
    return True
