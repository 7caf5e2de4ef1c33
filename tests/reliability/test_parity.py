"""Parity with PyTorch and JAX.

All in float64. Every operation is compared with the same operation of PyTorch and of JAX at random points of its domain,
from 1e-6 off its ends up to a million (where exponentials allow): the value, the derivative in each operand, the second
derivative in each pair of operands. They are to be the same to 1e-12 of the other's number. Where they are not, the exact
number, found by mpmath with 50 digits and more, shows who is off. Some formulas subtract numbers that are nearly equal, as
`1 - z * z` does in tanh: the operations that the test lists may lose digits this way, but at most what 4 units of error in
the last place of each step of the formula explain. A second derivative that all engines get wrong alike is not found here;
values and first derivatives stand in [Accuracy](accuracy.md).

The [hard points](hard-points.md) follow one by one; what the others give there stands in the tables of that page. Three more
points are compared here, and two errors there are about the number of operands and have no counterpart.
"""

import functools

import pytest
from parity_hard_points import DIFFERENT, HARD, INSTEAD_OF_AN_ERROR, NOT_PYTORCHS, RAISING, VERSIONS, overruled, same
from parity_helpers import ORDERS, Jax, Scalargrad, Torch, Verdict, points_of
from sizes import size

from scalargrad.table import TABLE

NAMES = sorted(TABLE)
POINTS = size(30, 1000)

CANCELLING = {
    ("tanh", "first"): "1 - z * z with z near 1 or -1",
    ("tanh", "second"): "the same",
    ("sigmoid", "second"): "z * (1 - z) with z near 1; 1 - 2 * z with z near 1 / 2",
    ("logsigmoid", "second"): "that of sigmoid, as are the next two",
    ("softplus", "second"): "",
    ("silu", "second"): "",
    ("hypot", "second"): "1 / z - x * x / z**3 with x near z",
    ("logsumexp", "second"): "p * (1 - p) with p near 1",
}
"""Derivatives of ours that lose digits somewhere, and the subtraction by which."""


# What an op is in each engine: its own function where it has one of these operands, else what its users write.


def in_torch(torch):
    F, stack, where = torch.nn.functional, torch.stack, torch.where

    def dot(*xs):
        n = len(xs) // 2
        z = torch.linalg.vecdot(stack(xs[:n]), stack(xs[n : 2 * n]), dim=0)
        return z + xs[-1] if len(xs) % 2 else z

    return {
        "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div, "power": torch.pow,
        "floor_divide": lambda x, y: torch.div(x, y, rounding_mode="floor"), "remainder": torch.remainder,
        "negative": torch.neg, "absolute": torch.abs, "square": torch.square, "reciprocal": torch.reciprocal,
        "sqrt": torch.sqrt, "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
        "exp": torch.exp, "exp2": torch.exp2, "expm1": torch.expm1,
        "log": torch.log, "log2": torch.log2, "log10": torch.log10, "log1p": torch.log1p,
        "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "arcsin": torch.arcsin, "arccos": torch.arccos,
        "arctan": torch.arctan, "arctan2": torch.arctan2, "hypot": torch.hypot,
        "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh,
        "arcsinh": torch.arcsinh, "arccosh": torch.arccosh, "arctanh": torch.arctanh,
        "erf": torch.erf, "erfc": torch.erfc,
        "sigmoid": torch.sigmoid, "logsigmoid": F.logsigmoid, "softplus": F.softplus, "relu": torch.relu,
        "leaky_relu": lambda x, a: F.prelu(x[None], a)[0],  # the one whose slope may be a tensor
        "elu": lambda x, a: where(x > 0, x, a * F.elu(where(x > 0, 0.0, x))), "gelu": F.gelu, "silu": F.silu,
        "maximum": torch.maximum, "minimum": torch.minimum, "greater": lambda x, y: (x > y).to(x.dtype),
        "sign": torch.sign, "step": lambda x: torch.heaviside(x.detach(), torch.zeros_like(x)),
        "floor": torch.floor, "ceil": torch.ceil, "rint": torch.round,
        "where": lambda c, x, y: where(c != 0, x, y), "clip": torch.clamp,
        "sum": lambda *xs: stack(xs).sum(0), "mean": lambda *xs: stack(xs).mean(0),
        "prod": lambda *xs: stack(xs).prod(0), "dot": dot,
        "max": lambda *xs: stack(xs).amax(0), "min": lambda *xs: stack(xs).amin(0),
        "logsumexp": lambda *xs: stack(xs).logsumexp(0),
        "take": lambda index, *xs: stack([where(index == j, x, 0.0 * x) for j, x in enumerate(xs)]).sum(0),
    }  # fmt: skip


SAME_IN_JAX = (
    "add subtract multiply divide power floor_divide remainder negative absolute square reciprocal sqrt cbrt exp exp2 "
    "expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 hypot sinh cosh tanh arcsinh arccosh arctanh "
    "maximum minimum sign floor ceil rint clip"
)


