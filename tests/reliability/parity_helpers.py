"""Parity with other engines: points of an op, what each engine gives there, and who is right where they disagree."""

import functools
import importlib
import math
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from optional import mpmath
from rows import ORACLES
from sizes import size

from scalargrad import Value, grad
from scalargrad.compiling.jax import primitives as jax_ops
from scalargrad.engine import topological_order
from scalargrad.strategies import call, off_kinks
from scalargrad.table import TABLE

TOLERANCE = 1e-12
DIGITS = 50
ORDERS = ("value", "first", "second")
LENGTHS = size((1, 3), (1, 2, 5, 8))
"""How many operands ops of any number of them get."""
PAIRED_LENGTHS = size((2, 5), (2, 3, 6, 9))
"""Likewise for dot: two vectors and, if the number is odd, a bias."""

WIDE = {
    **dict.fromkeys(("exp", "expm1", "exp2", "sinh", "cosh", "tanh", "sigmoid", "logsigmoid", "softplus"), (300.0,)),
    **dict.fromkeys(("silu", "elu", "logsumexp"), (300.0,)), **dict.fromkeys(("erf", "erfc", "gelu"), (25.0,)),
    **dict.fromkeys(("floor_divide", "remainder"), (1e3,)), "power": (1e6, 20.0),
}  # fmt: skip
"""How large operands get, so that neither the op nor its second derivatives leave the normal floats; else 1e6."""


# -------------------------------------------------------------------- points


