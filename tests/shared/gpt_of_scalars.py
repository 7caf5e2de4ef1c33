"""A GPT in the style of microgpt: a program that brings its own engine of scalars, for whoever puts another in its place.

One layer of 16 numbers and 4 heads learns letters of names, one name at a time: 4 192 parameters, about 60 000 nodes for
a name. `OwnValue` is the engine that such a program brings: a node keeps its parents and the local derivative for each.
"""

from __future__ import annotations

import math
import random

WIDTH, HEADS, BLOCK, STEPS = 16, 4, 16, 1000


class OwnValue:
    """A number that keeps what it was computed from, and the local derivative with respect to each."""

    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0
        self._children, self._local_grads = children, local_grads

    def __add__(self, other):
        other = other if isinstance(other, OwnValue) else OwnValue(other)
        return OwnValue(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, OwnValue) else OwnValue(other)
        return OwnValue(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent):
        return OwnValue(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def log(self):
        return OwnValue(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        return OwnValue(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self):
        return OwnValue(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def backward(self):
        backpropagate(self)


def backpropagate(root):
    """microgpt's backward(): nodes sorted by recursion, then each child's gradient is added up."""
    topo, visited = [], set()

    def build_topo(v):
        if v not in visited:
            visited.add(v)
            for child in v._children:
                build_topo(child)
            topo.append(v)

    build_topo(root)
    root.grad = 1
    for v in reversed(topo):
        for child, local_grad in zip(v._children, v._local_grads):  # noqa: B905
            child.grad += local_grad * v.grad


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(row, x)) for row in w]  # noqa: B905


def softmax(logits):
    largest = max(val.data for val in logits)
    exps = [(val - largest).exp() for val in logits]
    total = sum(exps)
    return [e / total for e in exps]


def rmsnorm(x):
    ms = sum(xi * xi for xi in x) / len(x)
    scale = (ms + 1e-5) ** -0.5
    return [xi * scale for xi in x]


class GPT:
    """The program's weights and its functions, over the Value that is given.

    Args:
        Value: the class of its numbers.
        docs: the names; they are shuffled.
        seed: of the shuffling, the weights and the sampling, one after another.
    """

    def __init__(self, Value, docs, seed=42):
        self.random = random.Random(seed)
        self.docs = list(docs)
        self.random.shuffle(self.docs)
        self.letters = sorted(set("".join(self.docs)))
        self.bos = len(self.letters)
        size = self.bos + 1

        def matrix(nout, nin):
            return [[Value(self.random.gauss(0, 0.08)) for _ in range(nin)] for _ in range(nout)]

        self.weights = {"wte": matrix(size, WIDTH), "wpe": matrix(BLOCK, WIDTH), "lm_head": matrix(size, WIDTH)}
        for name in ("attn_wq", "attn_wk", "attn_wv", "attn_wo"):
            self.weights[name] = matrix(WIDTH, WIDTH)
        self.weights["mlp_fc1"] = matrix(4 * WIDTH, WIDTH)
        self.weights["mlp_fc2"] = matrix(WIDTH, 4 * WIDTH)
        self.params = [p for rows in self.weights.values() for row in rows for p in row]
        self.m, self.v = [0.0] * len(self.params), [0.0] * len(self.params)

    def tokens(self, doc):
        """The numbers of a name's letters, between two marks of its ends."""
        return [self.bos, *(self.letters.index(letter) for letter in doc), self.bos]

    def __call__(self, token, position, keys, values):
        """The logits of the token that follows; keys and values of the positions so far are in the lists."""
        w = self.weights
        x = rmsnorm([t + p for t, p in zip(w["wte"][token], w["wpe"][position])])  # noqa: B905
        residual = x
        x = rmsnorm(x)
        q = linear(x, w["attn_wq"])
        keys.append(linear(x, w["attn_wk"]))
        values.append(linear(x, w["attn_wv"]))
        heads, size = [], WIDTH // HEADS
        for start in range(0, WIDTH, size):
            cut = slice(start, start + size)
            scores = [sum(a * b for a, b in zip(q[cut], k[cut])) / size**0.5 for k in keys]  # noqa: B905
            shares = softmax(scores)
            heads.extend(sum(s * v[j] for s, v in zip(shares, values)) for j in range(WIDTH)[cut])  # noqa: B905
        x = residual = [a + b for a, b in zip(linear(heads, w["attn_wo"]), residual)]  # noqa: B905
        x = linear([xi.relu() for xi in linear(rmsnorm(x), w["mlp_fc1"])], w["mlp_fc2"])
        return linear([a + b for a, b in zip(x, residual)], w["lm_head"])  # noqa: B905

    def loss(self, doc):
        """The mean of -log of the probability of each next token."""
        tokens = self.tokens(doc)
        n = min(BLOCK, len(tokens) - 1)
        keys, values, losses = [], [], []
        for position in range(n):
            probs = softmax(self(tokens[position], position, keys, values))
            losses.append(-probs[tokens[position + 1]].log())
        return (1 / n) * sum(losses)

    def adam(self, step, learning_rate=0.01, beta1=0.85, beta2=0.99, eps=1e-8):
        """Move the parameters; the rate falls to 0 over STEPS steps."""
        rate = learning_rate * (1 - step / STEPS)
        for i, p in enumerate(self.params):
            self.m[i] = beta1 * self.m[i] + (1 - beta1) * p.grad
            self.v[i] = beta2 * self.v[i] + (1 - beta2) * p.grad**2
            m_hat = self.m[i] / (1 - beta1 ** (step + 1))
            v_hat = self.v[i] / (1 - beta2 ** (step + 1))
            p.data -= rate * m_hat / (v_hat**0.5 + eps)
            p.grad = 0

    def train(self, steps, backward=lambda loss: loss.backward()):
        """A name a step; the loss of each."""
        losses = []
        for step in range(steps):
            loss = self.loss(self.docs[step % len(self.docs)])
            backward(loss)
            self.adam(step)
            losses.append(loss.data)
        return losses

    def sample(self, temperature=0.5):
        """A new name."""
        token, name, keys, values = self.bos, "", [], []
        for position in range(BLOCK):
            probs = softmax([logit / temperature for logit in self(token, position, keys, values)])
            (token,) = self.random.choices(range(self.bos + 1), weights=[p.data for p in probs])
            if token == self.bos:
                break
            name += self.letters[token]
        return name
