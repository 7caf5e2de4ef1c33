"""The JAX backend (extra `jax`): a program as a function of arrays, for jit, vmap, grad, sharding and accelerators.

XLA is slow at long programs: traced op by op, the 1 867 instructions of the gradient of an MLP(2, [16, 16, 1]) take
56 s to compile. So the tape is cut into levels, each needing only those before it, and of each level the instructions
of one op are computed as one operation on vectors, whose operands are slices of earlier vectors where they can be, else
gathered. The same program then has 69 operations and compiles in 0.2 s; the 10 430 instructions of a 64-32-10
classifier have 153, and take 0.25 s. What costs time are deep irregular graphs: about 8 ms for each operation.

For `jax.grad`, hand over the ops as recorded (`simplified(..., lower=False)`): they have the engine's derivatives at
ties and kinks too, and a dot product of 64 terms is one operation to differentiate, not 127.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.compiling.jax.primitives import double_precision, function_of, load, taken
from scalargrad.compiling.order import groups_by_level
from scalargrad.compiling.samples import Samples
from scalargrad.compiling.tape import CONSTANT, INPUT, PARAMETER, SOURCES, TAKE, Instruction, live

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Sum

__all__ = ["BatchRunner", "function", "single", "to_jax"]


# -------------------------------------------------------------------- operations on vectors


class Group(NamedTuple):
    """Instructions of one op, none of which needs another.

    Attributes:
        op: the op.
        operands: the slots of their first operands, of their second, ...
        slots: of their results.
        varies: whether these differ from sample to sample.
    """

    op: str
    operands: tuple[tuple[int, ...], ...]
    slots: tuple[int, ...]
    varies: bool


class Vectorized:
    """A program as operations on vectors.

    Attributes:
        sources: for each kind of source the slots and what they hold: numbers, or indices.
        groups: in the order of computation.
    """

    def __init__(self, code: Sequence[Instruction], outputs: Iterable[int]) -> None:
        needed = live(code, outputs)
        self.sources: dict[str, list[tuple[int, Any]]] = {CONSTANT: [], PARAMETER: [], INPUT: []}
        # Constants, then what depends on parameters, then on inputs. No vector mixes them: what is the same for all
        # samples is then computed once under vmap, and nothing differentiates by a constant.
        sorts = [0] * len(code)
        kinds: list[Any] = [None] * len(code)
        for slot, (op, *xs) in enumerate(code):
            if not needed[slot]:
                continue
            if op in SOURCES:
                self.sources[op].append((slot, float.fromhex(xs[0]) if op is CONSTANT else xs[0]))
                sorts[slot] = list(self.sources).index(op)
            else:
                of = tuple(sorts[x] for x in xs)
                sorts[slot], kinds[slot] = max(of), (op, of)
        self.groups = [
            Group(
                code[slots[0]][0],
                tuple(zip(*[code[slot][1:] for slot in slots], strict=True)),
                tuple(slots),
                sorts[slots[0]] == 2,
            )
            for slots in groups_by_level(code, kinds)
        ]

    def __call__(self, parameters: Any, inputs: Any) -> Vectors:
        """Compute everything; inputs may have further axes, for the samples."""
        jnp = load().numpy
        vectors = Vectors(inputs.shape[1:])
        for kind, held in self.sources.items():
            slots, content = [slot for slot, _ in held], [x for _, x in held]
            if kind is CONSTANT:
                vectors.store(slots, jnp.array(content, inputs.dtype))
                continue
            given, count = parameters if kind is PARAMETER else inputs, 1 + max(content, default=-1)
            if not given.ndim or len(given) < count:
                raise ValueError(f"the program reads {count} {kind}s, but they have the shape {given.shape}")
            vectors.store(slots, _taken(given, content))
        for op, operands, results, varies in self.groups:
            if op is TAKE:
                found = taken(vectors.load(operands[0], varies), vectors.load_rows(operands[1:], varies))
            else:
                found = function_of(op, len(operands))(*[vectors.load(xs, varies) for xs in operands])
            vectors.store(results, jnp.broadcast_to(found, (len(results), *(vectors.shape if varies else ()))))
        return vectors


class Vectors:
    """Results so far: vectors, along whose first axis are slots.

    Args:
        shape: of the further axes of what differs from sample to sample.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._vectors: list[Any] = []
        self._places: dict[int, tuple[int, int]] = {}

    def store(self, slots: Sequence[int], vector: Any) -> None:
        """Keep a vector of the results in these slots."""
        self._places.update((slot, (len(self._vectors), i)) for i, slot in enumerate(slots))
        self._vectors.append(vector)

    def load(self, slots: Sequence[int], varies: bool = True) -> Any:
        """What these slots hold, in this order; axes along which it is all the same may have length 1."""
        places = [self._places[slot] for slot in slots]
        used = sorted({j for j, _ in places})
        further = [1] * len(self.shape) if varies else []
        vectors = {j: v if v.ndim > 1 else v.reshape(-1, *further) for j, v in ((j, self._vectors[j]) for j in used)}
        if len(used) == 1:
            return _taken(vectors[used[0]], [i for _, i in places])
        shape = next((v.shape[1:] for v in vectors.values() if v.shape[1:] == self.shape), tuple(further))
        pieces = [(j, [i for _, i in piece]) for j, piece in groupby(places, lambda place: place[0])]
        if len(pieces) <= 2 * len(used):  # slices, most likely
            return _joined([(_taken(vectors[j], ii), len(ii)) for j, ii in pieces], shape)
        starts = dict(zip(used, accumulate((len(v) for v in vectors.values()), initial=0), strict=False))
        return _taken(_joined([(v, len(v)) for v in vectors.values()], shape), [starts[j] + i for j, i in places])

    def load_rows(self, rows: Sequence[Sequence[int]], varies: bool) -> Any:
        """What rows of slots hold, as one array: to load them one by one would take XLA long to compile."""
        flat = self.load([slot for row in rows for slot in row], varies)
        size = len(rows), len(rows[0])
        return load().numpy.broadcast_to(flat, (size[0] * size[1], *flat.shape[1:])).reshape(*size, *flat.shape[1:])

    def load_whole(self, slots: Sequence[int]) -> Any:
        """What these slots hold, with all axes at full length."""
        return load().numpy.broadcast_to(self.load(slots), (len(slots), *self.shape))


