"""The ops of the table in JAX: their values on arrays, and their derivatives by the op table's own rules.

The derivative matters to those who differentiate a program with `jax.grad`: at ties, kinks and poles they get what the
engine gives, and nowhere is a second rule. Values are float64's within a few roundings: XLA has its own exp, log and
their like (log1p, arctanh, sinh and cosh are the farthest off, by up to 1e-13 of themselves), may contract a * b + c,
and on CPUs takes subnormal numbers for 0.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

from scalargrad.compiling.llvm.library import MissingExtraError
from scalargrad.compiling.lowering import PRIMITIVE, simplified
from scalargrad.compiling.tape import CONSTANT, INPUT, SOURCES, TAKE, Tape, op_of
from scalargrad.compiling.templates import Template, partials_of

AnyFunction = Callable[..., Any]


@functools.cache
def load() -> Any:
    """The package jax.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import_module("jax.numpy")
    except ImportError:
        raise MissingExtraError(
            "the jax backend needs jax (the extra `jax`): pip install jax, or choose backend='python'"
        ) from None
    return import_module("jax")


def double_precision() -> Any:
    """A context manager: inside, in this thread, JAX has float64."""
    jax = load()
    # Before 0.8 it was in jax.experimental.
    switch = jax.enable_x64 if hasattr(jax, "enable_x64") else import_module("jax.experimental").enable_x64
    return switch(True)


@functools.cache
def function_of(op: str, n: int) -> AnyFunction:
    """The JAX function of an op over n arrays of equal, or broadcastable, shapes.

    Raises:
        ValueError: if there is none: the op is a user's without `lowered`.
    """
    if op is TAKE:  # JAX's own derivative of it is the table's
        return lambda index, *entries: taken(index, load().numpy.stack(load().numpy.broadcast_arrays(*entries)))
    value = _primitives().get(op)
    return _with_rule(op, n, _composite(op, n) if value is None else value)


KEEPS = frozenset((TAKE,))
"""Ops that have a form, and are quicker without it."""


def taken(index: Any, entries: Any) -> Any:
    """Of the entries, which lie along the first axis, the one at the index; nan where there is none."""
    jnp = load().numpy
    shape = jnp.broadcast_shapes(index.shape, entries.shape[1:])
    index, entries = jnp.broadcast_to(index, shape), jnp.broadcast_to(entries, (len(entries), *shape))
    is_place = (index == jnp.floor(index)) & (index >= 0) & (index < len(entries))
    place = jnp.where(is_place, index, 0.0).astype(int)
    return jnp.where(is_place, jnp.take_along_axis(entries, place[None], 0)[0], jnp.nan)


def _composite(op: str, n: int) -> AnyFunction:
    """The value of an op that is no primitive, by the formula it is lowered to."""
    tape = Tape(simplify=False)
    lowered, (output,) = simplified(tape.code, [tape.emit(op, *[tape.source(INPUT, i) for i in range(n)])])
    for name, *_ in lowered.code:
        if name not in SOURCES and name not in _primitives():
            raise ValueError(
                f"the jax backend does not know {op_of(name).name!r}: it was added with @primitive; use "
                "backend='python', or give it lowered=, its value by scalargrad's functions"
            )

    def value(*xs: Any) -> Any:
        known: list[Any] = []
        for name, *refs in lowered.code:
            if name is INPUT:
                known.append(xs[refs[0]])
            elif name is CONSTANT:
                known.append(float.fromhex(refs[0]))
            else:
                known.append(function_of(name, len(refs))(*[known[i] for i in refs]))
        return known[output]

    return value


