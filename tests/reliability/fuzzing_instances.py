"""Objects whose methods fuzzing.py calls, as texts that Python evaluates with the names of fuzzing_arguments.py."""

from fuzzing_right import VALUE

INSTANCES = {
    "Value": [*VALUE, "Value(0.5)", "Value(1.5)", "Value(2.0, requires_grad=False)", "long_graph()"], "MLP": ["mlp()", "mlp(2, 3)"], "Module": ["Line()", "Chain()"],
    "Sequential": ["nn.Sequential(nn.Layer(2, 3), 'tanh', nn.Layer(3, 1))", "nn.Sequential(nn.Layer(2, 3), nn.BatchNorm(3), nn.Dropout(0.5), nn.Layer(3, 1))"],
    "RNNCell": ["nn.RNNCell(2, 2, seed=1)"], "GRUCell": ["nn.GRUCell(2, 2, seed=1)"], "LSTMCell": ["nn.LSTMCell(2, 2, seed=1)"],
    "nn.Embedding": ["nn.Embedding(3, 2, seed=1)"],
    "Tokenizer": ["nn.Tokenizer(['emma', 'ava'])"], "nn.Linear": ["nn.Linear(2, 2, seed=1)", "nn.Linear(2, 1, seed=1)"], "LayerNorm": ["nn.LayerNorm(2)"], "RMSNorm": ["nn.RMSNorm(2)"],
    "MultiHeadAttention": ["nn.MultiHeadAttention(2, 2, seed=1)"],
    "Layer": ["nn.Layer(2, 2, seed=1)", "nn.Layer(2, 1, seed=1)"], "Neuron": ["nn.Neuron(2, seed=1)"], "Maxout": ["nn.Maxout(2, 2, seed=1)", "nn.Maxout(2, 1, seed=1)"],
    "MaxoutNeuron": ["nn.MaxoutNeuron(2, seed=1)"], "nn.Elementwise": ["nn.Elementwise('tanh')"],
    "Conv2d": ["nn.Conv2d(1, 2, 2, padding=1, seed=1)"], "MaxPool2d": ["nn.MaxPool2d(2)"], "AvgPool2d": ["nn.AvgPool2d(2)"],
    "LocalResponseNorm": ["nn.LocalResponseNorm(3)"], "Flatten": ["nn.Flatten()"], "Unflatten": ["nn.Unflatten(1, 2)"],
    "BatchNorm": ["nn.BatchNorm(2)", "nn.BatchNorm(2).eval()"], "Dropout": ["nn.Dropout(0.5)"], "Name": ["nn.Name('w', ('layer',))"],
    "History": ["nn.fit(mlp(), [[0.0, 1.0], [1.0, 0.0]], [1, -1], loss='mse', epochs=2, progress=False)", "nn.History()"],
    "SGD": ["nn.SGD(mlp().parameters(), momentum=0.9)", "moved(nn.SGD([Value(1.0)], momentum=0.9))"],
    "Adagrad": ["nn.Adagrad([Value(1.0)])", "moved(nn.Adagrad([Value(1.0)]))"], "RMSprop": ["nn.RMSprop([Value(1.0)])", "moved(nn.RMSprop([Value(1.0)]))"],
    "Adam": ["nn.Adam(mlp())", "moved(nn.Adam([Value(1.0)]))"], "AdamW": ["nn.AdamW([Value(1.0), Value(2.0)])", "moved(nn.AdamW(mlp()))"],
    "Optimizer": ["Plain(mlp(), 0.1)", "moved(Plain([Value(1.0)], 0.1))"], "NumpyRandom": ["nn.NumpyRandom(1)"],
    "ComputationalGraph": ["circuit()", "sg.circuit.ComputationalGraph()"],
    "Gate": ["sg.circuit.Gate('tanh')", "sg.circuit.Gate('max')", "fed(sg.circuit.Gate('logsumexp'))"], "Report": ["sg.check_gradients(square, [2.0])"],
    "Compiled": ["sg.compile(square, backend='python')", "sg.compile(square, backend='llvm')", "sg.compile(mlp(), backend='python')", "compiled_loss()", "compiled_loss('llvm')"],
    "Training": ["training()", "training(nn.Adam)", "training(nn.SGD, momentum=0.9)"],
    "Program": ["sg.record(graph(), backend='python')", "sg.record(graph(), backend='llvm')"], "Drawing": ["sg.draw(graph(), engine='text')", "sg.draw(graph())"],
    "Entry": ["sg.check_gradients(square, [2.0]).entries[0]"], "Function": ["Cube", "applied(forward=lambda ctx, x: 'a', backward=lambda ctx, g: g)", "applied(forward=lambda ctx, *x: 1.0, backward=lambda ctx, g: 'b')"],
    "Handle": ["sg.register_hook(Value(1.0), square)"], "Context": ["sg.function.Context((True,))"], "Domain": ["sg.table.Domain(0.0, 1.0)"],
    "Exact": ["sg.Exact(1, 3)"], "Trace": ["sg.trace(graph())"], "Explanation": ["(lambda x: sg.explain(x * x, x))(Value(2.0))"],
    "Live": ["sg.live('x*y', x=2.0)"], "Session": ["sg.live('x*y').session()"], "Difference": ["sg.diff(graph(), graph())"], "Worksheet": ["sg.worksheet(graph())"], "Worksheets": ["sg.worksheet(graph(), variants=2)"], "Expression": [], "Comparison": ["sg.mistakes.no_sorting.show(graph())"],
    "Mistake": ["sg.mistakes.no_sorting", "sg.mistakes.overwriting"], "Step": ["sg.trace(graph())[3]"], "Operations": ["sg.count_operations(square)(2.0)"],
    "layers.Linear": ["sg.layers.Linear(2, 1, seed=1)", "passed(sg.layers.Linear(2, 1, seed=1))", "gone_back(sg.layers.Linear(2, 1, seed=1))"], "layers.Elementwise": ["sg.layers.Elementwise('tanh')", "passed(sg.layers.Elementwise('exp'))"],
    "layers.Network": [text.format("sg.layers.Network(sg.layers.Linear(2, 2, seed=1), sg.layers.Tanh(), sg.layers.Linear(2, 1, seed=1))") for text in ("{}", "passed({})", "gone_back({})")],
    "layers.Layer": ["sg.layers.Layer()", "Doubling()"], "layers.SoftmaxCrossEntropy": ["sg.layers.SoftmaxCrossEntropy()", "used(sg.layers.SoftmaxCrossEntropy('sum'), [[1.0, 2.0]], [0])"],
    **{f"layers.{name}": [f"sg.layers.{name}()", f"passed(sg.layers.{name}())"] for name in ("Sigmoid", "Tanh", "ReLU")}, "Node": ["circuit().nodes_topologically_sorted()[0]"], "no_grad": ["sg.no_grad()"],
    "strategies.Network": ["sg.strategies.Network((2, 1), 'tanh', 1, (0.5, 1.0))"], "Instruction": ["sg.strategies.Instruction('tanh', (0,))"],
}  # fmt: skip
"""How to get an object of a class whose methods are called; of a class that is not here, its constructor says."""

RESULTS = (
    "Compiled Training Program Drawing Explanation Difference Worksheet Worksheets Comparison Handle Report Entry Verdict Step "
    "Live Session Operations Node Context Trace Mistake Marks Expression Instruction Network OpReport"
).split()
"""Classes whose objects calls return; their constructors are not for callers."""
