"""A per-sample loss as a program over a batch: the loss, its gradients, and the check of its guards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.gradient import Terms, contributions, has_choices, sum_of_products, total
from scalargrad.compiling.pipeline import batch_runner, has_nan, lowered_if_long
from scalargrad.compiling.reached import parameters_for
from scalargrad.compiling.structure.structured import structured
from scalargrad.compiling.tape import ADD, PARAMETER, Tape, as_text, from_text, varying_slots
from scalargrad.compiling.taping import TapedCall
from scalargrad.compiling.watching import WatchedCall
from scalargrad.engine import Value
from scalargrad.node.mode import in_mode

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Sum
    from scalargrad.compiling.samples import Samples
    from scalargrad.node.structures import Rebuild


class BatchProgram:
    """What `fn(x, y)` is for every sample of a batch, and the gradients of its sum.

    Attributes:
        leaves: the Values whose numbers are read when it runs.
        trained: how many of them get a gradient: they are the first.
        reached: the same leaves, in the order in which they were given or reached.
        guards: the comparisons that fn made, in words: the Values would keep the recorded graph alive.
        has_indices: whether there are indices among them.
        can_branch: whether there is anything else among them, so that samples may need several programs.
        widths: how many numbers a sample has in each argument.
        columns: how many numbers fn returned for each sample beside the loss.
        in_order: whether `trained` are all of the compiled function's parameters in their order.
        rebuild: puts what fn gave for a sample in its places; where `values` recorded it, the columns alone.
        are_values: for each number that fn gave whether it is a Value there.
        may_have_masks: whether the masked form of its gradients may differ.
        backend, runner: the backend, and what it has made of the program; the sums that it finds are the loss, how much
            the guards are violated, and the gradients.
        numbers: gives it the leaves' numbers as they are now.
    """

    in_order: bool
    reached: list[Value]
    rebuild: Rebuild

    def __init__(
        self, fn: Callable[..., Any], samples: Sequence[Samples], i: int, parameters: Sequence[Value] | None,
        choice: str, *, gradients: bool = True, has_aux: bool = False,
    ) -> None:  # fmt: skip
        name = getattr(fn, "__name__", type(fn).__name__)
        numbers = [x for one in samples for x in one.sample(i)]
        with in_mode(follows_ieee=True):  # as the other samples will: no sample of a batch raises
            call = WatchedCall(fn, [one.rebuilt for one in samples], numbers, name)
        _check_result(call, has_aux)
        taped = TapedCall(call, parameters or ())
        root, *aux = taped.outputs
        self.guards, self.reached = taped.guards, taped.parameters
        self.has_indices, self.can_branch = taped.has_indices, taped.can_branch
        self.columns, self.widths = len(aux), [one.width for one in samples]
        self.rebuild, self.are_values = call.rebuild_output, [isinstance(x, Value) for x in call.outputs]
        wanted = self.reached if parameters is None else self.reached[: len(parameters)]
        self._wanted = [k for k, leaf in enumerate(wanted) if leaf.requires_grad] if gradients else []
        # Those that get a gradient come first, as their gradients lie side by side.
        first = set(self._wanted)
        order = self._wanted + [k for k in range(len(self.reached)) if k not in first]
        self._places = sorted(range(len(order)), key=order.__getitem__)
        self.leaves, self.trained = [self.reached[k] for k in order], len(self._wanted)
        self._choice, self._outputs = choice, (root, aux, taped.violations())
        code = taped.tape.code
        self.may_have_masks = has_choices(code)
        # As text: the instructions themselves would take more memory than all that the program runs on.
        self._recorded = as_text(code) if self.may_have_masks else ""
        self._masked: BatchProgram | None = None
        self._make(taped.tape, samples[0].n if samples else 1, masked=False)

    def _make(self, tape: Tape, n: int, *, masked: bool) -> None:
        """Compile what was recorded, in one of the two forms, for batches of about n samples."""
        (root, aux, violations), choice, widths, places = self._outputs, self._choice, self.widths, self._places
        columns = aux + ([total(tape, violations)] if violations else [])
        made = None
        if not masked:
            made = structured(
                choice, tape.code, root, violations, columns, self._wanted, widths, places, n, _sums
            )  # fmt: skip
        if made is None:
            at = {x[1]: slot for slot, x in enumerate(tape.code) if x[0] is PARAMETER}
            slots = list(map(at.__getitem__, self._wanted))
            kinds = varying_slots(tape.code)
            sums = [_split(tape, _terms(tape, root, kinds), kinds), _split(tape, violations, kinds)]
            given = [slot for pair in sums for slot in pair if slot is not None]
            whole = lowered_if_long(choice, tape.code, [root, *given, *columns], batch=True)
            shares = contributions(tape, root, slots, masked=masked, whole=whole)
            if whole is not None:
                tape = whole.tape
                place = whole.places.__getitem__
                sums = [(None if v is None else place(v), None if u is None else place(u)) for v, u in sums]
                columns = list(map(place, columns))
            kinds = varying_slots(tape.code)
            split = _split if whole is None else _split_products
            sums += [split(tape, shares[slot], kinds) for slot in slots]
            made = batch_runner(choice, tape.code, sums, columns, widths, places, whole)
        code, self.backend, self.runner = made
        self.numbers = parameters_for(self.runner, self.leaves)
        self._of_code = hash(tuple(code)) if self.may_have_masks else 0

    def run(
        self, samples: Sequence[Samples], n: int, *, mean: bool, numbers: Sequence[float] | None = None
    ) -> tuple[list[float], list[list[float]]]:
        """The sums and columns; those of the masked program where one is nan. `numbers` are others than the leaves'."""
        given = self.numbers() if numbers is None else numbers
        if self.may_have_masks:
            found = self._unless_nan(samples, n, given, mean=mean)
            if found is not None:
                return found
            masked = self.masked()
            if masked is not None:
                return masked.run(samples, n, mean=mean, numbers=numbers)
        return self.runner.run(samples, n, given, mean=mean)

    def _unless_nan(
        self, samples: Sequence[Samples], n: int, numbers: Sequence[float], *, mean: bool
    ) -> tuple[list[float], list[list[float]]] | None:
        """The sums and columns; None if nan is among them."""
        runner: Any = self.runner
        if hasattr(runner, "unless_nan"):
            return runner.unless_nan(samples, n, numbers, mean=mean)  # type: ignore[no-any-return]
        found: tuple[list[float], list[list[float]]] = runner.run(samples, n, numbers, mean=mean)
        return None if has_nan(found[0]) or any(map(has_nan, found[1])) else found

    def masked(self) -> BatchProgram | None:
        """The same with masks in its gradients; None if it has no place for any.

        The leaves and sums are in the same order.
        """
        if self.may_have_masks and self._masked is None:
            masked = copy(self)
            masked._make(Tape.of(from_text(self._recorded)), 1, masked=True)
            masked.may_have_masks = False
            if masked._of_code == self._of_code:
                self.may_have_masks = False
            else:
                self._masked = masked
        return self._masked


