"""From a tape to what a backend runs: differentiated, simplified, lowered to primitives, compiled.

A plain gradient multiplies by 0 where an op that chooses has not chosen, and 0 times an infinite slope is nan; if no
nan comes out, none was on the way. To mask makes a program up to twice as long, so it is done when it is needed: where
a plain gradient is nan (see gradient.py).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.backends import Backend, BatchRunner, Run, Sum, backend, loaded
from scalargrad.compiling.gradient import contributions, has_choices, sum_of_products, total
from scalargrad.compiling.lowering import WHOLE, Lowered, lowered, simplified
from scalargrad.compiling.reached import numbers_of
from scalargrad.compiling.tape import PARAMETER, Instruction, Size, Tape, size_of

if TYPE_CHECKING:
    from scalargrad.engine import Value


def runner(choice: str, code: Sequence[Instruction], outputs: Sequence[int], *, all_raise: bool = False) -> Run:
    """run(parameters, inputs) -> a number for each output.

    Args:
        choice: the backend.
        code: the tape, as it was recorded.
        outputs: slots.
        all_raise: whether every output raises at a pole, as eager code does. Otherwise the first one alone does: behind
            it come gradients and guards.
    """
    tape, slots, module = _finished(choice, code, outputs, batch=False)
    return module.single(tape.code, slots, slots if all_raise else slots[:1])


def _finished(
    choice: str, code: Sequence[Instruction], outputs: Sequence[int], *, batch: bool, whole: Lowered | None = None
) -> tuple[Tape, list[int], Backend]:
    """The program by what the backend has instructions for, the slots of the outputs, and the backend.

    Args:
        choice: the backend.
        code: the tape.
        outputs: slots of it, or of `whole`.
        batch: whether the program is for many samples.
        whole: the same with sums left whole, if that was done already.
    """
    if whole is None and _takes_whole(choice, size_of(code), batch=batch):
        whole = lowered(code, outputs)
        outputs = [whole.places[slot] for slot in outputs]
    if whole is not None:
        code = whole.tape.code
        module = backend(choice, code, WHOLE)
        if hasattr(module, "takes_whole") and module.takes_whole(size_of(code), batch=batch):
            return whole.tape, list(outputs), module
    tape, slots = simplified(code, outputs)
    module = backend(choice, tape.code)
    keeps: frozenset[str] = getattr(module, "KEEPS", frozenset())
    if not keeps.isdisjoint(instruction[0] for instruction in code):
        tape, slots = simplified(code, outputs, keeps=keeps)
    return tape, slots, module


def _takes_whole(choice: str, size: Size, *, batch: bool) -> bool:
    """Whether the backend may take sums of products whole in a program of this size."""
    if choice not in ("auto", "llvm") or not loaded("llvm").available():
        return False
    return bool(loaded("llvm").takes_whole(size, batch=batch))


def lowered_if_long(choice: str, code: Sequence[Instruction], outputs: Sequence[int], *, batch: bool) -> Lowered | None:
    """What is to be differentiated with its sums whole, for a backend that takes long programs so; else None.

    Args:
        choice: the backend.
        code: the tape.
        outputs: what must be found on the lowered one.
        batch: whether the program is for many samples.
    """
    return lowered(code, outputs) if is_long(choice, code, batch=batch) else None


def is_long(choice: str, code: Sequence[Instruction], *, batch: bool) -> bool:
    """Whether the backend takes the program, with its gradient, with its sums whole."""
    return _takes_whole(choice, size_of(code, GRADIENT), batch=batch)


GRADIENT = 3
"""How many times as many operations a program has with its gradient."""


def runner_with_gradient(
    choice: str, tape: Tape, root: int, wrt: Sequence[int], seed: int | None = None, more: Sequence[int] = ()
) -> Run:
    """run(parameters, inputs) -> the root, its derivatives, and more outputs.

    Args:
        choice: the backend.
        tape: is extended.
        root: the slot of what is differentiated.
        wrt: the slots with respect to which.
        seed: the slot of the factor of the derivatives; 1.0 if left out.
        more: further slots.
    """

    def run_of(*, masked: bool) -> Run:
        given = [root, *more] if seed is None else [root, *more, seed]
        whole = lowered_if_long(choice, tape.code, given, batch=False)
        shares = contributions(tape, root, wrt, seed, masked=masked, whole=whole)
        target, added = (tape, total) if whole is None else (whole.tape, sum_of_products)
        first, *others = (root, *more) if whole is None else [whole.places[slot] for slot in (root, *more)]
        outputs = [first, *(added(target, shares[slot]) for slot in wrt), *others]
        made, slots, module = _finished(choice, tape.code, outputs, batch=False, whole=whole)
        return module.single(made.code, slots, slots[:1])

    masked = partial(run_of, masked=True) if has_choices(tape.code[: root + 1]) else None
    return Fallback(run_of(masked=False), masked, slice(1, 1 + len(wrt)))


def batch_runner(
    choice: str, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int],
    places: Sequence[int], whole: Lowered | None = None,
) -> tuple[list[Instruction], Backend, BatchRunner]:  # fmt: skip
    """A program over a batch: its code, the backend, and what the backend has made of it.

    Args:
        choice: the backend.
        code: the tape, differentiated if gradients are among the sums.
        sums: what is added up over the samples.
        columns: slots that are wanted for each sample.
        widths: how many numbers a sample has in each argument.
        places: for each parameter of the tape its number among those that a run is given.
        whole: the program with its sums whole; code is not looked at then.
    """
    split = [slot for pair in sums for slot in pair if slot is not None]
    tape, slots, module = _finished(choice, code, [*split, *columns], batch=True, whole=whole)
    new = iter(slots)
    sums = [(next(new) if v is not None else None, next(new) if u is not None else None) for v, u in sums]
    short = tape.code
    if list(places) != list(range(len(places))):
        short = [(PARAMETER, places[i[1]]) if i[0] is PARAMETER else i for i in tape.code]
    return short, module, module.BatchRunner(short, sums, list(new), widths)


def jax_function(
    code: Sequence[Instruction], output: int | Sequence[int], widths: Sequence[int], dtype: str
) -> Callable[..., Any]:
    """A pure JAX function of (parameters, *sample); ops stay those of the table, and so do their derivatives in JAX.

    Args:
        code: the tape, as it was recorded.
        output: a slot, or several.
        widths: how many numbers each argument of a sample has.
        dtype: what it computes in.
    """
    several = isinstance(output, Sequence)
    tape, slots = simplified(code, output if isinstance(output, Sequence) else [output], lower=False)
    return loaded("jax").to_jax(tape.code, slots if several else slots[0], widths, dtype)  # type: ignore[no-any-return]


# -------------------------------------------------------------------- plain gradients first, masked where they are nan


def has_nan(numbers: Iterable[float]) -> bool:
    """Whether nan is among them; possibly True, too, where inf and -inf are."""
    total = sum(numbers)
    return total != total


LONG = 200
"""More numbers than that are looked through for nan by machine code."""


class Fallback:
    """run(parameters, inputs) -> the outputs, by the plain form, and by the masked form where a gradient is nan.

    Args:
        plain: computes them.
        make_masked: makes what computes them so; None where no op chooses.
        gradients: which of the outputs are gradients.
    """

    def __init__(self, plain: Run, make_masked: Callable[[], Run] | None, gradients: slice) -> None:
        self._plain, self._make_masked, self._gradients = plain, make_masked, gradients
        if hasattr(plain, "leaves"):
            self.leaves, self.resident = plain.leaves, self._resident
        is_long = gradients.stop - gradients.start > LONG
        self._unless_nan = getattr(plain, "unless_nan", None) if is_long else None
        self._masked: Run | None = None

    def __call__(self, parameters: Sequence[float], inputs: Sequence[float]) -> list[float]:
        """The outputs."""
        gradients = self._gradients
        if self._make_masked is None:
            return self._plain(parameters, inputs)
        if self._unless_nan is not None:
            found: list[float] | None = self._unless_nan(parameters, inputs, gradients.start, gradients.stop)
            if found is not None:
                return found
        else:
            found = self._plain(parameters, inputs)
            if not has_nan(found[gradients]):
                return found
        return self._by_masks(parameters, inputs)

    def _resident(
        self, source: memoryview[float], leaves: Sequence[Value]
    ) -> tuple[Callable[[], object], memoryview[float]]:
        """What goes from memory to memory: see llvm/single.py."""
        plain: Any = self._plain
        if self._make_masked is None:
            return plain.resident(source, leaves)  # type: ignore[no-any-return]
        run, found = plain.resident(source, leaves, self._gradients)

        def both() -> None:
            if run():
                found[:] = array("d", self._by_masks(numbers_of(leaves), source))

        return both, found

    def _by_masks(self, parameters: Sequence[float], inputs: Sequence[float]) -> list[float]:
        assert self._make_masked is not None  # noqa: S101  (for the type checker)
        if self._masked is None:  # two threads may each make one: they are the same
            self._masked = self._make_masked()
        return self._masked(parameters, inputs)
