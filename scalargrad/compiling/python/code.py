"""The python backend: straight-line Python, written from slot numbers alone and compiled by Python itself.

It needs no other package, and knows every op of the table, those added with @primitive too, by its `value`. Nothing a
user wrote gets into the code: variables are v12, p3, x0, functions f0, f1.

The code takes the common case for granted: nothing raises. Where something does, at a pole or outside a domain, the
same instructions run once more in a loop, which raises for the user or gives what IEEE arithmetic says.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.python.lines import straight
from scalargrad.compiling.samples import Samples
from scalargrad.compiling.tape import (
    CONSTANT,
    PARAMETER,
    SOURCES,
    TAKE,
    Instruction,
    computed,
    live,
    op_of,
    varying_slots,
)
from scalargrad.node.mode import in_mode
from scalargrad.table.row import HARD, NO_VALUE

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Run, Sum

KEEPS = frozenset((TAKE,))
"""Ops that have a form, and are quicker without it."""

LIMIT = 100_000
"""Up to so many instructions are compiled, in about a second. What is longer runs in the loop, which starts at once but
takes two to four times as long as the compiled code."""


def single(code: Sequence[Instruction], outputs: Sequence[int], primal: Iterable[int] | None = None) -> Run:
    """A function that computes the outputs once.

    Args:
        code: the tape. Where ops are lowered to primitives, an error names the primitive that raised.
        outputs: slots.
        primal: the slots that raise as the eager engine does, along with all that they are computed from: ValueError
            or ZeroDivisionError, at a pole or outside a domain. The rest follows IEEE arithmetic, as derivatives do.
            If left out, the first output: behind it come gradients and guards.

    Returns:
        run(parameters, inputs) -> a number for each output.
    """
    outputs = list(outputs)
    slots = computed(code, outputs)
    raising = live(code, outputs[:1] if primal is None else primal)
    loop = _Loop(code, slots, outputs, raising)
    if len(slots) > LIMIT:
        return loop.run
    compiled = straight(code, slots, outputs)

    def run(parameters: Sequence[float], inputs: Sequence[float]) -> list[float]:
        parameters, inputs = _floats(parameters), _floats(inputs)
        try:
            return compiled(parameters, inputs, ())
        except NO_VALUE:
            return loop.run(parameters, inputs)

    return run


def unknown_primitives() -> tuple[str, ...]:
    """None: Python computes each by its row's `value`."""
    return ()


class BatchRunner:
    """A program over many samples, one after another. What depends on parameters alone is computed once per call.

    Nothing raises: a sample at a pole has IEEE's number there.

    Args:
        code: the tape.
        sums: what is added up over the samples, from the first to the last.
        columns: slots that are wanted for each sample.
        widths: how many numbers a sample has in each argument; inputs are numbered through all of them.
    """

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
    ) -> None:
        self._sums, self._widths, self._columns = list(sums), list(widths), len(columns)
        moving = [slot for slot, _ in sums if slot is not None] + list(columns)
        uniform = [slot for _, slot in sums if slot is not None]
        varying = varying_slots(code)
        slots = computed(code, [*moving, *uniform])
        per_sample = [slot for slot in slots if varying[slot]]
        per_call = [slot for slot in slots if not varying[slot]]
        read = {x for slot in per_sample for x in code[slot][1:]} | set(moving)
        given = [slot for slot in per_call if slot in read]
        self._given = len(given)
        self._one = _Stage(code, per_sample, slots, moving, given)
        self._once = _Stage(code, per_call, per_call, [*given, *uniform])

    def run(
        self, samples: Sequence[Samples | Sequence[float]], n: int, parameters: Sequence[float], mean: bool
    ) -> tuple[list[float], list[list[float]]]:
        """As `backends.BatchRunner` says; plain sequences will do for samples."""
        parameters = _floats(parameters)
        once = self._once(parameters, (), ())
        given, uniform = once[: self._given], iter(once[self._given :])
        count = sum(slot is not None for slot, _ in self._sums)
        one = self._one
        totals: list[float] | None = None
        kept: list[list[float]] = []
        for inputs in self._rows(samples, n):
            found = one(parameters, inputs, given)
            kept.append(found[count:])
            totals = found[:count] if totals is None else list(map(operator.add, totals, found))
        added = iter(totals or repeat(0.0))
        results = []
        for moving, still in self._sums:
            result = 0.0 if moving is None else next(added) / (n if mean else 1)
            if still is not None:
                share = next(uniform) * (1 if mean else n)
                result = share if moving is None else result + share
            results.append(result)
        return results, [[row[k] for row in kept] for k in range(self._columns)]

    def _rows(self, samples: Sequence[Samples | Sequence[float]], n: int) -> Iterator[tuple[float, ...]]:
        """For each sample the numbers of all arguments."""
        columns: list[Sequence[float]] = []
        for one, width in zip(samples, self._widths, strict=True):
            flat = _floats(one.numbers() if isinstance(one, Samples) else one)
            columns += [flat[k::width] for k in range(width)]
        return zip(*columns, strict=True) if columns else repeat((), n)


