"""compile: a function recorded once and replayed as machine code, for one point or for a whole batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.backends import check_backend
from scalargrad.compiling.batches import BatchFunction
from scalargrad.compiling.branches import ADVICE, check_branches
from scalargrad.compiling.pipeline import jax_function
from scalargrad.compiling.points import PointFunction
from scalargrad.compiling.statics import Statics
from scalargrad.compiling.taping import TapedCall
from scalargrad.compiling.watching import Place, WatchedCall
from scalargrad.engine import Value
from scalargrad.node.numbers import describe, plain_number
from scalargrad.node.structures import Static, flatten
from scalargrad.support.arguments import brief, items

if TYPE_CHECKING:
    from scalargrad import Drawing
    from scalargrad.compiling.optimizer import Optimizer
    from scalargrad.compiling.structure.overview import Overview
    from scalargrad.compiling.training import Training


class Compiled:
    """A function that was compiled; made by `scalargrad.compile`, which says how it is used.

    Attributes:
        fn: the function.
        batches: what it is over batches, for those who have `Samples` already.
    """

    def __init__(
        self, fn: Callable[..., Any], parameters: Sequence[Value] | None, backend: str, reduction: str, branches: str,
        has_aux: bool, static: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self.fn = fn
        self.__name__ = getattr(fn, "__name__", type(fn).__name__)
        self.__doc__ = getattr(fn, "__doc__", None)
        self._given = parameters
        self._statics = Statics(fn, self.__name__, static)
        self._points = PointFunction(fn, self.__name__, backend, branches, self._statics.met)
        self.batches = BatchFunction(
            fn, self.__name__, parameters, backend, reduction, branches, has_aux, self._statics.met
        )

    def __repr__(self) -> str:
        return f"<compiled {self.__name__}>"

    def __str__(self) -> str:
        """Its name and, over batches, the dense layers that were found in it."""
        return "\n".join([repr(self), *self.batches.in_words()])

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """What the function gives for these arguments, as floats in the same structure.

        Where an argument is a Value that requires grad, the function itself runs and gives Values: a graph is wanted.

        Raises:
            BranchError: if a comparison in the function comes out otherwise than when it was recorded.
        """
        args = tuple(self._statics.marked(args))
        if keywords:
            return self._points.with_keywords(args, self._statics.marked_keywords(keywords))
        return self._points(*args)

    def bind(self, *arrays: Any, parameters: Any = None, out: Any = None) -> Callable[[], Any]:
        """A function without arguments that reads arrays, and writes what it finds into another, where they lie.

        For loops in which making lists of floats would cost more than the computation. Two forms:

        - `f.bind(x, out)`: each call writes what the function gives for x into out, in flat order, and takes with llvm
          as long as its machine code, and half a microsecond.
        - `loss.bind(X, y, parameters, out)`: each call returns the loss of the batch, as `value_and_grad` does, and
          writes its gradients into out.

        Arrays are numpy's of float64, or whatever else has a buffer of contiguous doubles, as `array("d")`. They are
        looked at once and read anew in each call: to go on, write into them. As long as the function is there, numpy
        refuses to resize them. Each thread needs a function of its own: bind once more.

        Args:
            arrays: x, the one argument, a list of numbers as the function sees it, and out; or of a batch the samples
                of each argument, one row each, static arguments as themselves, then parameters and out, if they are
                not given by name.
            parameters: makes it a batch: an array of the numbers of the parameters, in the order of `parameters`, or
                these Values, as `model.parameters()`, whose numbers are read then. What else the function reads is
                read from its Values.
            out: as many elements as the function gives numbers, or as there are parameters.

        Raises:
            TypeError: if one of them is no contiguous memory of doubles, or cannot be written where that is needed.
            ValueError: if parameters or out have another size, or the arguments not equally many samples.

        >>> import scalargrad
        >>> from array import array
        >>> f = scalargrad.compile(scalargrad.grad(lambda v: v[0] * v[1]), backend="python")
        >>> x, out = array("d", [2.0, 3.0]), array("d", [0.0, 0.0])
        >>> step = f.bind(x, out)
        >>> x[0] = 5.0
        >>> step()
        >>> out.tolist()
        [3.0, 5.0]
        >>> w = scalargrad.Value(0.0)
        >>> loss = scalargrad.compile(lambda x, y: (w * x - y) ** 2, parameters=[w], backend="python")
        >>> X, y, numbers, gradient = (array("d", x) for x in ([1.0, 2.0], [1.0, 3.0], [2.0], [0.0]))
        >>> step = loss.bind(X, y, parameters=numbers, out=gradient)
        >>> step(), gradient[0]
        (1.0, 3.0)
        """
        given: Sequence[Any] = arrays
        if parameters is None and out is None and len(given) > 2:
            *given, parameters, out = arrays
        elif parameters is None and len(given) == 1 + (out is None):
            return self._points.bind(given[0], given[1] if out is None else out)
        if parameters is None or out is None:
            raise TypeError(
                f"{self.__name__}: bind takes x and out, or for a batch all of its arguments, parameters= and out="
            )
        from scalargrad.compiling.binding import BoundLoss

        return BoundLoss(self.batches, self._statics.marked_batches(given, {}), parameters, out, self.__name__)

    def draw(self, *sample: Any, **options: Any) -> Drawing:
        """Draw the graph of one sample, operation by operation, and below it the dense layers that are found in it.

        `scalargrad.draw_layers` describes the options.

        >>> import scalargrad
        >>> model = scalargrad.nn.MLP(2, [8, 1], seed=0)
        >>> loss = scalargrad.compile(lambda x, y: (model(x) - y) ** 2, parameters=model.parameters())
        >>> loss.draw([0.5, -1.0], 1.0)
        <Drawing of <lambda>: 2 layers, 4 parts>
        """
        from scalargrad import draw_layers

        return draw_layers(self, *sample, **options)

    def _overview(self, sample: Sequence[Any]) -> Overview:
        """The graph of one sample and its layers, for pictures."""
        from scalargrad.compiling.structure.overview import overview

        return overview(self.fn, self.__name__, tuple(self._statics.marked(sample)))

    def to_jax(self, *args: Any, dtype: str = "float64") -> Callable[..., Any]:
        """The function as JAX's, for whoever outgrows one machine: f(parameters, *args) -> number or 1-d array.

        It is pure, so jit, vmap, grad and sharding apply; `parameters` is a 1-d array of the leaves' numbers, in the
        order of compile's `parameters`. Guards are not checked in JAX: a function that compares Values is refused.
        JAX differentiates it itself, without the engine's masks: where a branch that was not chosen has a pole, as
        `where(greater(x, 0), sqrt(x), 2 * x)` at 0, its gradient is nan, the engine's 2.

        Args:
            args: arguments to record at, as to the function itself: one sample. Static ones stay what they are here,
                and are left out when f is called.
            dtype: what it computes in; for float64, JAX must be set to it: `jax.config.update("jax_enable_x64", True)`.

        Raises:
            MissingExtraError: if jax is not installed.
            ValueError: if the function compares Values, or reaches leaves that are not among the parameters.
        """
        args = tuple(self._statics.marked(args))
        parts = [flatten(arg, f"argument {i}") for i, arg in enumerate(args)]
        numbers = [plain_number(x) for leaves, _ in parts for x in leaves]
        call = WatchedCall(self.fn, [rebuild for _, rebuild in parts], numbers, self.__name__)
        guards = [guard for guard in call.guards if not isinstance(guard, Place)]  # of no index the program gives nan
        if guards:
            raise ValueError(
                f"to_jax: {self.__name__} compares Values, which JAX would not check: {guards[0]}\n{ADVICE}"
            )
        taped = TapedCall(call, self._given or ())
        if self._given is not None and len(taped.parameters) > len(self._given):
            raise ValueError(
                f"to_jax: {self.__name__} reaches {len(taped.parameters)} leaves, but parameters= has "
                f"{len(self._given)}: all numbers that JAX shall know must be among them"
            )
        outputs = taped.outputs[0] if call.rebuild_output is next else taped.outputs
        widths = [len(leaves) for arg, (leaves, _) in zip(args, parts, strict=True) if type(arg) is not Static]
        return jax_function(taped.tape.code, outputs, widths, dtype)

    @property
    def parameters(self) -> list[Value]:
        """The Values that get a gradient, in the order of the gradients.

        They are those of the given ones, or of the reached ones, that require grad now.

        Raises:
            ValueError: before the first call, if they were not given: nobody knows them yet.
        """
        return self.batches.parameters

    def value_and_grad(self, *batches: Any, **static: Any) -> tuple[Any, list[float]]:
        """The loss of a batch and its gradients, in the order of `parameters`.

        The loss is the mean (or sum, if `reduction` says so) of what the function gives for each sample. Outside the
        domain of an op there is no error as in eager code, but IEEE's inf or nan.

        Samples may differ in structure, as sentences differ in length: the function is recorded once for each
        structure. Parameters that a structure does not reach get nothing from its samples.

        With `has_aux`: ((loss, aux), gradients), aux being a list with what the function gave beside its loss for each
        sample.

        Args:
            batches: one list of samples, or array, for each argument of the function: n rows of X, n targets. A numpy
                array of objects counts as the list of them.
                A static argument is given once for all samples, as itself. None for a function without arguments, as
                a loss that closes over its data.
            static: static arguments may be given by name.

        Raises:
            BranchError: if a comparison in the function comes out otherwise for a sample than when it was recorded.
            ValueError: if the arguments have not equally many samples.

        >>> import scalargrad
        >>> w = scalargrad.Value(2.0)
        >>> loss = scalargrad.compile(lambda x, y: (w * x - y) ** 2, backend="python")
        >>> loss.value_and_grad([1.0, 2.0], [1.0, 3.0])
        (1.0, [3.0])
        >>> total = scalargrad.compile(lambda xs: w * scalargrad.sum(xs), backend="python")
        >>> total.value_and_grad([[1.0], [2.0, 3.0], [4.0, 5.0, 6.0]])
        (14.0, [7.0])
        """
        loss, grads, parts = self.batches.value_and_grad(self._statics.marked_batches(batches, static))
        return ((loss, self.batches.beside(parts)) if self.batches.has_aux else loss), grads

    def values(self, *batches: Any, **static: Any) -> list[Any]:
        """What the function gives for each sample of a batch, as floats in its structure."""
        return self.batches.values(*self._statics.marked_batches(batches, static))

    def training(self, optimizer: Optimizer) -> Training:
        """Training steps in compiled memory: `with f.training(optimizer) as step: loss = step(X, y)`; see Training."""
        from scalargrad.compiling.training import Training

        return Training(self.batches, optimizer, self._statics)


def compile(  # noqa: A001
    fn: Callable[..., Any],
    *,
    parameters: Sequence[Value] | None = None,
    backend: str = "auto",
    reduction: str = "mean",
    branches: str = "raise",
    has_aux: bool = False,
    static: Iterable[str] = (),
) -> Compiled:
    """Record a function of numbers once and replay it as compiled code ever after.

    The first call with arguments of some structure runs `fn` on Values and records what it computes; the next ones do
    not run `fn` at all. So what `fn` computes must depend on numbers through Values only: comparisons of Values become
    guards, which raise where a replay would branch otherwise; everything else that Python decides is decided once.

    Several threads may call what comes out at once, the first time too: one of them records while the others wait, and
    a call gets what it would get alone. (Machine code works in memory of which each call has its own.) What `bind`
    gives, and a `training`, are for one thread at a time.

    Args:
        fn: a function of Values, or of lists of them, as `scalargrad.grad(g)` and `scalargrad.hessian(g)` are too. For
            `value_and_grad` and `training`: the loss of one sample, fn(x, y), computed from parameters that it reaches.
        parameters: the leaves to differentiate for; all that fn reaches and that require grad, if left out.
        backend: "python" (nothing to install), "llvm" (extra `fast`), "jax" (extra `jax`), "wasm" (in Pyodide), or
            "auto", the best of them.
        reduction: "mean" or "sum" over a batch.
        branches: "raise", or "record" to record every branch that is taken.
        has_aux: whether fn returns (loss, aux), as `scalargrad.value_and_grad` takes it; no gradient goes through aux.
        static: the names of arguments that are no numbers of the computation but shape it, as a length does: fn gets
            them as they are, and a program is kept for each value, told apart by type and value. Texts, bools, None
            and members of an Enum are static by themselves.

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
    check_backend(backend)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum', not {brief(reduction)}")
    check_branches(branches)
    if parameters is not None:
        parameters = items(parameters, "parameters", "model.parameters()")
        places: dict[Value, int] = {}
        for i, parameter in enumerate(parameters):
            if not isinstance(parameter, Value) or not parameter.is_leaf:
                raise TypeError(f"parameters must be leaf Values, as model.parameters() gives, not {brief(parameter)}")
            if places.setdefault(parameter, i) != i:
                raise ValueError(
                    f"parameters {places[parameter]} and {i} are the same: {describe(parameter)}. Each gets one "
                    "gradient: give it once, as list(dict.fromkeys(parameters)) does"
                )
    return Compiled(fn, parameters, backend, reduction, branches, has_aux, static)
