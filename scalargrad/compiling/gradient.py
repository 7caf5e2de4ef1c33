"""The chain rule over a tape: gradients as further instructions, by the op table's own partial derivatives.

It is the engine's sweep over slots in place of Values: in reverse order, each instruction hands every operand its
adjoint times the local derivative, and contributions add up in the same order. (Through Values, with
`create_graph=True`, the same takes several times as long; both give the same instructions.)

A long program keeps sums whole: what is added up to an adjoint is then one `dot` of upstream gradients and local
derivatives, computed when the slot's turn comes, with the same additions in the same order. Its gradient is written
behind the program as it was lowered already, so that no pass over all of it follows.

There are two forms of it. The plain one multiplies by 0 where an op that chooses has not chosen; if no nan comes of
that it is right. The masked one, as the engine's graphs of gradients (rules.Masked), passes nothing on there, whatever
the upstream gradient; it has up to twice as many instructions, so it is made only when the plain one has given nan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from scalargrad.compiling.applied import FunctionRow
from scalargrad.compiling.tape import ADD, DOT, MULTIPLY, SOURCES, TAKE, WHERE, Instruction, Tape, depending, op_of
from scalargrad.compiling.templates import Template, choice_of, partials_of

if TYPE_CHECKING:
    from scalargrad.compiling.lowering import Lowered


Terms = Sequence[int]
"""What is to be added up: slots; or products, as the slots of a first factor, its second, the next first one, ..."""


def contributions(
    tape: Tape, root: int, wrt: Iterable[int], seed: int | None = None, *, masked: bool = False,
    whole: Lowered | None = None,
) -> dict[int, Terms]:  # fmt: skip
    """For each slot of `wrt` what is to be added up to the derivative of root with respect to it, in order.

    Args:
        tape: is extended.
        root: the slot of the output.
        wrt: slots.
        seed: the slot of the factor; 1.0 if left out.
        masked: which form.
        whole: the program as it was lowered with sums left whole. The gradient is written there, and so are the slots
            that come out, as products; adjoints are sums of products in one instruction each.
    """
    sweep = _Sweep(tape, wrt, masked) if whole is None else _SweepOfSums(tape, whole, wrt, masked)
    if sweep.between[root]:
        sweep.add(root, sweep.tape.constant(1.0) if seed is None else sweep.at[seed], -1, None)
    for slot in range(root, -1, -1):
        if sweep.terms[slot] is not None and not sweep.is_source[slot]:
            sweep.turn(slot)
    return sweep.found()


class _Sweep:
    """The sweep while it goes on.

    Attributes:
        code: the instructions.
        tape: where their gradient is written.
        at: for each slot of the code where that stands on the tape.
        wanted: what is to be added up, for each slot that is asked for.
        between: for each slot whether it lies between those and the root: only then it gets an adjoint.
        terms: for each slot the contributions so far, if there are any: their sum.
        reached: slots that are not 0 where a contribution reaches; no entry: one always does.
    """

    at: Sequence[int]

    def __init__(self, tape: Tape, wrt: Iterable[int], masked: bool) -> None:
        self.tape, self.masked = tape, masked
        self.code: Sequence[Instruction] = tape.code
        self.at = range(len(tape.code))
        self.wanted: dict[int, list[int] | None] = dict.fromkeys(wrt)
        self.between = depending(tape.code, self.wanted)
        self.terms: list[Sequence[int] | None] = [None] * len(tape.code)
        self.reached: dict[int, int] = {}
        self.is_source = bytearray(instruction[0] in SOURCES for instruction in tape.code)

    def add(self, x: int, upstream: int, local: int, mask: int | None) -> None:
        """Hand a contribution to a slot: upstream times local, or upstream if that is -1; it is 0 where the mask is."""
        emit = self.tape.emit
        share = upstream if local < 0 else emit(MULTIPLY, upstream, local)
        if mask is not None:
            share = emit(WHERE, mask, share, self.tape.constant(0.0))
        if x in self.wanted:
            known = self.wanted[x]
            if known is None:
                self.wanted[x] = [share]
            else:
                known.append(share)
        if not self.is_source[x]:
            terms = self.terms[x]
            self.terms[x] = [share if terms is None else emit(ADD, terms[0], share)]
            self._reach(x, mask, is_first=terms is None)

    def _reach(self, x: int, mask: int | None, *, is_first: bool) -> None:
        """Note where the contributions to a slot reach it, after one more."""
        known = self.reached.pop(x, None)
        if mask is not None and (is_first or known is not None):
            one = self.tape.constant(1.0)
            self.reached[x] = mask if known is None else self.tape.emit(WHERE, known, one, mask)

    def adjoint(self, slot: int) -> int:
        """The sum of what has come to a slot."""
        (found,) = self.terms[slot] or [self.tape.constant(0.0)]
        return found

    def found(self) -> dict[int, Terms]:
        """What has come to the slots that are asked for."""
        return {slot: terms or [] for slot, terms in self.wanted.items()}

    def turn(self, slot: int) -> None:
        """Let an instruction hand on its adjoint."""
        upstream, mask = self.adjoint(slot), self.reached.get(slot)
        instruction = self.code[slot]
        if mask is None and self.quickly(slot, instruction, upstream):
            return
        op, *parents = instruction
        tape, between = self.tape, self.between
        arguments = [*map(self.at.__getitem__, parents), self.at[slot]]
        for i, partial, kind, chooses, choice in _turns_of(op, len(parents)):
            x = parents[i]
            if not between[x]:
                continue
            if kind == HANDED_ON:
                self.add(x, partial.write(tape, (*arguments, upstream)), -1, mask)
                continue
            local = arguments[kind] if kind >= 0 else -1 if kind == ONE else partial.write(tape, arguments)
            reaches = mask
            if chooses:
                chosen = local if choice is None else choice.write(tape, arguments)
                if tape.constants.get(chosen) == 0.0:
                    continue
                if self.masked:
                    reaches = chosen if mask is None else tape.emit(WHERE, mask, chosen, tape.constant(0.0))
            self.add(x, upstream, local, reaches)

    def quickly(self, slot: int, instruction: Instruction, upstream: int) -> bool:  # noqa: ARG002
        """Whether it has handed on the adjoint of an op that has a shorter way."""
        return False


ONE, WRITTEN, HANDED_ON = -1, -2, -3
"""Local derivatives that are no operand: 1.0; what a template writes; what a Function's backward gives, all in all."""


