"""Names that PyTorch and lectures have for what is here, and what it is called in nn."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from scalargrad.ops import TABLE
from scalargrad.support.spelling import nearest

NAMES = {
    "dense": "write nn.Linear(nin, nout), or nn.Layer(nin, nout) with an activation",
    "fullyconnected": "write nn.Linear(nin, nout), or nn.Layer(nin, nout) with an activation",
    "rnn": "write nn.RNNCell(nin, hidden), and a loop over the sequence: h = rnn(x, h)",
    "gru": "write nn.GRUCell(nin, hidden), and a loop over the sequence: h = gru(x, h)",
    "lstm": "write nn.LSTMCell(nin, hidden), and a loop over the sequence: h, c = lstm(x, (h, c))",
    "multiheadattention": "write nn.MultiHeadAttention(width, heads)",
    "scaled_dot_product_attention": "write nn.attention(queries, keys, values)",
    "perceptron": "write nn.Neuron(nin), or nn.MLP(2, [16, 1]) for several layers",
    "network": "write nn.MLP(2, [16, 1]), or nn.Sequential(...)",
    "batchnorm1d": "write nn.BatchNorm(n)",
    "conv": "write nn.Conv2d(channels, filters, 3)",
    "conv1d": "write nn.Conv2d(channels, filters, (1, 3)), for a picture of one row",
    "convolution": "write nn.Conv2d(channels, filters, 3)",
    "maxpool": "write nn.MaxPool2d(2)",
    "maxpool1d": "write nn.MaxPool2d((1, 2)), for a picture of one row",
    "maxpooling2d": "write nn.MaxPool2d(2)",
    "avgpool1d": "write nn.AvgPool2d((1, 2)), for a picture of one row",
    "averagepooling2d": "write nn.AvgPool2d(2)",
    "adaptiveavgpool2d": "write nn.AvgPool2d(kernel), with a kernel as large as the map for the mean of each channel",
    "lrn": "write nn.LocalResponseNorm(5)",
    "crossmaplrn2d": "write nn.LocalResponseNorm(5)",
    "reshape": "write nn.Unflatten(1, 8, 8) for an image of 64 numbers, nn.Flatten() for a list",
    "zeropad2d": "write nn.Conv2d(channels, filters, 3, padding=1)",
    "dropout2d": "write nn.Dropout(p), which leaves out single numbers",
    "relu6": "write lambda x: scalargrad.clip(x, 0, 6), as in nn.Elementwise(lambda x: ...)",
    "hardtanh": "write lambda x: scalargrad.clip(x, -1, 1), as in nn.Elementwise(lambda x: ...)",
    "prelu": "write scalargrad.leaky_relu(x, slope), with slope = Value(0.25, parameter=True)",
    "threshold": "write scalargrad.where(scalargrad.greater(x, threshold), x, value)",
    "softsign": "write lambda x: x / (1 + abs(x)), as in nn.Elementwise(lambda x: ...)",
    "mseloss": "write nn.mse",
    "mse_loss": "write nn.mse",
    "mean_squared_error": "write nn.mse",
    "crossentropyloss": "write nn.cross_entropy",
    "nllloss": "write nn.cross_entropy, of the scores before softmax",
    "bceloss": "write nn.bce_with_logits, of the scores before sigmoid",
    "bcewithlogitsloss": "write nn.bce_with_logits",
    "binary_cross_entropy": "write nn.bce_with_logits, of the scores before sigmoid",
    "binary_cross_entropy_with_logits": "write nn.bce_with_logits",
    "hingeloss": "write nn.hinge",
    "multimarginloss": "write nn.multiclass_hinge",
    "optim": "the optimizers are in nn itself: nn.SGD, nn.Adam",
    "functional": "losses are in nn itself, as nn.mse; functions in scalargrad, as scalargrad.relu",
    "f": "losses are in nn itself, as nn.mse; functions in scalargrad, as scalargrad.relu",
    "train": "write nn.fit(model, X, y, loss=...); model.train() is the mode in which layers learn",
    "parameter": "write Value(2.0, parameter=True)",
    "make_moons": "write nn.moons()",
    "make_circles": "write nn.circles()",
    "make_blobs": "write nn.blobs()",
    "modulelist": "a list of modules in an attribute is found by itself",
    "lookuptable": "write nn.Embedding(num, dim)",
    "embeddingbag": "write nn.Embedding(num, dim), and add up the rows of its tokens",
    "one_hot": "write nn.Embedding(num, dim) for a learned row of each token, or scalargrad.take(table, token)",
    "moduledict": "a dict of modules in an attribute is found by itself",
}
"""Of nn, without regard to capitals."""

METHODS = {
    "fit": "write nn.fit(model, X, y, loss='mse')",
    "predict": "write nn.predict(model, X), or call it with one sample: model([1.0, 2.0])",
    "forward": "call the model itself: model([1.0, 2.0])",
    "backward": "a model has no gradient of its own: compute a loss from its outputs and write loss.backward()",
    "step": "write optimizer.step(), with optimizer = nn.SGD(model.parameters(), lr=0.1)",
    "parameter": "write model.parameters()",
    "params": "write model.parameters()",
    "weights": "write model.parameters(), or model.layers[0].neurons[0].w",
    "weight": "write model.parameters(), or the w of a neuron",
    "bias": "the bias of a neuron is its b",
    "layer": "write model.layers[0]",
    "neuron": "write model.layers[0].neurons[0]",
    "zero_gradients": "write model.zero_grad()",
    "zerograd": "write model.zero_grad()",
    "summary": "print(model) lists its layers",
    "to": "a model computes with Python's numbers, on no device",
    "cuda": "a model computes with Python's numbers, on no device",
    "apply": "write for p in model.parameters(): ...",
    "requires_grad_": "write for p in model.parameters(): p.requires_grad = False",
}
"""Of a model."""


def meant(name: str, own: Sequence[str]) -> str:
    """What to write in place of a name that nn does not have; `own` are those that it has."""
    folded = name.casefold()
    if folded in NAMES:
        return NAMES[folded]
    others = [other for other in dir(sys.modules["scalargrad"]) if not other.startswith("_")]
    op = TABLE.get(folded)
    if op is not None and op.arity == 1 and folded not in map(str.casefold, own):
        return f"as a layer it is nn.Elementwise({op.name!r}); as a setting, activation={op.name!r}"
    for near in nearest(name, [*own, *others]):
        return f"did you mean {near!r}?" if near in own else f"{near} is in scalargrad itself: write scalargrad.{near}"
    return ""
