"""A function over batches: recorded for one sample, run for all; one program for each way through its branches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.compiling.batch_program import BatchProgram
from scalargrad.compiling.branches import Broken, branch_error
from scalargrad.compiling.groups import Batch, Group, Seen, batch_of
from scalargrad.compiling.recordings import Recordings
from scalargrad.compiling.statics import takes_no_more
from scalargrad.compiling.watching import BranchError, refuse_to_be_recorded
from scalargrad.engine import Value
from scalargrad.node.mode import in_mode
from scalargrad.node.structures import flatten

if TYPE_CHECKING:
    from scalargrad.node.structures import Rebuild

LOSS, VALUES = "loss", "values"
"""What a program is for: the loss and its gradients, or all that the function returns."""


class Part(NamedTuple):
    """What one program has found for some samples of a batch.

    Attributes:
        program: it.
        rows: which samples they are.
        columns: what the function gave beside its loss: for each number a list with that of each sample.
    """

    program: BatchProgram
    rows: Sequence[int]
    columns: Sequence[Sequence[float]]


class BatchFunction:
    """A function of samples over batches: its programs for every structure of samples and every way it branches.

    Args:
        fn: the function.
        name: how messages call it.
        parameters: what to differentiate for, if given.
        backend: the choice.
        reduction: "mean" or "sum".
        branches: "raise" or "record".
        has_aux: whether fn returns (loss, aux).
        also: static arguments that it was given.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str, parameters: Sequence[Value] | None, backend: str, reduction: str,
        branches: str, has_aux: bool, also: Collection[Any] = (),
    ) -> None:  # fmt: skip
        self.mean, self.branches = reduction == "mean", branches
        self.fn, self._name, self._given, self.backend, self.has_aux = fn, name, parameters, backend, has_aux
        self.recordings: Recordings[BatchProgram] = Recordings(fn, name, branches, also)
        self.recordings.reached.add(parameters or ())
        self._seen: list[Seen] = []
        self.resting: list[Any] = []  # what the last training has left, if it ended well: see training.py
        self._leaves: dict[Value, None] = {}  # those that the loss has reached: what `values` reaches is no parameter
        self._order: list[Value] = []

    @property
    def were_given(self) -> bool:
        """Whether it was said what to differentiate for."""
        return self._given is not None

    @property
    def parameters(self) -> list[Value]:
        """See `Compiled.parameters`."""
        if self._given is not None:
            return [p for p in self._given if p.requires_grad]
        if not any(programs for (what, *_), programs in list(self.recordings.known.items()) if what is LOSS):
            raise ValueError(
                f"{self._name} was not recorded yet, so its parameters are unknown: call value_and_grad first, or "
                "give them: compile(fn, parameters=model.parameters())"
            )
        return [p for p in self._leaves if p.requires_grad]

    # ---------------------------------------------------------------- recording

    def programs(self, batch: Batch) -> list[BatchProgram]:
        """For each structure of the samples its program; recorded at the first of them if there is none yet."""
        return [self._program(group) for group in batch.groups]

    def knows(self, batch: Batch) -> bool:
        """Whether nothing need be recorded for it."""
        return all(self._known(LOSS, group) for group in batch.groups)

    def in_words(self) -> list[str]:
        """What was found in the loss: a line for each structure of the samples, and one for each of its layers."""
        lines = []
        for (what, *_), programs in list(self.recordings.known.items()):
            for program in programs if what is LOSS else ():
                layers: Sequence[str] = getattr(program.runner, "layers", ())
                sizes = " and ".join(map(str, program.widths)) or "no"
                numbers = "number" if program.widths == [1] else "numbers"
                lines.append(f"over samples of {sizes} {numbers}: {'layers' if layers else 'no layers'}")
                lines += [f"    {line}" for line in layers]
        return lines

    def _program(self, group: Group) -> BatchProgram:
        known = self._known(LOSS, group)
        return known[0] if known else self.recordings.another(known, 0, partial(self._of_loss, group))

    def have_changed(self) -> bool:
        """Whether a leaf was frozen, is trained now, or has a hook; or what the function reads around it is another."""
        return self.recordings.reached.have_changed()

    def _known(self, what: str, group: Group) -> list[BatchProgram]:
        return self.recordings.of((what, *group.kind))

    def _recorded(self, fn: Callable[..., Any], group: Group, **how: Any) -> BatchProgram:
        """The function recorded at the first sample of a group."""
        given = self._given if how.get("gradients", True) else None
        if not group.is_of_numbers and not takes_no_more(self.fn, len(group.samples)):
            raise TypeError("a batch is needed: a list of samples for each argument of the function")
        try:
            with _naming(self._name, group.rows[0]):
                return self.recordings.recorded(lambda: BatchProgram(fn, group.samples, 0, given, self.backend, **how))
        except Exception as error:
            if not isinstance(group.rows, range) and hasattr(error, "add_note"):  # Python 3.11 and later have it
                error.add_note(f"{self._name} was being recorded at sample {group.rows[0]} of the batch: {group}")
            raise

    def _of_loss(self, group: Group) -> BatchProgram:
        """A program for the loss."""
        program = self._recorded(self.fn, group, has_aux=self.has_aux)
        self._check_first(program, group)
        self._leaves = {**self._leaves, **dict.fromkeys(program.reached)}
        order = self._given if self._given is not None else self._leaves
        self._order = [p for p in order if p.requires_grad]
        program.in_order = program.leaves[: program.trained] == self._order
        return program

    def _of_values(self, group: Group) -> BatchProgram:
        """A program for all that the function returns, wanted per sample: for a function without a loss."""
        fn = self.fn
        rebuilds: list[Rebuild] = []

        def outputs(*args: Any) -> Any:
            leaves, rebuild = flatten(fn(*args), f"the result of {self._name}")
            rebuilds[:] = [rebuild]
            return Value(0.0, requires_grad=False) * 1.0, leaves

        program = self._recorded(outputs, group, gradients=False, has_aux=True)
        program.rebuild = rebuilds[0]
        self._check_first(program, group)
        return program

    def _check_first(self, program: BatchProgram, group: Group) -> None:
        """Raise BranchError if the program does not serve the first of the samples, at which it was recorded.

        A comparison with NaN never holds, not even where it was recorded.
        """
        if program.guards:
            sums, columns = program.run(group.taken([0]).samples, 1, mean=False)
            if sums[1] != 0.0:
                raise self._broken(program, group, 0, columns[-1][0])

    # ---------------------------------------------------------------- running

    def values(self, *batches: Any) -> list[Any]:
        """See `Compiled.values`."""
        refuse_to_be_recorded(f"values of the compiled {self._name}")
        batch = batch_of(batches)
        found: list[Any] = [None] * batch.n
        for group in batch.groups:
            for part, _ in self._by_branches(VALUES, self._of_values, group):
                for k, i in enumerate(part.rows):
                    found[i] = part.program.rebuild(iter([column[k] for column in part.columns]))
        return found

    def columns(self, *batches: Any) -> list[list[float]]:
        """As `values`, but for each number that the function returns, in flat order, a list with that of each sample.

        For batches of many samples, whose structures would take longer to build than their numbers to find.

        Raises:
            ValueError: if samples differ in structure, or take several ways through the function's branches.
        """
        refuse_to_be_recorded(f"columns of the compiled {self._name}")
        batch = batch_of(batches)
        parts = [part for group in batch.groups for part, _ in self._by_branches(VALUES, self._of_values, group)]
        if len(parts) != 1:
            raise ValueError(f"{self._name}: the columns of samples that differ in structure or branch")
        return [list(column) for column in parts[0].columns]

    def batch_of_arrays(self, batches: Sequence[Any]) -> Batch:
        """Of arrays the batch that they are: that of the last time, if they are the same and lie where they lay."""
        seen = self._taken()
        batch = seen.batch(batches)
        self._seen.append(seen)
        return batch

    def _taken(self) -> Seen:
        """What is known of earlier batches; to be put back, so that no other thread fills the same memory meanwhile."""
        try:
            return self._seen.pop()
        except IndexError:  # another thread has it
            return Seen(self.backend)

    def value_and_grad(self, batches: Sequence[Any]) -> tuple[float, list[float], list[Part]]:
        """As `run`, with the arguments as they are given."""
        seen = self._taken()
        batch = seen.batch(batches)
        found = self.run(batch)
        if batch.values:
            batch.refuse_trained(self.parameters, self._name)
        self._seen.append(seen)
        return found

    def beside(self, parts: Sequence[Part]) -> list[Any]:
        """What the function gave beside its loss, for each sample of a batch, in its structure."""
        found: dict[int, Any] = {}
        for part in parts:
            rows: Iterable[tuple[float, ...]] = zip(*part.columns, strict=True) if part.columns else repeat(())
            for i, numbers in zip(part.rows, rows, strict=False):
                _, found[i] = part.program.rebuild(iter((0.0, *numbers)))
        return [found[i] for i in range(len(found))]

    def run(self, batch: Batch) -> tuple[float, list[float], list[Part]]:
        """As `value_and_grad`, with the batch as Samples; also returns what fn gave beside its loss."""
        refuse_to_be_recorded(f"value_and_grad of the compiled {self._name}")
        programs = self.programs(batch)  # first of all: another structure may reach more parameters
        order = self._order
        if len(programs) == 1:
            (program,), (group,) = programs, batch.groups
            sums, columns = program.run(group.samples, batch.n, mean=self.mean)
            if not program.guards or sums[1] == 0.0:
                loss, parts = sums[0], [Part(program, group.rows, columns[: program.columns])]
                if program.in_order and program.trained == len(order):
                    del sums[:2]  # of many gradients it takes as long to copy the list
                    return loss, sums, parts
                return loss, in_order(order, program, sums), parts
        found = [one for group in batch.groups for one in self._by_branches(LOSS, self._of_loss, group)]
        order, loss, parts = self._order, 0.0, []  # another branch may reach more parameters as well
        grads = [0.0] * len(order)
        for part, sums in found:
            loss += sums[0]
            grads = list(map(add, grads, in_order(order, part.program, sums)))
            parts.append(part)
        if self.mean:
            loss, grads = loss / batch.n, [grad / batch.n for grad in grads]
        return loss, grads, parts

    def _by_branches(
        self, what: str, record: Callable[[Group], BatchProgram], group: Group
    ) -> list[tuple[Part, list[float]]]:
        """What each program that some samples of the group take finds for them, and its sums over them."""
        known, tried, found = self._known(what, group), 0, []
        rest = group
        while rest.rows:
            program = self.recordings.another(known, tried, partial(record, rest))
            tried += 1
            mine, left = rest, rest.taken(())
            sums, columns = program.run(rest.samples, len(rest.rows), mean=False)
            if program.guards and sums[1] != 0.0:
                holds = [violation == 0.0 for violation in columns[-1]]
                if self.branches == "raise":
                    k = holds.index(False)
                    raise self._broken(program, rest, k, columns[-1][k])
                mine, left = (rest.taken([k for k, x in enumerate(holds) if x is wanted]) for wanted in (True, False))
                if mine.rows:
                    sums, columns = program.run(mine.samples, len(mine.rows), mean=False)
            if mine.rows:
                found.append((Part(program, mine.rows, columns[: program.columns]), sums))
            rest = left
        return found

    def check(
        self, program: BatchProgram, group: Group, sums: Sequence[float], columns: Sequence[Sequence[float]]
    ) -> None:
        """Raise BranchError if a guard does not hold for some sample, IndexError if it is an index that is none."""
        if not program.guards or sums[1] == 0.0:
            return
        k, violation = next((k, x) for k, x in enumerate(columns[-1]) if x != 0.0)
        raise self._broken(program, group, k, violation)

    def _broken(self, program: BatchProgram, group: Group, k: int, violation: float) -> BranchError:
        """What to raise for a guard that does not hold for the k-th sample of a group."""
        sample = group.rows[k]
        if program.has_indices:  # the function itself says what is wrong with an index
            with _naming(self._name, sample), in_mode(follows_ieee=True):
                self.fn(*[one.rebuilt(map(Value, one.sample(k))) for one in group.samples])
        return branch_error(self._name, Broken(program.guards, violation != violation), f"for sample {sample} ")


@contextmanager
def _naming(name: str, sample: int) -> Iterator[None]:
    """Say for which sample an index is none."""
    try:
        yield
    except IndexError as error:
        raise IndexError(f"{name}: for sample {sample}: {error}") from error


def in_order(order: Sequence[Value], program: BatchProgram, sums: list[float]) -> list[float]:
    """The program's gradients in this order of the parameters."""
    if program.in_order and program.trained == len(order):
        return sums[2:]
    found = dict(zip(program.leaves[: program.trained], sums[2:], strict=True))
    return [found.get(parameter, 0.0) for parameter in order]
