"""Random expression graphs of 100 000 operations, no fused nodes: time and memory per node against micrograd.

`python tests/benchmarks/expressions.py` needs the extra `bench`. Both engines run the same program in turn in one
process, the collector at its default and then off, each pass dropping the graph of the one before, as training does.
Gradients are compared first. Quote the ratios: single times depend on the machine and on who else uses it.
"""

import gc
import math
import operator
import platform
import random
import statistics
import sys
import threading
import time
import tracemalloc

from micrograd.engine import Value as MicrogradValue

from scalargrad import Value

SIZE, PASSES, LEAVES = 100_000, 7, 50
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv]


def micrograd_tanh(x):
    t = math.tanh(x.data)
    out = MicrogradValue(t, (x,), "tanh")

    def _backward():
        x.grad += (1 - t * t) * out.grad

    out._backward = _backward
    return out


def micrograd_exp(x):
    e = math.exp(x.data)
    out = MicrogradValue(e, (x,), "exp")

    def _backward():
        x.grad += e * out.grad

    out._backward = _backward
    return out


UNARY = {
    MicrogradValue: [micrograd_tanh, micrograd_exp, MicrogradValue.relu],
    Value: [Value.tanh, Value.exp, Value.relu],
    float: [math.tanh, math.exp, lambda x: max(x, 0.0)],
}


def random_program(size, constants, seed=0):
    """Instructions (op, operand, operand or constant) over shared leaves: expressions of some 750 operations, summed.

    Operands are drawn from the leaves and from all earlier results of the same expression, so results are shared.
    A fraction `constants` of the binary operations has a number for its second operand. Results stay in 0.01..100.
    """
    rng = random.Random(seed)
    leaves = [rng.uniform(0.5, 1.5) for _ in range(LEAVES)]
    values, program, sums = list(leaves), [], []

    def append(op, i, j, value):
        program.append((op, i, j))
        values.append(value)
        return len(values) - 1

    while len(program) < size:
        pool, unused = list(range(LEAVES)), set()
        for _ in range(750):
            while True:
                op, i, j = rng.randrange(7), rng.choice(pool), rng.choice(pool)
                if op < 4 and rng.random() < constants:
                    j = rng.choice([0.5, 2.0, 3.0])
                y = j if isinstance(j, float) else values[j]
                value = (
                    BINARY[op](values[i], y)
                    if op < 4
                    else UNARY[float][op - 4](min(values[i], 9.0) if op == 5 else values[i])
                )
                if 0.01 < abs(value) < 100:
                    break
            unused -= {i, j if op < 4 else i}
            pool.append(append(op, i, j, value))
            unused.add(pool[-1])
        total, *rest = sorted(unused)
        for i in rest:
            total = append(0, total, i, values[total] + values[i])
        sums.append(total)
    total, *rest = sums
    for i in rest:
        total = append(0, total, i, values[total] + values[i])
    return leaves, program


def build(value_type, leaves, program):
    nodes = [value_type(x) for x in leaves]
    append = nodes.append
    tanh, exp, relu = UNARY[value_type]
    for op, i, j in program:
        if op == 0:
            append(nodes[i] + (nodes[j] if type(j) is int else j))
        elif op == 1:
            append(nodes[i] - (nodes[j] if type(j) is int else j))
        elif op == 2:
            append(nodes[i] * (nodes[j] if type(j) is int else j))
        elif op == 3:
            append(nodes[i] / (nodes[j] if type(j) is int else j))
        elif op == 4:
            append(tanh(nodes[i]))
        elif op == 5:
            append(exp(nodes[i]))
        else:
            append(relu(nodes[i]))
    return nodes[-1], nodes[:LEAVES]


def one_pass(value_type, leaves, program):
    start = time.perf_counter()
    root, inputs = build(value_type, leaves, program)
    root.backward()
    return time.perf_counter() - start, [x.grad for x in inputs]


def bytes_per_node(value_type, leaves, program):
    gc.collect()
    tracemalloc.start()
    root, _ = build(value_type, leaves, program)
    gc.collect()
    built = tracemalloc.get_traced_memory()[0] / len(program)
    root.backward()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0] / len(program)
    tracemalloc.stop()
    return built, after


def measure():
    for constants, title in (
        (0.0, "every operand a Value"),
        (0.4, "4 of 10 second operands a number, as in micrograd's README"),
    ):
        leaves, program = random_program(SIZE, constants)
        ours, theirs = one_pass(Value, leaves, program)[1], one_pass(MicrogradValue, leaves, program)[1]
        assert all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(ours, theirs, strict=True)), "gradients differ"
        print(f"{len(program)} operations, {title}; gradients agree to 1e-9")
        for collector in ("default", "off"):
            times = {MicrogradValue: [], Value: []}
            for value_type in (MicrogradValue, Value) * 2:
                gc.enable()
                gc.collect()
                if collector == "off":
                    gc.disable()
                for _ in range(PASSES):
                    times[value_type].append(one_pass(value_type, leaves, program)[0] / len(program))
            gc.enable()
            medians = {value_type: statistics.median(seconds) for value_type, seconds in times.items()}
            print(
                f"  collector {collector:8}micrograd {medians[MicrogradValue] * 1e9:7.0f}   scalargrad {medians[Value] * 1e9:6.0f}"
                f" ns a node   ratio {medians[MicrogradValue] / medians[Value]:5.1f}"
            )
        for value_type, name in ((MicrogradValue, "micrograd"), (Value, "scalargrad")):
            built, after = bytes_per_node(value_type, leaves, program)
            print(f"  {name:11}{built:5.0f} bytes a node, {after:5.0f} after backward")


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, {platform.machine()}")
    # micrograd sorts by recursion: give it a stack that deep graphs fit on.
    sys.setrecursionlimit(10_000_000)
    threading.stack_size(512 * 1024 * 1024)
    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
