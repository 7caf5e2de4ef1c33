"""Arguments that are right together, for fuzzing.py: where what one of them may be depends on another or on the object.

They are texts that Python evaluates with the names of fuzzing_arguments.py; `it` is the object whose method is called,
and before a semicolon stands what several of them speak of. In the names of calls * is anything without a dot, ** anything.
"""

from scalargrad.table import TABLE

ROWS = "[[0.0, 1.0], [1.0, 0.0]]"
BINARY = [*(name for name, op in TABLE.items() if op.arity == 2), "pow"]
INNER = "arccos arcsin arctanh".split()
"""Ops that are defined between -1 and 1 only."""

MODULES = {
    "nn.*.__call__": ["sample(it)"],
    "nn.*.on_batch": ["samples(it)"],
    "nn.*.weights": ["sample(it)"],
    "nn.*.neuron_tick": ["sample(it)"],
    "nn.*.live": [f"{ROWS}, [1, -1]", "[[0.0, 1.0], (1.0, 0.5)], [0, 1], loss='mse', optimizer='adam', lr=0.1"],
    "nn.*.draw": ["", f"{ROWS}, [1, -1]", "x=[0.5, 1.0], show='gradients'"],
    "nn.*.save": ["'own.json'", "'own.json', optimizer=sgd(it)"],
    "nn.*.load": ["saved(it)", "saved(it, sgd(it)), optimizer=sgd(it)"],
    "nn.*.load_state_dict": ["it.state_dict()"],
    "nn.save": ["mlp(), 'own.json'", "'own.json', mlp()", "m = mlp(); m, 'own.json', optimizer=nn.Adam(m)"],
    "nn.load": ["model_file()", "model_file(), mlp()", "m = mlp(); saved(m, nn.Adam(m)), m, optimizer=nn.Adam(m)"],
}
"""What all modules have; some of them refuse some of it always."""

NETWORKS = {
    "nn.fit": [
        f"mlp(), {ROWS}, [1, -1], loss='hinge', epochs=2, progress=False",
        "m = mlp(); m, np.eye(2), [0, 1], loss='bce_with_logits', optimizer=nn.Adam(m), epochs=1, compiled='python'",
        f"mlp(3), {ROWS}, [0, 2], loss='cross_entropy', metrics='accuracy', validation=({ROWS}, [1, 0]), epochs=1",
        f"nn.Sequential(nn.Layer(2, 3), nn.BatchNorm(3), nn.Dropout(0.5), nn.Layer(3, 1)), {ROWS}, [1.0, 2.0], loss=nn.mse",
    ],
    "nn.MLP": ["2, [3, 1], activation='tanh', seed=1", "2, 1, init='he_normal', bias=False"],
    "nn.Sequential": ["nn.Layer(2, 3), 'tanh', nn.Layer(3, 1)", "nn.Conv2d(1, 2, 2), nn.Flatten(), sg.tanh"],
    "nn.MultiHeadAttention": ["4, 2, causal=True", "2, 1"],
    "nn.SGD": ["mlp(), lr=0.1, momentum=0.9, nesterov=True", "mlp().parameters(), weight_decay=0.1"],
    "nn.RMSprop": ["mlp(), alpha=0.9", "[Value(1.0)], momentum=0.5"],
    "nn.Ada*": ["mlp().parameters(), lr=0.1", "[Value(1.0), Value(2.0)], weight_decay=0.1"],
    "nn.clip_grad_value": ["mlp(), 1.0", "[Value(1.0)], inf"],
    "nn.attention": [f"{ROWS}, {ROWS}, {ROWS}, causal=True", "np.eye(2), [[Value(1.0), 2.0]], [[1.0, 2.0]], heads=2"],
    "nn.linear": [f"[1.0, Value(2.0)], {ROWS}, [0.5, Value(1.0)]"],
    "nn.*hinge": ["[[Value(1.0), 2.0], [0.5, 1.0]], [0, 1]", "[Value(1.0), -2.0], [1, -1], reduction='sum'"],
    "nn.cross_entropy": ["[[Value(1.0), 2.0], [0.5, 1.0]], [0, 1]", "[Value(1.0), 2.0, 0.5], 2"],
    "nn.bce_with_logits": ["[Value(1.0), -2.0], [0, 1]", "Value(1.0), 1.0"],
    "nn.accuracy": ["[Value(1.0), -2.0], [1, -1]", "[[Value(1.0), 2.0], [0.5, 1.0]], [0, 1]"],
    "nn.mse": ["[Value(1.0), -2.0], [0.5, 1.0]", "[[Value(1.0), 2.0]], [[0.5, 1.0]]", "Value(1.0), 2.0"],
    "nn.sse": ["[Value(1.0), -2.0], [0.5, 1.0]", "[[Value(1.0), 2.0]], [[0.5, 1.0]]", "Value(1.0), 2.0"],
    "nn.History.__getitem__": ["'loss'"],
    "nn.History.append": ["{'loss': 1.0}", "dict(it.last, loss=1.0)"],
    "nn.Name": ["'w', ('layer',)"],
    "nn.Tokenizer.decode": ["[0, 1, 2]"],
}

