"""Pictures of every kind and every op, made here and in Pyodide: each by its name. Needs the package alone.

C libraries disagree about the last bit of tanh and its like, and pictures tell every digit: so here numbers are rounded.
"""

import math

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.table import functions


def neuron():
    w, x, b = Value(-3.0, label="w", parameter=True), Value(2.0, label="x"), Value(6.88, label="b", parameter=True)
    return backward((w * x + b).tanh(), "y")


def backward(value, label=""):
    value.label = label
    for node in sg.topological_order(value):
        node._data = node._kept = round(node.data, 6)
    value.backward()
    for node in sg.topological_order(value):
        node.grad = round(node.grad, 6)
    return value


def shared():
    a, b = Value(-4.0, label="a"), Value(2.0, label="b")
    c = a + b
    d = a * b + b**3
    return backward((c * c - d + (b + a).relu() * 0.1 + 10.0 / (d + 3)).tanh(), "<g> & “c” 你好")


def loss():
    model = nn.MLP(2, [3, 1], seed=1)
    return backward(sum((model([0.5 * i, -0.3]) - 1.0) ** 2 for i in range(3)), "loss")


def numbers_of(op):
    """Numbers in the domain of each of its operands."""
    numbers = []
    for i, domain in enumerate(op.domains(op.arity or 3)):
        inside = min(max(domain.low, -0.7) + 0.31 * (i + 1), domain.high - 0.01 * (i + 1))
        numbers.append(float(i) if domain.whole else round(inside, 2))
    return numbers


def of_op(op):
    numbers = numbers_of(op)
    values = [Value(x, label=f"x{i}") for i, x in enumerate(numbers)]
    return backward(op.apply(values, numbers))


def pictures():
    """The SVG, or the page, of each."""
    made = {f"op {name}": of_op(function.op).draw().svg for name, function in functions().items()}
    for make in (neuron, shared, loss):
        for style in ("card", "circuit", "micrograd"):
            made[f"{make.__name__}, {style}"] = sg.draw(make(), style=style, depth=3).svg
        made[f"{make.__name__}, step by step"] = sg.trace(make()).html
    made["a layer in one card"] = sg.draw(loss(), collapse="layer").svg
    made["without end"] = sg.draw(Value(math.inf, label="x") * 0.0).svg
    made["exercise"] = sg.worksheet(neuron()).html
    made["network"] = sg.draw_network(nn.MLP(2, [4, 4, 1], seed=3)).svg
    return made
