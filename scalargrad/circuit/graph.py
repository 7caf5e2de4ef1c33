"""Gates wired together by hand: forward in topological order, backward in reverse, gradients added up at branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from scalargrad.circuit.gates import Gate
from scalargrad.circuit.node import Node
from scalargrad.engine import Value, topological_order
from scalargrad.node.errors import no_graph
from scalargrad.node.naming import display_names, without_isolates
from scalargrad.node.numbers import number_in
from scalargrad.node.overwritten import was_overwritten
from scalargrad.node.variables import Names, variable_names
from scalargrad.support.arguments import brief, real
from scalargrad.support.labels import clean_label
from scalargrad.support.reals import number
from scalargrad.table.row import Op


class ComputationalGraph:
    """The graph object of CS231n, lecture 4: gates, and wires between them that are known by their names.

    A wire that no gate drives is an input. A gate is any object with `forward(x, y, ...)` that returns a number and
    `backward(dz)` that returns a list with a gradient for each input: one of this package, or one that you write.

    Attributes:
        nodes: the gates with their wires, as they were added.
        values: the number on each wire, after `forward`.
        gradients: the derivative of the output with respect to each wire, after `backward`.

    >>> from scalargrad.circuit import MulConstantGate, SigmoidGate
    >>> graph = ComputationalGraph()
    >>> doubled = graph.gate(MulConstantGate(2.0), "x")
    >>> graph.gate(SigmoidGate(), doubled, name="out")
    'out'
    >>> graph
    <ComputationalGraph of 2 gates: inputs x; output out>
    >>> graph.forward({"x": 0.0}), graph.backward()
    (0.5, {'x': 0.5})
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.values: dict[str, float] = {}
        self.gradients: dict[str, float] = {}
        self._order: list[Node] = []
        self._output = ""
        self._by_output: dict[str, Node] = {}
        self._gates: set[int] = set()  # their ids: gates need not be hashable
        self._names: set[str] = set()
        self._unnamed = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy has other gates."""
        vars(self).update(state)
        self._gates = {id(node.gate) for node in self.nodes}

    @classmethod
    def from_value(cls, value: Value, *, names: Names = True) -> ComputationalGraph:
        """The graph that computed a Value, as gates; `forward` has been run at the numbers that the leaves hold now.

        Every leaf is an input. Wires are called as in pictures: by their label, else by the caller's variable, else
        v1, v2, ... Numbers that were operands become constants of their gates.

        Args:
            value: the output of the graph.
            names: whether the caller's variables give names, as in `draw`.

        Raises:
            TypeError: if value is not a Value.
            ValueError: if it was not computed, or by something else than an op of the table.
        """
        if not isinstance(value, Value):
            raise no_graph("from_value", value)
        order = topological_order(value)
        shown = display_names(order, variable_names(order, names, "from_value"))
        wire_of = {node: without_isolates(name) for node, name in shown.items()}
        graph = cls()
        for node in order:
            if node.is_leaf:
                continue
            rule = node._rule
            if not isinstance(rule, Op) or was_overwritten(node):
                why = "its data was assigned" if was_overwritten(node) else f"{brief(rule.text)} was written by hand"
                raise ValueError(
                    f"from_value: {wire_of[node]} cannot be computed anew from other inputs, as {why}: only ops of the "
                    "table become gates"
                )
            constants = {i: a for i, (parent, a) in enumerate(node.operands) if parent is None}
            wires = [wire_of[parent] for parent in node.parents]
            graph.gate(Gate(rule, constants), *wires, name=wire_of[node])
        graph.forward({wire_of[leaf]: number_in(leaf) for leaf in order if leaf.is_leaf})
        return graph

    # ---------------------------------------------------------------- building

    def gate(self, gate: Any, *inputs: str, name: str = "") -> str:
        """Add a gate that reads these wires, and return the name of the wire that it drives.

        Gates may be added in any order, also before those whose wires they read.

        Args:
            gate: the gate; one object for each place, as it keeps the numbers that it saw.
            inputs: the names of wires: inputs of the graph, or what other calls returned.
            name: the output wire's; by default v1, v2, ...

        Raises:
            TypeError: if this is no gate, a wire is no name, or the gate takes another number of inputs.
            ValueError: if the gate is in the graph already, or another gate drives a wire of that name.
        """
        who = getattr(gate, "name", type(gate).__name__)
        if isinstance(gate, type) or not all(callable(getattr(gate, m, None)) for m in ("forward", "backward")):
            given = f"the class {gate.__name__}" if isinstance(gate, type) else type(gate).__name__
            raise TypeError(f"gate() takes an object with forward and backward, as MultiplyGate(), not {given}")
        for wire in (*inputs, name):
            if not isinstance(wire, str):
                raise TypeError(
                    f"a wire is known by its name, so not {brief(wire)} of type {type(wire).__name__}; constants "
                    "belong into gates, as in MulConstantGate(2.0)"
                )
        if not inputs or "" in inputs:
            raise ValueError(f"{who} needs names for the wires that it reads, not ({', '.join(map(brief, inputs))})")
        if getattr(gate, "nin", None) not in (None, len(inputs)):
            given = ", ".join(map(brief, inputs))
            raise TypeError(f"{who} reads {gate.nin} wire{'s' * (gate.nin != 1)}, not {len(inputs)}: {given}")
        if id(gate) in self._gates:
            raise ValueError(f"this {who} is in the graph already, and keeps the numbers of one place: make another")
        if name in self._by_output:
            raise ValueError(f"the wire {brief(name)} is driven by another gate already: give this one another name")
        self._names |= {*inputs, name}
        while not name:
            self._unnamed += 1
            name = f"v{self._unnamed}" if f"v{self._unnamed}" not in self._names else ""
        node = self._by_output[name] = Node(gate, inputs, name)
        self.nodes.append(node)
        self._gates.add(id(gate))
        self.values, self.gradients, self._order = {}, {}, []
        return name

    @property
    def inputs(self) -> list[str]:
        """The wires that no gate drives, in the order in which gates read them."""
        wires = (wire for node in self.nodes for wire in node.inputs)
        return list(dict.fromkeys(wire for wire in wires if wire not in self._by_output))

    @property
    def output(self) -> str:
        """The wire whose number `forward` returns: the one that no gate reads. Assign a name to choose another.

        Raises:
            ValueError: if several wires are read by no gate, or the graph is empty.
        """
        if self._output:
            return self._output
        read = {wire for node in self.nodes for wire in node.inputs}
        ends = [node.output for node in self.nodes if node.output not in read]
        if len(ends) != 1:
            self.nodes_topologically_sorted()  # a graph without an end is empty or has a cycle
            several = _listed(ends, " and ")
            raise ValueError(f"no gate reads {several}: choose the output, as in graph.output = {brief(ends[0])}")
        return ends[0]

    @output.setter
    def output(self, wire: str) -> None:
        if not isinstance(wire, str) or wire not in self._by_output:
            raise ValueError(f"no gate drives {brief(wire)}; there are {_listed(self._by_output)}")
        self._output = wire
        self.gradients = {}

    def nodes_topologically_sorted(self) -> list[Node]:
        """The gates with their wires, each after those whose outputs it reads.

        Raises:
            ValueError: if gates read each other's outputs in a circle, or there is no gate.
        """
        if not self.nodes:
            raise ValueError('the graph has no gate: add one, as in graph.gate(AddGate(), "x", "y")')
        if not self._order:
            by_output = self._by_output
            sorter = TopologicalSorter({node.output: node.inputs for node in self.nodes})
            try:
                self._order = [by_output[wire] for wire in sorter.static_order() if wire in by_output]
            except CycleError as error:
                raise ValueError(
                    f"the wires form a cycle, {_listed(error.args[1], ' → ')}: no gate of it can be computed first"
                ) from None
        return list(self._order)

    # ---------------------------------------------------------------- running

    def forward(self, inputs: Mapping[str, float]) -> float:
        """Compute every gate, those first that others read, and return the number on the output wire.

        Args:
            inputs: a number for each input wire.

        Raises:
            ValueError: if an input is missing or unknown, or the gates form a cycle.
            TypeError: if inputs is no mapping, or an input, or what a gate returns, is no number.
        """
        if not isinstance(inputs, Mapping):
            raise TypeError(f'forward takes a dict of inputs, as in {{"x": 2.0}}, not {type(inputs).__name__}')
        order, output, wanted = self.nodes_topologically_sorted(), self.output, self.inputs
        missing, unknown = [w for w in wanted if w not in inputs], [w for w in inputs if w not in wanted]
        if missing or unknown:
            wrong = [f"{_listed(missing)} is missing"] * bool(missing)
            wrong += [f"{', '.join(map(brief, unknown))} is no input"] * bool(unknown)
            raise ValueError(f"forward: {' and '.join(wrong)}; the inputs are {_listed(wanted)}")
        values: dict[str, float] = {}
        for wire in wanted:
            try:
                values[wire] = number(inputs[wire])
            except TypeError as error:
                raise TypeError(f"forward: the input {brief(wire)}: {error}") from None
        self.values, self.gradients = {}, {}  # if a gate raises, some have the new numbers and others the old ones
        for node in order:
            values[node.output] = node.forward([values[wire] for wire in node.inputs])
        self.values = values
        return values[output]

    def backward(self, seed: float = 1.0) -> dict[str, float]:
        """Run every gate's backward in reverse order and return the gradient of each input.

        Gradients add at branches: a wire that several gates read gets the sum. `gradients` has those of all wires.

        Args:
            seed: the gradient of the output itself.

        Raises:
            ValueError: if `forward` was not run before, or a gate returns too many or too few gradients.
            TypeError: if one of them is no number.
        """
        if not self.values:
            raise ValueError("backward came before forward: run graph.forward({...}), so that every gate has numbers")
        gradients: dict[str, float] = {self.output: real(seed, "backward: seed")}
        for node in reversed(self.nodes_topologically_sorted()):
            if node.output not in gradients:  # it does not lead to the output
                continue
            for wire, d in zip(node.inputs, node.backward(gradients[node.output]), strict=True):
                gradients[wire] = gradients.get(wire, 0.0) + d
        self.gradients = {wire: gradients.get(wire, 0.0) for wire in self.values}
        return {wire: self.gradients[wire] for wire in self.inputs}

    # ---------------------------------------------------------------- looking

    def to_value(self) -> tuple[Value, dict[str, Value]]:
        """The graph at the numbers of the last `forward`, made of Values: the output, and the leaf of each input.

        Wires become labels, and if `backward` was run the Values have its gradients. Values and gates do not share
        anything: a later `forward` leaves these Values as they are.

        Raises:
            ValueError: if `forward` was not run before.
        """
        if not self.values:
            raise ValueError("the wires have no numbers yet: run graph.forward({...}) first")
        made = {wire: Value(self.values[wire], label=wire) for wire in self.inputs}
        leaves = dict(made)
        for node in self.nodes_topologically_sorted():
            made[node.output] = node.value([made[wire] for wire in node.inputs], self.values[node.output])
            made[node.output].label = node.output
        for wire, gradient in self.gradients.items():
            made[wire].grad = gradient
        return made[self.output], leaves

    def draw(self, **options: Any) -> Any:
        """The picture of the graph: `scalargrad.draw(value, **options)`; with style='circuit' as on the slides."""
        return self.to_value()[0].draw(**options)

    def trace(self, seed: float = 1.0, *, expand: bool = False) -> Any:
        """The steps of forward and backward, one by one: `scalargrad.trace(value)`."""
        from scalargrad.tracing.trace import trace

        return trace(self.to_value()[0], seed, expand=expand)

    def __repr__(self) -> str:
        read = {wire for node in self.nodes for wire in node.inputs}
        ends = [self._output] if self._output else [node.output for node in self.nodes if node.output not in read]
        count = f"{len(self.nodes)} gate{'s' * (len(self.nodes) != 1)}"
        inputs, outputs = _listed(self.inputs) or "none", _listed(ends) or "none"
        return f"<ComputationalGraph of {count}: inputs {inputs}; output {outputs}>"


def _listed(wires: Iterable[str], separator: str = ", ") -> str:
    """The names of wires as they may be shown."""
    return separator.join(map(clean_label, wires))
