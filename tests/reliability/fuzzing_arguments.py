"""Arguments for fuzzing.py, as texts that Python evaluates: right ones by the parameter's name, and wrong ones.

A call that fails is printed as text, so that it can be typed again: `from fuzzing_arguments import *` has the names.
"""

import math
import random
import types
from decimal import Decimal  # noqa: F401
from fractions import Fraction  # noqa: F401

import numpy as np  # noqa: F401

import scalargrad as sg
from scalargrad import Value, nn

nan, inf = math.nan, math.inf


class PlantedError(Exception):
    """What an object of the caller's raises: it must reach the caller as it is."""


def raising(method, base=object, *arguments):
    """An object that raises PlantedError in a special method."""

    def planted(self, *_, **__):
        raise PlantedError(method)

    return type("Raising", (base,), {method: planted, "__hash__": base.__hash__} | {method: planted})(*arguments)


def lying(base=object, /, *arguments, **answers):
    """An object whose special methods answer what they are told to."""
    methods = {f"__{name}__": (lambda self, *_, _answer=answer, **__: _answer) for name, answer in answers.items()}
    return type("Lying", (base,), {"__hash__": base.__hash__} | methods)(*arguments)


def endless():
    """A list that holds itself."""
    found = [1.0]
    found.append(found)
    return found


def deep(levels):
    """A list in a list in a list."""
    found = 1.0
    for _ in range(levels):
        found = [found]
    return found


def graph():
    """A small graph with labels."""
    x, y = Value(2.0, label="x"), Value(-3.0, label="y")
    z = (x * y + x).tanh() * sg.dot([x, y], [y, 1.0]) + y**2
    z.label = "z"
    return z


def long_graph(count=3000):
    """A chain, longer than Python's stack is deep."""
    v = Value(1.0)
    for _ in range(count):
        v = v * 1.0
    return v


def edited():
    """A graph with a number that was assigned afterwards."""
    v = graph()
    v.data = 1.0
    return v


def hand_written():
    """A node made micrograd's way."""
    x = Value(3.0, label="x")
    out = Value(x.data**2, (x,), "square")

    def _backward():
        x.grad += 2 * x.data * out.grad

    out._backward = _backward
    return out


def backed():
    """A graph after backward()."""
    v = graph()
    v.backward()
    return v


def mlp(*nouts, **options):
    """A small network, always the same."""
    return nn.MLP(2, list(nouts or (2, 1)), activation="tanh", seed=1, **options)


def model_file():
    """The path of a saved model."""
    return str(mlp().save("model.json"))


def circuit():
    """The circuit of the lecture, after its forward pass."""
    made = sg.circuit.ComputationalGraph()
    made.gate(sg.circuit.MultiplyGate(), "x", "y", name="q")
    made.gate(sg.circuit.AddGate(), "q", "z", name="f")
    made.forward({"x": 2.0, "y": 3.0, "z": 4.0})
    return made


def passed(layer, rows=((1.0, 2.0),)):
    """A layer after its forward pass."""
    layer.forward([list(row) for row in rows])
    return layer


def used(gate, *inputs):
    """A gate after its forward pass."""
    gate.forward(*inputs)
    return gate


class Line(nn.Module):
    """A module of the caller's."""

    def __init__(self):
        self.slope, self.offset = Value(2.0), Value(1.0)

    def __call__(self, x):
        return self.slope * (x[0] if isinstance(x, list) else x) + self.offset


