"""The moons training step by engines that work on whole arrays: numpy and C by hand, JAX, PyTorch, HIPS autograd."""

from __future__ import annotations

import ctypes
from typing import Any

from .ckernels import compiled, pointer
from .harness import Running, one_blas_thread
from .moons_data import ALPHA, LR, SIZES, Task, layers, neuron_by_neuron


def numpy_by_hand(task: Task) -> Running:
    """Backpropagation by hand: no allocation, biases as weights of a row of ones, all parameters in one array."""
    import numpy as np

    n, is_tanh = len(task.y), task.activation == "tanh"
    p = np.array(task.start())
    g = np.empty_like(p)
    (w1, w2, w3), (g1, g2, g3) = (
        [
            block.reshape(shape)
            for block, shape in zip(np.split(a, [48, 320]), [(16, 3), (16, 17), (1, 17)], strict=True)
        ]
        for a in (p, g)
    )
    x = np.vstack([np.array(task.x).T, np.ones(n)])
    y, slopes = np.array([task.y], float), np.array([task.y], float) / -n
    a1, a2 = np.ones((17, n)), np.ones((17, n))
    h1, h2 = a1[:16], a2[:16]
    d1, d2, factor = np.empty((16, n)), np.empty((16, n)), np.empty((16, n))
    where, score, margin, positive = np.empty((16, n), bool), np.empty((1, n)), np.empty((1, n)), np.empty((1, n), bool)
    x_t, a1_t, a2_t, w2_t, w3_t = x.T, a1.T, a2.T, w2[:, :16].T, w3[:, :16].T
    zeros, zero, one, ones = np.zeros((16, n)), np.zeros(()), np.ones(()), np.ones(n)
    lr, keep = np.array(LR), np.array(1 - 2 * LR * ALPHA)
    dot, maximum, multiply, greater, subtract, tanh = np.dot, np.maximum, np.multiply, np.greater, np.subtract, np.tanh

    def activate(h: Any) -> None:
        if is_tanh:
            tanh(h, out=h)
        else:
            maximum(h, zeros, out=h)

    def backward(d: Any, h: Any) -> None:
        if is_tanh:
            multiply(h, h, out=factor)
            subtract(one, factor, out=factor)
            multiply(d, factor, out=d)
        else:
            greater(h, zero, out=where)
            multiply(d, where, out=d)

    def train(steps: int) -> float:
        loss = 0.0
        for _ in range(steps):
            dot(w1, x, out=h1)
            activate(h1)
            dot(w2, a1, out=h2)
            activate(h2)
            dot(w3, a2, out=score)
            multiply(score, y, out=margin)
            subtract(one, margin, out=margin)
            greater(margin, zero, out=positive)
            multiply(margin, positive, out=margin)
            loss = float(dot(margin[0], ones)) / n + ALPHA * float(dot(p, p))
            multiply(positive, slopes, out=score)
            dot(score, a2_t, out=g3)
            dot(w3_t, score, out=d2)
            backward(d2, h2)
            dot(d2, a1_t, out=g2)
            dot(w2_t, d2, out=d1)
            backward(d1, h1)
            dot(d1, x_t, out=g1)
            multiply(g, lr, out=g)
            multiply(p, keep, out=p)
            subtract(p, g, out=p)
        return loss

    def run(steps: int) -> float:
        with one_blas_thread():
            return train(steps)

    return Running(run, p.tolist)


class _Task(ctypes.Structure):
    """struct task of moons.c."""

    _fields_ = (
        *((name, ctypes.POINTER(ctypes.c_double)) for name in ("p", "x", "y", "work")),
        ("tiles", ctypes.c_long),
        ("samples", ctypes.c_long),
        ("lr", ctypes.c_double),
        ("alpha", ctypes.c_double),
    )


