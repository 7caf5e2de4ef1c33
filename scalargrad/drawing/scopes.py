"""The scopes that nn leaves on the labels of parameters and outputs: which neuron of which layer a Value belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scalargrad.engine import Value

Scope = tuple[str, ...]


def scope_of(value: Value) -> Scope:
    """The path of modules recorded on the Value's own label; empty if there is none.

    >>> from scalargrad import Value
    >>> scope_of(Value(1.0, label="w0"))
    ()
    """
    return tuple(map(str, getattr(value.label, "scope", ())))


def layer_of(scope: Scope) -> Scope:
    """The layer that a neuron's scope lies in.

    >>> layer_of(("layer 0", "neuron 1 (tanh)")), layer_of(("block 1", "layer 2", "neuron 0"))
    (('layer 0',), ('block 1', 'layer 2'))
    """
    for i in range(len(scope), 0, -1):
        if scope[i - 1].startswith("layer"):
            return scope[:i]
    return scope[:-1] or scope


def scope_title(scope: Scope) -> str:
    """The scope as one text: `layer 0 · neuron 1 (tanh)`."""
    return " · ".join(part for part in scope if part)
