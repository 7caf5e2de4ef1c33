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
    "msleloss": "write nn.mse",
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