def in_jax(jax):
    jnp, nn, special = jax.numpy, jax.nn, jax.scipy.special
    stack = jnp.stack

    def dot(*xs):
        n = len(xs) // 2
        z = jnp.vecdot(stack(xs[:n]), stack(xs[n : 2 * n]), axis=0)
        return z + xs[-1] if len(xs) % 2 else z

    return {
        **{name: getattr(jnp, name) for name in SAME_IN_JAX.split()},
        "erf": special.erf, "erfc": special.erfc,
        "sigmoid": nn.sigmoid, "logsigmoid": nn.log_sigmoid, "softplus": nn.softplus, "relu": nn.relu,
        "leaky_relu": nn.leaky_relu, "elu": nn.elu, "gelu": lambda x: nn.gelu(x, approximate=False), "silu": nn.silu,
        "greater": lambda x, y: (x > y).astype(x.dtype), "step": lambda x: jnp.heaviside(x, 0.0),
        "where": lambda c, x, y: jnp.where(c != 0, x, y),
        "sum": lambda *xs: stack(xs).sum(0), "mean": lambda *xs: stack(xs).mean(0),
        "prod": lambda *xs: stack(xs).prod(0), "dot": dot,
        "max": lambda *xs: stack(xs).max(0), "min": lambda *xs: stack(xs).min(0),
        "logsumexp": lambda *xs: special.logsumexp(stack(xs), axis=0),
        "take": lambda index, *xs: stack([jnp.where(index == j, x, 0.0 * x) for j, x in enumerate(xs)]).sum(0),
    }  # fmt: skip


@pytest.fixture(scope="module", params=[(Torch, in_torch), (Jax, in_jax)], ids=["torch", "jax"])
def peer(request):
    engine, functions_of = request.param
    with engine(functions_of) as peer:
        yield peer


# -------------------------------------------------------------------- every op


def test_every_op_and_its_derivatives(peer, figure):
    assert sorted(peer.functions) == NAMES, "each row of the op table needs its counterpart in in_torch and in_jax"
    ours, verdict = Scalargrad(), Verdict()
    groups = [(name, points) for name in NAMES for points in points_of(name, POINTS)]
    found = [
        engine.derivatives([(engine.functions[name], points) for name, points in groups]) for engine in (ours, peer)
    ]
    for (name, points), *both in zip(groups, *found, strict=True):
        for xs, mine, theirs in zip(points, *both, strict=True):
            verdict.compare(name, xs, mine, theirs)
    assert not verdict.wrong, f"{len(verdict.wrong)} numbers, such as\n" + "\n".join(verdict.wrong[:20])
    assert verdict.cancelling() <= set(CANCELLING)

    compared = ", ".join(f"{verdict.compared[order]} {words}" for order, words in zip(ORDERS, IN_WORDS, strict=True))
    worst = ", ".join(f"{verdict.worst[order]:.1e}" for order in ORDERS)
    apart = verdict.peer_is_off, verdict.only_peer_is_right, verdict.both_cancel, verdict.both_are_right
    agree = sum(verdict.compared.values()) - sum(counter.total() for counter in apart)
    figure(f"{peer.name}: {len(NAMES)} operations at {sum(len(points) for _, points in groups)} points", compared)
    figure("... the same to 1e-12", f"{agree}; largest relative differences {worst}")
    for what, counter in zip(OFF, apart, strict=True):
        figure(what.format(peer.name), counts(counter))


IN_WORDS = ("values", "first derivatives", "second derivatives")
OFF = (
    "... the exact number shows that only {} is off",
    "... only scalargrad is off",
    "... both are off",
    "... both are within 1e-12 of the exact number, on opposite sides",
)


def counts(counter):
    """A counter by op and order in words: "37: gelu value 18, first 19"."""
    of = {name: [f"{o} {counter[name, o]}" for o in ORDERS if counter[name, o]] for name, _ in sorted(counter)}
    names = ", ".join(f"{name} {', '.join(orders)}" for name, orders in of.items() if orders)
    return f"{counter.total()}: {names}" if names else "0"


# -------------------------------------------------------------------- hard points


@pytest.fixture(scope="module")
def observed(peer):
    """What the peer gives at each hard point, those where scalargrad raises too: {name: (value, *gradients)}."""
    if peer.name != VERSIONS[peer.extra]:
        pytest.skip(f"what it gives was written down for {VERSIONS[peer.extra]}, and this is {peer.name}")
    return at_hard_points(peer, [*HARD, *RAISING])


def at_hard_points(engine, rows):
    """{name: (value, *gradients)}."""
    names, functions, points = zip(*(row[:3] for row in rows), strict=True)
    cases = [(functools.partial(f, engine.functions), xs) for f, xs in zip(functions, points, strict=True)]
    return dict(zip(names, engine.gradients(cases), strict=True))


@pytest.mark.filterwarnings("ignore:power has no derivative with respect to its second operand")
@pytest.mark.parametrize("row", HARD, ids=[row[0] for row in HARD])
def test_hard_point(peer, observed, row):
    name, _, _, value, slopes = row
    assert same(at_hard_points(Scalargrad(), [row])[name], (value, *slopes))
    assert same(observed[name], DIFFERENT.get(name, {}).get(peer.extra, (value, *slopes)))


@pytest.mark.parametrize("row", RAISING, ids=[row[0] for row in RAISING])
def test_hard_point_that_raises(observed, row):
    name, _, _, error = row
    with pytest.raises(error):
        at_hard_points(Scalargrad(), [row])
    assert same(observed[name], INSTEAD_OF_AN_ERROR[name])


def test_finite_numbers_are_pytorchs(peer, observed, figure):
    """The first rule of docs/hard-points.md, and each exception."""
    ours = {name: (value, *slopes) for name, _, _, value, slopes in HARD}
    assert set(DIFFERENT) <= set(ours)
    others = [name for name in ours if peer.extra in DIFFERENT.get(name, {})]
    if peer.extra == "torch":
        assert {name for name in ours if overruled(ours[name], observed[name])} == set(NOT_PYTORCHS)
    figure(
        f"{peer.name} at {len(ours)} hard points with a number and {len(RAISING)} with an error",
        f"gives what scalargrad gives at {len(ours) - len(others)} of them, a number in place of each error, "
        f"and something else at: {'; '.join(others)}",
    )