@functools.cache
def _primitives() -> dict[str, AnyFunction]:
    jax = load()
    jnp, lax = jax.numpy, jax.lax
    choose, isnan = jnp.where, jnp.isnan
    # XLA turns (a / b) / c into a / (b * c), exp(a) * exp(b) into exp(a + b), log(exp(a)) into a: right on paper, but
    # the engine's numbers overflow and underflow where they are written. What passes as it is cannot be rewritten.
    as_it_is = lax.optimization_barrier

    def divide(x: Any, y: Any) -> Any:
        return jnp.divide(as_it_is(x), as_it_is(y))

    def signed_zero(z: Any, like: Any) -> Any:
        return choose(z == 0, jnp.copysign(0.0, like), z)

    def remainder(x: Any, y: Any) -> Any:
        m = lax.rem(*jnp.broadcast_arrays(x, y))
        return signed_zero(choose((m != 0) & ((m < 0) != (y < 0)), m + y, m), y)

    def floor_divide(x: Any, y: Any) -> Any:  # as CPython's float_floor_div
        m = lax.rem(*jnp.broadcast_arrays(x, y))
        quotient = divide(x - m, y)
        quotient = choose((m != 0) & ((m < 0) != (y < 0)), quotient - 1, quotient)
        below = jnp.floor(quotient)
        return signed_zero(choose(quotient - below > 0.5, below + 1, below), divide(x, y))

    own: dict[str, AnyFunction] = {
        "divide": divide,
        "exp": lambda x: as_it_is(jnp.exp(x)),
        "erf": lax.erf,
        "erfc": lax.erfc,
        "power": lambda x, y: choose(y == 2, x * x, jnp.power(x, y)),
        "remainder": remainder,
        "floor_divide": floor_divide,
        "relu": lambda x: choose(x <= 0, 0.0, x),
        "sign": lambda x: choose(isnan(x), x, choose(x > 0, 1.0, choose(x < 0, -1.0, 0.0))),
        "greater": lambda x, y: choose(isnan(x) | isnan(y), x + y, choose(x > y, 1.0, 0.0)),
        "maximum": lambda x, y: choose((x >= y) | isnan(x), x, y),
        "minimum": lambda x, y: choose((x <= y) | isnan(x), x, y),
        "where": lambda c, x, y: choose(isnan(c), c, choose(c != 0, x, y)),
    }
    # The others jax.numpy has by the same name and, at hard points too, with the same result.
    known = {name: own.get(name) or getattr(jnp, name, None) for name in PRIMITIVE}
    return {name: function for name, function in known.items() if function is not None}


def unknown_primitives() -> list[str]:
    """The primitives that JAX has no function for."""
    return sorted(PRIMITIVE - _primitives().keys())


def _with_rule(op: str, n: int, value: AnyFunction) -> AnyFunction:
    """The function, its derivative in JAX being that of the op's row."""
    jax = load()
    unmoved = import_module("jax.custom_derivatives").SymbolicZero
    function = jax.custom_jvp(value)

    def derivative(xs: tuple[Any, ...], speeds: tuple[Any, ...]) -> tuple[Any, Any]:
        z = function(*xs)
        speed = None
        for partial, dx in zip(partials_of(op, n), speeds, strict=True):
            # Not even asked for: where x alone moves, that of x**y in y may be NaN.
            if isinstance(dx, unmoved):
                continue
            local = _run(partial, (*xs, z))
            if isinstance(local, float) and local == 0.0:
                continue
            share = dx if isinstance(local, float) and local == 1.0 else dx * local
            speed = share if speed is None else speed + share
        nothing = jax.numpy.zeros_like(z)
        return z, nothing if speed is None else jax.numpy.broadcast_to(speed, z.shape)

    function.defjvp(derivative, symbolic_zeros=True)
    return function  # type: ignore[no-any-return]


def _run(template: Template, arguments: tuple[Any, ...]) -> Any:
    """The template's result on arrays."""
    known: list[Any] = list(arguments)
    for op, refs in template.steps:
        known.append(function_of(op, len(refs))(*[known[r] if type(r) is int else r for r in refs]))
    return known[template.result] if type(template.result) is int else template.result