class Cube(sg.Function):
    """A Function of the caller's."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, upstream):
        return upstream * 3 * ctx.saved_values[0] ** 2


def square(x):
    """A function of one number."""
    return x * x


def applied(**methods):
    """A subclass of Function with these static methods."""
    return type("Applied", (sg.Function,), {name: staticmethod(method) for name, method in methods.items()})


NUMBER = "2.0 -0.5 3 Value(0.5) Value(-3.0,label='x') graph()".split()
VECTOR = ["[1.0, -2.0]", "[Value(1.0), Value(2.0)]", "(0.5, 3)", "np.array([1.0, 2.0])"]
ROWS = ["[[0.0, 1.0], [1.0, 0.0]]", "[[1.0, 2.0]]", "np.eye(2)", "[[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]"]
TARGETS = ["[0, 1]", "[1]", "[1.0, -1.0]", "[0, 1, 1]", "0", "np.array([0, 1])", "[-1, 1]"]
SCORES = [
    "[Value(1.0), Value(-2.0)]",
    "[Value(1.0)]",
    "[[Value(1.0), 2.0], [0.5, 1.0]]",
    "[1.0, 2.0, 3.0]",
    "Value(1.0)",
]
FUNCTION = ["square", "lambda x: x * x", "lambda x: [x, 2 * x]", "lambda x: x[0] * x[1]", "lambda x: sg.tanh(x)",
            "lambda x, y: x * y", "lambda x: x if x > 0 else -x", "lambda x: 1.0", "lambda *xs: sg.sum(*xs)",
            "lambda xs: sum(x * x for x in xs)", "sg.sin", "lambda x: x.data", "lambda x: {'a': x}"]  # fmt: skip
VALUE = [
    "graph()",
    "Value(2.0)",
    "Value(2.0, label='x') * 3",
    "backed()",
    "hand_written()",
    "mlp()([1.0, 2.0])",
    "edited()",
]
PATH = [
    "'out.svg'",
    "'model.json'",
    "model_file()",
    "'page.html'",
    "'out.dot'",
    "'none/out.json'",
    "'.'",
    "''",
    "b'model.json'",
]
MODEL = [
    "mlp()",
    "mlp(3)",
    "Line()",
    "nn.Neuron(2, seed=1)",
    "nn.Layer(2, 2, seed=1)",
    "nn.Sequential(nn.Layer(2, 3), nn.BatchNorm(3), nn.Dropout(0.5), nn.Layer(3, 1))",
]
IMAGE = [
    "[[[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]]",
    "[[[Value(1.0), 2.0], [0.0, Value(-1.0)]], [[1.0, 2.0], [3.0, 4.0]]]",
    "np.ones((1, 3, 3))",
]
PARAMETERS = ["mlp().parameters()", "[Value(1.0), Value(2.0)]", "mlp()", "[graph()]", "[]"]
FLAG = ["True", "False"]
SIZE = ["2", "1", "3", "10"]
GATES = ["'add'", "'multiply'", "'tanh'", "sg.circuit.AddGate()", "sg.circuit.MulConstantGate(2.0)", "'dot'"]

RIGHT = {
    "x": NUMBER, "y": NUMBER, "z": NUMBER, "a": NUMBER, "b": NUMBER, "xs": VECTOR, "args": NUMBER, "inputs": VECTOR,
    "data": ["2.0", "3", "True", "Fraction(1, 3)", "np.float32(1.5)", "np.array(2)"],
    "_children": ["()", "(Value(1.0), Value(2.0))", "[Value(1.0)]"], "_op": ["''", "'op'"],
    "label": ["''", "'w'", "'\\u2202 <b>'"], "text": ["'w'"], "requires_grad": FLAG, "parameter": FLAG, "flag": FLAG,
    "f": FUNCTION, "fn": FUNCTION, "function": FUNCTION, "hook": ["lambda g: g", "lambda g: 2 * g", "lambda n, g: None"],
    "primals": ["(2.0,)", "([1.0, 2.0],)", "(1.0, 2.0)", "(Value(1.0),)"],
    "tangents": ["(1.0,)", "([1.0, 0.0],)", "(1.0, 0.0)"], "argnums": ["0", "1", "(0, 1)", "-1"], "n": ["1", "2", "4", "8"],
    "has_aux": FLAG, "create_graph": FLAG, "grad_outputs": ["None", "[1.0]", "1.0"], "seed": ["1", "0", "None"],
    "value": VALUE, "root": VALUE, "roots": VALUE, "wrt": VALUE, "before": VALUE, "after": VALUE, "focus": ["None", *VALUE],
    "style": ["'card'", "'circuit'", "'micrograd'"], "rankdir": ["'LR'", "'TB'", "'auto'"],
    "theme": ["'default'", "'cs231n'"], "scheme": ["'light'", "'dark'"], "engine": ["'text'", "'auto'"],
    "max_nodes": ["500", "3"], "collapse": ["None", "'layers'", "1"], "depth": ["None", "1", "3"], "radius": SIZE,
    "id_prefix": ["''", "'p'"], "format": ["'svg'", "'png'"], "format_": ["'svg'", "'png'"], "notation": ["'text'", "'latex'", "'python'"],
    "name": ["'f'", "''"], "names": ["None", "['a', 'b']"], "named": VALUE, "variables": ["{'x': Value(1.0)}", "None"],
    "path": PATH, "key": ["False", "True", "'key.html'"], "limit": ["10", "None"], "rows": ["10", "None"],
    "model": MODEL, "X": ROWS, "layers": ["nn.Layer(2, 2)", "[nn.Layer(2, 2), nn.Elementwise('tanh')]"],
    "parameters": PARAMETERS, "scores": SCORES, "targets": TARGETS,
    "loss": ["'mse'", "'hinge'", "nn.mse", "'cross_entropy'", "'bce_with_logits'", "lambda s, t: nn.mse(s, t)"],
    "optimizer": ["'sgd'", "'adam'", "nn.SGD(mlp().parameters())", "nn.Adam([Value(1.0)])"], "lr": ["0.1", "0.01"],
    "epochs": ["1", "2"], "batch_size": ["None", "1", "2"], "schedule": ["None", "nn.constant_lr(0.1)"],
    "penalty": ["None", "0.1"], "clip_norm": ["None", "1.0"], "metrics": ["None", "'accuracy'"],
    "validation": ["None", "([[0.0, 1.0]], [1])"], "shuffle": FLAG, "rng": ["None", "random.Random(1)", "nn.NumpyRandom(1)"],
    "progress": FLAG, "callback": ["None", "lambda epoch, history: None"], "compiled": ["False", "True", "'python'"],
    "nin": ["2", "1"], "nout": ["1", "2", "3"], "nouts": ["[2, 1]", "3"], "nonlin": FLAG, "activation": ["'tanh'", "'relu'", "None", "sg.sin"],
    "init": ["'he_normal'", "nn.zeros()", "'uniform'"], "bias": FLAG, "fused": FLAG, "pieces": SIZE, "momentum": ["0.1", "0.9"],
    "eps": ["1e-5"], "p": ["0.5", "0.0"], "noise": ["0.1", "0.0"], "labels": ["(0, 1)", "(-1, 1)", "None"], "factor": ["0.5"],
    "classes": ["3", "2"], "centers": ["None", "[[0.0, 0.0], [1.0, 1.0]]"], "state": ["mlp().state_dict()", "{}"],
    "max_norm": ["1.0"], "limit_": ["1.0"], "reduction": ["'mean'", "'sum'", "'none'"], "margin": ["1.0"],
    "strength": ["0.1"], "weight_decay": ["0.0", "0.1"], "nesterov": FLAG, "betas": ["(0.9, 0.999)"], "beta": ["0.9"],
    "every": SIZE, "steps": ["10"], "start": ["0.1"], "end": ["0.01"], "rate": ["0.1"], "low": ["-1.0"], "high": ["1.0"],
    "mean": ["0.0"], "std": ["1.0"], "gain": ["1.0"], "weight": ["0.5"], "samples": ["100"], "alpha": ["2.0"],
    "row": VECTOR, "mode": ["True"], "scope": ["()", "('layer',)"], "kwargs": ["1.0"], "options": ["1.0"],
    "gate": GATES, "op": ["'tanh'", "'add'", "sg.tanh", "sg.dot", "'multiply'"], "constants": ["None", "{1: 2.0}"], "constant": ["2.0"],
    "dz": ["1.0"], "W": ["None", "[[1.0], [2.0]]"], "DY": ["[[1.0]]", "[[1.0, 2.0]]"], "A": ROWS, "B": ROWS, "M": ROWS,
    "backend": ["'auto'", "'python'", "'llvm'"], "branches": ["'raise'", "'rerecord'"], "batches": ROWS + VECTOR + ["2.0"],
    "dtype": ["'float64'"], "partials": ["lambda x: 2 * x", "[lambda x: 1.0]"], "domain": ["(0.0, 1.0)", "None"], "kinks": ["None"],
    "symbol": ["''"], "pole": ["None"], "numerator": ["3", "0.5"], "denominator": ["None", "4"], "h": ["1e-6"],
    "gradient": ["None", "lambda x: [2 * x]"], "rtol": ["1e-6"], "atol": ["1e-9"], "order": ["1", "2"], "modes": ["('reverse',)"],
    "examples": ["3"], "side": ["0", "1"], "hide": ["'gradients'", "'values'"], "local_derivatives": FLAG, "title": ["'t'", "None"],
    "expand": FLAG, "max_paths": ["100"], "max_steps": ["300"], "answers": ["{}", "[1.0, 2.0]"], "tolerance": ["0.0", "0.1"],
    "history": ["[1.0, 0.5]", "{'loss': [1.0, 0.5]}"], "log": FLAG, "dark": FLAG, "ax": ["None"], "resolution": ["3"], "threshold": ["0.0"],
    "min": ["-1.0"], "max": ["1.0"], "ops": ["None", "['add', 'tanh']"], "max_ops": ["5"], "span": ["4.0"], "max_size": ["1e4"],
    "max_layers": ["2"], "max_width": ["3"], "activations": ["('tanh', 'relu')"], "max_operands": ["4"], "engine_": ["None"],
    "merge_repeats": ["None", "True"], "clusters": FLAG, "replace": FLAG, "lines": FLAG, "changed": FLAG, "numpy_options": ["None"],
    "kernel": ["1", "2", "(1, 2)"], "stride": ["1", "2", "None"], "padding": ["0", "1", "(0, 1)"], "size": SIZE, "k": ["1.0", "2.0"],
    "texts": ["['emma', 'ava']", "'text'"], "tokens": ["[0, 1, 2]", "[2.0]"], "logits": ["[0.5, -1.0]", "[Value(1.0)]"], "temperature": ["1.0", "0"],
    "queries": ROWS, "keys": ROWS, "heads": ["1", "2"], "causal": FLAG, "width": ["2", "4"], "hidden": SIZE, "context": ["None", *ROWS],
    "num": SIZE, "dim": SIZE, "static": ["()", "[]"],
    "g": ["0.5"], "mu": ["0.0"], "sigma": ["1.0"], "values": ["1.0"], "arguments": NUMBER,
}  # fmt: skip
"""Right arguments by the parameter's name."""