def _taken(vector: Any, indices: Sequence[int]) -> Any:
    """The elements at these indices; of length 1 if they are all the same."""
    first, last = (indices[0], indices[-1]) if indices else (0, -1)
    stride = indices[1] - first if len(indices) > 1 else 1
    if stride >= 0 and all(i == first + k * stride for k, i in enumerate(indices)):
        if last - first + 1 == len(vector) and stride == 1:
            return vector
        return load().lax.slice_in_dim(vector, first, last + 1, max(stride, 1))
    return vector.at[import_module("numpy").array(indices)].get(mode="promise_in_bounds")


def _joined(parts: Sequence[tuple[Any, int]], shape: tuple[int, ...]) -> Any:
    """Vectors one after the other, brought to these lengths and further axes."""
    jnp = load().numpy
    return jnp.concatenate([jnp.broadcast_to(v, (n, *shape)) for v, n in parts]) if parts else jnp.zeros((0, *shape))


# -------------------------------------------------------------------- functions for JAX


def function(code: Sequence[Instruction], outputs: Sequence[int], dtype: str = "float64") -> Callable[[Any, Any], Any]:
    """A pure JAX function of (parameters, inputs), both 1-d, that returns the 1-d array of the outputs.

    It may be transformed: jit, vmap, grad, jvp, sharding. Where a derivative is asked for, it is the op table's.
    Inputs may themselves be a batch, of shape (inputs, n); outputs are then (outputs, n). (vmap puts the samples
    first, which takes about twice as long on CPUs.)

    Args:
        code: ops of the table, lowered to primitives or not. (At ties and kinks, a formula of primitives may have
            another derivative by JAX than the op that it stands for: sigmoid at 0, say.)
        outputs: slots.
        dtype: "float64", or another, for devices that have no other.

    Raises:
        MissingExtraError: if jax is not installed.
        ValueError: if an op was added with @primitive, without `lowered`.
        RuntimeError: when called, if float64 is wanted while JAX is not set up for it.
    """
    program = Vectorized(code, outputs)
    for group in program.groups:  # what JAX does not know is refused now
        function_of(group.op, len(group.operands))

    def f(parameters: Any, inputs: Any) -> Any:
        return program(_array(parameters, dtype), _array(inputs, dtype)).load_whole(outputs)

    return f