@functools.cache
def points_of(name, count):
    """`count` points of an op, in lists of equally many operands; half of them small numbers, half of any magnitude."""
    op, rng = TABLE[name], random.Random(name)
    fixed = op.arity or len(op.arguments)
    lengths = (fixed,) if fixed else PAIRED_LENGTHS if op.pair else [n + op.has_index for n in LENGTHS]
    return [[_point(op, n, i % 2, rng) for i in range(count // len(lengths))] for n in lengths]


def _point(op, n, wide, rng):
    """Operands inside the domain and off every kink."""
    domains = op.domains(n)
    spans = WIDE.get(op.name, (1e6,))
    spans = [*spans, *[spans[-1]] * (n - len(spans))]
    while True:
        xs = [_number(domain, span if wide else 4.0, wide, rng) for domain, span in zip(domains, spans, strict=True)]
        if op.name == "clip":
            xs[1:] = sorted(xs[1:])
        if off_kinks(op, xs, 1e-10):
            return xs


def _number(domain, span, wide, rng):
    """A number whose distance from an end of the domain (without ends, from 0) is at most span, uniform or log-uniform."""
    low, high = domain.low, domain.high
    if domain.whole:
        return float(rng.randrange(int(low), int(high) + 1))
    if math.isfinite(low) and math.isfinite(high):
        span = high - low
    distance = math.exp(rng.uniform(math.log(1e-6), math.log(span))) if wide else rng.uniform(0.0, span)
    start = rng.choice([end for end in (low, high) if math.isfinite(end)] or [0.0])
    outward = 1 if start == low else -1 if start == high else rng.choice((-1, 1))
    return start + outward * distance


# -------------------------------------------------------------------- engines
#
# Each has `functions`, by the names of the table, of as many arguments as the op has operands; `derivatives(cases)`: for
# each case, a function and points, and for each point the value, the first derivatives and, row by row, the second ones;
# and `gradients(cases)`: for each case, a function and one point, the value and the first derivatives.


class Scalargrad:
    """This engine."""

    def __init__(self):
        self.functions = {name: lambda *xs, name=name: call(name, xs) for name in TABLE}

    def derivatives(self, cases):
        """The gradients are those of `backward()`; the graph that second derivatives are taken of has the same."""
        return [[self._derivatives(f, xs) for xs in points] for f, points in cases]

    def _derivatives(self, f, xs):
        values = [Value(x) for x in xs]
        z = f(*values)
        z.backward()
        slopes = grad(z, values, create_graph=True)
        assert [slope.data for slope in slopes] == [x.grad for x in values], xs
        return z.data, [x.grad for x in values], [d for slope in slopes for d in grad(slope, values)]

    def gradients(self, cases):
        return [self._gradients(f, [Value(x) for x in xs]) for f, xs in cases]

    def _gradients(self, f, values):
        z = f(*values)
        z.backward()
        return z.data, *(x.grad for x in values)


class Torch:
    """PyTorch in float64, as a context manager in one thread; skips the test if it is not installed."""

    extra = "torch"

    def __init__(self, functions_of):
        self.module = importorskip("torch")
        self.functions = functions_of(self.module)
        self.name = f"PyTorch {self.module.__version__.partition('+')[0]}"

    def __enter__(self):
        self.threads = self.module.get_num_threads()
        self.module.set_num_threads(1)
        return self

    def __exit__(self, *_):
        self.module.set_num_threads(self.threads)

    def numbers(self, xs, **options):
        return self.module.tensor(xs, dtype=self.module.float64, **options)

    def slopes(self, z, xs):
        """The derivatives of z's sum; zeros where there are none."""
        if not z.requires_grad:
            return [self.module.zeros_like(x) for x in xs]
        found = self.module.autograd.grad(z.sum(), xs, create_graph=True, allow_unused=True)
        # The sum makes numbers of PyTorch's "zero tensors", which have none.
        return [self.module.zeros_like(x) + (0.0 if d is None else d) for x, d in zip(xs, found, strict=True)]

    def derivatives(self, cases):
        return [self._derivatives(f, points) for f, points in cases]

    def _derivatives(self, f, points):
        columns = [self.numbers(column, requires_grad=True) for column in zip(*points, strict=True)]
        z = f(*columns)
        first = self.slopes(z, columns)
        return by_point(z, first, [d for slope in first for d in self.slopes(slope, columns)])

    def gradients(self, cases):
        return [self._gradients(f, [self.numbers(float(x), requires_grad=True) for x in xs]) for f, xs in cases]

    def _gradients(self, f, leaves):
        z = f(*leaves)
        return z.item(), *(d.item() for d in self.slopes(z, leaves))

    def loss(self, f, scores, targets, reduction):
        """A loss, or the list of losses, and the gradients of its sum with respect to the scores."""
        leaves = self.numbers(scores, requires_grad=True)
        losses = f(leaves, self.module.tensor(targets) if type(targets[0]) is int else self.numbers(targets), reduction)
        return losses.reshape(-1).tolist(), self.slopes(losses, [leaves])[0].tolist()


class Jax:
    """JAX in float64; skips the test if it is not installed."""

    extra = "jax"

    def __init__(self, functions_of):
        self.module = importorskip("jax")
        self.functions = functions_of(self.module)
        self.name = f"JAX {self.module.__version__}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Nothing to put back: float64 is switched on for each call alone."""

    def derivatives(self, cases):
        """All of it is compiled as one program: that is quicker than one for each case."""
        jnp = self.module.numpy
        functions = [f for f, _ in cases]
        with jax_ops.double_precision():
            columns = [[jnp.array(column) for column in zip(*points, strict=True)] for _, points in cases]
            found = self.module.jit(lambda columns: list(map(self._derivatives, functions, columns)))(columns)
        return [by_point(*numbers) for numbers in found]

    def _derivatives(self, f, columns):
        jax = self.module

        def first(*xs):
            return jax.grad(lambda *xs: f(*xs).sum(), argnums=tuple(range(len(xs))))(*xs)

        slopes, pull = jax.vjp(first, *columns)
        seeds = [tuple(jax.numpy.full_like(x, x is y) for x in columns) for y in columns]
        return f(*columns), slopes, [d for seed in seeds for d in pull(seed)]

    def gradients(self, cases):
        functions = [self.module.value_and_grad(f, argnums=tuple(range(len(xs)))) for f, xs in cases]
        with jax_ops.double_precision():
            leaves = [[self.module.numpy.array(float(x)) for x in xs] for _, xs in cases]
            found = self.module.jit(lambda leaves: [f(*xs) for f, xs in zip(functions, leaves, strict=True)])(leaves)
            return [(z.item(), *(d.item() for d in slopes)) for z, slopes in found]

    def loss(self, f, scores, targets, reduction):
        with jax_ops.double_precision():
            losses, slopes = self._compiled_loss(f, reduction)(*map(self.module.numpy.array, (scores, targets)))
            return losses.reshape(-1).tolist(), slopes.tolist()

    @functools.cache  # noqa: B019  (an engine lives as long as its tests)
    def _compiled_loss(self, f, reduction):
        def losses_and_slopes(s, t):
            return f(s, t, reduction), self.module.grad(lambda s: f(s, t, reduction).sum())(s)

        return self.module.jit(losses_and_slopes)


def importorskip(name):
    reason = f"{name} is not installed: the extra `{name}`"
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(reason)


def by_point(z, first, second):
    """Columns of numbers as what there is at each point."""
    rows = ([column.tolist() for column in columns] for columns in (first, second))
    return list(zip(z.tolist(), *(map(list, zip(*columns, strict=True)) for columns in rows), strict=True))


# -------------------------------------------------------------------- the judge


@dataclass
class Verdict:
    """What the comparison of many numbers came to; the counters are by op and order of the derivative."""

    compared: Counter = field(default_factory=Counter)
    worst: dict = field(default_factory=lambda: dict.fromkeys(ORDERS, 0.0))
    peer_is_off: Counter = field(default_factory=Counter)
    both_are_right: Counter = field(default_factory=Counter)
    only_peer_is_right: Counter = field(default_factory=Counter)
    both_cancel: Counter = field(default_factory=Counter)
    wrong: list = field(default_factory=list)

    def compare(self, name, xs, ours, theirs):
        """Compare the value, the first and the second derivatives at a point."""
        n = len(xs)
        one = [tuple(int(i == j) for j in range(n)) for i in range(n)]
        two = [tuple(map(sum, zip(a, b, strict=True))) for a in one for b in one]
        for order, partials, a, b in zip(ORDERS, ([(0,) * n], one, two), _lists(ours), _lists(theirs), strict=True):
            self.compared[order] += len(partials)
            for i, (partial, x, y) in enumerate(zip(partials, a, b, strict=True)):
                if not (x == y or abs(x - y) <= TOLERANCE * abs(y)):
                    self._judge(order, name, xs, partial, i, x, y)
                elif x != y:
                    self.worst[order] = max(self.worst[order], abs(x - y) / abs(y))

    def _judge(self, order, name, xs, partial, i, x, y):
        """Ask mpmath who is right."""
        exact = exactly(name, xs, partial)
        if is_near(x, exact):
            (self.both_are_right if is_near(y, exact) else self.peer_is_off)[name, order] += 1
        elif abs(x - exact) <= rounding(name, xs, order, i):
            (self.only_peer_is_right if is_near(y, exact) else self.both_cancel)[name, order] += 1
        else:
            self.wrong.append(f"{name} at {xs}, derivative {partial}: {x!r}, theirs {y!r}, exact {float(exact)!r}")

    def cancelling(self):
        """The ops and orders where a formula of ours lost digits."""
        return {*self.only_peer_is_right, *self.both_cancel}


def _lists(found):
    value, first, second = found
    return [value], first, second


def is_near(x, exact):
    """Whether x is within the tolerance of the exact number, or as near to it as there are floats."""
    return math.isfinite(x) and abs(x - exact) <= TOLERANCE * abs(exact) + mpmath.mpf(2) ** -1074


def exactly(name, xs, partial):
    """This partial derivative (the value, if all orders are 0): at 50 digits, and at twice as many until 20 stay."""
    before, digits = None, DIGITS
    while True:
        with mpmath.workdps(digits):
            now = _derivative(ORACLES[name], [mpmath.mpf(x) for x in xs], partial)
            if before is not None and (abs(now - before) < 1e-20 * abs(now) or digits > 800):
                return now
        before, digits = now, 2 * digits


def _derivative(f, point, partial):
    if not any(partial):
        return f(*point)
    return mpmath.diff(f, point[0], partial[0]) if len(point) == 1 else mpmath.diff(f, tuple(point), partial)


def rounding(name, xs, order, i):
    """By how much a number of ours may be off if each node of its graph is off by 4 units in the last place.

    To first order, an error of a node moves the result by the node's adjoint times it (Linnainmaa, 1976). Which nodes
    there are, and their numbers, is the engine's; the adjoints are mpmath's, edge by edge.
    """
    values = [Value(x) for x in xs]
    root = call(name, values)
    if order == "first":
        root = grad(root, values, create_graph=True)[i]
    if order == "second":
        j, k = divmod(i, len(xs))
        root = grad(grad(root, values, create_graph=True)[j], values, create_graph=True)[k]
    nodes = topological_order(root)
    adjoints = dict.fromkeys(nodes, mpmath.mpf(0)) | {root: mpmath.mpf(1)}
    for node in reversed(nodes):
        xs = [x for _, x in node.operands]
        for place, (parent, _) in enumerate(node.operands):
            if parent is not None and adjoints[node]:
                partial = tuple(int(place == other) for other in range(len(xs)))
                adjoints[parent] += adjoints[node] * exactly(node._rule.name, xs, partial)
    return 4 * 2.0**-52 * float(mpmath.fsum(abs(adjoints[node] * node.data) for node in nodes))
