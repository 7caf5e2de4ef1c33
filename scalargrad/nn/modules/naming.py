"""Names that know where they belong, so that pictures can draw a box around each neuron and each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scalargrad.node.extras import give_label
from scalargrad.support.arguments import brief

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

    __slots__ = ("given", "outputs", "scope")

    scope: tuple[str, ...]
    given: bool
    outputs: int

    def __new__(cls, text: str, scope: tuple[str, ...] = (), *, given: bool = False, outputs: int = 1) -> Self:
        """Make the text a name within the scope.

        Args:
            text: the label.
            scope: the path of modules.
            given: whether the user chose the text.
            outputs: how many outputs a call of the module has in this scope, so that pictures count its calls; 0 for
                what it computes on the way.
        """
        if not isinstance(text, str):
            raise TypeError(f"a Name is made of a text, not {brief(text)}")
        name = super().__new__(cls, text)
        name.scope = scope
        name.given = given
        name.outputs = outputs
        return name

    def renamed(self, text: str) -> Name:
        """Return the user's text in the same place, as `value.label = text` asks for; a Name brings its own place."""
        return text if isinstance(text, Name) else Name(text, self.scope, given=True)


def relabel(value: Value, text: str, scope: tuple[str, ...]) -> None:
    """Name a Value within a scope; a text that the user gave stays."""
    if value._a is None and (type(value._b) is Name or value._b == ""):  # a leaf's label, as extras.py keeps it
        label = value._b
        is_given = type(label) is Name and label.given
        value._b = Name(label, scope, given=True) if is_given else Name(text, scope)
        return
    label = value.label
    if isinstance(label, Name) and label.given:
        value.label = Name(label, scope, given=True)
    elif not label or isinstance(label, Name):
        value.label = Name(text, scope)


class Tag:
    """Labels what a module computes, so that pictures can draw the module as one card: tag(node) returns the node.

    A node on the way between two labelled ones belongs to no module, so every one is labelled, most with an empty text.
    The arguments are those of a Name.
    """

    __slots__ = ("label",)

    def __init__(self, scope: tuple[str, ...], text: str = "", *, outputs: int = 0) -> None:
        self.label = Name(text, scope, outputs=outputs)

    def __call__(self, node: Any) -> Any:
        """Label one node, which nobody has labelled before it."""
        if node._a is None or type(node._kept) is tuple:  # a constant, inside no_grad()
            give_label(node, self.label)
        else:  # as give_label does it, but for the calls: there are many nodes
            node._kept = (self.label, node._kept)
        return node


def untagged(node: Any) -> Any:
    """Return the node, or number, as it is: what functions that are no modules do in place of a Tag."""
    return node
