"""Right arguments for fuzzing.py, as texts that Python evaluates with the names of fuzzing_arguments.py."""

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
    "dtype": ["'float64'"], "partials": ["lambda x: 2 * x", "[lambda x: 1.0]"], "domain": ["sg.table.Domain(0.0, 1.0)", "None"], "kinks": ["None"],
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