def c_by_hand(task: Task) -> Running:
    """moons.c: vectorised by hand, one call from Python for each step."""
    import numpy as np

    step = compiled("moons.c", *(["TANH"] if task.activation == "tanh" else [])).step
    n, lanes, chunk = len(task.y), 8, 33  # LANES and CHUNK of moons.c
    tiles = -(-n // lanes)

    def aligned(rows: int, tiles: int) -> Any:
        raw = np.zeros(rows * tiles * lanes + lanes)
        start = -raw.ctypes.data // 8 % lanes
        return raw[start : start + rows * tiles * lanes].reshape(rows, tiles * lanes)

    p, x, y, work = np.array(task.start()), aligned(3, tiles), aligned(1, tiles), aligned(17 + 16 + 16, chunk)
    x[:2, :n], x[2], y[0, :n], work[16] = np.array(task.x).T, 1.0, task.y, 1.0
    structure = _Task(pointer(p), pointer(x), pointer(y), pointer(work), tiles, n, LR, ALPHA)
    step.restype, step.argtypes = ctypes.c_double, [ctypes.POINTER(_Task)]
    argument = ctypes.byref(structure)

    def run(steps: int) -> float:
        loss = 0.0
        for _ in range(steps):
            loss = step(argument)
        return loss

    return Running(run, p.tolist, holds=(x, y, work))


def jax_jit(task: Task, *, read: bool = True, loop: bool = False) -> Running:
    """The whole step in one jit, its parameters donated in one array.

    `read` fetches each loss as a float, as the other engines do; without, steps are only enqueued. `loop` puts the
    training loop itself inside the jit, so that Python is called once for all steps and sees the last loss only.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    activate = jax.nn.relu if task.activation == "relu" else jnp.tanh
    cuts = [32, 48, 304, 320, 336]

    def loss(p: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = jnp.split(p, cuts)
        h = activate(x @ w1.reshape(16, 2).T + b1)
        h = activate(h @ w2.reshape(16, 16).T + b2)
        return jnp.mean(jax.nn.relu(1 - y * (h @ w3 + b3))) + ALPHA * jnp.dot(p, p)

    def step(p: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(p, x, y)
        return p - LR * gradient, value

    def all_steps(p: Any, x: Any, y: Any, steps: int) -> Any:
        return jax.lax.fori_loop(0, steps, lambda _, last: step(last[0], x, y), (p, 0.0))

    compiled_step = jax.jit(step, donate_argnums=0)
    compiled_loop = jax.jit(all_steps, donate_argnums=0)
    x, y = jnp.array(task.x, float), jnp.array(task.y, float)
    p = jnp.concatenate([a.ravel() for a in layers(task.start())])

    def run(steps: int) -> float:
        nonlocal p
        value: Any = 0.0
        if loop:
            p, value = compiled_loop(p, x, y, steps)
            return float(value)
        for _ in range(steps):
            p, value = compiled_step(p, x, y)
            if read:
                float(value)
        return float(value)  # waits for the last step

    return Running(run, lambda: neuron_by_neuron(p))


def torch_eager(task: Task, *, threads: int | None = 1, customary: bool = False) -> Running:
    """Tensors and autograd. One leaf for all parameters, which is the fastest; customary: nn.Sequential and optim.SGD."""
    import torch

    default = torch.get_num_threads()
    x, y = torch.tensor(task.x, dtype=torch.float64), torch.tensor(task.y, dtype=torch.float64)
    arrays = [torch.from_numpy(a) for a in layers(task.start())]
    activate = torch.relu if task.activation == "relu" else torch.tanh
    linear = torch.nn.functional.linear
    p = torch.cat([a.flatten() for a in arrays]).requires_grad_()
    sizes = [a.numel() for a in arrays]

    def step() -> float:
        w1, b1, w2, b2, w3, b3 = p.split(sizes)
        h = activate(linear(x, w1.view(16, 2), b1))
        h = activate(linear(h, w2.view(16, 16), b2))
        scores = linear(h, w3.view(1, 16), b3).squeeze(1)
        loss = (1 - y * scores).relu().mean() + ALPHA * p.dot(p)
        (gradient,) = torch.autograd.grad(loss, p)
        with torch.no_grad():
            p.sub_(gradient, alpha=LR)
        return float(loss.item())

    activation = torch.nn.ReLU if task.activation == "relu" else torch.nn.Tanh
    parts = [part for nin, nout in SIZES for part in (torch.nn.Linear(nin, nout, dtype=torch.float64), activation())]
    model = torch.nn.Sequential(*parts[:-1])
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), arrays, strict=True):
            parameter.copy_(array)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def customary_step() -> float:
        scores = model(x).squeeze(1)
        loss = (1 - y * scores).relu().mean() + ALPHA * sum((q * q).sum() for q in model.parameters())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    once = customary_step if customary else step

    def run(steps: int) -> float:
        torch.set_num_threads(threads or default)
        return [once() for _ in range(steps)][-1]

    def state() -> list[float]:
        trained = list(model.parameters()) if customary else list(p.split(sizes))
        return neuron_by_neuron([q.detach().numpy() for q in trained])

    return Running(run, state)


def hips_autograd(task: Task) -> Running:
    """HIPS autograd over numpy, all parameters in one array."""
    import autograd
    import autograd.numpy as np

    x, y, cuts = np.array(task.x), np.array(task.y, float), [32, 48, 304, 320, 336]
    p = np.concatenate([a.ravel() for a in layers(task.start())])

    def activate(h: Any) -> Any:
        return np.maximum(h, 0.0) if task.activation == "relu" else np.tanh(h)

    def loss(p: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = (p[i:j] for i, j in zip([0, *cuts], [*cuts, 337], strict=True))
        h = activate(np.dot(x, w1.reshape(16, 2).T) + b1)
        h = activate(np.dot(h, w2.reshape(16, 16).T) + b2)
        return np.mean(np.maximum(1 - y * (np.dot(h, w3) + b3), 0.0)) + ALPHA * np.dot(p, p)

    both = autograd.value_and_grad(loss)

    def run(steps: int) -> float:
        value = 0.0
        for _ in range(steps):
            value, gradient = both(p)
            p[:] -= LR * gradient
        return float(value)

    return Running(run, lambda: neuron_by_neuron(p))
