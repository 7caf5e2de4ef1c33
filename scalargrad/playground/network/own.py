"""A model of the user's own, with its data, loss and optimizer, as `model.live(X, y)` is given them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scalargrad.drawing.columns import read_network
from scalargrad.nn.arguments.inputs import as_rows, is_sequence
from scalargrad.nn.descent.optimizers import OPTIMIZERS, Optimizer
from scalargrad.nn.modules.module import Module
from scalargrad.nn.scores.losses import resolve_loss
from scalargrad.node.numbers import plain_number
from scalargrad.playground.inputs import LARGEST
from scalargrad.playground.messages import RefusedError
from scalargrad.playground.network.plan import loss_of_a_sample
from scalargrad.playground.network.points import Points, plane_around
from scalargrad.support.arguments import brief, items, real
from scalargrad.support.labels import clean_label
from scalargrad.words.texts import counted

if TYPE_CHECKING:
    from collections.abc import Callable


class Own:
    """A model and its data.

    Args:
        model: a Module that can be drawn as a network, of two inputs and one output.
        X: rows of two numbers.
        y: a target for each.
        loss: a loss's name, or a function (scores, targets) -> Value of a batch; by default, the hinge loss for targets
            -1 and 1, bce_with_logits for 0 and 1, else mse.
        optimizer: its name, or an Optimizer.
        lr: the learning rate, if the optimizer is given by name.

    Raises:
        TypeError, ValueError: in words, if they do not fit.
    """

    names = ("x0", "x1")

    def __init__(
        self, model: Module, X: Any, y: Any, loss: Any = None, optimizer: str | Optimizer = "sgd",
        lr: float | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(model, Module):
            raise TypeError(f"live(model, X, y) takes a Module, as nn.MLP(2, [4, 1]), not {type(model).__name__}")
        columns = read_network(model).columns
        if len(columns[0].nodes) != 2 or len(columns[-1].nodes) != 1:
            raise ValueError(
                f"the network view shows models of two inputs, over whose plane it draws, and one output; this one has "
                f"{counted(len(columns[0].nodes), 'input')} and {counted(len(columns[-1].nodes), 'output')}"
            )
        self._X = [[real(plain_number(x), "each number of X") for x in row] for row in as_rows(X)]
        targets = [t[0] if is_sequence(t) and len(t) == 1 else t for t in items(y, "y", "[-1, 1]")]
        self._y = [real(plain_number(t), "each of y") for t in targets]
        if len(self._X) != len(self._y) or not self._X:
            raise ValueError(
                f"X has {counted(len(self._X), 'row')} and y {counted(len(self._y), 'target')}: give one for each"
            )
        if any(len(row) != 2 for row in self._X):
            raise ValueError("X must hold rows of two numbers")
        for what, numbers in zip((*self.names, "y"), (*zip(*self._X, strict=True), self._y), strict=True):
            if not all(abs(x) <= LARGEST for x in numbers):
                raise ValueError(f"{what} holds nan, inf or more than {LARGEST:g}: leave such rows out")
        classes = set(self._y)
        if loss is None:
            loss = "hinge" if classes <= {-1.0, 1.0} else "bce_with_logits" if classes <= {0.0, 1.0} else "mse"
        self.model, self.head = model, clean_label(model._head())
        self.loss: Callable[[Any, Any], Any] = loss_of_a_sample(resolve_loss(loss))
        self._loss_name = loss if isinstance(loss, str) else ""
        if isinstance(optimizer, str):
            if optimizer not in OPTIMIZERS:
                raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, not {brief(optimizer)}")
            kind: Any = OPTIMIZERS[optimizer]
            self._kind = kind.__name__
            self.optimizer: Optimizer = kind(model.parameters()) if lr is None else kind(model.parameters(), lr=lr)
        elif isinstance(optimizer, Optimizer):
            if lr is not None:
                raise ValueError("lr= goes with an optimizer given by name; this one has its own: set optimizer.lr")
            self._kind, self.optimizer = "", optimizer
        else:
            raise TypeError(f"optimizer must be a name or an Optimizer, not {type(optimizer).__name__}")
        self.lr = self.optimizer.lr
        self._start, self._undo = model.state_dict(), self.optimizer.snapshot()

    def points(self) -> Points:
        """The data, afresh."""
        return Points([*map(list, self._X)], [*self._y], plane=plane_around(self._X))

    def reset(self) -> None:
        """Put model and optimizer back to what they were."""
        self.model.load_state_dict(self._start)
        self._undo()

    def in_python(self) -> tuple[str, str, str]:
        """The Python expressions of the model and its optimizer, and the name of its loss.

        Raises:
            RefusedError: if one of them has none.
        """
        head = repr(self.model).split("\n")[0]
        if type(self.model).__name__ != "MLP" or not self._loss_name or not self._kind:
            raise RefusedError(
                "Python code is written for an MLP whose loss and optimizer were given by name; yours is in your "
                "notebook already. Download the model instead: nn.load opens it"
            )
        activations = [layer.neurons[0].activation for layer in vars(self.model)["layers"]]
        text = f"{head.split(', ' + str(len(self.model.parameters())))[0]}"
        return (
            f"nn.{text[:-1]}, activation={activations!r})\nmodel.load_state_dict({self._start!r})",
            f"nn.{self._kind}(model.parameters(), lr={self.lr!r})",
            self._loss_name,
        )
