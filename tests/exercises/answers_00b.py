"""Answers to the exercises of lesson 00b."""

from scalargrad import Value


def relu(above, below=0.0, keep=True, data=lambda x: max(0.0, x)):
    def build(x):
        out = Value(data(x.data), (x,), "relu")

        def _backward():
            factor = above(x, out) if x.data > 0 else below * out.grad
            x.grad = x.grad * keep + factor

        out._backward = _backward
        return out

    return lambda: {"relu": build}


HALF_RIGHT = {
    "00b.neuron": [
        lambda: {"w1_grad": 1, "w2_grad": 2, "x1_grad": 0.5},
        lambda: {"w1_grad": 1, "w2_grad": -2, "x1_grad": 1},
    ],
    "00b.count": [lambda: {"parameters": 304}, lambda: {"parameters": 33}],
    "00b.relu": [
        relu(lambda x, out: 1.0),
        relu(lambda x, out: out.grad, below=1.0),
        relu(lambda x, out: out.grad, keep=False),
        relu(lambda x, out: x.data * out.grad),
    ],
    "00b.step": [lambda: {"w": 1.7, "w_not_zeroed": 1.7}, lambda: {"w": 2.3, "w_not_zeroed": 1.4}],
}
WRONG = {
    "00b.neuron": [lambda: {"w1_grad": 0, "w2_grad": 0, "x1_grad": 0}],
    "00b.count": [lambda: {"parameters": 32}, lambda: {"parameters": "many"}],
    "00b.relu": [relu(lambda x, out: out.grad, data=lambda x: x), lambda: {"relu": 1.0}],
    "00b.step": [lambda: {"w": 2.3, "w_not_zeroed": 2.6}, lambda: {"w": "less", "w_not_zeroed": 0}],
}
