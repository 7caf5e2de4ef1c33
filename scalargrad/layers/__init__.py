"""Layers of plain numbers in batches, with an explicit forward and backward, as the lectures write them.

(nn, beside this: networks of Values, whose gradients come from the graph.)

A batch is a list of rows, one for each sample: X of shape (N, K) has N samples of K numbers. The contract of a layer:

- `forward(X)` returns Y and keeps what backward needs;
- `backward(DY)`, given the gradient of the error with respect to Y, keeps the gradients of the layer's own parameters,
  if it has any, in DW and DB, summed over the samples of the batch, and always returns DX, the gradient with respect to
  X: it is the DY of the layer below;
- `update_parameters(lr)` goes a step against those gradients.

The slopes of activations and losses come from the op table. Linear alone has formulas of its own: DW = Xᵀ·DY.

basic.py has the layers, network.py the chain of them and the loss at its end, matrices.py what they compute with.
"""

from scalargrad.layers.basic import Elementwise, Layer, Linear, ReLU, Sigmoid, Tanh
from scalargrad.layers.matrices import Rows, matrix, product, shape, transposed
from scalargrad.layers.network import Network, SoftmaxCrossEntropy

__all__ = [
    "Elementwise",
    "Layer",
    "Linear",
    "Network",
    "ReLU",
    "Rows",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Tanh",
    "matrix",
    "product",
    "shape",
    "transposed",
]
