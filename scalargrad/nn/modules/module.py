"""Module: anything that holds parameters, and how they are found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.nn.modules.misnamed import METHODS
from scalargrad.nn.modules.naming import relabel
from scalargrad.nn.modules.states import Copies, assign, matching_numbers, numbers_of
from scalargrad.node.mode import being_compiled
from scalargrad.support.arguments import items
from scalargrad.support.learning import settings_changed
from scalargrad.support.slots import slots_of
from scalargrad.support.spelling import misnomers

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from typing_extensions import Self

    from scalargrad import Drawing, Live
    from scalargrad.nn.modules.resumable import Resumable

ZERO = 0.0
"""The very object that zero_grad assigns: what backward() adds, even 0.0, makes another one."""


class Module:
    """The base of everything with parameters. Store Values and Modules in attributes; they are found by themselves.

    Found are Values and Modules in attributes, and in lists, tuples and dicts in attributes, at any depth. A Value
    counts as a parameter if it is a leaf that requires grad, or was made with `parameter=True`; a constant
    (`requires_grad=False`) and a computed Value do not. No `super().__init__()` is needed.

    Attributes:
        training: True while the module learns; `eval()` sets it to False, `train()` to True.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).data, [name for name, _ in line.named_parameters()]
    (7.0, ['slope', 'offset'])
    """

    training: bool = True

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "training":
            settings_changed()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output; every subclass defines it."""
        raise NotImplementedError(
            f"{type(self).__name__} has no __call__: "
            f"{'rename its forward' if hasattr(self, 'forward') else 'define what the module computes there'}"
        )

    def on_batch(self, rows: Sequence[Any]) -> list[Any]:
        """Return the outputs for several samples: here one call for each; BatchNorm looks at all of them together."""
        return [self(row) for row in items(rows, "rows", "[[1.0, 2.0]], a batch of one sample")]

    def parameters(self) -> list[Value]:
        """Return every parameter once, in the order in which attributes were first set and containers list them.

        For an MLP that is micrograd's order: layer by layer, neuron by neuron, the weights and then the bias.
        """
        return [value for _, value in _own_parameters(self)]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return (dotted name, parameter) in the order of `parameters()`, as ('layers.0.neurons.1.w.0', Value(...)).

        A parameter reached by several paths has the name of the first. Where two paths read the same, as of the key
        "a.b" of a dict beside a dict "a" with a key "b", the one found later has "#2" at the end, or the next number
        that is free.
        """
        names = _names(self)
        return [(names[value], value) for value in self.parameters()]

    def modules(self) -> list[Module]:
        """Return this module and every module inside it, each once, in the order of `parameters()`."""
        return [part for _, part, _, _, _ in _walk(self) if isinstance(part, Module)]

    def zero_grad(self) -> None:
        """Set every parameter's `grad` to 0.0."""
        for parameter in self.parameters():
            parameter.grad = ZERO

    def train(self, mode: bool = True) -> Module:
        """Set `training` here and in every module inside; returns self."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Set `training` to False here and in every module inside; returns self."""
        return self.train(False)

    def state_dict(self) -> dict[str, float]:
        """Return every number that the module keeps, by name: the parameters, then the constants.

        The parameters are called as in `named_parameters()`, the constants by their path too, as BatchNorm's
        'running_mean.0'. Constants behind an attribute that begins with `_` are the module's own business and left out.
        The dict is a copy, its numbers those of one moment, even while another thread trains.

        >>> from scalargrad.nn import Neuron
        >>> Neuron(2, init="zeros").state_dict()
        {'w.0': 0.0, 'w.1': 0.0, 'b': 0.0}
        """
        return numbers_of(state_values(self, "state_dict"))

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set every number that the module keeps, from what `state_dict()` gave.

        All names and numbers are checked before the first is set: on an error nothing has changed. nan and inf are
        numbers here. Gradients stay what they are.

        Args:
            state: a number for each name of `state_dict()`, and for no other.

        Raises:
            ValueError: if names are missing or unexpected; the message lists them.
            TypeError: if an entry is not a real number, or state is not a dict.
            OverflowError: if an integer is too large for a float.

        >>> from scalargrad.nn import Neuron
        >>> first, second = Neuron(2, seed=1), Neuron(2, seed=2)
        >>> second.load_state_dict(first.state_dict())
        >>> second.state_dict() == first.state_dict()
        True
        """
        values = state_values(self, "load_state_dict")
        assign(values, matching_numbers(values, state, type(self).__name__))

    if TYPE_CHECKING:  # saving.py, which knows of files and of optimizers, gives these to the class

        def save(self, path: str | os.PathLike[str], *, optimizer: Resumable | None = None) -> Path: ...  # noqa: D102

        def load(self, path: str | os.PathLike[str], *, optimizer: Resumable | None = None) -> Self: ...  # noqa: D102

    def __reduce_ex__(self, protocol: Any) -> Any:
        found = super().__reduce_ex__(protocol)
        if isinstance(found, tuple) and _holds_value(found[1:]):
            return (Copies(found[0], type(self).__name__), *found[1:])
        return found

    def draw(self, X: Any = None, y: Any = None, **options: Any) -> Drawing:
        """Draw the network: columns of neurons, a line for each weight, as wide as it is large.

        With samples of two inputs, `draw(X, y)`, each circle shows what its neuron answers over the plane of inputs;
        with one sample, `draw(x=[0.5, 0.0])`, its value. `scalargrad.drawing.draw_network` describes the options. The
        graph of one output is drawn by `model(x).draw()`, that of one neuron by its own `draw(x)`.

        >>> from scalargrad.nn import MLP
        >>> MLP(2, [4, 1], seed=0).draw()
        <Drawing of MLP(2, [4, 1]): 2 inputs, 5 neurons, 12 weights>
        """
        from scalargrad import draw_network

        return draw_network(self, X, y, **options)

    def live(self, X: Any, y: Any, **options: Any) -> Live:
        """Watch the model learn: a page with its neurons, its weights, what it answers over the plane, and its loss.

        The steps of the page train this very model. `scalargrad.live_network` describes the options.

        >>> from scalargrad import nn
        >>> X, y = nn.moons(100, labels=(-1, 1), seed=0)
        >>> nn.MLP(2, [8, 1], activation="tanh", seed=0).live(X, y, loss="hinge", optimizer="adam", lr=0.05)
        <live MLP(2, [8, 1]): show() opens it>
        """
        from scalargrad import live_network

        return live_network(self, X, y, **options)

    def place(self, scope: tuple[str, ...]) -> None:
        """Tell the module where it lies in a network: its parameters' and outputs' labels get this scope.

        MLP and Sequential do this for their layers. Call `model.place(())` to name the parts of a Module of your own
        after its attributes; labels that you gave stay.
        """
        for path, part in _parts(self):
            if isinstance(part, Module):
                part.place((*scope, path))
            else:
                relabel(part, path, scope)

    def _head(self) -> str:
        """The module's own line in its repr."""
        return type(self).__name__

    def _part_name(self, path: str) -> str:
        """What a module that lies directly in this one is called in the repr."""
        return path

    def __repr__(self) -> str:
        lines = [f"{self._head()}, {_count(len(list(self.parameters())), 'parameter')}"]
        parts = [(self._part_name(path), repr(part)) for path, part in _parts(self) if isinstance(part, Module)]
        for text, group in groupby(parts, key=lambda part: part[1]):
            paths = [path for path, _ in group]
            name = paths[0] if len(paths) == 1 else f"{paths[0]} to {paths[-1]}, each"
            lines.append(f"  {name}: " + text.replace("\n", "\n  "))
        return "\n".join(lines)


