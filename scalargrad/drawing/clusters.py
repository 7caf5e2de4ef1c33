"""Which neuron a Value belongs to, from the scopes that nn leaves on the labels of parameters and outputs."""

from __future__ import annotations

from collections.abc import Sequence

from scalargrad.engine import Value

Scope = tuple[str, ...]
_SEVERAL: Scope = ("",)


def scope_of(value: Value) -> Scope:
    """The path of modules recorded on the Value's own label; empty if there is none.

    >>> scope_of(Value(1.0, label="w0"))
    ()
    """
    return tuple(getattr(value.label, "scope", ()))


def module_scopes(order: Sequence[Value]) -> dict[Value, Scope]:
    """The scope of every Value that lies in a module; Values outside all modules are left out.

    A module's parameters and its tagged outputs are in it, and everything on the way from one of its parameters to one
    of its outputs that crosses no other module's output.

    Args:
        order: a graph in topological order.
    """
    own = {value: scope for value in order if (scope := scope_of(value))}
    if not own:
        return {}
    below: dict[Value, Scope] = {}  # the one scope whose parameters flow into a node
    for value in order:
        scopes = {s for p in value.parents if (s := own[p] if _is_parameter(p, own) else below.get(p))}
        if value not in own and scopes:
            below[value] = scopes.pop() if len(scopes) == 1 else _SEVERAL
    above: dict[Value, Scope] = {}  # the one scope to whose outputs a node leads
    for value in reversed(order):
        target = own.get(value) or above.get(value)
        if target is not None:
            for parent in value.parents:
                above[parent] = target if above.get(parent, target) == target else _SEVERAL
    inside = {v: s for v, s in below.items() if s != _SEVERAL and above.get(v) == s}
    return own | inside


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


def _is_parameter(value: Value, own: dict[Value, Scope]) -> bool:
    return value in own and value.is_leaf
