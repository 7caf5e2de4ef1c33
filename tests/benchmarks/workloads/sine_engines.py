"""The Legendre sine fit in numpy and C by hand, JAX, PyTorch, CasADi, heyoka and micrograd."""

from __future__ import annotations

import ctypes
import math
import sys
from typing import Any

from .ckernels import compiled, pointer
from .harness import Running

POINTS = 2000
LR = 5e-6
START = (0.0, -1.0, 0.0, 0.3)
XS = [-math.pi + 2 * math.pi * i / (POINTS - 1) for i in range(POINTS)]
YS = [math.sin(x) for x in XS]


def p3(u: Any) -> Any:
    """The third Legendre polynomial."""
    return 0.5 * (5 * u**3 - 3 * u)


def numpy_by_hand() -> Running:
    """Horner's scheme into preallocated arrays."""
    import numpy as np

    x, y = np.array(XS), np.array(YS)
    u, square, error, cubic, slope = (np.empty(POINTS) for _ in range(5))
    ones, (a, b, c, d) = np.ones(POINTS), START
    multiply, add, subtract, dot = np.multiply, np.add, np.subtract, np.dot

    def run(steps: int) -> float:
        nonlocal a, b, c, d
        loss = 0.0
        for _ in range(steps):
            multiply(x, d, out=u)
            add(u, c, out=u)
            multiply(u, u, out=square)
            multiply(square, 2.5, out=square)
            subtract(square, 1.5, out=cubic)
            multiply(cubic, u, out=cubic)
            multiply(cubic, b, out=error)
            subtract(error, y, out=error)
            add(error, a, out=error)
            loss = float(dot(error, error))
            subtract(square, 0.5, out=slope)
            multiply(slope, error, out=slope)
            slope_c, slope_d = 6 * b * float(dot(slope, ones)), 6 * b * float(dot(slope, x))
            a, b = a - LR * 2 * float(dot(error, ones)), b - LR * 2 * float(dot(error, cubic))
            c, d = c - LR * slope_c, d - LR * slope_d
        return loss

    return Running(run, lambda: [a, b, c, d])


class _Task(ctypes.Structure):
    """struct task of sine.c."""

    _fields_ = (
        *((name, ctypes.POINTER(ctypes.c_double)) for name in ("p", "x", "y")),
        ("n", ctypes.c_long),
        ("lr", ctypes.c_double),
    )


def c_by_hand() -> Running:
    """sine.c, one call from Python for each step."""
    import numpy as np

    step, arrays = compiled("sine.c").step, (np.array(START), np.array(XS), np.array(YS))
    structure = _Task(*map(pointer, arrays), POINTS, LR)
    step.restype, step.argtypes = ctypes.c_double, [ctypes.POINTER(_Task)]
    argument = ctypes.byref(structure)

    def run(steps: int) -> float:
        loss = 0.0
        for _ in range(steps):
            loss = step(argument)
        return loss

    return Running(run, arrays[0].tolist, holds=arrays)


def jax_jit() -> Running:
    """The whole step in one jit, parameters donated, each loss read."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(p: Any, x: Any, y: Any) -> Any:
        a, b, c, d = p
        error = a + b * p3(c + d * x) - y
        return jnp.dot(error, error)

    def step(p: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(p, x, y)
        return p - LR * gradient, value

    compiled_step = jax.jit(step, donate_argnums=0)
    p, x, y = jnp.array(START), jnp.array(XS), jnp.array(YS)

    def run(steps: int) -> float:
        nonlocal p
        value = 0.0
        for _ in range(steps):
            p, found = compiled_step(p, x, y)
            value = float(found)
        return value

    return Running(run, lambda: p)


def torch_eager() -> Running:
    """Tensors and autograd, one thread."""
    import torch

    p = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    x, y = torch.tensor(XS, dtype=torch.float64), torch.tensor(YS, dtype=torch.float64)

    def step() -> float:
        a, b, c, d = p.unbind()
        error = a + b * p3(c + d * x) - y
        loss = error.dot(error)
        (gradient,) = torch.autograd.grad(loss, p)
        with torch.no_grad():
            p.sub_(gradient, alpha=LR)
        return float(loss.item())

    def run(steps: int) -> float:
        torch.set_num_threads(1)
        return [step() for _ in range(steps)][-1]

    return Running(run, p.tolist)


def hips_autograd() -> Running:
    """HIPS autograd over numpy."""
    import autograd
    import autograd.numpy as np

    p, x, y = np.array(START), np.array(XS), np.array(YS)

    def loss(p: Any) -> Any:
        error = p[0] + p[1] * p3(p[2] + p[3] * x) - y
        return np.dot(error, error)

    both = autograd.value_and_grad(loss)

    def run(steps: int) -> float:
        value = 0.0
        for _ in range(steps):
            value, gradient = both(p)
            p[:] -= LR * gradient
        return float(value)

    return Running(run, p.tolist)


def casadi_vm() -> Running:
    """The whole step as one SX function over all points."""
    import casadi
    import numpy as np

    p = casadi.SX.sym("p", 4)
    error = p[0] + p[1] * p3(p[2] + p[3] * casadi.SX(np.array(XS))) - np.array(YS)
    loss = casadi.dot(error, error)
    step = casadi.Function("step", [p], [loss, p - LR * casadi.gradient(loss, p)])
    now, then, value = np.array(START), np.zeros(4), np.zeros(1)
    buffer, trigger = step.buffer()
    buffer.set_arg(0, memoryview(now))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(then))

    def run(steps: int) -> float:
        for _ in range(steps):
            trigger()
            now[:] = then
        return float(value[0])

    return Running(run, now.tolist, holds=buffer)


def heyoka() -> Running:
    """A point's loss and gradient as compiled expressions over all points; sums and update in numpy."""
    import heyoka as hy
    import numpy as np

    x, y = hy.make_vars("x", "y")
    u = hy.par[2] + hy.par[3] * x
    error = hy.par[0] + hy.par[1] * (u * (2.5 * u * u - 1.5)) - y
    gradient = hy.diff_tensors([error * error], hy.diff_args.params, diff_order=1).gradient
    evaluate = hy.cfunc([error * error, *gradient], vars=[x, y])
    inputs, p = np.array([XS, YS]), np.array(START)
    found, repeated, ones = np.empty((5, POINTS)), np.empty((4, POINTS)), np.ones(POINTS)

    def run(steps: int) -> float:
        value = 0.0
        for _ in range(steps):
            repeated[:] = p[:, None]
            evaluate(inputs, outputs=found, pars=repeated)
            sums = found.dot(ones)
            value = float(sums[0])
            sums *= LR
            p[:] -= sums[1:]
        return value

    return Running(run, p.tolist)


def micrograd() -> Running:
    """micrograd's Values; its backward() recurses along the sum of 2000 errors."""
    from micrograd.engine import Value

    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10 * POINTS))
    parameters = [Value(start) for start in START]

    def step() -> float:
        a, b, c, d = parameters
        loss = sum((a + b * p3(c + d * x) - y) ** 2 for x, y in zip(XS, YS, strict=True))
        for p in parameters:
            p.grad = 0
        loss.backward()
        for p in parameters:
            p.data -= LR * p.grad
        return loss.data

    return Running(lambda steps: [step() for _ in range(steps)][-1], lambda: [p.data for p in parameters])
