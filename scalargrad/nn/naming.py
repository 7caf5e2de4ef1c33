"""Names that know where they belong, so that pictures can draw a box around each neuron and each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

    from scalargrad.engine import Value


class Name(str):
    """A label with a scope: the path of modules it lies in, outermost first.

    A neuron labels its parameters "w0", "w1", ..., "b", and its output with an empty text; all carry its scope.

    >>> name = Name("w0", scope=("layer 0", "neuron 1 (tanh)"))
    >>> name, name.scope
    ('w0', ('layer 0', 'neuron 1 (tanh)'))
    """

    __slots__ = ("scope",)

    scope: tuple[str, ...]

    def __new__(cls, text: str, scope: tuple[str, ...] = ()) -> Self:
        """Make the text a name within the scope."""
        name = super().__new__(cls, text)
        name.scope = scope
        return name


def relabel(value: Value, text: str, scope: tuple[str, ...]) -> None:
    """Name a Value within a scope; a label that the user gave keeps its text and stays."""
    if not value.label or isinstance(value.label, Name):
        value.label = Name(text, scope)
