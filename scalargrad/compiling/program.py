"""record: the graph of a Value as a program that can be run again with other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from threading import local
from typing import Any

from scalargrad.compiling.backends import Run, check_backend
from scalargrad.compiling.pipeline import jax_function, runner, runner_with_gradient
from scalargrad.compiling.reached import Numbers, numbers_of, parameters_for
from scalargrad.compiling.tape import CONSTANT, INPUT, SOURCES, Instruction, op_of
from scalargrad.compiling.taping import TapedGraph
from scalargrad.compiling.watching import refuse_to_be_recorded
from scalargrad.engine import Value, gradients, topological_order
from scalargrad.node.errors import no_graph
from scalargrad.node.extras import hooks_of, keep
from scalargrad.node.mode import in_mode
from scalargrad.node.naming import display_names
from scalargrad.node.numbers import describe, number_in
from scalargrad.support.arguments import brief, items
from scalargrad.support.console import printable
from scalargrad.support.reals import number
from scalargrad.support.turns import Turns
from scalargrad.table.row import Op

LINES = 60


class _LastRun(local):
    """What `backward` and `write_back` go by; each thread has its own."""

    numbers: Sequence[float] = ()
    seed = 1.0


class Program:
    """A recorded graph: inputs, parameters, constants, instructions in topological order, an output.

    Made by `scalargrad.record`. Running it builds no Values; `print(program)` shows it. Several threads may run it at
    once: `backward` and `write_back` go by what the same thread has run last.

    Attributes:
        root: the Value whose graph it is.
        inputs: the leaves whose numbers a call brings.
        parameters: the other leaves; their numbers are read at every run.
        code: the instructions as they were recorded, ops of the table over slots.

    >>> import scalargrad
    >>> x, w = scalargrad.Value(2.0, label='x'), scalargrad.Value(3.0, label='w')
    >>> program = scalargrad.record((w * x).tanh(), inputs=[x], backend="python")
    >>> print(program)
    program of 2 instructions
      x = input
      w = parameter
      v1 = multiply(w, x)
      v2 = tanh(v1)
      output v2
    >>> program.forward({'x': 0.0}), program.backward()
    (0.0, {'x': 3.0, 'w': 0.0})
    """

    def __init__(self, root: Value, inputs: Sequence[Value], choice: str) -> None:
        self.root = root
        taped = TapedGraph([root], inputs)
        self.inputs, self.parameters = taped.inputs, taped.parameters
        self._tape, self._output = taped.tape, taped.slots[root]
        self.code: list[Instruction] = list(taped.tape.code)
        self._checks = taped.checks()
        self._places = taped.places
        self._slots = taped.slots
        self._choice = choice
        self._trained = [leaf for leaf in (*self.inputs, *self.parameters) if leaf.requires_grad]
        self._value: tuple[Run, Numbers] | None = None  # with what gives it the parameters' numbers
        self._gradient: tuple[Run, Numbers] | None = None
        self._turns = Turns()  # to make one of these two
        self._last = _LastRun()

    # ---------------------------------------------------------------- running

    def forward(self, inputs: Mapping[Any, float] | Sequence[float] = ()) -> float:
        """Compute the output.

        Args:
            inputs: numbers by Value or label, or one for each of `inputs` in order; an input that is left out keeps the
                number that its Value holds.

        Raises:
            ValueError: if there is no input of such a name, or too few or many numbers are given.
            IndexError: if an index of the graph, as of `take`, is none.
        """
        refuse_to_be_recorded("program.forward()")
        numbers = self._given(inputs)
        run, parameters = self._value or self._make_value()
        result, *checks = run(parameters(), numbers)
        self._check(checks)
        self._last.numbers, self._last.seed = numbers, 1.0
        return result

    def backward(self, seed: float = 1.0) -> dict[str, float]:
        """The gradient of the output with respect to each leaf, by its name, at the inputs of the last `forward`.

        The other leaves count as they are now.

        Args:
            seed: the gradient of the output itself.
        """
        if not self._last.numbers and self.inputs:
            raise ValueError("backward came before forward: run program.forward({...}) first")
        refuse_to_be_recorded("program.backward()")
        _, grads = self._both(self._last.numbers, number(seed))
        names = self._names()
        return {names[leaf]: grad for leaf, grad in zip(self._trained, grads, strict=True)}

    def value_and_grad(self, inputs: Mapping[Any, float] | Sequence[float] = ()) -> tuple[float, list[float]]:
        """The output and its gradients with respect to the leaves that require grad, inputs first, in one run."""
        refuse_to_be_recorded("program.value_and_grad()")
        return self._both(self._given(inputs), 1.0)

    def bind(self, out: Any, inputs: Any = None) -> Callable[[], float]:
        """A function without arguments that runs the program, returns the output and writes its gradients into `out`.

        For loops in which making a list of them would cost more than the computation, as it does for programs of
        thousands of parameters. The numbers of Values are read anew in each call. `backward` and `write_back` know
        nothing of such runs. Each thread needs a function of its own: bind once more.

        Args:
            out: an array for the gradients with respect to `leaves`, in their order: numpy's of float64, or whatever
                else has a buffer of writable, contiguous doubles, as `array("d")`.
            inputs: the same with a number for each of `inputs`, read anew in each call; those that the Values hold, if
                left out.

        Raises:
            TypeError: if one of them is no such memory.
            ValueError: if it has another size.

        >>> import scalargrad
        >>> from array import array
        >>> x, w = scalargrad.Value(2.0, label='x'), scalargrad.Value(3.0, label='w')
        >>> out = array("d", [0.0, 0.0])
        >>> run = scalargrad.record(w * x, inputs=[x], backend="python").bind(out)
        >>> w.data = 5.0
        >>> run(), out.tolist()
        (10.0, [5.0, 2.0])
        """
        refuse_to_be_recorded("program.bind()")
        from scalargrad.compiling.binding import bound_program

        run, parameters = self._gradient or self._make_gradient()
        return bound_program(self, run, parameters, out, inputs)

    @property
    def leaves(self) -> list[Value]:
        """The leaves that get a gradient, in the order of `value_and_grad`."""
        return list(self._trained)

    def write_back(self) -> None:
        """Put the numbers of the last run and their gradients into the original Values.

        Drawing and stepping the root then shows them. Every `grad` in the graph is overwritten.
        """
        new: dict[Value | None, float] = dict(zip(self.inputs, self._last.numbers, strict=False))
        order = topological_order(self.root)
        with in_mode(follows_ieee=True):
            for node in order:
                op = node._rule
                if isinstance(op, Op):
                    numbers = [new.get(p, a if p is None else number_in(p)) for p, a in node.operands]
                    new[node] = op.apply([None] * len(numbers), numbers)
        for node in order:
            op, operands = node._rule, node.operands
            if node in new:
                node._data = new[node]
                keep(node, node.label, new[node], hooks_of(node))
            if isinstance(op, Op):
                op.keep_operands(node, [p for p, _ in operands], [a if p is None else p._data for p, a in operands])
        found = gradients([self.root], [self._last.seed]) if self._trained else dict.fromkeys(order, 0.0)
        for node, adjoint in found.items():
            node.grad = adjoint if node._a is not None or node._rule.requires_grad else 0.0

    def _both(self, numbers: Sequence[float], seed: float) -> tuple[float, list[float]]:
        run, parameters = self._gradient or self._make_gradient()
        found, n = run(parameters(), [*numbers, seed]), len(self._trained)
        if self._places:
            self._check(found[1 + n :])
            del found[1 + n :]
        self._last.numbers, self._last.seed = numbers, seed
        return found.pop(0), found

    def _make_value(self) -> tuple[Run, Numbers]:
        with self._turns:
            if self._value is None:  # else another thread has made it meanwhile
                run = runner(self._choice, self._tape.code, [self._output, *self._checks])
                self._value = run, parameters_for(run, self.parameters)
            return self._value

    def _make_gradient(self) -> tuple[Run, Numbers]:
        with self._turns:
            if self._gradient is None:
                tape = self._tape
                seed = tape.source(INPUT, len(self.inputs))
                wrt = [self._slots[leaf] for leaf in self._trained]
                run = runner_with_gradient(self._choice, tape, self._output, wrt, seed, self._checks)
                self._gradient = run, parameters_for(run, self.parameters)
            return self._gradient

    def _check(self, violations: Sequence[float]) -> None:
        """Raise IndexError if a Value by which the graph takes one of some entries is the index of none now."""
        for place, violation in zip(self._places, violations, strict=True):
            if violation != 0.0:
                raise IndexError(f"the program cannot run for these numbers: {place}")

    def _given(self, inputs: Mapping[Any, float] | Sequence[float]) -> list[float]:
        if isinstance(inputs, Mapping):
            places: dict[Any, int] = {x: i for i, x in enumerate(self.inputs)}
            labels: dict[Any, int] = {x.label: i for i, x in reversed(list(enumerate(self.inputs))) if x.label}
            numbers = numbers_of(self.inputs)
            for key, x in inputs.items():
                at = places.get(key) if isinstance(key, Value) else labels.get(key)
                if at is None:
                    names = ", ".join(map(describe, self.inputs)) or "none: record(root, inputs=[...]) names them"
                    raise ValueError(f"{brief(key)} is no input of the program; its inputs are {names}")
                numbers[at] = number(x)
            return numbers
        if isinstance(inputs, AbstractSet):
            raise TypeError("inputs must be a list, whose order is that of the program's inputs; a set has none")
        inputs = items(inputs, "inputs", "[1.0, 2.0], or {'x': 1.0}")
        if not inputs:
            return numbers_of(self.inputs)
        if len(inputs) != len(self.inputs):
            raise ValueError(f"the program has {len(self.inputs)} inputs, but {len(inputs)} numbers were given")
        return [number(x) for x in inputs]

    # ---------------------------------------------------------------- looking

    def _names(self) -> dict[Value, str]:
        return display_names(list(self._slots))

    def to_python(self, name: str = "f") -> str:
        """Staged Python code of forward and backward pass, each derivative named: `scalargrad.to_python`."""
        return self.root.to_python(name)

    def to_jax(self, dtype: str = "float64") -> Any:
        """The program as a pure JAX function f(parameters, inputs) -> the output, over two 1-d arrays.

        jit, vmap, grad and sharding apply. The numbers are in the order of `parameters` and of `inputs`. JAX
        differentiates by itself, unmasked, as `Compiled.to_jax` says.

        Args:
            dtype: as in `Compiled.to_jax`.
        """
        return jax_function(self.code, self._output, [len(self.inputs)], dtype)

    def __str__(self) -> str:
        return printable(self._listing())

    def _listing(self) -> str:
        names = {slot: name for value, name in self._names().items() for slot in [self._slots[value]]}

        def text(slot: int) -> str:
            return repr(float.fromhex(self.code[slot][1])) if self.code[slot][0] is CONSTANT else names[slot]

        count = sum(instruction[0] not in SOURCES for instruction in self.code)
        lines = []
        for slot, (op, *operands) in enumerate(self.code):
            if op is CONSTANT:
                continue
            right = op if op in SOURCES else f"{op_of(op).name}({', '.join(map(text, operands))})"
            lines.append(f"  {names[slot]} = {right}")
            if len(lines) == LINES:
                lines.append("  …")
                break
        return "\n".join([f"program of {count} instructions", *lines, f"  output {text(self._output)}"])

    def __repr__(self) -> str:
        count = sum(instruction[0] not in SOURCES for instruction in self.code)
        return f"<program of {count} instructions, {len(self.inputs)} inputs, {len(self.parameters)} parameters>"


def record(root: Value, inputs: Iterable[Value] | None = None, *, backend: str = "auto") -> Program:
    """Record the graph that computed a Value as a program, to run it again with other numbers.

    What Python decided while the graph was built stays as it was decided; `scalargrad.compile` of a function watches
    its comparisons. Several threads may run the program at once; `write_back` changes the Values, so that none may run
    meanwhile.

    Args:
        root: the output.
        inputs: leaves whose numbers each run brings. All others are read from their Values at each run, so that a
            change of their `data` counts.
        backend: as in `compile`.

    Raises:
        ValueError: if a node was computed by something else than an op of the table or a primitive.
        TypeError: if root is not a Value or an input is not a leaf.
    """
    if not isinstance(root, Value):
        raise no_graph("record", root)
    check_backend(backend)
    given = [] if inputs is None else items(inputs, "inputs", "record(root, inputs=[x, y])")
    if len(set(map(id, given))) < len(given):
        raise ValueError("an input was given twice: each of them brings one number")
    for x in given:
        if not isinstance(x, Value) or not x.is_leaf:
            raise TypeError(f"inputs must be leaf Values, not {brief(x)}")
    return Program(root, given, backend)
