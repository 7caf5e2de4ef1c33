"""Sums found again in additions: a * b + c * d + e becomes one sum of products, with the same roundings in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from scalargrad.compiling.tape import ADD, DOT, MULTIPLY, SOURCES, Instruction
from scalargrad.compiling.templates import Step, Template

Ref = int | float
OFTEN = 8
"""One instruction in so many is an addition where a program is searched for chains of them."""
SHORTEST = 3
"""Terms of a sum that is worth an instruction of its own."""


def with_sums(formula: Template, arguments: int) -> Template:
    """The formula with one `dot` for each chain of additions whose partial sums nothing else reads."""
    steps = formula.steps
    uses = Counter(ref for _, refs in steps for ref in refs if type(ref) is int)
    if type(formula.result) is int:
        uses[formula.result] += 2  # it is read from outside
    sums, inside = _chains([(op, *refs) for op, refs in steps], arguments, uses)
    places: list[Ref] = list(range(arguments))
    written: list[Step] = []
    for number, step in enumerate(steps, arguments):
        op, refs = (DOT, _operands(sums[number])) if number in sums else step
        if number not in inside:
            places.append(arguments + len(written))
            written.append((op, tuple(places[ref] if type(ref) is int else ref for ref in refs)))
        else:
            places.append(-1)
    result = places[formula.result] if type(formula.result) is int else formula.result
    return Template(tuple(written), result)


def sums_in(
    code: Sequence[Instruction], outputs: Iterable[int]
) -> tuple[dict[int, list[tuple[Ref, Ref]]], Iterable[int]]:
    """The same in a program, if additions are much of it: the factors of each sum's terms, and what is part of a sum.

    Args:
        code: the tape.
        outputs: the slots that are read from outside.
    """
    if OFTEN * sum(instruction[0] is ADD for instruction in code) < len(code):
        return {}, ()
    uses = Counter(chain.from_iterable(instruction[1:] for instruction in code if instruction[0] not in SOURCES))
    uses.update([*outputs, *outputs])
    return _chains(code, 0, uses)


def _operands(pairs: Sequence[tuple[Ref, Ref]]) -> list[Ref]:
    return [*(x for x, _ in pairs), *(y for _, y in pairs)]


def _chains(
    steps: Sequence[tuple[Any, ...]], start: int, uses: Counter[int]
) -> tuple[dict[int, list[tuple[Ref, Ref]]], set[int]]:
    """For each addition that ends a chain its terms in order, as factors; and the steps that are part of a sum.

    Args:
        steps: an op and what it reads, as instructions are.
        start: the number of the first step; smaller ones are arguments.
        uses: how often each number is read.
    """
    sums: dict[int, list[tuple[Ref, Ref]]] = {}
    inside: set[int] = set()

    def is_inner(ref: Ref, op: str) -> bool:
        """Whether this is the result of such a step, and read once."""
        return type(ref) is int and ref >= start and uses[ref] == 1 and steps[ref - start][0] is op

    for number in range(start + len(steps) - 1, start - 1, -1):
        if steps[number - start][0] is not ADD or number in inside:
            continue
        _, x, y = steps[number - start]
        terms: list[Ref] = []
        partial_sums: list[int] = []
        while True:
            if not is_inner(x, ADD):
                if not is_inner(y, ADD):
                    terms += (y, x)
                    break
                x, y = y, x
            terms.append(y)
            partial_sums.append(x)
            _, x, y = steps[x - start]
        if len(terms) >= SHORTEST:
            products = {term for term in terms if type(term) is int and is_inner(term, MULTIPLY)}
            inside.update(partial_sums, products)
            sums[number] = [
                steps[term - start][1:] if type(term) is int and term in products else (term, 1.0)
                for term in reversed(terms)
            ]
    return sums, inside