BETTER = {
    "*draw_layers.loss": ["sg.compile(mlp(), backend='python')", "sg.compile(nn.MLP(2, [8, 1], seed=0), backend='python')"],
    "*draw_layers.sample": ["[0.5, 1.0]"], "*Compiled.draw.sample": ["[0.5, 1.0]", "2.0"],
    "sg.take.xs": ["[1.0, 2.0, Value(3.0)]", "[[1.0, Value(2.0)], [3.0, 4.0]]"], "sg.take.index": ["0", "1.0", "Value(1.0)"],
    "nn.*Cell.h": ["None", *VECTOR], "nn.*Cell.state": ["None", "([0.5, 1.0], [Value(1.0), 2.0])"],
    "nn.Tokenizer.encode.text": ["'emma'", "''"],
    "nn.*2d.x": IMAGE, "nn.LocalResponseNorm.x": IMAGE, "nn.Flatten.x": IMAGE, "nn.Unflatten.x": VECTOR, "nn.Unflatten.sizes": ["2", "1"],
    "nn.linear.rows": ROWS, "nn.attention.values": ROWS, "nn.linear.bias": ["None", "[0.5, 1.0]"], "nn.*attention*.causal": FLAG, "nn.MultiHeadAttention*.x": ROWS,
    "nn.*.heads": ["1", "2"],
    "nn.*.y": TARGETS, "sg.decision_boundary.y": TARGETS, "nn.*.inputs": VECTOR, "nn.*.x": [*VECTOR, "1.0"],
    "sg.depends_on.*": VALUE, "sg.explain.y": VALUE, "sg.circuit.*.inputs": ["'x'", "'y'", "{'x': 1.0, 'y': 2.0, 'z': 3.0}"],
    "sg.circuit.*.forward.inputs": ["{'x': 1.0, 'y': 2.0, 'z': 3.0}", "1.0"], "sg.circuit.*.name": ["''", "'g'"],
    "sg.record.inputs": ["None", "[]"], "sg.primitive.name": ["'fuzzed'"], "sg.strategies.*.inputs": ["2"], "sg.layers.*.layers": ["sg.layers.Linear(2, 1)"],
    "sg.strategies.numbers_in.domain": ["sg.table.Domain(0.0, 1.0)"], "sg.grad.inputs": ["None", "Value(1.0)", "1"],
    "sg.checking.*.x": ["1.0"], "sg.checking.*gradients.inputs": ["[1.0]"], "sg.*gradients.names": ["None"], "nn.History.append.numbers": ["{'loss': 1.0}"], "sg.check_gradients.inputs": ["[1.0]", "[1.0, 2.0]"], "sg.assert_gradients.inputs": ["[1.0]"],
    "sg.complex_step.xs": ["[1.0]", "[1.0, 2.0]"], "sg.checking.*.f": ["math.sin", "square"], "nn.NumpyRandom.*.x": ["[1, 2, 3]"],
    "nn.*.limit": ["1.0"], "nn.clip_grad_value.*": PARAMETERS, "*.state": ["mlp().state_dict()", "{}"], "nn.*.update.state": ["(0.0,)", "(0.0, 0.0)"], "nn.*.p": ["0.5"],
    "sg.strategies.networks.nin": ["2"], "sg.compile.fn": [*FUNCTION[:4], "mlp()", "lambda x, t: (mlp()(x) - t) ** 2"], "sg.record.*": VALUE,
    "sg.Value.*.seed": ["1.0", "2.0"], "sg.trace.seed": ["1.0"],
    "sg.circuit.*.seed": ["1.0"], "*.Program.*.inputs": ["()", "[1.0, 2.0]", "{'x': 1.0}", "{}"], "*.Program.*.seed": ["1.0"],
}  # fmt: skip
"""Better ones, by the name of the call and the parameter's name, with * for anything; the first that fits."""