class _Stage:
    """Some slots of a tape, computed by compiled code, and at hard points by the loop; nothing raises."""

    def __init__(
        self, code: Sequence[Instruction], slots: list[int], all_slots: list[int], outputs: list[int],
        given: Sequence[int] = (),
    ) -> None:  # fmt: skip
        self._loop = _Loop(code, all_slots, outputs, bytearray(len(code)))
        self._compiled = None if len(slots) > LIMIT else straight(code, slots, outputs, given)

    def __call__(self, parameters: Sequence[float], inputs: Sequence[float], given: Sequence[float]) -> list[float]:
        if self._compiled is not None:
            try:
                return self._compiled(parameters, inputs, given)
            except NO_VALUE:
                pass
        return self._loop.run(parameters, inputs)


def _floats(numbers: Sequence[float]) -> Sequence[float]:
    """The same as Python's floats: an element of a numpy array would not raise where a float does."""
    if isinstance(numbers, (list, tuple)):
        return numbers
    tolist = getattr(numbers, "tolist", None)
    return tolist() if tolist is not None else list(numbers)


# -------------------------------------------------------------------- the loop


class _Loop:
    """Some slots of a tape, computed one after another; where a value raises, the error or IEEE's number."""

    def __init__(
        self, code: Sequence[Instruction], slots: Sequence[int], outputs: Sequence[int], raising: Sequence[int]
    ) -> None:
        self._code, self._slots, self._outputs, self._raising = code, slots, outputs, raising

    @cached_property
    def _steps(self) -> list[tuple[int, Callable[..., Any], Any, int]]:
        """For each instruction its slot, its function, and the slots it reads; -1 where there is one, -2 for a list."""
        steps: list[tuple[int, Callable[..., Any], Any, int]] = []
        for slot in self._slots:
            name, *xs = self._code[slot]
            op = op_of(name)
            one_or_two = (xs[0], xs[1] if len(xs) > 1 else -1) if op.arity is not None else (xs, -2)
            steps.append((slot, op.value, *one_or_two))
        return steps

    @cached_property
    def _sources(self) -> list[tuple[int, str, Any]]:
        read = {x for slot in self._slots for x in self._code[slot][1:]} | set(self._outputs)
        return [(slot, *self._code[slot]) for slot in read if self._code[slot][0] in SOURCES]

    def run(self, parameters: Sequence[float], inputs: Sequence[float]) -> list[float]:
        """A number for each output."""
        values = [0.0] * len(self._code)
        parameters, inputs = _floats(parameters), _floats(inputs)
        for slot, kind, i in self._sources:
            values[slot] = float.fromhex(i) if kind is CONSTANT else (parameters if kind is PARAMETER else inputs)[i]
        for slot, value, x, y in self._steps:
            try:
                if y >= 0:
                    values[slot] = value(values[x], values[y])
                elif y == -1:
                    values[slot] = value(values[x])
                else:
                    values[slot] = value([values[i] for i in x])
            except HARD as error:
                values[slot] = self._at_hard_point(slot, values, error)
            except IndexError:  # guards say so, behind this
                values[slot] = math.nan
        return [values[slot] for slot in self._outputs]

    def _at_hard_point(self, slot: int, values: Sequence[float], error: Exception) -> float:
        name, *xs = self._code[slot]
        with in_mode(follows_ieee=not self._raising[slot]):
            return op_of(name).at_hard_point((), [values[x] for x in xs], error)
