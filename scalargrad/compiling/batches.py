"""A function over batches: recorded for one sample, run for all; one program for each way through its branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.batch_program import BatchProgram
from scalargrad.compiling.branches import Broken, branch_error
from scalargrad.compiling.recordings import Recordings
from scalargrad.compiling.samples import Samples, batch_of
from scalargrad.compiling.watching import BranchError, refuse_to_be_recorded
from scalargrad.engine import Value
from scalargrad.node.structures import flatten

if TYPE_CHECKING:
    from scalargrad.node.structures import Rebuild

LOSS, VALUES = "loss", "values"
"""What a program is for: the loss and its gradients, or all that the function returns."""


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
    """

    def __init__(
        self, fn: Callable[..., Any], name: str, parameters: Sequence[Value] | None, backend: str, reduction: str,
        branches: str, has_aux: bool,
    ) -> None:  # fmt: skip
        self.mean, self.branches = reduction == "mean", branches
        self._fn, self._name, self._given, self._backend, self._has_aux = fn, name, parameters, backend, has_aux
        self.recordings: Recordings[BatchProgram] = Recordings(fn, name, branches)
        self.recordings.reached.add(parameters or ())
        self._leaves: dict[Value, None] = {}  # those that the loss has reached: what `values` reaches is no parameter
        self._order: list[Value] = []

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

    def program(self, samples: Sequence[Samples]) -> BatchProgram:
        """The program for samples of this structure; recorded at the first of them if there is none yet."""
        known = self._known(LOSS, samples)
        if known:
            return known[0]
        rows = range(samples[0].n if samples else 1)
        return self.recordings.another(known, 0, partial(self._of_loss, samples, rows))

    def have_changed(self) -> bool:
        """Whether a leaf was frozen, is trained now, or has a hook; or what the function reads around it is another."""
        return self.recordings.reached.have_changed()

    def _known(self, what: str, samples: Sequence[Samples]) -> list[BatchProgram]:
        return self.recordings.of((what, *[one.kind for one in samples]))

    def _of_loss(self, samples: Sequence[Samples], rows: Sequence[int]) -> BatchProgram:
        """A program for the loss, recorded at the first of these rows."""
        program = self.recordings.recorded(
            lambda: BatchProgram(self._fn, samples, rows[0], self._given, self._backend, has_aux=self._has_aux)
        )
        self._check_first(program, samples, rows)
        self._leaves = {**self._leaves, **dict.fromkeys(program.reached)}
        order = self._given if self._given is not None else self._leaves
        self._order = [p for p in order if p.requires_grad]
        program.in_order = program.leaves[: program.trained] == self._order
        return program

    def _of_values(self, samples: Sequence[Samples], rows: Sequence[int]) -> BatchProgram:
        """A program for all that the function returns, wanted per sample: for a function without a loss."""
        fn = self._fn
        rebuilds: list[Rebuild] = []

        def outputs(*args: Any) -> Any:
            leaves, rebuild = flatten(fn(*args), f"the result of {self._name}")
            rebuilds[:] = [rebuild]
            return Value(0.0, requires_grad=False) * 1.0, leaves

        program = self.recordings.recorded(
            lambda: BatchProgram(outputs, samples, rows[0], None, self._backend, gradients=False, has_aux=True)
        )
        program.rebuild = rebuilds[0]
        self._check_first(program, samples, rows)
        return program

    def _check_first(self, program: BatchProgram, samples: Sequence[Samples], rows: Sequence[int]) -> None:
        """Raise BranchError if the program does not serve the first of the rows, at which it was recorded.

        A comparison with NaN never holds, not even where it was recorded.
        """
        if program.guards:
            sums, columns = self._part(program, samples, rows)
            if sums[1] != 0.0 and columns[-1][0] != 0.0:
                raise self._branch_error(program, rows[0], columns[-1][0])

    # ---------------------------------------------------------------- running

    def values(self, *batches: Any) -> list[Any]:
        """See `Compiled.values`."""
        refuse_to_be_recorded(f"values of the compiled {self._name}")
        samples = batch_of(batches)
        found: list[Any] = [None] * samples[0].n
        for program, mine, _, columns in self._by_branches(VALUES, self._of_values, samples):
            kept = columns[: program.columns]
            for k, i in enumerate(mine):
                found[i] = program.rebuild(iter([column[k] for column in kept]))
        return found

    def run(self, samples: Sequence[Samples]) -> tuple[float, list[float], list[list[float]]]:
        """As `value_and_grad`, with the batch as `Samples`; also returns what fn gave beside its loss, as columns."""
        refuse_to_be_recorded(f"value_and_grad of the compiled {self._name}")
        program = self.program(samples)
        sums, columns = program.run(samples, samples[0].n, mean=self.mean)
        if program.guards and sums[1] != 0.0:
            return self._run_by_branches(samples)
        order = self._order
        if program.in_order and program.trained == len(order):
            return sums[0], sums[2:], columns[: program.columns]
        return sums[0], _in_order(order, program, sums), columns[: program.columns]

    def _run_by_branches(self, samples: Sequence[Samples]) -> tuple[float, list[float], list[list[float]]]:
        """As `run`, each sample by the program that was recorded for the branches it takes."""
        n = samples[0].n
        found = self._by_branches(LOSS, self._of_loss, samples)
        divisor, order = float(n) if self.mean else 1.0, self._order
        grads = [0.0] * len(order)
        rows: list[Sequence[float]] = [()] * n
        for program, mine, sums, columns in found:
            grads = [a + b / divisor for a, b in zip(grads, _in_order(order, program, sums), strict=True)]
            for i, row in zip(mine, zip(*columns[: program.columns], strict=True), strict=False):
                rows[i] = row
        loss = sum(sums[0] for _, _, sums, _ in found) / divisor
        return loss, grads, [list(column) for column in zip(*rows, strict=True)]

    def _by_branches(
        self, what: str, record: Callable[[Sequence[Samples], Sequence[int]], BatchProgram], samples: Sequence[Samples]
    ) -> list[tuple[BatchProgram, Sequence[int], list[float], list[list[float]]]]:
        """For each program that some samples take: which they are, its sums over them and its columns."""
        rest: Sequence[int] = range(samples[0].n)
        known, tried, found = self._known(what, samples), 0, []
        while rest:
            program = self.recordings.another(known, tried, partial(record, samples, rest))
            tried += 1
            mine = rest
            sums, columns = self._part(program, samples, rest)
            if program.guards and sums[1] != 0.0:
                holds = [violation == 0.0 for violation in columns[-1]]
                if self.branches == "raise":
                    k = holds.index(False)
                    raise self._branch_error(program, rest[k], columns[-1][k])
                mine = [i for i, held in zip(rest, holds, strict=True) if held]
                rest = [i for i, held in zip(rest, holds, strict=True) if not held]
                if not mine:
                    continue
                sums, columns = self._part(program, samples, mine)
            else:
                rest = ()
            found.append((program, mine, sums, columns))
        return found

    @staticmethod
    def _part(
        program: BatchProgram, samples: Sequence[Samples], rows: Sequence[int]
    ) -> tuple[list[float], list[list[float]]]:
        """The sums and columns of some samples."""
        part = samples if len(rows) == samples[0].n else [one.taken(rows) for one in samples]
        return program.run(part, len(rows), mean=False)

    def check(self, program: BatchProgram, sums: Sequence[float], columns: Sequence[Sequence[float]]) -> None:
        """Raise BranchError if a guard does not hold for some sample."""
        if not program.guards or sums[1] == 0.0:
            return
        raise self._branch_error(program, *next((i, x) for i, x in enumerate(columns[-1]) if x != 0.0))

    def _branch_error(self, program: BatchProgram, sample: int, violation: float) -> BranchError:
        return branch_error(self._name, Broken(program.guards, violation != violation), f"for sample {sample} ")


def _in_order(order: Sequence[Value], program: BatchProgram, sums: Sequence[float]) -> list[float]:
    """The program's gradients in this order of the parameters."""
    found = dict(zip(program.leaves[: program.trained], sums[2:], strict=True))
    return [found.get(parameter, 0.0) for parameter in order]