FUNCTIONS = {
    "sg.take": ["[1.0, Value(2.0)], 1", f"{ROWS}, Value(0.0)"],
    **{f"sg.{name}": ["2.0, Value(0.5)", "Value(1.5), 3"] for name in BINARY},
    **{f"sg.Value.{name}": ["0.5", "Value(2.0)"] for name in BINARY},
    **{f"sg.{name}": ["0.5", "Value(-0.25)"] for name in INNER},
    "sg.arccosh": ["1.5", "Value(3.0)"],
    "sg.clip": ["2.0, -1.0, Value(1.0)"],
    "sg.Value.clip": ["-1.0, Value(1.0)"],
    "sg.Value.where": ["2.0, Value(3.0)"],
    "sg.where": ["Value(1.0), 2.0, Value(3.0)"],
    "sg.Value.dot": ["2.0", "Value(2.0)"],
    "sg.dot": ["[1.0, Value(2.0)], [Value(3.0), 4.0]", "[1.0], [Value(2.0)], 3.0"],
    "sg.Value.label =": ["'w'", "''"],
    "sg.Value.requires_grad =": ["True", "False"],
    "sg.**jvp": ["square, (2.0,), (1.0,)", "lambda x, y: x * y, (1.0, Value(2.0)), (1.0, 0.0)"],
    "sg.**hvp": ["lambda v: v[0] * v[1], ([1.0, 2.0],), ([1.0, 0.0],)", "square, (2.0,), (1.0,)"],
    "sg.**vjp": ["square, 2.0", "lambda x, y: [x * y, x], 1.0, Value(2.0)", "lambda x: (x, 1), 2.0, has_aux=True"],
    "sg.**depends_on": ["x = Value(2.0); x.tanh() * x, x", "Value(1.0), Value(1.0)"],
    "sg.**check_gradients": ["lambda x, y: x * y, [1.0, 2.0], order=2", "square, [1.0], gradient=lambda x: [2 * x]"],
    "sg.**assert_gradients": ["lambda x, y: x * y, [1.0, 2.0], order=2", "square, [1.0], rtol=1e-5"],
    "sg.complex_step": ["square, [1.0]", "lambda x, y: x * y, [1.0, 2.0]"],
    "sg.**check_op": ["sg.tanh, examples=3", "lambda x, y: x * y, order=1, examples=3", "Cube.apply, examples=3"],
    "sg.**explain": ["x = Value(2.0); x.tanh() * x, x", "x = Value(2.0); x * x, x"],
    "sg.**record": [
        "graph(), backend='python'",
        "x = Value(2.0, label='x'); x.tanh() * 3, inputs=[x]",
        "mlp()([1.0, 2.0])",
    ],
    "sg.to_python": ["graph()", "mlp()([1.0, 2.0]), name='g'"],
    "sg.name": ["x=Value(1.0), y=Value(2.0)", "{'x': Value(1.0)}"],
    "sg.Function.apply": ["2.0", "Value(2.0)"],
    "sg.live": ["'x*y', x=2.0", "lambda x, y: x * y, x=1.0, y=2.0"],
    "sg.playground.live": ["'x*y', x=2.0", "lambda x, y: x * y, x=1.0, y=2.0"],
    "sg.live_network": [f"mlp(), {ROWS}, [1, -1]", "mlp(), np.eye(2), [0, 1], loss=nn.mse, optimizer='adam', lr=0.1"],
    "sg.exercises.check": ["'01.twice', a_grad=5.0", "'01.twice'"],
    "sg.exercises.hint": ["'01.twice'", "'01.twice', 2"],
    "sg.exercises.solution": ["'01.twice'"],
    "sg.exercises.exercises": ["'01'", ""],
    "sg.strategies.Network.__call__": ["1.0, Value(2.0)"],
}

