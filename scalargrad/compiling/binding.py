"""Compiled losses and recorded programs bound to arrays: read, and gradients written, where they lie."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from scalargrad.compiling.batches import in_order
from scalargrad.compiling.groups import Batch
from scalargrad.compiling.parameter_memory import UnsuitedError, suits
from scalargrad.compiling.reached import numbers_of
from scalargrad.compiling.samples import Samples, doubles
from scalargrad.compiling.watching import refuse_to_be_recorded
from scalargrad.engine import Value
from scalargrad.node.mode import being_compiled
from scalargrad.node.structures import Static

if TYPE_CHECKING:
    from scalargrad.compiling.batch_program import BatchProgram
    from scalargrad.compiling.batches import BatchFunction
    from scalargrad.compiling.reached import Numbers

PARAMETERS = (
    "parameters must be an array of their numbers, in the order of `parameters` of the compiled function, or these "
    "Values themselves"
)


class BoundLoss:
    """What `Compiled.bind` gives for a batch.

    Args:
        batches: the loss.
        arrays: the arguments, static ones marked as such.
        parameters: an array of numbers, or the Values.
        out: where the gradients go.
        name: how messages call the loss.
    """

    def __init__(self, batches: BatchFunction, arrays: Sequence[Any], parameters: Any, out: Any, name: str) -> None:
        self._batches, self._name = batches, name
        self._batch = Batch.uniform(_samples(arrays))
        values = _values(parameters)
        self._source = None if values is not None else doubles(parameters, "parameters")
        self._target = doubles(out, "out")
        batches.programs(self._batch)  # until it is recorded, the parameters may be unknown
        self._order = batches.parameters
        if values is not None and values != self._order:
            raise ValueError(f"bind: {PARAMETERS}: these are others than those of {name}, or in another order")
        self._programs: object = None
        self._run = self._made()

    def __call__(self) -> float:
        """The loss; the gradients are in `out` then.

        Raises:
            BranchError: as `Compiled.value_and_grad`; `out` is as it was then.
            ValueError: if other parameters require grad than when it was bound.
            TypeError: inside of a function that is being recorded.
        """
        if being_compiled():
            refuse_to_be_recorded(f"what bind of the compiled {self._name} gave")
        recordings = self._batches.recordings
        if recordings.reached.have_changed() or recordings.known is not self._programs:  # or they were recorded anew
            self._run = self._made()
        return self._run()

    def _made(self) -> Callable[[], float]:
        """What runs it, as long as nothing changes."""
        batches, source, target = self._batches, self._source, self._target
        programs = batches.programs(self._batch)
        known, order = batches.recordings.known, batches.parameters
        for what, view in (("parameters", source), ("out", target)):
            if view is not None and len(view) != len(order):
                raise ValueError(
                    f"bind: {what} has {len(view)} elements, but {len(order)} parameters of {self._name} require grad"
                )
        if order != self._order:
            raise ValueError(
                f"bind: other parameters of {self._name} require grad than when it was bound: bind it anew, with an "
                "array, or Values, of these"
            )
        run = self._suited(programs, order)
        self._programs = known  # now only: where it was refused, it is to be refused again
        return run

    def _suited(self, programs: Sequence[BatchProgram], order: list[Value]) -> Callable[[], float]:
        batches, source, target = self._batches, self._source, self._target
        with suppress(UnsuitedError):
            suits(batches, programs)
            backend: Any = programs[0].backend
            at = ctypes.addressof(ctypes.c_char.from_buffer(target)) if len(target) else 0
            return backend.Bound(batches, self._batch, order, source, at)  # type: ignore[no-any-return]
        if source is None:
            return self._of_values
        if programs[0].can_branch and batches.branches == "record":
            raise ValueError(
                f"bind: {self._name} compares Values, and with branches='record' it would be recorded anew, at the "
                "numbers that the Values hold, not at those of the array: let parameters be the Values, or use "
                "value_and_grad"
            )
        return self._of_array

    def _of_values(self) -> float:
        loss, grads, _ = self._batches.run(self._batch)
        self._target[:] = array("d", grads)
        return loss

    def _of_array(self) -> float:
        assert self._source is not None  # noqa: S101  (for the type checker)
        batches, (group,) = self._batches, self._batch.groups
        (program,), order = batches.programs(self._batch), batches.parameters
        found = {**dict(zip(program.leaves, numbers_of(program.leaves), strict=True)),
                 **dict(zip(order, self._source.tolist(), strict=True))}  # fmt: skip
        numbers = [found[leaf] for leaf in program.leaves]
        sums, columns = program.run(group.samples, self._batch.n, mean=batches.mean, numbers=numbers)
        batches.check(program, group, sums, columns)
        self._target[:] = array("d", in_order(order, program, sums))
        return sums[0]


class Recorded(Protocol):
    """What is bound of a recorded graph: see program.py."""

    inputs: list[Value]
    parameters: list[Value]
    _checks: list[int]

    @property
    def leaves(self) -> list[Value]:
        """The leaves that get a gradient."""

    def _check(self, violations: Sequence[float]) -> None: ...


def bound_program(program: Recorded, run: Any, parameters: Numbers, out: Any, inputs: Any) -> Callable[[], float]:
    """See `Program.bind`.

    Args:
        program: it.
        run: what computes the output, its gradients and what is checked, of the parameters and the inputs and a seed.
        parameters: gives it the parameters' numbers.
        out: as there.
        inputs: as there.
    """
    target, given = doubles(out, "out"), None if inputs is None else doubles(inputs, "inputs")
    n, k = len(program.leaves), len(program.inputs)
    for what, view, count, of in (("out", target, n, "leaves that require grad"), ("inputs", given, k, "inputs")):
        if view is not None and len(view) != count:
            raise ValueError(
                f"bind: {what} has {len(view)} elements, but there must be {count}, one for each of the program's {of}"
            )
    source = memoryview(array("d", [*numbers_of(program.inputs), 1.0]))
    found = memoryview(array("d", bytes(8 * (1 + n + len(program._checks)))))
    resident = None
    if hasattr(run, "resident"):
        resident, found = run.resident(source, program.parameters)
    gradients, checks = found[1 : 1 + n], found[1 + n :]

    def run_once() -> float:
        if being_compiled():
            refuse_to_be_recorded("what program.bind() gave")
        if k:
            source[:k] = array("d", numbers_of(program.inputs)) if given is None else given
        if resident is not None:
            resident()
        else:
            found[:] = array("d", run(parameters(), source))
        if program._checks:
            program._check(checks.tolist())
        target[:] = gradients
        return found[0]

    return run_once


def _values(parameters: Any) -> list[Value] | None:
    """The Values, if they are any."""
    if isinstance(parameters, (list, tuple)):
        if not all(isinstance(p, Value) for p in parameters):
            raise TypeError(f"bind: {PARAMETERS}; a list of numbers would not be read anew")
        return list(parameters)
    return None


def _samples(arrays: Sequence[Any]) -> list[Samples]:
    """The arguments, where they lie."""
    found = [(j, Samples.in_place(x, f"argument {j}")) for j, x in enumerate(arrays) if type(x) is not Static]
    if not found:
        return [Samples.static(x, 1) for x in arrays]
    (first, one), *_ = found
    for j, other in found:
        if other.n != one.n:
            raise ValueError(
                f"argument {first} has {one.n} samples but argument {j} has {other.n}: give one of each for every "
                "sample"
            )
    places = dict(found)
    return [places[j] if j in places else Samples.static(x, one.n) for j, x in enumerate(arrays)]
