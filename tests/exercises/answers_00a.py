"""Answers to the exercises of lesson 00a."""

from scalargrad import Value


def subtract(rule, data=lambda a, b: a - b):
    def build(a, b):
        out = Value(data(a.data, b.data), (a, b), "-")
        out._backward = lambda: rule(a, b, out)
        return out

    return lambda: {"subtract": build}


def rule(da, db, keep=True):
    def hand_on(a, b, out):
        a.grad = a.grad * keep + da * out.grad
        b.grad = b.grad * keep + db * out.grad

    return hand_on


def locals_only(a, b, out):
    a.grad += 1.0
    b.grad += -1.0


def recursive(root):
    order, seen = [], set()

    def place(value):
        if value not in seen:
            seen.add(value)
            for parent in value.parents:
                place(parent)
            order.append(value)

    place(root)
    return order


def depth_first(root):
    """Every Value once, but a parent may come late."""
    order, waiting = [], [root]
    while waiting:
        value = waiting.pop()
        if value not in order[-50:]:
            order.append(value)
            waiting += value.parents
    return list(dict.fromkeys(order))[::-1]


HALF_RIGHT = {
    "00a.nudge": [
        lambda: {"slope": lambda f, x: f(x + 1e-6) - f(x)},
        lambda: {"slope": lambda f, x: (f(x) - f(x + 1e-6)) / 1e-6},
        lambda: {"slope": lambda f, x: (f(x + 0.1) - f(x)) / 0.1},
    ],
    "00a.by-hand": [
        lambda: {"dg_dp": 4, "dg_dc": -6, "dg_da": -3, "dg_db": 2},
        lambda: {"dg_dp": 4, "dg_dc": -6, "dg_da": ..., "dg_db": 4},
    ],
    "00a.subtract": [
        subtract(rule(1.0, 1.0)),
        subtract(rule(1.0, -1.0, keep=False)),
        subtract(locals_only),
        subtract(rule(1.0, 0.0)),
    ],
    "00a.twice": [lambda: {"a_grad": 6}, lambda: {"a_grad": 4}, lambda: {"a_grad": 1}],
    "00a.order": [
        lambda: {"order_of": recursive},
        lambda: {"order_of": lambda root: [root]},
        lambda: {"order_of": depth_first},
    ],
}
WRONG = {
    "00a.nudge": [lambda: {"slope": lambda f, x: f(x + 1e-6)}, lambda: {"slope": 2.0}],
    "00a.by-hand": [lambda: {"dg_dp": 1, "dg_dc": 6, "dg_da": 1, "dg_db": "two"}],
    "00a.subtract": [subtract(rule(-1.0, 1.0)), subtract(rule(1.0, -1.0), lambda a, b: b - a)],
    "00a.twice": [lambda: {"a_grad": 9}, lambda: {"a_grad": "seven"}],
    "00a.order": [lambda: {"order_of": lambda root: [root, root]}, lambda: {"order_of": [1, 2]}],
}