SHOWN = {
    "sg.draw": ["graph(), engine='text'", "mlp()([1.0, 2.0]), collapse='layers'", "y = graph(); y, focus=y, radius=1"],
    "sg.Value.draw": ["engine='text'", "style='circuit', rankdir='TB'"],
    "sg.**draw_network": [f"mlp(), {ROWS}, [1, -1]", "mlp(2, 3), x=[0.5, 1.0], show='gradients'", "nn.Conv2d(1, 2, 2)"],
    "sg.**draw_layers": ["sg.compile(nn.MLP(2, [8, 1], seed=0), backend='python'), [0.5, 1.0]"],
    "sg.**decision_boundary": [
        f"mlp(), {ROWS}, [1, -1], resolution=3",
        f"mlp(3), {ROWS}, [0, 2], resolution=2, dark=True",
    ],
    "sg.**Drawing.save": ["'out.txt'", "'out.svg'", "'out.dot'"],
    "sg.diff": ["graph(), graph()", "y = graph(); y, y * 2", "mlp()([1.0, 2.0]), mlp()([1.0, 3.0]), rows=3"],
    "sg.**Trace.save": ["'page.html'", "'page.html', max_steps=400"],
    "sg.**Trace.__getitem__": ["0", "-1", "slice(1, 3)"],
    "sg.**Worksheet.save": ["'sheet.html'", "'sheet.html', key=True", "'sheet.html', fields=True"],
    "sg.**Worksheets.save": ["'sheets.html'", "'sheets.html', key='key.html'"],
    "sg.**Worksheets.__getitem__": ["1", "2"],
    "sg.**worksheet": ["graph(), variants=2", "graph(), hide='values', seed=1", "mlp()([1.0, 2.0]), expand=True"],
}

COMPILED = {
    "sg.compiling.Compiled.__call__": ["2.0", "[0.5, 1.0]", "Value(2.0)"],
    "sg.compiling.Compiled.values": ["[1.0, 2.0]", "[[0.5, 1.0], [1.0, 0.0]]"],
    "sg.compiling.Compiled.value_and_grad": ["[1.0, 2.0]", "[[0.5, 1.0], [1.0, 0.0]]"],
    "sg.compiling.Compiled.bind": [
        "np.array([0.5, 1.0]), np.zeros(1)",
        "np.eye(2), parameters=np.ones(9), out=np.zeros(9)",
    ],
    "sg.compiling.Compiled.draw": ["2.0", "[0.5, 1.0]"],
    "sg.compiling.Compiled.training": ["nn.SGD([Value(1.0)])", "nn.Adam(mlp())"],
    "sg.compiling.Training.__call__": [ROWS, "np.eye(2)"],
    "sg.compiling.Program.bind": [
        "np.zeros(len(it.leaves))",
        "np.zeros(len(it.leaves)), inputs=np.zeros(len(it.inputs))",
    ],
    "sg.compiling.Program.forward": ["", "[0.5] * len(it.inputs)"],
    "sg.compiling.Program.value_and_grad": ["", "[0.5] * len(it.inputs)"],
}