INSTANCES = {
    "Value": [*VALUE, "Value(1.5)", "Value(2.0, requires_grad=False)", "long_graph()"], "MLP": ["mlp()", "mlp(2, 3)"], "Module": ["Line()"],
    "Sequential": ["nn.Sequential(nn.Layer(2, 3), nn.BatchNorm(3), nn.Dropout(0.5), nn.Layer(3, 1))"],
    "RNNCell": ["nn.RNNCell(2, 2, seed=1)"], "GRUCell": ["nn.GRUCell(2, 2, seed=1)"], "LSTMCell": ["nn.LSTMCell(2, 2, seed=1)"],
    "nn.Embedding": ["nn.Embedding(3, 2, seed=1)"],
    "Tokenizer": ["nn.Tokenizer(['emma', 'ava'])"], "nn.Linear": ["nn.Linear(2, 2, seed=1)"], "LayerNorm": ["nn.LayerNorm(2)"], "RMSNorm": ["nn.RMSNorm(2)"],
    "MultiHeadAttention": ["nn.MultiHeadAttention(2, 2, seed=1)"],
    "Layer": ["nn.Layer(2, 2, seed=1)"], "Neuron": ["nn.Neuron(2, seed=1)"], "Maxout": ["nn.Maxout(2, 2, seed=1)"],
    "MaxoutNeuron": ["nn.MaxoutNeuron(2, seed=1)"], "nn.Elementwise": ["nn.Elementwise('tanh')"],
    "Conv2d": ["nn.Conv2d(1, 2, 2, padding=1, seed=1)"], "MaxPool2d": ["nn.MaxPool2d(2)"], "AvgPool2d": ["nn.AvgPool2d(2)"],
    "LocalResponseNorm": ["nn.LocalResponseNorm(3)"], "Flatten": ["nn.Flatten()"], "Unflatten": ["nn.Unflatten(1, 2)"],
    "BatchNorm": ["nn.BatchNorm(2)", "nn.BatchNorm(2).eval()"], "Dropout": ["nn.Dropout(0.5)"], "Name": ["nn.Name('w', ('layer',))"],
    "History": ["nn.fit(mlp(), [[0.0, 1.0], [1.0, 0.0]], [1, -1], loss='mse', epochs=2, progress=False)", "nn.History()"],
    "SGD": ["nn.SGD(mlp().parameters(), momentum=0.9)"], "Adagrad": ["nn.Adagrad([Value(1.0)])"], "RMSprop": ["nn.RMSprop([Value(1.0)])"],
    "Adam": ["nn.Adam(mlp())"], "AdamW": ["nn.AdamW([Value(1.0), Value(2.0)])"], "Optimizer": [], "NumpyRandom": ["nn.NumpyRandom(1)"],
    "ComputationalGraph": ["circuit()", "sg.circuit.ComputationalGraph()"],
    "Gate": ["sg.circuit.Gate('tanh')", "sg.circuit.Gate('max')", "used(sg.circuit.AddGate(), 1.0, 2.0)"], "Report": ["sg.check_gradients(square, [2.0])"],
    "Compiled": ["sg.compile(square, backend='python')", "sg.compile(square, backend='llvm')", "sg.compile(mlp(), backend='python')"],
    "Training": ["sg.compile(lambda x, m=mlp(): m(x) ** 2, backend='python').training(nn.SGD([Value(1.0)]))"],
    "Program": ["sg.record(graph(), backend='python')", "sg.record(graph(), backend='llvm')"], "Drawing": ["sg.draw(graph(), engine='text')", "sg.draw(graph())"],
    "Entry": ["sg.check_gradients(square, [2.0]).entries[0]"], "Function": ["Cube", "applied(forward=lambda ctx, x: 'a', backward=lambda ctx, g: g)", "applied(forward=lambda ctx, *x: 1.0, backward=lambda ctx, g: 'b')"],
    "Handle": ["sg.register_hook(Value(1.0), square)"], "Context": ["sg.function.Context((True,))"], "Domain": ["sg.table.Domain(0.0, 1.0)"],
    "Exact": ["sg.Exact(1, 3)"], "Trace": ["sg.trace(graph())"], "Explanation": ["(lambda x: sg.explain(x * x, x))(Value(2.0))"],
    "Live": ["sg.live('x*y', x=2.0)"], "Session": ["sg.live('x*y').session()"], "Difference": ["sg.diff(graph(), graph())"], "Worksheet": ["sg.worksheet(graph())"], "Worksheets": ["sg.worksheet(graph(), variants=2)"], "Expression": [], "Comparison": ["sg.mistakes.no_sorting.show(graph())"],
    "Mistake": ["sg.mistakes.no_sorting", "sg.mistakes.overwriting"], "Step": ["sg.trace(graph())[3]"], "Operations": ["sg.count_operations(square)(2.0)"],
    "layers.Linear": ["sg.layers.Linear(2, 1, seed=1)", "passed(sg.layers.Linear(2, 1, seed=1))"], "layers.Elementwise": ["sg.layers.Elementwise('tanh')"],
    "layers.Network": ["sg.layers.Network(sg.layers.Linear(2, 2, seed=1), sg.layers.Tanh(), sg.layers.Linear(2, 1, seed=1))"],
    "layers.Layer": ["sg.layers.Layer()"], "layers.Sigmoid": ["passed(sg.layers.Sigmoid())"], "Node": ["circuit().nodes_topologically_sorted()[0]"], "no_grad": ["sg.no_grad()"],
    "strategies.Network": ["sg.strategies.Network((2, 1), 'tanh', 1, (0.5, 1.0))"], "Instruction": ["sg.strategies.Instruction('tanh', (0,))"],
}  # fmt: skip
"""How to get an object of a class whose methods are called; of a class that is not here, its constructor says."""

