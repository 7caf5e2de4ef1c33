"""Answers to the exercises of lesson 03."""


def multiply_gate(backward, keep=True):
    class Gate:
        def forward(self, x, y):
            if keep:
                self.x, self.y = x, y
            return x * y

    Gate.backward = backward
    return lambda: {"gate": Gate}


class AtTheClass:
    def forward(self, x, y):
        AtTheClass.x, AtTheClass.y = x, y
        return x * y

    def backward(self, dz):
        return [self.y * dz, self.x * dz]


def divide_gate(backward, forward=lambda x, y: x / y, keep=True):
    class Gate:
        def forward(self, x, y):
            if keep:
                self.x, self.y = x, y
            return forward(x, y)

    Gate.backward = backward
    return lambda: {"gate": Gate}


HALF_RIGHT = {
    "03.multiply-gate": [
        multiply_gate(lambda self, dz: [self.x * dz, self.y * dz]),
        multiply_gate(lambda self, dz: [self.y, self.x]),
        multiply_gate(lambda self, dz: [self.y * dz, self.x * dz], keep=False),
        multiply_gate(lambda self, dz: [self.x * dz, self.y * dz][::-1][:1]),
        lambda: {"gate": AtTheClass},
    ],
    "03.route": [lambda: {"dx": -2, "dy": 0, "dz": 4}, lambda: {"dx": 0, "dy": -2, "dz": 1}],
    "03.branch": [lambda: {"da": 3, "db": 4}, lambda: {"da": 4, "db": 4}],
    "03.divide": [
        divide_gate(lambda self, dz: [1 / self.y, -self.x / self.y**2]),
        divide_gate(lambda self, dz: [dz / self.y, dz * self.x / self.y**2]),
        divide_gate(lambda self, dz: [dz / self.y, -dz / self.y**2]),
        divide_gate(lambda self, dz: [-dz * self.x / self.y**2, dz / self.y]),
        divide_gate(lambda self, dz: [dz / self.y, -dz * self.x / self.y**2], keep=False),
    ],
    "03.share": [
        lambda: {"by_division": 0.125, "by_sum": 0.0469},
        lambda: {"by_division": 0.078125, "by_sum": -0.0469},
    ],
}
WRONG = {
    "03.route": [lambda: {"dx": 1, "dy": 4, "dz": -2}],
    "03.branch": [lambda: {"da": -3, "db": 3}, lambda: {"da": "both", "db": 1}],
    "03.divide": [
        divide_gate(lambda self, dz: [dz, dz]),
        divide_gate(lambda self, dz: [dz / self.y, -dz * self.x / self.y**2], forward=lambda x, y: y / x),
    ],
    "03.share": [lambda: {"by_division": 0.078125, "by_sum": 0.078125}, lambda: {"by_division": 8, "by_sum": 3}],
    "03.multiply-gate": [multiply_gate(lambda self, dz: [dz, dz]), lambda: {"gate": 3.0}, lambda: {"gate": object}],
}