PLAIN = {
    "sg.circuit.ComputationalGraph.gate": ["sg.circuit.AddGate(), 'x', 'y'", "'tanh', 'x', name='g'"],
    "sg.circuit.ComputationalGraph.output =": ["'q'", "'f'"],
    "sg.circuit.ComputationalGraph.forward": ["{'x': 1.0, 'y': 2.0, 'z': 3.0}"],
    "sg.circuit.ComputationalGraph.from_value": ["graph()", "mlp()([1.0, 2.0])"],
    "sg.circuit.*ConstantGate": ["2.0", "3"],
    "sg.circuit.Gate": ["'tanh'", "'divide', {0: 1.0}", "sg.tanh.op"],
    "sg.circuit.Gate.forward": ["2.0", "2.0, 3"],
    **{f"sg.circuit.{name}Gate.forward": ["2.0, -3"] for name in "Add Subtract Multiply Divide Max Min".split()},
    "sg.circuit.*Gate.forward": ["2.0", "3"],
    "sg.circuit.*Gate": ["", "constants={}"],
    "sg.layers.Elementwise": ["'tanh'", "'exp'"],
    "sg.layers.SoftmaxCrossEntropy.forward": ["[[1.0, 2.0], [0.5, 1.0]], [0, 1]"],
    "sg.layers.SoftmaxCrossEntropy.backward": ["", "0.5"],
    "sg.layers.Linear.backward": ["[[1.0]]"], "sg.layers.Network.backward": ["[[1.0]]"],
    "sg.layers.*.backward": ["[[1.0, 2.0]]", "((0.5, -1),)"],
    "sg.layers.Linear": ["2, 1, seed=1", "2, 1, W=[[1.0], [2.0]], b=[0.5]"],
    "sg.layers.*.forward": ["[[1.0, 2.0]]", "np.eye(2)"],
}  # fmt: skip

PYTHON = {
    "dict": ["nn.fit(mlp(), [[0.0, 1.0]], [1], loss='mse', epochs=1, progress=False)", "mlp().state_dict()"],
    "operator.contains": ["[1.0, Value(2.0)], 1.0", "sg.worksheet(graph(), variants=2), Value(1.0)"],
    "operator.getitem": ["sg.trace(graph()), 0", "sg.worksheet(graph(), variants=2), 1"],
    "operator.matmul": ["np.array([Value(1.0), Value(2.0)]), np.array([1.0, 2.0])"],
    "operator.index": ["3", "True"],
    "operator.invert": ["3", "True"],
    "np.where": ["[True, False], np.array([Value(1.0), Value(2.0)]), 0.0"],
    "np.isnan": ["2.0", "np.array([1.0, nan])"],
    "round": ["Value(2.5)", "2.5, 1"],
    "format": ["Value(2.0), '.2f'", "Value(2.0), ''"],
    "list": ["sg.trace(graph())", "[Value(1.0)]", "sg.worksheet(graph(), variants=2)"],
}
PYTHON |= dict.fromkeys(("len", "iter", "set"), PYTHON["list"])
NUMBERS = "bool complex float int math.sin operator.not_ operator.truth pickle.dumps".split()
PYTHON |= {name: ["2.5", "np.float32(1.5)"] for name in NUMBERS}

TWICE = {
    f"sg.{room}.{name}": (FUNCTIONS | SHOWN)[f"sg.{name}"]
    for room, names in {"tracing": "name diff", "drawing": "draw"}.items()
    for name in names.split()
}

EXAMPLES = MODULES | NETWORKS | FUNCTIONS | SHOWN | COMPILED | PLAIN | PYTHON | TWICE
"""Argument lists by the name of the call; the first that fits."""
