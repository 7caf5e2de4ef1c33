"""Modules and functions of nn beside PyTorch's: the same numbers in, values and every gradient compared."""

import random
from itertools import chain

from optional import need, optional

from scalargrad import Value, dot

torch = optional("torch")
TOLERANCE = 1e-12


def flat(x):
    """The numbers or Values of nested lists, in order."""
    return list(chain.from_iterable(map(flat, x))) if isinstance(x, (list, tuple)) else [x]


def numbers(rng, *shape):
    """Random numbers in nested lists."""
    return [numbers(rng, *shape[1:]) for _ in range(shape[0])] if shape else rng.uniform(-2, 2)


def values(x):
    """Nested lists with a Value for each number."""
    return [values(part) for part in x] if isinstance(x, (list, tuple)) else Value(x)


def data(x):
    return [data(part) for part in x] if isinstance(x, (list, tuple)) else x.data


class Beside:
    """One comparison: tensors for the same numbers as Values, and at the end both ways through both graphs.

    Differences are relative to the larger of 1 and the number: outputs and gradients are sums of terms of about 1.
    """

    def __init__(self, seed):
        need(torch)
        self.rng = random.Random(seed)
        self.pairs = []

    def leaf(self, ours):
        """The tensor of nested lists of Values; their gradients will be compared."""
        tensor = torch.tensor(data(ours), dtype=torch.float64, requires_grad=True)
        self.pairs.append((flat(ours), tensor))
        return tensor

    def parameter(self, tensor, ours):
        """Give a parameter of a module of PyTorch's the numbers of Values; their gradients will be compared."""
        with torch.no_grad():
            tensor.copy_(torch.tensor(data(ours), dtype=torch.float64))
        self.pairs.append((flat(ours), tensor))

    def compare(self, ours, *theirs):
        """Compare the outputs, and all gradients of a random weighted sum of them."""
        ours, theirs = flat(ours), torch.cat([tensor.reshape(-1) for tensor in theirs])
        self.same([y.data for y in ours], theirs.tolist())
        weights = [self.rng.uniform(-1, 1) for _ in ours]
        dot(ours, weights).backward()
        (theirs * torch.tensor(weights, dtype=torch.float64)).sum().backward()
        for leaves, tensor in self.pairs:
            self.same([x.grad for x in leaves], flat(tensor.grad.tolist()))

    def same(self, ours, theirs):
        assert len(ours) == len(theirs)
        for x, y in zip(ours, theirs, strict=True):
            assert abs(x - y) <= TOLERANCE * max(1.0, abs(y)), (x, y)