class _Turn(NamedTuple):
    """What an op hands on to one of its operands.

    Attributes:
        parent: which operand.
        partial: the derivative.
        kind: the number of the argument, or of the result behind them, that it is; else one of the above.
        chooses, choice: whether the op may leave the operand out, and what is 0 then, if not the derivative.
    """

    parent: int
    partial: Template
    kind: int
    chooses: bool
    choice: Template | None


@lru_cache(maxsize=512)
def _turns_of(op: str, n: int) -> tuple[_Turn, ...]:
    """What an op of n operands hands on, in the order in which it does."""
    rule = op_of(op)
    if isinstance(rule, FunctionRow):
        given = enumerate(rule.backward_of)
        return tuple(_Turn(i, back, HANDED_ON, False, None) for i, back in given if back is not None)
    turns = []
    for i, partial in enumerate(partials_of(op, n)):
        result = partial.result
        if not partial.steps and type(result) is int:
            kind = result
        else:
            kind = ONE if result == 1.0 and type(result) is float else WRITTEN
        chooses = rule.may_leave_out(i)
        turns.append(_Turn(i, partial, kind, chooses, choice_of(op, n, i) if chooses else None))
    if n > 2 and n % 2 and rule.pair is not None:  # the bias has its turn before the ys
        turns.insert(n // 2, turns.pop())
    return tuple(turns)


@lru_cache(maxsize=512)
def _operands_alone(op: str, n: int) -> Sequence[tuple[int, int]] | None:
    """Of an op that always hands on, whose derivatives are arguments or 1.0: to which operands, and which they are."""
    turns = _turns_of(op, n)
    if any(turn.kind < ONE or turn.chooses for turn in turns):
        return None
    return [(turn.parent, turn.kind) for turn in turns]


class _SweepOfSums(_Sweep):
    """The same for a long program: `terms` has first and second factors by turns, until a slot has its turn.

    One product is a tuple, as nearly all are, which costs the garbage collector nothing; several are a list.
    """

    def __init__(self, tape: Tape, whole: Lowered, wrt: Iterable[int], masked: bool) -> None:
        super().__init__(tape, wrt, masked)
        self.tape, self.at = whole.tape, whole.places
        self._one = self.tape.constant(1.0)
        self._chosen: dict[tuple[int, int], list[int]] = {}

    def add(self, x: int, upstream: int, local: int, mask: int | None) -> None:
        """As above; a product is not computed yet."""
        emit = self.tape.emit
        if mask is not None:
            share = upstream if local < 0 else emit(MULTIPLY, upstream, local)
            upstream, local = emit(WHERE, mask, share, self.tape.constant(0.0)), -1
        terms, pair = self.terms[x], (upstream, self._one if local < 0 else local)
        if type(terms) is list:
            terms += pair
        else:
            self.terms[x] = pair if terms is None else [*terms, *pair]
        if mask is not None or self.reached:
            self._reach(x, mask, is_first=terms is None)

    def adjoint(self, slot: int) -> int:
        """The sum of what has come to a slot."""
        terms = self.terms[slot] or ()
        if len(terms) == 2 and terms[1] == self._one:
            return terms[0]
        return sum_of_products(self.tape, terms)

    def found(self) -> dict[int, Terms]:
        """What has come to the slots that are asked for."""
        return {slot: self.terms[slot] or () for slot in self.wanted}

    def quickly(self, slot: int, instruction: Instruction, upstream: int) -> bool:
        """The turn of an op whose derivatives are its operands, as a dot product's, or of an entry taken.

        Nearly all contributions come from them.
        """
        op, parents = instruction[0], instruction[1:]
        plain = _operands_alone(op, len(parents))
        if plain is not None:
            locals_ = (*map(self.at.__getitem__, parents), self.at[slot], self._one)  # ONE is the last
            self._hand_on(parents, upstream, locals_, plain)
            return True
        if op is TAKE and not self.masked and not self.between[parents[0]]:
            key = parents[0], len(parents)
            if key not in self._chosen:
                given = [*map(self.at.__getitem__, parents), self.at[slot]]
                self._chosen[key] = [one.write(self.tape, given) for one in partials_of(op, len(parents))[1:]]
            entries = range(len(parents) - 1)
            self._hand_on(parents[1:], upstream, self._chosen[key], zip(entries, entries, strict=True))
            return True
        return False

    def _hand_on(
        self, xs: Sequence[int], upstream: int, locals_: Sequence[int], which: Iterable[tuple[int, int]]
    ) -> None:
        """Hand each of some operands its contribution: which, and which of the local derivatives."""
        between, terms, reached = self.between, self.terms, self.reached
        for i, kind in which:
            x = xs[i]
            if between[x]:
                known = terms[x]
                if known is None:
                    terms[x] = upstream, locals_[kind]
                else:
                    if type(known) is list:
                        known += (upstream, locals_[kind])
                    else:
                        terms[x] = [*known, upstream, locals_[kind]]
                    if reached:
                        reached.pop(x, None)


def has_choices(code: Sequence[Instruction]) -> bool:
    """Whether an op of the tape chooses, so that the two forms may differ."""
    ops = {instruction[0] for instruction in code if instruction[0] not in SOURCES}
    return any(op_of(op).is_choice for op in ops)


def sum_of_products(tape: Tape, terms: Terms) -> int:
    """The slot of the sum of contributions that were left as products."""
    if len(terms) == 2:
        return tape.product(terms[0], terms[1])
    if not terms:
        return tape.constant(0.0)
    first, second = terms[::2], terms[1::2]
    if len(first) == 2 and all(tape.constants.get(x) == 1.0 for x in second):
        return tape.emit(ADD, *first)
    tape.code.append((DOT, *first, *second))  # nothing to simplify, and not seen before
    return len(tape.code) - 1


def total(tape: Tape, terms: Terms) -> int:
    """The slot of the sum of contributions, from the first to the last; of 0.0 if there is none."""
    result: int | None = None
    for term in terms:
        result = term if result is None else tape.emit(ADD, result, term)
    return tape.constant(0.0) if result is None else result
