"""The moons training step by engines that record graphs of scalars: micrograd, scalargrad, CasADi, heyoka."""

from __future__ import annotations

import gc
from typing import Any

import scalargrad
from scalargrad import nn

from .harness import Running
from .moons_data import ALPHA, LR, PARAMETERS, SIZES, Task, layers, neuron_by_neuron


def scalargrad_compiled(task: Task, backend: str = "auto") -> Running:
    """A loss for one sample, compiled; the optimizer's step is part of it."""
    import numpy as np

    model = task.model()
    loss = scalargrad.compile(
        lambda x, y: scalargrad.relu(1 - y * model(x)) + nn.l2_penalty(model, ALPHA),
        parameters=model.parameters(),
        backend=backend,
    )
    optimizer = nn.SGD(model.parameters(), lr=LR)
    x, y = np.array(task.x), np.array(task.y, float)

    def run(steps: int) -> float:
        last = 0.0
        with loss.training(optimizer) as step:
            for _ in range(steps):
                last = step(x, y)
        return last

    return Running(run, lambda: [p.data for p in model.parameters()])


def scalargrad_eager(task: Task) -> Running:
    """The step without compiling: a graph of fused nodes is built and swept each time."""
    model = task.model()
    optimizer = nn.SGD(model.parameters(), lr=LR)

    def step() -> float:
        total = nn.hinge([model(x) for x in task.x], task.y) + nn.l2_penalty(model, ALPHA)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return total.data

    return Running(lambda steps: [step() for _ in range(steps)][-1], lambda: [p.data for p in model.parameters()])


def with_tanh(network: Any) -> Any:
    """micrograd has no tanh: what its lectures add, and a network of it in place of relu."""
    import math

    from micrograd.engine import Value

    def tanh(x: Any) -> Any:
        t = math.tanh(x.data)
        out = Value(t, (x,), "tanh")

        def _backward() -> None:
            x.grad += (1 - t * t) * out.grad

        out._backward = _backward
        return out

    def call(x: Any) -> Any:
        for i, layer in enumerate(network.layers):
            sums = [sum((w * xi for w, xi in zip(n.w, x, strict=True)), n.b) for n in layer.neurons]
            x = [tanh(s) for s in sums] if i < len(network.layers) - 1 else sums
        return x[0]

    return call


def micrograd(task: Task, *, collector: bool = True) -> Running:
    """The body of micrograd's demo; each turn is a step for itself, before which garbage was collected."""
    import micrograd.nn
    from micrograd.engine import Value

    network = micrograd.nn.MLP(2, [16, 16, 1])
    model = network if task.activation == "relu" else with_tanh(network)
    parameters = network.parameters()
    for p, number in zip(parameters, task.start(), strict=True):
        p.data = number

    def step() -> float:
        inputs = [list(map(Value, row)) for row in task.x]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * score).relu() for yi, score in zip(task.y, scores, strict=True)]
        total = sum(losses) * (1.0 / len(losses)) + ALPHA * sum(p * p for p in parameters)
        network.zero_grad()
        total.backward()
        for p in parameters:
            p.data -= LR * p.grad
        return total.data

    def run(steps: int) -> float:
        if not collector:
            gc.disable()
        try:
            return [step() for _ in range(steps)][-1]
        finally:
            gc.enable()

    return Running(run, lambda: [p.data for p in parameters])


def casadi_loss(task: Task, p: Any) -> Any:
    """The loss as a CasADi SX expression of a column of parameters, W1, b1, W2, b2, W3, b3, each W row by row."""
    import casadi
    import numpy as np

    h, start = casadi.SX(np.array(task.x).T), 0
    for i, (nin, nout) in enumerate(SIZES):
        w = casadi.reshape(p[start : start + nin * nout], nin, nout).T
        b = p[start + nin * nout : start + nin * nout + nout]
        start += nin * nout + nout
        h = w @ h + casadi.repmat(b, 1, len(task.y))
        if i < len(SIZES) - 1:
            h = casadi.fmax(h, 0) if task.activation == "relu" else casadi.tanh(h)
    margins = casadi.fmax(1 - casadi.SX(np.array(task.y)).T * h, 0)
    return casadi.sum2(margins) / len(task.y) + ALPHA * casadi.dot(p, p)


def casadi_vm(task: Task) -> Running:
    """The whole step as one SX function, run by CasADi's virtual machine through its buffers."""
    import casadi
    import numpy as np

    p = casadi.SX.sym("p", PARAMETERS)
    loss = casadi_loss(task, p)
    step = casadi.Function("step", [p], [loss, p - LR * casadi.gradient(loss, p)])
    value = np.zeros(1)
    current, following = np.concatenate([a.ravel() for a in layers(task.start())]), np.zeros(PARAMETERS)
    triggers, buffers = [], []
    for old, new in ((current, following), (following, current)):  # forth and back between two arrays
        buffer, trigger = step.buffer()
        buffer.set_arg(0, memoryview(old))
        buffer.set_res(0, memoryview(value))
        buffer.set_res(1, memoryview(new))
        triggers.append(trigger)
        buffers.append(buffer)
    done = 0

    def run(steps: int) -> float:
        nonlocal done
        for i in range(done, done + steps):
            triggers[i % 2]()
        done += steps
        return float(value[0])

    return Running(run, lambda: neuron_by_neuron(following if done % 2 else current), holds=buffers)


def heyoka(task: Task) -> Running:
    """The loss of one sample and its gradient as compiled expressions over the batch; sums and update in numpy."""
    import heyoka as hy
    import numpy as np

    n = len(task.y)
    x0, x1, label = hy.make_vars("x0", "x1", "label")
    count, h = iter(range(PARAMETERS)), [x0, x1]
    for i, (nin, nout) in enumerate(SIZES):
        rows = [[hy.par[next(count)] for _ in range(nin + 1)] for _ in range(nout)]
        h = [hy.sum([row[-1], *(w * x for w, x in zip(row, h, strict=False))]) for row in rows]
        if i < len(SIZES) - 1:
            h = [hy.relu(z) if task.activation == "relu" else hy.tanh(z) for z in h]
    loss = hy.relu(1.0 - label * h[0])
    gradient = hy.diff_tensors([loss], hy.diff_args.params, diff_order=1).gradient
    evaluate = hy.cfunc([loss, *gradient], vars=[x0, x1, label], compact_mode=True)
    inputs = np.ascontiguousarray(np.vstack([np.array(task.x).T, task.y]))
    found, repeated, p = np.empty((1 + PARAMETERS, n)), np.empty((PARAMETERS, n)), np.array(task.start())
    mean, keep = np.full(n, 1 / n), 1 - 2 * LR * ALPHA

    def run(steps: int) -> float:
        value = 0.0
        for _ in range(steps):
            repeated[:] = p[:, None]
            evaluate(inputs, outputs=found, pars=repeated)
            sums = found.dot(mean)
            value = float(sums[0]) + ALPHA * float(p.dot(p))
            sums *= LR
            p[:] *= keep
            p[:] -= sums[1:]
        return value

    return Running(run, p.tolist)
