"""The chain rule over a tape: gradients as further instructions, by the op table's own partial derivatives.

It is the engine's sweep over slots in place of Values: in reverse order, each instruction hands every operand its
adjoint times the local derivative, and contributions add up in the same order. (Through Values, with
`create_graph=True`, the same takes several times as long; both give the same instructions.)

A long program keeps sums whole: what is added up to an adjoint is then one `dot` of upstream gradients and local
derivatives, computed when the slot's turn comes, with the same additions in the same order.

There are two forms of it. The plain one multiplies by 0 where an op that chooses has not chosen; if no nan comes of
that it is right. The masked one, as the engine's graphs of gradients (rules.Masked), passes nothing on there, whatever
the upstream gradient; it has up to twice as many instructions, so it is made only when the plain one has given nan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from scalargrad.compiling.applied import FunctionRow
from scalargrad.compiling.tape import ADD, DOT, MULTIPLY, SOURCES, WHERE, Instruction, Tape, depending, op_of
from scalargrad.compiling.templates import choice_of, partials_of

Share = int | tuple[int, int]
"""A contribution: a slot, or the slots of two factors whose product it is."""


def contributions(
    tape: Tape, root: int, wrt: Iterable[int], seed: int | None = None, *, masked: bool = False, whole: bool = False
) -> dict[int, list[Share]]:
    """For each slot of `wrt` what is to be added up to the derivative of root with respect to it, in order.

    Args:
        tape: is extended.
        root: the slot of the output.
        wrt: slots.
        seed: the slot of the factor; 1.0 if left out.
        masked: which form.
        whole: whether adjoints are sums of products in one instruction each.
    """
    sweep = _Sweep(tape, wrt, masked=masked, whole=whole)
    if sweep.between[root]:
        sweep.add(root, tape.constant(1.0) if seed is None else seed)
    for slot in range(root, -1, -1):
        if slot in sweep.adjoints:
            sweep.turn(slot)
    return sweep.wanted


class _Sweep:
    """The sweep while it goes on.

    Attributes:
        wanted: what is to be added up, for each slot that is asked for.
        between: for each slot whether it lies between those and the root: only then it gets an adjoint.
        adjoints: for each slot the contributions so far: their sum, or all of them where sums stay whole.
        reached: slots that are not 0 where a contribution reaches; no entry: one always does.
    """

    def __init__(self, tape: Tape, wrt: Iterable[int], *, masked: bool, whole: bool) -> None:
        self.tape, self.masked, self.whole = tape, masked, whole
        self.wanted: dict[int, list[Share]] = {slot: [] for slot in wrt}
        self.between = depending(tape.code, self.wanted)
        self.adjoints: dict[int, list[Share]] = {}
        self.reached: dict[int, int] = {}
        self.is_source = bytearray(instruction[0] in SOURCES for instruction in tape.code)

    def add(self, x: int, share: Share, mask: int | None = None) -> None:
        """Hand a contribution to a slot; it is 0 where the mask is."""
        if x in self.wanted:
            self.wanted[x].append(share)
        if self.is_source[x]:
            return
        terms, emit = self.adjoints.get(x), self.tape.emit
        if terms is None:
            self.adjoints[x] = [share]
            if mask is not None:
                self.reached[x] = mask
            return
        if self.whole:
            terms.append(share)
        else:
            terms[0] = emit(ADD, cast("int", terms[0]), cast("int", share))
        known = self.reached.pop(x, None)
        if mask is not None and known is not None:
            self.reached[x] = emit(WHERE, known, self.tape.constant(1.0), mask)

    def turn(self, slot: int) -> None:
        """Let an instruction hand on its adjoint."""
        tape, between = self.tape, self.between
        upstream = total(tape, self.adjoints.pop(slot))
        op, *xs = tape.code[slot]
        rule, n, mask = op_of(op), len(xs), self.reached.get(slot)
        if op is DOT and self.whole and mask is None:
            self._dot(xs, upstream)
            return
        if isinstance(rule, FunctionRow):
            turns: list[Any] = list(enumerate(zip(xs, rule.backward_of, strict=True)))
        else:
            turns = list(enumerate(zip(xs, partials_of(op, n), strict=True)))
        if n > 2 and n % 2 and rule.pair is not None:  # the bias has its turn before the ys
            half = n // 2
            turns.insert(half, turns.pop())
        for i, (x, partial) in turns:
            if not between[x] or partial is None:
                continue
            result = partial.result
            if isinstance(rule, FunctionRow):  # not the local derivative: all that its backward gives
                local = partial.write(tape, (*xs, slot, upstream))
            elif not partial.steps and type(result) is int:
                local = xs[result] if result < n else slot
            elif result == 1.0 and type(result) is float:
                local = -1
            else:
                local = partial.write(tape, (*xs, slot))
            chosen = None
            if rule.may_leave_out(i):
                choice = choice_of(op, n, i)
                chosen = local if choice is None else choice.write(tape, (*xs, slot))
                if tape.constants.get(chosen) == 0.0:
                    continue
            if isinstance(rule, FunctionRow):
                share = local
            elif local < 0:
                share = upstream
            elif self.whole and mask is None and not (self.masked and chosen is not None):
                self.add(x, (upstream, local))
                continue
            else:
                share = tape.emit(MULTIPLY, upstream, local)
            reaches = mask
            if self.masked and chosen is not None:
                reaches = chosen if mask is None else tape.emit(WHERE, mask, chosen, tape.constant(0.0))
            if reaches is not None:
                share = tape.emit(WHERE, reaches, share, tape.constant(0.0))
            self.add(x, share, reaches)

    def _dot(self, xs: Sequence[int], upstream: int) -> None:
        """The turn of a dot product, whose derivatives are its operands: nearly all contributions there are."""
        n = len(xs) // 2
        first, second = xs[:n], xs[n : 2 * n]
        adjoints, wanted, reached = self.adjoints, self.wanted, self.reached
        between, is_source = self.between, self.is_source
        for one, other in ((first, second), (second, first)):
            for x, local in zip(one, other, strict=True):
                if between[x]:
                    if x in wanted:
                        wanted[x].append((upstream, local))
                    if not is_source[x]:
                        terms = adjoints.get(x)
                        if terms is None:
                            adjoints[x] = [(upstream, local)]
                        else:
                            terms.append((upstream, local))
                            if reached:
                                reached.pop(x, None)
            if one is first and len(xs) % 2 and between[xs[-1]]:
                self.add(xs[-1], upstream)


def has_choices(code: Sequence[Instruction]) -> bool:
    """Whether an op of the tape chooses, so that the two forms may differ."""
    ops = {instruction[0] for instruction in code if instruction[0] not in SOURCES}
    return any(op_of(op).is_choice for op in ops)


def total(tape: Tape, terms: Iterable[Share]) -> int:
    """The slot of the sum of contributions, from the first to the last; of 0.0 if there is none."""
    terms = list(terms)
    if len(terms) == 1:
        (term,) = terms
        return term if isinstance(term, int) else tape.emit(MULTIPLY, *term)
    slots = [term for term in terms if isinstance(term, int)]
    if not slots and terms:
        first, second = zip(*cast("list[tuple[int, int]]", terms), strict=True)
        return tape.emit(DOT, *first, *second)
    if len(slots) < len(terms):
        one = tape.constant(1.0)
        pairs = [(term, one) if isinstance(term, int) else term for term in terms]
        return tape.emit(DOT, *[x for x, _ in pairs], *[y for _, y in pairs])
    result: int | None = None
    for slot in slots:
        result = slot if result is None else tape.emit(ADD, result, slot)
    return tape.constant(0.0) if result is None else result