def to_jax(
    code: Sequence[Instruction], output: int | Sequence[int], widths: Sequence[int], dtype: str = "float64"
) -> Callable[..., Any]:
    """A pure JAX function of (parameters, *sample), as `function` but for a sample of several arguments.

    Args:
        code: as in `function`; the inputs are numbered through all arguments.
        output: a slot: the function returns a scalar, which jax.grad can differentiate; or several: a 1-d array.
        widths: how many numbers each argument has; its shape does not matter.
        dtype: as in `function`.

    Raises:
        ValueError: when called, if an argument has not that many numbers.
    """
    several = isinstance(output, Sequence)
    f = function(code, list(output) if isinstance(output, Sequence) else [output], dtype)

    def of_sample(parameters: Any, *sample: Any) -> Any:
        arrays = [_array(argument, dtype).ravel() for argument in sample]
        given = [len(array) for array in arrays]
        if given != list(widths):
            raise ValueError(
                f"one sample has arguments of {list(widths)} numbers, but {given} were given: for a batch, use jax.vmap"
            )
        result = f(parameters, load().numpy.concatenate(arrays) if arrays else _array([], dtype))
        return result if several else result[0]

    return of_sample


def _array(x: Any, dtype: str) -> Any:
    jax = load()
    if dtype == "float64" and not jax.config.jax_enable_x64:
        raise RuntimeError(
            "the program computes in float64, but JAX is set to float32: call "
            "jax.config.update('jax_enable_x64', True) first, or ask for dtype='float32'"
        )
    return jax.numpy.asarray(x, dtype)


# -------------------------------------------------------------------- the interface of all backends


def single(
    code: Sequence[Instruction],
    outputs: Sequence[int],
    primal: Iterable[int] | None = None,  # noqa: ARG001  (nothing raises here)
) -> Callable[[Sequence[float], Sequence[float]], list[float]]:
    """run(parameters, inputs) -> a number for each output slot. It computes in float64, however JAX is set up."""
    f = load().jit(function(code, outputs))

    def run(parameters: Sequence[float], inputs: Sequence[float]) -> list[float]:
        with double_precision():
            return f(_floats(parameters), _floats(inputs)).tolist()  # type: ignore[no-any-return]

    return run


class BatchRunner:
    """A program over a batch, compiled anew for every number of samples. It computes in float64.

    Args:
        code: ops of the table.
        sums: what is to be added up over the samples.
        columns: slots wanted for each sample.
        widths: how many numbers a sample has in each argument; inputs are numbered through all arguments.
    """

    def __init__(
        self, code: Sequence[Instruction], sums: Sequence[Sum], columns: Sequence[int], widths: Sequence[int]
    ) -> None:
        varying = [v for v, _ in sums if v is not None]
        uniform = [u for _, u in sums if u is not None]
        program = Vectorized(code, [*varying, *uniform, *columns])

        def compute(parameters: Any, inputs: Any) -> Any:
            vectors = program(parameters, inputs)
            same = load().numpy.broadcast_to(vectors.load(uniform, varies=False), (len(uniform),))
            return vectors.load_whole(varying).sum(1), same, vectors.load_whole(columns)

        self._compute = load().jit(compute)
        self._widths = list(widths)
        self._varying = [i for i, (v, _) in enumerate(sums) if v is not None]
        self._uniform = [i for i, (_, u) in enumerate(sums) if u is not None]
        self._sums = len(sums)

    def run(
        self, samples: Sequence[Samples | Sequence[float]], n: int, parameters: Sequence[float], mean: bool
    ) -> tuple[list[float], list[list[float]]]:
        """As `backends.BatchRunner` says; plain sequences will do for samples."""
        numpy = import_module("numpy")
        flat = [_floats(one.flat if isinstance(one, Samples) else one) for one in samples]
        rows = [one.reshape(n, width).T for one, width in zip(flat, self._widths, strict=True)]
        inputs = numpy.concatenate(rows) if rows else numpy.zeros((0, n))
        with double_precision():
            added, same, columns = map(numpy.asarray, self._compute(_floats(parameters), inputs))
        sums = numpy.zeros(self._sums)
        sums[self._varying] = added / n if mean else added
        sums[self._uniform] += same if mean else n * same
        return sums.tolist(), columns.tolist()


def _floats(xs: Any) -> Any:
    return import_module("numpy").asarray(xs, "float64")