RESULTS = (
    "Compiled Training Program Drawing Explanation Difference Worksheet Worksheets Comparison Handle Report Entry Verdict Step "
    "Live Session Operations Node Context Trace Mistake Marks Expression Instruction Network OpReport"
).split()
"""Classes whose objects calls return; their constructors are not for callers."""

WRONG = [
    "None", "True", "'text'", "''", "'x'", "b'bytes'", "bytearray(2)", "object()", "1j", "Decimal('1.5')", "Fraction(1, 3)", "{}",
    "{'a': 1.0}", "{1: None}", "{1.0, 2.0}", "frozenset()", "(i for i in (1.0, 2.0))", "iter([])", "Value", "nn.MLP", "lambda: 1.0",
    "lambda *a, **k: None", "lambda *a, **k: 'text'", "lambda *a, **k: [Value(1.0)] * 3", "lambda x: x.nothing", "lambda x: math.sin(x)", "print",
    "[]", "()", "[[]]", "[[1.0], [1.0, 2.0]]", "[None]", "['a', 'b']", "[[[1.0]]]", "[{}]", "[1.0, 'a']", "[[1.0, 2.0], None]", "endless()", "deep(3000)", "deep(40)",
    "10**400", "-10**400", "10**9", "10**18", "2**63", "-1", "0", "7", "-10**9", "nan", "inf", "-inf", "-0.0", "5e-324", "1e308", "1.5", "[nan, inf]", "[10**400]",
    "Value(2.0)", "Value(nan)", "Value(inf)", "Value(1.0, requires_grad=False)", "graph()", "edited()", "hand_written()", "[graph()]", "[Value(1.0)]", "[[Value(1.0), 1.0]]",
    "mlp()", "mlp", "nn", "sg", "Line()", "nn.Layer(3, 2, seed=1)", "nn.SGD([Value(1.0)])", "nn.mse", "sg.draw(graph(), engine='text')", "Cube",
    "np.float32(1.5)", "np.int8(100)", "np.bool_(True)", "np.float16('nan')", "np.longdouble(1)", "np.complex64(1j)", "np.array([])", "np.zeros((2, 0))", "np.array(['a', 'b'])",
    "np.array([None, 1.0], object)", "np.array([Value(1.0), Value(2.0)])", "np.array(1.0)", "np.array('a')", "np.array([1j])",
    "np.array(['2020-01-01'], 'datetime64[D]')", "np.timedelta64(1)", "np.ma.masked", "np.ma.masked_array([1.0, 2.0], [True, False])",
    "np.zeros(2, [('a', float)])", "np.zeros((2, 2, 2))", "np.array([[1.0, 2.0]], dtype='>f4')", "np.array([b'a'])", "np.arange(4, dtype=np.uint8)", "np.eye(2)[:, ::-1]",
    "...", "NotImplemented", "ValueError('x')", "ValueError", "range(3)", "slice(1)", "memoryview(b'ab')", "types.SimpleNamespace(data=1.0, grad=2.0)",
    "'a' * 100000", "'\\ud800'", "'\\0'", "'none'", "'sum'", "[0.0] * 1000", "zip()", "random", "types.SimpleNamespace(parameters=lambda: [1.0])", "np.random.default_rng(1)",
    "raising('__float__')", "raising('__iter__')", "raising('__len__')", "raising('__index__')", "raising('__array__')", "raising('__getitem__', list, [1.0, 2.0])",
    "raising('__eq__')", "raising('__hash__')", "raising('__bool__')", "raising('__call__')", "raising('__repr__')", "raising('__str__')", "raising('__getattr__')",
    "raising('__iter__', list, [1.0, 2.0])", "raising('__len__', list, [1.0, 2.0])", "raising('__eq__', str, 'mean')", "raising('__hash__', str, 'mse')", "raising('__float__', float, 1.0)",
    "raising('__mul__', float, 1.0)", "raising('__index__', int, 3)", "raising('__lt__', int, 3)", "raising('__getitem__', dict, {'a': 1.0})", "raising('__fspath__')", "raising('__format__', float, 1.5)",
    "lying(len=3)", "lying(len=10**9)", "lying(len=2, iter=iter([]))", "lying(index='a')", "lying(float=1.0)", "lying(float='a')", "lying(iter=3)", "lying(array=None)", "lying(eq=True)",
    "lying(list, [1.0, 2.0], len=5)", "lying(float, 1.5, repr=3)", "lying(bool=2)", "lying(call=lying(len=1))", "lying(index=10**30)", "lying(fspath=3)", "lying(hash=1, eq=True)", "lying(ndim=2)",
    "lying(int, 2, index=7)", "lying(str, 'sgd', eq=True)", "types.SimpleNamespace(ndim=1, shape=(2,))", "types.SimpleNamespace(ndim=0, item=None)", "types.SimpleNamespace(op=3)", "types.SimpleNamespace(tolist=lambda: 3)",
    "types.SimpleNamespace(__name__=3)",
]  # fmt: skip
"""Wrong arguments for nearly anything."""

NESTS = [
    "[{}]",
    "[{}, {}]",
    "({}, 1.0)",
    "[[{}, 1.0], [2.0, {}]]",
    "{{'a': {}}}",
    "lambda *a, **k: {}",
    "[1.0, {}]",
    "({},)",
    "iter([{}])",
    "[[1.0, 2.0], {}]",
]
"""What a wrong argument may lie in."""

NAMES = {
    name: value for name, value in globals().items() if not name.startswith("__") and not name.isupper()
} | {"random": random, "types": types}  # fmt: skip
