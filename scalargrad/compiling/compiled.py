"""compile: a function recorded once and replayed as machine code, for one point or for a whole batch."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scalargrad.behaviour import number
from scalargrad.compiling.backends import BACKENDS
from scalargrad.compiling.losses import BatchProgram, data_of
from scalargrad.compiling.lowering import simplified
from scalargrad.compiling.points import Point
from scalargrad.compiling.recording import TraceRecording
from scalargrad.compiling.samples import Samples, batch_of, doubles
from scalargrad.compiling.traces import BranchError, Trace, refuse_to_be_recorded
from scalargrad.engine import Value
from scalargrad.functional.call import plain_number
from scalargrad.functional.trees import flatten, skeleton
from scalargrad.modes import being_compiled, recording
from scalargrad.table import HARD

if TYPE_CHECKING:
    from scalargrad.compiling.training import Training
    from scalargrad.functional.trees import Rebuild
    from scalargrad.nn.optimizers import Optimizer

ADVICE = (
    "Let the program choose, not Python: with relu, maximum, or where(greater(x, 0), a, b); or record each way once "
    "with branches='record'"
)


class Compiled:
    """A function that was compiled; made by `scalargrad.compile`, which says how it is used."""

    def __init__(
        self,
        fn: Callable[..., Any],
        parameters: Sequence[Value] | None,
        backend: str,
        reduction: str,
        branches: str,
        has_aux: bool,
    ) -> None:
        self.fn = fn
        self.backend = backend
        self.reduction = reduction
        self.branches = branches
        self.has_aux = has_aux
        self._given = parameters
        self._points: dict[Any, list[Point]] = {}
        self._batches: dict[Any, list[BatchProgram]] = {}
        self._reached = {p: None for p in parameters or () if p.requires_grad}
        self.__name__ = getattr(fn, "__name__", type(fn).__name__)
        self.__doc__ = getattr(fn, "__doc__", None)

    def __repr__(self) -> str:
        return f"<compiled {self.__name__}>"

    # ---------------------------------------------------------------- one point

    def __call__(self, *args: Any) -> Any:
        """What the function gives for these arguments, as floats in the same structure.

        Where an argument is a Value that requires grad, the function itself runs and gives Values: a graph is wanted.

        Raises:
            BranchError: if a comparison in the function comes out otherwise than when it was recorded.
        """
        if being_compiled():
            return self.fn(*args)  # it is part of a function that is being recorded
        key: Any = None
        if len(args) == 1 and type(args[0]) is list and args[0] and type(args[0][0]) is float:
            with suppress(TypeError):  # a list of numbers, the commonest: an array takes nothing else
                key, numbers = len(args[0]), array("d", args[0])
        if key is None:
            given = [x for i, arg in enumerate(args) for x in flatten(arg, f"argument {i}")[0]]
            if wants_graph(given):
                return self.fn(*args)
            key, numbers = tuple(map(skeleton, args)), array("d", map(plain_number, given))
        points = self._points.setdefault(key, [])
        for point in points:
            try:
                result, violated = point.run(numbers)
            except HARD:  # a pole: eager code knows whether a number raises, or is a derivative and follows IEEE
                return self._eagerly(args, numbers)
            if violated is None:
                return result
            if self.branches == "raise":
                raise branch_error(self.__name__, violated)
        point = Point(self.fn, args, numbers, self.backend, self.__name__)
        points.append(point)
        try:
            result, violated = point.run(numbers)
        except HARD:
            return self._eagerly(args, numbers)
        if violated is not None:
            raise branch_error(self.__name__, violated)
        return result

    def _eagerly(self, args: Sequence[Any], numbers: Sequence[float]) -> Any:
        fresh = map(Value, numbers)
        leaves, rebuild = flatten(self.fn(*[flatten(arg)[1](fresh) for arg in args]), f"the result of {self.__name__}")
        return rebuild(map(float, map(plain_number, leaves)))

    def bind(self, x: Any, out: Any) -> Callable[[], None]:
        """A function without arguments that reads x and writes what the function gives for it into out, in flat order.

        For loops in which making lists of floats would cost more than the computation: with llvm a call takes as long
        as its machine code, and a third of a microsecond.

        Args:
            x: the one argument, a list of numbers as the function sees it: a numpy array of float64 or an `array("d")`,
                read anew in each call.
            out: the same for the results.

        Raises:
            TypeError: if one of them is no writable, contiguous memory of doubles.
            ValueError: if out has not as many elements as the function gives numbers.

        >>> import scalargrad
        >>> from array import array
        >>> f = scalargrad.compile(scalargrad.grad(lambda v: v[0] * v[1]), backend="python")
        >>> x, out = array("d", [2.0, 3.0]), array("d", [0.0, 0.0])
        >>> step = f.bind(x, out)
        >>> x[0] = 5.0
        >>> step()
        >>> out.tolist()
        [3.0, 5.0]
        """
        source, target = doubles(x, "x"), doubles(out, "out")
        if memoryview(x).ndim != 1:
            raise TypeError(
                f"x must be one row of numbers, the list that {self.__name__} takes, not {x.ndim}-dimensional"
            )
        point = Point(self.fn, [source.tolist()], source, self.backend, self.__name__)
        if len(target) != point.count:
            raise ValueError(f"out has {len(target)} elements, but {self.__name__} gives {point.count} numbers")
        begin, end = (
            ctypes.addressof(ctypes.c_char.from_buffer(view)) if len(view) else 0 for view in (source, target)
        )
        apart = end >= begin + source.nbytes or begin >= end + target.nbytes
        if apart and not point.guards and hasattr(point.runner, "bound"):
            return point.runner.bound(source, target, point.leaves)  # type: ignore[no-any-return]

        def replay() -> None:
            try:
                found = point.runner(list(map(data_of, point.leaves)), source)
            except HARD:
                given = source.tolist()
                target[:] = array("d", flatten(self._eagerly([given], given))[0])
                return
            for guard, violation in zip(point.guards, found[point.count :], strict=True):
                if violation != 0.0:
                    raise branch_error(self.__name__, guard)
            target[:] = array("d", found[: point.count])

        return replay

    def to_jax(self, *args: Any, dtype: str = "float64") -> Callable[..., Any]:
        """The function as JAX's, for whoever outgrows one machine: f(parameters, *args) -> number or 1-d array.

        It is pure, so jit, vmap, grad and sharding apply; `parameters` is a 1-d array of the leaves' numbers, in the
        order of compile's `parameters`. Guards are not checked in JAX: a function that compares Values is refused.

        Args:
            args: arguments to record at, as to the function itself: one sample.
            dtype: what it computes in; for float64, JAX must be set to it: `jax.config.update("jax_enable_x64", True)`.

        Raises:
            MissingExtraError: if jax is not installed.
            ValueError: if the function compares Values, or reaches leaves that are not among the parameters.
        """
        from scalargrad.compiling.jax_code import to_jax

        leaves, rebuilds = zip(*(flatten(arg, f"argument {i}") for i, arg in enumerate(args)), strict=True)
        inputs = [Value(number(plain_number(x))) for part in leaves for x in part]
        fresh = iter(inputs)
        trace = Trace(self.fn, [rebuild(fresh) for rebuild in rebuilds], self.__name__)
        if trace.guards:
            raise ValueError(
                f"to_jax: {self.__name__} compares Values, which JAX would not check: {trace.guards[0]}\n{ADVICE}"
            )
        recorded = TraceRecording(trace, inputs, self._given or ())
        if self._given is not None and len(recorded.parameters) > len(self._given):
            raise ValueError(
                f"to_jax: {self.__name__} reaches {len(recorded.parameters)} leaves, but parameters= has "
                f"{len(self._given)}: all numbers that JAX shall know must be among them"
            )
        tape, outputs = simplified(recorded.tape.code, recorded.outputs, lower=False)
        is_scalar = trace.rebuild_output is next
        return to_jax(tape.code, outputs[0] if is_scalar else outputs, list(map(len, leaves)), dtype)

    # ---------------------------------------------------------------- a batch

    @property
    def parameters(self) -> list[Value]:
        """The Values that get a gradient, in the order of the gradients.

        Raises:
            ValueError: before the first call, if they were not given: nobody knows them yet.
        """
        if self._given is None and not any(self._batches.values()):
            raise ValueError(
                f"{self.__name__} was not recorded yet, so its parameters are unknown: call value_and_grad first, or "
                "give them: compile(fn, parameters=model.parameters())"
            )
        return list(self._reached)

    def value_and_grad(self, *batches: Any) -> tuple[float, list[float]]:
        """The loss of a batch and its gradients, in the order of `parameters`.

        The loss is the mean (or sum, if `reduction` says so) of what the function gives for each sample. Outside the
        domain of an op there is no error as in eager code, but IEEE's inf or nan.

        Args:
            batches: one list of samples, or array, for each argument of the function: n rows of X, n targets.

        Raises:
            BranchError: if a comparison in the function comes out otherwise for a sample than when it was recorded.
            ValueError: if the arguments have not equally many samples.

        >>> import scalargrad
        >>> w = scalargrad.Value(2.0)
        >>> loss = scalargrad.compile(lambda x, y: (w * x - y) ** 2, backend="python")
        >>> loss.value_and_grad([1.0, 2.0], [1.0, 3.0])
        (1.0, [3.0])
        """
        loss, grads, _ = self.run(batch_of(batches))
        return loss, grads

    def values(self, *batches: Any) -> list[Any]:
        """What the function gives for each sample of a batch, as floats in its structure."""
        refuse_to_be_recorded(f"values of the compiled {self.__name__}")
        # Recorded as a function without a loss: all that it returns is wanted per sample.
        samples = batch_of(batches)
        fn = self.fn
        rebuilds: list[Rebuild] = []

        def outputs(*args: Any) -> Any:
            leaves, rebuild = flatten(fn(*args), f"the result of {self.__name__}")
            rebuilds[:] = [rebuild]
            return Value(0.0, requires_grad=False) * 1.0, leaves

        key = ("values", *((one.structure, one.width) for one in samples))
        known = self._batches.setdefault(key, [])

        def recorded(i: int) -> BatchProgram:
            program = BatchProgram(outputs, samples, i, None, self.backend, gradients=False, has_aux=True)
            program.rebuild = rebuilds[0]
            known.append(program)
            return program

        found: list[Any] = [None] * samples[0].n
        for program, mine, _, columns in self._by_branches(known, recorded, samples):
            kept = columns[: program.columns]
            for k, i in enumerate(mine):
                found[i] = program.rebuild(iter([column[k] for column in kept]))
        return found

    def training(self, optimizer: Optimizer) -> Training:
        """Training steps in compiled memory: `with f.training(optimizer) as step: loss = step(X, y)`; see Training."""
        from scalargrad.compiling.training import Training

        return Training(self, optimizer)

    def program(self, samples: Sequence[Samples]) -> BatchProgram:
        """The program for samples of this structure; recorded at the first of them if there is none yet."""
        known = self._programs(samples)
        return known[0] if known else self._record(known, samples, 0)

    def _programs(self, samples: Sequence[Samples]) -> list[BatchProgram]:
        return self._batches.setdefault(tuple((one.structure, one.width) for one in samples), [])

    def _record(self, known: list[BatchProgram], samples: Sequence[Samples], i: int) -> BatchProgram:
        program = BatchProgram(self.fn, samples, i, self._given, self.backend, has_aux=self.has_aux)
        known.append(program)
        trained = [program.leaves[k] for k in program.trained]
        self._reached.update(dict.fromkeys(trained))
        program.in_order = trained == list(self._reached)
        return program

    def run(self, samples: Sequence[Samples]) -> tuple[float, list[float], list[list[float]]]:
        """As `value_and_grad`, with the batch as `Samples`; also returns what fn gave beside its loss, as columns."""
        refuse_to_be_recorded(f"value_and_grad of the compiled {self.__name__}")
        program = self.program(samples)
        sums, columns = program.runner.run(samples, samples[0].n, program.numbers(), mean=self.reduction == "mean")
        if program.guards and sums[1] != 0.0:
            return self._run_by_branches(samples)
        if program.in_order and len(program.trained) == len(self._reached):
            return sums[0], sums[2:], columns[: program.columns]
        return sums[0], self._in_order(program, sums), columns[: program.columns]

    def _in_order(self, program: BatchProgram, sums: Sequence[float]) -> list[float]:
        found = dict(zip((program.leaves[k] for k in program.trained), sums[2:], strict=True))
        return [found.get(parameter, 0.0) for parameter in self._reached]

    def _run_by_branches(self, samples: Sequence[Samples]) -> tuple[float, list[float], list[list[float]]]:
        """As `run`, each sample by the program that was recorded for the branches it takes."""
        known, n = self._programs(samples), samples[0].n
        found = self._by_branches(known, lambda i: self._record(known, samples, i), samples)
        divisor = float(n) if self.reduction == "mean" else 1.0
        grads = [0.0] * len(self._reached)
        rows: list[Sequence[float]] = [()] * n
        for program, mine, sums, columns in found:
            grads = [a + b / divisor for a, b in zip(grads, self._in_order(program, sums), strict=True)]
            for i, row in zip(mine, zip(*columns[: program.columns], strict=True), strict=False):
                rows[i] = row
        loss = sum(sums[0] for _, _, sums, _ in found) / divisor
        return loss, grads, [list(column) for column in zip(*rows, strict=True)]

    def _by_branches(
        self, known: list[BatchProgram], record: Callable[[int], BatchProgram], samples: Sequence[Samples]
    ) -> list[tuple[BatchProgram, Sequence[int], list[float], list[list[float]]]]:
        """For each program that some samples take: which they are, its sums over them and its columns."""
        rest: Sequence[int] = range(samples[0].n)
        found = []
        at = 0
        while rest:
            recorded_now = at == len(known)
            program = record(rest[0]) if recorded_now else known[at]
            at += 1
            mine = rest
            sums, columns = self._part(program, samples, rest)
            if program.guards and sums[1] != 0.0:
                holds = [violation == 0.0 for violation in columns[-1]]
                # A comparison with NaN never holds, not even where it was recorded.
                if self.branches == "raise" or (recorded_now and not holds[0]):
                    raise self._branch_error(program, rest[holds.index(False)])
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
        found: tuple[list[float], list[list[float]]] = program.runner.run(
            part, len(rows), program.numbers(), mean=False
        )
        return found

    def check(self, program: BatchProgram, sums: Sequence[float], columns: Sequence[Sequence[float]]) -> None:
        """Raise BranchError if a guard does not hold for some sample."""
        if not program.guards or sums[1] == 0.0:
            return
        raise self._branch_error(program, next(i for i, violation in enumerate(columns[-1]) if violation != 0.0))

    def _branch_error(self, program: BatchProgram, sample: int) -> BranchError:
        return BranchError(
            f"{self.__name__}: for sample {sample} a comparison comes out otherwise than when it was recorded: "
            f"{'; or '.join(program.guards[:3])}\n{ADVICE}"
        )


def wants_graph(given: Sequence[Any]) -> bool:
    """Whether there is a Value among the arguments for whose gradient a graph is needed."""
    return recording.get() and any(isinstance(x, Value) and x.requires_grad for x in given)


def branch_error(name: str, guard: str) -> BranchError:
    """What to raise when a guard does not hold."""
    return BranchError(f"{name}: a comparison comes out otherwise than when it was recorded: {guard}\n{ADVICE}")


def compile(  # noqa: A001
    fn: Callable[..., Any],
    *,
    parameters: Sequence[Value] | None = None,
    backend: str = "auto",
    reduction: str = "mean",
    branches: str = "raise",
    has_aux: bool = False,
) -> Compiled:
    """Record a function of numbers once and replay it as compiled code ever after.

    The first call with arguments of some structure runs `fn` on Values and records what it computes; the next ones do
    not run `fn` at all. So what `fn` computes must depend on numbers through Values only: comparisons of Values become
    guards, which raise where a replay would branch otherwise; everything else that Python decides is decided once.

    Args:
        fn: a function of Values, or of lists of them, as `scalargrad.grad(g)` and `scalargrad.hessian(g)` are too. For
            `value_and_grad` and `training`: the loss of one sample, fn(x, y), computed from parameters that it reaches.
        parameters: the leaves to differentiate for; all that fn reaches and that require grad, if left out.
        backend: "python" (nothing to install), "llvm" (extra `fast`), "jax" (extra `jax`), or "auto", the best of them.
        reduction: "mean" or "sum" over a batch.
        branches: "raise", or "record" to record every branch that is taken.
        has_aux: whether fn returns (loss, aux); aux is what `training` and `fit` use for metrics.

    Returns:
        A `Compiled`: call it with one set of arguments, or use `value_and_grad(X, y)`, `values(X)` and
        `training(optimizer)` for batches.

    >>> import scalargrad
    >>> f = scalargrad.compile(scalargrad.grad(lambda v: v[0] * v[1] ** 2), backend="python")
    >>> f([3.0, 2.0])
    [4.0, 12.0]
    """
    if not callable(fn):
        raise TypeError(f"compile takes a function, not {type(fn).__name__}; for a Value use scalargrad.record(value)")
    if backend not in (*BACKENDS, "auto"):
        raise ValueError(f"there is no backend {backend!r}; choose one of auto, {', '.join(BACKENDS)}")
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum', not {reduction!r}")
    if branches not in ("raise", "record"):
        raise ValueError(f"branches must be 'raise' or 'record', not {branches!r}")
    if parameters is not None:
        parameters = list(parameters)
        for parameter in parameters:
            if not isinstance(parameter, Value) or not parameter.is_leaf:
                raise TypeError(f"parameters must be leaf Values, as model.parameters() gives, not {parameter!r}")
    return Compiled(fn, parameters, backend, reduction, branches, has_aux)