misnomers(Module, METHODS)


def _holds_value(root: Any) -> bool:
    """Whether pickle would meet a Value; modules that say themselves what is to be pickled of them are left to it."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        part = stack.pop()
        if isinstance(part, Value):
            return True
        if id(part) not in seen and not (isinstance(part, Module) and _has_own_state(type(part))):
            seen.add(id(part))
            stack.extend([inner for _, inner in _inside(part) or ()])
    return False


def _has_own_state(kind: type[Module]) -> bool:
    names = ("__getstate__", "__reduce__", "__reduce_ex__")
    return any(getattr(kind, name, None) is not getattr(Module, name, None) for name in names)


def parameters_of(source: Module | Iterable[Value], who: str) -> list[Value]:
    """Return a module's parameters, or the given ones as a list; `who` asks, for the error message.

    Raises:
        TypeError: if it is neither a Module nor an iterable of Values.
    """
    has_own = callable(getattr(source, "parameters", None))
    if isinstance(source, (Value, str, bytes, type)) or not (has_own or hasattr(source, "__iter__")):
        raise TypeError(f"{who} takes a list of parameters, as model.parameters(), not {type(source).__name__}")
    given: Any = source
    found = items(given.parameters() if has_own else given, f"{who}: parameters", "model.parameters()")
    parameters = []
    for i, parameter in enumerate(found):
        if not isinstance(parameter, Value):
            raise TypeError(f"{who}: parameter {i} must be a Value, not {type(parameter).__name__}")
        parameters.append(parameter)
    return parameters


def state_values(root: Module, who: str) -> dict[str, Value]:
    """Return the leaves below root by name, parameters first: what makes the model this one."""
    if being_compiled():
        raise TypeError(f"{who}() works on plain numbers, and a replay would not do it again: call it outside")
    parameters = root.named_parameters()
    names, known = _names(root), {value for _, value in parameters}
    constants = [
        (names[part], part)
        for _, part, is_private, _, _ in _walk(root)
        if isinstance(part, Value) and part not in known and not is_private
    ]
    return {name: value for name, value in (*parameters, *constants) if value.is_leaf}


def _names(root: Module) -> dict[Value, str]:
    """A name for every Value of root's, no two the same; frozen or not, each keeps its own."""
    paths = {value: name for name, value in _own_parameters(root, everything=True)}
    for i, value in enumerate(root.parameters()):
        paths.setdefault(value, str(i))
    taken: set[str] = set()
    names = {}
    for value, path in paths.items():
        name, n = path, 1
        while name in taken:
            n += 1
            name = f"{path}#{n}"
        taken.add(name)
        names[value] = name
    return names


