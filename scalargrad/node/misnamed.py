"""Names that people write who come from a lecture, from PyTorch or from numpy, and what they are called here."""

from __future__ import annotations

METHODS = {
    "value": "the number is v.data",
    "val": "the number is v.data",
    "gradient": "the gradient is v.grad",
    "gradients": "the gradient is v.grad",
    "derivative": "the gradient is v.grad, after backward()",
    "back": "write y.backward()",
    "backwards": "write y.backward()",
    "backprop": "write y.backward()",
    "backpropagate": "write y.backward()",
    "forward": "a Value is computed when it is written; y.backward() goes back",
    "zerograd": "write y.zero_grad()",
    "zero_gradient": "write y.zero_grad()",
    "zero_gradients": "write y.zero_grad()",
    "numpy": "the number is v.data; of a list of Values, [v.data for v in vs]",
    "tolist": "the number is v.data",
    "cpu": "the number is v.data",
    "requires_grad_": "write v.requires_grad = True",
    "retain_grad": "every Value keeps its grad",
    "grad_fn": "what a Value was computed from is in v.parents, and the formula in v.formula()",
    "children": "what a Value was computed from is in v.parents",
    "inputs": "what a Value was computed from is in v.parents",
    "name": "the name shown in pictures is v.label",
    "shape": "a Value is one number; vectors are lists of Values",
    "size": "a Value is one number; vectors are lists of Values",
    "T": "a Value is one number; vectors are lists of Values",
    "softmax": "softmax takes several Values: write nn.softmax([a, b, c])",
    "plot": "the picture of its graph is y.draw()",
    "trace": "write scalargrad.trace(y)",
    "explain": "write scalargrad.explain(y, x)",
    "worksheet": "write scalargrad.worksheet(y)",
}
"""Of a Value."""

MATHEMATICS = {
    "ln": "log", "lg": "log10", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "arsinh": "arcsinh", "arcosh": "arccosh",
    "artanh": "arctanh", "tg": "tan", "sgn": "sign", "signum": "sign", "logistic": "sigmoid", "fabs": "abs",
    "heaviside": "step", "sqr": "square", "swish": "silu",
}  # fmt: skip
"""Of functions, as textbooks and Python's math call them."""

PACKAGE = {
    "tensor": "a number is a Value: write Value(2.0)",
    "variable": "a number is a Value: write Value(2.0)",
    "scalar": "a number is a Value: write Value(2.0)",
    "autograd": "write y.backward(), or scalargrad.grad",
    "optim": "the optimizers are in scalargrad.nn: nn.SGD, nn.Adam",
    "optimizer": "the optimizers are in scalargrad.nn: nn.SGD, nn.Adam",
    "parameter": "write Value(2.0, parameter=True); the layers of scalargrad.nn make their own",
    "plot": "the picture of a graph is draw(y)",
    "show": "the picture of a graph is draw(y)",
    "visualize": "the picture of a graph is draw(y)",
    "save": "write model.save(path)",
    "gather": "write take(xs, index), with a list of rows as xs for a row",
    "index_select": "write take(xs, index), with a list of rows as xs for a row",
    "getitem": "write take(xs, index), with a list of rows as xs for a row",
    "lookup": "write take(xs, index), with a list of rows as xs for a row",
}
"""Of the package. (The names of nn: scalargrad.nn.modules.misnamed.)"""