def _check_result(call: WatchedCall, has_aux: bool) -> None:
    if has_aux:
        result = call.rebuild_output(iter(call.outputs))
        if not (isinstance(result, tuple) and len(result) == 2 and call.outputs and result[0] is call.outputs[0]):
            raise TypeError(f"with has_aux=True {call.name} must return (loss, aux), the loss being one Value")
    elif call.rebuild_output is not next:
        raise TypeError(
            f"{call.name} must return one Value, the loss of one sample, not {len(call.outputs)} in a structure"
        )


def _terms(tape: Tape, root: int, kinds: Sequence[int]) -> list[int]:
    """What the root is the sum of, as far as terms are the same for all samples, as a penalty on parameters is."""
    found = []
    while kinds[root] and tape.code[root][0] is ADD:
        _, x, y = tape.code[root]
        if kinds[x] and kinds[y]:
            break
        root, same = (x, y) if kinds[x] else (y, x)
        found.append(same)
    return [root, *reversed(found)]


def _sums(tape: Tape, root: int, violations: Sequence[int], shares: Sequence[Terms]) -> list[Sum]:
    """What is added up over the samples: the loss, how much guards are violated, each gradient."""
    kinds = varying_slots(tape.code)
    return [_split(tape, terms, kinds) for terms in (_terms(tape, root, kinds), violations, *shares)]


def _split(tape: Tape, terms: Terms, kinds: Sequence[int]) -> Sum:
    """The sum of what differs from sample to sample, and that of what does not."""
    parts = [term for term in terms if kinds[term]], [term for term in terms if not kinds[term]]
    return total(tape, parts[0]) if parts[0] else None, total(tape, parts[1]) if parts[1] else None


def _split_products(tape: Tape, terms: Terms, kinds: Sequence[int]) -> Sum:
    """The same of contributions that were left as products."""
    kind = kinds.__getitem__
    first, second = terms[::2], terms[1::2]
    if all(map(kind, first)):  # as nearly always: there may be very many
        return sum_of_products(tape, terms) if terms else None, None
    differs = [x or y for x, y in zip(map(kind, first), map(kind, second), strict=True)]
    if not any(differs):
        return None, sum_of_products(tape, terms)
    moving: list[int] = []
    still: list[int] = []
    for x, y, d in zip(first, second, differs, strict=True):
        (moving if d else still).extend((x, y))
    return sum_of_products(tape, moving), sum_of_products(tape, still) if still else None