Found = tuple[str, Any, bool, bool, bool]
"""A Module or Value inside another Module: its dotted path; itself; whether an attribute or key on the way begins with
`_`; whether it lies inside another module than the root; and inside one that defines `parameters()` itself."""


def _walk(root: Module) -> Iterator[Found]:
    """Every Module and Value reachable from root, root first; each once, so cycles end."""
    seen: set[int] = set()
    stack: list[Found] = [("", root, False, False, False)]
    while stack:
        found = stack.pop()
        path, part, is_private, is_inner, is_decided = found
        if isinstance(part, Value):
            if id(part) not in seen:
                seen.add(id(part))
                yield found
            continue
        inside = _inside(part)
        if inside is None or id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Module):
            yield found
            if part is not root:
                is_inner, is_decided = True, is_decided or type(part).parameters is not Module.parameters
        prefix = f"{path}." if path else ""
        if type(part) in (list, tuple) and set(map(type, part)) == {Value}:  # most Values lie in rows of weights
            for i, value in enumerate(part):
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{prefix}{i}", value, is_private, is_inner, is_decided
            continue
        for key, value in reversed(inside):
            if isinstance(value, _KINDS):
                name = str(key)
                hidden = is_private or name[:1] == "_" or "._" in name
                stack.append((prefix + name, value, hidden, is_inner, is_decided))


_KINDS = (Value, Module, list, tuple, dict)


def _inside(part: Any) -> list[tuple[Any, Any]] | None:
    """What a container holds, by key; None if it is not a container."""
    if isinstance(part, (list, tuple)):
        return list(enumerate(part))
    if isinstance(part, Module):
        return [*_slots(part), *vars(part).items()]
    if isinstance(part, dict):
        return list(part.items())
    return None


def _slots(module: Module) -> list[tuple[str, Any]]:
    """What a module keeps in slots of its class and of those above it, which `vars` does not show."""
    cls: Any = type(module)
    return [(name, getattr(module, name)) for name in slots_of(cls) if hasattr(module, name)]


def _parts(module: Module) -> Iterator[tuple[str, Module | Value]]:
    """The Modules and parameters that lie directly in a module, not inside another one of them."""
    for path, part, _, is_inner, _ in _walk(module):
        if part is not module and not is_inner and (isinstance(part, Module) or _is_parameter(part)):
            yield path, part


def children(module: Module) -> list[tuple[str, Module]]:
    """Return the Modules that lie directly in a module, by their dotted paths, in the order of its attributes."""
    return [(path, part) for path, part in _parts(module) if isinstance(part, Module)]


def _own_parameters(root: Module, *, everything: bool = False) -> Iterator[tuple[str, Value]]:
    """The parameters below root. A module inside it that defines `parameters()` itself decides for its own part.

    With `everything`, the other Values too.
    """
    seen: set[Value] = set()
    for path, part, _, _, is_decided in _walk(root):
        if isinstance(part, Value):
            if (everything or (not is_decided and _is_parameter(part))) and part not in seen:
                seen.add(part)
                yield path, part
        elif part is not root and not is_decided and type(part).parameters is not Module.parameters:
            for name, value in part.named_parameters():
                if value not in seen:
                    seen.add(value)
                    yield f"{path}.{name}", value


def _is_parameter(value: Value) -> bool:
    rule = value._rule
    return rule.is_leaf and (rule.is_parameter or rule.requires_grad)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
